/* Generators: from codes to the parameters of networks, of which each renders one image (Sitzmann
 * et al. 2020, section 4.4; paper.md 8.2). A new one is a row of the table in generator.c, and a
 * file.
 */
#ifndef HYPER_GENERATOR_H
#define HYPER_GENERATOR_H

#include "core/outer.h"
#include "hyper/parameters.h"

typedef struct {
  const Network *hypo; /* whose theta is made; borrowed */
  int code;            /* numbers of a code */
  int width, layers;   /* of hidden layers, >= 1 each */
} GeneratorSpec;

/* A generator's functions; all Local, thread-safe with one scratch memory per thread. Thetas of
 * several networks stand below each other, `stride` reals apart: [images][stride]. */
typedef struct {
  const char *name, *description;

  /* Adds its tensors to `parameters`, but for those whose gradient is a sum of outer products;
   * *self is released by destroy. */
  Status (*create)(const GeneratorSpec *spec, Parameters *parameters, void **self);
  void (*destroy)(void *self);

  /* Adds the others, the last ones of all, and fills outer but for the items; an item's u is the
   * derivative by its network's theta, [stride]. Borrows parameters. NULL: there are none. */
  void (*outer)(void *self, size_t stride, Parameters *parameters, Outer *outer);

  void (*init)(const void *self, uint64_t seed, real *theta);

  /* Reals of scratch memory (REAL_ALIGNed) for so many images. */
  size_t (*scratch)(const void *self, int images);

  /* thetas [images][stride] from code [images][code]. Scratch then holds what backward needs. */
  void (*forward)(const void *self, const real *theta, int images, const real *code, size_t stride,
                  real *thetas, real *scratch);

  /* After forward with the same scratch: from the derivatives by thetas, stores those by the codes
   * in code_bar and adds those by theta to gradient (NULL: only those by the codes are wanted), but
   * for outer tensors, whose v it stores, [images][outer's v_size] (NULL where there are none). */
  void (*backward)(const void *self, const real *theta, int images, const real *code, size_t stride,
                   const real *thetas_bar, real *scratch, real *code_bar, real *gradient, real *v);

  /* Floating-point operations of forward and backward for one image. */
  double (*flops)(const void *self);
} GeneratorKind;

/* Local. The table; *count gets its length. */
const GeneratorKind *const *generator_table(int *count);

/* Local. A row by name, or NULL. */
const GeneratorKind *generator_find(const char *name);

extern const GeneratorKind generator_hypernetwork, generator_cnp;

#endif
