"""Operators that only one side has, and inputs that come from elsewhere."""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from typing import Any

import numpy as np

from parity.align.alignment import Edge, Pair
from parity.explain.evidence import Evidence
from parity.explain.hypotheses.cross_entropy import entropy_told
from parity.explain.hypotheses.hypothesis import Mistake
from parity.explain.hypotheses.recurrence import Layer, told
from parity.explain.lines import chosen, missing, place
from parity.explain.segments import Strangers, parting
from parity.explain.torch_code import code
from parity.explain.words import at as place_of
from parity.explain.words import chain, difference_data, label, layer_above, named
from parity.explain.words import layer as called
from parity.graph.node import Graph, Node
from parity.limits import GUARD
from parity.numbers.compare import Difference
from parity.ops.kinds import ACTIVATIONS, RECURRENT
from parity.results.finding import Finding, Note, Subject
from parity.trace.values import Array


def _main(nodes: tuple[Node, ...]) -> Node:
    """What a segment is called after: in a plain chain its first layer with weights, else what makes its result."""
    plain = all(len(node.data) == 1 for node in nodes)
    return next((node for node in nodes if plain and "weight" in node.inputs), nodes[-1])


class Wiring(Evidence):
    """Findings about what stands between aligned operators."""

    def _edges(self, outputs_agree: bool) -> None:
        seen: set[tuple[frozenset[int], frozenset[int]]] = set()
        exchanges: set[frozenset[int]] = set()
        edges = [*self.alignment.edges, *self.alignment.output_edges.values()]
        for edge in edges:
            key = (frozenset(map(id, edge.only_paddle)), frozenset(map(id, edge.only_torch)))
            if key in seen and (edge.only_paddle or edge.only_torch):
                continue
            if self._is_entailed(edge.pair, edge.torch_slot):
                continue
            numbers = self._edge_numbers(edge) or self.hidden.get(id(edge))
            if any(n.kind == "dropout" for n in (*edge.only_paddle, *edge.only_torch)):
                # Switched off for the proof, so the numbers agree; in use it is random on one side only.
                seen.add(key)
                self._edge_finding(edge, numbers)
                continue
            if numbers is None:
                if not outputs_agree and not self.measured:
                    self.result.inconclusive.append(f"the input of {place_of(edge)} could not be compared")
                continue
            if self._unpaired_activations(edge) and numbers.max_rel <= self._edge_limit(edge):
                # Equal on these numbers only: a ReLU of positive numbers, a ReLU6 of small ones.
                seen.add(key)
                self._edge_finding(edge, numbers)
                continue
            limit = self._edge_limit(edge)
            if numbers.max_rel <= limit or (outputs_agree or self._edge_slack(edge, numbers)):
                if edge.only_paddle or edge.only_torch:
                    seen.add(key)
                    self.result.notes.append(
                        Note(
                            f"before {place_of(edge)}: {chain(edge.only_torch)} in torch, {chain(edge.only_paddle)} in "
                            f"Paddle, same numbers{'' if numbers.max_rel <= limit else ' but for float32 constants'}: written "
                            "differently",
                            edge.pair.torch.module,
                            {"float64": numbers.max_rel},
                        )
                    )
                continue
            seen.add(key)
            if self.offline and not self._starts_equal(edge):
                continue
            exchange = self._exchange(edge) or self._permutation(edge.pair)
            if exchange and exchange in exchanges:
                continue
            exchanges.add(exchange)
            self._edge_finding(edge, numbers)

    def _starts_equal(self, edge: Edge) -> bool:
        """Whether what flows into torch's segment is Paddle's; else its difference may come from further up."""
        return all(self._agrees(value) for value in self._entering(edge) or {edge.torch_value})

    @staticmethod
    def _entering(edge: Edge) -> set[int]:
        """What flows into torch's segment."""
        made = {node.output for node in edge.only_torch}
        return {v for node in edge.only_torch for v in node.data.values()} - made

    def _unpaired_activations(self, edge: Edge) -> bool:
        """Whether a segment is activations alone, on one side alone, and no other segment makes up for them."""
        one_sided = bool(edge.only_paddle) != bool(edge.only_torch)
        nodes = edge.only_paddle or edge.only_torch
        if not one_sided or not all(node.kind in ACTIVATIONS for node in nodes) or all(map(_is_guard, nodes)):
            return False
        paddle = Counter(node.kind for node in self.alignment.only_paddle)
        torch = Counter(node.kind for node in self.alignment.only_torch)
        return any(paddle[node.kind] != torch[node.kind] for node in nodes)

    def _exchange(self, edge: Edge) -> frozenset[int]:
        """The two values (Paddle's) that stand for each other here, if another input takes them the other way round."""
        values = self.alignment.same.get(edge.torch_value, -1), edge.paddle_value
        return frozenset(values) if values in self.exchanged else frozenset()

    def _permutation(self, pair: Pair) -> frozenset[int]:
        """The values that an operator of many takes in both frameworks, if torch takes them in another order."""
        if not pair.torch.kind == pair.paddle.kind == "concat":
            return frozenset()
        ours = [self.alignment.same.get(value, -1) for value in pair.torch.inputs.values()]
        theirs = list(pair.paddle.inputs.values())
        return frozenset(theirs) if ours != theirs and sorted(ours) == sorted(theirs) else frozenset()

    def edge_permuted(self, edge: Edge) -> bool:
        """Whether this input is nothing but another one's, and that one's or a further one's is this."""
        return bool(self._exchange(edge) or self._permutation(edge.pair))

    def _exchange_place(self, exchange: frozenset[int], edge: Edge) -> tuple[str, str]:
        """Where two values are exchanged, and who takes them so: the line that names both if every reader does."""
        torch = {t: p for t, p in self.alignment.same.items() if p in exchange}
        takers = [e for e in self.alignment.edges if not e.only_torch and self._exchange(e) == exchange]
        readers = sum(len(self.alignment.torch.consumers[t]) for t in torch)
        lines = {self.alignment.torch.producer[t].line for t in torch if t in self.alignment.torch.producer}
        pairs = {id(e.pair): e.pair for e in takers}
        others = [named(p.torch) for p in pairs.values() if p is not edge.pair]
        whole = len(pairs) > 1 and readers == len(takers) and len(lines) == 1
        return lines.pop() if whole else edge.pair.torch.line, ", ".join(others)

    @cached_property
    def exchanged(self) -> set[tuple[int, int]]:
        """(value that torch takes, value that Paddle takes) of inputs that are exchanged with another's."""
        same = self.alignment.same
        taken = {
            (same[edge.torch_value], edge.paddle_value)
            for edge in self.alignment.edges
            if edge.torch_value in same and not edge.only_paddle and not edge.only_torch
        }
        return {pair for pair in taken if pair[::-1] in taken}

    def _edge_finding(self, edge: Edge, numbers: Difference | None) -> None:
        paddle_nodes, torch_nodes = edge.only_paddle, edge.only_torch
        self.blamed_segments += [paddle_nodes, torch_nodes]
        evidence: dict[str, Any] = {
            "paddle": chain(paddle_nodes),
            "torch": chain(torch_nodes),
            **({} if numbers is None else difference_data(numbers)),
        }
        at = place_of(edge)
        values: tuple[Any, Any] = (
            chain(paddle_nodes) if paddle_nodes else None,
            chain(torch_nodes) if torch_nodes else None,
        )
        attribute = edge.pair.torch.name if edge.pair.torch.kind == "output" else ""
        after = ""
        if paddle_nodes and not torch_nodes and self._used_elsewhere(paddle_nodes):
            subject = Subject.WIRING
            values = f"another call of {values[0]}", self._source(self.alignment.torch, edge.torch_value)
            node = edge.pair.torch
            cause = f"wired differently: {at} takes {values[1]} in torch, {values[0]} in Paddle"
            fix = f"feed {at} the result of {chain(paddle_nodes)} as in Paddle"
            operator, layer, where = label(node), node.module, node.line
        elif paddle_nodes and not torch_nodes:
            subject = Subject.MISSING
            after, after_ = self._after(self.alignment.paddle, paddle_nodes[0])
            node = _main(paddle_nodes)
            cause = f"{chain(paddle_nodes)} {after_}only in Paddle"
            fix = f"add {chain(paddle_nodes, code)} before {at}"
            operator, layer, where = label(node), node.module, missing(self.alignment, edge)
        elif bool(torch_nodes) != bool(paddle_nodes) and (owned := self._owned(edge)):
            node = torch_nodes[-1] if torch_nodes else edge.pair.torch
            takes, makes = ("Paddle", "torch") if torch_nodes else ("torch", "Paddle")
            subject = Subject.WIRING
            values = (f"`{owned}`", values[1]) if torch_nodes else (values[0], f"`{owned}`")
            cause = f"{at} takes {chain(torch_nodes or paddle_nodes)} in {makes}, `{owned}` in {takes}"
            fix = f"let {at} take the numbers that Paddle takes"
            operator, layer, where = label(node), node.module, node.line
        elif torch_nodes and not paddle_nodes:
            subject = Subject.EXTRA
            after, after_ = self._after(self.alignment.torch, torch_nodes[0])
            node = _main(torch_nodes)
            cause = f"{chain(torch_nodes)} {after_}only in torch"
            fix = f"remove {chain(torch_nodes, code)} before {at}"
            operator, layer, where = label(node), node.module, place(self.alignment.torch, node)
        elif torch_nodes:
            subject, attribute, values, cause, fix, node, where, paddle_nodes = self._computed_otherwise(
                edge, at
            )
            operator, layer = label(node), node.module
        else:
            node = edge.pair.torch
            operator, layer = label(node), node.module
            subject, values, cause, fix, where = self._wired_otherwise(edge, at)
            evidence |= {
                "paddle": self._source(self.alignment.paddle, edge.paddle_value),
                "torch": self._source(self.alignment.torch, edge.torch_value),
            }
        paddle_node = paddle_nodes[-1] if paddle_nodes else edge.pair.paddle
        self.result.findings.append(
            Finding(
                layer=layer,
                operator=operator,
                where=where,
                cause=cause,
                fix=fix,
                evidence=evidence,
                layer_paddle=paddle_node.module,
                where_paddle=place(self.alignment.paddle, paddle_node) if paddle_node.line else "",
                subject=subject,
                attribute=attribute,
                values={"paddle": values[0], "torch": values[1], **({"after": after} if after else {})},
                rows=self._rows_of(edge),
                only=tuple(self.numbers_of_only[id(one)] for one in (*edge.only_paddle, *edge.only_torch)),
                order=self._order(edge),
            )
        )

    def _rows_of(self, edge: Edge) -> tuple[int, ...]:
        """The row of what takes a wrong input; none where operators without a counterpart are what is wrong."""
        number = self.numbers_of_rows.get(id(edge.pair))
        return () if number is None or edge.only_paddle or edge.only_torch else (number,)

    def _computed_otherwise(
        self, edge: Edge, at: str
    ) -> tuple[Subject, str, tuple[Any, Any], str, str, Node, str, tuple[Node, ...]]:
        """Subject, attribute, values, cause, fix, torch's operator, line and Paddle's operators where both have some that the other lacks."""
        paddle_nodes, torch_nodes = edge.only_paddle, edge.only_torch
        theirs, ours = self._parting(edge)
        node = ours.first or torch_nodes[-1]
        # A layer that other calls use too is made right: this call of it is wrong.
        shared = self._shares(torch_nodes, torch=True)
        cause = f"torch computes {chain(torch_nodes)} where Paddle computes {chain(paddle_nodes)}"
        if shared != self._shares(paddle_nodes):
            cause += f"; in {'torch' if shared else 'Paddle'} these layers are shared with another call"
        fix = f"make the input of {at} what Paddle makes it: {chain(paddle_nodes, code)}"
        subject = Subject.COMPUTED
        values: tuple[Any, Any] = chain(paddle_nodes), chain(torch_nodes)
        rehearsed = self._rehearsed(edge)
        if rehearsed is not None:
            mistake, whole, part = rehearsed
            node = part or node
            cause = f"{label(whole)} `{whole.module}` is written out in torch: {mistake.cause}"
            told = mistake.part, (label(whole), mistake.cause)
            return Subject.WRITTEN_OUT, *told, cause, mistake.fix, node, node.line, (whole,)
        entropy = self._entropy(edge)
        if entropy is not None:
            cause = f"cross entropy written out in torch: {entropy.cause}"
            told = "", (label(paddle_nodes[0]), entropy.cause)
            return Subject.WRITTEN_OUT, *told, cause, entropy.fix, node, node.line, paddle_nodes
        if theirs.first is not None and (theirs.nodes, ours.nodes) != (paddle_nodes, torch_nodes):
            paddle_nodes = (theirs.first,)
            values = called(theirs.first), None if ours.first is None else called(ours.first)
            subject = Subject.MISSING if ours.first is None else Subject.COMPUTED
            if ours.first is None:
                values = chain(theirs.nodes), None
            cause, fix = self._parted(ours, theirs, at)
            if theirs.first.kind in RECURRENT:
                cause += self._steps_apart(edge)
        where = node.line if shared else place(self.alignment.torch, node)
        return subject, "", values, cause, fix, node, where, paddle_nodes

    def _wired_otherwise(self, edge: Edge, at: str) -> tuple[Subject, tuple[Any, Any], str, str, str]:
        """Subject, sources, cause, fix and line of an input that torch takes from elsewhere, with nothing in between."""
        torch_source = self._source(self.alignment.torch, edge.torch_value)
        paddle_source = self._source(self.alignment.paddle, edge.paddle_value)
        sources = paddle_source, torch_source
        takes = f"{at} takes {torch_source} in torch, {paddle_source} in Paddle"
        exchange = self._exchange(edge)
        if exchange:
            where, others = self._exchange_place(exchange, edge)
            cause = f"swapped inputs: {takes}, and {others or 'its other input'} the other way round"
            return Subject.EXCHANGED, sources, cause, "exchange the two values", where
        if self._permutation(edge.pair):
            orders = [
                [self._source(graph, value) for value in node.inputs.values()]
                for graph, node in (
                    (self.alignment.torch, edge.pair.torch),
                    (self.alignment.paddle, edge.pair.paddle),
                )
            ]
            told = [", ".join(order) for order in orders]
            cause = f"order of the inputs: {at} joins {told[0]} in torch, {told[1]} in Paddle"
            return (
                Subject.ORDER,
                (orders[1], orders[0]),
                cause,
                "join them in Paddle's order",
                edge.pair.torch.line,
            )
        twin = self._source(self.alignment.torch, self._twin_of(edge.paddle_value))
        fix = f"feed {at} {twin}, as Paddle does"
        return Subject.WIRING, sources, f"wired differently: {takes}", fix, chosen(self.alignment, edge)

    def _parting(self, edge: Edge) -> tuple[Strangers, Strangers]:
        """(Paddle's, torch's) operators of the segments that the other side lacks, if both are fed alike."""
        owned = self.alignment.torch.parameters
        if not all(self._agrees(value) for value in self._entering(edge) if value not in owned):
            return Strangers((), None), Strangers((), None)
        return parting(edge.only_paddle, edge.only_torch, self.paddle.value, self.torch.value)

    @staticmethod
    def _parted(ours: Strangers, theirs: Strangers, at: str) -> tuple[str, str]:
        """Cause and fix where two segments have the same numbers up to an operator of theirs."""
        assert theirs.first is not None
        if ours.first is None:
            missing = chain(theirs.nodes)
            return (
                f"{missing} only in Paddle: torch makes all other numbers on the way to {at}, whatever their layout",
                f"add {chain(theirs.nodes, code)} before {at}",
            )
        return (
            f"torch computes {called(ours.first)} where Paddle computes {called(theirs.first)}: up to here both have the "
            f"same numbers on the way to {at}, whatever their layout, and from here on they have not",
            f"compute here what Paddle does: {code(theirs.first)}",
        )

    def _rehearsed(self, edge: Edge) -> tuple[Mistake, Node, Node | None] | None:
        """What is done otherwise in a loop that torch writes out, Paddle's layer, and the operator where it is done."""
        layers = [node for node in edge.only_paddle if node.kind in RECURRENT]
        if len(layers) != 1 or any(node.kind in RECURRENT for node in edge.only_torch):
            return None
        node, behind = layers[0], edge.only_paddle[edge.only_paddle.index(layers[0]) + 1 :]
        chained = [m for m in behind if m.kind == "move" and m.indices is not None]
        actual = self.torch.value(edge.torch_value)
        values = {slot: self._array(node.inputs[slot]) for slot in node.inputs}
        if actual is None or len(chained) < len(behind) or any(array is None for array in values.values()):
            return None
        known = {slot: array for slot, array in values.items() if array is not None}
        if known["x"].ndim != 3 or "lengths" in known or node.attributes["time_major"]:
            return None

        def then(made: Array) -> Array:
            for move in chained:
                assert move.indices is not None
                made = made.reshape(-1)[move.indices]
            return made

        layer = Layer(
            node.kind,
            known["x"],
            {slot: array for slot, array in known.items() if slot not in ("x", "h_0", "c_0")},
            node.attributes["num_layers"],
            2 if node.attributes["bidirectional"] else 1,
            known.get("h_0"),
            known.get("c_0"),
        )
        mistake = told(layer, actual.load(), then)
        return None if mistake is None else (mistake, node, self._part_of_loop(edge, mistake.part))

    def _entropy(self, edge: Edge) -> Mistake | None:
        """What is done otherwise in a cross entropy that torch writes out."""
        kinds = ("cross_entropy", "cross_entropy.extra")
        found = next((node for node in edge.only_paddle if node.kind in kinds), None)
        if found is None or any(node.kind in kinds for node in edge.only_torch):
            return None
        behind = [n.kind for n in edge.only_paddle[edge.only_paddle.index(found) + 1 :]]
        actual = self.torch.value(edge.torch_value)
        scores, labels = (self._array(found.inputs.get(slot, -1)) for slot in ("x", "label"))
        if actual is None or scores is None or labels is None or behind not in ([], ["mean"]):
            return None
        numbers = labels.reshape(-1).astype(np.int64)
        if (
            scores.ndim != 2
            or numbers.size != len(scores)
            or not ((numbers >= 0) & (numbers < scores.shape[1])).all()
        ):
            return None
        return entropy_told(scores, numbers, actual.load(), averaged=bool(behind))

    def _array(self, value: int) -> Array | None:
        """The numbers of a value of Paddle's, be it a parameter or not."""
        name = self.alignment.paddle.parameters.get(value)
        if name is not None and name in self.paddle_parameters:
            return self.paddle_parameters[name].astype(np.float64)
        stored = self.paddle.value(value)
        return None if stored is None else stored.load()

    def _part_of_loop(self, edge: Edge, part: str) -> Node | None:
        """The first operator of a part of a loop that torch writes out: where a step, a gate, a state is taken."""
        graph, nodes = self.alignment.torch, edge.only_torch
        if part == "outputs":
            return next((node for node in reversed(nodes) if node.kind == "concat"), None)
        if part == "steps":
            entering = self._entering(edge)
            return next((n for n in nodes if n.kind == "move" and n.inputs["x"] in entering), None)
        if part == "gates":
            products = {n.output for n in nodes if n.kind in ("linear", "add")}
            return next((n for n in nodes if n.kind == "move" and n.inputs["x"] in products), None)
        names = [(n, graph.parameters.get(n.inputs.get("weight", -1), "")) for n in nodes]
        return next((n for n, name in names if "hh" in name), None)

    def _steps_apart(self, edge: Edge) -> str:
        """From which time step on a sequence differs that one side writes out, if that can be told."""
        expected, actual = self.paddle.value(edge.paddle_value), self.torch.value(edge.torch_value)
        if expected is None or actual is None or len(expected.shape) != 3 or expected.shape != actual.shape:
            return ""
        gaps = np.abs(actual.load() - expected.load()).max(axis=(0, 2))
        apart = np.flatnonzero(gaps > self._edge_limit(edge) * np.abs(expected.load()).max())
        if not apart.size:
            return ""
        if not apart[0]:
            return "; the sequences differ from the first time step on: what it starts from, the step itself, or the order of the steps"
        return f"; the first {apart[0]} of {gaps.size} time steps agree: what one step hands on to the next differs"

    def _owned(self, edge: Edge) -> str:
        """The parameter or buffer that one side takes here, where the other side computes."""
        graph, value = (
            (self.alignment.paddle, edge.paddle_value)
            if edge.only_torch
            else (self.alignment.torch, edge.torch_value)
        )
        return graph.parameters.get(value, "")

    def _used_elsewhere(self, nodes: tuple[Node, ...]) -> bool:
        """Whether the segment's layers are ones that both sides have, called once more in Paddle."""
        weighted = [node for node in nodes if "weight" in node.inputs]
        return bool(weighted) and all(
            any(
                self.alignment.has_paddle(n)
                for n, _ in self.alignment.paddle.consumers[node.inputs["weight"]]
            )
            for node in weighted
        )

    def _shares(self, nodes: tuple[Node, ...], *, torch: bool = False) -> bool:
        """Whether a segment uses weights that other calls use too."""
        graph = self.alignment.torch if torch else self.alignment.paddle
        weights = [node.inputs["weight"] for node in nodes if "weight" in node.inputs]
        return any(len({id(n) for n, _ in graph.consumers[w]}) > 1 for w in weights)

    def _order(self, edge: Edge) -> float:
        if edge.only_paddle:
            return edge.only_paddle[0].order
        if edge.pair.paddle.kind == "output":
            return float("inf")
        return edge.pair.paddle.order - 0.5

    def _after(self, graph: Graph, node: Node) -> tuple[str, str]:
        """What an operator stands behind, and that in a sentence."""
        for value in node.data.values():
            source = graph.producer.get(value)
            if source is not None:
                return named(source), f"after {named(source)} "
            if value in graph.inputs.values():
                return "the model's input", "on the model's input "
        return "", ""

    def _twin_of(self, paddle_value: int) -> int:
        """The torch value that is this one of Paddle's; -1 if none is."""
        return next((t for t, p in self.alignment.same.items() if p == paddle_value), -1)

    @staticmethod
    def _source(graph: Graph, value: int) -> str:
        node = graph.producer.get(value)
        if node is not None:
            made = node.attributes["how"][-1][1] if "how" in node.attributes else named(node)
            return f"the output of {made}{layer_above(graph, node)}"
        if value in graph.inputs.values():
            return "the model's input"
        return f"`{graph.parameters[value]}`" if value in graph.parameters else "another value"


def _is_guard(node: Node) -> bool:
    """Whether a clip only keeps a divisor away from zero, as `normalize` does."""
    low = node.attributes.get("min")
    return (
        node.kind == "clip" and low is not None and 0.0 < low <= GUARD and node.attributes.get("max") is None
    )
