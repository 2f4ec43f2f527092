"""Attributes of operators: which promise, what is meant where one is left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "": {"scale": 1.0, "alpha": 1.0, "scale_grad_by_freq": False},
    "silu": {"beta": 1.0},
    "reciprocal": {"numerator": 1.0},
    "gelu": {"formula": "the usual one"},
    "hardswish": {"formula": "x * 1 * clip(0.166667 * x + 0.5, 0, 1)"},
    **{
        norm: {"variance": "biased", "denominator": "sqrt(variance + eps)", "numerator": "x - mean"}
        for norm in ("layer_norm", "rms_norm", "group_norm", "instance_norm", "batch_norm")
    },
}
"""What an attribute of an operator ("": of any) means where one side does not have it."""


PROMISES = frozenset({"stable", "sorted"})
"""Attributes that promise more of a result: a port may promise what Paddle leaves open."""


TRAINS = "goes into training"
"""Among the arguments of a layer of torch's own: nobody keeps it in eval mode when its model goes into training."""


def same_value(expected: Any, actual: Any) -> bool:
    """Equal as the frameworks see it: numbers as float32, sequences element by element."""
    if isinstance(expected, bool) or isinstance(actual, bool):
        return bool(expected) == bool(actual)
    if isinstance(expected, (int, float)) and isinstance(actual, (int, float)):
        return bool(np.float32(expected) == np.float32(actual))
    if isinstance(expected, (tuple, list)) and isinstance(actual, (tuple, list)):
        return len(expected) == len(actual) and all(map(same_value, expected, actual))
    if isinstance(expected, Mapping) and isinstance(actual, Mapping):
        return expected.keys() == actual.keys() and all(same_value(expected[k], actual[k]) for k in expected)
    return bool(expected == actual)
