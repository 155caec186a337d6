#include "io/tar.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "io/gzip.h"

/* Bytes of a block, and at most of a pax header or a long name. */
enum { BLOCK = 512, MOST_EXTRA = 1 << 20, NAME = 100, PREFIX_AT = 345, PREFIX = 155 };
static const int64_t MOST_BYTES = INT64_C(1) << 31, MOST_SKIPPED = INT64_C(1) << 60;

struct TarReader {
  GzipReader *file;
  int64_t at;      /* bytes read of the archive */
  int64_t left;    /* of the current file, without padding */
  int64_t padding; /* behind these */
  char *name;      /* of the current file, owned */
  int64_t size;    /* that a pax header gives the next file; -1: none does */
  char path[];
};

Status tar_open(const char *path, TarReader **reader) {
  TarReader *made;
  TRY(memory_allocate(&made, 1, sizeof *made + strlen(path) + 1, "an archive"));
  strcpy(made->path, path);
  Status status = gzip_open(path, &made->file);
  if (status == STATUS_OK) {
    *reader = made;
  } else {
    free(made);
  }
  return status;
}

void tar_close(TarReader *reader) {
  if (!reader) return;
  gzip_close(reader->file);
  free(reader->name);
  free(reader);
}

static Status damaged(const TarReader *reader, const char *what) {
  return status_fail(STATUS_FAILED, "%s: %s at byte %" PRId64 ": truncated or damaged",
                     reader->path, what, reader->at);
}

static Status read_bytes(TarReader *reader, void *bytes, int64_t length) {
  size_t got;
  TRY(gzip_read(reader->file, bytes, (size_t)length, &got));
  reader->at += (int64_t)got;
  return (int64_t)got < length ? damaged(reader, "the tar archive ends") : STATUS_OK;
}

/* ---- Headers ---- */

/* Octal digits between blanks, or GNU's big-endian number behind a byte of 128; -1: neither. */
static int64_t parse_number(const unsigned char *field, int length) {
  uint64_t value = 0;
  int i = 0;
  if (field[0] == 0x80) {
    for (i = 1; i < length; i++) {
      if (value >> 54) return -1;
      value = value << 8 | field[i];
    }
    return (int64_t)value;
  }
  while (i < length && field[i] == ' ') i++;
  for (; i < length && field[i] >= '0' && field[i] <= '7'; i++) value = value << 3 | (field[i] & 7);
  if (i < length && field[i] && field[i] != ' ') return -1;
  return value > INT64_MAX / 8 ? -1 : (int64_t)value;
}

/* The sum of all bytes, with the sum's own field as blanks; old programs added signed ones. */
static bool checks(const unsigned char *header) {
  int64_t sum = 0, signed_sum = 0;
  for (int i = 0; i < BLOCK; i++) {
    unsigned char byte = i >= 148 && i < 156 ? ' ' : header[i];
    sum += byte;
    signed_sum += (signed char)byte;
  }
  int64_t expected = parse_number(header + 148, 8);
  return expected == sum || expected == signed_sum;
}

static bool is_zero(const unsigned char *block) {
  for (int i = 0; i < BLOCK; i++) {
    if (block[i]) return false;
  }
  return true;
}

static Status set_name(TarReader *reader, const char *name, size_t length) {
  char *copy;
  TRY(memory_allocate(&copy, length + 1, 1, "a name"));
  memcpy(copy, name, length);
  free(reader->name);
  reader->name = copy;
  return STATUS_OK;
}

static Status header_name(TarReader *reader, const char *header) {
  char name[PREFIX + 1 + NAME + 1];
  bool prefix = !memcmp(header + 257, "ustar", 6) && header[PREFIX_AT];
  int length = prefix ? sprintf(name, "%.*s/", PREFIX, header + PREFIX_AT) : 0;
  length += sprintf(name + length, "%.*s", NAME, header);
  return set_name(reader, name, (size_t)length);
}

/* The body of a header that says more about the next file, NUL added (free()). */
static Status read_extra(TarReader *reader, int64_t size, char **text) {
  if (size > MOST_EXTRA) return damaged(reader, "a header of over a megabyte");
  unsigned char padding[BLOCK];
  TRY(memory_allocate(text, (size_t)size + 1, 1, "a header"));
  Status status = read_bytes(reader, *text, size);
  if (status == STATUS_OK) status = read_bytes(reader, padding, (BLOCK - size % BLOCK) % BLOCK);
  if (status != STATUS_OK) free(*text);
  return status;
}

static bool parse_size(const char *value, const char *end, int64_t *size) {
  *size = 0;
  for (; value < end && *value >= '0' && *value <= '9' && *size < MOST_SKIPPED; value++) {
    *size = 10 * *size + *value - '0';
  }
  return value == end && *size < MOST_SKIPPED;
}

