/* A set of images, split into training, validation and test by the hash of their pixels
 * (io/split.h), once in the memory that a node's ranks share, a byte a number. */
#ifndef EXPERIMENTS_IMAGE_SET_H
#define EXPERIMENTS_IMAGE_SET_H

#include <stdint.h>

#include "core/real.h"
#include "io/config.h"
#include "io/split.h"
#include "mpi/shared.h"

typedef struct {
  int64_t n[SPLITS];           /* images of every split, each >= 1 */
  int rows, columns, channels; /* channels 1 or 3 */
  int64_t first[SPLITS];       /* image with which a split begins */
  const uint8_t *pixels;       /* [images][rows][columns][channels], split by split */
  Shared *shared;              /* owns the pixels */
} ImageSet;

/* Collective. Reads data set `dataset` ("": the one that can be meant) of an HDF5 file, as `siren
 * convert` makes it (io/dataset.h, kind images), or any of another program that is uint8
 * [n][rows][columns] or [n][rows][columns][1 or 3]; path "": the built-in sample, 256 grey 28 x 28
 * images of Fashion-MNIST. At most `limit` images of every split, the first ones (0: all). Every
 * rank of a node reads its part. Fails on all ranks alike, naming file and reason: another kind or
 * type, no image in a split, hashes that are not those of the pixels, damaged data. To be destroyed
 * after a failure, too. */
Status image_set_create(const Comm *comm, const char *path, const char *dataset, int64_t limit,
                        ImageSet *set);

/* Collective. Leaves it all zero. */
void image_set_destroy(ImageSet *set);

/* Local. Bytes of one image. */
static inline int64_t image_set_bytes(const ImageSet *set) {
  return (int64_t)set->rows * set->columns * set->channels;
}

/* Local, pure. Image `index` < n[split] of a split, in the order of the file: [rows][columns]
 * [channels]; borrowed. */
static inline const uint8_t *image_set_image(const ImageSet *set, Split split, int64_t index) {
  return set->pixels + (set->first[split] + index) * image_set_bytes(set);
}

/* Local, pure. A byte as a value from -1 to 1; such an image's values. */
static inline double image_set_brightness(uint8_t byte) {
  return byte / 127.5 - 1;
}
void image_set_values(const ImageSet *set, Split split, int64_t index, real *values);

/* Local, for forecasts. Bytes of all images. */
double image_set_all_bytes(const ImageSet *set);

/* Local. Refuses data.size, which is `siren convert`'s work for sets. */
Status image_set_as_is(const Config *config);

#endif
