"""Backward, from the loss down: which operator, alone, hands on another gradient than Paddle's.

Two questions, asked apart. Where can gradients flow at all? Each operator's inputs are known to require
gradients or not, so a detach, a no_grad block or a frozen weight is seen exactly, without arithmetic. And what
flows? torch runs backward once more with Paddle's gradient handed to the result of every aligned operator:
what then differs at its inputs and weights is that operator's own doing, so that several faults show in one run.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from parity.align import Alignment, Pair, Values, align
from parity.compare import EPS64, MARGIN, SHRINK, Difference, difference
from parity.findings import Finding, Note, label
from parity.graph import Graph, Node, build
from parity.judge import Run
from parity.loss import LossDifference, compare_loss
from parity.parameters import note_contents, pair_names, pointwise
from parity.reference import constant_of
from parity.store import Array, ValueStore
from parity.ties import find_ties
from parity.trace import Op, Trace
from parity.twins import Twin, held, note_sliced_contents, twins_of

FORWARD_SHARE = 100.0
"""How many times the relative difference of the forward values a gradient may differ because of it."""

ACCUMULATED = 1e-6
"""Relative difference of a gradient up to which the frameworks' float32 constants add up in correct ports."""

Again = Callable[[dict[int, str]], tuple[Trace, ValueStore]]
"""Runs torch once more; torch value -> key of Paddle's gradient to go on with."""

_Cuts = dict[str, dict[int, list[tuple[str, Pair | None]]]]
"""Side -> operator that cuts -> what lies below it: told, and its pair if it is an operator."""


@dataclass
class GradientJudgement:
    """What going backward showed. `twins` are the parameters that correspond."""

    findings: list[Finding] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    inconclusive: list[str] = field(default_factory=list)
    twins: list[Twin] = field(default_factory=list)
    alignment: Alignment | None = None


def judge_gradients(
    paddle: Run,
    torch: Run,
    paddle_parameters: Mapping[str, Array],
    torch_parameters: Mapping[str, Array],
    *,
    again: Again,
    pairs: Mapping[str, str] | None = None,
    known: Collection[Finding] = (),
    apart: Collection[Values] = (),
) -> GradientJudgement:
    """Judge the gradients of two recorded runs; `again` is called only if some gradient differs.

    known: what going forward showed; an operator with a finding there is not blamed again for its gradient.
    apart: what it showed to be no pairs.
    """
    names = pair_names(paddle_parameters, torch_parameters, pairs)
    kernels = pointwise(names, paddle_parameters, torch_parameters)
    graphs = build(paddle.trace, kernels[0]), build(torch.trace, kernels[1])
    for graph, arrays in zip(graphs, (paddle_parameters, torch_parameters), strict=True):
        note_contents(graph, arrays)
        note_sliced_contents(graph, arrays)
    alignment = align(*graphs, names, apart)
    blamed = frozenset((finding.layer, finding.operator) for finding in known)
    judging = _Gradients(paddle, torch, alignment, again, blamed, torch_parameters)
    judging.named = {
        t: (p, turned)
        for t, p in names.items()
        if (turned := _turned(paddle_parameters[p], torch_parameters[t])) is not None
    }
    return judging.run()


