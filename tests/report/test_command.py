"""--html, --json and --junit of `paddle2torch parity`: written whole, never over something by accident."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from paddle2torch.cli import main

NETS = Path(__file__).parent / "nets"
CHECK = [
    "parity",
    *("--paddle", f"{NETS / 'paddle_net.py'}:Net", "--torch", f"{NETS / 'torch_net.py'}:Faulty"),
    *("--shape", "2,3,10,10", "--mode", "eval", "--only-given"),
]


def test_all_three_files_tell_the_same(tmp_path, capsys):
    files = {option: tmp_path / f"report.{option}" for option in ("html", "json", "junit")}
    code = main([*CHECK, *(word for o, f in files.items() for word in (f"--{o}", str(f)))])
    out = capsys.readouterr()
    assert code == 1, out.err
    data = json.loads(files["json"].read_text())
    page = files["html"].read_text(encoding="utf-8")
    failures = ElementTree.parse(files["junit"]).findall(".//failure")
    assert data["verdict"] == "DIFFERENT"
    assert "DIFFERENT" in page
    causes = {failure.get("message") for failure in failures}
    assert {finding["cause"] for finding in data["findings"]} <= causes
    assert "torch_net.py" in page
    assert sorted(tmp_path.iterdir()) == sorted(files.values())


@pytest.mark.parametrize("option", ["--html", "--json", "--junit"])
def test_an_existing_file_is_kept_without_force_and_nothing_runs(option, tmp_path, capsys):
    target = tmp_path / "report"
    target.write_text("mine")
    assert main([*CHECK, option, str(target)]) == 2
    assert "--force" in capsys.readouterr().err
    assert target.read_text() == "mine"


def test_two_options_cannot_name_one_file(tmp_path, capsys):
    target = tmp_path / "report"
    assert main([*CHECK, "--html", str(target), "--junit", f"{tmp_path}/./report"]) == 2
    assert "name the same file" in capsys.readouterr().err
    assert not target.exists()
