"""converted.py make | images | sounds | videos | shapes: for suite_convert.sh, in its directory.
Makes shapes and data sets to convert; compares NAME.h5, made of NAME, with what FFmpeg reads in
NAME, and NAME.h5.EXTENSION, made of that, with the data set."""

import subprocess
import sys

import h5py
import numpy as np


def raw(name, *options, dtype):
    """The samples of an image, a sound or a video as FFmpeg decodes them."""
    command = ["ffmpeg", "-v", "error", "-i", name, *options, "-"]
    return np.frombuffer(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout, dtype)


def pixels(name, form, dtype="u1"):
    exact = "bilinear+accurate_rnd+bitexact+full_chroma_int+full_chroma_inp"
    return raw(name, "-f", "rawvideo", "-vsync", "passthrough", "-sws_flags", exact, "-pix_fmt",
               form, dtype=dtype)


def sound(name):
    return raw(name, "-f", "f32le", dtype="<f4")


def probe(name, *fields):
    command = ["ffprobe", "-v", "error", "-count_frames", "-select_streams", "0", "-of", "csv=p=0",
               "-show_entries", "stream=" + ",".join(fields), name]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def text(value):
    return value.decode() if isinstance(value, bytes) else str(value)


def check_layout(file, kind, axes=None):
    assert text(file.attrs["format"]) == "siren data" and file.attrs["format_version"] == 1
    assert text(file.attrs["kind"]) == kind
    if axes:
        assert set(file) == {"data"}
        assert text(file["data"].attrs["axes"]) == axes and text(file["data"].attrs["units"]) == "1"
        assert text(file["data"].attrs["description"])


def data_of(name, kind, axes):
    with h5py.File(name) as file:
        check_layout(file, kind, axes)
        return file["data"][:], dict(file["data"].attrs)


# ---- Images ----


def images():
    for name, shape, form, dtype in (
            ("grey.png", (20, 24), "gray", "u1"), ("colour.png", (20, 24, 3), "rgb24", "u1"),
            ("pixel.png", (1, 1), "gray", "u1"), ("deep.png", (20, 24), "gray16le", "u2"),
            ("deep_colour.png", (20, 24, 3), "rgb48le", "u2"),
            ("rocket.jpg", None, "rgb24", "u1")):
        data, _ = data_of(name + ".h5", "image", "row,column")
        assert data.dtype == dtype and (shape is None or data.shape == shape), name
        there = pixels(name, form, dtype).reshape(data.shape)
        back = pixels(name + ".h5.png", form, dtype).reshape(data.shape)
        assert np.array_equal(back, data), name
        if shape:
            assert np.array_equal(there, data), name
        else:  # JPEG decoders differ by a little
            assert data.ndim == 3 and abs(there.astype(float) - data).mean() < 2, name
    assert np.array_equal(pixels("foreign.png", "gray"), np.rint(255 * brightness().ravel()))


def brightness():
    return (np.arange(20 * 24, dtype="f4") / 479).reshape(20, 24)


# ---- Sounds ----


def sounds():
    for name, rate, channels, codec in (
            ("tone.wav", 8000, 1, "pcm_f32le"), ("stereo.wav", 8000, 2, "pcm_f32le"),
            ("one.wav", 8000, 1, "pcm_f32le"), ("mono.flac", 44100, 1, "flac"),
            ("two.flac", 22050, 2, "flac"), ("mono.ogg", 44100, 1, "vorbis"),
            ("two.ogg", 22050, 2, "vorbis")):
        data, attributes = data_of(name + ".h5", "audio", "time")
        assert attributes["rate"] == rate and data.dtype == "f4", name
        assert data.ndim == (1 if channels == 1 else 2) and data.size % channels == 0, name
        there, kept = sound(name), name + ".h5." + name.split(".")[1]
        if codec == "vorbis":  # another decoder, which does not end at the last sample
            size = min(there.size, data.size)
            assert size > 0.9 * data.size, name
            assert abs(there[:size] - data.ravel()[:size]).max() < 1e-4, name
        else:
            assert np.array_equal(there, data.ravel()), name
        assert np.array_equal(sound(name + ".h5.wav"), data.ravel()), name
        assert probe(kept, "codec_name", "sample_rate", "channels") == f"{codec},{rate},{channels}"
        size = min(sound(kept).size, data.size)
        error = sound(kept)[:size] - data.ravel()[:size]
        if codec == "vorbis":
            assert size > 0.9 * data.size and np.std(error) < 0.1 * np.std(data), kept
        else:
            assert size == data.size and abs(error).max() < 2**-23, kept  # FLAC of 24 bits


