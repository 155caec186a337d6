#!/usr/bin/python3
"""Writes encoders.h5, what the convolutional encoders of hyper/ are compared with: codes of images
and parameter gradients, in float64. Convolutions are sums over shifted images here, checked against
plain loops; derivatives come from reverse-mode differentiation (autodiff.py) and are checked by
differences before anything is written. Needs python3-numpy and python3-h5py.

Layout: cases/NAME with attributes encoder, images, rows, columns, channels, width, layers, and
    pixels      float32 [images][rows * columns][channels]
    known       [images][rows * columns] 1 or 0
    theta/      tensors by name, float32: convolutions [out][kernel][kernel][in]
    code        [images][width]
    code_bar    float32 [images][width]
    gradient/   of sum code_bar . code, by the tensors' names
"""
import numpy as np

import autodiff as ad
from reference import check_gradient, close, golden_file, store, subgroup

EPSILON = 1e-5
MARGIN = 1e-4  # what a ReLU reads stays this far from 0


class Model:
    """Tensors by name, drawn when they are first asked for; then a pass over the images."""

    def __init__(self, case, rng):
        self.case, self.rng, self.tensors, self.vars, self.least = case, rng, {}, None, np.inf
        n, h, w, c = (case[k] for k in ("images", "rows", "columns", "channels"))
        self.pixels = np.float32(rng.uniform(-1, 1, (n, h, w, c)))
        self.known = case["known"](rng, (n, h, w)).astype(np.int8)

    def tensor(self, name, shape, low, high):
        if self.vars is None and name not in self.tensors:
            self.tensors[name] = np.float32(self.rng.uniform(low, high, shape)).astype(float)
        return ad.Var(self.tensors[name]) if self.vars is None else self.vars[name]

    def relu(self, u):
        self.least = min(self.least, np.abs(u.value).min())
        return ad.where(u.value > 0, u, 0.0)

    def convolution(self, x, index, kernel, out, biased):
        bound = 1 / np.sqrt(kernel**2 * x.shape[3])
        weight = self.tensor(f"conv{index}/weight", (out, kernel, kernel, x.shape[3]), -bound,
                             bound)
        y = convolve(x, weight)
        check_convolution(x.value, weight.value, y.value)
        return y + self.tensor(f"conv{index}/bias", (out,), -bound, bound) if biased else y

    def norm(self, x, index):
        channels, axes = (x.shape[3],), (0, 1, 2)
        n = float(np.prod(x.shape[:3]))
        centred = x - ad.total(x, axes, keep=True) * (1 / n)
        variance = ad.total(centred * centred, axes, keep=True) * (1 / n)
        inverse = ad.exp(-0.5 * ad.log(variance + EPSILON))
        return (centred * inverse * self.tensor(f"norm{index}/scale", channels, 0.5, 1.5) +
                self.tensor(f"norm{index}/shift", channels, -0.5, 0.5))

    def pool(self, x):
        n, h, w, c = x.shape
        bound = 1 / np.sqrt(h * w)
        weight = self.tensor("pool/weight", (1, h, w, 1), -bound, bound)
        return (ad.total(x * weight, (1, 2)) + self.tensor("pool/bias", (1, 1), -bound, bound))

    def run(self, variables=None):
        self.vars = variables
        x = ad.Var(np.where(self.known[..., None] == 1, self.pixels.astype(float), 0.0))
        return ENCODERS[self.case["encoder"]](self, x)


def convolve(x, weight):
    (n, h, w, c), (out, k) = x.shape, weight.shape[:2]
    p = k // 2
    around = ad.scatter(x, np.s_[:, p:p + h, p:p + w], (n, h + 2 * p, w + 2 * p, c))
    y = 0.0
    for i in range(k):
        for j in range(k):
            shifted = ad.reshape(around[:, i:i + h, j:j + w], (n * h * w, c))
            y = shifted @ weight[:, i, j].T + y
    return ad.reshape(y, (n, h, w, out))


