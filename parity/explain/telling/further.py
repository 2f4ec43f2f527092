"""What only a further input shows, as findings and doubts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from parity.numbers.compare import Difference
from parity.results.finding import Finding, Note, Shows, Subject

Shapes = Mapping[str, tuple[int, ...]]

MOST_BRANCHES = 3
"""So many branches that no run entered are told of each side; all are in the evidence."""


def on(name: str, shapes: Shapes, finding: Finding) -> Finding:
    """A finding that the given input did not show: whoever reads it must know on which one it is."""
    if finding.subject is Subject.RAISED:
        return finding
    seen = f"; seen on an input of {_sizes(shapes)} ({name}) only"
    fix = finding.fix
    if finding.attribute == "output_size":
        fix = f"make the size follow the input as Paddle's does, with no factor or size that is fixed; here {fix}"
    return replace(finding, cause=finding.cause + seen, fix=fix)


def with_other_weights(finding: Finding) -> Finding:
    """A finding that the weights hid with which the models came."""
    return replace(
        finding,
        cause=f"{finding.cause}; seen with other weights only: those that the models came with hide it (zeros, equal or "
        "symmetric ones)",
    )


def differs(name: str, shapes: Shapes, worst: float) -> Finding:
    """What is known of an input on which only the outputs were recorded."""
    return Finding(
        layer="",
        operator="forward",
        where="",
        cause=f"on an input of {_sizes(shapes)} ({name}) the outputs differ by {worst:.1e} of their scale, though not on the "
        "given one",
        fix="capture both sides on an input like this (--shape, --seed) to see which operator it is",
        evidence={"float64": worst, "shapes": {k: list(v) for k, v in shapes.items()}},
        order=float("inf"),
    )


def later(kind: str, buffer: str, calls: int, shapes: Shapes, gap: Difference) -> Finding:
    """What only a later call shows: another result, another buffer afterwards, or that it writes into the first one's result."""
    what = f"the buffer `{buffer}` differs" if buffer else "the outputs differ"
    if kind == "earlier":
        what = "the result of the first one differs"
    return Finding(
        layer=buffer.rpartition(".")[0],
        operator="buffer" if buffer else "forward",
        where="",
        cause=f"after {'a second call' if calls == 2 else f'{calls} calls in a row'} {what} by {gap.max_rel:.1e} of the scale, though not after the first: what the models keep from one "
        "call to the next differs",
        fix="compare what both models write into buffers and attributes in forward, and when",
        evidence={"float64": gap.max_rel, "shapes": {k: list(v) for k, v in shapes.items()}},
        subject=Subject.STATISTIC,
        attribute=buffer,
        shows=Shows.STATISTICS if buffer else Shows.OUTPUTS,
        order=float("inf"),
    )


def not_numbers(path: str, shapes: Shapes) -> Finding:
    """NaN or Inf that comes out on one side alone."""
    return Finding(
        layer="",
        operator="forward",
        where="",
        cause=f"on an input of {_sizes(shapes)} with NaN and Inf, `{path}` holds NaN or Inf at other places in torch than in Paddle; only one "
        "of the two looks for them",
        fix="treat NaN and Inf as Paddle's model does (nan_to_num, nanmean, fmax, isnan ...)",
        evidence={"shapes": {k: list(v) for k, v in shapes.items()}},
        order=float("inf"),
    )


def counting(side: str, names: Sequence[str], calls: int) -> str:
    """A model that counts its calls, and the other does not. calls: how many were compared."""
    only = "torch" if side == "torch" else "Paddle"
    told = ", ".join(f"`{name}`" for name in names[:3])
    return f"only {only}'s model counts its calls, in {told}: {calls} calls were compared, and what a later one does was not"


def of_loss(path: str, shapes: Shapes, apart: float, size: float) -> Finding:
    """Two losses that part on other results than those that the models return. path: of the result whose gradient differs; "": the loss itself."""
    what = f"the gradient of the loss at `{path}`" if path else "the loss"
    cause = f"{what} differs by {_apart(apart)} where the results are as large as {size:.0f}, though not on those that the models returned"
    fix = "use the loss that Paddle's training has: written otherwise, it is the same on some results only"
    return _of_gradient("loss", "loss", path, cause, fix, apart, shapes)


def of_hooked(name: str, parameter: str, shapes: Shapes, apart: float) -> Finding:
    """A gradient that hooks change on such numbers alone."""
    cause = f"the gradient of `{parameter}`, after the hooks on it, differs by {apart:.1e} of its size; {_seen_only(name, shapes)}"
    fix = "register the hooks that Paddle's parameter has, with the same bounds"
    return _of_gradient(parameter.rpartition(".")[0], "gradient", parameter, cause, fix, apart, shapes)


