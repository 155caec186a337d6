#!/usr/bin/env python3
"""Times one training step (forward, loss, backward, Adam) of the SIREN network in PyTorch.

The rival of `siren bench`: run both in turn on the same idle machine and compare medians.
    apt-get install python3-torch libopenblas0-openmp
    LD_LIBRARY_PATH=/usr/lib/x86_64-linux-gnu/openblas-openmp MALLOC_MMAP_THRESHOLD_=4294967296 \
    MALLOC_TRIM_THRESHOLD_=8589934592 MALLOC_TOP_PAD_=1073741824 OMP_NUM_THREADS=2 \
    tests/pytorch_step.py [value|gradient|laplacian|sdf|helmholtz|wave] [WIDTH] [SAMPLES] [STEPS]
The environment is what makes PyTorch with OpenBLAS fast: one OpenMP runtime, no page faults each
step.
"""
import math
import resource
import sys
import time

import torch


class Sine(torch.nn.Module):
    def forward(self, x):
        return torch.sin(30 * x)


def siren(inputs, outputs, width, layers):
    sizes = [inputs] + [width] * (layers + 1) + [outputs]
    modules = []
    for i, (n, m) in enumerate(zip(sizes, sizes[1:])):
        linear = torch.nn.Linear(n, m)
        bound = 1 / n if i == 0 else math.sqrt(6 / n) / 30
        torch.nn.init.uniform_(linear.weight, -bound, bound)
        modules += [linear, Sine()]
    return torch.nn.Sequential(*modules[:-1])


def sdf_loss(x, y, normals):
    """The four terms of the released code; the first half of the points lies on the surface."""
    gradient = torch.autograd.grad(y, x, torch.ones_like(y), create_graph=True)[0]
    on = (torch.arange(len(x)) < len(x) // 2)[:, None]
    zero = torch.zeros_like(y)
    cosine = torch.nn.functional.cosine_similarity(gradient, normals, dim=-1)[:, None]
    return (3e3 * torch.where(on, y.abs(), zero).mean()
            + 1e2 * torch.where(on, zero, torch.exp(-1e2 * y.abs())).mean()
            + 1e2 * torch.where(on, 1 - cosine, zero).mean()
            + 5e1 * (gradient.norm(dim=-1) - 1).abs().mean())


def rows_of_jacobian(y, x):
    """dy_i/dx for every output i, as the released code takes it: one reverse pass each."""
    return [torch.autograd.grad(y[:, i], x, torch.ones_like(y[:, i]), create_graph=True)[0]
            for i in range(y.shape[1])]


def product(a, b):
    """Of complex numbers as pairs."""
    return torch.stack([a[:, 0] * b[:, 0] - a[:, 1] * b[:, 1],
                        a[:, 0] * b[:, 1] + a[:, 1] * b[:, 0]], 1)


def helmholtz_loss(x, y):
    """k = 20, an absorbing layer of strength 5, a source at the origin."""
    depth = torch.clamp(x.abs() - 0.5, min=0) / 0.5
    e = torch.complex(torch.ones_like(x), -5 * depth**2)
    pair = torch.view_as_real
    du = rows_of_jacobian(y, x)
    along = []
    for i in range(2):
        slope = torch.stack([du[0][:, i], du[1][:, i]], 1)
        flux = product(pair(e[:, 1 - i] / e[:, i]), slope)
        second = rows_of_jacobian(flux, x)
        along.append(torch.stack([second[0][:, i], second[1][:, i]], 1))
    source = torch.exp(-(x**2).sum(1, keepdim=True) / 2e-4) / (2e-4 * math.pi)
    residual = along[0] + along[1] + product(pair(400 * e[:, 0] * e[:, 1]), y) - source
    return torch.where(source > 1e-5, residual.abs() * len(x) / 1e3, residual.abs()).sum()


def wave_loss(x, y):
    du = torch.autograd.grad(y, x, torch.ones_like(y), create_graph=True)[0]
    second = [row[:, i] for i, row in enumerate(rows_of_jacobian(du, x))]
    pulse = 0.02 * torch.exp(-(x[:, 1:]**2).sum(1) / 1e-3)
    initial = torch.arange(len(x)) >= len(x) - 2000
    zero = torch.zeros_like(pulse)
    return ((second[0] - second[1] - second[2]).abs().sum()
            + torch.where(initial, (y[:, 0] - pulse).abs(), zero).sum() * len(x) / 10
            + torch.where(initial, du[:, 0].abs(), zero).sum() * len(x) / 100)


def loss_of(kind, network, x, target):
    if kind == "value":
        return ((network(x) - target) ** 2).mean()
    x = x.clone().requires_grad_(True)
    y = network(x)
    if kind == "helmholtz":
        return helmholtz_loss(x, y)
    if kind == "wave":
        return wave_loss(x, y)
    if kind == "sdf":
        return sdf_loss(x, y, target)
    first = torch.autograd.grad(y, x, torch.ones_like(y), create_graph=True)[0]
    if kind == "gradient":
        return ((first - target) ** 2).sum(1).mean()
    laplacian = sum(
        torch.autograd.grad(first[:, i], x, torch.ones_like(first[:, i]),
                            create_graph=True)[0][:, i]
        for i in range(x.shape[1])
    )
    return ((laplacian[:, None] - target) ** 2).mean()


def main():
    kind = sys.argv[1] if len(sys.argv) > 1 else "value"
    given = sys.argv[2:]
    width, samples, steps = (int(a) for a in (given + [256, 65536, 5][len(given):])[:3])
    torch.manual_seed(0)
    inputs = 3 if kind in ("sdf", "wave") else 2
    network = siren(inputs, 2 if kind == "helmholtz" else 1, width, 3)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-4)
    x = torch.rand(samples, inputs) * 2 - 1
    target = torch.rand(samples, 3 if kind == "sdf" else 1)
    times = []
    for _ in range(steps + 1):
        begin = time.perf_counter()
        optimizer.zero_grad()
        loss_of(kind, network, x, target).backward()
        optimizer.step()
        times.append(time.perf_counter() - begin)
    median = sorted(times[1:])[len(times[1:]) // 2]
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{kind} width {width} samples {samples}: {1e3 * median:.1f} ms a step, {memory:.0f} MB")


if __name__ == "__main__":
    main()
