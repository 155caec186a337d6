/* What hyper.c and hyper_use.c owe each other. */
#ifndef HYPER_HYPER_PARTS_H
#define HYPER_HYPER_PARTS_H

#include "hyper/hyper.h"
#include "hyper/render.h"

struct Hyper {
  HyperSpec spec;
  void *encoder, *generator;
  Parameters parameters;
  Outer outer;
  int dense_tensors;
  int tile;      /* images of a tile, about */
  int pixels;    /* of an image */
  size_t stride; /* between the thetas of two images */
};

struct HyperUse {
  const Hyper *hyper;
  Render *render;
  real *encoder, *generator; /* scratch */
  /* For the search of codes, where there is one. */
  real *thetas, *thetas_bar;      /* [images][stride] */
  real *code_bar, *mean, *square; /* [images][code]: of Adam */
  real *places, *values;          /* of an image's known pixels: [pixels][2], [pixels][channels] */
};

/* Local. As hyper_use_create, for training (`reverse`) or not, and without what a search needs. */
Status hyper_use_make(const Hyper *hyper, int images, bool reverse, HyperUse **use);
size_t hyper_use_size(const Hyper *hyper, int images, bool reverse);

/* Local. The sum of squares of values; adds factor times the values to bar (NULL: not wanted). */
double hyper_square(size_t n, const real *values, double factor, real *bar);

#endif
