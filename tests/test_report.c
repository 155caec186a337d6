/* siren report: pages that are well formed whatever is in the directory, tables, pictures, curves.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "experiments/sweep/report.h"
#include "experiments/sweep/report_markdown.h"
#include "experiments/sweep/report_pictures.h"
#include "experiments/sweep/report_trace.h"
#include "io/image.h"
#include "tests/markup_check.h"
#include "tests/sweep_fixture.h"

static char directory[64];

static void assert_ok(Status status) {
  if (status != STATUS_OK) fail_msg("%s", status_message());
}

static void assert_has(const char *text, const char *part) {
  if (!strstr(text, part)) fail_msg("\"%s\" not in:\n%s", part, text);
}

static int count(const char *text, const char *part) {
  int n = 0;
  for (const char *at = text; (at = strstr(at, part)); at++) n++;
  return n;
}

static char *read_file(const char *path) {
  unsigned char *data;
  size_t length;
  assert_ok(file_read(path, &data, &length));
  return (char *)data;
}

/* The page about the directory, which is checked. */
static char *make_page(void) {
  char *path = file_join(directory, "report.html"), *said = NULL;
  size_t length;
  FILE *out = open_memstream(&said, &length);
  Status status = report_make(directory, NULL, out);
  fclose(out);
  assert_ok(status);
  assert_true(!strncmp(said, path, strlen(path)));
  char *page = read_file(path);
  Markup markup;
  const char *reason = markup_check(&markup, page);
  if (*reason) fail_msg("%s", reason);
  free(said);
  free(path);
  return page;
}

/* What `write` puts into a page's body. */
typedef void (*Writer)(Html *html, const char *text);

static char *body_of(Writer writer, const char *text) {
  char *path = file_join(directory, "body.html");
  Html *html;
  assert_ok(html_open(path, &html));
  html_put(html, "<!DOCTYPE html>\n<body>");
  writer(html, text);
  html_put(html, "</body>");
  assert_ok(html_close(html, STATUS_OK));
  char *page = read_file(path);
  Markup markup;
  const char *reason = markup_check(&markup, page);
  if (*reason) fail_msg("%s in %s", reason, page);
  free(path);
  return page;
}

static void write_png(const char *folder, const char *name, int height, int width) {
  Image image;
  char *path = file_join(folder, name);
  assert_ok(image_create(height, width, 3, &image));
  unsigned noise = 1;
  for (int i = 0; i < 3 * height * width; i++) {
    noise = noise * 1664525u + 1013904223u;
    image.pixels[i] = (float)(noise >> 24) / 255;
  }
  assert_ok(image_write_png(path, &image));
  image_destroy(&image);
  free(path);
}

/* ---- Sweeps ---- */

static void make_sweep(void) {
  sweep_plan(directory, "A grid", 5, NULL);
  for (int i = 0; i < 4; i++) {
    char *run = sweep_folder(directory, i);
    sweep_log(run, 51, 20);
    if (i == 0) sweep_run_file(run, 31.25, "host-a");
    if (i == 0) write_png(run, "fit.png", 8, 12);
    if (i == 0) write_png(run, "figure.png", 9, 13);
    if (i == 1) sweep_run_file(run, 32.5, "host-b");
    if (i == 2) sweep_state(run, STATE_FAILED, "step 7: diverged");
    if (i == 3) sweep_state(run, STATE_RUNNING, "");
    if (i < 2) sweep_state(run, STATE_COMPLETE, "");
    free(run);
  }
}

