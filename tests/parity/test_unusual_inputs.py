"""Inputs that nobody gave: one sample, sequences of another length, large numbers. What only they show is a finding."""

import warnings

import numpy as np
import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import paddle
import torch

import parity
from parity.results.verdict import Verdict
from parity.setup.others import further_inputs

PF, TF = paddle.nn.functional, torch.nn.functional


class InPaddle(paddle.nn.Layer):
    def __init__(self, forward):
        super().__init__()
        self.run = forward

    def forward(self, *inputs):
        return self.run(*inputs)


class InTorch(torch.nn.Module):
    def __init__(self, forward):
        super().__init__()
        self.run = forward

    def forward(self, *inputs):
        return self.run(*inputs)


def numbers(*shape):
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


def check(paddle_forward, torch_forward, *inputs, **options):
    return parity.check(InPaddle(paddle_forward), InTorch(torch_forward), inputs, **options)


WEIGHTS = numbers(8, 3)


def table(framework, make):
    """Rows of a table by ids that are brought into its range."""
    return lambda ids: framework.nn.functional.embedding(
        make(ids), framework.to_tensor(WEIGHTS) if framework is paddle else torch.from_numpy(WEIGHTS)
    )


def guessed(x):
    """The map of so many places that is nearest to a square, and no wider than high."""
    width = int(x.shape[2] ** 0.5)
    while x.shape[2] % width:
        width -= 1
    return x.reshape(*x.shape[:2], -1, width)


FAULTS = [
    pytest.param(
        lambda x, m: x * (m > 0).astype(x.dtype),
        lambda x, m: x * (m == 1).to(x.dtype),
        (numbers(2, 5), np.array([[0, 1, 1, 0, 1], [1, 1, 0, 0, 0]])),
        "whole numbers of any size",
        id="mask",
    ),
    pytest.param(
        table(paddle, lambda ids: paddle.clip(ids, 0, 7)),
        table(torch, lambda ids: ids % 8),
        np.array([[0, 3, 7], [1, 2, 6]]),
        "whole numbers of any size",
        id="ids",
    ),
    pytest.param(
        lambda x: x.mean(2).squeeze(-1),
        lambda x: x.mean(2).squeeze(),
        numbers(4, 3, 5, 1),
        "one sample of very large numbers",
        id="squeeze",
    ),
    pytest.param(
        lambda x: paddle.tanh(x / 10 if float(x.abs().max()) > 50 else x),
        lambda x: x.tanh(),
        numbers(4, 30),
        "one sample of very large numbers",
        id="branch",
    ),
    pytest.param(
        lambda x: paddle.where(x > 40, x * 0, x) * 3,
        lambda x: x * 3,
        numbers(4, 30),
        "one sample of very large numbers",
        id="where",
    ),
    pytest.param(
        lambda x: PF.interpolate(x, size=[10], mode="linear", align_corners=False, data_format="NCW"),
        lambda x: TF.interpolate(x, scale_factor=2.0, mode="linear"),
        numbers(2, 3, 5),
        "34 along axis 2",
        id="factor",
    ),
    pytest.param(
        lambda x: x.flip(1).cumsum(1),
        lambda x: x[:, :7].flip(1).cumsum(1),
        numbers(2, 7, 3),
        "34 along axis 1",
        id="window",
    ),
    pytest.param(
        lambda x: PF.softmax(x, 1) * x, lambda x: x, numbers(4, 1, 3), "5 along axis 1", id="one token"
    ),
    pytest.param(
        lambda x: x.sum(0),
        lambda x: x[:3].sum(0),
        numbers(3, 4),
        "other numbers",
        id="samples",
    ),
    pytest.param(
        lambda x: paddle.round(x),
        lambda x: (x + 0.5).floor(),
        numbers(4, 6),
        "zeros, halves and equal numbers",
        id="halves",
    ),
    pytest.param(
        lambda x: x.argmax(3),
        lambda x: x.shape[3] - 1 - x.flip(3).argmax(3),
        numbers(2, 3, 8, 8),
        "one sample of very large numbers",
        id="ties in a large sample",
    ),
    pytest.param(
        lambda x: x / paddle.maximum(x.square().mean(1, keepdim=True).sqrt(), paddle.full([], 1e-6, x.dtype)),
        lambda x: x / x.square().mean(1, keepdim=True).sqrt().clamp_min(1e-2),
        numbers(4, 6),
        "tiny numbers",
        id="floor",
    ),
    pytest.param(
        lambda x: (x * 2).mean(2),
        lambda x: (x * 2).mean(2).squeeze(1),
        numbers(4, 3, 2),
        "1 along axis 1",
        id="one feature",
    ),
    pytest.param(
        lambda i: paddle.floor_divide(i, paddle.full_like(i, 3)),
        lambda i: i.div(3, rounding_mode="trunc"),
        np.arange(6).reshape(2, 3),
        "whole numbers of any size",
        id="below zero",
    ),
    pytest.param(
        lambda x: x / paddle.clip(x.abs().sum(1, keepdim=True), min=1e-9),
        lambda x: x / x.abs().sum(1, keepdim=True),
        numbers(4, 6),
        "blank samples",
        id="a sample of zeros",
    ),
    pytest.param(
        lambda x: paddle.floor(x * 64 + 0.5) * 2,
        lambda x: (x * 64).round() * 2,
        numbers(4, 48),
        "zeros, halves and equal numbers",
        id="halves of a step",
    ),
    pytest.param(
        lambda x: x.flip([2]) * 2,
        lambda x: guessed(x.flatten(2)).flip(2) * 2,
        numbers(2, 1, 10, 10),
        "a long form",
        id="a shape guessed by its size",
    ),
    pytest.param(
        table(paddle, lambda ids: paddle.floor_divide(ids, paddle.full_like(ids, 3)) + 3),
        table(torch, lambda ids: (ids / 3).int() + 3),
        np.array([[0, 3, 7], [1, 2, 6]]),
        "whole numbers of either sign",
        id="rows that are computed",
    ),
    pytest.param(
        lambda x, t: x + paddle.sin(t.astype(x.dtype)).unsqueeze(1),
        lambda x, t: x + torch.from_numpy(np.sin(np.arange(30.0)))[t.numpy() % 30].to(x.dtype)[:, None],
        (numbers(2, 5), np.array([3, 11])),
        "larger whole numbers",
        id="beyond a table",
    ),
]


