"""Runs `parity.check` on a case and judges the report by what the case expects. Reads only public results."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace

import torch

import parity
from tests.mutants.build import Pair, build
from tests.mutants.cases import Bug, Case, Expected, Multi, Style
from tests.mutants.multi import combined, expected
from tests.mutants.told import told
from tests.mutants.training import RECIPES


@dataclass(frozen=True)
class Outcome:
    """One judged run. What does not apply to a kind of case is None."""

    name: str
    network: str
    group: str  # bug, style or multi
    kind: str
    stage: str
    verdict: str
    seconds: float
    caught: bool | None = None  # bug, multi: DIFFERENT
    first: bool | None = None  # bug: the first finding is the first that the bug expects, in everything
    place: bool | None = None  # bug: the first finding has the layer and the line of the first expected
    missing: tuple[str, ...] = ()  # bug, multi: expected findings that are not there
    stray: int = 0  # findings that nothing expects
    alarm: bool | None = None  # style: anything but EQUIVALENT without findings
    noted: bool | None = None  # style: exactly the notes that it asks for are there
    tampered: str = ""  # what the check left changed
    error: str = ""
    findings: tuple[str, ...] = field(default=(), repr=False)

    @property
    def right(self) -> bool:
        """Nothing is left to be desired."""
        found = self.caught is not False and self.first is not False and not self.missing and not self.stray
        return found and not self.alarm and self.noted is not False


def run(case: Case | Multi, device: str = "cpu") -> Outcome:
    """Build, check (with the torch model on `device`), judge."""
    single = combined(case) if isinstance(case, Multi) else case
    group = {Bug: "bug", Style: "style", Multi: "multi"}[type(case)]
    kind = getattr(case, "kind", "combination")
    stage = getattr(case, "stage", "")
    start = time.perf_counter()
    options = options_for(single)
    pair = build(single)
    before = _state(pair)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "When training, we now always track")
            report = parity.check(
                pair.paddle, pair.torch, inputs_for(pair), device=("cpu", device), **options
            )
    except Exception as error:  # a checker that breaks has failed the case, not the suite
        text = f"{type(error).__name__}: {error}"
        report, judged = None, {"error": text, **FAILED[group]}
    else:
        judged = JUDGES[group](case if device == "cpu" else _moved(case), report)
    return Outcome(
        case.name,
        single.network,
        group,
        kind,
        stage,
        "ERROR" if report is None else report.verdict.name,
        time.perf_counter() - start,
        tampered=_changed(before, _state(pair)),
        findings=tuple(describe(finding) for finding in report.findings) if report is not None else (),
        **judged,
    )


def _moved(case: Case | Multi) -> Case | Multi:
    """The case where the model is moved to another device: what .to() does not reach raises there."""
    if not isinstance(case, Bug):
        return case
    found = (
        replace(one, shows="error") if one.subject == "registration" and one.shows == "weights" else one
        for one in case.expected
    )
    return replace(case, expected=tuple(found))


def inputs_for(pair: Pair):
    return pair.inputs[0] if len(pair.inputs) == 1 else pair.inputs


def options_for(case: Case) -> dict:
    """Arguments for `parity.check`."""
    options: dict = {"mode": case.mode}
    pairs = {name: paddle for name, paddle in case.pairs.items() if isinstance(paddle, str)}
    if pairs and getattr(case, "tell_pairs", True):
        options["pairs"] = pairs
    if case.gradients:
        options["gradients"] = True
    if case.recipe:
        recipe = RECIPES[case.recipe]
        options["steps"] = case.steps
        options["losses"] = (recipe.paddle_loss, recipe.torch_loss)
        options["optimizers"] = (recipe.paddle, recipe.torch)
    return options


def _state(pair: Pair) -> dict[str, object]:
    """All that a check must leave as it was."""
    state: dict[str, object] = {"threads": torch.get_num_threads(), "dtype": torch.get_default_dtype()}
    state["random state"] = torch.get_rng_state().numpy().tobytes()
    for name, tensor in pair.torch.state_dict(keep_vars=True).items():
        state[f"torch {name}"] = (tensor.dtype, tensor.requires_grad, tensor.detach().numpy().tobytes())
        state[f"torch {name} gradient"] = tensor.grad is None
    for name, tensor in pair.paddle.state_dict().items():
        state[f"paddle {name}"] = (str(tensor.dtype), tensor.stop_gradient, tensor.numpy().tobytes())
    for name, module in pair.torch.named_modules():
        hooks = len(module._forward_hooks) + len(module._forward_pre_hooks) + len(module._backward_hooks)
        state[f"torch module {name}"] = (module.training, hooks, "forward" in vars(module))
    for name, layer in pair.paddle.named_sublayers(include_self=True):
        hooks = len(layer._forward_post_hooks) + len(layer._forward_pre_hooks)
        state[f"paddle layer {name}"] = (layer.training, hooks, "forward" in vars(layer))
    return state


def _changed(before: dict, after: dict) -> str:
    return ", ".join(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))


def describe(finding) -> str:
    return f"{told(finding)}\n        {finding.cause}"


def agrees(expected: Expected, finding) -> bool:
    """The finding says what is expected, in everything."""
    return not disagreements(expected, finding)


def disagreements(expected: Expected, finding) -> list[str]:
    """The fields in which the finding says something else than expected."""
    said = told(finding)
    wrong = [name for name in COMPARED if not _same(getattr(expected, name), getattr(said, name))]
    on_line = expected.line in said.line if expected.line else not said.line
    return wrong if on_line else ["line", *wrong]


COMPARED = tuple(field.name for field in fields(Expected) if field.name != "line")


def _same(expected: object, actual: object) -> bool:
    """The same value; what float64 made of a decimal number is that number."""
    if isinstance(expected, tuple) and isinstance(actual, tuple):
        return len(expected) == len(actual) and all(map(_same, expected, actual))
    if isinstance(expected, (int, float)) and isinstance(actual, (int, float)):
        return isinstance(expected, bool) == isinstance(actual, bool) and math.isclose(
            expected, actual, rel_tol=1e-11
        )
    return expected == actual


def in_place(expected: Expected, finding) -> bool:
    """The finding has the layer and the line that are expected."""
    return not {"layer", "line"} & set(disagreements(expected, finding))


def unmet(expected: Iterable[Expected], findings: Iterable) -> tuple[list[Expected], list]:
    """Expected findings that are not there, and findings that nothing expects."""
    missing, stray = [], list(findings)
    for one in expected:
        found = next((finding for finding in stray if agrees(one, finding)), None)
        if found is None:
            missing.append(one)
        else:
            stray.remove(found)
    return missing, stray


def _judge_bug(bug: Bug, report) -> dict:
    findings = list(report.findings)
    missing, stray = unmet(bug.expected, findings)
    caught = report.verdict.name == "DIFFERENT" and bool(findings)
    return {
        "caught": caught,
        "first": caught and agrees(bug.expected[0], findings[0]),
        "place": caught and in_place(bug.expected[0], findings[0]),
        "missing": tuple(map(str, missing)),
        "stray": len(stray),
    }


def _judge_style(style: Style, report) -> dict:
    notes = [note.text for note in report.notes]
    return {
        "alarm": report.verdict.name != "EQUIVALENT" or bool(report.findings),
        "noted": all(sum(text.startswith(note) for text in notes) == 1 for note in style.note)
        if style.note
        else None,
        "stray": len(report.findings),
    }


def _judge_multi(multi: Multi, report) -> dict:
    missing, stray = unmet(expected(multi), report.findings)
    return {
        "caught": report.verdict.name == "DIFFERENT" and bool(report.findings),
        "missing": tuple(map(str, missing)),
        "stray": len(stray),
    }


JUDGES = {"bug": _judge_bug, "style": _judge_style, "multi": _judge_multi}
FAILED = {
    "bug": {"caught": False, "first": False, "place": False},
    "style": {"alarm": True},
    "multi": {"caught": False},
}
"""The judgement of a check that broke."""