# ---- Videos ----

LUMA = np.array([0.2126, 0.7152, 0.0722])  # colours have half the resolution


def videos():
    for name, frames, size, rate in (("exact.mkv", 10, (48, 64), 12.5),
                                     ("h264.mp4", 10, (48, 64), 25), ("odd.mkv", 3, (15, 21), 10)):
        data, attributes = data_of(name + ".h5", "video", "time,row,column")
        assert data.dtype == "u1" and data.shape == (frames, *size, 3), (name, data.shape)
        assert attributes["rate"] == rate, name
        assert np.array_equal(pixels(name, "rgb24"), data.ravel()), name
        assert np.array_equal(pixels(name + ".h5.mkv", "rgb24"), data.ravel()), name
        lossy = pixels(name + ".h5.mp4", "rgb24").reshape(frames, *(n + n % 2 for n in size), 3)
        error = (lossy[:, :size[0], :size[1]].astype(float) - data) @ LUMA
        assert 10 * np.log10(255**2 / (error**2).mean()) > 30, name
        codec, ratio, count = probe(name + ".h5.mp4", "codec_name", "avg_frame_rate",
                                    "nb_read_frames").split(",")
        over, under = ratio.split("/")
        assert codec == "h264" and int(over) / int(under) == rate and int(count) == frames, name
        assert probe(name + ".h5.mkv", "codec_name") == "ffv1"
    grey = np.rint(255 * np.tile(brightness(), (5, 1, 1))).ravel()
    assert np.array_equal(pixels("foreign.mkv", "rgb24").reshape(-1, 3).T, [grey] * 3)
    assert probe("foreign.mkv", "avg_frame_rate") == "12/1"


# ---- Shapes ----

CORNERS = np.array([(1, 0, 0), (-1, 0, 0), (0, 2, 0), (0, -2, 0), (0, 0, 3.25), (0, 0, -3)], "f4")
SIDES = np.array([(0, 2, 4), (2, 1, 4), (1, 3, 4), (3, 0, 4), (2, 0, 5), (1, 2, 5), (3, 1, 5),
                  (0, 3, 5)])


