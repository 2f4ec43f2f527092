"""Our packages `convert` and `parity`, found beside this one: the path may have a user's under these names first.

`python -m paddle2torch` has the current directory at the head of the path, and a test session the folder of
its tests; a `convert.py` or a `parity/` there is none of ours. What the user's own code finds is up to `convert.namesakes`.
"""

from __future__ import annotations

import importlib
import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def take() -> None:
    """Load ours under their names; ImportError names the file of a user's module that has one of them already."""
    for name in ("convert", "parity"):
        module = sys.modules.get(name)
        if module is None:
            sys.path.insert(0, ROOT)
            try:
                module = importlib.import_module(name)
            finally:
                sys.path.remove(ROOT)
        place = getattr(module, "__file__", None) or next(iter(getattr(module, "__path__", ())), "elsewhere")
        if os.path.realpath(place) != os.path.realpath(os.path.join(ROOT, name, "__init__.py")):
            raise ImportError(
                f"paddle2torch needs its own package `{name}`, and in this process {place} was imported under that "
                "name: rename that one, or compare the models by the command `paddle2torch parity`, which runs them "
                "in processes of their own",
                name=name,
                path=place,
            )
    from convert.namesakes import guard

    guard()
