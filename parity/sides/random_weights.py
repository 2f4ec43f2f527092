"""Weights that make mistakes visible: no zero bias, no BatchNorm at its initial state.

Freshly built models hide a missing bias (zero), swapped statistics (0 and 1 everywhere) and more. These
values are drawn so that activations keep their size through deep residual networks.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import numpy as np

from parity.ops.kinds import kind_of
from parity.trace.trace import Op, Trace
from parity.trace.values import Array

NORMALISATIONS = frozenset({"batch_norm", "group_norm", "instance_norm", "layer_norm"})

DAMPING = 0.15
"""What the scale of a residual branch's last normalisation is multiplied by."""


def residual_scales(trace: Trace) -> set[str]:
    """The parameters that scale a residual branch: the weight of the normalisation it ends in.

    A deep network of random residual blocks in train mode multiplies every rounding error by a factor a
    block, because each BatchNorm divides by the spread of a sum that has grown: ResNet-152 turns 1e-16 into
    1e-11, and a correct port looks like a slightly wrong one. Trained networks do not do this, nor does a
    network whose branches are small beside their shortcuts. Which sum is a residual one is read from a recorded
    run, not from names: of the two data operands of an `add`, the branch is the one with more operators
    behind it.
    """
    names = {parameter.value: name for name, parameter in trace.parameters.items()}
    depth = dict.fromkeys(trace.inputs.values(), 0)
    found: set[str] = set()
    for op in trace.ops:
        operands = [value for value in op.inputs.values() if value in depth]
        if not operands:
            continue  # made of parameters or numbers alone
        depth.update(dict.fromkeys(op.outputs, 1 + max(depth[value] for value in operands)))
        if op.kind == "add" and len(operands) == 2:
            branch = max(operands, key=lambda value: depth[value])
            found.update(
                names.get(layer.inputs.get("weight", -1), "") for layer in _ends(branch, trace.maker)
            )
    return found - {""}


def _ends(value: int, maker: Mapping[int, Op]) -> Iterator[Op]:
    """The normalisations that `value` comes from with no other layer and no other sum in between."""
    seen: set[int] = set()
    front = [value]
    while front:
        op = maker.get(front.pop())
        if op is None or op.index in seen:
            continue
        seen.add(op.index)
        if op.kind in NORMALISATIONS:
            yield op
        elif op.kind != "add" and not kind_of(op.kind).weights:
            front.extend(op.inputs.values())


SIGN_FREE = frozenset(
    {("mul", "x"), ("mul", "y"), ("div", "x"), *((norm, "weight") for norm in NORMALISATIONS)}
)
"""Operators, and where they take a scale of either sign. A power, a root or a logarithm does not."""

SHAPING = frozenset({"reshape", "identity", "expand", "permute"})

NEGATIVE = 4
"""One of so many entries of a scale that may have either sign is negative."""


def signed_scales(trace: Trace) -> set[str]:
    """The vectors that scale something, and work with either sign.

    A positive scale hides what it is exchanged with: `relu(s * x)` is `s * relu(x)`, a pool before a normalisation is
    one behind it. A scale that passes a ReLU itself stays positive: negative, it would take out all that it weighs.
    """
    readers: dict[int, list[tuple[Op, str]]] = {}
    for op in trace.ops:
        for slot, value in op.inputs.items():
            readers.setdefault(value, []).append((op, slot))
    found = set()
    for name, parameter in trace.parameters.items():
        uses = list(_uses(parameter.value, readers))
        if uses and all((op.kind, slot) in SIGN_FREE for op, slot in uses):
            found.add(name)
    return found


def _uses(value: int, readers: Mapping[int, list[tuple[Op, str]]]) -> Iterator[tuple[Op, str]]:
    """Who reads a value, whatever shape it is given on the way."""
    for op, slot in readers.get(value, ()):
        if op.kind in SHAPING:
            yield from _uses(op.outputs[0], readers)
        else:
            yield op, slot


def random_state(
    state: Mapping[str, Array],
    *,
    seed: int = 0,
    damped: Collection[str] = (),
    signed: Collection[str] = (),
    constants: Collection[str] = (),
    vectors_only: bool = False,
) -> dict[str, Array]:
    """New values for a Paddle state dict (names and shapes of `state`), the same for the same seed.

    Matrices and kernels are N(0, 2 / fan_in); biases N(0, 0.1); scales U(0.3, 0.8), those of `damped` (see
    `residual_scales`) times DAMPING, a quarter of those of `signed` (see `signed_scales`) negative; running means N(0, 0.2); running variances U(0.5, 1.5). Kept as they are:
    integers, `constants` (buffers that belong to the definition of a network: a table of positions, a mask), and
    with `vectors_only` all matrices and kernels.
    """
    rng = np.random.default_rng(seed)

    def value(name: str, array: Array) -> Array:
        if name in constants or (vectors_only and array.ndim >= 2):
            return array
        values = _values(name, array, rng, DAMPING if name in damped else 1.0)
        return _with_signs(values) if name in signed and array.ndim < 2 else values

    return {name: value(name, np.asarray(array)) for name, array in state.items()}


def _values(name: str, array: Array, rng: np.random.Generator, factor: float) -> Array:
    if array.dtype.kind != "f" or not array.size:
        return array
    last = name.rpartition(".")[2]
    shape = array.shape
    if last.endswith("_variance"):
        values = rng.uniform(0.5, 1.5, shape)
    elif last.endswith("_mean"):
        values = rng.normal(0.0, 0.2, shape)
    elif len(shape) >= 2:
        # Paddle keeps a Linear's weight as [in, out], a kernel as [out, in, ...].
        fan_in = shape[0] if len(shape) == 2 else int(np.prod(shape[1:]))
        values = rng.normal(0.0, np.sqrt(2.0 / max(fan_in, 1)), shape)
    elif last.endswith("bias"):
        values = rng.normal(0.0, 0.1, shape)
    else:
        values = rng.uniform(0.3, 0.8, shape)
    return np.asarray(values * factor, dtype=array.dtype)


def _with_signs(values: Array) -> Array:
    """The same sizes, some of them negative; the last one always is."""
    flat = values.reshape(-1).copy()
    flat[::-NEGATIVE] *= -1
    return flat.reshape(values.shape)
