"""converted_sets.py make | check: for suite_image_sets.sh, in its directory. Makes IDX files and
damaged ones; compares sets of images with what FFmpeg reads in the files that they are made of."""

import gzip
import struct
import sys
from pathlib import Path

import h5py
import numpy as np

from converted import check_layout, pixels


def idx_images():
    return (np.arange(30 * 7 * 9) ** 2 % 253).astype("u1").reshape(30, 7, 9)


def idx(data, kind=8):
    return struct.pack(f">BBBB{data.ndim}I", 0, 0, kind, data.ndim, *data.shape) + data.tobytes()


def make():
    file = idx(idx_images())
    for name, content in {"t-idx3-ubyte": file, "more.idx": file, "short.idx": file[:-1],
                          "long.idx": file + b"x", "mark.idx": b"x" + file[1:],
                          "labels-idx1-ubyte": idx(np.arange(10, dtype="u1")),
                          "one.idx": idx(idx_images()[:1]), "no_ending": file}.items():
        Path(name).write_bytes(content)
    packed = gzip.compress(file)
    Path("t-idx3-ubyte.gz").write_bytes(packed)
    Path("cut-ubyte.gz").write_bytes(packed[:-5])
    Path("flipped-ubyte.gz").write_bytes(packed[:-6] + bytes([packed[-6] ^ 1]) + packed[-5:])
    archive = Path("set.tar").read_bytes()
    Path("cut.tar").write_bytes(archive[:5000])
    Path("flipped.tar").write_bytes(archive[:20] + b"?" + archive[21:])
    packed = Path("set.tgz").read_bytes()
    Path("cut.tgz").write_bytes(packed[:len(packed) // 2])


def load(name, made, with_names=True):
    with h5py.File(name) as file:
        check_layout(file, "images")
        assert set(file) == ({"data", "hash", "names"} if with_names else {"data", "hash"}), name
        assert file["data"].attrs["axes"].decode() == "image,row,column"
        assert file.attrs["made"].decode() == made, (name, file.attrs["made"])
        data, hashes = file["data"][:], file["hash"][:]
        assert data.dtype == "u1" and hashes.dtype == "<u8" and hashes.shape == data.shape[:1]
        for i, j in zip(*np.triu_indices(len(data))):  # hashes are equal where images are
            assert (hashes[i] == hashes[j]) == np.array_equal(data[i], data[j]), (name, i, j)
        return data, [n.decode() for n in file["names"][:]] if with_names else None


def check():
    files = [str(path.relative_to("set")) for path in Path("set").rglob("*.png")]
    files = sorted(name for name in files if not name.startswith(".") and "/." not in name)
    assert len(files) == 14 and "a/twice.png" in files
    data, names = load("set.h5", "pixels as they were")
    assert names == files and data.shape == (14, 20, 24, 3)
    for name, image in zip(names, data):
        assert np.array_equal(pixels(f"set/{name}", "rgb24"), image.ravel()), name
    assert np.array_equal(pixels("back.png", "rgb24"), data[5].ravel())

    small, _ = load("small.h5", "centre squares, 10x10 by PIL's area filter, as grey")
    grey = np.floor(data[:, :, 2:22] @ [19595, 38470, 7471] / 65536 + 0.5)  # PIL's luma
    blocks = np.floor(grey.reshape(14, 10, 2, 10, 2).mean(4) + 0.5).mean(2)
    assert np.array_equal(small, np.floor(blocks + 0.5))

    rgb, _ = load("rgb.h5", "centre squares, 20x20 by PIL's bilinear filter, as RGB")
    assert rgb.shape == (16, 20, 20, 3) and np.array_equal(rgb[2:], data[:, :, 2:22])
    assert np.ptp(rgb[0], axis=-1).max() == 0
    assert len(load("skipped.h5", "pixels as they were")[1]) == 14

    for name in "idx.h5", "idx_gz.h5", "idx_more.h5", "idx_content.h5":
        data, _ = load(name, "pixels as they were", False)
        assert np.array_equal(data, idx_images()), name
    assert load("idx_small.h5", "centre squares, 5x5 by PIL's bicubic filter",
                False)[0].shape == (30, 5, 5)


if __name__ == "__main__":
    {"make": make, "check": check}[sys.argv[1]]()
