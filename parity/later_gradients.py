"""Gradients that no ordinary number shows: at ties and kinks, at large numbers, behind hooks, and of losses on other results.

As in `parity.later`, each costs a run or two of both models, and is told as a finding of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack

import numpy as np

from parity.errors import ParityError
from parity.explain.states import corresponding
from parity.explain.telling import further as telling
from parity.later import Both, Runs
from parity.limits import EPS64, FORWARD_SHARE, GRADIENT_CONSTANTS
from parity.numbers.observed import sized
from parity.results.finding import Note
from parity.results.results import Case
from parity.setup.drawn import Further, kinks, larger
from parity.trace.values import Array, ValueStore, scratch_directory

LOSS = 1000.0
"""Going backward is linear: of so many times the loss come so many times the gradients, unless a hook or a function clips them."""

LARGE_RESULT = 20.0
"""Scores of a badly wrong network are as large; beyond 64 apart, Paddle's log-softmax cuts them off."""


def gradients_elsewhere(
    both: Both,
    inputs: Mapping[str, Array],
    parameters: Mapping[str, Mapping[str, Array]],
    pairs: Mapping[str, str] | None,
    notes: list[Note],
    *,
    at_kinks: bool,
) -> Case | None:
    """Gradients of the inputs, and of parameters with hooks, at large numbers, of a large loss, and at zeros, halves and equal numbers.

    at_kinks: whether both must have the same there; else only that torch's are numbers where Paddle's are. None if Paddle's
    model takes neither.
    """
    shapes = {name: array.shape for name, array in inputs.items()}
    case = None
    # The labels that were given: a loss may promise no gradient of others.
    whole = frozenset(name for name, array in inputs.items() if array.dtype.kind != "f")
    tried = {"zeros and equal numbers": kinks, "very large numbers": larger(1000.0, mixed=False)}
    for name, numbers in tried.items():
        named, finite_alone = f"gradients on {name}", numbers is kinks and not at_kinks
        with ExitStack() as stack:
            try:
                case, runs = both.on(
                    Further(named, inputs, shapes, (4,), numbers=numbers, limit=True, fixed=whole),
                    stack,
                    gradients=True,
                    loss=LOSS,
                )
            except ParityError:
                continue
            assert runs is not None
            level = _apart(runs)
            if level > GRADIENT_CONSTANTS:
                # What the models return on such numbers is judged by itself; these are gradients of something else.
                case = None
                continue
            # Constants of the forward are in gradients, too.
            room = max(GRADIENT_CONSTANTS, FORWARD_SHARE * level)
            times = 1.0 if runs["paddle"][0].hooked else LOSS
            # Behind a softmax that is one and zeros, what comes back is left of numbers that cancel.
            least = EPS64 * LOSS * _largest_seed(runs["paddle"][1])
            for path, theirs, actual in _gradients(runs):
                expected = times * theirs
                gap, size, apart, lost = _gap(expected, actual, least)
                if lost:  # Paddle's kernel overflows on its way (silu, celu), and torch's does not
                    notes.append(telling.paddles_nan(path, named))
                if np.isfinite(expected).any() and (apart or (gap > room * size and not finite_alone)):
                    case.judgement.findings.append(
                        telling.at_kinks(named, path, case.shapes, np.inf if apart else gap / size)
                    )
            for path, theirs, actual in _hooked(runs, parameters, pairs) if not finite_alone else ():
                gap, size, *_ = _gap(times * theirs, actual)
                if gap > room * size:
                    case.judgement.findings.append(telling.of_hooked(named, path, case.shapes, gap / size))
            if case.judgement.findings:
                return case
    return case


def _largest_seed(store: ValueStore) -> float:
    """The largest gradient of Paddle's loss at what the model returns."""
    seeds = (np.abs(store.get(key)).max(initial=0.0) for key in store.index if key.startswith("seed:"))
    return max(map(float, seeds), default=0.0) or 1.0


def _gap(expected: Array, actual: Array, least: float = 1e-30) -> tuple[float, float, bool, bool]:
    """How far apart numbers are, how large (`least` at the least), whether others are not finite in torch, and whether some are not in Paddle alone."""
    finite = np.isfinite(expected) & np.isfinite(actual)
    size = max(float(np.abs(expected[finite]).max(initial=0.0)), least)
    gap = float(np.abs(expected - actual)[finite].max(initial=0.0))
    lost = np.isnan(expected) & np.isfinite(actual)
    return gap, size, not np.array_equal(np.isfinite(expected) | lost, np.isfinite(actual)), bool(lost.any())


