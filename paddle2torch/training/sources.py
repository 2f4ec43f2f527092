"""Where images come from: class folders, file names that tell the class, an .npz, or scikit-learn's digits.

A source only names its images and gives them one by one, as a Pillow image or, where an .npz holds floats, as the array
that it is. It is small enough to be sent to worker processes.
"""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from convert.names import counted, listed
from paddle2torch.training.errors import BadImageError, TrainingError

if TYPE_CHECKING:
    from PIL import Image as Pillow

Array = np.ndarray[Any, np.dtype[Any]]

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp")
PIXELS = {1: "L", 3: "RGB"}
"""Channels of a network -> Pillow's word for such an image."""
PREFIXES: tuple[Mapping[str, str], ...] = (
    {
        "H": "normal",
        "N": "normal",
        "P": "pathologic",
    },  # iChallenge-PM: high myopia, normal, pathologic myopia
    {"cat": "cat", "dog": "dog"},
)
"""How a file name tells the class, where a folder has no class folders: beginning -> class."""
_ENDS = 4096
"""Bytes at either end of a file by which a changed one is known."""


@dataclass(frozen=True)
class Source:
    """Named images with their classes, in a fixed order.

    names: of files below `root`, or `#3` for a row of an array. labels: [N] int64, each the place of its class in
    `classes`. pixels: Pillow's word for the images that the network takes. skipped: what `--skip-bad` left out, and why.
    """

    names: tuple[str, ...]
    labels: Array
    classes: tuple[str, ...]
    root: Path | None = None
    arrays: Array | None = field(default=None, repr=False)
    pixels: str = "RGB"
    skipped: tuple[tuple[str, str], ...] = ()

    def __len__(self) -> int:
        return len(self.names)

    @property
    def ready(self) -> bool:
        """Whether these are arrays of floats already, which no transform applies to."""
        return self.arrays is not None and self.arrays.dtype.kind == "f"

    def image(self, index: int) -> Pillow.Image | Array:
        """One image, decoded; BadImageError for one that cannot be."""
        if self.arrays is None:
            assert self.root is not None
            return opened(self.root / self.names[index], self.pixels)
        if self.ready:
            found: Array = self.arrays[index]
            return found
        pillow = _pillow()
        image: Pillow.Image = pillow.fromarray(self.arrays[index])
        return image if image.mode == self.pixels else image.convert(self.pixels)

    def chosen(self, indices: Sequence[int] | Array) -> Source:
        """Some of the images, in the given order."""
        places = np.asarray(indices, dtype=np.int64)
        return replace(
            self,
            names=tuple(self.names[i] for i in places),
            labels=self.labels[places],
            arrays=None if self.arrays is None else self.arrays[places],
        )

    def split(self, share: float, seed: int) -> tuple[Source, Source]:
        """A first part with `share` of the images and a second with the rest, by a seeded shuffle; each in order of names."""
        order = np.random.default_rng(seed).permutation(len(self))
        cut = int(len(self) * share)
        if not 0 < cut < len(self):
            raise TrainingError(
                f"--split {share:g} of {counted(len(self), 'image')} leaves one part empty; choose another share"
            )
        return self.chosen(np.sort(order[:cut])), self.chosen(np.sort(order[cut:]))

    def fingerprint(self) -> str:
        """A digest that changes when an image, a name, a class or the order does; of large files by size and both ends."""
        digest = hashlib.sha256(repr((self.classes, self.pixels)).encode())
        for index, name in enumerate(self.names):
            digest.update(f"\0{name}\0{int(self.labels[index])}\0".encode("utf-8", "surrogateescape"))
            if self.arrays is not None:
                digest.update(np.ascontiguousarray(self.arrays[index]).tobytes())
            else:
                assert self.root is not None
                digest.update(_ends(self.root / name))
        return digest.hexdigest()


def _pillow() -> Any:
    try:
        from PIL import Image
    except ModuleNotFoundError:
        raise TrainingError("reading images needs Pillow: run `pip install pillow`") from None
    return Image


