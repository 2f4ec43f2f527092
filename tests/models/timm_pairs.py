"""Paddle's zoo against timm's networks of the same name: `python -m tests.models.timm_pairs` prints the table of the docs.

Two libraries by different people, whose layers have different names: the check pairs the weights by running both networks,
fills them with random numbers and judges in eval mode: outputs and arguments, those of training too, on small images.
Random weights, so no download. Wants timm (a development dependency).
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import paddle

from parity import Report, check
from parity.results.finding import Finding
from tests.convert.zoo import zoo


class Pair(NamedTuple):
    paddle: str
    timm: str
    size: int = 64
    """Height and width of the images; VGG's first Linear is a convolution in timm, which wants 7x7 of the features."""


PAIRS = (
    *(Pair(f"resnet{n}", f"resnet{n}") for n in (18, 34, 50, 101, 152)),
    *(Pair(name, name) for name in ("resnext50_32x4d", "resnext101_32x4d", "resnext101_64x4d")),
    *(Pair(name, name) for name in ("wide_resnet50_2", "wide_resnet101_2")),
    *(Pair(f"densenet{n}", f"densenet{n}") for n in (121, 161, 169, 201)),
    *(Pair(f"vgg{n}", f"vgg{n}", 224) for n in (11, 13, 16, 19)),
    Pair("inception_v3", "inception_v3", 139),
    Pair("mobilenet_v1", "mobilenetv1_100"),
    Pair("mobilenet_v2", "mobilenetv2_100"),
    Pair("mobilenet_v3_small", "mobilenetv3_small_100"),
    Pair("mobilenet_v3_large", "mobilenetv3_large_100"),
)
QUICK = (
    "resnet18",
    "resnet50",
    "resnext50_32x4d",
    "densenet121",
    "inception_v3",
    "mobilenet_v1",
    "mobilenet_v2",
)
QUICK += ("mobilenet_v3_small", "mobilenet_v3_large")
"""One of each kind; the test runs these."""


def judged(pair: Pair) -> Report:
    """The check of one pair, with weights that hide nothing."""
    network = getattr(paddle.vision.models, pair.paddle)(num_classes=10)
    port = zoo("timm").create_model(pair.timm, num_classes=10)
    images = np.random.default_rng(0).standard_normal((2, 3, pair.size, pair.size)).astype(np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Paddle says at every first training step that it tracks statistics
        return check(network, port, images, randomize=True)


def row(pair: Pair, report: Report) -> str:
    differs = "; ".join(dict.fromkeys(map(_short, report.findings))) or "nothing"
    return f"| `{pair.paddle}` | `{pair.timm}` | {report.verdict} | {differs} |"


def _short(finding: Finding) -> str:
    """What differs, in how many layers, and with which values."""
    layers = len(finding.layers)
    where = f"{layers} layers" if layers > 1 else f"`{finding.layer}`"
    if finding.attribute:
        values = f"{finding.values.get('paddle')} in Paddle, {finding.values.get('torch')} in timm"
        return f"{finding.operator} {finding.attribute}: {values} ({where})"
    return f"{finding.cause} ({where})"


def table(pairs: Iterable[Pair]) -> Iterable[str]:
    yield "| Paddle | timm | verdict | what differs |"
    yield "|---|---|---|---|"
    for pair in pairs:
        yield row(pair, judged(pair))


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="Paddle's names; default: all")
    args = parser.parse_args(arguments)
    for line in table(pair for pair in PAIRS if not args.names or pair.paddle in args.names):
        print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
