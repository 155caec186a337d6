#include "experiments/commands.h"

#include <stdlib.h>
#include <string.h>

#include "core/linalg.h"
#include "core/memory.h"
#include "experiments/bench.h"
#include "experiments/check.h"
#include "experiments/convert.h"
#include "experiments/forecast.h"
#include "experiments/run.h"
#include "experiments/scaling.h"
#include "experiments/source.h"
#include "experiments/stop.h"
#include "experiments/suite.h"
#include "experiments/sweep/sweep_commands.h"
#include "experiments/threads.h"
#include "experiments/version.h"

/* What a command gets: its arguments without "siren COMMAND". */
typedef struct {
  const Comm *comm;
  FILE *out; /* goes nowhere on ranks > 0 */
  int argc;
  const char *const *argv;
} Invocation;

typedef struct {
  const char *name, *arguments, *summary, *help;
  bool options; /* the help goes on with the option table */
  Status (*function)(const Invocation *invocation);
} Command;

static const Command *command_table(void);

/* ---- Arguments ---- */

/* Copies the arguments to kept [argc] without those that are `flag`; *argc becomes their number.
 * Returns whether there was one. */
static bool take_flag(const char *flag, int *argc, const char *const *argv, const char **kept) {
  int n = 0;
  for (int i = 0; i < *argc; i++) {
    if (strcmp(argv[i], flag) != 0) kept[n++] = argv[i];
  }
  bool found = n < *argc;
  *argc = n;
  return found;
}

static Status check_overrides(const Invocation *invocation, int first) {
  for (int i = first; i < invocation->argc; i++) {
    if (!strchr(invocation->argv[i], '=')) {
      return status_fail(STATUS_USAGE, "unexpected argument `%s`: overrides are key=value",
                         invocation->argv[i]);
    }
  }
  return STATUS_OK;
}

/* Collective. The configuration of "FILE.yaml key=value ..." or "EXPERIMENT key=value ...". */
static Status load_config(const Invocation *invocation, Config **config) {
  if (invocation->argc < 1) {
    return status_fail(STATUS_USAGE,
                       "FILE.yaml or the name of an experiment is missing; see "
                       "`siren list`");
  }
  TRY(check_overrides(invocation, 1));
  const char *name = invocation->argv[0];
  char *text = NULL;
  size_t length = 0;
  Status status = source_load(invocation->comm, name, &text, &length);
  if (status == STATUS_OK) {
    status = config_parse(name, text, length, invocation->argc - 1, invocation->argv + 1, config);
    status = comm_agree(invocation->comm, status);
  }
  free(text);
  return status;
}

/* ---- Commands ---- */

static void list_names(FILE *out, const char *title, const Config *config,
                       const char *(*name)(const Config *, int), const char *chosen) {
  if (!name(config, 0)) return;
  fprintf(out, "%-13s%s", "", title);
  for (int i = 0; name(config, i); i++) {
    bool is_default = !strcmp(name(config, i), chosen);
    fprintf(out, "%s %s%s", i ? "," : "", name(config, i), is_default ? " (default)" : "");
  }
  fprintf(out, "\n");
}

static Status list_command(const Invocation *invocation) {
  int count;
  const Experiment *table = suite_table(&count);
  for (int i = 0; i < count; i++) {
    Config *config = NULL;
    TRY(config_parse(table[i].name, table[i].yaml, strlen(table[i].yaml), 0, NULL, &config));
    fprintf(invocation->out, "%-12s %s\n", table[i].name, table[i].summary);
    list_names(invocation->out, "scales:  ", config, config_scale, config_text(config, "scale"));
    list_names(invocation->out, "variants:", config, config_variant,
               config_text(config, "variant"));
    config_destroy(config);
  }
  return STATUS_OK;
}

/* Collective. What run and check have in common. */
static Status with_config(const Invocation *invocation,
                          Status (*function)(const Comm *, const Config *, FILE *)) {
  Config *config = NULL;
  TRY(load_config(invocation, &config));
  Status status = function(invocation->comm, config, invocation->out);
  config_destroy(config);
  return status;
}

