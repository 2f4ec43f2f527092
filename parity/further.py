"""Inputs beside the given one (`parity.setup.others.further_inputs`): the outputs first, and all of it where they differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from parity.capture.failed import ModelError
from parity.case import Question, require_finite
from parity.errors import NotRecordedError, ParityError
from parity.explain.telling import further as telling
from parity.later import Both, ignored_labels, later_call, many_samples, not_a_number
from parity.later_gradients import gradients_elsewhere, losses_elsewhere
from parity.limits import QUICK, ROUND32
from parity.numbers.compare import difference
from parity.numbers.observed import Observed, differs_at_its_size, sized
from parity.results.finding import Note
from parity.results.judgement import Judgement
from parity.results.results import Case
from parity.runs.lockstep import Apart, outputs_at_once
from parity.setup.drawn import Further, usual
from parity.setup.others import few, further_inputs, larger_sizes
from parity.sides.side import Side
from parity.trace.trace import Framework
from parity.trace.values import Array, ValueStore, scratch_directory

EIGHT = 8
"""Fewer numbers may be right to the last digit by chance (`parity.limits.gross`)."""

LIKE_IT = 16
"""So many times the difference that float32 constants make on the given input they may make on another one."""

FURTHER_BATCH = 2
"""Largest batch of a further input: more of the same shows nothing new, and costs as much again."""


def further_cases(
    paddle: Side,
    torch: Side,
    inputs: Mapping[str, Array],
    mode: str,
    parameters: Mapping[str, Mapping[str, Array]],
    pairs: Mapping[str, str] | None,
    tell: Any,
    given: Judgement,
    gradients: bool,
) -> list[Case]:
    """The further inputs that both models take, outputs alone, up to the first that shows a fault.

    given: what the given input showed; its outputs tell of what sizes their numbers are and how they are rounded. What was
    tried and refused is noted there.
    """
    cases: list[Case] = []
    looking = _Looking(paddle, torch, mode, tell, given.observed)
    for tries in further_inputs(inputs, mode, seen=given.seen):
        like = tries[0].like
        if like and not any(case.name.endswith(like) for case in cases):
            continue
        case = _first_that_tells(looking, tries, parameters, pairs)
        given.notes += looking.notes(None if case is None else case.shapes)
        if case is None:
            continue
        cases.append(case)
        if case.judgement.findings:
            return cases
    seen, observed = given.seen, given.observed
    both = Both(paddle, torch, mode, tell, seen.sequences)
    little_sample = few({name: array.shape for name, array in inputs.items()})
    little = little_sample and any(gap.size < EIGHT for gap in given.outputs.values())
    # Where that costs little, twice as many calls: a longer queue, a window of what is past.
    calls = seen.calls * 2 if seen.calls > 2 and little_sample else seen.calls
    later: tuple[tuple[bool, Callable[[], Case | None]], ...] = (
        (
            seen.calls > 1,
            lambda: later_call(both, inputs, parameters, pairs, observed, seen.counts, calls),
        ),
        (
            seen.calls > 1,
            lambda: later_call(
                both, inputs, parameters, pairs, {}, seen.counts, 2, larger_sizes(inputs, seen.named)
            ),
        ),
        (seen.doubtful, lambda: not_a_number(both, inputs)),
        (bool(seen.labels), lambda: ignored_labels(both, inputs, seen.labels, given.notes)),
        (little, lambda: many_samples(both, inputs)),
        (gradients and seen.own_loss, lambda: losses_elsewhere(both, inputs)),
        (
            gradients,
            lambda: gradients_elsewhere(
                both, inputs, parameters, pairs, given.notes, at_kinks=not seen.kinked
            ),
        ),
    )
    for asked, look in later:
        case = look() if asked else None
        if case is not None:
            cases.append(case)
            if case.judgement.findings:
                break
    return cases


def _first_that_tells(
    looking: _Looking,
    tries: Sequence[Further],
    parameters: Mapping[str, Mapping[str, Array]],
    pairs: Mapping[str, str] | None,
) -> Case | None:
    """The first of a row that both models take, outputs alone; all of it where they differ. None if none says anything."""
    looking.refused = []
    left = iter(tries)
    while (found := looking.first(left)) is not None:
        further, case, arrays = found
        if not case.judgement.inconclusive:
            return case
        name, shapes = case.name, case.shapes
        worst = max((d.max_rel for d in case.judgement.outputs.values() if d.comparable), default=0.0)
        question = Question(
            looking.paddle, looking.torch, name, arrays, looking.mode, parameters, pairs, looking.tell
        )
        try:
            case = question.answer()[0]
            case.judgement.findings[:] = [
                telling.on(name, shapes, finding) for finding in case.judgement.findings
            ]
        except NotRecordedError:
            worst = max((d.max_rel for d in case.judgement.outputs.values()), default=float("inf"))
            case.judgement.findings.append(telling.differs(name, shapes, worst))
        # A port that itself refuses one such size promises none of them.
        limited = any(why.side == "torch" for _, why in looking.refused)
        if not (further.unusual and (limited or says_nothing(case.judgement, worst))):
            return case
    return None


def says_nothing(judgement: Judgement, apart: float = 0.0) -> bool:
    """Whether numbers that no user gives overflow, leave rounding nothing to compare, or reach where Paddle cuts a softmax off.

    apart: by how much of their scale the outputs differ. What is a sum that cancels has no operator to be blamed.
    """
    if judgement.seen.cut:
        return True
    found = [one for one in judgement.observed.values() if not one.agrees]
    if judgement.inconclusive and not judgement.findings:
        return apart <= GROSS or all(one.doubt for one in found)
    return bool(found) and all(one.doubt for one in found)


GROSS = 1e-6
"""Outputs that differ by so much of their scale do not do so by rounding, though no operator is blamed."""


class Refused(Exception):
    """A model does not take such an input: Paddle's raises on it, or torch's says so itself."""

    def __init__(self, side: Side, error: ParityError) -> None:
        super().__init__(str(error))
        self.side, self.error = side.framework, error


@dataclass
class _Looking:
    """Looks for inputs that both models take, and keeps what was refused."""

    paddle: Side
    torch: Side
    mode: str
    tell: Any
    given: Mapping[str, Observed]
    batches: tuple[int | None, ...] = (FURTHER_BATCH, None)
    refused: list[tuple[Further, Refused]] = field(default_factory=list)

    def first(self, tries: Iterator[Further]) -> tuple[Further, Case, dict[str, Array]] | None:
        """The first that both take, and its arrays."""
        for further in tries:
            why: Refused | None = None
            # A model may be written for one size of batch: then the whole one.
            for batch in self.batches:
                arrays = further.arrays(batch)
                try:
                    case = quick_case(
                        self.paddle, self.torch, further, arrays, self.mode, self.tell, self.given
                    )
                except NotRecordedError:
                    continue
                except Refused as refused:
                    why = refused
                    continue
                self.batches = (batch,) if further.reduced else self.batches
                return further, case, arrays
            if why is not None:
                self.refused.append((further, why))
        return None

    def notes(self, instead: Mapping[str, tuple[int, ...]] | None) -> Iterator[Note]:
        """What was refused; instead: the shapes of what was taken."""
        ours = [further for further, why in self.refused if why.side == "paddle"]
        if any(further.vary for further in ours):
            yield telling.only_such()
        if sizes := [further.shapes for further in ours if not further.vary and not further.unusual]:
            yield telling.refused(sizes, instead)
        for further, why in self.refused:
            if why.side == "torch" and not further.quiet:
                yield telling.limit(further.shapes, why.error)


def quick_case(
    paddle: Side,
    torch: Side,
    further: Further,
    inputs: Mapping[str, Array],
    mode: str,
    tell: Any,
    given: Mapping[str, Observed],
) -> Case:
    """Compare the outputs alone, in float64; raises Refused where a model does not take such an input.

    given: the outputs on the given input, which tell of what sizes numbers are, and what float32 constants make of them.
    """
    judgement, name = Judgement(), further.name
    case = Case(name, mode, {n: a.shape for n, a in inputs.items()}, judgement, quick=True)
    with ExitStack() as stack:
        scratch = stack.enter_context(scratch_directory())
        tell(f"{name}, {mode}: outputs")
        stores: dict[Framework, ValueStore] = {}
        try:
            stores = outputs_at_once(paddle, torch, inputs, mode, scratch, stack)
        except Apart as apart:
            if isinstance(apart.__cause__, ParityError):
                raise Refused(paddle, apart.__cause__) from apart
        for side in (paddle, torch) if not stores else ():
            try:
                _, store = side.capture(
                    inputs,
                    mode=mode,
                    precision="float64",
                    store=scratch / side.framework,
                    outputs_only=True,
                )
            except NotRecordedError:
                raise
            except ParityError as error:
                if side is paddle or further.limit or (isinstance(error, ModelError) and error.deliberate):
                    raise Refused(side, error) from error
                if _reads_no_more(paddle, further, inputs, mode, stores["paddle"], scratch):
                    raise Refused(side, error) from error
                if isinstance(error, ModelError) and error.run is not None:
                    judgement.inconclusive.append(telling.doubt(name, error))
                else:
                    judgement.findings.append(telling.raises(name, case.shapes, error))
                return case
            stores[side.framework] = store
            stack.callback(store.close)
        returned = [key for key in stores["paddle"].index if key.startswith("output:")]
        if further.made_for_the_given_batch(stores["paddle"].stored(key).shape for key in returned):
            raise Refused(paddle, ParityError("it is made for the batch that was given"))
        require_finite(judgement, stores)
        if judgement.inconclusive and further.unusual:
            overflows = paddle if any("the paddle model" in one for one in judgement.inconclusive) else torch
            if further.anybodys and overflows is torch:
                return case
            raise Refused(overflows, ParityError(judgement.inconclusive[0]))
        if _differ(stores, given, further, case):
            judgement.inconclusive.append(telling.doubt(name))
    return case


def _differ(
    stores: Mapping[Framework, ValueStore], given: Mapping[str, Observed], further: Further, case: Case
) -> bool:
    """Whether two runs return something else; how far their outputs are apart is put into the case."""
    paddle, torch, outputs = stores["paddle"], stores["torch"], case.judgement.outputs
    found = [{k for k in store.index if k.startswith(("output:", "text:"))} for store in (paddle, torch)]
    differ = found[0] != found[1]
    # Other numbers than usual give outputs of other sizes than the given ones.
    sizes = given if further.numbers is usual and not further.whole else {}
    for key in sorted(found[0] & found[1]):
        kind, _, path = key.partition(":")
        if kind == "text":
            differ |= not np.array_equal(torch.get(key), paddle.get(key))
            continue
        gap = sized(torch.get(key), paddle.get(key))
        outputs[path] = sizes[path].at_its_size(gap) if path in sizes else gap
        differ |= torch.stored(key).shape != paddle.stored(key).shape
    within = {path: _within(given.get(path)) for path in outputs}
    differ |= any(not d.comparable or d.max_rel > within[path] for path, d in outputs.items())
    if few(case.shapes):
        # Looking closer costs little.
        differ |= any(differs_at_its_size(d, within[path]) for path, d in outputs.items())
    return differ


def _within(given: Observed | None) -> float:
    """How far an output may be apart without a closer look; where float32 constants make a difference on the given input, they make one like it elsewhere."""
    constants = given is not None and given.limit > ROUND32 / 64
    return LIKE_IT * given.limit if given is not None and constants else QUICK


def _reads_no_more(
    paddle: Side,
    further: Further,
    inputs: Mapping[str, Array],
    mode: str,
    whole: ValueStore,
    scratch: Path,
) -> bool:
    """Whether Paddle's model leaves out what a larger input has beyond the given size: one that refuses it computes all the same."""
    given = {name: array.shape[1:] for name, array in further.given.items()}
    cut = {
        name: np.ascontiguousarray(array[(slice(None), *map(slice, given[name]))])
        for name, array in inputs.items()
    }
    if all(cut[name].shape == array.shape for name, array in inputs.items()):
        return False
    try:
        _, store = paddle.capture(
            cut, mode=mode, precision="float64", store=scratch / "cut", outputs_only=True
        )
    except ParityError:
        return False
    with closing(store):
        keys = [key for key in whole.index if key.startswith("output:")]
        return all(
            key in store and difference(whole.get(key), store.stored(key)).max_rel <= QUICK for key in keys
        )
