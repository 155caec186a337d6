/* The axes of a sweep: from its file to lists of values, and rules that filter runs. */
#ifndef EXPERIMENTS_SWEEP_AXES_H
#define EXPERIMENTS_SWEEP_AXES_H

#include "experiments/sweep/sweep.h"

/* Local. Fills sweep->axes from the file's `axes` and `seeds`; sweep->experiment is known. */
Status axes_read(Sweep *sweep);
void axes_destroy(Sweep *sweep);

/* Local. How many combinations there are, before any filter; infinity does not occur. */
double axes_combinations(const Sweep *sweep);

/* Local. Whether choice [n_axes] is left out by `only` and `skip`, which axes_check_rules has
 * found to be in order. */
bool axes_left_out(const Sweep *sweep, const int *choice);
Status axes_check_rules(const Sweep *sweep);

/* Local. The place of a key among the axes; false: it is none. */
bool axes_find(const Sweep *sweep, const char *key, int *axis, int *position);

/* Local. Text of a value for a label: as it is, or "" for none. */
const char *axes_shown(const char *value);

#endif
