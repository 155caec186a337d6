#include "experiments/video_report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/memory.h"
#include "experiments/curve.h"
#include "experiments/movie.h"
#include "io/picture.h"

enum { STILLS = 6, STRIP_ROWS = 3 };

static const char title[] = "A video";

typedef struct {
  const Film *film;
  Result *result;
  Movie *movie; /* NULL: no pictures */
  /* Sums of squared errors of each frame, 0 where another rank has it; squares also after clipping
   * the fit to [-1, 1]. */
  double *squares, *clipped;
} Report;

/* ---- Numbers ---- */

double video_psnr(double sum, double values) {
  return fmin(10 * log10(4 * values / sum), VIDEO_BEST_PSNR);
}

FrameStatistics video_statistics(int64_t frames, const double *values) {
  FrameStatistics s = {.least = INFINITY, .largest = -INFINITY};
  double squares = 0;
  for (int64_t i = 0; i < frames; i++) {
    s.mean += values[i] / (double)frames;
    s.least = fmin(s.least, values[i]);
    s.largest = fmax(s.largest, values[i]);
  }
  for (int64_t i = 0; i < frames; i++) squares += (values[i] - s.mean) * (values[i] - s.mean);
  s.deviation = sqrt(squares / (double)frames);
  return s;
}

static int64_t frame_values(const Film *film) {
  return signal_line(&film->signal) * film->signal.components;
}

/* ---- A wave of frames ---- */

/* NaN would be lost in the maximum over the ranks. */
static double seen(double sum) {
  return isnan(sum) ? INFINITY : sum;
}

static void judge_frame(const Report *report, int64_t frame, const float *fit) {
  const Signal *signal = &report->film->signal;
  const void *samples = signal_place(signal, frame);
  double squares = 0, clipped = 0;
  for (int64_t i = 0; i < frame_values(report->film); i++) {
    double truth = (double)signal_value(signal, samples, i), value = fit[i];
    double error = value - truth, shown = (value < -1 ? -1 : value > 1 ? 1 : value) - truth;
    squares += error * error;
    clipped += shown * shown;
  }
  report->squares[frame] = seen(squares);
  report->clipped[frame] = seen(clipped);
}

/* EvaluatorSink. */
static Status take_wave(void *context, int64_t first, int64_t count,
                        const float *const fields[FIELD_COUNT]) {
  const Report *report = context;
  const float *fit = fields[FIELD_VALUE];
#pragma omp parallel for num_threads(report->result->threads)
  for (int64_t i = 0; i < count; i++) {
    judge_frame(report, first + i, fit + i * frame_values(report->film));
  }
  return report->movie ? movie_frames(report->movie, first, count, fit) : STATUS_OK;
}

/* ---- Pictures, on rank 0 ---- */

typedef struct {
  Image panels[STRIP_ROWS * STILLS];
  char times[STILLS][32], captions[STILLS][32];
} Strip;

static Status draw_error(const Image *truth, const Image *fit, Image *error) {
  TRY(image_create(truth->height, truth->width, 3, error));
  for (int i = 0; i < 3 * truth->height * truth->width; i++) {
    error->pixels[i] = 4 * fabsf(fit->pixels[i] - truth->pixels[i]);
  }
  return STATUS_OK;
}

static Status fill_strip(const Report *report, const double *psnr, int stills, Strip *strip) {
  double rate = report->film->rate;
  for (int i = 0; i < stills; i++) {
    int64_t frame = 0;
    Image *truth = &strip->panels[i], *fit = truth + stills, *error = fit + stills;
    TRY(movie_still(report->movie, i, &frame, truth, fit));
    TRY(draw_error(truth, fit, error));
    snprintf(strip->captions[i], 32, "%.2f dB", psnr[frame]);
    if (rate > 0) {
      snprintf(strip->times[i], 32, "%.2f s", (double)frame / rate);
    } else {
      snprintf(strip->times[i], 32, "frame %lld", (long long)frame);
    }
  }
  return STATUS_OK;
}

static Status write_strip(const Result *result, const Strip *strip, int stills) {
  const Image *panels[STRIP_ROWS * STILLS];
  const char *captions[STRIP_ROWS * STILLS] = {NULL}, *times[STILLS];
  for (int i = 0; i < STRIP_ROWS * stills; i++) panels[i] = &strip->panels[i];
  for (int i = 0; i < stills; i++) {
    times[i] = strip->times[i];
    captions[stills + i] = strip->captions[i];
  }
  PictureGrid grid = {.rows = STRIP_ROWS,
                      .columns = stills,
                      .title = title,
                      .column_labels = times,
                      .row_labels = (const char *const[]){"target", "fit", "4 x error"},
                      .panels = panels,
                      .captions = captions};
  char *path = result_path(result, "strip.png");
  Status status = picture_grid(path, &grid);
  free(path);
  return status;
}

