#include "experiments/image_set.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "io/dataset.h"
#include "io/embedded.h"
#include "io/file.h"
#include "io/gzip.h"
#include "io/idx.h"

/* Images are read so many bytes at a time on their way to their places. */
enum { BATCH_BYTES = 4 << 20, LARGEST_SIDE = 1 << 14 };

/* Where images come from: a data set, or all of them in memory. */
typedef struct {
  const char *name; /* for messages */
  int64_t n;
  int rows, columns, channels;
  Dataset *file;
  const uint8_t *pixels;   /* NULL: in the file */
  unsigned char *unpacked; /* owns the pixels */
} Source;

/* What becomes of them: where image i of the source goes, -1: nowhere. */
typedef struct {
  uint64_t *hashes;
  bool given; /* by the file; else computed */
  int64_t *place;
} Plan;

static int64_t image_bytes(const Source *source) {
  return (int64_t)source->rows * source->columns * source->channels;
}

/* ---- Sources ---- */

static Status open_sample(Source *source) {
  IdxInfo info;
  size_t length;
  source->name = "the built-in images";
  TRY(gzip_unpack(source->name, fashion_data, fashion_length, &source->unpacked, &length));
  TRY(idx_decode(source->name, source->unpacked, length, &info, &source->pixels));
  source->n = info.n;
  source->rows = info.rows;
  source->columns = info.columns;
  source->channels = 1;
  return STATUS_OK;
}

static Status check_shape(const Source *source, const DatasetInfo *info) {
  if (info->components != 1 && info->components != 3) {
    return status_fail(STATUS_FAILED,
                       "%s: has %d components a pixel; images have 1 (grey) or 3 (RGB), behind "
                       "image, row and column",
                       source->name, info->components);
  }
  if (info->size[1] > LARGEST_SIDE || info->size[2] > LARGEST_SIDE) {
    return status_fail(STATUS_FAILED,
                       "%s: images of %" PRId64 " x %" PRId64
                       " pixels are too large; are its axes image, row and column?",
                       source->name, info->size[1], info->size[2]);
  }
  if (info->type == SAMPLE_U8) return STATUS_OK;
  return status_fail(STATUS_FAILED, "%s: holds %s; images of a set have bytes (uint8)",
                     source->name,
                     info->type == SAMPLE_U16 ? "16-bit numbers" : "real or signed numbers");
}

static Status open_file(const char *path, const char *dataset, Source *source) {
  DatasetWish wish = {.least = 3, .most = 3, .what = "a set of images"};
  char kind[DATASET_TEXT];
  source->name = path;
  if (!file_begins(path, "\x89HDF\r\n\x1a\n", 8) && file_exists(path)) {
    return status_fail(STATUS_FAILED,
                       "%s: is not HDF5; `siren convert %s SET.h5` makes a set of images of a "
                       "folder, an archive or an IDX file",
                       path, path);
  }
  TRY(dataset_kind(path, kind));
  if (*kind && strcmp(kind, "images")) {
    return status_fail(STATUS_FAILED, "%s: is a data set of kind %s, not a set of images", path,
                       kind);
  }
  TRY(dataset_open(path, dataset, &wish, &source->file));
  const DatasetInfo *info = dataset_info(source->file);
  TRY(check_shape(source, info));
  source->n = info->size[0];
  source->rows = (int)info->size[1];
  source->columns = (int)info->size[2];
  source->channels = info->components;
  return STATUS_OK;
}

static void close_source(Source *source) {
  dataset_close(source->file);
  free(source->unpacked);
}

static Status read_images(const Source *source, int64_t first, int64_t count, uint8_t *pixels) {
  if (source->pixels) {
    int64_t bytes = image_bytes(source);
    memcpy(pixels, source->pixels + first * bytes, (size_t)(count * bytes));
    return STATUS_OK;
  }
  const int64_t from[] = {first, 0, 0}, size[] = {count, source->rows, source->columns};
  return dataset_read(source->file, from, size, NULL, pixels);
}

/* ---- This rank's part of the images, batch by batch ---- */

typedef Status Visitor(const Source *source, void *context, int64_t i, const uint8_t *pixels);

static Status visit_images(const Source *source, const Shared *shared, Visitor *visit,
                           void *context) {
  int64_t first, count = shared_part(shared, source->n, &first), end = first + count;
  int64_t bytes = image_bytes(source), most = BATCH_BYTES / bytes > 1 ? BATCH_BYTES / bytes : 1;
  uint8_t *batch;
  TRY(memory_allocate(&batch, (size_t)most, (size_t)bytes, "images"));
  Status status = STATUS_OK;
  for (int64_t n; status == STATUS_OK && first < end; first += n) {
    n = end - first < most ? end - first : most;
    status = read_images(source, first, n, batch);
    for (int64_t i = 0; status == STATUS_OK && i < n; i++) {
      status = visit(source, context, first + i, batch + i * bytes);
    }
  }
  free(batch);
  return status;
}

/* ---- Which image goes where ---- */

static Status hash_image(const Source *source, void *context, int64_t i, const uint8_t *pixels) {
  uint64_t *hashes = context;
  hashes[i] = split_hash(pixels, (size_t)image_bytes(source));
  return STATUS_OK;
}

