"""Other numbers and, for images, an odd size: the outputs first, and all of it where they differ."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from parity.capture.failed import ModelError
from parity.case import Question, require_finite
from parity.errors import NotRecordedError, ParityError
from parity.explain.telling import further as telling
from parity.limits import QUICK
from parity.numbers.observed import Observed, sized
from parity.results.judgement import Judgement
from parity.results.results import Case
from parity.runs.lockstep import Apart, outputs_at_once
from parity.setup.inputs import further_inputs
from parity.sides.side import Side
from parity.trace.trace import Framework
from parity.trace.values import Array, ValueStore, scratch_directory


def further_cases(
    paddle: Side,
    torch: Side,
    inputs: Mapping[str, Array],
    mode: str,
    parameters: Mapping[str, Mapping[str, Array]],
    pairs: Mapping[str, str] | None,
    tell: Any,
    given: Mapping[str, Observed],
) -> list[Case]:
    """The further inputs that Paddle's model takes, outputs alone, up to the first that shows a fault.

    given: the outputs on the given input, which tell of what sizes their numbers are and how they are rounded.
    """
    cases = []
    whole = dict(further_inputs(inputs))
    any_batch = False
    for name, few in further_inputs(inputs, batch=FURTHER_BATCH):
        # A model may be written for one size of batch: then the whole one.
        for more in (few,) if any_batch else (few, whole[name]):
            try:
                case = _quick_case(paddle, torch, name, more, mode, tell, given)
            except NotRecordedError:
                case = None
            if case is not None:
                any_batch = more is few
                break
        if case is None:
            continue
        if case.judgement.inconclusive:
            # The outputs differ on this input: look into it properly.
            try:
                case = Question(paddle, torch, name, more, mode, parameters, pairs, tell).answer()[0]
                case.judgement.findings[:] = [
                    telling.on(name, case.shapes, finding) for finding in case.judgement.findings
                ]
            except NotRecordedError:
                worst = max((d.max_rel for d in case.judgement.outputs.values()), default=float("inf"))
                case.judgement.findings.append(telling.differs(name, case.shapes, worst))
        cases.append(case)
        if case.judgement.findings:
            break
    return cases


def _quick_case(
    paddle: Side,
    torch: Side,
    name: str,
    inputs: Mapping[str, Array],
    mode: str,
    tell: Any,
    given: Mapping[str, Observed],
) -> Case | None:
    """Compare the outputs alone, in float64; None when Paddle's model does not take such an input."""
    judgement = Judgement()
    case = Case(name, mode, {n: a.shape for n, a in inputs.items()}, judgement, quick=True)
    with ExitStack() as stack:
        scratch = stack.enter_context(scratch_directory())
        tell(f"{name}, {mode}: outputs")
        stores: dict[Framework, ValueStore] = {}
        try:
            stores = outputs_at_once(paddle, torch, inputs, mode, scratch, stack)
        except Apart as apart:
            if isinstance(apart.__cause__, ParityError):
                return None
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
                if side is paddle:
                    return None
                if isinstance(error, ModelError) and error.run is not None:
                    judgement.inconclusive.append(telling.doubt(name, error))
                else:
                    judgement.findings.append(telling.raises(name, case.shapes, error))
                return case
            stores[side.framework] = store
            stack.callback(store.close)
        require_finite(judgement, stores)
        found = {side: {k for k in store.index if k.startswith("output:")} for side, store in stores.items()}
        for key in sorted(found["paddle"] & found["torch"]):
            path = key.removeprefix("output:")
            gap = sized(stores["torch"].get(key), stores["paddle"].get(key))
            judgement.outputs[path] = given[path].at_its_size(gap) if path in given else gap
        differ = any(not d.comparable or d.max_rel > QUICK for d in judgement.outputs.values())
        differ |= any(
            stores["torch"].stored(key).shape != stores["paddle"].stored(key).shape
            for key in found["paddle"] & found["torch"]
        )
        if differ or found["paddle"] != found["torch"]:
            judgement.inconclusive.append(telling.doubt(name))
    return case


FURTHER_BATCH = 2
"""Largest batch of a further input: more of the same shows nothing new, and costs as much again."""
