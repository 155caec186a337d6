/* Errors the world causes (files, memory, configuration, NaN) travel up as a Status with a message.
 * A programming error is an assert. The values are the program's exit codes. */
#ifndef CORE_STATUS_H
#define CORE_STATUS_H

typedef enum {
  STATUS_OK = 0,
  STATUS_FAILED = 1,   /* the run failed: data, file, memory, divergence */
  STATUS_USAGE = 2,    /* wrong usage or configuration */
  STATUS_STOPPED = 75, /* stopped at a checkpoint; start again to go on (EX_TEMPFAIL) */
} Status;

/* Local. Sets the last message (printf style, one line, no newline at its end) and returns `code`.
 */
Status status_fail(Status code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Local. Puts "prefix: " before the last message; returns `code` unchanged. */
Status status_prefix(Status code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Local. The last message; never NULL. Valid until the next status_fail or status_prefix. */
const char *status_message(void);

/* Returns from the calling function when `call` does not give STATUS_OK. */
#define TRY(call)                                     \
  do {                                                \
    Status try_status_ = (call);                      \
    if (try_status_ != STATUS_OK) return try_status_; \
  } while (0)

#endif
