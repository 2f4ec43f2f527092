"""Settings of two optimizers, side by side, for every parameter."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from parity.limits import RECOMPUTED
from parity.ops.attributes import same_value
from parity.results.finding import Shows, Subject
from parity.training.record import Both, Claim, Claims, Record, Remark
from parity.training.schedule import otherwise_scheduled

Apart = dict[str, dict[str, Both]]
"""Setting -> torch's parameter -> (Paddle's, torch's)."""


def explain(record: Record, claims: Claims) -> Iterator[Claim]:
    """Setting against setting."""
    paddle, torch = record.given.paddle, record.given.torch
    if (paddle.custom or torch.custom) and record.worst() <= record.room:
        # Whatever such a class calls itself and its settings, its updates are what counts.
        yield Claim(Remark.OWN_CLASS)
        return
    if torch.rule and paddle.rule != torch.rule:
        yield Claim(
            Subject.OPTIMIZER,
            attribute="rule",
            values=(paddle.name, torch.name),
            entails=tuple(record.updates),
            evidence={"paddle": paddle.name, "torch": torch.name, "update differs by": record.worst()},
        )
        return
    missing, apart, trained = _side_by_side(record)
    yield from _missing(record, missing)
    yield from _decay_coupling(record, apart.pop("decoupled", {}))
    apart["lr"] = {name: v for name, v in apart["lr"].items() if not otherwise_scheduled(record.rates(name))}
    for setting in ("lr", *sorted(set(apart) - {"lr"})):
        yield from _setting(record, setting, apart[setting], trained)


def _side_by_side(record: Record) -> tuple[dict[str, list[str]], Apart, int]:
    """Parameters that one side's optimizer lacks; settings that differ; how many parameters train."""
    given = record.given
    missing: dict[str, list[str]] = {"torch": [], "paddle": []}
    apart: Apart = defaultdict(dict)
    trained = {twin.name: twin.paddle.name for twin in given.twins if given.trains(twin)}
    for name, twin in trained.items():
        actual, expected = given.torch.parameters.get(name), given.paddle.parameters.get(twin)
        if actual is None or expected is None:
            if (actual is None) != (expected is None):
                missing["torch" if actual is None else "paddle"].append(name)
            continue
        # A class of one's own has settings of its own: only those that both sides know say anything.
        both = (
            set(actual) & set(expected) if given.paddle.custom or given.torch.custom else {*actual, *expected}
        )
        for setting in sorted(both):
            values = expected.get(setting, 0.0), actual.get(setting, 0.0)
            if not same_value(*values):
                apart[setting][name] = values
    return missing, apart, len(trained)


def _missing(record: Record, missing: Mapping[str, list[str]]) -> Iterator[Claim]:
    for side, names in missing.items():
        if names:
            yield Claim(
                Subject.OPTIMIZER,
                attribute="parameters",
                values=((), tuple(names)) if side == "paddle" else (tuple(names), ()),
                entails=names,
                evidence={"parameters": names, "update differs by": record.worst(names)},
            )


def _decay_coupling(record: Record, apart: Mapping[str, Both]) -> Iterator[Claim]:
    """Adam against AdamW matters only where there is a decay."""
    given = record.given
    paddle, torch = given.paddle, given.torch
    decayed = [
        name
        for name in apart
        if torch.parameters[name]["weight_decay"]
        or paddle.parameters[given.paddle_name(name)]["weight_decay"]
    ]
    if decayed:
        ours = bool(torch.parameters[decayed[0]]["decoupled"])
        yield Claim(
            Subject.OPTIMIZER,
            attribute="decoupled",
            values=(not ours, ours),
            entails=decayed,
            evidence={
                "paddle": paddle.name,
                "torch": torch.name,
                "update differs by": record.worst(decayed),
            },
        )


def _setting(record: Record, setting: str, found: Mapping[str, Both], trained: int) -> Iterator[Claim]:
    """One claim for every two values that differ. details: the parameters, and out of how many."""
    by_values: dict[tuple[Any, Any], list[str]] = defaultdict(list)
    for name, values in found.items():
        by_values[values].append(name)
    for (expected, actual), names in by_values.items():
        worst = record.worst(names)
        yield Claim(
            Subject.OPTIMIZER,
            attribute=setting,
            values=(expected, actual),
            shows=Shows.WEIGHTS if worst > RECOMPUTED else Shows.NOTHING,
            entails=names,
            evidence={
                "setting": setting,
                "paddle": expected,
                "torch": actual,
                "parameters": len(names),
                "update differs by": worst,
            },
            details=(names, trained),
        )
