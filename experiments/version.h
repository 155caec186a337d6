/* What this program is and was built from. */
#ifndef EXPERIMENTS_VERSION_H
#define EXPERIMENTS_VERSION_H

#include <stddef.h>

#include "io/runfile.h"

enum { VERSION_MAX_FACTS = 12 };

/* Local. Facts of the build: version, commit, compiler, libraries. Values live for ever. Returns
 * how many. */
int version_facts(TextAttribute facts[VERSION_MAX_FACTS]);

/* Local. "xxh3-128 " and 32 hexadecimal digits (XXH3's canonical form) of n reals, in memory order:
 * equal weights, equal text. */
enum { VERSION_DIGEST = 48 };
void version_digest(const real *values, size_t n, char text[VERSION_DIGEST]);

#endif
