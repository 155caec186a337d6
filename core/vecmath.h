/* Elementary functions that vectorise inside `#pragma omp simd` loops. float: range reduction and
 * minimax polynomials (Cephes coefficients), largest error about 2 ulp, no table, no branch, no
 * libm, so a value does not depend on its place in an array. double: libm. */
#ifndef CORE_VECMATH_H
#define CORE_VECMATH_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "core/real.h"

#ifdef SIREN_DOUBLE

static inline void vec_sincos(double u, double *sine, double *cosine) {
  *sine = sin(u);
  *cosine = cos(u);
}
static inline double vec_exp(double x) {
  return exp(x);
}
static inline double vec_expm1(double x) {
  return expm1(x);
}
static inline double vec_log1p_unit(double y) {
  return log1p(y);
}

#else

static inline uint32_t vec_bits(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}
static inline float vec_float(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

/* Adding it leaves the nearest integer in the low mantissa bits, for |x| < 2^22. */
#define VEC_ROUND 12582912.0f /* 1.5 * 2^23 */

/* sin u and cos u for |u| up to about 1e5: three-term reduction by pi/2. */
static inline void vec_sincos(float u, float *sine, float *cosine) {
  float shifted = fused(u, 0.636619772367581343f, VEC_ROUND);
  uint32_t quadrant = vec_bits(shifted);
  float k = shifted - VEC_ROUND;
  float r = fused(k, -1.57079637050628662109375f, u);
  r = fused(k, 4.37113900018624283e-8f, r);
  r = fused(k, 1.71512489e-15f, r);
  float z = r * r;
  float s = fused(fused(-1.9515295891e-4f, z, 8.3321608736e-3f), z, -1.6666654611e-1f);
  s = fused(s * z, r, r);
  float c = fused(2.443315711809948e-5f, z, -1.388731625493765e-3f);
  c = fused(fused(fused(c, z, 4.166664568298827e-2f), z, -0.5f), z, 1.0f);
  uint32_t swap = 0u - (quadrant & 1u);
  uint32_t bits_s = vec_bits(s), bits_c = vec_bits(c);
  uint32_t from_s = (bits_s & ~swap) | (bits_c & swap);
  uint32_t from_c = (bits_c & ~swap) | (bits_s & swap);
  *sine = vec_float(from_s ^ ((quadrant & 2u) << 30));
  *cosine = vec_float(from_c ^ (((quadrant + 1u) & 2u) << 30));
}

/* x = k ln 2 + r; returns exp(r) - 1 and 2^k. x is limited to where 2^k is a normal number. NaN
 * stays NaN. */
static inline float vec_exp_parts(float x, float *scale) {
  float limited = x < -87.0f ? -87.0f : x > 88.0f ? 88.0f : x;
  float shifted = fused(limited, 1.44269504088896341f, VEC_ROUND);
  float k = shifted - VEC_ROUND;
  *scale = vec_float((vec_bits(shifted) + 127u) << 23);
  float r = fused(k, -0.693359375f, limited);
  r = fused(k, 2.12194440e-4f, r);
  float p = fused(1.9875691500e-4f, r, 1.3981999507e-3f);
  p = fused(fused(p, r, 8.3334519073e-3f), r, 4.1665795894e-2f);
  p = fused(fused(p, r, 1.6666665459e-1f), r, 5.0000001201e-1f);
  return fused(p * r, r, r);
}
static inline float vec_exp(float x) {
  float scale;
  float part = vec_exp_parts(x, &scale);
  return fused(scale, part, scale);
}
static inline float vec_expm1(float x) {
  float scale;
  float part = vec_exp_parts(x, &scale);
  return fused(scale, part, scale - 1.0f);
}

/* log(1 + y) for y in [0, 1], as 2 atanh(y / (2 + y)). */
static inline float vec_log1p_unit(float y) {
  float z = y / (2.0f + y);
  float q = z * z;
  float p = fused(1.0f / 15.0f, q, 1.0f / 13.0f);
  p = fused(fused(p, q, 1.0f / 11.0f), q, 1.0f / 9.0f);
  p = fused(fused(p, q, 1.0f / 7.0f), q, 1.0f / 5.0f);
  p = fused(p, q, 1.0f / 3.0f) * q;
  return fused(2.0f * z, p, 2.0f * z);
}

#endif
#endif
