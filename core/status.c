#include "core/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The only global of the program. Errors are raised outside of parallel regions. */
static char message[2048];

Status status_fail(Status code, const char *format, ...) {
  char text[sizeof message]; /* arguments may point into the old message */
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  memcpy(message, text, sizeof message);
  return code;
}

Status status_prefix(Status code, const char *format, ...) {
  char prefix[512];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(prefix, sizeof prefix, format, arguments);
  va_end(arguments);
  char text[sizeof message + sizeof prefix + 2];
  snprintf(text, sizeof text, "%s: %s", prefix, message);
  memcpy(message, text, sizeof message - 1);
  message[sizeof message - 1] = '\0';
  return code;
}

const char *status_message(void) {
  return message;
}
