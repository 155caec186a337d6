/* What the parts of the experiment celeba owe each other. */
#ifndef EXPERIMENTS_CELEBA_H
#define EXPERIMENTS_CELEBA_H

#include "experiments/image_set.h"
#include "experiments/result.h"
#include "experiments/suite.h"
#include "hyper/hyper.h"

/* What is known of an image in the test (paper.md 8.4). */
typedef enum { KNOWN_10, KNOWN_100, KNOWN_1000, KNOWN_HALF, KNOWN_ALL, KNOWN_KINDS } Known;

typedef struct {
  ImageSet set;
  Hyper *hyper;
  EncoderSpec encoding;
  uint64_t seed;
  int64_t images;      /* of a step */
  int least, most;     /* known pixels in training: least ... most - 1 */
  bool chance;         /* each pixel with a chance, instead of so many */
  int64_t test_images; /* that are evaluated */
  int64_t shown;       /* of these, whose SIREN is stored */
  HyperSearch search;  /* of codes, where they are not encoded */
} Celeba;

/* Local. "10", ..., "half", "all". */
const char *known_name(Known known);

/* Local. Whether images have so many pixels. */
bool celeba_has(const Celeba *celeba, Known known);

/* Local, pure. Image `index` of the test, and what is known of it: pixels [rows * columns]
 * [channels] in [-1, 1], known [rows * columns]. */
void celeba_test_image(const Celeba *celeba, Known what, int64_t index, real *pixels,
                       uint8_t *known);

/* Local. Of images that lie behind each other. */
Context celeba_context(const Celeba *celeba, int images, const real *pixels, const uint8_t *known);

#define CELEBA_METRICS \
  "mse_10", "mse_100", "mse_1000", "mse_half", "mse_all", "mse_mean", "test_images"

/* Collective. Metrics and fields of theta, pictures, and the SIREN of one image. */
Status celeba_report(const Setup *setup, const real *theta, Result *result);

/* Collective. weights [hyper_stride], on all ranks, of the SIREN that theta makes of the test's
 * image `celeba->shown` from all of its pixels. */
Status celeba_siren(const Setup *setup, const real *theta, real *weights);

/* Local, for forecasts. */
double celeba_report_bytes(const Setup *setup, int rank);
double celeba_report_flops(const Setup *setup);

/* Local, on rank 0. figure.png: contexts, what is made of them, truth; interpolation.png: between
 * the codes of two images; extended.png: five times the coordinates' range. */
Status celeba_figure(const Celeba *celeba, const real *theta, const Result *result);

/* Local, for forecasts. */
double celeba_figure_bytes(const Celeba *celeba);

#endif