/* Collective. */
static Status forecast_experiment(const Comm *comm, const Config *config, FILE *out) {
  MemoryUse use = memory_use();
  Forecast forecast;
  TRY(forecast_run(comm, config, use.resident - use.shared, &forecast));
  forecast_print(config, &forecast, out);
  return STATUS_OK;
}

static Status run_command(const Invocation *invocation) {
  const char **kept;
  TRY(memory_allocate(&kept, (size_t)invocation->argc, sizeof *kept, "arguments"));
  Invocation run = *invocation;
  bool dry = take_flag("--dry-run", &run.argc, invocation->argv, kept);
  run.argv = kept;
  Status status = with_config(&run, dry ? forecast_experiment : run_experiment);
  free(kept);
  return status;
}

static Status check_command(const Invocation *invocation) {
  return with_config(invocation, check_gradient);
}

static Status eval_command(const Invocation *invocation) {
  if (invocation->argc < 1) return status_fail(STATUS_USAGE, "RUN_DIR is missing");
  TRY(check_overrides(invocation, 1));
  return run_eval(invocation->comm, invocation->argv[0], invocation->argc - 1, invocation->argv + 1,
                  invocation->out);
}

static Status convert_command(const Invocation *invocation) {
  if (invocation->argc < 2) {
    return status_fail(STATUS_USAGE, "FROM and TO are wanted, of which one ends in .h5");
  }
  TRY(check_overrides(invocation, 2));
  return convert_file(invocation->comm, invocation->argv[0], invocation->argv[1],
                      invocation->argc - 2, invocation->argv + 2, invocation->out);
}

static Status plan_command(const Invocation *invocation) {
  return sweep_command_plan(invocation->comm, invocation->argc, invocation->argv, invocation->out);
}

static Status sweep_command(const Invocation *invocation) {
  return sweep_command_run(invocation->comm, invocation->argc, invocation->argv, invocation->out);
}

static Status table_command(const Invocation *invocation) {
  return sweep_command_table(invocation->comm, invocation->argc, invocation->argv, invocation->out);
}

static Status watch_command(const Invocation *invocation) {
  return sweep_command_watch(invocation->comm, invocation->argc, invocation->argv, invocation->out);
}

static Status report_command(const Invocation *invocation) {
  return sweep_command_report(invocation->comm, invocation->argc, invocation->argv,
                              invocation->out);
}

static Status info_command(const Invocation *invocation) {
  if (invocation->argc != 1) {
    return status_fail(STATUS_USAGE, "one FILE.h5 is wanted, not %d", invocation->argc);
  }
  char *text = NULL;
  Status status = STATUS_OK;
  if (comm_rank(invocation->comm) == 0) status = runfile_describe(invocation->argv[0], &text);
  if (text) fputs(text, invocation->out);
  free(text);
  return comm_agree(invocation->comm, status);
}

/* One of bench's own settings, "threads=2". */
static Status bench_setting(const char *argument, int *threads, int *rounds) {
  static const char *const names[] = {"threads", "rounds"};
  int *values[] = {threads, rounds};
  for (int i = 0; i < 2; i++) {
    size_t length = strlen(names[i]);
    if (strncmp(argument, names[i], length) || argument[length] != '=') continue;
    char *end;
    long value = strtol(argument + length + 1, &end, 10);
    if (*end || end == argument + length + 1 || value < 1 || value > 1000) {
      return status_fail(STATUS_USAGE, "%s: expected a number from 1 to 1000", argument);
    }
    *values[i] = (int)value;
    return STATUS_OK;
  }
  return status_fail(STATUS_USAGE,
                     "unexpected argument `%s`; bench knows --json, threads=N, "
                     "rounds=N and step=NAME, and `bench scaling` more",
                     argument);
}

static Status bench_command(const Invocation *invocation) {
  if (invocation->argc > 0 && !strcmp(invocation->argv[0], "scaling")) {
    return scaling_command(invocation->comm, invocation->argc - 1, invocation->argv + 1,
                           invocation->out);
  }
  BenchSettings settings = {.rounds = 5};
  int wanted = 0;
  for (int i = 0; i < invocation->argc; i++) {
    const char *argument = invocation->argv[i];
    if (!strcmp(argument, "--json")) {
      settings.json = true;
    } else if (!strncmp(argument, "step=", strlen("step="))) {
      settings.step = argument + strlen("step=");
    } else {
      TRY(bench_setting(invocation->argv[i], &wanted, &settings.rounds));
    }
  }
  TRY(threads_choose(invocation->comm, wanted, &settings.threads));
  return bench_run(invocation->comm, &settings, invocation->out);
}

