/* Pictures a person looks at: colour maps of fields, rows of labelled panels, curves. */
#ifndef IO_PICTURE_H
#define IO_PICTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/status.h"
#include "io/image.h"

/* Local. Colour maps, all [height*width] in, new RGB (or grey) image out. NaN is drawn as mid grey.
 */

/* Grey or RGB values in [-1, 1] -> image (v/2+0.5), clipped. */
Status picture_value(const float *value, int height, int width, int channels, Image *image);

/* The paper's gradient picture (paper.md section 1): hue = (atan2(d_col, d_row) + pi) / 2pi,
 * saturation 1, value = magnitude with its 5th..95th percentiles mapped to 0..1 and clipped.
 * gradient [height*width][2] = d_row, d_col. */
Status picture_gradient(const float *gradient, int height, int width, Image *image);

/* Diverging map RdBu of a field, clipped to its 2nd..98th percentiles (paper.md section 1). */
Status picture_diverging(const float *field, int height, int width, Image *image);

/* The same map from -limit (red) to limit (blue): errors that can be compared. */
Status picture_signed(const float *field, int height, int width, double limit, Image *image);

/* Sequential map viridis from low (dark) to high (bright), clipped; slices of a volume. */
Status picture_sequential(const float *field, int height, int width, double low, double high,
                          Image *image);

/* A slice of a signed distance function as contours (paper.md section 5.3): lines and bands at
 * +-0.01 ... +-1 times `unit` in five equal steps of the exponent, blue above zero, red below, the
 * more the farther; a thick black line at zero. Pixel i is sample i; next to samples that are not
 * finite there are no lines. */
Status picture_contour(const float *field, int height, int width, double unit, Image *image);

/* A grid of panels: labels of columns on top, of rows at the left, a caption below each panel (e.g.
 * "35.5 dB"; NULL or "" none). panels [rows][columns], RGB or grey, NULL an empty place. Images
 * whose longer side is below 256 pixels are enlarged by a whole factor, above 768 shrunk. Text that
 * does not fit is set smaller, then shortened. */
typedef struct {
  int rows, columns;
  const char *title;
  const char *const *column_labels, *const *row_labels; /* NULL: none */
  const Image *const *panels;
  const char *const *captions;
} PictureGrid;
Status picture_grid(const char *path, const PictureGrid *grid);

/* Curves y over x as a PNG with axes, ticks and a legend (NULL or "": none of that text). A point
 * that is not finite, or not positive on a logarithmic axis, is a gap in its line; a point between
 * gaps is a dot. n may be 0, and n_curves. Between low and high, if a curve has these, a pale band
 * of its colour lies behind all curves. */
typedef struct {
  const char *label;
  int64_t n;
  const double *x, *y;
  const double *low, *high; /* [n], or both NULL */
} Curve;
typedef struct {
  const char *title, *x_label, *y_label;
  bool log_y;
  int n_curves;
  const Curve *curves;
} Plot;
Status picture_plot(const char *path, const Plot *plot);

/* Local. Bytes that picture_grid takes beside the panels, of which only the sizes are read; that
 * picture_plot takes. */
double picture_grid_bytes(const PictureGrid *grid);
double picture_plot_bytes(void);

#endif
