"""The line at which torch's numbers leave Paddle's: found by numbers, proven by a run, told once."""

from __future__ import annotations

from itertools import count

import numpy as np
import pytest

from parity.align.alignment import Alignment
from parity.capture.replay import Measurement
from parity.explain import front
from parity.explain.claims import Claim, Front
from parity.explain.evidence import Evidence
from parity.explain.prints import Half, Side
from parity.explain.telling import tell
from parity.graph.node import Graph
from parity.numbers.observed import sized
from parity.results.finding import Subject
from parity.runs.run import Run
from parity.trace.trace import Op, Trace, Value
from parity.trace.values import ValueStore

X = np.random.default_rng(0).normal(size=(3, 4)) + 5.0

MAKES = {
    "double": lambda x: 2 * x,
    "log": np.log,
    "sum": lambda x: x.sum(1),
    "mean": lambda x: x.mean(1),
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "square": np.square,
    "sqrt": np.sqrt,
    "exp": lambda x: np.exp(np.maximum(x, -9) / 9),
    "left": lambda x: x[:, :2],
    "right": lambda x: x[:, 2:],
    "concat": lambda x, y: np.concatenate([x, y], 1),
    "early": lambda x: x * np.array([[2.0], [1.0], [1.0]]),
    "late": lambda x: x * np.array([[3.0], [1.0], [1.0]]),
    "others": lambda x: x * np.array([[0.0], [1.0], [1.0]]) / x,
    "scale": lambda x, factor: factor * x,
    "parts": lambda x: (x[:, :2], x[:, 2:]),
    "getitem": lambda x, at: x[:, at : at + 2],
    "small": lambda x: x < 3.2,
    "fill": lambda x, y: np.where(y, 0.0, x),
    "argmax": lambda x: x.argmax(1),
    "argmin": lambda x: x.argmin(1),
    "rows": lambda x, y: x[y % len(x)],
}


class Program:
    """A run written by hand: each call is an operator of its own line, "net.py:1" and so on, or of the line that it is given."""

    def __init__(self, side):
        self.side, self.ops, self.values = side, [], {0: X}
        self.calls = {}
        self.numbers = count(1)

    def call(self, module, line):
        """The next operators are those of a call of a module."""
        self.calls.setdefault(module, []).append((len(self.ops), f"{self.side}.py:{line}"))

    def __call__(self, kind, *inputs, line=0, results=1, module="", **attributes):
        made = tuple(next(self.numbers) for _ in range(results))
        slots = dict(zip("xy", inputs, strict=False))
        line = f"{self.side}.py:{line or made[0]}"
        self.ops.append(Op(len(self.ops), kind, kind, module, line, slots, made, attributes))
        return made if results > 1 else made[0]

    def run(self, outputs=None, inputs=None):
        """Every value; outputs: operator -> what it hands on instead of its result; inputs: operator -> slot -> what it takes."""
        values = {0: X}
        for op in self.ops:
            handed = (inputs or {}).get(op.index, {})
            made = MAKES[op.kind](*(handed.get(s, values[v]) for s, v in op.inputs.items()), **op.attributes)
            made = (outputs or {}).get(op.index, made)
            values.update(zip(op.outputs, made if len(op.outputs) > 1 else (made,), strict=True))
        return values


