"""What the command line writes: nothing that it must not replace, and one sentence where it cannot write."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from argparse import Namespace

import numpy as np
import pytest

from convert import ConvertError
from convert.plan.rules import load_rules
from paddle2torch.outputs import check_beside

COMMAND = f"{sys.executable} -m paddle2torch "


@pytest.fixture
def folder(tmp_path):
    """A folder with a checkpoint of 400 tensors, more text than a stream's buffer holds."""
    state = {f"layer.{i}.weight": np.full((3, 4), i, "f4") for i in range(400)}
    (tmp_path / "net.pdparams").write_bytes(pickle.dumps(state, 4))
    return tmp_path


def shell(command: str, folder: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, shell=True, cwd=folder, capture_output=True, text=True, check=False)


def sentence(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1
    return done.stderr


@pytest.mark.parametrize(
    "words", ["inspect net.pdparams", "inspect net.pdparams --json", "models", "guide relu"]
)
def test_an_output_that_cannot_be_written_is_told_in_one_sentence(folder, words):
    assert "standard output is closed" in sentence(shell(COMMAND + words + " >&-", folder))
    assert "standard output cannot be written (No space left" in sentence(
        shell(COMMAND + words + " >/dev/full", folder)
    )


def test_a_reader_that_goes_away_is_no_error(folder):
    done = shell(f"bash -o pipefail -c '{COMMAND} inspect net.pdparams | head -1'", folder)
    assert (done.returncode, done.stderr) == (0, "")


def test_closed_streams_are_never_written_into_a_file(folder):
    done = shell(COMMAND + "convert net.pdparams --model none -o net.safetensors <&- 2>&-", folder)
    assert done.returncode == 0
    assert shell(COMMAND + "inspect net.safetensors", folder).returncode == 0


def test_saved_rules_replace_nothing_but_saved_rules(folder):
    before = (folder / "net.pdparams").read_bytes()
    convert = COMMAND + "convert net.pdparams --model none --force -o out.pth --save-rules "
    (folder / "code.py").write_text("# of somebody\nimport torch\n")
    (folder / "other.safetensors.index.json").write_text("{}")
    for name in (
        "net.pdparams",
        "./net.pdparams",
        "code.py",
        "other.safetensors.index.json",
        "out.pth",
        "link",
    ):
        if name == "link":
            (folder / "link").symlink_to("net.pdparams")
        done = shell(convert + name, folder)
        assert "choose another name" in sentence(done), name
    assert (folder / "net.pdparams").read_bytes() == before
    assert (folder / "code.py").read_text().startswith("# of somebody")
    assert not (folder / "out.pth").exists()
    for _ in range(2):
        assert shell(convert + "rules.toml", folder).returncode == 0
    assert "--save-rules and --rules name the same file" in sentence(
        shell(convert + "rules.toml --rules rules.toml", folder)
    )


def test_a_name_that_is_not_text_is_shown_and_converted(folder):
    name = os.fsencode(folder) + b"/half\xff\x1b.pdparams"
    os.rename(folder / "net.pdparams", name)
    for words in (["inspect"], ["convert", "--model", "none", "-o", b"out\xfe.pth"]):
        done = subprocess.run(
            [sys.executable, "-m", "paddle2torch", words[0], name, *words[1:]],
            cwd=folder,
            capture_output=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, b"")
        assert b"half\\udcff\\x1b.pdparams" in done.stdout
        assert b"\x1b" not in done.stdout


def test_what_a_file_says_beside_its_tensors_cannot_reach_the_terminal(folder):
    state = {"w": np.ones(3, "f4"), "note\x1b[2J": "\x1b]0;title\x07", "half": "\ud800"}
    state["StructuredToParameterName@@"] = {"w": "linear\x1b[31m"}
    (folder / "net.pdparams").write_bytes(pickle.dumps({k: v for k, v in state.items() if k != "half"}, 4))
    done = shell(COMMAND + "inspect net.pdparams", folder)
    assert done.returncode == 0
    assert all(line.isprintable() for line in done.stdout.split("\n"))
    assert "note\\x1b[2J" in done.stdout


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[rule]]\nsource = 'a{99999999999}'\n", "repetition number is too large"),
        ("[[rule]]\nsource = '" + "(" * 5000 + ")" * 5000 + "'\n", "nested too deeply"),
        ("rule = " + "1" * 5000, "not valid TOML"),
        ("rule = " + "[" * 5000, "nested too deeply"),
        (
            "[[rule]]\nsource = 'w'\ntarget = 'w'\ntransform = 'reshape:" + "9" * 5000 + "'",
            "transform is copy",
        ),
        (
            "[[rule]]\nsource = 'w'\ntarget = 'w'\ntransform = 'split:0:" + "9" * 5000 + "'",
            "transform is copy",
        ),
        ("a." * 8000 + "b = 1", "no keys of many parts"),
        ("[" + "a." * 8000 + "b]", "no keys of many parts"),
        ("rule = {" + '"a".' * 8000 + "b = 1}", "no keys of many parts"),
        ("\xff", "not text in UTF-8"),
    ],
    ids=[
        "repetition",
        "brackets",
        "digits",
        "arrays",
        "reshape",
        "split",
        "dotted",
        "table",
        "inline",
        "bytes",
    ],
)
def test_rules_that_are_none_are_refused_in_one_sentence(folder, text, message):
    (folder / "rules.toml").write_bytes(text.encode("latin-1"))
    done = shell(COMMAND + "convert net.pdparams --model none -o out.pth --rules rules.toml", folder)
    assert message in sentence(done)
    assert len(done.stderr) < 560


def test_rules_whose_texts_have_many_dots_are_read(folder):
    dots = ".".join(["a"] * 40)
    (folder / "rules.toml").write_text(
        f"# {dots}\n[[rule]]\nsource = 'layer.(.*)'\ntarget = \"{dots}.\\\\1\"\nreason = '''{dots}'''\n"
    )
    (rule,) = load_rules(folder / "rules.toml")
    assert rule.apply("layer.3") == f"{dots}.3"


def test_a_report_replaces_nothing_but_a_report(folder):
    (folder / "net.py").write_text("import torch\n")
    (folder / "net.json").write_text('{"program": 1}')
    (folder / "net.pdiparams").write_bytes(b"")
    (folder / "old.html").write_text("<!doctype html>")
    (folder / "old.json").write_text("{}")

    def check(**options: object) -> None:
        check_beside(Namespace(force=True, paddle=f"{folder}/net.py:Net", torch="a.b:C", **options))

    check(html=folder / "old.html", json=folder / "old.json", junit=folder / "new.xml")
    for option, name in (
        ("html", "net.py"),
        ("json", "net.json"),
        ("json", "net.pdparams"),
        ("html", "old.json"),
        ("junit", "net.pdparams"),
    ):
        with pytest.raises(ConvertError, match="choose another name"):
            check(**{option: folder / name})
