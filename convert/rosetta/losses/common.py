"""A loss is a layer and a function in both frameworks: one description makes both rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from convert.rosetta.rows import Argument, Exactness, Example, Kind, Row, Source, Trap

NAME = Argument("name", None)
REDUCTION = Argument("reduction", "reduction", paddle_default="mean", torch_default="mean")
INPUT = Argument("input", "input")
LABEL = Argument("label", "target")
NO_SIZE_AVERAGE = Argument(None, "size_average", note="deprecated in torch, and so is reduce: use reduction")


@dataclass(frozen=True)
class Case:
    """The inputs in the order of the call, and the keyword arguments as text; torch's are Paddle's if None."""

    inputs: Mapping[str, str]
    paddle: str = ""
    torch: str | None = None

    def of_layer(self, layer: str, module: str) -> Example:
        return Example(
            self.inputs,
            f"nn.{layer}({self.paddle})",
            f"nn.{module}({self.paddle if self.torch is None else self.torch})",
            modes=("train",),
        )

    def of_function(self, function: str, twin: str) -> Example:
        tensors = ", ".join(self.inputs)
        theirs, mine = self.paddle, self.paddle if self.torch is None else self.torch
        return Example(
            self.inputs,
            f"F.{function}({tensors}{', ' if theirs else ''}{theirs})",
            f"F.{twin}({tensors}{', ' if mine else ''}{mine})",
        )


def loss(
    layer: str,
    module: str,
    function: str,
    twin: str,
    exactness: Exactness,
    *,
    cases: tuple[Case, ...],
    options: tuple[Argument, ...] = (),
    tensors: tuple[Argument, ...] = (INPUT, LABEL),
    traps: tuple[Trap, ...] = (),
    more_of_function: tuple[Example, ...] = (),
    reason: str,
    **more: Any,
) -> tuple[Row, Row]:
    """The rows of `nn.<layer>` and `nn.functional.<function>`.

    `options` are the arguments of both, `tensors` those that only the function has, and so has the layer's call.
    """
    return (
        Row(
            Kind.LOSS,
            f"nn.{layer}",
            f"nn.{module}",
            exactness,
            arguments=options,
            traps=traps,
            examples=tuple(case.of_layer(layer, module) for case in cases),
            source=Source(f"nn/layer/loss.py: {layer}", f"nn/modules/loss.py: {module}"),
            reason=reason,
            **more,
        ),
        Row(
            Kind.LOSS,
            f"nn.functional.{function}",
            f"nn.functional.{twin}",
            exactness,
            arguments=(*tensors, *options),
            traps=traps,
            examples=(*(case.of_function(function, twin) for case in cases), *more_of_function),
            source=Source(f"nn/functional/loss.py: {function}", f"nn/functional.py: {twin}"),
            reason=reason,
            **more,
        ),
    )
