"""Reverse-mode automatic differentiation on float64 NumPy arrays whose backward pass is made of the
same differentiable operations, so that gradients can be differentiated again (and again)."""
import numpy as np


class Var:
    """A value, the Vars it was computed from, and for each of them the map from this value's
    adjoint to the contribution to theirs; the maps work on Vars, hence nest."""

    __array_priority__ = 100

    def __init__(self, value, parents=()):
        self.value = np.asarray(value, dtype=np.float64)
        self.parents = parents

    shape = property(lambda self: self.value.shape)
    T = property(lambda self: Var(self.value.T, ((self, lambda g: g.T),)))

    def __add__(self, other):
        other = lift(other)
        return Var(self.value + other.value,
                   ((self, lambda g: unbroadcast(g, self.shape)),
                    (other, lambda g: unbroadcast(g, other.shape))))

    def __mul__(self, other):
        other = lift(other)
        return Var(self.value * other.value,
                   ((self, lambda g: unbroadcast(g * other, self.shape)),
                    (other, lambda g: unbroadcast(g * self, other.shape))))

    def __matmul__(self, other):
        return Var(self.value @ other.value,
                   ((self, lambda g: g @ other.T), (other, lambda g: self.T @ g)))

    def __getitem__(self, index):
        return Var(self.value[index], ((self, lambda g: scatter(g, index, self.shape)),))

    def __neg__(self):
        return self * -1.0

    def __sub__(self, other):
        return self + -lift(other)

    def __rsub__(self, other):
        return lift(other) - self

    def __truediv__(self, other):
        return self * reciprocal(lift(other))

    __radd__, __rmul__ = __add__, __mul__


def lift(x):
    return x if isinstance(x, Var) else Var(x)


def scatter(x, index, shape):
    """Zeros of `shape` with x at `index`: the adjoint of x[index] (basic indexing only)."""
    value = np.zeros(shape)
    value[index] = x.value
    return Var(value, ((x, lambda g: g[index]),))


def total(x, axes=None, keep=False):
    axes = tuple(range(x.value.ndim)) if axes is None else axes
    kept = tuple(1 if i in axes else n for i, n in enumerate(x.shape))
    return Var(x.value.sum(axis=axes, keepdims=keep),
               ((x, lambda g: broadcast(reshape(g, kept), x.shape)),))


def broadcast(x, shape):
    return Var(np.broadcast_to(x.value, shape), ((x, lambda g: unbroadcast(g, x.shape)),))


def unbroadcast(x, shape):
    if x.shape == shape:
        return x
    padded = (1,) * (x.value.ndim - len(shape)) + shape
    axes = tuple(i for i, (a, b) in enumerate(zip(x.shape, padded)) if a != b)
    return reshape(total(x, axes, keep=True), shape)


def reshape(x, shape):
    return Var(x.value.reshape(shape), ((x, lambda g: reshape(g, x.shape)),))


def concatenate(parts):
    """Along the last axis."""
    ends = np.cumsum([p.shape[-1] for p in parts])

    def piece(k):
        return lambda g: g[..., int(ends[k] - parts[k].shape[-1]):int(ends[k])]

    return Var(np.concatenate([p.value for p in parts], axis=-1),
               tuple((p, piece(k)) for k, p in enumerate(parts)))


def reciprocal(x):
    y = Var(1.0 / x.value)
    y.parents = ((x, lambda g: -(g * y * y)),)
    return y


def sin(x):
    return Var(np.sin(x.value), ((x, lambda g: g * cos(x)),))


def cos(x):
    return Var(np.cos(x.value), ((x, lambda g: -(g * sin(x))),))


def exp(x):
    y = Var(np.exp(x.value))
    y.parents = ((x, lambda g: g * y),)
    return y


def log(x):
    return Var(np.log(x.value), ((x, lambda g: g / x),))


def where(mask, a, b):
    """a where mask, else b; the mask is a constant."""
    a, b = lift(a), lift(b)
    return Var(np.where(mask, a.value, b.value),
               ((a, lambda g: unbroadcast(g * mask, a.shape)),
                (b, lambda g: unbroadcast(g * ~mask, b.shape))))


def gradient(scalar, inputs):
    """d(scalar)/d(input) for every input, as Vars that can be differentiated again."""
    order, seen, stack = [], set(), [(scalar, False)]
    while stack:
        node, done = stack.pop()
        if done:
            order.append(node)
        elif id(node) not in seen:
            seen.add(id(node))
            stack.append((node, True))
            stack.extend((parent, False) for parent, _ in node.parents)
    adjoint = {id(scalar): Var(np.ones(scalar.shape))}
    for node in reversed(order):
        g = adjoint.get(id(node))
        if g is None:
            continue
        for parent, pull in node.parents:
            share = pull(g)
            known = adjoint.get(id(parent))
            adjoint[id(parent)] = share if known is None else known + share
    return [adjoint.get(id(v)) or Var(np.zeros(v.shape)) for v in inputs]
