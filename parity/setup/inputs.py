"""Inputs of a check: whatever the user has, as named numpy arrays."""

from __future__ import annotations

import math
import os
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from convert.checkpoint.tensor import plain_shape
from convert.names import shown
from parity.errors import ParityError
from parity.trace.values import Array

UNPACKED_FREE, UNPACKED_MOST = 100_000_000, 20
"""A .npz may unpack to so many bytes, and so many times its own."""


def as_arrays(inputs: Any) -> dict[str, Array]:
    """Inputs by name: positional ones are "0", "1", ...; a dictionary gives keyword arguments.

    Takes a numpy array, a torch or Paddle tensor, a number list, or a tuple, list or dict of them.
    """
    if isinstance(inputs, Mapping):
        found = {str(name): _array(value, str(name)) for name, value in inputs.items()}
    elif isinstance(inputs, (tuple, list)):
        found = {str(i): _array(value, str(i)) for i, value in enumerate(inputs)}
    else:
        found = {"0": _array(inputs, "0")}
    if not found:
        raise ParityError("no inputs were given; pass an array, or a tuple or dictionary of arrays")
    for name, array in found.items():
        if not array.size:
            raise ParityError(
                f"input {name} has shape {list(array.shape)}, which holds nothing to compare on"
            )
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ParityError(f"input {name} holds NaN or Inf; a comparison on it would show nothing")
    return found


def _array(value: Any, name: str) -> Array:
    if hasattr(value, "detach"):
        value = value.detach()
    if hasattr(value, "cpu"):
        value = value.cpu()
    if "bfloat16" in str(getattr(value, "dtype", "")):
        value = value.float() if hasattr(value, "float") else value.astype("float32")
    try:
        array = np.asarray(value.numpy() if hasattr(value, "numpy") else value)
    except ValueError as error:
        raise ParityError(f"input {name} is not an array: {error}") from error
    if array.dtype.kind == "c":
        raise ParityError(f"input {name} holds complex numbers, which are not compared")
    if array.dtype.kind not in "fiub":
        what = (
            f"holds {array.dtype} values" if isinstance(value, np.ndarray) else f"is a {type(value).__name__}"
        )
        raise ParityError(f"input {name} {what}, not numbers in an array or a tensor")
    if array.dtype.kind == "f":
        return array.astype(np.float32)
    return array.astype(array.dtype.newbyteorder("="))


def random_input(shape: tuple[int, ...], *, seed: int = 0) -> Array:
    """Standard normal float32 numbers, the same on every machine."""
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)


WHOLE_BELOW: Mapping[str, int] = {"int64": 10, "int32": 10, "uint8": 256, "bool": 2}
"""Types of whole numbers that an input can be made up of -> what they are below, where nothing is said."""


@dataclass(frozen=True)
class Wanted:
    """An input to make up: standard normal numbers, or whole ones from 0 up to and without `below`."""

    shape: tuple[int, ...]
    dtype: str = "float32"
    below: int = 0


def random_inputs(wanted: Mapping[str, Wanted], *, seed: int = 0) -> dict[str, Array]:
    """Made-up inputs by name, the same on every machine."""
    rng = np.random.default_rng(seed)

    def made(one: Wanted) -> Array:
        if one.dtype == "float32":
            return rng.standard_normal(one.shape, dtype=np.float32)
        below = one.below or WHOLE_BELOW[one.dtype]
        return rng.integers(0, below, one.shape).astype(one.dtype)

    return as_arrays({name: made(one) for name, one in wanted.items()})


def load_inputs(path: Path, *, grey: bool = False) -> dict[str, Array]:
    """Inputs from a .npy, a .npz (names become arguments), or an image (batch of one, 0..1, channels first).

    An image becomes one channel if `grey`, else RGB.
    """
    if not os.path.isfile(path):
        why = (
            "is a directory"
            if os.path.isdir(path)
            else "is no file"
            if os.path.exists(path)
            else "does not exist"
        )
        raise ParityError(f"the input file {path} {why}")
    suffix = path.suffix.lower()
    try:
        if suffix == ".npy":
            return as_arrays(_read_array(path.open("rb")))
        if suffix == ".npz":
            return as_arrays(dict(_archived(path)))
        if suffix in (".png", ".jpg", ".jpeg", ".bmp", ".webp"):
            return as_arrays(_image(path, "L" if grey else "RGB"))
    except ParityError:
        raise
    except (
        Exception
    ) as error:  # what numpy, zip archives and images raise for damaged files has no common class
        told = shown(str(error) or type(error).__name__, 200)
        raise ParityError(f"cannot read the input file {path}: {told}") from None
    raise ParityError(f"{path} is neither .npy, .npz nor an image (.png, .jpg, .bmp, .webp)")


def _archived(path: Path) -> Iterator[tuple[str, Array]]:
    """The arrays of a .npz; one that a small file would blow up is not read."""
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        if sum(entry.file_size for entry in entries) > UNPACKED_FREE + UNPACKED_MOST * os.path.getsize(path):
            raise ParityError(f"the input file {path} would unpack to far more than it has; refused")
        for entry in entries:
            yield (
                entry.filename.removesuffix(".npy").removeprefix("arr_"),
                _read_array(archive.open(entry), entry.file_size),
            )


def _read_array(file: IO[bytes], size: int | None = None) -> Array:
    """The array of a .npy file, whose shape must be what it has bytes for: no memory is taken for any other."""
    with file, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that a header is Python 2's
        size = os.fstat(file.fileno()).st_size if size is None else size
        version = np.lib.format.read_magic(file)
        read = (
            np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        )
        shape, _, dtype = read(file)
        if plain_shape(shape) is None or math.prod(shape) * dtype.itemsize > size:
            raise ValueError(f"an array of shape {shown(shape)} in a file of {size} bytes")
        file.seek(0)
        found: Array = np.load(file, allow_pickle=False)
        return found


def _image(path: Path, pixels_as: str) -> Array:
    try:
        from PIL import Image
    except ModuleNotFoundError:
        raise ParityError("reading an image needs Pillow: run `pip install pillow`") from None
    with Image.open(path) as image:
        pixels = np.asarray(image.convert(pixels_as), dtype=np.float32) / np.float32(255)
    pixels = pixels.reshape(*pixels.shape[:2], -1)
    result: Array = np.ascontiguousarray(pixels.transpose(2, 0, 1)[None])
    return result
