#include "experiments/mask.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/random.h"

static Status mark_random(const Config *config, Mask *mask) {
  double share = config_real(config, "inpaint.share");
  if (!(share > 0)) return config_reject(config, "inpaint.share", "no pixel would be known");
  int64_t count = llround(share * (double)mask->pixels);
  if (count < 1) count = 1;
  RandomStream stream = {(uint64_t)config_int(config, "seed"), RANDOM_MASK, 0};
  for (int64_t i = 0; i < count; i++) {
    mask->known[random_permute(stream, (uint64_t)i, (uint64_t)mask->pixels)] = true;
  }
  return STATUS_OK;
}

static void mark_bright(const Target *image, Mask *mask) {
  for (int64_t i = 0; i < mask->pixels; i++) {
    float sum = 0;
    for (int c = 0; c < image->channels; c++) sum += image->values[i * image->channels + c];
    mask->known[i] = sum > 0;
  }
}

static Status mark_by_file(const Config *config, const char *file, const Target *target,
                           Mask *mask) {
  Target image;
  TRY(target_read(config, file, &image));
  Status status = STATUS_OK;
  if (image.file_height != target->file_height || image.file_width != target->file_width) {
    status =
        status_fail(STATUS_FAILED, "%s: the mask has %d x %d pixels, the image %d x %d", file,
                    image.file_height, image.file_width, target->file_height, target->file_width);
  } else {
    mark_bright(&image, mask);
  }
  target_destroy(&image);
  return status;
}

static Status list_known(const char *file, Mask *mask) {
  for (int64_t i = 0; i < mask->pixels; i++) mask->count += mask->known[i];
  if (!mask->count) {
    return status_fail(STATUS_FAILED,
                       "%s: the mask is empty: known pixels must be white, also after data.size",
                       file);
  }
  TRY(memory_allocate(&mask->list, (size_t)mask->count, sizeof *mask->list, "the mask"));
  for (int64_t i = 0, k = 0; i < mask->pixels; i++) {
    if (mask->known[i]) mask->list[k++] = i;
  }
  return STATUS_OK;
}

Status mask_create(const Config *config, const Target *target, Mask *mask) {
  const char *file = config_text(config, "inpaint.mask");
  *mask = (Mask){.pixels = (int64_t)target->height * target->width};
  TRY(memory_allocate(&mask->known, (size_t)mask->pixels, sizeof *mask->known, "the mask"));
  TRY(*file ? mark_by_file(config, file, target, mask) : mark_random(config, mask));
  return list_known(file, mask);
}

void mask_destroy(Mask *mask) {
  free(mask->known);
  free(mask->list);
  memset(mask, 0, sizeof *mask);
}
