"""A port that raises where Paddle's model does not: what the records up to there tell of the reason.

The run is judged as far as it went: a configuration or a weight that differs is found as ever. Then comes the
operator that raised, with the shapes that it was given on both sides.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from parity.align.alignment import Alignment
from parity.align.pipeline import Prepared, prepare
from parity.capture.failed import ModelError
from parity.explain.claims import Raised, Stray
from parity.explain.judge import judge
from parity.explain.telling import raising as telling
from parity.explain.unmeasured import container_of
from parity.explain.words import squeezed
from parity.graph.node import Node
from parity.results.finding import Subject
from parity.results.judgement import Judgement
from parity.runs.run import Run
from parity.trace.trace import Op, Trace, Value
from parity.trace.values import Array

REACHED = "reached"
"""Name of the outputs that stand for what the operator that raised was given."""


def judge_raised(
    paddle: Run,
    torch: Run,
    paddle_parameters: Mapping[str, Array],
    torch_parameters: Mapping[str, Array],
    error: ModelError,
    *,
    sizes: str,
    pairs: Mapping[str, str] | None = None,
) -> Judgement:
    """Judge a torch run that ended in `error`: the last finding is the operator that raised, or what is found says that it follows."""
    _end(torch.trace)
    weights = (paddle_parameters, torch_parameters)
    prepared = prepare(paddle.trace, torch.trace, weights, pairs)
    judgement = judge(paddle, torch, *weights, prepared, replay=lambda _: None)
    # What comes behind is missing in torch because it was never reached.
    judgement.findings = [f for f in judgement.findings if f.subject is not Subject.OUTPUT]
    judgement.inconclusive = []
    reached = max((row.order for row in judgement.rows), default=-1.0)
    judgement.only = [one for one in judgement.only if one.order <= reached]
    judgement.findings = [
        replace(f, only=tuple(number for number in f.only if number < len(judgement.only)))
        for f in judgement.findings
    ]
    found = _raised(paddle, torch, prepared, error, sizes, judgement)
    if found.stray is not None:
        reason = _registration(found.stray.unregistered, judgement)
    else:
        reason = _reason(prepared.align(judgement.apart), judgement)
    if reason is None:
        judgement.findings.append(telling.raised(found))
    else:
        judgement.findings[reason] = telling.followed(judgement.findings[reason], found)
    return judgement


def _registration(layer: str, judgement: Judgement) -> int | None:
    """The number of the finding that a layer's container is a plain list."""
    for number, finding in enumerate(judgement.findings):
        if finding.subject is Subject.REGISTRATION and finding.attribute == container_of(layer):
            return number
    return None


def _reason(alignment: Alignment, judgement: Judgement) -> int | None:
    """The number of the finding whose operator, first on the way to where torch raised, makes another shape than Paddle's."""
    for node in _first_of_another_shape(alignment):
        pair = alignment.pair_of_torch(node)
        for number, finding in enumerate(judgement.findings):
            if (
                any(alignment.pairs[row] is pair for row in finding.rows)
                if pair is not None
                else any(judgement.only[one].line == node.line for one in finding.only)
            ):
                return number
    return None


def _first_of_another_shape(alignment: Alignment) -> Iterator[Node]:
    """Operators on the way to where torch raised that make another shape than Paddle's, or have no counterpart, of inputs in Paddle's."""
    graph = alignment.torch

    def right(value: int) -> bool:
        if value not in graph.producer:
            return True
        twin = alignment.same.get(value)
        return twin is not None and squeezed(graph.shapes[value]) == squeezed(alignment.paddle.shapes[twin])

    seen: set[int] = set()
    stack = [value for value in graph.outputs.values() if value is not None and not right(value)]
    while stack:
        value = stack.pop()
        if value in seen:
            continue
        seen.add(value)
        node = graph.producer[value]
        wrong = [taken for taken in node.inputs.values() if not right(taken)]
        stack += wrong
        if not wrong:
            yield node


