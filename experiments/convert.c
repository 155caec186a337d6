#include "experiments/convert.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "experiments/convert_parts.h"
#include "experiments/stop.h"
#include "io/audio.h"
#include "io/config.h"
#include "io/file.h"

/* What a file's name says about it. `in`: how such a file becomes a data set, `out`: how a data set
 * becomes such a file; NULL: not at all. */
typedef struct {
  const char *ending;
  Converter *in, *out;
  unsigned keys; /* that it takes, beside an HDF5 file's */
} Kind;

/* Settings, as bits. */
enum {
  KEY_DATASET = 1 << 0,
  KEY_RATE = 1 << 1,
  KEY_SIZE = 1 << 2,
  KEY_CHANNELS = 1 << 3,
  KEY_RESIZE = 1 << 4,
  KEY_SKIP = 1 << 5,
  KEY_IMAGE = 1 << 6,
  KEYS_SET = KEY_SIZE | KEY_CHANNELS | KEY_RESIZE | KEY_SKIP
};

static const Kind kinds[] = {
    {"/", convert_folder_in, NULL, KEYS_SET}, /* any folder, whatever its name */
    {".tar", convert_archive_in, NULL, KEYS_SET},
    {".tar.gz", convert_archive_in, NULL, KEYS_SET},
    {".tgz", convert_archive_in, NULL, KEYS_SET},
    {"ubyte", convert_idx_in, NULL, KEYS_SET},
    {"ubyte.gz", convert_idx_in, NULL, KEYS_SET},
    {".idx", convert_idx_in, NULL, KEYS_SET},
    {".idx.gz", convert_idx_in, NULL, KEYS_SET},
    {".png", convert_image_in, convert_image_out, 0},
    {".jpg", convert_image_in, NULL, 0},
    {".jpeg", convert_image_in, NULL, 0},
    {".mp4", convert_video_in, convert_video_out, KEY_RATE},
    {".mkv", convert_video_in, convert_video_out, KEY_RATE},
    {".avi", convert_video_in, NULL, KEY_RATE},
    {".mov", convert_video_in, NULL, KEY_RATE},
    {".webm", convert_video_in, NULL, KEY_RATE},
    {".wav", convert_sound_in, convert_sound_out, KEY_RATE},
    {".flac", convert_sound_in, convert_sound_out, KEY_RATE},
    {".ogg", convert_sound_in, convert_sound_out, KEY_RATE},
    {".aiff", convert_sound_in, NULL, KEY_RATE},
    {".ply", convert_shape_in, convert_shape_out, 0},
    {".obj", convert_shape_in, NULL, 0},
    {".off", convert_shape_in, NULL, 0},
    {".stl", convert_shape_in, NULL, 0},
    {".xyz", convert_shape_in, NULL, 0},
    {".gz", convert_shape_in, NULL, 0},
};
enum { KINDS = sizeof kinds / sizeof *kinds, LARGEST_SIZE = 4096 };

Status convert_go_on(const Conversion *conversion) {
  if (!stop_requested()) return STATUS_OK;
  return status_fail(STATUS_FAILED, "stopped; %s was not written", conversion->to);
}

/* ---- Files ---- */

static bool ends_in(const char *name, const char *ending) {
  size_t length = strlen(name), ours = strlen(ending);
  return length > ours && !strcasecmp(name + length - ours, ending);
}

static const Kind *kind_of(const char *name) {
  for (int i = 0; i < KINDS; i++) {
    if (ends_in(name, kinds[i].ending)) return &kinds[i];
  }
  return NULL;
}

/* Files of other endings are what their content says: images have a mark, sounds open as such, and
 * videos say what is wrong with the rest. */
static const Kind *kind_by_content(const char *name) {
  AudioReader *reader = NULL;
  if (file_begins(name, "\x89PNG", 4) || file_begins(name, "\xff\xd8\xff", 3)) {
    return kind_of("image.png");
  }
  if (file_begins(name, "\0\0\x08", 3)) return kind_of("images.idx");
  if (audio_open(name, &reader) != STATUS_OK) return kind_of("video.mkv");
  audio_close(reader);
  return kind_of("sound.wav");
}

