"""What vision models train with has a row each: transforms, optimizers, schedulers, initializers, losses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import paddle
import pytest

from convert.rosetta.table import TABLE

LEFT_OUT: dict[str, str] = json.loads(Path(__file__).with_name("not_in_the_table.json").read_text())
IN_TABLE = {row.paddle for row in TABLE}


def _public(root: str, module: Any) -> list[str]:
    return [f"{root}.{name}" for name in module.__all__]


NAMES = (
    *_public("vision.transforms", paddle.vision.transforms),
    *_public("optimizer", paddle.optimizer),
    *_public("optimizer.lr", paddle.optimizer.lr),
    *_public("nn.initializer", paddle.nn.initializer),
    *(f"nn.{name}" for name in paddle.nn.__all__ if name.endswith("Loss") or name.startswith("ClipGrad")),
)


@pytest.mark.parametrize("name", NAMES)
def test_a_public_name_has_a_row_or_a_reason(name: str) -> None:
    assert (name in IN_TABLE) != bool(LEFT_OUT.get(name))


def test_no_reason_is_given_for_a_name_that_does_not_exist() -> None:
    assert set(LEFT_OUT) <= set(NAMES)