def opened(path: Path, pixels: str, *, decode: bool = True) -> Pillow.Image:
    """An image file, decoded unless told otherwise; BadImageError for one that is broken or of other pixels."""
    pillow = _pillow()
    try:
        with path.open("rb") as file:
            image: Pillow.Image = pillow.open(file)
            if image.mode == pixels and decode:
                image.load()
    except FileNotFoundError:
        if _is_broken_link(path):
            raise BadImageError(str(path), "is a link to a file that does not exist") from None
        raise TrainingError(f"{path}: no such image") from None
    except IsADirectoryError:
        raise TrainingError(f"{path}: is a folder, and an image is asked for") from None
    except pillow.UnidentifiedImageError:
        raise BadImageError(str(path), "cannot be read as an image") from None
    except Exception as error:  # Pillow's readers raise whatever a broken file makes them raise
        what = str(error) or type(error).__name__
        raise BadImageError(str(path), f"cannot be read as an image ({what})") from None
    if image.mode != pixels:
        why = f"is {_KINDS.get(image.mode, image.mode)}, and the network takes {_KINDS[pixels]}"
        raise BadImageError(str(path), why)
    return image


_KINDS = {
    "L": "grey",
    "RGB": "RGB",
    "P": "a palette image",
    "RGBA": "RGB with transparency",
    "LA": "grey with transparency",
    "I;16": "grey with 16 bits",
    "1": "black and white",
}


def _ends(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            head = file.read(_ENDS)
            size = file.seek(0, 2)
            file.seek(max(len(head), size - _ENDS))
            return head + file.read(_ENDS) + size.to_bytes(8, "little")
    except OSError as error:
        raise TrainingError(f"{path}: cannot be read ({error.strerror})") from None


def open_source(
    data: str,
    *,
    channels: int = 3,
    prefixes: Mapping[str, str] | None = None,
    classes: Sequence[str] | None = None,
    skip_bad: bool = False,
) -> Source:
    """The images that `data` names: "digits", an .npz with `images` and `labels`, or a folder.

    channels: of the network. prefixes: beginning of a file name -> class, for a folder without class folders. classes:
    their order, where another source has it already. TrainingError for what holds no images, or none that fit.
    """
    pixels = PIXELS.get(channels, "")
    if data == "digits":
        found = digits(pixels or "L")
    elif data.endswith(".npz"):
        found = _archive(Path(data), pixels)
    else:
        if not pixels:
            raise TrainingError(f"{data}: images have 1 or 3 channels, and the network takes {channels}")
        found = _folder(Path(data), pixels, prefixes, skip_bad=skip_bad)
    return found if classes is None else _with_classes(found, tuple(classes), data)


def _with_classes(source: Source, classes: tuple[str, ...], data: str) -> Source:
    strangers = [name for name in source.classes if name not in classes]
    if strangers:
        raise TrainingError(
            f"{data}: has {listed(strangers)}, which is no class of the training images ({listed(classes)})"
        )
    places = np.array([classes.index(name) for name in source.classes], dtype=np.int64)
    return replace(source, classes=classes, labels=places[source.labels])


def digits(pixels: str) -> Source:
    """scikit-learn's 1797 scanned digits, 8x8 grey: real images that need no download."""
    try:
        from sklearn.datasets import load_digits
    except ModuleNotFoundError:
        raise TrainingError("the digits come with scikit-learn: run `pip install scikit-learn`") from None
    held = load_digits()
    images = np.round(held.images * (255 / 16)).astype(np.uint8)
    return _rows(images, held.target.astype(np.int64), tuple("0123456789"), pixels)


def _rows(images: Array, labels: Array, classes: tuple[str, ...], pixels: str) -> Source:
    return Source(tuple(f"#{i}" for i in range(len(images))), labels, classes, arrays=images, pixels=pixels)


def _archive(path: Path, pixels: str) -> Source:
    """`images`: uint8 [N,H,W] or [N,H,W,3], or floats [N,...] as the network takes them; `labels`: [N] whole numbers."""
    try:
        if not zipfile.is_zipfile(path):
            path.open("rb").close()
            raise TrainingError(f"{path}: is no .npz; save it with np.savez(path, images=..., labels=...)")
        with np.load(path, allow_pickle=False) as archive:
            lacking = [name for name in ("images", "labels") if name not in archive.files]
            if lacking:
                raise TrainingError(
                    f"{path}: has no {listed(lacking)}; save it with np.savez(path, images=..., labels=...)"
                )
            images, labels = archive["images"], archive["labels"]
            names = archive["classes"] if "classes" in archive.files else None
    except FileNotFoundError:
        raise TrainingError(f"{path}: no such file") from None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise TrainingError(f"{path}: cannot be read as an .npz ({error})") from None
    if images.dtype.kind != "f" and (images.dtype != np.uint8 or images.ndim not in (3, 4)):
        raise TrainingError(
            f"{path}: images are uint8 [N,H,W] or [N,H,W,3], or floats as the network takes them, not {images.dtype} "
            f"{list(images.shape)}"
        )
    if labels.shape != images.shape[:1] or labels.dtype.kind not in "iu":
        raise TrainingError(
            f"{path}: {counted(len(images), 'image')} need as many whole numbers as labels, not {labels.dtype} "
            f"{list(labels.shape)}"
        )
    if not len(images):
        raise TrainingError(f"{path}: holds no images")
    labels = labels.astype(np.int64)
    known = tuple(map(str, range(int(labels.max()) + 1))) if names is None else tuple(map(str, names))
    outside = np.flatnonzero((labels < 0) | (labels >= len(known)))
    if len(outside):
        first = int(outside[0])
        raise TrainingError(
            f"{path}: the label of image {first} is {int(labels[first])}, and labels go from 0 to {len(known) - 1}"
        )
    return _rows(images, labels, known, pixels or "L")


def _folder(root: Path, pixels: str, prefixes: Mapping[str, str] | None, *, skip_bad: bool) -> Source:
    if not root.exists():
        raise TrainingError(f"{root}: no such folder; --data is a folder of images, an .npz, or `digits`")
    if not root.is_dir():
        raise TrainingError(f"{root}: is no folder; --data is a folder of images, an .npz, or `digits`")
    below = sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))
    held = {} if prefixes is not None else {folder.name: _images(folder) for folder in below}
    if any(held.values()):
        empty = [name for name, paths in held.items() if not paths]
        if empty:
            raise TrainingError(
                f"{root}: the class folder {listed(empty)} holds no images; fill it, or take it away"
            )
        found, classes = [(path, name) for name, paths in held.items() for path in paths], tuple(held)
    else:
        found, classes = _named(root, _images(root), prefixes)
    good, skipped = _checked(found, root, pixels, skip_bad=skip_bad)
    if not good:
        raise TrainingError(
            f"{root}: all {counted(len(found), 'image')} are bad ({skipped[0][0]} {skipped[0][1]})"
        )
    return Source(
        tuple(path.relative_to(root).as_posix() for path, _ in good),
        np.array([classes.index(name) for _, name in good], dtype=np.int64),
        classes,
        root=root,
        pixels=pixels,
        skipped=tuple(skipped),
    )


