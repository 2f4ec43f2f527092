"""`parity.check` and `parity.assert_equivalent`: the whole comparison, on models as they are."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from convert.errors import Paddle2TorchError
from convert.plan.plan import Options
from parity.capture.failed import NoKernelError
from parity.capture.places import one_check
from parity.case import GIVEN, Question
from parity.errors import ParityError
from parity.explain.telling.further import never_entered
from parity.further import further_cases
from parity.other_weights import on_other_weights
from parity.report.report import Report
from parity.results.finding import Note
from parity.results.judgement import Judgement
from parity.results.results import Case
from parity.setup.arguments import by_first_names, check_models, check_pairs, check_training
from parity.setup.blind_spots import blind_spots
from parity.setup.inputs import as_arrays
from parity.setup.refill import Refilled, randomized
from parity.sides.devices import placed
from parity.sides.live import LiveSide
from parity.sides.side import Side, adapter
from parity.trace.values import Array

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
    further: also compare the outputs on other numbers, on an odd size or another length, on one sample, on large numbers, on zeros, halves
    and equal ones; a second call, where forward keeps something; gradients at large and at equal numbers, if they are asked for; and with
    other weights where those that are there hide something (zeros, twins), which are put back.
    device: "cpu", "cuda" or "cuda:N" for both models, or a pair (Paddle's, torch's); without it, each runs where it
    lies. A model that lies elsewhere is moved for the length of the check.
    gradients: also compare the gradients of inputs and weights, from the loss down. Those of values in between tell which
    operator makes the difference.
    steps: also train copies of both models that many steps, in float64 and on the same inputs.
    losses: (Paddle's, torch's) function of the model's output that gives a scalar; without one, a fixed weighting
    of all float outputs serves.
    optimizers: (Paddle's, torch's) optimizer of the model, or function that takes a model and makes one. Clipping
    is Paddle's grad_clip; in torch a step pre-hook (`optimizer.register_step_pre_hook`).
    schedulers: (Paddle's, torch's) learning rate schedule, or function that takes the optimizer; stepped once a step.
    On the CPU in eval mode, the torch model may run in a thread of its own, and both run once more on a batch of one.
    The models are not changed: no weight stays written, and modes, random
    state and flags are restored.
    Raises ParityError for inputs, options or models that cannot be run at all.
    """
    check_models(paddle_model, torch_model)
    steps = check_training(gradients, steps, losses, optimizers, schedulers)
    pairs = by_first_names(pairs, paddle_model, torch_model)
    loss, optimizer, scheduler = (pair or (None, None) for pair in (losses, optimizers, schedulers))
    arrays = as_arrays(inputs)
    with ExitStack() as stack:
        devices = stack.enter_context(placed((paddle_model, torch_model), device))
        paddle = LiveSide("paddle", paddle_model, devices[0], loss[0], optimizer[0], scheduler[0])
        torch = LiveSide("torch", torch_model, devices[1], loss[1], optimizer[1], scheduler[1])
        refilled = Refilled()
        if randomize:
            pair = None if pairs else partial(_by_running, paddle, torch, arrays)
            refilled = stack.enter_context(randomized(paddle, torch, arrays, pairs, pair))
        return compare_sides(
            paddle,
            torch,
            arrays,
            modes=(mode,),
            pairs=refilled.pairs or pairs,
            further=further,
            gradients=gradients,
            steps=steps,
            notes=refilled.notes,
            warnings=refilled.warnings,
        )


def pair_by_running(paddle_model: Any, torch_model: Any, inputs: Any) -> Options:
    """Options that pair the weights of two models whose names differ, by what both do with `inputs`.

    For `convert_state_dict(paddle_model.state_dict(), torch_model, options)`. `inputs` is what `check` takes. The models are
    run in eval mode and not changed. `options.notes` say how sure the pairs are; what cannot be paired is left to names.
    Raises ParityError for models or inputs that cannot be run, ConvertError where symmetric branches cannot be told apart.
    """
    check_models(paddle_model, torch_model)
    paddle, torch = LiveSide("paddle", paddle_model, "cpu"), LiveSide("torch", torch_model, "cpu")
    kept = adapter("torch").snapshot(torch_model)
    try:
        state = adapter("paddle").state(paddle_model)
        return _by_running(
            paddle, torch, as_arrays(inputs), state, Options(layout="paddle"), unconfirmed=False
        )
    finally:
        adapter("torch").put_back(torch_model, kept)


def _by_running(
    paddle: LiveSide,
    torch: LiveSide,
    inputs: Mapping[str, Array],
    state: Mapping[str, Array],
    options: Options,
    *,
    unconfirmed: bool = True,
) -> Options:
    """Options that pair the weights of models whose names differ, by what both do with `inputs`."""
    from convert.models.layout import module_layout
    from convert.plan.transform import assemble
    from parity.match.trials import Models, match_by_running

    def load(moves: list[list[str]]) -> None:
        arrays = assemble([(name, target, how) for name, target, how in moves], state.__getitem__)
        adapter("torch").load_state(torch.model, arrays, strict=False)

    models = Models(paddle, torch, module_layout(torch.model), state, load)
    found = match_by_running(models, inputs, options, unconfirmed=unconfirmed)
    notes = (f"names differ: {found.notes[0]}", *found.notes[1:])
    return replace(options, rules=found.rules, match="structure", notes=notes)


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


@one_check()
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
    notes: Sequence[str] = (),
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
    # What shows in no number of the given inputs may show on others, and hides nothing that does.
    if further and all(finding.silent for case in cases for finding in case.judgement.findings):
        cases += further_cases(
            paddle,
            torch,
            inputs,
            modes[0],
            parameters,
            pairs,
            tell,
            cases[0].judgement,
            gradients or steps > 0,
        )
    told = any(not finding.silent for case in cases for finding in case.judgement.findings)
    refilled = (
        on_other_weights(
            paddle, torch, inputs, modes[0], parameters["paddle"], pairs, tell, gradients or steps > 0
        )
        if further and not told
        else None
    )
    cases += [refilled] if refilled is not None else []
    if not any(case.judgement.findings for case in cases):
        cases[-1].judgement.notes += never_entered(
            {side.framework: side.branches for side in (paddle, torch)}
        )
    return Report(
        paddle=paddle.name,
        torch=torch.name,
        cases=tuple(cases),
        environment={"python": sys.version.split()[0], "numpy": np.__version__, **versions},
        warnings=(*warnings, *(blind_spots(parameters["paddle"]) if refilled is None else ())),
        before=tuple(Note(text) for text in notes),
    )
