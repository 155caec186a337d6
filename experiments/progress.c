#include "experiments/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BAR = 24 };

double progress_clock(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

Progress progress_start(bool silent, const char *name, int64_t first, int64_t steps,
                        const Headline *headline) {
  return (Progress){.silent = silent,
                    .terminal = isatty(STDERR_FILENO),
                    .name = name,
                    .first = first,
                    .steps = steps,
                    .started = progress_clock(),
                    .shown = -1,
                    .headline = headline};
}

void progress_time(double seconds, char text[24]) {
  int64_t s = seconds < 3.6e6 ? (int64_t)(seconds + 0.5) : 3600000;
  if (s >= 3600) {
    snprintf(text, 24, "%" PRId64 ":%02d:%02d", s / 3600, (int)(s / 60 % 60), (int)(s % 60));
  } else {
    snprintf(text, 24, "%d:%02d", (int)(s / 60), (int)(s % 60));
  }
}

/* A terminal sees every tenth of a second; a file of lines grows ever slower. */
static double interval(const Progress *progress, double now) {
  double slower = (now - progress->started) / 20;
  if (progress->terminal) return 0.1;
  return slower < 2 ? 2 : slower > 60 ? 60 : slower;
}

static void show_bar(const Progress *progress, int64_t done) {
  char bar[BAR + 1];
  int filled = (int)((double)BAR * (double)done / (double)progress->steps);
  for (int i = 0; i < BAR; i++) bar[i] = i < filled ? '#' : '.';
  bar[BAR] = '\0';
  fprintf(stderr, "\r[%s] ", bar);
}

void progress_step(Progress *progress, int64_t done, double loss, const double *terms) {
  if (progress->silent) return;
  double now = progress_clock();
  bool last = done == progress->steps;
  if (!last && progress->shown >= 0 && now - progress->shown < interval(progress, now)) return;
  progress->shown = now;
  double each = (now - progress->started) / (double)(done - progress->first);
  char left[24], figure[64] = "";
  progress_time(each * (double)(progress->steps - done), left);
  const Headline *headline = progress->headline;
  if (headline->function) {
    bool pure = !strcmp(headline->units, "1");
    snprintf(figure, sizeof figure, "  %s %.4g%s%s", headline->name, headline->function(terms),
             pure ? "" : " ", pure ? "" : headline->units);
  }
  if (progress->terminal) show_bar(progress, done);
  fprintf(stderr, "%s: step %" PRId64 "/%" PRId64 "  loss %.4g%s  %.4g ms/step  ETA %s%s",
          progress->name, done, progress->steps, loss, figure, 1e3 * each, left,
          progress->terminal && !last ? "\x1b[K" : "\n");
  if (progress->terminal && last) progress->shown = -1;
  fflush(stderr);
}

void progress_count(Progress *progress, int64_t done, const char *things) {
  if (progress->silent) return;
  double now = progress_clock();
  double shown = progress->shown < 0 ? progress->started : progress->shown;
  if (now - shown < interval(progress, now)) return;
  progress->shown = now;
  char of[32] = "";
  if (progress->steps) snprintf(of, sizeof of, "/%" PRId64, progress->steps);
  fprintf(stderr, "%s%s: %" PRId64 "%s %s%s", progress->terminal ? "\r" : "", progress->name, done,
          of, things, progress->terminal ? "\x1b[K" : "\n");
  fflush(stderr);
}

void progress_break(Progress *progress) {
  if (!progress->silent && progress->terminal && progress->shown >= 0) fputc('\n', stderr);
  progress->shown = -1;
}
