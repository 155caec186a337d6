/* Colour maps: eleven colours each, linear in between. */
#ifndef IO_COLOUR_MAP_H
#define IO_COLOUR_MAP_H

typedef enum {
  COLOUR_VIRIDIS,  /* matplotlib's, dark to bright: fields */
  COLOUR_MAGMA,    /* matplotlib's, black to bright: spectra */
  COLOUR_RED_BLUE, /* ColorBrewer's RdBu: errors and what else has a sign, white in the middle */
} ColourMap;

/* Local, pure. The colour at value 0 to 1, clipped; NaN is mid grey. rgb in [0, 1]. */
void colour_map(ColourMap map, float value, float rgb[3]);

#endif
