"""Which torch operator is which Paddle operator.

Alignment starts from what is known (the inputs, and the parameters that conversion pairs) and spreads along
the dataflow to a fixed point; names of layers, the order of definitions and the order of execution play no
part. What it cannot pair is a finding or a note, never a guess: `parity.numbers.compare` decides by the numbers.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Container, Iterator, Mapping
from difflib import SequenceMatcher

from parity.align.alignment import Alignment, Edge, Pair, Values
from parity.graph.node import Graph, Input, Node
from parity.ops.kinds import kind_of


def align(
    paddle: Graph,
    torch: Graph,
    parameters: Mapping[str, str],
    apart: Collection[Values] = (),
    *,
    boldly: bool = False,
) -> Alignment:
    """Pair the operators of two graphs.

    `parameters` maps torch parameter names to Paddle ones, as far as conversion (or the user) knows. `apart`: pairs
    that are known not to be one. boldly: pair also what little speaks for, where something is fed from elsewhere.
    """
    return _Aligner(paddle, torch, parameters, apart, boldly).run()


class _Aligner:
    def __init__(
        self,
        paddle: Graph,
        torch: Graph,
        parameters: Mapping[str, str],
        apart: Collection[Values],
        boldly: bool,
    ) -> None:
        self.boldly = boldly
        self.paddle, self.torch, self.apart = paddle, torch, frozenset(apart)
        self.result = Alignment(paddle, torch, apart=self.apart)
        paddle_values = {name: value for value, name in paddle.parameters.items()}
        torch_values = {name: value for value, name in torch.parameters.items()}
        paddle_values.update({n: p.value for n, p in paddle.trace.parameters.items()})
        torch_values.update({n: p.value for n, p in torch.trace.parameters.items()})
        self.twin = {
            torch_values[t]: paddle_values[p]
            for t, p in parameters.items()
            if t in torch_values and p in paddle_values
        }
        self.nameless = self._same_contents()
        self.twin |= self.nameless
        self.twins_used = set(self.twin.values())
        self.shared: dict[int, tuple[list[Node], list[Node]]] = {}
        self.alike: dict[tuple[object, ...], deque[Node]] = defaultdict(deque)
        for node in sorted(paddle.nodes, key=lambda node: node.order):
            self.alike[_look(paddle, node, list(node.data.values()))].append(node)
        for name, value in torch.inputs.items():
            if name in paddle.inputs:
                self.result.same[value] = paddle.inputs[name]

    def _same_contents(self) -> dict[int, int]:
        """Parameters whose names tell nothing: torch's -> the one of Paddle's that as many layers use, of the same kinds and numbers."""
        named = set(self.twin.values())
        theirs = _by_contents(self.paddle, named)
        ours = _by_contents(self.torch, self.twin)
        return {
            torch[0]: theirs[contents][0]
            for contents, torch in ours.items()
            if len(torch) == len(theirs.get(contents, ())) == 1
        }

    def run(self) -> Alignment:
        self._anchor()
        while (
            self._forward()
            or (self.boldly and self._bold())
            or self._backward()
            or self._next_use()
            or self._substitute()
        ):
            pass
        result = self.result
        result.pairs.sort(key=lambda pair: pair.paddle.order)
        result.only_torch = [n for n in self.torch.nodes if not result.has_torch(n)]
        result.only_paddle = [n for n in self.paddle.nodes if not result.has_paddle(n)]
        for path, torch_value in self.torch.outputs.items():
            paddle_value = self.paddle.outputs.get(path)
            if torch_value is not None and paddle_value is not None:
                result.outputs[path] = (paddle_value, torch_value)
        self._edges()
        return result

    # -- anchors ----------------------------------------------------------------------------------

    def _anchor(self) -> None:
        """Operators that use paired parameters; the uses of a shared one are told apart by what they take."""
        for torch_value, paddle_value in self.twin.items():
            torch_uses = sorted(self._layers(self.torch, torch_value), key=_part)
            paddle_uses = sorted(self._layers(self.paddle, paddle_value), key=_part)
            several = len(torch_uses) > 1 or len(paddle_uses) > 1
            if several and all(node.rows is None and node.data for node in (*torch_uses, *paddle_uses)):
                self.shared[torch_value] = paddle_uses, torch_uses
                continue
            for torch_node, paddle_node in zip(torch_uses, paddle_uses, strict=False):
                packed = paddle_node.rows is not None or torch_node.rows is not None
                anchor = self._anchored_by(torch_value)
                self._match(paddle_node, torch_node, anchor=anchor, any_size=not packed)
        self._anchor_by_content()

    def _anchored_by(self, torch_value: int) -> str:
        return "content" if torch_value in self.nameless else self.torch.parameters[torch_value]

    def _anchor_by_content(self) -> None:
        """Layers whose names tell nothing: the one Paddle layer that holds the very same weight."""
        holders: dict[str, list[Node]] = defaultdict(list)
        for node in self.paddle.nodes:
            if node.content and not self.result.has_paddle(node):
                holders[node.content].append(node)
        for node in self.torch.nodes:
            if node.content and not self.result.has_torch(node) and not self._promised(node):
                found = holders.get(node.content, [])
                if len(found) == 1 and not self._promised_to_another(found[0], node):
                    self._match(found[0], node, anchor="content")

    def _next_use(self) -> bool:
        """The next use of a shared parameter, where what it takes does not tell: the first left on either side."""
        for torch_value, uses in self.shared.items():
            paddle = next((n for n in uses[0] if not self.result.has_paddle(n)), None)
            torch = next((n for n in uses[1] if not self.result.has_torch(n)), None)
            if paddle is None or torch is None:
                continue
            if self._match(paddle, torch, anchor=self._anchored_by(torch_value), any_size=True):
                return True
        return False

    def _uses_twin(self, paddle: Node, torch: Node) -> bool:
        """Whether both are uses of one shared parameter."""
        value = next((v for v in torch.inputs.values() if v in self.shared), None)
        return value is not None and self.twin[value] in paddle.inputs.values()

    @staticmethod
    def _layers(graph: Graph, value: int) -> Iterator[Node]:
        """The layers that a parameter belongs to, each told by its first weight slot."""
        for node, slot in graph.consumers[value]:
            weights = [s for s in kind_of(node.kind).weights if s in node.inputs]
            if (weights and slot == weights[0]) or not weights:
                yield node

    def _match(
        self,
        paddle: Node,
        torch: Node,
        *,
        anchor: str = "",
        substituted: bool = False,
        any_size: bool = False,
    ) -> bool:
        result = self.result
        if result.has_torch(torch) or result.has_paddle(paddle):
            return False
        if (paddle.output, torch.output) in self.apart:
            return False
        alike = paddle.kind == torch.kind and (any_size or self._same_size(paddle, torch))
        if not alike and not substituted:
            return False
        result.add(Pair(paddle, torch, self._slots(paddle, torch), substituted, anchor))
        return True

    def _same_size(self, paddle: Node, torch: Node) -> bool:
        """Whether two layers hold as many numbers: one packed from several is not one of them, one without scale is."""
        sizes = _weight_size(self.paddle, paddle), _weight_size(self.torch, torch)
        return sizes[0] == sizes[1] or 0 in sizes

    def _slots(self, paddle: Node, torch: Node) -> dict[str, str]:
        """Torch slot -> Paddle slot; the two sides of a sum are told apart by what feeds them."""
        common = {slot: slot for slot in torch.inputs if slot in paddle.inputs}
        if not kind_of(torch.kind).commutative or set(torch.inputs) != {"x", "y"} or len(common) != 2:
            return common
        same, swapped = self.result.same, {"x": "y", "y": "x"}
        straight = sum(same.get(torch.inputs[s]) == paddle.inputs[s] for s in ("x", "y"))
        crossed = sum(same.get(torch.inputs[s]) == paddle.inputs[swapped[s]] for s in ("x", "y"))
        if straight == crossed:
            straight = sum(self._kinship(torch.inputs[s], paddle.inputs[s]) for s in ("x", "y"))
            crossed = sum(self._kinship(torch.inputs[s], paddle.inputs[swapped[s]]) for s in ("x", "y"))
        return swapped if crossed > straight else common

    def _kinship(self, torch_value: int, paddle_value: int) -> int:
        """How many aligned ancestors two values share, looking a few operators up."""
        ours = {self.result.same[v] for v in _ancestors(self.torch, torch_value) if v in self.result.same}
        return len(ours & _ancestors(self.paddle, paddle_value))

    # -- spreading --------------------------------------------------------------------------------

    def _forward(self) -> bool:
        """Same kind, same inputs: the same operator."""
        changed = False
        for node in self.torch.nodes:
            if self.result.has_torch(node) or not node.data:
                continue
            inputs = [self.result.same.get(value) for value in node.data.values()]
            promised = self._promised(node)
            if None in inputs or (promised and not any(v in self.shared for v in node.inputs.values())):
                continue
            twin = None if promised else self._look_alike(node, inputs)  # type: ignore[arg-type]
            if twin is not None:
                changed |= self._match(twin, node)
                continue
            candidates = [
                other
                for other, _ in self.paddle.consumers[inputs[0]]  # type: ignore[index]
                if other.kind == node.kind
                and not self.result.has_paddle(other)
                and self._same_inputs(other, node, inputs)  # type: ignore[arg-type]
                and (self._uses_twin(other, node) if promised else not self._promised_to_another(other, node))
            ]
            if candidates:
                changed |= self._match(self._best(node, candidates), node)
        return changed

    def _look_alike(self, node: Node, inputs: list[int]) -> Node | None:
        """The first free Paddle operator that is the same in all by which `_best` chooses; looked up, as there may be thousands."""
        alike = self.alike.get(_look(self.torch, node, inputs), deque())
        while alike and self.result.has_paddle(alike[0]):
            alike.popleft()
        if not alike or self._promised_to_another(alike[0], node):
            return None
        return alike[0]

    @staticmethod
    def _same_inputs(paddle: Node, torch: Node, inputs: list[int]) -> bool:
        theirs = list(paddle.data.values())
        if kind_of(torch.kind).commutative:
            return sorted(theirs) == sorted(inputs)
        return theirs == inputs

    def _promised(self, node: Node) -> bool:
        """The node's parameter is paired with one that another Paddle layer of its kind uses."""
        for slot in kind_of(node.kind).weights[:1]:
            twin = self.twin.get(node.inputs.get(slot, -1))
            if twin is not None and any(n.kind == node.kind for n in self._layers(self.paddle, twin)):
                return True
        return False

    def _promised_to_another(self, paddle: Node, torch: Node) -> bool:
        value = paddle.inputs.get("weight")
        if value is None or value not in self.twins_used:
            return False
        if "weight" not in torch.inputs and not any(
            twin == value and self.torch.consumers[own] for own, twin in self.twin.items()
        ):
            # The layer that should use it does not: it may be this one.
            return False
        return self.twin.get(torch.inputs.get("weight", -1)) != value

    def _best(self, node: Node, candidates: list[Node]) -> Node:
        """Among equals: the same weight, then equal attributes, then equal weight shapes, then similar names, then first."""

        def score(other: Node) -> tuple[bool, bool, bool, float, float]:
            return (
                bool(node.content) and other.content == node.content,
                (other.attributes, other.spelling) == (node.attributes, node.spelling),
                _weight_shape(self.paddle, other) == _weight_shape(self.torch, node),
                round(SequenceMatcher(None, other.module, node.module).ratio(), 2),
                -other.order,
            )

        return max(candidates, key=score)

    def _backward(self, *, like: bool = False) -> bool:
        """Inputs of an aligned operator correspond; so do their makers, if of one kind. like: but no moves that differ."""
        for paddle_value, torch_value in self._expected_equal():
            torch_node, paddle_node = (
                self.torch.producer.get(torch_value),
                self.paddle.producer.get(paddle_value),
            )
            if torch_node is None or paddle_node is None:
                continue
            if self._promised(torch_node) or self._promised_to_another(paddle_node, torch_node):
                continue
            if like and torch_node.kind == "move" and torch_node.attributes != paddle_node.attributes:
                continue
            if self._match(paddle_node, torch_node):
                return True
        return False

    def _expected_equal(self) -> Iterator[tuple[int, int]]:
        """(Paddle value, torch value) that feed the same slot of an aligned operator, or the same output."""
        for path, torch_value in self.torch.outputs.items():
            paddle_value = self.paddle.outputs.get(path)
            if torch_value is not None and paddle_value is not None:
                yield paddle_value, torch_value
        for pair in list(self.result.pairs):
            for torch_slot, paddle_slot in pair.slots.items():
                yield pair.paddle.inputs[paddle_slot], pair.torch.inputs[torch_slot]

    def _substitute(self) -> bool:
        """Two different operators in the same place: fed by the same values, feeding the same slot."""
        for paddle_value, torch_value in self._expected_equal():
            torch_node, paddle_node = (
                self.torch.producer.get(torch_value),
                self.paddle.producer.get(paddle_value),
            )
            if torch_node is None or paddle_node is None:
                continue
            if torch_node.kind == paddle_node.kind and self._same_size(paddle_node, torch_node):
                continue
            if self.result.has_torch(torch_node) or self.result.has_paddle(paddle_node):
                continue
            if self._promised(torch_node):
                continue
            feeds = [self.result.same.get(v) for v in torch_node.data.values()]
            if feeds and feeds == list(paddle_node.data.values()):
                return self._match(paddle_node, torch_node, substituted=True)
        return False

    def _bold(self) -> bool:
        """The only ones of a kind that take one value in common, or the only ones left in a module; moves only of one map."""
        return self._share_an_input() or self._backward(like=True) or self._left_over()

    def _share_an_input(self) -> bool:
        result = self.result
        for value, twin in list(result.same.items()):
            ours, theirs = (
                [
                    n
                    for n, slot in graph.consumers.get(v, [])
                    if slot in n.data and len(n.data) > 1 and not has(n)
                ]
                for graph, v, has in (
                    (self.torch, value, result.has_torch),
                    (self.paddle, twin, result.has_paddle),
                )
            )
            for node in ours:
                found = [n for n in theirs if n.kind == node.kind]
                alone = len(found) == 1 == sum(n.kind == node.kind for n in ours)
                if alone and not self._promised(node) and self._match(found[0], node):
                    return True
        return False

    def _left_over(self) -> bool:
        left: dict[object, tuple[list[Node], list[Node]]] = defaultdict(lambda: ([], []))
        for side, graph, has in (
            (0, self.paddle, self.result.has_paddle),
            (1, self.torch, self.result.has_torch),
        ):
            for node in graph.nodes:
                if node.data and not has(node) and "weight" not in node.inputs:
                    left[node.kind, repr(node.attributes), node.module][side].append(node)
        return any(
            self._match(paddle[0], torch[0])
            for paddle, torch in left.values()
            if len(paddle) == len(torch) == 1 and self._neighbours(paddle[0], torch[0])
        )

    def _neighbours(self, paddle: Node, torch: Node) -> bool:
        """Whether one operator stands beside both, before or behind: else what one side lacks and what it has more are two things."""
        ours = {self.result.same.get(value) for value in _beside(self.torch, torch)} - {None}
        return not ours.isdisjoint(_beside(self.paddle, paddle))

    # -- what does not fit ------------------------------------------------------------------------

    def _edges(self) -> None:
        result = self.result
        for pair in result.pairs:
            for torch_slot, paddle_slot in pair.slots.items():
                torch_value, paddle_value = pair.torch.inputs[torch_slot], pair.paddle.inputs[paddle_slot]
                if result.same.get(torch_value) != paddle_value and torch_slot in pair.torch.data:
                    result.edges.append(self._edge(pair, torch_slot, torch_value, paddle_value))
        for path, (paddle_value, torch_value) in result.outputs.items():
            if result.same.get(torch_value) != paddle_value:
                end = Node(
                    "output", {"x": Input(torch_value, ())}, -1, {}, -1, (), "", "", path, float("inf")
                )
                pair = Pair(end, end, {})
                result.output_edges[path] = self._edge(pair, "x", torch_value, paddle_value)

    def _edge(self, pair: Pair, slot: str, torch_value: int, paddle_value: int) -> Edge:
        return Edge(
            pair=pair,
            torch_slot=slot,
            torch_value=torch_value,
            paddle_value=paddle_value,
            only_paddle=tuple(self.paddle.above([paddle_value], lambda n: not self.result.has_paddle(n))),
            only_torch=tuple(self.torch.above([torch_value], lambda n: not self.result.has_torch(n))),
        )


