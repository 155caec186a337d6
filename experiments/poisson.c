/* An image from its derivatives alone (Sitzmann et al. 2020, section 4.2, Fig. 3; paper.md 2.1):
 * Phi: (row, column) -> grey or colour,
 *
 *     L_grad = mean over pixels x of |grad Phi(x) - s grad f(x)|^2    or
 *     L_lapl = mean over pixels x of (Lap Phi(x) - s Lap f(x))^2,
 *
 * derivatives in network coordinates, those of the image f by Sobel's operator and by the 5-point
 * stencil. Nothing supervises the values: Phi / s is f up to a constant (gradient), or up to a
 * harmonic function (Laplacian). It is judged in the image's units, shifted by the best constant in
 * each channel. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/loss.h"
#include "core/memory.h"
#include "experiments/comparison.h"
#include "experiments/metrics.h"
#include "experiments/pixels.h"
#include "experiments/suite.h"

/* Where the image lies behind the derivatives in a sample's data, and channels of f. */
typedef struct {
  double scale;
  int channel;
} Monitor;

enum { N_OFFSETS = 3 };

typedef struct {
  const struct Supervision *supervision;
  Target target; /* f */
  Plane truth;   /* f and its derivatives */
  Pixels pixels;
  double scale; /* s */
  Monitor monitors[N_OFFSETS];
} Poisson;

/* ---- What a network is supervised on ---- */

/* s of the released code: it multiplies differences per pixel, Sobel's by 32 * 10 in all, the
 * 5-point stencil's by 1e4, where a pixel is 2/(n-1) (paper.md 2.1). Both axes have to have one s
 * for the field to stay a gradient: the geometric mean, where an image is not square. */
static double pixel_pitch(const Target *target) {
  double rows = target->height > 1 ? target->height - 1 : 1;
  double columns = target->width > 1 ? target->width - 1 : 1;
  return 2 / sqrt(rows * columns);
}

static double gradient_scale(const Target *target) {
  return 32 * 10 * pixel_pitch(target);
}

static double laplacian_scale(const Target *target) {
  return 1e4 * pixel_pitch(target) * pixel_pitch(target);
}

typedef struct Supervision {
  const char *name; /* word of poisson.supervision and name of the term */
  FieldKind field;
  int streams; /* numbers per channel */
  JetSpec jet;
  TermFunction square, norm; /* of the error: the released code's loss, the paper's */
  double (*scale)(const Target *target);
} Supervision;

/* Mean over the channels of |grad Phi - g|, as the paper writes it. */
static double gradient_norm(const TermBlock *block, double factor, const void *settings) {
  (void)settings;
  int out = block->out;
  double sum = 0, e[2];
  for (int i = 0; i < block->rows * out; i++) {
    const real *g = block->data + i / out * block->data_width + i % out;
    for (int k = 0; k < 2; k++) e[k] = (double)block->first[k][i] - (double)g[k * out];
    double length = hypot(e[0], e[1]);
    sum += length;
    for (int k = 0; k < 2 && block->first_bar[k] && length > 0; k++) {
      block->first_bar[k][i] += (real)(factor / out * e[k] / length);
    }
  }
  return sum / out;
}

/* Mean over the channels of |Lap Phi - l|. */
static double laplacian_norm(const TermBlock *block, double factor, const void *settings) {
  (void)settings;
  int out = block->out;
  double sum = 0;
  for (int i = 0; i < block->rows * out; i++) {
    double e =
        (double)block->second[0][i] - (double)block->data[i / out * block->data_width + i % out];
    sum += fabs(e);
    if (block->second_bar[0]) {
      block->second_bar[0][i] += (real)(factor / out * ((e > 0) - (e < 0)));
    }
  }
  return sum / out;
}

static const Supervision supervisions[] = {
    {"gradient",
     FIELD_GRADIENT,
     2,
     {.first = true},
     loss_gradient_mse,
     gradient_norm,
     gradient_scale},
    {"laplacian",
     FIELD_LAPLACIAN,
     1,
     {.first = true, .n_second = 1, .second = {{JET_COLLAPSED, JET_COLLAPSED}}},
     loss_second_mse,
     laplacian_norm,
     laplacian_scale},
};

