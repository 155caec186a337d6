/* Convolutions against plain loops, and convolutional encoders against golden/encoders.h5, which
 * golden/encoders.py wrote, against differences, and for what they promise. */
#include <math.h>
#include <string.h>

#include "tests/golden_file.h"
/* After cmocka.h, which that includes. */
#include "core/linalg.h"
#include "hyper/convolution.h"
#include "tests/encoder_fixture.h"

#define FILE_NAME TEST_DATA "/../golden/encoders.h5"

static const EncoderKind *const kinds[] = {&encoder_conv, &encoder_partial_conv,
                                           &encoder_partial_conv_official};
enum { KINDS = sizeof kinds / sizeof *kinds };

/* ---- The layer ---- */

/* Sums of up to 585 products, one after the other. */
static const double layer_tolerance = REAL_IS_DOUBLE ? 1e-14 : 4e-6;

typedef struct {
  int kernel, in, out, rows, columns, border, images;
} Shape;

typedef struct {
  Plane plane;
  Convolution layer;
  Parameters parameters;
  int images;
  real *theta, *gradient, *memory, *x, *y, *x_bar, *y_bar;
} Trial;

static size_t at(const Plane *plane, int channels, int image, int row, int column, int channel) {
  return (size_t)image * plane_stride(plane, channels) +
         (size_t)(row * plane_pitch(plane) + column) * (size_t)channels + (size_t)channel;
}

/* Random pixels, and a clear border. */
static void fill(const Plane *plane, int channels, int images, uint64_t step, real *x) {
  for (int image = 0; image < images; image++) {
    real *first = x + (size_t)image * plane_stride(plane, channels);
    encoding_random(step + (uint64_t)image, (size_t)(plane_span(plane) * channels), first);
    plane_clear(plane, channels, first);
  }
}

static Trial *trial_create(Shape s) {
  Trial *t = calloc(1, sizeof *t);
  t->plane = (Plane){s.rows, s.columns, s.border};
  t->images = s.images;
  t->layer = convolution_create(s.kernel, s.in, s.out, true, "conv", 0, &t->parameters);
  t->theta = encoding_reals(t->parameters.size);
  t->gradient = encoding_reals(t->parameters.size);
  convolution_init(&t->layer, 3, t->theta);
  size_t room = plane_room(&t->plane, s.in, s.images) + plane_room(&t->plane, s.out, s.images);
  real *next = t->memory = encoding_reals(2 * room);
  memset(next, 0xff, 2 * room * sizeof *next); /* NaN */
  t->x = plane_take(&t->plane, s.in, s.images, &next);
  t->x_bar = plane_take(&t->plane, s.in, s.images, &next);
  t->y = plane_take(&t->plane, s.out, s.images, &next);
  t->y_bar = plane_take(&t->plane, s.out, s.images, &next);
  fill(&t->plane, s.in, s.images, 10, t->x);
  fill(&t->plane, s.out, s.images, 20, t->y_bar);
  return t;
}

static void trial_destroy(Trial *t) {
  free(t->theta), free(t->gradient), free(t->memory), free(t);
}

/* Calls visit for every pair of an output and an input that a weight connects. */
static void for_each_connection(Trial *t, void *data,
                                void (*visit)(Trial *t, size_t y, size_t x, size_t weight,
                                              void *data)) {
  const Convolution *l = &t->layer;
  int half = l->kernel / 2;
  for (int image = 0; image < t->images; image++)
    for (int i = 0; i < t->plane.rows; i++)
      for (int j = 0; j < t->plane.columns; j++)
        for (int o = 0; o < l->out; o++)
          for (int p = 0; p < l->kernel * l->kernel; p++)
            for (int c = 0; c < l->in; c++) {
              int row = i + p / l->kernel - half, column = j + p % l->kernel - half;
              if (row < 0 || row >= t->plane.rows || column < 0 || column >= t->plane.columns)
                continue;
              size_t weight = ((size_t)o * (size_t)(l->kernel * l->kernel) + (size_t)p);
              visit(t, at(&t->plane, l->out, image, i, j, o),
                    at(&t->plane, l->in, image, row, column, c),
                    l->weight + weight * (size_t)l->in + (size_t)c, data);
            }
}

