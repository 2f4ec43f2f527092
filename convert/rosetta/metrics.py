"""Metrics: torch has none of its own (torchmetrics does); a few lines of torch compute the same."""

from __future__ import annotations

from typing import Any

from convert.rosetta.rows import Argument, Exactness, Example, Kind, Row, Source, Trap

NAME = Argument("name", None)
CLASSES = {"x": "float 8,5 constant", "y": "int<5 8,1"}
YES = {"x": "probability 20,1 constant", "y": "int<2 20,1"}
HALVES = {"x": "= [[0.5], [0.5], [0.75], [0.25]]", "y": "= [[1], [0], [1], [1]]"}


def _row(name: str, *examples: Example, **more: Any) -> Row:
    return Row(
        Kind.FUNCTION,
        f"metric.{name}",
        "",
        Exactness.NONE,
        examples=examples,
        source=Source(f"metric/metrics.py: {name}", "no twin"),
        **more,
    )


def _binary(name: str, denominator: str, yes: str, other: str, text: str) -> Row:
    mapped = f"p, t = {yes}, y == 1\n(p & t).sum() / {denominator}.sum()"
    measured = f"m = paddle.metric.{name}()\nm.update(x.detach(), y)\nm.accumulate()"
    return _row(
        name,
        Example(YES, measured, mapped),
        Example(HALVES, measured, mapped),
        arguments=(NAME,),
        traps=(
            Trap(
                text,
                naive=mapped.replace(yes, other),
                example=Example(HALVES, measured, mapped),
            ),
        ),
        remedy="compare with 0.5 and count, over all batches",
        reason=f"true positives over {'predicted' if denominator == 'p' else 'labelled'} positives",
    )


ROWS: tuple[Row, ...] = (
    _row(
        "Accuracy",
        Example(
            CLASSES,
            "m = paddle.metric.Accuracy(topk=(1, 2))\nm.update(m.compute(x, y))\nm.accumulate()",
            "hit = x.topk(2).indices == y\n[hit[:, :k].any(1).double().mean() for k in (1, 2)]",
        ),
        arguments=(Argument("topk", None, paddle_default=(1,)), NAME),
        traps=(
            Trap(
                "accumulate is over all samples: the mean of the batches' accuracies weighs a short last batch too much",
                naive="hit = (x.argmax(1, keepdim=True) == y).double()\n(hit[:7].mean() + hit[7:].mean()) / 2",
                example=Example(
                    {"x": "= [[0.9, 0.1]] * 8", "y": "= [[0]] * 3 + [[1]] * 5"},
                    "m = paddle.metric.Accuracy()\n"
                    "[m.update(m.compute(x[a:b], y[a:b])) for a, b in ((0, 7), (7, 8))]\nm.accumulate()",
                    "(x.argmax(1, keepdim=True) == y).double().mean()",
                ),
            ),
            Trap(
                "labels are [N, 1]; a flat label compared with them broadcasts to N x N in torch",
                naive="(x.argmax(1, keepdim=True) == y.squeeze(1)).double().mean()",
                example=Example(
                    CLASSES,
                    "m = paddle.metric.Accuracy()\nm.update(m.compute(x, y))\nm.accumulate()",
                    "(x.argmax(1, keepdim=True) == y).double().mean()",
                ),
            ),
        ),
        remedy="topk and compare; sum the hits of all batches, divide once",
        reason="share of the samples whose label is among the k largest",
    ),
    _row(
        "accuracy",
        Example(
            CLASSES,
            "paddle.metric.accuracy(x.astype('float32'), y, k=2)",
            "(x.topk(2).indices == y).any(1).float().mean()",
        ),
        arguments=(
            Argument("input", None),
            Argument("label", None, note="[N, 1]"),
            Argument("k", None, paddle_default=1),
            Argument("correct", None),
            Argument("total", None),
            NAME,
        ),
        traps=(
            Trap(
                "with k it is not argmax",
                naive="(x.argmax(1, keepdim=True) == y).float().mean()",
            ),
        ),
        remedy="topk and compare",
        reason="share of the samples whose label is among the k largest",
    ),
    _binary(
        "Precision",
        "p",
        "x >= 0.5",
        "x.round() == 1",
        "0.5 counts as yes: floor(p + 0.5) here, rint in Recall",
    ),
    _binary("Recall", "t", "x > 0.5", "x >= 0.5", "0.5 counts as no: rint here, floor(p + 0.5) in Precision"),
    _row(
        "Auc",
        Example(
            {"x": "probability 20,2 constant", "y": "int<2 20,1"},
            "m = paddle.metric.Auc()\nm.update(x, y)\nm.accumulate()",
            "b, t = (x[:, 1] * 4095).int(), y[:, 0] == 1\n"
            "d = b[t][:, None] - b[~t]\n"
            "((d > 0).double() + 0.5 * (d == 0)).mean()",
        ),
        Example(
            {"x": "probability 20,2 constant", "y": "int<2 20,1"},
            "m = paddle.metric.Auc(num_thresholds=7)\nm.update(x, y)\nm.accumulate()",
            "b, t = (x[:, 1] * 7).int(), y[:, 0] == 1\n"
            "d = b[t][:, None] - b[~t]\n"
            "((d > 0).double() + 0.5 * (d == 0)).mean()",
        ),
        arguments=(
            Argument("curve", None, paddle_default="ROC"),
            Argument("num_thresholds", None, paddle_default=4095),
            NAME,
        ),
        traps=(
            Trap(
                "the probability of yes is column 1 of two, put into 4095 buckets",
                naive="t = y[:, 0] == 1\nd = x[:, 0][t][:, None] - x[:, 0][~t]\n(d > 0).double().mean()",
            ),
        ),
        remedy="sklearn.metrics.roc_auc_score, but for Paddle's buckets; or these lines",
        reason="share of the pairs of a positive and a negative that are in the right order, within 1 / num_thresholds",
    ),
)
