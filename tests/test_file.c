/* Whole files, directories, and the lock of an output directory. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/file.h"

static char directory[] = "/tmp/siren-file-XXXXXX";

static void assert_content(const char *path, const char *expected) {
  unsigned char *data;
  size_t length;
  if (file_read(path, &data, &length) != STATUS_OK) fail_msg("%s", status_message());
  assert_int_equal(length, strlen(expected));
  assert_string_equal((char *)data, expected); /* a NUL follows */
  free(data);
}

static void assert_message(const char *part) {
  if (!strstr(status_message(), part)) fail_msg("\"%s\" not in: %s", part, status_message());
}

static void test_replace_and_read(void **state) {
  (void)state;
  char *path = file_join(directory, "a"), *temporary = file_join(directory, "a.tmp");
  assert_int_equal(file_replace(path, "first", 5), STATUS_OK);
  assert_content(path, "first");
  assert_int_equal(file_replace(path, "", 0), STATUS_OK);
  assert_content(path, "");
  size_t length = 3000000, got;
  unsigned char *data = malloc(length), *read;
  for (size_t i = 0; i < length; i++) data[i] = (unsigned char)(i * 7 + i / 251);
  assert_int_equal(file_replace(path, data, length), STATUS_OK);
  assert_int_equal(file_read(path, &read, &got), STATUS_OK);
  assert_int_equal(got, length);
  assert_memory_equal(read, data, length);
  assert_false(file_exists(temporary));
  free(read);
  free(data);
  free(temporary);
  free(path);
}

static Status rotate(const char *path, const char *previous, const char *text) {
  FileStream *stream;
  if (file_stream_open(path, &stream) != STATUS_OK) return STATUS_FAILED;
  return file_stream_rotate(stream, previous, file_stream_write(stream, text, strlen(text)));
}

static void test_rotate_keeps_the_old_one(void **state) {
  (void)state;
  char *path = file_join(directory, "r"), *previous = file_join(directory, "r.previous");
  assert_int_equal(rotate(path, previous, "1"), STATUS_OK);
  assert_content(path, "1");
  assert_false(file_exists(previous));
  assert_int_equal(rotate(path, previous, "2"), STATUS_OK);
  assert_int_equal(rotate(path, previous, "3"), STATUS_OK);
  assert_content(path, "3");
  assert_content(previous, "2");
  free(previous);
  free(path);
}

/* Where the old file cannot be kept, it stays what it was. */
static void test_failed_rotation(void **state) {
  (void)state;
  char *path = file_join(directory, "f"), *previous = file_join(directory, "none/f");
  char *temporary = file_join(directory, "f.tmp");
  assert_int_equal(file_replace(path, "old", 3), STATUS_OK);
  assert_int_equal(rotate(path, previous, "new"), STATUS_FAILED);
  assert_message("none/f");
  assert_message(strerror(ENOENT));
  assert_content(path, "old");
  assert_false(file_exists(temporary));
  free(temporary);
  free(previous);
  free(path);
}

static void test_errors_name_path_and_reason(void **state) {
  (void)state;
  unsigned char *data;
  size_t length;
  char *missing = file_join(directory, "missing"), *below = file_join(directory, "missing/x");
  assert_int_equal(file_read(missing, &data, &length), STATUS_FAILED);
  assert_message(missing);
  assert_message(strerror(ENOENT));
  assert_int_equal(file_read(directory, &data, &length), STATUS_FAILED);
  assert_message(strerror(EISDIR));
  assert_int_equal(file_replace(below, "x", 1), STATUS_FAILED);
  assert_message(below);
  assert_message(strerror(ENOENT));
  assert_int_equal(file_replace("/dev/full/x", "x", 1), STATUS_FAILED);
  assert_message(strerror(ENOTDIR));
  free(below);
  free(missing);
}

static void test_reads_what_has_no_size(void **state) {
  (void)state;
  unsigned char *data;
  size_t length;
  assert_int_equal(file_read("/proc/self/cmdline", &data, &length), STATUS_OK);
  assert_true(length > 0);
  free(data);
}

