#include "experiments/target.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "experiments/stencil.h"
#include "io/image.h"

static Status convert(const Config *config, Image *image) {
  const char *colour = config_text(config, "data.colour");
  if (!strcmp(colour, "grey")) TRY(image_to_grey(image));
  if (!strcmp(colour, "rgb")) TRY(image_to_rgb(image));
  if (config_bool(config, "data.crop")) TRY(image_crop_square(image));
  int size = (int)config_int(config, "data.size");
  if (!size) return STATUS_OK;
  Image resized;
  TRY(image_resize(image, size, size, &resized));
  image_destroy(image);
  *image = resized;
  return STATUS_OK;
}

static Status fill(const Image *image, Target *target) {
  size_t n = (size_t)image->height * (size_t)image->width * (size_t)image->channels;
  *target = (Target){.height = image->height, .width = image->width, .channels = image->channels};
  TRY(memory_allocate(&target->values, n, sizeof *target->values, "the image"));
  for (size_t i = 0; i < n; i++) target->values[i] = (image->pixels[i] - 0.5f) / 0.5f;
  return STATUS_OK;
}

Status target_read(const Config *config, const char *file, Target *target) {
  Image image;
  TRY(image_read(file, &image));
  int height = image.height, width = image.width;
  Status status = convert(config, &image);
  if (status == STATUS_OK) status = fill(&image, target);
  if (status == STATUS_OK) target->file_height = height, target->file_width = width;
  image_destroy(&image);
  return status;
}

void target_destroy(Target *target) {
  free(target->values);
  memset(target, 0, sizeof *target);
}

int target_side(const Target *target) {
  return target->height < target->width ? target->height : target->width;
}

ResultFields target_fields(const Target *target) {
  ResultFields what = {.grid = plane_grid(target->height, target->width),
                       .wanted = {true, true, true},
                       .keep = true,
                       .axes = "row,column"};
  for (int i = 0; i < 2; i++) { /* a side of one pixel lies at 0 */
    if (what.grid.size[i] == 1) what.grid.lower[i] = what.grid.upper[i] = 0;
  }
  return what;
}

Status target_differentiate(const Target *target, Plane *truth) {
  size_t pixels = (size_t)target->height * (size_t)target->width;
  size_t values = pixels * (size_t)target->channels;
  float *gradient = NULL, *laplacian = NULL;
  *truth = (Plane){target->height, target->width, target->channels, {target->values}};
  TRY(memory_allocate(&gradient, 2 * values, sizeof *gradient, "the target's gradient"));
  truth->field[FIELD_GRADIENT] = gradient;
  TRY(memory_allocate(&laplacian, values, sizeof *laplacian, "the target's Laplacian"));
  truth->field[FIELD_LAPLACIAN] = laplacian;
  stencil_gradient(target->values, target->height, target->width, target->channels, gradient);
  stencil_laplacian(target->values, target->height, target->width, target->channels, laplacian);
  return STATUS_OK;
}

Status target_store(Result *result, const ResultFields *what, const Plane *truth) {
  static const struct {
    const char *name, *description;
  } fields[FIELD_COUNT] = {
      [FIELD_VALUE] = {"target_value", "the image f on [-1, 1]"},
      [FIELD_GRADIENT] = {"target_gradient",
                          "Sobel differences of f (kernels divided by 8, borders reflected) in "
                          "network coordinates, where a pixel is 2/(n-1)"},
      [FIELD_LAPLACIAN] = {"target_laplacian",
                           "5-point differences of f (borders reflected) in network coordinates, "
                           "where a pixel is 2/(n-1)"},
  };
  for (FieldKind kind = 0; kind < FIELD_COUNT; kind++) {
    int components = (kind == FIELD_GRADIENT ? 2 : 1) * truth->channels;
    TRY(result_whole_field(result, fields[kind].name, fields[kind].description, what, components,
                           truth->field[kind]));
  }
  return STATUS_OK;
}
