"""A whole data set through both networks: what each says of every image, in bounded memory, and able to go on.

The data set is cut into shards. Whoever computes a shard (this process, a local pool, Ray) only hands its rows back; they are
written here, each shard once, so that nothing is lost and nothing counted twice whatever dies on the way.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from convert.checkpoint.source import sha256_of
from convert.names import counted
from paddle2torch.training.answers import Ask, answer, open_network
from paddle2torch.training.checkpoints import weights_file
from paddle2torch.training.errors import TrainingError
from paddle2torch.training.evaluate import check_classes
from paddle2torch.training.metrics import TOP, probabilities
from paddle2torch.training.pipeline import Batches
from paddle2torch.training.recipe import Images, Network
from paddle2torch.training.runner import pipeline_of
from paddle2torch.training.sources import Source

Array = np.ndarray[Any, np.dtype[Any]]
Row = dict[str, Any]
"""Of one image: `i` its place, `y` its class, `p` and `t` the five most probable classes of Paddle and torch, `d` the greatest
difference of their logits, `s` Paddle's greatest logit."""

ROWS = "rows.jsonl"
CLOSER = 100
"""Flips that are looked at in float64."""
LARGEST = 10
"""Images with the largest differences that are listed, and looked at in float64."""
LEFT = 0.1
"""Share of a difference that may be left in float64 where rounding is said to explain it."""
EDGES = tuple(float(edge) for edge in np.arange(-12, 3.01, 0.25))
"""Of the bins of differences, as powers of ten."""


