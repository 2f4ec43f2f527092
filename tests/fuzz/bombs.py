"""Small files that ask for much: each must be answered in bounded time and memory, with one sentence or a result.

`BOMBS` says how each is made; `examine` reads one in a process of its own and says what that cost.
"""

from __future__ import annotations

import json
import pickle
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

EXPORT = np.zeros(2, "f4")
LONG = b"\x8a\xff" + b"\xff" * 254 + b"\x7f"
"""An integer of 255 bytes."""
TENSOR_DATA = b"\x00\x00\x80?"


def _array(shape: bytes, data: bytes = b"C\x04abcd") -> bytes:
    """The pickle of an array, its shape given as opcodes."""
    return (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00tC\x01btR(K\x01("
        + shape
        + b"tcnumpy\ndtype\n"
        b"(X\x02\x00\x00\x00f4\x89\x88tR(K\x03X\x01\x00\x00\x00<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89"
        + data
        + b"tb"
    )


def _named(name: str) -> bytes:
    return b"X" + struct.pack("<I", len(name)) + name.encode()


def pickled(*items: tuple[str, bytes]) -> bytes:
    """A pickle of a dictionary of values given as opcodes."""
    return b"\x80\x03}" + b"".join(_named(name) + value + b"s" for name, value in items) + b"."


def safetensors(header: str | bytes, data: int = 4) -> bytes:
    """A safetensors file with this header and so many bytes of data."""
    text = header.encode() if isinstance(header, str) else header
    return len(text).to_bytes(8, "little") + text + bytes(data)


def _entry(shape: str, begin: int = 0, end: int = 4) -> str:
    return f'{{"dtype":"F32","shape":[{shape}],"data_offsets":[{begin},{end}]}}'


def many_safetensors(count: int) -> bytes:
    """A sound safetensors file of `count` tensors."""
    entries = ",".join(f'"layer.{i}.w":{_entry("1", 4 * i, 4 * i + 4)}' for i in range(count))
    return safetensors("{" + entries + "}", 4 * count)


def torch_zip(text: bytes, **storages: bytes) -> Callable[[Path], None]:
    """Writes what torch.save would, with `text` as its pickle."""

    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a/data.pkl", text)
            for name, data in storages.items():
                archive.writestr(f"a/data/{name[1:]}", data)

    return write


def torch_tensor(offset: int, count: int, storage: int, key: str = "0") -> bytes:
    """The pickle of a torch tensor."""
    number = lambda value: b"J" + struct.pack("<i", value)  # noqa: E731
    return (
        b"ctorch._utils\n_rebuild_tensor_v2\n((" + _named("storage") + b"ctorch\nFloatStorage\n" + _named(key)
        + _named("cpu") + number(storage) + b"tQ" + number(offset) + b"(" + number(count) + b"t(K\x01t\x89}tR"
    )  # fmt: skip


def _overlapping(path: Path) -> None:
    items = [(f"w{i}", torch_tensor(i % 50, 60_000, 131_072)) for i in range(1000)]
    torch_zip(pickled(*items), s0=bytes(524_288))(path)


def _same_bytes_twice(path: Path) -> None:
    """An archive whose entries all are the same bytes."""
    items = [(f"w{i}", torch_tensor(0, 250_000, 250_000, str(i))) for i in range(200)]
    torch_zip(pickled(*items), s0=bytes(1_000_000))(path)
    data = path.read_bytes()
    at = data.rindex(b"PK\x01\x02")
    end = data.rindex(b"PK\x05\x06")
    one = data[at:end]
    rest = b"".join(
        one[:28] + struct.pack("<H", len(name)) + one[30:46] + name
        for name in (f"a/data/{i}".encode() for i in range(1, 200))
    )
    size = len(data[data.index(b"PK\x01\x02") : end]) + len(rest)
    tail = bytearray(data[end:])
    struct.pack_into("<HHII", tail, 8, 201, 201, size, data.index(b"PK\x01\x02"))
    path.write_bytes(data[:end] + rest + tail)


def _nested(depth: int) -> bytes:
    """Opcodes of a tuple whose text would have 2 to the power of `depth` parts."""
    return b"K\x01\x85q\x000" + b"h\x00h\x00\x86q\x000" * depth + b"h\x00"


def _index(places: Mapping[str, str]) -> bytes:
    return json.dumps({"weight_map": places}).encode()


def _pdiparams(count: int) -> bytes:
    one = bytes(4) + bytes(8) + bytes(4) + struct.pack("<i", 4) + b"\x08\x05\x10\x01" + TENSOR_DATA
    return one * count


def _varint(value: int) -> bytes:
    data = b""
    while value >= 128:
        data += bytes((value & 127 | 128,))
        value >>= 7
    return data + bytes((value,))


def _field(number: int, data: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _many_keys(path: str, count: int) -> dict[str, object]:
    return {f"{path}{i}": {"w": EXPORT} for i in range(count)}


def _deep_keys() -> bytes:
    """Many state dicts below a path of long keys."""
    inside: object = _many_keys("n", 60_000)
    for _ in range(20):
        inside = {"k" * 1000: inside}
    return pickle.dumps(inside, 4)


MB = 1_000_000
BOMBS: Mapping[str, bytes | Callable[[Path], None]] = {
    "shape of 255-byte integers.pdparams": pickled(("w", _array(LONG * 32))),
    "shape of a million sizes.pdparams": pickled(("w", _array(b"K\x01" * 900_000))),
    "zero size beside huge ones.pdparams": pickled(("w", _array(b"K\x00" + b"\x8a\x08" + b"\xff" * 7 + b"\x7f", b"C\x00"))),
    "shape of a million digits.safetensors": safetensors("{" + f'"w":{_entry("9" * MB)}' + "}"),
    "shape of a million sizes.safetensors": safetensors("{" + f'"w":{_entry("1," * MB + "1")}' + "}"),
    "shape of 4,000 digits each.safetensors": safetensors("{" + f'"w":{_entry(",".join(["9" * 4000] * 4000))}' + "}"),
    "offsets of 4,000 digits.safetensors": safetensors("{" + f'"w":{_entry("1", 0, 10**4000)}' + "}"),
    "containers.safetensors": safetensors(b'{"a":[' + b"[]," * 6_000_000 + b"1]}"),
    "small integers.safetensors": safetensors(b'{"a":[' + b"257," * 4_500_000 + b"1]}"),
    "wide text.safetensors": safetensors('{"a":"' + "\U0001f600" * 4_500_000 + '"}'),
    "nested.safetensors": safetensors(b'{"a":' + b"[" * 400_000 + b"]" * 400_000 + b"}"),
    "long header.safetensors": safetensors(b'{"a":"' + b"x" * 30_000_000 + b'"}'),
    "million tensors.safetensors": lambda path: path.write_bytes(many_safetensors(MB)) and None,
    "hundred thousand tensors.safetensors": lambda path: path.write_bytes(many_safetensors(100_000)) and None,
    "containers.safetensors.index.json": b'{"weight_map":{"a":[' + b"[]," * 6_000_000 + b"1]}}",
    "many shards.safetensors.index.json": _index({f"w{i}": f"{i}.safetensors" for i in range(90_000)}),
    "no name.safetensors.index.json": _index({"w": "a\0b.safetensors"}),
    "half a character.safetensors.index.json": _index({"w": "\ud800.safetensors"}),
    "global of nested tuples.pth": torch_zip(b"\x80\x02" + _nested(60) + _named("x") + b"\x93."),
    "global of nested tuples.pdparams": b"\x80\x04" + _nested(60) + _named("x") + b"\x93.",
    "slices called by nested tuples.pdparams": b"\x80\x04}" + _named("UnpackBigParamInfor@@") + b"}" + _named("v") + b"}"
    + _named("OriginShape") + b"K\x01\x85s" + _named("slices") + b"]" + _nested(60) + b"asss.",
    "slices called by nested tuples, beside a tensor.pdparams": b"\x80\x04}" + _named("UnpackBigParamInfor@@") + b"}"
    + _named("v") + b"}" + _named("OriginShape") + b"K\x01\x85s" + _named("slices") + b"]" + _nested(60) + b"asss"
    + _named("w") + _array(b"K\x01") + b"s.",
    "overlapping tensors.pth": _overlapping,
    "overlapping entries.pth": _same_bytes_twice,
    "tuple of a long list again and again.pdparams": b"\x80\x04c__builtin__\ntuple\nq\x00](" + b"N" * 400_000 + b"e\x85q\x01"
    + b"h\x00h\x01R" * 190_000 + b".",
    "dictionary of a long list again and again.pdparams": b"\x80\x04ccollections\nOrderedDict\nq\x00](" + b"".join(
        b"J" + struct.pack("<i", i) + b"N\x86" for i in range(100_000)
    ) + b"e\x85q\x01" + b"h\x00h\x01R" * 190_000 + b".",
    "bytes of a text again and again.pdparams": b"\x80\x04c_codecs\nencode\nq\x00" + _named("x" * 1000) + _named("latin1")
    + b"\x86q\x01" + b"h\x00h\x01R" * 330_000 + b".",
    "scalars, 40 MB.pdparams": b"\x80\x04cnumpy.core.multiarray\nscalar\nq\x00cnumpy\ndtype\n(X\x02\x00\x00\x00f4\x89\x88tR(K\x03"
    b"X\x01\x00\x00\x00<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tbC\x04abcd\x86q\x01" + b"h\x00h\x01R" * 8_000_000 + b".",
    "dictionaries, 30 MB.pdparams": b"\x80\x04" + b"}" * 30_000_000 + b".",
    "dictionaries remembered, 40 MB.pdparams": b"\x80\x04" + b"}\x94" * 20_000_000 + b".",
    "dictionaries of one, 40 MB.pdparams": b"\x80\x04" + b"}NNs" * 10_000_000 + b".",
    "lists of one, 30 MB.pdparams": b"\x80\x04" + b"]Na" * 10_000_000 + b".",
    "tuples, 30 MB.pdparams": b"\x80\x04N" + b"\x85" * 30_000_000 + b".",
    "floats, 45 MB.pdparams": b"\x80\x04" + b"G\x3f\xf1\x11\x11\x11\x11\x11\x11" * 5_000_000 + b".",
    "texts, 48 MB.pdparams": b"\x80\x04" + b"X\x01\x00\x00\x00a" * 8_000_000 + b".",
    "names, 44 MB.pdparams": b"\x80\x04" + b"".join(_named(f"name{i:020}") for i in range(1_500_000)) + b".",
    "long integers, 30 MB.pdparams": b"\x80\x04" + LONG * 120_000 + b".",
    "long key paths.pdparams": _deep_keys(),
    "60,000 state dicts.pdparams": pickle.dumps(_many_keys("n", 60_000), 4),
    "60,000 state dicts.pth": torch_zip(pickled(*((f"n{i}", b"}" + _named("w") + torch_tensor(0, 1, 1) + b"s") for i in range(60_000))), s0=TENSOR_DATA),
    "50,000 tensors.pdparams": lambda path: path.write_bytes(
        pickle.dumps({f"layer.{i}.w": np.full(1, i, "f4") for i in range(50_000)}, 4)
    ) and None,
    "many tensors.pdiparams": _pdiparams(1_000_000),
}  # fmt: skip
PROGRAMS: Mapping[str, bytes] = {
    "protobuf of 30 MB.pdmodel": b"\x10\x01" * 15_000_000,
    "protobuf of 30 MB of variables.pdmodel": _field(1, _field(3, b"\x18\x01" + _field(2, b"\x08\x07") + _field(1, b"w")) * 2_300_000),
    "containers of 20 MB.json": b'{"program":{"regions":[' + b"[]," * 6_000_000 + b"1]}}",
    "containers of 30 MB.json": b'{"program":{"regions":[' + b"[]," * 10_000_000 + b"1]}}",
    "objects.json": b'{"program":{"regions":[' + b'{"":0},' * 490_000 + b'""]}}',
    "operators.json": b'{"program":{"regions":[{"blocks":[{"ops":[' + b'{"#":"p","A":[0,0,0,"w"]},' * 240_000 + b"{}]}]}]}}",
}  # fmt: skip
"""Programs that are read beside a `.pdiparams` of two tensors."""

PROBE = """
import sys, time
def peak():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
import json, numpy
from convert import ConvertError, open_checkpoint
before, started = peak(), time.process_time()
try:
    with open_checkpoint(sys.argv[1]) as checkpoint:
        said = f"{len(checkpoint)} tensors"
        refused = False
except ConvertError as error:
    said, refused = str(error), True
print(json.dumps([refused, said, time.process_time() - started, (peak() - before) / 1024]))
"""


@dataclass(frozen=True)
class Cost:
    """What a file cost to read."""

    refused: bool
    said: str
    seconds: float
    megabytes: float


def write(folder: Path, name: str) -> Path:
    """The file called `name`, and where it is a program the weights beside it; what a user would name."""
    path = folder / name
    if name in PROGRAMS:
        path.write_bytes(PROGRAMS[name])
        path = path.with_suffix(".pdiparams")
        path.write_bytes(_pdiparams(2))
        return path
    made = BOMBS[name]
    if isinstance(made, bytes):
        path.write_bytes(made)
    else:
        made(path)
    return path


def examine(path: Path) -> Cost:
    """What reading `path` costs, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE, str(path)], capture_output=True, text=True, timeout=300, check=False
    )
    if done.returncode:
        raise AssertionError(f"{path.name}: {done.stderr[-500:]}")
    return Cost(*json.loads(done.stdout))
