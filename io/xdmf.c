#include "io/xdmf.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/file.h"

typedef struct {
  FILE *out; /* in memory: what fails there is seen once, at the end */
  const char *data;
  const Field *fields;
  int n_fields;
  bool in_time;
} Writer;

/* Steps of axis 0 are grids of their own, of the axes after it. */
static int first_axis(const Writer *writer) {
  return writer->in_time ? 1 : 0;
}

/* Of axis i; any distance where there is one sample. */
static double spacing(const Field *grid, int i) {
  if (grid->size[i] < 2) return 1;
  return (grid->upper[i] - grid->lower[i]) / (double)(grid->size[i] - 1);
}

static void put_sizes(const Writer *writer, const Field *field, int from) {
  for (int i = from; i < field->n_axes; i++) {
    fprintf(writer->out, "%s%" PRId64, i > from ? " " : "", field->size[i]);
  }
}

static void repeat(const Writer *writer, int value, int n) {
  for (int i = 0; i < n; i++) fprintf(writer->out, " %d", value);
}

/* Sizes, origin and spacing are in the order of the axes, slowest first, as XDMF has them. */
static void put_grid(const Writer *writer) {
  const Field *grid = writer->fields;
  int from = first_axis(writer), n = grid->n_axes - from;
  fprintf(writer->out, "<Topology TopologyType=\"%dDCoRectMesh\" Dimensions=\"", n);
  put_sizes(writer, grid, from);
  fprintf(writer->out, "\"/>\n<Geometry GeometryType=\"%s\">\n",
          n == 3 ? "ORIGIN_DXDYDZ" : "ORIGIN_DXDY");
  for (int row = 0; row < 2; row++) {
    fprintf(writer->out,
            "<DataItem Format=\"XML\" NumberType=\"Float\" Precision=\"8\" Dimensions=\"%d\">", n);
    for (int i = from; i < grid->n_axes; i++) {
      fprintf(writer->out, "%s%.17g", i > from ? " " : "", row ? spacing(grid, i) : grid->lower[i]);
    }
    fprintf(writer->out, "</DataItem>\n");
  }
  fprintf(writer->out, "</Geometry>\n");
}

/* The whole data set in the HDF5 file. */
static void put_whole(const Writer *writer, const Field *field) {
  fprintf(writer->out, "<DataItem Format=\"HDF\" NumberType=\"Float\" Precision=\"4\"");
  fprintf(writer->out, " Dimensions=\"");
  put_sizes(writer, field, 0);
  fprintf(writer->out, "\">%s:/fields/%s</DataItem>\n", writer->data, field->name);
}

/* Step t of axis 0: start, stride and count along every axis of the data set. */
static void put_step(const Writer *writer, const Field *field, int64_t t) {
  int n = field->n_axes;
  fprintf(writer->out, "<DataItem ItemType=\"HyperSlab\" Dimensions=\"");
  put_sizes(writer, field, 1);
  fprintf(writer->out, "\">\n<DataItem Format=\"XML\" NumberType=\"Int\" Dimensions=\"3 %d\">", n);
  fprintf(writer->out, "%" PRId64, t);
  repeat(writer, 0, n - 1);
  repeat(writer, 1, n + 1);
  fprintf(writer->out, " ");
  put_sizes(writer, field, 1);
  fprintf(writer->out, "</DataItem>\n");
  put_whole(writer, field);
  fprintf(writer->out, "</DataItem>\n");
}

static void put_step_grid(const Writer *writer, int64_t t) {
  const Field *grid = writer->fields;
  fprintf(writer->out, "<Grid Name=\"step%" PRId64 "\" GridType=\"Uniform\">\n", t);
  if (writer->in_time) {
    fprintf(writer->out, "<Time Value=\"%.17g\"/>\n",
            grid->lower[0] + (double)t * spacing(grid, 0));
  }
  put_grid(writer);
  for (int i = 0; i < writer->n_fields; i++) {
    const Field *field = &writer->fields[i];
    fprintf(writer->out, "<Attribute Name=\"%s\" AttributeType=\"Scalar\" Center=\"Node\">\n",
            field->name);
    if (writer->in_time) {
      put_step(writer, field, t);
    } else {
      put_whole(writer, field);
    }
    fprintf(writer->out, "</Attribute>\n");
  }
  fprintf(writer->out, "</Grid>\n");
}

static void put_document(const Writer *writer) {
  fprintf(writer->out, "<?xml version=\"1.0\"?>\n<Xdmf Version=\"3.0\">\n<Domain>\n");
  if (writer->in_time) {
    fprintf(writer->out,
            "<Grid Name=\"steps\" GridType=\"Collection\" CollectionType=\"Temporal\">\n");
    for (int64_t t = 0; t < writer->fields->size[0]; t++) put_step_grid(writer, t);
    fprintf(writer->out, "</Grid>\n");
  } else {
    put_step_grid(writer, 0);
  }
  fprintf(writer->out, "</Domain>\n</Xdmf>\n");
}

static bool begins_with_time(const char *axes) {
  return strcspn(axes, ",") == strlen("time") && !strncmp(axes, "time", strlen("time"));
}

Status xdmf_write(const char *path, const char *data, int n, const Field *fields) {
  bool in_time = fields->n_axes == 4 || begins_with_time(fields->axes);
  assert(n >= 1 && fields->n_axes - in_time >= 2 && fields->n_axes <= 4);
  char *text = NULL;
  size_t length = 0;
  FILE *out = open_memstream(&text, &length);
  if (!out) return status_fail(STATUS_FAILED, "%s: out of memory", path);
  put_document(&(Writer){out, data, fields, n, in_time});
  bool bad = ferror(out);
  bad = fclose(out) != 0 || bad;
  Status status = bad ? status_fail(STATUS_FAILED, "%s: out of memory", path)
                      : file_replace(path, text, length);
  free(text);
  return status;
}
