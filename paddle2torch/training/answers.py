"""What a network answers to images in evaluation: to one window, to ten, at several scales, or densely.

A network is opened once, in either framework, as a function from images to logits; the rest is numpy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from paddle2torch.training.checkpoints import weights_file
from paddle2torch.training.errors import TrainingError
from paddle2torch.training.metrics import probabilities
from paddle2torch.training.recipe import Network

Array = np.ndarray[Any, np.dtype[Any]]

Ask = Callable[[Array], Array]
"""[N, C, H, W] -> logits [N, classes], in eval mode."""


def open_network(network: Network, weights: str | None, *, seed: int = 0, dense: bool = False) -> Ask:
    """A network in eval mode, with the weights of a checkpoint of either framework, or random ones.

    dense: its fully convolutional twin, whose map of logits is averaged.
    """
    networks: Any
    if network.framework == "paddle":
        from paddle2torch.training import network_paddle as networks
    else:
        from paddle2torch.training import network_torch as networks
    model = networks.build(network, seed=seed)
    if weights is not None:
        networks.load(model, weights_file(weights), network)
    model.eval()
    if not dense:
        return lambda images: _rows(networks.logits(model, images))
    if network.framework == "paddle":
        from paddle2torch.training.dense_paddle import fully_convolutional
    else:
        from paddle2torch.training.dense_torch import fully_convolutional  # type: ignore[assignment]
    twin = fully_convolutional(model)

    def ask(images: Array) -> Array:
        if min(images.shape[2:]) < LEAST:
            raise TrainingError(
                f"an image of {images.shape[2]}x{images.shape[3]} has no window of {LEAST}x{LEAST}, which dense evaluation "
                f"takes; make it larger with --scales {LEAST}"
            )
        found: Array = np.asarray(networks.logits(twin, images), dtype=np.float64).mean(axis=(2, 3))
        return found

    return ask


LEAST = 224
"""Height and width of the smallest image that a fully convolutional twin takes."""


def _rows(logits: Array) -> Array:
    if logits.ndim != 2:
        raise TrainingError(
            f"the network answers {list(logits.shape)} to images, and is to answer a row of logits to each"
        )
    return logits


def crops_apart(ask: Ask, images: Array) -> Array:
    """Logits of [N, 10, C, H, W]: [10, N, classes]."""
    count, crops = images.shape[:2]
    found = ask(images.reshape(count * crops, *images.shape[2:]))
    return found.reshape(count, crops, -1).transpose(1, 0, 2)


def combined(parts: Sequence[Array]) -> Array:
    """One answer of several to the same images: the logarithm of their mean probability, [N, classes] each.

    The softmax of what is returned is that mean (Simonyan, Zisserman 2014, section 3.2).
    """
    mean = np.mean([probabilities(part) for part in parts], axis=0)
    found: Array = np.log(np.maximum(mean, np.finfo(np.float64).tiny))
    return found


def answer(ask: Ask, images: Array) -> Array:
    """Logits [N, classes] for images [N, C, H, W], or for ten windows of each, [N, 10, C, H, W]."""
    return ask(images) if images.ndim in {2, 4} else combined(list(crops_apart(ask, images)))
