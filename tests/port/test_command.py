"""`paddle2torch port` on files, folders and notebooks, and what it says about wrong input."""

from __future__ import annotations

import builtins
import dis
import json
import runpy
import subprocess
import sys

import pytest
import torch

from paddle2torch.cli import main
from paddle2torch.port.standalone import included
from torch_models import like_paddle

NET = """import paddle
from paddle import nn


class Net(nn.Layer):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 2)

    def forward(self, x):
        return paddle.flatten(self.fc(x), 1)
"""


@pytest.fixture
def net(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.py").write_text(NET)
    return tmp_path


def test_a_file_is_ported_into_a_file(net, capsys):
    assert main(["port", "net.py", "-o", "out.py"]) == 0
    assert "class Net(nn.Module):" in (net / "out.py").read_text()
    assert capsys.readouterr().out == "7 lines changed, 0 not translated\n"


def test_without_a_target_the_port_is_printed(net, capsys):
    assert main(["port", "net.py"]) == 0
    assert capsys.readouterr().out.startswith("import torch\n")


def test_what_is_left_gives_exit_code_1_and_is_listed_with_its_line(net, capsys):
    (net / "net.py").write_text(NET + "\n\nmodel = paddle.Model(Net())\n")
    assert main(["port", "net.py", "--check"]) == 1
    out = capsys.readouterr().out
    assert "net.py:14: paddle.Model(Net())" in out
    assert "write the training loop out" in out
    assert not (net / "out.py").exists()


def test_the_difference_shows_both_sides(net, capsys):
    assert main(["port", "net.py", "--diff"]) == 0
    out = capsys.readouterr().out
    assert "-class Net(nn.Layer):" in out
    assert "+class Net(nn.Module):" in out


def test_the_page_links_each_change_to_its_row(net):
    assert main(["port", "net.py", "-o", "out.py", "--html", "page.html"]) == 0
    page = (net / "page.html").read_text()
    assert '<a href="#nn.Linear">' in page
    assert '<dt id="nn.Linear">' in page


def test_a_standalone_port_runs_without_us(net):
    assert main(["port", "net.py", "-o", "out.py", "--standalone"]) == 0
    text = (net / "out.py").read_text()
    assert "torch_models" not in text.replace("from torch_models.like_paddle of paddle2torch", "")
    code = "import sys; sys.modules['torch_models'] = None; import out; print(out.Net())"
    done = subprocess.run([sys.executable, "-c", code], cwd=net, capture_output=True, text=True, check=True)
    assert "(fc): Linear(in_features=4" in done.stdout


@pytest.mark.parametrize("name", like_paddle.__all__)
def test_each_of_ours_stands_alone_with_all_that_it_needs(name, monkeypatch):
    text = included(f"from torch_models.like_paddle import {name}\n")
    monkeypatch.setitem(sys.modules, "torch_models.like_paddle", None)
    space = {}
    exec(text, space)
    builtin = vars(builtins)
    for code in vars(space[name]).values() if isinstance(space[name], type) else [space[name]]:
        wanted = getattr(code, "__code__", None)
        assert all(n in space or n in builtin for n in globals_of(wanted))


def globals_of(code):
    """The global names that a function of the text asks for."""
    if code is None or code.co_filename != "<string>":
        return set()
    return {i.argval for i in dis.get_instructions(code) if i.opname == "LOAD_GLOBAL"}


def test_what_a_standalone_port_has_is_called_otherwise_where_the_file_has_the_name(net):
    text = "import paddle\nfrom shlex import split\n\n\ndef parts(x: paddle.Tensor, n):\n    return paddle.split(x, n)\n"
    (net / "both.py").write_text(text + "\n\nkept = split('a b')\n")
    assert main(["port", "both.py", "-o", "out.py", "--standalone"]) == 0
    out = runpy.run_path("out.py")
    assert out["kept"] == ["a", "b"]
    assert [len(part) for part in out["parts"](torch.zeros(6), 3)] == [2, 2, 2]


def test_a_folder_is_ported_file_by_file_and_files_know_each_other(net, capsys):
    pack = net / "pack"
    pack.mkdir()
    (pack / "__init__.py").write_text("from .net import Net\n")
    (pack / "net.py").write_text(
        NET.replace("nn.Linear(4, 2)", "make(4)").replace(
            "\n\n\nclass", "\nfrom .parts import make\n\n\nclass"
        )
    )
    (pack / "parts.py").write_text(
        "from paddle import nn\n\n\ndef make(n):\n    return nn.Linear(n, 2, bias_attr=False)\n"
    )
    (pack / "plain.py").write_bytes(b"x = 1\r\n")
    assert main(["port", "pack", "-o", "ported"]) == 0
    assert "nn.Linear(n, 2, bias=False)" in (net / "ported" / "parts.py").read_text()
    assert (net / "ported" / "plain.py").read_bytes() == b"x = 1\r\n"
    assert "in 4 files" in capsys.readouterr().out


def test_a_notebook_keeps_its_magics_and_outputs(net):
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": ["# paddle\n"]},
        {
            "cell_type": "code",
            "metadata": {},
            "execution_count": 1,
            "outputs": [{"a": 1}],
            "source": ["%matplotlib inline\n", "import paddle\n", "!ls"],
        },
        {
            "cell_type": "code",
            "metadata": {},
            "execution_count": 2,
            "outputs": [],
            "source": ["y = paddle.concat([a, b], axis=0)"],
        },
    ]
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (net / "n.ipynb").write_text(json.dumps(notebook, indent=1))
    assert main(["port", "n.ipynb", "-o", "t.ipynb"]) == 0
    ported = json.loads((net / "t.ipynb").read_text())
    assert ported["cells"][1]["source"] == ["%matplotlib inline\n", "import torch\n", "!ls"]
    assert ported["cells"][2]["source"] == ["y = torch.cat([a, b], dim=0)"]
    assert ported["cells"][1]["outputs"] == [{"a": 1}]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere.py"], "no such file"),
        (["net.py", "-o", "there.py"], "exists"),
        (["net.py", "-o", "net.py"], "is the source itself"),
        (["folder", "-o", "folder/out"], "ported into itself"),
        (["folder"], "a folder is ported into a folder"),
        (["latin.py"], "is not UTF-8"),
        (["text.txt"], "is not Python source"),
        (["bad.py"], "line 2"),
        (["two.py"], "Python 2"),
        (["empty"], "no .py or .ipynb file"),
        (["net.py", "--prove", "Net"], "write it with -o FILE"),
        (["net.py", "--shape", "2,4"], "add --prove NAME"),
        (["folder", "-o", "new", "--prove", "Net"], "name the file with the network"),
        (["net.py", "-o", "new.py", "--prove", "Nobody", "--shape", "2,4"], "Nobody"),
        (["broken.ipynb"], "is no notebook"),
    ],
)
def test_wrong_input_is_one_sentence_and_exit_code_2(net, capsys, words, said):
    (net / "there.py").write_text("")
    (net / "latin.py").write_bytes("import paddle  # é\n".encode("latin-1"))
    (net / "text.txt").write_text("import paddle")
    (net / "bad.py").write_text("import paddle\nx = = 1\n")
    (net / "two.py").write_text("import paddle\nprint 'x'\n")
    (net / "broken.ipynb").write_text("{}")
    (net / "folder").mkdir()
    (net / "folder" / "a.py").write_text("import paddle\n")
    (net / "empty").mkdir()
    assert main(["port", *words]) == 2
    error = capsys.readouterr().err
    assert said in " ".join(error.split())
    assert error.startswith("paddle2torch port: ")
    assert "Traceback" not in error


@pytest.mark.slow
def test_the_proof_runs_source_and_port(net, capsys):
    words = [
        "port",
        "net.py",
        "-o",
        "out.py",
        "--prove",
        "Net",
        "--shape",
        "2,4",
        "--only-given",
        "--mode",
        "eval",
    ]
    assert main(words) == 0
    out = capsys.readouterr().out
    assert "7 lines changed, 0 not translated" in out
    assert "EQUIVALENT: out.py:Net (torch)" in out
