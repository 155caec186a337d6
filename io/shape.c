#include "io/shape.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "io/file.h"
#include "io/gzip.h"
#include "io/shape_formats.h"

typedef struct {
  const char *name, *ending;
  ShapeMatcher *matches;
  ShapeDecoder *decode;
} Format;

static const Format formats[] = {
#define SHAPE_FORMAT(name, ending, matches, decode) {name, ending, matches, decode},
#include "io/shape_formats.def"
#undef SHAPE_FORMAT
};
enum { FORMATS = sizeof formats / sizeof *formats };

void shape_destroy(Shape *shape) {
  free(shape->points);
  free(shape->normals);
  free(shape->triangles);
  memset(shape, 0, sizeof *shape);
}

/* Whether the name ends so, apart from ".gz". */
static bool has_ending(const char *name, const char *ending) {
  size_t length = strlen(name), ours = strlen(ending);
  if (length > 3 && !strcasecmp(name + length - 3, ".gz")) length -= 3;
  return length > ours && !strncasecmp(name + length - ours, ending, ours);
}

static const Format *format_of(const char *name, const unsigned char *data, size_t length) {
  for (int i = 0; i < FORMATS; i++) {
    if (formats[i].matches(data, length)) return &formats[i];
  }
  for (int i = 0; i < FORMATS; i++) {
    if (has_ending(name, formats[i].ending)) return &formats[i];
  }
  return NULL;
}

/* "PLY, OFF or STL", from the table. */
static void format_names(char *text, size_t size) {
  *text = 0;
  for (int i = 0; i < FORMATS; i++) {
    const char *joint = i == 0 ? "" : i == FORMATS - 1 ? " or " : ", ";
    strncat(text, joint, size - strlen(text) - 1);
    strncat(text, formats[i].name, size - strlen(text) - 1);
  }
}

static Status decode_plain(const char *name, const unsigned char *data, size_t length, Shape *shape,
                           char warning[512]) {
  if (!length) return status_fail(STATUS_FAILED, "%s: the file is empty", name);
  const Format *format = format_of(name, data, length);
  if (!format) {
    char names[80];
    format_names(names, sizeof names);
    return status_fail(STATUS_FAILED, "%s: not a %s file", name, names);
  }
  ShapeBuilder builder = {.name = name};
  Status status = format->decode(data, length, &builder);
  if (status == STATUS_OK) status = builder_finish(&builder, shape, warning);
  builder_destroy(&builder);
  return status;
}

Status shape_decode(const char *name, const unsigned char *data, size_t length, Shape *shape,
                    char warning[512]) {
  if (!gzip_is(data, length)) return decode_plain(name, data, length, shape, warning);
  unsigned char *unpacked;
  size_t unpacked_length;
  TRY(gzip_unpack(name, data, length, &unpacked, &unpacked_length));
  Status status = decode_plain(name, unpacked, unpacked_length, shape, warning);
  free(unpacked);
  return status;
}

Status shape_read(const char *path, Shape *shape, char warning[512]) {
  unsigned char *data;
  size_t length;
  TRY(file_read(path, &data, &length));
  Status status = shape_decode(path, data, length, shape, warning);
  free(data);
  return status;
}
