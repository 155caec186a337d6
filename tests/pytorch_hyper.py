#!/usr/bin/env python3
"""Times one training step of the hypernetwork (paper.md 8.2, 8.3) in PyTorch.

The rival of `siren bench`'s rows hyper_set and hyper_conv; environment as in pytorch_step.py:
    tests/pytorch_hyper.py [set|conv] [IMAGES] [SIDE] [CHANNELS] [STEPS]
"""
import math
import resource
import sys
import time

import torch
from torch import nn


class Sine(nn.Module):
    def forward(self, x):
        return torch.sin(30 * x)


def layers(sizes, activation, last):
    modules = []
    for n, m in zip(sizes, sizes[1:]):
        modules += [nn.Linear(n, m), activation()]
    return nn.Sequential(*(modules if last else modules[:-1]))


class Residual(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.inner = nn.Sequential(nn.Conv2d(width, width, 5, padding=2), nn.ReLU(),
                                   nn.Conv2d(width, width, 5, padding=2), nn.ReLU())

    def forward(self, x):
        return torch.relu(self.inner(x) + x)


class ConvEncoder(nn.Module):
    def __init__(self, channels, pixels):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, 128, 3, padding=1), nn.ReLU(), nn.Conv2d(128, 256, 3, padding=1),
            nn.ReLU(), *[Residual(256) for _ in range(4)], nn.Conv2d(256, 256, 1), nn.ReLU())
        self.last = nn.Linear(pixels, 1)

    def forward(self, images):
        return self.last(self.body(images).flatten(2))[:, :, 0]


class SetEncoder(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.body = layers([2 + channels, 256, 256, 256, 256], Sine, True)
        for module in self.body:
            if isinstance(module, nn.Linear):
                bound = math.sqrt(6 / module.in_features) / 30
                nn.init.uniform_(module.weight, -bound, bound)

    def forward(self, pixels, mask):
        values = self.body(pixels) * mask[:, :, None]
        return values.sum(1) / mask.sum(1, keepdim=True)


def main():
    kind = sys.argv[1] if len(sys.argv) > 1 else "set"
    images, side, channels, steps = (
        int(a) for a in (sys.argv[2:] + ["25", "32", "3", "5"][len(sys.argv[2:]):])[:4])
    torch.manual_seed(0)
    shapes = [(256, 2), (256,)] + [(256, 256), (256,)] * 3 + [(channels, 256), (channels,)]
    parts = nn.ModuleList(layers([256, 256, 256, math.prod(s)], nn.ReLU, False) for s in shapes)
    for part in parts:
        part[-1].weight.data /= 100
    pixels = side * side
    encoder = ConvEncoder(channels, pixels) if kind == "conv" else SetEncoder(channels)
    parameters = [*encoder.parameters(), *parts.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=5e-5)
    grid = torch.stack(torch.meshgrid(*[torch.linspace(-1, 1, side)] * 2, indexing="ij"), -1)
    grid = grid.reshape(1, pixels, 2).expand(images, -1, -1)
    target = torch.rand(images, pixels, channels) * 2 - 1
    times = []
    for _ in range(steps + 1):
        begin = time.perf_counter()
        if kind == "conv":
            mask = (torch.rand(images, pixels) < 0.1).float()
            code = encoder((target * mask[:, :, None]).transpose(1, 2).reshape(
                images, channels, side, side))
        else: # as the released code: 200 pixels, of which a random number counts
            mask = (torch.arange(200)[None] < torch.randint(10, 200, (images, 1))).float()
            code = encoder(torch.cat([grid, target], 2)[:, :200], mask)
        weights = [part(code).reshape(images, *s) for part, s in zip(parts, shapes)]
        h = grid
        for k in range(0, len(shapes), 2):
            h = torch.bmm(h, weights[k].transpose(1, 2)) + weights[k + 1][:, None]
            if k < len(shapes) - 2:
                h = torch.sin(30 * h)
        squares = sum((w ** 2).sum() for w in weights) / sum(w.numel() for w in weights)
        loss = ((h - target) ** 2).mean() + 0.1 * (code ** 2).mean() + 100 * squares
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1)
        optimizer.step()
        times.append(time.perf_counter() - begin)
    median = sorted(times[1:])[len(times[1:]) // 2]
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{kind} encoder, {images} images of {side} x {side} x {channels}: "
          f"{1e3 * median:.1f} ms a step, {memory:.0f} MB")


if __name__ == "__main__":
    main()
