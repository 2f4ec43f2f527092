"""What torch computes otherwise and comes out right is a note, in a port with a fault elsewhere as in one without."""

from pathlib import Path

import numpy as np
import paddle
import paddle.nn.functional as PF
import pytest
import torch
import torch.nn.functional as TF

import parity
from parity import Verdict

IMAGES = np.random.default_rng(0).standard_normal((2, 3, 12, 12), dtype=np.float32)


class PaddleNet(paddle.nn.Layer):
    def __init__(self):
        super().__init__()
        nn = paddle.nn
        self.stem, self.pool = nn.Conv2D(3, 8, 3, padding=1), nn.MaxPool2D(3, 2, padding=1)
        self.mix, self.q, self.v = nn.Conv2D(8, 8, 1), nn.Linear(8, 8), nn.Linear(8, 8)
        self.head = nn.Linear(8, 5)

    def forward(self, x):
        x = PF.hardsigmoid(self.mix(self.pool(self.stem(x))), slope=0.2)
        x = paddle.roll(x, [1, 2], [2, 3]).flatten(2).transpose([0, 2, 1])
        mask = paddle.triu(paddle.full([36, 36], -1e9), 1)
        weights = PF.softmax(paddle.matmul(self.q(x), x, transpose_y=True) + mask, -1)
        return self.head(paddle.matmul(weights, self.v(x)).mean(1))


class TorchNet(torch.nn.Module):
    def __init__(self, slope=0.1):
        super().__init__()
        nn = torch.nn
        self.stem, self.pool = nn.Conv2d(3, 8, 3), nn.MaxPool2d(3, 2)
        self.mix, self.q, self.v = nn.Conv2d(8, 8, 1), nn.Linear(8, 8), nn.Linear(8, 8)
        self.head = nn.Linear(8, 5)

    def pooled(self, x):
        return self.pool(TF.pad(self.stem(TF.pad(x, (1, 1, 1, 1))), (1, 1, 1, 1), value=-torch.inf))

    def gate(self, x):
        return TF.relu6(1.2 * x + 3) / 6

    def roll(self, x):
        x = torch.cat([x[:, :, -1:], x[:, :, :-1]], 2)
        return torch.cat([x[..., -2:], x[..., :-2]], 3)

    def attend(self, q, x):
        scores = torch.einsum("bnc,bmc->bnm", q, x)
        keep = torch.ones(scores.shape[-2:], dtype=torch.bool).tril()
        return scores.masked_fill(~keep, -torch.inf).softmax(-1)

    def forward(self, x):
        x = self.roll(self.gate(self.mix(self.pooled(x)))).flatten(2).mT
        return self.head((self.attend(self.q(x), x) @ self.v(x)).mean(1))


class Stem(TorchNet):
    def pooled(self, x):
        return super().pooled(TF.relu(x))


class Head(TorchNet):
    def forward(self, x):
        return TF.relu(super().forward(x))


class Roll(TorchNet):
    def roll(self, x):
        x = torch.cat([x[:, :, -2:], x[:, :, :-2]], 2)
        return torch.cat([x[..., -2:], x[..., :-2]], 3)


class Mask(TorchNet):
    def attend(self, q, x):
        scores = torch.einsum("bnc,bmc->bnm", q, x)
        keep = torch.ones(scores.shape[-2:], dtype=torch.bool).tril(-1)
        return scores.masked_fill(~keep, -1e9).softmax(-1)


class Gate(TorchNet):
    def gate(self, x):
        return TF.relu6(x + 3) / 6


class Pool(TorchNet):
    def pooled(self, x):
        return self.pool(TF.pad(self.stem(TF.pad(x, (1, 1, 1, 1))), (0, 2, 1, 1), value=-torch.inf))


def check(port, **options):
    from paddle2torch import convert_state_dict

    paddle.seed(0)
    twin, torch_model = PaddleNet(), port()
    torch_model.load_state_dict(convert_state_dict(twin.state_dict(), torch_model))
    return parity.check(twin, torch_model, IMAGES, **options)


@pytest.mark.parametrize("gradients", [False, True])
def test_a_right_port_in_other_spellings_is_equivalent_although_a_constant_makes_every_number_differ(
    gradients,
):
    report = check(TorchNet, gradients=gradients, further=False)
    assert report.verdict is Verdict.EQUIVALENT, str(report)


@pytest.mark.parametrize(
    "port",
    [
        Stem,
        Head,
        Gate,
        Pool,
        Mask,
        Roll,
    ],
)
def test_one_fault_among_them_is_told_alone_and_at_its_own_part(port):
    report = check(port, further=False)
    assert report.verdict is Verdict.DIFFERENT
    (finding,) = report.findings
    lines = Path(__file__).read_text().splitlines()
    number = int(finding.where.rpartition(":")[2])
    method = next(
        line.split("def ")[1].split("(")[0] for line in lines[number - 1 :: -1] if "    def " in line
    )
    assert method in {*vars(port), "forward"}


@pytest.mark.parametrize("port", [Stem, Head, Gate, Roll, Mask, Pool])
def test_every_fault_among_them_is_found(port):
    assert check(port, further=False).verdict is Verdict.DIFFERENT
