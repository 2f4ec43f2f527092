"""The numbers of one case: of the free runs side by side, and of each operator alone on Paddle's inputs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import prod

import numpy as np

from parity.align.alignment import Edge, Pair
from parity.align.weights import same_content
from parity.capture.replay import ReplayPlan
from parity.explain.configured import Configured
from parity.explain.constants import constant_in, cut_scores
from parity.explain.hidden import Hidden, hidden
from parity.explain.weights import ELEMENTWISE
from parity.explain.words import label, operator_of
from parity.graph.node import Graph, Node
from parity.limits import FLOAT32_FACTOR, FLOAT32_STEPS, FLOAT32_TABLE, RECOMPUTED, rounding_limit
from parity.numbers.compare import Difference, difference
from parity.numbers.observed import Observed, Sides, observe
from parity.ops.kinds import DATAFLOW_KINDS
from parity.ops.table import constant_of
from parity.results.judgement import OneSided, Row, Status
from parity.results.seen import statistic_values
from parity.runs.run import Measure, Replay, stored_numbers
from parity.trace.trace import Framework
from parity.trace.values import Array, Stored

Way = Mapping[tuple[int, str | None], Difference]
"""(torch operator, None) or (-1, result) -> how far its result is from Paddle's; (torch operator, slot) -> what comes in there."""


POINTWISE = frozenset({"add", "mul"})
"""Kinds that make each of their numbers of one number of each of two inputs."""

FUSED_KINDS = frozenset({"conv", "conv_transpose", "linear"})
"""Kinds that may hold the weights of several layers of the kind, side by side or one behind the other."""


