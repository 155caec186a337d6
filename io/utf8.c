#include "io/utf8.h"

#include <string.h>

uint32_t utf8_decode(const char *text, int *length) {
  static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const unsigned char *from = (const unsigned char *)text;
  *length = *from != 0;
  if (*from < 0x80) return *from;
  int bytes = *from < 0xc0 || *from >= 0xf8 ? 0 : *from < 0xe0 ? 2 : *from < 0xf0 ? 3 : 4;
  if (bytes == 0) return UTF8_REPLACEMENT;
  uint32_t code = *from & (0x7fu >> bytes);
  for (int i = 1; i < bytes; i++) {
    if ((from[i] & 0xc0) != 0x80) return UTF8_REPLACEMENT;
    code = code << 6 | (from[i] & 0x3f);
  }
  bool surrogate = code >= 0xd800 && code < 0xe000, none = (code & 0xfffe) == 0xfffe;
  bool reserved = (code >= 0xfdd0 && code < 0xfdf0) || code > 0x10ffff;
  if (code < smallest[bytes] || surrogate || none || reserved) return UTF8_REPLACEMENT;
  *length = bytes;
  return code;
}

typedef struct {
  uint32_t first, last;
} Range;

static bool is_in(const Range *ranges, size_t n, uint32_t character) {
  for (size_t i = 0; i < n; i++) {
    if (character >= ranges[i].first && character <= ranges[i].last) return true;
  }
  return false;
}

bool utf8_is_visible(uint32_t character) {
  static const Range hidden[] = {
      {0, 0x1f},        {0x7f, 0x9f},       {0xad, 0xad},       {0x61c, 0x61c},
      {0x200b, 0x200f}, {0x2028, 0x202e},   {0x2060, 0x206f},   {0xfeff, 0xfeff},
      {0xfff9, 0xfffb}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff},
  };
  return !is_in(hidden, sizeof hidden / sizeof *hidden, character);
}

int utf8_columns(uint32_t character) {
  static const Range joining[] = {
      {0x300, 0x36f},   {0x483, 0x489},   {0x591, 0x5bd},   {0x610, 0x61a},   {0x64b, 0x65f},
      {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}};
  static const Range wide[] = {{0x1100, 0x115f},   {0x231a, 0x231b},   {0x2e80, 0x303e},
                               {0x3041, 0xa4cf},   {0xa960, 0xa97c},   {0xac00, 0xd7a3},
                               {0xf900, 0xfaff},   {0xfe30, 0xfe6f},   {0xff01, 0xff60},
                               {0xffe0, 0xffe6},   {0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff},
                               {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd}};
  if (is_in(joining, sizeof joining / sizeof *joining, character)) return 0;
  return is_in(wide, sizeof wide / sizeof *wide, character) ? 2 : 1;
}

int utf8_clean(const char *text, char *clean, size_t size) {
  size_t at = 0;
  int columns = 0;
  for (int length; *text; text += length) {
    uint32_t character = utf8_decode(text, &length);
    bool blank = character == '\n' || character == '\t' || character == '\r';
    bool shown = utf8_is_visible(character) && character != UTF8_REPLACEMENT;
    size_t bytes = shown ? (size_t)length : 1;
    if (at + bytes >= size) break;
    if (shown) {
      memcpy(clean + at, text, bytes);
    } else {
      clean[at] = blank ? ' ' : '?';
    }
    at += bytes;
    columns += shown ? utf8_columns(character) : 1;
  }
  clean[at] = '\0';
  return columns;
}
