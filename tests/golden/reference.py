#!/usr/bin/python3
"""Writes golden.h5, what core/ is compared with: values, derivatives, parameter gradients and ten
Adam steps of small networks, in float64. Nothing here knows the formulas of core/: derivatives come
from nested reverse-mode differentiation (autodiff.py), and every case is checked by complex steps
and finite differences before it is written. Needs python3-numpy and python3-h5py.

Layout, for every case:
    network/                     as in a run file (weights float32); encoding/centres, sigmas
    x, operator_weights          float32 [n][in]
    jet/QUANTITY, target/...     [streams][n][out]: value, gradient, second (d2/dx_i dx_j, i <= j:
                                 00 01 .. 11 12 ..), laplacian, operator (sum_k weights_k d_kk)
    loss/QUANTITY                gradient with respect to all tensors, in the order layer0/weight,
                                 layer0/bias, layer1/weight, ..., encoding/centres, encoding/sigmas,
                                 of: sum over streams, mean over n and out, of (jet - target)^2;
                                 attribute: the loss
    adam/NAME: network/, x, target [streams][n][out], attributes quantity, lr; losses [10] before
                                 each step; final: all tensors after the tenth, in the same order
"""
import contextlib
import os

import h5py
import numpy as np

import autodiff as ad

PI = np.pi
SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772


def elu(u, alpha):
    positive = u.value > 0
    return ad.where(positive, u, alpha * (ad.exp(ad.where(positive, 0.0, u)) - 1.0))


def tanh(u):
    return 1.0 - 2.0 / (1.0 + ad.exp(2.0 * u))


ad.Var.__rtruediv__ = lambda self, other: ad.lift(other) / self

# name: (function of a Var, the same in plain complex NumPy, has omega, has kinks)
ACTIVATIONS = {
    "sine": (ad.sin, np.sin, True, False),
    "relu": (lambda u: ad.where(u.value > 0, u, 0.0),
             lambda u: np.where(u.real > 0, u, 0), False, True),
    "tanh": (tanh, np.tanh, False, False),
    "sigmoid": (lambda u: 1.0 / (1.0 + ad.exp(-u)), lambda u: 1 / (1 + np.exp(-u)), False, False),
    "softplus": (lambda u: ad.log(1.0 + ad.exp(u)), lambda u: np.log(1 + np.exp(u)), False, False),
    "elu": (lambda u: elu(u, 1.0), lambda u: np.where(u.real > 0, u, np.exp(u) - 1), False, True),
    "selu": (lambda u: SELU_SCALE * elu(u, SELU_ALPHA),
             lambda u: SELU_SCALE * np.where(u.real > 0, u, SELU_ALPHA * (np.exp(u) - 1)),
             False, True),
    "gaussian": (lambda u: ad.exp(-0.5 * u * u), lambda u: np.exp(-u * u / 2), True, False),
    "linear": (lambda u: u, lambda u: u, False, False),
}
QUANTITIES = ("value", "gradient", "second", "laplacian", "operator")
MARGIN = 0.01  # pre-activations of a kinked activation stay this far from 0


