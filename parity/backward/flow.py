"""Where gradients can flow at all: frozen weights, tied ones, a detach, a no_grad block, on one side only.

Each operator's inputs are known to require gradients or not, so this is seen exactly, without arithmetic.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from parity.align.alignment import Alignment, Pair
from parity.align.weights import WeightPair, held, weight_pairs
from parity.backward.claims import Below, Claim, Cut, Fault
from parity.backward.ties import find_ties
from parity.backward.unpaired import is_detach, unpaired
from parity.graph.node import Graph, Node
from parity.results.finding import Finding, Note
from parity.runs.run import Run
from parity.trace.trace import Trace
from parity.trace.values import Array

_Cuts = dict[str, dict[int, list[Below]]]
"""Side -> operator that cuts -> what lies below it."""


@dataclass
class GradientJudgement:
    """What going backward showed.

    twins: the parameters that correspond through aligned operators. others: those that correspond by name or numbers alone. constants: the largest relative difference of a gradient that a framework's float32
    constants explain. seen: (layer, operator) of what was known already and shows in gradients.
    """

    findings: list[Finding] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    inconclusive: list[str] = field(default_factory=list)
    twins: list[WeightPair] = field(default_factory=list)
    others: list[WeightPair] = field(default_factory=list)
    alignment: Alignment | None = None
    constants: float = 0.0
    seen: set[tuple[str, str]] = field(default_factory=set)


class Flow:
    """Findings about which values get gradients; what comes of the gradients themselves adds to them."""

    def __init__(
        self, paddle: Run, torch: Run, alignment: Alignment, torch_parameters: Mapping[str, Array]
    ) -> None:
        self.paddle, self.torch, self.alignment = paddle, torch, alignment
        self.numbers = torch_parameters
        self.result = GradientJudgement(twins=weight_pairs(alignment), alignment=alignment)
        self.found: list[Claim] = []
        self.said: list[Claim] = []
        self.explained: set[int] = set()
        self.frozen: set[str] = set()
        self.custom = {graph.framework: _custom(graph.trace) for graph in (alignment.torch, alignment.paddle)}

    def _judge_flow(self) -> None:
        self._frozen()
        self._ties()
        self._cuts()

    def _frozen(self) -> None:
        """Weights that train on one side only."""
        by_pair: dict[int, list[WeightPair]] = defaultdict(list)
        for twin in self.result.twins:
            torch = self.torch.trace.parameters[twin.torch.name].trainable
            paddle = self.paddle.trace.parameters[twin.paddle.name].trainable
            if torch != paddle:
                by_pair[id(twin.pair)].append(twin)
                self.frozen.add(twin.torch.name)
                self.explained.add(twin.pair.torch.inputs[twin.slot])
        for twins in by_pair.values():
            twin = twins[0]
            names = [t.name for t in twins]
            trains = self.torch.trace.parameters[twin.torch.name].trainable
            self._add(
                Fault.FROZEN,
                twin.pair,
                {"parameters": names},
                attribute="trainable",
                values=(not trains, trains),
                details=(names, twin.paddle.name),
            )

    def _ties(self) -> None:
        """Weights that are one parameter on one side and several on the other."""
        for tie in find_ties(
            self.paddle.trace, self.torch.trace, self.alignment, self.result.twins, self.numbers
        ):
            self.explained |= tie.values
            self._add(
                Fault.TIE,
                tie.pair,
                {"parameters": list(tie.names)},
                node=tie.node,
                attribute=tie.names[-1],
                values=tie.parameters,
                details=tie,
            )

    def _cuts(self) -> None:
        """Inputs through which gradients flow on one side only: a detach, a no_grad block, `weight.data`."""
        cuts: _Cuts = {"torch": defaultdict(list), "Paddle": defaultdict(list)}
        for pair in self.alignment.pairs:
            for torch_slot, paddle_slot in pair.slots.items():
                torch = self._flows(self.alignment.torch, pair.torch, torch_slot)
                paddle = self._flows(self.alignment.paddle, pair.paddle, paddle_slot)
                if torch is None or paddle is None or torch == paddle:
                    continue
                self.explained.add(pair.torch.inputs[torch_slot])
                weight = (
                    None
                    if torch_slot in pair.torch.data
                    else held(self.alignment.torch, pair.torch, torch_slot)
                )
                if weight is not None and weight.name in self.frozen:
                    continue
                side = "Paddle" if torch else "torch"
                if not self._arrives(*(("torch", pair.torch) if torch else ("paddle", pair.paddle))):
                    continue
                graph = self.alignment.paddle if torch else self.alignment.torch
                node, slot = (pair.paddle, paddle_slot) if torch else (pair.torch, torch_slot)
                raw, entry = node.takes[slot].places[0]
                found = _where_cut(graph.trace, graph.trace.ops[raw].inputs[entry])
                for op in found:
                    name = _parameter_cut(graph.trace, op) if weight is None else weight.name
                    cuts[side][op].append(Below(pair, name))
                if not found:
                    self._add(
                        Fault.NO_WAY,
                        pair,
                        {"input": torch_slot},
                        attribute=torch_slot,
                        values=(paddle, torch),
                    )
        self._cut_outputs(cuts)
        self._claim_cuts(cuts)

    def _unpaired_cuts(self) -> None:
        """Detaches on one side alone in parts that are written otherwise."""
        cuts: _Cuts = {"torch": defaultdict(list), "Paddle": defaultdict(list)}
        known = {
            (claim.details.side, op.index)
            for claim in self.found
            if claim.what is Fault.CUT
            for op in claim.details.ops
        }
        for found in unpaired(self.paddle, self.torch):
            if (found.side, found.detach.index) not in known:
                self.explained.add(found.value)
                cuts[found.side][found.detach.index].append(Below(reader=found.reader))
        self._claim_cuts(cuts)

    def _claim_cuts(self, cuts: _Cuts) -> None:
        for side, edges in cuts.items():
            graph = self.alignment.torch if side == "torch" else self.alignment.paddle
            for group in _regions(graph.trace, sorted(edges)):
                self._cut(side, graph, group, [below for op in group for below in edges[op]])

    def _cut_outputs(self, cuts: _Cuts) -> None:
        """Results of the model that a loss can go backward from on one side only."""
        for path in self.torch.trace.outputs:
            if self.torch.trace.results[path][0] != "tensor":
                continue
            torch, paddle = (self._leaves(run.trace, path) for run in (self.torch, self.paddle))
            if torch is None or paddle is None or torch == paddle:
                continue
            side, trace = ("Paddle", self.paddle.trace) if torch else ("torch", self.torch.trace)
            for op in _where_cut(trace, trace.outputs[path]):
                cuts[side][op].append(Below(result=path))
                self.explained.add(self.alignment.torch.outputs[path] or -1)

    def _leaves(self, trace: Trace, path: str) -> bool | None:
        """Whether gradients flow through one of the model's results; None if no operator that is known made it."""
        value = trace.outputs[path]
        maker = trace.maker.get(-1 if value is None else value)
        if maker is None or maker.index in self.custom[trace.framework]:
            return None
        return "" in trace.flows.get(str(maker.index), [])

    def _arrives(self, side: str, node: Node) -> bool:
        """Whether a gradient came to an operator or to anything that its result went into."""
        run, graph = (
            (self.torch, self.alignment.torch) if side == "torch" else (self.paddle, self.alignment.paddle)
        )
        stack, seen = [node.output], {node.output}
        while stack:
            value = stack.pop()
            if f"grad:{value}" in run.store:
                return True
            below = {user.output for user, _ in graph.consumers.get(value, [])} - seen
            seen |= below
            stack.extend(below)
        return False

    def _flows(self, graph: Graph, node: Node, slot: str) -> bool | None:
        """Whether gradients flow through an input as it enters the raw operator; None if that cannot be told."""
        place = node.place(slot)
        if place is None:
            return None
        op, raw = place
        if op in self.custom[graph.framework]:
            return None
        return raw in graph.trace.flows.get(str(op), [])

    def _cut(self, side: str, graph: Graph, group: list[int], below: list[Below]) -> None:
        ops = [graph.trace.ops[index] for index in group]
        if ops[0].attributes.get("detached"):
            operator = "detach"
        elif "" in graph.trace.flows.get(str(ops[0].index), []):
            operator = "stop_gradient"
        else:
            operator = "no_grad"
        pairs = [one.pair for one in below if one.pair is not None]
        self.found.append(
            Claim(
                Fault.CUT,
                pair=pairs[0] if pairs else None,
                attribute=operator,
                values=(side == "Paddle", side == "torch"),
                details=Cut(side, ops, below),
                order=max((pair.paddle.order for pair in pairs), default=float("inf")),
            )
        )

    def _add(
        self,
        what: Fault,
        pair: Pair | None,
        evidence: Mapping[str, Any],
        *,
        node: Node | None = None,
        attribute: str = "",
        values: tuple[Any, Any] | None = None,
        details: Any = None,
    ) -> None:
        """Claim a fault of an aligned operator, or of one of torch's alone."""
        node = node or (pair.torch if pair is not None else None)
        assert node is not None
        order = pair.paddle.order if pair is not None else node.order
        self.found.append(Claim(what, node, pair, attribute, values, evidence, details, order))