typedef struct {
  double *y, *x_bar, *gradient;
} Wanted;

static void connect(Trial *t, size_t y, size_t x, size_t weight, void *data) {
  const Wanted *w = data;
  w->y[y] += (double)t->theta[weight] * (double)t->x[x];
  w->x_bar[x] += (double)t->theta[weight] * (double)t->y_bar[y];
  w->gradient[weight] += (double)t->x[x] * (double)t->y_bar[y];
}

/* Borders, where nothing is connected, must be zero. */
static void check_images(const char *what, const Plane *plane, int channels, int images,
                         const real *got, const double *wanted) {
  golden_check(what, "images", (size_t)images * plane_stride(plane, channels), got, wanted,
               layer_tolerance);
}

static void check_layer(Shape s) {
  char what[64];
  snprintf(what, sizeof what, "%dx%d, %d to %d, %d x %d", s.kernel, s.kernel, s.in, s.out, s.rows,
           s.columns);
  Trial *t = trial_create(s);
  size_t n = t->parameters.size, images = (size_t)s.images;
  Wanted w = {calloc(images * plane_stride(&t->plane, s.out), sizeof(double)),
              calloc(images * plane_stride(&t->plane, s.in), sizeof(double)),
              calloc(n, sizeof(double))};
  for_each_connection(t, &w, connect);
  for (int image = 0; image < s.images; image++)
    for (int i = 0; i < s.rows * s.columns; i++)
      for (int o = 0; o < s.out; o++) {
        size_t y = at(&t->plane, s.out, image, i / s.columns, i % s.columns, o);
        w.y[y] += (double)t->theta[t->layer.bias + (size_t)o];
        w.gradient[t->layer.bias + (size_t)o] += (double)t->y_bar[y];
      }
  convolution_forward(&t->layer, &t->plane, t->theta, s.images, t->x, t->y);
  check_images(what, &t->plane, s.out, s.images, t->y, w.y);
  convolution_gradient(&t->layer, &t->plane, s.images, t->x, t->y_bar, t->gradient);
  golden_check(what, "gradient", n, t->gradient, w.gradient, layer_tolerance);
  convolution_adjoint(&t->layer, &t->plane, t->theta, s.images, t->y_bar, false, t->x_bar);
  check_images(what, &t->plane, s.in, s.images, t->x_bar, w.x_bar);
  convolution_adjoint(&t->layer, &t->plane, t->theta, s.images, t->y_bar, true, t->x_bar);
  for (size_t i = 0; i < images * plane_stride(&t->plane, s.in); i++) w.x_bar[i] *= 2;
  check_images(what, &t->plane, s.in, s.images, t->x_bar, w.x_bar);
  free(w.y), free(w.x_bar), free(w.gradient);
  trial_destroy(t);
}

static void layers_are_what_loops_say(void **state) {
  (void)state;
  static const Shape shapes[] = {
      {1, 3, 5, 4, 6, 0, 2}, {1, 4, 2, 3, 3, 2, 1},   {3, 2, 4, 6, 5, 1, 2},
      {3, 3, 7, 5, 9, 2, 3}, {5, 4, 4, 7, 3, 2, 2},   {5, 1, 1, 3, 8, 3, 1},
      {7, 2, 3, 9, 4, 3, 1}, {5, 20, 18, 8, 7, 2, 1}, {3, 65, 40, 9, 4, 1, 2}};
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) check_layer(shapes[i]);
}

/* PyTorch's rule: uniform, and up to the bound. */
static void weights_are_drawn_as_said(void **state) {
  (void)state;
  Trial *t = trial_create((Shape){5, 8, 16, 3, 3, 2, 1});
  double bound = 1 / sqrt(200.0), largest = 0, squares = 0;
  for (size_t i = 0; i < t->parameters.size; i++) {
    largest = fmax(largest, fabs((double)t->theta[i]));
    squares += (double)(t->theta[i] * t->theta[i]);
  }
  assert_true(largest <= bound * (1 + 1e-6) && largest > 0.99 * bound);
  assert_true(fabs(squares / (double)t->parameters.size / (bound * bound / 3) - 1) < 0.1);
  trial_destroy(t);
}

