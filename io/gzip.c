#include "io/gzip.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "core/memory.h"
#include "io/file.h"

static const size_t MOST_BYTES = (size_t)8 << 30; /* a small file can unpack to anything */
enum { WINDOW_GZIP = 15 + 16, PIECE = 1 << 30 };  /* zlib counts in unsigned int */
enum { BUFFER = 1 << 17 };

typedef struct {
  const char *name;
  z_stream stream;
  const unsigned char *end;
  unsigned char *bytes;
  size_t length, capacity;
} Unpack;

bool gzip_is(const unsigned char *data, size_t length) {
  return length >= 3 && !memcmp(data, "\x1f\x8b\x08", 3);
}

static Status grow(Unpack *u) {
  if (u->length < u->capacity) return STATUS_OK;
  if (u->capacity >= MOST_BYTES) {
    return status_fail(STATUS_FAILED, "%s: unpacks to more than %zu GiB", u->name,
                       MOST_BYTES >> 30);
  }
  unsigned char *larger = realloc(u->bytes, 2 * u->capacity);
  if (!larger) return status_fail(STATUS_FAILED, "%s: out of memory while unpacking", u->name);
  u->bytes = larger;
  u->capacity *= 2;
  return STATUS_OK;
}

static uInt piece(size_t length) {
  return (uInt)(length < PIECE ? length : PIECE);
}

/* One member, up to its end. */
static Status unpack_member(Unpack *u) {
  int result = Z_OK;
  while (result != Z_STREAM_END) {
    TRY(grow(u));
    uInt room = piece(u->capacity - u->length);
    u->stream.avail_in = piece((size_t)(u->end - u->stream.next_in));
    u->stream.next_out = u->bytes + u->length;
    u->stream.avail_out = room;
    result = inflate(&u->stream, Z_NO_FLUSH);
    u->length += room - u->stream.avail_out;
    if (result == Z_BUF_ERROR) {
      return status_fail(STATUS_FAILED, "%s: the gzip data end too early: truncated?", u->name);
    }
    if (result != Z_OK && result != Z_STREAM_END) {
      return status_fail(STATUS_FAILED, "%s: damaged gzip data: %s", u->name,
                         u->stream.msg ? u->stream.msg : "a dictionary or memory is missing");
    }
  }
  return STATUS_OK;
}

static Status unpack_members(Unpack *u) {
  do {
    TRY(unpack_member(u));
    inflateReset(&u->stream);
  } while (gzip_is(u->stream.next_in, (size_t)(u->end - u->stream.next_in)));
  if (u->stream.next_in == u->end) return STATUS_OK;
  return status_fail(STATUS_FAILED, "%s: has %zu bytes behind the end of its gzip data", u->name,
                     (size_t)(u->end - u->stream.next_in));
}

Status gzip_unpack(const char *name, const unsigned char *data, size_t length,
                   unsigned char **unpacked, size_t *unpacked_length) {
  Unpack u = {.name = name, .end = data + length, .capacity = 4 * length + 64};
  u.stream.next_in = (unsigned char *)data; /* zlib only reads it, but its type says otherwise */
  u.bytes = malloc(u.capacity);
  if (!u.bytes || inflateInit2(&u.stream, WINDOW_GZIP) != Z_OK) {
    free(u.bytes);
    return status_fail(STATUS_FAILED, "%s: out of memory while unpacking", name);
  }
  Status status = unpack_members(&u);
  inflateEnd(&u.stream);
  if (status != STATUS_OK) {
    free(u.bytes);
    return status;
  }
  *unpacked = u.bytes;
  *unpacked_length = u.length;
  return STATUS_OK;
}

/* ---- Piece by piece ---- */

struct GzipReader {
  gzFile file;
  unsigned char passed[4096];
  char path[];
};

Status gzip_open(const char *path, GzipReader **reader) {
  GzipReader *made;
  int fd;
  int64_t length;
  TRY(file_open(path, &fd, &length));
  Status status = memory_allocate(&made, 1, sizeof *made + strlen(path) + 1, "a reader");
  if (status == STATUS_OK) {
    strcpy(made->path, path);
    made->file = gzdopen(fd, "rb");
    if (!made->file) {
      free(made);
      status = status_fail(STATUS_FAILED, "%s: out of memory while opening", path);
    }
  }
  if (status != STATUS_OK) {
    close(fd);
    return status;
  }
  gzbuffer(made->file, BUFFER);
  *reader = made;
  return STATUS_OK;
}

void gzip_close(GzipReader *reader) {
  if (!reader) return;
  gzclose(reader->file);
  free(reader);
}

/* A file that ends within its gzip data gives what there is and only then an error. */
static Status read_piece(GzipReader *reader, void *bytes, size_t length, size_t *got) {
  int code, n = gzread(reader->file, bytes, (unsigned)length);
  const char *reason = gzerror(reader->file, &code);
  *got = n > 0 ? (size_t)n : 0;
  if (code == Z_OK || (code == Z_STREAM_END && n >= 0)) return STATUS_OK;
  if (code == Z_BUF_ERROR) {
    return status_fail(STATUS_FAILED, "%s: the gzip data end too early: truncated?", reader->path);
  }
  if (code == Z_ERRNO) return status_fail(STATUS_FAILED, "%s: cannot read", reader->path);
  const char *colon = strstr(reason, ": "); /* after zlib's name of the file */
  return status_fail(STATUS_FAILED, "%s: damaged gzip data: %s", reader->path,
                     colon ? colon + 2 : reason);
}

Status gzip_read(GzipReader *reader, void *bytes, size_t length, size_t *got) {
  size_t most = bytes ? PIECE : sizeof reader->passed, n = 1;
  for (*got = 0; *got < length && n > 0; *got += n) {
    size_t left = length - *got;
    void *place = bytes ? (unsigned char *)bytes + *got : reader->passed;
    TRY(read_piece(reader, place, left < most ? left : most, &n));
  }
  return STATUS_OK;
}