def _where_cut(trace: Trace, value: int | None) -> list[int]:
    """The operators above a value that a gradient could reach from their own inputs, but not from this value."""
    found: list[int] = []
    stack, seen = [-1 if value is None else value], set()
    while stack:
        op = trace.maker.get(stack.pop())
        if op is None or op.index in seen:
            continue
        seen.add(op.index)
        flows = trace.flows.get(str(op.index), [])
        if flows:
            found.append(op.index)
        else:
            stack.extend(op.inputs.values())
    return found


def _parameter_cut(trace: Trace, index: int) -> str:
    """The parameter whose gradient ends in an operator, if that is what it takes; else ""."""
    op = trace.ops[index]
    taken = {op.inputs[slot] for slot in trace.flows.get(str(index), []) if slot in op.inputs}
    return next((name for name, parameter in trace.parameters.items() if parameter.value in taken), "")


def _custom(trace: Trace) -> set[int]:
    """Operators inside functions with a backward of their own: no gradient leaves them, yet their result has one."""
    found: set[int] = set()
    # In the loss, leaves of their own stand for the model's results.
    for op in trace.ops if trace.loss_at < 0 else trace.ops[: trace.loss_at]:
        for slot in trace.flows.get(str(op.index), []):
            stack = [op.inputs[slot]] if slot in op.inputs else []
            while stack:
                maker = trace.maker.get(stack.pop())
                if maker is None or maker.index in found or "" in trace.flows.get(str(maker.index), []):
                    continue
                found.add(maker.index)
                stack.extend(maker.inputs.values())
    return found


def _regions(trace: Trace, cuts: list[int]) -> Iterator[list[int]]:
    """Cuts with nothing differentiable between them belong to one no_grad block; a detach stands alone."""
    group: list[int] = []
    for index in cuts:
        between = trace.ops[group[-1] : index] if group else []
        alone = is_detach(trace.ops[index]) or (group and is_detach(trace.ops[group[-1]]))
        if group and (alone or any("" in trace.flows.get(str(op.index), []) for op in between)):
            yield group
            group = []
        group.append(index)
    if group:
        yield group
