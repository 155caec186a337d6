#include "experiments/convert.h"

#include <errno.h>
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
  bool rate; /* it has one */
} Kind;

static const Kind kinds[] = {
    {".png", convert_image_in, convert_image_out, false},
    {".jpg", convert_image_in, NULL, false},
    {".jpeg", convert_image_in, NULL, false},
    {".mp4", convert_video_in, convert_video_out, true},
    {".mkv", convert_video_in, convert_video_out, true},
    {".avi", convert_video_in, NULL, true},
    {".mov", convert_video_in, NULL, true},
    {".webm", convert_video_in, NULL, true},
    {".wav", convert_sound_in, convert_sound_out, true},
    {".flac", convert_sound_in, convert_sound_out, true},
    {".ogg", convert_sound_in, convert_sound_out, true},
    {".aiff", convert_sound_in, NULL, true},
    {".ply", convert_shape_in, convert_shape_out, false},
    {".obj", convert_shape_in, NULL, false},
    {".off", convert_shape_in, NULL, false},
    {".stl", convert_shape_in, NULL, false},
    {".xyz", convert_shape_in, NULL, false},
    {".gz", convert_shape_in, NULL, false},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

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
  if (audio_open(name, &reader) != STATUS_OK) return kind_of("video.mkv");
  audio_close(reader);
  return kind_of("sound.wav");
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

static Status check_settings(const Conversion *conversion, const Kind *kind, bool from_data) {
  if (conversion->rate > 0 && !kind->rate) {
    return status_fail(STATUS_USAGE, "rate=%g: images and shapes have none", conversion->rate);
  }
  if (!*conversion->dataset || (from_data && kind->out != convert_shape_out)) return STATUS_OK;
  return status_fail(STATUS_USAGE, "dataset=%s: chooses the image, video or sound of an HDF5 file",
                     conversion->dataset);
}

static Status convert(const Conversion *conversion) {
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
  const Kind *kind = kind_of(from_data ? conversion->to : conversion->from);
  if (from_data && (!kind || !kind->out)) return unknown_ending(conversion->to);
  if (!kind) kind = kind_by_content(conversion->from);
  TRY(check_settings(conversion, kind, from_data));
  return from_data ? kind->out(conversion) : kind->in(conversion);
}

/* ---- Settings ---- */

static Status read_rate(const char *text, double *rate) {
  char *end;
  *rate = strtod(text, &end);
  if (end != text && !*end && isfinite(*rate) && *rate > 0) return STATUS_OK;
  return status_fail(STATUS_USAGE, "rate=%s: expected a number above 0", text);
}

static Status read_setting(const char *setting, Conversion *conversion) {
  static const char *const names[] = {"dataset", "rate", NULL};
  const char *equals = strchr(setting, '=');
  char name[64];
  snprintf(name, sizeof name, "%.*s", (int)(equals - setting), setting);
  if (!strcmp(name, "rate")) return read_rate(equals + 1, &conversion->rate);
  if (strcmp(name, "dataset")) {
    const char *close = config_suggest(name, names);
    return status_fail(STATUS_USAGE, "unknown key `%s`%s%s%s: convert knows dataset and rate", name,
                       close ? " (did you mean `" : "", close ? close : "", close ? "`?)" : "");
  }
  conversion->dataset = equals + 1;
  return STATUS_OK;
}

Status convert_file(const Comm *comm, const char *from, const char *to, int n_settings,
                    const char *const *settings, FILE *out) {
  Conversion conversion = {.from = from, .to = to, .dataset = ""};
  for (int i = 0; i < n_settings; i++) TRY(read_setting(settings[i], &conversion));
  TRY(comm_agree(comm, comm_rank(comm) == 0 ? convert(&conversion) : STATUS_OK));
  fprintf(out, "%-15s %s\n", "written", to);
  return STATUS_OK;
}