static bool is_folder(const char *name) {
  struct stat info;
  return stat(name, &info) == 0 && S_ISDIR(info.st_mode);
}

static Status check_files(const Conversion *conversion) {
  struct stat from, to;
  if (stat(conversion->from, &from) < 0) {
    return status_fail(STATUS_FAILED, "%s: cannot open: %s", conversion->from, strerror(errno));
  }
  if (stat(conversion->to, &to) < 0) return STATUS_OK;
  if (from.st_dev == to.st_dev && from.st_ino == to.st_ino) {
    return status_fail(STATUS_USAGE, "%s: a file cannot be converted onto itself",
                       conversion->from);
  }
  if (S_ISDIR(to.st_mode)) {
    return status_fail(STATUS_USAGE, "%s: is a directory; name a file", conversion->to);
  }
  return STATUS_OK;
}

/* ".png, .mp4, ..." of those that can be written. */
static Status unknown_ending(const char *to) {
  char list[256] = "";
  for (int i = 0; i < KINDS; i++) {
    if (!kinds[i].out) continue;
    strcat(list, kinds[i].ending);
    strcat(list, ", ");
  }
  return status_fail(STATUS_USAGE, "%s: cannot write such a file; there are %s.h5", to, list);
}

/* ---- Settings ---- */

static Status read_dataset(const char *text, Conversion *conversion) {
  conversion->dataset = text;
  return STATUS_OK;
}

static Status read_rate(const char *text, Conversion *conversion) {
  char *end;
  conversion->rate = strtod(text, &end);
  if (end != text && !*end && isfinite(conversion->rate) && conversion->rate > 0) return STATUS_OK;
  return status_fail(STATUS_USAGE, "rate=%s: expected a number above 0", text);
}

/* A whole number in 0...most. */
static Status read_integer(const char *key, const char *text, int64_t most, int64_t *value) {
  char *end;
  errno = 0;
  *value = strtoll(text, &end, 10);
  if (end != text && !*end && !errno && *value >= 0 && *value <= most) return STATUS_OK;
  return status_fail(STATUS_USAGE, "%s=%s: expected a whole number from 0 to %" PRId64, key, text,
                     most);
}

static Status read_size(const char *text, Conversion *conversion) {
  int64_t size = 0;
  TRY(read_integer("size", text, LARGEST_SIZE, &size));
  conversion->size = (int)size;
  return STATUS_OK;
}

static Status read_image(const char *text, Conversion *conversion) {
  return read_integer("image", text, INT64_MAX, &conversion->image);
}

static Status read_channels(const char *text, Conversion *conversion) {
  static const char *const names[] = {"keep", "grey", "", "rgb"};
  for (int i = 0; i < 4; i++) {
    if (!*names[i] || strcmp(text, names[i])) continue;
    conversion->channels = i;
    return STATUS_OK;
  }
  return status_fail(STATUS_USAGE, "channels=%s: expected keep, grey or rgb", text);
}

static Status read_resize(const char *text, Conversion *conversion) {
  for (int i = 0; i < IMAGE_FILTERS; i++) {
    if (strcmp(text, image_filter_name((ImageFilter)i))) continue;
    conversion->filter = (ImageFilter)i;
    return STATUS_OK;
  }
  return status_fail(STATUS_USAGE, "resize=%s: expected bilinear, bicubic, area or nearest", text);
}

static Status read_skip(const char *text, Conversion *conversion) {
  conversion->skip = !strcmp(text, "true");
  if (conversion->skip || !strcmp(text, "false")) return STATUS_OK;
  return status_fail(STATUS_USAGE, "skip=%s: expected true or false", text);
}

typedef struct {
  const char *name;
  Status (*read)(const char *text, Conversion *conversion);
  const char *purpose; /* for who gives it where it has none */
} Setting;