@pytest.fixture
def evidence(tmp_path):
    """Makes the evidence of two programs, whose last values are what they return."""
    stores = []

    def make(paddle, torch):
        runs, graphs, values = {}, [], {}
        for program in (paddle, torch):
            side = program.side
            values[side], store = program.run(), ValueStore(tmp_path / side)
            stores.append(store)
            for number, array in values[side].items():
                store.put(str(number), array)
            last = program.ops[-1].outputs[0]
            store.put("output:output", values[side][last])
            trace = Trace(side, "0", "Net", "eval", "float64", "cpu", ops=program.ops)
            trace.values = [
                Value(array.shape, str(array.dtype), "operator") for array in values[side].values()
            ]
            trace.calls = program.calls
            trace.inputs, trace.outputs, trace.results = (
                {"x": 0},
                {"output": last},
                {"output": ["tensor", ""]},
            )
            runs[side] = Run(trace, store)
            graphs.append(Graph(side, trace, [], {}, {"x": 0}, dict(trace.outputs), {}))

        def replay(plan):
            theirs = values["paddle"]
            outputs = {op: theirs[value] for op, value in plan.outputs.items()}
            inputs = {op: {s: theirs[v] for s, v in slots.items()} for op, slots in plan.inputs.items()}
            returned = torch.run(outputs, inputs)[torch.ops[-1].outputs[0]]
            expected = values["paddle"][paddle.ops[-1].outputs[0]]
            return [Measurement(-1, "output", sized(returned, expected))]

        return Evidence(runs["paddle"], runs["torch"], {}, {}, Alignment(*graphs), replay)

    yield make
    for store in stores:
        store.close()


def told(evidence):
    """The finding at the front; None if there is none."""
    found = front.parting(evidence, [])
    if found is None:
        return None
    (claim,) = front.explain(evidence.blaming(frozenset(), found), None)
    return tell.finding(claim, evidence)


def test_among_other_ways_to_write_it_the_operator_that_errs_is_told(evidence):
    paddle, torch = Program("paddle"), Program("torch")
    # Paddle: log(x) + log(2x), summed by rows, and the rows' squares. torch: log(x * 2x), and the mean.
    both = paddle("add", paddle("log", 0), paddle("log", paddle("double", 0)))
    paddle("add", paddle("sum", both), paddle("sum", paddle("square", 0)))
    product = torch("mul", 0, torch("double", 0))
    rows = torch("mean", torch("log", product))
    torch("add", torch("sum", torch("square", 0)), rows)
    finding = told(evidence(paddle, torch))
    assert (finding.where, finding.subject) == ("torch.py:4", Subject.COMPUTED)
    assert "mean" in finding.cause
    assert "sum" in finding.cause


def test_what_follows_from_the_fault_is_not_told_in_its_place(evidence):
    paddle, torch = Program("paddle"), Program("torch")
    # torch comes to the same number another way, and errs there: only what is made of it has a counterpart that is like it.
    paddle("sqrt", paddle("exp", paddle("sub", paddle("square", 0), 0)))
    torch("sqrt", torch("exp", torch("add", torch("mul", 0, 0), 0)))
    assert told(evidence(paddle, torch)).where == "torch.py:2"


def test_a_right_product_with_zeros_says_nothing_of_what_they_take_out(evidence):
    paddle, torch = Program("paddle"), Program("torch")
    for program, kind in ((paddle, "early"), (torch, "late")):
        wrong = program(kind, 0)
        kept = program("mul", wrong, program("others", 0))
        program("add", program("sum", program("square", wrong)), program("mean", kept))
    made = evidence(paddle, torch)
    half = Half(Side(made.torch, {}), Side(made.paddle, {}))
    assert half.suspects[0].line == "torch.py:1"
    assert told(made).where == "torch.py:1"


def test_parts_that_are_joined_in_another_order_are_told_as_order(evidence):
    paddle, torch = Program("paddle"), Program("torch")
    weights = [program("log", 0) for program in (paddle, torch)]
    halves = [(program("exp", program("left", 0)), program("right", 0)) for program in (paddle, torch)]
    paddle("mul", paddle("concat", *halves[0]), weights[0])
    torch("mul", weights[1], torch("concat", *halves[1][::-1]))
    finding = told(evidence(paddle, torch))
    assert (finding.where, finding.subject) == ("torch.py:5", Subject.ORDER)


def test_axes_in_another_order_are_no_other_numbers(evidence):
    paddle, torch = Program("paddle"), Program("torch")
    paddle("sum", paddle("double", 0))
    torch("mean", torch("double", 0))
    made = evidence(paddle, torch)
    made.torch.store.put("1", 2 * X.T)
    assert told(made).where == "torch.py:2"


