/* The pictures of a folder inside a page, within a budget of bytes. */
#ifndef EXPERIMENTS_SWEEP_REPORT_PICTURES_H
#define EXPERIMENTS_SWEEP_REPORT_PICTURES_H

#include "io/html.h"

/* Local. DIRECTORY/NAME.png as a figure, shrunk until it has at most `budget` bytes; one that does
 * not fit or is no PNG becomes a line that says so. Returns the bytes. */
double report_picture(Html *html, const char *directory, const char *name, const char *caption,
                      double budget);

/* Local. All *.png files of a folder but those in `but` (may be NULL; NULL after the last), the
 * figure first, then by name, at most 100. Each gets its share of the budget. Returns the bytes. */
double report_pictures(Html *html, const char *directory, const char *const *but, double budget);

#endif
