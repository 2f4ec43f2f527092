"""A layer or a loss that one side writes out, rehearsed with the mistakes that people make in it.

That a sequence differs from its first step on says little. So Paddle's layer is run here in numpy on Paddle's own numbers,
once with each known mistake (steps taken last first, states exchanged, gates read in another order, ...): the
one that gives torch's numbers to the last digit is what torch does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import permutations

import numpy as np

from parity.explain.hypotheses.hypothesis import Hypothesis, first_that_gives
from parity.trace.values import Array

GATES: Mapping[str, tuple[str, ...]] = {
    "lstm": ("input", "forget", "candidate", "output"),
    "gru": ("reset", "update", "candidate"),
}
"""Paddle's order, which is torch's too."""


@dataclass(frozen=True)
class Layer:
    """One call of a recurrent layer: x is [batch, time, features]; weights by slot ("weight_ih_l0_reverse")."""

    kind: str
    x: Array
    weights: Mapping[str, Array]
    layers: int = 1
    directions: int = 1
    h_0: Array | None = None
    c_0: Array | None = None
    then: Callable[[Array], Array] = lambda sequence: sequence
    """What is made of the sequence before it is compared."""


Flags = frozenset[str]

STATE, INPUT = "the state's product", "the input's product"
ORDER, KEPT, HANDED_ON = "the order of the steps", "what is kept", "what is handed on"
"""Parts of a loop beside "steps", "outputs" and "gates" whose line is known."""


def _row(flag: str, part: str, cause: str, fix: str) -> Hypothesis[Layer]:
    return Hypothesis(cause, fix, lambda layer: run(layer, frozenset({flag})), part)


STEPS = (
    _row("last first", ORDER, "the time steps are taken in reverse, the last one first", "start with step 0"),
    _row(
        "backward",
        "steps",
        "the sequence is run through backward in time",
        "run through it from the first step on",
    ),
    _row(
        "flipped", "outputs", "the results are put together in reverse", "join them in the order of the steps"
    ),
    _row(
        "late",
        KEPT,
        "the state before each step is kept, not the one after it: all results come one step late",
        "keep the state that the step returns",
    ),
    _row(
        "h forgotten",
        "",
        "every step starts from a hidden state of zeros",
        "hand each step the hidden state that the one before it returned",
    ),
    _row("no bias_ih", INPUT, "bias_ih is left out", "add the layer's bias_ih to what comes from the input"),
    _row("no bias_hh", STATE, "bias_hh is left out", "add the layer's bias_hh to what comes from the state"),
)


LSTM = (
    _row(
        "exchanged",
        HANDED_ON,
        "the hidden and the cell state are swapped from step to step",
        "hand the hidden state on as h and the cell state as c",
    ),
    _row(
        "c forgotten",
        "",
        "every step starts from a cell state of zeros",
        "hand each step the cell state that the one before it returned",
    ),
    _row("cells", KEPT, "the cell states are the result, not the hidden states", "collect h in place of c"),
    _row("bare cell", "", "h is o * c, without the tanh of the cell state", "write h = o * tanh(c)"),
    _row("forget bias", "gates", "1 is added to the forget gate, as TensorFlow does", "leave the 1 out"),
)


GRU = (
    _row(
        "blend",
        "",
        "the update gate works the other way round: h is z * candidate + (1 - z) * h",
        "write h = (1 - z) * candidate + z * h",
    ),
    _row(
        "reset first",
        "",
        "the reset gate multiplies the state before its weight (the form of the first paper), not the product after it",
        "write candidate = tanh(W x + b + r * (U h + b_h))",
    ),
    _row(
        "reset all",
        "",
        "the reset gate multiplies the input's part of the candidate too",
        "write candidate = tanh(W x + b + r * (U h + b_h))",
    ),
    _row("no reset", "", "the reset gate is not applied", "multiply U h + b_h by the reset gate"),
)


TWO_WAYS = (
    _row(
        "halves",
        "outputs",
        "the two directions are joined the other way round",
        "join forward first, then backward",
    ),
    _row(
        "not turned back",
        "outputs",
        "the backward direction's results are not turned back to the order of the steps",
        "flip them along time before they are joined",
    ),
    _row(
        "both forward",
        "steps",
        "the backward direction reads the sequence forward",
        "flip its input along time",
    ),
)


def mistake_in(layer: Layer, actual: Array) -> Hypothesis[Layer] | None:
    """The mistake with which the layer gives torch's numbers."""
    return first_that_gives(actual, layer, mistakes(layer))


