/* Shapes and images as data sets in HDF5 (io/dataset.h), whole and from memory: what makes such
 * files one more format of io/shape_formats.def and io/formats.def. */
#ifndef IO_DATASET_SHAPE_H
#define IO_DATASET_SHAPE_H

#include "io/shape.h"

/* Local. /points, /normals if there are any, /triangles if it is a mesh; atomic, as file_replace.
 */
Status dataset_write_shape(const char *path, const Shape *shape);

#endif
