"""A trace as a graph in one canonical form, so that style does not matter.

Two correct ports of one network differ in a hundred ways that change nothing: a bias added by the
convolution or after it, `flatten` or `view` or a pool that keeps its dimensions, `chunk` or `split` or a
slice, ReLU6 or a clip, a pad of its own or the convolution's. Each rewrite here removes one such choice.
Values that hold the same numbers in the same order (reshapes, copies, switched-off dropout) become one.

A node keeps the numbers of the raw operators that it stands for and where each of its inputs enters them:
that is how a value is loaded, and how a teacher-forced run knows what to replace.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from parity import recurrent
from parity.moves import Indices, digest, index_map
from parity.ops.kinds import RECURRENT, SECOND, kind_of
from parity.trace import Framework, Op, Trace


@dataclass
class Node:
    """One canonical operator.

    inputs: slot -> value; shapes: slot -> shape of the input as the raw operator saw it.
    entries: slot -> (raw operator, raw slot) where the input enters; a slot without entry cannot be forced.
    output: the value it makes; `op` the raw operator that finally made it (-1: made by a rewrite, no array).
    indices: of a "move", where each number comes from. rows: of a layer that is part of a wider one (query, key
    and value packed into one Linear), which outputs of the wider layer it makes. content: a digest of the layer's own weight, if it has one.
    also: slot -> further places where the same input enters. decided: attribute -> raw operator that decides it, where
    the node is an operator that the model writes out.
    computed: weight slots that hold no parameter.
    owned: the parameter or buffer that arithmetic takes as one of its two numbers: a factor per channel, a mask.
    """

    kind: str
    inputs: dict[str, int]
    output: int
    attributes: dict[str, Any]
    op: int
    raw: tuple[int, ...]
    entries: dict[str, tuple[int, str]]
    shapes: dict[str, tuple[int, ...]]
    module: str
    line: str
    name: str
    order: float = 0.0
    dead: bool = False
    indices: Indices | None = None
    rows: tuple[int, int] | None = None
    content: str = ""
    also: dict[str, tuple[tuple[int, str], ...]] = field(default_factory=dict)
    decided: dict[str, int] = field(default_factory=dict)
    computed: frozenset[str] = frozenset()
    owned: str = ""

    @property
    def data(self) -> dict[str, int]:
        """Inputs that are not weights, or weights that the model computes (modulated, masked, standardized)."""
        weights = kind_of(self.kind).weights
        return {
            slot: value for slot, value in self.inputs.items() if slot not in weights or slot in self.computed
        }


ARITHMETIC = frozenset({"add", "sub", "mul", "div"})
"""Kinds of two numbers, of which one may be a model's own."""


@dataclass
class Silent:
    """An operator that changed nothing in this run: an Identity, a dropout in eval, a detach."""

    kind: str
    value: int
    attributes: Mapping[str, Any]
    module: str
    line: str


