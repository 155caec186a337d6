/* Folders, archives and IDX files of images into data sets. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "experiments/convert_parts.h"
#include "experiments/progress.h"
#include "io/dataset.h"
#include "io/image_files.h"
#include "io/split.h"
#include "io/spool.h"

/* One image has no others to be compared with, and none that it was not trained on. */
enum { LEAST_IMAGES = 2 };

/* Archives hold their files in any order: images wait on disk until all names are known. */
typedef struct {
  const Conversion *conversion;
  ImageFiles *files;
  Spool *spool;
  int height, width, channels; /* of every image; 0: none has come yet */
  char *first;                 /* the name of the first */
  size_t bytes;                /* of an image */
  uint8_t *pixels;             /* of one image */
  int64_t n, skipped, total;   /* images, files left out, all; total 0: unknown */
  char **names;                /* [n]; of IDX files "" */
  size_t capacity;
} Set;

/* ---- One image ---- */

static Status resize(const Conversion *conversion, Image *image) {
  Image resized;
  int size = conversion->size;
  if (image->height != image->width) TRY(image_crop_square(image));
  if (image->height == size) return STATUS_OK;
  TRY(image_resize_by(conversion->filter, image, size, size, &resized));
  image_destroy(image);
  *image = resized;
  return STATUS_OK;
}

static Status prepare(const Conversion *conversion, Image *image) {
  if (conversion->channels == 1) TRY(image_to_grey(image));
  if (conversion->size > 0) TRY(resize(conversion, image));
  return conversion->channels == 3 ? image_to_rgb(image) : STATUS_OK;
}

/* The first image says what all are like. */
static Status begin_set(Set *set, const char *name, const Image *image) {
  set->height = image->height;
  set->width = image->width;
  set->channels = image->channels;
  set->bytes = (size_t)image->height * (size_t)image->width * (size_t)image->channels;
  set->first = strdup(name);
  if (!set->first) return status_fail(STATUS_FAILED, "%s: out of memory", set->conversion->from);
  TRY(memory_allocate(&set->pixels, set->bytes, 1, "an image"));
  return spool_create(set->conversion->to, set->bytes, &set->spool);
}

static Status check_alike(const Set *set, const char *name, const Image *image) {
  const char *from = set->conversion->from;
  if (image->height != set->height || image->width != set->width) {
    return status_fail(STATUS_FAILED,
                       "%s: %s is %dx%d, %s is %dx%d pixels; images of a set have one size: "
                       "set size=32 or the like",
                       from, set->first, set->width, set->height, name, image->width,
                       image->height);
  }
  if (image->channels == set->channels) return STATUS_OK;
  bool grey = set->channels == 1;
  return status_fail(STATUS_FAILED,
                     "%s: %s is grey, %s is in colour; set channels=grey or channels=rgb", from,
                     grey ? set->first : name, grey ? name : set->first);
}

static Status add_name(Set *set, const char *name) {
  size_t count = (size_t)set->n + 1;
  TRY(memory_grow(&set->names, &set->capacity, count, sizeof *set->names, "names of images"));
  char *copy = strdup(name);
  if (!copy) {
    return status_fail(STATUS_FAILED, "%s: out of memory for names", set->conversion->from);
  }
  set->names[set->n++] = copy;
  return STATUS_OK;
}

static Status add_image(Set *set, const char *name, Image *image) {
  TRY(prepare(set->conversion, image));
  if (!set->first) TRY(begin_set(set, name, image));
  TRY(check_alike(set, name, image));
  for (size_t i = 0; i < set->bytes; i++) {
    set->pixels[i] = (uint8_t)lrintf(image->pixels[i] * 255);
  }
  TRY(spool_add(set->spool, set->pixels));
  return add_name(set, name);
}

/* ---- All images ---- */

/* An image that cannot be read ends it, or is left out. */
static Status read_image(Set *set, const char *name) {
  Image image = {0};
  Status status = image_files_decode(set->files, &image);
  if (status == STATUS_FAILED && set->conversion->skip) {
    fprintf(stderr, "siren: warning: skipped: %s\n", status_message());
    set->skipped++;
    return STATUS_OK;
  }
  if (status == STATUS_OK) status = add_image(set, name, &image);
  image_destroy(&image);
  return status;
}

static Status collect(Set *set) {
  Progress progress = progress_start(false, "convert", 0, set->total, NULL);
  Status status = STATUS_OK;
  for (const char *name; status == STATUS_OK;) {
    status = convert_go_on(set->conversion);
    if (status == STATUS_OK) status = image_files_next(set->files, &name);
    if (status != STATUS_OK || !name) break;
    status = read_image(set, name);
    progress_count(&progress, set->n + set->skipped, "images");
  }
  progress_break(&progress);
  return status;
}