@dataclass(frozen=True)
class Job:
    """What is compared: both networks with their weights, the images, and how many of them make a shard."""

    networks: Mapping[str, Network]
    weights: Mapping[str, str]
    source: Source
    images: Images
    batch: int = 32
    shard: int = 64
    pythons: Mapping[str, str] = field(default_factory=dict)
    """The interpreters of sides that do not run in this one."""

    @property
    def shards(self) -> range:
        """The numbers of the shards."""
        return range(-(-len(self.source) // self.shard))

    def places(self, number: int) -> range:
        """Of the images of a shard."""
        return range(len(self.source))[number * self.shard : (number + 1) * self.shard]

    @cached_property
    def identity(self) -> dict[str, Any]:
        """What must be the same for a run to go on; JSON."""
        found: dict[str, Any] = json.loads(
            json.dumps(
                {
                    "networks": {side: asdict(network) for side, network in self.networks.items()},
                    "weights": {side: _digest(path) for side, path in self.weights.items()},
                    "images": self.source.fingerprint(),
                    "transforms": [self.images.transforms, self.images.mean, self.images.std],
                    "shard": self.shard,
                }
            )
        )
        return found


def _digest(place: str) -> str:
    """Of the file with the weights."""
    path = Path(weights_file(place))
    return sha256_of(*(sorted(path.iterdir()) if path.is_dir() else [path]))


class Judge:
    """Both networks in one process, asked about one shard after the other.

    They are built when they are first asked, so that what is wrong with them is the answer, also where this is another process.
    """

    def __init__(self, job: Job) -> None:
        self.job = job

    @cached_property
    def _asks(self) -> dict[str, Ask]:
        return {side: self._open(side, network) for side, network in self.job.networks.items()}

    def _open(self, side: str, network: Network) -> Ask:
        if side not in self.job.pythons:
            return open_network(network, self.job.weights[side])
        from paddle2torch.training.elsewhere import open_elsewhere

        return open_elsewhere(network, self.job.weights[side], self.job.pythons[side])

    def rows(self, number: int) -> list[Row]:
        """What both say of the images of a shard."""
        places = self.job.places(number)
        found: list[Row] = []
        for logits, labels in self._answers(places, self._asks):
            check_classes(logits["paddle"].shape[1], self.job.source.classes)
            if logits["paddle"].shape != logits["torch"].shape:
                shapes = " and ".join(str(list(logits[side].shape)) for side in ("paddle", "torch"))
                raise TrainingError(f"the networks answer {shapes}: they do not tell the same classes apart")
            for row in range(len(labels)):
                found.append(
                    self._row(places[len(found)], int(labels[row]), {s: v[row] for s, v in logits.items()})
                )
        return found

    def _answers(self, places: Any, asks: Mapping[str, Ask]) -> Iterator[tuple[dict[str, Array], Array]]:
        chosen = self.job.source.chosen(places)
        batches = Batches(chosen, pipeline_of(self.job.images, self.job.images.transforms), self.job.batch)
        for batch in batches.epoch():
            yield {side: answer(ask, batch.images) for side, ask in asks.items()}, batch.labels

    def _row(self, place: int, label: int, logits: Mapping[str, Array]) -> Row:
        best = {
            side: np.argsort(-probabilities(v[None])[0], kind="stable")[:TOP].tolist()
            for side, v in logits.items()
        }
        difference = np.abs(np.asarray(logits["torch"], np.float64) - logits["paddle"]).max()
        return {
            "i": place,
            "y": label,
            "p": best["paddle"],
            "t": best["torch"],
            "d": float(difference),
            "s": float(np.abs(logits["paddle"]).max()),
        }

    def closer(self, places: list[int]) -> list[dict[str, float]]:
        """The same images in float64: what is left of each difference of logits there, and how large it was."""
        wide = {side: replace(network, dtype="float64") for side, network in self.job.networks.items()}
        exact = {side: self._open(side, network) for side, network in wide.items()}
        found = []
        for (single, _), (double, _) in zip(
            self._answers(places, self._asks), self._answers(places, exact), strict=True
        ):
            was, left = (
                np.abs(v["torch"].astype(np.float64) - v["paddle"]).max(axis=1) for v in (single, double)
            )
            found += [{"was": float(a), "left": float(b)} for a, b in zip(was, left, strict=True)]
        return found


@dataclass
class Tally:
    """What the rows come to, image by image."""

    count: int = 0
    equal: int = 0
    right: dict[str, int] = field(default_factory=lambda: {"paddle": 0, "torch": 0})
    right5: dict[str, int] = field(default_factory=lambda: {"paddle": 0, "torch": 0})
    zero: int = 0
    """Images whose logits are the same to the last bit."""
    bins: list[int] = field(default_factory=lambda: [0] * (len(EDGES) - 1))
    greatest: float = 0.0
    total: float = 0.0
    unreadable: int = 0
    """Images for which a network answers something that is no number."""
    flips: list[Row] = field(default_factory=list)
    """The first of them; `count - equal` is how many there are."""
    largest: list[tuple[float, int, Row]] = field(default_factory=list)

    def add(self, row: Row) -> None:
        """Count an image."""
        self.count += 1
        for side, best in (("paddle", row["p"]), ("torch", row["t"])):
            self.right[side] += best[0] == row["y"]
            self.right5[side] += row["y"] in best
        if row["p"][0] == row["t"][0]:
            self.equal += 1
        elif len(self.flips) < CLOSER:
            self.flips.append(row)
        difference = row["d"]
        if not np.isfinite(difference):
            self.unreadable += 1
            return
        self.total += difference
        self.greatest = max(self.greatest, difference)
        if difference == 0:
            self.zero += 1
        else:
            place = int(np.clip(np.searchsorted(EDGES, np.log10(difference)) - 1, 0, len(self.bins) - 1))
            self.bins[place] += 1
        heapq.heappush(self.largest, (difference, -row["i"], row))
        if len(self.largest) > LARGEST:
            heapq.heappop(self.largest)


Compute = Callable[[Job, list[int]], Iterator[tuple[int, list[Row]]]]
"""Gives the rows of the shards with these numbers, at least one, in any order."""


def collect(job: Job, folder: Path, compute: Compute, progress: Callable[[int, int], None]) -> Tally:
    """Compute the shards that `folder` does not hold yet, and count everything. TrainingError where it holds another job's."""
    if folder.exists() and not folder.is_dir():
        raise TrainingError(f"{folder}: is a file; name a folder for what is found")
    path = folder / ROWS
    identity = job.identity
    done = _held(path, identity)
    wanted = [number for number in job.shards if number not in done]
    total = len(job.source)
    counted_so_far = sum(len(job.places(number)) for number in done)
    progress(counted_so_far, total)
    for number, rows in compute(job, wanted) if wanted else ():
        if number in done:
            continue
        folder.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            if path.stat().st_size == 0:
                file.write(json.dumps({"identity": identity}) + "\n")
            file.write(json.dumps({"shard": number, "rows": rows}) + "\n")
        done.add(number)
        counted_so_far += len(rows)
        progress(counted_so_far, total)
    tally = Tally()
    for rows in _lines(path):
        for row in rows:
            tally.add(row)
    if tally.count != total:
        raise TrainingError(
            f"{path}: holds {counted(tally.count, 'image')} of {total}; take the file away and run again"
        )
    return tally


def _held(path: Path, identity: Mapping[str, Any]) -> set[int]:
    """The numbers of the shards that are on file; what a killed process left half written is cut off."""
    if not path.is_file() or path.stat().st_size == 0:
        return set()
    with path.open("rb+") as file:
        good = 0
        for line in file:
            if not line.endswith(b"\n"):
                break
            good += len(line)
        file.truncate(good)
        file.seek(0)
        head = file.readline()
    if not head:
        return set()
    try:
        before = json.loads(head)["identity"]
    except (ValueError, KeyError, TypeError):
        raise TrainingError(
            f"{path}: was not written by `paddle2torch agree`; choose another folder"
        ) from None
    changed = [name for name in identity if before.get(name) != identity[name]]
    if changed:
        raise TrainingError(
            f"{path.parent}: was begun with other {' and '.join(changed)}, so it cannot be gone on with; choose another folder, or "
            "bring back what it was begun with"
        )
    return set(_places(path))


def _places(path: Path) -> dict[int, int]:
    """Number of each shard on file -> where its line begins."""
    found = {}
    with path.open("rb") as file:
        file.readline()
        place = file.tell()
        for line in file:
            found[int(json.loads(line)["shard"])] = place
            place += len(line)
    return found


def _lines(path: Path) -> Iterator[list[Row]]:
    """The rows of every shard on file, in order, whatever the order in which they came; one shard in memory at a time."""
    with path.open("rb") as file:
        for _, place in sorted(_places(path).items()):
            file.seek(place)
            yield json.loads(file.readline())["rows"]


def judged(job: Job, tally: Tally) -> dict[str, Any]:
    """The result: counts, and whether rounding explains the flips and the largest differences."""
    largest = [row for _, _, row in sorted(tally.largest, reverse=True)]
    looked_at = {row["i"]: row for row in (*tally.flips, *largest) if row["d"] > 0}
    places = list(looked_at)
    left = dict(zip(places, Judge(job).closer(places), strict=True)) if places else {}
    flips = tally.count - tally.equal
    entries = {
        kind: [_entry(job, row, left.get(row["i"])) for row in rows]
        for kind, rows in (("flips", tally.flips), ("largest", largest))
    }
    explained = sum(entry["rounding"] for entry in entries["flips"])
    agrees = (
        explained == flips and not tally.unreadable and all(entry["rounding"] for entry in entries["largest"])
    )
    return {
        "version": 1,
        "agrees": agrees,
        "images": tally.count,
        "skipped": dict(job.source.skipped),
        "equal": tally.equal,
        "no_numbers": tally.unreadable,
        "flips": {"count": flips, "explained_by_rounding": explained, "shown": entries["flips"]},
        "accuracy": {side: tally.right[side] / tally.count for side in tally.right},
        "top5": {side: tally.right5[side] / tally.count for side in tally.right5},
        "differences": {
            "greatest": tally.greatest,
            "mean": tally.total / max(1, tally.count - tally.unreadable),
            "equal_to_the_bit": tally.zero,
            "edges": [10**edge for edge in EDGES],
            "bins": tally.bins,
            "largest": entries["largest"],
        },
        "job": job.identity,
    }


def _entry(job: Job, row: Row, left: Mapping[str, float] | None) -> dict[str, Any]:
    classes = job.source.classes
    return {
        "image": job.source.names[row["i"]],
        "class": classes[row["y"]],
        "paddle": _name(classes, row["p"][0]),
        "torch": _name(classes, row["t"][0]),
        "difference": row["d"],
        "greatest_logit": row["s"],
        "left_in_float64": None if left is None else left["left"],
        "rounding": row["d"] == 0 or (left is not None and left["left"] <= LEFT * left["was"]),
    }


def _name(classes: tuple[str, ...], place: int) -> str:
    return classes[place] if place < len(classes) else f"class {place}"
