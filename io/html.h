/* Writing an HTML file: markup, escaped text, bytes in base64. It is XML, too, as long as the
 * markup is. Writing past an error is harmless: html_close reports it. */
#ifndef IO_HTML_H
#define IO_HTML_H

#include <stddef.h>

#include "core/status.h"

typedef struct Html Html;

/* Local. Begins to replace `path`, under a temporary name. */
Status html_open(const char *path, Html **html);

/* Local. Markup, printf style. What comes from outside the program goes to html_text instead. */
void html_put(Html *html, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Local. Text of an element or a quoted attribute. Characters that cannot be seen become U+FFFD,
 * but for line ends and tabs. NULL is "". */
void html_text(Html *html, const char *text);

/* Local. Any bytes, for a data: URL. */
void html_base64(Html *html, const unsigned char *data, size_t length);

/* Local. Bytes written so far. */
double html_bytes(const Html *html);

/* Local. Ends it and frees the writer (NULL is allowed): as file_stream_close. */
Status html_close(Html *html, Status status);

#endif