@dataclass
class Graph:
    """The canonical operators of a trace, in order, dead code removed."""

    framework: Framework
    trace: Trace
    nodes: list[Node]
    parameters: dict[int, str]
    inputs: dict[str, int]
    outputs: dict[str, int | None]
    shapes: dict[int, tuple[int, ...]]
    silent: list[Silent] = field(default_factory=list)
    stored: dict[int, int] = field(default_factory=dict)
    unknown: list[tuple[int, Node]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.index()

    def index(self) -> None:
        """Find producers and consumers anew, after nodes were changed."""
        self.producer: dict[int, Node] = {node.output: node for node in self.nodes}
        self.consumers: dict[int, list[tuple[Node, str]]] = defaultdict(list)
        for node in self.nodes:
            for slot, value in node.inputs.items():
                self.consumers[value].append((node, slot))

    def where(self, node: Node) -> str:
        """The user's line that made the call."""
        return node.line


def build(trace: Trace, pointwise: Collection[str] = ()) -> Graph:
    """The canonical graph of a trace; convolutions with a weight of `pointwise` are read as the Linears that they are."""
    from parity.rewrites import REWRITES

    return Builder(trace, REWRITES, pointwise).build()


Rewrite = Callable[["Builder", Node], bool]


class Builder:
    """Reads raw operators one by one, then rewrites to a fixed point."""

    def __init__(self, trace: Trace, rewrites: tuple[Rewrite, ...], pointwise: Collection[str] = ()) -> None:
        self.trace = trace
        self.pointwise = frozenset(pointwise)
        self.rewrites = rewrites
        self.alias: dict[int, int] = {}
        self.nodes: list[Node] = []
        self.silent: list[Silent] = []
        self.shapes: dict[int, tuple[int, ...]] = {i: v.shape for i, v in enumerate(trace.values)}
        self.next = len(trace.values)
        self.maker = {number: op for op in trace.ops for number in op.outputs}
        self.read_already: set[int] = set()
        self.parameters = {p.value: name for name, p in reversed(trace.parameters.items())}

    def resolve(self, value: int) -> int:
        while value in self.alias:
            value = self.alias[value]
        return value

    def build(self) -> Graph:
        for op in self.trace.ops:
            self._read(op)
        changed = True
        while changed:
            changed = False
            for rewrite in self.rewrites:
                changed |= self._rewrite(rewrite)
        outputs = {path: None if v is None else self.resolve(v) for path, v in self.trace.outputs.items()}
        nodes = self._alive([v for v in outputs.values() if v is not None])
        made = {node.output for node in nodes if not self._part_of_parameter(node)}
        for number, node in enumerate(nodes):
            node.order = float(number)
            node.computed = frozenset(
                slot for slot in kind_of(node.kind).weights if node.inputs.get(slot, -1) in made
            )
            if node.kind in ARITHMETIC:
                node.owned = next(filter(None, map(self._owner, node.inputs.values())), "")
        graph = Graph(
            framework=self.trace.framework,
            trace=self.trace,
            nodes=nodes,
            parameters=self.parameters,
            inputs={name: self.resolve(v) for name, v in self.trace.inputs.items()},
            outputs=outputs,
            shapes=self.shapes,
            silent=[replace(s, value=self.resolve(s.value)) for s in self.silent],
        )
        graph.stored = {node.output: node.output for node in nodes if node.op >= 0}
        for node in nodes:
            for value in node.inputs.values():
                if value < len(self.trace.values) and self.trace.values[value].origin == "unknown":
                    graph.unknown.append((value, node))
        return graph

    def _owner(self, value: int) -> str:
        """The parameter that a value is, in whatever shape; "" if it is none."""
        maker = self.producer.get(value)
        while maker is not None and maker.kind in ("move", "expand"):
            value = maker.inputs["x"]
            maker = self.producer.get(value)
        return self.parameters.get(value, "")

    def _part_of_parameter(self, node: Node) -> bool:
        """Whether a node's result is a parameter's own numbers: a slice of packed weights, a transpose."""
        return node.kind == "move" and self.is_parameter(node.inputs["x"])

    def _alive(self, roots: Iterable[int]) -> list[Node]:
        producer = {node.output: node for node in self.nodes}
        alive: set[int] = set()
        stack = list(roots)
        while stack:
            node = producer.get(stack.pop())
            if node is not None and id(node) not in alive:
                alive.add(id(node))
                stack.extend(node.inputs.values())
        return [node for node in self.nodes if id(node) in alive]

    # -- reading ----------------------------------------------------------------------------------

    def _read(self, op: Op) -> None:
        if op.index in self.read_already:
            return
        inputs = {slot: self.resolve(value) for slot, value in op.inputs.items()}
        raw_shapes = {slot: self.shapes[value] for slot, value in op.inputs.items()}
        attributes = dict(op.attributes)
        first = next(iter(inputs.values()), None)
        if op.kind in ("identity", "reshape") or (op.kind == "dropout" and _inactive(attributes)):
            if first is not None:
                self.alias[op.outputs[0]] = first
                silent = {"detached": "detach", "narrow": "cast"}
                kind = next((name for key, name in silent.items() if attributes.get(key)), op.kind)
                if kind in ("dropout", "detach", "cast"):
                    self.silent.append(Silent(kind, first, attributes, op.module, op.line))
            return
        if op.kind in ("split", "unbind"):
            self._read_split(op, inputs, raw_shapes)
            return
        if op.kind in RECURRENT:
            recurrent.read(self, op, inputs, raw_shapes)
            return
        if op.kind in recurrent.CELLS and len(raw_shapes["x"]) == 2:
            recurrent.read_cell(self, op, inputs)
            return
        if op.kind in ("var_mean", "std_mean"):
            self._read_moments(op, inputs, raw_shapes)
            return
        if op.kind == "attention":
            self._read_attention(op, inputs, raw_shapes)
            return
        if op.kind == "expand":
            # Another tensor may say the shape (`expand_as`); only the first one's numbers are used.
            inputs = {"x": inputs["x"]}
        if list(inputs) == ["x"]:
            indices = index_map(op.kind, attributes, raw_shapes["x"], self.shapes[op.outputs[0]])
            if indices is not None:
                self._move(op, inputs["x"], raw_shapes["x"], op.outputs[0], indices, op.kind, attributes)
                return
        if op.kind == "constant" and attributes.get("value") is not None:
            # Made like another tensor, it takes no number from it.
            inputs = {}
        if op.kind == "matmul":
            self._unfold_transposes(op, inputs, raw_shapes, attributes)
        node = Node(
            kind=op.kind,
            inputs=inputs,
            output=op.outputs[0],
            attributes=attributes,
            op=op.index,
            raw=(op.index,),
            entries={slot: (op.index, slot) for slot in inputs},
            shapes=raw_shapes,
            module=op.module,
            line=op.line,
            name=op.name,
        )
        self._add(node)
        # A second output (indices of a max, ...) is a value of its own.
        for extra in op.outputs[1:]:
            if op.kind not in ("batch_norm", "instance_norm", "layer_norm", "group_norm"):
                kind = SECOND.get(op.kind, f"{op.kind}.extra")
                self.nodes.append(replace(node, kind=kind, output=extra, inputs=dict(inputs)))

    def _add(self, node: Node) -> None:
        self.nodes.append(node)

    def fresh(self, shape: tuple[int, ...]) -> int:
        """A value that only the canonical form has."""
        self.shapes[self.next] = shape
        self.next += 1
        return self.next - 1

    def _move(
        self,
        op: Op,
        source: int,
        shape: tuple[int, ...],
        output: int,
        indices: Indices,
        kind: str,
        attributes: Mapping[str, Any],
        *,
        real: bool = True,
        slot: str = "x",
    ) -> None:
        """A node that takes each number of `output` from a place in `source`."""
        self._add(
            Node(
                "move",
                {"x": source},
                output,
                {"map": digest(indices), "op": kind, "how": ((kind, _spelled(kind, attributes, shape)),)},
                op.index if real else -1,
                (op.index,),
                {"x": (op.index, slot)},
                {"x": shape},
                op.module,
                op.line,
                op.name,
                indices=indices,
            )
        )

    def _swap_last(
        self, op: Op, value: int, shape: tuple[int, ...], slot: str
    ) -> tuple[int, tuple[int, ...]]:
        """The value with its last two dimensions exchanged, as a move of the canonical form alone."""
        rank = len(shape)
        perm = (*range(rank - 2), rank - 1, rank - 2)
        turned = tuple(shape[i] for i in perm)
        output = self.fresh(turned)
        indices = index_map("permute", {"perm": perm}, shape, turned)
        assert indices is not None
        self._move(op, value, shape, output, indices, "permute", {"perm": perm}, real=False, slot=slot)
        return output, turned

    def _unfold_transposes(
        self, op: Op, inputs: dict[str, int], shapes: dict[str, tuple[int, ...]], attributes: dict[str, Any]
    ) -> None:
        """A matmul that transposes by flag is a move before a plain matmul."""
        for slot in ("x", "y"):
            if attributes.pop(f"transpose_{slot}", False):
                inputs[slot], shapes[slot] = self._swap_last(op, inputs[slot], shapes[slot], slot)

    def _read_split(self, op: Op, inputs: dict[str, int], shapes: dict[str, tuple[int, ...]]) -> None:
        axis, shape = op.attributes["axis"], shapes["x"]
        start = 0
        for i, output in enumerate(op.outputs):
            width = 1 if op.kind == "unbind" else self.shapes[output][axis]
            entry: Any = i if op.kind == "unbind" else (start, start + width, 1)
            start += width
            attributes = {"slices": tuple(entry if d == axis else (0, n, 1) for d, n in enumerate(shape))}
            indices = index_map("getitem", attributes, shape, self.shapes[output])
            assert indices is not None
            self._move(op, inputs["x"], shape, output, indices, "getitem", attributes, real=i == 0)

    def _read_moments(self, op: Op, inputs: dict[str, int], shapes: dict[str, tuple[int, ...]]) -> None:
        """A variance (or deviation) and a mean in one call."""
        axes = {"axes": op.attributes["axes"]}
        entries = {"x": (op.index, "x")}
        for kind, output, attributes in (
            (
                op.kind.removesuffix("_mean"),
                op.outputs[0],
                {**axes, "correction": op.attributes["correction"]},
            ),
            ("mean", op.outputs[1], axes),
        ):
            number = op.index if output == op.outputs[0] else -1
            self._add(
                Node(
                    kind,
                    dict(inputs),
                    output,
                    attributes,
                    number,
                    (op.index,),
                    dict(entries),
                    dict(shapes),
                    op.module,
                    op.line,
                    op.name,
                )
            )

    def _read_attention(self, op: Op, inputs: dict[str, int], shapes: dict[str, tuple[int, ...]]) -> None:
        """Scaled dot-product attention, spelled out."""
        q, k, v = shapes["x"], shapes["key"], shapes["value"]
        scores = (*q[:-1], k[-2])

        def node(
            kind: str,
            ins: dict[str, int],
            attributes: dict[str, Any],
            entries: dict[str, tuple[int, str]],
            in_shapes: dict[str, tuple[int, ...]],
        ) -> int:
            output = self.fresh(scores)
            self._add(
                Node(
                    kind,
                    ins,
                    output,
                    attributes,
                    -1,
                    (op.index,),
                    entries,
                    in_shapes,
                    op.module,
                    op.line,
                    op.name,
                )
            )
            return output

        kt, turned = self._swap_last(op, inputs["key"], k, "key")
        s = node("matmul", {"x": inputs["x"], "y": kt}, {}, {"x": (op.index, "x")}, {"x": q, "y": turned})
        s = node("affine", {"x": s}, {"scale": op.attributes["scale"], "shift": 0.0}, {}, {"x": scores})
        if "mask" in inputs:
            s = node(
                "add",
                {"x": s, "y": inputs["mask"]},
                {},
                {"y": (op.index, "mask")},
                {"x": scores, "y": shapes["mask"]},
            )
        if op.attributes["causal"]:
            s = node("causal_mask", {"x": s}, {}, {}, {"x": scores})
        s = node("softmax", {"x": s}, {"axis": -1}, {}, {"x": scores})
        if op.attributes["p"]:
            rate = {"p": op.attributes["p"], "training": True, "mode": "upscale_in_train", "channels": False}
            s = node("dropout", {"x": s}, rate, {}, {"x": scores})
        self._add(
            Node(
                "matmul",
                {"x": s, "y": inputs["value"]},
                op.outputs[0],
                {},
                op.index,
                (op.index,),
                {"y": (op.index, "value")},
                {"x": scores, "y": v},
                op.module,
                op.line,
                op.name,
            )
        )

    # -- rewriting --------------------------------------------------------------------------------

    def _rewrite(self, rule: Rewrite) -> bool:
        outputs = [self.resolve(v) for v in self.trace.outputs.values() if v is not None]
        alive = {id(node) for node in self._alive(outputs)}
        for node in self.nodes:
            node.dead = id(node) not in alive
        self.nodes = [node for node in self.nodes if not node.dead]
        self.producer = {node.output: node for node in self.nodes}
        self.uses: dict[int, int] = defaultdict(int)
        for node in self.nodes:
            for value in node.inputs.values():
                self.uses[value] += 1
        for output in self.trace.outputs.values():
            if output is not None:
                self.uses[self.resolve(output)] += 1
        changed = False
        for node in list(self.nodes):
            if not node.dead and rule(self, node):
                changed = True
        return changed

    def drop(self, node: Node) -> None:
        """Take a node out; whoever consumed its output must have been redirected."""
        node.dead = True
        self.nodes.remove(node)
        if self.producer.get(node.output) is node:
            del self.producer[node.output]

    def remove(self, node: Node, becomes: int) -> None:
        """Drop a node: its output is the value `becomes`."""
        self.drop(node)
        self.alias[node.output] = becomes
        for other in self.nodes:
            for slot, value in other.inputs.items():
                if value == node.output:
                    other.inputs[slot] = becomes

    def absorb(self, first: Node, second: Node) -> None:
        """`second` consumes `first` alone and becomes part of it: `first` now makes second's output."""
        first.raw = (*first.raw, *second.raw)
        self.producer.pop(first.output, None)
        first.output, first.op = second.output, second.op
        second.dead = True
        self.producer[first.output] = first
        # The merged node stands where the last of its parts stood.
        self.nodes.remove(first)
        at = self.nodes.index(second)
        self.nodes.remove(second)
        if second.op >= 0:
            at = next((i for i, n in enumerate(self.nodes) if n.op > second.op), len(self.nodes))
        self.nodes.insert(at, first)

    def insert_before(self, place: Node, node: Node) -> None:
        """Put a new node in front of another."""
        self.nodes.insert(self.nodes.index(place), node)
        self.producer[node.output] = node
        self.uses[node.output] += 1

    def only_use(self, value: int) -> bool:
        return self.uses[value] == 1

    def is_parameter(self, value: int) -> bool:
        return value in self.parameters


def _inactive(attributes: Mapping[str, Any]) -> bool:
    """A dropout that passes its input through unchanged."""
    if attributes["p"] == 0:
        return True
    return not attributes["training"] and attributes["mode"] != "downscale_in_infer"


def _spelled(kind: str, attributes: Mapping[str, Any], shape: tuple[int, ...]) -> str:
    """How a move was written and on which shape, for a message."""
    if kind == "getitem":
        entries = []
        for entry in attributes["slices"]:
            entries.append(
                str(entry)
                if isinstance(entry, int)
                else f"{entry[0]}:{entry[1]}" + (f":{entry[2]}" if entry[2] != 1 else "")
            )
        return f"slice [{', '.join(entries)}]"
    values = ", ".join(str(value) for value in attributes.values())
    return f"{kind}({values}) of shape {list(shape)}"
