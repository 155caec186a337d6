#include "experiments/volume_slices.h"

Status volume_slices(const Setup *setup, const real *theta, const Volume *volume, double shift,
                     const Result *result) {
  (void)setup, (void)theta, (void)volume, (void)shift, (void)result;
  return STATUS_OK;
}
