#include <stdlib.h>
#include <string.h>
#include <turbojpeg.h>

#include "core/memory.h"
#include "io/image_formats.h"

/* TurboJPEG's last message less the name of its function. */
static Status jpeg_failed(tjhandle handle, const char *name) {
  const char *reason = tjGetErrorStr2(handle);
  const char *colon = strstr(reason, "(): ");
  return status_fail(STATUS_FAILED, "%s: damaged JPEG: %s", name, colon ? colon + 4 : reason);
}

static Status jpeg_pixels(tjhandle handle, const char *name, const unsigned char *data,
                          size_t length, Image *image) {
  int width = 0, height = 0, subsampling,
      colours = TJCS_RGB; /* not set by a file of tables alone */
  if (tjDecompressHeader3(handle, data, length, &width, &height, &subsampling, &colours) != 0) {
    return jpeg_failed(handle, name);
  }
  if (colours == TJCS_CMYK || colours == TJCS_YCCK) {
    return status_fail(STATUS_FAILED, "%s: CMYK JPEG is not supported: convert it to RGB", name);
  }
  TRY(image_check_size(name, length, (unsigned long)height, (unsigned long)width));
  int channels = colours == TJCS_GRAY ? 1 : 3;
  unsigned char *bytes;
  TRY(memory_allocate(&bytes, (size_t)height * (size_t)width, (size_t)channels, "a JPEG"));
  /* Its warnings are failures too: they mean that part of the picture is made up. */
  Status status = STATUS_OK;
  if (tjDecompress2(handle, data, length, bytes, width, 0, height,
                    channels == 1 ? TJPF_GRAY : TJPF_RGB, TJFLAG_LIMITSCANS) != 0) {
    status = jpeg_failed(handle, name);
  }
  if (status == STATUS_OK) status = image_from_samples(bytes, height, width, channels, 255, image);
  free(bytes);
  return status;
}

Status jpeg_decode(const char *name, const unsigned char *data, size_t length, Image *image) {
  tjhandle handle = tjInitDecompress();
  if (!handle) return status_fail(STATUS_FAILED, "%s: TurboJPEG does not start", name);
  Status status = jpeg_pixels(handle, name, data, length, image);
  tjDestroy(handle);
  return status;
}
