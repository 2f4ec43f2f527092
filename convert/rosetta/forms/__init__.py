"""How a call is written in torch where a name and a list of arguments cannot say it: see `form`."""

from __future__ import annotations

from collections.abc import Mapping

from convert.rosetta.forms import functions, layers, tensors, training
from convert.rosetta.forms.form import DTYPES, WORDS, Form
from convert.rosetta.forms.names import (
    ADVICE,
    ALIASES,
    AS_CALLED,
    COMMON,
    EITHER,
    FILLING,
    IN_PLACE,
    INITIALISED,
    MODULES,
    OF_TENSORS,
    ONE_BY_ONE,
    PARTS,
    PICKED,
    PROVEN_BY,
    RETURNS,
    TELLING,
    TWINS,
)

FORMS: Mapping[str, tuple[Form, ...]] = {
    **layers.FORMS,
    **functions.FORMS,
    **tensors.FORMS,
    **training.FORMS,
}
"""The forms of each name."""

__all__ = [
    "ADVICE",
    "ALIASES",
    "AS_CALLED",
    "COMMON",
    "DTYPES",
    "EITHER",
    "FILLING",
    "FORMS",
    "Form",
    "INITIALISED",
    "IN_PLACE",
    "MODULES",
    "OF_TENSORS",
    "ONE_BY_ONE",
    "PARTS",
    "PICKED",
    "PROVEN_BY",
    "RETURNS",
    "TELLING",
    "TWINS",
    "WORDS",
]
