/* Whole files: read, atomic replace, directories, the lock of an output directory. Every failure
 * names path, operation and the system's reason. */
#ifndef IO_FILE_H
#define IO_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/status.h"

/* Bytes in memory, borrowed: a part of a file to be written. */
typedef struct {
  const void *data;
  size_t length;
} FilePiece;

/* Local. The whole file into *data (free()), NUL added after it. */
Status file_read(const char *path, unsigned char **data, size_t *length);

/* Local. Opens a file for reading: *fd goes to close(), *length is its bytes. Fails on what is no
 * regular file (a directory, a pipe) or empty. */
Status file_open(const char *path, int *fd, int64_t *length);

/* Local. The next `length` bytes of an open file; fails if it ends before. */
Status file_read_next(int fd, const char *path, void *data, size_t length);

/* Local. Writes beside `path` (path.tmp), flushes to disk, renames over `path`, flushes the
 * directory: after a crash at any moment `path` holds the old or the new bytes. On failure the
 * temporary is removed, `path` is untouched. */
Status file_replace(const char *path, const void *data, size_t length);

/* A file of which no rank has all bytes at once: written piece by piece under the temporary name,
 * then put in its place as by file_replace. */
typedef struct FileStream FileStream;

/* Local. Begins to replace `path`. */
Status file_stream_open(const char *path, FileStream **stream);
Status file_stream_write(FileStream *stream, const void *data, size_t length);

/* Local. Writes at a position; what comes by file_stream_write stays where it is. */
Status file_stream_write_at(FileStream *stream, int64_t at, const void *data, size_t length);

/* Local. Ends it, and frees the stream (NULL is allowed). If `status`, what became of the writer's
 * work, is STATUS_OK, the file takes its place; else, and on failure, the temporary is removed and
 * `path` is untouched. Returns `status` or the failure. */
Status file_stream_close(FileStream *stream, Status status);

/* Local. The same, and keeps the old file as `previous`. A kill between the two renames leaves only
 * `previous`. */
Status file_stream_rotate(FileStream *stream, const char *previous, Status status);

/* Local. Renames `from`, whose bytes are on disk already, to `to` and flushes the directory. */
Status file_rename(const char *from, const char *to);

/* Local. Takes disk space for the bytes [from, to) of an open file, by writing zeros where the file
 * system cannot do it otherwise: for writers that do not bear a full disk well. Errors but a full
 * disk are left to the write itself. */
Status file_reserve(int fd, const char *path, off_t from, off_t to);

/* Local. Gives back what was reserved and not used, flushes to disk, and renames to `path`. */
Status file_settle(int fd, const char *temporary, const char *path);

/* Local. Makes an empty file that must not be there yet; *mine is false when it was: of processes
 * that want the same name, one gets it, whatever the file system knows about locks. */
Status file_claim(const char *path, bool *mine);

/* Local. Removes a directory with the files in it, one level deep; fine if there is none. */
Status file_remove_directory(const char *path);

bool file_exists(const char *path);

/* Local. True if the file is there and begins with these bytes: at most 16, its format's. */
bool file_begins(const char *path, const void *bytes, size_t length);

/* Local. Removes the files whose names are that of `path` and then match one of the patterns (as a
 * shell has them; NULL ends the list). Silent: it is for what others may have left. */
void file_remove_others(const char *path, const char *const *patterns);

/* Local. Makes the directory and its parents; fails if it cannot be written to. */
Status file_make_directory(const char *path);

/* Local. "directory/name" in a new string (free()). */
char *file_join(const char *directory, const char *name);

/* Local. Takes the advisory lock DIRECTORY/.lock, so that two processes never run in one output
 * directory; *lock goes to file_unlock. The kernel releases it when the process dies, however that
 * happens. Fails (STATUS_FAILED) when another process holds it: "OUTPUT is in use by process N on
 * host H". Where the file system has no locks, goes on with a line in note (empty otherwise). */
Status file_lock(const char *directory, int *lock, char note[256]);
void file_unlock(int lock);

#endif