class Network:
    def __init__(self, rng, inputs, out, width, layers, activation, encoding="none",
                 omega=(30.0, 30.0), frequencies=3, centres=6, quantum=None):
        self.spec = dict(out=out, width=width, layers=layers, activation=activation,
                         encoding=encoding, omega_first=omega[0], omega_hidden=omega[1],
                         frequencies=frequencies, centres=centres, **{"in": inputs})
        self.activation = ACTIVATIONS[activation]
        self.encoding = []
        features = inputs
        if encoding == "positional":
            features = inputs + 2 * inputs * frequencies
        if encoding == "rbf":
            features = centres
            self.encoding = [rng.uniform(-1, 1, (centres, inputs)),
                             rng.uniform(1.0, 1.8, (centres, 1))]
        sizes = [features] + [width] * (layers + 1) + [out]
        first, hidden = omega if self.activation[2] else (1.0, 1.0)
        self.omegas = [first] + [hidden] * layers
        self.layers = []
        for k, (n, m) in enumerate(zip(sizes[:-1], sizes[1:])):
            last = k == len(sizes) - 2
            w, b = self.draw(rng, n, m, 1.0 if last else self.omegas[k], k == 0)
            if quantum:
                w = np.round(w / quantum) * quantum
            self.layers += [w, b]
        self.tensors = [np.float32(t).astype(np.float64) for t in self.layers + self.encoding]

    def draw(self, rng, n, m, omega, first):
        if self.spec["activation"] == "sine":
            bound = 1 / n if first else np.sqrt(6 / n) / omega
            b = rng.uniform(-1, 1, m) / np.sqrt(n)
            return rng.uniform(-bound, bound, (m, n)), b
        scale = 1.5 if first else 1.2
        return rng.normal(0, scale / np.sqrt(n), (m, n)), rng.uniform(-0.4, 0.4, m)

    def encode(self, x, tensors, sin, cos, exp, concatenate):
        inputs = self.spec["in"]
        if self.spec["encoding"] == "positional":
            parts = [x]
            for i in range(self.spec["frequencies"]):
                for j in range(inputs):
                    u = x[:, j:j + 1] * (2.0**i * PI)
                    parts += [sin(u), cos(u)]
            return concatenate(parts)
        if self.spec["encoding"] == "rbf":
            centres, sigmas = tensors[-2:]
            square = 0.0
            for j in range(inputs):
                d = x[:, j:j + 1] - centres[:, j:j + 1].T
                square = square + d * d
            v = sigmas.T * square
            return exp(-(v * v))
        return x

    def forward(self, x, tensors):
        """A Var [n][out], and the smallest |pre-activation| of every row."""
        h = self.encode(x, tensors, ad.sin, ad.cos, ad.exp, ad.concatenate)
        nearest = np.full(x.shape[0], np.inf)
        for k, omega in enumerate(self.omegas):
            u = omega * (h @ tensors[2 * k].T + tensors[2 * k + 1])
            nearest = np.minimum(nearest, np.abs(u.value).min(axis=1))
            h = self.activation[0](u)
        k = len(self.omegas)
        return h @ tensors[2 * k].T + tensors[2 * k + 1], nearest

    def plain(self, x, tensors):
        """The network once more, without differentiation, for complex numbers."""
        h = self.encode(x, tensors, np.sin, np.cos, np.exp,
                        lambda parts: np.concatenate(parts, axis=1))
        for k, omega in enumerate(self.omegas):
            h = self.activation[1](omega * (h @ tensors[2 * k].T + tensors[2 * k + 1]))
        k = len(self.omegas)
        return h @ tensors[2 * k].T + tensors[2 * k + 1]

    def points(self, rng, n):
        """n float32 points of [-1, 1]^in, away from kinks."""
        rows = []
        while len(rows) < n:
            x = np.float32(rng.uniform(-1, 1, (1, self.spec["in"]))).astype(np.float64)
            _, nearest = self.forward(ad.Var(x), [ad.Var(t) for t in self.tensors])
            if not self.activation[3] or nearest[0] > MARGIN:
                rows.append(x[0])
        return np.array(rows)


def jets(network, x, tensors, operator_weights, wanted=QUANTITIES):
    """Vars by quantity: a list of streams, each a list of [n] channels."""
    x = ad.Var(x)
    y, _ = network.forward(x, tensors)
    d, out = x.shape[1], y.shape[1]
    pairs = [(i, j) for i in range(d) for j in range(i, d)]
    jet = {"value": [[y[:, c] for c in range(out)]]}
    if wanted == ("value",):
        return jet
    first = [ad.gradient(ad.total(y[:, c]), [x])[0] for c in range(out)]
    jet["gradient"] = [[g[:, i] for g in first] for i in range(d)]
    if wanted == ("gradient",):
        return jet
    rows = [[ad.gradient(ad.total(g[:, i]), [x])[0] for g in first] for i in range(d)]
    jet["second"] = [[rows[i][c][:, j] for c in range(out)] for i, j in pairs]
    for name, w in (("laplacian", np.ones(x.shape)), ("operator", operator_weights)):
        jet[name] = [[sum(w[:, i] * rows[i][c][:, i] for i in range(d)) for c in range(out)]]
    return jet


