/* Rows of figures below each other, fitted to the width of a screen: the first column, of texts, is
 * shortened first, then the least important figures are left out. */
#ifndef EXPERIMENTS_SWEEP_LISTING_H
#define EXPERIMENTS_SWEEP_LISTING_H

#include <stddef.h>

#include "core/status.h"
#include "io/screen.h"

enum { LISTING_COLUMNS = 8, LISTING_CELL = 40 };

typedef struct {
  const char *label; /* borrowed */
  char cell[LISTING_COLUMNS][LISTING_CELL];
} ListingRow;

typedef struct {
  const char *title; /* above the labels */
  Style style;       /* of it */
  int n_columns;
  const char *name[LISTING_COLUMNS]; /* borrowed; a column without text in any cell is left out */
  int weight[LISTING_COLUMNS];       /* the least goes first where there is no room */
  size_t n_rows, capacity;
  ListingRow *rows; /* owned */
} Listing;

/* Local. A new row, its cells empty; NULL when out of memory. */
ListingRow *listing_add(Listing *listing, const char *label);

/* Local. A line of names and one for each row, at most `most` of them; if that leaves rows out, the
 * last line says how many. Nothing without rows. */
void listing_print(const Listing *listing, Screen *screen, int most);
void listing_destroy(Listing *listing);

#endif