/* ---- Golden codes and gradients ---- */

static const EncoderKind *kind_named(const char *name) {
  for (int k = 0; k < KINDS; k++) {
    if (!strcmp(kinds[k]->name, name)) return kinds[k];
  }
  fail_msg("no encoder %s", name);
  return NULL;
}

static int whole(hid_t group, const char *name) {
  return (int)golden_number(group, ".", name);
}

static void read_into(hid_t group, const char *path, size_t n, real *values) {
  double *stored = golden_array(group, path, n);
  for (size_t i = 0; i < n; i++) values[i] = (real)stored[i];
  free(stored);
}

static Encoding *load(hid_t group) {
  char name[64], path[64];
  golden_text(group, ".", "encoder", name, sizeof name);
  int width = whole(group, "width"), images = whole(group, "images");
  EncoderSpec spec = {whole(group, "rows"),
                      whole(group, "columns"),
                      whole(group, "channels"),
                      width,
                      whole(group, "layers"),
                      width,
                      0};
  Encoding *e = encoding_create(kind_named(name), spec, images, 1);
  size_t pixels = (size_t)images * (size_t)(spec.rows * spec.columns);
  read_into(group, "pixels", pixels * (size_t)spec.channels, e->pixels);
  read_into(group, "code_bar", (size_t)(images * width), e->code_bar);
  double *known = golden_array(group, "known", pixels);
  for (size_t i = 0; i < pixels; i++) e->known[i] = known[i] > 0;
  free(known);
  for (int t = 0; t < e->parameters.n; t++) {
    const Tensor *tensor = &e->parameters.tensors[t];
    snprintf(path, sizeof path, "theta/%s", tensor->name);
    read_into(group, path, golden_tensor_size(tensor), e->theta + tensor->offset);
  }
  return e;
}

static void check_golden(const char *name, hid_t group) {
  double tolerance = REAL_IS_DOUBLE ? 1e-10 : 1e-6;
  Encoding *e = load(group);
  size_t n = (size_t)(e->context.images * e->spec.code);
  double *code = golden_array(group, "code", n);
  encoding_forward(e);
  golden_check(name, "code", n, e->code, code, tolerance);
  encoding_backward(e);
  for (int t = 0; t < e->parameters.n; t++) {
    const Tensor *tensor = &e->parameters.tensors[t];
    char path[64];
    snprintf(path, sizeof path, "gradient/%s", tensor->name);
    size_t size = golden_tensor_size(tensor);
    double *wanted = golden_array(group, path, size);
    golden_check(name, tensor->name, size, e->gradient + tensor->offset, wanted, tolerance);
    free(wanted);
  }
  free(code);
  encoding_destroy(e);
}

static void golden_codes_and_gradients(void **state) {
  (void)state;
  hid_t file = H5Fopen(FILE_NAME, H5F_ACC_RDONLY, H5P_DEFAULT);
  hid_t cases = H5Gopen2(file, "cases", H5P_DEFAULT);
  H5G_info_t info;
  assert_true(file >= 0 && cases >= 0 && H5Gget_info(cases, &info) >= 0 && info.nlinks >= 7);
  golden_worst = 0;
  for (hsize_t k = 0; k < info.nlinks; k++) {
    char name[64];
    assert_true(H5Lget_name_by_idx(cases, ".", H5_INDEX_NAME, H5_ITER_INC, k, name, sizeof name,
                                   H5P_DEFAULT) > 0);
    hid_t group = H5Gopen2(cases, name, H5P_DEFAULT);
    check_golden(name, group);
    H5Gclose(group);
  }
  print_message("worst error %.1e of the tolerance: %s\n", golden_worst, golden_worst_at);
  H5Gclose(cases);
  H5Fclose(file);
}

