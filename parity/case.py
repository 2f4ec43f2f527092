"""One case of a check: both models on one input in one mode, recorded in both precisions and judged.

There are two ways to the numbers, and both give the same ones: side by side, where that is possible (`parity.runs.lockstep`), or
one run after the other with every value kept, which also serves gradients, training and sides that run elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from parity.align.pipeline import Prepared, prepare
from parity.capture.failed import ModelError
from parity.capture.options import Nudge
from parity.capture.replay import Measurement, ReplayPlan
from parity.errors import ParityError
from parity.explain.judge import judge
from parity.explain.raising import judge_raised
from parity.explain.words import in_gradients
from parity.results.judgement import Judgement
from parity.results.results import Case
from parity.runs.lockstep import Apart, Lockstep, suits
from parity.runs.run import Measure, Replay, Run
from parity.sides.live import LiveSide
from parity.sides.side import Side
from parity.trace.trace import Framework, Trace
from parity.trace.values import Array, ValueStore, scratch_directory

if TYPE_CHECKING:
    from parity.backward.flow import GradientJudgement

GIVEN = "given input"
"""The name of the case of the user's own inputs."""

Answer = tuple[Case, dict[str, str]]
"""The case, and the version of each framework that ran it."""


@dataclass(frozen=True)
class Question:
    """One case, as it is asked for."""

    paddle: Side
    torch: Side
    name: str
    inputs: Mapping[str, Array]
    mode: str
    parameters: Mapping[str, Mapping[str, Array]]
    pairs: Mapping[str, str] | None
    tell: Any

    def answer(self, gradients: bool = False, steps: int = 0) -> Answer:
        """Record both sides in both precisions and judge them."""
        if not gradients and not steps and suits(self.paddle, self.torch, self.inputs, self.mode):
            try:
                return self.in_step()
            except Apart:
                self._tell("one model after the other")
        return self.stored(gradients, steps)

    def in_step(self) -> Answer:
        """Both models at once, values compared as they come; Apart if that does not work out."""
        assert isinstance(self.paddle, LiveSide)
        assert isinstance(self.torch, LiveSide)
        weights = (self.parameters["paddle"], self.parameters["torch"])
        with ExitStack() as stack:
            scratch = stack.enter_context(scratch_directory())
            step = Lockstep(self.paddle, self.torch, self.inputs, self.mode, scratch, stack)
            self._tell("which value meets which")
            plan = step.plan(lambda paddle, torch: prepare(paddle, torch, weights, self.pairs).align())
            found = {}
            for precision in ("float32", "float64"):
                self._tell(f"both in {precision}")
                found[precision] = step.run(precision, plan)
            (traces32, stores32), (traces, stores) = found["float32"], found["float64"]
            runs = {side: Run(traces[side], stores[side], traces32[side], stores32[side]) for side in traces}
            if any(len(traces[side].ops) != len(traces32[side].ops) for side in traces):
                raise Apart("float32 and float64 do not run the same operators")
            prepared = prepare(runs["paddle"].trace, runs["torch"].trace, weights, self.pairs)
            judgement = self._judge(runs, prepared, self._telling(step.replay), step.numbers(runs))
            return self._done(runs, judgement)

    def stored(self, gradients: bool, steps: int) -> Answer:
        """One run after the other, every value kept."""
        with ExitStack() as stack:
            scratch = stack.enter_context(scratch_directory())
            runs: dict[Framework, Run] = {}
            for side in (self.paddle, self.torch):
                runs[side.framework], raised = self._recorded(side, gradients or steps > 0, scratch, stack)
            if raised is not None:
                return self._done(runs, self._raised(runs, raised))
            expected = runs["paddle"].store
            weights = (self.parameters["paddle"], self.parameters["torch"])
            prepared = prepare(runs["paddle"].trace, runs["torch"].trace, weights, self.pairs)
            judgement = self._judge(
                runs,
                prepared,
                self._telling(
                    lambda plan: self.torch.replay(self.inputs, mode=self.mode, plan=plan, expected=expected)
                ),
            )
            if gradients or steps:
                self._tell("gradients")
                backward = _go_backward(
                    self.torch,
                    self.inputs,
                    self.mode,
                    runs,
                    self.parameters,
                    prepared,
                    judgement,
                    scratch / "forced",
                )
                if steps:
                    self._tell("training")
                    _train(self.paddle, self.torch, self.inputs, self.mode, steps, backward, judgement)
                judgement.findings[:] = [judgement.with_rows(finding) for finding in judgement.findings]
            return self._done(runs, judgement)

    def _recorded(
        self, side: Side, gradients: bool, scratch: Path, stack: ExitStack
    ) -> tuple[Run, ModelError | None]:
        """One side in both precisions; what torch's model raised, with the run up to there."""
        stores = {}
        raised: dict[str, ModelError] = {}
        for precision in ("float64", "float32"):
            self._tell(f"{side.framework} in {precision}")
            try:
                stores[precision] = side.capture(
                    self.inputs,
                    mode=self.mode,
                    precision=precision,
                    store=scratch / f"{side.framework}-{precision}",
                    gradients=gradients,
                )
            except ModelError as error:
                if side is self.paddle or error.run is None:
                    raise
                trace, path, index = error.run
                raised[precision], stores[precision] = error, (trace, ValueStore.from_json(path, index))
            stack.callback(stores[precision][1].close)
        if len(raised) == 1:
            # In one precision alone: that is not the port, and nothing can be said of it.
            raise next(iter(raised.values()))
        return Run(*stores["float64"], *stores["float32"]), raised.get("float64")

    def _raised(self, runs: Mapping[Framework, Run], error: ModelError) -> Judgement:
        """What made torch's model raise where Paddle's does not."""
        sizes = ", ".join("x".join(map(str, array.shape)) for array in self.inputs.values())
        return judge_raised(
            runs["paddle"],
            runs["torch"],
            self.parameters["paddle"],
            self.parameters["torch"],
            error,
            sizes=sizes if self.name == GIVEN else f"{sizes} ({self.name})",
            pairs=self.pairs,
        )

    def _telling(self, replay: Replay) -> Replay:
        def told(plan: ReplayPlan) -> list[Measurement] | None:
            self._tell("each torch operator on Paddle's inputs")
            return replay(plan)

        return told

    def _judge(
        self,
        runs: Mapping[Framework, Run],
        prepared: Prepared,
        replay: Replay,
        numbers: Measure | None = None,
    ) -> Judgement:
        self._tell("comparing")
        return judge(
            runs["paddle"],
            runs["torch"],
            self.parameters["paddle"],
            self.parameters["torch"],
            prepared,
            replay=replay,
            numbers=numbers,
            nudged=self._nudged,
        )

    def _nudged(self, nudge: Nudge) -> Mapping[str, tuple[Array, Array]]:
        """What both models return where their float32 constants are rounded otherwise; nothing where one of them cannot be run again."""
        self._tell("float32 constants, rounded otherwise")
        with ExitStack() as stack:
            scratch = stack.enter_context(scratch_directory())
            found = []
            for side in (self.paddle, self.torch):
                try:
                    _, store = side.capture(
                        self.inputs,
                        mode=self.mode,
                        precision="float64",
                        store=scratch / side.framework,
                        outputs_only=True,
                        nudge=nudge,
                    )
                except ParityError:
                    return {}
                stack.callback(store.close)
                found.append({k: store.get(k) for k in store.index if k.startswith("output:")})
            theirs, ours = found
            return {
                key.removeprefix("output:"): (theirs[key], ours[key])
                for key in theirs
                if key in ours and theirs[key].shape == ours[key].shape
            }

    def _done(self, runs: Mapping[Framework, Run], judgement: Judgement) -> Answer:
        require_finite(judgement, {side: run.store for side, run in runs.items()})
        versions: dict[str, str] = {
            str(side): f"{run.trace.framework_version} on {run.trace.device}" for side, run in runs.items()
        }
        shapes = {name: array.shape for name, array in self.inputs.items()}
        return Case(self.name, self.mode, shapes, judgement), versions

    def _tell(self, what: str) -> None:
        self.tell(f"{self.name}, {self.mode}: {what}")


