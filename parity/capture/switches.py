"""Global switches that a model asks for itself: what it does where they stand otherwise, no run of it shows."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

from parity.capture.places import patched
from parity.capture.source import is_machinery

SWITCHES = ("is_grad_enabled", "is_inference_mode_enabled", "get_num_threads")
"""The functions of a framework that tell where one stands, as far as it has them."""


EXPORTING = ("is_tracing",)
"""The functions of `torch.jit` that tell whether a model is being exported, which a check never does."""


def watched(
    framework: Any, told: Callable[[str, str], None], names: Sequence[str] = SWITCHES
) -> AbstractContextManager[None]:
    """Tell (function, line) of every such question that is not the framework's own."""

    def watching(name: str, function: Callable[[], bool]) -> Callable[[], bool]:
        def asked() -> bool:
            frame = sys._getframe(1)
            if not is_machinery(frame.f_code.co_filename):
                told(name, f"{frame.f_code.co_filename}:{frame.f_lineno}")
            return function()

        return asked

    held = {name: getattr(framework, name) for name in names if hasattr(framework, name)}
    return patched((framework, name, function, watching(name, function)) for name, function in held.items())
