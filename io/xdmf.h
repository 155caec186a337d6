/* An XDMF 3 file: a page of XML that tells ParaView how to read the fields of a run file that lies
 * beside it. For scalar fields on grids of two to four axes; the only way to look at 4-D ones.
 *
 *   axes z,y,x or y,x           one uniform grid
 *   first axis "time", or 4-D   a collection of grids in time, which ParaView plays: one for every
 *                               step of axis 0, at the times lower[0] ... upper[0]
 *
 * ParaView asks for a reader: it is "XDMF Reader". (Its "Xdmf3 Reader" cannot read one step out of
 * a data set, as of 5.11.) */
#ifndef IO_XDMF_H
#define IO_XDMF_H

#include "core/status.h"
#include "io/runfile.h"

/* Local. Writes PATH, atomically. `data` is the HDF5 file's name as seen from PATH's directory
 * ("run.h5"); it need not exist yet. All of the n >= 1 fields lie on the grid of the first one
 * (axes, size, lower, upper) and are scalar. Names hold none of & < > " : (as XML and XDMF do). */
Status xdmf_write(const char *path, const char *data, int n, const Field *fields);

#endif
