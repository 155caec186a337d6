/* Files that are built into the program, the samples that experiments read where no file is named:
 * experiments/data/photograph.png for images, coffee.png, a smaller one in colour, guitar.flac for
 * sound (all CC0), and fashion-idx3-ubyte.gz for sets of images: the first 256 of Fashion-MNIST's
 * test images (MIT). */
#ifndef IO_EMBEDDED_H
#define IO_EMBEDDED_H

#include <stddef.h>

extern const unsigned char photograph_data[], coffee_data[], guitar_data[], fashion_data[];
extern const size_t photograph_length, coffee_length, guitar_length, fashion_length;

#endif
