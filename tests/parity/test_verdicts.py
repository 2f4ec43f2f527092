"""When nothing may be claimed: outputs of every shape, NaN and Inf, tensors and numbers of unknown origin."""

from pathlib import Path

import numpy as np
import paddle
import pytest
import torch

import parity
from convert import convert_state_dict
from tests.parity.pairs import PaddleNet, TorchNet, small

INPUT = np.random.default_rng(0).standard_normal((2, 3), dtype=np.float32)


def returning(paddle_result, torch_result) -> parity.Report:
    """A check of two one-line models."""

    class InPaddle(paddle.nn.Layer):
        def forward(self, x):
            return paddle_result(x)

    class InTorch(torch.nn.Module):
        def forward(self, x):
            return torch_result(x)

    return parity.check(InPaddle(), InTorch(), INPUT)


# -- outputs --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("result", "paths"),
    [
        (lambda x: (x * 2, x * 3), {"output[0]", "output[1]"}),
        (lambda x: [x * 2, [x * 3]], {"output[0]", "output[1][0]"}),
        (lambda x: {"logits": x * 2, "aux": {"a": x * 3}}, {"output['logits']", "output['aux']['a']"}),
        (lambda x: (x * 2, None, 3), {"output[0]", "output[2]"}),
        (lambda x: x, {"output"}),
    ],
)
def test_every_tensor_and_number_of_the_result_is_compared(result, paths):
    report = returning(result, result)
    assert report, str(report)
    assert set(report.cases[0].judgement.outputs) == paths


def test_models_that_return_nothing_prove_nothing():
    report = returning(lambda x: None, lambda x: None)
    assert report.verdict is parity.Verdict.INCONCLUSIVE
    assert not report
    assert "return nothing that can be compared" in report.inconclusive[0]


@pytest.mark.parametrize(
    ("paddle_result", "torch_result", "named"),
    [
        (lambda x: (x, x * 2), lambda x: x, "output"),
        (lambda x: x, lambda x: None, "output"),
        (lambda x: {"logits": x}, lambda x: {"logit": x}, "logit"),
        (lambda x: (x * 2, x * 3), lambda x: (x * 3, x * 2), "the model's output[0] takes the output of"),
    ],
)
def test_a_result_of_another_structure_or_order_is_different(paddle_result, torch_result, named):
    report = returning(paddle_result, torch_result)
    assert report.verdict is parity.Verdict.DIFFERENT, str(report)
    assert named in str(report)


def test_outputs_of_other_shapes_are_different():
    report = returning(lambda x: x.sum(1), lambda x: x.sum(0))
    assert report.verdict is parity.Verdict.DIFFERENT


def test_an_output_that_is_the_input_is_compared():
    assert returning(lambda x: x, lambda x: x)
    assert not returning(lambda x: x, lambda x: x + 1)


# -- NaN and Inf ----------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("sides", [("paddle",), ("torch",), ("paddle", "torch")])
@pytest.mark.parametrize("name", ["fc.bias", "conv.weight"])
def test_weights_that_are_not_finite_are_never_equivalent(value, sides, name):
    paddle_model, torch_model, inputs = small()
    if "paddle" in sides:
        tensor = paddle_model.state_dict()[name]
        array = tensor.numpy()
        array.reshape(-1)[0] = value
        tensor.set_value(array)
    if "torch" in sides:
        with torch.no_grad():
            torch_model.state_dict()[name].view(-1)[0] = value
    mode = "train" if name == "conv.weight" else "eval"
    report = parity.check(paddle_model, torch_model, inputs, mode=mode, further=False)
    assert report.verdict is not parity.Verdict.EQUIVALENT
    assert not report


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_inputs_that_are_not_finite_are_refused(value):
    paddle_model, torch_model, inputs = small()
    inputs[0, 0, 0, 0] = value
    with pytest.raises(parity.ParityError, match="input 0 holds NaN or Inf"):
        parity.check(paddle_model, torch_model, inputs)


def test_an_output_of_equal_infinities_proves_nothing():
    report = returning(lambda x: x / 0.0, lambda x: x / 0.0)
    assert report.verdict is not parity.Verdict.EQUIVALENT


