"""What no single forward on ordinary numbers shows: a second call, NaN and Inf, labels to be left out.

Each is asked only where the models give reason to (`parity.results.seen.Seen`), costs a run or two of both, and is told as a finding of its own:
the operators that make it are not looked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from parity.errors import NotRecordedError, ParityError
from parity.explain.states import corresponding
from parity.explain.telling import further as telling
from parity.limits import FLOAT32_STEPS, QUICK
from parity.numbers.compare import Difference
from parity.numbers.observed import Observed, Sides, observe, sized
from parity.results.finding import Note
from parity.results.judgement import Judgement
from parity.results.results import Case
from parity.results.seen import statistics_of
from parity.setup.drawn import Further, hides, not_numbers
from parity.setup.others import of_several_samples
from parity.sides.side import Side
from parity.trace.trace import Framework, Trace
from parity.trace.values import Array, ValueStore, scratch_directory

Runs = Mapping[Framework, tuple[Trace, ValueStore]]


MANY = 16
"""Samples that tell what float32 does to the results, where the given ones hold few numbers."""

IGNORED = -100
"""The label that both frameworks leave out unless they are told another one."""


@dataclass(frozen=True)
class Both:
    """Both sides, in one mode."""

    paddle: Side
    torch: Side
    mode: str
    tell: Any
    fixed: frozenset[str] = frozenset()
    """Inputs that stay as they were given."""

    def on(
        self,
        further: Further,
        stack: ExitStack,
        precision: str = "float64",
        *,
        loss: float = 1.0,
        **options: Any,
    ) -> tuple[Case, Runs | None]:
        """A case, and both runs; None where torch's model raises, and ParityError where Paddle's does.

        loss: how many times Paddle's gradients at the results those are with which torch goes backward, and Paddle's model too if
        parameters of it have hooks.
        """
        further = replace(further, fixed=further.fixed | self.fixed)
        arrays = further.arrays()
        shapes = {name: array.shape for name, array in arrays.items()}
        case = Case(further.name, self.mode, shapes, Judgement(), quick=True)
        self.tell(f"{further.name}, {self.mode}")
        scratch, runs = stack.enter_context(scratch_directory()), {}
        for side in (self.paddle, self.torch):
            where = scratch / side.framework
            try:
                runs[side.framework] = side.capture(
                    arrays, mode=self.mode, precision=precision, store=where, **options
                )
            except NotRecordedError:
                raise
            except ParityError as error:
                if side is self.paddle or further.limit:
                    raise
                case.judgement.findings.append(telling.raises(further.name, shapes, error))
                return case, None
            stack.callback(runs[side.framework][1].close)
            if side is self.paddle and loss != 1.0:
                options["expected"] = _times(runs["paddle"][1], loss, scratch / "loss")
                stack.callback(options["expected"].close)
                if runs["paddle"][0].hooked:
                    # What hooks make of larger gradients is not so many times what they make of these.
                    runs["paddle"] = side.capture(
                        arrays, mode=self.mode, precision=precision, store=scratch / "hooked", **options
                    )
                    stack.callback(runs["paddle"][1].close)
        return case, runs


def _times(store: ValueStore, loss: float, path: Path) -> ValueStore:
    """A run's results, and the gradients at them of so many times its loss."""
    made = ValueStore(path)
    for key in store.index:
        if key.startswith(("output:", "seed:")):
            made.put(key, store.get(key) * (loss if key.startswith("seed:") else 1))
    made.settle()
    return made


def later_call(
    both: Both,
    inputs: Mapping[str, Array],
    parameters: Mapping[str, Mapping[str, Array]],
    pairs: Mapping[str, str] | None,
    given: Mapping[str, Observed],
    counts: Mapping[Framework, Mapping[str, float]],
    calls: int,
    sizes: Mapping[str, tuple[int, ...]] | None = None,
) -> Case | None:
    """Other numbers after the given ones: what the models keep from one call to the next. None if Paddle's does not take that.

    counts: the plain numbers that one call left changed; what goes on changing on one side alone may do anything some calls later. calls: how many
    there are in all. sizes: of the last one, which a port may refuse.
    """
    shapes = {name: array.shape for name, array in inputs.items()} if sizes is None else sizes
    name = {2: "a second call"}.get(calls, f"call {calls} in a row")
    name += "" if sizes is None else ", of another size"
    varied = any(hides(array, len(inputs) == 1) for array in inputs.values())
    with ExitStack() as stack:
        for vary in (True, False) if varied else (False,):
            *between, other = (
                Further(name, inputs, shapes, (number,), fixed=both.fixed, vary=vary, limit=sizes is not None)
                for number in range(2, calls + 1)
            )
            try:
                before = [inputs, *(one.arrays() for one in between)]
                case, runs = both.on(other, stack, outputs_only=True, before=before)
                break
            except ParityError:
                continue
        else:
            return None
        if runs is None:
            return case
        going_on = {
            side: [name for name, value in trace.counts.items() if value != counts.get(side, {}).get(name)]
            for side, (trace, _) in runs.items()
        }
        if all(going_on.values()) and sizes is None:
            case.judgement.notes.append(telling.both_counting(going_on["torch"], calls))
        for side, names in going_on.items():
            if names and not all(going_on.values()):
                case.judgement.inconclusive.append(telling.counting(side, names, calls))
        paddle, torch = runs["paddle"][1], runs["torch"][1]
        for key in sorted(torch.index):
            kind, _, name = key.partition(":")
            if kind not in ("output", "earlier") or key not in paddle.index:
                continue
            gap = sized(torch.get(key), paddle.get(key))
            if kind == "output":
                gap = given[name].at_its_size(gap) if name in given else gap
                case.judgement.outputs[name] = gap
            if not gap.comparable or gap.max_rel > calls * FLOAT32_STEPS:
                case.judgement.findings.append(telling.later(kind, "", calls, case.shapes, gap))
        for name, gap in _kept(runs, parameters, pairs):
            # What is kept may be updated with a number that Paddle keeps in float32.
            if not gap.comparable or gap.max_rel > calls * FLOAT32_STEPS:
                case.judgement.findings.append(telling.later("after", name, calls, case.shapes, gap))
    return case


