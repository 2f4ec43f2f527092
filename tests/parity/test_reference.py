"""Findings take what they say of an operator from the Rosetta table, so from a row that is proven."""

from __future__ import annotations

import numpy as np
import paddle
import pytest
import torch

import parity
from convert.rosetta.table import TABLE
from parity.ops import table as reference
from parity.ops.kinds import kind_of

NAMES = {row.paddle: row for row in TABLE}
NOT_ARGUMENTS = {"training", "shift", "output_size", "dilation", "value", "keepdim", "shape", "arguments"}
"""Attributes that no argument of one call decides: the model's mode, sizes of the result."""


def test_every_operator_of_the_reference_has_a_row():
    assert {name for name in reference.ROWS.values() if name not in NAMES} == set()


def test_every_trap_about_an_argument_names_one_of_its_row():
    for row in (NAMES[name] for name in reference.ROWS.values() if name in NAMES):
        known = {argument.paddle for argument in row.arguments}
        assert {trap.argument for trap in row.traps if trap.argument} <= known, row.paddle


LAYERS = {
    "conv": lambda nn: nn.Conv2D(3, 4, 3, stride=2, padding=1),
    "conv_transpose": lambda nn: nn.Conv2DTranspose(3, 4, 3),
    "batch_norm": lambda nn: nn.BatchNorm2D(3),
    "group_norm": lambda nn: nn.GroupNorm(3, 3),
    "instance_norm": lambda nn: nn.InstanceNorm2D(3),
    "max_pool": lambda nn: nn.MaxPool2D(2),
    "avg_pool": lambda nn: nn.AvgPool2D(3, 2, padding=1),
    "leaky_relu": lambda nn: nn.LeakyReLU(0.2),
    "elu": lambda nn: nn.ELU(0.3),
    "celu": lambda nn: nn.CELU(0.3),
    "gelu": lambda nn: nn.GELU(True),
    "hardsigmoid": lambda nn: nn.Hardsigmoid(),
    "softplus": lambda nn: nn.Softplus(2.0),
    "softmax": lambda nn: nn.Softmax(1),
    "interpolate": lambda nn: nn.Upsample(scale_factor=2, mode="bilinear"),
}


@pytest.mark.parametrize("kind", LAYERS)
def test_every_attribute_that_the_audit_compares_is_an_argument_of_the_row(kind):
    """On a real recording: what differs can be told in the words of the table."""
    model = paddle.nn.Sequential(LAYERS[kind](paddle.nn))
    images = np.random.default_rng(0).random((2, 3, 6, 6), dtype=np.float32)
    report = parity.check(model, torch.nn.Sequential(torch.nn.Identity()), images, further=False)
    attributes = _recorded(model, images, kind)
    assert report.verdict.name == "DIFFERENT"
    for name in attributes.keys() - NOT_ARGUMENTS - kind_of(kind).ignored:
        assert reference.argument_of(kind, name) is not None, name


def _recorded(model, images, kind) -> dict:
    from parity.graph.build import build
    from parity.setup.inputs import as_arrays
    from parity.sides.live import LiveSide
    from parity.trace.values import scratch_directory

    with scratch_directory() as scratch:
        side = LiveSide("paddle", model, "cpu", None, None, None)
        trace, store = side.capture(as_arrays(images), mode="eval", precision="float64", store=scratch / "s")
        store.close()
    (node,) = [node for node in build(trace).nodes if node.kind == kind]
    return dict(node.attributes)


def test_a_fix_is_written_with_torchs_argument_and_value():
    written = reference.as_torch_argument
    assert written("batch_norm", "momentum", 0.9) == "momentum=0.1"
    assert written("batch_norm", "eps", 1e-3) == "eps=0.001"
    assert written("avg_pool", "exclusive", True) == "count_include_pad=False"
    assert written("gelu", "approximate", True) == "approximate='tanh'"
    assert written("softmax", "axis", -1) == "dim=-1"
    assert written("conv", "padding", ((1, 1), (1, 1))) == "padding=1"
    assert written("conv", "padding", ((0, 1), (0, 1))) == "padding=0 after F.pad(x, (0, 1, 0, 1))"
    assert written("max_pool", "padding", ((0, 1), (0, 1))) == (
        'padding=0 after F.pad(x, (0, 1, 0, 1), value=float("-inf"))'
    )
    assert written("conv", "stride", (2, 1)) == "stride=(2, 1)"


def test_the_float32_constants_of_the_proof_are_those_of_the_table():
    assert set(reference.float32_arguments("batch_norm")) == {"eps", "momentum"}
    assert reference.float32_arguments("batch_norm")["momentum"](0.1) == 1.0 - float(np.float32(0.9))
    assert set(reference.float32_arguments("elu")) == {"alpha"}
    assert reference.float32_arguments("group_norm") == {}
    assert reference.float32_arguments("leaky_relu") == {}
    assert set(reference.float32_settings("Momentum")) == {"momentum", "weight_decay"}
    assert reference.float32_settings("SGD") == ()
    assert reference.float32_settings("AdamW") == ("weight_decay",)
    assert reference.float32_settings("NoSuchOptimizer") == ()


class _PaddleNet(paddle.nn.Layer):
    def __init__(self):
        super().__init__()
        self.pool = paddle.nn.AvgPool2D(3, 2, padding=1)

    def forward(self, x):
        return self.pool(x)


class _TorchNet(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.pool = torch.nn.AvgPool2d(3, 2, padding=1)

    def forward(self, x):
        return self.pool(x)


def test_a_finding_tells_the_trap_and_where_to_read_on():
    images = np.random.default_rng(0).random((2, 3, 8, 8), dtype=np.float32)
    (finding,) = parity.check(_PaddleNet(), _TorchNet(), images, further=False).findings
    assert "Paddle's default" in finding.cause
    assert finding.fix == "AvgPool2d(..., count_include_pad=False)"
    assert finding.guide == "nn.AvgPool2D"


class _PaddleEmbedding(paddle.nn.Layer):
    def __init__(self):
        super().__init__()
        self.table = paddle.nn.Embedding(6, 4, padding_idx=2)

    def forward(self, x):
        return self.table(x)


class _TorchEmbedding(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.table = torch.nn.Embedding(6, 4, padding_idx=2)

    def forward(self, x):
        return self.table(x)


def test_an_argument_that_torch_ignores_is_told_as_the_trap_that_it_is():
    paddle_net, torch_net = _PaddleEmbedding(), _TorchEmbedding()
    weight = np.random.default_rng(0).random((6, 4), dtype=np.float32)
    paddle_net.table.weight.set_value(weight)
    with torch.no_grad():
        torch_net.table.weight.copy_(torch.from_numpy(weight))
    findings = parity.check(paddle_net, torch_net, np.array([[0, 2, 3]]), further=False).findings
    assert [finding.guide for finding in findings] == ["nn.Embedding"]
    assert "Paddle gives zeros for padding_idx 2" in findings[0].cause
    assert findings[0].fix == "torch_state['table.weight'][2] = 0"
