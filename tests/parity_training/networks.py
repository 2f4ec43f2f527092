"""One small network in both frameworks, with the things that matter going backward, and faults to plant in it."""

from __future__ import annotations

import numpy as np
import paddle
import torch
import torch.nn.functional as F
from torch import nn

X = np.random.default_rng(0).standard_normal((6, 3, 9, 9)).astype(np.float32)
LABELS = np.array([0, 2, 1, 2, 0, 1])


class PaddleNet(paddle.nn.Layer):
    def __init__(self):
        super().__init__()
        self.conv = paddle.nn.Conv2D(3, 6, 3, padding=1)
        self.bn = paddle.nn.BatchNorm2D(6)
        self.pool = paddle.nn.AvgPool2D(3, stride=2, padding=1)
        self.side = paddle.nn.Linear(6, 6)
        self.fc = paddle.nn.Linear(6, 3)

    def forward(self, x):
        x = paddle.nn.functional.relu(self.bn(self.conv(x)))
        x = self.pool(x).mean(axis=[2, 3])
        x = x + paddle.tanh(self.side(x))
        return self.fc(x)


class TorchNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 3, padding=1)
        self.bn = nn.BatchNorm2d(6)
        self.pool = nn.AvgPool2d(3, stride=2, padding=1, count_include_pad=False)
        self.side = nn.Linear(6, 6)
        self.fc = nn.Linear(6, 3)

    def forward(self, x):
        x = F.relu(self.bn(self.conv(x)))
        x = self.pool(x).mean(dim=(2, 3))
        x = x + torch.tanh(self.before_side(x))
        return self.fc(x)

    def before_side(self, x):
        return self.side(x)


def pair(torch_class=TorchNet, paddle_class=PaddleNet):
    """Both networks with the same weights; the square Linear is transposed as it must be."""
    paddle.seed(0)
    paddle_net, torch_net = paddle_class(), torch_class()
    rng = np.random.default_rng(1)
    state = {}
    for name, tensor in paddle_net.state_dict().items():
        values = rng.normal(0, 0.5, tensor.shape)
        if name.endswith("_variance") or name == "bn.weight":
            values = rng.uniform(0.5, 1.5, tensor.shape)
        tensor.set_value(values.astype(np.float32))
        array = values.astype(np.float32)
        key = name.replace("_mean", "running_mean").replace("_variance", "running_var")
        state[key] = torch.from_numpy(array.T.copy() if array.ndim == 2 else array)
    torch_net.load_state_dict(state, strict=False)
    return paddle_net, torch_net


def paddle_entropy(output):
    return paddle.nn.functional.cross_entropy(output, paddle.to_tensor(LABELS))


def torch_entropy(output):
    return F.cross_entropy(output, torch.from_numpy(LABELS))


ENTROPY = (paddle_entropy, torch_entropy)


def state_of(paddle_net, torch_net):
    """All numbers of both models, their gradients and flags: what no check may change."""
    found = {name: tensor.numpy().tobytes() for name, tensor in paddle_net.state_dict().items()}
    found |= {f"torch {n}": t.detach().numpy().tobytes() for n, t in torch_net.state_dict().items()}
    found |= {f"grad {n}": p.grad is None for n, p in torch_net.named_parameters()}
    found |= {f"paddle grad {n}": p.grad is None for n, p in paddle_net.named_parameters()}
    found |= {f"dtype {n}": str(p.dtype) for n, p in paddle_net.named_parameters()}
    return found