def at_kinks(name: str, path: str, shapes: Shapes, apart: float) -> Finding:
    """A gradient that differs where a function has a kink, or where numbers are equal or large."""
    cause = f"the gradient of input `{path}` differs by {_apart(apart)}; {_seen_only(name, shapes)}"
    fix = "use the operator that Paddle's model uses: written otherwise, the numbers are the same and the gradients are not"
    return _of_gradient("", "gradient", path, cause, fix, apart, shapes)


def _apart(gap: float) -> str:
    return "NaN or Inf on one side alone" if gap == float("inf") else f"{gap:.1e} of its size"


def _seen_only(name: str, shapes: Shapes) -> str:
    return f"seen on an input of {_sizes(shapes)} ({name.removeprefix('gradients on ')}) only"


def _of_gradient(
    layer: str, operator: str, attribute: str, cause: str, fix: str, apart: float, shapes: Shapes
) -> Finding:
    return Finding(
        layer=layer,
        operator=operator,
        where="",
        cause=cause,
        fix=fix,
        evidence={"gradient": apart, "shapes": {k: list(v) for k, v in shapes.items()}},
        subject=Subject.GRADIENT,
        attribute=attribute,
        shows=Shows.GRADIENTS,
        order=float("inf"),
    )


def both_counting(names: Sequence[str], calls: int) -> Note:
    """That both models count their calls: what they do from some call on was not reached."""
    told = ", ".join(f"`{name}`" for name in names[:3])
    return Note(
        f"both models count their calls (torch's in {told}): what a call after the first {calls} does was not compared"
    )


def raises(name: str, shapes: Shapes, error: Exception) -> Finding:
    return Finding(
        layer="",
        operator="forward",
        where="",
        cause=f"on an input of {_sizes(shapes)} ({name}), which Paddle's model takes, {error}",
        fix="make the torch model take every input that Paddle's takes",
        evidence={"error": str(error), "shapes": {k: list(v) for k, v in shapes.items()}},
        subject=Subject.RAISED,
        shows=Shows.ERROR,
        order=float("inf"),
    )


def refused(tried: Sequence[Shapes], instead: Shapes | None) -> Note:
    """That Paddle's model does not take what was tried; instead: what it takes."""
    *others, last = map(_sizes, tried)
    sizes = f"{', '.join(others)} or {last}" if others else last
    if instead is None:
        return Note(f"only the given size was compared: Paddle's model does not take {sizes}")
    return Note(f"Paddle's model does not take an input of {sizes}; compared on {_sizes(instead)}")


def only_such() -> Note:
    """That Paddle's model does not take other masks and ids."""
    return Note(
        "only masks and ids that are all equal were compared: Paddle's model does not take other ones like them, so give "
        "some that differ (--input)"
    )


def never_entered(branches: Mapping[str, Mapping[str, bool]]) -> Iterator[Note]:
    """What of either side's code no run came to, and so compared. branches: side -> "file:line (`if ...`)" -> whether a run entered it."""
    for side, places in branches.items():
        left = [place for place, entered in places.items() if not entered]
        if left:
            shown = ", ".join(left[:MOST_BRANCHES])
            more = f" and {len(left) - MOST_BRANCHES} more" if len(left) > MOST_BRANCHES else ""
            yield Note(
                f"{side}: no input that was compared came to {shown}{more}: what it computes was not compared; give an input that does (--input)",
                evidence={"branches": left},
            )


def ignored(label: int, apart: float) -> Note:
    """That the frameworks' own means over labels of which some are left out are not the same."""
    return Note(
        f"labels of {label} are left out by both, and the losses differ by {apart:.1e} then: Paddle's mean counts them unless it is told "
        "ignore_index, torch's does not; no given label is one"
    )


def paddles_nan(path: str, name: str) -> Note:
    """That a gradient is lost in Paddle alone: training there breaks on such numbers, and the port's does not."""
    where = name.removeprefix("gradients on ")
    return Note(
        f"Paddle's gradient of input `{path}` is NaN on {where} where torch's is a number: not compared there"
    )


def limit(shapes: Shapes, error: Exception) -> Note:
    """That the port itself says that it is not made for an input that only the check chose."""
    return Note(f"a limit of the port: on an input of {_sizes(shapes)}, which Paddle's model takes, {error}")


def doubt(name: str, error: Exception | None = None) -> str:
    """Why an input has to be looked into; error: what torch's model raised on it, else the outputs differ."""
    return f"{name}: {'the outputs differ' if error is None else error}"


def _sizes(shapes: Shapes) -> str:
    return ", ".join("x".join(map(str, shape)) for shape in shapes.values())
