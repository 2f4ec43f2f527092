"""Traces written by hand, an operator a line: what the graph and the aligner read, without a framework."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from parity.graph.build import build
from parity.graph.node import Graph
from parity.ops.kinds import KINDS, Kind
from parity.trace.trace import Framework, Op, Parameter, Trace, Value


class Written:
    """A trace in the making. Values are numbers; calling it adds an operator and gives its result."""

    def __init__(self, framework: Framework = "torch"):
        self.trace = Trace(framework, "0", "Written", "eval", "float64", "cpu")

    def _value(self, shape: Sequence[int], origin: str, name: str = "") -> int:
        self.trace.values.append(Value(tuple(shape), "float64", origin, name))
        return len(self.trace.values) - 1

    def input(self, *shape: int, name: str = "") -> int:
        name = name or str(len(self.trace.inputs))
        self.trace.inputs[name] = self._value(shape, "input", name)
        return self.trace.inputs[name]

    def parameter(self, name: str, *shape: int) -> int:
        value = self._value(shape, "parameter", name)
        self.trace.parameters[name] = Parameter(value, registered=True, trainable=True)
        return value

    def __call__(
        self,
        kind: str,
        *values: int,
        to: Sequence[int] | None = None,
        slots: Sequence[str] = (),
        module: str = "",
        **attributes: object,
    ) -> int:
        """Add an operator. `to`: its result's shape, that of its broadcast inputs if not given."""
        results = self.several(
            kind, *values, to=[to or self.broadcast(*values)], slots=slots, module=module, **attributes
        )
        return results[0]

    def several(
        self,
        kind: str,
        *values: int,
        to: Sequence[Sequence[int]],
        slots: Sequence[str] = (),
        module: str = "",
        **attributes: object,
    ) -> tuple[int, ...]:
        """Add an operator with several results."""
        slots = slots or [slot.strip("*") for slot in KINDS.get(kind, Kind()).slots]
        if kind in ("concat", "stack"):
            slots = [f"x[{i}]" for i in range(len(values))]
        outputs = tuple(self._value(shape, "operator") for shape in to)
        index = len(self.trace.ops)
        inputs = dict(zip(slots, values, strict=False))
        self.trace.ops.append(
            Op(index, kind, kind, module, f"net.py:{index + 1}", inputs, outputs, attributes)
        )
        return outputs

    def broadcast(self, *values: int) -> tuple[int, ...]:
        return np.broadcast_shapes(*(self.trace.values[value].shape for value in values))

    def returns(self, *outputs: int) -> Trace:
        """The trace, whose model returns these values."""
        self.trace.outputs = {f"output[{i}]": value for i, value in enumerate(outputs)}
        return self.trace

    def graph(self, *outputs: int, pointwise: Collection[str] = ()) -> Graph:
        return build(self.returns(*outputs), pointwise)


def kinds(graph: Graph) -> list[str]:
    return [node.kind for node in graph.nodes]
