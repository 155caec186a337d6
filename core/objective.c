#include "core/objective.h"

double objective_total(const Objective *objective, const double *terms) {
  double total = 0;
  for (int i = 0; i < objective->n_terms; i++) {
    if (objective->terms[i].weight != 0) total += objective->terms[i].weight * terms[i];
  }
  return total;
}

size_t objective_dense(const Objective *objective) {
  return outer_begin(&objective->outer, objective->n_parameters);
}
