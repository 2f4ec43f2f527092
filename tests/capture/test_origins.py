"""Every tensor has a known origin: a value that nobody saw being made would hide an operator."""

from __future__ import annotations

import numpy as np
import pytest

paddle = pytest.importorskip("paddle")

from paddle.vision import models as zoo  # noqa: E402

from parity.capture import paddle as capture  # noqa: E402
from parity.capture.options import Options  # noqa: E402
from parity.graph.build import build  # noqa: E402

SIZES = {
    "LeNet": (1, 28, 28),
    "inception_v3": (3, 112, 112),
    "alexnet": (3, 224, 224),
    "googlenet": (3, 224, 224),
}
QUICK = (
    "LeNet",
    "densenet121",
    "mobilenet_v1",
    "mobilenet_v2",
    "mobilenet_v3_small",
    "resnet18",
    "shufflenet_v2_swish",
    "shufflenet_v2_x0_25",
    "squeezenet1_0",
)
# Every factory that Paddle has, those that it will have too; the classes in between are what they build.
FACTORIES = [
    pytest.param(name, marks=[] if name in QUICK else pytest.mark.full)
    for name in zoo.__all__
    if name[0].islower() or name == "LeNet"
]


def test_the_zoo_is_there():
    assert set(QUICK) < {parameter.values[0] for parameter in FACTORIES}


@pytest.mark.filterwarnings("ignore:When training, we now always track")
@pytest.mark.parametrize("name", FACTORIES)
def test_no_value_of_a_zoo_network_is_of_unknown_origin(name):
    model = getattr(zoo, name)()
    image = np.random.default_rng(0).standard_normal((2, *SIZES.get(name, (3, 64, 64)))).astype(np.float32)
    for mode in ("eval", "train"):
        trace = capture.run(model, {"0": image}, mode=mode, options=Options(), store=None)
        assert build(trace).unknown == []
        unnamed = {op.name for op in trace.ops if "arguments" in op.attributes}
        assert unnamed == set(), "operators that the vocabulary does not know are not audited"
