"""The prover itself: claims that are too good, too modest or not true are told apart."""

from __future__ import annotations

from dataclasses import replace

import pytest

from convert.rosetta.rows import Exactness, Example, Kind, Row, Source, Trap
from convert.rosetta.table import find
from parity.rosetta.prove import prove

GOOD = Row(
    Kind.FUNCTION,
    "nn.functional.avg_pool2d",
    "nn.functional.avg_pool2d",
    Exactness.NEAR,
    within=3e-8,
    examples=(
        Example(
            {"x": "float 2,3,9,9"},
            "F.avg_pool2d(x, 3, 2, padding=1)",
            "F.avg_pool2d(x, 3, 2, padding=1, count_include_pad=False)",
        ),
    ),
    traps=(Trap("the divisor", naive="F.avg_pool2d(x, 3, 2, padding=1)"),),
    source=Source("", ""),
    reason="",
)


def test_a_true_row_is_proven_with_numbers_of_both_passes_and_precisions() -> None:
    proof = prove(GOOD)
    assert proof, proof.failures
    double, single = proof.examples[0]
    assert (double.precision, single.precision) == ("float64", "float32")
    assert double.forward == 0
    assert 1e-9 < double.backward < 3e-8
    assert proof.traps[0]["naive"] > 0.1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"exactness": Exactness.BIT, "within": 0.0}, "is not"),
        ({"exactness": Exactness.ALGEBRA, "within": 0.0}, "is not"),
        ({"within": 1e-3}, "too loose"),
        ({"within": 1e-10}, "is not"),
        ({"exactness": Exactness.F32}, "unrounded constants give"),
        ({"exactness": Exactness.DISTRIBUTION, "within": 0.0}, "is not"),
        ({"traps": (Trap("none", naive=GOOD.examples[0].torch),)}, "differs by"),
        ({"traps": (Trap("misspelled", naive="F.avg_pool2d(y, 3)"),)}, "cannot be read"),
        ({"examples": (replace(GOOD.examples[0], torch="F.avg_pool2d(x, 3, 2, padding=1)"),)}, "is not"),
        ({"examples": (replace(GOOD.examples[0], torch="F.avg_pool2d(x, 3, padding=1)"),)}, "inf"),
        ({"examples": (replace(GOOD.examples[0], torch="F.average(x)"),)}, "AttributeError"),
    ],
)
def test_a_claim_that_does_not_hold_fails(change: dict[str, object], words: str) -> None:
    proof = prove(replace(GOOD, **change))  # type: ignore[arg-type]
    assert not proof
    assert any(words in failure for failure in proof.failures), proof.failures


def test_a_gradient_that_one_side_loses_is_a_difference() -> None:
    row = replace(
        GOOD,
        exactness=Exactness.BIT,
        within=0.0,
        traps=(),
        examples=(Example({"x": "float 3,4", "y": "float 3,4"}, "x + y", "x + y.detach()"),),
    )
    assert any("backward=1.0" in failure for failure in prove(row).failures)


def test_a_random_trap_of_a_bit_exact_row_is_compared_as_a_distribution() -> None:
    random = Example(
        {"x": "ones 2000 constant"},
        "F.dropout(x, 0.5)",
        "F.dropout(x, 0.5)",
        compare="distribution",
    )
    row = replace(
        GOOD,
        exactness=Exactness.BIT,
        within=0.0,
        examples=(Example({"x": "float 3,4"}, "x", "x"),),
        traps=(Trap("kept", naive="x", example=random),),
    )
    assert prove(row), prove(row).failures
    assert not prove(replace(row, traps=(Trap("same", naive="F.dropout(x, 0.5)", example=random),)))


def test_weights_of_a_layer_are_carried_over_by_the_table() -> None:
    (linear,) = (row for row in find("nn.Linear") if row.kind is Kind.LAYER)
    assert prove(linear)


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("paddle.nn.Conv2D", "nn.Conv2D"),
        ("conv2d", "nn.Conv2D"),
        ("F.avg_pool2d", "nn.functional.avg_pool2d"),
        ("torch.cat", "concat"),
        ("momentum", "optimizer.Momentum"),
        ("StepLR", "optimizer.lr.StepDecay"),
    ],
)
def test_names_are_found_as_people_write_them(written: str, found: str) -> None:
    assert found in [row.paddle for row in find(written)]


def test_a_name_in_no_row_is_not_found() -> None:
    assert find("no_such_name") == ()
