"""The registered twins are equivalent, in eval and in train mode, and the report proves it layer by layer."""

import pytest
import torch

import parity
from convert.models.registry import MODELS
from tests.parity.pairs import registered

ISSUE = ("vgg16", "googlenet", "resnet50", "resnet101", "resnet152", "lenet")
QUICK = ("googlenet", "resnet50", "lenet")
LIMIT = 1e-12
"""The largest relative float64 difference that any layer of these networks may show."""


def proves(name: str, shape: tuple[int, ...], mode: str, **options) -> parity.Report:
    paddle_model, torch_model, inputs = registered(name, shape=shape)
    report = parity.check(paddle_model, torch_model, inputs, mode=mode, **options)
    assert report, str(report)
    assert report.worst <= LIMIT
    assert all(row.float64 is not None or row.status == "inside" for row in report.layers)
    return report


@pytest.mark.parametrize("mode", ["eval", "train"])
@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("lenet", (2, 1, 28, 28)),
        ("googlenet", (2, 3, 32, 32)),
        ("resnet50", (2, 3, 64, 64)),
        pytest.param("resnet152", (2, 3, 64, 64), marks=pytest.mark.full),
    ],
)
def test_twins_are_equivalent_on_a_small_input(name, shape, mode):
    proves(name, shape, mode, further=name == "lenet")


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("name", "mode"),
    [
        *(pytest.param(name, "eval", marks=[] if name in QUICK else pytest.mark.full) for name in ISSUE),
        pytest.param("googlenet", "train", marks=pytest.mark.full),
        pytest.param("resnet50", "train", marks=pytest.mark.full),
    ],
)
def test_twins_are_equivalent_at_full_size(name, mode):
    proves(name, (2, *MODELS[name].input_shape), mode, further=False)


def test_weights_of_the_proof_hide_nothing():
    """No bias is zero and no BatchNorm is at its initial state: a proof on those would show little."""
    _, torch_model, _ = registered("resnet18", shape=(2, 3, 32, 32))
    for name, tensor in torch_model.state_dict().items():
        if name.endswith("num_batches_tracked"):
            continue
        neutral = 1.0 if name.endswith(("running_var", "_batch_norm.weight")) else 0.0
        assert (tensor != neutral).all(), name


def test_every_operator_of_a_twin_is_in_the_table():
    report = proves("lenet", (2, 1, 28, 28), "eval")
    operators = [row.operator for row in report.layers]
    assert operators == [
        "Conv2d", "Sigmoid", "AvgPool2d", "Conv2d", "Sigmoid", "AvgPool2d",
        "Linear", "Sigmoid", "Linear", "Sigmoid", "Linear",
    ]  # fmt: skip
    assert [row.shape for row in report.layers][:3] == [(2, 6, 28, 28), (2, 6, 28, 28), (2, 6, 14, 14)]


def test_train_mode_explains_the_running_variance():
    paddle_model, torch_model, inputs = registered("resnet18", shape=(2, 3, 32, 32))
    report = parity.check(paddle_model, torch_model, inputs, mode="train", further=False)
    assert report, str(report)
    assert any("biased" in note.text for note in report.notes)


@pytest.mark.parametrize("threads", [1, 2])
def test_the_verdict_does_not_depend_on_the_thread_count(threads):
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        proves("resnet18", (2, 3, 64, 64), "train", further=False)
        assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
