"""The score of a network on a data set: what each way of looking at an image answers is averaged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np

from convert.names import listed
from paddle2torch.training.answers import Ask, answer, combined, open_network
from paddle2torch.training.errors import TrainingError
from paddle2torch.training.metrics import Score, score
from paddle2torch.training.pipeline import Batches
from paddle2torch.training.recipe import Images, Network
from paddle2torch.training.runner import pipeline_of
from paddle2torch.training.sources import Source

Array = np.ndarray[Any, np.dtype[Any]]


def ways(
    images: Images,
    size: tuple[int, int],
    *,
    scales: Sequence[int] = (),
    ten: bool = False,
    dense: bool = False,
) -> list[str]:
    """The transforms of each way to look at an image; size: of the network's window."""
    window = f"{size[0]}x{size[1]}"
    if not (scales or ten or dense):
        return [images.transforms]
    end = "" if dense else f" ten-crop:{window}" if ten else f" center-crop:{window}"
    resized = images.transforms.partition(" ")[0]
    if ten and not scales and resized == f"resize:{window}":
        raise TrainingError(
            f"the usual transform of these images leaves no more than a window of {window}; say the size that windows are taken "
            "of, such as --scales 256"
        )
    return [f"resize:{scale}{end}" for scale in scales] if scales else [resized + end]


def evaluate(
    network: Network,
    weights: str | None,
    source: Source,
    images: Images,
    transforms: Sequence[str],
    *,
    dense: bool = False,
    batch: int = 32,
    workers: int = 0,
) -> Score:
    """Loss and accuracy; dense: with the fully convolutional twin, and each image with its mirror image."""
    ask = open_network(network, weights, dense=dense)
    size = 1 if dense else batch  # whole images have sizes of their own
    with ExitStack() as stack:
        looks = [
            stack.enter_context(Batches(source, pipeline_of(images, text), size, workers=workers))
            for text in transforms
        ]
        return score(answers(ask, looks, dense=dense))


def answers(ask: Ask, looks: Sequence[Batches], *, dense: bool = False) -> Iterator[tuple[Array, Array]]:
    """Logits and labels, batch by batch."""
    for parts in zip(*(look.epoch() for look in looks), strict=True):
        found = [answer(ask, part.images) for part in parts]
        if dense:
            found += [ask(np.ascontiguousarray(part.images[..., ::-1])) for part in parts]
        check_classes(found[0].shape[1], looks[0].source.classes)
        yield (found[0] if len(found) == 1 else combined(found)), parts[0].labels


def check_classes(count: int, classes: Sequence[str]) -> None:
    """TrainingError where a network tells fewer classes apart than there are."""
    if max(count, 2) < len(classes):
        raise TrainingError(
            f"the network tells {max(count, 2)} classes apart, and the images have {len(classes)} ({listed(classes)})"
        )