def _kept(
    runs: Runs, parameters: Mapping[str, Mapping[str, Array]], pairs: Mapping[str, str] | None
) -> Iterator[tuple[str, Difference]]:
    """How far apart what the models keep is after a run, by torch's names; what a BatchNorm keeps is judged after the first call."""
    held: dict[Framework, dict[str, Array]] = {}
    for side, (trace, store) in runs.items():
        names = {key.partition(":")[2] for key in store.index if key.startswith("after:")}
        names -= statistics_of(trace)
        # One that forward itself moves is no input of its layer, and unbiased in torch all the same.
        names = {name for name in names if not _is_running_variance(trace, name)}
        held[side] = {name: parameters[side][name] for name in sorted(names & set(parameters[side]))}
    by_name = {name: (pairs or {}).get(name, name) for name in held["torch"]}
    paddle, torch = runs["paddle"][1], runs["torch"][1]
    for same in corresponding(held["paddle"], held["torch"], by_name):
        yield (
            same.torch,
            same.gap(paddle.get(f"after:{same.paddle}"), torch.get(f"after:{same.torch}")),
        )


def _is_running_variance(trace: Trace, name: str) -> bool:
    layer, _, last = name.rpartition(".")
    return last == "running_var" and "BatchNorm" in trace.modules.get(layer, {}).get("type", "")


def many_samples(both: Both, inputs: Mapping[str, Array]) -> Case | None:
    """Both precisions on more samples, where few numbers say little of what float32 alone does. None if a model does not take them."""
    shapes = {name: array.shape for name, array in inputs.items()}
    more = Further("many samples in float32", inputs, of_several_samples(shapes, MANY), (6,), limit=True)
    with ExitStack() as stack:
        try:
            case, wide = both.on(more, stack, outputs_only=True)
            _, narrow = both.on(more, stack, outputs_only=True, precision="float32")
        except ParityError:
            return None
        assert wide is not None
        assert narrow is not None
        stores = [runs[side][1] for runs in (wide, narrow) for side in ("paddle", "torch")]
        for key in sorted(stores[0].index):
            if key.startswith("output:") and all(key in store.index for store in stores):
                found = observe(Sides(*(store.stored(key) for store in stores)))
                if found.doubt:
                    path = key.partition(":")[2]
                    case.judgement.inconclusive.append(f"`{path}`: {found.doubt}")
    return case


def not_a_number(both: Both, inputs: Mapping[str, Array]) -> Case | None:
    """NaN and Inf among the numbers: they must come out at the same places. None if Paddle's model does not take them."""
    shapes = {name: array.shape for name, array in inputs.items()}
    with ExitStack() as stack:
        try:
            case, runs = both.on(
                Further("NaN and Inf", inputs, shapes, (3,), numbers=not_numbers, limit=True),
                stack,
                outputs_only=True,
            )
        except ParityError:
            return None
        assert runs is not None
        for key in sorted(runs["paddle"][1].index):
            expected, actual = (runs[side][1] for side in ("paddle", "torch"))
            if not key.startswith("output:") or key not in actual.index:
                continue
            path, numbers = key.partition(":")[2], (actual.get(key), expected.get(key))
            if not _same_places(*numbers):
                case.judgement.findings.append(telling.not_numbers(path, case.shapes))
    return case


def ignored_labels(
    both: Both, inputs: Mapping[str, Array], labels: Iterable[str], notes: list[Note]
) -> Case | None:
    """Labels that both frameworks leave out if nobody says which. None if Paddle's model says otherwise.

    Their own means of what is left differ: that is noted, and only a port that does not leave them out is a finding.
    """
    shapes = {name: array.shape for name, array in inputs.items()}
    ignored = dict.fromkeys(labels, IGNORED)
    with ExitStack() as stack:
        try:
            case, runs = both.on(
                Further("labels to be ignored", inputs, shapes, (5,), ignored=ignored),
                stack,
                outputs_only=True,
            )
        except ParityError:
            return None
        if runs is None:
            return case
        paddle, torch = runs["paddle"][1], runs["torch"][1]
        gaps = [
            sized(torch.get(key), paddle.get(key))
            for key in paddle.index
            if key.startswith("output:") and key in torch.index
        ]
        worst = max((gap.max_rel for gap in gaps), default=0.0)
        if worst > QUICK:
            kinds = {op.kind for op in runs["torch"][0].ops}
            if kinds & {"cross_entropy", "nll_loss", "nll_loss_nd"}:
                notes.append(telling.ignored(IGNORED, worst))
            else:
                case.judgement.findings.append(telling.differs(case.name, case.shapes, worst))
    return case


def _same_places(actual: Array, expected: Array) -> bool:
    if actual.shape != expected.shape or actual.dtype.kind != "f":
        return actual.shape != expected.shape or np.array_equal(actual, expected)
    return all(
        np.array_equal(asked(actual), asked(expected)) for asked in (np.isnan, np.isposinf, np.isneginf)
    )
