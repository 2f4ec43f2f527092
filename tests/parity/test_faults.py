"""Planted faults: DIFFERENT, with the right layer first among the findings and in the table.

The first five are those of the tutorial's own torch ResNet. Its dropped weight decay has no effect on a
forward pass: it belongs to the training comparison (`tests/mutants`).
"""

from pathlib import Path

import numpy as np
import paddle
import pytest
import torch

import parity
import torch_models.googlenet
import torch_models.lenet
import torch_models.resnet
from tests.parity.pairs import PaddleNet, TorchNet, edited, load_what_fits, registered, small

RESNET = (2, 3, 32, 32)


def first(report: parity.Report) -> parity.Finding:
    """The first finding of a report that must be DIFFERENT; the table marks the same layer first."""
    assert report.verdict is parity.Verdict.DIFFERENT, str(report)
    return report.findings[0]


def first_row(report: parity.Report) -> str:
    return next(row.torch_layer for row in report.layers if row.status != "same")


def check(pair, **options) -> parity.Report:
    paddle_model, torch_model, inputs = pair
    return parity.check(paddle_model, torch_model, inputs, further=False, **options)


# -- the tutorial's torch ResNet ------------------------------------------------------------------


def test_convolutions_that_keep_a_bias_are_found(tmp_path):
    port = edited(tmp_path, torch_models.resnet, ("            bias=False,\n", ""))
    report = check(registered("resnet18", shape=RESNET, torch_module=port))
    finding = first(report)
    assert finding.layer == "conv._conv" == first_row(report)
    assert "bias only in torch" in finding.cause
    assert "bias=False" in finding.fix
    assert len(report.findings) == 1
    assert {layer.rpartition(".")[2] for layer in finding.layers} == {"_conv"}
    assert len(finding.layers) == 20, "every convolution has it, and every one is reported"


IN_A_LIST = (
    (
        '                self.add_module(f"bb_{stage}_{i}", block)\n'
        '                self.block_names.append(f"bb_{stage}_{i}")\n',
        "                self.blocks.append(block)\n",
    ),
    ("        self.block_names = []\n", "        self.blocks = []\n"),
    ("        return [getattr(self, name) for name in self.block_names]\n", "        return self.blocks\n"),
)


@pytest.mark.parametrize("loaded", [False, True])
def test_blocks_in_a_plain_list_are_found(tmp_path, loaded):
    """Found even if somebody loaded the right values into the hidden blocks by hand."""
    port = edited(tmp_path, torch_models.resnet, *IN_A_LIST)
    paddle_model, torch_model, inputs = registered("resnet18", shape=RESNET, torch_module=port)
    if loaded:
        for theirs, ours in zip(paddle_model.bottleneck_block_list, torch_model.blocks, strict=True):
            load_what_fits(theirs, ours.eval())
    report = check((paddle_model, torch_model, inputs))
    finding = first(report)
    assert finding.layer.startswith("blocks[0]")
    assert "not registered" in finding.cause
    assert "plain list" in finding.cause
    assert "ModuleList" in finding.fix
    assert finding.where.endswith(f":{line_of(port, 'self.blocks = []')}")
    if loaded:
        assert len(report.findings) == 1


def line_of(module, text: str) -> int:
    lines = Path(module.__file__).read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


def test_an_extra_batchnorm_before_the_head_is_found_in_both_modes(tmp_path):
    port = edited(
        tmp_path,
        torch_models.resnet,
        (
            "        self.out = nn.Linear(num_channels, num_classes)\n",
            "        self.bn1 = nn.BatchNorm1d(num_channels)\n"
            "        self.out = nn.Linear(num_channels, num_classes)\n",
        ),
        ("        return self.out(y)", "        return self.out(self.bn1(y))"),
    )
    pair = registered("resnet18", shape=RESNET, torch_module=port)
    for mode in ("eval", "train"):
        report = check(pair, mode=mode)
        finding = first(report)
        assert finding.layer == "bn1"
        assert "only in torch" in finding.cause
        assert "remove" in finding.fix
        assert len(report.findings) == 1


def leaky(model) -> None:
    """Every ConvBNLayer that has an activation gets the tutorial's leaky one."""
    layers = model.sublayers() if isinstance(model, paddle.nn.Layer) else model.modules()
    for layer in layers:
        if getattr(layer, "act", None) == "relu":
            layer.act = "leaky"


