#!/usr/bin/python3
"""Writes waves.h5, what the equations of waves are compared with: points, residuals, losses and
parameter gradients of small networks, in float64, for the experiments helmholtz, fwi and wave.
Written from the paper's formulas; derivatives, those of the absorbing layer included, come from
nested reverse-mode differentiation (autodiff.py), and are checked by complex steps and differences
before anything is written. Points are drawn here as the experiments say that they draw them, from
NumPy's Philox. Needs python3-numpy and python3-h5py.

Layout:
    velocity             float32 [5][7], a medium; source, receivers, rec_val: data for fwi
    cases/NAME           attributes experiment, overrides (options, separated by spaces; data.file
                         is this file) and step
        network/         as in a run file (weights float32)
        float/, double/  for points in this precision, and stored in it
            x            [n][in]
            row_terms    [terms][n]: what a point adds to every term, not weighted
            gradient     of the loss, with respect to all tensors (attribute loss: the loss),
                         layer0/weight, layer0/bias, layer1/weight, ...
            residuals    [residuals][n]: whose squares add up to the loss, root of the weight
                         included; active [residuals][n]: 0 where a point does not have it;
                         coefficients [residuals][n], and
            mixed        the gradient of the sum of coefficients * residuals (only where squares)
"""
import numpy as np

import autodiff as ad
from reference import (Network, check_gradient, close, flat, golden_file, store, store_network,
                       subgroup)

PI = np.pi
SPACE, SAMPLE = 8, 4  # purposes of random numbers
N = 200
EDGE = 0.5  # where the absorbing layer begins, and how thick it is
GRID = np.float32(1 + 0.5 * np.random.default_rng(7).uniform(-1, 1, (5, 7)))
SOURCES = np.float32([[-0.2, -0.3], [0.25, 0.1]])
RECEIVERS = np.float32([[0.1, 0.4], [-0.4, 0.0], [0.3, -0.2]])
RECEIVED = np.float32(np.random.default_rng(8).uniform(-1, 1, (3, 2, 2)))
RECEIVED[1, 0, 1] = 0  # not known: not looked at

# ---- Points ----


