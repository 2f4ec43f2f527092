"""A recurrent layer, each direction of each layer step by step: gates, candidates and states at every point in time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from parity.explain.steps.inside import Inside
from parity.graph.recurrent import weight_slots
from parity.trace.values import Array

Made = tuple[Array, int]
"""Numbers, and the value that they are."""

After = tuple[tuple[Array, Array], list[int]]
"""The hidden and the cell state after a step, and the values that they are."""

LONGEST = 512
"""Steps in time above which a recurrent layer is left as it is."""


def recurrent(s: Inside) -> bool:
    """Write an LSTM, GRU or plain RNN down, each direction of each layer step by step."""
    op, a = s.op, s.op.attributes
    x, at = s.taken("x"), op.inputs["x"]
    slots = weight_slots(op, s.run.trace.framework)
    owned = {slot: op.inputs[f"weights[{i}]"] for i, slot in enumerate(slots)}
    weights = {slot: s.taken(f"weights[{i}]") for i, slot in enumerate(slots)}
    directions = 2 if a["bidirectional"] else 1
    if x is None or x.ndim != 3 or any(array is None for array in weights.values()):
        return False
    if any("weight_hr" in slot for slot in slots):
        return False
    x = x if a["time_major"] else x.transpose(1, 0, 2)
    if len(x) > LONGEST:
        return False
    lengths = _lengths(s, x.shape[1], len(x))
    known = {slot: array for slot, array in weights.items() if array is not None}
    states = [s.taken("states[0]" if "states[0]" in op.inputs else "states"), s.taken("states[1]")]
    for number in range(a["num_layers"]):
        found = []
        for direction in range(directions):
            suffix = f"_l{number}" + ("_reverse" if direction else "")
            cell = _Cell(
                s,
                suffix,
                known,
                owned,
                [None if one is None else one[number * directions + direction] for one in states],
            )
            found.append(cell.run(x, at, lengths, backward=bool(direction)))
        x = np.concatenate([made for made, _ in found], axis=2)
        values = [value for _, value in found]
        at = s("concat", "both directions", x, *values) if directions == 2 else values[0]
    return s.comes_to(x if a["time_major"] else x.transpose(1, 0, 2))


def _lengths(s: Inside, batch: int, steps: int) -> Array:
    """How long each sequence is."""
    stored = s.run.value(s.op.inputs.get("sequence_length", -1))
    return np.full(batch, steps) if stored is None else stored.load().reshape(-1)


class _Cell:
    """One direction of one layer."""

    def __init__(
        self,
        s: Inside,
        suffix: str,
        weights: Mapping[str, Array],
        owned: Mapping[str, int],
        states: Sequence[Array | None],
    ) -> None:
        self.s, self.suffix, self.states = s, suffix, states
        self.weights = {
            name: (weights.get(f"{name}{suffix}"), owned.get(f"{name}{suffix}", -1))
            for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        }

    def run(self, x: Array, at: int, lengths: Array, *, backward: bool) -> Made:
        """The sequence [time, batch, features] that it makes, and its value."""
        w, u = self.weights["weight_ih"][0], self.weights["weight_hh"][0]
        assert w is not None
        assert u is not None
        width = u.shape[1]
        h, c = (np.zeros((x.shape[1], width)) if one is None else one for one in self.states)
        kept: list[Made] = []
        values = [self._step("constant", "start", one) for one in (h, c)]
        cell = (
            self._lstm if self.s.op.kind == "lstm" else self._gru if self.s.op.kind == "gru" else self._plain
        )
        self._linear("sequence", x, at, "ih")
        for t in range(len(x))[:: -1 if backward else 1]:
            now = self._step("getitem", "x", x[t], at)
            given = self._linear("input", x[t], now, "ih")
            state = self._linear("state", h, values[0], "hh")
            made, numbers = cell(given, state, (h, c), values)
            runs = (t < lengths)[:, None]
            if runs.all():
                (h, c), values = made, numbers
                kept.append((h, values[0]))
                continue
            after = [np.where(runs, new, old) for new, old in zip(made, (h, c), strict=True)]
            values = [
                self._step("where", f"kept {i}", one, new, old)
                for i, (one, new, old) in enumerate(zip(after, numbers, values, strict=True))
            ]
            h, c = after
            out = np.where(runs, made[0], 0.0)
            kept.append((out, self._step("where", "shown", out, numbers[0])))
        kept = kept[:: -1 if backward else 1]
        whole = np.stack([array for array, _ in kept])
        return whole, self._step("stack", "sequence of states", whole, *(value for _, value in kept))

    def _step(self, kind: str, role: str, numbers: Array, *inputs: int, **attributes: Any) -> int:
        return self.s(kind, role, numbers, *inputs, of=self.suffix, **attributes)

    def _linear(self, role: str, x: Array, at: int, name: str) -> Made:
        (weight, w), (bias, b) = self.weights[f"weight_{name}"], self.weights[f"bias_{name}"]
        assert weight is not None
        made = x @ weight.T if bias is None else x @ weight.T + bias
        return made, self._step("linear", role, made, at, w, *(() if bias is None else (b,)))

    def _parts(self, role: str, given: Made, count: int) -> list[Made]:
        return [
            (part, self._step("getitem", f"{role} {i}", part, given[1]))
            for i, part in enumerate(np.split(given[0], count, axis=1))
        ]

    def _of(self, kind: str, role: str, numbers: Array, *made: Made) -> Made:
        return numbers, self._step(kind, role, numbers, *(value for _, value in made))

    def _squashed(self, role: str, x: Made) -> Made:
        return self._of("sigmoid", role, 0.5 * (1.0 + np.tanh(0.5 * x[0])), x)

    def _lstm(self, given: Made, state: Made, before: tuple[Array, Array], values: Sequence[int]) -> After:
        gates = self._of("add", "sum of the gates", given[0] + state[0], given, state)
        i, f, g, o = self._parts("gate", gates, 4)
        i, f, o = (
            self._squashed(f"{role} gate", x) for role, x in (("input", i), ("forget", f), ("output", o))
        )
        g = self._of("tanh", "candidate", np.tanh(g[0]), g)
        kept = self._of("mul", "kept part of the cell", f[0] * before[1], f, (before[1], values[1]))
        new = self._of("mul", "new part of the cell", i[0] * g[0], i, g)
        c = self._of("add", "cell", kept[0] + new[0], kept, new)
        shown = self._of("tanh", "tanh of the cell", np.tanh(c[0]), c)
        h = self._of("mul", "hidden state", o[0] * shown[0], o, shown)
        return (h[0], c[0]), [h[1], c[1]]

    def _gru(self, given: Made, state: Made, before: tuple[Array, Array], values: Sequence[int]) -> After:
        x, s = self._parts("given", given, 3), self._parts("state", state, 3)
        r, z = (
            self._squashed(
                f"{role} gate", self._of("add", f"sum of the {role} gate", x[i][0] + s[i][0], x[i], s[i])
            )
            for i, role in enumerate(("reset", "update"))
        )
        share = self._of("mul", "state behind the reset gate", r[0] * s[2][0], r, s[2])
        n = self._of(
            "tanh",
            "candidate",
            np.tanh(x[2][0] + share[0]),
            self._of("add", "inside of the candidate", x[2][0] + share[0], x[2], share),
        )
        h = before[0], values[0]
        rest = self._of("sub", "1 - update gate", 1.0 - z[0], z)
        new, old = (
            self._of("mul", "new part", rest[0] * n[0], rest, n),
            self._of("mul", "kept part", z[0] * h[0], z, h),
        )
        made = self._of("add", "hidden state", new[0] + old[0], new, old)
        return (made[0], before[1]), [made[1], values[1]]

    def _plain(self, given: Made, state: Made, before: tuple[Array, Array], values: Sequence[int]) -> After:
        both = self._of("add", "sum of the gates", given[0] + state[0], given, state)
        relu = "relu" in self.s.op.kind
        made = self._of(
            "relu" if relu else "tanh",
            "hidden state",
            np.maximum(both[0], 0.0) if relu else np.tanh(both[0]),
            both,
        )
        return (made[0], before[1]), [made[1], values[1]]
