"""`parity.check` and `parity.assert_equivalent`: the whole comparison, on models as they are."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from convert.errors import Paddle2TorchError
from parity.arguments import check_models, check_pairs, check_training
from parity.blind_spots import blind_spots
from parity.case import GIVEN, Question, require_finite
from parity.devices import placed
from parity.errors import ModelError, NoKernelError, NotRecordedError, ParityError
from parity.findings import Finding
from parity.inputs import as_arrays, further_inputs
from parity.judgement import Judgement
from parity.lockstep import Apart, outputs_at_once
from parity.refill import randomized
from parity.report.model import Case, Report
from parity.sides import LiveSide, Side
from parity.store import Array, ValueStore, scratch_directory
from parity.trace import Framework

MODES = ("eval", "train")


def check(
    paddle_model: Any,
    torch_model: Any,
    inputs: Any,
    *,
    mode: str = "eval",
    pairs: Mapping[str, str] | None = None,
    randomize: bool = False,
    further: bool = True,
    device: str | tuple[str, str] | None = None,
    gradients: bool = False,
    steps: int = 0,
    losses: tuple[Any, Any] | None = None,
    optimizers: tuple[Any, Any] | None = None,
    schedulers: tuple[Any, Any] | None = None,
) -> Report:
    """Compare a Paddle layer with a torch module, operator by operator, and return a `Report`.

    inputs: an array, or a tuple (positional) or dictionary (keyword) of arrays or tensors.
    mode: "eval" or "train". pairs: torch parameter name -> Paddle name, where names do not tell.
    randomize: for the length of the check, fill Paddle's parameters and statistics with values that hide no mistake
    and torch's with the same ones, by `pairs` and the conversion; then put back what was there. For models that
    are freshly built: it compares their definitions. The weights that they came with are not compared (the
    report's warnings say if torch's were not Paddle's), so a mistake of a conversion shows only without it.
    further: also compare the outputs on other numbers and, for images, on an odd size.
    device: "cpu", "cuda" or "cuda:N" for both models, or a pair (Paddle's, torch's); without it, each runs where it
    lies. A model that lies elsewhere is moved for the length of the check.
    gradients: also compare the gradients of inputs, weights and values in between, from the loss down.
    steps: also train copies of both models that many steps, in float64 and on the same inputs.
    losses: (Paddle's, torch's) function of the model's output that gives a scalar; without one, a fixed weighting
    of all float outputs serves.
    optimizers: (Paddle's, torch's) optimizer of the model, or function that takes a model and makes one. Clipping
    is Paddle's grad_clip; in torch a step pre-hook (`optimizer.register_step_pre_hook`).
    schedulers: (Paddle's, torch's) learning rate schedule, or function that takes the optimizer; stepped once a step.
    On the CPU in eval mode, the torch model may run in a thread of its own, and both run once more on a batch of one.
    The models are not changed: no weight is written (with `randomize`, none stays written), and modes, random
    state and flags are restored.
    Raises ParityError for inputs, options or models that cannot be run at all.
    """
    check_models(paddle_model, torch_model)
    steps = check_training(gradients, steps, losses, optimizers, schedulers)
    loss, optimizer, scheduler = (pair or (None, None) for pair in (losses, optimizers, schedulers))
    arrays = as_arrays(inputs)
    with ExitStack() as stack:
        devices = stack.enter_context(placed((paddle_model, torch_model), device))
        paddle = LiveSide("paddle", paddle_model, devices[0], loss[0], optimizer[0], scheduler[0])
        torch = LiveSide("torch", torch_model, devices[1], loss[1], optimizer[1], scheduler[1])
        warnings = stack.enter_context(randomized(paddle, torch, arrays, pairs)) if randomize else ()
        return compare_sides(
            paddle,
            torch,
            arrays,
            modes=(mode,),
            pairs=pairs,
            further=further,
            gradients=gradients,
            steps=steps,
            warnings=warnings,
        )


def assert_equivalent(
    paddle_model: Any,
    torch_model: Any,
    inputs: Any,
    *,
    report: str | Path | None = None,
    **options: Any,
) -> Report:
    """`check` for pytest: AssertionError with verdict and first findings unless EQUIVALENT.

    The message ends with the path of the full report, an HTML page: `report`, or a new file among the temporary ones.
    It is written only on failure. `options` are those of `check`.
    """
    __tracebackhide__ = True
    found = check(paddle_model, torch_model, inputs, **options)
    if not found:
        raise AssertionError(f"{found}\nfull report: {_written(found, report)}")
    return found


def _written(report: Report, path: str | Path | None) -> str:
    """Write the page; its path, or why there is none: the verdict matters more."""
    from convert.write.atomic import write_text

    try:
        if path is None:
            handle, path = tempfile.mkstemp(prefix="parity-", suffix=".html")
            os.close(handle)
        write_text(Path(path), report.to_html(), force=True)
    except (OSError, Paddle2TorchError) as error:
        return f"not written ({error})"
    return str(path)


def compare_sides(
    paddle: Side,
    torch: Side,
    inputs: Mapping[str, Array],
    *,
    modes: tuple[str, ...] = ("eval",),
    pairs: Mapping[str, str] | None = None,
    further: bool = True,
    gradients: bool = False,
    steps: int = 0,
    progress: Any = None,
    warnings: Sequence[str] = (),
) -> Report:
    """Compare two sides, wherever they run; what `check` and the command line share."""
    for mode in modes:
        if mode not in MODES:
            raise ParityError(f"mode is {mode!r}; it must be one of {', '.join(MODES)}")
    tell = progress or (lambda _: None)
    tell("reading parameters")
    parameters = {"paddle": paddle.parameters(), "torch": torch.parameters()}
    check_pairs(pairs, parameters)
    cases: list[Case] = []
    versions: dict[str, str] = {}
    for mode in modes:
        # With both modes asked for, training belongs to the one that trains.
        trained = steps if mode == "train" or len(modes) == 1 else 0
        try:
            question = Question(paddle, torch, GIVEN, inputs, mode, parameters, pairs, tell)
            found = question.answer(gradients, trained)
        except NoKernelError as error:
            shapes = {name: array.shape for name, array in inputs.items()}
            cases.append(Case(GIVEN, mode, shapes, Judgement(inconclusive=[str(error)])))
            further = False
            continue
        versions.update(found[1])
        cases.append(found[0])
    if further and not any(case.judgement.findings for case in cases):
        cases += _further_cases(paddle, torch, inputs, modes[0], parameters, pairs, tell)
    return Report(
        paddle=paddle.name,
        torch=torch.name,
        cases=tuple(cases),
        environment={"python": sys.version.split()[0], "numpy": np.__version__, **versions},
        warnings=(*warnings, *blind_spots(parameters["paddle"])),
    )


def _further_cases(
    paddle: Side,
    torch: Side,
    inputs: Mapping[str, Array],
    mode: str,
    parameters: Mapping[str, Mapping[str, Array]],
    pairs: Mapping[str, str] | None,
    tell: Any,
) -> list[Case]:
    """The further inputs that Paddle's model takes, outputs alone, up to the first that shows a fault."""
    cases = []
    whole = dict(further_inputs(inputs))
    any_batch = False
    for name, few in further_inputs(inputs, batch=FURTHER_BATCH):
        # A model may be written for one size of batch: then the whole one.
        for more in (few,) if any_batch else (few, whole[name]):
            try:
                case = _quick_case(paddle, torch, name, more, mode, tell)
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
            except NotRecordedError:
                case.judgement.findings.append(_differs(name, case))
            case.judgement.findings[:] = [_on(name, case, finding) for finding in case.judgement.findings]
        cases.append(case)
        if case.judgement.findings:
            break
    return cases


def _on(name: str, case: Case, finding: Finding) -> Finding:
    """A finding that the given input did not show: whoever reads it must know on which one it is."""
    sizes = ", ".join("x".join(map(str, shape)) for shape in case.shapes.values())
    seen = "" if "on an input of" in finding.cause else f"; seen on an input of {sizes} ({name}) only"
    fix = finding.fix
    if finding.evidence.get("attribute") == "output_size":
        fix = f"make the size follow the input as Paddle's does, with no factor or size that is fixed; here {fix}"
    return replace(finding, cause=finding.cause + seen, fix=fix)


def _quick_case(
    paddle: Side, torch: Side, name: str, inputs: Mapping[str, Array], mode: str, tell: Any
) -> Case | None:
    """Compare the outputs alone, in float64; None when Paddle's model does not take such an input."""
    from parity.compare import difference

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
                    judgement.inconclusive.append(f"{name}: {error}")
                else:
                    judgement.findings.append(_raises(name, case.shapes, error))
                return case
            stores[side.framework] = store
            stack.callback(store.close)
        require_finite(judgement, stores)
        found = {side: {k for k in store.index if k.startswith("output:")} for side, store in stores.items()}
        for key in sorted(found["paddle"] & found["torch"]):
            judgement.outputs[key.removeprefix("output:")] = difference(
                stores["torch"].stored(key), stores["paddle"].stored(key)
            )
        differ = any(not d.comparable or d.max_rel > QUICK_LIMIT for d in judgement.outputs.values())
        if differ or found["paddle"] != found["torch"]:
            judgement.inconclusive.append(f"{name}: the outputs differ")
    return case


def _differs(name: str, case: Case) -> Finding:
    """What is known of an input on which only the outputs were recorded."""
    sizes = ", ".join("x".join(map(str, shape)) for shape in case.shapes.values())
    worst = max((d.max_rel for d in case.judgement.outputs.values()), default=float("inf"))
    return Finding(
        layer="",
        operator="forward",
        where="",
        cause=f"on an input of {sizes} ({name}) the outputs differ by {worst:.1e} of their scale, though not on the "
        "given one",
        fix="capture both sides on an input like this (--shape, --seed) to see which operator it is",
        evidence={"float64": worst, "shapes": {k: list(v) for k, v in case.shapes.items()}},
        order=float("inf"),
    )


def _raises(name: str, shapes: Mapping[str, tuple[int, ...]], error: ParityError) -> Finding:
    sizes = ", ".join("x".join(map(str, shape)) for shape in shapes.values())
    return Finding(
        layer="",
        operator="forward",
        where="",
        cause=f"on an input of {sizes} ({name}), which Paddle's model takes, {error}",
        fix="make the torch model take every input that Paddle's takes",
        evidence={"error": str(error), "shapes": {k: list(v) for k, v in shapes.items()}},
        order=float("inf"),
    )


FURTHER_BATCH = 2
"""Largest batch of a further input: more of the same shows nothing new, and costs as much again."""

QUICK_LIMIT = 1e-12
"""Output differences above this are looked into with the full comparison; it decides nothing itself."""