static Status version_command(const Invocation *invocation) {
  TextAttribute facts[VERSION_MAX_FACTS];
  int n = version_facts(facts);
  fprintf(invocation->out, "siren %s\n", facts[0].value);
  for (int i = 1; i < n; i++) {
    fprintf(invocation->out, "%-12s%s\n", facts[i].name, facts[i].value);
  }
  return STATUS_OK;
}

static Status help_command(const Invocation *invocation) {
  FILE *out = invocation->out;
  fprintf(out, "siren: experiments with periodic implicit neural representations\n\n");
  for (const Command *command = command_table(); command->name; command++) {
    char left[64];
    snprintf(left, sizeof left, "siren %s %s", command->name, command->arguments);
    fprintf(out, "  %-44s %s\n", left, command->summary);
  }
  fprintf(out,
          "  %-44s what a command takes\n\n"
          "Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 75 stopped at a "
          "checkpoint\n",
          "siren COMMAND --help");
  return STATUS_OK;
}

static const Command commands[] = {
    {"list", "", "experiments, their scales and variants",
     "Lists what `siren run` knows, with the scales and variants of each experiment's file.", false,
     list_command},
    {"run", "FILE.yaml [key=value ...] [--dry-run]", "train and evaluate, or go on with it",
     "Trains and evaluates in the directory output=DIR (runs/EXPERIMENT-SCALE[-VARIANT] by\n"
     "default): run.h5, pictures, log.jsonl, checkpoints. An unfinished run of the same\n"
     "configuration goes on from its checkpoint; a complete one only shows its results.\n"
     "FILE.yaml may be the bare name of an experiment, which takes the built-in file.\n"
     "SIGTERM, SIGUSR1, SIGINT, train.time_limit and SIREN_DEADLINE (seconds since 1970) end a\n"
     "run at a checkpoint, with exit code 75: start it again to go on.\n"
     "--dry-run tells what the run would take on these ranks and threads, and writes nothing:\n"
     "memory of rank 0 and of the others at their peak, flops, milliseconds of a step, minutes of\n"
     "training and evaluation, core-minutes. It reads the data and computes for a second or two.",
     true, run_command},
    {"check", "FILE.yaml [key=value ...]", "compare the gradient with finite differences",
     "Compares the objective's gradient at the first weights with differences of fourth order in\n"
     "double precision, for every tensor: along a random direction and for single parameters.",
     true, check_command},
    {"eval", "RUN_DIR [key=value ...]", "fields of a finished run on any grid",
     "Evaluates the network of RUN_DIR/run.h5 on a grid (eval.size samples a side, from\n"
     "eval.lower to eval.upper) and writes eval.fields to RUN_DIR/eval.h5, with pictures.",
     true, eval_command},
    {"plan", "SWEEP.yaml [key=value ...] [--count]", "the runs of a sweep, with their forecasts",
     "One line per run: index, name (its identity, a hash of the resolved configuration),\n"
     "core-minutes, memory of a rank, state, overrides. Runs that cost the same are timed once, "
     "for\n"
     "a second or two. --count prints only the number of runs. The file's format: README, Sweeps.",
     false, plan_command},
    {"sweep", "SWEEP.yaml [index=K] [key=value ...]", "do all runs of a sweep that are missing",
     "Does what is missing, unfinished or failed in output=DIR (runs/sweeps/NAME by default), "
     "several\n"
     "runs side by side on groups of the job's ranks, the longest first; each run lies in\n"
     "DIR/NAME. A run that fails does not end the others. SIGTERM, SIGUSR1, SIGINT and\n"
     "SIREN_DEADLINE end it at checkpoints, with exit code 75: the same command goes on, on any\n"
     "number of ranks. index=K does only run K, for job arrays.",
     false, sweep_command},
    {"table", "SWEEP.yaml [into=DIR] [key=value ...]",
     "a sweep's table, beside the paper's figures",
     "Writes table.md, table.csv and pictures to DIR (the sweep's directory by default), and the\n"
     "table to standard output: mean and deviation over the seeds, the paper's value with its\n"
     "source, difference, verdict, steps, core-minutes. A missing run is a row that says so. What "
     "is\n"
     "shown stands in the file's block `table`: README, Tables.",
     false, table_command},
    {"watch", "DIR [--once] [interval=SECONDS]", "how a sweep or a run goes",
     "Shows states, progress, best values and failures of a sweep's directory, or of a run's, "
     "every\n"
     "two seconds on a terminal until all has ended; once, as plain lines, anywhere else.",
     false, watch_command},
    {"report", "DIR [into=FILE.html]", "tables, pictures and curves in one HTML file",
     "Writes one self-contained page (DIR/report.html) about a sweep's directory, or a run's: its\n"
     "table, pictures, curves, failures, configurations, provenance. No scripts, no network.",
     false, report_command},
    {"convert", "FROM TO [key=value ...]", "files into HDF5 data sets and back",
     "Converts an image (PNG, JPEG), a video, a sound, a mesh or a cloud (PLY, OBJ, OFF, STL, "
     "XYZ)\n"
     "into an HDF5 data set, TO ending in .h5; or one of these, or another program's, into .png,\n"
     ".mp4 (H.264), .mkv (lossless), .wav, .flac, .ogg or .ply. A folder (with all below it) or a\n"
     ".tar, .tar.gz or .tgz of PNG and JPEG files, or an IDX file (also .gz), becomes a set of\n"
     "images, in order of their paths. One image, frame or block of sound is in memory at a time.\n"
     "\n"
     "  dataset=NAME  which one of an HDF5 file\n"
     "  rate=N        frames or samples a second, where the file does not tell\n"
     "  image=K       which one of a set of images, from 0 on, becomes a .png\n"
     "\n"
     "and for what becomes a set of images:\n"
     "\n"
     "  size=N        N x N pixels each: the centre square, resized; 0 (default): as they are, "
     "and\n"
     "                then all must be of one size\n"
     "  resize=NAME   bilinear (default), bicubic, area or nearest, each as in PIL\n"
     "  channels=NAME grey, rgb, or keep (default): as they are, all grey or all in colour\n"
     "  skip=true     leave out files that cannot be read, and name them; default: stop at the "
     "first",
     false, convert_command},
    {"bench", "[scaling] [--json] [key=value]", "speed of products, steps, sums; scaling",
     "Measures matrix products of a tile's shapes and whole training steps: medians over rounds\n"
     "in rotated order, and the steps' rates as shares of the products'. Keys: threads, rounds,\n"
     "step (one by name; hyper_set and hyper_conv, the hypernetwork of the paper's size, only "
     "so).\n"
     "\n" SCALING_HELP,
     false, bench_command},
    {"info", "FILE.h5", "what a run file, checkpoint or data set holds",
     "Lists groups, shapes, attributes and metrics of a run file, a checkpoint, eval.h5 or a data\n"
     "set; of a set of images, how many are for training, validation and the test.",
     false, info_command},
    {"--version", "", "version, build and libraries", "Version, build and libraries.", false,
     version_command},
    {"--help", "", "this text", "Lists the commands.", false, help_command},
    {NULL, NULL, NULL, NULL, false, NULL},
};

