/* The floating-point type of networks, jets and optimisers. The sources compile twice: with float
 * (the product) and, with SIREN_DOUBLE defined, with double (gradient checks, `precision=double`).
 */
#ifndef CORE_REAL_H
#define CORE_REAL_H

#include <stddef.h>

#ifdef SIREN_DOUBLE
typedef double real;
#define REAL(x) x
#define REAL_NAME "float64"
#define REAL_IS_DOUBLE 1
#else
typedef float real;
#define REAL(x) x##f
#define REAL_NAME "float32"
#define REAL_IS_DOUBLE 0
#endif

/* a * b + c with one rounding. Contraction by the compiler is off (CMakeLists.txt), so that the
 * places where it happens, and with them the bits, do not depend on compiler and CPU. */
static inline real fused(real a, real b, real c) {
#ifdef SIREN_DOUBLE
  return __builtin_fma(a, b, c);
#else
  return __builtin_fmaf(a, b, c);
#endif
}

/* Every array of reals is allocated on this boundary, so that vector code sees the same alignment,
 * and therefore gives the same bits, wherever it runs. */
enum { REAL_ALIGN = 64 };

/* A count of reals rounded up, so that the array after it starts on the boundary, too. */
static inline size_t real_aligned(size_t count) {
  const size_t unit = REAL_ALIGN / sizeof(real);
  return (count + unit - 1) / unit * unit;
}

#endif
