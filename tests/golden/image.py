"""Writes image.h: what PIL makes of test patterns, the photograph and a JPEG.

apt-get install python3-pil python3-numpy; run from the project's root:
python3 tests/golden/image.py > tests/golden/image.h
"""
import numpy as np
import PIL
from PIL import Image

# height, width, channels -> height, width
CASES = [(1, 1, 1, 3, 2), (5, 7, 1, 1, 1), (16, 16, 1, 8, 8), (13, 17, 1, 9, 5), (9, 11, 1, 23, 16),
         (40, 30, 3, 7, 11), (8, 8, 3, 8, 8), (3, 50, 1, 3, 7), (6, 1, 1, 4, 5), (4, 6, 3, 9, 2)]
FILTER_CASES = CASES + [(178, 178, 3, 32, 32), (64, 64, 1, 32, 32), (28, 28, 1, 32, 32),
                        (30, 49, 3, 7, 10), (33, 21, 1, 50, 64)]
PHOTOGRAPH = [(256, 256), (64, 64), (100, 177), (700, 513), (512, 300)]


def pattern(height, width, channels):
    y, x, c = np.meshgrid(*(np.arange(n, dtype=np.uint32) for n in (height, width, channels)),
                          indexing="ij")
    mixed = (y * np.uint32(7919) + x * np.uint32(104729) + c * np.uint32(31) + x * y * np.uint32(13))
    mixed = mixed * np.uint32(2654435761)
    return (mixed >> np.uint32(13)).astype(np.uint8)


def fnv(data):
    code = 14695981039346656037
    for byte in data:
        code = (code ^ byte) * 1099511628211 % 2**64
    return f"0x{code:016x}ULL"


def row(data):
    return ", ".join(str(b) for b in data)


print(f"/* Made by tests/golden/image.py with PIL {PIL.__version__}. */")
print("#ifndef TESTS_GOLDEN_IMAGE_H\n#define TESTS_GOLDEN_IMAGE_H\n\n#include <stdint.h>\n")
print("/* clang-format off */")
print("static const struct { int from[2], channels, to[2]; unsigned char bytes[400]; } "
      "golden_resize[] = {")
for h, w, c, th, tw in CASES:
    a = pattern(h, w, c)
    image = Image.fromarray(a[:, :, 0] if c == 1 else a)
    out = image.resize((tw, th), Image.BILINEAR).tobytes()
    assert len(out) <= 400
    print(f"  {{{{{h}, {w}}}, {c}, {{{th}, {tw}}}, {{{row(out)}}}}},")
print("};\n\n/* FNV-1a of the bytes by PIL's other filters: bicubic, box, nearest. */")
print("static const struct { int from[2], channels, to[2]; uint64_t hash[3]; } golden_filters[] = {")
for h, w, c, th, tw in FILTER_CASES:
    a = pattern(h, w, c)
    image = Image.fromarray(a[:, :, 0] if c == 1 else a)
    hashes = [fnv(image.resize((tw, th), f).tobytes())
              for f in (Image.BICUBIC, Image.BOX, Image.NEAREST)]
    print(f"  {{{{{h}, {w}}}, {c}, {{{th}, {tw}}}, {{{', '.join(hashes)}}}}},")
print("};\n\n/* FNV-1a of the photograph's bytes, resized. */")
photograph = Image.open("experiments/data/photograph.png")
print("static const struct { int to[2]; uint64_t hash; } golden_photograph[] = {")
for th, tw in [photograph.size[::-1]] + PHOTOGRAPH:
    out = photograph.resize((tw, th), Image.BILINEAR) if (th, tw) != photograph.size else photograph
    print(f"  {{{{{th}, {tw}}}, {fnv(out.tobytes())}}},")
print("};\n")
rocket = Image.open("tests/data/rocket.jpg")
print(f"static const int golden_rocket_size[2] = {{{rocket.size[1]}, {rocket.size[0]}}};")
print(f"static const uint64_t golden_rocket_rgb = {fnv(rocket.tobytes())};")
print(f"static const uint64_t golden_rocket_grey = {fnv(rocket.convert('L').tobytes())};")
small = rocket.resize((120, 80), Image.BILINEAR)
print(f"static const uint64_t golden_rocket_120x80 = {fnv(small.tobytes())};")
print("/* clang-format on */\n\n#endif")
