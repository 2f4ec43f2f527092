"""What rules put where no tensor of Paddle's goes: zeros, ones, or what the torch model has there itself."""

from __future__ import annotations

from typing import Any

import numpy as np

from convert.dtypes import DType, by_name
from convert.errors import ConvertError
from convert.plan.plan import KEEP, Fill
from convert.write.cast import cast_array


def filling(fill: Fill, module: Any, kind: DType) -> np.ndarray:
    """The array of a fill, in bits of `kind`; `module` is the torch model.

    ConvertError where the model has no values (it was built without them), or theirs are no numbers of such a kind.
    """
    if fill.value != KEEP:
        return _as(np.full(fill.shape, fill.value, "float32"), by_name("float32"), kind)
    value = module.state_dict()[fill.name]
    if value.is_meta:
        raise ConvertError(
            f"{fill.name!r} is to keep the torch model's own value, and the model was built without values"
        )
    own = by_name(str(value.dtype).rpartition(".")[2])
    value = value.detach().cpu()
    array = (value.float() if own.name == "bfloat16" else value).numpy()
    part = np.ascontiguousarray(array if fill.rows is None else array[fill.rows[0] : fill.rows[1]])
    return _as(part, by_name("float32") if own.name == "bfloat16" else own, kind)


def _as(array: np.ndarray, held: DType, wanted: DType) -> np.ndarray:
    return array if held == wanted else cast_array(array, held, wanted)