def numbers(streams):
    values = np.array([[channel.value for channel in stream] for stream in streams])
    return values.transpose(0, 2, 1)


def loss_of(streams, target):
    """Sum over streams, mean over rows and channels, of the squared differences."""
    _, n, out = target.shape
    loss = 0.0
    for stream, wanted in zip(streams, target):
        for c, channel in enumerate(stream):
            difference = channel - wanted[:, c]
            loss = loss + ad.total(difference * difference)
    return loss * (1.0 / (n * out))


def close(a, b, tolerance, what):
    error, scale = np.abs(a - b).max(), np.abs(b).max()
    assert error <= tolerance * scale, f"{what}: differs by {error:.1e} of {scale:.1e}"


def check_case(name, network, x, jet, operator_weights):
    """Values and first derivatives by complex steps, second ones by differences of those."""
    d, h, e = x.shape[1], 1e-30, 1e-5
    plain = lambda z: network.plain(z, network.tensors)
    step = lambda z, i: plain(z + 1j * h * np.eye(d)[i]).imag / h
    close(jet["value"][0], plain(x.astype(complex)).real, 1e-12, f"{name}: value")
    first = np.array([step(x, i) for i in range(d)])
    close(jet["gradient"], first, 1e-11, f"{name}: gradient")
    hessian = np.array([[(step(x + e * np.eye(d)[j], i) - step(x - e * np.eye(d)[j], i)) / (2 * e)
                         for j in range(d)] for i in range(d)])
    steepness = max(np.abs(hessian).max(), np.abs(first).max())
    second = np.array([hessian[i, j] for i in range(d) for j in range(i, d)])
    assert np.abs(jet["second"] - second).max() < 1e-6 * steepness, f"{name}: second"
    diagonal = np.array([hessian[i, i] for i in range(d)])
    for key, w in (("laplacian", np.ones(x.shape)), ("operator", operator_weights)):
        wanted = np.einsum("inc,ni->nc", diagonal, w)
        assert np.abs(jet[key][0] - wanted).max() < 1e-6 * d * steepness, f"{name}: {key}"


def check_gradient(name, network, rng, gradient, loss, e=1e-6):
    """The loss's derivative along one random direction by central differences."""
    direction = [rng.normal(size=t.shape) * max(np.abs(t).max(), 0.1) for t in network.tensors]
    sides = [loss([t + s * e * v for t, v in zip(network.tensors, direction)]) for s in (1, -1)]
    along = sum((g * v).sum() for g, v in zip(gradient, direction))
    size = np.sqrt(sum(((g * v)**2).sum() for g, v in zip(gradient, direction)))
    error = abs((sides[0] - sides[1]) / (2 * e) - along)
    assert error <= 1e-6 * size + 1e-9 * sides[0], f"{name}: gradient {error:.1e} of {size:.1e}"


