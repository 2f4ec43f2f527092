"""One reader who has followed the pages as far as a test needs, and one site, for all tests of this folder."""

from __future__ import annotations

import functools
import http.server
import threading
import warnings
from pathlib import Path

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Paddle warns when it is imported (no ccache)
    import paddle  # noqa: F401

from docs.tools import rosetta
from docs.tools.build import build
from docs.tools.pages import RUN
from docs.tools.reader import Reader, page_examples
from tests.report.chromium import PROGRAM, Chromium


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Keep these tests in one process, so that the pages are followed once."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("docs"))


class Followed:
    """A reader who follows the pages in order, each once, and keeps what was wrong with each."""

    def __init__(self, work: Path) -> None:
        self.reader = Reader(work)
        self.reader.copy_examples()
        self._problems: dict[Path, list[str]] = {}

    def problems(self, page: Path) -> list[str]:
        """What was wrong with a page, after following those before it."""
        for each in RUN[: RUN.index(page) + 1]:
            if each not in self._problems:
                text = each.read_text(encoding="utf-8")
                self.reader.write(text)
                self._problems[each] = [p for e in page_examples(text) if (p := self.reader.problem(e))]
        return self._problems[page]


@pytest.fixture(scope="session")
def followed(tmp_path_factory) -> Followed:
    return Followed(tmp_path_factory.mktemp("reader"))


@pytest.fixture(scope="session")
def site(followed, tmp_path_factory) -> Path:
    """The site, built strictly, with the figures of the reader's folder and the numbers of one row a module."""
    for page in RUN:
        followed.problems(page)
    folder = tmp_path_factory.mktemp("site")
    proofs = rosetta.measure(tuple(rows[0].paddle for rows in rosetta.MODULES.values()))
    build(folder / "site", folder / "build", followed.reader.work, proofs)
    return folder / "site"


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="session")
def address(site):
    """Where the site is served."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    if PROGRAM is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    chromium = Chromium(tmp_path_factory.mktemp("profile"))
    yield chromium
    chromium.close()
