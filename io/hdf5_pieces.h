/* An HDF5 file as the pieces of memory that make it up. HDF5 lays the file out in memory, with gaps
 * where large arrays belong: those stay where the caller has them (hdf5_lend), so that a file of
 * many times 100 MB costs some 100 kB. Whoever writes the pieces one after another, the user block
 * first, has an ordinary file; HDF5 itself, which does not bear a full disk, writes nothing. */
#ifndef IO_HDF5_PIECES_H
#define IO_HDF5_PIECES_H

#include "io/file.h"
#include "io/hdf5.h"

/* Local. Begins a file with a user block of `user_block` bytes. `path` is for messages and
 * borrowed. `bytes` is about the file's length: so much of the address space is taken, not of the
 * memory. */
Status hdf5_pieces_create(const char *path, hsize_t user_block, double bytes, Hdf5Pieces **pieces);

/* Local. For the calls of io/hdf5.h; not to be closed. */
const Hdf5File *hdf5_pieces_file(const Hdf5Pieces *pieces);

/* Local. What follows the user block, in order; the file is not changed any more. Valid until
 * hdf5_pieces_destroy, and as long as what was lent. */
Status hdf5_pieces_take(Hdf5Pieces *pieces, int *n, const FilePiece **piece);

/* Local. NULL is allowed. */
void hdf5_pieces_destroy(Hdf5Pieces *pieces);

#endif