static const Supervision *find_supervision(const char *name) {
  const Supervision *row = supervisions;
  while (strcmp(row->name, name)) row++;
  return row;
}

/* ---- The problem ---- */

/* A sample's data: derivatives times s [streams][channels], then f [channels] for the monitors. */
static void draw_pixels(const void *source, uint64_t step, int64_t first, int rows, real *x,
                        real *data, real *weights) {
  (void)weights;
  const Poisson *poisson = source;
  int channels = poisson->target.channels, n = poisson->supervision->streams * channels;
  const float *derivatives = poisson->truth.field[poisson->supervision->field];
  for (int r = 0; r < rows; r++, data += n + channels) {
    int64_t pixel = pixels_draw(&poisson->pixels, step, first + r);
    pixels_coordinates(&poisson->pixels, pixel, x + 2 * r);
    for (int i = 0; i < n; i++) {
      data[i] = (real)(poisson->scale * (double)derivatives[pixel * n + i]);
    }
    for (int c = 0; c < channels; c++) data[n + c] = poisson->target.values[pixel * channels + c];
  }
}

static double image_error(const TermBlock *block, const Monitor *monitor, int row, int channel) {
  int f = block->data_width - block->out + channel;
  return (double)block->value[row * block->out + channel] / monitor->scale -
         (double)block->data[row * block->data_width + f];
}

/* Monitor: mean over the channels of (Phi/s - f)^2. */
static double image_square(const TermBlock *block, double factor, const void *settings) {
  (void)factor;
  double sum = 0;
  for (int r = 0; r < block->rows; r++) {
    for (int c = 0; c < block->out; c++) {
      double e = image_error(block, settings, r, c);
      sum += e * e;
    }
  }
  return sum / block->out;
}

/* Monitor: Phi/s - f in one channel, whose mean is the constant that nothing determines. */
static double image_offset(const TermBlock *block, double factor, const void *settings) {
  (void)factor;
  const Monitor *monitor = settings;
  double sum = 0;
  for (int r = 0; r < block->rows; r++) sum += image_error(block, monitor, r, monitor->channel);
  return sum;
}

static Status make_problem(const Poisson *poisson, Setup *setup) {
  const Supervision *supervision = poisson->supervision;
  const Monitor *monitors = poisson->monitors;
  bool square_loss = !strcmp(config_text(setup->config, "poisson.loss"), "square");
  TermFunction loss = square_loss ? supervision->square : supervision->norm;
  setup->problem = (Problem){
      .network = &setup->network,
      .tile = (int)config_int(setup->config, "train.tile"),
      .n_domains = 1,
      .domains = {{.name = "pixels",
                   .samples = poisson->pixels.samples,
                   .mean = true,
                   .jet = supervision->jet,
                   .data_width = (supervision->streams + 1) * poisson->target.channels,
                   .draw = draw_pixels,
                   .source = poisson,
                   .n_terms = 2 + N_OFFSETS,
                   .terms = {{supervision->name, 1, loss, NULL},
                             {"image_square", 0, image_square, &monitors[0]},
                             {"image_offset_0", 0, image_offset, &monitors[0]},
                             {"image_offset_1", 0, image_offset, &monitors[1]},
                             {"image_offset_2", 0, image_offset, &monitors[2]}}}},
  };
  return problem_objective(&setup->problem, &setup->objective);
}

/* PSNR of the image after the best shift of each channel (a grey image counts its one channel
 * thrice). */
static double psnr_of_terms(const double *terms) {
  double shift = 0;
  for (int i = 0; i < N_OFFSETS; i++) shift += terms[2 + i] * terms[2 + i] / N_OFFSETS;
  return 10 * log10(4 / (terms[1] - shift));
}

/* ---- Setting up ---- */

static void set_scale(const Config *config, Poisson *poisson) {
  double scale = config_real(config, "poisson.scale");
  poisson->scale = scale > 0 ? scale : poisson->supervision->scale(&poisson->target);
  for (int i = 0; i < N_OFFSETS; i++) {
    int last = poisson->target.channels - 1;
    poisson->monitors[i] = (Monitor){poisson->scale, i < last ? i : last};
  }
}

