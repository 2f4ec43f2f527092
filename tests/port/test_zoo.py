"""Paddle's own zoo: every file ports without a line left, and its networks compute the same. `python -m benchmarks.port` runs all of them."""

from __future__ import annotations

import importlib
import sys
import warnings

import pytest

from benchmarks.port import PACKAGE, factories, ported, verdicts


@pytest.fixture(scope="module")
def zoo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("zoo")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Paddle's own, when it is imported first
        made = ported(folder)
    sys.path.insert(0, str(folder))
    yield made
    sys.path.remove(str(folder))
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]


def test_no_line_of_the_zoo_is_left(zoo):
    left = {name: [item.why for item in port.left] for name, port in zoo.items() if port.left}
    assert not left


def test_every_factory_is_there_after_the_port(zoo):
    missing = [
        name for file, name in factories() if not hasattr(importlib.import_module(f"{PACKAGE}.{file}"), name)
    ]
    assert not missing


@pytest.mark.slow
@pytest.mark.parametrize(("file", "name"), [("lenet", "LeNet"), ("shufflenetv2", "shufflenet_v2_x0_25")])
def test_a_network_of_the_zoo_is_proven_as_it_was_ported(zoo, file, name):
    assert verdicts(file, name, size=32, train=False) == ["EQUIVALENT"]
