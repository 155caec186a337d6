/* Integration of gradient fields: functions whose gradients are known, fields that are none, and
 * small images. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
/* After the headers it needs. */
#include <cmocka.h>

#include "experiments/potential.h"

enum { HEIGHT = 37, WIDTH = 52, PIXELS = HEIGHT * WIDTH };

/* Pixel i of n as a share of the side, pixels being cells; and what a network coordinate is to it:
 * 2 / (n - 1) against 1 / n. */
static double share(int i, int n) {
  return (i + 0.5) / n;
}

static double per_coordinate(int n) {
  return (n - 1) / (2.0 * n);
}

/* Two functions, one a channel, of mean 0 over the pixels, with zero slope across the border. */
static double function(int channel, double r, double c) {
  if (channel == 0) return cos(2 * M_PI * r) + 0.5 * cos(M_PI * r) * cos(3 * M_PI * c);
  return cos(20 * M_PI * c) * cos(7 * M_PI * r);
}

static double slope(int channel, int axis, double r, double c) {
  const double h = 1e-5;
  return axis ? (function(channel, r, c + h) - function(channel, r, c - h)) / (2 * h)
              : (function(channel, r + h, c) - function(channel, r - h, c)) / (2 * h);
}

static void fill_gradient(float *gradient) {
  for (int i = 0; i < PIXELS; i++) {
    double r = share(i / WIDTH, HEIGHT), c = share(i % WIDTH, WIDTH);
    for (int k = 0; k < 2; k++) {
      gradient[4 * i + k] = (float)(slope(k, 0, r, c) * per_coordinate(HEIGHT));
      gradient[4 * i + 2 + k] = (float)(slope(k, 1, r, c) * per_coordinate(WIDTH));
    }
  }
}

static void assert_function(const float *potential) {
  for (int i = 0; i < 2 * PIXELS; i++) {
    double r = share(i / 2 / WIDTH, HEIGHT), c = share(i / 2 % WIDTH, WIDTH);
    assert_float_equal(potential[i], function(i % 2, r, c), 1e-4);
  }
}

static void test_gradient_is_integrated(void **state) {
  (void)state;
  static float gradient[4 * PIXELS], potential[2 * PIXELS];
  double residual;
  fill_gradient(gradient);
  assert_int_equal(potential_solve(gradient, HEIGHT, WIDTH, 2, potential, &residual), STATUS_OK);
  assert_function(potential);
  assert_float_equal(residual, 0, 1e-3);
}

/* The rotated gradient of a function that is 0 at the border is orthogonal to all gradients: it
 * changes the residual, by its own square, and not the function. */
static void test_rotation_is_left_over(void **state) {
  (void)state;
  static float gradient[4 * PIXELS], potential[2 * PIXELS];
  double residual, squares = 0;
  fill_gradient(gradient);
  for (int i = 0; i < PIXELS; i++) {
    double r = M_PI * share(i / WIDTH, HEIGHT), c = M_PI * share(i % WIDTH, WIDTH);
    /* psi = sin(2 r) sin(3 c): (d psi / d column, -d psi / d row) */
    double along = 3 * M_PI * sin(2 * r) * cos(3 * c) * per_coordinate(WIDTH);
    double across = -2 * M_PI * cos(2 * r) * sin(3 * c) * per_coordinate(HEIGHT);
    gradient[4 * i + 1] += (float)along;
    gradient[4 * i + 3] += (float)across;
    squares += along * along + across * across;
  }
  assert_int_equal(potential_solve(gradient, HEIGHT, WIDTH, 2, potential, &residual), STATUS_OK);
  assert_function(potential);
  assert_float_equal(residual, squares / (2 * PIXELS), 1e-3);
}

/* A slope that does not end at the border, as those of the cosines do. */
static void test_slopes_at_the_border(void **state) {
  (void)state;
  static float gradient[2 * PIXELS], potential[PIXELS];
  double residual, mean = 0;
  for (int i = 0; i < PIXELS; i++) gradient[2 * i] = 1;
  assert_int_equal(potential_solve(gradient, HEIGHT, WIDTH, 1, potential, &residual), STATUS_OK);
  for (int i = 0; i < PIXELS; i++) {
    double row = 2.0 * (i / WIDTH) / (HEIGHT - 1) - 1;
    assert_float_equal(potential[i], row, 0.03);
    mean += potential[i];
  }
  assert_float_equal(mean / PIXELS, 0, 1e-5);
  assert_true(residual > 0 && residual < 0.1);
}

/* A side of one pixel has no slope; other sides are integrated as ever. */
static void test_small_images(void **state) {
  (void)state;
  const float gradient[8] = {3, 1, 3, 1, 3, 1, 3, 1};
  float potential[4];
  double residual;
  assert_int_equal(potential_solve(gradient, 1, 1, 1, potential, &residual), STATUS_OK);
  assert_float_equal(potential[0], 0, 0);
  assert_float_equal(residual, 10, 1e-5);
  assert_int_equal(potential_solve(gradient, 1, 4, 1, potential, &residual), STATUS_OK);
  assert_float_equal(residual, 9, 1e-4); /* the slope along the side of one pixel */
  for (int i = 1; i < 4; i++) assert_true(potential[i] - potential[i - 1] > 0.4);
  assert_int_equal(potential_solve(gradient, 2, 2, 1, potential, &residual), STATUS_OK);
  assert_true(potential[2] > potential[0] && potential[1] > potential[0]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_gradient_is_integrated),
      cmocka_unit_test(test_rotation_is_left_over),
      cmocka_unit_test(test_slopes_at_the_border),
      cmocka_unit_test(test_small_images),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