/* ---- Differences ---- */

static const EncoderSpec specs[] = {
    {3, 3, 1, 2, 0, 2, 0}, {4, 7, 2, 4, 1, 4, 0}, {6, 5, 3, 70, 1, 70, 0}, {9, 8, 3, 6, 3, 6, 0}};
enum { SPECS = sizeof specs / sizeof *specs };

/* Along random directions, each of one tensor. The kinks of ReLUs are met now and then by the wide
 * ones: a step is small, and most directions must agree. */
static void check_differences(Encoding *e) {
  const double step = 1e-7;
  int bad = 0;
  encoding_forward(e);
  encoding_backward(e);
  for (int t = 0; t < e->parameters.n; t++) {
    const Tensor *tensor = &e->parameters.tensors[t];
    size_t n = golden_tensor_size(tensor);
    real *values = e->theta + tensor->offset, *before = encoding_reals(2 * n), *way = before + n;
    memcpy(before, values, n * sizeof *values);
    encoding_random(100 + (uint64_t)t, n, way);
    double along = 0, size = 0, loss[2];
    for (size_t i = 0; i < n; i++) {
      double part = (double)(e->gradient[tensor->offset + i] * way[i]);
      along += part;
      size += fabs(part);
    }
    for (int side = 0; side < 2; side++) {
      real shift = (real)(side ? step : -step);
      for (size_t i = 0; i < n; i++) values[i] = before[i] + shift * way[i];
      loss[side] = encoding_loss(e);
    }
    memcpy(values, before, n * sizeof *values);
    bad += fabs((loss[1] - loss[0]) / (2 * step) - along) > 1e-6 * (size + 1e-2);
    free(before);
  }
  if (bad > e->parameters.n / 10) {
    fail_msg("%s, %d x %d, width %d: the gradient of %d of %d tensors is wrong", e->kind->name,
             e->spec.rows, e->spec.columns, e->spec.width, bad, e->parameters.n);
  }
}

static void gradients_are_differences(void **state) {
  (void)state;
  if (!REAL_IS_DOUBLE) return;
  for (int k = 0; k < KINDS; k++) {
    for (int s = 0; s < SPECS; s++) {
      for (int images = 1; images <= 3; images += 2) {
        Encoding *e = encoding_create(kinds[k], specs[s], images, s % 2 ? 0.3 : 1);
        check_differences(e);
        encoding_destroy(e);
      }
    }
  }
}

/* ---- Promises ---- */

static void assert_same(size_t n, const real *a, const real *b) {
  assert_memory_equal(a, b, n * sizeof *a);
}

/* Unless it says so, a code depends on its own image only, and gradients add up image by image. */
static void images_do_not_meet(void **state) {
  (void)state;
  for (int k = 0; k < KINDS; k++) {
    if (kinds[k]->together) continue;
    Encoding *all = encoding_create(kinds[k], specs[1], 3, 0.4);
    Encoding *one = encoding_create(kinds[k], specs[1], 1, 0.4);
    size_t code = (size_t)all->spec.code, pixels = (size_t)(all->spec.rows * all->spec.columns);
    encoding_forward(all);
    encoding_backward(all);
    for (size_t image = 0; image < 3; image++) {
      one->context.pixels = all->pixels + image * pixels * (size_t)all->spec.channels;
      one->context.known = all->known + image * pixels;
      memcpy(one->code_bar, all->code_bar + image * code, code * sizeof(real));
      encoding_forward(one);
      assert_same(code, one->code, all->code + image * code);
      encoding_backward(one);
    }
    assert_same(all->parameters.size, one->gradient, all->gradient);
    encoding_destroy(all);
    encoding_destroy(one);
  }
}

