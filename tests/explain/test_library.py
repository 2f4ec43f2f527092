"""What differs inside an installed package is told where the user makes its model, with what can be done there."""

from __future__ import annotations

import pytest

from parity.explain.telling.library import of_the_user
from parity.results.finding import Finding
from parity.trace.trace import Trace

INSIDE = "/venv/lib/python3.11/site-packages/timm/models/resnet.py:40"


def found(where):
    return Finding(
        "net.stem.bn", "BatchNorm2d", where, "eps: torch has 1, Paddle has 2", "BatchNorm2d(..., eps=2)", {}
    )


@pytest.mark.parametrize(
    ("lines", "where", "told"),
    [
        ({"net": "port.py:7", "net.stem": INSIDE}, "port.py:7", "hand ResNet an argument"),
        ({"net.stem": INSIDE}, INSIDE, "hand its factory an argument"),
    ],
)
def test_a_line_of_a_package_is_told_by_what_makes_its_model(lines, where, told):
    trace = Trace(
        "torch", "2", "Net", "eval", "float64", "cpu", constructors=lines, modules={"net": {"type": "ResNet"}}
    )
    finding = of_the_user(found(INSIDE), trace)
    assert finding.where == where
    assert told in finding.fix
    assert "timm/models/resnet.py:40" in finding.fix
    assert of_the_user(found("port.py:9"), trace) == found("port.py:9")
