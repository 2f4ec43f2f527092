"""A network at a glance, in either framework: layers, output shapes, parameters, memory, receptive field.

`summarize` runs one forward pass and records every layer that has no layers of its own, in the order
in which it was called. Only the framework that is asked about is imported.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping
from contextlib import redirect_stdout
from importlib import import_module
from typing import TYPE_CHECKING, Any

from convert.adapters.factory import check_call, load_factory
from convert.adapters.reference import not_installed
from convert.errors import ConvertError
from paddle2torch.summary.rows import Difference, LayerRow, Summary, compare

if TYPE_CHECKING:
    from parity.setup.inputs import Wanted

__all__ = ["Difference", "LayerRow", "Summary", "compare", "summarize"]

FRAMEWORKS = ("paddle", "torch")


def summarize(
    framework: str,
    factory: str,
    arguments: Mapping[str, Any],
    inputs: Mapping[str, Wanted],
    *,
    registered: bool = False,
) -> Summary:
    """Build "module:function" with `arguments` and record one forward pass of zeros like `inputs`.

    Raises ConvertError when the framework is not installed, the factory cannot be found or called, or the input does not
    fit the network. registered: it is one of ours.
    """
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="No ccache found")  # Paddle says so on import
            import_module(framework)
    except ImportError:
        raise ConvertError(not_installed(framework)) from None
    recorder = import_module(f"paddle2torch.summary.{framework}_side")
    make = load_factory(factory, registered=registered)
    check_call(factory, make, arguments, "--args")
    try:
        with redirect_stdout(sys.stderr):
            result: Summary = recorder.record(lambda: make(**arguments), inputs)
    except ConvertError:
        raise
    except Exception as error:
        given = " and ".join("x".join(map(str, one.shape)) for one in inputs.values())
        reason = str(error).strip().splitlines()[-1] if str(error).strip() else type(error).__name__
        raise ConvertError(
            f"{factory} cannot run an input of {given} in {framework}: {reason}; --shape says what it takes"
        ) from error
    return result
