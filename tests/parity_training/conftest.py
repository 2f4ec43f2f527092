"""Paddle warns when it is imported (no ccache) and when a BatchNorm trains; warnings are errors here."""

import warnings
from pathlib import Path

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import paddle  # noqa: F401
    import torch  # noqa: F401


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("ignore:When training, we now always track"))