def random_uniform(seed, purpose, step, index, lane):
    """Random123's philox4x64-10; NumPy's steps its counter before it draws."""
    counter = (index + (step << 64) + (lane // 4 << 128) - 1) % (1 << 256)
    words = np.random.Philox(key=seed + (purpose << 64), counter=counter).random_raw(4)
    return float(int(words[lane % 4]) >> 11) / 2.0**53


def even_step(axes):
    g = 1.5
    for _ in range(200):
        g = (1 + g)**(1 / (axes + 1))
    return g


def units(case, purpose, index, axes):
    if case["points"] == "random":
        return [random_uniform(case["seed"], purpose, case["step"], index, i) for i in range(axes)]
    g = even_step(axes)
    shift = [random_uniform(case["seed"], purpose, case["step"], 0, i) for i in range(axes)]
    return [(shift[i] + index * g**-(i + 1)) % 1.0 for i in range(axes)]


def point(u, share):
    """Of [-1, 1]^2, of each of whose coordinates this share is within +-1/2."""
    x = []
    for v in u:
        v = 2 * v - 1
        t = abs(v) / share / 2 if abs(v) < share else 0.5 + (abs(v) - share) / (1 - share) / 2
        x.append(np.copysign(t, v))
    return x


def point_near(u, centre, radius, core):
    r = radius * np.sqrt(u[0]) if core == 0 else core * (radius / core)**u[0]
    return [centre[0] + r * np.cos(2 * PI * u[1]), centre[1] + r * np.sin(2 * PI * u[1])]


def helmholtz_points(case):
    near = N - case["source_samples"]
    return [point(units(case, SPACE, i, 2), case["box_share"]) if i < near else
            point_near(units(case, SAMPLE, i, 2), case["source"], case["source_radius"],
                       case["source_core"]) for i in range(N)]


def fwi_points(case):
    """And whose equation a point asks for; -1: all."""
    n, receivers, around = len(SOURCES), len(RECEIVERS), case["source_samples"]
    near, own, x, asked = N - around * n, (around + 1) // 2, [], []
    for i in range(N):
        if i < receivers:
            group = i % n
            x.append([float(v) for v in RECEIVERS[i]])
        elif i < near:
            group = (i - receivers) * n // (near - receivers)
            x.append(point(units(case, SPACE, i, 2), case["box_share"]))
        else:
            group, k = divmod(i - near, around)
            x.append(point_near(units(case, SAMPLE, i, 2), SOURCES[group].astype(float),
                                case["source_radius"], case["source_core"]))
            if k >= own:
                group = (group + 1 + (k - own) * (n - 1) // (around - own)) % n
        asked.append(group if case["fields"] == "one" else -1)
    return x, np.array(asked)


def wave_points(case):
    end = case["horizon"] * case["step"] / case["steps"]
    x = []
    for i in range(N):
        u = units(case, SPACE, i, 4)
        t = 0.0 if i >= N - case["initial_samples"] else end * u[2]
        others = N - case["near_samples"]
        near = i >= others if case["points"] == "random" else u[3] * N >= others
        at = point(u[:2], 0.5)
        if near and case["near"] == "pulse":
            at = point_near(u, case["source"], case["near_radius"], 0)
        elif near:
            width, time = case["near_radius"], float(case["real"](t))
            inner = max(time - width, 0)
            at = point_near([1, u[1]], case["source"], inner + (time + width - inner) * u[0], 0)
        x.append([t] + at)
    return x


# ---- Media, sources, weights ----


def slowness(case, x):
    """1/c^2 at x [n][2]."""
    a, b = x.T
    if case["medium"] == "uniform":
        c = np.ones(len(x))
    elif case["medium"] == "square":
        c = np.where(np.maximum(abs(a), abs(b)) < 0.3, case["medium_velocity"], 1.0)
    elif case["medium"] == "disc":
        c = np.where(np.hypot(a, b) < 0.1, case["medium_velocity"], 1.0)
    else:
        v = GRID[:, 1:6].astype(float)  # the middle
        v = v / (case["reference_velocity"] or 1 / np.sqrt(np.mean(1 / v**2)))
        at = [np.clip((s / case["half"] + 1) * 2, 0, 4) for s in (a, b)]
        i, j = (np.minimum(np.floor(s), 3).astype(int) for s in at)
        p, q = at[0] - i, at[1] - j
        c = ((1 - p) * ((1 - q) * v[i, j] + q * v[i, j + 1]) +
             p * ((1 - q) * v[i + 1, j] + q * v[i + 1, j + 1]))
    return 1 / c**2


def gaussian(x, centre, height, variance):
    g = height * np.exp(-((x - np.asarray(centre, float))**2).sum(axis=1) / (2 * variance))
    return np.where(g < 1e-5, 0.0, g)


def source_term(x, centre):
    return gaussian(x, centre, 1 / (2 * PI * 1e-4), 1e-4)


def layer_depth(x):
    return np.maximum(0, (abs(x) - EDGE) / EDGE)


def point_weight(case, x, centre):
    w = np.ones(len(x))
    if case["weight_radius"]:
        r = np.sqrt(((x - np.asarray(centre, float))**2).sum(axis=1))
        w = np.clip(r, 2.5 * case["source_core"], case["weight_radius"]) / case["weight_radius"]
    return w / (1 + case["weight_layer"] * layer_depth(x)**2).prod(axis=1)


# ---- The equations: complex numbers are pairs ----


def times(a, b):
    return a[0] * b[0] - a[1] * b[1], a[0] * b[1] + a[1] * b[0]


def over(a, b):
    square = b[0] * b[0] + b[1] * b[1]
    p, q = times(a, (b[0], -b[1]))
    return p / square, q / square


def stretch(case, s):
    """e = 1 - j a (d / L)^2 of one coordinate."""
    d = ad.where(s.value > EDGE, s - EDGE, ad.where(s.value < -EDGE, -s - EDGE, 0.0)) * (1 / EDGE)
    return 1.0 + 0.0 * d, -(d * d) * case["absorption"]


def helmholtz_operator(case, x, u, m):
    """d/dx((e_y/e_x) u_x) + d/dy((e_x/e_y) u_y) + e_x e_y m k^2 u."""
    e = [stretch(case, x[:, i]) for i in range(2)]
    slopes = [ad.gradient(ad.total(part), [x])[0] for part in u]
    product = times(e[0], e[1])
    mass = times(product, u)
    result = [part * m * case["wavenumber"]**2 for part in mass]
    for i in range(2):
        flux = times(over(e[1 - i], e[i]), (slopes[0][:, i], slopes[1][:, i]))
        for part in range(2):
            result[part] = result[part] + ad.gradient(ad.total(flux[part]), [x])[0][:, i]
    return result


def check_operator(case, network, x, field, m, got):
    """The same by complex steps and central differences of complex NumPy numbers."""
    h, e = 1e-30, 1e-5
    stretches = lambda z: 1 - 1j * case["absorption"] * layer_depth(z)**2
    u = lambda z: (lambda y: y[:, 2 * field] + 1j * y[:, 2 * field + 1])(
        network.plain(z, network.tensors))

    def flux(z, i):
        step = network.plain(z + 1j * h * np.eye(2)[i], network.tensors).imag / h
        s = stretches(z)
        return s[:, 1 - i] / s[:, i] * (step[:, 2 * field] + 1j * step[:, 2 * field + 1])

    wanted = stretches(x).prod(axis=1) * m * case["wavenumber"]**2 * u(x.astype(complex))
    for i in range(2):
        wanted = wanted + (flux(x + e * np.eye(2)[i], i) - flux(x - e * np.eye(2)[i], i)) / (2 * e)
    close(got[0].value + 1j * got[1].value, wanted, 1e-6, "operator")


def check_second(network, x, got):
    h, e = 1e-30, 1e-5
    for i in range(3):
        step = lambda z: network.plain(z + 1j * h * np.eye(3)[i], network.tensors).imag[:, 0] / h
        wanted = (step(x + e * np.eye(3)[i]) - step(x - e * np.eye(3)[i])) / (2 * e)
        close(got[i].value, wanted, 1e-6, "second derivative")


def penalty(case, r):
    if case["loss"] == "square":
        return r * r
    far = abs(r.value[r.value != 0])  # from the kink
    assert far.size == 0 or far.min() > 1e-6 * far.max()
    return ad.where(r.value > 0, r, -r)


class Parts:
    """What a loss is made of: names and weights of terms, and what every residual adds to one."""

    def __init__(self, case, weights):
        self.case, self.weights = case, weights
        self.row_terms = [0.0] * len(weights)
        self.residuals, self.active = [], []

    def add(self, term, r, where):
        """Residual r [n] where `where` holds; with an array of terms, each point to its own."""
        where = np.asarray(where, bool)
        r = ad.where(where, r, 0.0)
        term = np.broadcast_to(term, where.shape)
        p = penalty(self.case, r)
        for t in set(term):
            self.row_terms[t] = self.row_terms[t] + ad.where(term == t, p, 0.0)
        self.residuals.append(r * np.sqrt(np.array(self.weights)[term]))
        self.active.append(where)

    def loss(self):
        return sum(ad.total(row) * w for row, w in zip(self.row_terms, self.weights))


def helmholtz_parts(case, network, x, tensors, check=False):
    parts = Parts(case, [case["source_weight"] or N / 1000, 1.0])
    v = ad.Var(x)
    y, _ = network.forward(v, tensors)
    m, f = slowness(case, x), source_term(x, case["source"])
    w = point_weight(case, x, case["source"])
    result = helmholtz_operator(case, v, (y[:, 0], y[:, 1]), m)
    if check:
        check_operator(case, network, x, 0, m, result)
    for part in result:
        parts.add(np.where(f != 0, 0, 1), (part - f) * w, np.ones(N))
    return parts


def fwi_parts(case, network, x, tensors, check=False):
    n, first = len(SOURCES), case["step"] < case["pretrain_steps"]
    data_weight = case["data_weight"] or N
    parts = Parts(case, [case["source_weight"] or N / 1000, 1.0, data_weight, data_weight])
    v = ad.Var(x)
    y, _ = network.forward(v, tensors)
    last = y[:, 2 * n]
    q, one, reach = case["scale"] * last, case["fields"] == "one", case["reach"]
    if first:
        m = 1.0 + (0.0 if one else 1.0) * q
    else:
        bounded = ad.where(q.value > -0.999, q, -0.999)
        m = 1.0 + ad.where(abs(x).max(axis=1) > reach, 0.0, bounded)
        free = abs(x).max(axis=1) <= reach
        assert min((q.value[free] > -0.999).sum(), (q.value[free] < -0.999).sum()) > 10
        assert abs(q.value + 0.999).min() > 1e-5
    for i in range(n):
        f, w = source_term(x, SOURCES[i]), point_weight(case, x, SOURCES[i])
        result = helmholtz_operator(case, v, (y[:, 2 * i], y[:, 2 * i + 1]), m)
        if check:
            check_operator(case, network, x, i, m.value, result)
        for part in result:
            asked = (case["asked"] < 0) | (case["asked"] == i)
            parts.add(np.where(f != 0, 0, 1), (part - f) * w, asked)
    for i in range(n):
        for k in range(2):
            received = np.zeros(N)
            received[:len(RECEIVERS)] = 0 if first else RECEIVED[:, i, k]
            parts.add(3, y[:, 2 * i + k] - received, received != 0)
    parts.add(2, last, first & (case["asked"] <= 0))
    return parts


def wave_parts(case, network, x, tensors, check=False):
    parts = Parts(case, [case["weight_displacement"] or N / 10,
                         case["weight_velocity"] or N / 100, 1.0])
    v = ad.Var(x)
    y, _ = network.forward(v, tensors)
    first = ad.gradient(ad.total(y[:, 0]), [v])[0]
    second = [ad.gradient(ad.total(first[:, i]), [v])[0][:, i] for i in range(3)]
    c2 = 1 / slowness(case, x[:, 1:])
    if check:
        check_second(network, x, second)
    pulse = case["scale"] * gaussian(x[:, 1:], case["source"], 0.02, 5e-4)
    initial = x[:, 0] == 0
    assert (pulse[initial] != 0).any() and (c2 != 1).sum() > 10
    parts.add(0, y[:, 0] - pulse, initial)
    parts.add(1, first[:, 0], initial)
    parts.add(2, second[0] - (second[1] + second[2]) * c2, np.ones(N))
    return parts


# ---- Cases ----

COMMON = dict(seed=5, step=3, loss="absolute", points="random")
NEAR_SOURCE = dict(wavenumber=20.0, absorption=5.0, source_samples=40, source_radius=0.05,
                   source_core=0.0, box_share=0.5, weight_radius=0.0, weight_layer=0.0,
                   source_weight=0.0)
EXPERIMENTS = {
    "helmholtz": (helmholtz_parts, 2, 2, dict(
        NEAR_SOURCE, medium="uniform", medium_velocity=2.0, reference_velocity=0.0, half=0.5,
        source=(0.0, 0.0))),
    "fwi": (fwi_parts, 2, 2 * len(SOURCES) + 1, dict(
        NEAR_SOURCE, pretrain_steps=5, data_weight=0.0, fields="all", reach=0.75, scale=1.0)),
    "wave": (wave_parts, 3, 1, dict(
        medium="square", medium_velocity=2.0, reference_velocity=0.0, half=1.0, horizon=0.4,
        near_samples=50, near_radius=0.25, near="pulse", initial_samples=60, scale=1.0,
        weight_displacement=0.0, weight_velocity=0.0, source=(0.0, 0.0), steps=8)),
}
NO_OPTIONS = ("seed", "step", "half", "real", "steps", "source", "asked")
BETTER = dict(loss="square", points="even", source_core=0.004, source_radius=0.3, box_share=0.6,
              weight_radius=0.3, weight_layer=5.0, source_weight=2.0)
CASES = {
    "helmholtz": ("helmholtz", dict()),
    "helmholtz_file": ("helmholtz", dict(medium="file", source=(-0.3, 0.2))),
    "helmholtz_square": ("helmholtz", dict(BETTER, medium="file", reference_velocity=1.25,
                                           wavenumber=12.0, absorption=3.0)),
    "helmholtz_disc": ("helmholtz", dict(loss="square", medium="disc", medium_velocity=0.5,
                                         source=(-0.35, 0.0))),
    "fwi_first": ("fwi", dict()),
    "fwi_second": ("fwi", dict(step=7)),
    "fwi_first_square": ("fwi", dict(BETTER, data_weight=50.0, fields="one", scale=7.0)),
    "fwi_second_square": ("fwi", dict(BETTER, step=7, fields="one", reach=0.6)),
    "wave": ("wave", dict()),
    "wave_square": ("wave", dict(loss="square", medium="file", points="even", near="front",
                                 scale=30.0, weight_displacement=7.0, source=(0.1, -0.2))),
}


def overrides(experiment, case):
    keys = [k for k in case if k not in NO_OPTIONS]
    values = [f"{experiment}.{k}={case[k]}" for k in keys]
    if "source" in case:
        values += [f"{experiment}.source_{axis}={v}" for axis, v in zip("xy", case["source"])]
    if case.get("medium") == "file":
        values.append(f"{experiment}.dataset=/velocity")
    values += [f"seed={case['seed']}", f"train.samples={N}", "train.tile=64", "network.width=12",
               "network.layers=1", f"train.steps={case.get('steps', 1000)}"]
    return " ".join(values)


def check_places(x):
    """In the box, in one layer and in both, on all sides."""
    beyond = (abs(x) > EDGE) * np.sign(x)
    for a in (-1, 0, 1):
        for b in (-1, 0, 1):
            assert ((beyond[:, 0] == a) & (beyond[:, 1] == b)).sum() >= 2


def write_points(group, name, case, parts_of, network):
    real = case["real"]
    x = {"helmholtz_parts": helmholtz_points, "fwi_parts": fwi_points,
         "wave_parts": wave_points}[parts_of.__name__](case)
    if parts_of is fwi_parts:
        x, case["asked"] = x
    x = np.array(x).astype(real).astype(np.float64)
    check_places(x[:, -2:])
    tensors = [ad.Var(t) for t in network.tensors]
    parts = parts_of(case, network, x, tensors, check=True)
    loss = parts.loss()
    gradient = [g.value for g in ad.gradient(loss, tensors)]
    rng = np.random.default_rng(list(name.encode()))
    check_gradient(name, network, rng, gradient, lambda ts: float(
        parts_of(case, network, x, [ad.Var(t) for t in ts]).loss().value), 1e-8)
    store(group, "x", x, real)
    store(group, "row_terms", [np.broadcast_to(getattr(t, "value", t), N)
                               for t in parts.row_terms], real)
    store(group, "gradient", flat(gradient), real)
    group["gradient"].attrs["loss"] = float(loss.value)
    if case["loss"] == "square":
        coefficients = np.float32(rng.uniform(-1, 1, (len(parts.residuals), N))).astype(float)
        mixed = sum(ad.total(r * c) for r, c in zip(parts.residuals, coefficients))
        store(group, "residuals", [r.value for r in parts.residuals], real)
        store(group, "active", parts.active, np.int8)
        store(group, "coefficients", coefficients, np.float32)
        store(group, "mixed", flat([g.value for g in ad.gradient(mixed, tensors)]), real)
    print(f"{name}: loss {float(loss.value):.6g}")


def write_case(file, name, experiment, changes):
    parts_of, inputs, out, defaults = EXPERIMENTS[experiment]
    case = dict(COMMON, **defaults)
    case.update(changes)
    rng = np.random.default_rng(list(name.encode()))
    network = Network(rng, inputs, out, 12, 1, "sine")
    if experiment == "fwi":  # slownesses on both sides of the least one
        network.tensors[-1][-1] = np.float32(-0.9)
    group = subgroup(file["cases"], name)
    group.attrs["experiment"] = np.bytes_(experiment)
    group.attrs["overrides"] = np.bytes_(overrides(experiment, case))
    group.attrs["step"] = case["step"]
    store_network(subgroup(group, "network"), network)
    for precision, real in (("float", np.float32), ("double", np.float64)):
        write_points(subgroup(group, precision), name, dict(case, real=real), parts_of, network)


def main():
    with golden_file("waves.h5") as file:
        for name, value in (("velocity", GRID), ("source", SOURCES), ("receivers", RECEIVERS),
                            ("rec_val", RECEIVED)):
            store(file, name, value, np.float32)
        subgroup(file, "cases")
        for name, (experiment, changes) in CASES.items():
            write_case(file, name, experiment, changes)


if __name__ == "__main__":
    main()
