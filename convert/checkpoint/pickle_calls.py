"""The calls and state settings that a checkpoint's pickle may make, each checked by shape and value."""

from __future__ import annotations

import math

from convert.checkpoint.payload import FileSpan, MemoryBytes, TextSpan
from convert.checkpoint.pickle_values import Array, Blob, DTypeValue, Global, Text, Value
from convert.checkpoint.source import SourceFile
from convert.checkpoint.tensor import plain_shape
from convert.dtypes import BY_PICKLE_CODE
from convert.errors import ConvertError
from convert.names import shown

MOST_SHARES = 8
"""How many arrays may use the same bytes: tied weights do, and a bomb does it thousands of times."""
_FREE_TO_SHARE = 16
"""Python keeps one copy of the empty and of every one-byte string, so tiny arrays share honestly."""


def call(where: str, source: SourceFile, function: Global, arguments: tuple[Value, ...]) -> Value:
    """The value of `function(*arguments)`, of which nothing is executed."""
    match function, arguments:
        case Global.RECONSTRUCT, (Global.NDARRAY, (0,), _):
            return Array()
        case Global.DTYPE, (str() as code, *_):
            return DTypeValue(code)
        case Global.ENCODE, (str() as short, "latin1"):
            encoded = MemoryBytes.from_text(short, where).data.tobytes()
            return Blob(-1, len(encoded), encoded=False, data=encoded)
        case Global.ENCODE, (Text() as long, "latin1"):
            return Blob(long.offset, long.length, encoded=True)
        case Global.BYTES, ():
            return Blob(-1, 0, encoded=False, data=b"")
        case Global.TUPLE, (tuple() as values,):
            return values
        case Global.TUPLE, (list() as values,):
            return tuple(values)
        case Global.ORDERED_DICT, ():
            return {}
        case Global.ORDERED_DICT, (list() as pairs,):
            return _dict_of(where, pairs)
        case Global.EVAL, ("data", {"data": Array() as array, **rest}) if not rest:
            return array  # how paddle.save writes a static-graph tensor: the expression is just `data`
        case Global.SCALAR, (DTypeValue() as dtype, Blob() as data):
            return _scalar(where, source, dtype, data)
    return plain_call(where, source, function, arguments)


def plain_call(where: str, source: SourceFile, function: Global, arguments: tuple[Value, ...]) -> Value:
    """What a configuration holds, as a dictionary, a list or a text."""
    match function, arguments:
        case Global.SET, (list() as items,):
            return items
        case Global.SET | Global.RECORD | Global.COUNTER, ():
            return [] if function is Global.SET else {}
        case Global.RECORD | Global.COUNTER, (dict() as held,):
            return held
        case Global.DEFAULTDICT, () | (None | Global(),):
            return {}
        case Global.PATH, parts if all(isinstance(part, str) for part in parts):
            first, *rest = [str(part) for part in parts] or ["."]
            return f"{first}{'' if first == '/' or not rest else '/'}{'/'.join(rest)}"
        case Global.DATETIME, (Blob(length=4 | 10) as data, *_) if not data.encoded:
            return _moment(data.data or source.read(data.offset, data.length))
    raise _refused(where, f"a call of {function.value} in a form that Paddle does not write")


def _moment(data: bytes) -> str:
    """What `datetime` and `date` keep of themselves: the year in two bytes, then one each, microseconds in three."""
    date = f"{data[0] * 256 + data[1]:04}-{data[2] & 0x7F:02}-{data[3]:02}"
    return date if len(data) < 10 else f"{date} {data[4]:02}:{data[5]:02}:{data[6]:02}"


def build(where: str, source: SourceFile, target: Value, state: Value) -> None:
    """Give `target` its state: a dtype its byte order, an array its shape, type and data."""
    match target, state:
        case dict() as record, dict() as held if not record:  # a Namespace
            record.update(held)
        case DTypeValue(), (int(), str() as order, None, None, None, *_):
            target.order = order
        case Array(kind=None), (
            1,
            tuple() as shape,
            DTypeValue() as dtype,
            bool() as fortran,
            Blob() as data,
        ):
            target.shape = _shape(where, shape)
            target.fortran = fortran and len(shape) > 1
            _set_data(where, source, target, dtype, data)
        case Array(), (1, tuple(), DTypeValue(code="O8" | "O"), *_):
            raise _refused(where, "an array of Python objects")
        case _:
            raise _refused(where, "a value whose state is not one that numpy writes")


def _set_data(where: str, source: SourceFile, array: Array, dtype: DTypeValue, data: Blob) -> None:
    kind = BY_PICKLE_CODE.get(dtype.code)
    if kind is None:
        raise _refused(where, f"an array of dtype {shown(dtype.code, 20)!r}")
    if dtype.order == ">":
        raise ConvertError(
            f"{where}: big-endian data, which Paddle never writes; save it on a little-endian machine"
        )
    if dtype.order not in ("<", "|", None):
        raise _refused(where, f"byte order {shown(dtype.order, 5)!r}")
    nbytes = math.prod(array.shape) * kind.itemsize
    fits = data.length <= 2 * nbytes and nbytes <= data.length if data.encoded else data.length == nbytes
    if not fits:
        raise ConvertError(
            f"{where}: an array of shape {array.shape} and type {kind.name} needs {nbytes} bytes, "
            f"the file holds {data.length}; the file is damaged"
        )
    data.uses += 1
    if data.uses > MOST_SHARES and nbytes > _FREE_TO_SHARE:
        raise _refused(where, f"the same {nbytes} bytes for more than {MOST_SHARES} arrays")
    array.kind = kind
    if data.data is not None:
        array.payload = MemoryBytes(data.data)
    elif data.encoded:
        array.payload = TextSpan(source, data.offset, data.length, nbytes)
    else:
        array.payload = FileSpan(source, data.offset, nbytes)


def _scalar(where: str, source: SourceFile, dtype: DTypeValue, data: Blob) -> Array:
    """A numpy scalar becomes an array of no dimensions."""
    array = Array()
    _set_data(where, source, array, dtype, data)
    return array


def _shape(where: str, shape: tuple[Value, ...]) -> tuple[int, ...]:
    sizes = plain_shape(shape)
    if sizes is None:
        raise _refused(where, "an array with an impossible shape")
    return sizes


def _dict_of(where: str, pairs: list[Value]) -> dict[Value, Value]:
    result: dict[Value, Value] = {}
    for pair in pairs:
        match pair:
            case [str() | int() as key, value] | (str() | int() as key, value):
                if key in result:
                    raise _refused(where, f"an OrderedDict that has {shown(key)!r} twice")
                result[key] = value
            case _:
                raise _refused(where, "an OrderedDict whose items are not pairs")
    return result


def _refused(where: str, what: str) -> ConvertError:
    return ConvertError(f"{where}: {what}; refused, and nothing was executed")
