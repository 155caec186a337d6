/* Thin helpers over HDF5: its error stack is silenced and turned into Status messages, data sets
 * and attributes are written the same way whether a file is serial, in memory or shared by all
 * ranks. Names are paths from the file's root. All are Local on a serial file and Collective, with
 * the same arguments, on a parallel one.
 *
 * A file on disk to which a write failed is abandoned: HDF5 is not asked about it again. It keeps
 * what it could not write, fails again in closing, and then crashes, or waits for ranks that have
 * given up. What it holds goes with the process. */
#ifndef IO_HDF5_H
#define IO_HDF5_H

#include <hdf5.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/real.h"
#include "core/status.h"

#define HDF5_REAL (REAL_IS_DOUBLE ? H5T_NATIVE_DOUBLE : H5T_NATIVE_FLOAT)

enum { HDF5_MAX_RANK = 8 };

typedef struct Hdf5Pieces Hdf5Pieces;

typedef struct {
  hid_t file;
  bool writer;        /* false: another rank of a parallel file writes what hdf5_write creates */
  const char *path;   /* for messages; borrowed */
  Hdf5Pieces *pieces; /* of a file that is made as pieces of memory (io/hdf5_pieces.h); else NULL */
} Hdf5File;

/* Silences HDF5's own printing; called by everything that opens a file. */
void hdf5_quiet(void);

/* STATUS_FAILED with "PATH: cannot WHAT: HDF5's innermost reason". To be called right after the
 * failing call: the next one clears the reason. */
Status hdf5_fail(const char *path, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Opens a file for reading. One with a seal (a checkpoint) is read through and checked first. */
Status hdf5_open(const char *path, Hdf5File *file);

/* The same, and fails unless there is a seal. */
Status hdf5_open_sealed(const char *path, Hdf5File *file);

/* Opens the image of a file in memory; `path` is for messages. The bytes are copied. */
Status hdf5_open_image(const char *path, const unsigned char *data, size_t length, Hdf5File *file);

/* Makes a small file in memory with a user block of `user_block` bytes, and takes its bytes
 * (free()). */
Status hdf5_create_image(const char *path, hsize_t user_block, Hdf5File *file);
Status hdf5_take_image(Hdf5File *file, unsigned char **data, size_t *length);

/* Closes what the functions above opened. */
void hdf5_close(Hdf5File *file);

/* Local. True if an object of this name exists. */
bool hdf5_has(const Hdf5File *file, const char *name);

/* Groups on the way to a new object are made as needed. */
Status hdf5_group(const Hdf5File *file, const char *name);

/* A property list for creating data sets: no time stamps, so that equal runs give equal files.
 * H5Pclose it. */
hid_t hdf5_dataset_properties(void);
Status hdf5_create(const Hdf5File *file, const char *name, hid_t type, int rank,
                   const int64_t *size, hid_t properties);

/* Creates a contiguous data set and writes it. */
Status hdf5_write(const Hdf5File *file, const char *name, hid_t type, int rank, const int64_t *size,
                  const void *data);

/* The same. Where the file is made as pieces of memory, large data are not copied: they have to
 * stay as they are until the pieces are written. `type` is how they lie in memory. */
Status hdf5_lend(const Hdf5File *file, const char *name, hid_t type, int rank, const int64_t *size,
                 const void *data);

/* Attributes of `object`: text of fixed length (UTF-8; or, where another program insists on it,
 * ASCII without a NUL at its end), int64, float64 (a scalar if n is 0). */
Status hdf5_set_text(const Hdf5File *file, const char *object, const char *name, const char *text);
Status hdf5_set_ascii(const Hdf5File *file, const char *object, const char *name, const char *text);
Status hdf5_set_integer(const Hdf5File *file, const char *object, const char *name, int64_t value);
Status hdf5_set_integers(const Hdf5File *file, const char *object, const char *name, int n,
                         const int64_t *values);
Status hdf5_set_numbers(const Hdf5File *file, const char *object, const char *name, int n,
                        const double *values);

/* Local. Shape of a data set; rank 0 is a scalar. */
Status hdf5_shape(const Hdf5File *file, const char *name, int *rank, int64_t size[HDF5_MAX_RANK]);

/* Local. "128x256" in text, for messages. */
const char *hdf5_shape_text(int rank, const int64_t *size, char text[160]);

/* Local. True if a data set holds exactly this type. */
bool hdf5_has_type(const Hdf5File *file, const char *name, hid_t type);

/* Local. The whole data set, converted to `type`, into data of the right size. */
Status hdf5_read(const Hdf5File *file, const char *name, hid_t type, void *data);

/* Local. The same of a box: count[i] elements from first[i] on along each axis. */
Status hdf5_read_box(const Hdf5File *file, const char *name, hid_t type, int rank,
                     const int64_t *first, const int64_t *count, void *data);

/* Local. Reads a chunked data set through, so that checksums are checked, and forgets it. */
Status hdf5_check(const Hdf5File *file, const char *name);

/* Local. Attributes. Text of fixed or variable length comes as a new string (free()); numbers of
 * any type are converted; fails unless there are exactly n. */
Status hdf5_get_text(const Hdf5File *file, const char *object, const char *name, char **text);
Status hdf5_get_integer(const Hdf5File *file, const char *object, const char *name, int64_t *value);
Status hdf5_get_numbers(const Hdf5File *file, const char *object, const char *name, int n,
                        double *values);
bool hdf5_has_attribute(const Hdf5File *file, const char *object, const char *name);
bool hdf5_has_numbers(const Hdf5File *file, const char *object, const char *name, int n);

/* Local. An attribute as text, whatever its type, for listings; numbers with %.*g of `digits`. */
Status hdf5_show_attribute(const Hdf5File *file, const char *object, const char *name, int digits,
                           char **text);

/* Local. Names of a group's members or of an object's attributes, and paths of all data sets in a
 * file, in order of name. */
typedef struct {
  int n;
  char **name;
} Hdf5Names;
Status hdf5_members(const Hdf5File *file, const char *group, Hdf5Names *names);
Status hdf5_attributes(const Hdf5File *file, const char *object, Hdf5Names *names);
Status hdf5_datasets(const Hdf5File *file, Hdf5Names *names);
void hdf5_names_destroy(Hdf5Names *names);

#endif
