/* The floating-point type of networks, jets and optimisers. The sources compile twice: with float
 * (the product) and, with SIREN_DOUBLE defined, with double (gradient checks, `precision=double`).
 */
#ifndef CORE_REAL_H
#define CORE_REAL_H

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

/* Every array of reals is allocated on this boundary, so that vector code sees the same alignment,
 * and therefore gives the same bits, wherever it runs. */
enum { REAL_ALIGN = 64 };

#endif
