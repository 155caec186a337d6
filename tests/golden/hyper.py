#!/usr/bin/python3
"""Writes hyper.h5, what hyper/ is compared with: codes, generated weights, loss terms and parameter
gradients of small models that learn spaces of images, in float64. Written from the formulas of the
paper (paper.md section 8) as the headers of hyper/ tell them; derivatives come from reverse-mode
differentiation (autodiff.py) and are checked by differences before anything is written. Needs
python3-numpy and python3-h5py.

Layout:
    cases/NAME           attributes encoder, generator, rows, columns, channels, images, code, width,
                         layers (of the encoder), generator_width, generator_layers, code_weight,
                         weights_weight; of the generated network: network/ as in a run file (its
                         spec only)
        pixels           float32 [images][rows * columns][channels]; known [images][rows * columns]
        theta            float32, all tensors (attribute tensors: their names, as in a run file's
                         group /hyper, separated by spaces)
        float/, double/  for coordinates in this precision, and stored in it
            code         [images][code]
            weights      [images][n]: all tensors of each generated network, layer0/weight,
                         layer0/bias, layer1/weight, ...
            values       [images][rows * columns][channels]: what these networks render
            terms        pixels, code, weights: not weighted
            gradient     of the loss, with respect to theta
"""
import numpy as np

import autodiff as ad
from reference import ACTIVATIONS, Network, check_gradient, flat, golden_file, store, subgroup

MARGIN = 1e-4  # pre-activations of ReLU stay this far from 0


class Model:
    """Tensors by name, drawn one after the other, and what is computed of them."""

    def __init__(self, rng, case):
        self.rng, self.case = rng, case
        self.names, self.tensors = [], []
        self.hypo = Network(rng, 2, case["channels"], 7, 1, case["activation"])
        for t in self.hypo.tensors[:2]:  # phases that float32 can tell apart
            t *= 0.25
        self.layers = case["layers"] + 2
        n = 2 + case["channels"]
        for k in range(self.layers):
            out = case["code"] if k == self.layers - 1 else case["width"]
            self.add_dense(f"encoder/layer{k}", n, out, case["encoder"] == "set")
            n = out
        {"hypernetwork": self.add_hypernetwork, "cnp": self.add_decoder}[case["generator"]]()

    def add(self, name, values):
        self.names.append(name)
        self.tensors.append(np.float32(values).astype(np.float64))

    def add_dense(self, name, n, out, sine):
        bound = np.sqrt(6 / n) / 30
        self.add(f"{name}/weight", self.rng.uniform(-bound, bound, (out, n)) if sine else
                 self.rng.normal(0, np.sqrt(2 / n), (out, n)))
        self.add(f"{name}/bias", self.rng.uniform(-1, 1, out) / np.sqrt(n) / (4 if sine else 1))

    def add_hypernetwork(self):
        """For each tensor of the network layers of ReLU, and a last one without."""
        case = self.case
        for k, target in enumerate(self.hypo.tensors):
            n = case["code"]
            for l in range(case["generator_layers"]):
                self.add_dense(f"hyper{k}/layer{l}", n, case["generator_width"], False)
                n = case["generator_width"]
            self.add(f"hyper{k}/last/weight", self.rng.normal(0, 0.01, (target.size, n)))
            self.add(f"hyper{k}/last/bias", target.ravel())

    def add_decoder(self):
        for k, target in enumerate(self.hypo.tensors):
            self.add(f"decoder/layer{k // 2}/{('weight', 'bias')[k % 2]}", target)
        self.add("decoder/code/weight", self.rng.normal(0, 0.05, (7, self.case["code"])))

    # ---- From images to the loss ----

    def dense(self, at, name, x, activation, omega):
        u = omega * (x @ at[f"{name}/weight"].T + at[f"{name}/bias"])
        if activation == "relu":
            self.nearest = min(self.nearest, np.abs(u.value).min())
        return ACTIVATIONS[activation][0](u)

    def encode(self, at, grid, pixels, known):
        """The mean over the known pixels of a network of (row, column, value)."""
        h = ad.Var(np.concatenate([grid, pixels], axis=1)[known])
        activation, omega = ("sine", 30.0) if self.case["encoder"] == "set" else ("relu", 1.0)
        for k in range(self.layers):
            h = self.dense(at, f"encoder/layer{k}", h, activation, omega)
        return ad.total(h, (0,), keep=True) * (1 / known.sum())

    def generate(self, at, code):
        made = []
        for k, target in enumerate(self.hypo.tensors):
            if self.case["generator"] == "cnp":  # W (x, z) + b = W_x x + (W_z z + b)
                tensor = at[f"decoder/layer{k // 2}/{('weight', 'bias')[k % 2]}"]
                if k == 1:
                    tensor = tensor + ad.reshape(code @ at["decoder/code/weight"].T, (7,))
                made.append(tensor)
                continue
            h = code
            for l in range(self.case["generator_layers"]):
                h = self.dense(at, f"hyper{k}/layer{l}", h, "relu", 1.0)
            last = h @ at[f"hyper{k}/last/weight"].T + at[f"hyper{k}/last/bias"]
            made.append(ad.reshape(last, target.shape))
        return made

    def run(self, tensors, grid, pixels, known):
        """The three terms, codes, weights and values."""
        at = dict(zip(self.names, tensors))
        self.nearest = np.inf
        images, n = len(pixels), sum(t.size for t in self.hypo.tensors)
        terms, codes, weights, values = [0.0, 0.0, 0.0], [], [], []
        for image, mask in zip(pixels, known):
            code = self.encode(at, grid, image, mask)
            made = self.generate(at, code)
            y, nearest = self.hypo.forward(ad.Var(grid), made)
            if self.case["activation"] == "relu":
                self.nearest = min(self.nearest, nearest.min())
            difference = y - image
            terms[0] = terms[0] + ad.total(difference * difference) * (1 / image.size / images)
            terms[1] = terms[1] + ad.total(code * code) * (1 / code.value.size / images)
            for t in made:
                terms[2] = terms[2] + ad.total(t * t) * (1 / n / images)
            codes.append(code.value[0])
            weights.append(flat([t.value for t in made]))
            values.append(y.value)
        return terms, codes, weights, values

    def loss(self, terms):
        return (terms[0] + terms[1] * self.case["code_weight"] +
                terms[2] * self.case["weights_weight"])


