/* Pictures: colour maps by values known from HSV and ColorBrewer, ticks of axes, and what must be
 * true of every drawn grid and plot: an untouched margin, panels pixel by pixel, curves seen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/picture.h"
#include "io/plot_axis.h"

/* fontconfig keeps its caches to the end. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) {
  return "leak:libfontconfig";
}

static char path[60];

static int make_path(void **state) {
  (void)state;
  strcpy(path, "/tmp/test_picture_XXXXXX");
  if (!mkdtemp(path)) return -1;
  strcat(path, "/p.png");
  return 0;
}

static int remove_path(void **state) {
  (void)state;
  unlink(path);
  *strrchr(path, '/') = 0;
  return rmdir(path);
}

static void assert_rgb(const Image *image, int i, double r, double g, double b) {
  assert_float_equal(image->pixels[3 * i], r, 1e-5);
  assert_float_equal(image->pixels[3 * i + 1], g, 1e-5);
  assert_float_equal(image->pixels[3 * i + 2], b, 1e-5);
}

static void values(void **state) {
  (void)state;
  const float value[6] = {-1, 0, 1, 5, NAN, -INFINITY}, shown[6] = {0, 0.5f, 1, 1, 0.5f, 0};
  Image image;
  for (int channels = 1; channels <= 3; channels += 2) {
    assert_int_equal(picture_value(value, 2, 3 / channels, channels, &image), STATUS_OK);
    assert_int_equal(image.channels, channels);
    for (int i = 0; i < 6; i++) assert_float_equal(image.pixels[i], shown[i], 0);
    image_destroy(&image);
  }
}

/* 101 gradients of length 0 to 100: the percentiles are 5 and 95. */
static void gradients(void **state) {
  (void)state;
  static const float way[4][2] = {{1, 0}, {-1, 0}, {0, 1}, {0, -1}};
  static const float full[4][3] = {{0, 1, 1}, {1, 0, 0}, {0.5f, 0, 1}, {0.5f, 1, 0}};
  float gradient[2 * 102];
  for (int i = 0; i <= 100; i++) {
    gradient[2 * i] = (float)i * way[i % 4][0];
    gradient[2 * i + 1] = (float)i * way[i % 4][1];
  }
  gradient[202] = NAN;
  gradient[203] = 1;
  Image image;
  assert_int_equal(picture_gradient(gradient, 6, 17, &image), STATUS_OK);
  for (int i = 0; i <= 100; i++) {
    double v = fmin(fmax((i - 5) / 90., 0), 1);
    const float *hue = full[i % 4];
    assert_rgb(&image, i, v * hue[0], v * hue[1], v * hue[2]);
  }
  assert_rgb(&image, 101, 0.5, 0.5, 0.5);
  image_destroy(&image);
}

static void diverging(void **state) {
  (void)state;
  float field[102];
  for (int i = 0; i <= 100; i++) field[i] = (float)(7 * i - 300);
  field[101] = NAN;
  Image image;
  assert_int_equal(picture_diverging(field, 1, 102, &image), STATUS_OK);
  static const int red[] = {0, 1, 2}, blue[] = {98, 99, 100};
  for (int i = 0; i < 3; i++) {
    assert_rgb(&image, red[i], 103 / 255., 0, 31 / 255.);
    assert_rgb(&image, blue[i], 5 / 255., 48 / 255., 97 / 255.);
  }
  assert_rgb(&image, 50, 247 / 255., 247 / 255., 247 / 255.);
  /* (26 - 2) / 96 is a quarter: half way between the third and the fourth anchor. */
  assert_rgb(&image, 26, (214 + 244) / 510., (96 + 165) / 510., (77 + 130) / 510.);
  assert_rgb(&image, 101, 0.5, 0.5, 0.5);
  image_destroy(&image);
}

