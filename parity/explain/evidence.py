"""What is known of one case before anything is said about it: what is configured otherwise, numbers, and torch on its own way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from copy import copy
from functools import cached_property

from parity.align.alignment import Pair
from parity.capture.replay import ReplayPlan
from parity.explain.claims import Front
from parity.explain.constants import constant_in
from parity.explain.measured import Measured, Way
from parity.graph.node import Node
from parity.numbers.compare import Difference, difference
from parity.ops.kinds import DATAFLOW_KINDS, kind_of
from parity.trace.trace import Op

Blamed = tuple[int, str]
"""(a pair, by its identity; its slot, or "" for what the operator itself does)."""


class Evidence(Measured):
    """Everything that is known about one case; read, never written."""

    _blamed: frozenset[Blamed] | None = None
    front: Front | None = None
    """Where torch's numbers leave Paddle's, if a run has proven that and no claim was there."""

    located: Op | None = None
    """Where a claim errs that has no line of its own, if a run has proven that."""

    def blaming(
        self, blamed: frozenset[Blamed], front: Front | None = None, located: Op | None = None
    ) -> Evidence:
        """The same, knowing that all else comes right once these do."""
        knowing = copy(self)
        knowing._blamed, knowing.front, knowing.located = blamed, front, located
        return knowing

    def suspects(self, pair: Pair, slot: str = "") -> bool:
        """Whether a pair, or what it takes in a slot, may be why the outputs are wrong."""
        return self._blamed is None or (id(pair), slot) in self._blamed

    def _suspects_any(self, pair: Pair) -> bool:
        return self._blamed is None or any(known == id(pair) for known, _ in self._blamed)

    def comes_right(self, pair: Pair) -> bool:
        """Whether torch, on its own way, makes Paddle's numbers here of Paddle's numbers further up.

        Then whatever stands between, and however the operator is configured for it, is right on these inputs. What is in the
        middle of such a way comes right if all that is made of it does. `pair` may be a result of the model.
        """
        if self.outputs_agree or not self._suspects_any(pair):
            return True
        if pair is self._alone_at_fault:
            return False
        found, limit = self._on_its_way(pair, self._way)
        if found is not None and found.max_rel <= limit:
            return True
        if pair.torch.kind == "output":
            return False
        if pair.paddle.output in self.reached.values():
            return True
        if found is None:
            return self._ends_right(pair.torch, self._way)
        return self._made_up_for(pair) and self._ends_right(pair.torch, self._free_way)

    @cached_property
    def _alone_at_fault(self) -> Pair | None:
        """The one operator that differs, where everything else is wired alike and does the same with Paddle's numbers.

        Nothing is left that could make up for it, so torch need not run again to see whether it comes right.
        """
        if not self.alignment.whole:
            return None
        pairs = [pair for pair in self.alignment.pairs if pair.torch.kind != "output"]
        if any((local := self.row(pair).local) is None or not local.comparable for pair in pairs):
            return None
        differing = [pair for pair in pairs if self.differs_alone(pair)]
        return differing[0] if len(differing) == 1 else None

    @cached_property
    def reached(self) -> Mapping[int, int]:
        """torch's value -> Paddle's, where torch alone goes on to what Paddle's counterpart of a layer makes at once."""
        found = {}
        for pair in self.alignment.pairs:
            expected = self.paddle.value(pair.paddle.output)
            fed = all(
                self.alignment.same.get(pair.torch.inputs[ours]) == pair.paddle.inputs[theirs]
                and self.agrees(pair.torch.inputs[ours])
                for ours, theirs in pair.slots.items()
                if ours in pair.torch.data
            )
            if (
                pair.torch.kind not in DATAFLOW_KINDS
                and expected is not None
                and fed
                and self._made_up_for(pair)
            ):
                for value in self._made_alone(pair.torch.output):
                    actual = self.torch.value(value)
                    same = actual is not None and difference(actual, expected).max_rel <= self.row(pair).limit
                    if same:
                        found[value] = pair.paddle.output
        return found

    def _made_alone(self, value: int) -> Iterator[int]:
        """What operators of torch's without a counterpart make of a value."""
        stack, seen = [value], {value}
        while stack:
            for node, _ in self.alignment.torch.consumers.get(stack.pop(), []):
                if node.output not in seen and not self.alignment.has_torch(node):
                    seen.add(node.output)
                    stack.append(node.output)
                    yield node.output

    def _made_up_for(self, pair: Pair) -> bool:
        """Whether a layer's result differs alone, and what one side alone does with it may make up for that."""
        if not self.differs_alone(pair) or id(pair) in self.weights or id(pair) in self.slots:
            return False
        readers = (
            (self.alignment.torch.consumers[pair.torch.output], self.alignment.has_torch),
            (self.alignment.paddle.consumers[pair.paddle.output], self.alignment.has_paddle),
        )
        return any(not known(node) for nodes, known in readers for node, _ in nodes)

    def comes_in_right(self, pair: Pair, slot: str, way: Way | None = None) -> bool:
        """Whether torch, on its own way, gives an operator what Paddle gives its counterpart: whatever that makes of it."""
        place = pair.torch.place(slot)
        found = None if place is None else (self._way if way is None else way).get(place)
        return found is not None and found.max_rel <= self.row(pair).limit

    def _on_its_way(self, pair: Pair, way: Way) -> tuple[Difference | None, float]:
        """How far an operator's result is from Paddle's on torch's own way, and how far it may be."""
        if pair.torch.kind == "output":
            return self._result_on_its_way(pair.torch.name, way)
        found = way.get((pair.torch.op, None)) if pair.torch.op >= 0 else None
        return found, max(self.row(pair).limit, constant_in(self.paddle.trace, pair)[1])

    def _result_on_its_way(self, path: str, way: Way) -> tuple[Difference | None, float]:
        found = way.get((-1, path))
        if found is not None and path in self.observed:
            found = self.observed[path].at_its_size(found)
        return found, self.output_limit(path)

    @cached_property
    def _way(self) -> Way:
        """torch once more, with Paddle's numbers behind every operator that is surely its counterpart, and nowhere else."""
        return self._go(self._is_sure)

    @cached_property
    def _free_way(self) -> Way:
        """The same without Paddle's numbers where something may make up for a layer's difference."""
        return self._go(lambda pair: self._is_sure(pair) and not self._made_up_for(pair))

    def _go(self, handed_in: Callable[[Pair], bool]) -> Way:
        outputs = {
            pair.torch.op: pair.paddle.output
            for pair in self.alignment.pairs
            if pair.torch.op >= 0 and pair.paddle.op >= 0 and str(pair.paddle.output) in self.paddle.store
            if handed_in(pair)
        }
        looks: dict[int, dict[str, int]] = {}
        for edge in self.alignment.edges:
            place = edge.pair.torch.place(edge.torch_slot)
            if place is not None and str(edge.paddle_value) in self.paddle.store:
                looks.setdefault(place[0], {})[place[1]] = edge.paddle_value
        return {} if self.offline else self.replayed_with(ReplayPlan(outputs=outputs, looks=looks))

    def _is_sure(self, pair: Pair) -> bool:
        """Whether two operators are each other's counterparts beyond doubt: by a weight, by their numbers, or by what differs."""
        row = self.row(pair) if pair.torch.kind != "output" else None
        if row is not None and row.float64 is not None and not row.float64.comparable:
            # Handed in, a result of another shape would not be what torch goes on with on its own way.
            return False
        if row is not None and self._is_rearranged(pair):
            return False
        if row is None or any(slot in pair.torch.inputs for slot in kind_of(pair.torch.kind).weights):
            return True
        if id(pair) in self.attributes and pair.torch.kind not in DATAFLOW_KINDS:
            return True
        alone = row.local is not None and row.local.max_rel <= row.limit
        return row.agrees_freely or alone or bool(self.excuse(pair))

    def _is_rearranged(self, pair: Pair) -> bool:
        """Whether torch's result has Paddle's numbers at other places: fed by a move that one side alone has, in another layout."""
        return id(pair) in self._fed_by_a_move and self.numbers_moved(pair)

    @cached_property
    def _fed_by_a_move(self) -> frozenset[int]:
        """Pairs, by identity, in front of which one side alone moves numbers around."""
        return frozenset(
            id(edge.pair)
            for edge in self.alignment.edges
            if any(node.kind == "move" for node in (*edge.only_paddle, *edge.only_torch))
        )

    def _ends_right(self, node: Node, way: Way) -> bool:
        """Whether all ways from an operator, and there are some, lead to results that come right."""
        stack, seen, ends = [node.output], {node.output}, 0
        while stack:
            value = stack.pop()
            for path, made in self.alignment.torch.outputs.items():
                found, limit = self._result_on_its_way(path, way) if made == value else (None, 0.0)
                if made == value and (found is None or found.max_rel > limit):
                    return False
                ends += made == value
            for reader, slot in self.alignment.torch.consumers.get(value, []):
                pair = self.alignment.pair_of_torch(reader)
                if pair is not None and self.comes_in_right(pair, slot, way):
                    ends += 1
                    continue
                found, limit = (None, 0.0) if pair is None else self._on_its_way(pair, way)
                if found is not None:
                    if found.max_rel > limit:
                        return False
                    ends += 1
                elif reader.output not in seen:
                    seen.add(reader.output)
                    stack.append(reader.output)
        return ends > 0