static Status set_up_local(Setup *setup) {
  const Config *config = setup->config;
  Poisson *poisson;
  TRY(memory_allocate(&poisson, 1, sizeof *poisson, "the image"));
  setup->own = poisson;
  Target *target = &poisson->target;
  poisson->supervision = find_supervision(config_text(config, "poisson.supervision"));
  TRY(target_read(config, config_text(config, "data.file"), target));
  TRY(target_differentiate(target, &poisson->truth));
  TRY(pixels_create(config, target->height, target->width, &poisson->pixels));
  set_scale(config, poisson);
  TRY(suite_network(config, 2, target->channels, target_side(target), &setup->network));
  return make_problem(poisson, setup);
}

static Status set_up(Setup *setup) {
  return comm_agree(setup->comm, set_up_local(setup));
}

static void destroy(Setup *setup) {
  Poisson *poisson = setup->own;
  if (poisson) {
    plane_release(&poisson->truth);
    target_destroy(&poisson->target);
  }
  free(poisson);
}

/* ---- What came out ---- */

static void shift_channel(const Target *target, int channel, float *value) {
  size_t n = (size_t)target->height * (size_t)target->width, stride = (size_t)target->channels;
  double sum = 0;
  for (size_t i = 0; i < n; i++) {
    size_t at = i * stride + (size_t)channel;
    sum += (double)target->values[at] - (double)value[at];
  }
  float shift = (float)(sum / (double)n);
  for (size_t i = 0; i < n; i++) value[i * stride + (size_t)channel] += shift;
}

static void align(const void *context, const Target *target, float *const fit[FIELD_COUNT]) {
  const Poisson *poisson = context;
  size_t values = (size_t)target->height * (size_t)target->width * (size_t)target->channels;
  float factor = (float)(1 / poisson->scale);
  for (FieldKind kind = 0; kind < FIELD_COUNT; kind++) {
    size_t n = kind == FIELD_GRADIENT ? 2 * values : values;
    for (size_t i = 0; i < n; i++) fit[kind][i] *= factor;
  }
  for (int c = 0; c < target->channels; c++) shift_channel(target, c, fit[FIELD_VALUE]);
}

/* The released code's pictures, which the paper's table is probably made of (paper.md 2.1). */
static double psnr_minmax(const void *context, const Plane *truth, const Plane *fit) {
  (void)context;
  size_t n = (size_t)truth->height * (size_t)truth->width * (size_t)truth->channels;
  return metric_psnr_minmax(fit->field[FIELD_VALUE], truth->field[FIELD_VALUE], n);
}

static Status evaluate(const Setup *setup, const real *theta, Result *result) {
  const Poisson *poisson = setup->own;
  Comparison comparison = {.title = "An image from its derivatives",
                           .context = poisson,
                           .align = align,
                           .n_extra = 1,
                           .extra = {{"psnr_minmax", "dB", psnr_minmax}}};
  return comparison_run(setup, theta, &poisson->target, &comparison, result);
}

static Status eval(const Setup *setup, const real *theta, Result *result) {
  const Poisson *poisson = setup->own;
  return plane_eval(setup, theta, result, poisson->target.height, poisson->target.width);
}

static double evaluation_bytes(const Setup *setup, int rank) {
  const Poisson *poisson = setup->own;
  return comparison_bytes(setup, &poisson->target, rank);
}

static double evaluation_flops(const Setup *setup) {
  const Poisson *poisson = setup->own;
  return comparison_flops(setup, &poisson->target);
}

const ExperimentFunctions experiment_poisson = {
    .setup = set_up,
    .destroy = destroy,
    .evaluate = evaluate,
    .eval = eval,
    .evaluation_bytes = evaluation_bytes,
    .evaluation_flops = evaluation_flops,
    .metrics = (const char *const[]){COMPARISON_METRICS, "psnr_minmax", NULL},
    .headline = {"psnr", "dB", psnr_of_terms},
};
