"""Applies what a finding says to write: code for a call of the torch source, or for an entry of the state dict."""

from __future__ import annotations

import ast
import inspect
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from tests.mutants.build import HERE, Pair, build
from tests.mutants.cases import Case


def apply(case: Case, pair: Pair, findings) -> Pair | None:
    """The pair as it is once every fix is made (weights alone, if the first is of weights); None unless all are code."""
    if findings[0].fix.startswith("torch_state["):
        assignments = [one.fix for finding in findings for one in (finding, *finding.also)]
        return _loaded(pair, [fix for fix in assignments if fix.startswith("torch_state[")])
    calls = [(_call(finding.fix), *finding.where.rpartition(":")[::2]) for finding in findings]
    if any(call is None or not path for call, path, _ in calls):
        return None
    tree = ast.parse(Path(calls[0][1]).read_text())
    if not all(_change(tree, int(line), call) for call, _, line in calls):
        return None
    changed = ast.unparse(tree)
    name = case.source or case.network
    original = (HERE / "torch_side" / f"{name}.py").read_text()
    return build(replace(case, edits=((original, changed),)))


def _loaded(pair: Pair, fixes: list[str]) -> Pair:
    paddle_state = {name: np.array(t.numpy()) for name, t in pair.paddle.state_dict().items()}
    torch_state = {name: np.array(t.numpy()) for name, t in pair.torch.state_dict().items()}
    for fix in fixes:
        code = fix.removesuffix("; likewise for the other layers")
        exec(code, {"torch_state": torch_state, "paddle_state": paddle_state, "np": np})
    tensors = {name: torch.from_numpy(np.array(array)) for name, array in torch_state.items()}
    pair.torch.load_state_dict(tensors)
    return pair


def _call(fix: str) -> ast.Call | None:
    """`Conv2d(..., stride=2)` or `replace Tanh by GELU(...)` as a call."""
    code = re.sub(r"^replace \S+ by (.*)$", r"\1", fix)
    try:
        parsed = ast.parse(code, mode="eval").body
    except SyntaxError:
        return None
    return parsed if isinstance(parsed, ast.Call) else None


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _change(tree: ast.AST, line: int, wanted: ast.Call) -> bool:
    """Give the call of that name on that line the arguments that the fix names."""
    for node in ast.walk(tree):
        on_line = isinstance(node, ast.Call) and node.lineno <= line <= (node.end_lineno or line)
        if on_line and _plain(_called(node)) == _plain(_called(wanted)):
            for keyword in wanted.keywords:
                _set(node, keyword)
            return True
    return False


def _set(call: ast.Call, wanted: ast.keyword) -> None:
    for keyword in call.keywords:
        if keyword.arg == wanted.arg:
            keyword.value = wanted.value
            return
    at = _position(call, str(wanted.arg))
    if at is not None and at < len(call.args):
        call.args[at] = wanted.value
    else:
        call.keywords.append(wanted)


def _position(call: ast.Call, argument: str) -> int | None:
    """Where an argument stands if it is given by position; a tensor's method takes its axis first."""
    name = _called(call)
    for space in (torch.nn, torch.nn.functional):
        made = getattr(space, name, None)
        if inspect.isclass(made) or inspect.isfunction(made):
            parameters = list(inspect.signature(made).parameters)
            return parameters.index(argument) if argument in parameters else None
    function = isinstance(call.func, ast.Attribute) and getattr(call.func.value, "id", "") == "torch"
    return int(function) if argument == "dim" else None
