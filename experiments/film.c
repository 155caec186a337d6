#include "experiments/film.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "experiments/film_source.h"
#include "io/image.h"

/* Frames are read so many bytes at a time, where they do not go straight to their place. */
enum { BATCH_BYTES = 16 << 20 };

/* What is taken of a source, and made of it. */
typedef struct {
  FilmSource *source;
  int64_t first, every, frames;
  bool crop;
  int height, width, channels; /* of a fitted frame */
} Plan;

/* ---- Choosing ---- */

static Status choose_size(const Config *config, Plan *plan) {
  const FilmInfo *info = film_source_info(plan->source);
  double height = info->height, width = info->width;
  plan->crop = config_bool(config, "data.crop") && info->height != info->width;
  if (plan->crop) height = width = fmin(height, width);
  int64_t wanted_height = config_int(config, "video.height");
  int64_t wanted_width = config_int(config, "video.width");
  double scale = wanted_height  ? (double)wanted_height / height
                 : wanted_width ? (double)wanted_width / width
                                : 1;
  plan->height = wanted_height ? (int)wanted_height : (int)fmax(1, round(height * scale));
  plan->width = wanted_width ? (int)wanted_width : (int)fmax(1, round(width * scale));
  if (config_int(config, "data.size") == 0) return STATUS_OK;
  return config_reject(config, "data.size",
                       "a video is resized by video.height and video.width (%s: %d x %d pixels)",
                       info->name, info->height, info->width);
}

static void choose_channels(const Config *config, Plan *plan) {
  const char *colour = config_text(config, "data.colour");
  plan->channels = film_source_info(plan->source)->channels;
  if (!strcmp(colour, "grey")) plan->channels = 1;
  if (!strcmp(colour, "rgb")) plan->channels = 3;
}

/* So many frames lie from the first to the last wanted one; all there can be, if all are wanted. */
static int64_t wanted_span(const Plan *plan, int64_t wanted) {
  return wanted ? plan->first + (wanted - 1) * plan->every + 1 : INT64_MAX;
}

static Status choose_frames(const Config *config, int64_t there, Plan *plan) {
  const char *name = film_source_info(plan->source)->name;
  int64_t wanted = config_int(config, "video.frames");
  if (there <= plan->first) {
    return there == 0 ? status_fail(STATUS_FAILED, "%s: has no frames", name)
                      : config_reject(config, "video.first",
                                      "%s has only %" PRId64
                                      " frames, the "
                                      "first of which is 0",
                                      name, there);
  }
  plan->frames = (there - 1 - plan->first) / plan->every + 1;
  if (plan->frames < wanted) {
    return config_reject(config, "video.frames",
                         "%s has %" PRId64
                         " frames, of which video.first="
                         "%" PRId64 " and video.every=%" PRId64 " leave %" PRId64,
                         name, there, plan->first, plan->every, plan->frames);
  }
  if (wanted) plan->frames = wanted;
  return STATUS_OK;
}

/* Collective. Counts on one rank: it may mean to decode the whole file. */
static Status count_frames(const Comm *comm, const Plan *plan, int64_t wanted, int64_t *frames) {
  Status status = STATUS_OK;
  if (comm_rank(comm) == 0) {
    status = film_source_count(plan->source, wanted_span(plan, wanted), frames);
  }
  TRY(comm_agree(comm, status));
  comm_broadcast(comm, frames, sizeof *frames);
  return STATUS_OK;
}

static Status open_source(const Config *config, Plan *plan) {
  TRY(film_source_open(config_text(config, "data.file"), config_text(config, "video.dataset"),
                       &plan->source));
  plan->first = config_int(config, "video.first");
  plan->every = config_int(config, "video.every");
  choose_channels(config, plan);
  return choose_size(config, plan);
}

/* Collective. */
static Status make_plan(const Comm *comm, const Config *config, Plan *plan) {
  int64_t frames = 0;
  TRY(comm_agree(comm, open_source(config, plan)));
  TRY(count_frames(comm, plan, config_int(config, "video.frames"), &frames));
  return choose_frames(config, frames, plan);
}

/* ---- Frames ---- */

static bool as_it_is(const Plan *plan) {
  const FilmInfo *info = film_source_info(plan->source);
  return !plan->crop && plan->height == info->height && plan->width == info->width &&
         plan->channels == info->channels;
}

static Status image_of(const FilmInfo *info, const void *samples, int64_t frame, Image *image) {
  TRY(image_create(info->height, info->width, info->channels, image));
  int64_t n = (int64_t)info->height * info->width * info->channels;
  float one = (float)sample_one(info->type);
  image->levels = info->type == SAMPLE_F32 ? 0 : (int)one;
  for (int64_t i = 0; i < n; i++) {
    image->pixels[i] = sample_get(info->type, samples, frame * n + i) / one;
  }
  return STATUS_OK;
}