class _Gradients:
    def __init__(
        self,
        paddle: Run,
        torch: Run,
        alignment: Alignment,
        again: Again,
        known: frozenset[tuple[str, str]],
        torch_parameters: Mapping[str, Array],
    ) -> None:
        self.known, self.numbers = known, torch_parameters
        self.paddle, self.torch, self.alignment, self.again = paddle, torch, alignment, again
        self.result = GradientJudgement(twins=twins_of(alignment), alignment=alignment)
        self.found: list[tuple[float, Finding]] = []
        self.explained: set[int] = set()
        self.frozen: set[str] = set()
        self.named: dict[str, tuple[str, bool]] = {}
        self.custom = {graph.framework: _custom(graph.trace) for graph in (alignment.torch, alignment.paddle)}

    def run(self) -> GradientJudgement:
        result = self.result
        self._notes()
        if set(self.paddle.trace.outputs) != set(self.torch.trace.outputs):
            result.inconclusive.append(
                "gradients were not compared: the models' results have another structure"
            )
            return result
        self._frozen()
        self._ties()
        self._cuts()
        self._numbers()
        result.findings = [finding for _, finding in sorted(self.found, key=lambda item: -item[0])]
        return result

    def _notes(self) -> None:
        self.result.notes += [Note(text) for text in (*self.paddle.trace.notes, *self.torch.trace.notes)]
        dropouts = [
            op for op in self.torch.trace.ops if op.kind == "dropout" and op.attributes.get("training")
        ]
        if any(op.attributes.get("p") for op in dropouts):
            self.result.notes.append(
                Note(
                    f"{len(dropouts)} active dropout(s) were run with p=0 on both sides: the two frameworks never draw "
                    "the same mask"
                )
            )

    # -- where gradients can flow -----------------------------------------------------------------

    def _frozen(self) -> None:
        """Weights that train on one side only."""
        by_pair: dict[int, list[Twin]] = defaultdict(list)
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
            self._add(twin.pair, cause, fix, {"parameters": [t.name for t in twins]})

    def _ties(self) -> None:
        """Weights that are one parameter on one side and several on the other."""
        for tie in find_ties(
            self.paddle.trace, self.torch.trace, self.alignment, self.result.twins, self.numbers
        ):
            self.explained |= tie.values
            self._add(tie.pair, tie.cause, tie.fix, {"parameters": list(tie.names)}, node=tie.node)

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
                raw, entry = node.entries[slot]
                found = _where_cut(graph.trace, graph.trace.ops[raw].inputs[entry])
                for op in found:
                    told = _named(pair.torch) + (f" to `{weight.name}`" if weight is not None else "")
                    cuts[side][op].append((told, pair))
                if not found:
                    self._add(
                        pair,
                        f"no gradient only in {side}: {_named(pair.torch)} takes its {torch_slot} without one",
                        "let gradients flow on both sides, or on neither",
                        {"input": torch_slot},
                    )
        self._cut_outputs(cuts)
        for side, edges in cuts.items():
            graph = self.alignment.torch if side == "torch" else self.alignment.paddle
            for group in _regions(graph.trace, sorted(edges)):
                self._cut(side, graph, group, [edge for op in group for edge in edges[op]])

    def _cut_outputs(self, cuts: _Cuts) -> None:
        """Results of the model that a loss can go backward from on one side only."""
        for path in self.torch.trace.outputs:
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
        maker = next((op for op in reversed(trace.ops) if value in op.outputs), None)
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
        if slot not in node.entries:
            return None
        op, raw = node.entries[slot]
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
                    kind="gradient",
                    order=order,
                ),
            )
        )

    # -- what flows -------------------------------------------------------------------------------

    def _numbers(self) -> None:
        values = list(self._values(self.torch.store))
        weights = list(self._weights(self.torch.store))
        loss = compare_loss(self.paddle, self.torch, self.torch.trace, self.torch.store)
        if loss is not None and not np.isfinite(
            loss.evidence["torch's loss"] + loss.evidence["Paddle's loss"]
        ):
            self._loss(loss)
            return
        apart = any(v[-2].max_abs > v[-1] for v in values) or any(w[-2].max_abs > w[-1] for w in weights)
        if loss is not None or apart:
            given = {t: f"grad:{p}" for t, p, *_ in values}
            trace, store = self.again(given)
            said = len(self.result.notes)
            try:
                self._loss(compare_loss(self.paddle, self.torch, trace, store))
                self._blame(store, given)
            finally:
                store.close()
            # What float32 constants make of a gradient on its way through the network is no operator's own fault.
            differences = [(v[2], v[3]) for v in values] + [(w[1], w[2]) for w in weights]
            large = any(d.max_abs > limit and d.max_rel > ACCUMULATED for d, limit in differences)
            if large and not self.found and not self.known and len(self.result.notes) == said:
                self.result.inconclusive.append(
                    "gradients differ, but no operator alone hands on another gradient than Paddle's"
                )
        self._summary(values, weights)
        self._not_compared()

    def _values(self, store: ValueStore) -> Iterator[tuple[int, int, Difference, float]]:
        """(torch value, Paddle value, difference of gradients, limit) where both sides have one."""
        for torch_value, paddle_value in self.alignment.same.items():
            key, twin = f"grad:{torch_value}", f"grad:{paddle_value}"
            if key not in store or twin not in self.paddle.store:
                continue
            expected, actual = self.paddle.store.get(twin), store.get(key)
            if expected.size == actual.size:
                expected = expected.reshape(actual.shape)
            noise = _noise(self.paddle, twin) + _noise(self.torch, key)
            yield torch_value, paddle_value, *self._compared(actual, expected, noise, torch_value)

    def _weights(self, store: ValueStore) -> Iterator[tuple[Twin, Difference, float]]:
        for twin in self.result.twins:
            if not (
                self.torch.trace.parameters[twin.torch.name].trainable
                and self.paddle.trace.parameters[twin.paddle.name].trainable
            ):
                continue
            keys = f"grad:parameter:{twin.paddle.name}", f"grad:parameter:{twin.name}"
            expected, actual = self._weight_gradients(twin, store)
            if expected is None and actual is None:
                continue
            expected = np.zeros_like(actual) if expected is None else expected
            actual = np.zeros_like(expected) if actual is None else actual
            noise = _noise(self.paddle, keys[0]) + _noise(self.torch, keys[1])
            value = twin.pair.torch.output
            yield twin, *self._compared(actual, expected, noise, value)

    def _weight_gradients(self, twin: Twin, store: ValueStore) -> tuple[Array | None, Array | None]:
        """(Paddle's, torch's) gradient of a weight in the layout that both share; None where none arrives."""
        return (
            twin.paddle.read(_stored(self.paddle.store, twin.paddle.name)),
            twin.torch.read(_stored(store, twin.name)),
        )

    def _compared(self, actual: Array, expected: Array, noise: float, value: int) -> tuple[Difference, float]:
        found = difference(actual, expected)
        scale = max(found.scale, float(np.abs(actual).max()) if actual.size else 0.0)
        return found, MARGIN * max(EPS64 * scale, SHRINK * noise) + self._inherited(value) * scale

    def _inherited(self, value: int) -> float:
        """What a gradient at a value may differ because the forward values around it do, relative to its scale."""
        nodes = [node for node, _ in self.alignment.torch.consumers.get(value, [])]
        producer = self.alignment.torch.producer.get(value)
        around = {value, *(node.output for node in nodes)} | set(producer.data.values() if producer else ())
        worst = max((self._forward(v) for v in around), default=0.0)
        return FORWARD_SHARE * worst if worst > MARGIN * EPS64 else 0.0

    def _forward(self, value: int) -> float:
        expected = self.paddle.value(self.alignment.same.get(value, -1))
        actual = self.torch.value(value)
        if expected is None or actual is None or expected.size != actual.size:
            return 0.0
        return difference(actual, expected.reshape(actual.shape)).max_rel

    # -- blame ------------------------------------------------------------------------------------

    def _loss(self, found: LossDifference | None) -> None:
        if found is not None and found.by_constant:
            self.result.notes.append(
                Note(
                    "loss: it differs by what a number that Paddle's loss keeps in float32 explains, not by a fault",
                    "loss",
                    found.evidence,
                )
            )
        elif found is not None:
            finding = Finding(
                layer="loss",
                operator="loss",
                where=found.where,
                cause=found.cause,
                fix=found.fix,
                evidence=found.evidence,
                layer_paddle="loss",
                where_paddle=found.where_paddle,
                kind="gradient",
                order=float("inf"),
            )
            self.found.append((float("inf"), finding))

    def _blame(self, store: ValueStore, given: Collection[int]) -> None:
        """Every difference that is left when each result has Paddle's gradient, put on one operator."""
        apart: dict[int, tuple[Difference, str, float | None]] = {}
        for value, twin, d, limit in self._values(store):
            if d.max_abs > limit and value not in self.explained:
                ratio = _ratio(store.get(f"grad:{value}"), self.paddle.store.get(f"grad:{twin}"))
                apart[value] = (d, self._called(value), ratio)
        for parameter, d, limit in self._weights(store):
            value = parameter.pair.torch.inputs[parameter.slot]
            if d.max_abs > limit and value not in self.explained:
                expected, actual = self._weight_gradients(parameter, store)
                ratio = _ratio(actual, expected) if actual is not None and expected is not None else None
                apart[value] = (d, f"`{parameter.name}`", ratio)
        blamed: dict[int, list[int]] = defaultdict(list)
        nodes: dict[int, Node] = {}
        beyond = {value for value in apart if self._is_beyond_cut(value, store, given)}
        for value in apart:
            # Where a cut is known, what no gradient reaches because of it is no fault of its own.
            if value in beyond and self.found:
                continue
            node = self._culprit(value, set(apart))
            if node is not None and (node.module, label(node)) not in self.known:
                blamed[id(node)].append(value)
                nodes[id(node)] = node
        for key, values in blamed.items():
            self._different(nodes[key], [apart[v] for v in values])

    def _is_beyond_cut(self, value: int, store: ValueStore, given: Collection[int]) -> bool:
        """Whether some operator on the way to where Paddle's gradient is handed in gets none in torch."""
        stack, seen = [value], {value}
        while stack:
            at = stack.pop()
            if at in self.explained:
                return True
            for node, _ in self.alignment.torch.consumers.get(at, []):
                twin = self.alignment.same.get(node.output)
                if self.custom["torch"].intersection(node.raw):
                    continue
                if f"grad:{twin}" in self.paddle.store and f"grad:{node.output}" not in store:
                    return True
                if node.output not in given and node.output not in seen:
                    seen.add(node.output)
                    stack.append(node.output)
        return False

    def _culprit(self, value: int, apart: set[int]) -> Node | None:
        """The consumer of a value whose contribution to its gradient must be the wrong one."""
        consumers = list({id(n): n for n, _ in self.alignment.torch.consumers.get(value, [])}.values())
        if not consumers:
            return self.alignment.torch.producer.get(value)

        def suspicion(node: Node) -> tuple[bool, float, float]:
            trained = [v for v in node.inputs.values() if f"grad:{v}" in self.torch.store or v in apart]
            share = sum(v in apart for v in trained) / max(len(trained), 1)
            return bool(self._hook_lines(node)), share, node.order

        return max(consumers, key=suspicion)

    def _hook_lines(self, node: Node) -> tuple[list[str], list[str]] | None:
        """Lines of gradient hooks on a node's result: torch's and Paddle's; None where there is none."""
        pair = self.alignment.pair_of_torch(node)
        torch = [
            line
            for value, line in self.torch.trace.hooks
            if _root(self.alignment.torch, value) == node.output
        ]
        paddle = [
            line
            for value, line in self.paddle.trace.hooks
            if pair is not None and _root(self.alignment.paddle, value) == pair.paddle.output
        ]
        return (torch, paddle) if torch or paddle else None

    def _different(self, node: Node, apart: list[tuple[Difference, str, Any]]) -> None:
        pair = self.alignment.pair_of_torch(node)
        worst = max(apart, key=lambda item: item[0].max_rel)
        names = ", ".join(f"{name}{_times(factor)}" for _, name, factor in apart)
        factors = {factor for _, _, factor in apart if factor is not None}
        factor = next(iter(factors)) if len(factors) == 1 else None
        hooks = self._hook_lines(node)
        reason, within = constant_of(node.kind)
        if worst[0].max_rel <= within:
            self.result.notes.append(
                Note(
                    f"gradients through {label(node)} `{node.module}`: {reason}; a difference of "
                    f"{worst[0].max_rel:.1e} is that, not the port",
                    node.module,
                )
            )
            return
        if hooks and bool(hooks[0]) != bool(hooks[1]):
            side = "torch" if hooks[0] else "Paddle"
            line = (hooks[0] or hooks[1])[0]
            cause = f"a gradient hook only in {side}, on the result of {_named(node)} ({line}), changes the gradient"
            fix = (
                f"remove the hook at {line}"
                if side == "torch"
                else f"register the hook of {line} in torch too"
            )
            where = line if side == "torch" else node.line
        elif self.custom["torch"].intersection(node.raw):
            cause = f"{_named(node)} is part of a torch.autograd.Function whose own backward gives another gradient"
            fix = "make its backward what Paddle's gradient is, or write the forward without a Function"
            where = node.line
        else:
            cause = f"the gradient changes on its way back through {_named(node)}, whose result gets Paddle's gradient"
            fix = "compare the two lines: a detach, a custom backward or another operator that only looks the same"
            where = node.line
        self._add(
            pair,
            f"{cause}; it differs at {names}",
            fix,
            {
                "relative difference": worst[0].max_rel,
                "max abs": worst[0].max_abs,
                "torch value": worst[0].actual,
                "paddle value": worst[0].expected,
                "index": list(worst[0].index),
                **({"factor": factor} if factor is not None else {}),
            },
            node=node,
            where=where,
        )

    def _called(self, value: int) -> str:
        graph = self.alignment.torch
        producer = graph.producer.get(value)
        if producer is not None:
            return f"the result of {_named(producer)}"
        name = next((n for n, v in graph.inputs.items() if v == value), "")
        return f"input {name}" if name else "an input"

    def _add(
        self,
        pair: Pair | None,
        cause: str,
        fix: str,
        evidence: Mapping[str, Any],
        *,
        node: Node | None = None,
        where: str = "",
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
                    kind="gradient",
                    order=order,
                ),
            )
        )

    # -- what to say when all is well -------------------------------------------------------------

    def _summary(self, values: list[Any], weights: list[Any]) -> None:
        found = [d for _, _, d, _ in values] + [d for _, d, _ in weights]
        # A gradient that is zero but for rounding (a bias before a BatchNorm) has no scale of its own.
        largest = max((d.scale for d in found), default=0.0)
        worst = max((d.max_rel for d in found if d.scale > 1e-9 * largest), default=0.0)
        if not self.found:
            self.result.notes.append(
                Note(
                    f"gradients: {len(weights)} parameters and {len(values)} inputs and values compared in float64, "
                    "all agree to rounding",
                    "",
                    {"worst relative difference": worst},
                )
            )

    def _not_compared(self) -> None:
        """Weights of operators that have no counterpart: names and values still tell which gradient is which."""
        known = {twin.name for twin in self.result.twins}
        for name, parameter in self.torch.trace.parameters.items():
            alias = self.alignment.torch.parameters.get(parameter.value, name)
            if not parameter.trainable or f"grad:parameter:{name}" not in self.torch.store or alias in known:
                continue
            found = self._by_name(alias)
            if found is None:
                self.result.inconclusive.append(
                    f"the gradient of `{name}` was not compared: no Paddle parameter is known to correspond"
                )
            elif not self.found and found[0].max_abs > found[1]:
                self.result.inconclusive.append(
                    f"the gradient of `{name}` differs by {found[0].max_rel:.1e} of its scale from that of Paddle's "
                    f"`{self.named[alias][0]}`, and no operator could be blamed"
                )

    def _by_name(self, name: str) -> tuple[Difference, float] | None:
        """Difference and limit of a gradient whose weight has Paddle's name and numbers."""
        if name not in self.named:
            return None
        twin, turned = self.named[name]
        keys = f"grad:parameter:{twin}", f"grad:parameter:{name}"
        if keys[0] not in self.paddle.store:
            return None
        expected, actual = self.paddle.store.get(keys[0]), self.torch.store.get(keys[1])
        expected = (expected.T if turned else expected).reshape(actual.shape)
        noise = _noise(self.paddle, keys[0]) + _noise(self.torch, keys[1])
        return self._compared(actual, expected, noise, self.torch.trace.parameters[name].value)


