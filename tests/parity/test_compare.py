"""Comparing arrays block by block, from files: the same answer as all at once, wherever the difference is."""

import numpy as np
import pytest

from parity.numbers.compare import BLOCK, SAMPLE, difference, rounding
from parity.trace.values import ValueStore

SIZES = (1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 7)


@pytest.fixture
def store(tmp_path):
    opened = ValueStore(tmp_path / "values")
    yield opened
    opened.close()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_one_wrong_element_is_found_in_any_block_from_memory_and_from_a_file(store, size, dtype):
    expected = np.random.default_rng(0).standard_normal(size).astype(dtype)
    for at in {0, size // 2, size - 1}:
        actual = expected.copy()
        actual[at] -= dtype(0.5)
        store.put("actual", actual)
        store.put("expected", expected)
        for found in (
            difference(actual, expected),
            difference(store.stored("actual"), store.stored("expected")),
        ):
            assert (found.index, found.mismatched, found.size) == ((at,), 1, size)
            assert found.max_abs == pytest.approx(0.5, rel=1e-6)
            assert found.scale == float(np.abs(expected).max())
            assert (found.actual, found.expected) == (float(actual[at]), float(expected[at]))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_single_number_that_is_not_finite_in_the_last_block_cannot_be_compared(store, value):
    expected = np.zeros(2 * BLOCK + 1)
    actual = expected.copy()
    actual[-1] = value
    store.put("actual", actual)
    store.put("expected", expected)
    assert "not finite" in difference(store.stored("actual"), store.stored("expected")).problem
    assert difference(actual, actual).comparable is bool(np.isinf(value))


def test_what_comes_back_from_a_store_is_what_went_in(store):
    arrays = {
        "matrix": np.arange(12.0).reshape(3, 4).T,
        "empty": np.zeros((0, 3), np.float32),
        "flags": np.array([True, False]),
        "large": np.arange(3 << 18, dtype=np.float64),
    }
    for key, array in arrays.items():
        store.put(key, array)
    for key, array in arrays.items():
        assert np.array_equal(store.get(key), array)
        assert store.get(key).dtype == array.dtype


def test_the_rounding_of_a_large_value_is_told_by_a_sample_as_by_the_whole(store):
    wide = np.random.default_rng(0).standard_normal(2 * SAMPLE + 5)
    store.put("wide", wide)
    store.put("narrow", wide.astype(np.float32))
    whole = difference(wide.astype(np.float32), wide).max_rel
    assert whole / 2 < rounding(store.stored("narrow"), store.stored("wide")) <= whole * 2


def test_values_can_be_added_to_what_a_worker_wrote(tmp_path):
    written = ValueStore(tmp_path / "values")
    written.put("1", np.arange(3.0))
    given = ValueStore.from_json(written.path, written.to_json())
    before = given.stored("1")
    given.put("-1", np.arange(4.0))
    handed_on = ValueStore.from_json(given.path, given.to_json())
    assert [handed_on.get(key).size for key in ("1", "-1")] == [3, 4]
    assert before.load().tolist() == [0, 1, 2]
    for store in (written, given, handed_on):
        store.close()
