/* Markdown, as tables and READMEs of results are written, inside a page: headings, paragraphs,
 * lists, pipe tables, blocks of code, pictures of the same folder, links, `code`, **strong**. All
 * else is text. */
#ifndef EXPERIMENTS_SWEEP_REPORT_MARKDOWN_H
#define EXPERIMENTS_SWEEP_REPORT_MARKDOWN_H

#include "io/html.h"

/* Local. `text` ends with a NUL; pictures are those of `directory`, within *budget bytes, from
 * which what they take is subtracted. */
void report_markdown(Html *html, const char *text, const char *directory, double *budget);

/* Local. A table of comma-separated values, the first line its head; quoted cells may hold commas,
 * quotes ("") and line ends. */
void report_csv(Html *html, const char *text);

#endif
