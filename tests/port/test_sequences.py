"""Recurrent layers and cells, attention and transformers: the port is built, called and converted as Paddle's network."""

from __future__ import annotations

import numpy as np
import paddle
import pytest
import torch

import paddle2torch
from paddle2torch.port.source import port_source

NET = """import paddle
from paddle import nn


class Net(nn.Layer):
    def __init__(self, direction="bidirect"):
        super().__init__()
        self.part = {made}

    def forward(self, x):
        return {called}
"""
CASES = {
    "lstm": ("nn.LSTM(4, 6, num_layers=2)", "self.part(x)[0]"),
    "direction": ("nn.LSTM(4, 6, direction=direction)", "self.part(x)[1][0]"),
    "both": ("nn.GRU(4, 6, direction='bidirectional', time_major=True)", "self.part(x)[0]"),
    "state": ("nn.GRU(4, 6)", "self.part(x, paddle.ones([1, x.shape[0], 6], dtype=x.dtype))[0]"),
    "plain": ("nn.SimpleRNN(4, 6, activation='relu')", "self.part(x)[0]"),
    "started": (
        "nn.LSTM(4, 6, weight_ih_attr=nn.initializer.Constant(0.1), bias_ih_attr=paddle.ParamAttr(trainable=False))",
        "self.part(x)[0]",
    ),
    "cell": ("nn.LSTMCell(4, 6)", "self.part(x[:, 0])[1][1]"),
    "gru cell": (
        "nn.GRUCell(input_size=4, hidden_size=6)",
        "self.part(x[:, 0], self.part(x[:, 1])[1])[0]",
    ),
    "rnn": ("nn.RNN(nn.SimpleRNNCell(4, 6), is_reverse=True)", "self.part(x)[0]"),
    "birnn": ("nn.BiRNN(nn.LSTMCell(4, 6), nn.LSTMCell(4, 6))", "self.part(x)[0]"),
    "attention": (
        "nn.MultiHeadAttention(4, 2)",
        "self.part(x, x + 1, x * 2, paddle.ones([5, 5]).tril() > 0)",
    ),
    "weights": ("nn.MultiHeadAttention(4, 2, kdim=4, need_weights=True)", "self.part(x)[1]"),
    "encoder layer": ("nn.TransformerEncoderLayer(4, 2, 8, activation='gelu')", "self.part(x)"),
    "encoder": (
        "nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 8, normalize_before=True), 2, nn.LayerNorm(4))",
        "self.part(x)",
    ),
    "decoder": ("nn.TransformerDecoder(nn.TransformerDecoderLayer(4, 2, 8), 2)", "self.part(x, x * 2)"),
    "transformer": ("nn.Transformer(4, 2, 1, 1, 8)", "self.part(x, x + 1)"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_layer_of_sequences_computes_the_same(case):
    made, called = CASES[case]
    text = NET.format(made=made, called=called)
    done = port_source(text)
    assert not done.left
    networks = []
    for source in (text, done.text):
        space = {}
        exec(source, space)
        networks.append(space["Net"]())
    expected, actual = networks
    state = paddle2torch.convert_state_dict(expected.state_dict(), actual)
    actual.load_state_dict(state)
    expected.eval()
    actual.eval()
    x = np.random.default_rng(0).standard_normal((3, 5, 4)).astype("float32")
    wanted = expected(paddle.to_tensor(x)).numpy()
    found = actual(torch.from_numpy(x)).detach().numpy()
    assert wanted.shape == found.shape
    assert np.abs(wanted - found).max() < 1e-5 * np.abs(wanted).max()