@contextlib.contextmanager
def golden_file(name):
    """A new file beside this one, without times: the same numbers are the same bytes. Tells its
    size."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), name)
    fcpl, fapl = h5py.h5p.create(h5py.h5p.FILE_CREATE), h5py.h5p.create(h5py.h5p.FILE_ACCESS)
    fcpl.set_obj_track_times(False)
    fapl.set_libver_bounds(h5py.h5f.LIBVER_V110, h5py.h5f.LIBVER_V110)
    with h5py.File(h5py.h5f.create(path.encode(), h5py.h5f.ACC_TRUNC, fcpl, fapl)) as file:
        yield file
    print(f"{os.path.getsize(path)} bytes")


def subgroup(parent, name):
    """A new group without time stamps, so that the same numbers make the same file."""
    plist = h5py.h5p.create(h5py.h5p.GROUP_CREATE)
    plist.set_obj_track_times(False)
    return h5py.Group(h5py.h5g.create(parent.id, name.encode(), gcpl=plist))


def store(group, name, array, dtype):
    """Small arrays live inside their object header, large repetitive ones are compressed."""
    array = np.ascontiguousarray(array, dtype=dtype)
    if array.nbytes > 16000:
        group.create_dataset(name, data=array, compression="gzip", compression_opts=9, shuffle=True)
        return
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_layout(h5py.h5d.COMPACT)
    plist.set_obj_track_times(False)
    space = h5py.h5s.create_simple(array.shape)
    data = h5py.h5d.create(group.id, name.encode(), h5py.h5t.py_create(array.dtype), space, plist)
    data.write(h5py.h5s.ALL, h5py.h5s.ALL, array)


def store_network(group, network):
    for key, value in network.spec.items():
        group.attrs[key] = np.bytes_(value) if isinstance(value, str) else value
    for k in range(len(network.layers) // 2):
        layer = subgroup(group, f"layer{k}")
        store(layer, "weight", network.tensors[2 * k], np.float32)
        store(layer, "bias", network.tensors[2 * k + 1], np.float32)
    if network.encoding:
        encoding = subgroup(group, "encoding")
        store(encoding, "centres", network.tensors[-2], np.float32)
        store(encoding, "sigmas", network.tensors[-1], np.float32)


def flat(arrays):
    return np.concatenate([np.ravel(a) for a in arrays])


def write_case(file, name, n, losses=QUANTITIES, **spec):
    rng = np.random.default_rng(list(name.encode()))
    network = Network(rng, **spec)
    x = network.points(rng, n)
    weights = np.float32(rng.uniform(-2, 2, x.shape)).astype(np.float64)
    group = subgroup(file["cases"], name)
    store_network(subgroup(group, "network"), network)
    store(group, "x", x, np.float32)
    store(group, "operator_weights", weights, np.float32)

    jet = {q: numbers(s) for q, s in jets(network, x, [ad.Var(t) for t in network.tensors],
                                          weights).items()}
    check_case(name, network, x, jet, weights)
    jets_group, targets, gradients = (subgroup(group, g) for g in ("jet", "target", "loss"))
    for quantity in QUANTITIES:
        value = jet[quantity]
        spread = max(np.abs(value).max(), 0.1)
        target = np.float32(value + spread * rng.uniform(-1, 1, value.shape)).astype(np.float64)
        store(jets_group, quantity, value, np.float64)
        store(targets, quantity, target, np.float32)
        if quantity not in losses:
            continue

        def loss_at(tensors):
            return loss_of(jets(network, x, tensors, weights, (quantity,))[quantity], target)

        tensors = [ad.Var(t) for t in network.tensors]
        loss = loss_at(tensors)
        gradient = [g.value for g in ad.gradient(loss, tensors)]
        check_gradient(f"{name}: {quantity}", network, rng, gradient,
                       lambda ts: float(loss_at([ad.Var(t) for t in ts]).value))
        store(gradients, quantity, flat(gradient), np.float64)
        gradients[quantity].attrs["loss"] = float(loss.value)


def write_adam(file, name, quantity, lr, side=12, steps=10):
    """Full-batch training of a 2-24x3-1 sine network with PyTorch's Adam."""
    rng = np.random.default_rng(list(name.encode()))
    network = Network(rng, 2, 1, 24, 2, "sine")
    axis = np.linspace(-1, 1, side)
    x = np.stack(np.meshgrid(axis, axis, indexing="ij"), -1).reshape(-1, 2)
    x = np.float32(x).astype(np.float64)
    a, b = x[:, 0], x[:, 1]
    target = {"value": [np.sin(3 * a) * np.cos(2 * b) + 0.3 * a],
              "gradient": [3 * np.cos(3 * a) * np.cos(2 * b) + 0.3,
                           -2 * np.sin(3 * a) * np.sin(2 * b)],
              "laplacian": [-13 * np.sin(3 * a) * np.cos(2 * b)]}[quantity]
    target = np.float32(target).astype(np.float64)[:, :, None]
    group = subgroup(file["adam"], name)
    store_network(subgroup(group, "network"), network)
    store(group, "x", x, np.float32)
    store(group, "target", target, np.float32)
    group.attrs["quantity"], group.attrs["lr"] = np.bytes_(quantity), lr

    theta = [t.copy() for t in network.tensors]
    m = [np.zeros(t.shape) for t in theta]
    v = [np.zeros(t.shape) for t in theta]
    losses = []
    for k in range(1, steps + 1):
        tensors = [ad.Var(t) for t in theta]
        loss = loss_of(jets(network, x, tensors, np.ones(x.shape), (quantity,))[quantity], target)
        losses.append(float(loss.value))
        for i, g in enumerate(ad.gradient(loss, tensors)):
            m[i] = 0.9 * m[i] + 0.1 * g.value
            v[i] = 0.999 * v[i] + 0.001 * g.value**2
            denominator = np.sqrt(v[i]) / np.sqrt(1 - 0.999**k) + 1e-8
            theta[i] = theta[i] - lr / (1 - 0.9**k) * m[i] / denominator
    store(group, "losses", losses, np.float64)
    store(group, "final", flat(theta), np.float64)
    print(f"adam {name}: {losses[0]:.6g} -> {losses[-1]:.6g}")


