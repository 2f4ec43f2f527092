"""What a terminal of 80, 100 or 120 columns shows: rendered at that width, line by line."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from convert.columns import Column, aligned
from parity.numbers.compare import Difference
from parity.numbers.observed import Observed
from parity.report.report import Report
from parity.report.text import show
from parity.results.finding import Finding, Note
from parity.results.judgement import Judgement, Row, Status
from parity.results.results import Case

WIDTHS = (80, 100, 120)
LAYER = "backbone.stage4.blocks.11.attention.projection"


def apart(gap: float) -> Difference:
    return Difference(gap, gap, 1.0, (1, 63, 111, 111), 1, 100, gap, 0.0)


def row(number: int, gap: float, status: Status, operator: str = "global average pooling (mean)") -> Row:
    return Row(
        *(f"{LAYER}.{number}",) * 2,
        operator,
        (2, 512, 112, 112),
        "net.py:3",
        apart(gap),
        apart(3e-4),
        1e-7,
        1e-7,
        apart(gap),
        status,
    )


def case(mode: str, rows: list[Row], gap: float = 0.0, **judged) -> Case:
    judgement = Judgement(
        rows=rows,
        outputs={"output": apart(gap)},
        outputs32={"output": apart(3e-4)},
        observed={"output": Observed(apart(gap), 1e-10)},
        **judged,
    )
    return Case("given input", mode, {"0": (2, 3, 224, 224)}, judgement)


def report(gap: float = 1e-13, **judged) -> Report:
    rows = [row(n, gap * n, Status.SAME) for n in range(40)]
    return Report("net.py:Net", "port.py:Net", (case("eval", rows, gap, **judged), case("train", rows, gap)))


FINDING = Finding(
    f"{LAYER}.7",
    "AvgPool2d",
    "port.py:83",
    "exclusive: torch has False, Paddle has True",
    "AvgPool2d()",
    {"max rel": 0.2},
)


def faulty() -> Report:
    states = [Status.SAME, Status.DIFFERENT, Status.INHERITED, Status.CONSTANTS, Status.INSIDE]
    rows = [row(n, 10.0**-n, status) for n, status in enumerate(states)]
    return Report("net.py:Net", "port.py:Net", (case("eval", rows, 2e-2, findings=[FINDING]),))


def screen(shown: Report, width: int, **options) -> list[str]:
    console = Console(file=io.StringIO(), width=width, highlight=False)
    show(shown, console, **options)
    return console.file.getvalue().splitlines()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("every_layer", [False, True])
def test_the_layer_comes_first_and_can_be_read(width, every_layer):
    lines = screen(faulty(), width, every_layer=every_layer)
    assert max(map(len, lines)) <= width
    assert any(line.startswith("layer ") for line in lines)
    rows = [line for line in lines if line.startswith("backb")]
    assert len(rows) == (5 if every_layer else 3)
    for line in rows:
        name = line.split()[0]
        assert len(name) >= 24
        assert name[-2:] in {f".{n}" for n in range(5)}
        assert "e-" in line or "inside" in line


def test_what_gives_way_first_is_what_tells_least():
    def titles(width: int) -> str:
        return next(line for line in screen(faulty(), width) if line.startswith("layer"))

    assert all(
        word in titles(200) for word in ("shape", "f64 abs", "f64 rel", "rounding", "f32 rel", "alone", "at")
    )
    assert all(word not in titles(120) for word in ("shape", "  at", "f64 abs"))
    assert all(word in titles(120) for word in ("operator", "f64 rel", "rounding", "f32 rel", "alone"))
    assert all(word in titles(80) for word in ("operator", "f64 rel", "f32 rel"))


@pytest.mark.parametrize("shown", [report(), faulty()])
def test_the_verdict_is_the_first_line_and_the_last(shown):
    lines = screen(shown, 200, also=lambda: ["written: report.html"])
    assert lines[0] == lines[-1]
    assert lines[0].startswith(shown.verdict.value)
    assert lines[-2] == "written: report.html"


def test_the_last_line_of_a_pipe_is_the_whole_verdict(capsys, monkeypatch):
    from paddle2torch.console import stdout_console

    monkeypatch.setenv("COLUMNS", "80")  # of a program that loaded readline
    named = Report(f"{LAYER}.py:Net", f"{LAYER}/{LAYER}.py:Net", report().cases)
    show(named, stdout_console())
    first, *_, last = capsys.readouterr().out.splitlines()
    assert first == last
    assert len(last) > 200


def test_a_train_run_that_says_what_eval_says_is_one_line():
    lines = screen(report(), 120)
    assert [line for line in lines if line.startswith("given input, train")] == [
        "given input, train, input 0: [2, 3, 224, 224]: every one of the 40 operators as in eval, worst f64 rel 3.9e-12"
    ]
    assert len(lines) < 25
    assert max(map(len, screen(report(), 80))) <= 80
    assert len(screen(report(), 120, every_layer=True)) > 80


def test_the_three_rows_are_those_furthest_beyond_their_rounding():
    rows = [line.split()[0] for line in screen(report(), 120) if line.startswith("backbone")]
    assert rows == [f"{LAYER}.{n}" for n in (37, 38, 39)]
    assert "37 more, all same; --all-layers shows each" in screen(report(), 120)


def test_three_ten_thousandths_are_answered_in_one_sentence():
    assert (
        "given input (eval) output: float32 3.0e-04 apart; float64 1.0e-13 apart, rounding explains 1.0e-10: rounding, not a bug"
        in screen(report(), 160)
    )
    assert (
        "given input (eval) output: float32 3.0e-04 apart; float64 2.0e-02 apart, rounding explains 1.0e-10: more than rounding, see the findings"
        in screen(faulty(), 160)
    )


def test_of_many_outputs_that_agree_the_furthest_is_told_and_each_that_differs():
    gaps = {f"output[{n}]": 1e-13 * n for n in range(1, 9)} | {"logits": 2e-2}
    judgement = Judgement(
        outputs={path: apart(gap) for path, gap in gaps.items()},
        observed={path: Observed(apart(gap), 1e-10) for path, gap in gaps.items()},
        findings=[FINDING],
    )
    many = Report("a", "b", (Case("given input", "eval", {"0": (1,)}, judgement),))
    told = [line for line in screen(many, 200) if line.startswith("given input (eval)")]
    assert [line.split(":")[0] for line in told] == [
        "given input (eval) output[8], the furthest of 8 that agree",
        "given input (eval) logits",
    ]
    assert (
        len([line for line in screen(many, 200, every_layer=True) if line.startswith("given input (")]) == 9
    )


def test_a_word_of_the_table_is_explained_below_it_where_it_stands():
    told = screen(faulty(), 200, every_layer=True)
    for word in ("inherited", "float32 constants", "inside", "rounding", "alone"):
        assert sum(line.startswith(f"{word}: ") for line in told) == 1
    assert not any(line.startswith(("inherited: ", "inside: ")) for line in screen(report(), 200))


def test_a_note_on_many_layers_is_said_once_with_their_number():
    notes = [
        Note(f"Softmax `blocks.{n}.attn`: a constant in float32; {n}.0e-09 is that, not the port")
        for n in range(1, 13)
    ]
    told = screen(report(notes=[*notes, Note("something else")]), 200)
    assert [line for line in told if line.startswith("note: ")] == [
        "note: Softmax `blocks.1.attn`: a constant in float32; 1.0e-09 is that, not the port (and 11 more like it: "
        "--all-layers shows each)",
        "note: something else",
    ]
    assert (
        len([line for line in screen(report(notes=notes), 200, every_layer=True) if line.startswith("note")])
        == 12
    )


@pytest.mark.parametrize("shown", [report(), faulty(), Report("a", "b", ())])
def test_an_interpreter_shows_a_report_in_three_lines(shown):
    lines = repr(shown).splitlines()
    assert len(lines) == 3
    assert lines[0].startswith(shown.verdict.value)


def test_sentences_go_on_names_are_cut_in_the_middle_and_words_are_never_broken():
    columns = (Column("name", least=12), Column("size", right=True, leaves=1), Column("note", words=True))
    rows = [
        ("a.very.long.name.of.a.layer", "12", "count_include_pad=False is what torch does here"),
        "all of it",
    ]
    made = aligned(columns, rows, 44)
    assert made.titles == ("name", "size", "note")
    assert max(map(len, made.lines())) <= 44
    note = made.head[0].index("note")
    assert " ".join(line[note:] for line in made.rows[0]).split() == rows[0][2].split()
    assert "…" in made.rows[0][0]
    assert made.rows[0][0].split()[0].endswith(".layer")
    assert made.rows[1] == ("all of it",)


def test_where_no_table_fits_each_row_is_a_paragraph():
    made = aligned((Column("name"), Column("value")), [("count_include_pad=False", "not exclusive")], 30)
    assert made.lines() == ["count_include_pad=False", "    value: not exclusive"]


def test_a_pipe_cuts_nothing():
    name = "x" * 300
    made = aligned(
        (Column("name", least=8), Column("why", words=True, leaves=1)), [(name, "some words " * 40)], None
    )
    assert made.rows[0] == (f"{name}  {'some words ' * 40}".rstrip(),)


def test_empty_columns_are_left_out_and_no_rows_are_no_table():
    assert aligned((Column("a"), Column("b")), [("1", "")], 80).titles == ("a",)
    assert aligned((Column("a"),), [], 80).lines() == []


def test_wide_letters_count_twice():
    made = aligned((Column("名"), Column("b")), [("平均池化", "1"), ("x", "2")], 80)
    assert [line.index(number) for (line,), number in zip(made.rows, "12", strict=True)] == [6, 10]


def test_a_report_of_ours_is_replaced_and_nothing_else(tmp_path):
    import argparse
    import json

    from paddle2torch.outputs import replaces

    shown = report()
    texts = {
        "html": shown.to_html(),
        "json": json.dumps(shown.to_json(), indent=1),
        "junit": shown.to_junit(),
    }
    args = argparse.Namespace(force=False)
    for option, text in texts.items():
        mine = tmp_path / f"report.{option}"
        mine.write_text(text, encoding="utf-8")
        assert replaces(args, option, mine)
        assert not any(replaces(args, other, mine) for other in texts if other != option)
        mine.write_text(
            text.replace("paddle2torch", "").replace('"verdict"', '"answer"').replace("parity ", ""),
            encoding="utf-8",
        )
        assert not replaces(args, option, mine)
    assert not replaces(args, "html", tmp_path / "new.html")


def test_while_something_runs_a_terminal_shows_the_time_and_the_step(monkeypatch):
    from paddle2torch.console import status

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")
    with status() as tell:
        tell("given input, eval: torch in float64")
    assert "0:00:00" in terminal.getvalue()
    assert "given input, eval: torch in float64" in terminal.getvalue()
