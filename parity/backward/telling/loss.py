"""What sets two losses apart as findings and notes: the one place that makes sentences of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from parity.backward.loss import LossDifference
from parity.backward.losses import Apart, In, OneSided
from parity.results.finding import Finding, Note, Shows, Subject

Told = tuple[str, str]
"""Cause and fix."""


def loss(found: LossDifference) -> Finding:
    apart = found.apart
    cause, fix = TELLS[apart.what](apart)
    return Finding(
        layer="loss",
        operator="loss",
        where=found.where,
        cause=cause,
        fix=fix,
        evidence=found.evidence,
        layer_paddle="loss",
        where_paddle=found.where_paddle,
        subject=Subject.LOSS,
        attribute=apart.attribute,
        values={} if apart.values is None else {"paddle": apart.values[0], "torch": apart.values[1]},
        shows=Shows.GRADIENTS,
        order=float("inf"),
    )


def loss_constant(found: LossDifference) -> Note:
    return Note(
        "loss: it differs by what a number that Paddle's loss keeps in float32 explains, not by a fault",
        "loss",
        found.evidence,
    )


def _values(apart: Apart) -> tuple[object, object]:
    assert apart.values is not None
    return apart.values


def _not_finite(apart: Apart) -> Told:
    expected, actual = apart.details
    return (
        f"the loss is {actual:g} in torch and {expected:g} in Paddle: not finite",
        "make the loss finite on these inputs: labels in range, no logarithm or division of zero",
    )


REDUCED: Mapping[str, str] = {
    "sum": "torch sums where Paddle averages",
    "mean": "torch averages where Paddle sums",
}
"""By torch's reduction."""


def _reduction(apart: Apart) -> Told:
    """details: the factor."""
    paddle, torch = _values(apart)
    return (
        f"loss reduction: {REDUCED[str(torch)]}: its loss is {apart.details:.6g} times Paddle's",
        f"reduction={paddle!r}",
    )


def _sample_mean(apart: Apart) -> Told:
    """details: the factor, and how many numbers a sample has."""
    (c, width), (paddle, _) = apart.details, _values(apart)
    more, less = ("torch", "Paddle") if c < 1 else ("Paddle", "torch")
    return (
        f"loss reduction: {more} also averages over the {width} numbers of a sample, {less} over the samples alone: "
        f"torch's loss is {c:.6g} times Paddle's",
        f"reduction={paddle!r} (where torch has none: {'multiply' if c < 1 else 'divide'} by {width})",
    )


def _beta(apart: Apart) -> Told:
    """details: the factor, and beta."""
    c, beta = apart.details
    return (
        f"torch's smooth_l1_loss divides by beta={beta:g}, Paddle's smooth_l1_loss(delta={beta:g}) does not: "
        f"its loss is {c:.6g} times Paddle's",
        f"F.huber_loss(..., delta={beta:g})",
    )


def _factor(apart: Apart) -> Told:
    """details: it, and the operators that are not the same."""
    c, operators = apart.details
    return (
        f"torch's loss is {c:.6g} times Paddle's{_only(operators)}",
        f"give both losses the same weight: torch's times {1 / c:.6g}",
    )


def _terms(apart: Apart) -> Told:
    """details: (output, factor, reductions) of each term."""
    told, fixes = [], []
    for name, c, reductions in apart.details:
        if not c:
            told.append(f"torch's loss does not depend on `{name}`")
            fixes.append(f"add the term of `{name}`")
        else:
            told.append(
                f"the term of `{name}` weighs {c:.6g} times what it does in Paddle"
                + (f" ({REDUCED[reductions[1]]})" if reductions else "")
            )
            fixes.append(
                f"reduction={reductions[0]!r}"
                if reductions
                else f"multiply the term of `{name}` by {1 / c:.6g}"
            )
    return f"loss weights: {'; '.join(told)}", "; ".join(fixes)


def _detach(apart: Apart) -> Told:
    """details: the operator."""
    op, (_, torch) = apart.details, _values(apart)
    return (
        f"detach only in {'torch' if torch else 'Paddle'}'s loss: its value is the same, but no gradient flows "
        f"back through {op.name} ({op.line})",
        f"remove the detach at {op.line}" if torch else "detach the same value in torch's loss",
    )


def _positives(apart: Apart) -> Told:
    """details: their weight."""
    weight = apart.details
    return (
        f"weight of positives: torch's gradients of positive labels are {weight:.6g} times Paddle's, compared with "
        "those of negative ones: pos_weight, or the alpha of a focal loss",
        f"pos_weight={1 / weight:.6g} times what torch's loss has now",
    )


def _activation(apart: Apart) -> Told:
    """details: whether Paddle's loss has it inside."""
    kind, (_, torch) = apart.attribute, _values(apart)
    if torch:
        return (
            f"the loss applies {kind} only in torch, before a loss that expects raw scores or has its own: "
            f"a second {kind}",
            f"remove the {kind} from torch's loss",
        )
    return (
        f"the loss applies {kind} only in Paddle{', inside the loss' if apart.details else ''}",
        f"apply {kind} in torch's loss too",
    )


def _probabilities(apart: Apart) -> Told:
    return (
        "the loss applies softmax in torch where Paddle applies log_softmax: probabilities are taken for logarithms",
        "write log_softmax for softmax in torch's loss",
    )


def _likelihood(apart: Apart) -> Told:
    return (
        "no log_softmax in torch: its loss takes the raw scores for logarithms of probabilities (nll_loss), "
        "Paddle's is a cross entropy",
        "F.cross_entropy, or F.nll_loss(F.log_softmax(x, 1), ...)",
    )


