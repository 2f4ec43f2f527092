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
from parity.backward.ties import find_ties
from parity.explain.words import label, named
from parity.graph.node import Graph, Node
from parity.results.finding import Finding, Note, Shows, Subject
from parity.runs.run import Run
from parity.trace.trace import Op, Trace
from parity.trace.values import Array

_Cuts = dict[str, dict[int, list[tuple[str, Pair | None]]]]
"""Side -> operator that cuts -> what lies below it: told, and its pair if it is an operator."""


@dataclass
class GradientJudgement:
    """What going backward showed.

    twins: the parameters that correspond. constants: the largest relative difference of a gradient that a framework's float32
    constants explain.
    """

    findings: list[Finding] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    inconclusive: list[str] = field(default_factory=list)
    twins: list[WeightPair] = field(default_factory=list)
    alignment: Alignment | None = None
    constants: float = 0.0


class Flow:
    """Findings about which values get gradients; what comes of the gradients themselves adds to them."""

    def __init__(
        self, paddle: Run, torch: Run, alignment: Alignment, torch_parameters: Mapping[str, Array]
    ) -> None:
        self.paddle, self.torch, self.alignment = paddle, torch, alignment
        self.numbers = torch_parameters
        self.result = GradientJudgement(twins=weight_pairs(alignment), alignment=alignment)
        self.found: list[tuple[float, Finding]] = []
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
            names = ", ".join(f"`{t.name}`" for t in twins)
            trains = self.torch.trace.parameters[twin.torch.name].trainable
            if trains:
                cause = (
                    f"frozen only in Paddle: {names} gets gradients in torch, Paddle's `{twin.paddle.name}` has "
                    "stop_gradient=True"
                )
                fix = " ".join(f"{t.name}.requires_grad_(False)" for t in twins)
            else:
                cause = (
                    f"frozen: {names} gets no gradient in torch (requires_grad=False, or a buffer), "
                    f"Paddle trains `{twin.paddle.name}`"
                )
                fix = " ".join(f"{t.name}.requires_grad_(True)" for t in twins)
            self._add(
                twin.pair,
                cause,
                fix,
                {"parameters": [t.name for t in twins]},
                attribute="trainable",
                values=(not trains, trains),
            )

    def _ties(self) -> None:
        """Weights that are one parameter on one side and several on the other."""
        for tie in find_ties(
            self.paddle.trace, self.torch.trace, self.alignment, self.result.twins, self.numbers
        ):
            self.explained |= tie.values
            self._add(
                tie.pair,
                tie.cause,
                tie.fix,
                {"parameters": list(tie.names)},
                node=tie.node,
                subject=Subject.TIE,
                attribute=tie.names[-1],
                values=tie.parameters,
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
                    told = named(pair.torch) + (f" to `{weight.name}`" if weight is not None else "")
                    cuts[side][op].append((told, pair))
                if not found:
                    self._add(
                        pair,
                        f"no gradient only in {side}: {named(pair.torch)} takes its {torch_slot} without one",
                        "let gradients flow on both sides, or on neither",
                        {"input": torch_slot},
                        attribute=torch_slot,
                        values=(paddle, torch),
                    )
        self._cut_outputs(cuts)
        for side, edges in cuts.items():
            graph = self.alignment.torch if side == "torch" else self.alignment.paddle
            for group in _regions(graph.trace, sorted(edges)):
                self._cut(side, graph, group, [edge for op in group for edge in edges[op]])

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
                cuts[side][op].append((f"the model's {path}", None))
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

    def _cut(self, side: str, graph: Graph, group: list[int], edges: list[tuple[str, Pair | None]]) -> None:
        ops = [graph.trace.ops[index] for index in group]
        op, other = ops[0], "Paddle" if side == "torch" else "torch"
        fed = ", ".join(dict.fromkeys(told for told, _ in edges))
        if op.attributes.get("detached"):
            operator, what = "detach", f"detach only in {side}: no gradient flows back from {fed}"
            fix = f"remove the detach at {op.line}" if side == "torch" else "detach the same value in torch"
        elif "" in graph.trace.flows.get(str(op.index), []):
            operator = "stop_gradient"
            what = (
                f"the result of {op.name} has its gradient stopped only in {side}: none flows back from {fed}"
            )
            fix = "let gradients flow on both sides, or detach on both"
        else:
            operator = "no_grad"
            names = ", ".join(
                dict.fromkeys(f"{o.name} `{o.module}`" if o.module else o.name for o in ops[:4])
            )
            more = f" and {len(ops) - 4} more" if len(ops) > 4 else ""
            what = (
                f"no gradient only in {side}: {names}{more} ran under no_grad, {other} goes backward through"
            )
            fix = f"run {names} outside of no_grad" if side == "torch" else "run it under torch.no_grad() too"
        pairs = [pair for _, pair in edges if pair is not None]
        torch, paddle = (pairs[0].torch, pairs[0].paddle) if pairs else (None, None)
        order = max((pair.paddle.order for pair in pairs), default=float("inf"))
        self.found.append(
            (
                order,
                Finding(
                    layer=op.module if side == "torch" or torch is None else torch.module,
                    operator=operator,
                    where=op.line if side == "torch" else torch.line if torch else "",
                    cause=what,
                    fix=fix,
                    evidence={"operator": op.name, "inputs without gradient": len(edges), "feeds": fed},
                    layer_paddle=op.module if side == "Paddle" or paddle is None else paddle.module,
                    where_paddle=op.line if side == "Paddle" else paddle.line if paddle else "",
                    subject=Subject.GRADIENT,
                    attribute=operator,
                    values={"paddle": side == "Paddle", "torch": side == "torch"},
                    shows=Shows.GRADIENTS,
                    order=order,
                ),
            )
        )

    def _add(
        self,
        pair: Pair | None,
        cause: str,
        fix: str,
        evidence: Mapping[str, Any],
        *,
        node: Node | None = None,
        where: str = "",
        subject: Subject = Subject.GRADIENT,
        attribute: str = "",
        values: tuple[Any, Any] | None = None,
    ) -> None:
        node = node or (pair.torch if pair is not None else None)
        assert node is not None
        graph = self.alignment.torch
        order = pair.paddle.order if pair is not None else node.order
        self.found.append(
            (
                order,
                Finding(
                    layer=node.module,
                    operator=label(node),
                    where=where or graph.trace.constructors.get(node.module, "") or node.line,
                    cause=cause,
                    fix=fix,
                    evidence={"operator": node.name, **evidence},
                    layer_paddle=pair.paddle.module if pair is not None else "",
                    where_paddle=pair.paddle.line if pair is not None else "",
                    subject=subject,
                    attribute=attribute,
                    values={} if values is None else {"paddle": values[0], "torch": values[1]},
                    shows=Shows.GRADIENTS,
                    order=order,
                ),
            )
        )


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
        alone = _is_detach(trace.ops[index]) or (group and _is_detach(trace.ops[group[-1]]))
        if group and (alone or any("" in trace.flows.get(str(op.index), []) for op in between)):
            yield group
            group = []
        group.append(index)
    if group:
        yield group


def _is_detach(op: Op) -> bool:
    return bool(op.attributes.get("detached"))
