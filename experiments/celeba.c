/* Learning a space of images (Sitzmann et al. 2020, section 4.4, suppl. 9; paper.md section 8):
 * from some pixels of an image, an encoder makes a code z, and a hypernetwork makes of this the
 * weights theta of a SIREN Phi: (row, column) -> colour, which is to be the image. The objective is
 * hyper/hyper.h's; here is which images and pixels a step sees. */
#include "experiments/celeba.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "experiments/known_pixels.h"
#include "experiments/plane.h"

static int pixels_of(const Celeba *celeba) {
  return celeba->set.rows * celeba->set.columns;
}

/* ---- Images of a step ---- */

/* Every image once in an epoch, in another order each time. */
static int64_t training_image(const Celeba *celeba, uint64_t number) {
  uint64_t n = (uint64_t)celeba->set.n[SPLIT_TRAIN];
  RandomStream order = {celeba->seed, RANDOM_SAMPLE, number / n};
  return (int64_t)random_permute(order, number % n, n);
}

static void draw_known(const Celeba *celeba, uint64_t number, uint8_t *known) {
  RandomStream stream = {celeba->seed, RANDOM_MASK, number};
  int pixels = pixels_of(celeba);
  int n = celeba->least + (int)random_below((RandomStream){celeba->seed, RANDOM_CONTEXT, 0}, number,
                                            0, (uint64_t)(celeba->most - celeba->least));
  if (celeba->chance) {
    known_chance(stream, pixels, (double)n / pixels, known);
  } else {
    known_count(stream, pixels, n, known);
  }
}

/* HyperDraw. */
static void draw(const void *source, uint64_t step, int64_t first, int count, real *pixels,
                 uint8_t *known, int64_t *item) {
  const Celeba *celeba = source;
  for (int i = 0; i < count; i++) {
    uint64_t number = step * (uint64_t)celeba->images + (uint64_t)(first + i);
    item[i] = training_image(celeba, number);
    image_set_values(&celeba->set, SPLIT_TRAIN, item[i], pixels);
    draw_known(celeba, number, known);
    pixels += image_set_bytes(&celeba->set);
    known += pixels_of(celeba);
  }
}

/* ---- The test ---- */

static const struct {
  const char *name;
  int pixels; /* 0: a share of all */
  double share;
} kinds[KNOWN_KINDS] = {
    [KNOWN_10] = {"10", 10, 0},       [KNOWN_100] = {"100", 100, 0},
    [KNOWN_1000] = {"1000", 1000, 0}, [KNOWN_HALF] = {"half", 0, 0.5},
    [KNOWN_ALL] = {"all", 0, 1},
};

const char *known_name(Known known) {
  return kinds[known].name;
}

bool celeba_has(const Celeba *celeba, Known known) {
  return kinds[known].pixels <= pixels_of(celeba);
}

/* Half an image is its upper rows. */
void celeba_test_image(const Celeba *celeba, Known what, int64_t index, real *pixels,
                       uint8_t *known) {
  int all = pixels_of(celeba), n = kinds[what].pixels;
  RandomStream stream = {celeba->seed, RANDOM_CONTEXT, 1 + (uint64_t)index * KNOWN_KINDS + what};
  image_set_values(&celeba->set, SPLIT_TEST, index, pixels);
  if (n == 0) {
    known_first(all, (int)(kinds[what].share * celeba->set.rows) * celeba->set.columns, known);
  } else if (celeba->chance) {
    known_chance(stream, all, (double)n / all, known);
  } else {
    known_count(stream, all, n, known);
  }
}

Context celeba_context(const Celeba *celeba, int images, const real *pixels, const uint8_t *known) {
  return (Context){.images = images,
                   .rows = celeba->set.rows,
                   .columns = celeba->set.columns,
                   .channels = celeba->set.channels,
                   .pixels = pixels,
                   .known = known};
}

/* ---- Setting up ---- */

static Status read_context(const Config *config, Celeba *celeba) {
  int64_t least = config_int(config, "celeba.context_least"),
          most = config_int(config, "celeba.context_most");
  if (most <= least) {
    return config_reject(config, "celeba.context_most", "must be over celeba.context_least, %lld",
                         (long long)least);
  }
  if (most > pixels_of(celeba) + 1) {
    return config_reject(config, "celeba.context_most",
                         "an image of %d x %d pixels has no %lld to know; at most %d here",
                         celeba->set.rows, celeba->set.columns, (long long)most - 1,
                         pixels_of(celeba) + 1);
  }
  celeba->least = (int)least;
  celeba->most = (int)most;
  celeba->chance = !strcmp(config_text(config, "celeba.context"), "chance");
  return STATUS_OK;
}

static Status read_test(const Config *config, Celeba *celeba) {
  int64_t all = celeba->set.n[SPLIT_TEST], wanted = config_int(config, "celeba.eval_images");
  celeba->test_images = wanted && wanted < all ? wanted : all;
  celeba->search = (HyperSearch){(int)config_int(config, "celeba.search_steps"),
                                 config_real(config, "celeba.search_rate")};
  celeba->shown = config_int(config, "celeba.eval_image");
  if (celeba->shown < all) return STATUS_OK;
  return config_reject(config, "celeba.eval_image", "the test has %lld images, 0 to %lld",
                       (long long)all, (long long)all - 1);
}

