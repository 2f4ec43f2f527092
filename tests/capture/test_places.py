"""Every name of a function is found, whatever was bound since the last recording."""

import sys
import warnings
from contextlib import suppress
from types import ModuleType

import numpy as np
import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import paddle
import torch

import parity
from parity.capture.places import Places, one_check, patched, throughout
from parity.results.verdict import Verdict


def wanted():
    """Looked for."""


@pytest.fixture
def module(monkeypatch):
    made = ModuleType("a_module_of_a_user")
    monkeypatch.setitem(sys.modules, made.__name__, made)
    return made


def found(places: Places, functions=(wanted,)) -> set[tuple[str, str]]:
    return {
        (module.__name__, name)
        for module, name, key in places.of({id(function): function for function in functions})
        if key == id(wanted)
    }


def test_a_name_that_a_module_binds_later_is_found(module):
    places, here = Places(), (__name__, "wanted")
    assert found(places) == {here}
    module.operator = None
    assert found(places) == {here}
    module.operator = wanted
    assert found(places) == {here, (module.__name__, "operator")}


def test_an_installed_module_is_looked_through_again_when_it_has_got_a_name_or_another_holds_its_place(
    monkeypatch,
):
    places, here = Places(), (__name__, "wanted")
    assert found(places) == {here}
    monkeypatch.setattr(np.testing, "operator", wanted, raising=False)
    assert found(places) == {here, ("numpy.testing", "operator")}
    monkeypatch.setattr(np.testing, "operator", None)
    assert found(places) == {here}
    another = ModuleType("numpy.testing")
    vars(another).update(vars(np.testing), operator=wanted)
    monkeypatch.setitem(sys.modules, "numpy.testing", another)
    assert found(places) == {here, ("numpy.testing", "operator")}


def test_other_functions_are_looked_for_everywhere():
    places = Places()
    assert not found(places, [pytest.raises])
    assert found(places) == {(__name__, "wanted")}


def test_a_check_patches_once_and_again_after_an_import_and_the_next_check_anew(module, monkeypatch):
    seen = []

    def names():
        seen.append(module.name)
        yield module, "name", module.name, f"{module.name}'"

    def run():
        with throughout("names", lambda: patched(names())):
            return module.name

    module.name = "a"
    assert (run(), module.name, run(), len(seen)) == ("a'", "a", "a'", 2)
    with one_check():
        assert (run(), module.name, run(), len(seen)) == ("a'", "a'", "a'", 3)
        monkeypatch.setitem(sys.modules, "another_module_of_a_user", ModuleType("another_module_of_a_user"))
        assert (run(), run(), seen) == ("a'", "a'", ["a"] * 4)
    assert module.name == "a"
    with suppress(ZeroDivisionError), one_check():
        run()
        raise ZeroDivisionError
    assert module.name == "a"


def test_an_operator_that_a_module_binds_between_two_checks_is_recorded(module):
    class PaddleNet(paddle.nn.Layer):
        def forward(self, x):
            return module.relu(x)

    class TorchNet(torch.nn.Module):
        def forward(self, x):
            return torch.sigmoid(x)

    x = np.linspace(-2, 2, 12, dtype="float32").reshape(3, 4)
    module.relu = paddle.nn.functional.sigmoid
    assert parity.check(PaddleNet(), TorchNet(), x).verdict is Verdict.EQUIVALENT
    module.relu = paddle._C_ops.relu
    (finding,) = parity.check(PaddleNet(), TorchNet(), x).findings
    assert (finding.subject, finding.values) == ("substituted", {"paddle": "ReLU", "torch": "Sigmoid"})


def test_an_operator_that_a_model_keeps_from_one_run_is_recorded_in_the_next():
    class PaddleNet(paddle.nn.Layer):
        kept = None

        def forward(self, x):
            if self.kept is None:
                self.kept = paddle._C_ops.relu
            return self.kept(x)

    model, x = PaddleNet(), np.linspace(-2, 2, 12, dtype="float32").reshape(3, 4)
    assert parity.check(model, torch.nn.ReLU(), x).verdict is Verdict.EQUIVALENT
    assert parity.check(model, torch.nn.ReLU(), x).verdict is Verdict.EQUIVALENT
    assert [f.values["paddle"] for f in parity.check(model, torch.nn.Sigmoid(), x).findings] == ["ReLU"]
    np.testing.assert_array_equal(model(paddle.to_tensor(x)).numpy(), np.maximum(x, 0))