def _go_backward(
    torch: Side,
    inputs: Mapping[str, Array],
    mode: str,
    runs: Mapping[Framework, Run],
    parameters: Mapping[str, Mapping[str, Array]],
    prepared: Prepared,
    judgement: Judgement,
    scratch: Path,
) -> GradientJudgement:
    """Judge the gradients of runs that went backward, and add what they show to the judgement."""
    from parity.backward.gradients import judge_gradients

    def again(given: dict[int, str]) -> tuple[Trace, ValueStore]:
        return torch.capture(
            inputs,
            mode=mode,
            precision="float64",
            store=scratch,
            gradients=True,
            given=given,
            expected=runs["paddle"].store,
        )

    found = judge_gradients(
        runs["paddle"],
        runs["torch"],
        parameters["paddle"],
        parameters["torch"],
        prepared,
        again=again,
        known=judgement.findings,
        apart=judgement.apart,
    )
    judgement.findings[:] = [
        in_gradients(finding)
        if finding.silent and (finding.layer, finding.operator) in found.seen
        else finding
        for finding in judgement.findings
    ]
    judgement.findings += found.findings
    judgement.notes += found.notes
    judgement.inconclusive += found.inconclusive
    return found


def _train(
    paddle: Side,
    torch: Side,
    inputs: Mapping[str, Array],
    mode: str,
    steps: int,
    backward: GradientJudgement,
    judgement: Judgement,
) -> None:
    """Train copies of both models, and add what that shows to the judgement."""
    from parity.training.steps import judge_training

    if backward.alignment is None:
        return
    found = judge_training(
        paddle.trainer(mode),
        torch.trainer(mode),
        torch.trainer(mode),
        inputs,
        steps,
        [*backward.twins, *backward.others],
        backward.alignment,
        known=judgement.findings,
        level=judgement.worst,
        constants=backward.constants,
    )
    judgement.findings += found.findings
    judgement.notes += found.notes
    judgement.inconclusive += found.inconclusive


def require_finite(judgement: Judgement, stores: Mapping[Framework, ValueStore]) -> None:
    """An output that holds NaN or Inf, even the same on both sides, hides whatever was added to it."""
    for side, store in stores.items():
        for key in store.index:
            if key.startswith("output:") and not np.isfinite(store.get(key)).all():
                path = key.removeprefix("output:")
                judgement.inconclusive.append(f"`{path}` of the {side} model holds NaN or Inf")
