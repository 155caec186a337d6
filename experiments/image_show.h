/* What a run shows of the images of a set: fields of its run file, and sheets of panels. */
#ifndef EXPERIMENTS_IMAGE_SHOW_H
#define EXPERIMENTS_IMAGE_SHOW_H

#include "experiments/image_set.h"
#include "experiments/result.h"
#include "io/picture.h"

/* Collective. /fields/NAME: values [images][rows][columns][channels], -1 to 1; rank 0 brings them
 * all, the others NULL. */
Status image_show_field(Result *result, const ImageSet *set, const char *name,
                        const char *description, int64_t images, const float *values);

/* A grid of panels, to be filled by the caller: those without pixels stay empty. */
enum { SHEET_TEXT = 40, SHEET_PANELS = 128 /* at most */ };
typedef struct {
  int rows, columns;
  Image *images;                /* [rows][columns] */
  char (*captions)[SHEET_TEXT]; /* the same; NULL: there is no room for any */
} Sheet;

/* Local. To be destroyed after a failure, too. */
Status sheet_create(int rows, int columns, bool captions, Sheet *sheet);
void sheet_destroy(Sheet *sheet);

/* Local, on rank 0. Draws it as OUTPUT/NAME, with the title and labels of `labels`. */
Status sheet_write(const Sheet *sheet, const Result *result, const char *name,
                   const PictureGrid *labels);

/* Local, for forecasts. Bytes that drawing a sheet takes whose panels are images of the set in so
 * many channels, with labels of columns and captions (NULL: none) like these. */
double sheet_bytes(const ImageSet *set, int rows, int columns, int channels, const char *label,
                   const char *caption);

#endif