/* numpy.percentile([0, 1, 2, 10], [2, 98]) is 0.06 and 9.52. */
static void percentiles(void **state) {
  (void)state;
  const float field[4] = {10, 1, 0, 2};
  double tenths = 10 * (1 - 0.06) / (9.52 - 0.06);
  Image image;
  assert_int_equal(picture_diverging(field, 2, 2, &image), STATUS_OK);
  assert_rgb(&image, 1, (103 + tenths * (178 - 103)) / 255, tenths * 24 / 255,
             (31 + tenths * (43 - 31)) / 255);
  image_destroy(&image);
}

static void fields_without_a_range(void **state) {
  (void)state;
  const float flat[4] = {3, 3, 3, 3}, none[4] = {NAN, NAN, NAN, NAN}, one[1] = {-2};
  Image image;
  assert_int_equal(picture_diverging(flat, 2, 2, &image), STATUS_OK);
  assert_rgb(&image, 3, 247 / 255., 247 / 255., 247 / 255.);
  image_destroy(&image);
  assert_int_equal(picture_diverging(none, 2, 2, &image), STATUS_OK);
  assert_rgb(&image, 2, 0.5, 0.5, 0.5);
  image_destroy(&image);
  assert_int_equal(picture_diverging(one, 1, 1, &image), STATUS_OK);
  image_destroy(&image);
  assert_int_equal(picture_gradient(none, 1, 2, &image), STATUS_OK);
  assert_rgb(&image, 1, 0.5, 0.5, 0.5);
  image_destroy(&image);
  assert_int_equal(picture_gradient(flat, 1, 2, &image), STATUS_OK);
  assert_rgb(&image, 1, 0, 0, 0);
  image_destroy(&image);
}

/* A label's value, from its own text. */
static double label_value(const char *label) {
  char plain[100] = "";
  size_t at = 0;
  for (const char *c = label; *c;) {
    static const char *const pairs[][2] = {{"−", "-"}, {"×10", "e"}, {"⁻", "-"}, {"⁰", "0"},
                                           {"¹", "1"}, {"²", "2"},   {"³", "3"}, {"⁴", "4"},
                                           {"⁵", "5"}, {"⁶", "6"},   {"⁷", "7"}, {"⁸", "8"},
                                           {"⁹", "9"}, {",", ""},    {"", ""}};
    size_t p = 0;
    while (*pairs[p][0] && strncmp(c, pairs[p][0], strlen(pairs[p][0]))) p++;
    if (*pairs[p][0]) {
      at += (size_t)sprintf(plain + at, "%s", pairs[p][1]);
      c += strlen(pairs[p][0]);
    } else if (!strncmp(c, "10", 2) && (unsigned char)c[2] >= 0x80 && (c == label || c[-1] < 0)) {
      at += (size_t)sprintf(plain + at, "1e"); /* "10⁵" */
      c += 2;
    } else {
      plain[at++] = *c++;
    }
  }
  plain[at] = 0;
  char *end;
  double value = strtod(plain, &end);
  if (*end) fail_msg("the label \"%s\" is no number", label);
  return value;
}

static void check_axis(bool log, double from, double to, int most) {
  Axis axis = axis_create(log);
  axis_include(&axis, from);
  axis_include(&axis, to);
  axis_finish(&axis, 0.04);
  axis_set_ticks(&axis, most);
  assert_true(axis_fraction(&axis, from) >= 0 && axis_fraction(&axis, to) <= 1);
  if (axis.ticks > AXIS_TICKS || (!log && axis.ticks < 2) || axis.ticks > fmax(most + 1, 5)) {
    fail_msg("%d ticks for %g to %g", axis.ticks, from, to);
  }
  for (int i = 0; i < axis.ticks; i++) {
    double fraction = axis_fraction(&axis, axis.tick[i]);
    assert_true(fraction > -1e-6 && fraction < 1 + 1e-6);
    double error = fabs(label_value(axis.label[i]) - axis.tick[i]);
    double step = axis.ticks > 1 ? fabs(axis.tick[1] - axis.tick[0]) : fabs(axis.tick[0]);
    if (error > 1e-3 * step) fail_msg("\"%s\" at %.17g", axis.label[i], axis.tick[i]);
    if (i) assert_true(axis.tick[i] > axis.tick[i - 1]);
    if (i) assert_string_not_equal(axis.label[i], axis.label[i - 1]);
  }
  if (!log) {
    double step = axis.tick[1] - axis.tick[0], lead = step / pow(10, floor(log10(step) + 1e-6));
    assert_true(fabs(lead - 1) < 1e-6 || fabs(lead - 2) < 1e-6 || fabs(lead - 5) < 1e-6);
  }
}