static const Command *command_table(void) {
  return commands;
}

/* ---- Dispatch ---- */

static Status unknown_command(const char *word) {
  const char *names[sizeof commands / sizeof *commands] = {NULL};
  for (int i = 0; commands[i].name; i++) names[i] = commands[i].name;
  const char *close = config_suggest(word, names);
  return status_fail(STATUS_USAGE, "unknown command `%s`%s%s%s; see `siren --help`", word,
                     close ? "; did you mean `" : "", close ? close : "", close ? "`?" : "");
}

static const Command *find_command(const char *word) {
  static const struct {
    const char *word, *command;
  } aliases[] = {
      {"-h", "--help"}, {"help", "--help"}, {"-V", "--version"}, {"version", "--version"}};
  for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++) {
    if (!strcmp(word, aliases[i].word)) word = aliases[i].command;
  }
  for (const Command *command = commands; command->name; command++) {
    if (!strcmp(word, command->name)) return command;
  }
  return NULL;
}

/* The options of the named experiment, or the shared ones. */
static Status command_help(const Command *command, const Invocation *invocation) {
  fprintf(invocation->out, "siren %s %s\n\n%s\n", command->name, command->arguments, command->help);
  if (!command->options) return STATUS_OK;
  const Experiment *experiment = invocation->argc > 1 ? suite_find(invocation->argv[0]) : NULL;
  char *text = config_help(experiment ? experiment->name : NULL);
  if (!text) return status_fail(STATUS_FAILED, "out of memory");
  fprintf(invocation->out, "\n%s", text);
  free(text);
  return STATUS_OK;
}

