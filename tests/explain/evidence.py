"""Evidence written by hand: a few operators on both sides, with numbers that say what a test needs, and no framework."""

from __future__ import annotations

import numpy as np

from parity.align.alignment import Alignment, Edge, Pair
from parity.capture.replay import Measurement
from parity.explain.claims import Claims
from parity.explain.evidence import Evidence
from parity.graph.node import Graph, Input, Node
from parity.numbers.compare import difference
from parity.runs.run import Run
from parity.trace.trace import Op, Trace
from parity.trace.values import ValueStore

RIGHT, WRONG = np.array([1.0, 2.0]), np.array([1.0, 3.0])
"""What Paddle has everywhere, and what torch has where it differs."""


def node(kind, output, inputs=(0,), weights=(), module="", line="net.py:1", **attributes):
    """An operator that makes value `output` (and is the operator of that number) of the values `inputs`."""
    slots = ("x", "y") if kind != "concat" else [f"x[{i}]" for i in range(len(inputs))]
    taken = {**dict(zip(slots, inputs, strict=False)), **dict(weights)}
    takes = {slot: Input(value, RIGHT.shape, ((output, slot),)) for slot, value in taken.items()}
    return Node(kind, takes, output, attributes, output, (output,), module, line, kind, order=float(output))


class Hand:
    """Two graphs that grow by pairs and by operators of one side; torch's values are Paddle's plus 100."""

    def __init__(self, folder):
        self.folder, self.mode = folder, "eval"
        self.nodes = {"paddle": [], "torch": []}
        self.pairs: list[tuple[Node, Node]] = []
        self.parameters = {"paddle": {}, "torch": {}}
        self.wrong: set[int] = set()
        self.alone: dict[int, np.ndarray] = {}
        self.edges: list[tuple[int, str, tuple[Node, ...], tuple[Node, ...]]] = []
        self.outputs_agree = False
        self.stores: list[ValueStore] = []

    def close(self):
        for store in self.stores:
            store.close()

    def pair(self, kind, output, inputs=(0,), *, taken=None, paddle=None, torch=None, **common):
        """An aligned operator; `taken`, torch's inputs where they are not those that correspond."""
        theirs = node(kind, output, inputs, **common, **(paddle or {}))
        ours = [value + 100 for value in inputs] if taken is None else taken
        both = theirs, node(kind, output + 100, ours, **common, **(torch or {}))
        for side, one in zip(("paddle", "torch"), both, strict=True):
            self.nodes[side].append(one)
        self.pairs.append(both)
        return both

    def only(self, side, kind, output, inputs, **rest):
        """An operator that one side alone has."""
        made = node(kind, output, inputs, **rest)
        self.nodes[side].append(made)
        return made

    def differs(self, *outputs, alone=True):
        """torch's results of these operators of Paddle's are wrong in the free run, and alone if so."""
        self.wrong.update(value + 100 for value in outputs)
        for value in outputs:
            self.alone[value + 100] = WRONG if alone else RIGHT

    def edge(self, output, slot="x", only_paddle=(), only_torch=()):
        """An input of the pair that makes `output`, which the two sides do not feed from one value."""
        self.edges.append((output, slot, tuple(only_paddle), tuple(only_torch)))

    def evidence(self):
        runs = {side: self._run(side) for side in ("paddle", "torch")}
        graphs = {side: self._graph(side, runs[side].trace) for side in runs}
        alignment = Alignment(graphs["paddle"], graphs["torch"], same={100: 0})
        for theirs, ours in self.pairs:
            alignment.add(Pair(theirs, ours, {slot: slot for slot in ours.inputs if slot in theirs.inputs}))
        last = self.nodes["paddle"][-1].output, self.nodes["torch"][-1].output
        alignment.outputs["output"] = last
        alignment.only_paddle = [n for n in graphs["paddle"].nodes if not alignment.has_paddle(n)]
        alignment.only_torch = [n for n in graphs["torch"].nodes if not alignment.has_torch(n)]
        by_output = {pair.paddle.output: pair for pair in alignment.pairs}
        for output, slot, only_paddle, only_torch in self.edges:
            pair = by_output[output]
            values = pair.torch.inputs[slot], pair.paddle.inputs[slot]
            alignment.edges.append(Edge(pair, slot, *values, only_paddle, only_torch))
        owned = [dict.fromkeys(self.parameters[side], RIGHT) for side in ("paddle", "torch")]
        return Evidence(runs["paddle"], runs["torch"], *owned, alignment, self._replay)

    def _run(self, side):
        trace = Trace(side, "0", "Net", self.mode, "float64", "cpu")
        store = ValueStore(self.folder / side)
        self.stores.append(store)
        ops = {}
        for one in self.nodes[side]:
            ops[one.output] = Op(
                one.output,
                one.kind,
                one.name,
                one.module,
                one.line,
                one.inputs,
                (one.output,),
                one.attributes,
            )
            store.put(str(one.output), WRONG if side == "torch" and one.output in self.wrong else RIGHT)
        store.put("0" if side == "paddle" else "100", RIGHT)
        trace.ops = [ops.get(i, Op(i, "", "", "", "", {}, (), {})) for i in range(max(ops) + 1)]
        trace.outputs = {"output": self.nodes[side][-1].output}
        trace.results = {"output": ["tensor", ""]}
        store.put("output:output", RIGHT if side == "paddle" or self.outputs_agree else WRONG)
        return Run(trace, store)

    def _graph(self, side, trace):
        first = 0 if side == "paddle" else 100
        values = {first, *(one.output for one in self.nodes[side])}
        values.update(v for one in self.nodes[side] for v in one.inputs.values())
        return Graph(
            side,
            trace,
            self.nodes[side],
            {number: name for name, number in self.parameters[side].items()},
            {"x": first},
            dict(trace.outputs),
            dict.fromkeys(values, RIGHT.shape),
        )

    def _replay(self, plan):
        # Given no inputs, torch goes its own way: what it feeds otherwise comes out wrong too.
        results = {op: self.alone.get(op, RIGHT if plan.inputs else self._taken(op)) for op in plan.outputs}
        found = [Measurement(op, None, difference(made, RIGHT)) for op, made in results.items()]
        for op, slots in plan.inputs.items():
            for slot in slots:
                found.append(Measurement(op, slot, difference(self._taken(op, slot), RIGHT)))
        return found

    def _taken(self, op, slot=None):
        """What an operator of torch's takes (at a slot): wrong if an edge says that it is fed otherwise."""
        fed = any(output + 100 == op and slot in (None, at) for output, at, *_ in self.edges)
        return WRONG if fed else RIGHT


def said(explain, evidence, claims=None):
    """What an explainer says, as the judge would keep it."""
    claims = claims or Claims()
    for claim in explain(evidence, claims):
        claims.add(claim)
    return claims


def status(claims, evidence, output):
    """What becomes of the row of the pair that makes a value of Paddle's."""
    pair = next(pair for pair in evidence.alignment.pairs if pair.paddle.output == output)
    return claims.status(pair, evidence.row(pair).status)


def told(claims):
    """(subject, attribute, values, shows) of every fault."""
    return [(c.what, c.attribute, c.values, c.shows) for c in claims.faults]