def _turned(paddle: Array, torch: Array) -> bool | None:
    """Whether torch holds Paddle's weight transposed; None if it does not hold it at all."""
    if paddle.size != torch.size:
        return None
    if np.array_equal(paddle.reshape(torch.shape), torch):
        return False
    return True if paddle.ndim == 2 and np.array_equal(paddle.T.reshape(torch.shape), torch) else None


def _stored(store: ValueStore, name: str) -> dict[str, Array]:
    key = f"grad:parameter:{name}"
    return {name: store.get(key)} if key in store else {}


def _noise(run: Run, key: str) -> float:
    """Largest absolute distance between a run's float32 and float64 gradient."""
    if run.store32 is None or key not in run.store32 or key not in run.store:
        return 0.0
    if run.trace32 is None or len(run.trace32.ops) != len(run.trace.ops):
        return 0.0
    wide, narrow = run.store.get(key), run.store32.get(key)
    gap = np.abs(wide - narrow.astype(np.float64)).max() if wide.size else 0.0
    return float(gap) if np.isfinite(gap) else 0.0


def _ratio(actual: Array, expected: Array) -> float | None:
    """c if actual = c * expected everywhere, rounded to what can be read."""
    if actual.size != expected.size:
        return None
    a, e = actual.reshape(-1), expected.reshape(-1)
    square = float(e @ e)
    if not square:
        return None
    c = float(a @ e) / square
    if np.abs(a - c * e).max() > 1e-9 * max(np.abs(a).max(), np.abs(e).max()):
        return None
    return float(f"{c:.6g}") + 0.0