def test_numbers_beside_a_mask_are_seen(evidence):
    paddle, torch = Program("paddle"), Program("torch")
    for program, wrong in ((paddle, "double"), (torch, "exp")):
        low = program("scale", program("left", 0), factor=-1e12)
        program("exp", program("concat", low, program(wrong, program("right", 0))))
    assert told(evidence(paddle, torch)).where == "torch.py:4"


def test_two_results_of_a_line_in_each_others_place_are_told_as_exchanged(evidence):
    paddle, torch = Program("paddle"), Program("torch")
    left, right = paddle("left", 0), paddle("right", 0)
    paddle("concat", paddle("log", left), paddle("square", right))
    out, keep = torch("left", 0, line=1), torch("right", 0, line=1)
    torch.ops[:] = [op.__class__(**{**vars(op), "name": "slice"}) if op.index < 2 else op for op in torch.ops]
    torch("concat", torch("log", keep), torch("square", out))
    finding = told(evidence(paddle, torch))
    assert (finding.where, finding.subject) == ("torch.py:1", Subject.EXCHANGED)


def test_two_results_of_one_call_in_each_others_place_are_told_for_all_its_runs(evidence):
    programs = paddle, torch = Program("paddle"), Program("torch")
    for program in programs:
        at = 0
        for _ in range(2):
            one, other = program("parts", at, results=2, line=1)[:: 1 if program is paddle else -1]
            at = program("concat", program("log", one, line=2), program("exp", other, line=3), line=4)
    made = evidence(paddle, torch)
    finding = told(made)
    assert (finding.where, finding.subject) == ("torch.py:1", Subject.EXCHANGED)
    assert len(front.parting(made, []).inputs) == 4


def test_what_torch_does_first_and_paddle_at_the_end_is_told_as_order(evidence):
    paddle, torch = Program("paddle"), Program("torch")
    log, square = paddle("log", 0), paddle("square", 0)
    paddle("sqrt", paddle("add", log, paddle("scale", square, factor=3.0)))
    log, square = torch("log", 0), torch("square", 0)
    torch("sqrt", torch("scale", torch("add", log, square), factor=3.0))
    finding = told(evidence(paddle, torch))
    assert finding.subject is Subject.ORDER
    assert "torch computes add first" in finding.cause


@pytest.mark.parametrize("known", [True, False])
def test_what_is_chosen_by_other_whole_numbers_is_told_where_those_are_made(evidence, known):
    """known: whether what torch chooses is right elsewhere, and is what Paddle never has."""
    paddle, torch = Program("paddle"), Program("torch")
    for program, wrong in ((paddle, "argmin"), (torch, "argmax")):
        table = program("log", 0)
        made = [
            program("rows", table, program(kind, 0), line=9) for kind in ("argmax", "argmin")[: 2 * known]
        ]
        taken = program("rows", table, program(wrong, 0, line=7), line=9)
        at = program("mul", taken, table)
        for one in made:
            at = program("add", at, program("square", one))
        program("sqrt", at)
    finding = told(evidence(paddle, torch))
    assert (finding.where, finding.subject) == ("torch.py:7", Subject.WIRING)
    assert "whole numbers" in finding.cause


def test_a_module_that_is_called_with_another_value_is_told_at_its_call(evidence):
    paddle, torch = Program("paddle"), Program("torch")
    theirs = ours = 0
    for _ in range(2):
        given = paddle("early", theirs, line=1)
        theirs = paddle("log", paddle("add", paddle("square", given, line=2), given, line=3), line=4)
        torch.call("cell", 5)
        square = torch("mul", ours, ours, line=1, module="cell")
        ours = torch("log", torch("add", square, ours, line=2, module="cell"), line=3, module="cell")
    finding = told(evidence(paddle, torch))
    assert (finding.where, finding.layer, finding.subject) == ("torch.py:5", "cell", Subject.WIRING)


