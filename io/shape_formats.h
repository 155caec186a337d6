/* What the shape formats of io/shape_formats.def and io/shape.c owe each other. */
#ifndef IO_SHAPE_FORMATS_H
#define IO_SHAPE_FORMATS_H

#include <stdbool.h>

#include "io/shape_builder.h"

/* Local. Whether these bytes look like the format's. */
typedef bool ShapeMatcher(const unsigned char *data, size_t length);
ShapeMatcher ply_matches, off_matches, stl_matches, obj_matches, xyz_matches, dataset_matches;

/* Local. Decoders: builder->name is the file's, for messages ("NAME: reason"). */
typedef Status ShapeDecoder(const unsigned char *data, size_t length, ShapeBuilder *builder);
ShapeDecoder ply_decode, off_decode, stl_decode, obj_decode, xyz_decode, dataset_decode;

#endif