/* "LENGTH KEY=VALUE\n" again and again; path and size are wanted. */
static Status parse_pax(TarReader *reader, const char *text, int64_t size) {
  for (const char *end = text + size; text < end;) {
    char *blank;
    unsigned long length = strtoul(text, &blank, 10);
    if (*blank != ' ' || length > (size_t)(end - text) || length < 5 ||
        blank + 1 >= text + length || text[length - 1] != '\n') {
      return damaged(reader, "no pax header");
    }
    const char *key = blank + 1, *last = text + length - 1;
    if (last - key > 5 && !memcmp(key, "path=", 5)) {
      TRY(set_name(reader, key + 5, (size_t)(last - key - 5)));
    }
    if (last - key > 5 && !memcmp(key, "size=", 5) && !parse_size(key + 5, last, &reader->size)) {
      return damaged(reader, "no size in a pax header");
    }
    text += length;
  }
  return STATUS_OK;
}

/* Reads what a header of type x or L says about the next file. */
static Status read_about_next(TarReader *reader, char type, int64_t size) {
  char *text;
  TRY(read_extra(reader, size, &text));
  Status status =
      type == 'x' ? parse_pax(reader, text, size) : set_name(reader, text, strlen(text));
  free(text);
  return status;
}

/* ---- Files ---- */

static Status read_header(TarReader *reader, unsigned char header[BLOCK]) {
  size_t got;
  TRY(gzip_read(reader->file, header, BLOCK, &got));
  bool first = reader->at == 0;
  if (first && (got < BLOCK || (!is_zero(header) && !checks(header)))) {
    return status_fail(STATUS_FAILED, "%s: not a tar archive", reader->path);
  }
  if (got < BLOCK) return damaged(reader, "the tar archive ends");
  if (!is_zero(header) && !checks(header)) return damaged(reader, "no header of a file");
  reader->at += BLOCK;
  return STATUS_OK;
}

static Status pass_over(TarReader *reader) {
  TRY(read_bytes(reader, NULL, reader->left + reader->padding));
  reader->left = reader->padding = 0;
  return STATUS_OK;
}

/* Goes to the next file of any type; *type is 0 at the end of the archive. Headers of the whole
 * archive (g) and of links (K) say nothing about names. */
static Status next_entry(TarReader *reader, char *type) {
  unsigned char header[BLOCK];
  free(reader->name);
  reader->name = NULL;
  reader->size = -1;
  for (;;) {
    TRY(pass_over(reader));
    TRY(read_header(reader, header));
    *type = (char)header[156];
    if (is_zero(header)) return STATUS_OK;
    int64_t size = parse_number(header + 124, 12);
    if (size < 0 || size > MOST_SKIPPED) return damaged(reader, "no size of a file");
    if (*type == 'x' || *type == 'L') {
      TRY(read_about_next(reader, *type, size));
      continue;
    }
    bool aside = *type == 'g' || *type == 'K';
    reader->left = reader->size >= 0 && !aside ? reader->size : size;
    reader->padding = (BLOCK - reader->left % BLOCK) % BLOCK;
    if (aside) continue;
    if (*type == '\0') *type = '0';
    return reader->name ? STATUS_OK : header_name(reader, (const char *)header);
  }
}

/* What is behind the end is only read for gzip's checksum. */
static Status finish(TarReader *reader) {
  size_t got;
  return gzip_read(reader->file, NULL, SIZE_MAX, &got);
}

Status tar_next(TarReader *reader, const char **name) {
  char type = 0;
  do {
    TRY(next_entry(reader, &type));
    *name = NULL;
    if (!type) return finish(reader);
    *name = reader->name;
  } while ((type != '0' && type != '7') || !**name || (*name)[strlen(*name) - 1] == '/');
  while (!strncmp(*name, "./", 2)) *name += 2;
  return STATUS_OK;
}

Status tar_read(TarReader *reader, unsigned char **data, size_t *length) {
  int64_t size = reader->left;
  if (size > MOST_BYTES) {
    return status_fail(STATUS_FAILED, "%s: %s has over 2 GiB", reader->path, reader->name);
  }
  /* Not before it is there: a damaged size would take memory for nothing. */
  size_t capacity = 0, there = 0;
  Status status = STATUS_OK;
  *data = NULL;
  do {
    size_t piece = (size_t)size - there < MOST_EXTRA ? (size_t)size - there : MOST_EXTRA;
    status = memory_grow(data, &capacity, there + piece + 1, 1, "a file of an archive");
    if (status == STATUS_OK) status = read_bytes(reader, *data + there, (int64_t)piece);
    there += piece;
  } while (status == STATUS_OK && there < (size_t)size);
  if (status == STATUS_OK) {
    reader->left = 0;
    (*data)[ *length = (size_t)size] = '\0';
  } else {
    free(*data);
    *data = NULL;
  }
  return status;
}
