/* OFF (Object File Format of Geomview), the text kind: [ST][C][N]OFF, the counts of vertices, faces
 * and edges, then a vertex a line (x y z, with N also nx ny nz, then what concerns us not) and a
 * face a line (count, corners, perhaps a colour). */
#include <string.h>

#include "io/shape_formats.h"
#include "io/text.h"

typedef struct {
  Text text;
  int64_t vertices, faces;
  bool normals;
} Off;

static bool skip(Word *word, const char *prefix) {
  size_t length = strlen(prefix);
  if (word->length < length || memcmp(word->at, prefix, length)) return false;
  word->at += length;
  word->length -= length;
  return true;
}

/* The first word of the file; what is left of it are the counts of careless writers ("OFF8 6 0").
 */
static bool keyword(Word *word, bool *normals) {
  skip(word, "ST");
  skip(word, "C");
  *normals = skip(word, "N");
  return skip(word, "OFF");
}

bool off_matches(const unsigned char *data, size_t length) {
  Text text = text_of("", data, length), line;
  Word word;
  bool normals;
  return text_line(&text, '#', &line) && text_word(&line, &word) && keyword(&word, &normals);
}

static Status read_counts(Off *off, Text *line) {
  TRY(text_integer(line, "the number of vertices", &off->vertices));
  TRY(text_integer(line, "the number of faces", &off->faces));
  if (off->vertices >= 0 && off->faces >= 0) return STATUS_OK;
  return text_fail(line, "a number of vertices or faces is negative");
}

static Status read_header(Off *off) {
  Text line;
  Word word = {0};
  if (!text_line(&off->text, '#', &line)) return text_unexpected(&off->text, "\"OFF\"", word);
  text_word(&line, &word);
  Word whole = word;
  if (!keyword(&word, &off->normals)) {
    return text_unexpected(&line, "\"OFF\", with \"ST\", \"C\" or \"N\" before it", whole);
  }
  if (word.length) line.at = word.at; /* "OFF8 6 0" */
  if (text_is_over(&line) && !text_line(&off->text, '#', &line)) {
    return text_unexpected(&off->text, "the number of vertices", (Word){0});
  }
  return read_counts(off, &line);
}

static Status read_vertex(Off *off, ShapeBuilder *builder) {
  Text line;
  double position[3], normal[3];
  if (!text_line(&off->text, '#', &line)) {
    return text_fail(&off->text, "the file ends after %lld of %lld vertices: truncated?",
                     (long long)builder->shape.n_points, (long long)off->vertices);
  }
  for (int k = 0; k < 3; k++) TRY(text_number(&line, "a coordinate", &position[k]));
  TRY(builder_point(builder, position));
  if (!off->normals) return STATUS_OK;
  for (int k = 0; k < 3; k++) TRY(text_number(&line, "a normal", &normal[k]));
  return builder_normal(builder, normal);
}

static Status read_face(Off *off, ShapeBuilder *builder) {
  Text line;
  int64_t corners, corner;
  if (!text_line(&off->text, '#', &line)) {
    return text_fail(&off->text, "the file ends after %lld of %lld faces: truncated?",
                     (long long)builder->polygons, (long long)off->faces);
  }
  TRY(text_integer(&line, "the number of a face's corners", &corners));
  if (corners < 1) return text_fail(&line, "a face has %lld corners", (long long)corners);
  for (int64_t i = 0; i < corners; i++) {
    TRY(text_integer(&line, "a corner", &corner));
    if (corner < 0 || corner >= off->vertices) {
      return text_fail(&line, "a corner is vertex %lld, but they are 0 to %lld", (long long)corner,
                       (long long)off->vertices - 1);
    }
    TRY(builder_corner(builder, corner));
  }
  return builder_polygon(builder);
}

Status off_decode(const unsigned char *data, size_t length, ShapeBuilder *builder) {
  Off off = {.text = text_of(builder->name, data, length)};
  TRY(read_header(&off));
  for (int64_t i = 0; i < off.vertices; i++) TRY(read_vertex(&off, builder));
  for (int64_t i = 0; i < off.faces; i++) TRY(read_face(&off, builder));
  Text line;
  if (!text_line(&off.text, '#', &line)) return STATUS_OK;
  return text_fail(&line, "goes on after the %lld vertices and %lld faces of the header",
                   (long long)off.vertices, (long long)off.faces);
}
