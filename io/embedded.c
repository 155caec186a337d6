#include "io/embedded.h"

/* NAME_data and NAME_length: the bytes of experiments/data/FILE. The assembler finds the file
 * through the compiler's include path, which has the project root. */
#define EMBED(name, file)                            \
  __asm__(                                           \
      ".section .rodata\n"                           \
      ".global " name                                \
      "_data\n"                                      \
      ".type " name                                  \
      "_data, @object\n"                             \
      ".balign 16\n" name                            \
      "_data:\n"                                     \
      ".incbin \"experiments/data/" file "\"\n" name \
      "_end:\n"                                      \
      ".size " name "_data, " name "_end - " name    \
      "_data\n"                                      \
      ".global " name                                \
      "_length\n"                                    \
      ".type " name                                  \
      "_length, @object\n"                           \
      ".balign 8\n" name                             \
      "_length:\n"                                   \
      ".quad " name "_end - " name                   \
      "_data\n"                                      \
      ".size " name                                  \
      "_length, 8\n"                                 \
      ".previous\n")

EMBED("photograph", "photograph.png");
EMBED("coffee", "coffee.png");
EMBED("guitar", "guitar.flac");
EMBED("fashion", "fashion-idx3-ubyte.gz");
