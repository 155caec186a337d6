#include "io/image_files.h"

#include <errno.h>
#include <fts.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "core/memory.h"
#include "io/file.h"
#include "io/idx.h"
#include "io/image_formats.h"
#include "io/tar.h"
#include "io/utf8.h"

typedef struct {
  Status (*open)(ImageFiles *files);
  Status (*next)(ImageFiles *files, const char **raw); /* NULL: no more */
  Status (*decode)(ImageFiles *files, Image *image);
} Kind;

struct ImageFiles {
  const Kind *kind;
  int64_t total;
  char *shown; /* the current image's name, for people */
  char *label; /* what messages begin with */

  char **paths; /* folder: below it, [total] */
  size_t capacity;
  int64_t at;

  TarReader *tar;
  unsigned char *data; /* of the current image; an archive's file, or an IDX file's pixels */
  size_t length;

  IdxReader *idx;

  char from[];
};

/* ---- Names ---- */

static bool is_image_name(const char *path) {
  static const char *const endings[] = {".png", ".jpg", ".jpeg"};
  size_t length = strlen(path);
  if (*path == '.' || strstr(path, "/.")) return false;
  for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
    size_t ours = strlen(endings[i]);
    if (length > ours && !strcasecmp(path + length - ours, endings[i])) return true;
  }
  return false;
}

/* A copy that can be shown and stored, whatever the name (free()). */
static Status make_visible(const char *raw, char **visible) {
  char *to;
  TRY(memory_allocate(visible, 4 * strlen(raw) + 1, 1, "a name"));
  to = *visible;
  for (int length; *raw; raw += length) {
    uint32_t character = utf8_decode(raw, &length);
    bool genuine = character != UTF8_REPLACEMENT || length > 1;
    if (genuine && utf8_is_visible(character)) {
      memcpy(to, raw, (size_t)length);
      to += length;
      continue;
    }
    for (int i = 0; i < length; i++) to += sprintf(to, "\\x%02x", (unsigned char)raw[i]);
  }
  return STATUS_OK;
}

static Status set_names(ImageFiles *files, const char *raw) {
  const char *joint = files->tar ? ": " : "/";
  free(files->shown);
  free(files->label);
  files->shown = files->label = NULL;
  TRY(make_visible(raw, &files->shown));
  size_t length = strlen(files->from) + strlen(joint) + strlen(files->shown) + 1;
  TRY(memory_allocate(&files->label, length, 1, "a name"));
  sprintf(files->label, "%s%s%s", files->from, joint, files->shown);
  return STATUS_OK;
}

/* ---- Folders ---- */

static Status add_path(ImageFiles *files, const char *path) {
  size_t count = (size_t)files->total + 1;
  TRY(memory_grow(&files->paths, &files->capacity, count, sizeof *files->paths, "names of files"));
  char *copy = strdup(path);
  if (!copy) return status_fail(STATUS_FAILED, "%s: out of memory for the names", files->from);
  files->paths[files->total++] = copy;
  return STATUS_OK;
}

/* A link that leads nowhere is an image that cannot be read. */
static Status visit(ImageFiles *files, FTS *tree, FTSENT *entry) {
  const char *path = entry->fts_path + strlen(files->from);
  while (*path == '/') path++;
  switch (entry->fts_info) {
    case FTS_D:
      if (entry->fts_level > 0 && *entry->fts_name == '.') fts_set(tree, entry, FTS_SKIP);
      return STATUS_OK;
    case FTS_F:
    case FTS_SLNONE:
      return is_image_name(path) ? add_path(files, path) : STATUS_OK;
    case FTS_DNR:
    case FTS_ERR:
    case FTS_NS:
      return status_fail(STATUS_FAILED, "%s: cannot read: %s", entry->fts_path,
                         strerror(entry->fts_errno));
    default:
      return STATUS_OK;
  }
}

