/* The 512-byte user block of a checkpoint: "SIRENCK1", length of the file (uint64, little endian)
 * and XXH3-128 (canonical byte order) of all bytes after the block. HDF5 tools skip a user block,
 * so the file stays an ordinary HDF5 file. */
#ifndef IO_SEAL_H
#define IO_SEAL_H

#include <stdbool.h>
#include <stddef.h>

#include "core/status.h"
#include "io/file.h"

enum { SEAL_BYTES = 512, SEAL_MAGIC_BYTES = 8 };

/* Local. True when the bytes begin with the magic. */
bool seal_present(const unsigned char *data, size_t length);

/* Local. Fills the block for a file of which the pieces are the rest. */
Status seal_make(unsigned char seal[SEAL_BYTES], int n, const FilePiece *pieces);

/* Local. STATUS_FAILED with "PATH: reason" unless the file's bytes are as they were sealed. Reads
 * through the file with a small buffer. */
Status seal_check(const char *path);

#endif