static bool wants_help(const Invocation *invocation) {
  for (int i = 0; i < invocation->argc; i++) {
    if (!strcmp(invocation->argv[i], "--help") || !strcmp(invocation->argv[i], "-h")) return true;
  }
  return false;
}

static Status dispatch(const Invocation *all) {
  if (all->argc < 1) return status_fail(STATUS_USAGE, "no command; see `siren --help`");
  const Command *command = find_command(all->argv[0]);
  if (!command) return unknown_command(all->argv[0]);
  Invocation invocation = *all;
  invocation.argc--;
  invocation.argv++;
  if (wants_help(&invocation)) return command_help(command, &invocation);
  if (!*command->arguments && invocation.argc > 0) {
    return status_fail(STATUS_USAGE, "unexpected argument `%s`: siren %s takes none",
                       invocation.argv[0], command->name);
  }
  return command->function(&invocation);
}

/* Results that could not be written are a failure, too. */
static Status close_output(FILE *out) {
  bool failed = fflush(out) || ferror(out);
  return failed ? status_fail(STATUS_FAILED, "cannot write the results to standard output")
                : STATUS_OK;
}

/* Collective. */
static Status run_program(const Comm *comm, int argc, char **argv, FILE *out) {
  FILE *sink = comm_rank(comm) == 0 ? out : fopen("/dev/null", "w");
  Status status = STATUS_OK;
  if (!sink) status = status_fail(STATUS_FAILED, "cannot open /dev/null");
  TRY(comm_agree(comm, status));
  memory_start();
  linalg_start();
  stop_listen();
  Invocation invocation = {comm, sink, argc - 1, (const char *const *)argv + 1};
  status = dispatch(&invocation);
  if (status == STATUS_OK) status = comm_agree(comm, close_output(sink));
  if (sink != out) fclose(sink);
  return status;
}

int siren_main(int argc, char **argv, FILE *out) {
  Comm *comm = NULL;
  Status status = comm_start(&argc, &argv, &comm);
  if (status == STATUS_OK) status = run_program(comm, argc, argv, out);
  if (status != STATUS_OK && (!comm || comm_rank(comm) == 0)) {
    fprintf(stderr, "siren: %s\n", status_message());
  }
  comm_finish(comm);
  return (int)status;
}

/* FILE.yaml key=value ... */
static bool run_wants_double(int argc, const char *const *argv) {
  if (argc < 1) return false;
  char *text = NULL;
  size_t length;
  Config *config = NULL;
  Status status = source_load(NULL, argv[0], &text, &length);
  if (status == STATUS_OK) {
    status = config_parse(argv[0], text, length, argc - 1, argv + 1, &config);
  }
  free(text);
  bool wide = status == STATUS_OK && !strcmp(config_text(config, "precision"), "double");
  config_destroy(config);
  return wide;
}

bool siren_wants_double(int argc, char **argv) {
  if (argc < 3) return false;
  if (!strcmp(argv[1], "check")) return true;
  if (!strcmp(argv[1], "sweep") || !strcmp(argv[1], "plan")) {
    return sweep_wants_double(argc - 2, (const char *const *)argv + 2);
  }
  if (strcmp(argv[1], "run") != 0) return false;
  const char **kept = malloc((size_t)argc * sizeof *kept);
  if (!kept) return false;
  int n = argc - 2;
  take_flag("--dry-run", &n, (const char *const *)argv + 2, kept);
  bool wide = run_wants_double(n, kept);
  free(kept);
  return wide;
}
