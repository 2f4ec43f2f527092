"""What a run of one model looked like: its operators, values and parameters.

A trace is plain data. It is written by the side that has the framework and read by the side that
compares, which needs numpy alone; the two may be different processes, environments or machines.
The arrays themselves live in a `parity.trace.values.ValueStore` beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, Literal

Framework = Literal["paddle", "torch"]

TRACE_VERSION = 3


@dataclass(frozen=True)
class Value:
    """One tensor that existed during the run.

    `origin` says where it came from: "input", "parameter", "constant" (made outside any operator but
    found on the model), "operator", or "unknown" (nobody saw it being made: it is never trusted).
    """

    shape: tuple[int, ...]
    dtype: str
    origin: str
    name: str = ""


@dataclass(frozen=True)
class Op:
    """One operator call, in the vocabulary that both frameworks share (`parity.ops`).

    `inputs` maps slot names ("x", "weight", ...) to value numbers; a slot that takes a list of
    tensors is spelled "x[0]", "x[1]", ... `line` is the user's line that made the call, `module` the
    path of the innermost module that was running.
    """

    index: int
    kind: str
    name: str
    module: str
    line: str
    inputs: Mapping[str, int]
    outputs: tuple[int, ...]
    attributes: Mapping[str, Any]


@dataclass(frozen=True)
class Parameter:
    """A parameter or buffer: its value number, and whether the state dict holds it."""

    value: int
    registered: bool
    trainable: bool


@dataclass
class Trace:
    """A run of one model on one input in one precision.

    modules, constructors, calls, returns: module path -> its class; the line that makes it; (next operator, line) of each
    call; the last line of its own forward. arguments: of a layer of the framework's own, what it was made with. A run with
    gradients also has `flows`, operator -> slots through which gradients can flow ("" for its result); `hooks`, (value, line) of
    each gradient hook the model registered; and `loss_at`, the index of the first operator of the loss. results: path -> what
    the model returns there: "tensor", "number", "array", "text" or "other", and its text or type. asked: the values whose
    numbers the model took out of their tensor. written: the inputs that it wrote into. kept: the modules of which forward
    changed a plain attribute (a count, a cache). counts: the plain numbers among them, and what they are now. updated: the buffers
    that it changed. named: the sizes that the model's code compares with; edges: all other numbers in it. branches: those
    of its code that depend on what it is given -> whether this run entered them. notes, doubts: what the run has to say for itself; with a doubt, equal numbers
    prove nothing. raised: of a run that raised, the error, the user's line and module, and kind and inputs of the operator, if
    it was one.
    """

    framework: Framework
    framework_version: str
    model: str
    mode: str
    precision: str
    device: str
    ops: list[Op] = field(default_factory=list)
    values: list[Value] = field(default_factory=list)
    parameters: dict[str, Parameter] = field(default_factory=dict)
    inputs: dict[str, int] = field(default_factory=dict)
    outputs: dict[str, int | None] = field(default_factory=dict)
    modules: dict[str, dict[str, str]] = field(default_factory=dict)
    constructors: dict[str, str] = field(default_factory=dict)
    calls: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    returns: dict[str, str] = field(default_factory=dict)
    unregistered: dict[str, str] = field(default_factory=dict)
    arguments: dict[str, dict[str, Any]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    flows: dict[str, list[str]] = field(default_factory=dict)
    hooks: list[tuple[int, str]] = field(default_factory=list)
    hooked: list[str] = field(default_factory=list)
    reads: list[tuple[int, str, str]] = field(default_factory=list)
    asked: list[int] = field(default_factory=list)
    written: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    counts: dict[str, float] = field(default_factory=dict)
    updated: list[str] = field(default_factory=list)
    named: list[int] = field(default_factory=list)
    edges: list[float] = field(default_factory=list)
    results: dict[str, list[str]] = field(default_factory=dict)
    loss_at: int = -1
    branches: dict[str, bool] = field(default_factory=dict)
    raised: dict[str, Any] = field(default_factory=dict)
    version: int = TRACE_VERSION

    @cached_property
    def maker(self) -> Mapping[int, Op]:
        """Value -> the operator that made it, the last one that wrote it; of a run that is over."""
        return {value: op for op in self.ops for value in op.outputs}

    def to_json(self) -> dict[str, Any]:
        """The trace as JSON-ready data (arrays are not included)."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Trace:
        """The inverse of `to_json`; raises KeyError or TypeError on foreign data."""
        fields = dict(data)
        fields["ops"] = [
            Op(**{**op, "outputs": tuple(op["outputs"]), "attributes": _tuples(op["attributes"])})
            for op in data["ops"]
        ]
        fields["values"] = [Value(**{**value, "shape": tuple(value["shape"])}) for value in data["values"]]
        fields["parameters"] = {name: Parameter(**p) for name, p in data["parameters"].items()}
        return cls(**fields)


def _tuples(value: Any) -> Any:
    """JSON has no tuples: attributes come back as they were recorded, with tuples for lists."""
    if isinstance(value, list):
        return tuple(_tuples(item) for item in value)
    if isinstance(value, dict):
        return {key: _tuples(item) for key, item in value.items()}
    return value