def test_the_tutorials_leaky_activation_is_the_same_in_both_frameworks():
    paddle_model, torch_model, inputs = registered("resnet18", shape=RESNET, paddle_change=leaky)
    leaky(torch_model)
    assert check((paddle_model, torch_model, inputs))


def test_a_wrong_leaky_slope_is_found(tmp_path):
    port = edited(tmp_path, torch_models.resnet, ("F.leaky_relu(y, negative_slope=0.1)", "F.leaky_relu(y)"))
    paddle_model, torch_model, inputs = registered(
        "resnet18", shape=RESNET, torch_module=port, paddle_change=leaky
    )
    leaky(torch_model)
    report = check((paddle_model, torch_model, inputs))
    finding = first(report)
    assert (finding.layer, finding.operator) == ("conv", "LeakyReLU")
    assert "slope" in finding.cause
    assert "0.01" in finding.cause
    assert "negative_slope=0.1" in finding.fix
    assert finding.where.endswith(f":{line_of(port, 'F.leaky_relu(y)')}")
    assert first_row(report) == "conv"


def test_device_placement_in_the_definition_does_not_matter_on_the_cpu(tmp_path):
    """`.cuda()` in the definition, as far as a CPU can show it; a CPU build refuses it (test_command)."""
    port = edited(
        tmp_path,
        torch_models.resnet,
        (
            "        self._batch_norm = nn.BatchNorm2d(num_filters)\n",
            '        self._batch_norm = nn.BatchNorm2d(num_filters).to("cpu")\n',
        ),
    )
    assert check(registered("resnet18", shape=RESNET, torch_module=port))


# -- the other faults of the issue ----------------------------------------------------------------


def test_a_square_linear_left_untransposed_is_found():
    paddle_model, torch_model, inputs = small()
    with torch.no_grad():
        torch_model.fc.weight.copy_(torch_model.fc.weight.T.clone())
    report = check((paddle_model, torch_model, inputs))
    finding = first(report)
    assert (finding.layer, finding.operator) == ("fc", "Linear")
    assert "untransposed" in finding.cause
    assert finding.fix.endswith(".T")
    assert first_row(report) == "fc"
    assert len(report.findings) == 1


def test_two_swapped_convolutions_are_found():
    paddle_model, torch_model, inputs = registered("resnet18", shape=RESNET)
    one, two = (torch_model.bb_0_1.conv0._conv.weight, torch_model.bb_0_1.conv1._conv.weight)
    with torch.no_grad():
        kept = one.clone()
        one.copy_(two)
        two.copy_(kept)
    report = check((paddle_model, torch_model, inputs))
    assert first(report).layer == "bb_0_1.conv0._conv" == first_row(report)
    assert [f.layers for f in report.findings] == [("bb_0_1.conv0._conv", "bb_0_1.conv1._conv")]
    assert all("swapped" in f.cause for f in report.findings)


@pytest.mark.parametrize("mode", ["eval", "train"])
def test_a_wrong_batchnorm_eps_is_found(mode):
    paddle_model, torch_model, inputs = registered("resnet18", shape=RESNET)
    torch_model.bb_1_0.conv1._batch_norm.eps = 1e-3
    report = check((paddle_model, torch_model, inputs), mode=mode)
    finding = first(report)
    assert finding.layer == "bb_1_0.conv1._batch_norm" == first_row(report)
    assert "eps: torch has 0.001, Paddle has 1e-05" in finding.cause
    assert "eps=1e-05" in finding.fix
    assert len(report.findings) == 1


def test_a_removed_relu_is_found(tmp_path):
    port = edited(
        tmp_path,
        torch_models.googlenet,
        ("        x = F.relu(self.conv2_1(x))  #", "        x = self.conv2_1(x)  #"),
    )
    report = check(registered("googlenet", shape=RESNET, torch_module=port))
    finding = first(report)
    assert "ReLU" in finding.operator
    assert "only in Paddle" in finding.cause
    assert "conv2_1" in finding.cause
    assert finding.where.endswith(f":{line_of(port, 'x = self.conv2_1(x)')}"), (
        "the line that it is missing from"
    )
    assert len(report.findings) == 1
    differing = [row.torch_layer for row in report.layers if row.float64 and row.float64.max_rel > 1e-9]
    assert differing[0] == "conv2_2", "the first operator after the missing one"


