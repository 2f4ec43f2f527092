"""Mistakes that a model's values cannot show: what a verdict on these weights does not cover.

A bias of zeros looks like no bias, a BatchNorm at its initial state like another one at its initial state, a
symmetric matrix like its transpose. The audit may still find such a mistake; the numbers cannot.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from parity.trace.values import Array

REMEDY = "`randomize` fills in values that show such mistakes"


@dataclass(frozen=True)
class Neutral:
    """Values of one role that hide a mistake. `role` tells which parameters are of it, by name and array."""

    what: str
    role: Callable[[str, Array], bool]
    hides: Callable[[Array], bool]
    mistake: str


def _last(name: str) -> str:
    return name.rpartition(".")[2]


def _is_square(_: str, array: Array) -> bool:
    return array.ndim == 2 and array.shape[0] == array.shape[1] > 1


NEUTRAL = (
    Neutral(
        "biases are zero",
        lambda name, _: _last(name).endswith("bias"),
        lambda a: not a.any(),
        "a missing, swapped or never loaded one is visible only in the audit",
    ),
    Neutral(
        "running means are zero, as at initialisation",
        lambda name, _: _last(name) == "_mean",
        lambda a: not a.any(),
        "ones that were never loaded, or are swapped, do not show",
    ),
    Neutral(
        "running variances are one, as at initialisation",
        lambda name, _: _last(name) == "_variance",
        lambda a: bool((a == 1).all()),
        "ones that were never loaded, or are swapped, do not show",
    ),
    Neutral(
        "scales are one, as at initialisation",
        lambda name, a: _last(name) in ("weight", "scale") and a.ndim == 1 and a.size > 1,
        lambda a: bool((a == 1).all()),
        "a missing, swapped or never loaded one does not show",
    ),
    Neutral(
        "scales are zero",
        lambda name, a: _last(name) in ("weight", "scale") and a.ndim == 1 and a.size > 1,
        lambda a: not a.any(),
        "nothing that is computed before them reaches the outputs",
    ),
    Neutral(
        "vectors are zero",
        lambda name, a: a.ndim <= 1 and _last(name) not in ("bias", "weight", "scale", "_mean", "_variance"),
        lambda a: not a.any(),
        "what they scale, or are added to, does not show",
    ),
    Neutral(
        "matrices and kernels hold one value only",
        lambda name, a: a.ndim >= 2 and a.size > 1,
        lambda a: bool((a == a.reshape(-1)[0]).all()),
        "another order of their elements, or channels that are swapped, do not show",
    ),
    Neutral(
        "square matrices are equal to their transpose",
        _is_square,
        lambda a: bool((a == a.T).all()) and not bool((a == a.reshape(-1)[0]).all()),
        "a missing transposition does not show",
    ),
    Neutral(
        "square kernels are equal to their transpose",
        lambda _, a: a.ndim == 4 and a.shape[2] == a.shape[3] > 1,
        lambda a: bool((a == a.swapaxes(2, 3)).all()) and not bool((a == a.reshape(-1)[0]).all()),
        "height and width that are exchanged do not show",
    ),
)


def blind_spots(parameters: Mapping[str, Array]) -> list[str]:
    """One sentence for each kind of mistake that Paddle's parameters cannot show, naming the first of them."""
    floats = {name: array for name, array in parameters.items() if array.dtype.kind == "f" and array.size}
    found = []
    for neutral in NEUTRAL:
        of_role = [name for name, array in floats.items() if neutral.role(name, array)]
        hiding = [name for name in of_role if neutral.hides(floats[name])]
        if hiding:
            found.append(
                f"{_count(hiding, of_role)} {neutral.what} (first: `{hiding[0]}`): {neutral.mistake}"
            )
    for first, other in _twins(floats):
        found.append(f"`{first}` and `{other}` hold the same values: exchanging them does not show")
        break
    return [*found[:-1], f"{found[-1]}; {REMEDY}"] if found else []


def hiding(parameters: Mapping[str, Array]) -> set[str]:
    """The parameters whose values hide a mistake; of equal ones all but the first."""
    floats = {name: array for name, array in parameters.items() if array.dtype.kind == "f" and array.size}
    found = {
        name
        for name, array in floats.items()
        if any(neutral.role(name, array) and neutral.hides(array) for neutral in NEUTRAL)
    }
    return found | {other for _, other in _twins(floats)}


def _count(hiding: list[str], of_role: list[str]) -> str:
    return f"all {len(of_role)}" if len(hiding) == len(of_role) else f"{len(hiding)} of {len(of_role)}"


def _twins(parameters: Mapping[str, Array]) -> Iterator[tuple[str, str]]:
    """Pairs of matrices or kernels that are equal without being the same parameter."""
    alike: dict[tuple[object, ...], list[str]] = defaultdict(list)
    for name, array in parameters.items():
        if array.ndim < 2 or (array == array.reshape(-1)[0]).all():
            continue
        flat = array.reshape(-1)
        for other in alike[array.shape, float(flat[0]), float(flat[-1])]:
            if np.array_equal(parameters[other], array):
                yield other, name
        alike[array.shape, float(flat[0]), float(flat[-1])].append(name)
