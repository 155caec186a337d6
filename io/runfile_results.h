/* What a run file says about itself in numbers: for tables, and for runs that are complete. */
#ifndef IO_RUNFILE_RESULTS_H
#define IO_RUNFILE_RESULTS_H

#include "core/status.h"

enum { RESULTS_NAME = 64 };

typedef struct {
  char name[RESULTS_NAME], units[RESULTS_NAME]; /* units "" where the file has none */
  double value;
} RunMetric;

/* Local. All of /metrics, in order of name; *metrics is owned by the caller (free). */
Status runfile_read_metrics(const char *path, int *n, RunMetric **metrics);

/* Local. One text attribute of /provenance (free). */
Status runfile_read_provenance(const char *path, const char *name, char **text);

typedef struct {
  char *name, *text;
} RunText;

/* Local. All attributes of a group of a run file or a checkpoint ("/config", "/provenance"), as
 * text, in order of name; release with runtexts_destroy. */
Status runfile_read_texts(const char *path, const char *group, int *n, RunText **texts);
void runtexts_destroy(int n, RunText *texts); /* NULL is allowed */

#endif
