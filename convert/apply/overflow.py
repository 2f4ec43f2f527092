"""Numbers that a smaller type cannot hold: counted beforehand, so that infinities do not appear unsaid."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from convert.checkpoint.tensor import TensorRef
from convert.dtypes import DType
from convert.names import counted, listed
from convert.plan.plan import ConversionPlan

_WIDTH = {"float16": 0, "bfloat16": 1, "float32": 1, "float64": 2}
"""How large a number each type can hold, as a rank."""
_STEP = 1 << 18


def overflow_notes(tensors: Mapping[str, TensorRef], plan: ConversionPlan, kind: DType) -> Iterator[str]:
    """What to tell the user of finite elements that become infinite as `kind`."""
    lost = {}
    for name in dict.fromkeys(move.source for move in plan.moves):
        ref = tensors[name]
        if (
            ref.kind.is_float
            and _WIDTH[kind.name] < _WIDTH[ref.kind.name]
            and (count := _overflows(ref, kind))
        ):
            lost[name] = count
    if lost:
        shown = listed([f"{name} ({counted(count, 'element')})" for name, count in lost.items()])
        other = ": bfloat16 has the range of float32" if kind.name == "float16" else ""
        yield f"too large for {kind.name}, so infinite in the target: {shown}{other}"


def _overflows(ref: TensorRef, kind: DType) -> int:
    """Finite elements of a tensor that `kind` has no finite number for, in flat memory."""
    import numpy as np

    from convert.dtypes import by_name
    from convert.write.atomic import pieces
    from convert.write.cast import cast_array

    exact = by_name("float64")
    reader = ref.payload.open()
    buffer = memoryview(bytearray(min(ref.size, _STEP) * ref.kind.itemsize))
    found = 0
    for _, length in pieces(ref.size, _STEP):
        chunk = buffer[: length * ref.kind.itemsize]
        reader.read_into([chunk])
        before = np.frombuffer(chunk, ref.kind.numpy)
        after = cast_array(cast_array(before, ref.kind, kind), kind, exact)
        found += int((np.isinf(after) & np.isfinite(cast_array(before, ref.kind, exact))).sum())
    reader.finish()
    return found
