"""What the opcode machine puts on its stack in place of live objects.

None of these can run anything: a global is a member of an enumeration, a call builds one of the few
dataclasses below, and everything else is a plain Python literal or container.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType

from convert.checkpoint.payload import Payload
from convert.dtypes import DType


class Global(Enum):
    """The only globals a checkpoint may name."""

    __hash__ = (
        object.__hash__
    )  # an enumeration's own is a function of Python's, and a call looks its global up

    RECONSTRUCT = "numpy array"
    SCALAR = "numpy scalar"
    NDARRAY = "numpy.ndarray"
    DTYPE = "numpy.dtype"
    ENCODE = "_codecs.encode"
    ORDERED_DICT = "OrderedDict"
    TUPLE = "tuple"
    BYTES = "bytes"
    EVAL = "eval"
    SET = "set"
    RECORD = "Namespace"
    DEFAULTDICT = "defaultdict"
    COUNTER = "Counter"
    FACTORY = "a type"
    PATH = "path"
    DATETIME = "datetime"


PLAIN: Mapping[tuple[str, str], Global] = MappingProxyType(
    {
        **{(m, n): Global.SET for m in ("builtins", "__builtin__") for n in ("set", "frozenset")},
        ("argparse", "Namespace"): Global.RECORD,
        ("types", "SimpleNamespace"): Global.RECORD,
        ("collections", "defaultdict"): Global.DEFAULTDICT,
        ("collections", "Counter"): Global.COUNTER,
        **{
            (m, n): Global.FACTORY
            for m in ("builtins", "__builtin__")
            for n in ("list", "dict", "int", "float", "str", "bool")
        },
        **{
            (m, n): Global.PATH
            for m in ("pathlib", "pathlib._local")
            for n in ("PosixPath", "PurePosixPath", "WindowsPath", "PureWindowsPath")
        },
        ("datetime", "datetime"): Global.DATETIME,
        ("datetime", "date"): Global.DATETIME,
    }
)
"""What configurations beside the weights are made of; each becomes a dictionary, a list or a text."""

GLOBALS: Mapping[tuple[str, str], Global] = MappingProxyType(
    {
        ("numpy.core.multiarray", "_reconstruct"): Global.RECONSTRUCT,
        ("numpy._core.multiarray", "_reconstruct"): Global.RECONSTRUCT,
        ("numpy.core.multiarray", "scalar"): Global.SCALAR,
        ("numpy._core.multiarray", "scalar"): Global.SCALAR,
        ("numpy", "ndarray"): Global.NDARRAY,
        ("numpy", "dtype"): Global.DTYPE,
        ("_codecs", "encode"): Global.ENCODE,
        ("collections", "OrderedDict"): Global.ORDERED_DICT,
        ("builtins", "tuple"): Global.TUPLE,
        ("__builtin__", "tuple"): Global.TUPLE,
        ("builtins", "bytes"): Global.BYTES,
        ("__builtin__", "bytes"): Global.BYTES,
        ("builtins", "eval"): Global.EVAL,
        ("__builtin__", "eval"): Global.EVAL,
        **PLAIN,
    }
)


class Place:
    """Where in a file a machine is, as text for a message: made when one is needed, and not for every call."""

    __slots__ = ("at", "path")

    def __init__(self, path: str) -> None:
        self.path, self.at = path, 0

    def __str__(self) -> str:
        return f"{self.path} at byte {self.at}"


@dataclass(slots=True, eq=False)
class Text:
    """A text too long to be a name: almost always an array's data in protocol 2."""

    offset: int
    length: int


@dataclass(slots=True, eq=False)
class Blob:
    """A byte string, not read. `encoded` when it is UTF-8 of Latin-1 text (protocol 2)."""

    offset: int
    length: int
    encoded: bool
    data: bytes | None = None
    """The decoded bytes when they are few (or not in the file at all)."""
    uses: int = 0
    """How many arrays have claimed it so far."""


@dataclass(slots=True, eq=False)
class DTypeValue:
    """`numpy.dtype('f4', False, True)`, then BUILD with its byte order."""

    code: str
    order: str | None = None


@dataclass(slots=True, eq=False)
class Array:
    """An array or numpy scalar; complete once BUILD has set `kind` and `payload`."""

    shape: tuple[int, ...] = ()
    kind: DType | None = None
    payload: Payload | None = None
    fortran: bool = False
    uses: int = field(default=0)


Value = object
"""What may be on the stack: the classes above, None, bool, int, float, str, tuple, list, dict."""
