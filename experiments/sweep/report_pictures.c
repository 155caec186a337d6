#include "experiments/sweep/report_pictures.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/memory.h"
#include "io/file.h"
#include "io/image.h"

enum {
  MOST = 100,
  NAME = 256,
  LEAST_SIDE = 64,
  LARGEST_SIDE = 1600,
  LARGEST_FILE = 1 << 26,
  LARGEST_AREA = 1 << 26
};

/* A PNG on its way into the page. */
typedef struct {
  unsigned char *data;
  size_t length;
  int width, height, full_width, full_height;
} Picture;

static int read_side(const unsigned char *bytes) {
  return bytes[0] > 0 ? 0 : bytes[1] << 16 | bytes[2] << 8 | bytes[3];
}

/* Only begin and end are looked at: a picture that goes in as it is need not be decoded. */
static bool is_png(Picture *picture) {
  static const unsigned char head[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
  const unsigned char *data = picture->data;
  size_t length = picture->length;
  if (length < 45 || memcmp(data, head, sizeof head) || memcmp(data + 12, "IHDR", 4)) return false;
  if (memcmp(data + length - 8, "IEND", 4)) return false;
  picture->width = picture->full_width = read_side(data + 16);
  picture->height = picture->full_height = read_side(data + 20);
  return picture->width > 0 && picture->height > 0;
}

static Status shrink_to(const char *path, const Image *full, int divisor, Picture *picture) {
  Image small;
  int height = full->height / divisor, width = full->width / divisor;
  unsigned char *data = NULL;
  size_t length;
  TRY(image_resize(full, height > 0 ? height : 1, width > 0 ? width : 1, &small));
  Status status = image_encode_png(path, &small, &data, &length);
  if (status == STATUS_OK) {
    free(picture->data);
    picture->data = data;
    picture->length = length;
    picture->height = small.height;
    picture->width = small.width;
  }
  image_destroy(&small);
  return status;
}

static int longer(const Picture *picture) {
  return picture->width > picture->height ? picture->width : picture->height;
}

static bool fits(const Picture *picture, double budget) {
  return (double)picture->length <= budget && longer(picture) <= LARGEST_SIDE;
}

/* Half the size, a quarter, ... of the full picture. */
static Status shrink(const char *path, double budget, Picture *picture) {
  Image full;
  TRY(image_decode(path, picture->data, picture->length, &full));
  Status status = STATUS_OK;
  int side = longer(picture);
  for (int divisor = 2; status == STATUS_OK && !fits(picture, budget); divisor *= 2) {
    if (side / divisor < LEAST_SIDE) {
      status = status_fail(STATUS_FAILED, "%s: too large", path);
    } else {
      status = shrink_to(path, &full, divisor, picture);
    }
  }
  image_destroy(&full);
  return status;
}

static void put_picture(Html *html, const Picture *picture, const char *caption) {
  html_put(html, "<figure><img width=\"%d\" height=\"%d\" alt=\"", picture->width, picture->height);
  html_text(html, caption);
  html_put(html, "\" src=\"data:image/png;base64,");
  html_base64(html, picture->data, picture->length);
  html_put(html, "\" /><figcaption>");
  html_text(html, caption);
  if (picture->width != picture->full_width) {
    html_put(html, " <small>(shrunk from %d × %d)</small>", picture->full_width,
             picture->full_height);
  }
  html_put(html, "</figcaption></figure>\n");
}

static void put_absence(Html *html, const char *caption, const char *reason) {
  html_put(html, "<p class=\"note\">");
  html_text(html, caption);
  html_put(html, ": %s</p>\n", reason);
}

/* A reason why there is nothing to show, or NULL. */
static const char *take(const char *path, double budget, Picture *picture) {
  int fd;
  int64_t length;
  if (file_open(path, &fd, &length) != STATUS_OK) return "cannot be read";
  close(fd);
  if (length > LARGEST_FILE) return "left out, too large";
  if (file_read(path, &picture->data, &picture->length) != STATUS_OK) return "cannot be read";
  if (!is_png(picture)) return "is no picture, or only a part of one";
  if ((double)picture->width * picture->height > LARGEST_AREA) return "left out, too large";
  if (fits(picture, budget) || shrink(path, budget, picture) == STATUS_OK) return NULL;
  return "left out, too large or damaged";
}

double report_picture(Html *html, const char *directory, const char *name, const char *caption,
                      double budget) {
  char *path = file_join(directory, name);
  Picture picture = {0};
  const char *reason = take(path, budget, &picture);
  if (reason) {
    put_absence(html, caption, reason);
  } else {
    put_picture(html, &picture, caption);
  }
  free(picture.data);
  free(path);
  return reason ? 0 : (double)picture.length;
}

/* ---- A folder ---- */

static bool is_shown(const char *name, const char *markdown) {
  char target[NAME + 4];
  snprintf(target, sizeof target, "](%s)", name);
  return markdown && strstr(markdown, target);
}

static bool is_wanted(const char *name, const char *markdown) {
  size_t length = strlen(name);
  return length > 4 && length < NAME && name[0] != '.' && !strcmp(name + length - 4, ".png") &&
         !is_shown(name, markdown);
}

static int compare(const void *a, const void *b) {
  const char *p = a, *q = b;
  bool first = !strcmp(p, "figure.png"), second = !strcmp(q, "figure.png");
  return first != second ? (first ? -1 : 1) : strcmp(p, q);
}

static size_t list(const char *directory, const char *markdown, char (**names)[NAME]) {
  size_t n = 0, capacity = 0;
  DIR *folder = opendir(directory);
  *names = NULL;
  for (struct dirent *entry; folder && (entry = readdir(folder));) {
    if (!is_wanted(entry->d_name, markdown)) continue;
    if (memory_grow(names, &capacity, n + 1, sizeof **names, "pictures") != STATUS_OK) break;
    strcpy((*names)[n++], entry->d_name);
  }
  if (folder) closedir(folder);
  if (n > 0) qsort(*names, n, sizeof **names, compare);
  return n;
}

double report_pictures(Html *html, const char *directory, const char *markdown, double budget) {
  char(*names)[NAME];
  size_t n = list(directory, markdown, &names), shown = n < MOST ? n : MOST;
  double used = 0;
  if (n > 0) html_put(html, "<div class=\"pictures\">\n");
  for (size_t i = 0; i < shown; i++) {
    double share = (budget - used) / (double)(shown - i);
    used += report_picture(html, directory, names[i], names[i], share);
  }
  if (n > shown) html_put(html, "<p class=\"note\">and %zu more</p>\n", n - shown);
  if (n > 0) html_put(html, "</div>\n");
  free(names);
  return used;
}