static void ticks(void **state) {
  (void)state;
  srand(7);
  for (int i = 0; i < 4000; i++) {
    double centre = (rand() % 3 - 1) * pow(10, rand() % 20 - 10);
    double span = (1 + rand() % 1000) * 1e-3 * pow(10, rand() % 20 - 10);
    if (span < 1e-6 * fabs(centre)) continue;
    check_axis(false, centre - span, centre + span, 3 + i % 8);
    double least = (1 + rand() % 99) * pow(10, rand() % 40 - 20);
    check_axis(true, least, least * (1 + 0.1 * (rand() % 50)), 3 + i % 8);
    check_axis(true, least, least * pow(10, rand() % 30), 3 + i % 8);
  }
}

static void axis_ends_at_round_steps(void **state) {
  (void)state;
  static const double last[] = {99, 499, 9999, 14999, 99999};
  for (int i = 0; i < 5; i++) {
    Axis axis = axis_create(false);
    axis_include(&axis, 0);
    axis_include(&axis, last[i]);
    axis_finish(&axis, 0);
    assert_float_equal(axis.low, 0, 0);
    if (i) assert_float_equal(axis.high, last[i] + 1, 1e-9);
  }
}

static Image read_picture(void) {
  Image image;
  if (image_read(path, &image) != STATUS_OK) fail_msg("%s", status_message());
  assert_int_equal(image_to_rgb(&image), STATUS_OK);
  for (int y = 0; y < image.height; y++) { /* nothing touches the edge */
    for (int x = 0; x < image.width; x++) {
      bool inside = x >= 6 && y >= 6 && x < image.width - 6 && y < image.height - 6;
      if (!inside) assert_rgb(&image, y * image.width + x, 1, 1, 1);
    }
  }
  return image;
}

static int count_colour(const Image *image, int r, int g, int b) {
  int count = 0;
  for (int i = 0; i < image->height * image->width; i++) {
    const float *p = image->pixels + 3 * i;
    count += lrintf(255 * p[0]) == r && lrintf(255 * p[1]) == g && lrintf(255 * p[2]) == b;
  }
  return count;
}

static Image plain_panel(int height, int width, int r, int g, int b) {
  Image image;
  assert_int_equal(image_create(height, width, 3, &image), STATUS_OK);
  for (int i = 0; i < 3 * height * width; i++) {
    image.pixels[i] = (float)(i % 3 == 0 ? r : i % 3 == 1 ? g : b) / 255;
  }
  return image;
}

static const char long_text[] =
    "a text far too long for any place in a picture, with \xff\xc0\xaf broken and ünïcødé parts, "
    "and so on, and so on, and so on, and so on, and so on, and so on, and so on, and so on, "
    "and so on, and so on, and so on, and so on, and so on, and so on, and so on ……………………………………";

static void grid_shows_every_panel(void **state) {
  (void)state;
  Image panels[4] = {plain_panel(64, 64, 10, 200, 30), plain_panel(300, 270, 200, 20, 50),
                     plain_panel(1536, 768, 10, 20, 250), plain_panel(1, 100, 150, 20, 250)};
  const Image *pointers[6] = {&panels[0], &panels[1], NULL, &panels[2], &panels[3], NULL};
  const char *columns[3] = {"One", long_text, ""}, *rows[2] = {long_text, NULL};
  const char *captions[6] = {"35.5 dB", NULL, "", long_text, long_text, "\xe2\x82"};
  PictureGrid grids[] = {{2, 3, "Title", columns, rows, pointers, captions},
                         {2, 3, NULL, NULL, NULL, pointers, NULL},
                         {2, 3, long_text, columns, NULL, pointers, NULL}};
  for (int i = 0; i < 3; i++) {
    assert_int_equal(picture_grid(path, &grids[i]), STATUS_OK);
    Image image = read_picture();
    assert_int_equal(count_colour(&image, 10, 200, 30), 256 * 256);
    assert_int_equal(count_colour(&image, 200, 20, 50), 300 * 270);
    assert_int_equal(count_colour(&image, 10, 20, 250), 768 * 384);
    assert_int_equal(count_colour(&image, 150, 20, 250), 300 * 3);
    image_destroy(&image);
  }
  for (int i = 0; i < 4; i++) image_destroy(&panels[i]);
}

