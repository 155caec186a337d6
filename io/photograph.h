/* The sample photograph that is built into the program (experiments/data/photograph.png, CC0). */
#ifndef IO_PHOTOGRAPH_H
#define IO_PHOTOGRAPH_H

#include <stddef.h>

extern const unsigned char photograph_data[];
extern const size_t photograph_length;

#endif
