/* The program: picks the precision; everything else is in commands.c. */
#include "experiments/commands.h"

int main(int argc, char **argv) {
  bool wide = siren_wants_double(argc, argv);
  return wide ? siren_double_main(argc, argv, stdout) : siren_float_main(argc, argv, stdout);
}