static Status make_hyper(const Setup *setup, Celeba *celeba) {
  const Config *config = setup->config;
  const EncoderKind *encoder = encoder_find(config_text(config, "celeba.encoder"));
  int64_t images = config_int(config, "train.samples");
  int layers = (int)config_int(config, "celeba.encoder_layers");
  celeba->images = images ? images : celeba->set.n[SPLIT_TRAIN];
  celeba->encoding = (EncoderSpec){.rows = celeba->set.rows,
                                   .columns = celeba->set.columns,
                                   .channels = celeba->set.channels,
                                   .width = (int)config_int(config, "celeba.encoder_width"),
                                   .layers = layers < 0 ? encoder->layers : layers,
                                   .code = (int)config_int(config, "celeba.code"),
                                   .items = celeba->set.n[SPLIT_TRAIN]};
  HyperSpec spec = {
      .encoder = encoder,
      .generator = generator_find(config_text(config, "celeba.generator")),
      .encoding = celeba->encoding,
      .generator_width = (int)config_int(config, "celeba.hyper_width"),
      .generator_layers = (int)config_int(config, "celeba.hyper_layers"),
      .hypo = &setup->network,
      .images = celeba->images,
      .known = (celeba->least + celeba->most) / 2,
      .tile = (int)config_int(config, "train.tile"),
      .code_weight = config_real(config, "celeba.code_weight"),
      .theta_weight = config_real(config, "celeba.weights_weight"),
      .draw = draw,
      .source = celeba,
  };
  return hyper_create(&spec, &celeba->hyper);
}

static Status set_up_local(Setup *setup, Celeba *celeba) {
  const Config *config = setup->config;
  int side = celeba->set.rows < celeba->set.columns ? celeba->set.rows : celeba->set.columns;
  TRY(image_set_as_is(config));
  celeba->seed = (uint64_t)config_int(config, "seed");
  TRY(read_context(config, celeba));
  TRY(read_test(config, celeba));
  TRY(suite_network(config, 2, celeba->set.channels, side, &setup->network));
  TRY(make_hyper(setup, celeba));
  hyper_objective(celeba->hyper, &setup->objective);
  const Parameters *parameters = hyper_parameters(celeba->hyper);
  setup->model = (Model){.group = "/hyper",
                         .n_parameters = parameters->size,
                         .n_tensors = parameters->n,
                         .tensors = parameters->tensors};
  return STATUS_OK;
}

/* Collective. */
static Status set_up(Setup *setup) {
  const Config *config = setup->config;
  Celeba *celeba = NULL;
  TRY(comm_agree(setup->comm, memory_allocate(&celeba, 1, sizeof *celeba, "the images")));
  setup->own = celeba;
  TRY(image_set_create(setup->comm, config_text(config, "data.file"),
                       config_text(config, "celeba.dataset"), config_int(config, "celeba.images"),
                       &celeba->set));
  return comm_agree(setup->comm, set_up_local(setup, celeba));
}

static void destroy(Setup *setup) {
  Celeba *celeba = setup->own;
  if (celeba) {
    hyper_destroy(celeba->hyper);
    image_set_destroy(&celeba->set);
  }
  free(celeba);
}

static void init(const Setup *setup, uint64_t seed, real *theta) {
  const Celeba *celeba = setup->own;
  hyper_init(celeba->hyper, seed, theta);
}

/* ---- Afterwards ---- */

/* Collective. The SIREN of one image, on any grid. */
static Status eval(const Setup *setup, const real *theta, Result *result) {
  const Celeba *celeba = setup->own;
  real *weights = NULL;
  Status status =
      memory_allocate(&weights, hyper_stride(celeba->hyper), sizeof *weights, "a SIREN");
  TRY(comm_agree(setup->comm, status));
  status = celeba_siren(setup, theta, weights);
  if (status == STATUS_OK) {
    status = plane_eval(setup, weights, result, celeba->set.rows, celeba->set.columns);
  }
  free(weights);
  return status;
}

static double psnr_of_terms(const double *terms) {
  return 10 * log10(4 / terms[0]); /* range 1 where values have range 2 */
}

static double set_bytes(const Setup *setup) {
  const Celeba *celeba = setup->own;
  return image_set_all_bytes(&celeba->set);
}

static double step_flops(const Setup *setup) {
  const Celeba *celeba = setup->own;
  return hyper_flops(celeba->hyper);
}

const ExperimentFunctions experiment_celeba = {
    .setup = set_up,
    .destroy = destroy,
    .init = init,
    .evaluate = celeba_report,
    .eval = eval,
    .shared_bytes = set_bytes,
    .evaluation_bytes = celeba_report_bytes,
    .evaluation_flops = celeba_report_flops,
    .step_flops = step_flops,
    .metrics = (const char *const[]){CELEBA_METRICS, NULL},
    .headline = {"psnr", "dB", psnr_of_terms},
};