def _apart(runs: Runs) -> float:
    """How far the outputs are apart, relative to their size; 0 where they cannot be compared."""
    expected, actual = (runs[side][1] for side in ("paddle", "torch"))
    gaps = (
        sized(actual.get(key), expected.get(key))
        for key in expected.index
        if key.startswith("output:") and key in actual.index
    )
    return max((gap.max_rel for gap in gaps if gap.comparable), default=0.0)


def _gradients(runs: Runs) -> Iterator[tuple[str, Array, Array]]:
    """(input, Paddle's gradient, torch's); one that does not arrive is zero."""
    for path in runs["paddle"][0].inputs:
        found = []
        for trace, store in runs.values():
            key = f"grad:{trace.inputs[path]}"
            found.append(store.get(key) if key in store else None)
        expected, actual = found
        if expected is not None or actual is not None:
            zeros = np.zeros_like(expected if actual is None else actual)
            yield path, zeros if expected is None else expected, zeros if actual is None else actual


def _hooked(
    runs: Runs, parameters: Mapping[str, Mapping[str, Array]], pairs: Mapping[str, str] | None
) -> Iterator[tuple[str, Array, Array]]:
    """(torch's parameter, Paddle's gradient, torch's) of those that have hooks on either side."""
    hooked = {side: set(trace.hooked) for side, (trace, _) in runs.items()}
    if not any(hooked.values()):
        return
    by_name = {name: (pairs or {}).get(name, name) for name in parameters["torch"]}
    key = "grad:parameter:{}".format
    for same in corresponding(parameters["paddle"], parameters["torch"], by_name):
        stored = key(same.paddle) in runs["paddle"][1] and key(same.torch) in runs["torch"][1]
        if stored and (same.torch in hooked["torch"] or same.paddle in hooked["paddle"]):
            expected, actual = same.both(
                runs["paddle"][1].get(key(same.paddle)), runs["torch"][1].get(key(same.torch))
            )
            yield same.torch, expected, actual


def losses_elsewhere(both: Both, inputs: Mapping[str, Array]) -> Case | None:
    """Both losses, and their gradients, of larger results than the models return. None where there are none, or Paddle's does not take them.

    Results between 0 and 1 may be probabilities, of which no loss takes larger ones.
    """
    shapes = {name: array.shape for name, array in inputs.items()}
    as_given = Further("larger results", inputs, shapes, (0,), fixed=frozenset(inputs))
    with ExitStack() as stack:
        try:
            _, first = both.on(as_given, stack, gradients=True)
            assert first is not None
            results = first["paddle"][1]
            large = stack.enter_context(scratch_directory())
            given = ValueStore(large / "results")
            stack.callback(given.close)
            for key in results.index:
                if key.startswith("output:"):
                    given.put(key, _enlarged(results.get(key)))
                elif key.startswith("seed:"):
                    given.put(key, np.zeros_like(results.get(key)))
            given.settle()
            case, runs = both.on(as_given, stack, gradients=True, expected=given)
        except ParityError:
            return None
        assert runs is not None
        (_, paddle), (_, torch) = runs["paddle"], runs["torch"]
        numbers = {"": ("loss", "loss")}
        numbers |= {
            k.removeprefix("seed:"): (k, k) for k in paddle.index if k.startswith("seed:") and k in torch
        }
        found = {path: (paddle.get(a), torch.get(b)) for path, (a, b) in numbers.items()}
        if not all(np.isfinite(expected).all() for expected, _ in found.values()):
            return None
        for path, (expected, actual) in found.items():
            if expected.shape != actual.shape:
                continue
            gap, size, apart, _ = _gap(expected, actual)
            if apart or gap > LOSS_ROOM * size:
                case.judgement.findings.append(
                    telling.of_loss(path, case.shapes, np.inf if apart else gap / size, LARGE_RESULT)
                )
                break
    return case


LOSS_ROOM = 1e-5
"""Losses written otherwise have other constants and floors, which are small beside what another formula makes."""


def _enlarged(array: Array) -> Array:
    """The same numbers, the largest of them as large as a badly wrong result; what may be probabilities stays."""
    largest = float(np.abs(array).max(initial=0.0))
    if array.dtype.kind != "f" or not largest or (array.min() >= 0 and largest <= 1):
        return array
    return array * max(1.0, LARGE_RESULT / largest)
