/* Folders, tar archives and IDX files of images: every way to write a name, what is passed over,
 * what is refused; and archives and IDX files that end early or are damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <zlib.h>

#include "io/gzip.h"
#include "io/idx.h"
#include "io/image_files.h"
#include "io/split.h"
#include "io/spool.h"
#include "io/tar.h"
#include "tests/sample_media.h"

enum { BLOCK = 512 };

static char directory[] = "/tmp/siren-image-files-XXXXXX";
static char path[80];

static void ok(Status status) {
  if (status != STATUS_OK) fail_msg("%s", status_message());
}

static int make_directory(void **state) {
  (void)state;
  if (!mkdtemp(directory)) return -1;
  sprintf(path, "%s/file", directory);
  return 0;
}

static int remove_directory(void **state) {
  (void)state;
  char command[64];
  sprintf(command, "rm -rf %s", directory);
  return system(command);
}

/* A new file: some file systems flush one that is written over. */
static void put_new(Bytes bytes) {
  unlink(path);
  put_file(path, bytes.data, bytes.length);
}

/* ---- Archives ---- */

static void put_bytes(Bytes *to, const void *bytes, size_t length) {
  to->data = realloc(to->data, to->length + length + 1);
  memcpy(to->data + to->length, bytes, length);
  to->length += length;
}

static void put_padded(Bytes *to, const void *bytes, size_t length) {
  static const char zeros[BLOCK];
  put_bytes(to, bytes, length);
  put_bytes(to, zeros, (BLOCK - length % BLOCK) % BLOCK);
}

typedef struct {
  const char *name, *prefix;
  char type;
  enum { OLD, USTAR, GNU } format;
  bool binary_size;
} Header;

static void put_header(Bytes *to, Header h, size_t size) {
  char block[BLOCK] = {0};
  unsigned sum = 0;
  strncpy(block, h.name, 100);
  sprintf(block + 100, "0000644");
  sprintf(block + 124, "%011o", (unsigned)size);
  if (h.binary_size) {
    memset(block + 124, 0, 12);
    block[124] = (char)0x80;
    for (int i = 0; i < 4; i++) block[135 - i] = (char)(size >> 8 * i);
  }
  block[156] = h.type;
  if (h.format == USTAR)
    memcpy(block + 257,
           "ustar\0"
           "00",
           8);
  if (h.format == GNU) memcpy(block + 257, "ustar  ", 8);
  if (h.prefix) strncpy(block + 345, h.prefix, 155);
  memset(block + 148, ' ', 8);
  for (int i = 0; i < BLOCK; i++) sum += (unsigned char)block[i];
  sprintf(block + 148, "%06o", sum);
  put_bytes(to, block, BLOCK);
}

static void put_entry(Bytes *to, Header h, const char *text) {
  put_header(to, h, strlen(text));
  put_padded(to, text, strlen(text));
}

static void put_end(Bytes *to) {
  static const char zeros[2 * BLOCK];
  put_bytes(to, zeros, sizeof zeros);
}