static void test_sweep(void **state) {
  (void)state;
  make_sweep();
  char *page = make_page();
  static const char *const expected[] = {
      "<title>A grid</title>",
      "<b>2 of 5</b><span>runs complete</span>",
      ">1</b><span>failed</span>",
      "<a href=\"#run0\">run=0</a>",
      "<th class=\"n\">psnr (dB)</th><th class=\"n\">loss_final</th>",
      "<td class=\"n\">31.25</td>",
      "<td class=\"n\">32.5</td>",
      "<td class=\"state failed\">failed</td><td>step 7: diverged</td>",
      "host-a <small>(1 run)</small><br />host-b <small>(1 run)</small>",
      "2024-05-06T07:08:09Z",
      "Step 501 of 1000, loss 0.001996, psnr 25 dB.",
      "<th scope=\"row\">experiment</th><td>image</td>",
      "prefers-color-scheme:dark",
      "Written by siren ",
  };
  for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) assert_has(page, expected[i]);
  assert_int_equal(count(page, "<div id=\"run"), 5);
  assert_int_equal(count(page, "<svg "), 1 + 4);     /* all together, and each that has logged */
  assert_int_equal(count(page, "line c0\""), 1 + 4); /* the total */
  assert_int_equal(count(page, "line c2\""), 1 + 2); /* the third run, and the second term */
  assert_int_equal(count(page, "src=\"data:image/png;base64,iVBORw0KGgo"), 2);
  assert_true(strstr(page, "alt=\"figure.png\"") < strstr(page, "alt=\"fit.png\""));
  assert_has(page, "<img width=\"12\" height=\"8\" alt=\"fit.png\"");
  assert_null(strstr(page, ">nan"));
  free(page);
}

static void test_table_files(void **state) {
  (void)state;
  make_sweep();
  write_png(directory, "heat.png", 10, 10);
  write_png(directory, "bands.png", 10, 10);
  sweep_put(directory, "table.csv", "run,psnr\none,1\n");
  char *page = make_page();
  assert_has(page, "<thead><tr><th>run</th><th>psnr</th></tr></thead>");
  assert_int_equal(count(page, "<img "), 4);
  free(page);
  sweep_put(directory, "table.md",
            "# Title\n\n| a | b |\n| --- | ---: |\n| x | y |\n\n"
            "![a map](heat.png) ![bands](bands.png)\n");
  page = make_page();
  assert_has(page, "<h2>Title</h2>");
  assert_has(page, "<tr><td>x</td><td class=\"n\">y</td></tr>");
  assert_has(page, "alt=\"a map\"");
  assert_has(page, "alt=\"bands\"");
  assert_int_equal(count(page, "<img "), 4); /* the map once */
  assert_null(strstr(page, "<th>psnr</th>"));
  free(page);
  sweep_put(directory, "table.md",
            "| value | error |\n| --- | --- |\n"
            "| ![a map](heat.png) | ![bands](bands.png) |\n");
  page = make_page();
  assert_int_equal(count(page, "<td><figure>"), 2);
  assert_int_equal(count(page, "<img "), 4);
  free(page);
}

static void test_many_runs(void **state) {
  (void)state;
  sweep_plan(directory, "Many", 1010, NULL);
  for (int i = 0; i < 12; i++) {
    char *run = sweep_folder(directory, i);
    sweep_log(run, 5, i == 4 ? 40 : 20);
    sweep_state(run, STATE_STOPPED, "stopped");
    free(run);
  }
  char *page = make_page();
  assert_int_equal(count(page, "line many\""), 11);
  assert_int_equal(count(page, "line best\""), 1);
  assert_has(page, "<i class=\"best\"></i>run=4</span>");
  assert_has(page, "11 others");
  assert_int_equal(count(page, "<div id=\"run"), 1000);
  assert_int_equal(count(page, "<td>run=1009</td>"), 1);
  assert_has(page, "The first 1000 runs");
  free(page);
}

/* ---- Runs ---- */

static void test_run(void **state) {
  (void)state;
  sweep_log(directory, 51, 20);
  sweep_state(directory, STATE_RUNNING, "");
  char *page = make_page();
  assert_has(page, "A run: running");
  assert_has(page, "About 0:0");
  assert_int_equal(count(page, "<svg "), 1);
  free(page);
  sweep_run_file(directory, 31.25, "host-a");
  sweep_state(directory, STATE_COMPLETE, "");
  page = make_page();
  assert_has(page, "A run: complete");
  assert_has(page, "<td>psnr</td><td class=\"n\">31.25 dB</td>");
  assert_has(page, "<summary>Configuration</summary>");
  assert_has(page, "<summary>Provenance</summary>");
  free(page);
}

