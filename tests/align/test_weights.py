"""A weight in the layout that both sides share: turned, packed, sliced, and written back to where it came from."""

from __future__ import annotations

import numpy as np
import pytest

from parity.align.pipeline import prepare
from parity.align.weights import WeightPair, held, weight_pairs
from tests.graph.written import Written

OWN = np.arange(12.0).reshape(3, 4)
"""A Linear's matrix as torch keeps it: three outputs of four."""

OTHERS = np.arange(100.0, 124.0).reshape(6, 4)


def name(t):
    """Other names on either side: what a layer holds must tell."""
    return "w" if t.trace.framework == "paddle" else "v"


def plain(t):
    weight = t.parameter(name(t), *((4, 3) if t.trace.framework == "paddle" else (3, 4)))
    return (t("linear", t.input(2, 4), weight, to=(2, 3)),)


def packed(t):
    """Three layers of three outputs in one; the second is ours."""
    shape = (4, 9) if t.trace.framework == "paddle" else (9, 4)
    whole = t("linear", t.input(2, 4), t.parameter(name(t), *shape), to=(2, 9))
    first, own, last = t.several("split", whole, to=[(2, 3)] * 3, axis=1)
    return own, first, last


def sliced(t):
    """The same, cut out of the weight before it is used, and turned."""
    if t.trace.framework == "paddle":
        part = t("getitem", t.parameter(name(t), 4, 9), to=(4, 3), slices=((0, 4, 1), (3, 6, 1)))
    else:
        part = t("getitem", t.parameter(name(t), 9, 4), to=(3, 4), slices=((3, 6, 1), (0, 4, 1)))
    return (t("linear", t.input(2, 4), part, to=(2, 3)),)


def gathered(t):
    """Rows in no order that a packed layer has: every third one."""
    shape = (4, 9) if t.trace.framework == "paddle" else (9, 4)
    rows, columns = ((0, 9, 3), (0, 4, 1))
    slices = (columns, rows) if t.trace.framework == "paddle" else (rows, columns)
    part = t(
        "getitem",
        t.parameter(name(t), *shape),
        to=(4, 3) if t.trace.framework == "paddle" else (3, 4),
        slices=slices,
    )
    return (t("linear", t.input(2, 4), part, to=(2, 3)),)


def convolved(t):
    weight = t.parameter("w", 3, 4, 1, 1)
    attributes = {"stride": (1, 1), "padding": ((0, 0),) * 2, "dilation": (1, 1), "groups": 1}
    return (t("conv", t.input(2, 4, 1, 1), weight, to=(2, 3, 1, 1), **attributes),)


def kept(write, framework):
    """The parameter's own array, so that the layer's weight is OWN."""
    if write is gathered:
        whole = np.empty((9, 4))
        whole[0::3], whole[1::3], whole[2::3] = OWN, OTHERS[:3], OTHERS[3:]
    else:
        whole = OWN if write in (plain, convolved) else np.concatenate([OTHERS[:3], OWN, OTHERS[3:]])
    if write is convolved:
        return whole.reshape(3, 4, 1, 1).copy()
    return (whole.T if framework == "paddle" else whole).copy()


def paired(paddle, torch, names=None) -> tuple[WeightPair, dict, dict]:
    arrays = {"w": kept(paddle, "paddle")}, {"v": kept(torch, "torch")}
    traces = []
    for framework, write in (("paddle", paddle), ("torch", torch)):
        t = Written(framework)
        traces.append(t.returns(*write(t)))
    found = [
        two
        for two in weight_pairs(prepare(*traces, arrays, names).align())
        if np.array_equal(two.torch.read(arrays[1]).reshape(-1), OWN.reshape(-1))
    ]
    assert len(found) == 1
    return found[0], *arrays


WAYS = [plain, packed, sliced, gathered]


@pytest.mark.parametrize("paddle", WAYS)
@pytest.mark.parametrize("torch", WAYS)
def test_a_weight_is_the_same_numbers_on_both_sides_however_each_keeps_it(paddle, torch):
    found, theirs, ours = paired(paddle, torch)
    assert np.array_equal(found.paddle.read(theirs), OWN)
    assert np.array_equal(found.torch.read(ours), OWN)


@pytest.mark.parametrize("torch", WAYS)
def test_numbers_are_written_where_the_weight_is_kept_and_nowhere_else(torch):
    found, theirs, ours = paired(plain, torch)
    before = ours["v"].copy()
    found.torch.write(ours, found.paddle.read(theirs) + 1000.0)
    assert np.array_equal(found.torch.read(ours), OWN + 1000.0)
    changed = ours["v"] != before
    assert changed.sum() == OWN.size


def test_a_convolution_of_single_pixels_holds_a_matrix():
    found, theirs, ours = paired(convolved, plain, {"v": "w"})
    assert found.pair.torch.kind == found.pair.paddle.kind == "linear"
    assert np.array_equal(found.paddle.read(theirs), found.torch.read(ours))


def test_a_weight_that_nothing_moves_is_read_without_a_copy():
    for write in (plain, packed):
        found, theirs, ours = paired(write, write)
        assert np.shares_memory(found.paddle.read(theirs), theirs["w"])
        assert np.shares_memory(found.torch.read(ours), ours["v"])


def test_a_parameter_that_is_not_there_is_not_read():
    found, _, _ = paired(plain, plain)
    assert found.torch.read({}) is None


def test_a_slot_that_holds_no_parameter_holds_nothing():
    t = Written()
    x = t.input(2, 4)
    graph = t.graph(t("linear", x, t("tanh", t.parameter(name(t), 3, 4)), to=(2, 3)))
    node = graph.nodes[-1]
    assert held(graph, node, "x") is None
    assert held(graph, node, "weight") is None
    assert held(graph, node, "bias") is None
