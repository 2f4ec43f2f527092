"""Outputs are held against rounding at each number's own size, on numbers that no model has to make."""

import numpy as np
import pytest

from parity.numbers.observed import Sides, observe, sized
from parity.trace.values import ValueStore

RANDOM = np.random.default_rng(0)


@pytest.fixture
def stored(tmp_path):
    """Arrays as `Stored` values of a store."""
    store = ValueStore(tmp_path / "values")

    def put(*arrays):
        keys = [f"{len(store.index)}:{i}" for i in range(len(arrays))]
        for key, array in zip(keys, arrays, strict=True):
            store.put(key, np.asarray(array))
        return [store.stored(key) for key in keys]

    yield put
    store.close()


def rounded(x, relative=2.0**-24):
    """`x` as another order of summation in float32 gives it."""
    return (x * (1 + relative * RANDOM.uniform(-1, 1, x.shape))).astype(np.float32)


def two_runs(e, a, scale=None):
    """Paddle's and torch's value in float64, and float32 runs that lose what is usual at the numbers' own size."""
    noise = 2.0**-23 * (np.abs(e) if scale is None else scale)
    noise = np.where(np.isfinite(noise), noise, 0.0)
    with np.errstate(over="ignore"):
        return [e, a, *((x + noise * RANDOM.uniform(-1, 1, e.shape)).astype(np.float32) for x in (e, a))]


@pytest.mark.parametrize("beside", [-1e30, 1e16, np.finfo(np.float32).min])
def test_a_fault_beside_a_huge_number_is_seen(stored, beside):
    e = RANDOM.standard_normal((8, 16))
    a = e * 1.01
    e[:, ::2] = a[:, ::2] = beside
    found = observe(Sides(*stored(*two_runs(e, a))))
    assert not found.agrees
    assert found.difference.scale < 10
    assert found.difference.index[1] % 2 == 1


@pytest.mark.parametrize("beside", [-1e30, 1e16, 1.0, 0.0, np.finfo(np.float32).min, -1e39])
def test_rounding_beside_a_huge_number_is_none(stored, beside):
    e = RANDOM.standard_normal((8, 16))
    e[:, ::2] = beside
    a = e * (1 + 2.0**-52 * RANDOM.integers(-3, 4, e.shape))
    found = observe(Sides(*stored(*two_runs(e, a))))
    assert found.agrees
    assert found.doubt == ""


def test_what_is_left_of_a_cancellation_carries_the_rounding_of_its_summands(stored):
    """x - x.mean() of nearly equal numbers: tiny results among normal ones."""
    e = RANDOM.standard_normal(4096)
    e[::3] *= 1e-12
    a = e + 2.0**-52 * RANDOM.uniform(-2, 2, e.shape)
    assert observe(Sides(*stored(*two_runs(e, a, scale=1.0)))).agrees


def test_an_exact_zero_on_one_side_is_rounding(stored):
    e = RANDOM.standard_normal(64)
    a = e.copy()
    e[5], a[5] = 0.0, 1e-17
    assert observe(Sides(*stored(*two_runs(e, a, scale=1.0)))).agrees


def test_where_float32_leaves_no_digit_nothing_is_claimed(stored):
    e = 1e-9 * RANDOM.standard_normal(64)
    found = observe(Sides(*stored(*two_runs(e, e.copy(), scale=1.0))))
    assert "no digit" in found.doubt


def test_digits_that_one_side_alone_loses_in_float32_are_told(stored):
    e = RANDOM.standard_normal((4, 32))
    half = e.astype(np.float16).astype(np.float32)
    found = observe(Sides(*stored(e, e.copy(), rounded(e), half)))
    assert found.agrees
    assert "torch alone" in found.doubt
    assert "Paddle alone" in observe(Sides(*stored(e, e.copy(), half, rounded(e)))).doubt


def test_one_number_that_is_right_by_chance_is_no_doubt(stored):
    e = np.array([0.3])
    a32 = np.float32(e) * np.float32(1 + 5e-4)
    assert observe(Sides(*stored(e, e.copy(), np.float32(e), a32))).doubt == ""


def test_the_same_infinity_on_both_sides_hides_nothing(stored):
    e = RANDOM.standard_normal((4, 8))
    e[0, 0] = -np.inf
    a = e.copy()
    assert observe(Sides(*stored(*two_runs(e, a)))).agrees
    a[3, 3] *= 1 + 1e-9
    found = observe(Sides(*stored(*two_runs(e, a))))
    assert not found.agrees
    assert found.difference.index == (3, 3)


def test_another_comparison_is_held_against_the_same_sizes(stored):
    e = RANDOM.standard_normal(64)
    e[::2], e[1] = -1e30, 1.0
    found = observe(Sides(*stored(*two_runs(e, e.copy()))))
    worse = e.copy()
    worse[1] *= 1.001
    assert found.at_its_size(sized(worse, e)).max_rel > 1e-4
    assert found.at_its_size(sized(e.copy(), e)).max_rel == 0.0
