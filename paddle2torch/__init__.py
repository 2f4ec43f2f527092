"""Move a PaddlePaddle vision model to PyTorch and prove that nothing changed.

    paddle2torch.convert_checkpoint("net.pdparams", "net.safetensors", model="resnet50")
    paddle2torch.assert_equivalent(paddle_model, torch_model, inputs)

The public names of `convert` and `parity` in one place. Each is imported when it is first asked for, so
that `import paddle2torch` loads neither framework, nor numpy, and costs nothing.
"""

from __future__ import annotations

import importlib

from paddle2torch.version import __version__

TYPE_CHECKING = False  # not typing's: importing `typing` would cost more than all the rest here
if TYPE_CHECKING:
    from typing import Any

    from convert import (
        Checkpoint,
        ConversionPlan,
        ConversionReport,
        ConvertError,
        convert_checkpoint,
        convert_state_dict,
        open_checkpoint,
        plan_conversion,
    )
    from convert.errors import Paddle2TorchError
    from parity import Finding, ParityError, Report, Verdict, assert_equivalent, check, pair_by_running

_HOMES = {
    "Checkpoint": "convert",
    "ConversionPlan": "convert",
    "ConversionReport": "convert",
    "ConvertError": "convert",
    "Finding": "parity",
    "Paddle2TorchError": "convert.errors",
    "ParityError": "parity",
    "Report": "parity",
    "Verdict": "parity",
    "assert_equivalent": "parity",
    "check": "parity",
    "convert_checkpoint": "convert",
    "convert_state_dict": "convert",
    "open_checkpoint": "convert",
    "pair_by_running": "parity",
    "plan_conversion": "convert",
}

__all__ = [
    "Checkpoint",
    "ConversionPlan",
    "ConversionReport",
    "ConvertError",
    "Finding",
    "Paddle2TorchError",
    "ParityError",
    "Report",
    "Verdict",
    "__version__",
    "assert_equivalent",
    "check",
    "convert_checkpoint",
    "convert_state_dict",
    "open_checkpoint",
    "pair_by_running",
    "plan_conversion",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'paddle2torch' has no attribute {name!r}")
    from paddle2torch.packages import take

    take()
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