def _look(graph: Graph, node: Node, inputs: list[int]) -> tuple[object, ...]:
    """What two operators have in common that take the same and look the same."""
    taken = tuple(sorted(inputs) if kind_of(node.kind).commutative else inputs)
    return node.kind, taken, repr(node.attributes), _weight_shape(graph, node), node.module, node.content


def _weight_shape(graph: Graph, node: Node) -> tuple[int, ...]:
    value = node.inputs.get("weight")
    if value is None:
        return ()
    shape = graph.shapes[value]
    return tuple(sorted(shape)) if node.kind == "linear" else shape


def _weight_size(graph: Graph, node: Node) -> int:
    value = node.inputs.get("weight")
    if value is None:
        return 0
    shape = graph.shapes[value]
    size = 1
    for n in shape:
        size *= n
    if node.rows is not None and shape:
        outputs = shape[1] if node.spelling.layout == "in_out" else shape[0]
        size = size * (node.rows[1] - node.rows[0]) // outputs
    return size


def _part(node: Node) -> tuple[int, float]:
    """Parts of a packed layer by the outputs that they make, uses of a shared one in order."""
    return (node.rows[0] if node.rows is not None else 0, node.order)


def _by_contents(graph: Graph, known: Container[int]) -> dict[tuple[str, ...], list[int]]:
    """Parameters that are not known, by what each of the layers holds that use them as their weights."""
    contents: dict[int, list[str]] = defaultdict(list)
    for node in graph.nodes:
        value = node.inputs.get("weight", -1)
        if node.content and value in graph.parameters and value not in known:
            contents[value].append(node.content)
    found: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for value, held in contents.items():
        found[tuple(sorted(held))].append(value)
    return found


def _beside(graph: Graph, node: Node) -> set[int]:
    """The values that an operator takes, and those that are made of its result."""
    return {*node.data.values(), *(reader.output for reader, _ in graph.consumers.get(node.output, []))}


def _ancestors(graph: Graph, value: int, depth: int = 6) -> set[int]:
    """Values up to `depth` operators above, weights excluded."""
    found, front = {value}, [value]
    for _ in range(depth):
        front = [
            v for f in front if f in graph.producer for v in graph.producer[f].data.values() if v not in found
        ]
        found.update(front)
    return found