def cloud():
    points = np.random.default_rng(1).normal(size=(50, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    return np.hstack([2 * points, points]).astype("f4")


def lines(rows, form):
    return "".join(form.format(*row) + "\n" for row in rows)


def make_shapes():
    row = "{} {} {}"
    counts = f"{len(CORNERS)} {len(SIDES)} 0\n"
    header = "ply\nformat ascii 1.0\nelement vertex {}\n" + "property float x\nproperty float y\n" \
        "property float z\n"
    faces = f"element face {len(SIDES)}\nproperty list uchar int vertex_indices\n"
    corners, sides = lines(CORNERS, row), lines(SIDES, "3 " + row)
    normals = "property float nx\nproperty float ny\nproperty float nz\n"
    facet = "facet normal 0 0 0\nouter loop\n" + 3 * "vertex {} {} {}\n" + "endloop\nendfacet"
    files = {
        "mesh.off": "OFF\n" + counts + corners + sides,
        "mesh.obj": lines(CORNERS, "v " + row) + lines(SIDES + 1, "f " + row),
        "mesh.stl": "solid a\n" + lines(CORNERS[SIDES].reshape(-1, 9), facet) + "endsolid a\n",
        "mesh.ply": header.format(len(CORNERS)) + faces + "end_header\n" + corners + sides,
        "points.xyz": corners,
        "cloud.xyz": lines(cloud(), row + " " + row),
        "cloud.ply": header.format(50) + normals + "end_header\n" + lines(cloud(), row + " " + row),
    }
    for name, content in files.items():
        with open(name, "w") as file:
            file.write(content)


def read_ply(name):
    """Points, normals and triangles of a binary PLY file of floats and triangles."""
    with open(name, "rb") as file:
        header, body = file.read().split(b"end_header\n", 1)
    words = header.decode().split()
    counts = [int(words[i + 2]) for i, word in enumerate(words) if word == "element"]
    columns = words.count("float")
    points = np.frombuffer(body, "<f4", counts[0] * columns).reshape(counts[0], columns)
    rows = np.frombuffer(body, [("n", "u1"), ("corners", "<i4", 3)], counts[1], points.nbytes)
    assert points.nbytes + rows.nbytes == len(body) and (rows["n"] == 3).all()
    return points[:, :3], points[:, 3:], rows["corners"]


def triangles_of(points, sides):
    """The corners of all triangles, each beginning with its least; sorted."""
    corners = [tuple(map(tuple, points[side])) for side in sides]
    return sorted(min((c[i:] + c[:i] for i in range(3))) for c in corners)


def check_shape(name):
    with h5py.File(name) as file:
        mesh = name.startswith("mesh")
        check_layout(file, "mesh" if mesh else "points")
        points = file["points"][:]
        normals = file["normals"][:] if "normals" in file else np.zeros((len(points), 0), "f4")
        sides = file["triangles"][:] if mesh else np.zeros((0, 3), "i4")
        assert set(file) <= {"points", "normals", "triangles"}
    assert points.dtype == "f4" and sides.dtype == "i4"
    if mesh:
        assert len(points) == 6
        assert triangles_of(points, sides) == triangles_of(CORNERS, SIDES), name
    elif name.startswith("points"):
        assert np.array_equal(points, CORNERS) and normals.size == 0
    else:
        assert np.array_equal(points, cloud()[:, :3])
        assert abs(normals - cloud()[:, 3:]).max() < 1e-6
    return points, normals, sides


def shapes():
    for name in ("mesh.off", "mesh.obj", "mesh.stl", "mesh.ply", "points.xyz", "cloud.xyz",
                 "cloud.ply"):
        there, back = check_shape(name + ".h5"), read_ply(name + ".h5.ply")
        again = check_shape(name + ".h5.ply.h5")
        for i in range(3):
            assert np.array_equal(there[i], back[i]) and np.array_equal(there[i], again[i]), name


# ---- What other programs write, good and bad ----


def make():
    make_shapes()
    grey, tone = brightness(), np.sin(0.1 * np.arange(1000, dtype="f4"))
    video = np.tile(grey, (5, 1, 1))
    bad_image, bad_video, bad_sound, bad_points = (a.copy() for a in (grey, video, tone, CORNERS))
    bad_image[3, 4] = bad_video[3, 4, 5] = bad_sound[70] = bad_points[1, 1] = np.nan
    for name, sets in {
            "foreign": {"a/image": grey, "sound": tone, "film": video},
            "nan": {"image": bad_image, "sound": bad_sound, "film": bad_video},
            "large": {"image": 255 * grey, "film": video - 0.5},
            "text": {"words": np.array([b"do", b"re", b"mi"])},
            "truth": {"image": grey > 0.5}, "pairs": {"image": grey.astype("c8")},
            "cube": {"cube": np.zeros((3, 4, 5, 6, 7), "f4")},
            "five": {"image": np.zeros((20, 24, 5), "u1")}, "empty": {"image": np.zeros((0, 24))},
            "corner": {"points": CORNERS, "triangles": [[0, 1, 6]]},
            "half": {"points": CORNERS, "triangles": [[0, 1, 2.5]]},
            "few": {"points": CORNERS, "normals": CORNERS[:2]},
            "flat": {"points": CORNERS[:, :2]}, "nan_points": {"points": bad_points}}.items():
        with h5py.File(name + ".h5", "w") as file:
            for path, data in sets.items():
                file[path] = data


if __name__ == "__main__":
    commands = {"make": make, "images": images, "sounds": sounds, "videos": videos}
    commands.get(sys.argv[1], shapes)()
