"""What numbers do not show: silent operators, registration, origins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from convert.names import listed
from parity.capture.replay import ReplayPlan
from parity.explain.evidence import Evidence
from parity.explain.torch_code import dropout
from parity.explain.words import at, named, sentence
from parity.graph.node import Silent
from parity.limits import AMPLIFIED
from parity.results.finding import Finding, Note, Shows, Subject
from parity.results.judgement import Row, Status

SIDES = ("paddle", "torch")


class Unseen(Evidence):
    """Findings, notes and doubts about what no comparison of values reaches."""

    def _silent(self) -> None:
        """Dropouts that are switched off in this run, and detached values."""
        same = self.alignment.same
        paddle_silent = {(s.kind, s.value): s for s in self.alignment.paddle.silent}
        matched = set()
        for item in self.alignment.torch.silent:
            twin = paddle_silent.get((item.kind, same.get(item.value, -1)))
            if twin is None and item.kind == "cast":
                self._cast(item, "torch")
            elif twin is not None:
                matched.add(id(twin))
                if item.kind == "dropout":
                    self._compare_dropout(item.attributes, twin.attributes, item, twin)
            else:
                self._one_sided(item.kind, item.module, "torch")
        for item in self.alignment.paddle.silent:
            if id(item) not in matched and item.kind == "cast":
                self._cast(item, "Paddle")
            elif id(item) not in matched:
                self._one_sided(item.kind, item.module, "Paddle")

    def _one_sided(self, kind: str, module: str, side: str) -> None:
        meaning = {
            "dropout": f"Dropout only in {side}: no effect in eval; check with mode='train'",
            "detach": f"detach only in {side}: no effect on values, but on gradients",
        }
        self.result.notes.append(Note(meaning[kind], module))

    def _cast(self, item: Silent, side: str) -> None:
        """A cast to half precision that only one side makes rounds every number."""
        self.result.findings.append(
            Finding(
                layer=item.module,
                operator="cast",
                where=item.line if side == "torch" else "",
                cause=f"precision: a cast to {item.attributes['narrow']} only in {side} rounds every number here",
                fix="remove the cast"
                if side == "torch"
                else f"cast to {item.attributes['narrow']} in torch too",
                evidence={"dtype": item.attributes["narrow"]},
                where_paddle=item.line if side == "Paddle" else "",
                subject=Subject.PRECISION,
                attribute="dtype",
                values={one: item.attributes["narrow"] if one == side.lower() else None for one in SIDES},
                order=self._order_of(item.value) if side == "torch" else float("inf"),
            )
        )

    def _compare_dropout(
        self, torch: Mapping[str, Any], paddle: Mapping[str, Any], item: Any, twin: Any
    ) -> None:
        for name in ("p", "mode", "channels"):
            if torch[name] != paddle[name] and not (torch["p"] == 0 == paddle["p"]):
                self.result.findings.append(
                    Finding(
                        layer=item.module,
                        operator="Dropout",
                        where=self.alignment.torch.trace.constructors.get(item.module, "") or item.line,
                        cause=sentence(
                            f"dropout {name}: torch has {torch[name]}, Paddle has {paddle[name]}",
                            Shows.TRAINING,
                        ),
                        fix=dropout(paddle),
                        evidence={"attribute": name, "paddle": paddle[name], "torch": torch[name]},
                        layer_paddle=twin.module,
                        where_paddle=twin.line,
                        subject=Subject.ATTRIBUTE,
                        attribute=name,
                        values={"paddle": paddle[name], "torch": torch[name]},
                        shows=Shows.TRAINING,
                        order=self._order_of(item.value),
                    )
                )

    def _registration(self) -> None:
        """Layers that run but that the state dict does not know."""
        for side, trace in (("torch", self.torch.trace), ("Paddle", self.paddle.trace)):
            containers: dict[str, list[str]] = {}
            for path in trace.unregistered:
                containers.setdefault(path.rpartition("[")[0] or path, []).append(path)
            for container, paths in containers.items():
                line = trace.unregistered[paths[0]]
                first = self._first_in(paths[0], side)
                self.result.findings.append(
                    Finding(
                        layer=paths[0],
                        operator="registration",
                        where=line if side == "torch" else "",
                        cause=(
                            f"not registered: {len(paths)} layer(s) of `{container}` live in a plain list in {side}, so "
                            "they are not in the state dict, not moved by .to(), not trained and not saved"
                        ),
                        fix=f"self.{container.rpartition('.')[2]} = torch.nn.ModuleList(...)",
                        evidence={"layers": len(paths), "first": paths[0], "last": paths[-1]},
                        where_paddle=line if side == "Paddle" else "",
                        subject=Subject.REGISTRATION,
                        attribute=container,
                        shows=Shows.WEIGHTS,
                        order=first - 0.75,
                    )
                )

    def _first_in(self, path: str, side: str) -> float:
        for pair in self.alignment.pairs:
            node = pair.torch if side == "torch" else pair.paddle
            if node.module.startswith(path):
                return pair.paddle.order
        return float("inf")

    def _unknown_values(self) -> None:
        for graph in (self.alignment.paddle, self.alignment.torch):
            for value, node in graph.unknown:
                self.result.inconclusive.append(
                    f"{graph.framework}: {named(node)} at {node.line} takes a tensor of shape "
                    f"{list(graph.shapes[value])} that no recorded operator made"
                )
            for node in graph.nodes:
                if node.kind == "random":
                    self.result.inconclusive.append(
                        f"{graph.framework}: `{node.name}` at {node.line} draws random numbers, which no seed makes "
                        "equal in both frameworks"
                    )

    def _unexplained_outputs(self) -> None:
        """Outputs that differ without any finding: EQUIVALENT only if all was measured and rounding or constants explain it."""
        missing = self._unmeasured_places()
        if missing or not self.result.outputs:
            self.result.inconclusive.append(
                "the outputs differ and no operator could be blamed"
                + (f"; not measured: {listed(missing)}" if missing else "")
            )
            return
        outputs = {path: d.max_rel for path, d in self.result.outputs.items()}
        made = self._by_constants()
        if made and all(made[path] <= self._output_limit(path) for path in outputs):
            self.result.notes.append(
                Note(
                    f"the outputs differ by up to {max(outputs.values()):.1e} of their scale; the float32 constants named "
                    "here make all of it: with Paddle's numbers at these operators alone, torch's outputs are Paddle's",
                    "",
                    outputs,
                )
            )
        elif max((made or outputs).values()) <= AMPLIFIED:
            self.result.notes.append(
                Note(
                    "the outputs differ, yet every operator agrees on equal inputs and all weights are equal: the "
                    "network amplifies rounding",
                    "",
                    outputs,
                )
            )
        else:
            self.result.inconclusive.append("the outputs differ and no operator could be blamed")

    def _unmeasured_places(self) -> list[str]:
        """Operators and connections of which no number was taken on Paddle's inputs."""
        operators = [
            named(pair.torch)
            for pair in self.alignment.pairs
            if pair.torch.kind != "move" and not _measured(self.rows[id(pair)])
        ]
        edges = (*self.alignment.edges, *self.alignment.output_edges.values())
        return [
            *operators,
            *(f"the input of {at(edge)}" for edge in edges if self._edge_numbers(edge) is None),
        ]

    def _by_constants(self) -> dict[str, float]:
        """Differences of the outputs where torch is handed Paddle's numbers wherever a float32 constant was named.

        Empty if there is none, or if torch cannot be run again.
        """
        plan = ReplayPlan()
        for pair in self.alignment.pairs:
            if self.rows[id(pair)].status is Status.CONSTANTS and pair.torch.op >= 0:
                plan.outputs[pair.torch.op] = pair.paddle.output
        for edge in self.alignment.edges:
            entry = edge.pair.torch.entries.get(edge.torch_slot)
            numbers = self._edge_numbers(edge)
            if entry is not None and numbers is not None and self._edge_slack(edge, numbers):
                plan.inputs.setdefault(entry[0], {})[entry[1]] = edge.paddle_value
        found = self.replay(plan) if plan.outputs or plan.inputs else None
        outputs = {m.slot: m.difference.max_rel for m in found or () if m.op == -1}
        return {path: outputs.get(path, float("inf")) for path in self.result.outputs} if found else {}


def _measured(row: Row) -> bool:
    """Whether an operator's numbers are known: alone on Paddle's, or in the free runs, where they are Paddle's."""
    freely = row.float64 is not None and row.float64.max_rel <= row.limit
    return row.local is not None or freely or row.status is Status.INSIDE
