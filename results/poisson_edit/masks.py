"""masks.py DIRECTORY: the masks of make.sh, 512 x 512, white inside outlines with soft edges."""

import math
import struct
import sys
import zlib

SIDE = 512
OUTLINES = {
    # The right half of the orange.
    "orange.png": (60, [(256, -99), (999, -99), (999, 999), (256, 999)]),
    # The space shuttle beside the astronaut.
    "shuttle.png": (10, [(392, -99), (442, -99), (452, 36), (461, 45), (464, 215), (463, 262),
                         (458, 267), (364, 267), (346, 236), (346, 205), (370, 178), (370, 44),
                         (385, 32)]),
}


def distance(x, y, outline):
    """From the outline, negative outside of it."""
    nearest, inside = math.inf, False
    for (ax, ay), (bx, by) in zip(outline, outline[1:] + outline[:1]):
        dx, dy = bx - ax, by - ay
        t = max(0, min(1, ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy)))
        nearest = min(nearest, math.hypot(x - ax - t * dx, y - ay - t * dy))
        if (ay > y) != (by > y) and x < ax + (y - ay) * dx / dy:
            inside = not inside
    return nearest if inside else -nearest


def level(x, y, width, outline):
    """0 to 255 over an edge so many pixels wide, without kinks."""
    t = max(0, min(1, distance(x, y, outline) / width + 0.5))
    return round(255 * t * t * (3 - 2 * t))


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


for name, (width, outline) in OUTLINES.items():
    lines = b"".join(b"\0" + bytes(level(x, y, width, outline) for x in range(SIDE))
                     for y in range(SIDE))
    with open(f"{sys.argv[1]}/{name}", "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n"
                   + chunk(b"IHDR", struct.pack(">IIBBBBB", SIDE, SIDE, 8, 0, 0, 0, 0))
                   + chunk(b"IDAT", zlib.compress(lines, 9)) + chunk(b"IEND", b""))
