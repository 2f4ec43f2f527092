"""A fault of ours: whatever a command raises that is no error with a sentence of its own.

Python would end with exit code 1, which means DIFFERENT here, and a traceback that helps nobody but us.
"""

from __future__ import annotations

import os
import platform
import shlex
import sys
import tempfile
import traceback
from collections.abc import Sequence

from paddle2torch.version import __version__


def told(error: Exception, arguments: Sequence[str]) -> str:
    """One line for the user, which asks for a report and names the file that holds the traceback."""
    what = " ".join(f"{type(error).__name__}: {error}".split())
    command = " ".join(word for word in ("paddle2torch", *arguments[:1]) if not word.startswith("-"))
    return (
        f"{command}: this is a fault of paddle2torch itself, and says nothing about your models or files "
        f"({what[:LONGEST]}); please report it{_kept(error, arguments)}"
    )


LONGEST = 200
"""Characters of the error's own message that are shown; the file has all of it."""


def _kept(error: Exception, arguments: Sequence[str]) -> str:
    """Write the traceback to a file: where it is; where no file can be written, the traceback itself."""
    lines = traceback.format_exception(type(error), error, error.__traceback__)
    detail = getattr(error, "detail", "")  # of a worker process
    text = "".join((detail, *lines))
    about = (
        f"paddle2torch {__version__}, Python {platform.python_version()}, {platform.platform()}\n"
        f"{shlex.join([os.path.basename(sys.argv[0]), *arguments])}\n\n"
    )
    try:
        handle, path = tempfile.mkstemp(prefix="paddle2torch-fault-", suffix=".txt")
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(about + text)
    except OSError:
        return f" with this:\n{about}{text}"
    return f" with the file {path}, which holds the traceback"
