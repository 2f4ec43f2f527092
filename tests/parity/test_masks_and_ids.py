"""A mask of ones and ids that are all equal hide what is done with them: further inputs have others."""

import warnings

import numpy as np
import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import paddle
import torch

import parity
from parity.results.verdict import Verdict

X = np.random.default_rng(0).standard_normal((4, 6, 8)).astype(np.float32)


class InPaddle(paddle.nn.Layer):
    def __init__(self, forward):
        super().__init__()
        self.run = forward

    def forward(self, x, other):
        return self.run(x, other)


class InTorch(torch.nn.Module):
    def __init__(self, forward):
        super().__init__()
        self.run = forward

    def forward(self, x, other):
        return self.run(x, other)


def like(x, other):
    return other.astype(x.dtype) if isinstance(x, paddle.Tensor) else other.to(x.dtype)


def mean(x, mask):
    mask = like(x, mask)
    return (x * mask[:, :, None]).sum(1) / mask.sum(1)[:, None]


def attention(scores, hidden):
    """hidden: where it is True, nothing is looked at."""
    return (scores - 1e9 * like(scores, hidden)[:, :, None]).exp()


def verdict(paddle_forward, torch_forward, other) -> Verdict:
    return parity.check(InPaddle(paddle_forward), InTorch(torch_forward), (X, other)).verdict


MASKS = [
    pytest.param(mean, np.ones((4, 6), "int64"), id="ones"),
    pytest.param(mean, np.ones((4, 6), bool), id="true"),
    pytest.param(mean, np.ones((4, 6), "float32"), id="ones as float32"),
    pytest.param(mean, np.repeat([[1, 1, 1, 1, 0, 0]], 4, 0), id="one length"),
    pytest.param(attention, np.zeros((4, 6), bool), id="false"),
    pytest.param(lambda x, ids: x + like(x, ids)[:, :, None], np.zeros((4, 6), "int64"), id="types"),
    pytest.param(lambda x, ids: x * like(x, ids)[:, :, None], np.full((4, 6), 7, "int64"), id="ids"),
    pytest.param(
        lambda x, ids: x * like(x, ids)[:, None, None], np.ones(4, "int64"), id="one for each sample"
    ),
]


@pytest.mark.parametrize(("forward", "other"), MASKS)
def test_a_port_that_takes_another_place_of_the_mask_is_different(forward, other):
    def wrong(x, other):
        return forward(x, other[:, :1].expand(4, 6) if other.ndim > 1 else other.flip(0))

    assert verdict(forward, forward, other) is Verdict.EQUIVALENT
    assert verdict(forward, wrong, other) is Verdict.DIFFERENT


def test_a_padding_mask_stays_one():
    """Every sample begins with what counts: a port may take its length for the mask."""

    def by_length(x, mask):
        return mean(x, torch.arange(mask.shape[1])[None] < mask.sum(1)[:, None])

    lengths = np.arange(6)[None] < np.array([6, 3, 2, 5])[:, None]
    assert verdict(mean, by_length, lengths.astype("int64")) is Verdict.EQUIVALENT
    assert verdict(mean, by_length, np.ones((4, 6), "float32")) is Verdict.EQUIVALENT


def test_ids_that_paddle_refuses_are_not_forced_on_it():
    def only_sevens(x, ids):
        if bool((ids != 7).any()):
            raise ValueError("sevens only")
        return x * like(x, ids)[:, :, None]

    report = parity.check(InPaddle(only_sevens), InTorch(only_sevens), (X, np.full((4, 6), 7, "int64")))
    assert report.verdict is Verdict.EQUIVALENT
    assert [case.name for case in report.cases][:2] == ["given input", "other numbers"]
    assert any("does not take other ones like them" in note.text for note in report.cases[0].judgement.notes)
