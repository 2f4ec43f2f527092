"""The calls and state settings that a checkpoint's pickle may make, each checked by shape and value."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

from convert.checkpoint.latin1 import decode
from convert.checkpoint.payload import FileSpan, MemoryBytes, TextSpan
from convert.checkpoint.pickle_values import Array, Blob, DTypeValue, Global, Place, Text, Value
from convert.checkpoint.source import SourceFile
from convert.checkpoint.tensor import plain_shape
from convert.dtypes import BY_PICKLE_CODE
from convert.errors import ConvertError
from convert.names import shown

MOST_SHARES = 8
"""How many arrays may use the same bytes: tied weights do, and a bomb does it thousands of times."""
_NDARRAY = Global.NDARRAY
_FREE_TO_SHARE = 16
"""Python keeps one copy of the empty and of every one-byte string, so tiny arrays share honestly."""


def call(where: Place, source: SourceFile, function: Global, arguments: tuple[Value, ...]) -> Value:
    """The value of `function(*arguments)`, of which nothing is executed."""
    handler = _CALLS.get(function)
    made = _UNKNOWN if handler is None else handler(where, source, arguments)
    if made is _UNKNOWN:
        raise _refused(where, f"a call of {function.value} in a form that Paddle does not write")
    return made


def _reconstruct(where: Place, source: SourceFile, arguments: tuple[Value, ...]) -> Value:
    made = len(arguments) == 3 and arguments[0] is _NDARRAY and arguments[1] == (0,)
    return Array() if made else _UNKNOWN


def _dtype(where: Place, source: SourceFile, arguments: tuple[Value, ...]) -> Value:
    return DTypeValue(arguments[0]) if arguments and isinstance(arguments[0], str) else _UNKNOWN


def _encode(where: Place, source: SourceFile, arguments: tuple[Value, ...]) -> Value:
    match arguments:
        case (str() as short, "latin1"):
            encoded = decode(short.encode("utf-8"), str(where))
            return Blob(-1, len(encoded), encoded=False, data=encoded)
        case (Text() as long, "latin1"):
            return Blob(long.offset, long.length, encoded=True)
    return _UNKNOWN


def _bytes(where: Place, source: SourceFile, arguments: tuple[Value, ...]) -> Value:
    return _UNKNOWN if arguments else Blob(-1, 0, encoded=False, data=b"")


def _tuple(where: Place, source: SourceFile, arguments: tuple[Value, ...]) -> Value:
    match arguments:
        case (tuple() as values,):
            return values
        case (list() as values,):
            return tuple(values)
    return _UNKNOWN


def _ordered(where: Place, source: SourceFile, arguments: tuple[Value, ...]) -> Value:
    match arguments:
        case ():
            return {}
        case (list() as pairs,):
            return _dict_of(where, pairs)
    return _UNKNOWN


def _eval(where: Place, source: SourceFile, arguments: tuple[Value, ...]) -> Value:
    match arguments:  # how paddle.save writes a static-graph tensor: the expression is just `data`
        case ("data", {"data": Array() as array, **rest}) if not rest:
            return array
    return _UNKNOWN


def _scalar(where: Place, source: SourceFile, arguments: tuple[Value, ...]) -> Value:
    """A numpy scalar becomes an array of no dimensions."""
    dtype, data = arguments if len(arguments) == 2 else (None, None)
    if not isinstance(dtype, DTypeValue) or not isinstance(data, Blob):
        return _UNKNOWN
    array = Array()
    _set_data(where, source, array, dtype, data)
    return array


def _set(where: Place, source: SourceFile, arguments: tuple[Value, ...]) -> Value:
    match arguments:
        case ():
            return []
        case (list() as items,):
            return items
    return _UNKNOWN


def _record(where: Place, source: SourceFile, arguments: tuple[Value, ...]) -> Value:
    match arguments:
        case ():
            return {}
        case (dict() as held,):
            return held
    return _UNKNOWN


def _default(where: Place, source: SourceFile, arguments: tuple[Value, ...]) -> Value:
    match arguments:
        case () | (None | Global(),):
            return {}
    return _UNKNOWN


def _path(where: Place, source: SourceFile, arguments: tuple[Value, ...]) -> Value:
    if not all(isinstance(part, str) for part in arguments):
        return _UNKNOWN
    first, *rest = [str(part) for part in arguments] or ["."]
    return f"{first}{'' if first == '/' or not rest else '/'}{'/'.join(rest)}"


def _datetime(where: Place, source: SourceFile, arguments: tuple[Value, ...]) -> Value:
    match arguments:
        case (Blob(length=4 | 10) as data, *_) if not data.encoded:
            return _moment(data.data or source.read(data.offset, data.length))
    return _UNKNOWN


_UNKNOWN = object()
_CALLS: Mapping[Global, Callable[[Place, SourceFile, tuple[Value, ...]], Value]] = MappingProxyType(
    {
        Global.RECONSTRUCT: _reconstruct,
        Global.DTYPE: _dtype,
        Global.ENCODE: _encode,
        Global.BYTES: _bytes,
        Global.TUPLE: _tuple,
        Global.ORDERED_DICT: _ordered,
        Global.EVAL: _eval,
        Global.SCALAR: _scalar,
        Global.SET: _set,
        Global.RECORD: _record,
        Global.COUNTER: _record,
        Global.DEFAULTDICT: _default,
        Global.PATH: _path,
        Global.DATETIME: _datetime,
    }
)
"""What may be called; what the file's arguments are not fit for is `_UNKNOWN`."""


def _moment(data: bytes) -> str:
    """What `datetime` and `date` keep of themselves: the year in two bytes, then one each, microseconds in three."""
    date = f"{data[0] * 256 + data[1]:04}-{data[2] & 0x7F:02}-{data[3]:02}"
    return date if len(data) < 10 else f"{date} {data[4]:02}:{data[5]:02}:{data[6]:02}"


def build(where: Place, source: SourceFile, target: Value, state: Value) -> None:
    """Give `target` its state: a dtype its byte order, an array its shape, type and data."""
    if type(target) is Array and target.kind is None and type(state) is tuple and len(state) == 5:
        version, shape, dtype, fortran, data = state
        if (
            version == 1
            and type(shape) is tuple
            and type(dtype) is DTypeValue
            and type(fortran) is bool
            and type(data) is Blob
        ):
            target.shape = _shape(where, shape)
            target.fortran = fortran and len(shape) > 1
            _set_data(where, source, target, dtype, data)
            return
    match target, state:
        case dict() as record, dict() as held if not record:  # a Namespace
            record.update(held)
        case DTypeValue(), (int(), str() as order, None, None, None, *_):
            target.order = order
        case Array(), (1, tuple(), DTypeValue(code="O8" | "O"), *_):
            raise _refused(where, "an array of Python objects")
        case _:
            raise _refused(where, "a value whose state is not one that numpy writes")


def _set_data(where: Place, source: SourceFile, array: Array, dtype: DTypeValue, data: Blob) -> None:
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


def _shape(where: Place, shape: tuple[Value, ...]) -> tuple[int, ...]:
    sizes = plain_shape(shape)
    if sizes is None:
        raise _refused(where, "an array with an impossible shape")
    return sizes


def _dict_of(where: Place, pairs: list[Value]) -> dict[Value, Value]:
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


def _refused(where: Place, what: str) -> ConvertError:
    return ConvertError(f"{where}: {what}; refused, and nothing was executed")
