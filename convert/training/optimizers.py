"""Torch's optimizers as a saved state spells them, and Paddle's in their terms; data, held to torch by a test.

Source: torch/optim/*.py (`defaults`), `parity/remedies/` for those that torch computes otherwise or not at all, and
python/paddle/optimizer/*.py (the accumulators' names).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from convert.errors import ConvertError
from convert.names import did_you_mean

HISTORY = "gradients"
"""State that has a row for every gradient that is kept, each laid out as the parameter is."""
_MOMENTS = {"moment1": "exp_avg", "moment2": "exp_avg_sq", "moment2_max": "max_exp_avg_sq"}

STATE: Mapping[str, Mapping[str, str]] = {
    "SGD": {"velocity": "momentum_buffer"},
    "Adam": _MOMENTS,
    "AdamW": _MOMENTS,
    "Lamb": {kind: called for kind, called in _MOMENTS.items() if kind != "moment2_max"},
    "Adamax": {"moment": "exp_avg", "inf_norm": "exp_inf"},
    "Adagrad": {"moment": "sum"},
    "Adadelta": {"_avg_squared_grad": "square_avg", "_avg_squared_update": "acc_delta"},
    "RMSProp": {"mean_square": "square_avg", "mean_grad": "grad_avg", "momentum": "steps"},
    "NAdam": {"moment1": "exp_avg", "moment2": "exp_avg_sq", "mu_product": "mu_product"},
    "RAdam": {"moment1": "exp_avg", "moment2": "exp_avg_sq"},
    "Rprop": {"prevs": "prev", "learning_rates": "step_size"},
    "ASGD": {"d": "total", "y": HISTORY, "m": "step"},
}
"""Torch class -> Paddle's accumulator -> the name of the state in torch."""

NOT_ALWAYS = frozenset({"moment2_max"})
"""Accumulators that only some runs of an optimizer have."""

UNCOUNTED = frozenset({"Adagrad", "Adadelta", "Rprop"})
"""Classes whose state counts the steps in torch and not in Paddle; no formula that Paddle has reads the count."""

POWERS = {"beta1_pow_acc": (0, 1), "beta2_pow_acc": (1, 1), "beta1_pow": (0, 0), "beta2_pow": (1, 0)}
"""Accumulators that only count the steps: the index of their beta, and how far its exponent is ahead of the count."""

NUMBERS = frozenset({*POWERS, "momentum_decay_pow", "mu_product", "rho", "m"})
"""Accumulators that are one number, even where Paddle writes it once for every element; the steps tell some of them."""

TELLING = {
    "velocity": "momentum",
    "mean_square": "rmsprop",
    "inf_norm": "adamax",
    "mu_product": "nadam",
    "rho": "radam",
    "prevs": "rprop",
    "y": "asgd",
    "moment": "adagrad",
    "_avg_squared_grad": "adadelta",
}
"""The accumulator that tells which optimizer kept it; the first that occurs counts, as Adamax has a moment too."""

_SGD = {
    "lr": 0.001,
    "momentum": 0,
    "dampening": 0,
    "weight_decay": 0,
    "nesterov": False,
    "maximize": False,
    "foreach": None,
    "differentiable": False,
    "fused": None,
}
_ADAM = {
    "lr": 0.001,
    "betas": (0.9, 0.999),
    "eps": 1e-8,
    "weight_decay": 0,
    "amsgrad": False,
    "maximize": False,
    "foreach": None,
    "capturable": False,
    "differentiable": False,
    "fused": None,
    "decoupled_weight_decay": False,
}
_ADAMAX = {
    **{name: _ADAM[name] for name in ("lr", "betas", "eps", "weight_decay", "foreach", "maximize")},
    **{"differentiable": False, "capturable": False},
}
_ADAGRAD = {
    **{"lr": 0.001, "lr_decay": 0, "eps": 1e-6, "weight_decay": 0, "initial_accumulator_value": 0},
    **{"foreach": None, "maximize": False, "differentiable": False, "fused": None},
}
_ADADELTA = {
    **{"lr": 0.001, "rho": 0.95, "eps": 1e-6, "weight_decay": 0, "maximize": False, "capturable": False},
    **{"foreach": None, "differentiable": False},
}
_RMSPROP = {"lr": 0.001, "alpha": 0.95, "eps": 1e-6, "momentum": 0.0, "centered": False, "weight_decay": 0.0}
_NADAM = {
    **{"lr": 0.002, **{name: _ADAM[name] for name in ("betas", "eps", "weight_decay")}},
    **{"momentum_decay": 0.004, "decoupled_weight_decay": False},
    **{name: _ADAM[name] for name in ("maximize", "foreach", "capturable", "differentiable")},
}
_RADAM = {
    **{name: _ADAM[name] for name in ("lr", "betas", "eps", "weight_decay", "maximize", "foreach")},
    **{"capturable": False, "decoupled_weight_decay": False, "differentiable": False},
}
_RPROP = {
    **{"lr": 0.001, "etas": (0.5, 1.2), "step_sizes": (1e-5, 50)},
    **{"foreach": None, "maximize": False, "differentiable": False, "capturable": False},
}
_ASGD = {"lr": 0.001, "batch_num": 1, "weight_decay": 0.0}
_LAMB = {"lr": 0.001, "betas": (0.9, 0.999), "eps": 1e-6, "weight_decay": 0.01, "always_adapt": False}
_OF_TORCH_ALONE = frozenset({"maximize", "foreach", "capturable", "differentiable", "fused"})


