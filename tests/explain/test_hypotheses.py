"""A known mistake is the one that gives torch's numbers from Paddle's."""

from __future__ import annotations

import numpy as np
import pytest

from parity.align.weights import digest
from parity.explain.hypotheses import cross_entropy, recurrence
from parity.explain.hypotheses.hypothesis import Hypothesis, first_that_gives
from parity.explain.hypotheses.weights import Weight, diagnose

RNG = np.random.default_rng(0)


def test_the_first_row_that_gives_the_numbers_is_the_mistake():
    rows = [
        Hypothesis("doubled", "", lambda x: 2 * x),
        Hypothesis("squared", "", lambda x: x**2),
        Hypothesis("squared again", "", lambda x: x * x),
    ]
    x = RNG.standard_normal((3, 2))
    found = first_that_gives((x**2).reshape(-1), x, rows)
    assert found is rows[1]
    assert first_that_gives(x + 1.0, x, rows) is None


def layer(kind, directions=1):
    gates = len(recurrence.GATES.get(kind, ("one",)))
    slots = {}
    for suffix in ("", "_reverse")[:directions]:
        slots[f"weight_ih_l0{suffix}"] = RNG.standard_normal((3 * gates, 4))
        slots[f"weight_hh_l0{suffix}"] = RNG.standard_normal((3 * gates, 3))
        slots[f"bias_ih_l0{suffix}"] = RNG.standard_normal(3 * gates)
        slots[f"bias_hh_l0{suffix}"] = RNG.standard_normal(3 * gates)
    return recurrence.Layer(kind, RNG.standard_normal((2, 5, 4)), slots, directions=directions)


@pytest.mark.parametrize("directions", [1, 2])
@pytest.mark.parametrize("kind", ["lstm", "gru", "rnn_tanh"])
def test_every_mistake_of_a_recurrence_is_told_from_the_right_one_and_from_the_others(kind, directions):
    given = layer(kind, directions)
    told = {}
    for mistake in recurrence.mistakes(given):
        found = recurrence.mistake_in(given, np.asarray(mistake.made(given)))
        told[mistake.cause] = found.cause
    # Two mistakes with one result are told as the first of them.
    assert sum(cause != found for cause, found in told.items()) <= 1, told
    assert recurrence.mistake_in(given, recurrence.run(given, frozenset())) is None


@pytest.mark.parametrize("averaged", [True, False])
def test_every_mistake_of_a_cross_entropy_is_told(averaged):
    scores = cross_entropy.Scores(RNG.standard_normal((6, 4)), np.arange(6) % 4, averaged)
    rows = [*((cross_entropy.SUMMED,) if averaged else ()), *cross_entropy.MISTAKES]
    assert [cross_entropy.mistake_in(scores, np.asarray(row.made(scores))) for row in rows] == rows


def test_label_smoothing_is_told_with_its_share():
    x = RNG.standard_normal((6, 4))
    scores = cross_entropy.Scores(x, np.arange(6) % 4, averaged=True)
    logarithms = x - np.log(np.exp(x).sum(axis=1, keepdims=True))
    smoothed = 0.9 * scores.of(logarithms) + 0.1 * -logarithms.mean()
    assert "torch's has 0.1" in cross_entropy.mistake_in(scores, smoothed).cause


SQUARE = RNG.standard_normal((6, 6)).astype(np.float32)
KERNEL = RNG.standard_normal((4, 3, 2, 2)).astype(np.float32)
OTHER = RNG.standard_normal((6, 6)).astype(np.float32)


@pytest.mark.parametrize(
    ("expected", "actual", "holds"),
    [
        (SQUARE, SQUARE[:4], "another shape"),
        (SQUARE, SQUARE.T, "transposed"),
        (SQUARE, OTHER, "other.weight"),
        (SQUARE, SQUARE.astype(np.float16).astype(np.float32), "rounded to float16"),
        (SQUARE, SQUARE * np.float32(1.001), "slightly different"),
        (KERNEL, KERNEL[:, ::-1], "with its input channels reversed (RGB for BGR?)"),
        (KERNEL, KERNEL[::-1], "reversed along axis 0"),
        (KERNEL, np.roll(KERNEL, 2, 0), "with the two halves of axis 0 exchanged"),
        (SQUARE, SQUARE[[2, 3, 0, 1, 4, 5]], "with the three parts of axis 0 in the order (1, 0, 2) (query, key, value? gates?)"),
        (KERNEL, KERNEL.transpose(0, 1, 3, 2), "with its axes permuted (0, 1, 3, 2)"),
        (SQUARE, RNG.permuted(SQUARE), "with its elements in another order"),
        (SQUARE, np.zeros_like(SQUARE), "all 0"),
        (SQUARE, SQUARE * np.float32(0.5), "times 0.5"),
        (SQUARE, RNG.standard_normal((6, 6)).astype(np.float32), "unrelated"),
        (np.array([0.25], np.float32), np.array([0.5], np.float32), "0.5"),
    ],
)  # fmt: skip
def test_what_a_weight_holds_is_told(expected, actual, holds):
    holders = {digest(expected): "own.weight", digest(OTHER): "other.weight"}
    found = diagnose(Weight("torch.weight", "own.weight", expected, np.ascontiguousarray(actual), holders))
    assert found.holds == holds
    assert found.swapped == (holds == "other.weight")


def test_rows_of_a_packed_layer_that_another_part_should_hold_are_told_as_another_order():
    packed = RNG.standard_normal((6, 3)).astype(np.float32)
    held = Weight("qkv.weight", "qkv.weight", packed[:2], packed[2:4], {}, packed=packed)
    assert diagnose(held).holds == "with its rows in another order"
    unrelated = Weight("qkv.weight", "qkv.weight", packed[:2], packed[2:4] + 1, {}, packed=packed)
    assert diagnose(unrelated).holds == "unrelated"


def test_a_deviation_in_the_place_of_a_variance_is_told():
    variance = RNG.random(5).astype(np.float32) + 0.5
    assert (
        diagnose(Weight("bn.running_var", "bn._variance", variance, np.sqrt(variance), {})).holds
        == "the square root"
    )


def test_what_was_made_of_another_parameter_of_the_layer_is_told():
    own, other = RNG.standard_normal((2, 6)).astype(np.float32)
    siblings = {"rnn.bias_hh": other, "rnn.spare": np.zeros_like(own)}
    summed = diagnose(Weight("ih.bias", "rnn.bias_ih", own, own + other, {}, siblings=siblings))
    assert summed.holds == "the sum with rnn.bias_hh"
    variance = diagnose(
        Weight("bn.running_var", "bn.v", np.abs(own), np.abs(other), {}, siblings={"bn.m": other})
    )
    assert (variance.holds, variance.swapped) == ("bn.m", True)
    assert (
        diagnose(Weight("ih.bias", "rnn.bias_ih", own, own - other, {}, siblings=siblings)).holds
        == "unrelated"
    )