static Status draw_strip(const Report *report, const double *psnr, int stills) {
  Strip strip = {0};
  Status status = fill_strip(report, psnr, stills, &strip);
  if (status == STATUS_OK) status = write_strip(report->result, &strip, stills);
  for (int i = 0; i < STRIP_ROWS * STILLS; i++) image_destroy(&strip.panels[i]);
  return status;
}

static Status plot_frames(const Report *report, const double *psnr) {
  int64_t frames = report->film->signal.size[0];
  double rate = report->film->rate, *x;
  TRY(memory_allocate(&x, (size_t)frames, sizeof *x, "a curve"));
  for (int64_t i = 0; i < frames; i++) x[i] = rate > 0 ? (double)i / rate : (double)i;
  Curve curve = {.label = "", .n = frames, .x = x, .y = psnr};
  char *path = result_path(report->result, "frames.png");
  Status status = picture_plot(path, &(Plot){"PSNR of the frames", rate > 0 ? "time (s)" : "frame",
                                             "PSNR (dB)", false, 1, &curve});
  free(path);
  free(x);
  return status;
}

static int strip_length(int64_t frames) {
  return frames < STILLS ? (int)frames : STILLS;
}

/* Collective. */
static Status draw(const Setup *setup, const Report *report, const double *psnr) {
  Status status = STATUS_OK;
  if (report->movie && !report->result->plain && comm_rank(setup->comm) == 0) {
    status = draw_strip(report, psnr, strip_length(report->film->signal.size[0]));
    if (status == STATUS_OK) status = plot_frames(report, psnr);
    if (status == STATUS_OK)
      status = curve_headline(setup, report->result, "psnr.png",
                              &(CurveStyle){title, "PSNR (dB)", false});
  }
  return comm_agree(setup->comm, status);
}

/* ---- The report ---- */

static MovieSpec movie_spec(const Film *film, int64_t frames, const Signal *truth) {
  return (MovieSpec){.frames = frames,
                     .height = (int)film->signal.size[1],
                     .width = (int)film->signal.size[2],
                     .channels = film->signal.components,
                     .rate = film->rate,
                     .truth = truth,
                     .stills = truth ? strip_length(frames) : 0};
}

/* Collective. With so many frames in the movie, `truth` at their left (NULL: none). */
static Status open_movie(const Result *result, const char *name, const Film *film, int64_t frames,
                         const Signal *truth, Movie **movie) {
  MovieSpec spec = movie_spec(film, frames, truth);
  char *path = result_path(result, name);
  Status status = movie_create(result->comm, path, &spec, movie);
  free(path);
  return status;
}

/* Collective. psnr [frames] from the sums; the same on all ranks. */
static Status write_metrics(const Report *report, double *psnr) {
  Result *result = report->result;
  int64_t frames = report->film->signal.size[0];
  double values = (double)frame_values(report->film), squares = 0, clipped = 0;
  for (int64_t i = 0; i < frames; i++) {
    psnr[i] = video_psnr(report->clipped[i], values);
    squares += report->squares[i];
    clipped += report->clipped[i];
  }
  FrameStatistics s = video_statistics(frames, psnr);
  values *= (double)frames;
  TRY(result_metric(result, "psnr", s.mean, "dB"));
  TRY(result_metric(result, "psnr_deviation", s.deviation, "dB"));
  TRY(result_metric(result, "psnr_worst", s.least, "dB"));
  TRY(result_metric(result, "psnr_best", s.largest, "dB"));
  TRY(result_metric(result, "psnr_all", video_psnr(clipped, values), "dB"));
  return result_metric(result, "mse", squares / values, "1");
}

/* Collective. */
static Status write_frame_psnr(const Report *report, const double *psnr) {
  Result *result = report->result;
  Grid all = signal_grid(&report->film->signal, 1);
  Field field = {.name = "frame_psnr",
                 .description = "PSNR of every frame, clipped to [0, 1]",
                 .units = "dB",
                 .axes = "time",
                 .n_axes = 1,
                 .size = {all.size[0]},
                 .lower = {all.lower[0]},
                 .upper = {all.upper[0]},
                 .components = 1};
  float *values = NULL;
  Status status = memory_allocate(&values, (size_t)all.size[0], sizeof *values, "a field");
  status = comm_agree(result->comm, status);
  for (int64_t i = 0; status == STATUS_OK && i < all.size[0]; i++) values[i] = (float)psnr[i];
  if (status == STATUS_OK) status = runfile_field(result->file, &field);
  int64_t mine = comm_rank(result->comm) == 0 ? all.size[0] : 0;
  if (status == STATUS_OK) status = runfile_slab(result->file, field.name, 0, mine, values);
  free(values);
  return status;
}

