"""What one operator does step by step comes to what it makes, whatever its options."""

from contextlib import closing

import numpy as np
import paddle
import pytest

from parity.explain.prints import Side
from parity.explain.steps.inside import Step
from parity.runs.run import Run
from parity.sides.live import LiveSide

X = np.random.default_rng(0).standard_normal((3, 4, 5))


class Recurrent(paddle.nn.Layer):
    def __init__(self, kind, lengths=None, starts=False, **options):
        super().__init__()
        self.rnn = getattr(paddle.nn, kind)(5, 2, **options)
        self.lengths, self.starts = lengths, starts

    def forward(self, x):
        lengths = None if self.lengths is None else paddle.to_tensor(self.lengths)
        states = None
        if self.starts:
            first = paddle.ones([1, x.shape[0], 2], dtype=x.dtype)
            states = (first, 2 * first) if isinstance(self.rnn, paddle.nn.LSTM) else first
        return self.rnn(x, states, sequence_length=lengths)[0]


def taken_apart(model, inputs, folder, mode="eval"):
    """The operators of a recorded run, and their steps."""
    side = LiveSide("paddle", model)
    trace, store = side.capture(inputs, mode=mode, precision="float64", store=folder / "values")
    with closing(store):
        return Side(Run(trace, store), side.parameters(), inside=True).ops


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("LSTM", {}),
        ("LSTM", {"num_layers": 2, "direction": "bidirect", "lengths": [4, 1, 3]}),
        ("GRU", {"direction": "bidirect", "time_major": True}),
        ("GRU", {"num_layers": 2, "starts": False, "lengths": [2, 4, 4]}),
        ("LSTM", {"starts": True}),
        ("SimpleRNN", {"activation": "relu", "starts": True}),
    ],
)
def test_the_steps_of_a_recurrent_layer_come_to_its_result(tmp_path, kind, options):
    paddle.seed(0)
    ops = taken_apart(Recurrent(kind, **options), {"x": X}, tmp_path)
    steps = [op for op in ops if isinstance(op, Step)]
    assert sum(op.kind in ("tanh", "relu") for op in steps) >= 4


class Norms(paddle.nn.Layer):
    def __init__(self):
        super().__init__()
        self.rows, self.maps = paddle.nn.LayerNorm(5), paddle.nn.LayerNorm([4, 5], weight_attr=False)
        self.groups, self.batch = paddle.nn.GroupNorm(2, 4), paddle.nn.BatchNorm1D(4)
        self.image = paddle.nn.InstanceNorm1D(4)

    def forward(self, x):
        y = self.rows(x) + self.maps(x) + self.batch(x) + self.image(x)
        y = y + self.groups(x.unsqueeze(-1)).squeeze(-1)
        logarithms = paddle.nn.functional.log_softmax(y, axis=1)
        scores = paddle.nn.functional.softmax(y, axis=-1).reshape([-1, 5])
        return logarithms, paddle.nn.functional.cross_entropy(scores, paddle.to_tensor([1, 0, 4] * 4))


@pytest.mark.parametrize("mode", ["train", "eval"])
def test_the_steps_of_norms_and_softmaxes_come_to_their_results(tmp_path, mode):
    paddle.seed(0)
    ops = taken_apart(Norms(), {"x": X}, tmp_path, mode)
    apart = [op.kind for op in ops if op.index in {one.index for one in ops if isinstance(one, Step)}]
    kinds = {"layer_norm", "batch_norm", "group_norm", "instance_norm", "softmax", "log_softmax"}
    assert kinds | {"cross_entropy"} <= set(apart)
