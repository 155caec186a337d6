#include "io/photograph.h"

/* The assembler finds the file through the compiler's include path, which has the project root. */
__asm__(
    ".section .rodata\n"
    ".global photograph_data\n"
    ".type photograph_data, @object\n"
    ".balign 16\n"
    "photograph_data:\n"
    ".incbin \"experiments/data/photograph.png\"\n"
    "photograph_end:\n"
    ".size photograph_data, photograph_end - photograph_data\n"
    ".global photograph_length\n"
    ".type photograph_length, @object\n"
    ".balign 8\n"
    "photograph_length:\n"
    ".quad photograph_end - photograph_data\n"
    ".size photograph_length, 8\n"
    ".previous\n");