static ResultFields all_frames(const Film *film) {
  return (ResultFields){.grid = signal_grid(&film->signal, 1),
                        .wanted = {[FIELD_VALUE] = true},
                        .axes = "time,row,column"};
}

/* Collective. */
static Status evaluate(const Setup *setup, const real *theta, Report *report) {
  ResultFields what = all_frames(report->film);
  what.also = take_wave;
  what.context = report;
  WholeFields none;
  TRY(result_fields(report->result, &setup->network, theta, &what, &none));
  comm_max_double(setup->comm, report->squares, (size_t)what.grid.size[0]);
  comm_max_double(setup->comm, report->clipped, (size_t)what.grid.size[0]);
  return STATUS_OK;
}

/* Collective. numbers [3][frames]. */
static Status make_report(const Setup *setup, const real *theta, double *numbers, Report *report) {
  int64_t frames = report->film->signal.size[0];
  double *psnr = numbers + 2 * frames;
  report->squares = numbers;
  report->clipped = numbers + frames;
  if (config_bool(setup->config, "eval.pictures")) {
    TRY(open_movie(report->result, "fit.mp4", report->film, frames, &report->film->signal,
                   &report->movie));
  }
  TRY(evaluate(setup, theta, report));
  TRY(write_metrics(report, psnr));
  TRY(write_frame_psnr(report, psnr));
  return draw(setup, report, psnr);
}

Status video_report(const Setup *setup, const real *theta, const Film *film, Result *result) {
  Report report = {.film = film, .result = result};
  double *numbers = NULL;
  Status status = memory_allocate(&numbers, 3 * (size_t)film->signal.size[0], sizeof *numbers,
                                  "numbers of the frames");
  status = comm_agree(setup->comm, status);
  if (status == STATUS_OK) status = make_report(setup, theta, numbers, &report);
  status = movie_finish(report.movie, status);
  free(numbers);
  return status;
}

/* ---- siren eval ---- */

/* EvaluatorSink. */
static Status show_wave(void *context, int64_t first, int64_t count,
                        const float *const fields[FIELD_COUNT]) {
  return movie_frames(context, first, count, fields[FIELD_VALUE]);
}

static Status choose_fields(const Config *config, const Film *film, ResultFields *what) {
  int64_t size = config_int(config, "eval.size");
  Grid own = signal_grid(&film->signal, 1);
  *what = (ResultFields){.grid = own, .axes = "time,row,column"};
  if (size) what->grid.size[0] = size;
  TRY(result_options(config, what));
  for (int i = 1; i < 3; i++) { /* one row or column stays where it was learned */
    if (own.size[i] == 1) what->grid.lower[i] = what->grid.upper[i] = own.lower[i];
  }
  return STATUS_OK;
}

Status video_eval(const Setup *setup, const real *theta, const Film *film, Result *result) {
  ResultFields what;
  Movie *movie = NULL;
  TRY(choose_fields(setup->config, film, &what));
  if (what.keep && what.wanted[FIELD_VALUE]) {
    TRY(open_movie(result, "eval.mp4", film, what.grid.size[0], NULL, &movie));
    what.also = show_wave;
    what.context = movie;
  }
  what.keep = false; /* no rank could hold a long video */
  WholeFields none;
  Status status = result_fields(result, &setup->network, theta, &what, &none);
  return movie_finish(movie, status);
}

/* ---- Forecasts ---- */

static double strip_bytes(const MovieSpec *spec) {
  const Image frame = {.height = spec->height, .width = spec->width};
  const Image *panels[STRIP_ROWS * STILLS];
  int n = STRIP_ROWS * spec->stills;
  for (int i = 0; i < n; i++) panels[i] = &frame;
  PictureGrid grid = {
      .rows = STRIP_ROWS, .columns = spec->stills, .title = title, .panels = panels};
  return 3.0 * n * spec->height * spec->width * sizeof(float) + picture_grid_bytes(&grid);
}

double video_report_bytes(const Setup *setup, const Film *film, int rank) {
  ResultFields what = all_frames(film);
  double fields = result_fields_bytes(&setup->network, &what, setup->threads, setup->comm, rank);
  if (!config_bool(setup->config, "eval.pictures")) return fields;
  MovieSpec spec = movie_spec(film, film->signal.size[0], &film->signal);
  double drawing = rank == 0 ? fmax(strip_bytes(&spec), picture_plot_bytes()) : 0;
  return movie_bytes(&spec, rank) + fmax(fields, drawing);
}

double video_report_flops(const Setup *setup, const Film *film) {
  ResultFields what = all_frames(film);
  return (double)grid_points(&what.grid) * evaluator_flops(&setup->network, what.wanted);
}
