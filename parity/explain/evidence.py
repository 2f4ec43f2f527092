"""The numbers of one case: free runs side by side, and each operator alone on Paddle's inputs."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

from parity.align.alignment import Alignment, Edge, Pair
from parity.capture.replay import ReplayPlan
from parity.explain.lines import place
from parity.explain.words import label, operator_of, sentence
from parity.graph.node import Graph, Node
from parity.limits import FLOAT32_TABLE, rounding_limit
from parity.numbers.compare import Difference, difference
from parity.numbers.observed import Sides, observe
from parity.ops.table import constant_of, row_of
from parity.results.finding import Finding, Shows, Subject
from parity.results.judgement import Judgement, OneSided, Row, Status
from parity.runs.run import Measure, Replay, Run, stored_numbers
from parity.trace.trace import Framework, Op
from parity.trace.values import Array, Stored


def _same_numbers(pair: Pair, slot: str) -> bool:
    """Whether an operator that is written out takes Paddle's numbers in another shape: groups of channels, say."""
    shapes = pair.torch.shapes.get(slot, ()), pair.paddle.shapes.get(pair.slots.get(slot, slot), ())
    return "by_hand" in pair.torch.attributes and prod(shapes[0]) == prod(shapes[1])


class Evidence:
    """Everything that is known about one case, and the judgement that grows from it."""

    def __init__(
        self,
        paddle: Run,
        torch: Run,
        paddle_parameters: Mapping[str, Array],
        torch_parameters: Mapping[str, Array],
        alignment: Alignment,
        replay: Replay,
        numbers: Measure | None = None,
    ) -> None:
        self.paddle, self.torch = paddle, torch
        self.paddle_parameters, self.torch_parameters = paddle_parameters, torch_parameters
        self.alignment, self.replay = alignment, replay
        self.numbers = numbers or stored_numbers(paddle, torch)
        self.result = Judgement()
        self.rows: dict[int, Row] = {}
        self.numbers_of_rows: dict[int, int] = {}
        self.numbers_of_only: dict[int, int] = {}
        self.measured: dict[tuple[int, str | None], Difference] = {}
        self.offline = False
        self.at_fault: set[int] = set()
        self.mixed_up: set[int] = set()
        """Pairs, by identity, whose parameter is exactly another one of Paddle's: reason enough to differ."""
        self.entailed: set[tuple[int, str]] = set()
        """(torch operator's identity, slot or "") of what a finding about something wider has explained."""
        self.blamed_segments: list[tuple[Node, ...]] = []
        """Operators that only one side has, of which a finding says so."""
        self.hidden: dict[int, Difference] = {}
        """Edges inside a composite that nothing measures, by identity, and the difference that they lead to."""

    def measure(self) -> bool:
        """Compare every aligned pair and output; replay if any number differs. Returns whether outputs agree."""
        for pair in self.alignment.pairs:
            row = self._row(pair)
            self.rows[id(pair)] = row
            self.numbers_of_rows[id(pair)] = len(self.result.rows)
            self.result.rows.append(row)
        self.result.only = self._only()
        self._outputs()
        if self._numbers_differ():
            self._replay()
        return self._outputs_agree()

    def _only(self) -> list[OneSided]:
        """What has no counterpart, in order; a torch operator stands after the last aligned one before it."""
        alone: list[tuple[Framework, Node, float]] = [
            ("paddle", node, node.order) for node in self.alignment.only_paddle
        ]
        order = -1.0
        for node in self.alignment.torch.nodes:
            pair = self.alignment.pair_of_torch(node)
            if pair is None:
                alone.append(("torch", node, order + 0.5))
            else:
                order = pair.paddle.order
        alone.sort(key=lambda one: one[2])
        self.numbers_of_only = {id(node): number for number, (_, node, _) in enumerate(alone)}
        return [OneSided(side, node.module, label(node), node.line, at) for side, node, at in alone]

    # -- numbers ----------------------------------------------------------------------------------

    def _row(self, pair: Pair) -> Row:
        node = pair.torch
        row = Row(
            pair.paddle.module,
            node.module,
            operator_of(pair),
            self.alignment.torch.shapes[node.output],
            node.line,
            line_paddle=pair.paddle.line,
            order=pair.paddle.order,
        )
        found = self.numbers(pair.paddle.output, node.output)
        if found is None:
            row.status = Status.INSIDE if node.op < 0 or pair.paddle.op < 0 else Status.NOT_COMPARED
            return row
        row.float64, row.float32, row.noise_paddle, row.noise_torch = found
        row.status = Status.SAME if found.float64.max_rel <= row.limit else Status.DIFFERENT
        return row

    def _outputs(self) -> None:
        """Compare what the models return, each number at its own size."""
        for path in self.torch.trace.results:
            key = f"output:{path}"
            stores = (self.paddle.store, self.torch.store, self.paddle.store32, self.torch.store32)
            expected, actual, expected32, actual32 = (
                store.stored(key) if store is not None and key in store else None for store in stores
            )
            if expected is None or actual is None:
                continue
            self.result.observed[path] = observe(Sides(expected, actual, expected32, actual32))
            self.result.outputs[path] = self.result.observed[path].difference
            if expected32 is not None and actual32 is not None:
                self.result.outputs32[path] = difference(actual32, expected32)

    def _output_limit(self, path: str) -> float:
        """Largest relative difference of an output that rounding explains."""
        return self.result.observed[path].limit if path in self.result.observed else rounding_limit(0.0, 0.0)

    def _outputs_agree(self) -> bool:
        """Whether every output of the free runs agrees to rounding."""
        if set(self.paddle.trace.results) != set(self.torch.trace.results) or not self.result.observed:
            return False
        return all(found.agrees for found in self.result.observed.values())

    def _numbers_differ(self) -> bool:
        return not self._outputs_agree() or any(row.status is Status.DIFFERENT for row in self.result.rows)

    # -- each operator alone ----------------------------------------------------------------------

    def _replay(self) -> None:
        plan = ReplayPlan(inputs={}, outputs={})
        for pair in self.alignment.pairs:
            node = pair.torch
            for slot, paddle_slot in pair.slots.items():
                value = pair.paddle.inputs[paddle_slot]
                if slot in node.data and slot in node.entries and str(value) in self.paddle.store:
                    op, raw_slot = node.entries[slot]
                    for at, into in ((op, raw_slot), *node.also.get(slot, ())):
                        plan.inputs.setdefault(at, {})[into] = value
            if node.op >= 0 and pair.paddle.op >= 0 and str(pair.paddle.output) in self.paddle.store:
                plan.outputs[node.op] = pair.paddle.output
        found = self.replay(plan)
        if found is None:
            self._from_free_runs()
            return
        for measurement in found:
            self.measured[measurement.op, measurement.slot] = measurement.difference
        self.result.replayed = True
        for pair in self.alignment.pairs:
            row = self.rows[id(pair)]
            if pair.torch.op >= 0:
                row.local = self.measured.get((pair.torch.op, None))

    def _from_free_runs(self) -> None:
        """Without a model to run: an operator whose inputs agree in the free runs is alone with its own error."""
        self.offline = True
        for pair in self.alignment.pairs:
            same = (
                self.alignment.same.get(pair.torch.inputs[slot]) == pair.paddle.inputs[paddle_slot]
                and self._agrees(pair.torch.inputs[slot])
                for slot, paddle_slot in pair.slots.items()
                if slot in pair.torch.data
            )
            if all(same):
                self.rows[id(pair)].local = self.rows[id(pair)].float64

    def _agrees(self, torch_value: int) -> bool:
        """Whether a torch value is aligned and, in the free runs, Paddle's to rounding."""
        if torch_value not in self.alignment.same:
            return False
        node = self.alignment.torch.producer.get(torch_value)
        pair = None if node is None else self.alignment.pair_of_torch(node)
        row = None if pair is None else self.rows[id(pair)]
        return row is None or row.float64 is None or row.float64.max_rel <= row.limit

    def _input_shapes_agree(self, pair: Pair) -> bool:
        for slot in pair.torch.data:
            if slot in pair.torch.entries:
                found = self.measured.get(pair.torch.entries[slot])
                if found is not None and not found.comparable and not _same_numbers(pair, slot):
                    return False
        return True

    def _locally_different(self, pair: Pair) -> bool:
        row = self.rows[id(pair)]
        if row.local is None:
            return False
        if not self._input_shapes_agree(pair):
            return False
        return row.local.max_rel > row.limit

    def _is_entailed(self, pair: Pair, slot: str = "") -> bool:
        """Whether a wider finding explains that this operator, or what enters this slot of it, differs."""
        return (id(pair.torch), slot) in self.entailed

    # -- what comes in ---------------------------------------------------------------------------

    def edge_differs(self, edge: Edge) -> bool:
        """Whether what comes in here is another value than Paddle's, beyond what rounding and constants explain."""
        numbers = self._edge_numbers(edge)
        within = numbers is not None and (
            numbers.max_rel <= self._edge_limit(edge) or self._edge_slack(edge, numbers)
        )
        return numbers is not None and not within

    def edge_unknown(self, edge: Edge) -> bool:
        """Whether nothing tells what comes in here, although something must explain why the outputs differ."""
        return self._edge_numbers(edge) is None and not self._outputs_agree()

    def _edge_numbers(self, edge: Edge) -> Difference | None:
        if edge.pair.torch.kind == "output":
            path = edge.pair.torch.name
            return self._measured_output(edge) or self.result.outputs.get(path)
        entry = edge.pair.torch.entries.get(edge.torch_slot)
        if entry is not None and entry in self.measured:
            return self.measured[entry]
        expected = self._held(self.alignment.paddle, edge.paddle_value)
        actual = self._held(self.alignment.torch, edge.torch_value)
        return None if expected is None or actual is None else difference(actual, expected)

    def _held(self, graph: Graph, value: int) -> Stored | Array | None:
        """The numbers of a value: what the run made, or what the model owns."""
        run, owned = (
            (self.paddle, self.paddle_parameters)
            if graph is self.alignment.paddle
            else (self.torch, self.torch_parameters)
        )
        return run.value(value) or owned.get(graph.parameters.get(value, ""))

    def _measured_output(self, edge: Edge) -> Difference | None:
        path = edge.pair.torch.name
        found = self.measured.get((-1, path))
        return (
            found
            if found is None or path not in self.result.observed
            else self.result.observed[path].at_its_size(found)
        )

    def _edge_limit(self, edge: Edge) -> float:
        if edge.pair.torch.kind == "output":
            return self._output_limit(edge.pair.torch.name)
        row = self.rows.get(id(edge.pair))
        return row.limit if row is not None else rounding_limit(0, 0)

    def _edge_slack(self, edge: Edge, numbers: Difference) -> bool:
        """Whether float32 constants inside the segment explain the difference: a framework's, or a table of one side."""
        slack = max(
            (constant_of(n.kind, n.shapes.get("x", ()))[1] for n in (*edge.only_paddle, *edge.only_torch)),
            default=0.0,
        )
        if self._has_table(edge.only_paddle, self.alignment.paddle) != self._has_table(
            edge.only_torch, self.alignment.torch
        ):
            slack = max(slack, FLOAT32_TABLE)
        return numbers.comparable and numbers.max_rel <= slack

    @staticmethod
    def _has_table(nodes: tuple[Node, ...], graph: Graph) -> bool:
        """Whether a segment reads constants from a buffer, which holds them in float32."""
        trained = {name for name, p in graph.trace.parameters.items() if p.trainable}
        names = (graph.parameters.get(value) for node in nodes for value in node.inputs.values())
        return any(name is not None and name not in trained for name in names)

    def _finding(
        self,
        pair: Pair,
        subject: Subject,
        cause: str,
        fix: str,
        evidence: Mapping[str, Any],
        operator: str = "",
        blamed: Op | None = None,
        where: str = "",
        *,
        attribute: str = "",
        values: tuple[Any, Any] | None = None,
        shows: Shows = Shows.OUTPUTS,
    ) -> None:
        """Add a finding about an aligned pair; `blamed` is the raw operator at fault inside a merged one.

        where: the line to edit, if it is neither that operator's nor the pair's own. values: (Paddle's, torch's).
        """
        node = pair.torch
        self.result.findings.append(
            Finding(
                layer=node.module if blamed is None else blamed.module,
                operator=operator or label(node),
                where=where or (place(self.alignment.torch, node) if blamed is None else blamed.line),
                cause=sentence(cause, shows),
                fix=fix,
                evidence={"operator": node.name, **evidence},
                layer_paddle=pair.paddle.module,
                where_paddle=place(self.alignment.paddle, pair.paddle),
                subject=subject,
                attribute=attribute,
                values={} if values is None else {"paddle": values[0], "torch": values[1]},
                shows=shows,
                rows=(self.numbers_of_rows[id(pair)],),
                order=pair.paddle.order,
                guide=row.paddle if (row := row_of(node.kind)) is not None else "",
            )
        )

    def _order_of(self, torch_value: int) -> float:
        node = self.alignment.torch.producer.get(torch_value)
        pair = self.alignment.pair_of_torch(node) if node is not None else None
        return pair.paddle.order + 0.25 if pair is not None else float("inf")