def _labels(apart: Apart) -> Told:
    """details: how many rows have another label, of how many, and the first."""
    (count, rows, row), (paddle, torch) = apart.details, _values(apart)
    return (
        f"labels: {count} of {rows} rows have another label, the first is row {row}: {torch} in torch, {paddle} in Paddle",
        "give both losses the same labels",
    )


def _smoothing(apart: Apart) -> Told:
    paddle, torch = _values(apart)
    return (
        f"label smoothing: torch's loss has {torch:g}, Paddle's has {paddle:g}",
        f"label_smoothing={paddle:g}",
    )


def _ignored(apart: Apart) -> Told:
    """details: whether torch's loss leaves them out, how many rows, of how many, and their labels."""
    torch, count, rows, labels = apart.details
    return (
        f"ignored labels: {'torch' if torch else 'Paddle'}'s loss leaves out {count} of {rows} rows that the other counts "
        f"(label {', '.join(str(label) for label in labels[:4])}): ignore_index",
        "leave ignore_index out of torch's loss" if torch else f"ignore_index={labels[0]}",
    )


def _ignored_average(apart: Apart) -> Told:
    """details: whether Paddle divides by all rows, how many count, of how many, and the factor."""
    by_all, count, rows, c = apart.details
    torch, paddle = (f"the {count} that count", f"all {rows}")[:: 1 if by_all else -1]
    divisor = "labels.numel()" if by_all else "(labels != ignore_index).sum()"
    return (
        f"loss average: both ignore {rows - count} of {rows} rows (ignore_index), and torch divides by {torch}, Paddle by {paddle}: "
        f"torch's loss is {c:.6g} times Paddle's on this batch",
        f"divide by what Paddle divides by: reduction='sum', then / {divisor}",
    )


def _average(apart: Apart) -> Told:
    """details: what (Paddle's, torch's) rows weigh in all."""
    paddle, torch = apart.details
    return (
        f"loss average: torch's rows weigh {torch:.6g} in all, Paddle's {paddle:.6g}: the two divide by another "
        "number of rows",
        "divide by what Paddle's loss divides by",
    )


def _class_weights(apart: Apart) -> Told:
    """details: label -> weight, by side; None where all weigh the same."""
    told = "; ".join(
        f"{side} has {'none' if weights is None else ', '.join(f'{k}: {v:.4g}' for k, v in list(weights.items())[:5])}"
        for side, weights in apart.details.items()
    )
    fix = (
        "leave weight out of torch's loss"
        if apart.details["Paddle"] is None
        else "weight=torch.tensor([...]) with Paddle's numbers"
    )
    return f"class weights differ (relative, by label): {told}", fix


def _blank(apart: Apart) -> Told:
    paddle, torch = _values(apart)
    return (
        f"blank of the CTC loss: torch has {torch}, Paddle has {paddle}",
        f"F.ctc_loss(..., blank={paddle})",
    )


def _left_out(apart: Apart) -> Told:
    """details: the output, whether it is torch's loss that does not look there, the places, of how many, the axis."""
    name, torch, places, size, axis = apart.details
    return (
        f"left out: {'torch' if torch else 'Paddle'}'s loss does not depend on `{name}` at {', '.join(map(str, places[:6]))} "
        f"of its {size} places along axis {axis}, the other's does: lengths, a mask or ignored places",
        "give both losses the same lengths and masks",
    )


def _samples(apart: Apart) -> Told:
    """details: the output, each sample's factor, and whether it is a CTC loss."""
    name, factors, ctc = apart.details
    shown = ", ".join(f"{c:.4g}" for c in factors[:6]) + (", ..." if len(factors) > 6 else "")
    why = (
        ": reduction (the mean of a CTC loss divides every sample by the length of its label first)"
        if ctc
        else ""
    )
    return (
        f"loss average: the samples of `{name}` weigh {shown} times what they do in Paddle{why}",
        "reduce the losses of the samples as Paddle does"
        + (": F.ctc_loss(..., reduction='none') and then the same sum or mean" if ctc else ""),
    )


def _unknown(apart: Apart) -> Told:
    """details: the operators that are not the same, and the outputs whose terms differ if not all do."""
    (operators, terms), (paddle, torch) = apart.details, _values(apart)
    at = f", in the term of {', '.join(f'`{name}`' for name in terms)}" if terms else ""
    return (
        f"the loss differs on the same outputs{at}: {torch:.9g} in torch, {paddle:.9g} in Paddle{_only(operators)}",
        "compare the two losses"
        + (" there" if operators else ": reduction, label smoothing, class weights, ignored labels"),
    )


def _only(operators: OneSided) -> str:
    return "".join(
        f"; {here} in torch where Paddle has {there}" for here, there in operators.exchanged
    ) + "".join(
        f"; only in {side}: {', '.join(names[:4])}"
        for side, names in (("torch", operators.torch), ("Paddle", operators.paddle))
        if names
    )


TELLS: Mapping[In, Callable[[Apart], Told]] = {
    In.NOT_FINITE: _not_finite,
    In.REDUCTION: _reduction,
    In.SAMPLE_MEAN: _sample_mean,
    In.BETA: _beta,
    In.FACTOR: _factor,
    In.TERMS: _terms,
    In.DETACH: _detach,
    In.POSITIVES: _positives,
    In.ACTIVATION: _activation,
    In.PROBABILITIES: _probabilities,
    In.LIKELIHOOD: _likelihood,
    In.LABELS: _labels,
    In.SMOOTHING: _smoothing,
    In.IGNORED: _ignored,
    In.IGNORED_AVERAGE: _ignored_average,
    In.AVERAGE: _average,
    In.CLASS_WEIGHTS: _class_weights,
    In.BLANK: _blank,
    In.LEFT_OUT: _left_out,
    In.SAMPLES: _samples,
    In.UNKNOWN: _unknown,
}
"""In what the losses differ -> who says it."""
