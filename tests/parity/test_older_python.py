"""A worker's Python may be older than ours: what it runs is rewritten, and means the same."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from convert.namesakes import NAMES, ROOT
from parity.errors import ParityError
from parity.sides.older_python import OLDEST, PARTS, SINCE, rewritten, version_of, write_packages
from parity.sides.remote import WorkerSide

NEWER = """
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from functools import cache
from itertools import pairwise

Table = Mapping[str, tuple[int, ...]] | None


@dataclass(frozen=True, slots=True)
class Point:
    x: int
    _: KW_ONLY
    name: str = ""
    size: int = 0


@cache
def told(value):
    match value:
        case Point(x=0, name=str() as name):
            return "origin", name
        case {"a": [first, *rest], **others} if others:
            return first, rest, others
        case {"a": 1 | 2 as small}:
            return small
        case (one, "x", *middle, last):
            return one, middle, last
        case [] | () | None:
            return "nothing"
        case int() | float() as number if number > 2:
            return number
        case _:
            return "else"


def told_of(value):
    return told.__wrapped__(value)


def others():
    held = {"a": 1}
    held |= {"b": 2}
    kind = int | str
    return (
        held | {"c": 3}, {1} | {2}, 4 | 1, "a_b".removeprefix("a_"), "a_b".removesuffix("_b"),
        list(zip([1], [2], strict=True)), list(pairwise("abc")), isinstance(1, int | str), Point(1, name="n").name,
    )
"""
VALUES = (
    *("Point(0, name='n')", "Point(1)", "{'a': [1, 2, 3], 'b': 4}", "{'a': [1, 2]}", "{'a': 2}", "{'a': 3}"),
    *("(1, 'x', 2, 3, 4)", "(1, 'x', 4)", "['y']", "[]", "()", "None", "3", "2.5", "1", "'text'", "True"),
)


def test_rewritten_code_computes_the_same(monkeypatch, tmp_path):
    write_packages(tmp_path, (), tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    older = rewritten(NEWER)
    ast.parse(older, feature_version=OLDEST)
    assert not [word for word in (" | ", "match ", "slots", "KW_ONLY", "strict") if word in older]
    for name, source in (("newer_code", NEWER), ("older_code", older)):
        (tmp_path / f"{name}.py").write_text(source)
    before, after = (importlib.import_module(name) for name in ("newer_code", "older_code"))
    assert after.others() == before.others()
    for value in VALUES:
        expected, actual = (space.told_of(eval(value, vars(space))) for space in (before, after))
        assert actual == expected, value
    with pytest.raises(ValueError, match="length"):
        sys.modules[PARTS].zipped(True, [1], [1, 2])


def test_everything_that_a_worker_may_run_is_rewritten_for_the_oldest_python(tmp_path):
    write_packages(Path(ROOT), NAMES, tmp_path)
    for path in tmp_path.rglob("*.py"):
        source = path.read_text("utf-8")
        ast.parse(source, path.name, feature_version=OLDEST)
        if path.name != f"{PARTS}.py":
            assert rewritten(source) == source, f"{path} has still something to rewrite"


def test_a_python_that_is_too_old_is_told_in_one_sentence(tmp_path):
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho 3 7\n")
    python.chmod(0o755)
    assert version_of(str(python)) == (3, 7)
    with pytest.raises(
        ParityError, match=r"is Python 3.7, and the paddle side needs 3.8 or newer: .*--paddle-python"
    ):
        WorkerSide("paddle", "net.py:Net", python=str(python))
    python.write_text("#!/bin/sh\n")
    assert version_of(str(python)) == version_of(str(tmp_path / "absent")) == SINCE
    assert version_of(sys.executable) == sys.version_info[:2]


@pytest.mark.parametrize("version", ["3.8", "3.9"])
def test_where_an_older_python_is_installed_it_runs_what_was_rewritten(tmp_path, version):
    python = f"python{version}"
    if version_of(python) != tuple(map(int, version.split("."))):
        pytest.skip(f"no Python {version} here")
    write_packages(Path(ROOT), NAMES, tmp_path)
    code = (  # what needs neither a framework nor numpy
        "import convert.checkpoint.reader, convert.rosetta.table, parity.ops.kinds, convert.models.layout, sys\n"
        "with convert.checkpoint.reader.open_checkpoint(sys.argv[1]) as checkpoint:\n    print(len(checkpoint))"
    )
    (tmp_path / "net.pdparams").write_bytes(b"not a checkpoint")
    done = subprocess.run(
        [python, "-c", code, "net.pdparams"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert "ConvertError: net.pdparams: " in done.stderr, done.stderr
