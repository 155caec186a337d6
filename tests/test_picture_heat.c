/* Heat maps: cells have the colours of their values, in the right order, and nothing is drawn past
 * the margin, whatever the sizes and texts. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/colour_map.h"
#include "io/image.h"
#include "io/picture_heat.h"

/* fontconfig keeps its caches to the end. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) {
  return "leak:libfontconfig";
}

static char path[60];

static Image draw(const HeatMap *map) {
  Image image;
  if (picture_heat(path, map) != STATUS_OK || image_read(path, &image) != STATUS_OK) {
    fail_msg("%s", status_message());
  }
  assert_int_equal(image_to_rgb(&image), STATUS_OK);
  for (int y = 0; y < image.height; y++) {
    for (int x = 0; x < image.width; x++) {
      bool inside = x >= 6 && y >= 6 && x < image.width - 6 && y < image.height - 6;
      const float *p = image.pixels + 3 * (y * image.width + x);
      if (!inside) assert_true(p[0] == 1 && p[1] == 1 && p[2] == 1);
    }
  }
  return image;
}

/* Mean place of the pixels of the colour at `value`, and how many there are. */
typedef struct {
  double x, y;
  int n;
} Spot;

static Spot find(const Image *image, float value, int until) {
  float rgb[3];
  Spot spot = {0, 0, 0};
  colour_map(COLOUR_VIRIDIS, value, rgb);
  for (int i = 0; i < image->width * image->height; i++) {
    if (i % image->width >= until) continue;
    const float *p = image->pixels + 3 * i;
    bool same = true;
    for (int c = 0; c < 3; c++) same = same && lrintf(255 * p[c]) == lrintf(255 * rgb[c]);
    if (!same) continue;
    spot.x += i % image->width;
    spot.y += i / image->width;
    spot.n++;
  }
  spot.x /= spot.n;
  spot.y /= spot.n;
  return spot;
}

enum { CELLS = 3 * 190 + 200 /* the cells end before, the bar begins behind */ };

static void cells_have_their_colours(void **state) {
  (void)state;
  const char *columns[3] = {"5", "30", "80"}, *rows[2] = {"low", "high"};
  const double values[6] = {1, 10, 100, 1000, NAN, 10000};
  HeatMap map = {.title = "Title",
                 .x_label = "x",
                 .y_label = "y",
                 .bar_label = "units",
                 .columns = 3,
                 .rows = 2,
                 .column_labels = columns,
                 .row_labels = rows,
                 .values = values,
                 .log = true};
  Image image = draw(&map);
  Spot corner = find(&image, 0, CELLS), last = find(&image, 1, CELLS);
  Spot right = find(&image, 0.5f, CELLS), above = find(&image, 0.75f, CELLS);
  Spot empty = find(&image, NAN, CELLS);
  const Spot *all[] = {&corner, &last, &right, &above, &empty};
  for (int i = 0; i < 5; i++) assert_in_range(all[i]->n, 190 * 120 * 9 / 10, 190 * 120 + 200);
  assert_float_equal(right.x - corner.x, 2 * 190, 1);
  assert_float_equal(right.y, corner.y, 1);
  assert_float_equal(corner.y - above.y, 120, 1); /* the first row is at the bottom */
  assert_float_equal(above.x, corner.x, 1);
  assert_float_equal(last.x, right.x, 1);
  assert_float_equal(empty.x - corner.x, 190, 1);
  image_destroy(&image);
  map.low = 1;
  map.high = 1e8; /* a range that other maps share */
  image = draw(&map);
  assert_in_range(find(&image, 0.5f, CELLS).n, 190 * 120 * 9 / 10, 190 * 120 + 200);
  assert_int_equal(find(&image, 1, CELLS).n, 0);
  image_destroy(&image);
}

static void texts_are_in_the_cells(void **state) {
  (void)state;
  const char *labels[1] = {"a"}, *texts[1] = {"12.34"}, *wide[1] = {"a very long text in a cell"};
  const double value = 5;
  HeatMap map = {.columns = 1, .rows = 1, .column_labels = labels, .row_labels = labels};
  map.values = &value;
  Image image = draw(&map);
  int plain = find(&image, 0.5f, CELLS).n;
  image_destroy(&image);
  map.texts = texts;
  image = draw(&map);
  int written = find(&image, 0.5f, CELLS).n;
  assert_true(written < plain - 100);
  image_destroy(&image);
  map.texts = wide;
  image = draw(&map);
  assert_int_equal(find(&image, 0.5f, CELLS).n, plain); /* no room: no text */
  image_destroy(&image);
}

static void ranges(void **state) {
  (void)state;
  const double values[4] = {-1, NAN, 5, INFINITY};
  HeatMap map = {.columns = 4, .rows = 1, .values = values};
  double low = INFINITY, high = -INFINITY;
  picture_heat_range(&map, &low, &high);
  assert_true(low == -1 && high == 5);
  map.log = true;
  low = INFINITY, high = -INFINITY;
  picture_heat_range(&map, &low, &high);
  assert_true(low == 5 && high == 5);
}

/* All sizes, without numbers, with one only, with texts that fit nowhere. */
static void odd_maps(void **state) {
  (void)state;
  static const char long_text[] =
      "a text far too long for any place in a picture, with \xff\xc0\xaf broken and ünïcødé parts, "
      "and so on, and so on, and so on, and so on, and so on, and so on, and so on, and so on";
  static const int sizes[][2] = {{1, 1}, {1, 40}, {40, 1}, {3, 300}, {1200, 2}};
  enum { MOST = 2400 };
  static double values[MOST];
  static const char *labels[MOST];
  for (int kind = 0; kind < 4; kind++) {
    for (int i = 0; i < MOST; i++) {
      labels[i] = kind ? long_text : "1";
      values[i] = kind == 0 ? (double)NAN : kind == 1 ? 3 : kind == 2 ? i * 1e290 : -i;
    }
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
      Image image = draw(&(HeatMap){.title = labels[0],
                                    .x_label = labels[0],
                                    .y_label = labels[0],
                                    .bar_label = labels[0],
                                    .columns = sizes[s][0],
                                    .rows = sizes[s][1],
                                    .column_labels = labels,
                                    .row_labels = labels,
                                    .values = values,
                                    .texts = labels,
                                    .log = kind == 2});
      image_destroy(&image);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(cells_have_their_colours),
      cmocka_unit_test(texts_are_in_the_cells),
      cmocka_unit_test(ranges),
      cmocka_unit_test(odd_maps),
  };
  strcpy(path, "/tmp/test_heat_XXXXXX");
  if (!mkdtemp(path)) return 1;
  strcat(path, "/p.png");
  int failures = cmocka_run_group_tests(tests, NULL, NULL);
  unlink(path);
  *strrchr(path, '/') = 0;
  return rmdir(path) || failures;
}