def check_convolution(x, weight, y):
    """At a few places, by its definition."""
    (n, h, w, c), (out, k) = x.shape, weight.shape[:2]
    for image, row, column in ((0, 0, 0), (n - 1, h - 1, w - 1), (0, h // 2, 1), (n - 1, 1, w - 2)):
        direct = np.zeros(out)
        for i in range(k):
            for j in range(k):
                a, b = row + i - k // 2, column + j - k // 2
                if 0 <= a < h and 0 <= b < w:
                    direct += weight[:, i, j] @ x[image, a, b]
        assert np.allclose(direct, y[image, row, column], rtol=1e-12, atol=1e-13)


def plain(model, x):
    width, layers = model.case["width"], model.case["layers"]
    x = model.relu(model.convolution(x, 0, 3, width // 2, True))
    x = model.relu(model.convolution(x, 1, 3, width, True))
    for block in range(layers):
        y = model.relu(model.convolution(x, 2 + 2 * block, 5, width, True))
        x = x + model.relu(model.convolution(y, 3 + 2 * block, 5, width, True))
    return model.pool(model.relu(model.convolution(x, 2 + 2 * layers, 1, width, True)))


def windows(mask):
    """Sums over 3 x 3, by loops."""
    sums = np.zeros(mask.shape)
    n, h, w = mask.shape
    for image in range(n):
        for row in range(h):
            for column in range(w):
                sums[image, row, column] = mask[image, max(row - 1, 0):row + 2,
                                                max(column - 1, 0):column + 2].sum()
    return sums


def partial(model, x, official=False):
    width, layers = model.case["width"], model.case["layers"]
    mask = model.known.astype(float)
    if official:
        mask = mask * (model.pixels[..., 0] > 0)

    def layer(x, index):
        nonlocal mask
        sums = windows(mask)
        factor = np.where(sums > 0, 9 / np.maximum(sums, 1), 0.0)
        y = model.convolution(x * mask[..., None], index, 3, width, False) * factor[..., None]
        mask = np.ones(mask.shape) if official else (sums > 0).astype(float)
        return model.norm(y, index)

    x = model.relu(layer(x, 0))
    for block in range(layers):
        y = model.relu(layer(x, 1 + 2 * block))
        x = model.relu(layer(y, 2 + 2 * block) + x)
    return model.pool(x)


ENCODERS = {"conv": plain, "partial_conv": partial,
            "partial_conv_official": lambda model, x: partial(model, x, official=True)}


def some(rng, shape):
    return rng.uniform(size=shape) < 0.4


def one(rng, shape):
    """One pixel of each image, another one each."""
    known = np.zeros(shape)
    for image in range(shape[0]):
        known[image, (2 + 3 * image) % shape[1], image % shape[2]] = 1
    return known


def all_known(rng, shape):
    return np.ones(shape)


def case(encoder, known, images=2, rows=6, columns=5, channels=2, width=4, layers=2):
    return dict(encoder=encoder, known=known, images=images, rows=rows, columns=columns,
                channels=channels, width=width, layers=layers)


CASES = {
    "conv": case("conv", some),
    "conv_wide": case("conv", all_known, images=1, rows=4, columns=9, channels=3, width=6,
                      layers=1),
    "conv_small": case("conv", one, images=3, rows=3, columns=3, channels=1, width=2, layers=0),
    "partial": case("partial_conv", some),
    "partial_known": case("partial_conv", all_known, rows=5, columns=7, channels=3, layers=1),
    "partial_one": case("partial_conv", one, rows=7, columns=6),
    "official": case("partial_conv_official", some),
}


def store_tensors(group, tensors, dtype):
    groups = {}
    for name, value in tensors.items():
        layer, kind = name.split("/")
        if layer not in groups:
            groups[layer] = subgroup(group, layer)
        store(groups[layer], kind, value, dtype)


def draw(name, settings):
    """The first model none of whose ReLUs reads a number near 0."""
    for attempt in range(1000):
        model = Model(settings, np.random.default_rng(list(f"{name}{attempt}".encode())))
        code = model.run()
        if model.least > MARGIN:
            return model, code
    raise AssertionError(f"{name}: numbers near 0")


class Tensors:
    def __init__(self, tensors):
        self.tensors = tensors


def write_case(file, name, settings):
    model, code = draw(name, settings)
    rng = np.random.default_rng(list(name.encode()))
    code_bar = np.float32(rng.uniform(-1, 1, code.shape))
    names = list(model.tensors)

    def loss(values):
        variables = [ad.Var(v) for v in values]
        return ad.total(model.run(dict(zip(names, variables))) * code_bar.astype(float)), variables

    values = [model.tensors[n] for n in names]
    scalar, variables = loss(values)
    gradient = [g.value for g in ad.gradient(scalar, variables)]
    for _ in range(3):
        check_gradient(name, Tensors(values), rng, gradient, lambda v: float(loss(v)[0].value), 1e-7)
    close(model.run().value, code.value, 1e-15, name)
    group = subgroup(file["cases"], name)
    group.attrs["encoder"] = np.bytes_(settings["encoder"])
    for key in ("images", "rows", "columns", "channels", "width", "layers"):
        group.attrs[key] = settings[key]
    store(group, "pixels", model.pixels, np.float32)
    store(group, "known", model.known, np.int8)
    store(group, "code", code.value, np.float64)
    store(group, "code_bar", code_bar, np.float32)
    store_tensors(subgroup(group, "theta"), model.tensors, np.float32)
    store_tensors(subgroup(group, "gradient"), dict(zip(names, gradient)), np.float64)
    print(f"{name}: {sum(v.size for v in values)} parameters")


def main():
    with golden_file("encoders.h5") as file:
        subgroup(file, "cases")
        for name, settings in CASES.items():
            write_case(file, name, settings)


if __name__ == "__main__":
    main()
