"""Recurrent layers as one operator: the frameworks' own kernels, read into one form.

Both run a whole LSTM, GRU or plain RNN as one call, with layers and directions inside, but list its weights in
another order, start from zeros that somebody made or from nothing, and Paddle turns batch and time round the
call by hand. Here it takes [batch, time, features] and has each weight in a slot of its own. A
cell of torch is one call too; Paddle's is written out, so torch's is spelled out alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from parity.graph.moves import Indices, index_map
from parity.graph.node import Input, Node, Spelling
from parity.trace.trace import Op

if TYPE_CHECKING:
    from parity.graph.builder import Builder


STATES = ("h_0", "c_0")


_TURN = (1, 0, 2)


def slots(layers: int, directions: int, roles: tuple[str, ...]) -> list[str]:
    """Names of a layer's weights, as both frameworks spell them, by layer and direction."""
    return [
        f"{role}_l{number}{suffix}"
        for number in range(layers)
        for suffix in ("", "_reverse")[:directions]
        for role in roles
    ]


def weight_slots(op: Op, framework: str) -> list[str]:
    """The slot of each weight of a call, in the order of the framework's list."""
    a = op.attributes
    layers, directions = a["num_layers"], 2 if a["bidirectional"] else 1
    count = sum(slot.startswith("weights[") for slot in op.inputs)
    if framework == "paddle":
        # All weights, then all biases (paddle/nn/layer/rnn.py, RNNBase.flatten_parameters).
        both = slots(layers, directions, ("weight_ih", "weight_hh"))
        return (both + slots(layers, directions, ("bias_ih", "bias_hh")))[:count]
    weights, biases, projection = ("weight_ih", "weight_hh"), ("bias_ih", "bias_hh"), ("weight_hr",)
    of_one = {2: weights, 3: weights + projection, 4: weights + biases, 5: weights + biases + projection}
    return slots(layers, directions, of_one.get(count // (layers * directions), ()))


def read(b: Builder, op: Op, takes: Mapping[str, Input]) -> None:
    """Add the nodes of one call of a recurrent layer: the sequence, and the last states that come with it."""
    names = {f"weights[{i}]": slot for i, slot in enumerate(weight_slots(op, b.trace.framework))}
    names |= {"x": "x", "states": "h_0", "states[0]": "h_0", "states[1]": "c_0", "sequence_length": "lengths"}
    kept = [s for s in takes if s in names and not (names[s] in STATES and _zeros(b, op.inputs[s]))]
    node = Node(
        kind=op.kind,
        takes={names[s]: takes[s] for s in kept},
        output=op.outputs[0],
        attributes=dict(op.attributes),
        op=op.index,
        raw=(op.index,),
        module=op.module,
        line=op.line,
        name=op.name,
    )
    back = _batch_first(b, op, node) if node.attributes["time_major"] else None
    b.nodes.append(node)
    if back is not None:
        # Whatever takes the sequence as the kernel made it takes it turned back.
        shape = b.shapes[node.output]
        b.move(op, node.output, shape, op.outputs[0], back, "permute", {"perm": _TURN}, real=node.op < 0)
        b.nodes[-1].takes = {"x": b.nodes[-1].takes["x"].inside()}
    last = op.outputs[-2:] if op.kind == "lstm" else op.outputs[-1:]
    for state, number in zip(("h_n", "c_n"), last, strict=False):
        b.nodes.append(
            Node(
                f"{op.kind}.{state}", {"x": Input(node.output, b.shapes[node.output])}, number, {}, -1,
                (op.index,), op.module, op.line, op.name,
            )
        )  # fmt: skip


def _zeros(b: Builder, value: int) -> bool:
    """Whether a value was made as zeros, which is what a layer starts from if it is given nothing."""
    maker = b.trace.maker.get(value)
    if maker is None or maker.kind != "constant":
        return False
    return maker.attributes.get("value") == 0.0 or "zeros" in maker.name


def _batch_first(b: Builder, op: Op, node: Any) -> Indices | None:
    """Take in the turns of batch and time round a call; the sequence is then [batch, time, features].

    Returns the way back to what the kernel itself made, or None if nothing is turned.
    """
    before = b.trace.maker.get(op.inputs["x"])
    if before is None or not _turns(before):
        return None
    node.attributes["time_major"] = False
    source = before.inputs["x"]
    node.takes["x"] = Input(b.resolve(source), b.shapes[source], ((before.index, "x"),))
    node.raw = (before.index, op.index)
    behind = next((o for o in b.trace.ops if _turns(o) and o.inputs["x"] == op.outputs[0]), None)
    steps, batch, width = b.shapes[op.outputs[0]]
    if behind is None:
        node.output, node.op = b.fresh((batch, steps, width)), -1
    else:
        node.output, node.op = behind.outputs[0], behind.index
        node.raw = (*node.raw, behind.index)
        b.read_already.add(behind.index)
    indices = index_map("permute", {"perm": _TURN}, (batch, steps, width), (steps, batch, width))
    assert indices is not None
    return indices


def _turns(op: Op) -> bool:
    return op.kind == "permute" and tuple(op.attributes["perm"]) == _TURN


@dataclass
class _Spelled:
    """Adds the nodes that a cell stands for, one after the other."""

    b: Builder
    op: Op

    def add(
        self,
        kind: str,
        inputs: dict[str, int],
        shape: tuple[int, ...],
        *,
        output: int = -1,
        entries: Mapping[str, tuple[int, str]] | None = None,
        layout: str = "",
        **attributes: Any,
    ) -> int:
        """A node; `output` is the value that the call itself made, if it is one."""
        op, b = self.op, self.b
        made = output if output >= 0 else b.fresh(shape)
        places = {slot: (place,) for slot, place in (entries or {}).items()}
        takes = {slot: Input(value, b.shapes[value], places.get(slot, ())) for slot, value in inputs.items()}
        number = op.index if output == op.outputs[0] else -1
        node = Node(kind, takes, made, attributes, number, (op.index,), op.module, op.line, op.name)
        node.spelling = Spelling(layout=layout)
        b.nodes.append(node)
        return made

    def part(self, value: int, number: int, width: int) -> int:
        """One gate's columns."""
        batch, whole = self.b.shapes[value]
        attributes = {"slices": ((0, batch, 1), (number * width, (number + 1) * width, 1))}
        output = self.b.fresh((batch, width))
        indices = index_map("getitem", attributes, (batch, whole), (batch, width))
        assert indices is not None
        self.b.move(self.op, value, (batch, whole), output, indices, "getitem", attributes, real=False)
        move = self.b.nodes[-1]
        move.takes = {"x": move.takes["x"].inside()}
        return output


def read_cell(b: Builder, op: Op, takes: Mapping[str, Input]) -> None:
    """Spell one step of torch's cell out, as Paddle's does it (paddle/nn/layer/rnn.py)."""
    inputs = {slot: taken.value for slot, taken in takes.items()}
    spelled = _Spelled(b, op)
    state = inputs.get("states", inputs.get("states[0]", -1))
    batch, hidden = b.shapes[state]
    gates = {"lstm_cell": 4, "gru_cell": 3}.get(op.kind, 1)

    def linear(slot: str, value: int, suffix: str) -> int:
        names = {"x": value, "weight": inputs[f"weight_{suffix}"]}
        entries = {"x": (op.index, slot), "weight": (op.index, f"weight_{suffix}")}
        if f"bias_{suffix}" in inputs:
            names["bias"] = inputs[f"bias_{suffix}"]
            entries["bias"] = (op.index, f"bias_{suffix}")
        return spelled.add("linear", names, (batch, gates * hidden), entries=entries, layout="out_in")

    slot = "states" if "states" in inputs else "states[0]"
    given, kept = linear("x", inputs["x"], "ih"), linear(slot, state, "hh")
    _CELLS[op.kind](spelled, given, kept, inputs, (batch, hidden))


def _lstm_cell(s: _Spelled, given: int, kept: int, inputs: Mapping[str, int], shape: tuple[int, int]) -> None:
    gates = s.add("add", {"x": given, "y": kept}, (shape[0], 4 * shape[1]))
    i, f, g, o = (s.part(gates, number, shape[1]) for number in range(4))
    i, f, o = (s.add("sigmoid", {"x": gate}, shape) for gate in (i, f, o))
    remembered = s.add(
        "mul", {"x": f, "y": inputs["states[1]"]}, shape, entries={"y": (s.op.index, "states[1]")}
    )
    new = s.add("mul", {"x": i, "y": s.add("tanh", {"x": g}, shape)}, shape)
    c = s.add("add", {"x": remembered, "y": new}, shape, output=s.op.outputs[1])
    s.add("mul", {"x": o, "y": s.add("tanh", {"x": c}, shape)}, shape, output=s.op.outputs[0])


def _gru_cell(s: _Spelled, given: int, kept: int, inputs: Mapping[str, int], shape: tuple[int, int]) -> None:
    x_r, x_z, x_c = (s.part(given, number, shape[1]) for number in range(3))
    h_r, h_z, h_c = (s.part(kept, number, shape[1]) for number in range(3))
    r = s.add("sigmoid", {"x": s.add("add", {"x": x_r, "y": h_r}, shape)}, shape)
    z = s.add("sigmoid", {"x": s.add("add", {"x": x_z, "y": h_z}, shape)}, shape)
    share = s.add("mul", {"x": r, "y": h_c}, shape)
    c = s.add("tanh", {"x": s.add("add", {"x": x_c, "y": share}, shape)}, shape)
    state, entry = inputs["states"], (s.op.index, "states")
    gap = s.add("sub", {"x": state, "y": c}, shape, entries={"x": entry})
    s.add(
        "add", {"x": s.add("mul", {"x": gap, "y": z}, shape), "y": c}, shape, output=s.op.outputs[0]
    )  # fmt: skip


def _plain_cell(activation: str) -> Any:
    def cell(s: _Spelled, given: int, kept: int, inputs: Mapping[str, int], shape: tuple[int, int]) -> None:
        s.add(activation, {"x": s.add("add", {"x": given, "y": kept}, shape)}, shape, output=s.op.outputs[0])

    return cell


_CELLS: Mapping[str, Any] = {
    "lstm_cell": _lstm_cell,
    "gru_cell": _gru_cell,
    "rnn_tanh_cell": _plain_cell("tanh"),
    "rnn_relu_cell": _plain_cell("relu"),
}


CELLS = frozenset(_CELLS)
