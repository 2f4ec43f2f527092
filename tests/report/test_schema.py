"""Every report validates against the schema that ships with the package, and the schema holds it to something."""

from __future__ import annotations

import copy
import json
from importlib.resources import files

import pytest
from jsonschema import Draft202012Validator, ValidationError

from parity.results.results import REPORT_VERSION

SCHEMA = json.loads((files("parity.report") / "schema.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def validator():
    Draft202012Validator.check_schema(SCHEMA)
    return Draft202012Validator(SCHEMA)


@pytest.mark.parametrize("name", ["equivalent", "different", "inconclusive", "hostile", "two_modes"])
def test_a_report_validates(name, request, validator):
    data = json.loads(json.dumps(request.getfixturevalue(name).to_json(), allow_nan=False))
    validator.validate(data)
    assert data["version"] == REPORT_VERSION == SCHEMA["properties"]["version"]["const"]


def test_every_key_of_a_report_is_described(different):
    described = {name: set(part.get("properties", ())) for name, part in SCHEMA["$defs"].items()}
    data = different.to_json()
    assert set(data) == set(SCHEMA["properties"])
    (case,) = data["cases"]
    assert set(data["findings"][0]) == described["finding"]
    assert set(case) == described["case"]
    assert set(case["layers"][0]) == described["layer"]
    assert set(case["layers"][0]["float64"]) == described["difference"]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data.pop("verdict"),
        lambda data: data.update(version=1),
        lambda data: data["findings"][0].update(evidence={}),
        lambda data: data["findings"][0].update(subject="something"),
        lambda data: data["findings"][0]["values"].update(other=1),
        lambda data: data["cases"][0]["layers"][0].update(status="fine"),
    ],
)
def test_a_spoilt_report_does_not_validate(spoil, different, validator):
    data = copy.deepcopy(different.to_json())
    spoil(data)
    with pytest.raises(ValidationError):
        validator.validate(data)
