"""Blame: which operator, alone, hands on another gradient than Paddle's, and what of it does so."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable

from parity.align.alignment import Pair
from parity.backward.claims import Changed, Claim, Fault, Place, Remark
from parity.backward.measured import Measured
from parity.explain.words import label
from parity.graph.node import Graph, Node
from parity.limits import EPS64, MARGIN
from parity.numbers.compare import Difference
from parity.numbers.same import ratio
from parity.ops.table import constant_of
from parity.trace.values import Array, ValueStore


class Blame(Measured):
    """Puts every difference that is left when each result has Paddle's gradient on one operator."""

    def _blame(self, store: ValueStore, given: Collection[int]) -> None:
        """Every difference that is left when each result has Paddle's gradient, put on one operator."""
        apart: dict[int, tuple[Difference, Place, float | None]] = {}
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
                apart[value] = (d, Place(parameter=parameter.name), factor)
        blamed: dict[int, list[int]] = defaultdict(list)
        nodes: dict[int, Node] = {}
        beyond = {value for value in apart if self._is_beyond_cut(value, store, given)}
        for value in apart:
            # Where a cut is known, what no gradient reaches because of it is no fault of its own.
            if value in beyond and self.found:
                continue
            node = self._culprit(value, set(apart))
            if node is not None and (node.module, label(node)) in self.known:
                self.result.seen.add((node.module, label(node)))
            elif node is not None:
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
            line for value, line in self.torch.trace.hooks if root(self.alignment.torch, value) == node.output
        ]
        paddle = [
            line
            for value, line in self.paddle.trace.hooks
            if pair is not None and root(self.alignment.paddle, value) == pair.paddle.output
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
        self.said.append(Claim(Remark.CONSTANT, node, details=(reason, d.max_rel)))
        return True

    def _different(self, node: Node, apart: list[tuple[Difference, Place, float | None]]) -> None:
        pair = self.alignment.pair_of_torch(node)
        worst = max((d for d, _, _ in apart), key=lambda d: d.max_rel)
        if self._by_constant(node, worst):
            return
        factors = {factor for _, _, factor in apart if factor is not None}
        hooks, side, at = self._hook_lines(node), "", ""
        if hooks and bool(hooks[0]) != bool(hooks[1]):
            what, attribute, side = Fault.HOOK, "hook", "torch" if hooks[0] else "Paddle"
            at = (hooks[0] or hooks[1])[0]
        elif (one := self._hooked_alone(node, pair)) is not None:
            what, attribute, (at, side) = Fault.PARAMETER_HOOK, "hook", one
        elif self.custom["torch"].intersection(node.raw):
            what, attribute = Fault.FUNCTION, "backward"
        elif pair is not None and self._withheld(pair, [place for _, place, _ in apart]):
            what, attribute = Fault.WITHHELD, "trainable"
        else:
            what, attribute = Fault.CHANGED, ""
        self._add(
            what,
            pair,
            {
                "relative difference": worst.max_rel,
                "max abs": worst.max_abs,
                "torch value": worst.actual,
                "paddle value": worst.expected,
                "index": list(worst.index),
                **({"factor": next(iter(factors))} if len(factors) == 1 else {}),
            },
            node=node,
            attribute=attribute,
            values=(side == "Paddle", side == "torch") if side else None,
            details=Changed([(place, factor) for _, place, factor in apart], side, at),
        )

    def _withheld(self, pair: Pair, places: Iterable[Place]) -> bool:
        """Whether these are parameters of a BatchNorm that get nothing in Paddle, where it has one parameter to train or none."""
        graph, trace = self.alignment.paddle, self.paddle.trace
        names = [graph.parameters.get(pair.paddle.inputs.get(slot, -1), "") for slot in ("weight", "bias")]
        trained = [name for name in names if name and trace.parameters[name].trainable]
        alone = pair.paddle.kind == "batch_norm" and len(trained) == 1
        silent = alone and f"grad:parameter:{trained[0]}" not in self.paddle.store
        return silent and all(place.parameter for place in places)

    def _called(self, value: int) -> Place:
        graph = self.alignment.torch
        producer = graph.producer.get(value)
        if producer is not None:
            return Place(made_by=producer)
        return Place(input=next((n for n, v in graph.inputs.items() if v == value), ""))


def _factor(actual: Array, expected: Array) -> float | None:
    """The number that torch's gradient is Paddle's times, rounded to what can be read."""
    c = ratio(expected, actual)
    return None if c is None else float(f"{c:.6g}") + 0.0


def root(graph: Graph, value: int) -> int:
    """The canonical value of a raw one: through reshapes and copies to where its numbers were made."""
    while value not in graph.producer and (op := graph.trace.maker.get(value)) is not None:
        if op.kind not in ("identity", "reshape", "dropout") or not op.inputs:
            break
        value = next(iter(op.inputs.values()))
    return value