@pytest.mark.parametrize(("in_paddle", "in_torch", "given", "name"), FAULTS)
def test_what_only_an_unusual_input_shows_is_found_on_it(in_paddle, in_torch, given, name):
    inputs = given if isinstance(given, tuple) else (given,)
    report = check(in_paddle, in_torch, *inputs)
    assert report.verdict is Verdict.DIFFERENT
    assert report.cases[-1].name == name
    assert check(in_paddle, in_torch, *inputs, further=False).verdict is Verdict.EQUIVALENT


def test_results_that_differ_on_an_unusual_input_are_never_equivalent_though_nothing_is_blamed():
    def in_torch(x):
        return guessed(x.flatten(2)).cumsum(2).mean((2, 3))

    report = check(lambda x: x.cumsum(2).mean([2, 3]), in_torch, numbers(2, 1, 10, 10))
    assert report.verdict is Verdict.INCONCLUSIVE, str(report)


def test_boxes_that_hardly_overlap_are_tried_where_they_do():
    boxes = np.array([[0, 0, 1, 1], [2, 2, 3, 4], [6, 6, 8, 7]], np.float32)
    rows = [row[0] for row in further_inputs({"0": numbers(3, 2), "1": boxes}, "eval")]
    (crowded,) = (row.arrays()["1"] for row in rows if row.name == "boxes that overlap")
    assert (crowded[:, 2:] > crowded[:, :2]).all()
    assert (
        np.minimum(crowded[1:, 2:], crowded[:-1, 2:]) > np.maximum(crowded[1:, :2], crowded[:-1, :2])
    ).all()


def test_texts_are_compared_on_other_inputs_too():
    def told(x):
        return x, ["many" if n else "few" for n in (x > 0.5).sum(1) > 2]

    report = check(told, lambda x: (x, ["few"] * len(x)), -(numbers(4, 6) ** 2))
    assert report.verdict is Verdict.DIFFERENT
    assert "is 'few' in torch, 'many' in Paddle" in report.findings[0].cause
    assert check(told, told, -(numbers(4, 6) ** 2)).verdict is Verdict.EQUIVALENT


