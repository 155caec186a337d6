#include "io/idx.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "io/gzip.h"

enum { MARK = 4, HEADER = 16, BYTES = 8, LARGEST_SIDE = 1 << 14 };

static uint32_t big_endian(const unsigned char *b) {
  return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* Of the `length` <= HEADER first bytes. */
static Status parse_header(const char *name, const unsigned char *header, size_t length,
                           IdxInfo *info) {
  if (length < MARK || header[0] || header[1] || header[2] < BYTES || header[2] > 14) {
    return status_fail(STATUS_FAILED, "%s: not an IDX file (they begin with 0, 0, 8)", name);
  }
  if (header[2] != BYTES) {
    return status_fail(STATUS_FAILED, "%s: its numbers are of IDX type %d; images have bytes (8)",
                       name, header[2]);
  }
  if (header[3] != 3) {
    return status_fail(STATUS_FAILED, "%s: has %d %s; images have 3 (image, row, column)%s", name,
                       header[3], header[3] == 1 ? "axis" : "axes",
                       header[3] == 1 ? ": labels, perhaps" : "");
  }
  if (length < HEADER) return status_fail(STATUS_FAILED, "%s: ends within its header", name);
  uint32_t n = big_endian(header + 4), rows = big_endian(header + 8);
  uint32_t columns = big_endian(header + 12);
  if (n < 1 || n > INT32_MAX || rows < 1 || columns < 1 || rows > LARGEST_SIDE ||
      columns > LARGEST_SIDE) {
    return status_fail(STATUS_FAILED,
                       "%s: says that it holds %" PRIu32 " images of %" PRIu32 " x %" PRIu32
                       " pixels: damaged?",
                       name, n, rows, columns);
  }
  *info = (IdxInfo){.n = n, .rows = (int)rows, .columns = (int)columns};
  return STATUS_OK;
}

static Status too_short(const char *name, const IdxInfo *info, int64_t there) {
  return status_fail(STATUS_FAILED, "%s: ends after %" PRId64 " of %" PRId64 " images: truncated?",
                     name, there, info->n);
}

static Status too_long(const char *name, const IdxInfo *info) {
  return status_fail(STATUS_FAILED, "%s: has bytes behind its %" PRId64 " images: damaged?", name,
                     info->n);
}

Status idx_decode(const char *name, const unsigned char *data, size_t length, IdxInfo *info,
                  const uint8_t **pixels) {
  IdxInfo read;
  TRY(parse_header(name, data, length < HEADER ? length : HEADER, &read));
  size_t image = (size_t)read.rows * (size_t)read.columns, there = length - HEADER;
  if (there / image < (size_t)read.n) return too_short(name, &read, (int64_t)(there / image));
  if (there > (size_t)read.n * image) return too_long(name, &read);
  *info = read;
  *pixels = data + HEADER;
  return STATUS_OK;
}

/* ---- Image by image ---- */

struct IdxReader {
  GzipReader *file;
  IdxInfo info;
  int64_t next;
  char path[];
};

static Status begin(IdxReader *reader) {
  unsigned char header[HEADER] = {0};
  size_t got;
  TRY(gzip_open(reader->path, &reader->file));
  TRY(gzip_read(reader->file, header, HEADER, &got));
  return parse_header(reader->path, header, got, &reader->info);
}

Status idx_open(const char *path, IdxReader **reader) {
  IdxReader *made;
  TRY(memory_allocate(&made, 1, sizeof *made + strlen(path) + 1, "an IDX file"));
  strcpy(made->path, path);
  Status status = begin(made);
  if (status == STATUS_OK) {
    *reader = made;
  } else {
    idx_close(made);
  }
  return status;
}

void idx_close(IdxReader *reader) {
  if (!reader) return;
  gzip_close(reader->file);
  free(reader);
}

IdxInfo idx_info(const IdxReader *reader) {
  return reader->info;
}

/* Reading beyond the last image lets the checksum be checked. */
Status idx_next(IdxReader *reader, uint8_t *pixels, bool *got) {
  const IdxInfo *info = &reader->info;
  size_t image = (size_t)info->rows * (size_t)info->columns, read;
  *got = reader->next < info->n;
  if (!*got) {
    TRY(gzip_read(reader->file, NULL, 1, &read));
    return read > 0 ? too_long(reader->path, info) : STATUS_OK;
  }
  TRY(gzip_read(reader->file, pixels, image, &read));
  if (read < image) return too_short(reader->path, info, reader->next);
  reader->next++;
  return STATUS_OK;
}
