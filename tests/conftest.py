"""What every test shares: how many threads a test process may use.

Several pytest-xdist processes on the same cores must not each start a thread per core. The variable is
set here because it is read when a framework is imported, and this file is imported before any test.
"""

import gc
import os

WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))

os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // WORKERS)))


def pytest_collection_finish() -> None:
    """What eleven thousand collected tests hold stays to the end: no need to look through it for garbage again and again."""
    gc.collect()
    gc.freeze()