/* Enlarging copies pixels: a checkerboard keeps its two colours. */
static void small_panels_stay_sharp(void **state) {
  (void)state;
  Image panel = plain_panel(32, 32, 255, 0, 255);
  for (int i = 0; i < 32 * 32; i++) panel.pixels[3 * i] = (float)((i + i / 32) % 2);
  const Image *pointer = &panel;
  PictureGrid grid = {.rows = 1, .columns = 1, .title = long_text, .panels = &pointer};
  assert_int_equal(picture_grid(path, &grid), STATUS_OK);
  Image image = read_picture();
  assert_int_equal(count_colour(&image, 255, 0, 255), 256 * 256 / 2);
  assert_int_equal(count_colour(&image, 0, 0, 255), 256 * 256 / 2);
  image_destroy(&image);
  image_destroy(&panel);
}

static void pictures_that_fail(void **state) {
  (void)state;
  Image panel = plain_panel(300, 300, 0, 0, 0);
  const Image *pointers[100];
  for (int i = 0; i < 100; i++) pointers[i] = &panel;
  PictureGrid grid = {.rows = 100, .columns = 1, .panels = pointers};
  assert_int_equal(picture_grid(path, &grid), STATUS_FAILED);
  assert_non_null(strstr(status_message(), path));
  assert_int_equal(picture_plot("/nonexistent/plot.png", &(Plot){0}), STATUS_FAILED);
  assert_non_null(strstr(status_message(), "/nonexistent/plot.png"));
  image_destroy(&panel);
}

static Image plot_picture(const Plot *plot) {
  assert_int_equal(picture_plot(path, plot), STATUS_OK);
  return read_picture();
}

/* The mean height of the first curve's colour between two columns, as a share from below. */
static double curve_height(const Image *image, int left, int right) {
  double sum = 0;
  int count = 0;
  for (int y = 200; y < image->height; y++) { /* below the legend */
    for (int x = left; x < right; x++) {
      const float *p = image->pixels + 3 * (y * image->width + x);
      if (lrintf(255 * p[0]) == 0 && lrintf(255 * p[1]) == 114 && lrintf(255 * p[2]) == 178) {
        sum += y;
        count++;
      }
    }
  }
  assert_true(count > 0);
  return 1 - sum / count / image->height;
}

static void plots_show_curves(void **state) {
  (void)state;
  enum { N = 100000 };
  double *x = malloc(N * sizeof *x), *y = malloc(N * sizeof *y), *z = malloc(N * sizeof *z);
  for (int i = 0; i < N; i++) {
    x[i] = i;
    y[i] = i % 1000 == 7 ? NAN : exp(1e-4 * i);
    z[i] = i % 2 ? 18000 : INFINITY; /* crosses the other curve in none of the places looked at */
  }
  Curve curves[2] = {{.label = "rising", .n = N, .x = x, .y = y},
                     {.label = long_text, .n = N, .x = x, .y = z}};
  Plot plot = {"Title", "x", "y", false, 2, curves};
  for (int i = 0; i < 2; i++) {
    plot.log_y = i;
    Image image = plot_picture(&plot);
    assert_true(count_colour(&image, 213, 94, 0) > 100); /* dots */
    double low = curve_height(&image, 400, 500), middle = curve_height(&image, 800, 900);
    double high = curve_height(&image, 1200, 1300);
    assert_true(low < middle && middle < high);
    if (i) assert_float_equal(middle, (low + high) / 2, 0.01); /* an exponential is straight */
    if (!i) assert_true(middle < (low + high) / 2 - 0.02);
    image_destroy(&image);
  }
  free(x);
  free(y);
  free(z);
}