def test_a_dropout_left_active_is_found():
    paddle_model, torch_model, inputs = small()

    class StuckInTraining(torch.nn.Dropout):
        def forward(self, x):
            return torch.nn.functional.dropout(x, self.p, training=True)

    torch_model.dropout = StuckInTraining(0.5)
    report = check((paddle_model, torch_model, inputs), mode="eval")
    finding = first(report)
    assert (finding.layer, finding.operator) == ("dropout", "Dropout")
    assert len(report.findings) == 1


def test_swapped_running_mean_and_variance_are_found():
    paddle_model, torch_model, inputs = registered("resnet18", shape=RESNET)
    norm = torch_model.bb_2_0.short._batch_norm
    mean, variance = norm.running_mean.clone(), norm.running_var.clone()
    norm.running_mean.copy_(variance)
    norm.running_var.copy_(mean.abs())
    report = check((paddle_model, torch_model, inputs))
    assert {f.layer for f in report.findings} == {"bb_2_0.short._batch_norm"}
    assert "mean and variance are swapped" in first(report).cause
    assert first_row(report) == "bb_2_0.short._batch_norm"


def test_ceil_mode_on_one_pool_is_found():
    paddle_model, torch_model, inputs = registered("googlenet", shape=RESNET)
    torch_model.pool3.ceil_mode = True
    report = check((paddle_model, torch_model, inputs))
    finding = first(report)
    assert (finding.layer, finding.operator) == ("pool3", "MaxPool2d")
    assert "ceil_mode: torch has True, Paddle has False" in finding.cause
    assert "ceil_mode=False" in finding.fix
    assert finding.where.startswith(torch_models.googlenet.__file__)
    assert first_row(report) == "pool3"


def test_several_faults_are_all_found_in_one_run_in_the_order_of_the_data():
    paddle_model, torch_model, inputs = registered("resnet18", shape=(2, 3, 64, 64))
    torch_model.bb_3_1.conv1._batch_norm.eps = 1e-3
    torch_model.pool2d_max.ceil_mode = True
    with torch.no_grad():
        torch_model.bb_1_1.conv0._conv.weight.mul_(1.0 + 1e-6)
    report = check((paddle_model, torch_model, inputs))
    assert [f.layer for f in report.findings] == [
        "pool2d_max",
        "bb_1_1.conv0._conv",
        "bb_3_1.conv1._batch_norm",
    ]


def test_a_port_that_raises_where_paddle_does_not_is_different():
    class OnlyEvenSizes(TorchNet):
        def forward(self, x):
            if x.shape[-1] % 2:
                raise RuntimeError("odd sizes were forgotten")
            return super().forward(x)

    paddle_model, torch_model, inputs = small(OnlyEvenSizes)
    report = parity.check(paddle_model, torch_model, inputs)
    assert "odd sizes were forgotten" in first(report).cause
    assert "2x3x9x7" in first(report).cause


def test_a_difference_that_shows_only_on_an_odd_size_is_found():
    class Halves(paddle.nn.Layer):
        def forward(self, x):
            return paddle.nn.functional.max_pool2d(x, 2, 2, ceil_mode=False)

    class HalvesUp(torch.nn.Module):
        def forward(self, x):
            return torch.nn.functional.max_pool2d(x, 2, 2, ceil_mode=x.shape[-1] % 2 == 1)

    report = parity.check(Halves(), HalvesUp(), np.ones((1, 2, 4, 4), np.float32))
    assert "ceil_mode" in first(report).cause
    assert [case.name for case in report.cases][-1] == "odd size"


def test_a_wrong_weight_that_has_no_effect_is_still_found():
    """A convolution whose output a zero scale hides: the numbers agree, the weights do not."""
    paddle_model, torch_model, inputs = small()
    paddle_model.bn.weight.set_value(np.zeros(6, np.float32))
    with torch.no_grad():
        torch_model.bn.weight.zero_()
        torch_model.conv.weight.add_(1.0)
    report = check((paddle_model, torch_model, inputs))
    assert first(report).layer == "conv"


def test_nothing_is_found_where_nothing_is_planted():
    assert check(small(TorchNet, PaddleNet)).findings == []
