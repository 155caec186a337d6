#include "core/nearest.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

/* The tree is complete: node k has the children 2k + 1 and 2k + 2, and node j of level l holds the
 * items n j / 2^l to n (j + 1) / 2^l, so it needs no pointers. Nodes are split at the median of the
 * longer side of their items' centres. */
enum { LEAF = 6, MAX_LEVELS = 48 };

typedef struct {
  float low[3], high[3];
} Box;

typedef struct {
  float centre[3];
  int64_t index;
} Item;

struct Nearest {
  int64_t n;
  int levels;         /* 1: the root is a leaf */
  int corners;        /* of an item: 1 or 3 */
  Box *boxes;         /* [2^levels - 1] */
  float (*points)[3]; /* [n][corners], in the leaves' order */
  int64_t *index;     /* [n], the caller's number of an item */
};

/* ---- Building ---- */

/* Some number of lo..hi: an order of items that is slow for all pivots does not occur. */
static int64_t pivot_place(int64_t lo, int64_t hi) {
  uint64_t mixed = ((uint64_t)lo + 0x9e3779b97f4a7c15u * (uint64_t)hi) * 0xff51afd7ed558ccdu;
  return lo + (int64_t)((mixed >> 33) % (uint64_t)(hi - lo + 1));
}

/* Hoare's selection: items[middle] becomes the one that sorting lo..hi would put there, smaller
 * ones come before it, larger ones after. */
static void select_middle(Item *items, int64_t lo, int64_t hi, int64_t middle, int axis) {
  while (lo < hi) {
    float pivot = items[pivot_place(lo, hi)].centre[axis];
    int64_t i = lo, j = hi;
    while (i <= j) {
      while (items[i].centre[axis] < pivot) i++;
      while (items[j].centre[axis] > pivot) j--;
      if (i > j) break;
      Item swap = items[i];
      items[i++] = items[j];
      items[j--] = swap;
    }
    if (middle > j && middle < i) return;
    if (middle <= j) {
      hi = j;
    } else {
      lo = i;
    }
  }
}

static int longest_axis(const Item *items, int64_t lo, int64_t hi) {
  int longest = 0;
  float length = -1;
  for (int axis = 0; axis < 3; axis++) {
    float low = INFINITY, high = -INFINITY;
    for (int64_t i = lo; i < hi; i++) {
      low = fminf(low, items[i].centre[axis]);
      high = fmaxf(high, items[i].centre[axis]);
    }
    if (high / 2 - low / 2 > length) {
      length = high / 2 - low / 2;
      longest = axis;
    }
  }
  return longest;
}

static int64_t first_of(const Nearest *nearest, int level, int64_t j) {
  return (int64_t)(((__int128)nearest->n * j) >> level);
}

static void sort_items(const Nearest *nearest, Item *items) {
  for (int level = 0; level + 1 < nearest->levels; level++) {
    for (int64_t j = 0; j < (int64_t)1 << level; j++) {
      int64_t lo = first_of(nearest, level, j), hi = first_of(nearest, level, j + 1);
      int64_t middle = first_of(nearest, level + 1, 2 * j + 1);
      select_middle(items, lo, hi - 1, middle, longest_axis(items, lo, hi));
    }
  }
}

static void grow(Box *box, const float low[3], const float high[3]) {
  for (int axis = 0; axis < 3; axis++) {
    box->low[axis] = fminf(box->low[axis], low[axis]);
    box->high[axis] = fmaxf(box->high[axis], high[axis]);
  }
}

static void fill_boxes(Nearest *nearest) {
  int64_t leaves = (int64_t)1 << (nearest->levels - 1);
  for (int64_t k = 2 * leaves - 2; k >= 0; k--) {
    Box *box = &nearest->boxes[k];
    *box = (Box){{INFINITY, INFINITY, INFINITY}, {-INFINITY, -INFINITY, -INFINITY}};
    if (k < leaves - 1) {
      for (int64_t child = 2 * k + 1; child <= 2 * k + 2; child++) {
        grow(box, nearest->boxes[child].low, nearest->boxes[child].high);
      }
      continue;
    }
    int64_t lo = first_of(nearest, nearest->levels - 1, k - (leaves - 1)) * nearest->corners;
    int64_t hi = first_of(nearest, nearest->levels - 1, k - (leaves - 1) + 1) * nearest->corners;
    for (int64_t i = lo; i < hi; i++) grow(box, nearest->points[i], nearest->points[i]);
  }
}

