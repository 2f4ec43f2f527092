"""What every test shares: how many threads a test process may use.

Several pytest-xdist processes on the same cores must not each start a thread per core. The variable is
set here because it is read when a framework is imported, and this file is imported before any test.
"""

import os

import pytest

WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))

os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // WORKERS)))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    """Without groups the tests still pass, but what a group shares is made once a process."""
    grouped = [item for item in items if item.get_closest_marker("xdist_group")]
    if getattr(config.option, "loadgroup", False) and not all("@" in item.nodeid for item in grouped):
        raise pytest.UsageError("this pytest-xdist does not keep groups of tests together under this pytest")
