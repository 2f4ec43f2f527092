"""A side that was recorded earlier, perhaps on another machine: it answers from its trace file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from parity.capture.failed import ModelError
from parity.capture.options import Nudge
from parity.capture.replay import Measurement, ReplayPlan
from parity.capture.training import Trainer
from parity.errors import NotRecordedError, ParityError
from parity.sides.side import remember_branches
from parity.trace.file import TraceFile
from parity.trace.trace import Framework, Trace
from parity.trace.values import Array, ValueStore


class RecordedSide:
    """`parity.sides.side.Side` on a trace file. What was not recorded is a `NotRecordedError`; replay is not possible."""

    recipe = None

    def __init__(self, file: TraceFile) -> None:
        self.file = file
        self.framework: Framework = file.framework
        self.branches: dict[str, bool] = {}

    @property
    def name(self) -> str:
        return self.file.name

    def capture(
        self,
        inputs: Mapping[str, Array],
        *,
        mode: str,
        precision: str,
        store: Path,
        outputs_only: bool = False,
        gradients: bool = False,
        given: Mapping[int, str] | None = None,
        expected: ValueStore | None = None,
        before: Sequence[Mapping[str, Array]] = (),
        nudge: Nudge | None = None,
    ) -> tuple[Trace, ValueStore]:
        case = self.file.case_of(inputs)
        run = None if case is None else self.file.runs.get((case, mode, precision))
        if run is not None and run["error"]:
            raise ModelError(run["error"])
        if case is None or run is None or before or nudge is not None or not (outputs_only or run["whole"]):
            raise NotRecordedError(f"{self.file.path} does not hold a whole {mode} run of this input")
        if given is not None or (gradients and not self.file.gradients):
            raise NotRecordedError(
                f"{self.file.path} holds no such gradients: capture Paddle's with --gradients, and give the torch "
                "model itself (--torch MODULE:FACTORY)"
            )
        trace = remember_branches(self, self.file.trace(case, mode, precision))
        return trace, self.file.values(case, mode, precision)

    def replay(
        self, inputs: Mapping[str, Array], *, mode: str, plan: ReplayPlan, expected: ValueStore
    ) -> list[Measurement] | None:
        return None

    def parameters(self) -> dict[str, Array]:
        return self.file.parameters()

    def trainer(self, mode: str) -> Trainer:
        raise ParityError("training steps need both models; a trace holds runs")


def check_pair(paddle: TraceFile, torch: TraceFile | None) -> None:
    """ParityError unless the two files are of the two sides, of the same input, weights and a common mode."""
    if paddle.framework != "paddle":
        raise ParityError(
            f"{paddle.path} is a torch trace; the order is `parity compare PADDLE_TRACE TORCH_TRACE`"
        )
    if torch is None:
        return
    if torch.framework != "torch":
        raise ParityError(f"{torch.path} is a Paddle trace too; the second file must be torch's")
    again = f"capture the torch side with --like {paddle.path}"
    given = next(iter(paddle.digests)), next(iter(torch.digests))
    if paddle.digests[given[0]] != torch.digests[given[1]]:
        raise ParityError(f"{paddle.path} and {torch.path} were made from different inputs; {again}")
    if torch.weights and paddle.weights != torch.weights:
        raise ParityError(f"{paddle.path} and {torch.path} were made with different weights; {again}")
    if not set(paddle.modes) & set(torch.modes):
        raise ParityError(
            f"{paddle.path} was run in {', '.join(paddle.modes)} mode, {torch.path} in {', '.join(torch.modes)}; "
            f"{again}"
        )
