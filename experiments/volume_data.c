/* Reading a volume (volume.h), and the built-in one. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "experiments/volume.h"

enum { SAMPLE_SIDE = 48 };

/* ---- The built-in field ---- */

/* The test signal of Marschner and Lobb (Visualization 1994) on [-1, 1]^3: frequencies up to the
 * limit of a grid of 40 samples a side. */
static double marschner_lobb(double z, double y, double x) {
  const double pi = 3.14159265358979323846, frequency = 6, alpha = 0.25;
  double r = sqrt(x * x + y * y), ring = cos(2 * pi * frequency * cos(pi * r / 2));
  return (1 - sin(pi * z / 2) + alpha * (1 + ring)) / (2 * (1 + alpha));
}

static void fill_sample(const Signal *signal) {
  int64_t n = signal->size[0], first, end;
  end = shared_part(signal->shared, n, &first) + first;
  for (int64_t z = first; z < end; z++) {
    float *values = signal_place(signal, z);
    for (int64_t i = 0; i < n * n; i++) {
      values[i] = (float)marschner_lobb((double)signal_coordinate(signal, 0, z),
                                        (double)signal_coordinate(signal, 1, i / n),
                                        (double)signal_coordinate(signal, 2, i % n));
    }
  }
}

static Status make_sample(const Comm *comm, const Config *config, Volume *volume) {
  Signal *signal = &volume->signal;
  int64_t size = config_int(config, "data.size");
  if (config_int(config, "data.brick") > 0) {
    return config_reject(config, "data.brick", "the built-in field is in memory; give data.file");
  }
  for (int i = 0; i < 3; i++) {
    signal->size[i] = size ? size : SAMPLE_SIDE;
    volume->origin[i] = -1;
    volume->spacing[i] = signal->size[i] > 1 ? 2.0 / (double)(signal->size[i] - 1) : 1;
  }
  signal->axes = 3;
  signal->type = SAMPLE_F32;
  strcpy(volume->axes, "z,y,x");
  strcpy(volume->units, "1");
  strcpy(volume->name, "marschner_lobb");
  volume->stored_bytes = signal_points(signal) * (int64_t)sizeof(float);
  TRY(signal_allocate(comm, signal));
  fill_sample(signal);
  return shared_ready(signal->shared, STATUS_OK);
}

/* ---- Files ---- */

/* The last part of a data set's path, as far as there is room. */
static void name_field(const char *dataset, Volume *volume) {
  const char *slash = strrchr(dataset, '/'), *name = slash ? slash + 1 : dataset;
  if (!*name) name = "data";
  size_t length = strlen(name);
  if (length >= sizeof volume->name) length = sizeof volume->name - 1;
  memcpy(volume->name, name, length);
}

/* Local. Opens the file and takes over what it says of itself. */
static Status open_file(const Config *config, Volume *volume) {
  static const DatasetWish wish = {.least = 3, .most = 4, .what = "a volume"};
  const char *file = config_text(config, "data.file");
  const char *name = config_text(config, "volume.dataset");
  Signal *signal = &volume->signal;
  TRY(dataset_open(file, name, &wish, &signal->file));
  const DatasetInfo *info = dataset_info(signal->file);
  if (info->components != 1) {
    return status_fail(STATUS_FAILED, "%s: %d components at every point; a volume has one", file,
                       info->components);
  }
  signal->axes = info->n_axes;
  signal->type = info->type;
  volume->stored_bytes = info->stored_bytes;
  for (int i = 0; i < info->n_axes; i++) {
    int64_t n = signal->size[i] = info->size[i];
    volume->stored_bytes *= n;
    volume->origin[i] = info->placed ? info->lower[i] : 0;
    volume->spacing[i] =
        info->placed && n > 1 ? (info->upper[i] - info->lower[i]) / (double)(n - 1) : 1;
  }
  strcpy(volume->axes, *info->axes ? info->axes : info->n_axes == 3 ? "z,y,x" : "time,z,y,x");
  strcpy(volume->units, *info->units ? info->units : "1");
  name_field(name, volume);
  return STATUS_OK;
}

static Status read_file(const Comm *comm, const Config *config, Volume *volume) {
  if (config_int(config, "data.size") > 0) {
    return config_reject(config, "data.size",
                         "volumes are not resized (volume.stride judges a part of the samples)");
  }
  TRY(comm_agree(comm, open_file(config, volume)));
  if (config_int(config, "data.brick") > 0) return STATUS_OK;
  Status status = signal_allocate(comm, &volume->signal);
  if (status != STATUS_OK) {
    return status_prefix(status, "%s does not fit into memory: set data.brick and data.resident",
                         config_text(config, "data.file"));
  }
  return signal_load(&volume->signal);
}

/* Values to [-1, 1]. */
static Status scale(const Config *config, Volume *volume) {
  double range = volume->high - volume->low;
  if (range <= 0) {
    return status_fail(STATUS_FAILED, "%s: the field is %g everywhere: nothing to learn",
                       config_text(config, "data.file"), volume->low);
  }
  volume->signal.scale = 2 / range;
  volume->signal.offset = -(volume->high + volume->low) / range;
  return STATUS_OK;
}

Status volume_read(const Comm *comm, const Config *config, Volume *volume) {
  bool built_in = !*config_text(config, "data.file");
  volume->signal.components = 1;
  for (int i = 0; i < NETWORK_MAX_IN; i++) {
    volume->signal.lower[i] = -1;
    volume->signal.upper[i] = 1;
  }
  TRY(built_in ? make_sample(comm, config, volume) : read_file(comm, config, volume));
  Status status = signal_range(comm, &volume->signal, config_int(config, "data.brick"),
                               &volume->low, &volume->high);
  if (status != STATUS_OK) return status_prefix(status, "%s", config_text(config, "data.file"));
  return scale(config, volume);
}

void volume_destroy(Volume *volume) {
  sampler_destroy(&volume->sampler);
  signal_destroy(&volume->signal);
  memset(volume, 0, sizeof *volume);
}
