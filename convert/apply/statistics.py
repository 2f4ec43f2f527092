"""Minimum, maximum, mean, NaN and infinity counts of a tensor, in flat memory."""

from __future__ import annotations

from typing import Any

import numpy as np

from convert.checkpoint.tensor import TensorRef
from convert.dtypes import BY_NAME
from convert.write.atomic import pieces
from convert.write.cast import cast_array

_STEP = 1 << 18


def statistics(ref: TensorRef) -> dict[str, Any]:
    """`min`, `max` and `mean` of the finite elements (None without any), `nan` and `inf` counts.

    float8 and complex tensors get None throughout. Raises ConvertError when the file is damaged.
    """
    reader = ref.payload.open()
    buffer = memoryview(bytearray(min(ref.size, _STEP) * ref.kind.itemsize))
    least, most, total, count, nans, infinite = np.inf, -np.inf, 0.0, 0, 0, 0
    known = not ref.dtype_name.startswith(("float8", "complex"))
    for _, length in pieces(ref.size, _STEP):
        chunk = buffer[: length * ref.kind.itemsize]
        reader.read_into([chunk])
        if not known:
            continue
        values = np.frombuffer(chunk, ref.kind.numpy)
        if ref.dtype_name == "bfloat16":
            values = cast_array(values, ref.kind, BY_NAME["float32"])
        finite = values[np.isfinite(values)]
        nans += int(np.isnan(values).sum())
        infinite += int(np.isinf(values).sum())
        if finite.size:
            least, most = min(least, float(finite.min())), max(most, float(finite.max()))
            total += float(finite.sum(dtype=np.float64))
            count += finite.size
    reader.finish()
    if not known or count == 0:
        return {"min": None, "max": None, "mean": None, "nan": nans, "inf": infinite}
    return {"min": least, "max": most, "mean": total / count, "nan": nans, "inf": infinite}
