"""One aligned operator on trial: its numbers alone, its configuration, its weights."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from parity.align.alignment import Edge, Pair
from parity.explain.configuration import AttributeDifference, SlotDifference
from parity.explain.evidence import Evidence
from parity.explain.lines import configured, constructor
from parity.explain.torch_code import called, code, fix_scale, real_axes
from parity.explain.weights import ParameterDifference
from parity.explain.words import (
    first_difference,
    first_different_move,
    label,
    layer,
    line_of,
    named,
    numbers_of,
    show,
    spelled,
    squeezed,
    training,
)
from parity.graph.node import Graph, Node
from parity.limits import FLOAT32_EPSILON, FLOAT32_FACTOR
from parity.ops.kinds import ACTIVATIONS, DATAFLOW_KINDS, kind_of
from parity.ops.table import (
    COMPOSITES,
    argument_of,
    constant_of,
    fix_of,
    float32_arguments,
    trap_of,
    trap_told,
)
from parity.results.finding import Note, Shows, Subject
from parity.results.judgement import Row, Status
from parity.trace.trace import Op


class Blame(Evidence):
    """Findings about single operators."""

    def _judge_pair(
        self,
        pair: Pair,
        attributes: list[AttributeDifference],
        slots: list[SlotDifference],
        weights: list[ParameterDifference],
        outputs_agree: bool,
    ) -> None:
        row = self.rows[id(pair)]
        different = self._locally_different(pair)
        if pair.folded:
            self._folded(pair, row)
            return
        if self._is_entailed(pair) or pair.torch.kind == "random":
            # Explained by a wider finding; or named among the reasons why nothing can be claimed.
            row.status = Status.NOT_COMPARED if pair.torch.kind == "random" else Status.INHERITED
            return
        if pair.substituted:
            self._judge_substitution(pair, row, different, outputs_agree)
            return
        if pair.torch.kind == "move" and self._leads_astray(pair):
            # What interrupts the chain of moves is only in torch, and found as that.
            attributes = []
        slack = self._explained(pair, row) if different else ""
        if slack:
            row.status = Status.CONSTANTS
            self.result.notes.append(
                Note(
                    f"{label(pair.torch)} `{pair.torch.module}`: {slack}", pair.torch.module, numbers_of(row)
                )
            )
            different = False
        if outputs_agree:
            # The function is the same on this input. What differs inside is another way of writing it, unless the
            # very same operator, fed with the same value, was configured otherwise.
            if different:
                row.status = Status.WRITTEN
                different, attributes = False, []
            if pair.torch.kind in DATAFLOW_KINDS or not self._fed_alike(pair):
                attributes = []
        elif not different and row.local is not None and row.local.comparable and not self._fed_alike(pair):
            # Configured otherwise because it is fed otherwise, and the result is the same.
            attributes = []
        for found in attributes:
            self._attribute(pair, found, different)
        for missing in slots:
            self._slot(pair, missing, different)
        for weight in weights:
            self._weight(pair, weight, different)
        if different:
            row.status = Status.DIFFERENT
            if not (attributes or slots or weights or self._fed_wrongly(pair)):
                incomparable = row.local is not None and not row.local.comparable
                if incomparable and any(edge.pair is pair for edge in self.alignment.edges):
                    # Fed with something that only torch has: its shape is the doing of that.
                    row.status = Status.INHERITED
                elif self._takes_a_fault(pair) or any(self._is_entailed(pair, slot) for slot in pair.slots):
                    row.status = Status.INHERITED
                elif pair.torch.op in self.at_fault:
                    # One call of torch that is several operators here: another of them answers for its result.
                    row.status = Status.INHERITED
                else:
                    self._unexplained(pair)
        elif attributes or slots or weights:
            row.status = Status.DIFFERENT
        elif self.result.replayed and row.status is Status.DIFFERENT:
            row.status = Status.INHERITED if row.local is not None else row.status

    def _judge_substitution(self, pair: Pair, row: Row, different: bool, outputs_agree: bool) -> None:
        """Two operators in one place: one function in two forms where their numbers agree, but for activations."""
        functions = {pair.torch.kind, pair.paddle.kind} <= ACTIVATIONS
        excuse = max(constant_of(kind)[1] for kind in (pair.torch.kind, pair.paddle.kind))
        different = different and not (row.local is not None and row.local.max_rel <= excuse)
        freely = row.float64 is not None and row.float64.max_rel <= row.limit
        if (outputs_agree or freely or (row.local is not None and not different)) and not functions:
            row.status = Status.WRITTEN if different else Status.SAME
            self._written_differently(pair)
        else:
            self._substituted(pair)
            row.status = Status.DIFFERENT

    def _fed_alike(self, pair: Pair) -> bool:
        """Whether both sides feed this operator from the same aligned values, in the same shape."""
        same = self.alignment.same
        return all(
            same.get(pair.torch.inputs[t]) == pair.paddle.inputs[p]
            and (
                "by_hand" in pair.torch.attributes
                or squeezed(pair.torch.shapes.get(t, ())) == squeezed(pair.paddle.shapes.get(p, ()))
            )
            for t, p in pair.slots.items()
            if t in pair.torch.data
        )

    def _leads_astray(self, pair: Pair) -> bool:
        """Whether only operators that Paddle does not have read a value."""
        readers = self.alignment.torch.consumers[pair.torch.output]
        return bool(readers) and not any(self.alignment.has_torch(node) for node, _ in readers)

    def _fed_wrongly(self, pair: Pair) -> bool:
        """Whether the fault is what comes in, which Paddle's numbers could not stand in for.

        One torch value for two inputs that differ in Paddle, or a table that one side owns and the other computes.
        """
        torch = {pair.torch.inputs[t] for t in pair.slots}
        paddle = {pair.paddle.inputs[p] for p in pair.slots.values()}
        return len(torch) < len(paddle) or any(
            edge.pair is pair
            and pair.torch.entries.get(edge.torch_slot) not in self.measured
            and self.edge_differs(edge)
            for edge in self.alignment.edges
        )

    def _takes_a_fault(self, pair: Pair) -> bool:
        """Whether it takes what an operator at fault made, where Paddle's numbers could not be handed in."""
        for slot in pair.slots:
            node = self.alignment.torch.producer.get(pair.torch.inputs[slot])
            made = None if node is None else self.alignment.pair_of_torch(node)
            fed = pair.torch.entries.get(slot) in self.measured
            if made is not None and not fed and self.rows[id(made)].status is Status.DIFFERENT:
                return True
        return False

    def _one_sided_inside(self, pair: Pair) -> Edge | None:
        """What only one side does within the same call, such as the causal mask of an attention."""
        for edge in self.alignment.edges:
            within = set(edge.pair.torch.raw) & set(pair.torch.raw)
            if within and (edge.only_paddle or edge.only_torch) and self._edge_numbers(edge) is None:
                return edge
        return None

    def _folded(self, pair: Pair, row: Row) -> None:
        row.status = Status.CONSTANTS
        self.result.notes.append(
            Note(
                f"{label(pair.torch)} `{pair.torch.module}`: Paddle's BatchNorm is folded into its weights (they are "
                "Paddle's times scale / sqrt(variance + eps), rounded to float32): written differently",
                pair.torch.module,
                numbers_of(row),
            )
        )

    def _explained(self, pair: Pair, row: Row) -> str:
        """Why a small local difference is the framework's own float32 constant, or ""."""
        local = row.local
        reason, within = constant_of(pair.torch.kind, pair.torch.shapes.get("x", ()))
        if pair.paddle.attributes.get("op") == "dropout":
            reason, within = "Paddle keeps the factor of a dropout in float32", FLOAT32_FACTOR
        if not reason and {"by_hand"} & (pair.torch.attributes.keys() | pair.paddle.attributes.keys()):
            reason, within = self._rounded_inside(pair)
        if not reason or local is None or not local.comparable or local.max_rel > within:
            return ""
        return f"{reason}; a difference of {local.max_rel:.1e} in float64 is that, not the port"

    def _rounded_inside(self, pair: Pair) -> tuple[str, float]:
        """Which constant of an operator that is written out Paddle rounds, and by how much that can change the result."""
        one_sided = ("by_hand" in pair.torch.attributes) != ("by_hand" in pair.paddle.attributes)
        if one_sided and pair.torch.attributes.get("eps"):
            return "Paddle keeps eps in float32", FLOAT32_EPSILON
        for kind in {self.paddle.trace.ops[number].kind for number in pair.paddle.raw}:
            within = constant_of(kind)[1] or (FLOAT32_EPSILON if float32_arguments(kind) else 0.0)
            if within:
                return f"Paddle rounds the constants of {kind}, with which it writes this out", within
        return "", 0.0

    def _attribute(self, pair: Pair, found: AttributeDifference, different: bool) -> None:
        name = found.attribute
        row = self.rows[id(pair)]
        torch_value, paddle_value, operator = found.torch, found.paddle, ""
        if name == "axes":
            torch_value, paddle_value = (real_axes(node)[name] for node in (pair.torch, pair.paddle))
        blamed: Op | None = None
        if pair.torch.kind == "affine" and "negated" in pair.torch.attributes:
            torch_value, paddle_value = -torch_value, -paddle_value
        if name in pair.torch.decided:
            blamed = self.torch.trace.ops[pair.torch.decided[name]]
        if name == "map":
            torch_value, paddle_value = spelled(pair.torch), spelled(pair.paddle)
            name, operator = "order", first_different_move(pair)
            blamed = self._first_different_op(pair)
        cause = f"{name}: torch has {show(torch_value)}, Paddle has {show(paddle_value)}"
        argument = self._argument_of_composite(pair, name)
        if argument:
            cause = f"{argument}: {cause}"
        if name == "momentum":
            cause += ", in Paddle's convention"
        if name == "training":
            cause = (
                f"training flag: runs {training(found.torch)} in torch, {training(found.paddle)} in Paddle"
            )
        trap = trap_of(pair.torch.kind, name)
        if trap is not None:
            cause += f" ({trap.text})"
        seen = different or row.status is Status.DIFFERENT or self._unmeasured(pair)
        fix = fix_of(pair.torch.kind, name, paddle_value, self._name_of_call(pair))
        if name.startswith("scalar_"):
            fix = f"write {show(paddle_value)} here for {show(torch_value)}"
        if pair.torch.kind == "affine":
            fix = f"write {line_of(pair.paddle, pair.torch)} here"
        if pair.torch.kind == "matmul" and name == "scale":
            fix = fix_scale(pair.torch, 1.0 if found.paddle is None else found.paddle)
        if "by_hand" in pair.torch.attributes:
            fix = f"in the {label(pair.torch)} that is written out here, make {name} {show(paddle_value)}"
        if name == "order":
            fix = f"move the numbers as Paddle does: {paddle_value}"
        if name == "training":
            fix = (
                "call model.eval() / model.train() on the whole model, and leave no layer's flag set by hand"
            )
        self._finding(
            pair,
            Subject.ORDER if name == "order" else Subject.ATTRIBUTE,
            cause,
            fix,
            {"attribute": name, "paddle": show(paddle_value), "torch": show(torch_value), **numbers_of(row)},
            operator,
            blamed,
            self._configured(pair, found, blamed),
            attribute="" if name == "order" else name,
            values=(paddle_value, torch_value),
            shows=Shows.OUTPUTS if seen else Shows.NOTHING,
        )

    def _unmeasured(self, pair: Pair) -> bool:
        """Whether no number tells what this operator does, although something must explain why the outputs differ."""
        row = self.rows[id(pair)]
        return row.local is None and row.float64 is None and not self._outputs_agree()

    def _name_of_call(self, pair: Pair) -> str:
        """What is called: the layer's own class where that is one of several for the operator."""
        name = called(pair.torch)
        kind: str = self.alignment.torch.trace.modules.get(pair.torch.module, {}).get("type", "")
        return kind if kind.rstrip("123d") == name.rstrip("123d") else name

    def _configured(self, pair: Pair, found: AttributeDifference, blamed: Op | None) -> str:
        """The line that decides an attribute: inside a ready-made layer, the one that makes the layer."""
        if blamed is not None:
            return constructor(self.torch.trace, blamed.module)
        return configured(self.alignment, pair, lambda node: node.attributes.get(found.attribute))

    def _first_different_op(self, pair: Pair) -> Op | None:
        """The torch operator of a chain of moves that first differs from Paddle's chain."""
        ours, theirs = pair.torch.attributes["how"], pair.paddle.attributes["how"]
        if len(pair.torch.raw) != len(ours) or len(pair.paddle.raw) != len(theirs):
            return None
        at = first_difference(ours, theirs)
        op = self.torch.trace.ops[pair.torch.raw[min(at, len(ours) - 1)]]
        if len(theirs) > len(ours):
            # The move is missing in torch: the place is where Paddle makes it.
            module = self.paddle.trace.ops[pair.paddle.raw[at]].module
            return replace(op, module=module) if module in self.torch.trace.modules else op
        return op

    def _argument_of_composite(self, pair: Pair, attribute: str) -> str:
        """Which argument of a ready-made layer an operator inside it comes from, as far as the table knows."""
        kind = self.alignment.torch.trace.modules.get(pair.torch.module, {}).get("type", "")
        return COMPOSITES.get(kind, {}).get(attribute, "")

    def _slot(self, pair: Pair, found: SlotDifference, different: bool) -> None:
        other = "torch" if found.only_in == "paddle" else "Paddle"
        side = "Paddle" if found.only_in == "paddle" else "torch"
        if found.slot in kind_of(pair.torch.kind).optional:
            cause = f"{found.slot} only in {side}: the {other} layer is called without it"
            fix = (
                f"pass {found.slot} to {label(pair.torch)}" if side == "Paddle" else f"leave {found.slot} out"
            )
            self._finding(
                pair,
                Subject.SLOT,
                cause,
                fix,
                {"slot": found.slot, **numbers_of(self.rows[id(pair)])},
                attribute=found.slot,
                values=(side == "Paddle", side == "torch"),
            )
            return
        cause = f"{found.slot} only in {side}: the {other} layer is made without one"
        argument = argument_of(pair.torch.kind, f"{found.slot}_attr")
        name = (argument.torch if argument is not None else None) or found.slot
        fix = f"{label(pair.torch)}(..., {name}={found.only_in == 'paddle'})"
        where = configured(self.alignment, pair, lambda node: found.slot in node.inputs)
        self._finding(
            pair,
            Subject.SLOT,
            cause,
            fix,
            {"slot": found.slot, **numbers_of(self.rows[id(pair)])},
            where=where,
            attribute=found.slot,
            values=(side == "Paddle", side == "torch"),
        )

    def _weight(self, pair: Pair, found: ParameterDifference, different: bool) -> None:
        if found.swapped:
            self.mixed_up.add(id(pair))
        self._finding(
            pair,
            Subject.WEIGHT,
            found.cause,
            found.fix,
            {
                "parameter": found.torch,
                "paddle parameter": found.paddle,
                "relative difference": found.max_rel,
                **numbers_of(self.rows[id(pair)]),
            },
            attribute=found.torch,
            values=(found.paddle, found.holds),
            shows=Shows.OUTPUTS if different else Shows.WEIGHTS,
        )

    def _substituted(self, pair: Pair) -> None:
        cause = f"torch runs {layer(pair.torch)} where Paddle runs {layer(pair.paddle)}"
        attribute = ""
        values: tuple[Any, Any] = layer(pair.paddle), layer(pair.torch)
        if pair.torch.kind == pair.paddle.kind:
            attribute = "weight"
            values = (
                self._shape_of_weight(self.alignment.paddle, pair.paddle),
                self._shape_of_weight(self.alignment.torch, pair.torch),
            )
            cause += f": weight of shape {values[1] or 'none'} in torch, {values[0] or 'none'} in Paddle"
        fix = f"replace {called(pair.torch)} by {code(pair.paddle, pair.torch)}"
        self._finding(
            pair,
            Subject.SUBSTITUTED,
            cause,
            fix,
            {"paddle": pair.paddle.kind, "torch": pair.torch.kind, **numbers_of(self.rows[id(pair)])},
            where=configured(self.alignment, pair, lambda node: node.kind),
            attribute=attribute,
            values=values,
        )

    @staticmethod
    def _shape_of_weight(graph: Graph, node: Node) -> list[int] | None:
        return list(graph.shapes[node.inputs["weight"]]) if "weight" in node.inputs else None

    def _readers_agree(self, pair: Pair) -> bool:
        """Whether all that is made of a result agrees, so that its shape is another way of writing it."""
        readers = [
            self.alignment.pair_of_torch(n) for n, _ in self.alignment.torch.consumers[pair.torch.output]
        ]
        return bool(readers) and all(reader is not None and self._reader_agrees(reader) for reader in readers)

    def _reader_agrees(self, pair: Pair) -> bool:
        row = self.rows[id(pair)]
        if row.float64 is None:
            return False
        return row.float64.max_rel <= row.limit if row.float64.comparable else self._readers_agree(pair)

    def _written_differently(self, pair: Pair) -> None:
        self.result.notes.append(
            Note(
                f"{named(pair.torch)}: {label(pair.torch)} in torch, {label(pair.paddle)} in Paddle, "
                "same numbers: written differently",
                pair.torch.module,
            )
        )

    def _unexplained(self, pair: Pair) -> None:
        row = self.rows[id(pair)]
        local = row.local
        assert local is not None
        inside = self._one_sided_inside(pair)
        if inside is not None:
            self.hidden[id(inside)] = local
            return
        if not local.comparable and self._readers_agree(pair):
            row.status = Status.WRITTEN
            return
        attribute = ""
        values: tuple[Any, Any] | None = None
        if not local.comparable:
            made = [
                list(graph.shapes[node.output])
                for graph, node in ((self.alignment.paddle, pair.paddle), (self.alignment.torch, pair.torch))
            ]
            attribute, values = "shape", (made[0], made[1])
            cause = f"the result cannot be compared: {local.problem}"
            shapes = {"paddle shapes": pair.paddle.shapes, "torch shapes": pair.torch.shapes}
            fix = "compare how both sides shape this operator's inputs"
        else:
            cause = f"same inputs, attributes and weights, yet the result differs by {local.max_rel:.1e} of its scale"
            shapes = {}
            layout = pair.paddle.shapes.get("x"), pair.torch.shapes.get("x")
            if layout[0] != layout[1]:
                attribute, values = "shape", (list(layout[0] or ()), list(layout[1] or ()))
                cause = (
                    f"works on shape {list(layout[1] or ())} in torch and {list(layout[0] or ())} in Paddle"
                )
            fix = "compare the two lines: an argument that is not recorded must differ"
            given = [name for name, value in pair.paddle.attributes.items() if value is not None]
            told = trap_told(pair.torch.kind, given)
            if told is not None:
                cause, fix = f"{told[0]} (differs by {local.max_rel:.1e} of its scale)", told[1]
        self._finding(
            pair,
            Subject.UNEXPLAINED,
            cause,
            fix,
            {**shapes, **numbers_of(row)},
            attribute=attribute,
            values=values,
        )
