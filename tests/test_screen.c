/* Text for people: what is UTF-8, what may be seen, lines that fit a screen, HTML. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/file.h"
#include "io/html.h"
#include "io/screen.h"
#include "io/utf8.h"

static char directory[] = "/tmp/siren-screen-XXXXXX";
static char *path;

/* ---- UTF-8 ---- */

static void test_characters(void **state) {
  (void)state;
  static const struct {
    const char *text;
    uint32_t character;
    int length;
  } cases[] = {
      {"", 0, 0},
      {"a", 'a', 1},
      {"\xc3\xa9", 0xe9, 2},
      {"\xe2\x82\xac", 0x20ac, 3},
      {"\xf0\x9f\x98\x80", 0x1f600, 4},
      {"\xf4\x8f\xbf\xbd", 0x10fffd, 4},
      {"\x80", UTF8_REPLACEMENT, 1},             /* only goes on */
      {"\xc3", UTF8_REPLACEMENT, 1},             /* ends too early */
      {"\xe2\x82", UTF8_REPLACEMENT, 1},         /* the same */
      {"\xc0\xaf", UTF8_REPLACEMENT, 1},         /* longer than needed */
      {"\xe0\x80\xaf", UTF8_REPLACEMENT, 1},     /* the same */
      {"\xed\xa0\x80", UTF8_REPLACEMENT, 1},     /* surrogate */
      {"\xf4\x90\x80\x80", UTF8_REPLACEMENT, 1}, /* beyond Unicode */
      {"\xef\xbf\xbf", UTF8_REPLACEMENT, 1},     /* no character */
      {"\xff", UTF8_REPLACEMENT, 1},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    int length;
    assert_int_equal(utf8_decode(cases[i].text, &length), cases[i].character);
    assert_int_equal(length, cases[i].length);
  }
}

static void test_clean(void **state) {
  (void)state;
  static const struct {
    const char *text, *clean;
    int columns;
  } cases[] = {
      {"plain", "plain", 5},
      {"a\tb\nc\r", "a b c ", 6},
      {"\x1b[31m\x07", "?[31m?", 6},
      {"\xc2\x9b"
       "31m",
       "?31m", 4},
      {"\xe2\x80\xae\xe2\x81\xa6", "??", 2},
      {"\xff\xfe", "??", 2},
      {"ω é", "ω é", 3},
      {"e\xcc\x81", "e\xcc\x81", 1},
      {"漢字", "漢字", 4},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char clean[64];
    assert_int_equal(utf8_clean(cases[i].text, clean, sizeof clean), cases[i].columns);
    assert_string_equal(clean, cases[i].clean);
  }
  char small[4];
  assert_int_equal(utf8_clean("aéé", small, sizeof small), 2);
  assert_string_equal(small, "aé");
  assert_int_equal(utf8_clean("abcd", small, 1), 0);
  assert_string_equal(small, "");
}

/* ---- Lines ---- */

static char *text;
static size_t text_length;

static Screen open_screen(int columns) {
  return (Screen){.out = open_memstream(&text, &text_length), .columns = columns};
}

static void close_screen(Screen *screen, const char *expected) {
  fclose(screen->out);
  assert_string_equal(text, expected);
  free(text);
}

static void test_lines_fit(void **state) {
  (void)state;
  Screen screen = open_screen(10);
  screen_put(&screen, STYLE_BAD, "12345%d", 6789);
  screen_end(&screen);
  screen_put(&screen, STYLE_BAD, "1234567890");
  screen_put(&screen, STYLE_BAD, "more");
  screen_end(&screen);
  screen_put(&screen, STYLE_BAD, "12345678901");
  screen_end(&screen);
  screen_put(&screen, STYLE_BAD, "漢字漢字漢字");
  screen_end(&screen);
  screen_cell(&screen, STYLE_BAD, 4, true, "ab");
  screen_cell(&screen, STYLE_BAD, 4, false, "abcde");
  screen_cell(&screen, STYLE_BAD, 4, true, "x");
  screen_end(&screen);
  assert_int_equal(screen.lines, 5);
  close_screen(&screen, "123456789\n1234567890\n123456789…\n漢字漢字…\n  ababc… x\n");
}

static void test_no_width(void **state) {
  (void)state;
  Screen screen = open_screen(0);
  screen_put(&screen, STYLE_PLAIN, "%0200d", 0);
  screen_wrap(&screen, STYLE_PLAIN, 2, 3, "one two");
  fclose(screen.out);
  assert_int_equal(text_length, 200 + 2 + 8);
  free(text);
}

static void test_wrap(void **state) {
  (void)state;
  Screen screen = open_screen(12);
  screen_wrap(&screen, STYLE_PLAIN, 2, 3, "one two three four five six seven");
  screen_wrap(&screen, STYLE_PLAIN, 2, 2, "abcdefghijklmnop q");
  screen_wrap(&screen, STYLE_PLAIN, 2, 0, "nothing");
  screen_wrap(&screen, STYLE_PLAIN, 2, 2, "");
  close_screen(&screen, "  one two\n  three four\n  five six …\n  abcdefghij\n  klmnop q\n");
}