def test_numbers_with_which_paddle_overflows_are_not_compared():
    def in_paddle(x):
        return x.exp().log()

    report = check(in_paddle, lambda x: x.exp().log(), numbers(4, 200))
    assert report.verdict is Verdict.EQUIVALENT
    assert [case.name for case in report.cases][-2:] == ["one sample of larger numbers", "blank samples"]


def test_a_port_for_one_length_has_a_limit_and_is_no_other_function():
    def for_seven(x):
        return x.reshape(-1, 7, 3).cumsum(1).reshape(x.shape)

    report = check(lambda x: x.cumsum(1), for_seven, numbers(2, 7, 3))
    assert report.verdict is Verdict.EQUIVALENT
    assert any(note.text.startswith("a limit of the port: on an input of 2x34x3") for note in report.notes)
    assert not any("does not take" in note.text for note in report.notes)


def test_one_sample_is_no_input_of_a_batch_norm_that_trains():
    pair = paddle.nn.BatchNorm1D(5), torch.nn.BatchNorm1d(5)
    assert parity.check(*pair, numbers(4, 5), mode="train").verdict is Verdict.EQUIVALENT


def test_a_mask_of_another_length_goes_on_as_it_ends():
    def mask(x, kept):
        return x + (1.0 - kept) * 1e9

    def fill(x, kept):
        return (x * kept) + 1e9 * (kept < 0.5)

    kept = (np.arange(6)[None] < np.array([6, 3, 2, 5])[:, None]).astype(np.float32)
    report = check(
        lambda x, k: PF.relu(mask(x, k)) * k, lambda x, k: TF.relu(fill(x, k)) * k, numbers(4, 6), kept
    )
    assert report.verdict is Verdict.EQUIVALENT
    assert "33 along axis 1" in [case.name for case in report.cases]


def test_whole_numbers_that_choose_rows_stay_among_those_that_there_are():
    table = np.arange(12, dtype=np.float32).reshape(6, 2)

    def in_paddle(ids):
        return paddle.to_tensor(table)[ids + 0]

    report = check(in_paddle, lambda ids: torch.from_numpy(table)[ids], np.array([[1, 5, 2]]))
    assert report.verdict is Verdict.EQUIVALENT
    assert not any("whole numbers" in case.name for case in report.cases)


def test_a_table_of_one_length_has_a_limit_though_it_broadcasts_along_one_step():
    report = check(
        lambda x: x + paddle.arange(x.shape[1]).astype(x.dtype),
        lambda x: x + torch.arange(6).to(x.dtype),
        numbers(2, 6),
    )
    assert report.verdict is Verdict.EQUIVALENT, str(report)
    assert not any(case.name.startswith("1 along") for case in report.cases)


@pytest.mark.parametrize(
    ("in_paddle", "in_torch"),
    [
        (lambda x: paddle.nan_to_num(x) * 2, lambda x: x * 2),
        (lambda x: paddle.maximum(x, paddle.zeros_like(x)), lambda x: x.fmax(torch.zeros_like(x))),
        (lambda x: paddle.nanmean(x, 1), lambda x: x.mean(1)),
    ],
    ids=["nan_to_num", "fmax", "nanmean"],
)
def test_a_model_that_alone_looks_for_nan_is_given_some(in_paddle, in_torch):
    report = check(in_paddle, in_torch, numbers(2, 6))
    assert report.verdict is Verdict.DIFFERENT, str(report)
    assert "on an input of 2x6 with NaN and Inf" in report.findings[0].cause


def test_nan_is_given_to_no_model_that_does_not_look_for_it():
    report = check(lambda x: PF.relu(x), lambda x: TF.relu(x), numbers(2, 6))
    assert report.verdict is Verdict.EQUIVALENT  # Paddle makes 0 of NaN there, torch NaN
    assert not any("NaN" in case.name for case in report.cases)


KINKS = [
    pytest.param(PF.relu, lambda x: torch.where(x >= 0, x, x * 0), id="relu"),
    pytest.param(paddle.abs, lambda x: torch.where(x >= 0, x, -x), id="abs"),
    pytest.param(
        lambda x: PF.max_pool2d(x, 2), lambda x: x.unfold(2, 2, 2).unfold(3, 2, 2).amax((-1, -2)), id="pool"
    ),
    pytest.param(
        lambda x: paddle.where(x > -5, x * 2, x * 0),
        lambda x: torch.where(x > -5, 2 * (x + 5).sqrt() ** 2 - 10, x * 0),
        id="the branch that is not taken",
    ),
]


