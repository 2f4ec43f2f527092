"""The positional arguments of torch's operators, as `parity.ops` has them, are in the order of torch's own schemas."""

import pytest
import torch

from parity.ops.torch import SIGNATURES

WORDS = {
    "input": "x",
    "self": "x",
    "query": "x",
    "other": "y",
    "dim": "axis",
    "dims": "axis",
    "dim0": "axis0",
    "dim1": "axis1",
    "indices": "x",
    "tensors": "x",
    "mat1": "x",
    "mat2": "y",
    "src": "x",
    "running_mean": "mean",
    "running_var": "variance",
    "num_groups": "groups",
    "negative_slope": "slope",
    "min_val": "min",
    "max_val": "max",
    "train": "training",
    "interpolation_mode": "mode",
    "output_size": "size",
    "split_size": "size",
    "split_sizes": "size",
    "sections": "size",
    "chunks": "size",
    "fill_value": "value",
    "upscale_factor": "factor",
    "attn_mask": "mask",
    "target": "label",
    "ord": "p",
    "hx": "states",
    "params": "weights",
    "w_ih": "weight_ih",
    "w_hh": "weight_hh",
    "b_ih": "bias_ih",
    "b_hh": "bias_hh",
}
"""A word of torch's schemas -> ours."""

OURS = {
    "addmm": {"self": "bias"},
    "copy": {"self": "target"},
    "fill": {"self": "target"},
    "flip": {"dims": "axes"},
    "rsub": {"self": "y", "other": "x"},
    "take_along_dim": {"indices": "index"},
    "zero": {"self": "target"},
}
"""Where one operator's word means something else: `rsub(a, b)` is b - a, and fills and copies write into their first."""

TRANSFORMS = {"n": "size", "s": "size"}
"""The same for Fourier transforms: how many points of an axis, or of several."""

READ_BY_SHAPE = {"max", "min"}
"""Operators whose second argument is a tensor or an axis: their reader looks which."""


def orders(name: str) -> list[list[str]]:
    """Positional arguments of each overload, in our words."""
    words = WORDS | OURS.get(name, {}) | (TRANSFORMS if name.startswith("fft_") else {})
    schemas = torch._C._jit_get_schemas_for_operator(f"aten::{name}")
    schemas += torch._C._jit_get_schemas_for_operator(f"aten::{name}_")
    return [[words.get(a.name, a.name) for a in s.arguments if not a.kwarg_only] for s in schemas]


CHECKED = sorted(name for name in SIGNATURES if orders(name) and name not in READ_BY_SHAPE | {"__getitem__"})


@pytest.mark.parametrize("name", CHECKED)
def test_positional_arguments_are_in_the_order_of_torchs_schema(name):
    ours, found = SIGNATURES[name].names, orders(name)
    told = min(len(ours), max(map(len, found)))
    assert ours[:told] in [order[:told] for order in found]


def test_most_operators_have_a_schema():
    assert len(CHECKED) >= 150
