#define _GNU_SOURCE /* vasprintf */
#include "io/html.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "io/file.h"
#include "io/utf8.h"

enum { BUFFER = 1 << 16 };

struct Html {
  FileStream *stream;
  Status status; /* the first failure */
  double bytes;
  size_t used;
  char buffer[BUFFER];
};

Status html_open(const char *path, Html **html) {
  Html *made;
  TRY(memory_allocate(&made, 1, sizeof *made, "a page"));
  Status status = file_stream_open(path, &made->stream);
  if (status == STATUS_OK) {
    *html = made;
  } else {
    free(made);
  }
  return status;
}

static void flush(Html *html) {
  if (html->status == STATUS_OK) {
    html->status = file_stream_write(html->stream, html->buffer, html->used);
  }
  html->used = 0;
}

static void write_bytes(Html *html, const char *data, size_t length) {
  html->bytes += (double)length;
  while (length > 0) {
    if (html->used == BUFFER) flush(html);
    size_t part = length < BUFFER - html->used ? length : BUFFER - html->used;
    memcpy(html->buffer + html->used, data, part);
    html->used += part;
    data += part;
    length -= part;
  }
}

void html_put(Html *html, const char *format, ...) {
  char *text;
  va_list arguments;
  va_start(arguments, format);
  int length = vasprintf(&text, format, arguments);
  va_end(arguments);
  if (length >= 0) {
    write_bytes(html, text, (size_t)length);
    free(text);
  } else if (html->status == STATUS_OK) {
    html->status = status_fail(STATUS_FAILED, "out of memory for a page");
  }
}

static const char *escaped(uint32_t character) {
  static const struct {
    uint32_t character;
    const char *text;
  } table[] = {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\'', "&#39;"}};
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    if (table[i].character == character) return table[i].text;
  }
  return NULL;
}

void html_text(Html *html, const char *text) {
  static const char replacement[] = "\xef\xbf\xbd";
  if (!text) return;
  for (int length; *text; text += length) {
    uint32_t character = utf8_decode(text, &length);
    bool space = character == '\n' || character == '\t';
    const char *other = escaped(character);
    if (!other && !space && (character == UTF8_REPLACEMENT || !utf8_is_visible(character))) {
      other = replacement;
    }
    write_bytes(html, other ? other : text, other ? strlen(other) : (size_t)length);
  }
}

void html_base64(Html *html, const unsigned char *data, size_t length) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (size_t i = 0; i < length; i += 3) {
    size_t n = length - i < 3 ? length - i : 3;
    uint32_t bits = (uint32_t)data[i] << 16 | (n > 1 ? (uint32_t)data[i + 1] << 8 : 0) |
                    (n > 2 ? data[i + 2] : 0);
    char four[4];
    for (size_t k = 0; k < 4; k++) four[k] = k <= n ? digits[bits >> (18 - 6 * k) & 63] : '=';
    write_bytes(html, four, sizeof four);
  }
}

double html_bytes(const Html *html) {
  return html->bytes;
}

Status html_close(Html *html, Status status) {
  if (!html) return status;
  if (status == STATUS_OK) {
    flush(html);
    status = html->status;
  }
  status = file_stream_close(html->stream, status);
  free(html);
  return status;
}