static int compare_paths(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

static Status folder_open(ImageFiles *files) {
  char *roots[] = {files->from, NULL};
  FTS *tree = fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, NULL);
  if (!tree) {
    return status_fail(STATUS_FAILED, "%s: cannot read: %s", files->from, strerror(errno));
  }
  Status status = STATUS_OK;
  for (FTSENT *entry; status == STATUS_OK && (errno = 0, entry = fts_read(tree));) {
    status = visit(files, tree, entry);
  }
  if (status == STATUS_OK && errno) {
    status = status_fail(STATUS_FAILED, "%s: cannot read: %s", files->from, strerror(errno));
  }
  fts_close(tree);
  if (files->total > 1) {
    qsort(files->paths, (size_t)files->total, sizeof *files->paths, compare_paths);
  }
  return status;
}

static Status folder_next(ImageFiles *files, const char **raw) {
  *raw = files->at < files->total ? files->paths[files->at++] : NULL;
  return STATUS_OK;
}

static Status folder_decode(ImageFiles *files, Image *image) {
  unsigned char *data;
  size_t length;
  char *path = file_join(files->from, files->paths[files->at - 1]);
  if (!path) return status_fail(STATUS_FAILED, "%s: out of memory", files->label);
  Status status = file_read(path, &data, &length);
  free(path);
  TRY(status);
  status = image_decode(files->label, data, length, image);
  free(data);
  return status;
}

/* ---- Archives ---- */

static Status archive_open(ImageFiles *files) {
  return tar_open(files->from, &files->tar);
}

static Status archive_next(ImageFiles *files, const char **raw) {
  do {
    TRY(tar_next(files->tar, raw));
  } while (*raw && !is_image_name(*raw));
  free(files->data);
  files->data = NULL;
  return *raw ? tar_read(files->tar, &files->data, &files->length) : STATUS_OK;
}

static Status archive_decode(ImageFiles *files, Image *image) {
  return image_decode(files->label, files->data, files->length, image);
}

/* ---- IDX files ---- */

static Status idx_files_open(ImageFiles *files) {
  TRY(idx_open(files->from, &files->idx));
  IdxInfo info = idx_info(files->idx);
  files->total = info.n;
  files->length = (size_t)info.rows * (size_t)info.columns;
  return memory_allocate(&files->data, files->length, 1, "an image");
}

static Status idx_files_next(ImageFiles *files, const char **raw) {
  bool got;
  TRY(idx_next(files->idx, files->data, &got));
  *raw = got ? "" : NULL;
  return STATUS_OK;
}

static Status idx_files_decode(ImageFiles *files, Image *image) {
  IdxInfo info = idx_info(files->idx);
  return image_from_samples(files->data, info.rows, info.columns, 1, 255, image);
}

/* ---- All of them ---- */

static const Kind kinds[] = {
    [IMAGE_FILES_FOLDER] = {folder_open, folder_next, folder_decode},
    [IMAGE_FILES_TAR] = {archive_open, archive_next, archive_decode},
    [IMAGE_FILES_IDX] = {idx_files_open, idx_files_next, idx_files_decode},
};

Status image_files_open(const char *from, ImageFilesKind kind, ImageFiles **files) {
  ImageFiles *made;
  size_t length = strlen(from);
  while (length > 1 && from[length - 1] == '/') length--;
  TRY(memory_allocate(&made, 1, sizeof *made + length + 1, "a set of images"));
  memcpy(made->from, from, length);
  made->kind = &kinds[kind];
  Status status = made->kind->open(made);
  if (status == STATUS_OK) {
    *files = made;
  } else {
    image_files_close(made);
  }
  return status;
}

void image_files_close(ImageFiles *files) {
  if (!files) return;
  for (int64_t i = 0; files->paths && i < files->total; i++) free(files->paths[i]);
  tar_close(files->tar);
  idx_close(files->idx);
  free(files->paths);
  free(files->data);
  free(files->shown);
  free(files->label);
  free(files);
}

int64_t image_files_total(const ImageFiles *files) {
  return files->total;
}

Status image_files_next(ImageFiles *files, const char **name) {
  const char *raw;
  TRY(files->kind->next(files, &raw));
  *name = NULL;
  if (!raw) return STATUS_OK;
  TRY(set_names(files, raw));
  *name = files->shown;
  return STATUS_OK;
}

Status image_files_decode(ImageFiles *files, Image *image) {
  return files->kind->decode(files, image);
}