def _images(folder: Path) -> list[Path]:
    """The image files of a folder and those below, in the order of their names."""
    named = (path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    return sorted(path for path in named if path.is_file() or _is_broken_link(path))


def _is_broken_link(path: Path) -> bool:
    return path.is_symlink() and not path.exists()


def _named(
    root: Path, paths: list[Path], given: Mapping[str, str] | None
) -> tuple[list[tuple[Path, str]], tuple[str, ...]]:
    if not paths:
        raise TrainingError(f"{root}: holds no images; images end in {', '.join(SUFFIXES)}")
    for table in (given,) if given is not None else PREFIXES:
        assert table is not None
        found = [(path, _class_of(path.name, table)) for path in paths]
        lost = [path.name for path, name in found if not name]
        if not lost:
            return found, tuple(dict.fromkeys(table.values()))
        if given is not None:
            raise TrainingError(f"{root}: no beginning in --prefixes fits {listed(lost)}")
    known = " or ".join("/".join(table) for table in PREFIXES)
    raise TrainingError(
        f"{root}: holds images, but no class folders, and their names do not all begin with {known}; put each class into "
        "a folder, or say what names begin with: --prefixes H=normal,P=pathologic"
    )


def _class_of(name: str, table: Mapping[str, str]) -> str:
    longest = max((p for p in table if name.lower().startswith(p.lower())), key=len, default=None)
    return "" if longest is None else table[longest]


def _checked(
    found: Iterable[tuple[Path, str]], root: Path, pixels: str, *, skip_bad: bool
) -> tuple[list[tuple[Path, str]], list[tuple[str, str]]]:
    """What can be used; with `skip_bad` every image is decoded, so that what is left out is settled before a run begins."""
    good, skipped = [], []
    for path, name in found:
        try:
            opened(path, pixels, decode=skip_bad)
        except BadImageError as error:
            if not skip_bad:
                raise
            skipped.append((path.relative_to(root).as_posix(), error.why))
        else:
            good.append((path, name))
    return good, skipped
