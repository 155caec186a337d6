/* Photographs that are built into the program: experiments/data/photograph.png, the sample of all
 * experiments on images, and coffee.png, a smaller one in colour (both CC0). */
#ifndef IO_PHOTOGRAPH_H
#define IO_PHOTOGRAPH_H

#include <stddef.h>

extern const unsigned char photograph_data[], coffee_data[];
extern const size_t photograph_length, coffee_length;

#endif
