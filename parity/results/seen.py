"""What the runs on the given input say of the models themselves, and so of what else they may be given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from parity.trace.trace import Framework, Op, Trace

ARITHMETIC = frozenset(
    (
        "abs",
        "add",
        "amax",
        "amin",
        "bool",
        "cast",
        "clip",
        "concat",
        "constant",
        "cumsum",
        "div",
        "double",
        "eq",
        "equal",
        "float",
        "floor",
        "floor_divide",
        "floor_mod",
        "fmod",
        "full_like",
        "ge",
        "greater_equal",
        "greater_than",
        "gt",
        "half",
        "identity",
        "int",
        "le",
        "less_equal",
        "less_than",
        "long",
        "lt",
        "maximum",
        "mean",
        "minimum",
        "mod",
        "move",
        "mul",
        "multiply",
        "ne",
        "neg",
        "negative",
        "not_equal",
        "ones_like",
        "pow",
        "power",
        "remainder",
        "reshape",
        "scale",
        "short",
        "sign",
        "square",
        "stack",
        "sub",
        "subtract",
        "sum",
        "to",
        "type",
        "trunc",
        "where",
        "zeros_like",
    )
)
"""Kinds of operators that take any whole number, and make of it numbers that choose nothing either."""


MOVING = frozenset(
    {
        "getitem",
        "slice",
        "permute",
        "transpose",
        "expand",
        "tile",
        "repeat",
        "repeat_interleave",
        "flip",
        "split",
        "chunk",
    }
)
"""Kinds of operators that put the numbers of their first input elsewhere, and make no others."""

CASTS = frozenset({"cast", "identity", "reshape", "move", "int", "long", "short", "to", "type"})
"""Kinds of operators that make no other numbers of whole ones."""

RANKING = frozenset(
    {"topk", "topk.indices", "sort", "sort.indices", "kthvalue", "kthvalue.indices", "mode", "unique", "nms"}
)
"""Kinds of operators that put numbers in an order, and of which nobody promises which of two equal ones comes first."""

DOUBTFUL = frozenset(
    {
        "isnan",
        "isinf",
        "isfinite",
        "nan_to_num",
        "nanmean",
        "nansum",
        "nanmedian",
        "nanquantile",
        "fmax",
        "fmin",
    }
)
"""Kinds of operators that ask for NaN or Inf, or treat them apart."""

DIVIDING = frozenset({"div", "divide", "truediv", "rsqrt", "sqrt", "log", "reciprocal", "norm", "normalize"})
"""Kinds of operators that overflow on zeros, or on what is zero for equal numbers."""

KINKED = frozenset(
    {
        "leaky_relu",
        "prelu",
        "amax",
        "amin",
        "max",
        "min",
        "sqrt",
        "rsqrt",
        "pow",
        "std",
        "var",
        "prod",
        "hardshrink",
        "norm",
        "median",
    }
)
"""Kinds of operators whose gradient at zero, or at equal numbers, is each framework's own."""


SEQUENCES = "warpctc", "ctc_loss"
"""Kinds of operators of which nobody promises what they make of any labels and lengths: a blank is no label, none is longer than the scores."""


SEVERAL_CALLS = 4
"""So many calls in a row fill a short queue, and show a pointer that does not move."""

COUNTED = "num_batches_tracked"
"""What torch's BatchNorm counts, and Paddle's does not."""


@dataclass(frozen=True)
class Seen:
    """What else the models may be given.

    free: the inputs of whole numbers that only take part in arithmetic: none chooses a row of a table, a label or how often
    something is done. rows: those that choose rows of a table, labels: those that are the labels of a cross entropy, sequences: those that
    are labels and lengths of a CTC loss. ranked: Paddle's model puts numbers in an order, which equal ones do not have. cut: these numbers reach
    where Paddle's cross entropy cuts off. calls: how many calls in a row tell what a forward keeps for the next one; 0: it keeps nothing. doubtful: one side asks for NaN
    or Inf where the other does not. kinked: both have an operator whose gradient at a kink is the framework's own, or
    numbers are ranked. computed: the inputs of whole numbers of which something is computed on both sides before it chooses anything. farther: those that are free in
    Paddle alone. dividing: one has an operator that overflows on zeros. own_loss: a loss was given. named: the sizes that the code of a model compares with, edges: its other numbers. counts: the plain
    numbers that a forward left changed, on each side.
    """

    free: frozenset[str] = frozenset()
    rows: frozenset[str] = frozenset()
    labels: frozenset[str] = frozenset()
    sequences: frozenset[str] = frozenset()
    ranked: bool = False
    cut: bool = False
    calls: int = 0
    doubtful: bool = False
    kinked: bool = False
    computed: frozenset[str] = frozenset()
    farther: frozenset[str] = frozenset()
    dividing: bool = False
    own_loss: bool = False
    named: tuple[int, ...] = ()
    edges: tuple[float, ...] = ()
    counts: Mapping[Framework, Mapping[str, float]] = field(default_factory=dict)


