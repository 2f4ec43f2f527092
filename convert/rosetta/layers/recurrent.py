"""Recurrent layers and their cells."""

from __future__ import annotations

from convert.rosetta.layers.common import NAME
from convert.rosetta.rows import TRANSPOSE, Argument, Exactness, Parameter, Row, Trap
from convert.rosetta.writing import case, layer, trap

_ROLES = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
_GATES = {"SimpleRNN": 1, "LSTM": 4, "GRU": 3}
_SIZES = (
    Argument("input_size", "input_size"),
    Argument("hidden_size", "hidden_size"),
)
_ATTRS = (
    Argument("weight_ih_attr", None),
    Argument("weight_hh_attr", None),
    Argument("bias_ih_attr", "bias", convert="is not False", torch_default=True),
    Argument("bias_hh_attr", "bias", convert="is not False", torch_default=True),
)
_ACTIVATION = Argument("activation", "nonlinearity", paddle_default="tanh", torch_default="tanh")
_ORDER = {"SimpleRNN": "one gate", "LSTM": "gates i, f, g, o", "GRU": "gates r, z, n"}


_CELLS = (("cell_fw", "", "_reverse"), ("cell_bw", "_reverse", "_reverse"), ("cell", "", ""))
"""Paddle's cell, torch's suffix, and the suffix that the layer's names have where it is this cell."""


def _parameters(name: str) -> tuple[Parameter, ...]:
    """Every weight belongs to a cell, and is listed once more under a name like torch's.

    The cell's name is the one to go by: the other is set by counting (rnn.py: RNNBase), and counts wrong where a layer has
    no bias or a projection.
    """
    found = []
    for cell, suffix, beside in _CELLS:
        for role in _ROLES:
            torch = f"{role}_l{{n}}{suffix}"
            other = f"weight_ih_l{{n}}{beside}" if beside else ""
            why = "same layout; Paddle lists it under both names"
            found.append(Parameter(f"{{n}}.{cell}.{role}", torch, why=why, also=torch, beside=other))
        if name == "LSTM":
            why = "Paddle's projection is [hidden, projection]"
            torch, other = f"weight_hr_l{{n}}{suffix}", f"weight_ih_l{{n}}{beside}" if beside else ""
            found.append(Parameter(f"{{n}}.{cell}.weight_ho", torch, TRANSPOSE, why, beside=other))
    return tuple(found)


def _weights(name: str) -> dict[str, str]:
    rows = 3 * _GATES[name]
    return {
        "wi": f"float {rows},4 constant",
        "wh": f"float {rows},3 constant",
        "bi": f"float {rows} constant",
        "bh": f"float {rows} constant",
    }


def _loaded(made: str, suffix: str = "") -> str:
    names = ", ".join(
        f"'{role}{suffix}': {value}" for role, value in zip(_ROLES, ("wi", "wh", "bi", "bh"), strict=True)
    )
    return f"layer = {made}\nlayer.load_state_dict({{{names}}})\n"


def _set(made: str, suffix: str = "") -> str:
    lines = "".join(
        f"layer.{role}{suffix}.set_value({value})\n"
        for role, value in zip(_ROLES, ("wi", "wh", "bi", "bh"), strict=True)
    )
    return f"layer = {made}\n{lines}"


def _recurrent(name: str) -> Row:
    torch = name.removeprefix("Simple")
    weights = {"x": "float 2,5,4", **_weights(name)}
    call = "layer(x)"
    traps: tuple[Trap, ...] = (
        Trap(
            "Paddle takes [batch, time, features], torch without batch_first=True [time, batch, features]",
            _loaded(f"nn.{torch}(4, 3)", "_l0") + call,
        ),
        trap(
            "Paddle's state dict lists every weight twice (weight_ih_l0 and 0.cell.weight_ih): drop the second",
            f"sorted(nn.{torch}(4, 3).state_dict())",
            {},
            (
                f"sorted(nn.{name}(4, 3).state_dict())",
                f"names = sorted(nn.{torch}(4, 3).state_dict())\n"
                "['0.cell.' + name.removesuffix('_l0') for name in names] + names",
            ),
        ),
        trap(
            "direction='bidirect' is bidirectional=True; one layer has not the final states of two directions",
            f"[s.shape for s in nn.{torch}(4, 3, batch_first=True)(x)[:1]]",
            "float 2,5,4 constant",
            (
                f"nn.{name}(4, 3, direction='bidirect')(x)[0]",
                f"nn.{torch}(4, 3, batch_first=True, bidirectional=True)(x)[0]",
            ),
            compare="shape",
        ),
    )
    return layer(
        (name, torch),
        Exactness.ALGEBRA,
        f"{_ORDER[name]} in the same order in both; Paddle has no gradient in eval (its kernel refuses)",
        (
            case(
                weights,
                (
                    _set(f"nn.{name}(4, 3)", "_l0") + call,
                    _loaded(f"nn.{torch}(4, 3, batch_first=True)", "_l0") + call,
                ),
            ),
            case(
                {**weights, "x": "float 5,2,4"},
                (
                    _set(f"nn.{name}(4, 3, time_major=True)", "_l0") + call,
                    _loaded(f"nn.{torch}(4, 3)", "_l0") + call,
                ),
            ),
        ),
        files=("rnn", "rnn"),
        parameters=_parameters(name),
        arguments=(
            *_SIZES,
            Argument("num_layers", "num_layers", paddle_default=1, torch_default=1),
            Argument(
                "direction",
                "bidirectional",
                values={"forward": False, "bidirect": True, "bidirectional": True},
                paddle_default="forward",
                torch_default=False,
            ),
            Argument("time_major", "batch_first", convert="not", paddle_default=False, torch_default=False),
            Argument("dropout", "dropout", paddle_default=0.0, torch_default=0.0),
            *((_ACTIVATION,) if name == "SimpleRNN" else ()),
            *_ATTRS,
            NAME,
        ),
        traps=traps,
    )


def _cell(name: str) -> Row:
    torch = name.removeprefix("Simple")
    return layer(
        (f"{name}Cell", f"{torch}Cell"),
        Exactness.ALGEBRA,
        f"{_ORDER[name]} in the same order in both",
        (
            case(
                {"x": "float 2,4", **_weights(name)},
                (_set(f"nn.{name}Cell(4, 3)") + "layer(x)[1]", _loaded(f"nn.{torch}Cell(4, 3)") + "layer(x)"),
            ),
        ),
        files=("rnn", "rnn"),
        parameters=tuple(Parameter(role, role) for role in _ROLES),
        arguments=(*_SIZES, *((_ACTIVATION,) if name == "SimpleRNN" else ()), *_ATTRS, NAME),
        traps=(
            trap(
                "Paddle returns (output, states), torch the states alone",
                _loaded(f"nn.{torch}Cell(4, 3)") + "layer(x)",
                {"x": "float 2,4", **_weights(name)},
                (
                    _set(f"nn.{name}Cell(4, 3)") + "layer(x)",
                    _loaded(f"nn.{torch}Cell(4, 3)")
                    + ("h, c = layer(x)\nh, (h, c)" if name == "LSTM" else "h = layer(x)\nh, h"),
                ),
            ),
        ),
    )


ROWS = (*(_recurrent(name) for name in _GATES), *(_cell(name) for name in _GATES))
