"""`paddle2torch guide` answers a name of either framework with the twin, the arguments, the traps and an example."""

from __future__ import annotations

import json

import pytest

from convert.rosetta.rows import Kind
from convert.rosetta.table import TABLE
from paddle2torch.cli import main


def _guide(capsys, *words: str) -> str:
    assert main(["guide", *words]) == 0
    return " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("name", ["nn.AvgPool2D", "paddle.nn.AvgPool2D", "torch.nn.AvgPool2d", "avgpool2d"])
def test_a_name_is_found_as_people_write_it(capsys, name):
    told = _guide(capsys, name)
    assert "paddle.nn.AvgPool2D -> torch.nn.AvgPool2d" in told


def test_arguments_traps_and_examples_are_shown_as_they_are_written(capsys):
    told = _guide(capsys, "nn.AvgPool2D")
    assert "exclusive=True count_include_pad=True not v" in told
    assert "[t, b, l, r]" in told  # brackets are text, not markup
    assert "trap: exclusive=True, Paddle's default, is count_include_pad=False" in told
    assert "wrong F.avg_pool2d(x, 3, 2, padding=1)" in told
    assert "right F.avg_pool2d(x, 3, 2, padding=1, count_include_pad=False)" in told
    assert "paddle nn.AvgPool2D(" in told
    assert "nn/layer/pooling.py" in told


def test_what_happens_to_each_parameter_is_shown(capsys):
    told = _guide(capsys, "nn.BatchNorm2D")
    assert "_variance running_var renamed, copied" in told
    assert "num_batches_tracked generated: 0" in told
    assert "weight weight transposed" in _guide(capsys, "nn.Linear")


def test_an_unknown_name_gets_the_nearest_ones_and_exit_code_2(capsys):
    assert main(["guide", "F.avg_pol2d"]) == 2
    error = capsys.readouterr().err
    assert "'F.avg_pol2d' is not in the table; did you mean nn.functional.avg_pool2d" in error


def test_a_name_of_several_words_is_an_idiom(capsys):
    idiom = next(row for row in TABLE if row.kind is Kind.IDIOM)
    assert idiom.paddle in _guide(capsys, *idiom.paddle.split())


def test_the_overview_counts_every_row(capsys):
    told = _guide(capsys)
    assert f"{len(TABLE)} rows, each proven in both frameworks" in told
    assert all(f" {kind.value} " in told for kind in Kind)


@pytest.mark.parametrize("row", [pytest.param(row, id=row.paddle) for row in TABLE])
def test_every_row_can_be_looked_up_and_shown(capsys, row):
    names = (row.paddle,) if row.kind is Kind.IDIOM else (row.paddle, row.torch)
    for name in filter(None, names):
        told = _guide(capsys, name)
        assert row.paddle in told


def test_json_holds_the_whole_row(capsys):
    assert main(["guide", "nn.AvgPool2D", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["torch"] == "nn.AvgPool2d"
    assert row["kind"] == "layer"
    assert {"paddle": "exclusive", "torch": "count_include_pad"}.items() <= row["arguments"][4].items()
    assert row["traps"][0]["naive"] == "F.avg_pool2d(x, 3, 2, padding=1)"
