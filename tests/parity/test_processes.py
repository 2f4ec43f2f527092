"""Workers and commands as processes: empty standard input, deaths, signals, faults of ours, and what they leave behind."""

import os
import pickle
import re
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from paddle2torch import cli
from paddle2torch.commands import inspect as inspect_command
from parity.errors import ParityError
from parity.sides import remote
from parity.sides.remote import WorkerFault, WorkerSide
from parity.sides.worker import Worker

ROOT = Path(__file__).parents[2]

PADDLE_NET = """
import paddle

class Net(paddle.nn.Layer):
    def forward(self, x):
        return paddle.nn.functional.relu(x)
"""
TORCH_NET = """
import os, subprocess, sys, time
import torch

class Net(torch.nn.Module):
    def forward(self, x):
        return torch.relu(x)

class Debugs(Net):
    def forward(self, x):
        breakpoint()
        return super().forward(x)

class Asks(Net):
    def __init__(self):
        super().__init__()
        input("continue? ")

class Reads(Net):
    def forward(self, x):
        assert sys.stdin.read() == "" and sys.argv[1:] == []
        print("printed by C and by Python go the same way")
        os.write(1, b'{"answer": {}}')
        return super().forward(x)

class Waits(Net):
    def __init__(self):
        super().__init__()
        print("waiting for a lock", flush=True)
        open("waiting", "w").close()
        time.sleep(60)

class LeavesAChild(Net):
    def __init__(self):
        super().__init__()
        print("this is the end", flush=True)
        if not os.fork():
            time.sleep(40)
        os._exit(7)
"""
WORDS = ("parity", "--paddle", "p.py:Net", "--shape", "2,4", "--mode", "eval", "--only-given", "--torch")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "p.py").write_text(PADDLE_NET)
    (tmp_path / "t.py").write_text(TORCH_NET)
    (tmp_path / "tmp").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr("tempfile.tempdir", None)
    return tmp_path


def start(*words: str) -> "subprocess.Popen[str]":
    """The command with a standard input in which nothing ever comes."""
    return subprocess.Popen(
        [sys.executable, "-m", "paddle2torch", *words],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@pytest.mark.parametrize(("name", "line"), [("Debugs", r"t\.py:1[12]"), ("Asks", r"t\.py:17")])
def test_a_model_that_waits_for_its_user_is_refused(folder, name, line):
    process = start(*WORDS, f"t.py:{name}")
    with process:
        assert process.wait(120) == 2
        said = process.stderr.read().splitlines()[-1]
    assert re.search(rf"take what asks for it \(breakpoint\(\), input\(\)\) \({folder}/{line}\) out", said)


def test_a_password_that_is_asked_for_is_standard_input_too_and_the_end_of_a_file_is_not():
    import getpass
    import io

    from parity.sides.live import no_input

    with pytest.raises(EOFError) as asked:
        getpass._raw_input(stream=io.StringIO(), input=io.StringIO(""))
    assert "a model has no standard input here" in no_input(asked.value)
    with pytest.raises(EOFError) as read:
        pickle.load(io.BytesIO(b""))
    assert no_input(read.value) == ""


def test_an_error_of_the_check_itself_is_not_the_models(tmp_path):
    import torch

    from parity.sides.live import _is_ours
    from parity.trace.values import ValueStore

    with closing(ValueStore(tmp_path / "store")) as store, pytest.raises(KeyError) as ours:
        store.stored("nothing")
    with pytest.raises(RuntimeError) as theirs:
        torch.nn.Linear(2, 3)(torch.zeros(1, 5))
    assert _is_ours(ours.value)
    assert not _is_ours(theirs.value)


def test_what_a_model_reads_and_prints_is_not_the_protocol(folder):
    process = start(*WORDS, "t.py:Reads")
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert "EQUIVALENT" in out


def test_a_worker_that_dies_shows_what_it_last_printed_though_its_child_lives_on(folder):
    began = time.monotonic()
    with WorkerSide("torch", "t.py:LeavesAChild") as side, pytest.raises(ParityError) as told:
        side.build()
    assert "exited with code 7 during 'build' (this is the end)" in str(told.value)
    assert time.monotonic() - began < 30


def test_a_worker_that_is_silent_for_long_shows_what_it_last_printed(folder, monkeypatch, capsys):
    monkeypatch.setattr(remote, "PATIENCE", 1.0)
    with WorkerSide("torch", "t.py:Waits") as side:
        monkeypatch.setattr(side, "_last_words", lambda found=side._last_words: stop_when(found()))
        with pytest.raises(KeyboardInterrupt):
            side.build()
    assert "it last printed: waiting for a lock" in capsys.readouterr().err


def stop_when(said: str) -> str:
    """End a test by Ctrl-C as soon as the worker has printed its line."""
    if said == "waiting for a lock" and not stopped:
        stopped.append(True)
        signal.raise_signal(signal.SIGINT)
    return said


stopped: list[bool] = []


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_command_that_is_ended_leaves_no_worker_and_no_file(folder, number):
    process = start(*WORDS, "t.py:Waits")
    _wait_for(lambda: (folder / "waiting").exists(), 120)
    assert list((folder / "tmp").iterdir()), "the test looks where the scratch folders are"
    os.kill(process.pid, number)
    _, err = process.communicate(timeout=60)
    if number != signal.SIGKILL:
        assert "it last printed: waiting for a lock" in err
        assert "Traceback" not in err
    _wait_for(lambda: not list((folder / "tmp").iterdir()), 10)
    _wait_for(lambda: not _alive(process.pid), 10)


def _alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def _wait_for(condition, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "this did not come true in time"
        time.sleep(0.05)


def test_a_hangup_that_is_ignored_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with cli._unwinding():
            assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
            assert signal.getsignal(signal.SIGTERM) != signal.SIG_DFL
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("broken", ["run", "configure"])
def test_a_fault_of_ours_is_one_line_with_a_file_and_an_exit_code_of_its_own(
    folder, monkeypatch, capsys, broken
):
    def fails(_):
        raise KeyError("a thing that\nno table has")

    monkeypatch.setattr(inspect_command, broken, fails)
    assert cli.main(["inspect", "net.pdparams"]) == 4
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("paddle2torch inspect: this is a fault of paddle2torch itself")
    assert "please report it" in line
    (file,) = (folder / "tmp").glob("paddle2torch-fault-*.txt")
    assert str(file) in line
    assert "in fails\n    raise KeyError" in file.read_text()
    assert "inspect net.pdparams" in file.read_text()


def test_a_fault_without_room_for_a_file_shows_its_traceback(folder, monkeypatch, capsys):
    monkeypatch.setattr(inspect_command, "run", lambda _: 1 // 0)
    monkeypatch.setattr("tempfile.tempdir", str(folder / "nowhere"))
    assert cli.main(["inspect", "net.pdparams"]) == 4
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_a_fault_in_a_worker_is_a_fault_and_one_in_the_users_code_is_not(folder):
    with WorkerSide("torch", "t.py:Net") as side:
        side.build()
        with pytest.raises(WorkerFault) as told:
            side.ask("parameters", path=7)
    assert "Traceback" in told.value.detail


def test_an_error_of_the_library_is_raised_as_it_is(folder):
    with pytest.raises(TypeError):
        Worker("torch").build("t.py:Net", 3, "cpu")
