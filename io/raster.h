/* A z-buffer: triangles and discs in, what a viewer sees at each place of a square out. */
#ifndef IO_RASTER_H
#define IO_RASTER_H

#include <stdbool.h>

#include "core/status.h"

/* Of a sample of the square. Directions and places are the viewer's: x to the right, y down, z
 * towards the viewer; places in samples, from the upper left corner of the square. */
typedef struct {
  float z;         /* -INFINITY: nothing there */
  float normal[3]; /* unit length, z >= 0 but for rounding and interpolation */
  bool back;       /* the surface is seen from its inner side */
} RasterSample;

typedef struct {
  int side;
  RasterSample *samples; /* [side][side], owned */
} Raster;

/* Local. Empty. */
Status raster_create(int side, Raster *raster);
void raster_destroy(Raster *raster);

typedef struct {
  double place[3];
  double normal[3]; /* towards the outer side; any length; 0: as if towards the viewer */
} RasterPoint;

/* Local. A triangle with corners counter-clockwise (in the viewer's picture) where it shows its
 * outer side. `smooth`: normals are interpolated between the corners' own; else it is flat and
 * these are not read. Draws nothing where hide_backs is set and it shows its inner side. */
void raster_triangle(Raster *raster, const RasterPoint corners[3], bool smooth, bool hide_backs);

/* Local. A disc that faces the viewer, as the shape of a point; its side is that of its normal. */
void raster_disc(Raster *raster, const RasterPoint *point, double radius, bool hide_backs);

#endif
