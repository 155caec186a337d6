#include "io/matlab_element.h"

#include <string.h>

enum { TAG = 8, SMALL = 4, SCRATCH = 1 << 16 };

Status element_fail(const MatlabElement *element, const char *what) {
  return status_fail(STATUS_FAILED,
                     "%s: truncated or damaged MAT-file: the element at byte %zu of %zu %s: copy "
                     "the file again, or save it anew with -v7",
                     element->file->path, element->begin, element->file->length, what);
}

uint64_t matlab_bits(const unsigned char *bytes, int size, bool big) {
  uint64_t bits = 0;
  for (int i = 0; i < size; i++) bits = bits << 8 | bytes[big ? i : size - 1 - i];
  return bits;
}

static uint32_t bits32(const MatlabElement *element, const unsigned char *bytes) {
  return (uint32_t)matlab_bits(bytes, 4, element->file->big);
}

/* ---- Elements ---- */

/* The array's own tag is compressed with it. */
static Status begin_compressed(MatlabElement *element) {
  unsigned char tag[TAG];
  element->stream =
      (z_stream){.next_in = (unsigned char *)element->file->data + element->begin + TAG,
                 .avail_in = (uInt)(element->end - element->begin - TAG)};
  if (inflateInit(&element->stream) != Z_OK) {
    return status_fail(STATUS_FAILED, "%s: out of memory while unpacking", element->file->path);
  }
  element->compressed = true;
  element->left = TAG;
  TRY(element_take(element, tag, TAG));
  if (bits32(element, tag) != MI_MATRIX) return element_fail(element, "holds no array");
  element->left = bits32(element, tag + 4);
  return STATUS_OK;
}

Status element_open(MatlabElement *element, const MatlabFile *file, size_t begin) {
  *element = (MatlabElement){.file = file, .begin = begin, .end = begin};
  size_t rest = file->length - begin;
  if (rest < TAG) return element_fail(element, "ends within its first bytes");
  uint32_t type = bits32(element, file->data + begin);
  uint32_t length = bits32(element, file->data + begin + 4);
  if (type != MI_MATRIX && type != MI_COMPRESSED) {
    return element_fail(element, "is of a type that cannot stand there");
  }
  if (length > rest - TAG) return element_fail(element, "goes beyond the end of the file");
  element->end = begin + TAG + length;
  if (type == MI_COMPRESSED) return begin_compressed(element);
  element->at = file->data + begin + TAG;
  element->left = length;
  return STATUS_OK;
}

void element_close(MatlabElement *element) {
  if (element->compressed) inflateEnd(&element->stream);
  element->compressed = false;
}

static Status inflated_wrong(const MatlabElement *element, int result) {
  if (result == Z_MEM_ERROR) {
    return status_fail(STATUS_FAILED, "%s: out of memory while unpacking", element->file->path);
  }
  if (result == Z_BUF_ERROR) return element_fail(element, "has no end of its compressed data");
  if (result == Z_STREAM_END) return element_fail(element, "unpacks to less than it says");
  return element_fail(element, "does not unpack");
}

static Status inflate_into(MatlabElement *element, void *bytes, size_t count) {
  element->stream.next_out = bytes;
  element->stream.avail_out = (uInt)count;
  while (element->stream.avail_out) {
    int result = inflate(&element->stream, Z_NO_FLUSH);
    bool full = result == Z_STREAM_END && !element->stream.avail_out;
    if (result != Z_OK && !full) return inflated_wrong(element, result);
  }
  return STATUS_OK;
}

Status element_take(MatlabElement *element, void *bytes, size_t count) {
  if (count > element->left) return element_fail(element, "ends too early");
  element->left -= count;
  if (element->compressed) return inflate_into(element, bytes, count);
  memcpy(bytes, element->at, count);
  element->at += count;
  return STATUS_OK;
}

/* What follows the array is looked at for the checksum at its end. */
static Status inflate_away(MatlabElement *element) {
  unsigned char scratch[SCRATCH];
  size_t inflated = 0;
  int result = Z_OK;
  while (result == Z_OK) {
    element->stream.next_out = scratch;
    element->stream.avail_out = SCRATCH;
    result = inflate(&element->stream, Z_NO_FLUSH);
    inflated += SCRATCH - element->stream.avail_out;
  }
  if (result != Z_STREAM_END) return inflated_wrong(element, result);
  if (inflated < element->left) return inflated_wrong(element, Z_STREAM_END);
  if (inflated > element->left) return element_fail(element, "unpacks to more than it says");
  if (element->stream.avail_in)
    return element_fail(element, "has bytes behind its compressed data");
  return STATUS_OK;
}

Status element_verify(MatlabElement *element) {
  if (!element->compressed) return STATUS_OK;
  TRY(inflate_away(element));
  element_close(element);
  return begin_compressed(element);
}

/* ---- Parts ---- */

/* A part of at most four bytes may have a tag of four, and is then padded to four. */
Status element_begin_part(MatlabElement *element, MatlabPart *part) {
  unsigned char bytes[4];
  TRY(element_take(element, bytes, sizeof bytes));
  uint32_t word = bits32(element, bytes);
  size_t unit = SMALL;
  part->type = word & 0xffff;
  part->length = word >> 16;
  if (part->length > SMALL) return element_fail(element, "has a part of an unknown type");
  if (!part->length) {
    TRY(element_take(element, bytes, sizeof bytes));
    part->length = bits32(element, bytes);
    unit = TAG;
  }
  if (part->length > element->left) return element_fail(element, "has a part that is too long");
  part->padding = (unit - part->length % unit) % unit;
  return STATUS_OK;
}

/* Some writers leave out the padding of the last part. */
Status element_end_part(MatlabElement *element, const MatlabPart *part) {
  unsigned char padding[TAG];
  size_t count = part->padding < element->left ? part->padding : element->left;
  return element_take(element, padding, count);
}
