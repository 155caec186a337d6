/* Which pixels of an image are known: known [pixels] gets 1 or 0, a pure function of the stream. */
#ifndef EXPERIMENTS_KNOWN_PIXELS_H
#define EXPERIMENTS_KNOWN_PIXELS_H

#include <stdint.h>

#include "core/random.h"

/* Local. n <= pixels of them, every set of so many as likely. */
void known_count(RandomStream stream, int pixels, int n, uint8_t *known);

/* Local. Each with this chance. */
void known_chance(RandomStream stream, int pixels, double chance, uint8_t *known);

/* Local. The first n. */
void known_first(int pixels, int n, uint8_t *known);

#endif
