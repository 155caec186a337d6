#include "experiments/sweep/report.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/memory.h"
#include "experiments/sweep/report_markdown.h"
#include "experiments/sweep/report_parts.h"
#include "experiments/sweep/report_pictures.h"
#include "experiments/version.h"
#include "io/file.h"

/* A page of a few tens of megabytes still opens everywhere. */
enum { MOST_DETAILS = 1000, BUDGET = 32 << 20, TABLE_BUDGET = 8 << 20 };

/* ---- The page's ends ---- */

static const char *title_of(const Board *board) {
  if (!board->sweep) return board->directory;
  return *board->plan.title ? board->plan.title : board->plan.name;
}

static void put_begin(const Report *report) {
  Html *html = report->html;
  html_put(html,
           "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\" />\n"
           "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\" />\n"
           "<meta name=\"generator\" content=\"siren\" />\n<title>");
  html_text(html, title_of(report->board));
  html_put(html, "</title>\n<style>\n");
  html_put(html, "%s", report_style);
  html_put(html, "</style>\n</head>\n<body>\n<header>\n<h1>");
  html_text(html, title_of(report->board));
  html_put(html, "</h1>\n<p class=\"soft\">");
  if (report->board->sweep) {
    html_text(html, report->board->plan.file);
    html_put(html, ", in ");
    html_text(html, report->board->directory);
  } else {
    html_put(html, "A run: %s", standing_name(report->board->runs->standing));
  }
  html_put(html, "</p>\n</header>\n<main>\n");
}

static void put_end(const Report *report) {
  TextAttribute facts[VERSION_MAX_FACTS];
  char date[32];
  time_t now = time(NULL);
  version_facts(facts);
  strftime(date, sizeof date, "%Y-%m-%d %H:%M UTC", gmtime(&now));
  html_put(report->html, "</main>\n<footer><p class=\"soft\">Written by siren ");
  for (int i = 0; i < 2; i++) { /* version and commit */
    html_put(report->html, "%s", i ? ", commit " : "");
    html_text(report->html, facts[i].value);
  }
  html_put(report->html, ", %s.</p></footer>\n</body>\n</html>\n", date);
}

/* ---- The table that `siren table` wrote ---- */

/* The text of a file of the sweep's directory (free()), or NULL. */
static char *read_text(const Report *report, const char *name) {
  char *path = file_join(report->board->directory, name);
  unsigned char *text = NULL;
  size_t length;
  if (!file_exists(path) || file_read(path, &text, &length) != STATUS_OK) text = NULL;
  free(path);
  return (char *)text;
}

static void put_table(Report *report) {
  const char *directory = report->board->directory;
  char *markdown = read_text(report, "table.md"), *csv = NULL;
  double budget = TABLE_BUDGET;
  if (!markdown) csv = read_text(report, "table.csv");
  html_put(report->html, "<section id=\"table\">\n");
  if (markdown) report_markdown(report->html, markdown, directory, &budget);
  if (csv) report_csv(report->html, csv);
  report_pictures(report->html, directory, markdown, budget);
  html_put(report->html, "</section>\n");
  free(csv);
  free(markdown);
}

/* ---- Sweeps and runs ---- */

static void put_details(Report *report) {
  Html *html = report->html;
  if (report->details > 0) html_put(html, "<h2 id=\"details\">Details</h2>\n");
  for (int i = 0; i < report->details; i++) {
    const BoardRun *run = &report->board->runs[i];
    const char *standing = standing_name(run->standing);
    html_put(html, "<details><summary>");
    html_text(html, run->label);
    /* A link to what is inside opens it. */
    html_put(html, " <span class=\"state %s\">%s</span></summary>\n<div id=\"run%d\">\n", standing,
             standing, i);
    report_run(report, i);
    html_put(html, "</div></details>\n");
  }
  if (report->details < report->board->n) {
    html_put(html, "<p class=\"note\">The first %d runs; the others are in the list alone.</p>\n",
             report->details);
  }
}

static void put_sweep(Report *report) {
  report_summary(report);
  put_table(report);
  report_losses(report);
  report_list(report);
  report_troubles(report);
  put_details(report);
  report_provenance(report);
}

static void put_page(Report *report) {
  put_begin(report);
  if (report->board->sweep) {
    put_sweep(report);
  } else {
    report_run(report, 0);
  }
  put_end(report);
}

static Status write_page(const Board *board, const char *path) {
  BoardSums sums = board_sums(board);
  Report report = {.board = board, .sums = &sums, .budget = BUDGET};
  report.details = board->n < MOST_DETAILS ? board->n : MOST_DETAILS;
  TRY(memory_allocate(&report.runs, (size_t)board->n, sizeof *report.runs, "a report"));
  Status status = html_open(path, &report.html);
  if (status == STATUS_OK) {
    for (int i = 0; i < board->n; i++) report_read_run(&board->runs[i], &report.runs[i]);
    put_page(&report);
    status = html_close(report.html, STATUS_OK);
  }
  for (int i = 0; i < board->n; i++) report_free_run(&report.runs[i]);
  free(report.runs);
  return status;
}

Status report_make(const char *directory, const char *into, FILE *out) {
  Board *board;
  TRY(board_open(directory, &board));
  char *path = into && *into ? strdup(into) : file_join(directory, "report.html");
  Status status = path ? write_page(board, path) : status_fail(STATUS_FAILED, "out of memory");
  if (status == STATUS_OK) fprintf(out, "%s\n", path);
  free(path);
  board_close(board);
  return status;
}
