"""Code excerpts: what can be read is quoted, what cannot is left out."""

from __future__ import annotations

import linecache

from parity.report.source import excerpt, short_place, split_place


def test_a_line_is_quoted_with_three_on_either_side(tmp_path):
    file = tmp_path / "net.py"
    file.write_text("".join(f"    x = {i}\n" for i in range(1, 21)))
    found = excerpt(f"{file}:10")
    assert found.lines[0] == "x = 7"
    assert [n for n, _, marked in found.numbered if marked] == [10]
    assert len(found.lines) == 7


def test_a_call_over_several_lines_is_marked_whole(tmp_path):
    file = tmp_path / "net.py"
    file.write_text("a = 1\nb = f(\n    1,\n    2,\n)\nc = 3\n")
    found = excerpt(f"{file}:2")
    assert [n for n, _, marked in found.numbered if marked] == [2, 3, 4, 5]


def test_a_line_of_a_function_header_is_marked_alone(tmp_path):
    file = tmp_path / "net.py"
    file.write_text("def f():\n    return 1\n")
    assert [n for n, _, marked in excerpt(f"{file}:1").numbered if marked] == [1]


def test_source_that_is_not_python_any_more_is_still_quoted(tmp_path):
    file = tmp_path / "net.py"
    file.write_text("x = (\n")
    assert excerpt(f"{file}:1").lines == ("x = (",)


def test_an_absent_or_short_or_strange_file_gives_no_excerpt(tmp_path):
    (tmp_path / "net.py").write_text("x = 1\n")
    (tmp_path / "broken.py").write_bytes(b"\xff\xfe\x00 = 1\n")
    for place in ("", "net.py", "gone.py:3", f"{tmp_path / 'net.py'}:9", f"{tmp_path / 'net.py'}:0"):
        assert excerpt(place) is None
    assert excerpt(f"{tmp_path / 'broken.py'}:1") is None


def test_only_python_source_is_opened(tmp_path):
    secret = tmp_path / "id_rsa"
    secret.write_text("secret\n")
    assert excerpt(f"{secret}:1") is None
    assert excerpt("/etc/passwd:1") is None


def test_a_notebook_cell_is_quoted_from_memory():
    name = "<ipython-input-1-abc>"
    linecache.cache[name] = (10, None, ["a = 1\n", "b = 2\n"], name)
    try:
        assert excerpt(f"{name}:2").lines == ("a = 1", "b = 2")
    finally:
        del linecache.cache[name]


def test_places_are_read_as_file_and_line():
    assert split_place("C:\\net.py:3") == ("C:\\net.py", 3)
    assert split_place("net.py") == ("net.py", 0)


def test_a_place_below_the_working_directory_is_shown_relative_to_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert short_place(f"{tmp_path}/sub/net.py:3") == "sub/net.py:3"
    assert short_place("/elsewhere/net.py:3") == "/elsewhere/net.py:3"