def mistakes(layer: Layer) -> Iterator[Hypothesis[Layer]]:
    """Every mistake that can be made in such a layer."""
    yield from STEPS
    yield from {"lstm": LSTM, "gru": GRU}.get(layer.kind, ())
    if layer.directions == 2:
        yield from TWO_WAYS
    gates = GATES.get(layer.kind, ())
    for order in permutations(range(len(gates))):
        if order != tuple(range(len(gates))):
            yield _other_gates(gates, order)


def _other_gates(gates: tuple[str, ...], order: tuple[int, ...]) -> Hypothesis[Layer]:
    read = ", ".join(gates[i] for i in order)
    return Hypothesis(
        f"the gates are read in the order {read}; the weights hold {', '.join(gates)}",
        f"take the parts of the product as {', '.join(gates)}",
        lambda layer: run(layer, frozenset(), order),
        "gates",
    )


def run(layer: Layer, flags: Flags, order: tuple[int, ...] = ()) -> Array:
    """What the layer gives with a mistake in all its loops, or with its gates read in another order."""
    x = layer.x
    for number in range(layer.layers):
        found = []
        for direction in range(layer.directions):
            backward = direction == 1
            given = x[:, ::-1] if backward and "both forward" not in flags else x
            y = _loop(layer, given, number, direction, flags, order)
            found.append(y[:, ::-1] if backward and "not turned back" not in flags else y)
        x = np.concatenate(found[::-1] if "halves" in flags else found, axis=2)
    return layer.then(x)


def _loop(layer: Layer, x: Array, number: int, direction: int, flags: Flags, order: tuple[int, ...]) -> Array:
    suffix = f"_l{number}" + ("_reverse" if direction else "")
    w, u = layer.weights[f"weight_ih{suffix}"], layer.weights[f"weight_hh{suffix}"]
    zero = np.zeros(len(w))
    b = zero if "no bias_ih" in flags else layer.weights.get(f"bias_ih{suffix}", zero)
    d = zero if "no bias_hh" in flags else layer.weights.get(f"bias_hh{suffix}", zero)
    at = number * layer.directions + direction
    start = np.zeros((len(x), u.shape[1]))
    h = start if layer.h_0 is None else layer.h_0[at]
    c = start if layer.c_0 is None else layer.c_0[at]
    kept = []
    order = order or tuple(range(len(GATES.get(layer.kind, ()))))
    backward = flags & {"last first", "backward"}
    for t in range(x.shape[1])[:: -1 if backward else 1]:
        before = h
        h = start if "h forgotten" in flags else h
        c = start if "c forgotten" in flags else c
        if "exchanged" in flags:
            h, c = c, h
        given, kept_part = x[:, t] @ w.T + b, h @ u.T + d
        if layer.kind == "lstm":
            h, c = _lstm(given + kept_part, c, order, flags)
        elif layer.kind == "gru":
            h = _gru(given, kept_part, h, (u, d), order, flags)
        else:
            h = np.maximum(given + kept_part, 0.0) if "relu" in layer.kind else np.tanh(given + kept_part)
        kept.append(before if "late" in flags else c if "cells" in flags else h)
    turned = bool(flags & {"flipped", "backward"})
    return np.stack(kept[::-1] if turned else kept, axis=1)


def _sigmoid(x: Array) -> Array:
    result: Array = 0.5 * (1.0 + np.tanh(0.5 * x))
    return result


def _lstm(all_gates: Array, c: Array, order: tuple[int, ...], flags: frozenset[str]) -> tuple[Array, Array]:
    parts = dict(zip(order, np.split(all_gates, 4, axis=1), strict=True))
    i, f, g, o = (parts[gate] for gate in range(4))
    f = f + 1.0 if "forget bias" in flags else f
    c = _sigmoid(f) * c + _sigmoid(i) * np.tanh(g)
    return _sigmoid(o) * (c if "bare cell" in flags else np.tanh(c)), c


def _gru(
    given: Array,
    kept: Array,
    h: Array,
    own: tuple[Array, Array],
    order: tuple[int, ...],
    flags: frozenset[str],
) -> Array:
    x = dict(zip(order, np.split(given, 3, axis=1), strict=True))
    s = dict(zip(order, np.split(kept, 3, axis=1), strict=True))
    r, z = _sigmoid(x[0] + s[0]), _sigmoid(x[1] + s[1])
    share = r * s[2]
    if "reset first" in flags:
        u, d = (np.split(array, 3)[order.index(2)] for array in own)
        share = (r * h) @ u.T + d
    elif "no reset" in flags:
        share = s[2]
    candidate = np.tanh(r * (x[2] + s[2]) if "reset all" in flags else x[2] + share)
    new, old = (z, 1.0 - z) if "blend" in flags else (1.0 - z, z)
    return np.asarray(new * candidate + old * h)