static const float *corner_of(const float (*points)[3], const int32_t (*triangles)[3], int64_t item,
                              int corner) {
  return points[triangles ? triangles[item][corner] : item];
}

static void fill(Nearest *nearest, const float (*points)[3], const int32_t (*triangles)[3],
                 Item *items) {
  int corners = nearest->corners;
  for (int64_t i = 0; i < nearest->n; i++) {
    items[i].index = i;
    for (int axis = 0; axis < 3; axis++) {
      float sum = 0;
      for (int c = 0; c < corners; c++) {
        sum += corner_of(points, triangles, i, c)[axis] / (float)corners;
      }
      items[i].centre[axis] = sum;
    }
  }
  sort_items(nearest, items);
  for (int64_t i = 0; i < nearest->n; i++) {
    nearest->index[i] = items[i].index;
    for (int c = 0; c < corners; c++) {
      memcpy(nearest->points[i * corners + c], corner_of(points, triangles, items[i].index, c),
             sizeof *nearest->points);
    }
  }
  fill_boxes(nearest);
}

static Status allocate(Nearest *nearest, Item **items) {
  const char *what = "a search tree";
  size_t n = (size_t)nearest->n, nodes = ((size_t)1 << nearest->levels) - 1;
  TRY(memory_allocate(&nearest->boxes, nodes, sizeof *nearest->boxes, what));
  TRY(memory_allocate(&nearest->points, n * (size_t)nearest->corners, sizeof *nearest->points,
                      what));
  TRY(memory_allocate(&nearest->index, n, sizeof *nearest->index, what));
  return memory_allocate(items, n, sizeof **items, what);
}

Status nearest_create(const float (*points)[3], const int32_t (*triangles)[3], int64_t n,
                      Nearest **nearest) {
  Nearest *tree;
  Item *items = NULL;
  TRY(memory_allocate(&tree, 1, sizeof *tree, "a search tree"));
  tree->n = n;
  tree->corners = triangles ? 3 : 1;
  tree->levels = 1;
  while (n >> (tree->levels - 1) > LEAF) tree->levels++;
  Status status = allocate(tree, &items);
  if (status == STATUS_OK) {
    fill(tree, points, triangles, items);
    *nearest = tree;
  } else {
    nearest_destroy(tree);
  }
  free(items);
  return status;
}

void nearest_destroy(Nearest *nearest) {
  if (!nearest) return;
  free(nearest->boxes);
  free(nearest->points);
  free(nearest->index);
  free(nearest);
}

/* ---- Searching ---- */

static void subtract(const double a[3], const double b[3], double difference[3]) {
  for (int i = 0; i < 3; i++) difference[i] = a[i] - b[i];
}

static void cross(const double a[3], const double b[3], double product[3]) {
  for (int i = 0; i < 3; i++) {
    int j = (i + 1) % 3, k = (i + 2) % 3;
    product[i] = a[j] * b[k] - a[k] * b[j];
  }
}