def axis(n):
    return np.linspace(-1, 1, n) if n > 1 else np.zeros(1)


def coordinates(rows, columns):
    return np.stack(np.meshgrid(axis(rows), axis(columns), indexing="ij"), -1).reshape(-1, 2)


def masks(rng, images, pixels):
    """Of one pixel, of all, of some."""
    known = np.zeros((images, pixels), bool)
    for i in range(images):
        count = (1, pixels, pixels // 3, pixels // 2)[i % 4]
        known[i, rng.permutation(pixels)[:count]] = True
    return known


def write_precision(group, name, model, real, pixels, known):
    case = model.case
    grid = coordinates(case["rows"], case["columns"]).astype(real).astype(np.float64)
    tensors = [ad.Var(t) for t in model.tensors]
    terms, codes, weights, values = model.run(tensors, grid, pixels, known)
    loss = model.loss(terms)
    gradient = [g.value for g in ad.gradient(loss, tensors)]
    check_gradient(name, model, np.random.default_rng(1), gradient, lambda ts: float(
        model.loss(model.run([ad.Var(t) for t in ts], grid, pixels, known)[0]).value), 1e-7)
    store(group, "terms", [t.value for t in terms], np.float64)
    for key, value in (("code", codes), ("weights", weights), ("values", values),
                       ("gradient", flat(gradient))):
        store(group, key, value, real)
    return loss.value


def write_case(file, name, changes):
    case = dict(COMMON, **changes)
    for attempt in range(100):  # until no ReLU is near its kink
        rng = np.random.default_rng(list(name.encode()) + [attempt])
        model = Model(rng, case)
        n = case["rows"] * case["columns"]
        shape = (case["images"], n, case["channels"])
        pixels = np.float32(rng.uniform(-1, 1, shape)).astype(np.float64)
        known = masks(rng, case["images"], n)
        grid = coordinates(case["rows"], case["columns"])
        model.run([ad.Var(t) for t in model.tensors], grid, pixels, known)
        if model.nearest > MARGIN:
            break
    assert model.nearest > MARGIN
    group = subgroup(file["cases"], name)
    for key, value in case.items():
        if key != "activation":
            group.attrs[key] = np.bytes_(value) if isinstance(value, str) else value
    network = subgroup(group, "network")
    for key, value in model.hypo.spec.items():
        network.attrs[key] = np.bytes_(value) if isinstance(value, str) else value
    store(group, "pixels", pixels, np.float32)
    store(group, "known", known, np.uint8)
    store(group, "theta", flat(model.tensors), np.float32)
    group["theta"].attrs["tensors"] = np.bytes_(" ".join(model.names))
    for precision, real in (("float", np.float32), ("double", np.float64)):
        loss = write_precision(subgroup(group, precision), name, model, real, pixels, known)
    print(f"{name}: loss {loss:.6g}")


COMMON = dict(encoder="set", generator="hypernetwork", rows=5, columns=4, channels=1, images=3,
              code=6, width=5, layers=1, generator_width=5, generator_layers=1, code_weight=0.1,
              weights_weight=100.0, activation="sine")
CASES = {
    "set": dict(),
    "set_relu": dict(encoder="set_relu", channels=3),
    "two_channels": dict(channels=2, layers=0, images=4),
    "two_layers": dict(generator_layers=2, generator_width=4, layers=2, width=3),
    "relu_two_layers": dict(encoder="set_relu", generator_layers=2, channels=3, rows=1, columns=9),
    "eleven_images": dict(encoder="set_relu", images=11, rows=3, columns=3, code=17,
                          generator_width=8),
    "cnp": dict(generator="cnp", channels=3, weights_weight=2.0),
    "cnp_relu": dict(generator="cnp", encoder="set_relu", activation="relu", code_weight=0.0,
                     weights_weight=0.0),
}


def main():
    with golden_file("hyper.h5") as file:
        subgroup(file, "cases")
        for name, changes in CASES.items():
            write_case(file, name, changes)


if __name__ == "__main__":
    main()
