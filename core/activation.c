#include "core/activation.h"

#include <string.h>

#include "core/vecmath.h"

/* Each activation: forward leaves a and aux; its derivatives follow from them (activation.h). */
#define EACH(i) _Pragma("omp simd") for (size_t i = 0; i < n; i++)
#define FORWARD(name) \
  static void name##_forward(size_t n, const real *restrict u, real *restrict a, real *restrict aux)
#define DERIVATIVE(name, order)                                                                 \
  static const real *name##_##order(size_t n, const real *restrict a, const real *restrict aux, \
                                    real *restrict buffer)
#define UNUSED(x) (void)(x)

static const real *fill(size_t n, real value, real *restrict buffer) {
  EACH(i) buffer[i] = value;
  return buffer;
}

DERIVATIVE(aux, first) {
  UNUSED(n), UNUSED(a), UNUSED(buffer);
  return aux;
}
DERIVATIVE(zero, any) {
  UNUSED(a), UNUSED(aux);
  return fill(n, 0, buffer);
}
DERIVATIVE(one, any) {
  UNUSED(a), UNUSED(aux);
  return fill(n, 1, buffer);
}

/* sine: aux = cos u */
FORWARD(sine) {
  EACH(i) vec_sincos(u[i], &a[i], &aux[i]);
}
DERIVATIVE(sine, second) {
  UNUSED(aux);
  EACH(i) buffer[i] = -a[i];
  return buffer;
}
DERIVATIVE(sine, third) {
  UNUSED(a);
  EACH(i) buffer[i] = -aux[i];
  return buffer;
}

/* relu: all from the sign of a. Written so that NaN stays NaN. */
FORWARD(relu) {
  UNUSED(aux);
  EACH(i) a[i] = u[i] < 0 ? 0 : u[i];
}
DERIVATIVE(relu, first) {
  UNUSED(aux);
  EACH(i) buffer[i] = a[i] > 0 ? 1 : 0;
  return buffer;
}

/* tanh: aux = 1 - tanh^2, from e = exp(-2|u|) - 1 without cancellation */
FORWARD(tanh) {
  EACH(i) {
    real e = vec_expm1(-2 * (u[i] < 0 ? -u[i] : u[i]));
    real t = -e / (2 + e);
    a[i] = u[i] < 0 ? -t : t;
    aux[i] = 4 * (1 + e) / ((2 + e) * (2 + e));
  }
}
DERIVATIVE(tanh, second) {
  EACH(i) buffer[i] = -2 * a[i] * aux[i];
  return buffer;
}
DERIVATIVE(tanh, third) {
  EACH(i) buffer[i] = aux[i] * (6 * a[i] * a[i] - 2);
  return buffer;
}

/* sigmoid: aux = sigma' = sigma (1 - sigma), from e = exp(-|u|) */
FORWARD(sigmoid) {
  EACH(i) {
    real e = vec_exp(u[i] < 0 ? u[i] : -u[i]);
    real small = e / (1 + e), large = 1 / (1 + e);
    a[i] = u[i] < 0 ? small : large;
    aux[i] = small * large;
  }
}
DERIVATIVE(sigmoid, second) {
  EACH(i) buffer[i] = aux[i] * (1 - 2 * a[i]);
  return buffer;
}
DERIVATIVE(sigmoid, third) {
  UNUSED(a);
  EACH(i) buffer[i] = aux[i] * (1 - 6 * aux[i]);
  return buffer;
}

/* softplus log(1 + exp u): aux = sigmoid(u) */
FORWARD(softplus) {
  EACH(i) {
    real e = vec_exp(u[i] < 0 ? u[i] : -u[i]);
    a[i] = (u[i] < 0 ? 0 : u[i]) + vec_log1p_unit(e);
    aux[i] = (u[i] < 0 ? e : 1) / (1 + e);
  }
}
DERIVATIVE(softplus, second) {
  UNUSED(a);
  EACH(i) buffer[i] = aux[i] * (1 - aux[i]);
  return buffer;
}
DERIVATIVE(softplus, third) {
  UNUSED(a);
  EACH(i) buffer[i] = aux[i] * (1 - aux[i]) * (1 - 2 * aux[i]);
  return buffer;
}

/* elu (alpha 1): aux = sigma' */
FORWARD(elu) {
  EACH(i) {
    real e = vec_expm1(u[i] < 0 ? u[i] : 0);
    a[i] = u[i] > 0 ? u[i] : e;
    aux[i] = u[i] > 0 ? 1 : e + 1;
  }
}
DERIVATIVE(elu, higher) {
  EACH(i) buffer[i] = a[i] > 0 ? 0 : aux[i];
  return buffer;
}

/* selu: aux = sigma' */
static const real selu_scale = REAL(1.0507009873554805), selu_alpha = REAL(1.6732632423543772);
FORWARD(selu) {
  EACH(i) {
    real e = vec_expm1(u[i] < 0 ? u[i] : 0);
    a[i] = selu_scale * (u[i] > 0 ? u[i] : selu_alpha * e);
    aux[i] = selu_scale * (u[i] > 0 ? 1 : selu_alpha * (e + 1));
  }
}

/* gaussian exp(-u^2/2): aux = u */
FORWARD(gaussian) {
  EACH(i) {
    a[i] = vec_exp(REAL(-0.5) * u[i] * u[i]);
    aux[i] = u[i];
  }
}
DERIVATIVE(gaussian, first) {
  EACH(i) buffer[i] = -aux[i] * a[i];
  return buffer;
}
DERIVATIVE(gaussian, second) {
  EACH(i) buffer[i] = (aux[i] * aux[i] - 1) * a[i];
  return buffer;
}
DERIVATIVE(gaussian, third) {
  EACH(i) buffer[i] = aux[i] * (3 - aux[i] * aux[i]) * a[i];
  return buffer;
}

FORWARD(linear) {
  UNUSED(aux);
  EACH(i) a[i] = u[i];
}

static const Activation table[] = {
    {"sine", true, INIT_SINE, sine_forward, aux_first, sine_second, sine_third},
    {"relu", false, INIT_KAIMING_NORMAL, relu_forward, relu_first, zero_any, zero_any},
    {"tanh", false, INIT_XAVIER_NORMAL, tanh_forward, aux_first, tanh_second, tanh_third},
    {"sigmoid", false, INIT_XAVIER_NORMAL, sigmoid_forward, aux_first, sigmoid_second,
     sigmoid_third},
    {"softplus", false, INIT_KAIMING_NORMAL, softplus_forward, aux_first, softplus_second,
     softplus_third},
    {"elu", false, INIT_ELU_NORMAL, elu_forward, aux_first, elu_higher, elu_higher},
    {"selu", false, INIT_SELU_NORMAL, selu_forward, aux_first, elu_higher, elu_higher},
    {"gaussian", true, INIT_SINE, gaussian_forward, gaussian_first, gaussian_second,
     gaussian_third},
    {"linear", false, INIT_XAVIER_NORMAL, linear_forward, one_any, zero_any, zero_any},
};

const Activation *activation_table(int *count) {
  *count = (int)(sizeof table / sizeof *table);
  return table;
}

const Activation *activation_find(const char *name) {
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    if (!strcmp(table[i].name, name)) return &table[i];
  }
  return NULL;
}
