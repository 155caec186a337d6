/* The pictures of a folder inside a page, within a budget of bytes. */
#ifndef EXPERIMENTS_SWEEP_REPORT_PICTURES_H
#define EXPERIMENTS_SWEEP_REPORT_PICTURES_H

#include "io/html.h"

/* Local. The PNG file DIRECTORY/NAME as a figure, shrunk until it has at most `budget` bytes; one
 * that does not fit or is no PNG becomes a line that says so. Returns the bytes. */
double report_picture(Html *html, const char *directory, const char *name, const char *caption,
                      double budget);

/* Local. All *.png files of a folder, figure.png first, then by name, at most 100, but for those
 * that a Markdown text (may be NULL) shows already. Each gets its share of the budget. Returns the
 * bytes. */
double report_pictures(Html *html, const char *directory, const char *markdown, double budget);

#endif
