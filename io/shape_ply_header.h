/* The header of a PLY file: what its elements consist of. */
#ifndef IO_SHAPE_PLY_HEADER_H
#define IO_SHAPE_PLY_HEADER_H

#include <stdbool.h>

#include "io/text.h"

typedef enum { PLY_TEXT, PLY_LITTLE, PLY_BIG } PlyEncoding;

typedef enum {
  PLY_INT8,
  PLY_UINT8,
  PLY_INT16,
  PLY_UINT16,
  PLY_INT32,
  PLY_UINT32,
  PLY_FLOAT32,
  PLY_FLOAT64,
  PLY_TYPES
} PlyType;

enum { PLY_MOST_ELEMENTS = 16, PLY_MOST_PROPERTIES = 128, PLY_NAME = 32 };

typedef struct {
  char name[PLY_NAME]; /* cut off, as no name of interest is that long */
  PlyType type, count; /* count: the type of a list's length */
  bool is_list;
} PlyProperty;

typedef struct {
  char name[PLY_NAME];
  int64_t count; /* at most 2^31 - 1 */
  int n_properties;
  PlyProperty properties[PLY_MOST_PROPERTIES];
} PlyElement;

typedef struct {
  PlyEncoding encoding;
  int n_elements;
  PlyElement elements[PLY_MOST_ELEMENTS];
} PlyHeader;

/* Local. Reads up to the line end after "end_header"; fails on anything not understood. */
Status ply_header(Text *text, PlyHeader *header);

/* Local. Number of the property in its element, -1: it has none of the name. */
int ply_property(const PlyElement *element, const char *name);

#endif
