#!/usr/bin/env python3
"""cosmos.py OUT.h5 [--size N] [--steps T] [--box L] [--seed S]: a simulation of cosmic structure.

Formation of cosmic structure in the approximation of Zel'dovich (1970). Particles that begin on a
lattice q move along straight lines,

    x(q) = q + D psi(q),     psi = -grad phi,     Laplacian of phi = delta,

where delta is a Gaussian random field with the spectrum of cold dark matter, P(k) ~ k T(k)^2 with
the transfer function T of Bardeen et al. (1986), delta's deviation in spheres of 8 Mpc/h is 0.8 at
D = 1 (today), and the box is periodic. Scales below 1 Mpc/h are left out (Coles et al. 1993), they
would blur the picture. The particles' density, by cloud-in-cell, smoothed by a Gaussian of
1.25 cells, goes to /density [z][y][x] as log10(density / mean): sheets, filaments and knots around
voids. With --steps T > 1: /density [time][z][y][x] at T growth factors D from 0.2 to 1.

Takes a minute and 1.1 GB for N = 256. Needs numpy and h5py. The same seed gives the same field, up
to rounding of the FFT.
"""
import argparse

import h5py
import numpy as np

OMEGA_M, HUBBLE = 0.3, 0.7  # density of matter, Hubble's constant in 100 km/s/Mpc
SIGMA_8, TILT = 0.8, 0.96
TRUNCATION = 1.0  # Mpc/h: particles would cross on smaller scales and blur the web
SMOOTH_CELLS = 1.25
PARTICLES = 2  # a cell's, along an axis: fewer would show as speckles in voids
FIRST_GROWTH = 0.2


def spectrum(k):
    """P(k) without its amplitude, k in h/Mpc: Bardeen et al., eq. G3; Gamma = Omega h."""
    q = np.maximum(k, 1e-12) / (OMEGA_M * HUBBLE)
    transfer = np.log1p(2.34 * q) / (2.34 * q) * (
        1 + 3.89 * q + (16.1 * q) ** 2 + (5.46 * q) ** 3 + (6.71 * q) ** 4) ** -0.25
    return k ** TILT * transfer ** 2


def amplitude():
    """What brings the deviation in spheres of 8 Mpc/h to SIGMA_8."""
    k = np.geomspace(1e-4, 50, 20000)
    x = 8 * k
    ball = 3 * (np.sin(x) - x * np.cos(x)) / x ** 3
    integrand = spectrum(k) * ball ** 2 * k ** 3 / (2 * np.pi ** 2)  # d ln k
    variance = np.sum((integrand[1:] + integrand[:-1]) / 2 * np.diff(np.log(k)))
    return SIGMA_8 ** 2 / variance


def wave_numbers(n, box):
    """Along the axes z, y, x of a real FFT, h/Mpc."""
    step = 2 * np.pi / box
    whole = (np.fft.fftfreq(n, 1 / n) * step).astype(np.float32)
    half = (np.fft.rfftfreq(n, 1 / n) * step).astype(np.float32)
    return whole[:, None, None], whole[None, :, None], half[None, None, :]


def potential(n, box, seed):
    """FFT of delta / k^2 at D = 1, and the wave numbers."""
    noise = np.random.default_rng(seed).standard_normal((n, n, n), dtype=np.float32)
    modes = np.fft.rfftn(noise).astype(np.complex64)
    del noise
    k = wave_numbers(n, box)
    squared = k[0] ** 2 + k[1] ** 2 + k[2] ** 2
    power = amplitude() * spectrum(np.sqrt(squared)).astype(np.float32)
    power *= np.exp(-squared * np.float32(TRUNCATION ** 2))
    squared[0, 0, 0] = 1
    modes *= np.sqrt(power * np.float32(n ** 3 / box ** 3)) / squared
    modes[0, 0, 0] = 0
    return modes, k


def displacements(n, box, seed):
    """psi along z, y, x in cells."""
    modes, k = potential(n, box, seed)
    cells = np.float32(n / box)
    return [np.fft.irfftn(1j * k[i] * modes, (n, n, n)).astype(np.float32) * cells
            for i in range(3)]


