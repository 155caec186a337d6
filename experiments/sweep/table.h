/* The table of a sweep: what its runs found, beside the figures of a paper. Runs that differ only
 * in the seed are one row. The sweep's file says what is shown:
 *
 *   table:
 *     text: ...                     below the title: what it shows, what counts as reproduced
 *     metrics:                      of /metrics in run files; default: all of the experiment's
 *       - ssim
 *       - {name: psnr, title: PSNR, units: dB, decimals: 2}    or digits: 3, significant ones
 *     titles: {network.omega_first: first omega}    of the axes; default: the key's last word
 *     names: {variant: {"": SIREN, relu: ReLU}}     of values; default: the values. An axis whose
 *                                   values are all called "" has no column
 *     reference:                    figures to compare with; the rows that `when` chooses
 *       - {when: {variant: relu}, metric: psnr, value: 18.6, tolerance: 1, source: Fig. 1}
 *     heat:                         a picture for each combination of the other axes
 *       - {x: network.omega_first, y: network.omega_hidden, metric: psnr, title: ..., log: false}
 *     curves:                       what was logged over the steps, a curve for each row
 *       - {value: loss/total, title: ..., log: true}
 *     pictures: [figure.png]        of each row's first seed; or {file: figure.png, when: {...}}
 *
 * `when` is {KEY: VALUE or [VALUES], ...} over axes. A reference says how near is near enough:
 * `tolerance` (a difference) or `factor` (a ratio), or `bound: least` or `bound: most`. With
 * `minus: {KEY: VALUE, ...}` it is about the difference to the row that has these values and
 * otherwise the same ones, with `over: {...}` about the ratio, both pairwise for equal seeds; then
 * `value` is the figure of that difference or ratio. A curve's value is loss/total, loss/TERM or
 * the experiment's headline (psnr, mse, ...).
 *
 * Verdicts: "reproduced" or "differs" where there is a reference, "invalid" where a run failed or a
 * metric is not a number, "missing" where not all seeds are there, else "-". */
#ifndef EXPERIMENTS_SWEEP_TABLE_H
#define EXPERIMENTS_SWEEP_TABLE_H

#include <stdio.h>

#include "experiments/sweep/sweep.h"

/* Local. Whether the file's `table` is in order: unknown keys, metrics, values of axes, references
 * that choose no row, ... (STATUS_USAGE with the place). Reads no run. */
Status table_check(const Sweep *sweep);

/* Local. Reads the runs' directories and writes INTO/table.md (to `out`, too), INTO/table.csv and
 * the pictures beside them; `into` NULL or "": the sweep's directory. Runs that are missing, failed
 * or damaged are no error: the table says so. */
Status table_make(const Sweep *sweep, const char *into, FILE *out);

#endif
