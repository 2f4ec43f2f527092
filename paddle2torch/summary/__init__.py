"""A network at a glance, in either framework: layers, output shapes, parameters, memory, receptive field.

`summarize` runs one forward pass and records every layer that has no layers of its own, in the order
in which it was called. Only the framework that is asked about is imported.
"""

from __future__ import annotations

import warnings
from importlib import import_module
from typing import Any

from convert.adapters.factory import load_factory
from convert.adapters.reference import not_installed
from convert.errors import ConvertError
from paddle2torch.summary.rows import Difference, LayerRow, Summary, compare

__all__ = ["Difference", "LayerRow", "Summary", "compare", "summarize"]

FRAMEWORKS = ("paddle", "torch")


def summarize(
    framework: str,
    factory: str,
    arguments: dict[str, Any],
    shape: tuple[int, ...],
    *,
    registered: bool = False,
) -> Summary:
    """Build "module:function" with `arguments` and record one forward pass of an input of `shape`.

    `shape` is without the batch, which is 1. Raises ConvertError when the framework is not installed,
    the factory cannot be found or called, or the input does not fit the network. registered: it is one of ours.
    """
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="No ccache found")  # Paddle says so on import
            import_module(framework)
    except ImportError:
        raise ConvertError(not_installed(framework)) from None
    recorder = import_module(f"paddle2torch.summary.{framework}_side")
    build = load_factory(factory, registered=registered)
    try:
        result: Summary = recorder.record(lambda: build(**arguments), shape)
    except ConvertError:
        raise
    except Exception as error:
        given = "x".join(map(str, shape))
        reason = str(error).strip().splitlines()[-1] if str(error).strip() else type(error).__name__
        raise ConvertError(f"{factory} cannot run an input of {given} in {framework}: {reason}") from error
    return result
