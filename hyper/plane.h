/* Images as convolutions read them: [rows + border][columns + border][channels], where the border
 * behind a row and below an image is zero and is the next one's border, too. A pixel at an image's
 * side has its neighbours outside where those of all others are: so many pixels away. Functions
 * take the address of pixel (0, 0) of the first image; all are Local. */
#ifndef HYPER_PLANE_H
#define HYPER_PLANE_H

#include "hyper/encoder.h"

typedef struct {
  int rows, columns, border; /* border: half of the largest kernel, at least */
} Plane;

/* STATUS_USAGE where an encoder of residual blocks, whose code is a number for each channel, cannot
 * serve; the message names what is wrong. */
Status plane_check(const EncoderSpec *spec);

/* Pixels from one row to the next. */
int plane_pitch(const Plane *plane);

/* Pixels from an image's first to its last, with the borders between rows. */
int plane_span(const Plane *plane);

/* Reals from one image to the next. */
size_t plane_stride(const Plane *plane, int channels);

/* Reals of so many images with the border around them, aligned. */
size_t plane_room(const Plane *plane, int channels, int images);

/* Takes the room of so many images from *scratch; returns pixel (0, 0) of the first. */
real *plane_take(const Plane *plane, int channels, int images, real **scratch);

/* Makes the border around and between the rows of an image zero. */
void plane_clear(const Plane *plane, int channels, real *x);

/* The known pixels of an image of the context, and zeros. */
void plane_load(const Plane *plane, const Context *context, int image, real *x);

/* y = the image's pixels times `factor` [rows * columns]; y may be x. The border of y is cleared.
 */
void plane_scale(const Plane *plane, int channels, const real *factor, const real *x, real *y);

/* One linear layer over the pixels, which all channels share: code [channels] = weight [rows *
 * columns] x + bias[0]. */
void plane_pool(const Plane *plane, int channels, const real *weight, const real *bias,
                const real *x, real *code);

/* Draws its weight and bias at these offsets of theta: uniform in +-1/sqrt(pixels). */
void plane_pool_init(const Plane *plane, uint64_t seed, size_t weight, size_t bias, real *theta);

/* Its adjoint: x_bar, with its border; weight_bar and bias_bar are added to. */
void plane_unpool(const Plane *plane, int channels, const real *weight, const real *x,
                  const real *code_bar, real *x_bar, real *weight_bar, real *bias_bar);

#endif
