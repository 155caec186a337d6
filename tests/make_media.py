"""make_media.py DIRECTORY: small images, whole and broken, for the end-to-end tests."""

import struct
import sys
import zlib


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, bits, colour, row):
    """row(y) gives the bytes of a line; colour 0 is grey, 2 RGB."""
    lines = b"".join(b"\0" + row(y) for y in range(height))
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(lines))
            + chunk(b"IEND", b""))


def ramp(count):
    return lambda y: bytes((7 * x + 11 * y) % 256 for x in range(count))


grey = png(24, 20, 8, 0, ramp(24))
media = {
    "grey.png": grey,
    "colour.png": png(24, 20, 8, 2, ramp(72)),
    "white.png": png(24, 20, 8, 0, lambda y: b"\xff" * 24),
    "black.png": png(24, 20, 8, 0, lambda y: b"\0" * 24),
    "stripes.png": png(24, 20, 8, 0, lambda y: (b"\xff" if y % 4 else b"\0") * 24),
    "deep.png": png(24, 20, 16, 0, ramp(48)),
    "pixel.png": png(1, 1, 8, 0, ramp(1)),
    "line.png": png(24, 1, 8, 0, ramp(24)),
    "huge.png": (b"\x89PNG\r\n\x1a\n"
                 + chunk(b"IHDR", struct.pack(">IIBBBBB", 2**31 - 1, 2**31 - 1, 8, 0, 0, 0, 0))),
    "truncated.png": grey[:len(grey) // 2],
    "damaged.png": grey[:60] + bytes([grey[60] ^ 0x10]) + grey[61:],
    "empty.png": b"",
    "text.png": b"this is not an image\n",
}
for name, data in media.items():
    with open(f"{sys.argv[1]}/{name}", "wb") as file:
        file.write(data)