def test_another_part_of_the_same_value_is_told_where_it_is_taken_out(evidence):
    paddle, torch = Program("paddle"), Program("torch")
    for program, wrong in ((paddle, 2), (torch, 0)):
        first, second = (program("getitem", 0, at=at) for at in (0, wrong))
        program("mul", program("log", first), program("exp", program("double", second)))
    finding = told(evidence(paddle, torch))
    assert (finding.where, finding.subject) == ("torch.py:2", Subject.WIRING)
    assert "another part" in finding.cause


def test_what_makes_another_mask_is_told_and_not_what_is_masked(evidence):
    paddle, torch = Program("paddle"), Program("torch")
    for program, factor in ((paddle, 2.0), (torch, 3.0)):
        mask = program("small", program("scale", program("log", 0), factor=factor))
        program("sqrt", program("fill", program("square", 0), mask))
    finding = told(evidence(paddle, torch))
    assert (finding.where, finding.attribute) == ("torch.py:2", "factor")


def test_what_torch_does_not_do_to_a_right_result_is_told_as_missing(evidence):
    paddle, torch = Program("paddle"), Program("torch")
    half = paddle("log", 0)
    once = paddle("double", half)
    paddle("add", paddle("square", once), paddle("exp", once))
    half = torch("log", 0)
    torch("add", torch("square", half), torch("exp", half))
    finding = told(evidence(paddle, torch))
    assert (finding.where, finding.subject) == ("torch.py:1", Subject.MISSING)
    assert "double" in finding.cause


def test_an_argument_that_differs_is_told_by_name(evidence):
    paddle, torch = Program("paddle"), Program("torch")
    paddle("add", paddle("scale", paddle("log", 0), factor=3.0), 0)
    torch("add", 0, torch("scale", torch("log", 0), factor=4.0))
    finding = told(evidence(paddle, torch))
    assert (finding.where, finding.attribute, finding.values) == (
        "torch.py:2",
        "factor",
        {"paddle": 3.0, "torch": 4.0},
    )


def test_an_operator_that_is_fed_from_elsewhere_is_told_with_both_sources(evidence):
    paddle, torch = Program("paddle"), Program("torch")
    for program, fed in ((paddle, 1), (torch, 2)):
        program("log", 0)
        program("exp", 0)
        program("add", program("square", fed), program("mul", 1, 2))
    finding = told(evidence(paddle, torch))
    assert (finding.where, finding.subject) == ("torch.py:3", Subject.WIRING)
    assert "what exp makes" in finding.cause
    assert "what log makes" in finding.cause


def test_a_line_that_runs_for_several_layers_is_mended_in_all_of_them(evidence):
    paddle, torch = Program("paddle"), Program("torch")
    at = mine = 0
    for _ in range(3):
        at = paddle("log", paddle("square", at, line=1), line=2)
        mine = torch("log", torch("exp", mine, line=1), line=2)
    made = evidence(paddle, torch)
    assert told(made).where == "torch.py:1"
    assert len(front.parting(made, []).torch) == 3


def test_two_faults_apart_are_not_told_as_one(evidence):
    paddle, torch = Program("paddle"), Program("torch")
    paddle("concat", paddle("exp", paddle("log", 0)), paddle("square", 0))
    torch("concat", torch("sqrt", torch("log", 0)), torch("double", 0))
    found = front.parting(evidence(paddle, torch), [])
    assert found is None or found.torch[0].kind == "concat"


def test_a_claim_about_an_operator_on_the_way_is_not_hidden(hand):
    hand.pair("conv", 1)
    evidence = hand.evidence()
    (pair,) = evidence.alignment.pairs
    op = evidence.torch.trace.ops[pair.torch.op]
    claim = Claim(Subject.ATTRIBUTE, pair)
    assert front.hides(Front((), (), above=(op,)), claim)
    assert front.hides(Front((), (), above=(op,)), Claim(Subject.UNEXPLAINED, pair))
    assert not front.hides(Front((op,), ()), claim)
    assert front.is_about(claim, Front((op,), ()))
