"""Inputs of a check: whatever the user has, as named numpy arrays; and further ones that show more."""

from __future__ import annotations

import math
import os
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Mapping
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


@dataclass(frozen=True)
class Further:
    """An input like the given one, with other numbers in other shapes; its arrays are made when they are asked for."""

    name: str
    given: Mapping[str, Array]
    shapes: Mapping[str, tuple[int, ...]]
    seed: tuple[int, ...]
    vary: bool = False
    """Whether masks and ids that are all equal become others: they hide what is done with them."""
    largest: float = 1.0
    """How many times as large as usual some of the numbers are; the others lie between."""
    unusual: bool = False
    """Whether nobody expects the model to take such an input: that Paddle's does not is not told."""
    limit: bool = False
    """Whether a port may raise on it: that is a limit of the port and no difference."""

    def arrays(self, batch: int | None = None) -> dict[str, Array]:
        """batch: the most that a batch may hold (None: as many as given), where all inputs have the same."""
        rng, shapes = np.random.default_rng(self.seed), self.shapes
        if batch is not None and len({shape[:1] for shape in shapes.values()}) == 1:
            shapes = {
                name: (*(min(n, batch) for n in shape[:1]), *shape[1:]) for name, shape in shapes.items()
            }
        return {name: self._like(self.given[name], shape, rng) for name, shape in shapes.items()}

    def made_for_the_given_batch(self, results: Iterable[tuple[int, ...]]) -> bool:
        """Whether one of the results has as many samples as the given inputs, though these here have one."""
        given = {array.shape[:1] for array in self.given.values()} - {
            shape[:1] for shape in self.shapes.values()
        }
        return any(shape[:1] in given for shape in results)

    def _like(self, array: Array, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        alone = len(self.given) == 1
        if self.vary and _hides(array, alone):
            return _others(array, shape, rng)
        if _is_mask(array, alone):
            # Rows in another order; a longer one goes on as it ends.
            rows = array[rng.permutation(len(array))]
            return rows[
                np.ix_(*(np.minimum(np.arange(n), m - 1) for n, m in zip(shape, rows.shape, strict=True)))
            ]
        if array.dtype.kind == "f":
            numbers = (float(array.std()) or 1.0) * rng.standard_normal(shape)
            if self.largest > 1.0:
                numbers *= self.largest ** rng.uniform(size=shape)
            return (float(array.mean()) + numbers).astype(np.float32)
        if array.dtype.kind in "iu" and array.size:
            return rng.integers(int(array.min()), int(array.max()) + 1, shape).astype(array.dtype)
        return array[: shape[0]] if shape else array


def _is_mask(array: Array, alone: bool) -> bool:
    """Zeros and ones; those of a model's only input may as well be numbers of an image."""
    return (
        array.ndim > 0
        and array.size > 0
        and (array.dtype.kind != "f" or not alone)
        and bool(((array == 0) | (array == 1)).all())
    )


def _hides(array: Array, alone: bool) -> bool:
    """Whether it is a mask or ids that are all equal: nothing shows where each of them goes."""
    if array.size < 2 or array.min() != array.max():
        return False
    return array.min() == 1 and not alone if array.dtype.kind == "f" else bool(array.min() >= 0)


def _others(array: Array, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Ids up to the given one; for zeros or ones, some of the other at the end of each sample, as padding has it."""
    value = int(array.flat[0])
    if value > 1:
        return rng.integers(1, value + 1, shape).astype(array.dtype)
    others = np.full(shape, value, array.dtype)
    for sample in others if others.ndim > 1 else others[None]:
        sample[..., rng.integers(1, max(2, sample.shape[-1])) :] = 1 - value
    return others


def further_inputs(inputs: Mapping[str, Array], mode: str, *, seed: int = 1) -> list[tuple[Further, ...]]:
    """Other numbers, for images other heights and widths, and larger numbers: of each row, the first that the model takes is enough."""
    shapes = {name: array.shape for name, array in inputs.items()}
    numbers = [Further("other numbers", inputs, shapes, (seed,))]
    if any(_hides(array, len(inputs) == 1) for array in inputs.values()):
        numbers.insert(0, Further("other numbers, masks and ids", inputs, shapes, (seed,), vary=True))
    rows = [tuple(numbers)]
    images = [name for name, array in inputs.items() if array.ndim == 4 and array.dtype.kind == "f"]
    if images:
        rows.append(
            tuple(
                Further(
                    name,
                    inputs,
                    {**shapes, **{n: _resized(shapes[n], step, signs) for n in images}},
                    (seed, i),
                )
                for i, (name, step, signs) in enumerate(SIZES)
            )
        )
    else:
        rows += [tuple(_of_other_lengths(inputs, shapes, seed, axis)) for axis in (1, 2)]
    rows.append(tuple(_of_one_large_sample(inputs, shapes, seed, mode)))
    return rows


def _of_one_large_sample(
    inputs: Mapping[str, Array], shapes: Mapping[str, tuple[int, ...]], seed: int, mode: str
) -> Iterator[Further]:
    """Large numbers, and one sample alone: both on one input, which costs the least."""
    batches = {shape[:1] for shape in shapes.values()}
    # A BatchNorm in train mode has no statistics of one sample: torch's refuses it.
    single = mode == "eval" and len(batches) == 1 and max(batches) > (1,)
    if single:
        shapes = {name: (1, *shape[1:]) for name, shape in shapes.items()}
    if any(array.dtype.kind == "f" and not _is_mask(array, len(inputs) == 1) for array in inputs.values()):
        for numbers, largest in LARGEST.items():
            name = f"one sample of {numbers}" if single else numbers
            yield Further(name, inputs, shapes, (seed,), largest=largest, unusual=True)
    if single:
        yield Further("one sample", inputs, shapes, (seed,), unusual=True)


def _of_other_lengths(
    inputs: Mapping[str, Array], shapes: Mapping[str, tuple[int, ...]], seed: int, axis: int
) -> Iterator[Further]:
    """Sequences of another length along an axis, wherever an input has as many there as the longest."""
    length = max((shape[axis] for shape in shapes.values() if len(shape) > axis), default=1)
    if length == 1:
        return
    for longer in (length + 1, length - 1) if length > LONG else (2 * length + 1, length + 1, length - 1):
        changed = {
            name: tuple(longer if i == axis and n == length else n for i, n in enumerate(shape))
            for name, shape in shapes.items()
        }
        yield Further(f"{longer} along axis {axis}", inputs, changed, (seed,), unusual=True, limit=True)


LONG = 64
"""Sequences that are longer than this are not made twice as long."""

LARGEST = {"very large numbers": 1000.0, "larger numbers": 30.0}
"""Some numbers so many times as large reach bounds, thresholds and branches that usual ones do not; the second where the
first makes Paddle's model overflow."""

SIZES = (
    ("odd size", 1, (1, -1)),
    ("another odd size", 1, (-1, 1)),
    ("a larger odd size", 1, (1, 1)),
    ("an odd number of twos", 2, (1, -1)),
    ("an odd number of eights", 8, (1, 1)),
    ("an odd number of thirty-twos", 32, (1, 1)),
)
"""(name, step, whether height and width grow or shrink), the most telling first.

An odd size shows what an even one hides: ceil_mode, padding on one side, floor in an upsampling. One side of the image grows
and the other shrinks: halved again and again, rounding up and rounding down both meet odd sizes. A model may want a square,
or sides that it can halve a few times; of those, odd multiples show the most.
"""


def _resized(shape: tuple[int, ...], step: int, signs: tuple[int, int]) -> tuple[int, ...]:
    """Height and width become other, odd multiples of `step`."""
    counts = (n // step for n in shape[2:])
    odd = (n + 2 * sign if n % 2 else n + sign for n, sign in zip(counts, signs, strict=True))
    return (*shape[:2], *(step * (count if count > 0 else 3) for count in odd))


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