@pytest.mark.parametrize(("in_paddle", "in_torch"), KINKS)
def test_gradients_that_differ_at_kinks_alone_are_found_where_gradients_are_asked_for(in_paddle, in_torch):
    given = numbers(2, 3, 4, 4)
    report = check(in_paddle, in_torch, given, gradients=True)
    assert report.verdict is Verdict.DIFFERENT, str(report)
    assert "the gradient of input `0` differs" in report.findings[0].cause
    assert check(in_paddle, in_torch, given).verdict is Verdict.EQUIVALENT


@pytest.mark.parametrize(
    ("in_paddle", "in_torch"),
    [
        (PF.leaky_relu, TF.leaky_relu),
        (lambda x: x.max(1), lambda x: x.max(1).values),
        (lambda x: PF.max_pool2d(PF.relu(x), 2), lambda x: TF.max_pool2d(x.relu(), 2)),
        (lambda x: PF.hardswish(x), lambda x: x * TF.relu6(x + 3) / 6),
        (PF.silu, TF.silu),  # Paddle's gradient is NaN below -709
        (PF.celu, TF.celu),
        # Paddle computes the places in float32, and what is curved behind them hands that on.
        (
            lambda x: PF.silu(PF.interpolate(x, [9, 9], mode="bilinear")),
            lambda x: TF.silu(TF.interpolate(x, [9, 9], mode="bilinear")),
        ),
    ],
    ids=["slope", "max", "pool", "hardswish", "silu", "celu", "interpolate"],
)
def test_the_frameworks_own_gradients_at_kinks_are_no_difference(in_paddle, in_torch):
    report = check(in_paddle, in_torch, numbers(2, 3, 4, 4), gradients=True)
    assert report.verdict is Verdict.EQUIVALENT, str(report)


def test_a_cross_entropy_is_not_compared_where_paddle_cuts_it_off():
    labels = np.array([0, 1, 2, 3])
    report = check(PF.cross_entropy, TF.cross_entropy, numbers(4, 5), labels)
    assert report.verdict is Verdict.EQUIVALENT, str(report)


def test_an_order_of_equal_numbers_is_nobodys():
    report = check(
        lambda x: paddle.topk(x, 2, axis=1)[1],
        lambda x: x.sort(1, descending=True).indices[:, :2],
        numbers(4, 6),
    )
    assert report.verdict is Verdict.EQUIVALENT, str(report)


def test_digits_that_one_formula_loses_on_tiny_numbers_are_rounding():
    report = check(lambda x: (x * x + 1).log(), lambda x: x.square().log1p(), numbers(4, 3))
    assert report.verdict is Verdict.EQUIVALENT, str(report)


def by_hand(x, labels):
    return -x.log_softmax(-1).gather(1, labels[:, None]).mean()


@pytest.mark.parametrize(
    ("in_torch", "equal"),
    [
        (TF.cross_entropy, True),
        (lambda x, y: TF.nll_loss(x.log_softmax(1), y), True),
        (by_hand, False),
        (lambda x, y: by_hand(x, y.clamp(min=0)), False),
        (lambda x, y: TF.cross_entropy(x, y, ignore_index=0), False),
    ],
    ids=["the framework's", "likelihood", "raises", "clamped", "the first"],
)
def test_labels_that_nobody_gave_are_left_out_as_paddle_does(in_torch, equal):
    report = check(PF.cross_entropy, in_torch, numbers(4, 5), np.array([1, 2, 3, 4]))
    assert bool(report) is equal, str(report)
    assert any("labels of -100 are left out by both" in note.text for note in report.notes) is equal


def test_gradients_of_a_loss_are_asked_on_the_labels_that_were_given():
    labels = np.array([[1, 2, 3], [4, 5, 0], [1, 5, 0]], np.int32)  # 0 is the blank, behind the shorter ones
    lengths = np.array([3, 2, 2])
    in_paddle = lambda x, y, n: PF.ctc_loss(x, y, paddle.full_like(n, 9), n)  # noqa: E731
    in_torch = lambda x, y, n: TF.ctc_loss(  # noqa: E731
        x.log_softmax(-1), y, torch.full_like(n, 9), n
    )
    given = 3 * numbers(9, 3, 6), labels, lengths
    report = check(in_paddle, in_torch, *given, gradients=True)
    assert report.verdict is Verdict.EQUIVALENT, str(report)
