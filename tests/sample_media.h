/* Whole files, directories, damage: what the tests of sound and video have in common. */
#ifndef TESTS_SAMPLE_MEDIA_H
#define TESTS_SAMPLE_MEDIA_H

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/file.h"
#include "tests/sample_image.h"

static inline uint32_t next_random(uint64_t *state) {
  *state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
  return (uint32_t)(*state >> 33);
}

static inline Bytes file_bytes(const char *path) {
  Bytes file;
  if (file_read(path, &file.data, &file.length) != STATUS_OK) fail_msg("%s", status_message());
  return file;
}

static inline void put_file(const char *path, const void *data, size_t length) {
  FILE *file = fopen(path, "wb");
  if (!file || fwrite(data, 1, length, file) != length || fclose(file)) fail_msg("%s", path);
}

static inline void mutate(Bytes file, uint64_t *random) {
  int count = 1 + (int)(next_random(random) % 4);
  for (int i = 0; i < count; i++) {
    size_t at = next_random(random) % file.length;
    switch (next_random(random) % 3) {
      case 0:
        file.data[at] ^= (unsigned char)(1u << next_random(random) % 8);
        break;
      case 1:
        file.data[at] = (unsigned char)next_random(random);
        break;
      default:
        memmove(file.data + at, file.data + at / 2, file.length - at);
    }
  }
}

static inline void assert_message(const char *part) {
  if (!strstr(status_message(), part)) fail_msg("\"%s\" not in: %s", part, status_message());
}

/* A failure of the world: one line that begins with the path. */
static inline void assert_failure(Status status, const char *path) {
  if (status != STATUS_FAILED) fail_msg("%d instead of a failure", (int)status);
  assert_int_equal(strncmp(status_message(), path, strlen(path)), 0);
  assert_true(strlen(status_message()) > strlen(path) + 8);
  assert_null(strchr(status_message(), '\n'));
}

/* As on a full disk, no file grows beyond so many bytes; -1 ends it. */
static inline void limit_files(long bytes) {
  signal(SIGXFSZ, SIG_IGN);
  struct rlimit limit;
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
  limit.rlim_cur = bytes < 0 ? limit.rlim_max : (rlim_t)bytes;
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

#endif