static Bytes packed(Bytes from) {
  Bytes to = {malloc(from.length + 1000), from.length + 1000};
  z_stream stream = {0};
  assert_int_equal(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  stream.next_in = from.data;
  stream.avail_in = (unsigned)from.length;
  stream.next_out = to.data;
  stream.avail_out = (unsigned)to.length;
  assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
  to.length = stream.total_out;
  deflateEnd(&stream);
  return to;
}

/* Reads an archive of which file i should have this name and this text; NULL: the end. */
static void expect_files(Bytes archive, const char *const *names, const char *const *texts) {
  TarReader *reader;
  const char *name;
  unsigned char *data;
  size_t length;
  put_new(archive);
  ok(tar_open(path, &reader));
  for (int i = 0; names[i]; i++) {
    ok(tar_next(reader, &name));
    assert_non_null(name);
    assert_string_equal(name, names[i]);
    if (i % 2) continue; /* passed over */
    ok(tar_read(reader, &data, &length));
    assert_int_equal(length, strlen(texts[i]));
    assert_string_equal(data, texts[i]);
    free(data);
  }
  ok(tar_next(reader, &name));
  assert_null(name);
  tar_close(reader);
}

static char long_name[300], long_record[320];

/* Every format, and everything that is no file. */
static Bytes sample_archive(void) {
  Bytes archive = {0};
  memset(long_name, 'n', 260);
  strcpy(long_name + 260, "/a.png");
  sprintf(long_record, "276 path=%s\n", long_name);
  put_entry(&archive, (Header){"pax_global", .type = 'g', .format = USTAR}, "13 comment=x\n");
  put_entry(&archive, (Header){"./", .type = '5', .format = GNU}, "");
  put_entry(&archive, (Header){"./one.png", .type = '0', .format = GNU}, "first");
  put_entry(&archive, (Header){"old.png", .type = '\0', .format = OLD}, "second");
  put_entry(&archive, (Header){"b.png", .prefix = "deep/er", .type = '0', .format = USTAR},
            "third");
  put_entry(&archive, (Header){"link.png", .type = '2', .format = USTAR}, "");
  put_entry(&archive, (Header){"pax", .type = 'x', .format = USTAR}, long_record);
  put_entry(&archive, (Header){"cut", .type = '0', .format = USTAR}, "fourth");
  put_entry(&archive, (Header){"././@LongLink", .type = 'L', .format = GNU}, long_name);
  put_entry(&archive, (Header){"././@LongLink", .type = 'K', .format = GNU}, "elsewhere");
  put_entry(&archive, (Header){"cut", .type = '0', .format = GNU, .binary_size = true}, "fifth");
  put_entry(&archive, (Header){"pax", .type = 'x', .format = USTAR}, "9 size=5\n");
  put_header(&archive, (Header){"sized.png", .type = '7', .format = USTAR}, 0);
  put_padded(&archive, "sixth", 5);
  put_end(&archive);
  return archive;
}

static void test_every_format(void **state) {
  (void)state;
  Bytes archive = sample_archive(), gzip = packed(archive);
  const char *names[] = {"one.png",   "old.png", "deep/er/b.png", long_name, long_name,
                         "sized.png", NULL};
  const char *texts[] = {"first", "second", "third", "fourth", "fifth", "sixth"};
  expect_files(archive, names, texts);
  expect_files(gzip, names, texts);
  free(gzip.data);
  free(archive.data);
}

/* Reads all that there is, and every file in it. */
static Status read_archive(Bytes archive) {
  TarReader *reader = NULL;
  put_new(archive);
  Status status = tar_open(path, &reader);
  for (const char *name = ""; status == STATUS_OK && name;) {
    unsigned char *data = NULL;
    size_t length = 0;
    status = tar_next(reader, &name);
    if (status == STATUS_OK && name) status = tar_read(reader, &data, &length);
    free(data);
  }
  tar_close(reader);
  if (status != STATUS_OK) assert_failure(status, path);
  return status;
}

static void test_truncated_archives(void **state) {
  (void)state;
  Bytes whole = sample_archive(), gzip = packed(whole);
  for (size_t length = 0; length < whole.length - 2 * BLOCK; length += length % BLOCK ? 173 : 1) {
    assert_int_equal(read_archive((Bytes){whole.data, length}), STATUS_FAILED);
  }
  for (size_t length = 0; length < gzip.length; length++) {
    assert_int_equal(read_archive((Bytes){gzip.data, length}), STATUS_FAILED);
  }
  assert_message("truncated");
  free(gzip.data);
  free(whole.data);
}

static void test_damaged_archives(void **state) {
  (void)state;
  enum { MUTATIONS = 3000 };
  Bytes whole = sample_archive(), gzip = packed(whole), copy = {malloc(whole.length), 0};
  uint64_t random = 3;
  int refused[2] = {0};
  for (int i = 0; i < MUTATIONS; i++) {
    Bytes from = i % 4 ? whole : gzip;
    memcpy(copy.data, from.data, copy.length = from.length);
    mutate(copy, &random);
    refused[i % 4 > 0] += read_archive(copy) != STATUS_OK;
  }
  assert_in_range(refused[0], MUTATIONS / 5, MUTATIONS / 4); /* checksums */
  assert_in_range(refused[1], MUTATIONS / 8, MUTATIONS - 1);
  free(copy.data);
  free(gzip.data);
  free(whole.data);
}

static void refuse_archive(Bytes archive, const char *message) {
  assert_int_equal(read_archive(archive), STATUS_FAILED);
  assert_message(message);
  free(archive.data);
}

static void test_refused_archives(void **state) {
  (void)state;
  static const char *const records[] = {"11 path=ab\n", "5000 path=a\n", "path=abc\n",
                                        "9 path=ab\n",  "9 size=x\n",    "11 size=-5\n",
                                        "0 path=a\n"};
  Bytes archive = {0};
  put_bytes(&archive, "no archive", 10);
  refuse_archive(archive, "not a tar archive");
  archive = (Bytes){calloc(1, BLOCK), BLOCK};
  archive.data[300] = 7;
  refuse_archive(archive, "not a tar archive");
  for (size_t i = 0; i < sizeof records / sizeof *records; i++) {
    archive = (Bytes){0};
    put_entry(&archive, (Header){"pax", .type = 'x', .format = USTAR}, records[i]);
    put_entry(&archive, (Header){"a.png", .type = '0', .format = USTAR}, "text");
    put_end(&archive);
    if (i > 0) {
      refuse_archive(archive, "pax header");
    } else {
      ok(read_archive(archive));
      free(archive.data);
    }
  }
  archive = (Bytes){0};
  put_header(&archive, (Header){"a.png", .type = '0', .format = USTAR, .binary_size = true},
             1 << 30);
  put_end(&archive);
  refuse_archive(archive, "ends"); /* and takes no gigabyte for it */
  archive = (Bytes){0};
  put_header(&archive, (Header){"x", .type = 'L', .format = GNU}, 1 << 21);
  put_end(&archive);
  refuse_archive(archive, "over a megabyte");
}

/* ---- IDX files ---- */

static Bytes idx_file(int type, int rank, const uint32_t *sizes, size_t pixels) {
  Bytes file = {calloc(1, 4 + 4 * 4 + pixels), 4 + 4 * (size_t)rank + pixels};
  file.data[2] = (unsigned char)type;
  file.data[3] = (unsigned char)rank;
  for (int i = 0; i < 4 * rank; i++) {
    file.data[4 + i] = (unsigned char)(sizes[i / 4] >> 8 * (3 - i % 4));
  }
  for (size_t i = 0; i < pixels; i++) file.data[file.length - pixels + i] = (unsigned char)(5 * i);
  return file;
}

/* From memory and, image by image, from a file, to the same end. */
static Status read_idx(Bytes bytes, IdxInfo *info) {
  const uint8_t *pixels = NULL;
  IdxReader *reader = NULL;
  put_new(bytes);
  Status status = idx_decode(path, bytes.data, bytes.length, info, &pixels);
  Status same = bytes.length ? idx_open(path, &reader) : STATUS_FAILED;
  if (same == STATUS_OK) *info = idx_info(reader);
  size_t image = same == STATUS_OK ? (size_t)info->rows * (size_t)info->columns : 0;
  uint8_t *one = malloc(image + 1);
  bool got = same == STATUS_OK;
  for (size_t i = 0; got && (same = idx_next(reader, one, &got)) == STATUS_OK && got; i++) {
    assert_memory_equal(one, bytes.data + 16 + i * image, image);
  }
  assert_int_equal(status, same);
  if (same != STATUS_OK) assert_failure(same, path);
  free(one);
  idx_close(reader);
  return status;
}

static void refuse_idx(Bytes bytes, const char *message) {
  IdxInfo info;
  assert_int_equal(read_idx(bytes, &info), STATUS_FAILED);
  assert_message(message);
  free(bytes.data);
}

static const uint32_t three[] = {5, 3, 4};

static void test_idx(void **state) {
  (void)state;
  Bytes bytes = idx_file(8, 3, three, 60);
  IdxInfo info;
  ok(read_idx(bytes, &info));
  assert_int_equal(info.n * 100 + info.rows * 10 + info.columns, 534);
  Bytes gzip = packed(bytes);
  put_new(gzip);
  IdxReader *reader;
  ok(idx_open(path, &reader));
  bool got = true;
  uint8_t pixels[12];
  for (int i = 0; i < 5; i++) ok(idx_next(reader, pixels, &got));
  assert_memory_equal(pixels, bytes.data + bytes.length - 12, 12);
  ok(idx_next(reader, pixels, &got));
  assert_false(got);
  idx_close(reader);
  free(gzip.data);
  free(bytes.data);
}

static void test_refused_idx(void **state) {
  (void)state;
  Bytes bytes = idx_file(8, 3, three, 60);
  IdxInfo info;
  for (size_t length = 0; length < bytes.length; length++) {
    assert_int_equal(read_idx((Bytes){bytes.data, length}, &info), STATUS_FAILED);
  }
  assert_message("ends after 4 of 5 images: truncated");
  bytes.data[0] = 1;
  refuse_idx(bytes, "not an IDX file");
  refuse_idx(idx_file(8, 3, three, 61), "bytes behind its 5 images");
  refuse_idx(idx_file(13, 3, three, 60), "type 13");
  refuse_idx(idx_file(8, 1, three, 5), "labels");
  refuse_idx(idx_file(8, 4, (uint32_t[]){5, 3, 4, 1}, 60), "has 4 axes");
  refuse_idx(idx_file(8, 3, (uint32_t[]){5, 0, 4}, 60), "damaged");
  refuse_idx(idx_file(8, 3, (uint32_t[]){0, 3, 4}, 60), "damaged");
  refuse_idx(idx_file(8, 3, (uint32_t[]){0x80000000, 3, 4}, 60), "damaged");
  refuse_idx(idx_file(8, 3, (uint32_t[]){5, 3, 1 << 20}, 60), "damaged");
  refuse_idx(idx_file(8, 3, (uint32_t[]){0x7fffffff, 16384, 16384}, 60), "ends after 0");
}

static void test_damaged_idx(void **state) {
  (void)state;
  Bytes whole = idx_file(8, 3, three, 60), copy = {malloc(whole.length), whole.length};
  uint64_t random = 11;
  int refused = 0;
  for (int i = 0; i < 2000; i++) {
    IdxInfo info;
    memcpy(copy.data, whole.data, whole.length);
    mutate(copy, &random);
    refused += read_idx(copy, &info) != STATUS_OK;
  }
  assert_in_range(refused, 200, 1999);
  free(copy.data);
  free(whole.data);
}

/* ---- Folders ---- */

static void put_image(const char *name, int height, int width, float value) {
  char file[200];
  Image image;
  sprintf(file, "%s/set/%s", directory, name);
  ok(image_create(height, width, 1, &image));
  for (int i = 0; i < height * width; i++) image.pixels[i] = value;
  ok(image_write_png(file, &image));
  image_destroy(&image);
}

static void make_folder(const char *name) {
  char file[200];
  sprintf(file, "%s/set%s", directory, name);
  assert_int_equal(mkdir(file, 0777), 0);
}

static void test_folder(void **state) {
  (void)state;
  static const char *const names[] = {"a-b/c.PNG", "a/z.png", "a\\xff\\x0a.jpg", "b.png",
                                      "gone.png"};
  char file[200];
  make_folder("");
  make_folder("/a");
  make_folder("/a-b");
  make_folder("/.hidden");
  put_image("b.png", 3, 4, 0.5f);
  put_image("a/z.png", 3, 4, 1);
  put_image("a-b/c.PNG", 3, 4, 0);
  put_image("a\xff\n.jpg", 5, 6, 0.25f); /* by its content */
  put_image(".dot.png", 3, 4, 0);
  put_image(".hidden/d.png", 3, 4, 0);
  put_image("readme.txt", 3, 4, 0);
  sprintf(file, "%s/set/a/up", directory);
  assert_int_equal(symlink("..", file), 0); /* a loop */
  sprintf(file, "%s/set/gone.png", directory);
  assert_int_equal(symlink("nowhere", file), 0);
  sprintf(file, "%s/set//", directory);
  ImageFiles *files;
  const char *name;
  ok(image_files_open(file, IMAGE_FILES_FOLDER, &files));
  assert_int_equal(image_files_total(files), 5);
  for (int i = 0; i < 5; i++) {
    Image image = {0};
    ok(image_files_next(files, &name));
    assert_string_equal(name, names[i]);
    Status status = image_files_decode(files, &image);
    assert_int_equal(status, i < 4 ? STATUS_OK : STATUS_FAILED);
    if (i < 4) assert_int_equal(image.height, i == 2 ? 5 : 3);
    image_destroy(&image);
  }
  assert_message("/set/gone.png: cannot open: No such file");
  ok(image_files_next(files, &name));
  assert_null(name);
  image_files_close(files);
  sprintf(file, "%s/none", directory);
  assert_failure(image_files_open(file, IMAGE_FILES_FOLDER, &files), file);
}

/* ---- Spools and splits ---- */

static void test_spool(void **state) {
  (void)state;
  Spool *spool;
  char record[1000];
  ok(spool_create(path, sizeof record, &spool));
  for (int i = 0; i < 50; i++) {
    memset(record, i, sizeof record);
    ok(spool_add(spool, record));
  }
  for (int i = 0; i < 50; i++) {
    ok(spool_read(spool, i * 7 % 50, record));
    assert_int_equal(record[0] + record[999], 2 * (i * 7 % 50));
  }
  assert_failure(spool_read(spool, 50, record), path);
  spool_destroy(spool);
  sprintf(record, "%s.spool", path);
  assert_int_not_equal(access(record, F_OK), 0);
  assert_failure(spool_create("/nowhere/file", 1, &spool), "/nowhere/file.spool");
}

/* XXH3's published value for no bytes; shares of the numbers; about as many of each split. */
static void test_splits(void **state) {
  (void)state;
  int count[SPLITS] = {0};
  assert_true(split_hash(NULL, 0) == 0x2d06800538d394c2);
  assert_int_equal(split_of(0), SPLIT_TRAIN);
  assert_int_equal(split_of(0xcccccccc00000000), SPLIT_TRAIN);
  assert_int_equal(split_of(0xcccccccd00000000), SPLIT_VALIDATION);
  assert_int_equal(split_of(0xe666666600000000), SPLIT_VALIDATION);
  assert_int_equal(split_of(0xe666666700000000), SPLIT_TEST);
  assert_int_equal(split_of(UINT64_MAX), SPLIT_TEST);
  for (uint32_t i = 0; i < 10000; i++) count[split_of(split_hash((uint8_t *)&i, sizeof i))]++;
  assert_in_range(count[SPLIT_TRAIN], 7880, 8120); /* three standard deviations */
  assert_in_range(count[SPLIT_VALIDATION], 910, 1090);
  assert_in_range(count[SPLIT_TEST], 910, 1090);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_format),
      cmocka_unit_test(test_truncated_archives),
      cmocka_unit_test(test_damaged_archives),
      cmocka_unit_test(test_refused_archives),
      cmocka_unit_test(test_idx),
      cmocka_unit_test(test_refused_idx),
      cmocka_unit_test(test_damaged_idx),
      cmocka_unit_test(test_folder),
      cmocka_unit_test(test_spool),
      cmocka_unit_test(test_splits),
  };
  return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