def seen(paddle: Trace, torch: Trace) -> Seen:
    """What two runs on one input say."""
    ranked = any(op.kind in RANKING and not op.attributes.get("stable") for op in paddle.ops)
    kinds = [Counter(op.kind for op in trace.ops) for trace in (paddle, torch)]
    free = [set(_free(trace)) for trace in (paddle, torch)]
    computed = set(_computed(paddle)) & set(_computed(torch))
    return Seen(
        frozenset(free[0] & free[1]),
        frozenset(_taken(paddle, "embedding", "x")),
        frozenset(_taken(paddle, "cross_entropy", "label")),
        frozenset(name for kind in SEQUENCES for name in _taken(paddle, kind)),
        ranked,
        calls=max(map(_calls, (paddle, torch))),
        doubtful=any(kinds[0][kind] != kinds[1][kind] for kind in DOUBTFUL),
        kinked=ranked or any(kinds[0][kind] and kinds[1][kind] for kind in KINKED),
        computed=frozenset(computed - free[0]),
        farther=frozenset(free[0] - free[1]),
        dividing=any(kind.strip("_") in DIVIDING for counted in kinds for kind in counted),
        own_loss=any(op.module == "loss" for op in paddle.ops),
        named=tuple(sorted({*paddle.named, *torch.named})),
        edges=tuple(sorted({*paddle.edges, *torch.edges})),
        counts={trace.framework: trace.counts for trace in (paddle, torch)},
    )


def statistic_values(trace: Trace, *, accumulated: bool = False) -> set[int]:
    """The values that BatchNorms take as their running statistics; accumulated: of those that update them in this run alone."""
    return {
        op.inputs[slot]
        for op in trace.ops
        if op.kind == "batch_norm" and (op.attributes.get("training") or not accumulated)
        for slot in ("mean", "variance")
        if slot in op.inputs
    }


def statistics_of(trace: Trace) -> set[str]:
    """The running statistics of BatchNorms, by name."""
    numbers = statistic_values(trace)
    return {name for name, known in trace.parameters.items() if known.value in numbers}


def updated_by_forward(trace: Trace) -> set[str]:
    """The buffers and frozen parameters that forward itself updates, as a slow copy of a network; not what a BatchNorm keeps."""
    return {name for name in trace.updated if COUNTED not in name} - statistics_of(trace)


def _calls(trace: Trace) -> int:
    """What a BatchNorm keeps shows in the second call; a queue or a pointer needs some more."""
    if trace.kept or updated_by_forward(trace):
        return SEVERAL_CALLS
    return 2 if trace.mode == "train" else 0


def _free(trace: Trace) -> Iterator[str]:
    asked = set(trace.asked)
    for name, value in trace.inputs.items():
        if "int" not in trace.values[value].dtype:
            continue
        reached, bound = {value}, bool({value} & asked)
        for op in trace.ops:
            taken = {slot for slot, number in op.inputs.items() if number in reached}
            if not taken or _bounds(op):
                # Whatever number comes in, what goes on is within bounds.
                continue
            usual = op.kind.strip("_") in ARITHMETIC or (op.kind in MOVING and taken == {"x"})
            if not usual and all("float" in trace.values[op.inputs[slot]].dtype for slot in taken):
                # What takes floats takes any, and makes what it makes of others too.
                continue
            reached.update(op.outputs)
            bound |= not usual or bool(asked & set(op.outputs))
        if not bound:
            yield name


def _computed(trace: Trace) -> Iterator[str]:
    """The inputs of whole numbers that nothing but arithmetic takes as they are, and of which arithmetic makes others."""
    for name, value in trace.inputs.items():
        if "int" not in trace.values[value].dtype or value in trace.asked:
            continue
        same, made = {value}, False
        for op in trace.ops:
            taken = {slot for slot, number in op.inputs.items() if number in same}
            if not taken:
                continue
            kind = op.kind.strip("_")
            if kind in CASTS or (op.kind in MOVING and taken == {"x"}):
                same.update(op.outputs)
            elif kind in ARITHMETIC:
                made = True
            else:
                break
        else:
            if made and not same & set(trace.asked):
                yield name


def _bounds(op: Op) -> bool:
    """Whether an operator makes of any whole number one that is in a range."""
    ends = op.attributes.get("min"), op.attributes.get("max")
    return op.kind.strip("_") in ("mod", "remainder", "floor_mod") or (op.kind == "clip" and None not in ends)


def _taken(trace: Trace, kind: str, slot: str = "") -> Iterator[str]:
    """The inputs of whole numbers that operators of a kind take in a slot ("": in any), reshaped or cast at most."""
    for name, value in trace.inputs.items():
        reached = {value}
        for op in trace.ops:
            if op.kind in ("identity", "reshape", "move") and reached & set(op.inputs.values()):
                reached.update(op.outputs)
        whole = "int" in trace.values[value].dtype
        taken = (
            {op.inputs.get(slot)} if slot else set(op.inputs.values()) for op in trace.ops if op.kind == kind
        )
        if whole and any(reached & values for values in taken):
            yield name
