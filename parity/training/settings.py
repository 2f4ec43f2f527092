"""Settings of two optimizers, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from parity.explain.words import show

ADVICE: Mapping[str, str] = {
    "lr": "learning rate",
    "weight_decay": "weight_decay",
    "beta1": "beta1 (betas[0])",
    "beta2": "beta2 (betas[1])",
}


def as_argument(setting: str, value: Any) -> str:
    if setting in ("beta1", "beta2"):
        return f"betas=({show(value)}, ...)" if setting == "beta1" else f"betas=(..., {show(value)})"
    return f"{setting}={show(value)}"