static void test_removes_others(void **state) {
  (void)state;
  static const char *const names[] = {"o.tmp-1.lock", "o.tmp.data.0", "o.tmp",
                                      "o.tmp.lock",   "o.lock",       "oo.tmp-1.lock"};
  static const char *const patterns[] = {"-*.lock", ".data.*", NULL};
  char *path = file_join(directory, "o.tmp"), *none = file_join(directory, "none/o.tmp");
  for (int i = 0; i < 6; i++) {
    char *name = file_join(directory, names[i]);
    assert_int_equal(file_replace(name, "", 0), STATUS_OK);
    free(name);
  }
  file_remove_others(path, patterns);
  file_remove_others(none, patterns);
  for (int i = 0; i < 6; i++) {
    char *name = file_join(directory, names[i]);
    assert_int_equal(file_exists(name), i >= 2);
    unlink(name);
    free(name);
  }
  free(none);
  free(path);
}

static void test_directories(void **state) {
  (void)state;
  struct stat info;
  char *deep = file_join(directory, "x//y/z/"), *file = file_join(directory, "x/file");
  char *below = file_join(directory, "x/file/y");
  assert_int_equal(file_make_directory(deep), STATUS_OK);
  assert_int_equal(file_make_directory(deep), STATUS_OK);
  assert_int_equal(stat(deep, &info), 0);
  assert_true(S_ISDIR(info.st_mode));
  assert_int_equal(file_replace(file, "", 0), STATUS_OK);
  assert_int_equal(file_make_directory(file), STATUS_FAILED);
  assert_message("is not a directory");
  assert_int_equal(file_make_directory(below), STATUS_FAILED);
  assert_int_equal(file_make_directory(""), STATUS_FAILED);
  assert_int_equal(file_make_directory("/proc/siren"), STATUS_FAILED);
  assert_message("/proc/siren");
  assert_int_equal(file_make_directory("."), STATUS_OK);
  free(below);
  free(file);
  free(deep);
}

static void test_join(void **state) {
  (void)state;
  static const char *const cases[][3] = {
      {"a", "b", "a/b"}, {"a/", "b", "a/b"}, {"/", "b", "/b"}, {"", "b", "b"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char *joined = file_join(cases[i][0], cases[i][1]);
    assert_string_equal(joined, cases[i][2]);
    free(joined);
  }
}

/* The lock holds against another process, names it, and ends with its death. */
static void test_lock(void **state) {
  (void)state;
  int lock, ready[2];
  char note[256], holder[64], byte;
  assert_int_equal(pipe(ready), 0);
  pid_t pid = fork();
  if (pid == 0) {
    if (file_lock(directory, &lock, note) != STATUS_OK) _exit(1);
    if (write(ready[1], note[0] ? "n" : "y", 1) == 1) pause();
    _exit(0);
  }
  assert_int_equal(read(ready[0], &byte, 1), 1);
  if (byte == 'y') {
    assert_int_equal(file_lock(directory, &lock, note), STATUS_FAILED);
    snprintf(holder, sizeof holder, "is in use by process %ld on host ", (long)pid);
    assert_message(holder);
    assert_message(directory);
  }
  kill(pid, SIGKILL);
  waitpid(pid, NULL, 0);
  assert_int_equal(file_lock(directory, &lock, note), STATUS_OK);
  file_unlock(lock);
  assert_int_equal(file_lock(directory, &lock, note), STATUS_OK);
  file_unlock(lock);
  close(ready[0]);
  close(ready[1]);
  assert_int_equal(file_lock("/tmp/siren/no/such", &lock, note), STATUS_FAILED);
  assert_message("/tmp/siren/no/such/.lock");
}

static int make_directory(void **state) {
  (void)state;
  return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state) {
  (void)state;
  char command[64];
  snprintf(command, sizeof command, "rm -rf %s", directory);
  return system(command);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_replace_and_read),
      cmocka_unit_test(test_rotate_keeps_the_old_one),
      cmocka_unit_test(test_failed_rotation),
      cmocka_unit_test(test_errors_name_path_and_reason),
      cmocka_unit_test(test_reads_what_has_no_size),
      cmocka_unit_test(test_removes_others),
      cmocka_unit_test(test_directories),
      cmocka_unit_test(test_join),
      cmocka_unit_test(test_lock),
  };
  return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