WITHOUT_ARGUMENTS = frozenset({"linear", "matmul", "add", "sub", "mul", "div"})
"""Operators that are fully described by what they take: one that raised can stand in the trace as if it had run."""


def _end(trace: Trace) -> None:
    """Let the trace end in the operator that raised, or in what that was given."""
    raised = trace.raised
    given = list(raised.get("inputs", {}).values()) or list(trace.ops[-1].outputs if trace.ops else ())
    if raised.get("kind") in WITHOUT_ARGUMENTS:
        trace.values.append(Value((), "float64", "operator"))
        made = len(trace.values) - 1
        index, kind = len(trace.ops), raised["kind"]
        trace.ops.append(
            Op(index, kind, kind, raised["module"], raised["line"], raised["inputs"], (made,), {})
        )
        given = [made]
    trace.outputs = {f"{REACHED}[{i}]": value for i, value in enumerate(given)}


def _raised(
    paddle: Run, torch: Run, prepared: Prepared, error: ModelError, sizes: str, judgement: Judgement
) -> Raised:
    raised = torch.trace.raised
    kind, inputs = raised.get("kind", ""), raised.get("inputs", {})
    twin = _twin(paddle, torch, prepared, kind, raised)
    return Raised(
        what=raised["error"],
        error=str(error),
        traceback=error.detail,
        sizes=sizes,
        kind=kind,
        module=raised.get("module", ""),
        line=raised.get("line", ""),
        torch=_shapes(torch, inputs),
        paddle=[] if twin is None else _shapes(paddle, paddle.trace.ops[twin.raw[0]].inputs),
        twin=twin,
        stray=_stray(torch.trace),
        after_others=bool(judgement.findings),
    )


def _stray(trace: Trace) -> Stray | None:
    """A tensor on another device than the model, given to the operator that raised."""
    home = trace.device.partition(":")[0]
    for slot, device in trace.raised.get("devices", {}).items():
        number = trace.raised["inputs"][slot]
        if device.partition(":")[0] == home or not trace.values[number].shape:
            continue  # a scalar may lie on the CPU
        maker = trace.maker.get(number)
        if maker is not None:
            return Stray(device, trace.device, maker.line, made_by=maker.name)
        module = trace.raised.get("module", "")
        loose = next((path for path in trace.unregistered if f"{module}.".startswith(f"{path}.")), "")
        return Stray(device, trace.device, trace.raised.get("line", ""), unregistered=loose)
    return None


def _shapes(run: Run, inputs: Mapping[str, int]) -> list[list[int]]:
    """Shapes of what an operator is given, its own parameters aside."""
    values = [run.trace.values[number] for number in inputs.values()]
    return [list(value.shape) for value in values if value.origin != "parameter"]


def _twin(paddle: Run, torch: Run, prepared: Prepared, kind: str, raised: Mapping[str, Any]) -> Node | None:
    """Paddle's operator in the place of the one that raised: of its kind, and fed as it is or with its weight."""
    if not kind:
        return None
    alignment, names = prepared.align(), prepared.names
    by_name = {name: parameter.value for name, parameter in paddle.trace.parameters.items()}
    own = {parameter.value: name for name, parameter in torch.trace.parameters.items()}
    found: list[tuple[int, float, Node]] = []
    fed = {alignment.same[v] for v in raised.get("inputs", {}).values() if v in alignment.same}
    weights = {
        by_name[names[own[number]]]
        for number in raised.get("inputs", {}).values()
        if number in own and names.get(own[number]) in by_name
    }
    for node in alignment.paddle.nodes:
        if node.kind == kind:
            taken = set(node.inputs.values())
            shared = 2 * len(taken & weights) + len(taken & fed)
            if shared:
                found.append((shared, -node.order, node))
    return max(found, key=lambda item: item[:2])[2] if found else None