/* In the order of the bits. */
#define FOR_SETS "is for what becomes a set of images: a folder, a .tar or an IDX file"
static const Setting settings[] = {
    {"dataset", read_dataset, "chooses the image, video or sound of an HDF5 file"},
    {"rate", read_rate, "images and shapes have none"},
    {"size", read_size, FOR_SETS},
    {"channels", read_channels, FOR_SETS},
    {"resize", read_resize, FOR_SETS},
    {"skip", read_skip, FOR_SETS},
    {"image", read_image, "chooses an image of a set in an HDF5 file, to become a .png"},
};
enum { SETTINGS = sizeof settings / sizeof *settings };

static Status unknown_setting(const char *name) {
  const char *names[SETTINGS + 1] = {NULL};
  char list[160] = "";
  for (int i = 0; i < SETTINGS; i++) {
    names[i] = settings[i].name;
    strcat(list, i == 0 ? "" : i == SETTINGS - 1 ? " and " : ", ");
    strcat(list, names[i]);
  }
  const char *close = config_suggest(name, names);
  return status_fail(STATUS_USAGE, "unknown key `%s`%s%s%s: convert knows %s", name,
                     close ? " (did you mean `" : "", close ? close : "", close ? "`?)" : "", list);
}

static Status read_setting(const char *given, Conversion *conversion) {
  const char *equals = strchr(given, '=');
  char name[64];
  snprintf(name, sizeof name, "%.*s", (int)(equals - given), given);
  for (int i = 0; i < SETTINGS; i++) {
    if (!strcmp(name, settings[i].name)) return settings[i].read(equals + 1, conversion);
  }
  return unknown_setting(name);
}

/* Refuses those that mean nothing here. */
static Status check_settings(int n, const char *const *given, const Kind *kind, bool from_data) {
  unsigned keys = kind->keys;
  if (from_data && kind->out != convert_shape_out) keys |= KEY_DATASET;
  if (from_data && kind->out == convert_image_out) keys |= KEY_IMAGE;
  if (from_data) keys &= ~(unsigned)KEYS_SET;
  for (int i = 0; i < n; i++) {
    size_t length = (size_t)(strchr(given[i], '=') - given[i]);
    for (int k = 0; k < SETTINGS; k++) {
      if (strlen(settings[k].name) != length || strncmp(given[i], settings[k].name, length)) {
        continue;
      }
      if (keys >> k & 1) continue;
      return status_fail(STATUS_USAGE, "%s: %s", given[i], settings[k].purpose);
    }
  }
  return STATUS_OK;
}

/* ---- All of it ---- */

static Status convert(const Conversion *conversion, int n_given, const char *const *given) {
  TRY(check_files(conversion));
  bool to_data = ends_in(conversion->to, ".h5") || ends_in(conversion->to, ".hdf5");
  bool from_data = file_begins(conversion->from, "\x89HDF\r\n\x1a\n", 8);
  if (from_data && to_data) {
    return status_fail(STATUS_USAGE, "%s: is HDF5 already", conversion->from);
  }
  if (!from_data && !to_data) {
    return status_fail(STATUS_USAGE, "%s: is not HDF5; it can be converted to a .h5 file only",
                       conversion->from);
  }
  const Kind *kind = is_folder(conversion->from)
                         ? &kinds[0]
                         : kind_of(from_data ? conversion->to : conversion->from);
  if (from_data && (!kind || !kind->out)) return unknown_ending(conversion->to);
  if (!kind) kind = kind_by_content(conversion->from);
  TRY(check_settings(n_given, given, kind, from_data));
  return from_data ? kind->out(conversion) : kind->in(conversion);
}

Status convert_file(const Comm *comm, const char *from, const char *to, int n_given,
                    const char *const *given, FILE *out) {
  Conversion conversion = {.from = from, .to = to, .dataset = "", .image = -1};
  for (int i = 0; i < n_given; i++) TRY(read_setting(given[i], &conversion));
  Status status = comm_rank(comm) == 0 ? convert(&conversion, n_given, given) : STATUS_OK;
  TRY(comm_agree(comm, status));
  fprintf(out, "%-15s %s\n", "written", to);
  return STATUS_OK;
}
