/* `siren report DIR`: a sweep, or a single run, on one page of HTML that needs nothing else:
 * tables, curves, pictures, failures, configurations, provenance. No scripts; light and dark. */
#ifndef EXPERIMENTS_SWEEP_REPORT_H
#define EXPERIMENTS_SWEEP_REPORT_H

#include <stdio.h>

#include "core/status.h"

/* Local, on rank 0. Writes the page to `into` (NULL or "": DIRECTORY/report.html), as a whole, and
 * says so to `out`. Of the directory only whole files are read, also while runs go on. What of it
 * cannot be read is said on the page. Fails (STATUS_USAGE) on what is neither a sweep's directory
 * nor a run's. */
Status report_make(const char *directory, const char *into, FILE *out);

#endif
