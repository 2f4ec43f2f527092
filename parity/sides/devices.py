"""Where a check runs: each model where it lies, or both moved for as long as the check takes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from parity.errors import ParityError
from parity.sides.side import adapter
from parity.trace.trace import Framework

SIDES: tuple[Framework, Framework] = ("paddle", "torch")
DEVICE = r"cpu|cuda(:\d+)?"


@contextmanager
def placed(models: tuple[Any, Any], device: Any) -> Iterator[tuple[str, str]]:
    """The (Paddle model, torch module) on their devices; yields the two names, and afterwards puts back what it moved.

    device: "cpu", "cuda" or "cuda:N" for both, a pair (Paddle's, torch's), or None for where each model lies.
    Raises ParityError for another value, a device that this process lacks, and one without float64.
    """
    asked = device if isinstance(device, (tuple, list)) else (device, device)
    if len(asked) != 2:
        raise ParityError(f"device is {device!r}; a pair is (Paddle's, torch's)")
    found = []
    with ExitStack() as stack:
        for side, model, name in zip(SIDES, models, asked, strict=True):
            tools = adapter(side)
            home = tools.device_of(model)
            target = home if name is None else name
            if not isinstance(target, str) or not re.fullmatch(DEVICE, target):
                raise ParityError(
                    f"device is {name!r}; it must be 'cpu', 'cuda' or 'cuda:N'"
                    if name is not None
                    else f"the {side} model lies on {home}, where float64, which decides, does not run; give device='cpu', "
                    "or move it"
                )
            tools.check_device(target)
            if target != home:
                stack.enter_context(tools.moved(model, target))
            found.append(target)
        yield found[0], found[1]
