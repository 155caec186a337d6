/* OBJ (Wavefront): vertices, normals and faces; colours, textures, groups, lines and the like are
 * passed over, free-form curves and surfaces refused. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "io/shape_formats.h"
#include "io/text.h"

enum { NONE = -1, SEVERAL = -2 };

typedef struct {
  ShapeBuilder *builder;
  ShapeBuilder normals; /* the file's list of them, as points */
  int32_t *normal_of;   /* per vertex: its normal's number, NONE or SEVERAL */
  size_t capacity;
} Obj;

static Status read_vertex(Obj *obj, Text *line) {
  double position[3];
  for (int k = 0; k < 3; k++) TRY(text_number(line, "a coordinate", &position[k]));
  int64_t n = obj->builder->shape.n_points;
  TRY(memory_grow(&obj->normal_of, &obj->capacity, (size_t)n + 1, sizeof *obj->normal_of,
                  "the normals of a shape"));
  obj->normal_of[n] = NONE;
  return builder_point(obj->builder, position);
}

static Status read_normal(Obj *obj, Text *line) {
  double normal[3];
  for (int k = 0; k < 3; k++) TRY(text_number(line, "a normal", &normal[k]));
  return builder_point(&obj->normals, normal);
}

/* The number of an element, from 1, or from the last one backwards: -1, -2, ... */
static Status read_index(const Text *line, Word word, const char *what, int64_t count,
                         int64_t *index) {
  TRY(text_integer_of(line, word, what, index));
  if (*index >= 1 && *index <= count) {
    --*index;
  } else if (*index < 0 && *index >= -count) {
    *index += count;
  } else {
    return text_fail(line, "%s is number %" PRId64 ", but there are %" PRId64 " so far", what,
                     *index, count);
  }
  return STATUS_OK;
}

static bool same_direction(const float *a, const float *b) {
  double ab = 0, aa = 0, bb = 0;
  for (int k = 0; k < 3; k++) {
    ab += (double)a[k] * (double)b[k];
    aa += (double)a[k] * (double)a[k];
    bb += (double)b[k] * (double)b[k];
  }
  return ab >= (1 - 1e-6) * sqrt(aa * bb);
}

/* A point has one normal where all its corners agree. */
static void meet_normal(Obj *obj, int64_t vertex, int64_t normal) {
  int32_t *known = &obj->normal_of[vertex];
  float(*list)[3] = obj->normals.shape.points;
  if (*known == NONE) {
    *known = (int32_t)normal;
  } else if (*known >= 0 && !same_direction(list[*known], list[normal])) {
    *known = SEVERAL;
  }
}

/* "vertex", "vertex/texture", "vertex//normal" or "vertex/texture/normal" */
static Status read_corner(Obj *obj, const Text *line, Word word) {
  const char *end = word.at + word.length;
  const char *slash = memchr(word.at, '/', word.length);
  const char *second = slash ? memchr(slash + 1, '/', (size_t)(end - slash - 1)) : NULL;
  Word vertex = {word.at, (size_t)((slash ? slash : end) - word.at)};
  int64_t index, normal;
  TRY(read_index(line, vertex, "a corner", obj->builder->shape.n_points, &index));
  if (second) {
    Word last = {second + 1, (size_t)(end - second - 1)};
    TRY(read_index(line, last, "a corner's normal", obj->normals.shape.n_points, &normal));
    meet_normal(obj, index, normal);
  }
  return builder_corner(obj->builder, index);
}

static Status read_face(Obj *obj, Text *line) {
  for (Word word; text_word(line, &word);) TRY(read_corner(obj, line, word));
  if (obj->builder->n_corners < 3) return text_fail(line, "a face of fewer than three corners");
  return builder_polygon(obj->builder);
}

static Status pass_over(Obj *obj, Text *line) {
  (void)obj;
  (void)line;
  return STATUS_OK;
}

static const struct {
  const char *word;
  Status (*read)(Obj *obj, Text *line);
} statements[] = {{"v", read_vertex},      {"vn", read_normal},      {"f", read_face},
                  {"vt", pass_over},       {"vp", pass_over},        {"o", pass_over},
                  {"g", pass_over},        {"s", pass_over},         {"l", pass_over},
                  {"p", pass_over},        {"mtllib", pass_over},    {"usemtl", pass_over},
                  {"usemap", pass_over},   {"maplib", pass_over},    {"mg", pass_over},
                  {"lod", pass_over},      {"bevel", pass_over},     {"c_interp", pass_over},
                  {"d_interp", pass_over}, {"trace_obj", pass_over}, {"shadow_obj", pass_over}};
enum { STATEMENTS = sizeof statements / sizeof *statements };

static int statement_of(Text *line, Word *word) {
  int i = 0;
  text_word(line, word);
  while (i < STATEMENTS && !word_is(*word, statements[i].word)) i++;
  return i;
}

bool obj_matches(const unsigned char *data, size_t length) {
  Text text = text_of("", data, length), line;
  Word word;
  return text_line(&text, '#', &line) && statement_of(&line, &word) < STATEMENTS;
}

/* The points' normals: a mesh's are those of its corners, a cloud's those of the same number. */
static Status take_normals(Obj *obj) {
  ShapeBuilder *builder = obj->builder;
  const Shape *list = &obj->normals.shape;
  bool cloud = builder->polygons == 0;
  if (!list->n_points || (cloud && list->n_points != builder->shape.n_points)) return STATUS_OK;
  for (int64_t i = 0; i < builder->shape.n_points; i++) {
    int64_t number = cloud ? i : obj->normal_of[i];
    double normal[3] = {0};
    for (int k = 0; k < 3 && number >= 0; k++) normal[k] = (double)list->points[number][k];
    builder->creases += number == SEVERAL;
    TRY(builder_normal(builder, normal));
  }
  return STATUS_OK;
}

static Status decode(Obj *obj, Text text) {
  Text line;
  while (text_line(&text, '#', &line)) {
    Word word;
    int i = statement_of(&line, &word);
    if (i == STATEMENTS) return text_unexpected(&line, "a statement of OBJ (v, vn, f, ...)", word);
    TRY(statements[i].read(obj, &line));
  }
  return take_normals(obj);
}

Status obj_decode(const unsigned char *data, size_t length, ShapeBuilder *builder) {
  builder->open_end = length && data[length - 1] != '\n';
  Obj obj = {.builder = builder, .normals = {.name = builder->name}};
  Status status = decode(&obj, text_of(builder->name, data, length));
  builder_destroy(&obj.normals);
  free(obj.normal_of);
  return status;
}
