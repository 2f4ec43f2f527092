"""Runs `parity.check` on a case and judges the report by what the case expects. Reads only public results."""

from __future__ import annotations

import inspect
import re
import time
import warnings
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache

import torch

import parity
from tests.mutants.build import Pair, build, edited_lines
from tests.mutants.cases import Bug, Case, Multi, Style
from tests.mutants.multi import combined, parts
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
    caught: bool | None = None  # bug: DIFFERENT; multi: every bug among the findings
    first: bool | None = None  # bug: the first finding names the right operator
    cause: bool | None = None  # bug: the finding at the right place gives the right cause
    line: bool | None = None  # bug by edit: the finding's source line is one that the edit wrote
    extra: int = 0  # findings at another place and of another cause than any planted bug
    alarm: bool | None = None  # style: anything but EQUIVALENT without findings
    noted: bool | None = None  # style: the note that it asks for is there
    missing: tuple[str, ...] = ()  # multi: bugs that no finding names
    tampered: str = ""  # what the check left changed
    unsupported: str = ""  # options that `parity.check` does not have
    error: str = ""
    findings: tuple[str, ...] = field(default=(), repr=False)


def run(case: Case | Multi, device: str = "cpu") -> Outcome:
    """Build, check (with the torch model on `device`), judge."""
    single = combined(case) if isinstance(case, Multi) else case
    group = {Bug: "bug", Style: "style", Multi: "multi"}[type(case)]
    kind = getattr(case, "kind", "combination")
    stage = getattr(case, "stage", "")
    start = time.perf_counter()
    options, unsupported = _options(single)
    if unsupported:
        return Outcome(case.name, single.network, group, kind, stage, "", 0.0, unsupported=unsupported)
    pair = build(single)
    before = _state(pair)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "When training, we now always track")
            report = parity.check(pair.paddle, pair.torch, _inputs(pair), device=("cpu", device), **options)
    except Exception as error:  # a checker that breaks has failed the case, not the suite
        text = f"{type(error).__name__}: {error}"
        report, judged = None, {"error": text, "caught": False, "first": False, "cause": False, "alarm": True}
    else:
        judged = JUDGES[group](case, report)
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


def _inputs(pair: Pair):
    return pair.inputs[0] if len(pair.inputs) == 1 else pair.inputs


@cache
def _parameters() -> frozenset[str]:
    return frozenset(inspect.signature(parity.check).parameters)


def _options(case: Case) -> tuple[dict, str]:
    """Arguments for `parity.check`, and which of the necessary ones it does not know."""
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
    return options, ", ".join(sorted(options.keys() - _parameters()))


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
    evidence = ", ".join(f"{key}={value}" for key, value in dict(finding.evidence).items())
    paddle = getattr(finding, "layer_paddle", "")
    return (
        f"layer={finding.layer!r} (paddle {paddle!r}) operator={finding.operator!r} where={finding.where}"
        f" | {finding.cause} | fix: {finding.fix} | {evidence[:300]}"
    )


def matches_place(finding, where: tuple[str, ...]) -> bool:
    """Is the finding at one of the acceptable places?"""
    return any(_at(finding, place) for place in where)


def _at(finding, place: str) -> bool:
    path, _, operator = place.partition(":")
    layers = {
        _path(path) for one in (finding, *finding.also) for path in (one.layer, one.layer_paddle or one.layer)
    }
    if not any(fnmatchcase(layer, path) for layer in layers):
        return False
    return not operator or any(re.fullmatch(operator, name) for name in _operator_names(finding))


def _operator_names(finding) -> set[str]:
    """The operator as it is called in the finding, its words, and each framework's name of it, if given."""
    called = [finding.operator, str(finding.evidence.get("operator", ""))]
    names = {name.lower() for name in called} | {re.sub(r"[^a-z0-9]", "", name.lower()) for name in called}
    return names | {word for name in called for word in re.findall(r"[a-z0-9_]+", name.lower())}


def _path(layer: str) -> str:
    return "" if layer.strip("()<>[] ").lower() in ("", "root", "model", "self") else layer


def matches_cause(finding, cause: tuple[str, ...]) -> bool:
    return all(re.search(expression, finding.cause, re.IGNORECASE) for expression in cause)


def _judge_bug(bug: Bug, report) -> dict:
    findings = list(report.findings)
    caught = report.verdict.name == "DIFFERENT" and bool(findings)
    placed = [finding for finding in findings if matches_place(finding, bug.where)]
    lines = edited_lines(bug) if bug.edits else set()
    return {
        "caught": caught,
        "first": caught and matches_place(findings[0], bug.where),
        "cause": caught and any(matches_cause(finding, bug.cause) for finding in _same_operator(placed)),
        "line": _line(findings[0]) in lines if lines and caught else None,
        "extra": sum(not matches_place(f, bug.where) and not matches_cause(f, bug.cause) for f in findings),
    }


def _same_operator(placed: list) -> list:
    """The findings about the operator that the first one is about: one call may differ in two attributes."""
    return [
        f
        for f in placed
        if (f.layer, f.operator, f.where) == (placed[0].layer, placed[0].operator, placed[0].where)
    ]


def _line(finding) -> int | None:
    match = re.search(r":(\d+)", finding.where)
    return int(match.group(1)) if match else None


def _judge_style(style: Style, report) -> dict:
    text = " ".join([*(str(note) for note in report.notes), *(f.cause for f in report.findings)])
    return {
        "alarm": report.verdict.name != "EQUIVALENT" or bool(report.findings),
        "noted": all(re.search(note, text, re.IGNORECASE) for note in style.note) if style.note else None,
        "extra": len(report.findings),
    }


def _judge_multi(multi: Multi, report) -> dict:
    findings = list(report.findings)
    found = {
        bug.name: [f for f in findings if matches_place(f, bug.where) and matches_cause(f, bug.cause)]
        for bug in parts(multi)
    }
    missing = tuple(name for name, matching in found.items() if not matching)
    named = {id(finding) for matching in found.values() for finding in matching}
    placed = {id(f) for bug in parts(multi) for f in findings if matches_place(f, bug.where)}
    return {
        "caught": report.verdict.name == "DIFFERENT" and not missing,
        "first": bool(findings) and id(findings[0]) in placed,
        "missing": missing,
        "extra": sum(id(finding) not in named | placed for finding in findings),
    }


JUDGES = {"bug": _judge_bug, "style": _judge_style, "multi": _judge_multi}
