/* Networks over a plane, Phi: (row, column) -> channels: pictures of their fields, the paper's
 * comparison with the truth, and `siren eval`. */
#ifndef EXPERIMENTS_PLANE_H
#define EXPERIMENTS_PLANE_H

#include "experiments/result.h"
#include "experiments/suite.h"
#include "io/image.h"

/* Fields [height][width][components] of one function; NULL where there is none. */
typedef struct {
  int height, width, channels; /* channels 1 or 3 */
  const float *field[FIELD_COUNT];
} Plane;

/* Local. Releases gradient and Laplacian, which the plane then owns; not the value. */
void plane_release(Plane *plane);

/* Local. A picture of one field, as below; a new image. */
Status plane_draw(const Plane *plane, FieldKind kind, Image *image);

/* Local. Writes the fields that there are as OUTPUT/names[kind]. Derivatives of colour images are
 * drawn as those of the mean over the channels. */
Status plane_pictures(const Result *result, const Plane *plane, const char *const names[]);

/* Local. OUTPUT/NAME: a row for each field, the truth beside the fit, a caption below each fit. */
Status plane_figure(const Result *result, const char *name, const char *title, const Plane *truth,
                    const Plane *fit, const char captions[FIELD_COUNT][64]);

/* Local, for forecasts. Bytes that plane_figure takes for such a plane. */
double plane_figure_bytes(int height, int width, int channels);

/* Local. The grid of height x width samples of [-1, 1]^2. */
Grid plane_grid(int64_t height, int64_t width);

/* Collective. `siren eval` for such a network: the fields eval.fields on the grid that eval.size,
 * eval.lower and eval.upper name, with pictures. height, width: the data's, for eval.size=0. */
Status plane_eval(const Setup *setup, const real *theta, Result *result, int height, int width);

#endif
