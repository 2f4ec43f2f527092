"""The tensors of every registered torch network, as generated data.

One JSON file per model, written by `python -m convert.models.layouts.generate`, so that converting a
registered model needs neither framework:

    {"model": "resnet50", "slots": [[name, shape, layer, role], ...]}

`layer` is the torch class that owns the tensor and `role` its name there ("weight", "running_mean").
A dimension is an int, or a string where it follows from how the network is built: "num_classes",
"in_channels" or "{coef}*num_classes+{const}". `num_batches_tracked` has the shape [].
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from convert.errors import ConvertError

DIMENSION = re.compile(r"(?:(?P<coef>-?\d+)\*)?(?P<name>[a-z_]+)(?P<const>[+-]\d+)?")


def load_layout(model: str) -> list[tuple[str, list[int | str], str, str]]:
    """The slots of a registered model: (name, shape, layer, role), free dimensions still named."""
    source = Path(__file__).with_name(
        f"{model}.json"
    )  # importlib.resources takes longer to import than to read
    if not source.is_file():
        raise ConvertError(
            f"there is no layout for {model!r}; run `python -m convert.models.layouts.generate`"
        )
    content: dict[str, Any] = json.loads(source.read_text("utf-8"))
    return [(name, shape, layer, role) for name, shape, layer, role in content["slots"]]


def resolve_dimension(dimension: int | str, values: Mapping[str, int]) -> int:
    """The size of one dimension once `values` says what num_classes and in_channels are."""
    if isinstance(dimension, int):
        return dimension
    match = DIMENSION.fullmatch(dimension)
    if match is None or match["name"] not in values:
        raise ConvertError(f"the layout's dimension {dimension!r} is not one of {sorted(values)}")
    return int(match["coef"] or 1) * values[match["name"]] + int(match["const"] or 0)
