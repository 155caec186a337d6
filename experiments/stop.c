#include "experiments/stop.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

/* A signal handler can reach nothing but a global. */
static volatile sig_atomic_t requested;

static void request(int number) {
  (void)number;
  requested = 1;
}

void stop_listen(void) {
  static const int signals[] = {SIGTERM, SIGUSR1, SIGINT};
  for (int i = 0; i < 3; i++) {
    struct sigaction action = {.sa_handler = request, .sa_flags = SA_RESTART};
    if (signals[i] == SIGINT) action.sa_flags |= (int)SA_RESETHAND;
    sigemptyset(&action.sa_mask);
    sigaction(signals[i], &action, NULL);
  }
}

bool stop_requested(void) {
  return requested;
}

Status stop_deadline(double *left) {
  *left = INFINITY;
  const char *text = getenv("SIREN_DEADLINE");
  if (!text || !*text) return STATUS_OK;
  char *end;
  double deadline = strtod(text, &end);
  if (*end || !isfinite(deadline)) {
    return status_fail(STATUS_USAGE, "SIREN_DEADLINE=%s: expected seconds since 1970", text);
  }
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  *left = deadline - (double)now.tv_sec - 1e-9 * (double)now.tv_nsec;
  return STATUS_OK;
}
