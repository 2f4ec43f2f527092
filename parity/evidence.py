"""The numbers of one case: free runs side by side, and each operator alone on Paddle's inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from parity.align import Alignment, Pair
from parity.capture.plan import ReplayPlan
from parity.compare import Difference, difference, rounding_limit
from parity.findings import Finding, label
from parity.graph import Graph, Node
from parity.judgement import Judgement, Measure, OneSided, Replay, Row, Run, stored_numbers
from parity.reference import row_of
from parity.store import Array
from parity.trace import Framework, Op
from parity.wording import is_single_layer, operator_of


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
        self.measured: dict[tuple[int, str | None], Difference] = {}
        self.offline = False

    def measure(self) -> bool:
        """Compare every aligned pair and output; replay if any number differs. Returns whether outputs agree."""
        for pair in self.alignment.pairs:
            row = self._row(pair)
            self.rows[id(pair)] = row
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
            row.status = "inside" if node.op < 0 or pair.paddle.op < 0 else "not compared"
            return row
        row.float64, row.float32, row.noise_paddle, row.noise_torch = found
        row.status = "same" if found.float64.max_rel <= row.limit else "different"
        return row

    def _outputs(self) -> None:
        for path in self.alignment.outputs:
            key = f"output:{path}"
            if key in self.paddle.store and key in self.torch.store:
                self.result.outputs[path] = difference(
                    self.torch.store.stored(key), self.paddle.store.stored(key)
                )
                if self.paddle.store32 is not None and self.torch.store32 is not None:
                    self.result.outputs32[path] = difference(
                        self.torch.store32.stored(key), self.paddle.store32.stored(key)
                    )

    def _output_limit(self, path: str) -> float:
        key = f"output:{path}"
        noise = [0.0, 0.0]
        for i, run in enumerate((self.paddle, self.torch)):
            if run.store32 is not None and key in run.store32:
                noise[i] = difference(run.store32.stored(key), run.store.stored(key)).max_rel
        return rounding_limit(noise[0], noise[1])

    def _outputs_agree(self) -> bool:
        """Whether every output of the free runs agrees to rounding."""
        if set(self.paddle.trace.outputs) != set(self.torch.trace.outputs) or not self.result.outputs:
            return False
        return all(d.max_rel <= self._output_limit(path) for path, d in self.result.outputs.items())

    def _numbers_differ(self) -> bool:
        return not self._outputs_agree() or any(row.status == "different" for row in self.result.rows)

    # -- each operator alone ----------------------------------------------------------------------

    def _replay(self) -> None:
        self.paddle.recall()
        plan = ReplayPlan(inputs={}, outputs={})
        for pair in self.alignment.pairs:
            node = pair.torch
            for slot, paddle_slot in pair.slots.items():
                value = pair.paddle.inputs[paddle_slot]
                if slot in node.data and slot in node.entries and str(value) in self.paddle.store:
                    op, raw_slot = node.entries[slot]
                    plan.inputs.setdefault(op, {})[raw_slot] = value
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
                if found is not None and not found.comparable:
                    return False
        return True

    def _locally_different(self, pair: Pair) -> bool:
        row = self.rows[id(pair)]
        if row.local is None:
            return False
        if not self._input_shapes_agree(pair):
            return False
        return row.local.max_rel > row.limit

    def _finding(
        self,
        pair: Pair,
        cause: str,
        fix: str,
        evidence: Mapping[str, Any],
        operator: str = "",
        blamed: Op | None = None,
    ) -> None:
        """Add a finding about an aligned pair; `blamed` is the raw operator at fault inside a merged one."""
        node = pair.torch
        self.result.findings.append(
            Finding(
                layer=node.module if blamed is None else blamed.module,
                operator=operator or label(node),
                where=self._place(self.alignment.torch, node) if blamed is None else blamed.line,
                cause=cause,
                fix=fix,
                evidence={"operator": node.name, **evidence},
                layer_paddle=pair.paddle.module,
                where_paddle=self._place(self.alignment.paddle, pair.paddle),
                order=pair.paddle.order,
                guide=row.paddle if (row := row_of(node.kind)) is not None else "",
            )
        )

    @staticmethod
    def _place(graph: Graph, node: Node) -> str:
        """The line that makes the layer if its module runs this one operator, else the line of the call."""
        return graph.trace.constructors.get(node.module, "") if is_single_layer(graph, node) else node.line

    def _order_of(self, torch_value: int) -> float:
        node = self.alignment.torch.producer.get(torch_value)
        pair = self.alignment.pair_of_torch(node) if node is not None else None
        return pair.paddle.order + 0.25 if pair is not None else float("inf")
