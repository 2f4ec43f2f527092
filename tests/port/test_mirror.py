"""The mirror closes: the port of each of our own Paddle networks is its torch twin, to the letter."""

from __future__ import annotations

from pathlib import Path

import pytest

from paddle2torch.port.source import port_source

ROOT = Path(__file__).parents[2]
FILES = sorted(path.name for path in (ROOT / "paddle_models").glob("*.py") if path.name != "__init__.py")


def source(framework, name):
    return (ROOT / f"{framework}_models" / name).read_text()


@pytest.mark.parametrize("name", FILES)
def test_the_port_of_a_network_is_its_twin_to_the_letter(name):
    done = port_source(source("paddle", name))
    assert done.text == source("torch", name)
    assert not done.left


@pytest.mark.parametrize("name", FILES)
def test_a_port_is_left_alone_when_it_is_ported_again(name):
    assert port_source(source("torch", name)).text == source("torch", name)
