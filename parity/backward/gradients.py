"""Backward, from the loss down: which operator, alone, hands on another gradient than Paddle's.

Where gradients can flow at all is asked first (`parity.backward.flow`). Then, what flows? torch runs backward once
more with Paddle's gradient handed to the result of every aligned operator: what then differs at its inputs and weights
is that operator's own doing, so that several faults show in one run.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

import numpy as np

from convert.names import listed
from parity.align.alignment import Alignment, Pair, Values
from parity.align.pipeline import Prepared
from parity.align.weights import WeightPair
from parity.backward import telling
from parity.backward.flow import Flow, GradientJudgement
from parity.backward.loss import LossDifference, compare_loss
from parity.backward.observed import Counterpart, both, counterparts
from parity.backward.taken import one_sided
from parity.explain.words import label, named
from parity.graph.node import Graph, Node
from parity.limits import EPS64, FLOAT32_LOSS, FORWARD_SHARE, GRADIENT_CONSTANTS, MARGIN, RECOMPUTED, SHRINK
from parity.numbers.compare import Difference, difference
from parity.numbers.same import ratio
from parity.ops.table import constant_of
from parity.results.finding import Finding, Note, Shows, Subject
from parity.runs.run import Run
from parity.trace.trace import Trace
from parity.trace.values import Array, ValueStore

Again = Callable[[dict[int, str]], tuple[Trace, ValueStore]]
"""Runs torch once more; torch value -> key of Paddle's gradient to go on with."""


def judge_gradients(
    paddle: Run,
    torch: Run,
    paddle_parameters: Mapping[str, Array],
    torch_parameters: Mapping[str, Array],
    prepared: Prepared,
    *,
    again: Again,
    known: Collection[Finding] = (),
    apart: Collection[Values] = (),
) -> GradientJudgement:
    """Judge the gradients of two recorded runs; `again` is called only if some gradient differs.

    known: what going forward showed; an operator with a finding there is not blamed again for its gradient.
    apart: what it showed to be no pairs.
    """
    alignment = prepared.align(apart)
    blamed = frozenset((finding.layer, finding.operator) for finding in known)
    judging = _Gradients(paddle, torch, alignment, again, blamed, torch_parameters)
    judging.counterparts = counterparts(
        paddle, torch, prepared.names, judging.result.twins, (paddle_parameters, torch_parameters)
    )
    return judging.run()


