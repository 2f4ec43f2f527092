"""Where the plot's lines go."""

from __future__ import annotations

import math
import re

from parity.numbers.compare import Difference
from parity.report.plot import HEIGHT, LANE, WIDTH, plot
from parity.results.judgement import Row, Status


def row(
    value: float | None, status: Status = Status.SAME, alone: float | None = None, problem: str = ""
) -> Row:
    def made(v):
        return None if v is None else Difference(v, v, 1.0, (0,), 1, 1, 0.0, 0.0, problem)

    return Row("p", "t", "Conv2d", (1,), "", float64=made(value), local=made(alone), status=status)


def points(path: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"[ML]([\d.]+) ([\d.]+)", path)]


def test_nothing_compared_gives_no_plot():
    assert plot([]) is None
    assert plot([row(None, Status.INSIDE)]) is None


def test_a_larger_error_is_higher_and_operators_go_from_left_to_right():
    found = points(plot([row(1e-16), row(1e-9), row(1e-3)]).float64)
    assert [x for x, _ in found] == sorted(x for x, _ in found)
    assert [y for _, y in found] == sorted((y for _, y in found), reverse=True)
    assert all(0 <= x <= WIDTH and LANE <= y <= HEIGHT - LANE for x, y in found)


def test_exact_equality_and_what_cannot_be_compared_have_lanes_of_their_own():
    drawn = plot([row(0.0), row(1e-16), row(math.inf, problem="shape")])
    (_, zero), (_, small), (_, endless) = points(drawn.float64)
    assert zero > HEIGHT - LANE >= small > LANE > endless
    assert drawn.float64.count("M") == 3
    assert drawn.ticks[0][1] == "\u221e"
    assert drawn.ticks[-1][1] == "0"


def test_a_missing_value_breaks_the_line():
    assert plot([row(1e-16), row(1e-16), row(None), row(1e-16)]).float64.count("M") == 2


def test_the_first_different_operator_is_marked():
    assert (
        plot([row(1e-16), row(1e-2, Status.DIFFERENT), row(1e-2, Status.DIFFERENT), row(1e-2)]).first == 37.5
    )


def test_an_operator_that_could_not_take_paddles_inputs_has_no_dot():
    drawn = plot([row(1e-16, alone=1e-16), row(math.inf, Status.INHERITED, alone=math.inf, problem="shape")])
    assert drawn.alone.count("M") == 1


def test_bands_cover_the_whole_width():
    bands = plot(
        [row(0.0), row(1e-2, Status.DIFFERENT), row(1e-2, Status.INHERITED), row(1e-2, Status.INHERITED)]
    ).bands
    assert bands == ((0.0, 25.0, "same"), (25.0, 25.0, "different"), (50.0, 50.0, "inherited"))


def test_nan_is_shown_as_not_comparable():
    assert points(plot([row(math.nan)]).float64)[0][1] < LANE
