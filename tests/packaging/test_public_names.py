"""`paddle2torch` re-exports what a user needs, and the same objects as `convert` and `parity`."""

from __future__ import annotations

import pytest

import convert
import paddle2torch
import parity
from convert.errors import Paddle2TorchError


@pytest.mark.parametrize("name", [name for name in paddle2torch.__all__ if name != "__version__"])
def test_a_public_name_is_the_object_of_its_home(name):
    homes = [home for home in (convert, parity, convert.errors) if hasattr(home, name)]
    assert any(getattr(paddle2torch, name) is getattr(home, name) for home in homes)
    assert name in dir(paddle2torch)


def test_the_names_of_the_design_are_public():
    promised = {
        "open_checkpoint",
        "plan_conversion",
        "convert_checkpoint",
        "convert_state_dict",
        "check",
        "assert_equivalent",
        "Report",
        "Finding",
        "Verdict",
        "__version__",
    }
    assert promised <= set(paddle2torch.__all__)


def test_every_deliberate_error_has_one_base():
    assert issubclass(paddle2torch.ConvertError, Paddle2TorchError)
    assert issubclass(paddle2torch.ParityError, Paddle2TorchError)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'convert_everything'"):
        paddle2torch.convert_everything  # noqa: B018