class _Gradients(Flow):
    def __init__(
        self,
        paddle: Run,
        torch: Run,
        alignment: Alignment,
        again: Again,
        known: frozenset[tuple[str, str]],
        torch_parameters: Mapping[str, Array],
    ) -> None:
        super().__init__(paddle, torch, alignment, torch_parameters)
        self.again, self.known = again, known
        self.counterparts: dict[str, Counterpart] = {}

    def run(self) -> GradientJudgement:
        result = self.result
        self._notes()
        kinds = [
            {path: kind for path, (kind, _) in run.trace.results.items()} for run in (self.paddle, self.torch)
        ]
        if kinds[0] != kinds[1]:
            result.inconclusive.append(
                "gradients were not compared: the models' results have another structure"
            )
            return result
        self._judge_flow()
        self._taken_out()
        self._numbers()
        result.findings = [finding for _, finding in sorted(self.found, key=lambda item: -item[0])]
        return result

    def _notes(self) -> None:
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

    # -- what flows -------------------------------------------------------------------------------

    def _taken_out(self) -> None:
        """Numbers that only one side takes out of its tensors, if that changes a gradient."""
        names = {name: frozenset(twin.paddle) for name, twin in self.counterparts.items()}
        alone = list(one_sided(self.paddle.trace, self.torch.trace, names))
        differ = (
            {name.strip("`") for name, d, limit in self._observed() if d.max_abs > limit} if alone else set()
        )
        for side, taken in alone:
            apart = sorted(
                name
                for name in differ & set(names)
                if (name in taken.parameters if side == "torch" else names[name] & taken.parameters)
            )
            if not apart:
                continue
            self.explained |= (
                taken.values
                if side == "torch"
                else {t for t, p in self.alignment.same.items() if p in taken.values}
            )
            told = ", ".join(f"`{name}`" for name in apart)
            other = "Paddle" if side == "torch" else "torch"
            finding = Finding(
                layer=apart[0].rpartition(".")[0],
                operator=taken.call,
                where=taken.line if side == "torch" else "",
                cause=f"a number is taken out of a tensor ({taken.call}) in {side}, so that no gradient goes back through "
                f"it; in {other} one does: it differs at {told}",
                fix=f"use the tensor itself, without {taken.call}"
                if side == "torch"
                else "use the tensor's .detach(), as no gradient goes back there in Paddle",
                evidence={"parameters": apart},
                where_paddle=taken.line if side == "Paddle" else "",
                subject=Subject.GRADIENT,
                attribute=apart[0],
                values={"paddle": side == "torch", "torch": side == "Paddle"},
                shows=Shows.GRADIENTS,
                order=float("inf"),
            )
            self.found.append((0.0, finding))

    def _numbers(self) -> None:
        values = list(self._values(self.torch.store))
        weights = list(self._weights(self.torch.store))
        seen = list(self._observed())
        loss = compare_loss(self.paddle, self.torch, self.torch.trace, self.torch.store)
        if loss is not None and not np.isfinite(
            loss.evidence["torch's loss"] + loss.evidence["Paddle's loss"]
        ):
            self._loss(loss)
            return
        apart = any(v[2].max_abs > v[3] for v in values) or any(w[1].max_abs > w[2] for w in weights)
        shown = any(d.max_abs > limit for _, d, limit in seen)
        if loss is not None or shown or apart:
            given = {t: f"grad:{p}" for t, p, *_ in values}
            trace, store = self.again(given)
            try:
                self._loss(compare_loss(self.paddle, self.torch, trace, store))
                self._blame(store, given)
            finally:
                store.close()
            # What float32 constants make of a gradient on its way through the network is no operator's own fault.
            level = max(self.result.constants, self._output_level())
            room = max(GRADIENT_CONSTANTS, FORWARD_SHARE * level)
            large = [(name, d) for name, d, limit in seen if d.max_abs > limit and d.max_rel > room]
            if not self.found and not self.known:
                for name, d in large:
                    self._unexplained(name, d)
            # What constants make of the gradients on their way shows nothing of how these are cut.
            least = room if level else RECOMPUTED
            shown = any(d.max_abs > limit and d.max_rel > least for _, d, limit in seen)
        self._not_compared()
        if not shown and all(finding.subject is not Subject.LOSS for _, finding in self.found):
            self._without_witness()
        self._summary(values, seen)

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

    def _weights(self, store: ValueStore) -> Iterator[tuple[WeightPair, Difference, float]]:
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

    def _weight_gradients(self, twin: WeightPair, store: ValueStore) -> tuple[Array | None, Array | None]:
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
            self.result.constants = max(self.result.constants, FLOAT32_LOSS)
            self.result.notes.append(telling.loss_constant(found))
        elif found is not None:
            self.found.append((float("inf"), telling.loss(found)))

    def _blame(self, store: ValueStore, given: Collection[int]) -> None:
        """Every difference that is left when each result has Paddle's gradient, put on one operator."""
        apart: dict[int, tuple[Difference, str, float | None]] = {}
        for value, twin, d, limit in self._values(store):
            if d.max_abs > limit and value not in self.explained:
                factor = _factor(store.get(f"grad:{value}"), self.paddle.store.get(f"grad:{twin}"))
                apart[value] = (d, self._called(value), factor)
            elif d.max_rel > MARGIN * EPS64 and self._inherited(value):
                self._by_constant(self._culprit(value, {value}), d)
        for parameter, d, limit in self._weights(store):
            value = parameter.pair.torch.inputs[parameter.slot]
            if d.max_abs > limit and value not in self.explained:
                expected, actual = self._weight_gradients(parameter, store)
                factor = _factor(actual, expected) if actual is not None and expected is not None else None
                apart[value] = (d, f"`{parameter.name}`", factor)
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

    def _hooked_alone(self, node: Node, pair: Pair | None) -> tuple[str, str] | None:
        """A parameter of an operator that has a gradient hook on one side alone, and which side that is."""
        if pair is None:
            return None
        for slot, other in pair.slots.items():
            ours = self.alignment.torch.parameters.get(node.inputs[slot], "")
            theirs = self.alignment.paddle.parameters.get(pair.paddle.inputs[other], "")
            hooked = ours in self.torch.trace.hooked, theirs in self.paddle.trace.hooked
            if hooked[0] != hooked[1]:
                return (ours, "torch") if hooked[0] else (theirs, "Paddle")
        return None

    def _by_constant(self, node: Node | None, d: Difference) -> bool:
        """Whether a constant that the framework carries explains a gradient; a note says so."""
        reason, within = constant_of(node.kind, node.shape("x")) if node is not None else ("", 0.0)
        if node is None or d.max_rel > within:
            return False
        self.result.constants = max(self.result.constants, d.max_rel)
        self.result.notes.append(
            Note(
                f"gradients through {label(node)} `{node.module}`: {reason}; a difference of {d.max_rel:.1e} is that, "
                "not the port",
                node.module,
            )
        )
        return True

    def _different(self, node: Node, apart: list[tuple[Difference, str, Any]]) -> None:
        pair = self.alignment.pair_of_torch(node)
        worst = max(apart, key=lambda item: item[0].max_rel)
        names = ", ".join(f"{name}{_times(factor)}" for _, name, factor in apart)
        factors = {factor for _, _, factor in apart if factor is not None}
        factor = next(iter(factors)) if len(factors) == 1 else None
        hooks = self._hook_lines(node)
        attribute = ""
        values: tuple[Any, Any] | None = None
        if self._by_constant(node, worst[0]):
            return
        if hooks and bool(hooks[0]) != bool(hooks[1]):
            side = "torch" if hooks[0] else "Paddle"
            line = (hooks[0] or hooks[1])[0]
            cause = f"a gradient hook only in {side}, on the result of {named(node)} ({line}), changes the gradient"
            fix = (
                f"remove the hook at {line}"
                if side == "torch"
                else f"register the hook of {line} in torch too"
            )
            where = line if side == "torch" else node.line
            attribute, values = "hook", (side == "Paddle", side == "torch")
        elif (one := self._hooked_alone(node, pair)) is not None:
            name, side = one
            cause = (
                f"a gradient hook on the parameter `{name}` only in {side} changes what the optimizer gets"
            )
            fix = f"{'remove it' if side == 'torch' else 'register it in torch too'} (`{name}`.register_hook)"
            where = node.line
            attribute, values = "hook", (side == "Paddle", side == "torch")
        elif self.custom["torch"].intersection(node.raw):
            cause = f"{named(node)} is part of a torch.autograd.Function whose own backward gives another gradient"
            attribute = "backward"
            fix = "make its backward what Paddle's gradient is, or write the forward without a Function"
            where = node.line
        else:
            cause = f"the gradient changes on its way back through {named(node)}, whose result gets Paddle's gradient"
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
            attribute=attribute,
            values=values,
        )

    def _called(self, value: int) -> str:
        graph = self.alignment.torch
        producer = graph.producer.get(value)
        if producer is not None:
            return f"the result of {named(producer)}"
        name = next((n for n, v in graph.inputs.items() if v == value), "")
        return f"input {name}" if name else "an input"

    # -- what to say when all is well -------------------------------------------------------------

    def _observed(self) -> Iterator[tuple[str, Difference, float]]:
        """What a user sees: the gradient of every parameter and input, with its difference and limit."""
        for name, twin in self.counterparts.items():
            keys = [f"grad:parameter:{paddle}" for paddle in twin.paddle]
            theirs = {
                paddle: array
                for paddle in twin.paddle
                for array in _stored(self.paddle.store, paddle).values()
            }
            noise = sum(_noise(self.paddle, key) for key in keys) + _noise(
                self.torch, f"grad:parameter:{name}"
            )
            value = self.torch.trace.parameters[name].value
            for expected, actual in twin.gradients(theirs, _stored(self.torch.store, name)):
                yield f"`{name}`", *self._compared(actual, expected, noise, value)
        for name, value in self.alignment.torch.inputs.items():
            keys = [f"grad:{self.alignment.paddle.inputs.get(name, -1)}", f"grad:{value}"]
            arrays = [
                run.store.get(key) if key in run.store else None
                for run, key in zip((self.paddle, self.torch), keys, strict=True)
            ]
            noise = _noise(self.paddle, keys[0]) + _noise(self.torch, keys[1])
            for expected, actual in both(arrays[0], arrays[1]):
                yield f"input {name}", *self._compared(actual, expected, noise, value)

    def _output_level(self) -> float:
        """Relative difference of the models' results, where constants make one; 0 where they are equal to rounding."""
        level = max((self._forward(torch) for _, torch in self.alignment.outputs.values()), default=0.0)
        return level if level > MARGIN * EPS64 and not self.known else 0.0

    def _unexplained(self, name: str, d: Difference) -> None:
        """A gradient that a user sees, and that no operator is to blame for."""
        parameter = name.strip("`")
        node = next((n for n, _ in self._uses(parameter)), None)
        silent = not d.actual and d.max_abs == d.scale
        cause = (
            f"{name} gets no gradient in torch, Paddle's has one"
            if silent
            else f"the gradient of {name} differs by {d.max_rel:.1e} of its scale, though each operator alone hands on Paddle's"
        )
        fix = (
            "make it a parameter that requires a gradient, and use it itself: not .data, .item(), .detach() or a copy"
            if silent
            else "compare how often, and in what, both models use it"
        )
        trace = self.torch.trace
        module = parameter.rpartition(".")[0]
        self.found.append(
            (
                0.0,
                Finding(
                    layer=module,
                    operator=label(node) if node is not None else "parameter",
                    where=node.line
                    if node is not None
                    else trace.constructors.get(module, "") or trace.model,
                    cause=cause,
                    fix=fix,
                    evidence={
                        "relative difference": d.max_rel,
                        "torch value": d.actual,
                        "paddle value": d.expected,
                    },
                    subject=Subject.GRADIENT,
                    attribute="trainable" if silent else "",
                    values={"paddle": True, "torch": False} if silent else {},
                    shows=Shows.GRADIENTS,
                    order=float("inf"),
                ),
            )
        )

    def _uses(self, parameter: str) -> list[tuple[Node, str]]:
        found = self.torch.trace.parameters.get(parameter)
        return [] if found is None else self.alignment.torch.consumers.get(found.value, [])

    def _without_witness(self) -> None:
        """What differs inside although no gradient that a user sees does is another way of writing it."""
        kept = [
            item
            for item in self.found
            if item[1].attribute == "trainable" or item[1].subject is not Subject.GRADIENT
        ]
        for _, finding in self.found:
            if all(finding is not other for _, other in kept):
                self.result.notes.append(
                    Note(
                        f"{finding.operator}{f' `{finding.layer}`' if finding.layer else ''}: gradients are handed on "
                        "otherwise inside, while those of all parameters and inputs agree: written differently",
                        finding.layer,
                        finding.evidence,
                    )
                )
        self.found = kept

    def _summary(self, values: list[Any], seen: list[tuple[str, Difference, float]]) -> None:
        # A gradient that is zero but for rounding (a bias before a BatchNorm) has no scale of its own.
        largest = max((d.scale for _, d, _ in seen), default=0.0)
        worst = max((d.max_rel for _, d, _ in seen if d.scale > RECOMPUTED * largest), default=0.0)
        if not seen:
            self.result.inconclusive.append("no gradient of a parameter or an input was compared")
        elif not self.found:
            inputs = sum(name.startswith("input ") for name, *_ in seen)
            self.result.notes.append(
                Note(
                    f"gradients: {len({name for name, *_ in seen}) - inputs} parameters, {inputs} inputs and {len(values)} values "
                    "in between compared in float64, all agree to rounding",
                    "",
                    {"worst relative difference": worst},
                )
            )

    def _not_compared(self) -> None:
        """Parameters that get a gradient on one side and of which nothing says what they are on the other."""
        known = {paddle for twin in self.counterparts.values() for paddle in twin.paddle}
        torch, paddle = (
            [
                n
                for n, p in run.trace.parameters.items()
                if p.trainable and _arrived(run.store, n) and n not in done
            ]
            for run, done in ((self.torch, self.counterparts.keys() | self._aliases()), (self.paddle, known))
        )
        folded = {
            self.alignment.torch.parameters.get(value, "")
            for pair in self.alignment.pairs
            if pair.folded
            for value in pair.torch.inputs.values()
        }
        if folded.intersection(torch):
            self.result.inconclusive.append(
                "Paddle's BatchNorms are folded into weights of torch, whose gradients are others and were not compared: "
                + listed([f"`{name}`" for name in torch if name in folded])
            )
            return
        for side, names in (("torch", torch), ("Paddle", paddle)):
            other = "Paddle" if side == "torch" else "torch"
            if names:
                self.result.inconclusive.append(
                    f"{len(names)} gradient(s) of {side}'s parameters were not compared, no parameter of {other}'s is known to "
                    f"correspond: {listed([f'`{name}`' for name in names])}"
                )

    def _aliases(self) -> set[str]:
        """Further names of torch parameters that have one already."""
        first = {self.torch.trace.parameters[name].value for name in self.counterparts}
        return {name for name, parameter in self.torch.trace.parameters.items() if parameter.value in first}


def _arrived(store: ValueStore, name: str) -> bool:
    """Whether a gradient that is not zero came to a parameter."""
    key = f"grad:parameter:{name}"
    return key in store and bool(store.get(key).any())


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


def _factor(actual: Array, expected: Array) -> float | None:
    """The number that torch's gradient is Paddle's times, rounded to what can be read."""
    c = ratio(expected, actual)
    return None if c is None else float(f"{c:.6g}") + 0.0


def _times(factor: float | None) -> str:
    if factor is None:
        return ""
    return " (none arrives in torch)" if factor == 0.0 else f" (torch's is {factor:.6g} times Paddle's)"


def _root(graph: Graph, value: int) -> int:
    """The canonical value of a raw one: through reshapes and copies to where its numbers were made."""
    while value not in graph.producer and (op := graph.trace.maker.get(value)) is not None:
        if op.kind not in ("identity", "reshape", "dropout") or not op.inputs:
            break
        value = next(iter(op.inputs.values()))
    return value
