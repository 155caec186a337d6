/* Point clouds as text: "x y z" or "x y z nx ny nz" a line, comments from # on. */
#include "io/shape_formats.h"
#include "io/text.h"

static int count_words(Text line) {
  int count = 0;
  for (Word word; text_word(&line, &word);) count++;
  return count;
}

bool xyz_matches(const unsigned char *data, size_t length) {
  Text text = text_of("", data, length), line;
  if (!text_line(&text, '#', &line)) return false;
  int columns = count_words(line);
  for (double number; !text_is_over(&line);) {
    if (text_number(&line, "a number", &number) != STATUS_OK) return false;
  }
  return columns >= 3;
}

Status xyz_decode(const unsigned char *data, size_t length, ShapeBuilder *builder) {
  static const char *const names[6] = {"x", "y", "z", "nx", "ny", "nz"};
  Text text = text_of(builder->name, data, length), line;
  int columns = 0;
  builder->open_end = length && data[length - 1] != '\n';
  while (text_line(&text, '#', &line)) {
    int count = count_words(line);
    if (count != 3 && count != 6) {
      return text_fail(&line, "has %d columns: expected x y z or x y z nx ny nz", count);
    }
    if (columns && count != columns) {
      return text_fail(&line, "has %d columns and not %d as the lines before: truncated?", count,
                       columns);
    }
    columns = count;
    double values[6];
    for (int k = 0; k < columns; k++) TRY(text_number(&line, names[k], &values[k]));
    TRY(builder_point(builder, values));
    if (columns == 6) TRY(builder_normal(builder, values + 3));
  }
  return STATUS_OK;
}
