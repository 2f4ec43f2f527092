"""What a piece of arithmetic computes, found by trying it on numbers.

A normalization or an activation that is written out has a hundred spellings and one function. So a piece of the
graph that takes one value is not compared with patterns: it is evaluated on probes, each of its inputs a row of
independent numbers (a statistic such as a mean is an input of its own here), and the result is compared
with what the known functions give (`parity.graph.formulas.recognize`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from parity.graph.builder import Builder
from parity.graph.node import Node

Probe = npt.NDArray[np.float64]

PROBES = 61
"""Numbers in a probe: more than any known function has free constants, by far."""

LARGEST = 40
"""Operators in a piece: the longest spelling of a known function has about twenty."""

_erf = np.vectorize(math.erf, otypes=[float])


def sigmoid(x: Probe) -> Probe:
    return 1.0 / (1.0 + np.exp(-x))


def softplus(x: Probe, beta: float = 1.0) -> Probe:
    return np.log1p(np.exp(-np.abs(beta * x))) / beta + np.maximum(x, 0.0)


def erf(x: Probe) -> Probe:
    result: Probe = _erf(x)
    return result


ROOT = math.sqrt(2.0 / math.pi)


def gelu(
    x: Probe, *, approximate: bool = False, scale: float | None = None, cubic: float = 0.044715
) -> Probe:
    """scale: of the argument of erf or tanh; cubic: the share of x^3 in that of tanh."""
    if approximate:
        return 0.5 * x * (1.0 + np.tanh((scale or ROOT) * (x + cubic * x**3)))
    return 0.5 * x * (1.0 + erf(x * (scale or math.sqrt(0.5))))


def ramp(x: Probe, slope: float = 1.0 / 6.0, offset: float = 0.5) -> Probe:
    """Hardsigmoid: a straight line between 0 and 1."""
    return np.clip(slope * x + offset, 0.0, 1.0)


def _bounded(x: Probe, low: float | None, high: float | None) -> Probe:
    return np.clip(x, -np.inf if low is None else low, np.inf if high is None else high)


_One = Callable[[Node, Probe], Probe]
_Two = Callable[[Probe, Probe], Probe]

OF_ONE: Mapping[str, _One] = {
    "affine": lambda n, x: x * n.attributes["scale"] + n.attributes["shift"],
    "neg": lambda _, x: -x,
    "reciprocal": lambda n, x: n.attributes.get("numerator", 1.0) / x,
    "pow": lambda n, x: np.power(x, n.attributes["exponent"]),
    "square": lambda _, x: x * x,
    "sqrt": lambda _, x: np.sqrt(x),
    "rsqrt": lambda _, x: 1.0 / np.sqrt(x),
    "exp": lambda _, x: np.exp(x),
    "expm1": lambda _, x: np.expm1(x),
    "log": lambda _, x: np.log(x),
    "log1p": lambda _, x: np.log1p(x),
    "abs": lambda _, x: np.abs(x),
    "erf": lambda _, x: erf(x),
    "tanh": lambda _, x: np.tanh(x),
    "sigmoid": lambda _, x: sigmoid(x),
    "relu": lambda _, x: np.maximum(x, 0.0),
    "clip": lambda n, x: _bounded(x, n.attributes["min"], n.attributes["max"]),
    "leaky_relu": lambda n, x: np.where(x > 0, x, n.attributes["slope"] * x),
    "elu": lambda n, x: np.where(x > 0, x, n.attributes["alpha"] * np.expm1(x)),
    "softplus": lambda n, x: softplus(x, n.attributes["beta"]),
    "silu": lambda n, x: x * sigmoid(n.attributes.get("beta", 1.0) * x),
    "gelu": lambda n, x: gelu(x, approximate=n.attributes["approximate"], **n.spelling.exact),
    "hardsigmoid": lambda n, x: ramp(
        x, **(n.spelling.exact or {"slope": n.attributes["slope"], "offset": n.attributes["offset"]})
    ),
    "hardswish": lambda n, x: x * n.spelling.height * ramp(x, **n.spelling.exact),
    "mish": lambda _, x: x * np.tanh(softplus(x)),
    "expand": lambda _, x: x,
}
"""Canonical operators of one number, as numpy computes them."""

OF_TWO: Mapping[str, _Two] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "pow": np.power,
    "gt": np.greater,
    "ge": np.greater_equal,
    "lt": np.less,
    "le": np.less_equal,
}
"""Canonical operators of two numbers."""

STATISTICS = frozenset({"mean", "sum", "amax", "var", "std", "norm", "logsumexp"})
"""Operators that make one number of many: their results are probes of their own."""


@dataclass(frozen=True)
class Statistic:
    """A reduction inside a piece: `argument` is what it reduces, on the probes, and `value` its own probe."""

    node: Node
    argument: Probe
    value: Probe


@dataclass
class Piece:
    """Operators that compute `top` from one value and from parameters; nothing else reads what is between.

    entered: (operator, slot) of each place where the value enters. owned: parameter -> (operator, slot).
    """

    top: Node
    nodes: list[Node]
    value: int
    entered: list[tuple[Node, str]]
    owned: dict[int, tuple[Node, str]]
    statistics: list[Statistic] = field(default_factory=list)
    probes: dict[int, Probe] = field(default_factory=dict)

    @property
    def x(self) -> Probe:
        """The probe that stands for the value."""
        return self.probes[self.value]

    @property
    def result(self) -> Probe:
        """What the piece makes of its probes."""
        return self.probes[self.top.output]

    def stands(self) -> bool:
        """Evaluate the piece; False if it holds an operator or an attribute that numpy is not told of."""
        rng = np.random.default_rng(len(self.nodes))
        self.probes = {self.value: np.linspace(-5.9, 6.1, PROBES)}
        for number in self.owned:
            self.probes[number] = rng.uniform(0.5, 2.0, PROBES)
        try:
            with np.errstate(all="ignore"):
                for node in self.nodes:
                    self._evaluate(node, rng)
        except (KeyError, TypeError):
            return False
        return bool(np.isfinite(self.result).all())

    def _evaluate(self, node: Node, rng: np.random.Generator) -> None:
        probes = [self.probes[value] for value in node.inputs.values()]
        if node.kind in STATISTICS:
            self.probes[node.output] = self._statistic(node, probes[0], rng)
            return
        if node.kind == "constant":
            self.probes[node.output] = np.full(PROBES, float(node.attributes["value"]))
            return
        if node.kind == "where":
            slots = node.inputs
            both = [
                self.probes[slots[s]] if s in slots else np.full(PROBES, node.attributes[f"scalar_{s}"])
                for s in ("x", "y")
            ]
            self.probes[node.output] = np.where(self.probes[slots["condition"]] != 0, *both)
            return
        if len(node.inputs) == 1 and "x" in node.inputs and "scalar_y" not in node.attributes:
            kind = "expand" if node.kind == "move" else node.kind
            self.probes[node.output] = OF_ONE[kind](node, probes[0])
            return
        sides = [
            self.probes[node.inputs[s]]
            if s in node.inputs
            else np.full(PROBES, node.attributes[f"scalar_{s}"])
            for s in ("x", "y")
        ]
        self.probes[node.output] = OF_TWO[node.kind](*sides) * 1.0

    def _statistic(self, node: Node, argument: Probe, rng: np.random.Generator) -> Probe:
        """The probe of a reduction; two reductions of the same numbers are the same number."""
        for known in self.statistics:
            same = known.node.kind == node.kind and known.node.attributes == node.attributes
            same = same and known.node.spelling == node.spelling
            if same and np.array_equal(known.argument, argument):
                return known.value
        value: Probe
        if node.kind in ("mean", "amax") and np.array_equal(argument, self.x):
            value = rng.uniform(-0.5, 0.5, PROBES)
        else:
            value = rng.uniform(1.0, 3.0, PROBES)
        self.statistics.append(Statistic(node, argument, value))
        return value


def pieces(b: Builder, top: Node) -> Iterator[Piece]:
    """Every piece that ends in `top` and takes a single value, the smallest first."""
    inside: dict[int, Node] = {id(top): top}
    while len(inside) <= LARGEST:
        entering: dict[int, list[tuple[Node, str]]] = {}
        for node in inside.values():
            for slot, value in node.inputs.items():
                maker = b.producer.get(value)
                if maker is None or id(maker) not in inside:
                    entering.setdefault(value, []).append((node, slot))
        free = {value for value in entering if not b.is_parameter(value)}
        if len(free) == 1 and len(inside) > 1:
            value = free.pop()
            owned = {v: uses[0] for v, uses in entering.items() if v != value}
            nodes = [node for node in b.nodes if id(node) in inside]
            yield Piece(top, nodes, value, entering[value], owned)
        grown = [maker for value in entering if (maker := _interior(b, value, inside)) is not None]
        if not grown:
            return
        inside[id(grown[0])] = grown[0]


def _interior(b: Builder, value: int, inside: Mapping[int, Node]) -> Node | None:
    """The operator that makes a value, if it is one to look through and only the piece reads it."""
    maker = b.producer.get(value)
    if maker is None or not evaluable(maker):
        return None
    readers = sum(list(node.inputs.values()).count(value) for node in inside.values())
    return maker if readers == b.uses[value] else None


def expands(move: Node) -> bool:
    """Whether a move repeats numbers and does nothing else."""
    return [kind for kind, _ in move.spelling.how] == ["expand"]


def evaluable(node: Node) -> bool:
    """Whether an operator works on single numbers, or makes one number of many."""
    if node.kind == "move":
        return expands(node)
    if node.kind == "constant":
        return node.attributes.get("value") is not None and not node.inputs
    if node.kind in STATISTICS:
        return "axes" in node.attributes
    return node.kind in OF_ONE or node.kind in OF_TWO or node.kind == "where"
