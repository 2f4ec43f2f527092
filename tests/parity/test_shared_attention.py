"""An attention that runs several times, with weights packed on one side: each part is the layer that holds the same weight."""

import numpy as np
import paddle
import torch

import paddle2torch
from parity.align.pipeline import prepare
from parity.align.weights import weight_pairs
from parity.sides.live import LiveSide

WORDS = np.random.default_rng(0).standard_normal((2, 5, 8)).astype(np.float32)


class PaddleRounds(paddle.nn.Layer):
    def __init__(self):
        super().__init__()
        self.attention = paddle.nn.MultiHeadAttention(8, 2)

    def forward(self, x):
        memory = x * 2
        for _ in range(3):
            x = x + self.attention(x, memory, memory)
        return x


class TorchRounds(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.attention = torch.nn.MultiheadAttention(8, 2, batch_first=True)

    def forward(self, x):
        memory = x * 2
        for _ in range(3):
            x = x + self.attention(x, memory, memory, need_weights=False)[0]
        return x


def test_key_and_value_are_told_apart_in_every_round(tmp_path):
    paddle.seed(0)
    theirs, ours = PaddleRounds(), TorchRounds()
    ours.load_state_dict(paddle2torch.convert_state_dict(theirs.state_dict(), ours))
    sides = LiveSide("paddle", theirs), LiveSide("torch", ours)
    runs = [
        side.capture({"0": WORDS}, mode="eval", precision="float64", store=tmp_path / side.framework)
        for side in sides
    ]
    for _, store in runs:
        store.close()
    weights = sides[0].parameters(), sides[1].parameters()
    alignment = prepare(runs[0][0], runs[1][0], weights).align()
    rows = {(twin.paddle.name, twin.torch.rows) for twin in weight_pairs(alignment)}
    names = {"q_proj": (0, 8), "k_proj": (8, 16), "v_proj": (16, 24), "out_proj": None}
    assert rows == {
        (f"attention.{name}.{kind}", part) for name, part in names.items() for kind in ("weight", "bias")
    }