/* Pixels that are not known have no say; those that are have. */
static void unknown_pixels_do_not_matter(void **state) {
  (void)state;
  for (int k = 0; k < KINDS; k++) {
    Encoding *e = encoding_create(kinds[k], specs[3], 2, 0.5), *f;
    f = encoding_create(kinds[k], specs[3], 2, 0.5);
    int pixels = 2 * e->spec.rows * e->spec.columns, channels = e->spec.channels;
    for (int i = 0; i < pixels * channels; i++) {
      if (!f->known[i / channels]) f->pixels[i] = (real)NAN;
    }
    encoding_forward(e);
    encoding_forward(f);
    assert_same((size_t)(2 * e->spec.code), e->code, f->code);
    encoding_backward(e);
    encoding_backward(f);
    assert_same(e->parameters.size, e->gradient, f->gradient);
    for (int i = 0; i < pixels * channels; i++) {
      if (f->known[i / channels]) f->pixels[i] += REAL(0.25);
    }
    encoding_forward(f);
    assert_memory_not_equal(e->code, f->code, (size_t)(2 * e->spec.code) * sizeof(real));
    encoding_destroy(e);
    encoding_destroy(f);
  }
}

/* One known pixel, at any place, and none at all give finite numbers. */
static void few_pixels_suffice(void **state) {
  (void)state;
  for (int k = 0; k < KINDS; k++) {
    Encoding *e = encoding_create(kinds[k], specs[1], 1, 0);
    for (int place = -1; place < e->spec.rows * e->spec.columns; place++) {
      memset(e->known, 0, (size_t)(e->spec.rows * e->spec.columns));
      if (place >= 0) e->known[place] = 1;
      encoding_forward(e);
      encoding_backward(e);
      for (int c = 0; c < e->spec.code; c++) assert_true(isfinite(e->code[c]));
    }
    for (size_t i = 0; i < e->parameters.size; i++) assert_true(isfinite(e->gradient[i]));
    encoding_destroy(e);
  }
}

/* Divergence is found by it. */
static void nan_is_not_lost(void **state) {
  (void)state;
  for (int k = 0; k < KINDS; k++) {
    Encoding *e = encoding_create(kinds[k], specs[1], 1, 1);
    for (int t = 0; t < e->parameters.n; t++) {
      real *value = e->theta + e->parameters.tensors[t].offset, before = *value;
      *value = (real)NAN;
      encoding_forward(e);
      int lost = 0;
      for (int c = 0; c < e->spec.code; c++) lost += !isnan(e->code[c]);
      if (lost == e->spec.code) fail_msg("%s, %s", kinds[k]->name, e->parameters.tensors[t].name);
      *value = before;
    }
    encoding_destroy(e);
  }
}

static void impossible_specs_are_refused(void **state) {
  (void)state;
  static const struct {
    EncoderSpec spec;
    const char *word;
    bool conv_only;
  } bad[] = {{{5, 5, 3, 8, 1, 6, 0}, "code", false},    {{5, 5, 3, 7, 1, 7, 0}, "even", true},
             {{5, 5, 3, 8, -1, 8, 0}, "blocks", false}, {{5, 5, 3, 8, 61, 8, 0}, "blocks", false},
             {{2, 5, 3, 8, 1, 8, 0}, "2 x 5", false},   {{5, 5, 0, 8, 1, 8, 0}, "channels", false},
             {{5, 5, 3, 0, 1, 0, 0}, "width", false}};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    for (int k = 0; k < (bad[i].conv_only ? 1 : KINDS); k++) {
      Parameters *parameters = calloc(1, sizeof *parameters);
      void *self;
      assert_int_equal(kinds[k]->create(&bad[i].spec, parameters, &self), STATUS_USAGE);
      assert_non_null(strstr(status_message(), bad[i].word));
      free(parameters);
    }
  }
}

int main(void) {
  linalg_start();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(layers_are_what_loops_say),
      cmocka_unit_test(weights_are_drawn_as_said),
      cmocka_unit_test(golden_codes_and_gradients),
      cmocka_unit_test(gradients_are_differences),
      cmocka_unit_test(images_do_not_meet),
      cmocka_unit_test(unknown_pixels_do_not_matter),
      cmocka_unit_test(few_pixels_suffice),
      cmocka_unit_test(nan_is_not_lost),
      cmocka_unit_test(impossible_specs_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