/* ---- Whatever comes ---- */

static void test_hostile_text(void **state) {
  (void)state;
  static const char *const labels[] = {SWEEP_HOSTILE, "]]></style></svg></details>"};
  sweep_plan(directory, SWEEP_HOSTILE, 2, labels);
  for (int i = 0; i < 2; i++) {
    char *run = sweep_folder(directory, i);
    sweep_state(run, i ? STATE_FAILED : STATE_COMPLETE, i ? SWEEP_HOSTILE : "");
    if (!i) sweep_run_file(run, NAN, SWEEP_BROKEN);
    sweep_put(run, "log.jsonl",
              "{\"step\":3,\"total\":1e999,\"<b>\":4}\n{\"step\":4,\"total\":1}\n");
    write_png(run, "<img onload=x>.png", 4, 4);
    free(run);
  }
  sweep_put(directory, "table.md",
            SWEEP_BROKEN "\n\n| " SWEEP_BROKEN
                         " | `<b>` |\n|--|\n| **<i>** "
                         "| [x](javascript:1) [y](http://y/\"onclick=1) |\n");
  char *page = make_page();
  assert_has(page, "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; &quot;q&quot;");
  assert_has(page, "alt=\"&lt;img onload=x&gt;.png\"");
  assert_has(page, "<code>&lt;b&gt;</code>");
  assert_null(strstr(page, "<script"));
  assert_null(strstr(page, "href=\"javascript"));
  free(page);
}

static void test_damaged_run_files(void **state) {
  (void)state;
  sweep_plan(directory, "Damage", 1, NULL);
  char *run = sweep_folder(directory, 0), *path = file_join(run, "run.h5");
  sweep_state(run, STATE_COMPLETE, "");
  sweep_run_file(run, 30, "host");
  unsigned char *data;
  size_t length;
  assert_ok(file_read(path, &data, &length));
  for (size_t cut = 0; cut < length; cut += 1 + length / 8) {
    sweep_write(path, data, cut);
    free(make_page());
  }
  sweep_write(path, "no HDF5", 7);
  char *page = make_page();
  assert_has(page, "run.h5: is not an HDF5 file");
  free(page);
  free(data);
  free(path);
  free(run);
}

static void test_pictures_that_are_none(void **state) {
  (void)state;
  sweep_log(directory, 5, 20);
  sweep_put(directory, "text.png", "This is no picture, although its name says so: long enough.");
  sweep_put(directory, "empty.png", "");
  write_png(directory, "half.png", 40, 40);
  char *path = file_join(directory, "half.png"), *data = read_file(path);
  sweep_write(path, data, 900);
  free(data);
  free(path);
  path = file_join(directory, "folder.png");
  mkdir(path, 0777);
  free(path);
  char *page = make_page();
  assert_int_equal(count(page, "<img "), 0);
  assert_has(page, "text.png: is no picture");
  assert_has(page, "half.png: is no picture, or only a part of one");
  assert_has(page, "empty.png: cannot be read");
  assert_has(page, "folder.png: cannot be read");
  free(page);
}

static void put_small_pictures(Html *html, const char *budget) {
  double used = report_pictures(html, directory, NULL, strtod(budget, NULL));
  assert_true(used <= strtod(budget, NULL));
}

