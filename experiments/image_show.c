#include "experiments/image_show.h"

#include <assert.h>
#include <stdlib.h>

#include "core/memory.h"

Status image_show_field(Result *result, const ImageSet *set, const char *name,
                        const char *description, int64_t images, const float *values) {
  Field field = {.name = name,
                 .description = description,
                 .units = "1",
                 .axes = "image,row,column",
                 .n_axes = 3,
                 .size = {images, set->rows, set->columns},
                 .lower = {0, -1, -1},
                 .upper = {(double)images - 1, 1, 1},
                 .components = set->channels};
  TRY(runfile_field(result->file, &field));
  return runfile_slab(result->file, name, 0, values ? images : 0, values);
}

Status sheet_create(int rows, int columns, bool captions, Sheet *sheet) {
  const char *what = "pictures of images";
  size_t n = (size_t)(rows * columns);
  assert(n <= SHEET_PANELS);
  *sheet = (Sheet){rows, columns, NULL, NULL};
  TRY(memory_allocate(&sheet->images, n, sizeof *sheet->images, what));
  if (!captions) return STATUS_OK;
  return memory_allocate(&sheet->captions, n, sizeof *sheet->captions, what);
}

void sheet_destroy(Sheet *sheet) {
  for (int i = 0; sheet->images && i < sheet->rows * sheet->columns; i++) {
    image_destroy(&sheet->images[i]);
  }
  free(sheet->images);
  free(sheet->captions);
}

Status sheet_write(const Sheet *sheet, const Result *result, const char *name,
                   const PictureGrid *labels) {
  const Image *panels[SHEET_PANELS];
  const char *captions[SHEET_PANELS];
  for (int i = 0; i < sheet->rows * sheet->columns; i++) {
    panels[i] = sheet->images[i].pixels ? &sheet->images[i] : NULL;
    captions[i] = sheet->captions ? sheet->captions[i] : NULL;
  }
  PictureGrid grid = *labels;
  grid.rows = sheet->rows;
  grid.columns = sheet->columns;
  grid.panels = panels;
  grid.captions = sheet->captions ? captions : NULL;
  char *path = result_path(result, name);
  Status status = picture_grid(path, &grid);
  free(path);
  return status;
}

double sheet_bytes(const ImageSet *set, int rows, int columns, int channels, const char *label,
                   const char *caption) {
  const Image panel = {.height = set->rows, .width = set->columns, .channels = channels};
  const Image *panels[SHEET_PANELS];
  const char *captions[SHEET_PANELS], *labels[SHEET_PANELS];
  assert(rows * columns <= SHEET_PANELS);
  for (int i = 0; i < rows * columns; i++) {
    panels[i] = &panel;
    captions[i] = caption;
    labels[i % columns] = label;
  }
  return picture_grid_bytes(&(PictureGrid){.rows = rows,
                                           .columns = columns,
                                           .title = "",
                                           .column_labels = labels,
                                           .panels = panels,
                                           .captions = caption ? captions : NULL});
}
