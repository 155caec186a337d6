/* Activations sigma with the derivatives that jets and their reverse need, sigma' to sigma'''. A
 * new activation is one row of the table in activation.c. */
#ifndef CORE_ACTIVATION_H
#define CORE_ACTIVATION_H

#include <stdbool.h>
#include <stddef.h>

#include "core/real.h"

/* How weights of a layer with this activation are drawn (paper.md section 0.3). */
typedef enum {
  INIT_SINE,           /* U(+-1/n) in the first layer, U(+-sqrt(6/n)/omega) elsewhere */
  INIT_KAIMING_NORMAL, /* std sqrt(2/n_in) */
  INIT_XAVIER_NORMAL,  /* std sqrt(2/(n_in+n_out)) */
  INIT_SELU_NORMAL,    /* std 1/sqrt(n_in) */
  INIT_ELU_NORMAL,     /* std sqrt(1.5505188080679277/n_in) */
} ActivationInit;

/* Forward evaluates a = sigma(u) once and keeps in `aux` whatever makes the derivatives cheap
 * afterwards (for the sine: the cosine). The derivative functions use a and aux only; they either
 * fill `buffer` (n reals) and return it, or return a pointer into their arguments when no
 * arithmetic is needed. All arrays hold n reals. */
typedef struct {
  const char *name;
  bool has_omega; /* omega_first and omega_hidden apply; otherwise omega is 1 */
  ActivationInit init;
  void (*forward)(size_t n, const real *u, real *a, real *aux);
  const real *(*first)(size_t n, const real *a, const real *aux, real *buffer);
  const real *(*second)(size_t n, const real *a, const real *aux, real *buffer);
  const real *(*third)(size_t n, const real *a, const real *aux, real *buffer);
} Activation;

/* Local. The table; *count gets its length. Never NULL. */
const Activation *activation_table(int *count);

/* Local. A row by name, or NULL. */
const Activation *activation_find(const char *name);

#endif
