#include "experiments/sweep/listing.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

enum { GAP = 2, SHORTEST_LABEL = 16, LONGEST_LABEL = 72 };

ListingRow *listing_add(Listing *listing, const char *label) {
  Status status = memory_grow(&listing->rows, &listing->capacity, listing->n_rows + 1,
                              sizeof *listing->rows, "a list");
  if (status != STATUS_OK) return NULL;
  ListingRow *row = &listing->rows[listing->n_rows++];
  memset(row, 0, sizeof *row);
  row->label = label;
  return row;
}

void listing_destroy(Listing *listing) {
  free(listing->rows);
  *listing = (Listing){0};
}

/* Widths of the columns; 0 where one is empty. */
static int measure(const Listing *listing, size_t n, int width[LISTING_COLUMNS]) {
  int label = screen_width(listing->title);
  memset(width, 0, LISTING_COLUMNS * sizeof *width);
  for (size_t i = 0; i < n; i++) {
    int columns = screen_width(listing->rows[i].label);
    if (columns > label) label = columns;
    for (int c = 0; c < listing->n_columns; c++) {
      columns = screen_width(listing->rows[i].cell[c]);
      if (columns > width[c]) width[c] = columns;
    }
  }
  for (int c = 0; c < listing->n_columns; c++) {
    int columns = screen_width(listing->name[c]);
    if (width[c] > 0 && columns > width[c]) width[c] = columns;
  }
  return label > LONGEST_LABEL ? LONGEST_LABEL : label;
}

/* Leaves columns out until the labels have room; returns the width of these. */
static int fit(const Listing *listing, const Screen *screen, int label,
               int width[LISTING_COLUMNS]) {
  for (;;) {
    int used = 0, least = -1;
    for (int c = 0; c < listing->n_columns; c++) {
      if (width[c] == 0) continue;
      used += GAP + width[c];
      if (least < 0 || listing->weight[c] < listing->weight[least]) least = c;
    }
    int room = screen->columns > 0 ? screen->columns - used : label;
    if (least < 0 || room >= label) return room < label ? room : label;
    if (room >= SHORTEST_LABEL) return room;
    width[least] = 0;
  }
}

static void print_line(const Listing *listing, Screen *screen, const int width[LISTING_COLUMNS],
                       int label, const ListingRow *row) {
  Style style = row ? STYLE_PLAIN : STYLE_QUIET;
  screen_cell(screen, row ? STYLE_PLAIN : listing->style, label, false,
              row ? row->label : listing->title);
  for (int c = 0; c < listing->n_columns; c++) {
    if (width[c] == 0) continue;
    screen_cell(screen, style, width[c] + GAP, true, row ? row->cell[c] : listing->name[c]);
  }
  screen_end(screen);
}

void listing_print(const Listing *listing, Screen *screen, int most) {
  int width[LISTING_COLUMNS];
  if (listing->n_rows == 0 || most < 1) return;
  size_t n = listing->n_rows;
  if (n > (size_t)most) n = (size_t)most - 1; /* a line for the others */
  int label = fit(listing, screen, measure(listing, n, width), width);
  print_line(listing, screen, width, label, NULL);
  for (size_t i = 0; i < n; i++) print_line(listing, screen, width, label, &listing->rows[i]);
  if (n == listing->n_rows) return;
  screen_put(screen, STYLE_QUIET, "and %zu more", listing->n_rows - n);
  screen_end(screen);
}
