#!/usr/bin/env python3
"""synthetic.py N OUT.h5: a smooth field on N^3 points, of any size, for training by bricks.

    f(z, y, x) = sum_j a_j(z) b_j(y) c_j(x)      on [-1, 1]^3

with waves of different directions and lengths, and bumps, products of three Gaussians. It is
computed and written in bars of 64 x 64 x N: /data [z][y][x], float32 in chunks of 64^3, not packed,
so that the file's size is known: 4.3 GB for N = 1024 (10 s, 0.1 GB of memory), 34 GB for N = 2048.
Needs numpy and h5py.
"""
import sys

import h5py
import numpy as np

CHUNK = 64
BUMPS = 24


def factors(x):
    """[terms][3][n]: what f is made of, along z, y, x. The terms do not depend on n."""
    random = np.random.default_rng(4)
    terms = []
    for frequency in (1, 2, 3, 5, 8):  # half waves in a length of 1
        for _ in range(3):
            waves = np.pi * frequency * random.uniform(0.5, 1, 3)
            phases = random.uniform(0, 2 * np.pi, 3)
            terms.append([np.sin(w * x + p) for w, p in zip(waves, phases)])
            terms[-1][0] /= frequency
    for _ in range(BUMPS):
        place, width = random.uniform(-0.9, 0.9, 3), random.uniform(0.05, 0.2, 3)
        terms.append([np.exp(-0.5 * ((x - p) / w) ** 2) for p, w in zip(place, width)])
        terms[-1][0] *= random.choice([-1.5, 1.5])
    return np.array(terms, "f4")


def main():
    n, path = int(sys.argv[1]), sys.argv[2]
    a, b, c = factors(np.linspace(-1, 1, n)).transpose(1, 0, 2)
    chunk = min(CHUNK, n)
    with h5py.File(path, "w") as file:
        data = file.create_dataset("data", (n, n, n), "f4", chunks=(chunk,) * 3)
        for z in range(0, n, chunk):
            for y in range(0, n, chunk):
                # Matrix product of [z y][terms] by [terms][x].
                rows = a[:, z:z + chunk, None] * b[:, None, y:y + chunk]
                block = rows.reshape(len(a), -1).T @ c
                data[z:z + chunk, y:y + chunk] = block.reshape(rows.shape[1:] + (n,))
        data.attrs["axes"] = "z,y,x"
        data.attrs["units"] = "1"
        data.attrs["description"] = "sum of separable waves and bumps"
        data.attrs["lower"] = [-1.0] * 3
        data.attrs["upper"] = [1.0] * 3


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main()
