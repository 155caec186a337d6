#include "io/shape_ply_header.h"

#include <string.h>

static const char *const encodings[] = {
    [PLY_TEXT] = "ascii", [PLY_LITTLE] = "binary_little_endian", [PLY_BIG] = "binary_big_endian"};

static const char *const types[PLY_TYPES][2] = {
    [PLY_INT8] = {"char", "int8"},        [PLY_UINT8] = {"uchar", "uint8"},
    [PLY_INT16] = {"short", "int16"},     [PLY_UINT16] = {"ushort", "uint16"},
    [PLY_INT32] = {"int", "int32"},       [PLY_UINT32] = {"uint", "uint32"},
    [PLY_FLOAT32] = {"float", "float32"}, [PLY_FLOAT64] = {"double", "float64"}};

static Status read_format(PlyHeader *header, Text *line) {
  Word word;
  text_word(line, &word);
  for (PlyEncoding i = PLY_TEXT; i <= PLY_BIG; i++) {
    if (!word.at || !word_is(word, encodings[i])) continue;
    header->encoding = i;
    if (text_word(line, &word) && word_is(word, "1.0")) return STATUS_OK;
    return text_unexpected(line, "version 1.0", word);
  }
  return text_unexpected(line, "ascii, binary_little_endian or binary_big_endian", word);
}

static Status read_element(PlyHeader *header, Text *line) {
  if (header->n_elements == PLY_MOST_ELEMENTS) {
    return text_fail(line, "more than %d elements", PLY_MOST_ELEMENTS);
  }
  PlyElement *element = &header->elements[header->n_elements];
  Word word;
  if (!text_word(line, &word)) return text_unexpected(line, "the name of an element", word);
  word_copy(word, element->name, PLY_NAME);
  for (int i = 0; i < header->n_elements; i++) {
    if (!strcmp(header->elements[i].name, element->name)) {
      return text_fail(line, "the element comes a second time");
    }
  }
  TRY(text_integer(line, "the number of elements", &element->count));
  if (element->count < 0 || element->count > INT32_MAX) {
    return text_fail(line, "%lld elements: expected 0 to %d", (long long)element->count, INT32_MAX);
  }
  header->n_elements++;
  return STATUS_OK;
}

static Status read_type(Text *line, Word word, PlyType *type) {
  for (PlyType i = 0; word.at && i < PLY_TYPES; i++) {
    if (!word_is(word, types[i][0]) && !word_is(word, types[i][1])) continue;
    *type = i;
    return STATUS_OK;
  }
  return text_unexpected(line, "a type (float, int, uchar, ...)", word);
}

static Status read_property(PlyHeader *header, Text *line) {
  if (!header->n_elements) return text_fail(line, "a property before the first element");
  PlyElement *element = &header->elements[header->n_elements - 1];
  if (element->n_properties == PLY_MOST_PROPERTIES) {
    return text_fail(line, "more than %d properties", PLY_MOST_PROPERTIES);
  }
  PlyProperty *property = &element->properties[element->n_properties];
  Word word;
  text_word(line, &word);
  property->is_list = word.at && word_is(word, "list");
  if (property->is_list) {
    text_word(line, &word);
    TRY(read_type(line, word, &property->count));
    if (property->count >= PLY_FLOAT32) return text_fail(line, "a list's length is no integer");
    text_word(line, &word);
  }
  TRY(read_type(line, word, &property->type));
  if (!text_word(line, &word)) return text_unexpected(line, "the name of a property", word);
  word_copy(word, property->name, PLY_NAME);
  element->n_properties++;
  return STATUS_OK;
}

static Status pass_over(PlyHeader *header, Text *line) {
  (void)header;
  (void)line;
  return STATUS_OK;
}

static const struct {
  const char *word;
  Status (*read)(PlyHeader *header, Text *line);
} statements[] = {{"format", read_format}, {"element", read_element}, {"property", read_property},
                  {"comment", pass_over},  {"obj_info", pass_over},   {"end_header", NULL}};
enum { STATEMENTS = sizeof statements / sizeof *statements };

Status ply_header(Text *text, PlyHeader *header) {
  Text line;
  Word word = {0};
  bool formatted = false;
  memset(header, 0, sizeof *header);
  if (!text_line(text, 0, &line) || !text_word(&line, &word) || !word_is(word, "ply")) {
    return text_unexpected(text, "\"ply\"", word);
  }
  while (text_line(text, 0, &line)) {
    int i = 0;
    text_word(&line, &word);
    while (i < STATEMENTS && !word_is(word, statements[i].word)) i++;
    if (i == STATEMENTS) return text_unexpected(&line, "a statement of a PLY header", word);
    if (!statements[i].read) {
      return formatted ? STATUS_OK : text_fail(&line, "no format is named before this line");
    }
    TRY(statements[i].read(header, &line));
    formatted |= statements[i].read == read_format;
  }
  return text_unexpected(text, "\"end_header\"", (Word){0});
}

int ply_property(const PlyElement *element, const char *name) {
  for (int i = 0; i < element->n_properties; i++) {
    if (!strcmp(element->properties[i].name, name)) return i;
  }
  return -1;
}