static Status prepare(const Plan *plan, Image *image) {
  if (plan->crop) TRY(image_crop_square(image));
  if (plan->channels < image->channels) TRY(image_to_grey(image));
  if (plan->height != image->height || plan->width != image->width) {
    Image resized;
    TRY(image_resize(image, plan->height, plan->width, &resized));
    image_destroy(image);
    *image = resized;
  }
  return plan->channels > image->channels ? image_to_rgb(image) : STATUS_OK;
}

static void store_image(const Image *image, SampleType type, void *samples) {
  int64_t n = (int64_t)image->height * image->width * image->channels;
  float one = (float)sample_one(type);
  for (int64_t i = 0; i < n; i++) {
    if (type == SAMPLE_U8) ((uint8_t *)samples)[i] = (uint8_t)lrintf(image->pixels[i] * one);
    if (type == SAMPLE_U16) ((uint16_t *)samples)[i] = (uint16_t)lrintf(image->pixels[i] * one);
    if (type == SAMPLE_F32) ((float *)samples)[i] = image->pixels[i];
  }
}

static Status convert(const Plan *plan, const void *samples, int64_t frame, void *place) {
  Image image = {0};
  Status status = image_of(film_source_info(plan->source), samples, frame, &image);
  if (status == STATUS_OK) status = prepare(plan, &image);
  if (status == STATUS_OK) store_image(&image, film_source_info(plan->source)->type, place);
  image_destroy(&image);
  return status;
}

/* Numbers that are no shares of anything would be learned as nonsense. */
static Status check_range(const FilmInfo *info, int64_t n, const void *samples) {
  for (int64_t i = 0; info->type == SAMPLE_F32 && i < n; i++) {
    float value = ((const float *)samples)[i];
    if (value >= 0 && value <= 1) continue;
    return status_fail(STATUS_FAILED, "%s: holds %g; real numbers of a video lie in [0, 1]",
                       info->name, (double)value);
  }
  return STATUS_OK;
}

/* ---- Filling the memory ---- */

static int64_t frame_values(const FilmInfo *info) {
  return (int64_t)info->height * info->width * info->channels;
}

/* Fitted frames [first, first + count), a batch at a time through `batch`. */
static Status fill_frames(const Plan *plan, const Signal *signal, int64_t first, int64_t count,
                          int64_t most, void *batch) {
  const FilmInfo *info = film_source_info(plan->source);
  for (int64_t end = first + count, n; first < end; first += n) {
    n = end - first < most ? end - first : most;
    void *samples = batch ? batch : signal_place(signal, first);
    TRY(film_source_read(plan->source, plan->first + first * plan->every, plan->every, n, samples));
    TRY(check_range(info, n * frame_values(info), samples));
    for (int64_t i = 0; batch && i < n; i++) {
      TRY(convert(plan, batch, i, signal_place(signal, first + i)));
    }
  }
  return STATUS_OK;
}

static Status fill(const Plan *plan, const Signal *signal) {
  const FilmInfo *info = film_source_info(plan->source);
  int64_t first = 0, count = info->in_order ? shared_leader(signal->shared) * plan->frames
                                            : shared_part(signal->shared, plan->frames, &first);
  size_t frame = (size_t)frame_values(info) * sample_bytes(info->type);
  int64_t most = (int64_t)(BATCH_BYTES / frame) > 1 ? (int64_t)(BATCH_BYTES / frame) : 1;
  void *batch = NULL;
  if (!as_it_is(plan)) TRY(memory_allocate(&batch, (size_t)most, frame, "frames"));
  Status status = fill_frames(plan, signal, first, count, most, batch);
  free(batch);
  return status;
}

static Signal plan_signal(const Plan *plan) {
  SampleType type = film_source_info(plan->source)->type;
  Signal signal = {.axes = 3,
                   .components = plan->channels,
                   .size = {plan->frames, plan->height, plan->width},
                   .lower = {-1, -1, -1},
                   .upper = {1, 1, 1},
                   .type = type,
                   .scale = 2 / sample_one(type),
                   .offset = -1};
  for (int i = 1; i < 3; i++) {
    if (signal.size[i] == 1) signal.lower[i] = 0;
  }
  return signal;
}

/* Collective. */
static Status read_plan(const Comm *comm, const Plan *plan, Film *film) {
  film->signal = plan_signal(plan);
  film->rate = film_source_info(plan->source)->rate / (double)plan->every;
  TRY(signal_allocate(comm, &film->signal));
  return shared_ready(film->signal.shared, fill(plan, &film->signal));
}

Status film_read(const Comm *comm, const Config *config, Film *film) {
  memset(film, 0, sizeof *film);
  Plan plan = {0};
  Status status = make_plan(comm, config, &plan);
  if (status == STATUS_OK) status = read_plan(comm, &plan, film);
  film_source_close(plan.source);
  return status;
}

void film_destroy(Film *film) {
  signal_destroy(&film->signal);
  film->rate = 0;
}
