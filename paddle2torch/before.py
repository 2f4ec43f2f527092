"""What is wrong with a command line, found before a process starts or a framework is imported.

Importing the frameworks takes seconds; a wrong path, a wrong name or the wrong kind of file is answered at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convert.adapters.reference import check_installed, check_reference
from convert.errors import ConvertError

if TYPE_CHECKING:
    from convert.plan.plan import Options


@dataclass(frozen=True)
class Model:
    """A model to build. option: how its arguments are given; python: another interpreter, which may have other packages."""

    framework: str
    reference: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    option: str = ""
    python: str | None = None


def check_models(models: Iterable[Model]) -> None:
    """ConvertError where one of them cannot be what its option says."""
    for model in models:
        if model.python is None or model.reference.rpartition(":")[0].endswith((".py", ".ipynb")):
            check_reference(model.reference, model.arguments, model.option or f"--{model.framework}-args")


def check_installed_for(models: Iterable[Model]) -> None:
    """ConvertError where a framework is missing here, and no other interpreter is named."""
    for model in models:
        if model.python is None:
            check_installed(model.framework)


def check_weights(path: str | Path, key: str | None, options: Options, *, join: Sequence[str] = ()) -> None:
    """ConvertError where a file cannot hold the weights of a Paddle model."""
    from convert import open_checkpoint
    from convert.checkpoint.accumulators import are_accumulators
    from paddle2torch.weights import require_paddles

    with open_checkpoint(path, key=key, join=join) as checkpoint:
        if are_accumulators(checkpoint):
            beside = Path(path).with_suffix(".pdparams")
            raise ConvertError(
                f"{path}: holds the state of an optimizer and no weights; name the checkpoint that was saved with it"
                + (f": {beside}" if beside.is_file() else ", usually a .pdparams")
            )
        require_paddles(checkpoint, options)