@dataclass(frozen=True)
class Optimizer:
    """One of Paddle's optimizers: its torch class, and the options of a parameter group as torch saves them.

    `options` are Paddle's defaults. `single` are those that Paddle keeps, and computes with, in float32.
    """

    torch: str
    options: Mapping[str, Any]
    single: frozenset[str] = field(default=frozenset())
    home: str = "torch.optim"
    """The module of the torch class."""
    told: str = ""
    """What the user must know of the torch class."""

    def group(self, given: Mapping[str, Any], where: str) -> dict[str, Any]:
        """The options of a parameter group with what the user gave; ConvertError for what it does not have."""
        for name in given:
            if name not in self.options or name == "decoupled_weight_decay":
                known = [option for option in self.options if option not in _OF_TORCH_ALONE]
                raise ConvertError(
                    f"{where}: torch's {self.torch} has no {name!r}{did_you_mean(name, known)}; "
                    f"it has {', '.join(known)}"
                )
        group = {**self.options, **given}
        for name, value in group.items():
            default = self.options[name]
            if isinstance(default, tuple):
                group[name] = _pair(name, value, default, where)
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if isinstance(default, (int, float)) and not isinstance(default, bool) and not number:
                raise ConvertError(f"{where}: {name} is a number, not {value!r}")
            if isinstance(default, bool) and not isinstance(value, bool):
                raise ConvertError(f"{where}: {name} is true or false, not {value!r}")
        return {name: _single(value) if name in self.single else value for name, value in group.items()}

    def hyperparameters(self, group: Mapping[str, Any]) -> str:
        """What the group says of the algorithm, to be read by the user."""
        kept = (name for name in group if name not in _OF_TORCH_ALONE and name not in ("lr", "params"))
        return ", ".join(f"{name} {_short(group[name])}" for name in kept if name != "decoupled_weight_decay")


OPTIMIZERS: Mapping[str, Optimizer] = {
    "sgd": Optimizer("SGD", _SGD),
    "momentum": Optimizer("SGD", {**_SGD, "momentum": 0.9}, frozenset({"momentum", "weight_decay"})),
    "adam": Optimizer("Adam", _ADAM),
    "adamw": Optimizer(
        "AdamW",
        {**_ADAM, "weight_decay": 0.01, "decoupled_weight_decay": True},
        frozenset({"weight_decay"}),
    ),
    "lamb": Optimizer(
        "Lamb",
        _LAMB,
        frozenset({"betas", "eps", "weight_decay"}),
        "parity.remedies.torch_lamb",
        "torch has no Lamb of its own: go on with parity.remedies.torch_lamb.Lamb",
    ),
    "adamax": Optimizer(
        "Adamax",
        _ADAMAX,
        frozenset({"betas"}),
        told="torch's Adamax adds eps elsewhere than Paddle's: parity.remedies.torch_adamax.Adamax, with the same state, "
        "steps as Paddle does",
    ),
    "adagrad": Optimizer("Adagrad", _ADAGRAD, frozenset({"eps"})),
    "adadelta": Optimizer("Adadelta", _ADADELTA, frozenset({"eps", "rho"})),
    "rmsprop": Optimizer(
        "RMSProp",
        _RMSPROP,
        frozenset({"alpha", "eps", "momentum"}),
        "parity.remedies.torch_rmsprop",
        "torch's RMSprop adds eps after the root and Paddle before, so that the state is one for "
        "parity.remedies.torch_rmsprop.RMSProp, which steps as Paddle does",
    ),
    "nadam": Optimizer("NAdam", _NADAM, frozenset({"betas", "momentum_decay"})),
    "radam": Optimizer("RAdam", _RADAM, frozenset({"betas"})),
    "rprop": Optimizer("Rprop", _RPROP),
    "asgd": Optimizer(
        "ASGD",
        _ASGD,
        home="parity.remedies.torch_asgd",
        told="torch's ASGD is another algorithm than Paddle's, so that the state is one for "
        "parity.remedies.torch_asgd.ASGD, which steps as Paddle does",
    ),
}


def find_optimizer(name: str) -> Optimizer:
    """The row called `name`; ConvertError with the known ones."""
    if name.lower() not in OPTIMIZERS:
        raise ConvertError(
            f"--optimizer {name}: use one of {', '.join(OPTIMIZERS)}, or MODULE:FACTORY that makes the torch "
            "optimizer of a module"
        )
    return OPTIMIZERS[name.lower()]


def _pair(name: str, value: object, default: tuple[float, float], where: str) -> tuple[float, float]:
    bounded = name == "betas"
    match value:
        case [int() | float() as one, int() | float() as two] if not bounded or (
            0 <= one < 1 and 0 <= two < 1
        ):
            return float(one), float(two)
    raise ConvertError(
        f"{where}: {name} are two numbers{' from 0 to 1' * bounded}, such as {list(default)}, not {value!r}"
    )


def _short(value: Any) -> str:
    """A number as a person wrote it: 0.9 for what float32 makes of it."""
    if isinstance(value, tuple):
        return f"({', '.join(map(_short, value))})"
    return f"{value:.7g}" if isinstance(value, float) else str(value)


def _single(value: Any) -> Any:
    """The float32 nearest to a number, or to each of several."""
    import struct

    if isinstance(value, tuple):
        return tuple(_single(each) for each in value)
    return struct.unpack("<f", struct.pack("<f", value))[0]
