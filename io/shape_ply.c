/* PLY (Stanford): text and both binary kinds; vertices and faces out of any elements and properties
 * that the header declares. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "io/shape_formats.h"
#include "io/shape_ply_header.h"

typedef struct {
  PlyHeader header;
  Text text; /* what is left of the file */
  ShapeBuilder *builder;
  const PlyElement *vertices; /* NULL: not met yet */
} Ply;

/* ---- Values ---- */

static const int sizes[PLY_TYPES] = {1, 1, 2, 2, 4, 4, 4, 8};

static double value_of(PlyType type, uint64_t bits) {
  float f;
  double d;
  uint32_t low = (uint32_t)bits;
  switch (type) {
    case PLY_INT8:
      return (int8_t)bits;
    case PLY_INT16:
      return (int16_t)bits;
    case PLY_INT32:
      return (int32_t)bits;
    case PLY_FLOAT32:
      memcpy(&f, &low, sizeof f);
      return (double)f;
    case PLY_FLOAT64:
      memcpy(&d, &bits, sizeof d);
      return d;
    default:
      return (double)bits;
  }
}

/* The next value; false: the file ends before it. */
static bool take_bytes(Ply *ply, PlyType type, double *value) {
  int size = sizes[type];
  if (ply->text.end - ply->text.at < size) return false;
  const unsigned char *bytes = (const unsigned char *)ply->text.at;
  uint64_t bits = 0;
  for (int i = 0; i < size; i++) {
    bits = bits << 8 | bytes[ply->header.encoding == PLY_BIG ? i : size - 1 - i];
  }
  ply->text.at += size;
  *value = value_of(type, bits);
  return true;
}

static Status take(Ply *ply, const PlyElement *element, int64_t number, PlyType type,
                   double *value) {
  if (ply->header.encoding == PLY_TEXT) return text_any_number(&ply->text, "a number", value);
  if (take_bytes(ply, type, value)) return STATUS_OK;
  return status_fail(STATUS_FAILED, "%s: ends in %s %" PRId64 " of %" PRId64 ": truncated?",
                     ply->text.name, element->name, number + 1, element->count);
}

/* ---- Elements ---- */

static Status bad_element(const Ply *ply, const PlyElement *element, int64_t number,
                          const char *what, double value) {
  return status_fail(STATUS_FAILED, "%s: %s %" PRId64 " of %" PRId64 " has %s %.17g",
                     ply->text.name, element->name, number + 1, element->count, what, value);
}

/* `corners` is the property whose list goes to the builder as corners; -1: none does. Scalars come
 * to values[property]. */
static Status read_row(Ply *ply, const PlyElement *element, int64_t number, int corners,
                       double values[PLY_MOST_PROPERTIES]) {
  double n, item;
  for (int p = 0; p < element->n_properties; p++) {
    const PlyProperty *property = &element->properties[p];
    if (!property->is_list) {
      TRY(take(ply, element, number, property->type, &values[p]));
      continue;
    }
    TRY(take(ply, element, number, property->count, &n));
    if (!(n >= 0 && n == floor(n))) return bad_element(ply, element, number, "a list of length", n);
    for (double i = 0; i < n; i++) {
      TRY(take(ply, element, number, property->type, &item));
      if (p != corners) continue;
      if (!(item >= 0 && item < (double)ply->vertices->count && item == floor(item))) {
        return bad_element(ply, element, number, "a corner that does not exist: vertex", item);
      }
      TRY(builder_corner(ply->builder, (int64_t)item));
    }
  }
  return STATUS_OK;
}

static Status lacks(const Ply *ply, const char *what) {
  return status_fail(STATUS_FAILED, "%s: the PLY header has no %s", ply->text.name, what);
}

static Status read_vertices(Ply *ply, const PlyElement *element) {
  static const char *const names[6] = {"x", "y", "z", "nx", "ny", "nz"};
  double values[PLY_MOST_PROPERTIES];
  int at[6], found = 0;
  while (found < 6) {
    at[found] = ply_property(element, names[found]);
    if (at[found] < 0 || element->properties[at[found]].is_list) break;
    found++;
  }
  if (found < 3) return lacks(ply, "numbers x, y and z for vertices");
  ply->vertices = element;
  for (int64_t i = 0; i < element->count; i++) {
    TRY(read_row(ply, element, i, -1, values));
    double point[3], normal[3];
    for (int k = 0; k < 3; k++) point[k] = values[at[k]];
    TRY(builder_point(ply->builder, point));
    if (found < 6) continue;
    for (int k = 0; k < 3; k++) normal[k] = values[at[3 + k]];
    TRY(builder_normal(ply->builder, normal));
  }
  return STATUS_OK;
}

static Status read_faces(Ply *ply, const PlyElement *element) {
  double values[PLY_MOST_PROPERTIES];
  int corners = ply_property(element, "vertex_indices");
  if (corners < 0) corners = ply_property(element, "vertex_index");
  if (corners < 0 || !element->properties[corners].is_list) {
    return lacks(ply, "list vertex_indices or vertex_index for faces");
  }
  if (!ply->vertices) return lacks(ply, "vertices before the faces");
  for (int64_t i = 0; i < element->count; i++) {
    TRY(read_row(ply, element, i, corners, values));
    TRY(builder_polygon(ply->builder));
  }
  return STATUS_OK;
}

static Status refuse_strips(Ply *ply, const PlyElement *element) {
  if (!element->count) return STATUS_OK;
  return status_fail(STATUS_FAILED, "%s: has triangle strips: save it with faces", ply->text.name);
}

static Status pass_over(Ply *ply, const PlyElement *element) {
  double values[PLY_MOST_PROPERTIES];
  if (!element->n_properties) return STATUS_OK; /* however many there are */
  for (int64_t i = 0; i < element->count; i++) TRY(read_row(ply, element, i, -1, values));
  return STATUS_OK;
}

static const struct {
  const char *name;
  Status (*read)(Ply *ply, const PlyElement *element);
} kinds[] = {{"vertex", read_vertices}, {"face", read_faces}, {"tristrips", refuse_strips}};

static Status read_element(Ply *ply, const PlyElement *element) {
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    if (!strcmp(element->name, kinds[i].name)) return kinds[i].read(ply, element);
  }
  return pass_over(ply, element);
}

bool ply_matches(const unsigned char *data, size_t length) {
  return length >= 4 && !memcmp(data, "ply", 3) && (data[3] == '\n' || data[3] == '\r');
}

Status ply_decode(const unsigned char *data, size_t length, ShapeBuilder *builder) {
  Ply ply = {.text = text_of(builder->name, data, length), .builder = builder};
  TRY(ply_header(&ply.text, &ply.header));
  for (int i = 0; i < ply.header.n_elements; i++) {
    TRY(read_element(&ply, &ply.header.elements[i]));
  }
  if (ply.header.encoding == PLY_TEXT ? text_is_over(&ply.text) : ply.text.at == ply.text.end) {
    return STATUS_OK;
  }
  return status_fail(STATUS_FAILED, "%s: goes on for %td bytes after the last element: damaged?",
                     builder->name, ply.text.end - ply.text.at);
}
