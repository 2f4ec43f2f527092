"""The picture of a report in the README: `python -m docs.tools.picture`, which needs Chromium.

Runs the README's first command with `--html` and takes the page's upper part at a phone's resolution.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from docs.tools.pages import DOCS
from docs.tools.reader import Reader
from tests.report.chromium import Chromium

COMMAND = (
    "paddle2torch parity --paddle docs/example/net.py:Net --torch docs/example/port.py:Net --shape 2,3,32,32 "
    "--mode eval --html report.html"
)
TARGET = DOCS / "assets" / "report.png"


def main() -> None:
    """Write the picture into docs/assets/."""
    with tempfile.TemporaryDirectory() as folder:
        reader = Reader(Path(folder).resolve())
        reader.copy_examples()
        finished = reader.run(COMMAND)
        if finished.returncode != 1:
            raise SystemExit(finished.stderr)
        browser = Chromium(Path(folder) / "profile")
        try:
            browser.open(reader.work / "report.html", width=1000, height=640)
            browser.screenshot(Path(folder) / "report.png", whole=False)
        finally:
            browser.close()
        shutil.copyfile(Path(folder) / "report.png", TARGET)


if __name__ == "__main__":
    main()