/* Collective. Hashes that no file gives are computed by all ranks of a node together. */
static Status compute_hashes(const Comm *comm, const Source *source, uint64_t *hashes) {
  Shared *shared = NULL;
  size_t bytes = (size_t)source->n * sizeof *hashes;
  TRY(shared_create(comm, bytes, "hashes of images", &shared));
  Status status =
      shared_ready(shared, visit_images(source, shared, hash_image, shared_data(shared)));
  if (status == STATUS_OK) memcpy(hashes, shared_data(shared), bytes);
  shared_destroy(shared);
  return status;
}

static Status start_plan(const Source *source, Plan *plan) {
  size_t n = (size_t)source->n;
  TRY(memory_allocate(&plan->hashes, n, sizeof *plan->hashes, "hashes of images"));
  TRY(memory_allocate(&plan->place, n, sizeof *plan->place, "places of images"));
  return source->file ? dataset_read_hashes(source->file, plan->hashes, &plan->given) : STATUS_OK;
}

static Status check_splits(const Source *source, const ImageSet *set) {
  for (int s = 0; s < SPLITS; s++) {
    if (set->n[s] > 0) continue;
    return status_fail(STATUS_FAILED,
                       "%s: none of its %" PRId64
                       " images is for %s (by the hashes of their pixels, 8 of 10 are for "
                       "training, 1 for validation, 1 for the test): add images",
                       source->name, source->n, split_name((Split)s));
  }
  return STATUS_OK;
}

/* At most `limit` images of every split, in their order; split by split. */
static Status place_images(const Source *source, int64_t limit, Plan *plan, ImageSet *set) {
  for (int64_t i = 0; i < source->n; i++) {
    int64_t *n = &set->n[split_of(plan->hashes[i])];
    plan->place[i] = limit > 0 && *n >= limit ? -1 : (*n)++;
  }
  for (int s = 1; s < SPLITS; s++) set->first[s] = set->first[s - 1] + set->n[s - 1];
  for (int64_t i = 0; i < source->n; i++) {
    if (plan->place[i] >= 0) plan->place[i] += set->first[split_of(plan->hashes[i])];
  }
  return check_splits(source, set);
}

/* Collective. */
static Status make_plan(const Comm *comm, const Source *source, int64_t limit, Plan *plan,
                        ImageSet *set) {
  TRY(comm_agree(comm, start_plan(source, plan)));
  if (!plan->given) TRY(compute_hashes(comm, source, plan->hashes));
  return comm_agree(comm, place_images(source, limit, plan, set));
}

/* ---- Filling the memory ---- */

typedef struct {
  const Plan *plan;
  uint8_t *pixels;
} Filling;

static Status fill_image(const Source *source, void *context, int64_t i, const uint8_t *pixels) {
  const Filling *filling = context;
  int64_t bytes = image_bytes(source), place = filling->plan->place[i];
  if (place < 0) return STATUS_OK;
  if (filling->plan->given && split_hash(pixels, (size_t)bytes) != filling->plan->hashes[i]) {
    return status_fail(STATUS_FAILED,
                       "%s: /hash of image %" PRId64
                       " is not the XXH3-64 of its pixels: damaged or changed; convert the images "
                       "again",
                       source->name, i);
  }
  memcpy(filling->pixels + place * bytes, pixels, (size_t)bytes);
  return STATUS_OK;
}

/* Collective. */
static Status read_source(const Comm *comm, const Source *source, int64_t limit, Plan *plan,
                          ImageSet *set) {
  TRY(make_plan(comm, source, limit, plan, set));
  set->rows = source->rows;
  set->columns = source->columns;
  set->channels = source->channels;
  int64_t n = set->first[SPLITS - 1] + set->n[SPLITS - 1];
  TRY(shared_create(comm, (size_t)(n * image_bytes(source)), "the images", &set->shared));
  set->pixels = shared_data(set->shared);
  Filling filling = {plan, shared_data(set->shared)};
  return shared_ready(set->shared, visit_images(source, set->shared, fill_image, &filling));
}

Status image_set_create(const Comm *comm, const char *path, const char *dataset, int64_t limit,
                        ImageSet *set) {
  Source source = {0};
  Plan plan = {0};
  memset(set, 0, sizeof *set);
  Status status = *path ? open_file(path, dataset, &source) : open_sample(&source);
  status = comm_agree(comm, status);
  if (status == STATUS_OK) status = read_source(comm, &source, limit, &plan, set);
  free(plan.hashes);
  free(plan.place);
  close_source(&source);
  return status;
}

void image_set_destroy(ImageSet *set) {
  shared_destroy(set->shared);
  memset(set, 0, sizeof *set);
}

void image_set_values(const ImageSet *set, Split split, int64_t index, real *values) {
  const uint8_t *bytes = image_set_image(set, split, index);
  int64_t n = image_set_bytes(set);
  for (int64_t i = 0; i < n; i++) values[i] = (real)image_set_brightness(bytes[i]);
}

double image_set_all_bytes(const ImageSet *set) {
  int64_t images = 0;
  for (int i = 0; i < SPLITS; i++) images += set->n[i];
  return (double)(images * image_set_bytes(set));
}

Status image_set_as_is(const Config *config) {
  if (config_int(config, "data.size") == 0) return STATUS_OK;
  return config_reject(config, "data.size",
                       "sets of images are resized by `siren convert FOLDER SET.h5 size=...`");
}
