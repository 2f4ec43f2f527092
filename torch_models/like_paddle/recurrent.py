"""Recurrent layers and cells that are built and called as Paddle's: a cell gives its output and its state."""

import torch
from torch import nn

from torch_models.like_paddle.initial import ParamAttr


def _begin(layer, **attrs):
    """The initial weights that are asked for; the others are the same in both frameworks."""
    for role, attr in attrs.items():
        for name, parameter in layer.named_parameters():
            if name.startswith(role):
                if isinstance(attr, ParamAttr):
                    attr.apply(parameter)
                elif callable(attr):
                    attr(parameter)
    return layer


def _recurrent(
    make,
    input_size,
    hidden_size,
    num_layers,
    direction,
    time_major,
    dropout,
    attrs,
    **options,
):
    """torch's layer for the arguments of Paddle's; both biases or none are switched off."""
    layer = make(
        input_size,
        hidden_size,
        num_layers,
        bias=attrs["bias_ih"] is not False,
        batch_first=not time_major,
        dropout=dropout,
        bidirectional=direction in ("bidirect", "bidirectional"),
        **options,
    )
    return _begin(layer, **attrs)


def SimpleRNN(
    input_size,
    hidden_size,
    num_layers=1,
    direction="forward",
    time_major=False,
    dropout=0.0,
    activation="tanh",
    weight_ih_attr=None,
    weight_hh_attr=None,
    bias_ih_attr=None,
    bias_hh_attr=None,
    name=None,
):
    """`paddle.nn.SimpleRNN` as a torch layer."""
    attrs = _attrs(weight_ih_attr, weight_hh_attr, bias_ih_attr, bias_hh_attr)
    shared = (input_size, hidden_size, num_layers, direction, time_major, dropout, attrs)
    return _recurrent(nn.RNN, *shared, nonlinearity=activation)


def LSTM(
    input_size,
    hidden_size,
    num_layers=1,
    direction="forward",
    time_major=False,
    dropout=0.0,
    weight_ih_attr=None,
    weight_hh_attr=None,
    bias_ih_attr=None,
    bias_hh_attr=None,
    proj_size=0,
    name=None,
):
    """`paddle.nn.LSTM` as a torch layer."""
    attrs = _attrs(weight_ih_attr, weight_hh_attr, bias_ih_attr, bias_hh_attr)
    shared = (input_size, hidden_size, num_layers, direction, time_major, dropout, attrs)
    return _recurrent(nn.LSTM, *shared, proj_size=proj_size)


def GRU(
    input_size,
    hidden_size,
    num_layers=1,
    direction="forward",
    time_major=False,
    dropout=0.0,
    weight_ih_attr=None,
    weight_hh_attr=None,
    bias_ih_attr=None,
    bias_hh_attr=None,
    name=None,
):
    """`paddle.nn.GRU` as a torch layer."""
    attrs = _attrs(weight_ih_attr, weight_hh_attr, bias_ih_attr, bias_hh_attr)
    return _recurrent(nn.GRU, input_size, hidden_size, num_layers, direction, time_major, dropout, attrs)


def _attrs(*attrs):
    return dict(zip(("weight_ih", "weight_hh", "bias_ih", "bias_hh"), attrs, strict=True))


class _Cell:
    """A cell of torch's that gives (output, state)."""

    def __init__(
        self,
        input_size,
        hidden_size,
        weight_ih_attr=None,
        weight_hh_attr=None,
        bias_ih_attr=None,
        bias_hh_attr=None,
        name=None,
        **options,
    ):
        super().__init__(input_size, hidden_size, bias=bias_ih_attr is not False, **options)
        _begin(self, **_attrs(weight_ih_attr, weight_hh_attr, bias_ih_attr, bias_hh_attr))

    def forward(self, inputs, states=None):
        state = super().forward(inputs, states)
        return state, state

    @property
    def state_shape(self):
        return (self.hidden_size,)

    def get_initial_states(self, batch_ref, shape=None, dtype=None, init_value=0.0, batch_dim_idx=0):
        """A state of this value for each sample of `batch_ref`."""
        size = (batch_ref.shape[batch_dim_idx], self.hidden_size)
        return torch.full(size, init_value, dtype=self.weight_ih.dtype, device=batch_ref.device)


class SimpleRNNCell(_Cell, nn.RNNCell):
    """`paddle.nn.SimpleRNNCell`."""

    def __init__(self, input_size, hidden_size, activation="tanh", *attrs, **named):
        super().__init__(input_size, hidden_size, *attrs, nonlinearity=activation, **named)


class GRUCell(_Cell, nn.GRUCell):
    """`paddle.nn.GRUCell`."""


class LSTMCell(_Cell, nn.LSTMCell):
    """`paddle.nn.LSTMCell`: the state is a pair, of which the first is the output."""

    def forward(self, inputs, states=None):
        state = nn.LSTMCell.forward(self, inputs, None if states is None else tuple(states))
        return state[0], state

    @property
    def state_shape(self):
        return ((self.hidden_size,), (self.hidden_size,))

    def get_initial_states(self, batch_ref, shape=None, dtype=None, init_value=0.0, batch_dim_idx=0):
        one = super().get_initial_states(batch_ref, shape, dtype, init_value, batch_dim_idx)
        return one, one.clone()


class RNN(nn.Module):
    """`paddle.nn.RNN`: a cell, step by step, without lengths of sequences. [N, time, ...] unless `time_major`."""

    def __init__(self, cell, is_reverse=False, time_major=False):
        super().__init__()
        self.cell, self.is_reverse, self.time_major = cell, is_reverse, time_major

    def forward(self, inputs, initial_states=None, **more):
        axis = 0 if self.time_major else 1
        steps = list(inputs.unbind(axis))
        outputs, states = [], initial_states
        for step in reversed(steps) if self.is_reverse else steps:
            output, states = self.cell(step, states, **more)
            outputs.append(output)
        return torch.stack(outputs[::-1] if self.is_reverse else outputs, axis), states


class BiRNN(nn.Module):
    """`paddle.nn.BiRNN`: two cells, one from each end; their outputs stand side by side."""

    def __init__(self, cell_fw, cell_bw, time_major=False):
        super().__init__()
        self.cell_fw, self.cell_bw, self.time_major = cell_fw, cell_bw, time_major

    def forward(self, inputs, initial_states=None, **more):
        first, second = (None, None) if initial_states is None else initial_states
        ways = ((self.cell_fw, False, first), (self.cell_bw, True, second))
        found = [RNN(cell, back, self.time_major)(inputs, state, **more) for cell, back, state in ways]
        return torch.cat([output for output, _ in found], -1), tuple(state for _, state in found)
