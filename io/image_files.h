/* The images of a folder, of a tar archive or of an IDX file, one at a time. */
#ifndef IO_IMAGE_FILES_H
#define IO_IMAGE_FILES_H

#include <stdint.h>

#include "io/image.h"

typedef enum { IMAGE_FILES_FOLDER, IMAGE_FILES_TAR, IMAGE_FILES_IDX } ImageFilesKind;

typedef struct ImageFiles ImageFiles;

/* Local. In folders (with all below them; links are followed, once around a loop) and archives,
 * images are the files that end in .png, .jpg or .jpeg and neither they nor a folder on the way
 * begin with a dot. A folder's come in order of their paths' bytes, others in the file's order. */
Status image_files_open(const char *from, ImageFilesKind kind, ImageFiles **files);
void image_files_close(ImageFiles *files); /* NULL is allowed */

/* Local. Images in all; 0 where only the end will tell. */
int64_t image_files_total(const ImageFiles *files);

/* Local. Goes to the next image: *name is its path within folder or archive, with \xNN for bytes
 * that are no visible UTF-8; "" in an IDX file; NULL after the last one. Borrowed until the next
 * call. A failure means that there are no further ones: a damaged archive. */
Status image_files_next(ImageFiles *files, const char **name);

/* Local. That image, once. A failure is about this one alone and names it. */
Status image_files_decode(ImageFiles *files, Image *image);

#endif
