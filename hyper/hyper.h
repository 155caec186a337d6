/* An objective over a set of images: an encoder makes a code z of what is known of an image, a
 * generator makes the weights theta of a network Phi of it, and this is to be the image
 * (Sitzmann et al. 2020, eq. 26 of the supplement; paper.md 8.3):
 *
 *     L = 1/P sum |Phi_theta(x) - b(x)|^2 + l1 1/k |z|^2 + l2 1/n |theta|^2,
 *
 * each the mean over the images of a step; P pixels and channels, k numbers of a code, n weights. A
 * tile is a group of images: the generator's layers are read once for all of them. */
#ifndef HYPER_HYPER_H
#define HYPER_HYPER_H

#include "core/objective.h"
#include "hyper/encoder.h"
#include "hyper/generator.h"

/* Local, thread-safe, pure. Images first ... first + count - 1 of a step: pixels
 * [count][rows * columns][channels] in [-1, 1], known [count][rows * columns], item [count]: their
 * numbers among the training's images. */
typedef void (*HyperDraw)(const void *source, uint64_t step, int64_t first, int count, real *pixels,
                          uint8_t *known, int64_t *item);

typedef struct {
  const EncoderKind *encoder;
  const GeneratorKind *generator;
  EncoderSpec encoding; /* with the images' size */
  int generator_width, generator_layers;
  const Network *hypo; /* Phi: two coordinates (row, column); borrowed, stays there */
  int64_t images;      /* of a step, >= 1 */
  int known;           /* pixels of an image that training knows, about */
  int tile;            /* images of a tile, about; part of the bits; 0: by their cost */
  double code_weight, theta_weight; /* l1, l2 */
  HyperDraw draw;
  const void *source; /* borrowed */
} HyperSpec;

typedef struct Hyper Hyper;

/* Local. Fails (STATUS_USAGE) on a spec that its parts cannot serve. */
Status hyper_create(const HyperSpec *spec, Hyper **hyper);
void hyper_destroy(Hyper *hyper); /* NULL is allowed */

/* Local. All tensors of theta, the outer ones last. */
const Parameters *hyper_parameters(const Hyper *hyper);

/* Local. Its terms: pixels, code, weights. Borrows hyper. */
void hyper_objective(const Hyper *hyper, Objective *objective);

/* Local. theta to begin with, a pure function of the seed. */
void hyper_init(const Hyper *hyper, uint64_t seed, real *theta);

/* Local. Floating-point operations of a step. */
double hyper_flops(const Hyper *hyper);

/* ---- Using what was trained ---- */

typedef struct HyperUse HyperUse;

/* Local. Scratch memory for one thread and at most so many images at once. */
Status hyper_use_create(const Hyper *hyper, int images, HyperUse **use);
void hyper_use_destroy(HyperUse *use); /* NULL is allowed */
size_t hyper_use_bytes(const Hyper *hyper, int images);

/* Local. Codes [images][code] of what is known of images, by the encoder; where there is none but a
 * table of the training's codes, by so many steps of Adam at this rate from 0 on, down
 *
 *     mean over known pixels of |Phi(x) - b(x)|^2  +  l1 1/k |z|^2
 *
 * of each image for itself. Weights [images][hyper_stride] of their
 * networks, each the theta of `hypo`, from codes. */
typedef struct {
  int steps;
  double rate;
} HyperSearch;
void hyper_encode(HyperUse *use, const real *theta, const Context *context,
                  const HyperSearch *search, real *code);
void hyper_generate(HyperUse *use, const real *theta, int images, const real *code, real *weights);
size_t hyper_stride(const Hyper *hyper);

/* Local. values [n][channels] of one network at x [n][2]. */
void hyper_render(HyperUse *use, const real *weights, int64_t n, const real *x, real *values);

/* Local. Coordinates of the pixels of a grid: row, column, from -extent to extent; x [rows *
 * columns][2]. */
void hyper_grid(int rows, int columns, double extent, real *x);

#endif
