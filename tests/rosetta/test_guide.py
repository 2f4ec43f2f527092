"""`paddle2torch guide` answers a name of either framework with the twin, the arguments, the traps and an example."""

from __future__ import annotations

import json

import pytest

from convert.columns import cells
from convert.rosetta.rows import Kind
from convert.rosetta.table import TABLE
from paddle2torch import console
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


@pytest.mark.parametrize(
    ("words", "rows"),
    [
        ("平均池化", {"nn.AvgPool2D", "nn.functional.avg_pool2d", "nn.AdaptiveAvgPool2D"}),
        ("上采样", {"nn.Upsample", "nn.functional.interpolate"}),
        ("转置", {"transpose", "nn.Conv2DTranspose"}),
        ("批归一化", {"nn.BatchNorm2D"}),
        ("学习率 预热", {"optimizer.lr.LinearWarmup"}),
        ("冻结 BatchNorm", {"freeze BatchNorm"}),
        ("滑动方差", {"nn.BatchNorm2D"}),
        ("自适应池化", {"nn.AdaptiveAvgPool2D", "nn.AdaptiveMaxPool2D"}),
        ("双三次插值", {"nn.functional.interpolate"}),
        ("余弦退火", {"optimizer.lr.CosineAnnealingDecay"}),
        ("参数初始化", {"nn.initializer.Constant"}),
    ],
)
def test_a_row_is_found_by_what_it_is_called_in_chinese(capsys, words, rows):
    assert main(["guide", *words.split(), "--json"]) == 0
    assert {row["paddle"] for row in json.loads(capsys.readouterr().out)} >= rows


def test_what_is_called_exactly_so_stands_first(capsys):
    assert main(["guide", "平均池化", "--json"]) == 0
    first, *_, last = json.loads(capsys.readouterr().out)
    assert (first["paddle"], last["paddle"]) == ("nn.AvgPool1D", "nn.functional.lp_pool2d")


def test_a_question_in_chinese_is_answered_in_chinese(capsys):
    told = _guide(capsys, "学习率", "预热")
    assert "没有对应物" in told
    assert "替代写法：LambdaLR" in told
    assert "陷阱：" in _guide(capsys, "nn.AvgPool2D", "--language", "zh")
    assert "trap: exclusive=True" in _guide(capsys, "nn.AvgPool2D")


def test_words_that_are_nobodys_name_find_the_rows_that_say_them(capsys):
    told = _guide(capsys, "running", "variance")
    assert told.startswith("nothing is called 'running variance', but these rows speak of it:")
    assert "paddle.nn.BatchNorm2D" in told
    assert main(["guide", "没有的词"]) == 2
    assert "'没有的词' is not in the table" in capsys.readouterr().err


@pytest.mark.parametrize("width", [80, 100, 120])
def test_chinese_fits_a_terminal(capsys, monkeypatch, width):
    monkeypatch.setattr(console, "_bounded", lambda: True)
    monkeypatch.setenv("COLUMNS", str(width))
    for name in ("nn.AvgPool2D", "nn.BatchNorm2D", "nn.functional.interpolate", "optimizer.AdamW"):
        assert main(["guide", name, "--language", "zh"]) == 0
        shown = capsys.readouterr().out.splitlines()
        assert max(map(cells, shown)) <= width
        assert not [line for line in shown if line.lstrip()[:1] in set("，。：；、）")]
