/* Shaded pictures of meshes and point clouds, for a person to judge. */
#ifndef IO_PICTURE_MESH_H
#define IO_PICTURE_MESH_H

#include <stdbool.h>

#include "core/status.h"
#include "io/image.h"
#include "io/shape.h"

/* An orthographic view. Pictures of two shapes with one view can be laid over each other. */
typedef struct {
  int up; /* the axis that points up, 0 to 2. With azimuth 0 the viewer stands on the next axis (x y
             z x), the one after it points to the right: with y up, looks from z and sees x. */
  double azimuth, elevation; /* degrees the viewer moves to the right and then up */
  bool hide_backs;           /* look into rooms: no surface is seen from its inner side */
  double centre[3];          /* what is in the middle of the picture */
  double half_side;          /* half the picture's side, in the shape's unit, > 0 */
} MeshView;

/* Local. The view that just holds all points of the shape, hide_backs false. */
MeshView mesh_view(const Shape *shape, int up, double azimuth, double elevation);

/* Local. New RGB image of size x size. A mesh is lit from the upper left, with soft shadows in its
 * folds; surfaces seen from their inner side are orange, so that holes and flipped triangles show.
 * It is smooth where it has normals, else faceted. A cloud is drawn as discs. Empty: background. */
Status picture_mesh(const Shape *shape, const MeshView *view, int size, Image *image);

#endif
