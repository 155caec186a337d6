#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "core/memory.h"
#include "io/picture.h"

/* On each side of zero: 10^-2 to 10^0 in equal steps of the exponent. */
enum { LEVELS = 6 };
static const double levels[LEVELS] = {
    0.01, 0.025118864315095794, 0.06309573444801933, 0.15848931924611134, 0.3981071705534972, 1};

/* How much of each pixel a kind of line covers. */
typedef struct {
  int height, width;
  double half_line; /* half the lines' width in pixels */
  float *covered;   /* [height][width] */
} Ink;

typedef struct {
  double x, y;
} Place;

static double segment_distance(Place a, Place b, double x, double y) {
  double dx = b.x - a.x, dy = b.y - a.y, square = dx * dx + dy * dy;
  double t = square > 0 ? ((x - a.x) * dx + (y - a.y) * dy) / square : 0;
  t = fmin(fmax(t, 0), 1);
  return hypot(x - a.x - t * dx, y - a.y - t * dy);
}

/* Lines of one level are drawn once where they meet. */
static void ink_segment(const Ink *ink, Place a, Place b) {
  double reach = ink->half_line + 0.5;
  int left = (int)fmax(ceil(fmin(a.x, b.x) - reach), 0);
  int right = (int)fmin(floor(fmax(a.x, b.x) + reach), ink->width - 1);
  int top = (int)fmax(ceil(fmin(a.y, b.y) - reach), 0);
  int bottom = (int)fmin(floor(fmax(a.y, b.y) + reach), ink->height - 1);
  for (int y = top; y <= bottom; y++) {
    for (int x = left; x <= right; x++) {
      float *covered = &ink->covered[(size_t)y * (size_t)ink->width + (size_t)x];
      double cover = reach - segment_distance(a, b, x, y);
      *covered = fmaxf(*covered, (float)fmin(fmax(cover, 0), 1));
    }
  }
}

/* Marching squares in one cell of four samples, corners clockwise from the upper left. Where two
 * corners across are above and the others below, the mean decides which are connected. */
static void ink_cell(const Ink *ink, int x, int y, const double corner[4], double at) {
  static const int dx[4] = {0, 1, 1, 0}, dy[4] = {0, 0, 1, 1};
  Place crossing[4];
  int n = 0;
  for (int c = 0; c < 4; c++) {
    int next = (c + 1) % 4;
    double here = corner[c] - at, there = corner[next] - at;
    if ((here >= 0) == (there >= 0)) continue;
    double t = here / (here - there);
    crossing[n++] = (Place){x + dx[c] + t * (dx[next] - dx[c]), y + dy[c] + t * (dy[next] - dy[c])};
  }
  bool middle = (corner[0] + corner[1] + corner[2] + corner[3]) / 4 >= at;
  int first = n == 4 && (corner[0] >= at) != middle; /* cut off corners 0 and 2, else 1 and 3 */
  for (int k = 0; k < n; k += 2) {
    ink_segment(ink, crossing[k + first], crossing[(k + first + 1) % n]);
  }
}

static void ink_lines(const float *field, double unit, const Ink *fine, const Ink *zero) {
  for (int y = 0; y + 1 < fine->height; y++) {
    const float *row = field + (size_t)y * (size_t)fine->width, *below = row + fine->width;
    for (int x = 0; x + 1 < fine->width; x++) {
      const double corner[4] = {row[x] / unit, row[x + 1] / unit, below[x + 1] / unit,
                                below[x] / unit};
      if (!isfinite(corner[0] + corner[1] + corner[2] + corner[3])) continue;
      ink_cell(zero, x, y, corner, 0);
      for (int i = 0; i < LEVELS; i++) {
        ink_cell(fine, x, y, corner, levels[i]);
        ink_cell(fine, x, y, corner, -levels[i]);
      }
    }
  }
}

/* Paler towards zero: one tint for each band between two levels. */
static void tint(double value, float rgb[3]) {
  static const float deep[2][3] = {{0.12f, 0.36f, 0.66f}, {0.72f, 0.12f, 0.16f}};
  int band = 0;
  while (band < LEVELS && fabs(value) >= levels[band]) band++;
  float share = 0.12f + 0.75f * (float)band / LEVELS;
  for (int c = 0; c < 3; c++) {
    rgb[c] = isnan(value) ? 0.5f : 1 - share * (1 - deep[value < 0][c]);
  }
}

static void paint(const float *field, double unit, const Ink *fine, const Ink *zero, Image *image) {
  size_t n = (size_t)image->height * (size_t)image->width;
  for (size_t i = 0; i < n; i++) {
    float *rgb = image->pixels + 3 * i;
    tint(field[i] / unit, rgb);
    float left = (1 - 0.45f * fine->covered[i]) * (1 - zero->covered[i]);
    for (int c = 0; c < 3; c++) rgb[c] *= left;
  }
}

Status picture_contour(const float *field, int height, int width, double unit, Image *image) {
  size_t n = (size_t)height * (size_t)width;
  double scale = fmax(fmin(height, width) / 512.0, 1);
  Ink fine = {height, width, 0.4 * scale, NULL}, zero = {height, width, 1.25 * scale, NULL};
  TRY(memory_allocate(&fine.covered, n, sizeof *fine.covered, "a picture's lines"));
  Status status = memory_allocate(&zero.covered, n, sizeof *zero.covered, "a picture's lines");
  if (status == STATUS_OK) status = image_create(height, width, 3, image);
  if (status == STATUS_OK) {
    ink_lines(field, unit, &fine, &zero);
    paint(field, unit, &fine, &zero, image);
  }
  free(fine.covered);
  free(zero.covered);
  return status;
}
