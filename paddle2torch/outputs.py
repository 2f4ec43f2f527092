"""What a command writes: which files it may replace, and streams that are closed, full, or cannot show a name."""

from __future__ import annotations

import argparse
import contextlib
import errno
import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from convert.errors import ConvertError

_BEGINS: Mapping[str, tuple[str, ...]] = {
    "html": ("<",),
    "junit": ("<",),
    "json": ("{", "["),
    "save_rules": ("# Which Paddle tensor", "[[rule]]"),
}
"""Option of a file beside the result -> how such a file begins; no other is replaced."""

_OURS: Mapping[str, str] = {
    "html": r'<meta name="generator" content="paddle2torch',
    "json": r'^\s*\{\s*"version": \d+,\s*"verdict": "',
    "junit": r'<testsuites name="parity ',
}
"""Option of a report -> what stands at the beginning of every such file, and of nobody else's."""

_SNIFFED = 4096
"""Bytes of a file that are looked at."""

_OF_STREAMS = (errno.ENOSPC, errno.EIO, errno.EBADF, errno.EPIPE)


def check_beside(args: argparse.Namespace) -> None:
    """Raise where a report or saved rules would take the place of a file that they must not replace.

    That is a file that another option names, a checkpoint, or anything that was not written by the same option.
    Whether another file may be replaced at all is for `--force` to say.
    """
    from convert.write.atomic import check_target

    for option, begins in _BEGINS.items():
        path = getattr(args, option, None)
        if path is None or isinstance(path, bool):  # convert's --json goes to the terminal
            continue
        flag = f"--{option.replace('_', '-')}"
        check_target(Path(path), force=replaces(args, option, path))
        for other, named in _named(args):
            if other != flag and _same(path, named):
                raise ConvertError(f"{flag} and {other} name the same file, {path}: choose another name")
        if os.path.lexists(path) and not _is_earlier(path, begins):
            raise ConvertError(
                f"{flag} {path}: was not written by {flag}, so it is not replaced; choose another name"
            )


def replaces(args: argparse.Namespace, option: str, path: str | Path) -> bool:
    """Whether a file may be replaced: with `--force`, and a report of ours without, as a next run makes it anew."""
    if args.force or option not in _OURS:
        return bool(args.force)
    return re.search(_OURS[option], _beginning(path) or "") is not None


def _beginning(path: str | Path) -> str | None:
    """None of what is no file, or cannot be read."""
    if not os.path.isfile(path):
        return None
    try:
        with open(path, "rb") as file:
            return file.read(_SNIFFED).decode("utf-8", errors="replace")
    except OSError:
        return None


def _named(args: argparse.Namespace) -> Iterator[tuple[str, str]]:
    """Every text among the options that may name a file, also that of `file.py:factory`."""
    for option, value in vars(args).items():
        if isinstance(value, (str, Path)) and str(value):
            name = f"the {option}" if option == "source" else f"--{option.replace('_', '-')}"
            yield name, str(value)
            yield name, str(value).rpartition(":")[0]


def _same(one: str | Path, two: str) -> bool:
    from convert.write.atomic import same_file

    return bool(two) and (same_file(one, two) or os.path.abspath(one) == os.path.abspath(two))


def _is_earlier(path: str | Path, begins: tuple[str, ...]) -> bool:
    """Whether a file may be an earlier one of the same option: by how it begins, and no part of a checkpoint."""
    from convert.checkpoint.shards import INDEX_SUFFIX

    beside = Path(path).with_suffix(".pdiparams")
    if str(path).endswith(INDEX_SUFFIX) or os.path.exists(beside):
        return False
    start = _beginning(path)
    return start is not None and (not start.strip() or start.lstrip().startswith(begins))


@contextlib.contextmanager
def streams() -> Iterator[None]:
    """Standard output that shows every name, and whose failure is a ConvertError and not a traceback at the end."""
    for descriptor in (0, 2):  # a file that is opened must not become standard error
        with contextlib.suppress(OSError):
            _fill(descriptor)
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - for as long as the process lives
    if sys.stdout is None:
        raise ConvertError(
            "standard output is closed, so nothing could be shown; send it to a file or to /dev/null"
        )
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # half a character in a name
    try:
        yield
        sys.stdout.flush()
    except OSError as error:
        if error.filename is not None or error.errno not in _OF_STREAMS:
            raise  # of a file that a command opened
        _give_up(sys.stdout)
        if isinstance(error, BrokenPipeError):
            raise
        raise ConvertError(f"standard output cannot be written ({error.strerror})") from None


def _fill(descriptor: int) -> None:
    """Open the empty device where nothing is open."""
    try:
        os.fstat(descriptor)
    except OSError:
        opened = os.open(os.devnull, os.O_RDWR)
        if opened != descriptor:
            os.dup2(opened, descriptor)
            os.close(opened)


def _give_up(stream: object) -> None:
    """What is still to be written goes nowhere, so that the interpreter's end does not try again."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())  # type: ignore[attr-defined]
        os.close(nowhere)