static void test_colours(void **state) {
  (void)state;
  Screen screen = open_screen(20);
  screen.colours = true;
  screen_put(&screen, STYLE_BAD, "a");
  screen_put(&screen, STYLE_PLAIN, "\x1b[2J");
  screen_bar(&screen, 4, 0.5);
  screen_end(&screen);
  close_screen(&screen, "\x1b[31ma\x1b[0m?[2J[\x1b[32m##\x1b[0m\x1b[2m..\x1b[0m]\n");
}

static void test_no_terminal(void **state) {
  (void)state;
  FILE *file = fopen(path, "w");
  unsetenv("COLUMNS");
  unsetenv("LINES");
  Terminal terminal = terminal_of(file);
  assert_false(terminal.terminal);
  assert_false(terminal.colours);
  assert_int_equal(terminal.columns, 80);
  assert_int_equal(terminal.rows, 24);
  setenv("COLUMNS", "132", 1);
  assert_int_equal(terminal_of(file).columns, 132);
  setenv("COLUMNS", "-3", 1);
  assert_int_equal(terminal_of(file).columns, 80);
  fclose(file);
}

/* ---- HTML ---- */

static void assert_page(const char *expected) {
  unsigned char *data;
  size_t length;
  assert_int_equal(file_read(path, &data, &length), STATUS_OK);
  assert_string_equal((char *)data, expected);
  free(data);
}

static void test_escapes(void **state) {
  (void)state;
  Html *html;
  assert_int_equal(html_open(path, &html), STATUS_OK);
  html_put(html, "<p title=\"%d\">", 7);
  html_text(html, "<a href='x'>\"&amp;\"\n\tω");
  html_text(html, "\x01\x7f\xc2\x85\xff\xe2\x80\xae");
  html_text(html, NULL);
  html_put(html, "</p>");
  assert_true(html_bytes(html) > 60);
  assert_int_equal(html_close(html, STATUS_OK), STATUS_OK);
  assert_page(
      "<p title=\"7\">&lt;a href=&#39;x&#39;&gt;&quot;&amp;amp;&quot;\n\tω"
      "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd</p>");
}

/* RFC 4648, section 10, and bytes that are no text. */
static void test_base64(void **state) {
  (void)state;
  static const char *const plain[] = {"", "f", "fo", "foo", "foob", "fooba", "foobar"};
  Html *html;
  assert_int_equal(html_open(path, &html), STATUS_OK);
  for (int i = 0; i < 7; i++) {
    html_base64(html, (const unsigned char *)plain[i], strlen(plain[i]));
    html_put(html, "\n");
  }
  html_base64(html, (const unsigned char[]){0, 255, 254, 253}, 4);
  assert_int_equal(html_close(html, STATUS_OK), STATUS_OK);
  assert_page("\nZg==\nZm8=\nZm9v\nZm9vYg==\nZm9vYmE=\nZm9vYmFy\nAP/+/Q==");
}

/* Over the buffer's size, against a decoder of its own. */
static void test_much_base64(void **state) {
  (void)state;
  enum { N = 300001 };
  unsigned char *bytes = malloc(N), *data;
  size_t length;
  Html *html;
  for (int i = 0; i < N; i++) bytes[i] = (unsigned char)(i * 7 + i / 251);
  assert_int_equal(html_open(path, &html), STATUS_OK);
  html_base64(html, bytes, N);
  assert_true(html_bytes(html) == (N + 2) / 3 * 4);
  assert_int_equal(html_close(html, STATUS_OK), STATUS_OK);
  assert_int_equal(file_read(path, &data, &length), STATUS_OK);
  assert_int_equal(length, (N + 2) / 3 * 4);
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (size_t i = 0; i < N; i++) {
    size_t bit = 8 * i;
    unsigned high = (unsigned)(strchr(digits, data[bit / 6]) - digits);
    unsigned low = (unsigned)(strchr(digits, data[bit / 6 + 1]) - digits);
    assert_int_equal((high << 6 | low) >> (4 - bit % 6) & 255, bytes[i]);
  }
  free(data);
  free(bytes);
}

static void test_page_that_cannot_be_written(void **state) {
  (void)state;
  Html *html = NULL;
  assert_int_equal(html_open("/nonexistent/page.html", &html), STATUS_FAILED);
  assert_non_null(strstr(status_message(), "/nonexistent/page.html"));
  assert_int_equal(html_open(path, &html), STATUS_OK);
  html_put(html, "new");
  assert_int_equal(html_close(html, STATUS_FAILED), STATUS_FAILED);
  assert_page(""); /* as it was */
}

static int make_directory(void **state) {
  (void)state;
  if (!mkdtemp(directory)) return -1;
  path = file_join(directory, "page.html");
  return 0;
}

static int remove_directory(void **state) {
  (void)state;
  unlink(path);
  free(path);
  return rmdir(directory);
}

static int empty_page(void **state) {
  (void)state;
  return file_replace(path, "", 0) == STATUS_OK ? 0 : -1;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_characters),
      cmocka_unit_test(test_clean),
      cmocka_unit_test(test_lines_fit),
      cmocka_unit_test(test_no_width),
      cmocka_unit_test(test_wrap),
      cmocka_unit_test(test_colours),
      cmocka_unit_test(test_no_terminal),
      cmocka_unit_test(test_escapes),
      cmocka_unit_test(test_base64),
      cmocka_unit_test(test_much_base64),
      cmocka_unit_test_setup(test_page_that_cannot_be_written, empty_page),
  };
  return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
