"""Other people's names for the layers of our networks, as data.

The same architecture is spelled differently in Paddle's own zoo (`paddle.vision.models`), in older files
and in textbook code written as one long Sequential. An alias renames layer paths, so that `recognize`
knows such a checkpoint and `convert` can place its tensors. An alias says that the tensors are the same,
not that the layers around them are: `paddle2torch parity` proves that.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Alias:
    """One spelling: which models it applies to, and (pattern, path) rows for whole layer paths.

    The first pattern that matches gives the new path; a path that none matches stays as it is.
    """

    title: str
    models: tuple[str, ...]
    rows: tuple[tuple[str, str], ...]

    def rename(self, path: str) -> str:
        """The path of a layer in our spelling."""
        for pattern, ours in self.rows:
            match = re.fullmatch(pattern, path)
            if match:
                return match.expand(ours)
        return path


def _exactly(paths: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((re.escape(theirs), ours) for theirs, ours in paths.items())


ZOO_RESNET = Alias(
    "paddle.vision.models resnet (torchvision's names)",
    tuple(f"resnet{layers}" for layers in (18, 34, 50, 101, 152)),
    (
        ("conv1", "conv._conv"),
        ("bn1", "conv._batch_norm"),
        ("fc", "out"),
        *(
            row
            for stage in range(4)
            for row in (
                (rf"layer{stage + 1}\.(\d+)\.downsample\.0", rf"bb_{stage}_\1.short._conv"),
                (rf"layer{stage + 1}\.(\d+)\.downsample\.1", rf"bb_{stage}_\1.short._batch_norm"),
                *(
                    (rf"layer{stage + 1}\.(\d+)\.conv{i + 1}", rf"bb_{stage}_\1.conv{i}._conv")
                    for i in range(3)
                ),
                *(
                    (rf"layer{stage + 1}\.(\d+)\.bn{i + 1}", rf"bb_{stage}_\1.conv{i}._batch_norm")
                    for i in range(3)
                ),
            )
        ),
    ),
)

DENSENETS = ("densenet121", "densenet169", "densenet201")
ZOO_DENSENET = Alias(
    "paddle.vision.models densenet",
    DENSENETS,
    (
        (r"conv1_func\._conv", "features.conv0"),
        (r"conv1_func\._batch_norm", "features.norm0"),
        (r"batch_norm", "features.norm5"),
        (r"out", "classifier"),
        *(
            row
            for block in range(1, 5)
            for row in (
                (
                    rf"db_conv_{block + 1}\.conv{block + 1}_(\d+)\.bn_ac_func([12])\._conv",
                    rf"features.denseblock{block}.denselayer\1.conv\2",
                ),
                (
                    rf"db_conv_{block + 1}\.conv{block + 1}_(\d+)\.bn_ac_func([12])\._batch_norm",
                    rf"features.denseblock{block}.denselayer\1.norm\2",
                ),
                (rf"tr_conv{block + 1}_blk\.conv_ac_func\._conv", f"features.transition{block}.conv"),
                (rf"tr_conv{block + 1}_blk\.conv_ac_func\._batch_norm", f"features.transition{block}.norm"),
            )
        ),
    ),
)
OLD_DENSENET = Alias(
    "the old official DenseNet names (norm.1 for norm1)",
    DENSENETS,
    ((r"(.*\.denselayer\d+\.(?:norm|conv))\.([12])", r"\1\2"),),
)
SPACED_DENSENET = Alias(
    "DenseNet with a space in its names (denseblock 1)",
    DENSENETS,
    (
        (r"(.*denseblock) (\d+)(\.denselayer) (\d+)(.*)", r"\1\2\3\4\5"),
        (r"(.*transition) (\d+)(.*)", r"\1\2\3"),
    ),
)

# Textbook networks as one Sequential: the index of each layer that has weights.
LENET_LAYERS = ("conv1", "conv2", "fc1", "fc2", "fc3")
SEQUENTIAL_LENET = Alias(
    "LeNet as one Sequential",
    ("lenet",),
    _exactly(dict(zip(("0", "3", "7", "9", "11"), LENET_LAYERS, strict=True))),
)
SEQUENTIAL_LENET_RESHAPE = Alias(
    "LeNet as one Sequential that begins with a reshape",
    ("lenet",),
    _exactly(dict(zip(("1", "4", "8", "10", "12"), LENET_LAYERS, strict=True))),
)
SEQUENTIAL_ALEXNET = Alias(
    "AlexNet as one Sequential",
    ("alexnet",),
    _exactly(
        {"0": "conv1", "3": "conv2", "6": "conv3", "8": "conv4", "10": "conv5"}
        | {"14": "fc1", "17": "fc2", "20": "fc3"}
    ),
)
SEQUENTIAL_NIN = Alias(
    "NiN as one Sequential",
    ("nin",),
    _exactly(
        {
            f"{index}.{2 * conv}": f"block{block}.conv{conv + 1}"
            for block, index in enumerate((0, 2, 4, 7), start=1)
            for conv in range(3)
        }
    ),
)
SEQUENTIAL_VGG = Alias(
    "VGG from pairs as one Sequential",
    ("vgg11_pairs", "vgg11_pairs_quarter"),
    (
        *(
            (rf"{block}\.{2 * conv}", f"blocks.block{block + 1}.conv{conv + 1}")
            for block in range(5)
            for conv in range(2)
        ),
        ("6", "fc1"),
        ("9", "fc2"),
        ("12", "fc3"),
    ),
)
SEQUENTIAL_DENSENET_LINEAR = Alias(
    "DenseNet of Linear layers as one Sequential",
    ("densenet_linear",),
    (
        (r"0\.([02])", r"stem.\1"),
        *(
            row
            for block in range(1, 5)
            for row in (
                (rf"{2 * block - 1}\.net\.(\d+)\.0", rf"body.denseblock{block}.net.\1.norm"),
                (rf"{2 * block - 1}\.net\.(\d+)\.2", rf"body.denseblock{block}.net.\1.linear"),
                (rf"{2 * block}\.0", f"body.transition{block}.norm"),
                (rf"{2 * block}\.2", f"body.transition{block}.linear"),
            )
        ),
        ("8", "norm"),
        ("10", "output"),
    ),
)

ALIASES = (
    ZOO_RESNET,
    ZOO_DENSENET,
    OLD_DENSENET,
    SPACED_DENSENET,
    SEQUENTIAL_LENET,
    SEQUENTIAL_LENET_RESHAPE,
    SEQUENTIAL_ALEXNET,
    SEQUENTIAL_NIN,
    SEQUENTIAL_VGG,
    SEQUENTIAL_DENSENET_LINEAR,
)