static Status check_number(const Set *set) {
  const char *from = set->conversion->from;
  if (set->skipped) {
    fprintf(stderr, "siren: warning: %s: skipped %" PRId64 " of %" PRId64 " images\n", from,
            set->skipped, set->n + set->skipped);
  }
  if (set->n >= LEAST_IMAGES) return STATUS_OK;
  if (set->n == 0 && set->skipped == 0) {
    return status_fail(STATUS_FAILED, "%s: has no images (files that end in .png, .jpg or .jpeg)",
                       from);
  }
  return status_fail(STATUS_FAILED,
                     "%s: has %s image%s; a set needs %d, to learn from some and test on others",
                     from, set->n ? "only one" : "no readable", set->n ? "" : "s", LEAST_IMAGES);
}

/* ---- Writing ---- */

typedef struct {
  const char *name;
  int64_t index;
} Place;

static int compare(const void *a, const void *b) {
  const Place *first = a, *second = b;
  int order = strcmp(first->name, second->name);
  return order ? order : (first->index > second->index) - (first->index < second->index);
}

/* In order of their names; hashes [n] of the images. */
static Status write_images(const Set *set, DatasetWriter *writer, const Place *places,
                           uint64_t *hashes) {
  for (int64_t i = 0; i < set->n; i++) {
    TRY(convert_go_on(set->conversion));
    TRY(spool_read(set->spool, places[i].index, set->pixels));
    TRY(dataset_append(writer, 1, set->pixels));
    hashes[i] = split_hash(set->pixels, set->bytes);
  }
  return STATUS_OK;
}

static Status write_names(const Set *set, DatasetWriter *writer, const Place *places) {
  const char **names;
  if (!*places[0].name) return STATUS_OK;
  TRY(memory_allocate(&names, (size_t)set->n, sizeof *names, "names of images"));
  for (int64_t i = 0; i < set->n; i++) names[i] = places[i].name;
  Status status = dataset_add_names(writer, set->n, names);
  free(names);
  return status;
}

static Status write_made(const Conversion *conversion, DatasetWriter *writer) {
  static const char *const colours[] = {"", ", as grey", "", ", as RGB"};
  char text[160];
  int length = snprintf(text, sizeof text, "pixels as they were");
  if (conversion->size > 0) {
    length = snprintf(text, sizeof text, "centre squares, %dx%d by PIL's %s filter",
                      conversion->size, conversion->size, image_filter_name(conversion->filter));
  }
  snprintf(text + length, sizeof text - (size_t)length, "%s", colours[conversion->channels]);
  return dataset_add_made(writer, text);
}

static Status fill(const Set *set, DatasetWriter *writer, const Place *places) {
  uint64_t *hashes;
  TRY(memory_allocate(&hashes, (size_t)set->n, sizeof *hashes, "hashes of images"));
  Status status = write_images(set, writer, places, hashes);
  if (status == STATUS_OK) status = dataset_add_hashes(writer, set->n, hashes);
  if (status == STATUS_OK) status = write_names(set, writer, places);
  if (status == STATUS_OK) status = write_made(set->conversion, writer);
  free(hashes);
  return status;
}

static Status write_set(const Set *set) {
  DatasetInfo info = {.kind = "images",
                      .axes = "image,row,column",
                      .units = "1",
                      .n_axes = 3,
                      .size = {0, set->height, set->width},
                      .components = set->channels,
                      .type = SAMPLE_U8};
  DatasetWriter *writer = NULL;
  Place *places;
  strcpy(info.description, set->channels == 3 ? "red, green, blue as shares of full brightness"
                                              : "shares of full brightness");
  TRY(memory_allocate(&places, (size_t)set->n, sizeof *places, "the order of images"));
  for (int64_t i = 0; i < set->n; i++) places[i] = (Place){set->names[i], i};
  qsort(places, (size_t)set->n, sizeof *places, compare);
  Status status = dataset_create(set->conversion->to, &info, &writer);
  if (status == STATUS_OK) status = dataset_finish(writer, fill(set, writer, places));
  free(places);
  return status;
}

/* ---- The three sources ---- */

static void destroy(Set *set) {
  for (int64_t i = 0; i < set->n; i++) free(set->names[i]);
  free(set->names);
  free(set->first);
  free(set->pixels);
  spool_destroy(set->spool);
  image_files_close(set->files);
}

static Status convert_set(const Conversion *conversion, ImageFilesKind kind) {
  Set set = {.conversion = conversion};
  TRY(image_files_open(conversion->from, kind, &set.files));
  set.total = image_files_total(set.files);
  Status status = collect(&set);
  if (status == STATUS_OK) status = check_number(&set);
  if (status == STATUS_OK) status = write_set(&set);
  destroy(&set);
  return status;
}

Status convert_folder_in(const Conversion *conversion) {
  return convert_set(conversion, IMAGE_FILES_FOLDER);
}

Status convert_archive_in(const Conversion *conversion) {
  return convert_set(conversion, IMAGE_FILES_TAR);
}

Status convert_idx_in(const Conversion *conversion) {
  return convert_set(conversion, IMAGE_FILES_IDX);
}