/* A band from 1 to 3 around a curve at 2: pale, behind the curve, and the axis holds it. */
static void plots_show_bands(void **state) {
  (void)state;
  const double x[4] = {0, 1, 2, 3}, y[4] = {2, 2, 2, 2}, low[4] = {1, 1, NAN, 1},
               high[4] = {3, 3, 3, 3};
  Curve curve = {.n = 4, .x = x, .y = y, .low = low, .high = high};
  Image image = plot_picture(&(Plot){"Band", "x", "y", false, 1, &curve});
  /* 0.22 of the first colour on white */
  int pale = count_colour(&image, 199, 224, 238), all = image.width * image.height;
  assert_true(pale > all / 6 && pale < all / 3); /* a third of the width, most of the height */
  curve.low = curve.high = NULL;
  Image plain = plot_picture(&(Plot){"Band", "x", "y", false, 1, &curve});
  assert_int_equal(count_colour(&plain, 199, 224, 238), 0);
  image_destroy(&image);
  image_destroy(&plain);
}

static void odd_plots(void **state) {
  (void)state;
  const double x[4] = {0, 1, 2, 3}, flat[4] = {7, 7, 7, 7}, bad[4] = {-1, 0, NAN, INFINITY};
  const double huge[4] = {1e308, -1e308, 1e299, -1e299}, tiny[4] = {1e-310, 0, -1e-305, 1e-200};
  const double *data[] = {flat, bad, huge, tiny, x};
  for (int i = 0; i < 40; i++) {
    const double *y = data[i / 2 % 5];
    Curve curve = {.label = i % 2 ? long_text : NULL,
                   .n = (int[]){4, 1, 0, 2}[i / 10],
                   .x = x,
                   .y = y,
                   .low = i % 4 ? NULL : data[i / 3 % 5],
                   .high = i % 4 ? NULL : y};
    Plot plot = {long_text, long_text, long_text, i % 3 == 0, i < 38, &curve};
    Image image = plot_picture(&plot);
    image_destroy(&image);
  }
  Image image = plot_picture(&(Plot){0});
  image_destroy(&image);
}

static void many_curves(void **state) {
  (void)state;
  const double x[2] = {0, 1}, y[2] = {1, 2};
  Curve curves[100];
  for (int i = 0; i < 100; i++) {
    curves[i] = (Curve){.label = "a curve among many", .n = 2, .x = x, .y = y};
  }
  Image image = plot_picture(&(Plot){"Many", "x", "y", true, 100, curves});
  image_destroy(&image);
}

/* To be run first: fontconfig looks for its configuration once. */
static void without_any_font(void **state) {
  (void)state;
  pid_t child = fork();
  if (child == 0) {
    setenv("FONTCONFIG_FILE", "/nonexistent", 1);
    setenv("FONTCONFIG_PATH", "/nonexistent", 1);
    int null = open("/dev/null", O_WRONLY);
    dup2(null, 2); /* fontconfig complains */
    _exit(picture_plot(path, &(Plot){.title = "no font", .x_label = "x"}));
  }
  int status;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
  Image image = read_picture();
  image_destroy(&image);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(without_any_font),
      cmocka_unit_test(values),
      cmocka_unit_test(gradients),
      cmocka_unit_test(diverging),
      cmocka_unit_test(percentiles),
      cmocka_unit_test(fields_without_a_range),
      cmocka_unit_test(ticks),
      cmocka_unit_test(axis_ends_at_round_steps),
      cmocka_unit_test(grid_shows_every_panel),
      cmocka_unit_test(small_panels_stay_sharp),
      cmocka_unit_test(pictures_that_fail),
      cmocka_unit_test(plots_show_curves),
      cmocka_unit_test(plots_show_bands),
      cmocka_unit_test(odd_plots),
      cmocka_unit_test(many_curves),
  };
  return cmocka_run_group_tests(tests, make_path, remove_path);
}
