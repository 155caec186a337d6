/* Encoders: from the known pixels of an image to a code z that a hypernetwork turns into the
 * weights of a SIREN (Sitzmann et al. 2020, section 4.4 and suppl. 9; paper.md 8.2). A new encoder
 * is one row of the table in encoder.c, and a file where it is large. All work on several images at
 * once, so that layers are matrix products; an image's code depends on no other image, unless said.
 */
#ifndef HYPER_ENCODER_H
#define HYPER_ENCODER_H

#include <stdbool.h>
#include <stdint.h>

#include "hyper/parameters.h"

/* Images and what is known of them. */
typedef struct {
  int images, rows, columns, channels;
  const real *pixels;   /* [images][rows * columns][channels] in [-1, 1], the unknown ones too */
  const uint8_t *known; /* [images][rows * columns] 1: belongs to the context, 0: does not */
  const int64_t *item;  /* [images] number among those of the training; NULL: they are others */
} Context;

/* What an encoder is made for; codes have `code` numbers (paper: 256). */
typedef struct {
  int rows, columns, channels; /* of the images */
  int width;                   /* of set encoders' layers, channels of convolutional ones */
  int layers;                  /* hidden layers of set encoders, residual blocks of others */
  int code;
  int64_t items; /* images of the training */
} EncoderSpec;

/* An encoder's functions; all Local, thread-safe with one scratch memory per thread. */
typedef struct {
  const char *name, *description;

  /* Adds its tensors to `parameters`; *self is released by destroy. STATUS_USAGE for a spec that it
   * cannot serve: the message names what is wrong. */
  Status (*create)(const EncoderSpec *spec, Parameters *parameters, void **self);
  void (*destroy)(void *self);

  /* Draws its part of theta, a pure function of the seed. */
  void (*init)(const void *self, uint64_t seed, real *theta);

  /* Reals of scratch memory (REAL_ALIGNed) for so many images. */
  size_t (*scratch)(const void *self, int images);

  /* code [images][code]. Scratch then holds what backward needs. */
  void (*forward)(const void *self, const real *theta, const Context *context, real *code,
                  real *scratch);

  /* After forward with the same context and scratch: adds to gradient (as long as theta; only the
   * encoder's tensors) the derivative by theta of sum code_bar . code, code_bar [images][code].
   * Sums over images in ascending order. */
  void (*backward)(const void *self, const real *theta, const Context *context,
                   const real *code_bar, real *scratch, real *gradient);

  /* Floating-point operations of forward and backward for one image with so many known pixels. */
  double (*flops)(const void *self, int known);

  /* Codes depend on the images handed in together (batch norm): the same ones, in tiles of the same
   * size, give the same codes. */
  bool together;

  int layers; /* the paper's */

  /* Codes are parameters, of the training's images only; there is nothing to encode others. */
  bool table;
} EncoderKind;

/* Local. The table; *count gets its length. */
const EncoderKind *const *encoder_table(int *count);

/* Local. A row by name, or NULL. */
const EncoderKind *encoder_find(const char *name);

extern const EncoderKind encoder_table_of_codes, encoder_set_sine, encoder_set_relu, encoder_conv,
    encoder_partial_conv, encoder_partial_conv_official;

#endif
