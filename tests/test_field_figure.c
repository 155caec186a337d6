/* Figures of fields over a plane: what is where, colours and their ranges, missing panels. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* After the headers it needs. */
#include <cmocka.h>

#include "experiments/field_figure.h"
#include "io/colour_map.h"
#include "io/image.h"

/* fontconfig keeps its caches to the end. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) {
  return "leak:libfontconfig";
}

enum { HEIGHT = 300, WIDTH = 260, N = HEIGHT * WIDTH };

static Image draw(int n_columns, const FieldColumn *columns) {
  static char path[] = "/tmp/siren-figure-XXXXXX";
  char file[sizeof path + 8];
  Image image = {0};
  strcpy(path + sizeof path - 7, "XXXXXX");
  assert_non_null(mkdtemp(path));
  snprintf(file, sizeof file, "%s/a.png", path);
  FieldFigure figure = {.title = "a test",
                        .height = HEIGHT,
                        .width = WIDTH,
                        .n_columns = n_columns,
                        .columns = columns};
  assert_int_equal(field_figure(file, &figure), STATUS_OK);
  assert_int_equal(image_read(file, &image), STATUS_OK);
  unlink(file);
  rmdir(path);
  return image;
}

/* Pixels of one of the map's colours, give or take a level. */
static int count(const Image *image, ColourMap map, double value) {
  float wanted[3];
  int n = 0;
  colour_map(map, (float)value, wanted);
  for (int i = 0; i < image->height * image->width; i++) {
    double worst = 0;
    for (int k = 0; k < 3; k++) {
      worst = fmax(worst, fabs((double)(image->pixels[3 * i + k] - wanted[k])));
    }
    n += worst < 1.5 / 255;
  }
  return n;
}

static void fill(float *field, float value) {
  for (int i = 0; i < N; i++) field[i] = value;
}

/* Constant fields: each panel is one colour, and those of the difference are the signed map's. */
static void test_colours(void **state) {
  (void)state;
  static float low[N], high[N], middle[N];
  fill(low, 1);
  fill(high, 5);
  fill(middle, 4);
  FieldColumn columns[] = {
      {.label = "a",
       .caption = "b",
       .truth = low,
       .fit = high,
       .sequential = true,
       .low = 1,
       .high = 5},
      {.label = "c", .truth = middle, .fit = high, .low = 1, .high = 5},
  };
  Image image = draw(2, columns);
  assert_int_equal(image.channels, 3);
  assert_true(image.height > 3 * HEIGHT && image.width > 2 * WIDTH);
  assert_true(image.height < 4 * HEIGHT && image.width < 3 * WIDTH);
  /* 1 and 5 from 1 to 5, and 5 - 1 from -2 to 2. */
  assert_in_range(count(&image, COLOUR_VIRIDIS, 0), N, N + N / 20);
  assert_in_range(count(&image, COLOUR_VIRIDIS, 1), N, N + N / 20);
  /* The signed column has 4 and 5 from 1 to 5, and 5 - 4 from -2 to 2. */
  assert_in_range(count(&image, COLOUR_RED_BLUE, 1), 2 * N, 2 * N + N / 20);
  assert_in_range(count(&image, COLOUR_RED_BLUE, 0.75), 2 * N, 2 * N + N / 20);
  image_destroy(&image);
}

/* What is missing stays white, with its difference. */
static void test_missing(void **state) {
  (void)state;
  static float field[N];
  fill(field, 1);
  for (int i = 0; i < 2; i++) {
    FieldColumn column = {.label = "a", .low = -1, .high = 1};
    if (i == 0) column.truth = field;
    if (i == 1) column.fit = field;
    Image image = draw(1, &column);
    assert_in_range(count(&image, COLOUR_RED_BLUE, 1), N, N + N / 20);
    assert_true(image.height > HEIGHT && image.width > WIDTH);
    image_destroy(&image);
  }
  FieldColumn none = {.label = "", .low = -1, .high = 1};
  Image image = draw(1, &none);
  assert_int_equal(count(&image, COLOUR_RED_BLUE, 1), 0);
  image_destroy(&image);
}

/* What is not finite is drawn, too, and a range of no width is no fault. */
static void test_odd_numbers(void **state) {
  (void)state;
  static float field[N], other[N];
  for (int i = 0; i < N; i++) field[i] = i % 3 ? NAN : INFINITY;
  FieldColumn columns[FIELD_FIGURE_MAX_COLUMNS];
  for (int i = 0; i < FIELD_FIGURE_MAX_COLUMNS; i++) {
    columns[i] =
        (FieldColumn){.label = "a",
                      .caption = "a caption that is far too long for a panel of this width",
                      .truth = field,
                      .fit = other,
                      .sequential = i % 2 == 0};
  }
  Image image = draw(FIELD_FIGURE_MAX_COLUMNS, columns);
  assert_true(image.width > FIELD_FIGURE_MAX_COLUMNS * WIDTH);
  image_destroy(&image);
}

static void test_no_place(void **state) {
  (void)state;
  static float field[N];
  FieldColumn column = {.label = "a", .truth = field, .low = -1, .high = 1};
  FieldFigure figure = {.height = HEIGHT, .width = WIDTH, .n_columns = 1, .columns = &column};
  assert_int_equal(field_figure("/proc/none/a.png", &figure), STATUS_FAILED);
  assert_non_null(strstr(status_message(), "/proc/none/a.png"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_colours),
      cmocka_unit_test(test_missing),
      cmocka_unit_test(test_odd_numbers),
      cmocka_unit_test(test_no_place),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
