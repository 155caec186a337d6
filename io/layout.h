/* The groups that the run file and the checkpoints have in common: /config, /network, /loss. */
#ifndef IO_LAYOUT_H
#define IO_LAYOUT_H

#include "io/hdf5.h"
#include "io/runfile.h"

enum { LAYOUT_VERSION = 1 };

/* Root attributes: what kind of file this is. */
Status layout_write_format(const Hdf5File *file, const char *format);

/* Local. STATUS_FAILED when the file was written by a newer layout; files of other programs, which
 * have no version, pass. */
Status layout_check_version(const Hdf5File *file);

Status layout_write_config(const Hdf5File *file, const Config *config);

/* Groups on the way to a data set. */
Status layout_make_groups(const Hdf5File *file, const char *name);

/* theta is lent (hdf5_lend). */
Status layout_write_model(const Hdf5File *file, const Model *model, const real *theta);
Status layout_write_history(const Hdf5File *file, const History *history);

/* Local. STATUS_USAGE unless all identity keys are equal; `remedy` ends the message. */
Status layout_check_config(const Hdf5File *file, const Config *config, const char *remedy);

/* Local. Shapes and values are checked; theta may be partly written on failure. The other only
 * checks. */
Status layout_read_model(const Hdf5File *file, const Model *model, real *theta);
Status layout_check_model(const Hdf5File *file, const Model *model);

/* Local. Fills an empty history that has its names; the other takes names, too, and owns them. */
Status layout_read_history(const Hdf5File *file, History *history);
Status layout_read_whole_history(const Hdf5File *file, History *history);

#endif
