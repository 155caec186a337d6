#include "io/colour_map.h"

#include <math.h>

enum { LAST = 10 };

static const unsigned char maps[][LAST + 1][3] = {
    [COLOUR_VIRIDIS] = {{68, 1, 84},
                        {72, 36, 117},
                        {65, 68, 135},
                        {53, 95, 141},
                        {42, 120, 142},
                        {33, 145, 140},
                        {34, 168, 132},
                        {68, 191, 112},
                        {122, 209, 81},
                        {189, 223, 38},
                        {253, 231, 37}},
    [COLOUR_MAGMA] = {{0, 0, 4},
                      {20, 14, 54},
                      {59, 15, 112},
                      {100, 26, 128},
                      {140, 41, 129},
                      {183, 55, 121},
                      {222, 73, 104},
                      {247, 112, 92},
                      {254, 159, 109},
                      {254, 207, 146},
                      {252, 253, 191}},
    [COLOUR_RED_BLUE] = {{103, 0, 31},
                         {178, 24, 43},
                         {214, 96, 77},
                         {244, 165, 130},
                         {253, 219, 199},
                         {247, 247, 247},
                         {209, 229, 240},
                         {146, 197, 222},
                         {67, 147, 195},
                         {33, 102, 172},
                         {5, 48, 97}},
};

void colour_map(ColourMap map, float value, float rgb[3]) {
  if (isnan(value)) {
    rgb[0] = rgb[1] = rgb[2] = 0.5f;
    return;
  }
  value = value < 0 ? 0 : value > 1 ? 1 : value;
  int i = value >= 1 ? LAST - 1 : (int)(value * LAST);
  float part = value * LAST - (float)i;
  for (int c = 0; c < 3; c++) {
    rgb[c] = ((1 - part) * maps[map][i][c] + part * maps[map][i + 1][c]) / 255;
  }
}