def _times(factor: float | None) -> str:
    if factor is None:
        return ""
    return " (none arrives in torch)" if factor == 0.0 else f" (torch's is {factor:.6g} times Paddle's)"


def _named(node: Node) -> str:
    return f"{label(node)} `{node.module}`" if node.module else label(node)


def _where_cut(trace: Trace, value: int | None) -> list[int]:
    """The operators above a value that a gradient could reach from their own inputs, but not from this value."""
    producer = {value: op for op in trace.ops for value in op.outputs}
    found: list[int] = []
    stack, seen = [-1 if value is None else value], set()
    while stack:
        op = producer.get(stack.pop())
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
    producer = {value: op for op in trace.ops for value in op.outputs}
    found: set[int] = set()
    # In the loss, leaves of their own stand for the model's results.
    for op in trace.ops if trace.loss_at < 0 else trace.ops[: trace.loss_at]:
        for slot in trace.flows.get(str(op.index), []):
            stack = [op.inputs[slot]] if slot in op.inputs else []
            while stack:
                maker = producer.get(stack.pop())
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


def _root(graph: Graph, value: int) -> int:
    """The canonical value of a raw one: through reshapes and copies to where its numbers were made."""
    producer = {v: op for op in graph.trace.ops for v in op.outputs}
    while value not in graph.producer and value in producer:
        op = producer[value]
        if op.kind not in ("identity", "reshape", "dropout") or not op.inputs:
            break
        value = next(iter(op.inputs.values()))
    return value
