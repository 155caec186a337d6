/* The disc that explains a field best. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
/* After the headers it needs. */
#include <cmocka.h>

#include "core/random.h"
#include "experiments/disc_fit.h"

enum { SIDE = 97, N = SIDE * SIDE };
#define HALF 0.5

typedef double (*Shape)(const Disc *disc, double r);

static double sharp(const Disc *disc, double r) {
  return r <= disc->radius ? disc->contrast : 0;
}

/* A rim 0.04 wide, as a network would have it. */
static double blurred(const Disc *disc, double r) {
  return disc->contrast / (1 + exp((r - disc->radius) / 0.01));
}

/* The disc in noise of this size. */
static Disc fit(const Disc *disc, Shape shape, double noise) {
  static double field[N];
  RandomStream stream = {1, RANDOM_CHECK, 0};
  for (int i = 0; i < N; i++) {
    double x = HALF * (2. * (i / SIDE) / (SIDE - 1) - 1);
    double y = HALF * (2. * (i % SIDE) / (SIDE - 1) - 1);
    field[i] = shape(disc, hypot(x - disc->x[0], y - disc->x[1]));
    field[i] += noise * random_normal(stream, (uint64_t)i, 0);
  }
  return disc_fit(field, SIDE, HALF);
}

static void check(Disc disc, Shape shape, double noise, double tolerance) {
  Disc found = fit(&disc, shape, noise);
  double spacing = 2 * HALF / (SIDE - 1),
         centre = hypot(found.x[0] - disc.x[0], found.x[1] - disc.x[1]);
  bool good = centre < 0.6 * spacing && fabs(found.radius - disc.radius) < spacing &&
              fabs(found.contrast / disc.contrast - 1) < tolerance;
  if (!good) {
    fail_msg("(%g, %g), %g, %g for (%g, %g), %g, %g", found.x[0], found.x[1], found.radius,
             found.contrast, disc.x[0], disc.x[1], disc.radius, disc.contrast);
  }
}

/* The paper's (c = 2: contrast 3/4), others at and between nodes, slower ones, one cut by the
 * border, one that fills the square. */
static const Disc discs[] = {{{0, 0}, 0.1, 0.75},        {{0.013, -0.2071}, 0.1, 0.75},
                             {{-0.31, 0.17}, 0.05, 0.2}, {{0.1, 0.1}, 0.3, -3},
                             {{0.45, -0.2}, 0.12, 0.5},  {{0, 0}, 0.5, 0.1},
                             {{-0.4, -0.4}, 0.03, 0.75}};
enum { N_DISCS = sizeof discs / sizeof *discs };

static void test_sharp(void **state) {
  (void)state;
  for (int i = 0; i < N_DISCS; i++) check(discs[i], sharp, 0, 0.02);
}

/* The mean inside is below the middle's. */
static void test_blurred_in_noise(void **state) {
  (void)state;
  for (int i = 0; i < 5; i++) {
    if (discs[i].radius >= 0.1) check(discs[i], blurred, 0.05 * fabs(discs[i].contrast), 0.15);
  }
}

/* Exactly the mean inside. */
static void test_contrast(void **state) {
  (void)state;
  Disc disc = {{0, 0}, 0.1, 0.75}, found = fit(&disc, sharp, 0);
  assert_float_equal(found.contrast, 0.75, 1e-12);
}

/* Two discs: the one that explains more. */
static void test_stronger(void **state) {
  (void)state;
  static double field[N];
  for (int i = 0; i < N; i++) {
    double x = HALF * (2. * (i / SIDE) / (SIDE - 1) - 1);
    double y = HALF * (2. * (i % SIDE) / (SIDE - 1) - 1);
    field[i] = (hypot(x + 0.25, y) < 0.1 ? 0.3 : 0) - (hypot(x - 0.25, y) < 0.1 ? 0.5 : 0);
  }
  Disc found = disc_fit(field, SIDE, HALF);
  assert_float_equal(found.x[0], 0.25, 0.01);
  assert_float_equal(found.contrast, -0.5, 0.03);
}

/* Nothing to find, or no room to find it in: an end, and no number that is not finite. */
static void test_empty(void **state) {
  (void)state;
  static double nothing[N];
  Disc found = disc_fit(nothing, SIDE, HALF);
  assert_true(found.contrast == 0 && isfinite(found.radius) && found.radius > 0);
  for (int side = 2; side <= 5; side++) {
    double ones[25];
    for (int i = 0; i < 25; i++) ones[i] = 1;
    found = disc_fit(ones, side, HALF);
    assert_true(isfinite(found.contrast) && isfinite(found.radius) && isfinite(found.x[0]));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_sharp),    cmocka_unit_test(test_blurred_in_noise),
      cmocka_unit_test(test_contrast), cmocka_unit_test(test_stronger),
      cmocka_unit_test(test_empty),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
