"""The generated layouts and the registry against the live networks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from convert.errors import ConvertError
from convert.models.layouts import generate, load_layout, resolve_dimension
from convert.models.registry import MODELS, _by_name, find_model

from .conftest import build_meta, every_model

FOLDER = Path(generate.__file__).parent


@every_model
def test_layout_file_is_what_the_generator_writes(spec):
    expected = generate.render(spec.name, generate.layout_of(spec))
    assert (FOLDER / f"{spec.name}.json").read_text() == expected, (
        "run `python -m convert.models.layouts.generate`"
    )


@every_model
def test_layout_with_other_class_and_channel_counts_is_the_live_state_dict(spec):
    values = {argument: value + 4 for argument, value in spec.defaults.items()}
    live = {name: list(tensor.shape) for name, tensor in build_meta(spec, **values).state_dict().items()}
    layout = {
        name: [resolve_dimension(dimension, values) for dimension in shape]
        for name, shape, _layer, _role in load_layout(spec.name)
    }
    assert list(layout.items()) == list(live.items())


def test_there_is_no_layout_without_a_model():
    assert {path.stem for path in FOLDER.glob("*.json")} == set(MODELS)


def test_layout_lists_one_slot_a_line():
    text = (FOLDER / "lenet.json").read_text()
    assert len(text.splitlines()) == 2 + len(json.loads(text)["slots"])


def test_scaled_dimension_is_resolved():
    assert resolve_dimension("4*num_classes+20", {"num_classes": 10}) == 60
    assert resolve_dimension("-1*num_classes-2", {"num_classes": 3}) == -5
    assert resolve_dimension(7, {}) == 7


def test_dimension_that_nobody_knows_is_an_error():
    with pytest.raises(ConvertError, match="width"):
        resolve_dimension("width", {"num_classes": 10})


def test_unknown_model_names_the_nearest_ones():
    with pytest.raises(ConvertError, match=r"no model is called 'ResNet-50'; did you mean resnet50"):
        find_model("ResNet-50")


def test_model_that_resembles_nothing_lists_what_there_is():
    with pytest.raises(ConvertError, match=r"there are .*lenet.*vgg16"):
        find_model("zzzzzzzzzzzz")


def test_two_models_of_one_name_are_refused():
    with pytest.raises(ValueError, match="lenet"):
        _by_name([MODELS["lenet"], MODELS["lenet"]])


def test_layout_of_an_unknown_model_is_an_error():
    with pytest.raises(ConvertError, match="no layout"):
        load_layout("nothing")
