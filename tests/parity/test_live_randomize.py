"""`check(..., randomize=True)`: definitions are compared on values that show mistakes, and no weight stays written."""

import numpy as np
import paddle
import pytest
import torch

import parity
from parity.setup.blind_spots import blind_spots
from parity.setup.inputs import random_input

IMAGE = random_input((2, 3, 8, 8))


class PaddleNet(paddle.nn.Layer):
    def __init__(self):
        super().__init__()
        self.conv, self.bn = paddle.nn.Conv2D(3, 4, 3), paddle.nn.BatchNorm2D(4)
        self.fc = paddle.nn.Linear(4, 4)
        self.register_buffer("table", paddle.arange(4, dtype="float32"))

    def forward(self, x):
        return self.fc(self.bn(self.conv(x)).mean([2, 3]) * self.table)


class TorchNet(torch.nn.Module):
    def __init__(self, *, bias=True, eps=1e-5, name="fc", table=(0.0, 1.0, 2.0, 3.0)):
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 4, 3, bias=bias)
        self.bn = torch.nn.BatchNorm2d(4, eps=eps)
        self.name = name
        self.add_module(name, torch.nn.Linear(4, 4))
        self.register_buffer("table", torch.tensor(table))

    def forward(self, x):
        return getattr(self, self.name)(self.bn(self.conv(x)).mean([2, 3]) * self.table)


def state_of(model):
    return {name: np.array(value.numpy()) for name, value in model.state_dict().items()}


def check(paddle_model, torch_model, **options):
    return parity.check(paddle_model, torch_model, IMAGE, randomize=True, further=False, **options)


def test_freshly_built_twins_are_equivalent_and_keep_their_weights():
    models = PaddleNet(), TorchNet()
    before = [state_of(model) for model in models]
    report = check(*models)
    assert report, str(report)
    for model, kept in zip(models, before, strict=True):
        assert all(np.array_equal(kept[name], value) for name, value in state_of(model).items())
    assert not parity.check(*models, IMAGE, further=False), "without it, two random initialisations differ"


def test_it_says_that_the_weights_were_different_before_and_only_then():
    paddle_model, torch_model = PaddleNet(), TorchNet()
    assert "4 of 9 torch weights were not Paddle's" in check(paddle_model, torch_model).warnings[0]
    values = state_of(paddle_model)
    torch_model.load_state_dict(
        {
            "conv.weight": torch.from_numpy(values["conv.weight"]),
            "conv.bias": torch.from_numpy(values["conv.bias"]),
            "fc.weight": torch.from_numpy(values["fc.weight"].T.copy()),
            "fc.bias": torch.from_numpy(values["fc.bias"]),
        },
        strict=False,
    )
    assert check(paddle_model, torch_model).warnings == ()


def test_a_bias_that_is_zero_at_initialisation_shows_in_the_numbers():
    report = check(PaddleNet(), TorchNet(bias=False))
    assert report.verdict is parity.Verdict.DIFFERENT
    assert report.findings[0].layer == "conv"
    assert "bias" in report.findings[0].cause
    assert report.cases[0].judgement.outputs["output"].max_rel > 1e-6


def test_pairs_carry_values_where_names_differ():
    renamed = TorchNet(name="head")
    pairs = {"head.weight": "fc.weight", "head.bias": "fc.bias"}
    assert check(PaddleNet(), renamed, pairs=pairs)
    report = check(PaddleNet(), renamed)  # and without them: both models are run
    assert report
    assert any("names differ: " in note.text for note in report.notes)


def test_a_constant_of_the_definition_is_compared_and_not_filled():
    report = check(PaddleNet(), TorchNet(table=(0.0, 1.0, 2.0, 4.0)))
    assert not report
    assert "table" in " ".join(finding.cause for finding in report.findings)


def test_weights_are_put_back_when_the_model_raises():
    class Raises(TorchNet):
        def forward(self, x):
            raise RuntimeError("no")

    models = PaddleNet(), Raises()
    before = [state_of(model) for model in models]
    (finding,) = check(*models).findings
    assert "raised RuntimeError: no" in finding.cause
    for model, kept in zip(models, before, strict=True):
        assert all(np.array_equal(kept[name], value) for name, value in state_of(model).items())


def test_tied_weights_get_one_value():
    class PaddleTied(paddle.nn.Layer):
        def __init__(self):
            super().__init__()
            self.a = paddle.nn.Linear(8, 8)
            self.b = self.a

        def forward(self, x):
            return self.b(self.a(x))

    class TorchTied(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.b = torch.nn.Linear(8, 8)
            self.a = self.b

        def forward(self, x):
            return self.b(self.a(x))

    assert check(PaddleTied(), TorchTied())


GOOD = {
    "bn.weight": np.array([0.5, 0.7], np.float32),
    "bn.bias": np.array([0.1, 0.2], np.float32),
    "bn._mean": np.array([0.1, 0.3], np.float32),
    "bn._variance": np.array([0.9, 1.3], np.float32),
    "fc.weight": np.array([[1, 2], [3, 4]], np.float32),
}


@pytest.mark.parametrize(
    ("name", "values", "sentence"),
    [
        ("bn.bias", [0, 0], "all 1 biases are zero"),
        ("bn._mean", [0, 0], "all 1 running means are zero"),
        ("bn._variance", [1, 1], "all 1 running variances are one"),
        ("bn.weight", [1, 1], "all 1 scales are one"),
        ("bn.weight", [0, 0], "all 1 scales are zero"),
        ("fc.weight", [[2, 2], [2, 2]], "hold one value only"),
        ("fc.weight", [[1, 2], [2, 1]], "equal to their transpose"),
    ],
)
def test_values_that_hide_a_mistake_are_told_with_the_first_of_them(name, values, sentence):
    assert blind_spots(GOOD) == []
    (found,) = blind_spots({**GOOD, name: np.array(values, np.float32)})
    assert sentence in found
    assert f"`{name}`" in found


def test_some_neutral_biases_and_equal_kernels_are_counted_and_named():
    values = {**GOOD, "other.bias": np.zeros(3, np.float32), "fc2.weight": GOOD["fc.weight"]}
    zero, equal = blind_spots(values)
    assert zero.startswith("1 of 2 biases are zero (first: `other.bias`)")
    assert "`fc.weight` and `fc2.weight` hold the same values" in equal
