/* Requests to stop: signals of batch systems and people, deadlines. */
#ifndef EXPERIMENTS_STOP_H
#define EXPERIMENTS_STOP_H

#include <stdbool.h>

#include "core/status.h"

/* Local. From now on SIGTERM, SIGUSR1 and SIGINT are requests to stop at the next checkpoint; a
 * second SIGINT ends the process at once. */
void stop_listen(void);

/* Local. Whether such a signal has come to this process. */
bool stop_requested(void);

/* Local. Seconds left until the deadline of the environment, SIREN_DEADLINE (seconds since 1970),
 * or infinity without one. Fails (STATUS_USAGE) when it is no number. */
Status stop_deadline(double *left);

#endif