static double dot(const double a[3], const double b[3]) {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

static double squared_distance(const double a[3], const double b[3]) {
  double difference[3];
  subtract(a, b, difference);
  return dot(difference, difference);
}

/* The squared distance of a box in the same order of operations as squared_distance, so that
 * rounding never makes a box farther than a point inside it. */
static double box_distance(const Box *box, const double at[3]) {
  double d[3];
  for (int i = 0; i < 3; i++) {
    double below = box->low[i] - at[i], above = at[i] - box->high[i];
    double outside = below > above ? below : above;
    d[i] = outside > 0 ? outside : 0;
  }
  return dot(d, d);
}

/* The point of the segment from a along `side` that is nearest to `at`. */
static double segment_distance(const double a[3], const double side[3], const double at[3],
                               double point[3]) {
  double offset[3], length = dot(side, side);
  subtract(at, a, offset);
  double t = length > 0 ? fmin(fmax(dot(offset, side) / length, 0), 1) : 0;
  for (int i = 0; i < 3; i++) point[i] = a[i] + t * side[i];
  return squared_distance(at, point);
}

/* Where the foot of the perpendicular lies in the triangle, it is the foot; else the nearest point
 * is on a side. What is returned is always a point of the triangle, slivers included. */
static double triangle_distance(const float (*corners)[3], const double at[3], double point[3]) {
  double p[3][3], ab[3], ac[3], ap[3], n[3], part[3];
  for (int c = 0; c < 3; c++) {
    for (int i = 0; i < 3; i++) p[c][i] = corners[c][i];
  }
  subtract(p[1], p[0], ab);
  subtract(p[2], p[0], ac);
  subtract(at, p[0], ap);
  cross(ab, ac, n);
  double scale = dot(n, n);
  cross(ap, ac, part);
  double b = dot(part, n);
  cross(ab, ap, part);
  double c = dot(part, n);
  if (scale > 0 && b >= 0 && c >= 0 && b + c <= scale) {
    for (int i = 0; i < 3; i++) point[i] = p[0][i] + b / scale * ab[i] + c / scale * ac[i];
    return squared_distance(at, point);
  }
  double best = INFINITY;
  for (int side = 0; side < 3; side++) {
    double along[3], candidate[3];
    subtract(p[(side + 1) % 3], p[side], along);
    double distance = segment_distance(p[side], along, at, candidate);
    if (distance < best) {
      best = distance;
      memcpy(point, candidate, sizeof candidate);
    }
  }
  return best;
}

static double item_distance(const Nearest *nearest, int64_t item, const double at[3],
                            double point[3]) {
  if (nearest->corners == 3) {
    return triangle_distance((const float(*)[3])nearest->points + 3 * item, at, point);
  }
  for (int i = 0; i < 3; i++) point[i] = nearest->points[item][i];
  return squared_distance(at, point);
}

/* hit->distance is squared until the search ends. */
static void search_leaf(const Nearest *nearest, int64_t leaf, const double at[3], NearestHit *hit) {
  int64_t end = first_of(nearest, nearest->levels - 1, leaf + 1);
  for (int64_t i = first_of(nearest, nearest->levels - 1, leaf); i < end; i++) {
    double point[3], distance = item_distance(nearest, i, at, point);
    if (distance > hit->distance) continue;
    if (distance == hit->distance && nearest->index[i] > hit->index) continue;
    hit->index = nearest->index[i];
    hit->distance = distance;
    memcpy(hit->point, point, sizeof point);
  }
}

NearestHit nearest_find(const Nearest *nearest, const double at[3]) {
  NearestHit hit = {-1, INFINITY, {0}};
  struct {
    int64_t node;
    double distance;
  } stack[MAX_LEVELS + 2] = {{0, 0}};
  int64_t first_leaf = ((int64_t)1 << (nearest->levels - 1)) - 1;
  for (int top = 1; top > 0;) {
    int64_t node = stack[--top].node;
    if (stack[top].distance > hit.distance) continue;
    if (node >= first_leaf) {
      search_leaf(nearest, node - first_leaf, at, &hit);
      continue;
    }
    double left = box_distance(&nearest->boxes[2 * node + 1], at);
    double right = box_distance(&nearest->boxes[2 * node + 2], at);
    bool left_first = left <= right;
    stack[top].node = 2 * node + 1 + left_first; /* the farther one waits */
    stack[top++].distance = left_first ? right : left;
    stack[top].node = 2 * node + 2 - left_first;
    stack[top++].distance = left_first ? left : right;
  }
  hit.distance = sqrt(hit.distance);
  return hit;
}

double nearest_bytes(int64_t n, bool triangles) {
  double item = (triangles ? 3 : 1) * sizeof(float[3]) + sizeof(int64_t) + sizeof(Item);
  return (double)n * (item + 3.0 / LEAF * sizeof(Box)); /* leaves are half full or more */
}
