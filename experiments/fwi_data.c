#include "experiments/fwi_data.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "experiments/cylinder.h"
#include "io/matrix.h"

/* ---- The released code's places (paper.md 6.4) ---- */

enum { SOURCES = 5, RECEIVERS = 30, SIDE_RECEIVERS = 10 };

static void paper_places(FwiData *data) {
  for (int i = 0; i < SOURCES; i++) {
    data->source[i] = (PmlSource){{-0.34705882 + 0.17352941 * i, -0.34705882}};
  }
  for (int i = 0; i < SIDE_RECEIVERS; i++) {
    double along[2] = {-0.34705882 + 0.07712418 * i, -0.25294118 + 0.07276688 * i};
    double places[3][2] = {{along[0], 0.40196078}, {-0.40196078, along[1]}, {0.40196078, along[1]}};
    for (int side = 0; side < 3; side++) {
      memcpy(data->receiver[side * SIDE_RECEIVERS + i], places[side], sizeof places[side]);
    }
  }
}

static Status allocate(int64_t sources, int64_t receivers, FwiData *data) {
  *data = (FwiData){.sources = (int)sources, .receivers = (int)receivers};
  TRY(memory_allocate(&data->source, (size_t)sources, sizeof *data->source, "sources"));
  TRY(memory_allocate(&data->receiver, (size_t)receivers, sizeof *data->receiver, "receivers"));
  return memory_allocate(&data->received, (size_t)(sources * receivers), sizeof *data->received,
                         "received data");
}

/* What a disc lets the receivers hear. */
static Status make_received(const Config *config, const Pml *pml, FwiData *data) {
  FwiDisc *disc = &data->disc;
  *disc = (FwiDisc){.x = {config_real(config, "fwi.disc_x"), config_real(config, "fwi.disc_y")},
                    .radius = config_real(config, "fwi.disc_radius"),
                    .velocity = config_real(config, "fwi.disc_velocity")};
  data->known = true;
  Cylinder cylinder;
  cylinder_start(pml->wavenumber, pml->wavenumber / disc->velocity, disc->radius,
                 PML_SOURCE_VARIANCE, &cylinder);
  for (int s = 0; s < data->sources; s++) {
    const double *from = data->source[s].x;
    double source[2] = {from[0] - disc->x[0], from[1] - disc->x[1]};
    if (hypot(source[0], source[1]) <= disc->radius) {
      return config_reject(config, "fwi.disc_radius", "source %d lies in the disc", s + 1);
    }
    for (int r = 0; r < data->receivers; r++) {
      const double *at = data->receiver[r];
      data->received[r * data->sources + s] =
          cylinder_field(&cylinder, source[0], source[1], at[0] - disc->x[0], at[1] - disc->x[1]);
    }
  }
  return STATUS_OK;
}

/* ---- A file ---- */

static Status expect(const char *path, const char *name, const Matrix *table, int64_t rows,
                     int64_t columns, int parts) {
  bool good = (rows == 0 || table->rows == rows) && table->columns == columns &&
              table->parts == parts && table->rows <= 100000;
  if (!good) {
    return status_fail(STATUS_FAILED,
                       "%s: %s is %lld x %lld%s numbers; expected are source [S][2], receivers "
                       "[R][2] and complex rec_val [R][S] (in HDF5: [R][S][2])",
                       path, name, (long long)table->rows, (long long)table->columns,
                       table->parts == 2 ? " complex" : "");
  }
  int64_t n = table->rows * columns * parts;
  for (int64_t i = 0; i < n; i++) {
    if (isfinite(table->values[i])) continue;
    return status_fail(STATUS_FAILED, "%s: %s holds a number that is not finite, in row %lld", path,
                       name, (long long)(i / (columns * parts)) + 1);
  }
  return STATUS_OK;
}

enum { PLACES, HEARERS, HEARD, N_TABLES };
static const char *const table_names[N_TABLES] = {"source", "receivers", "rec_val"};

static Status read_tables(const char *path, Matrix tables[N_TABLES]) {
  for (int i = 0; i < N_TABLES; i++) {
    TRY(matrix_read(path, table_names[i], "a table", &tables[i]));
    int64_t rows = i == HEARD ? tables[HEARERS].rows : 0;
    int64_t columns = i == HEARD ? tables[PLACES].rows : 2;
    TRY(expect(path, table_names[i], &tables[i], rows, columns, i == HEARD ? 2 : 1));
  }
  return STATUS_OK;
}

static void take_tables(const Matrix tables[N_TABLES], FwiData *data) {
  for (int i = 0; i < 2 * data->sources; i++) {
    data->source[i / 2].x[i % 2] = tables[PLACES].values[i];
  }
  for (int i = 0; i < 2 * data->receivers; i++) {
    data->receiver[i / 2][i % 2] = tables[HEARERS].values[i];
  }
  for (int i = 0; i < data->sources * data->receivers; i++) {
    const double *heard = tables[HEARD].values + 2 * i;
    data->received[i] = heard[0] + heard[1] * I;
  }
}

static Status read_file(const char *path, FwiData *data) {
  Matrix tables[N_TABLES] = {{0}};
  Status status = read_tables(path, tables);
  if (status == STATUS_OK) status = allocate(tables[PLACES].rows, tables[HEARERS].rows, data);
  if (status == STATUS_OK) take_tables(tables, data);
  for (int i = 0; i < N_TABLES; i++) matrix_destroy(&tables[i]);
  return status;
}

/* ---- Both ---- */

static Status check_place(const char *file, const char *what, int number, const double x[2]) {
  if (fabs(x[0]) <= PML_EDGE && fabs(x[1]) <= PML_EDGE) return STATUS_OK;
  return status_fail(STATUS_FAILED,
                     "%s: %s %d at (%g, %g) lies in the absorbing layer, or beyond it; the box of "
                     "waves goes from -0.5 to 0.5",
                     file, what, number, x[0], x[1]);
}

Status fwi_data_create(const Config *config, const Pml *pml, FwiData *data) {
  const char *file = config_text(config, "data.file");
  if (*file) {
    TRY(read_file(file, data));
  } else {
    TRY(allocate(SOURCES, RECEIVERS, data));
    paper_places(data);
    TRY(make_received(config, pml, data));
  }
  data->reach = config_real(config, "fwi.reach");
  data->scale = config_real(config, "fwi.scale");
  for (int i = 0; i < data->sources; i++) {
    TRY(check_place(file, "source", i + 1, data->source[i].x));
  }
  for (int i = 0; i < data->receivers; i++) {
    TRY(check_place(file, "receiver", i + 1, data->receiver[i]));
  }
  return STATUS_OK;
}

void fwi_data_destroy(FwiData *data) {
  free(data->source);
  free(data->receiver);
  free(data->received);
  memset(data, 0, sizeof *data);
}
