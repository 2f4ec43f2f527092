"""Operators that only one side has, and inputs that come from elsewhere."""

from __future__ import annotations

from collections import Counter
from typing import Any

from parity.align import Edge
from parity.compare import Difference, difference, rounding_limit
from parity.evidence import Evidence
from parity.findings import Finding, Note, label
from parity.graph import Graph, Node
from parity.ops.kinds import ACTIVATIONS
from parity.places import chosen, missing, place
from parity.reference import constant_of
from parity.wording import at as place_of
from parity.wording import chain, difference_data, layer_above, named


def _main(nodes: tuple[Node, ...]) -> Node:
    """What a segment is called after: in a plain chain its first layer with weights, else what makes its result."""
    plain = all(len(node.data) == 1 for node in nodes)
    return next((node for node in nodes if plain and "weight" in node.inputs), nodes[-1])


class Wiring(Evidence):
    """Findings about what stands between aligned operators."""

    def _edges(self, outputs_agree: bool) -> None:
        self.exchanged = self._exchanged()
        seen: set[tuple[frozenset[int], frozenset[int]]] = set()
        edges = [*self.alignment.edges, *self.alignment.output_edges.values()]
        for edge in edges:
            key = (frozenset(map(id, edge.only_paddle)), frozenset(map(id, edge.only_torch)))
            if key in seen and (edge.only_paddle or edge.only_torch):
                continue
            numbers = self._edge_numbers(edge)
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
                            "Paddle, same numbers: written differently",
                            edge.pair.torch.module,
                            {"float64": numbers.max_rel},
                        )
                    )
                continue
            seen.add(key)
            if self.offline and not self._starts_equal(edge):
                continue
            self._edge_finding(edge, numbers)

    def _starts_equal(self, edge: Edge) -> bool:
        """Whether what flows into torch's segment is Paddle's; else its difference may come from further up."""
        made = {node.output for node in edge.only_torch}
        entering = {v for node in edge.only_torch for v in node.data.values()} - made
        return all(self._agrees(value) for value in entering or {edge.torch_value})

    def _unpaired_activations(self, edge: Edge) -> bool:
        """Whether a segment is activations alone, on one side alone, and no other segment makes up for them."""
        one_sided = bool(edge.only_paddle) != bool(edge.only_torch)
        nodes = edge.only_paddle or edge.only_torch
        if not one_sided or not all(node.kind in ACTIVATIONS for node in nodes):
            return False
        paddle = Counter(node.kind for node in self.alignment.only_paddle)
        torch = Counter(node.kind for node in self.alignment.only_torch)
        return any(paddle[node.kind] != torch[node.kind] for node in nodes)

    @staticmethod
    def _edge_slack(edge: Edge, numbers: Difference) -> bool:
        """Whether a framework's own float32 constant inside the segment explains the difference."""
        slack = max((constant_of(n.kind)[1] for n in (*edge.only_paddle, *edge.only_torch)), default=0.0)
        return numbers.comparable and numbers.max_rel <= slack

    def _exchanged(self) -> set[tuple[int, int]]:
        """(value that torch takes, value that Paddle takes) of inputs that are exchanged with another's."""
        same = self.alignment.same
        taken = {
            (same[edge.torch_value], edge.paddle_value)
            for edge in self.alignment.edges
            if edge.torch_value in same and not edge.only_paddle and not edge.only_torch
        }
        return {pair for pair in taken if pair[::-1] in taken}

    def _edge_numbers(self, edge: Edge) -> Difference | None:
        if edge.pair.torch.kind == "output":
            path = edge.pair.torch.name
            return self._measured_output(edge) or self.result.outputs.get(path)
        entry = edge.pair.torch.entries.get(edge.torch_slot)
        if entry is not None and entry in self.measured:
            return self.measured[entry]
        expected, actual = self.paddle.value(edge.paddle_value), self.torch.value(edge.torch_value)
        return None if expected is None or actual is None else difference(actual, expected)

    def _measured_output(self, edge: Edge) -> Difference | None:
        return self.measured.get((-1, edge.pair.torch.name))

    def _edge_limit(self, edge: Edge) -> float:
        if edge.pair.torch.kind == "output":
            return self._output_limit(edge.pair.torch.name)
        row = self.rows.get(id(edge.pair))
        return row.limit if row is not None else rounding_limit(0, 0)

    def _edge_finding(self, edge: Edge, numbers: Difference | None) -> None:
        paddle_nodes, torch_nodes = edge.only_paddle, edge.only_torch
        evidence: dict[str, Any] = {
            "paddle": chain(paddle_nodes),
            "torch": chain(torch_nodes),
            **({} if numbers is None else difference_data(numbers)),
        }
        at = place_of(edge)
        if paddle_nodes and not torch_nodes and self._used_elsewhere(paddle_nodes):
            node = edge.pair.torch
            cause = (
                f"wired differently: {at} takes {self._source(self.alignment.torch, edge.torch_value)} in torch, "
                f"another call of {chain(paddle_nodes)} in Paddle"
            )
            fix = f"feed {at} the result of {chain(paddle_nodes)} as in Paddle"
            operator, layer, where = label(node), node.module, node.line
        elif paddle_nodes and not torch_nodes:
            node = _main(paddle_nodes)
            cause = (
                f"{chain(paddle_nodes)} {self._after(self.alignment.paddle, paddle_nodes[0])}only in Paddle"
            )
            fix = f"add {chain(paddle_nodes)} before {at}"
            operator, layer, where = label(node), node.module, missing(self.alignment, edge)
        elif torch_nodes and not paddle_nodes:
            node = _main(torch_nodes)
            cause = f"{chain(torch_nodes)} {self._after(self.alignment.torch, torch_nodes[0])}only in torch"
            fix = f"remove {chain(torch_nodes)} before {at}"
            operator, layer, where = label(node), node.module, place(self.alignment.torch, node)
        elif torch_nodes:
            node = torch_nodes[-1]
            cause = f"torch computes {chain(torch_nodes)} where Paddle computes {chain(paddle_nodes)}"
            if self._shares(paddle_nodes) and not self._shares(torch_nodes, torch=True):
                cause += "; in Paddle these layers are shared with another call"
            fix = f"make the input of {at} what Paddle makes it: {chain(paddle_nodes)}"
            # A layer that other calls use too is made right: this call of it is wrong.
            shared = self._shares(torch_nodes, torch=True)
            operator, layer = label(node), node.module
            where = node.line if shared else place(self.alignment.torch, node)
        else:
            node = edge.pair.torch
            swapped = (self.alignment.same.get(edge.torch_value, -1), edge.paddle_value) in self.exchanged
            cause = (
                f"{'swapped inputs' if swapped else 'wired differently'}: {at} takes {self._source(self.alignment.torch, edge.torch_value)} in torch, "
                f"{self._source(self.alignment.paddle, edge.paddle_value)} in Paddle"
            )
            fix = "feed it the same value as in Paddle (or exchange the two layers)"
            operator, layer, where = label(node), node.module, chosen(self.alignment, edge)
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
                order=self._order(edge),
            )
        )

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

    def _after(self, graph: Graph, node: Node) -> str:
        for value in node.data.values():
            source = graph.producer.get(value)
            if source is not None:
                return f"after {named(source)} "
            if value in graph.inputs.values():
                return "on the model's input "
        return ""

    @staticmethod
    def _source(graph: Graph, value: int) -> str:
        node = graph.producer.get(value)
        if node is not None:
            return f"the output of {named(node)}{layer_above(graph, node)}"
        if value in graph.inputs.values():
            return "the model's input"
        return f"`{graph.parameters[value]}`" if value in graph.parameters else "another value"
