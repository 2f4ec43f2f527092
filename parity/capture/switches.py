"""Global switches that a model asks for itself: what it does where they stand otherwise, no run of it shows."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from parity.capture.source import is_machinery

SWITCHES = ("is_grad_enabled", "is_inference_mode_enabled")
"""The functions of a framework that tell where one stands, as far as it has them."""


@contextmanager
def watched(framework: Any, told: Callable[[str, str], None]) -> Iterator[None]:
    """Tell (function, line) of every such question that is not the framework's own."""
    held = {name: getattr(framework, name) for name in SWITCHES if hasattr(framework, name)}

    def watching(name: str, function: Callable[[], bool]) -> Callable[[], bool]:
        def asked() -> bool:
            frame = sys._getframe(1)
            if not is_machinery(frame.f_code.co_filename):
                told(name, f"{frame.f_code.co_filename}:{frame.f_lineno}")
            return function()

        return asked

    try:
        for name, function in held.items():
            setattr(framework, name, watching(name, function))
        yield
    finally:
        for name, function in held.items():
            setattr(framework, name, function)