def test_infinities_inside_that_a_softmax_swallows_are_no_fault():
    """Attention masks with -inf: the outputs are finite, and equal."""
    mask = np.array([0, -np.inf, 0], np.float32)

    class InPaddle(paddle.nn.Layer):
        def __init__(self):
            super().__init__()
            self.register_buffer("mask", paddle.to_tensor(mask))

        def forward(self, x):
            return paddle.nn.functional.softmax(x + self.mask, axis=-1)

    class InTorch(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("mask", torch.from_numpy(mask.copy()))

        def forward(self, x):
            return torch.softmax(x + self.mask, dim=-1)

    report = parity.check(InPaddle(), InTorch(), INPUT)
    assert report, str(report)


# -- what nobody saw being made -------------------------------------------------------------------

PADDLE_CONSTANT = paddle.to_tensor([1.0, 2.0, 3.0])
TORCH_CONSTANT = torch.tensor([1.0, 2.0, 3.0])


@pytest.mark.parametrize("side", ["paddle", "torch"])
def test_a_tensor_of_unknown_origin_makes_the_verdict_inconclusive_and_is_named(side):
    """A tensor that lives in a module's globals: not an input, not the model's, not made by an operator."""
    report = returning(
        (lambda x: x * PADDLE_CONSTANT)
        if side == "paddle"
        else (lambda x: x * paddle.to_tensor([1.0, 2, 3])),
        (lambda x: x * TORCH_CONSTANT) if side == "torch" else (lambda x: x * torch.tensor([1.0, 2, 3])),
    )
    assert report.verdict is parity.Verdict.INCONCLUSIVE, str(report)
    reason = report.inconclusive[0]
    assert reason.startswith(f"{side}: mul ")
    assert "shape [3] that no recorded operator made" in reason
    assert "test_verdicts.py:" in reason


def test_a_random_operator_makes_the_verdict_inconclusive_and_is_named():
    report = returning(lambda x: x + paddle.randn([3]), lambda x: x + torch.randn(3))
    assert report.verdict is parity.Verdict.INCONCLUSIVE, str(report)
    assert any("draws random numbers" in reason for reason in report.inconclusive)
    assert any("test_verdicts.py:" in reason for reason in report.inconclusive)


def test_a_random_operator_on_one_side_is_never_equivalent():
    assert not returning(lambda x: x + paddle.randn([3]), lambda x: x + torch.zeros(3))
    assert not returning(lambda x: x + paddle.zeros([3]), lambda x: x + torch.randn(3))


# -- a report's truth and text --------------------------------------------------------------------


def test_the_truth_of_a_report_is_its_verdict():
    right, wrong = small(), small()
    wrong[1].bn.eps = 0.1
    assert bool(parity.check(*right)) is True
    assert bool(parity.check(*wrong)) is False


def test_assert_equivalent_returns_the_report_or_says_layer_cause_and_fix_in_a_few_lines():
    paddle_model, torch_model, inputs = small()
    assert parity.assert_equivalent(paddle_model, torch_model, inputs).verdict is parity.Verdict.EQUIVALENT
    torch_model.bn.eps = 0.1
    with pytest.raises(AssertionError) as caught:
        parity.assert_equivalent(paddle_model, torch_model, inputs, mode="train")
    message = str(caught.value)
    assert message.splitlines()[0].startswith("DIFFERENT: 1 finding in TorchNet")
    assert "`bn`" in message
    assert "eps: torch has 0.1, Paddle has 1e-05" in message
    assert "fix: BatchNorm2d(..., eps=1e-05)" in message
    assert len(message.splitlines()) <= 12
    assert len(message) < 1200


def test_a_failed_assertion_ends_with_the_path_of_the_full_report(tmp_path, monkeypatch):
    paddle_model, torch_model, inputs = small()
    torch_model.bn.eps = 0.1
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for given in (None, tmp_path / "mine.html"):
        with pytest.raises(AssertionError) as caught:
            parity.assert_equivalent(paddle_model, torch_model, inputs, report=given)
        last = str(caught.value).splitlines()[-1]
        assert last.startswith("full report: ")
        path = Path(last.removeprefix("full report: "))
        assert path.parent == tmp_path
        assert "eps: torch has" in path.read_text(encoding="utf-8")
    assert path.name == "mine.html"
    with pytest.raises(AssertionError, match=r"eps: torch has(.|\n)*full report: not written"):
        parity.assert_equivalent(paddle_model, torch_model, inputs, report=tmp_path / "no" / "folder.html")


def test_further_inputs_of_an_equivalent_pair_are_compared_by_their_outputs_alone():
    report = parity.check(*small(shape=(4, 3, 8, 8)))
    assert report
    assert [(case.name, case.quick, case.shapes["0"]) for case in report.cases] == [
        ("given input", False, (4, 3, 8, 8)),
        ("other numbers", True, (2, 3, 8, 8)),
        ("odd size", True, (2, 3, 9, 7)),
        ("one sample of very large numbers", True, (1, 3, 8, 8)),
        ("a long form", True, (2, 3, 4, 16)),
    ]
    assert all(case.judgement.outputs for case in report.cases)


def test_a_model_for_one_size_of_batch_is_still_tried_on_further_inputs():
    class InPaddle(paddle.nn.Layer):
        def forward(self, x):
            return x.reshape([4, 3, *x.shape[2:]]) * 2

    class InTorch(torch.nn.Module):
        def forward(self, x):
            return x.reshape(4, 3, *x.shape[2:]) * 2

    report = parity.check(InPaddle(), InTorch(), np.ones((4, 3, 2, 2), np.float32))
    assert report
    assert [case.shapes["0"][0] for case in report.cases] == [4, 4, 4, 4]


def test_assert_equivalent_shows_at_most_three_findings():
    paddle_model, torch_model, inputs = small(TorchNet, PaddleNet)
    with torch.no_grad():
        for parameter in torch_model.parameters():
            parameter.mul_(1.5)
    with pytest.raises(AssertionError, match=r"and \d+ more") as caught:
        parity.assert_equivalent(paddle_model, torch_model, inputs)
    assert len(str(caught.value).splitlines()) <= 12


def test_a_recurrent_layer_runs_in_float64_and_is_equivalent():
    """torch compares the type of its input with its weights'; Paddle hands over a state that holds nothing."""
    layers = paddle.nn.GRU(4, 3), torch.nn.GRU(4, 3, batch_first=True)

    class PaddleNet(paddle.nn.Layer):
        def __init__(self):
            super().__init__()
            self.gru = layers[0]

        def forward(self, x):
            return self.gru(x)[0]

    class TorchNet(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.gru = layers[1]

        def forward(self, x):
            return self.gru(x)[0]

    report = parity.check(
        PaddleNet(), TorchNet(), np.ones((2, 5, 4), np.float32) / 3, randomize=True, further=False
    )
    assert report, str(report)
    assert report.cases[0].judgement.outputs["output"].max_rel < 1e-12


def test_an_operator_without_a_float64_kernel_cannot_be_decided_and_is_named():
    def in_paddle(x):
        share = paddle.nn.functional.sigmoid(x[:, :1])
        return paddle.nn.functional.log_loss(share, paddle.ones_like(share))

    report = returning(in_paddle, lambda x: -torch.log(torch.sigmoid(x[:, :1]) + 1e-4))
    assert report.verdict is parity.Verdict.INCONCLUSIVE
    (reason,) = report.inconclusive
    assert "`log_loss`" in reason
    assert "test_verdicts.py:" in reason
    assert "has no float64 kernel in paddle" in reason


def test_a_torch_operator_without_a_counterpart_is_found_as_that():
    (finding,) = returning(lambda x: x * 2, lambda x: torch.special.bessel_j0(x * 2)).findings
    assert "bessel_j0" in finding.operator
    assert "only in torch" in finding.cause


class _PaddleTied(paddle.nn.Layer):
    def __init__(self):
        super().__init__()
        self.layer = paddle.nn.Linear(3, 3)

    def forward(self, x):
        return self.layer(paddle.nn.functional.relu(self.layer(x)))


class _TorchTied(torch.nn.Module):
    between = staticmethod(torch.relu)

    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(3, 3)

    def forward(self, x):
        return self.layer(self.between(self.layer(x)))


class _TorchTiedElse(_TorchTied):
    between = staticmethod(torch.tanh)


def test_a_layer_that_is_called_twice_is_compared_at_each_call():
    for torch_class, causes in (
        (_TorchTied, []),
        (_TorchTiedElse, ["torch runs Tanh where Paddle runs ReLU"]),
    ):
        paddle_net, torch_net = _PaddleTied(), torch_class()
        torch_net.load_state_dict(convert_state_dict(paddle_net.state_dict(), torch_net))
        findings = parity.check(paddle_net, torch_net, INPUT, further=False).findings
        assert [finding.cause for finding in findings] == causes
