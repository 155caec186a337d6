/* STL, the text and the binary kind. Its facets share no points: equal places become one. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "core/memory.h"
#include "io/shape_formats.h"
#include "io/text.h"

enum { HEADER = 84, FACET = 50 }; /* bytes */

/* ---- Joining ---- */

/* A hash table of the points: open addressing, 0 is free, else number + 1. */
typedef struct {
  ShapeBuilder *builder;
  uint32_t *slots;
  size_t size; /* a power of two, over twice the number of points */
} Joiner;

static uint32_t *slot_of(const Joiner *joiner, const float point[3]) {
  size_t at = (size_t)XXH3_64bits(point, 3 * sizeof *point) & (joiner->size - 1);
  const float(*points)[3] = (const float(*)[3])joiner->builder->shape.points;
  while (joiner->slots[at] && memcmp(points[joiner->slots[at] - 1], point, 3 * sizeof *point)) {
    at = (at + 1) & (joiner->size - 1);
  }
  return &joiner->slots[at];
}

static Status make_room(Joiner *joiner) {
  const Shape *shape = &joiner->builder->shape;
  if (2 * ((size_t)shape->n_points + 1) < joiner->size) return STATUS_OK;
  free(joiner->slots);
  joiner->slots = NULL;
  joiner->size = joiner->size ? 2 * joiner->size : 64;
  TRY(memory_allocate(&joiner->slots, joiner->size, sizeof *joiner->slots, "joining points"));
  for (int64_t i = 0; i < shape->n_points; i++) {
    *slot_of(joiner, shape->points[i]) = (uint32_t)i + 1;
  }
  return STATUS_OK;
}

/* A corner at a place that may be a point already. */
static Status add_corner(Joiner *joiner, const double position[3]) {
  ShapeBuilder *builder = joiner->builder;
  TRY(make_room(joiner));
  TRY(builder_point(builder, position));
  float *last = builder->shape.points[builder->shape.n_points - 1];
  builder->shape.n_points--;
  uint32_t *slot = slot_of(joiner, last);
  if (!*slot) *slot = (uint32_t)++builder->shape.n_points;
  return builder_corner(builder, *slot - 1);
}

/* ---- Binary ---- */

static uint32_t little32(const unsigned char *bytes) {
  return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static bool is_binary(const unsigned char *data, size_t length) {
  return length >= HEADER && length == HEADER + FACET * (size_t)little32(data + HEADER - 4);
}

static Status read_corner(const unsigned char *bytes, size_t facet, Joiner *joiner) {
  double position[3];
  for (int k = 0; k < 3; k++) {
    uint32_t bits = little32(bytes + 4 * k);
    float value;
    memcpy(&value, &bits, sizeof value);
    if (!isfinite(value)) {
      return status_fail(STATUS_FAILED, "%s: a coordinate of facet %zu is not finite",
                         joiner->builder->name, facet + 1);
    }
    position[k] = (double)value;
  }
  return add_corner(joiner, position);
}

static Status read_binary(const unsigned char *data, size_t length, Joiner *joiner) {
  const char *name = joiner->builder->name;
  if (length < HEADER) {
    return status_fail(STATUS_FAILED,
                       "%s: neither begins with \"solid\" nor has the %d bytes of a "
                       "binary STL's header: truncated?",
                       name, HEADER);
  }
  size_t facets = little32(data + HEADER - 4);
  if (!is_binary(data, length)) {
    return status_fail(STATUS_FAILED,
                       "%s: says %zu facets, which take %zu bytes, but has %zu: "
                       "truncated or no STL?",
                       name, facets, HEADER + FACET * facets, length);
  }
  for (size_t i = 0; i < facets; i++) {
    const unsigned char *corner = data + HEADER + FACET * i + 12; /* behind the normal */
    for (int c = 0; c < 3; c++) TRY(read_corner(corner + 12 * c, i, joiner));
    TRY(builder_polygon(joiner->builder));
  }
  return STATUS_OK;
}

/* ---- Text ---- */

static bool is_text(const unsigned char *data, size_t length) {
  Text text = text_of("", data, length);
  Word word;
  return text_word(&text, &word) && word_is(word, "solid");
}

typedef struct {
  Joiner *joiner;
  bool in_solid, in_facet;
} StlText;

static Status begin_solid(StlText *stl, Text *line) {
  if (stl->in_solid) return text_fail(line, "\"solid\" within a solid");
  stl->in_solid = true;
  return STATUS_OK;
}

static Status end_solid(StlText *stl, Text *line) {
  if (!stl->in_solid || stl->in_facet) return text_fail(line, "\"endsolid\" out of place");
  stl->in_solid = false;
  return STATUS_OK;
}

static Status begin_facet(StlText *stl, Text *line) {
  if (!stl->in_solid || stl->in_facet) return text_fail(line, "\"facet\" out of place");
  stl->in_facet = true;
  return STATUS_OK;
}

static Status end_facet(StlText *stl, Text *line) {
  if (!stl->in_facet) return text_fail(line, "\"endfacet\" out of place");
  stl->in_facet = false;
  return builder_polygon(stl->joiner->builder);
}

static Status read_vertex(StlText *stl, Text *line) {
  double position[3];
  if (!stl->in_facet) return text_fail(line, "\"vertex\" out of place");
  for (int k = 0; k < 3; k++) TRY(text_number(line, "a coordinate", &position[k]));
  if (!text_is_over(line)) return text_fail(line, "a vertex of more than three coordinates");
  return add_corner(stl->joiner, position);
}

static Status ignore(StlText *stl, Text *line) {
  (void)line;
  return stl->in_facet ? STATUS_OK : text_fail(line, "a loop out of place");
}

static const struct {
  const char *word;
  Status (*read)(StlText *stl, Text *line);
} statements[] = {{"solid", begin_solid}, {"endsolid", end_solid}, {"facet", begin_facet},
                  {"outer", ignore},      {"vertex", read_vertex}, {"endloop", ignore},
                  {"endfacet", end_facet}};

static Status read_statement(StlText *stl, Text *line) {
  Word word;
  text_word(line, &word);
  for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) {
    if (word_is(word, statements[i].word)) return statements[i].read(stl, line);
  }
  return text_unexpected(line, "a statement of STL", word);
}

static Status read_text(const unsigned char *data, size_t length, Joiner *joiner) {
  Text text = text_of(joiner->builder->name, data, length), line;
  StlText stl = {.joiner = joiner};
  while (text_line(&text, 0, &line)) TRY(read_statement(&stl, &line));
  if (!stl.in_solid) return STATUS_OK;
  return text_unexpected(&text, "\"endsolid\"", (Word){0});
}

/* ---- Both ---- */

bool stl_matches(const unsigned char *data, size_t length) {
  return is_binary(data, length) || is_text(data, length);
}

Status stl_decode(const unsigned char *data, size_t length, ShapeBuilder *builder) {
  Joiner joiner = {.builder = builder};
  /* Some binary files begin with "solid", too. */
  bool text = !is_binary(data, length) && is_text(data, length);
  Status status = text ? read_text(data, length, &joiner) : read_binary(data, length, &joiner);
  free(joiner.slots);
  return status;
}
