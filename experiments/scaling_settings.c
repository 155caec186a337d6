#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/network.h"
#include "experiments/scaling_parts.h"
#include "io/config.h"

/* Networks by name: the paper's sizes. 177 GFLOP of a hypernetwork's step are those of encoder,
 * hypernetwork and 100 networks that it makes; tiles are groups of images. */
static const ScalingNetwork known[] = {
    {.name = "image",
     .what = "the paper's image, 512 x 512 pixels",
     .in = 2,
     .width = 256,
     .layers = 3,
     .out = 1,
     .samples = 262144},
    {.name = "video",
     .what = "the paper's video, 165,376 pixels a step",
     .in = 3,
     .width = 1024,
     .layers = 3,
     .out = 3,
     .samples = 165376},
    {.name = "hypernetwork",
     .what = "the paper's hypernetwork, 100 images a step in tiles of 10; measured on another "
             "network of that size",
     .in = 2,
     .width = 4096,
     .layers = 3,
     .out = 3,
     .samples = 6400,
     .tile = 64,
     .parameters = 52436995,
     .step_flops = 177e9,
     .tiles = 10},
};
enum { N_KNOWN = sizeof known / sizeof *known };

static const ScalingNetwork own = {.name = "given",
                                   .what = "from the command line",
                                   .in = 2,
                                   .width = 256,
                                   .layers = 3,
                                   .out = 1,
                                   .samples = 65536};

/* ---- Keys ---- */

typedef struct {
  ScalingSettings settings;
  ScalingNetwork network;
  const char *chosen; /* network= */
  const char *sized;  /* a key that is about a network of its own */
} Parsed;

typedef struct {
  const char *key;
  double lower, upper;
  bool whole;
  bool of_network;
  void (*set)(Parsed *parsed, double value);
} Key;

#define SETTER(name, place, type)                        \
  static void set_##name(Parsed *parsed, double value) { \
    parsed->place = (type)value;                         \
  }
SETTER(rounds, settings.rounds, int)
SETTER(threads, settings.threads, int)
SETTER(ranks_per_node, settings.ranks_per_node, int)
SETTER(in, network.in, int)
SETTER(width, network.width, int)
SETTER(layers, network.layers, int)
SETTER(out, network.out, int)
SETTER(samples, network.samples, int64_t)
SETTER(tile, network.tile, int)
#undef SETTER

static void set_latency(Parsed *parsed, double value) {
  parsed->settings.network.latency = 1e-6 * value;
  parsed->settings.network_given = true;
}

static void set_bandwidth(Parsed *parsed, double value) {
  parsed->settings.network.bandwidth = 1e9 * value;
  parsed->settings.network_given = true;
}

static const Key keys[] = {
    {"rounds", 1, 1000, true, false, set_rounds},
    {"threads", 1, 1024, true, false, set_threads},
    {"ranks_per_node", 1, 4096, true, false, set_ranks_per_node},
    {"latency_us", 0, 1e6, false, false, set_latency},
    {"bandwidth_gbs", 1e-3, 1e6, false, false, set_bandwidth},
    {"in", 1, NETWORK_MAX_IN, true, true, set_in},
    {"width", 1, 16384, true, true, set_width},
    {"layers", 0, NETWORK_MAX_LINEAR - 2, true, true, set_layers},
    {"out", 1, 1024, true, true, set_out},
    {"samples", 1, 1e12, true, true, set_samples},
    {"tile", 1, 1 << 20, true, true, set_tile},
};
enum { N_KEYS = sizeof keys / sizeof *keys };

static const Key *find_key(const char *argument, size_t length) {
  for (int i = 0; i < N_KEYS; i++) {
    if (strlen(keys[i].key) == length && !strncmp(keys[i].key, argument, length)) return &keys[i];
  }
  return NULL;
}

static Status unknown_key(const char *argument, size_t length) {
  const char *names[N_KEYS + 2] = {NULL};
  char word[64];
  for (int i = 0; i < N_KEYS; i++) names[i] = keys[i].key;
  names[N_KEYS] = "network";
  snprintf(word, sizeof word, "%.*s", (int)(length < 60 ? length : 60), argument);
  const char *close = config_suggest(word, names);
  return status_fail(STATUS_USAGE, "unexpected argument `%s`%s%s%s; see `siren bench --help`",
                     argument, close ? "; did you mean `" : "", close ? close : "",
                     close ? "`?" : "");
}

static Status set_number(const Key *key, const char *text, Parsed *parsed) {
  char *end;
  double value = strtod(text, &end);
  bool good = end > text && !*end && value >= key->lower && value <= key->upper;
  if (!good || (key->whole && value != floor(value))) {
    return status_fail(STATUS_USAGE, "%s=%s: expected a %snumber from %.12g to %.12g", key->key,
                       text, key->whole ? "whole " : "", key->lower, key->upper);
  }
  key->set(parsed, value);
  if (key->of_network) parsed->sized = key->key;
  return STATUS_OK;
}

static Status set_argument(const char *argument, Parsed *parsed) {
  if (!strcmp(argument, "--json")) {
    parsed->settings.json = true;
    return STATUS_OK;
  }
  size_t length = strcspn(argument, "=");
  const Key *key = find_key(argument, length);
  bool network = !strncmp(argument, "network=", 8);
  if (!argument[length] || (!key && !network)) return unknown_key(argument, length);
  if (!network) return set_number(key, argument + length + 1, parsed);
  parsed->chosen = argument + 8;
  return STATUS_OK;
}

/* ---- Networks ---- */

static const ScalingNetwork *find_known(const char *name) {
  for (int i = 0; i < N_KNOWN; i++) {
    if (!strcmp(known[i].name, name)) return &known[i];
  }
  return NULL;
}

static Status choose_networks(const Parsed *parsed, ScalingSettings *settings) {
  const ScalingNetwork *chosen = parsed->chosen ? find_known(parsed->chosen) : NULL;
  if (parsed->chosen && !chosen) {
    return status_fail(STATUS_USAGE, "network=%s: expected image, video or hypernetwork",
                       parsed->chosen);
  }
  if (chosen && parsed->sized) {
    return status_fail(STATUS_USAGE, "network=%s has its own sizes: leave %s= or network= out",
                       chosen->name, parsed->sized);
  }
  settings->n_networks = 1;
  if (chosen) {
    settings->networks[0] = *chosen;
  } else if (parsed->sized) {
    settings->networks[0] = parsed->network;
  } else {
    settings->n_networks = N_KNOWN;
    memcpy(settings->networks, known, sizeof known);
  }
  return STATUS_OK;
}

Status scaling_parse(int argc, const char *const *argv, ScalingSettings *settings) {
  Parsed parsed = {.settings = {.rounds = 2, .network = {1.5e-6, 12.5e9}}, .network = own};
  for (int i = 0; i < argc; i++) TRY(set_argument(argv[i], &parsed));
  *settings = parsed.settings;
  return choose_networks(&parsed, settings);
}
