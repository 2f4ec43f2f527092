"""Where the lines of the error plot go: error of every operator, on a logarithmic axis, as SVG paths.

The drawing is stretched to the width of the page, so it holds no text and no circle: labels are HTML beside
it, and a point is a line of length zero with round ends.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from parity.numbers.compare import Difference
from parity.results.judgement import Row, Status

WIDTH, HEIGHT = 1000.0, 240.0
LANE = 26.0
"""Height of the lanes at the bottom (exactly equal) and at the top (not comparable)."""
LABELS = 7


@dataclass(frozen=True)
class Plot:
    """SVG path data in a box of WIDTH by HEIGHT. `ticks` are (percent from the top, label)."""

    float64: str
    float32: str
    alone: str
    limit: str
    below: str
    ticks: tuple[tuple[float, str], ...]
    first: float | None
    """Percent from the left of the first operator that is different."""
    bands: tuple[tuple[float, float, str], ...]
    """Runs of equal status: (percent from the left, percent wide, status)."""


def plot(rows: Sequence[Row]) -> Plot | None:
    """The plot of a case, or None if nothing in it was compared."""
    series = {
        "float64": [_value(row.float64) for row in rows],
        "float32": [_value(row.float32) for row in rows],
        "alone": [_value(row.local) if answers_alone(row) else None for row in rows],
    }
    if all(v is None for v in series["float64"]):
        return None
    limits = [row.limit if row.float64 is not None else None for row in rows]
    low, high = _decades([v for values in (*series.values(), limits) for v in values if v is not None])
    to_y = _axis(low, high)
    step = WIDTH / len(rows)
    x = [(i + 0.5) * step for i in range(len(rows))]
    first = next((i for i, row in enumerate(rows) if row.status is Status.DIFFERENT), None)
    return Plot(
        float64=_line(x, series["float64"], to_y),
        float32=_line(x, series["float32"], to_y),
        alone="".join(
            f"M{_n(at)} {_n(to_y(v))}h0" for at, v in zip(x, series["alone"], strict=True) if v is not None
        ),
        limit=_steps(limits, step, to_y),
        below=_area(limits, step, to_y),
        ticks=_ticks(low, high, to_y, endless=any(v == math.inf for v in series["float64"])),
        first=None if first is None else round(100 * x[first] / WIDTH, 2),
        bands=tuple(_bands([row.status for row in rows])),
    )


def answers_alone(row: Row) -> bool:
    """Whether `local` is about this operator: one that cannot take Paddle's inputs, whose shape its own
    inputs do not have, says nothing about itself."""
    return row.local is not None and (row.local.comparable or row.status is Status.DIFFERENT)


def _value(d: Difference | None) -> float | None:
    return None if d is None else (d.max_rel if d.comparable and not math.isnan(d.max_rel) else math.inf)


def _decades(values: Iterable[float]) -> tuple[int, int]:
    """Powers of ten that hold all values; at least four, and room above the largest."""
    logs = [math.log10(v) for v in values if 0 < v < math.inf]
    low = math.floor(min(logs, default=-16.0))
    high = max(math.ceil(max(logs, default=-12.0)), low + 4)
    return low, high


def _axis(low: int, high: int) -> Callable[[float], float]:
    def to_y(value: float) -> float:
        if value == 0:
            return HEIGHT - LANE / 2
        if math.isinf(value):
            return LANE / 2
        share = (math.log10(value) - low) / (high - low)
        return HEIGHT - LANE - share * (HEIGHT - 2 * LANE)

    return to_y


def _ticks(
    low: int, high: int, to_y: Callable[[float], float], *, endless: bool
) -> tuple[tuple[float, str], ...]:
    every = max(1, math.ceil((high - low) / LABELS))
    ticks = [(to_y(10.0**power), f"1e{power}" if power else "1") for power in range(high, low - 1, -every)]
    ticks.append((to_y(0.0), "0"))
    if endless:
        ticks.insert(0, (to_y(math.inf), "\u221e"))
    return tuple((round(100 * y / HEIGHT, 2), label) for y, label in ticks)


def _line(x: Sequence[float], values: Sequence[float | None], to_y: Callable[[float], float]) -> str:
    """A polyline, broken where there is no value and where it enters or leaves a lane; a lone point is a dot."""
    path = []
    lanes = [_lane(value) for value in values]
    for i, value in enumerate(values):
        if value is None:
            continue
        begins = i == 0 or lanes[i - 1] != lanes[i]
        ends = i + 1 == len(values) or lanes[i + 1] != lanes[i]
        path.append(f"{'M' if begins else 'L'}{_n(x[i])} {_n(to_y(value))}{'h0' if begins and ends else ''}")
    return "".join(path)


def _lane(value: float | None) -> str:
    if value is None:
        return "absent"
    return "equal" if value == 0 else ("not comparable" if math.isinf(value) else "number")


def _filled(values: Sequence[float | None]) -> list[float]:
    """Rows without a limit take the previous one's, the first ones the next one's."""
    known = [v for v in values if v is not None]
    last, filled = known[0], []
    for value in values:
        last = last if value is None else value
        filled.append(last)
    return filled


def _steps(limits: Sequence[float | None], step: float, to_y: Callable[[float], float]) -> str:
    values = _filled(limits)
    path = [f"M0 {_n(to_y(values[0]))}"]
    for i, value in enumerate(values):
        if i and value != values[i - 1]:
            path.append(f"V{_n(to_y(value))}")
        if i + 1 == len(values) or values[i + 1] != value:
            path.append(f"H{_n((i + 1) * step)}")
    return "".join(path)


def _area(limits: Sequence[float | None], step: float, to_y: Callable[[float], float]) -> str:
    return f"{_steps(limits, step, to_y)}V{_n(HEIGHT)}H0Z"


def _bands(statuses: Sequence[str]) -> Iterable[tuple[float, float, str]]:
    start = 0
    for i in range(1, len(statuses) + 1):
        if i == len(statuses) or statuses[i] != statuses[start]:
            share = 100 / len(statuses)
            yield round(start * share, 3), round((i - start) * share, 3), statuses[start]
            start = i


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