def main():
    with golden_file("golden.h5") as file:
        subgroup(file, "cases"), subgroup(file, "adam")
        omegas = {"sine": (6.0, 4.0), "gaussian": (2.0, 1.5)}
        for k, activation in enumerate(ACTIVATIONS):
            for encoding in ("none", "positional", "rbf"):
                write_case(file, f"{activation}_{encoding}", 7 + k % 3, inputs=2, out=1 + k % 2,
                           width=9, layers=1, activation=activation, encoding=encoding,
                           omega=omegas.get(activation, (1.0, 1.0)))
        for inputs in (1, 2, 3, 4):
            for out in (1, 3):
                write_case(file, f"siren_{inputs}_{out}_layers0", 11, inputs=inputs, out=out,
                           width=17, layers=0, activation="sine")
        for inputs, width in ((1, 12), (2, 13), (3, 8)):
            write_case(file, f"siren_{inputs}_layers3", 9, inputs=inputs, out=3, width=width,
                       layers=3, activation="sine", omega=(30.0, 25.0))
        for encoding in ("positional", "rbf"):
            for inputs in (1, 3):
                write_case(file, f"siren_{encoding}_{inputs}", 9, inputs=inputs, out=1, width=10,
                           layers=1, activation="sine", encoding=encoding, omega=(5.0, 10.0))
        for activation in ("relu", "tanh", "softplus"):
            write_case(file, f"{activation}_3_layers3", 7, inputs=3, out=2, width=5, layers=3,
                       activation=activation)
        write_case(file, "siren_width40", 20, inputs=2, out=1, width=40, layers=1,
                   activation="sine", losses=("value", "laplacian"))
        write_case(file, "siren_width256", 17, inputs=2, out=3, width=256, layers=1,
                   activation="sine", quantum=2.0**-12, losses=("second",))
        write_case(file, "siren_width530", 5, inputs=2, out=1, width=530, layers=0,
                   activation="sine", losses=("second",))
        write_adam(file, "image_slow", "value", 1e-4)
        write_adam(file, "image_fast", "value", 1e-3)
        write_adam(file, "from_gradient", "gradient", 1e-4)
        write_adam(file, "from_laplacian", "laplacian", 1e-4)
        print(f"{len(file['cases'])} cases")


if __name__ == "__main__":
    main()
