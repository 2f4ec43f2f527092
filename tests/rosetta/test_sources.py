"""Where a row says that a framework does it, it does: the file exists and has the name."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

import paddle
import pytest
import torch

from convert.rosetta.rows import Kind, Row
from convert.rosetta.table import TABLE

ROWS = [
    pytest.param(row, id=f"{row.kind.value}-{row.paddle}")
    for row in TABLE
    if row.kind in (Kind.LAYER, Kind.FUNCTION, Kind.LOSS, Kind.OPTIMIZER, Kind.SCHEDULER)
]


@pytest.mark.parametrize("row", ROWS)
def test_the_source_of_a_row_has_its_name(row: Row) -> None:
    for framework, source in ((paddle, row.source.paddle), (torch, row.source.torch)):
        if source == "no twin":
            assert not row.torch
            continue
        file, _, name = source.partition(": ")
        path = _below(framework, file)
        assert path.is_file(), source
        assert re.search(rf"\b{re.escape(name)}\b", path.read_text(encoding="utf-8")), source


def _below(framework: ModuleType, file: str) -> Path:
    assert framework.__file__
    folder = Path(framework.__file__).parent
    return folder.parent / file if file.startswith("torchvision/") else folder / file
