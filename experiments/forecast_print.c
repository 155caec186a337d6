#include "experiments/forecast.h"

/* ---- The table ---- */

static void print_row(FILE *out, const Forecast *forecast, const char *what, double root,
                      double other) {
  fprintf(out, "  %-42s %10.1f", what, 1e-6 * root);
  if (forecast->ranks > 1) fprintf(out, " %10.1f", 1e-6 * other);
  fputc('\n', out);
}

static void print_memory(FILE *out, const Forecast *forecast) {
  const ForecastMemory *a = &forecast->root, *b = &forecast->other;
  const struct {
    const char *what;
    double root, other;
  } rows[] = {
      {"program and libraries", a->process, b->process},
      {"reading the data", a->reading, b->reading},
      {"data", a->data, b->data},
      {"weights and history", a->weights, b->weights},
      {"training: optimiser, gradient", a->optimizer, b->optimizer},
      {"training: threads, exact sums", a->threads, b->threads},
      {"training: parts of the data", a->bricks, b->bricks},
      {"training: checkpoint", a->checkpoint, b->checkpoint},
      {"evaluation: fields, files, pictures", a->evaluation, b->evaluation},
      {"peak", a->peak, b->peak},
  };
  fprintf(out, "  %-42s %10s%s\n", "memory (MB)", "rank 0",
          forecast->ranks > 1 ? "     others" : "");
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    if (rows[i].root > 0 || rows[i].other > 0) {
      print_row(out, forecast, rows[i].what, rows[i].root, rows[i].other);
    }
  }
}

/* ---- The lines ---- */

static void print_line(FILE *out, const char *name, double value, const char *units) {
  fprintf(out, "%-19s %.4g%s%s\n", name, value, *units ? " " : "", units);
}

static void print_time(FILE *out, const Forecast *forecast) {
  double seconds = forecast->training + forecast->evaluation;
  if (forecast->step_flops > 0) {
    double all = forecast->step_flops * (double)forecast->steps + forecast->eval_flops;
    print_line(out, "flops_step", forecast->step_flops, "");
    print_line(out, "flops", all, "");
    print_line(out, "gflops", 1e-9 * forecast->step_flops / forecast->step, "GFLOP/s");
  }
  print_line(out, "step_ms", 1e3 * forecast->step, "ms");
  print_line(out, "train_minutes", forecast->training / 60, "min");
  if (forecast->evaluation > 0) {
    print_line(out, "evaluate_minutes", forecast->evaluation / 60, "min");
  }
  print_line(out, "core_minutes", seconds / 60 * forecast->workers, "min");
}

void forecast_print(const Config *config, const Forecast *forecast, FILE *out) {
  const char *variant = config_text(config, "variant");
  fprintf(out, "%-19s %s%s%s: %lld steps, %d rank%s x %d thread%s: a forecast, nothing was run\n",
          config_text(config, "experiment"), config_text(config, "scale"), *variant ? " " : "",
          variant, (long long)forecast->steps, forecast->ranks, forecast->ranks == 1 ? "" : "s",
          forecast->threads, forecast->threads == 1 ? "" : "s");
  print_memory(out, forecast);
  print_line(out, "memory_rank0", 1e-6 * forecast->root.peak, "MB");
  if (forecast->ranks > 1) print_line(out, "memory_rank", 1e-6 * forecast->other.peak, "MB");
  print_line(out, "memory_node_shared", 1e-6 * forecast->node, "MB");
  print_line(out, "checkpoint", 1e-6 * forecast->checkpoint, "MB");
  fprintf(out, "%-19s %zu\n", "parameters", forecast->parameters);
  print_time(out, forecast);
}
