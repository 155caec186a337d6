/* Which run of a sweep gets how many ranks of a job: arithmetic only. */
#ifndef EXPERIMENTS_SWEEP_SCHEDULE_H
#define EXPERIMENTS_SWEEP_SCHEDULE_H

/* Local. For runs of these core-seconds, in falling order: the ranks [n] of `ranks` that each gets,
 * also in falling order. A run that would take longer alone than all of them need together gets so
 * many that it does not. */
void schedule_sizes(const double *core_seconds, int n, int ranks, int *sizes);

/* Local. Seconds until the last of them ends, when each begins as soon as its ranks are free. */
double schedule_span(const double *core_seconds, const int *sizes, int n, int ranks, int threads);

#endif
