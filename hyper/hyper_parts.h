/* What hyper.c and hyper_use.c owe each other. */
#ifndef HYPER_HYPER_PARTS_H
#define HYPER_HYPER_PARTS_H

#include "core/jet.h"
#include "hyper/hyper.h"

struct Hyper {
  HyperSpec spec;
  void *encoder, *generator;
  Parameters parameters;
  Outer outer;
  int dense_tensors;
  int tile;      /* images of a tile, about */
  int rows;      /* pixels of a block */
  int pixels;    /* of an image */
  size_t stride; /* between the thetas of two images */
};

struct HyperUse {
  const Hyper *hyper;
  Jet *jet;
  real *encoder, *generator; /* scratch */
  real *x, *bar;             /* [rows][2], [rows][channels] of a block of pixels */
  /* For the search of codes, where there is one. */
  real *thetas, *thetas_bar;      /* [images][stride] */
  real *code_bar, *mean, *square; /* [images][code]: of Adam */
  real *places, *values;          /* of an image's known pixels: [pixels][2], [pixels][channels] */
};

/* Of the networks that are made: values alone. */
extern const JetSpec hyper_jet;

/* Local. As hyper_use_create, for training (`reverse`) or not, and without what a search needs. */
Status hyper_use_make(const Hyper *hyper, int images, bool reverse, HyperUse **use);
size_t hyper_use_size(const Hyper *hyper, int images, bool reverse);

/* Pixels of an image: places [n][2], values [n][channels]. */
typedef struct {
  int64_t n;
  const real *x, *values;
} HyperPixels;

/* Local. The sum of squares of the differences between one network and these; theta_bar (NULL: not
 * wanted) gets factor times half its derivative. */
double hyper_compare(HyperUse *use, const real *theta, const HyperPixels *pixels, double factor,
                     real *theta_bar);

/* Local. The sum of squares of values; adds factor times the values to bar (NULL: not wanted). */
double hyper_square(size_t n, const real *values, double factor, real *bar);

#endif