def between(field, shift):
    """A periodic field at half a cell's distance where `shift` says so: mean of the neighbours."""
    for axis in range(3):
        if shift[axis]:
            field = (field + np.roll(field, -1, axis)) / 2
    return field


def deposit(density, position):
    """Cloud-in-cell: a particle's mass goes to the eight cells around it."""
    n = density.shape[0]
    low = [np.floor(p).astype(np.int32) for p in position]
    part = [p - q for p, q in zip(position, low)]
    first = low[0].min()
    planes = low[0].max() - first + 2
    window = np.zeros(planes * n * n)  # what this slab reaches, before it is wrapped around
    for corner in np.ndindex(2, 2, 2):
        cell, mass = low[0] - first + corner[0], part[0] if corner[0] else 1 - part[0]
        for i in (1, 2):
            cell = cell * n + (low[i] + corner[i]) % n
            mass = mass * (part[i] if corner[i] else 1 - part[i])
        window += np.bincount(cell.ravel(), mass.ravel(), window.size)
    for z, plane in enumerate(window.reshape(planes, n, n)):
        density[(first + z) % n] += plane


def density_of(psi, growth):
    """Mean 1. Particles: PARTICLES^3 a cell, moved in slabs along z to save memory."""
    n = psi[0].shape[0]
    density = np.zeros((n, n, n))
    slab = max(1, 2 ** 21 // n ** 2)
    y, x = np.meshgrid(np.arange(n, dtype="f4"), np.arange(n, dtype="f4"), indexing="ij")
    for shift in np.ndindex((PARTICLES,) * 3):
        moved = [between(p, shift) for p in psi]
        place = [np.float32(s / PARTICLES) for s in shift]
        for first in range(0, n, slab):
            part = slice(first, first + slab)
            z = np.arange(first, min(first + slab, n), dtype="f4")[:, None, None]
            lattice = (z + place[0], y + place[1], x + place[2])
            deposit(density, [q + np.float32(growth) * p[part] for q, p in zip(lattice, moved)])
    return density / density.mean()


def smooth(field, cells):
    n = field.shape[0]
    k = wave_numbers(n, n)
    modes = np.fft.rfftn(field)
    for wave in k:
        modes *= np.exp(-0.5 * (wave * cells) ** 2)
    return np.fft.irfftn(modes, field.shape)


def contrast(psi, growth):
    return np.log10(np.maximum(smooth(density_of(psi, growth), SMOOTH_CELLS), 1e-3)).astype("f4")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out")
    parser.add_argument("--size", type=int, default=256, help="cells along an axis")
    parser.add_argument("--steps", type=int, default=1, help="points in time; 1: a 3-D field")
    parser.add_argument("--box", type=float, default=128, help="side of the box, Mpc/h")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    n, box = options.size, options.box
    psi = displacements(n, box, options.seed)
    times = np.linspace(FIRST_GROWTH, 1, options.steps) if options.steps > 1 else [1.0]
    shape = (n, n, n) if options.steps == 1 else (options.steps, n, n, n)
    with h5py.File(options.out, "w") as file:
        data = file.create_dataset("density", shape, "f4", chunks=(1,) * (len(shape) - 2)
                                   + (min(n, 64), n), compression=4, shuffle=True)
        for i, growth in enumerate(times):
            data[i if options.steps > 1 else ...] = contrast(psi, growth)
        end = box * (n - 1) / n
        data.attrs["axes"] = "z,y,x" if options.steps == 1 else "time,z,y,x"
        data.attrs["units"] = "dex"
        data.attrs["description"] = "log10 of density over mean density, Zel'dovich approximation"
        data.attrs["lower"] = [0.0] * 3 if options.steps == 1 else [FIRST_GROWTH, 0.0, 0.0, 0.0]
        data.attrs["upper"] = [end] * 3 if options.steps == 1 else [1.0, end, end, end]
        data.attrs["lengths"] = "Mpc/h"


if __name__ == "__main__":
    main()
