"""Which entries of a file are an optimizer's: called after a parameter, what is kept of it, and a count.

Source: `_add_accumulator` and `_create_master_weight` in python/paddle/optimizer/optimizer.py, and the names in its
neighbours (`_moment1_acc_str`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

_OF_ASGD = ("d", "y", "m")
KEPT = (
    *(
        "velocity",
        "moment",
        "moment1",
        "moment2",
        "moment2_max",
        "beta1_pow_acc",
        "beta2_pow_acc",
        "inf_norm",
    ),
    *("mean_square", "mean_grad", "momentum", "_avg_squared_grad", "_avg_squared_update"),
    *("beta1_pow", "beta2_pow", "momentum_decay_pow", "mu_product", "rho", "prevs", "learning_rates"),
    *_OF_ASGD,
)
"""What the optimizers that are converted keep of a parameter."""

ACCUMULATOR = re.compile(
    rf"(?P<parameter>.+?)(?:_fp32_master_\d+)?_(?P<kind>{'|'.join(sorted(KEPT, key=len, reverse=True))})_\d+"
)


def are_accumulators(names: Iterable[str]) -> bool:
    """Whether all of the names are an optimizer's. ASGD's are short, so a network may have one of them; all come together."""
    kinds = set()
    for name in names:
        match = _accumulator(name)
        if match is None:
            return False
        kinds.add(match["kind"])
    return kinds.isdisjoint(_OF_ASGD) or kinds.issuperset(_OF_ASGD)


def accumulators_among(names: Iterable[str], parameters: Collection[str]) -> list[str]:
    """The names of what an optimizer keeps of one of the parameters."""
    return [name for name in names if (m := _accumulator(name)) and m["parameter"] in parameters]


def _accumulator(name: str) -> re.Match[str] | None:
    return ACCUMULATOR.fullmatch(name) if name[-1:].isdecimal() else None