static void test_large_pictures(void **state) {
  (void)state;
  write_png(directory, "large.png", 256, 512); /* noise: 3 bytes a pixel */
  char *body = body_of(put_small_pictures, "1e6");
  assert_has(body, "<img width=\"512\" height=\"256\"");
  assert_null(strstr(body, "shrunk"));
  free(body);
  body = body_of(put_small_pictures, "30000");
  assert_has(body, "<img width=\"128\" height=\"64\" alt=\"large.png\"");
  assert_has(body, "(shrunk from 512 × 256)");
  free(body);
  body = body_of(put_small_pictures, "100");
  assert_has(body, "large.png: left out");
  free(body);
}

/* ---- Markdown and CSV ---- */

static void put_markdown(Html *html, const char *text) {
  double budget = 1e6;
  report_markdown(html, text, directory, &budget);
}

static void assert_body(Writer writer, const char *text, const char *expected) {
  char *body = body_of(writer, text), *inner = body + strlen("<!DOCTYPE html>\n<body>");
  inner[strlen(inner) - strlen("</body>")] = '\0';
  assert_string_equal(inner, expected);
  free(body);
}

static void test_markdown(void **state) {
  (void)state;
  static const struct {
    const char *text, *html;
  } cases[] = {
      {"", ""},
      {"one\ntwo\n\nthree", "<p>one\ntwo</p>\n<p>three</p>\n"},
      {"# A\n## B", "<h2>A</h2>\n<h3>B</h3>\n"},
      {"####### deep", "<h6>deep</h6>\n"},
      {"<!-- a\nb -->\ntext", "<p>text</p>\n"},
      {"- a\n- b\n  c", "<ul><li>a</li><li>b\nc</li></ul>\n"},
      {"    code <b>\n", "<pre><code>code &lt;b&gt;\n</code></pre>\n"},
      {"```sh\n# no heading\n\n```\nx", "<pre><code># no heading\n\n</code></pre>\n<p>x</p>\n"},
      {"**b** `c*` \\* * [t](https://a/b) [u](v)",
       "<p><strong>b</strong> <code>c*</code> * * <a href=\"https://a/b\">t</a> u</p>\n"},
      {"` ** [ ]( \\", "<p>` ** [ ]( \\</p>\n"},
      {"![gone](no/../x.png) after", "<div class=\"pictures\">\ngone</div>\n<p>after</p>\n"},
      {"| a | b |\n|:-:|--|\n| 1 \\| 2 | |\n",
       "<div class=\"wide\"><table><thead><tr><th "
       "class=\"m\">a</th><th>b</th></tr>\n</thead><tbody>\n"
       "<tr><td class=\"m\">1 | 2</td><td></td></tr>\n</tbody></table></div>\n"},
      {"| a |\n|---|\n| −1.5 |\n| word |\n",
       "<div class=\"wide\"><table><thead><tr><th class=\"n\">a</th></tr>\n</thead><tbody>\n"
       "<tr><td class=\"n\">−1.5</td></tr>\n<tr><td "
       "class=\"n\">word</td></tr>\n</tbody></table></div>\n"},
      {"|",
       "<div class=\"wide\"><table><thead><tr></tr>\n</thead><tbody>\n</tbody></table></div>\n"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    assert_body(put_markdown, cases[i].text, cases[i].html);
  }
}

static void test_csv(void **state) {
  (void)state;
  assert_body(report_csv, "a,b\r\n\"x, \"\"y\"\"\",1\n\"two\nlines\",\n",
              "<div class=\"wide\"><table><thead><tr><th>a</th><th>b</th></tr></thead><tbody>\n"
              "<tr><td>x, &quot;y&quot;</td><td class=\"n\">1</td></tr>\n"
              "<tr><td>two\nlines</td><td></td></tr>\n</tbody></table></div>\n");
  assert_body(report_csv, "",
              "<div class=\"wide\"><table><thead></thead><tbody></tbody></table>"
              "</div>\n");
  free(body_of(report_csv, "\"never closed, \n\n"));
}

/* Any text at all becomes a page. */
static void test_any_text(void **state) {
  (void)state;
  static const char bits[] = "|#-*`[]()!\\ \n<&\"a1,\t\xe2\x88\x92";
  unsigned seed = 7;
  for (int i = 0; i < 60; i++) {
    char text[800];
    for (size_t k = 0; k < sizeof text; k++) {
      seed = seed * 1664525u + 1013904223u;
      text[k] = bits[(seed >> 16) % (sizeof bits - 1)];
    }
    text[sizeof text - 1] = '\0';
    free(body_of(put_markdown, text));
    free(body_of(report_csv, text));
  }
}

/* ---- Curves ---- */

static void test_traces(void **state) {
  (void)state;
  Trace traces[TRACE_MOST];
  BoardRun run = {.directory = directory, .standing = STANDING_RUNNING};
  assert_int_equal(trace_run(&run, TRACE_MOST, 10, traces), 0);
  char *text = NULL;
  size_t length;
  FILE *file = open_memstream(&text, &length);
  for (int i = 0; i < 1000; i++) {
    fprintf(file, "{\"step\":%d,\"total\":%s}\n", i,
            i == 333        ? "100"
            : i == 334      ? "-100"
            : i % 100 == 50 ? "null"
                            : "1");
  }
  fclose(file);
  sweep_put(directory, "log.jsonl", text);
  free(text);
  assert_int_equal(trace_run(&run, TRACE_MOST, 10, traces), 1);
  assert_int_equal(traces[0].n, 9 + 2); /* equal values are one point; the peaks are kept */
  assert_true(traces[0].x[3] == 333 && traces[0].y[3] == 100);
  assert_true(traces[0].x[4] == 334 && traces[0].y[4] == -100);
  trace_destroy(1, traces);
  run.standing = STANDING_COMPLETE;
  sweep_run_file(directory, 30, "here");
  assert_int_equal(trace_run(&run, TRACE_MOST, 10, traces), 3);
  assert_string_equal(traces[0].name, "total");
  assert_string_equal(traces[1].name, "a");
  assert_int_equal(traces[0].n, 3);
  assert_int_equal(traces[1].n, 2); /* without what is not finite */
  trace_destroy(3, traces);
  assert_int_equal(trace_run(&run, 1, 10, traces), 1);
  trace_destroy(1, traces);
}

/* ---- Failures ---- */

static void test_failures(void **state) {
  (void)state;
  FILE *out = fopen("/dev/null", "w");
  assert_int_equal(report_make("/nonexistent", NULL, out), STATUS_USAGE);
  assert_has(status_message(), "/nonexistent: no such directory");
  assert_int_equal(report_make(directory, NULL, out), STATUS_USAGE);
  sweep_log(directory, 5, 20);
  assert_int_equal(report_make(directory, "/nonexistent/page.html", out), STATUS_FAILED);
  assert_has(status_message(), "/nonexistent/page.html");
  char *into = file_join(directory, "page.html");
  assert_ok(report_make(directory, into, out));
  assert_true(file_exists(into));
  fclose(out);
  free(into);
}

/* ---- */

static int make_directory(void **state) {
  (void)state;
  strcpy(directory, "/tmp/siren-report-XXXXXX");
  return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state) {
  (void)state;
  char command[128];
  snprintf(command, sizeof command, "rm -rf '%s'", directory);
  return system(command);
}

#define IN_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, make_directory, remove_directory)

int main(void) {
  const struct CMUnitTest tests[] = {
      IN_DIRECTORY(test_sweep),
      IN_DIRECTORY(test_table_files),
      IN_DIRECTORY(test_many_runs),
      IN_DIRECTORY(test_run),
      IN_DIRECTORY(test_hostile_text),
      IN_DIRECTORY(test_damaged_run_files),
      IN_DIRECTORY(test_pictures_that_are_none),
      IN_DIRECTORY(test_large_pictures),
      IN_DIRECTORY(test_markdown),
      IN_DIRECTORY(test_csv),
      IN_DIRECTORY(test_any_text),
      IN_DIRECTORY(test_traces),
      IN_DIRECTORY(test_failures),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