@dataclass(eq=False, repr=False)
class Measured(Configured):
    """Everything that was measured of one case. Nothing here changes once it is gathered.

    replay: runs torch once more, teacher-forced; it is called only if numbers differ. names: torch's parameter or buffer ->
    Paddle's, as far as names tell.
    """

    replay: Replay
    numbers: Measure | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    moved: Mapping[str, Sequence[tuple[Array, Array]]] = field(default_factory=dict)
    """What the models return, by path, where their float32 constants are rounded otherwise: Paddle's, torch's; {} if nobody asked."""
    constants: float = 0.0
    """By how much any value may differ because of such constants: where there is a fault beyond doubt, and only its place is looked for."""

    def __post_init__(self) -> None:
        self._freely = self.numbers or stored_numbers(self.paddle, self.torch)
        self._into_one: dict[int, bool] = {}
        self._turned = frozenset(self._kept_transposed())
        """torch's values that are Paddle's transposed: matrices of layers, and what is made of them number by number (slow copies, scaled weights)."""
        self._rows = {id(pair): self._row(pair) for pair in self.alignment.pairs}
        self._numbers = {id(pair): number for number, pair in enumerate(self.alignment.pairs)}
        self.observed = dict(self._observed())
        """What the models return, by path, with what rounding explains of it."""
        self.measured: dict[tuple[int, str | None], Difference] = {}
        """(torch operator, slot; None: its result) -> how far it is from Paddle's, alone."""
        self.replayed = self.offline = False
        if not self.outputs_agree or any(row.status is Status.DIFFERENT for row in self._rows.values()):
            self._measure_alone()

    # -- rows -------------------------------------------------------------------------------------

    @property
    def rows(self) -> list[Row]:
        """The rows of all pairs as the numbers alone have them, in order."""
        return list(self._rows.values())

    def row(self, pair: Pair) -> Row:
        return self._rows[id(pair)]

    def number(self, pair: Pair) -> tuple[int, ...]:
        """The number of a pair's row; none for a result of the model."""
        return (self._numbers[id(pair)],) if id(pair) in self._numbers else ()

    @cached_property
    def _alone(self) -> list[tuple[Framework, Node, float]]:
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
        return sorted(alone, key=lambda one: one[2])

    @property
    def only(self) -> list[OneSided]:
        """What has no counterpart, in order."""
        return [OneSided(side, node.module, label(node), node.line, at) for side, node, at in self._alone]

    def numbers_of(self, nodes: Iterable[Node]) -> tuple[int, ...]:
        """Places in `only`."""
        places = {id(node): number for number, (_, node, _) in enumerate(self._alone)}
        return tuple(places[id(node)] for node in nodes)

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
            constants=self.constants,
        )
        found = self._freely(pair.paddle.output, node.output)
        if found is None:
            inside = node.op < 0 or pair.paddle.op < 0
            return replace(row, status=Status.INSIDE if inside else Status.NOT_COMPARED)
        row = replace(
            row,
            float64=self._transposed(pair) or found.float64,
            float32=found.float32,
            noise_paddle=found.noise_paddle,
            noise_torch=found.noise_torch,
        )
        return replace(row, status=Status.SAME if row.agrees_freely else Status.DIFFERENT)

    def _kept_transposed(self) -> Iterator[int]:
        turned: set[int] = set()
        names = self.alignment.torch.parameters
        for pair in self.alignment.pairs:
            if pair.torch.kind not in ELEMENTWISE:
                continue
            taken = {value: self.names.get(names.get(value, ""), "") for value in pair.torch.inputs.values()}
            for value, theirs in taken.items():
                expected, actual = (
                    self.paddle_parameters.get(theirs),
                    self.torch_parameters.get(names.get(value, "")),
                )
                if expected is None or actual is None or not expected.ndim == 2 == actual.ndim:
                    continue
                if same_content(expected.T, actual) and not same_content(expected, actual):
                    turned.add(value)
            if turned.issuperset(taken):
                turned.add(pair.torch.output)
        yield from turned

    def _transposed(self, pair: Pair) -> Difference | None:
        """How far a value that torch keeps transposed is from Paddle's."""
        if pair.torch.output not in self._turned:
            return None
        expected, actual = self.paddle.value(pair.paddle.output), self.torch.value(pair.torch.output)
        return None if expected is None or actual is None else difference(actual.load(), expected.load().T)

    def _observed(self) -> Iterator[tuple[str, Observed]]:
        """What the models return, each number at its own size."""
        for path in self.torch.trace.results:
            expected, actual, expected32, actual32 = self.results(path)
            if expected is not None and actual is not None:
                sides = Sides(expected, actual, expected32, actual32)
                yield path, observe(sides, self.moved.get(path, ())).within(self.constants)

    def results(self, path: str) -> list[Stored | None]:
        """(Paddle's, torch's) result in float64, then in float32."""
        key = f"output:{path}"
        stores = (self.paddle.store, self.torch.store, self.paddle.store32, self.torch.store32)
        return [store.stored(key) if store is not None and key in store else None for store in stores]

    @property
    def outputs(self) -> dict[str, Difference]:
        """How far the models' results are apart, by path."""
        return {path: found.difference for path, found in self.observed.items()}

    def outputs32(self) -> dict[str, Difference]:
        """The same in float32."""
        found = {}
        for path in self.observed:
            *_, expected, actual = self.results(path)
            if expected is not None and actual is not None:
                found[path] = difference(actual, expected)
        return found

    def output_limit(self, path: str) -> float:
        """Largest relative difference of an output that rounding explains."""
        return self.observed[path].limit if path in self.observed else self.least

    @cached_property
    def outputs_agree(self) -> bool:
        """Whether every output of the free runs agrees to rounding."""
        if set(self.paddle.trace.results) != set(self.torch.trace.results) or not self.observed:
            return False
        return all(found.agrees for found in self.observed.values())

    @cached_property
    def accumulated(self) -> frozenset[int]:
        """torch's values that are the running statistics which this run updates."""
        return frozenset(statistic_values(self.torch.trace, accumulated=True))

    @cached_property
    def hidden(self) -> tuple[Hidden, Hidden]:
        """What parameters of zeros keep from the results: in Paddle, in torch."""
        return (
            hidden(self.alignment.paddle, self.paddle_parameters),
            hidden(self.alignment.torch, self.torch_parameters),
        )

    # -- each operator alone ----------------------------------------------------------------------

    def _measure_alone(self) -> None:
        plan = ReplayPlan(inputs={}, outputs={})
        for pair in self.alignment.pairs:
            node = pair.torch
            for slot, paddle_slot in pair.slots.items():
                value = pair.paddle.inputs[paddle_slot]
                turned = pair.torch.inputs[slot] in self._turned
                if slot in node.data and not turned and str(value) in self.paddle.store:
                    for at, into in node.places(slot):
                        plan.inputs.setdefault(at, {})[into] = value
            # Of an operator of several results the first is measured, and tells of all.
            known = pair.paddle.op >= 0 and str(pair.paddle.output) in self.paddle.store
            if (
                node.op >= 0
                and known
                and not node.kind.endswith(".extra")
                and node.output not in self._turned
            ):
                plan.outputs.setdefault(node.op, pair.paddle.output)
        found = self.replay(plan)
        if found is None:
            self._from_free_runs()
            return
        for measurement in found:
            self.measured[measurement.op, measurement.slot] = measurement.difference
        self.replayed = True
        for pair in self.alignment.pairs:
            if pair.torch.op >= 0:
                local = self.measured.get((pair.torch.op, None))
                self._rows[id(pair)] = replace(self.row(pair), local=local)

    def replayed_with(self, plan: ReplayPlan) -> Way:
        """What torch makes where it is handed Paddle's numbers as planned; nothing where it cannot be run again, or Paddle has no such numbers."""
        handed = [
            *plan.outputs.values(),
            *(value for slots in plan.inputs.values() for value in slots.values()),
        ]
        if any(str(value) not in self.paddle.store for value in handed):
            return {}
        return {(m.op, m.slot): m.difference for m in self.replay(plan) or ()}

    def _from_free_runs(self) -> None:
        """Without a model to run: an operator whose inputs agree in the free runs is alone with its own error."""
        self.offline = True
        for pair in self.alignment.pairs:
            same = (
                self.alignment.same.get(pair.torch.inputs[slot]) == pair.paddle.inputs[paddle_slot]
                and self.agrees(pair.torch.inputs[slot])
                for slot, paddle_slot in pair.slots.items()
                if slot in pair.torch.data
            )
            if all(same):
                self._rows[id(pair)] = replace(self.row(pair), local=self.row(pair).float64)

    def agrees(self, torch_value: int) -> bool:
        """Whether a torch value is aligned and, in the free runs, Paddle's to rounding."""
        if torch_value not in self.alignment.same:
            return False
        node = self.alignment.torch.producer.get(torch_value)
        pair = None if node is None else self.alignment.pair_of_torch(node)
        row = None if pair is None else self.row(pair)
        return row is None or row.float64 is None or row.agrees_freely

    def _input_shapes_agree(self, pair: Pair) -> bool:
        for slot in pair.torch.data:
            place = pair.torch.place(slot)
            if place is not None:
                found = self.measured.get(place)
                if found is not None and not found.comparable and not _same_numbers(pair, slot):
                    # Only the forced run brought another shape here, and Paddle's numbers took its place.
                    replaced = self.row(pair).local
                    if replaced is None or not replaced.comparable or not pair.same_shape(slot):
                        return False
        return True

    def differs_alone(self, pair: Pair) -> bool:
        row = self.row(pair)
        if row.local is None:
            return False
        if not self._input_shapes_agree(pair):
            return False
        return row.local.max_rel > row.limit

    def neutral(self, pair: Pair, slot: str) -> bool:
        """Whether what only one side takes in a slot changes nothing yet: a bias of zeros, a scale of ones, no parameter at all."""
        for graph, node, owned in (
            (self.alignment.paddle, pair.paddle, self.paddle_parameters),
            (self.alignment.torch, pair.torch, self.torch_parameters),
        ):
            numbers = owned.get(graph.parameters.get(node.inputs.get(slot, -1), ""))
            if numbers is not None:
                return bool((numbers == (1.0 if "weight" in slot else 0.0)).all())
        return True

    def frozen(self, pair: Pair, slot: str) -> bool:
        """Whether what one side alone takes in a slot is a parameter that is not trained."""
        for graph, node in ((self.alignment.paddle, pair.paddle), (self.alignment.torch, pair.torch)):
            name = graph.parameters.get(node.inputs.get(slot, -1))
            if name in graph.trace.parameters:
                return not graph.trace.parameters[name].trainable
        return False

    def excuse(self, pair: Pair) -> str:
        """Why a small difference of an operator alone is the framework's own float32 constant, or ""."""
        local = self.row(pair).local
        if local is None or not local.comparable:
            return ""
        reason, within = constant_in(self.paddle.trace, pair)
        return reason if local.max_rel <= within else self._cut_at(pair, local)

    def _cut_at(self, pair: Pair, alone: Difference) -> str:
        """Why a log-softmax alone differs if it does so only where Paddle's kernel stops."""
        scores, made = (
            self.paddle.value(pair.paddle.inputs.get("x", -1)),
            self.paddle.value(pair.paddle.output),
        )
        if pair.torch.kind != "log_softmax" or scores is None or made is None:
            return ""
        return cut_scores(scores.load(), made.load(), pair.paddle.attributes["axis"], alone.max_abs)

    def made_up_for(self, pair: Pair) -> bool:
        """Whether an operator's weights, which are not Paddle's, are right where they stand: fused branches, channels in another order.

        Either it makes Paddle's result of what comes in otherwise, or torch's results, which are Paddle's, would be others with
        Paddle's numbers behind it; or those cannot even be handed in, because it makes something else on the way to the same results.
        """
        row = self.row(pair)
        if self.makes_the_same_elsewhere(pair):
            return True
        unmeasured = row.local is None or not row.local.comparable
        if self.outputs_agree and unmeasured and not row.agrees_freely:
            return all(node is not pair.torch for node in self.hidden[1].nodes)
        if not self.differs_alone(pair):
            return False
        if self.row(pair).agrees_freely or self.is_fused(pair):
            return True
        if not self.outputs_agree or pair.torch.op < 0:
            return False
        plan = ReplayPlan(outputs={pair.torch.op: pair.paddle.output})
        results = self.replayed_with(plan)
        return any(
            found.at_its_size(results[-1, path]).max_rel > found.limit
            for path, found in self.observed.items()
            if (-1, path) in results
        )

    def makes_the_same_elsewhere(self, pair: Pair) -> bool:
        """Whether an operator makes Paddle's numbers in the free runs, at other places: it works in another layout, and its weights with it.

        Channels in a wrong order are such numbers too, so the results must agree, or the weight be put beside many numbers that all differ.
        """
        known = self.outputs_agree or self._beside_other_numbers(pair)
        return known and self.numbers_moved(pair)

    def numbers_moved(self, pair: Pair) -> bool:
        """Whether torch's result has Paddle's numbers at other places."""
        row = self.row(pair)
        actual, expected = self.torch.value(pair.torch.output), self.paddle.value(pair.paddle.output)
        if actual is None or expected is None or row.agrees_freely or actual.size != expected.size:
            return False
        numbers = (np.sort(one.load(), axis=None) for one in (actual, expected))
        return difference(*numbers).max_rel <= row.limit

    def _beside_other_numbers(self, pair: Pair) -> bool:
        """Whether each number of a weight meets one of its own, so that no other order of them makes the same."""
        parameters = self.alignment.torch.parameters
        given = [value for value in pair.torch.inputs.values() if value not in parameters]
        data = self.torch.value(given[0]) if pair.torch.kind in POINTWISE and len(given) == 1 else None
        return data is not None and np.unique(data.load()).size > data.size / 2 > 1

    def is_fused(self, pair: Pair) -> bool:
        """Whether an operator makes of Paddle's numbers what several of Paddle's make, to what float32 keeps of fused weights."""
        if id(pair) not in self._into_one:
            self._into_one[id(pair)] = self._makes_alone(pair)
        return self._into_one[id(pair)]

    def _makes_alone(self, pair: Pair) -> bool:
        node = pair.torch
        if node.kind not in FUSED_KINDS or node.op < 0 or id(pair) not in self.weights:
            return False
        edges = [edge for edge in self._taken if edge.torch_value == node.output]
        made = {edge.paddle_value for edge in edges if edge.only_paddle and not edge.only_torch}
        if len(made) != 1 or not all(edge.paddle_value in made for edge in edges):
            return False
        plan = ReplayPlan(outputs={node.op: made.pop()})
        for slot, paddle_slot in pair.slots.items():
            place = node.place(slot)
            if slot in node.data and place is not None:
                plan.inputs.setdefault(place[0], {})[place[1]] = pair.paddle.inputs[paddle_slot]
        found = self.replayed_with(plan).get((node.op, None))
        return found is not None and found.comparable and found.max_rel <= FLOAT32_STEPS

    @property
    def _taken(self) -> tuple[Edge, ...]:
        return (*self.alignment.edges, *self.alignment.output_edges.values())

    def _takes_fused(self, edge: Edge) -> bool:
        """Whether what comes in here is made by one operator that several of Paddle's were fused into."""
        made = self.alignment.torch.producer.get(edge.torch_value)
        pair = None if made is None or edge.only_torch else self.alignment.pair_of_torch(made)
        return pair is not None and self.is_fused(pair)

    # -- what comes in ---------------------------------------------------------------------------

    def edge_differs(self, edge: Edge) -> bool:
        """Whether what comes in here is another value than Paddle's, beyond what rounding and constants explain."""
        numbers = self.edge_numbers(edge)
        within = numbers is not None and (
            numbers.max_rel <= self.edge_limit(edge) or self.edge_slack(edge, numbers)
        )
        return numbers is not None and not within

    def fed_equal(self, pair: Pair, slot: str) -> bool:
        """Whether an input of a layer that is not made alike on both sides holds the same numbers in the free runs."""
        edge = self._edges.get((id(pair), slot))
        if edge is None or id(pair) not in self.attributes or pair.torch.kind in DATAFLOW_KINDS:
            return False
        expected = self._held(self.alignment.paddle, edge.paddle_value)
        actual = self._held(self.alignment.torch, edge.torch_value)
        if expected is None or actual is None or not pair.same_shape(slot):
            return False
        return difference(actual, expected).max_rel <= self.edge_limit(edge)

    @cached_property
    def _edges(self) -> dict[tuple[int, str], Edge]:
        return {(id(edge.pair), edge.torch_slot): edge for edge in self.alignment.edges}

    def edge_unknown(self, edge: Edge) -> bool:
        """Whether nothing tells what comes in here, although something must explain why the outputs differ."""
        return self.edge_numbers(edge) is None and not self.outputs_agree

    def edge_numbers(self, edge: Edge) -> Difference | None:
        if edge.pair.torch.kind == "output":
            path = edge.pair.torch.name
            return self._measured_output(edge) or self.outputs.get(path)
        entry = edge.pair.torch.place(edge.torch_slot)
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
        return found if found is None or path not in self.observed else self.observed[path].at_its_size(found)

    def edge_limit(self, edge: Edge) -> float:
        if edge.pair.torch.kind == "output":
            return self.output_limit(edge.pair.torch.name)
        row = self._rows.get(id(edge.pair))
        return row.limit if row is not None else self.least

    @property
    def least(self) -> float:
        """What rounding explains where nothing was measured."""
        return max(rounding_limit(0.0, 0.0), self.constants)

    def edge_slack(self, edge: Edge, numbers: Difference) -> bool:
        """Whether what the float32 runs do not show explains the difference: a framework's float32 constant, a table of one
        side, weights that were fused, the rounding of two formulas of which one goes another way in float32."""
        slack = max(
            (constant_of(n.kind, n.shape("x"))[1] for n in (*edge.only_paddle, *edge.only_torch)), default=0.0
        )
        if self._has_table(edge.only_paddle, self.alignment.paddle) != self._has_table(
            edge.only_torch, self.alignment.torch
        ):
            slack = max(slack, FLOAT32_TABLE)
        if any(n.spelling.called == "dropout" for n in edge.only_paddle):
            slack = max(slack, FLOAT32_FACTOR)
        if self._takes_fused(edge):
            # Handed Paddle's result of one of the layers, it is far off here.
            return True
        if not (self.paddle.rounds and self.torch.rounds):
            slack = max(slack, RECOMPUTED)
        return numbers.comparable and numbers.max_rel <= slack

    @staticmethod
    def _has_table(nodes: tuple[Node, ...], graph: Graph) -> bool:
        """Whether a segment reads constants from a buffer, which holds them in float32."""
        trained = {name for name, p in graph.trace.parameters.items() if p.trainable}
        names = (graph.parameters.get(value) for node in nodes for value in node.inputs.values())
        return any(name is not None and name not in trained for name in names)

    def array(self, value: int) -> Array | None:
        """The numbers of a value of Paddle's, be it a parameter or not."""
        name = self.alignment.paddle.parameters.get(value)
        if name is not None and name in self.paddle_parameters:
            return self.paddle_parameters[name].astype(np.float64)
        stored = self.paddle.value(value)
        return None if stored is None else stored.load()


def _same_numbers(pair: Pair, slot: str) -> bool:
    """Whether an operator that is written out takes Paddle's numbers in another shape: groups of channels, say."""
    paddle, torch = pair.shapes(slot)
    return pair.torch.spelling.by_hand and prod(paddle) == prod(torch)
