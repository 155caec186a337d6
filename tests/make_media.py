"""make_media.py DIRECTORY: small images, shapes and sounds, whole and broken, for tests."""

import array
import math
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


def off(points, triangles):
    """A mesh as OFF text."""
    lines = [f"OFF\n{len(points)} {len(triangles)} 0"]
    lines += [f"{x} {y} {z}" for x, y, z in points] + [f"3 {a} {b} {c}" for a, b, c in triangles]
    return "\n".join(lines).encode() + b"\n"


def wav(samples, channels=1, rate=8000):
    """Sound as 32-bit float WAV."""
    data = array.array("f", samples).tobytes()
    form = struct.pack("<HHIIHH", 3, channels, rate, 4 * channels * rate, 4 * channels, 32)
    body = (b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"data"
            + struct.pack("<I", len(data)) + data)
    return b"RIFF" + struct.pack("<I", len(body)) + body


corners = [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)]
sides = [(0, 2, 1), (0, 1, 3), (0, 3, 2), (1, 2, 3)]
tetrahedron = off(corners, sides)
tone = [0.4 * math.sin(0.3 * i) * math.exp(-i / 500) for i in range(1200)]
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
    "shape.off": tetrahedron,
    "flat.off": off(corners[:3] + [(0.5, 0.5, 0)], [(0, 1, 2)]),
    "thin.off": off(corners, sides + [(0, 0, 1), (1, 2, 2)]),
    "lines.off": off(corners, [(0, 0, 1), (1, 2, 2)]),
    "nan.off": off([(0, 0, "nan")] + corners[1:], sides),
    "outside.off": off(corners, sides + [(1, 2, 9)]),
    "truncated.off": tetrahedron[:len(tetrahedron) - 7],
    "empty.ply": b"",
    "cloud.xyz": b"0 0 0\n1 0 0\n0 1 0\n",
    "oriented.xyz": b"0 0 0 0 0 1\n1 0 0 0 0 1\n0 1 0 0 0 1\n",
    "normal.xyz": b"0 0 0 0 0 1\n1 0 0 0 0 0\n0 1 0 0 0 1\n",
    "tone.wav": wav(tone),
    "part.wav": wav(tone[400:800]),
    "stereo.wav": wav([x for v in tone for x in (2 * v, 0)], 2),
    "one.wav": wav([0.5]),
    "none.wav": wav([]),
    "silent.wav": wav([0] * 1000),
    "nan.wav": wav([0.1] * 70 + [math.nan] + [0.1] * 70),
    "truncated.wav": wav(tone)[:3000],
    "empty.wav": b"",
    "text.wav": b"this is not a sound\n",
    "place.xyz": b"1 1 1 0 0 1\n1 1 1 0 0 1\n",
}
for name, data in media.items():
    with open(f"{sys.argv[1]}/{name}", "wb") as file:
        file.write(data)
