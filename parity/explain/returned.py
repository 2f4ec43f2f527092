"""What the models return, apart from the size of its numbers: structure, shapes, kinds of numbers, what is no tensor; and what
they leave in the caller's tensors.
"""

from __future__ import annotations

from collections.abc import Iterator

from parity.explain.claims import Claim, Claims, Doubt, Remark
from parity.explain.evidence import Evidence
from parity.limits import QUICK
from parity.numbers.compare import difference
from parity.results.finding import Subject

COMPARED = ("tensor", "number", "array", "text")
CLASSES = {"b": "boolean", "i": "integer", "u": "integer", "f": "float", "c": "complex"}


def explain(evidence: Evidence, claims: Claims) -> Iterator[Claim]:
    """Differences of the results that no operator makes. details: in what they are one."""
    paddle, torch = evidence.paddle.trace.results, evidence.torch.trace.results
    for path in sorted({*paddle, *torch}):
        if path not in paddle or path not in torch:
            yield _differs(path, "structure", path in paddle, path in torch)
            continue
        (kind, theirs), (ours_kind, ours) = paddle[path], torch[path]
        if "other" in (kind, ours_kind):
            types = sorted({text for one, text in (paddle[path], torch[path]) if one == "other"})
            yield Claim(Doubt.RESULT_TYPE, attribute=path, details=types)
        elif kind != ours_kind:
            yield _differs(path, "type", kind, ours_kind)
        elif kind == "text":
            if theirs != ours:
                yield _differs(path, "text", theirs, ours)
        else:
            yield from _numbers(path, evidence, claims)
    if not any(kind in COMPARED for kind, _ in paddle.values()):
        yield Claim(Doubt.NO_RESULT)


def inputs(evidence: Evidence, claims: Claims) -> Iterator[Claim]:
    """Inputs that a model leaves with other numbers than it was given: whoever uses them again sees that."""
    paddle, torch = evidence.paddle, evidence.torch
    for name in sorted({*paddle.trace.written, *torch.trace.written}):
        both = name in paddle.trace.written and name in torch.trace.written
        if both:
            key = f"input:{name}"
            apart = difference(torch.store.stored(key), paddle.store.stored(key))
            if claims.faults or apart.max_rel <= QUICK:
                continue
        sides = name in paddle.trace.written, name in torch.trace.written
        yield Claim(Subject.OUTPUT, attribute=name, values=sides, details="input")


def _differs(path: str, what: str, paddle: object, torch: object) -> Claim:
    return Claim(Subject.OUTPUT, attribute=path, values=(paddle, torch), details=what)


def _numbers(path: str, evidence: Evidence, claims: Claims) -> Iterator[Claim]:
    """Shape and kind of an output: where the numbers differ too, a fault that is told explains both."""
    expected, actual, *_ = evidence.results(path)
    if expected is None or actual is None:
        return
    found = evidence.observed[path]
    kinds = [CLASSES.get(one.dtype.kind, one.dtype.name) for one in (expected, actual)]
    if kinds[0] != kinds[1]:
        yield _differs(path, "numbers", *kinds)
    elif expected.shape != actual.shape:
        if expected.size == actual.size and (found.agrees or not claims.faults):
            yield _differs(path, "shape", list(expected.shape), list(actual.shape))
    elif path not in evidence.torch.trace.outputs and not found.agrees and not claims.faults:
        # Python or numpy computed it of what it took out of tensors.
        yield _differs(path, "outside", found.difference.expected, found.difference.actual)
    elif expected.dtype != actual.dtype and kinds[0] == "integer":
        yield Claim(Remark.WIDTH, attribute=path, values=(expected.dtype.name, actual.dtype.name))
    if expected.size == actual.size == 0:
        yield Claim(Doubt.EMPTY_RESULT, attribute=path)
