"""What a check is called with, looked at before anything runs: one sentence for what cannot be meant."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import Any

from parity.errors import ParityError
from parity.sides.devices import SIDES
from parity.sides.side import adapter
from parity.trace.values import Array

TITLES = {"paddle": "Paddle", "torch": "torch"}
BASES = {"paddle": "Layer", "torch": "Module"}


def check_models(paddle_model: Any, torch_model: Any) -> None:
    """ParityError unless the models are a Paddle layer and a torch module, in this order."""
    for side, model in zip(SIDES, (paddle_model, torch_model), strict=True):
        if f"{side}.{BASES[side]}" in _descent(type(model)):
            continue
        if isinstance(model, type) and f"{side}.{BASES[side]}" in _descent(model):
            raise ParityError(
                f"the {side} model is the class {model.__name__} itself; give an instance, {model.__name__}(...)"
            )
        other = "torch" if side == "paddle" else "paddle"
        hint = "; the two models are in the wrong order" if _is_of(other, model) else ""
        raise ParityError(
            f"the {side} model is a {type(model).__name__}, not a {side}.nn.{BASES[side]}{hint}; "
            "call check(paddle_model, torch_model, inputs)"
        )


def check_training(gradients: bool, steps: Any, losses: Any, optimizers: Any, schedulers: Any) -> int:
    """The number of steps; ParityError for training options that do not fit together."""
    count = -1 if isinstance(steps, bool) or not hasattr(steps, "__index__") else operator.index(steps)
    if count < 0:
        raise ParityError(f"steps is {steps!r}; it must be a number of optimizer steps, 0 or more")
    if count and optimizers is None:
        raise ParityError(
            f"steps={count} needs optimizers=(Paddle's, torch's): optimizers, or functions that take the model"
        )
    if not count and (optimizers is not None or schedulers is not None):
        raise ParityError("optimizers and schedulers are used in training only; give steps=N as well")
    if losses is not None and not (count or gradients):
        raise ParityError("losses are used going backward only; give gradients=True or steps=N as well")
    for name, pair in (("losses", losses), ("optimizers", optimizers), ("schedulers", schedulers)):
        if pair is not None:
            _check_pair(name, pair)
    return count


TAKES = {"losses": "the model's output", "optimizers": "the model", "schedulers": "the optimizer"}
OBJECTS = {"optimizers": "Optimizer", "schedulers": "LRScheduler"}


def _check_pair(name: str, pair: Any) -> None:
    if not isinstance(pair, (tuple, list)) or len(pair) != 2:
        raise ParityError(f"{name} is a {type(pair).__name__}; it must be a pair (Paddle's, torch's)")
    if (pair[0] is None) != (pair[1] is None) and name != "schedulers":
        missing = "Paddle's" if pair[0] is None else "torch's"
        raise ParityError(f"{name}: {missing} is None; give both or neither")
    kind = OBJECTS.get(name, "")
    for side, given in zip(SIDES, pair, strict=True):
        other = "torch" if side == "paddle" else "paddle"
        if kind and f"{other}.{kind}" in _descent(type(given)):
            raise ParityError(
                f"{name}: {TITLES[side]}'s is an object of {TITLES[other]}; the order is (Paddle's, torch's)"
            )
        if given is None or (kind and f"{side}.{kind}" in _descent(type(given))):
            continue
        if isinstance(given, type) and f"{side}.{kind}" in _descent(given):
            raise ParityError(
                f"{name}: {TITLES[side]}'s is the class {given.__name__} itself; give a function that takes {TAKES[name]} "
                "and makes one"
            )
        if not callable(given):
            raise ParityError(
                f"{name}: {TITLES[side]}'s is a {type(given).__name__}; it must be a function that takes {TAKES[name]}"
                + (f", or an object of the framework's {kind}" if kind else "")
            )


def by_first_names(pairs: Any, paddle_model: Any, torch_model: Any) -> Any:
    """`pairs` with each tensor under the first of its names; ParityError where names of one tensor are paired otherwise."""
    if not isinstance(pairs, Mapping):
        return pairs
    ours, theirs = adapter("paddle").first_names(paddle_model), adapter("torch").first_names(torch_model)
    found: dict[Any, Any] = {}
    for torch, paddle in pairs.items():
        first = ours.get(paddle, paddle)
        if found.setdefault(theirs.get(torch, torch), first) != first:
            raise ParityError(
                f"pairs gives {torch!r} and {theirs[torch]!r}, one tensor of the torch model, two Paddle tensors: {paddle!r} "
                f"and {found[theirs[torch]]!r}"
            )
    return found


def check_pairs(pairs: Any, parameters: Mapping[str, Mapping[str, Array]]) -> None:
    """ParityError unless `pairs` maps names that exist, of tensors that can correspond."""
    if pairs is None:
        return
    if not isinstance(pairs, Mapping):
        raise ParityError(
            f"pairs is a {type(pairs).__name__}; it must be a dictionary, torch name -> Paddle name"
        )
    for names in pairs.items():
        for side, name in zip(("torch", "paddle"), names, strict=True):
            if name not in parameters[side]:
                from convert.names import did_you_mean

                hint = did_you_mean(name, parameters[side]) if isinstance(name, str) else ""
                raise ParityError(
                    f"pairs names {name!r}, which the {side} model does not have{hint}; pairs maps torch names to Paddle names"
                )
        torch, paddle = (
            parameters[side][name] for side, name in zip(("torch", "paddle"), names, strict=True)
        )
        small, large = sorted((torch.size, paddle.size))
        if large % max(small, 1):
            raise ParityError(
                f"pairs maps {names[0]!r} of shape {list(torch.shape)} to {names[1]!r} of shape {list(paddle.shape)}: they hold "
                "another number of elements"
            )


def _descent(kind: type) -> set[str]:
    return {f"{c.__module__.split('.')[0]}.{c.__name__}" for c in kind.__mro__}


def _is_of(side: str, model: Any) -> bool:
    return any(name.startswith(f"{side}.") for name in _descent(type(model)))
