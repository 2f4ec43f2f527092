"""A plan as a table."""

from __future__ import annotations

from convert.columns import Column, Line, aligned
from convert.names import escaped
from convert.plan.plan import ConversionPlan


def plan_table(plan: ConversionPlan, width: int | None) -> list[str]:
    """Lines of at most `width` characters (None: of any length): one row per torch key, then what is dropped; [] where nothing is paired."""
    rows: list[Line] = []
    moves = plan.by_target()
    fills = {fill.name: fill for fill in plan.generated}
    for name in plan.order:
        if name in moves:
            rows += (
                (move.source, name, _shape(move.shape), move.transform, move.found_by, move.why)
                for move in moves[name]
            )
        elif name in fills:
            fill = fills[name]
            rows.append(
                ("", name, _shape(fill.shape), f"= {fill.value} ({fill.dtype})", "generated", fill.why)
            )
        elif name in plan.left:
            rows.append(("", name, "", "left as it is", "", "partial load"))
    rows += ((drop.name, "", "", "dropped", "", drop.why) for drop in plan.dropped)
    if not plan.moves and not plan.dropped:
        return []
    paddle, torch = plan.sides
    columns = (
        Column(paddle, least=24),
        Column(torch, least=24),
        Column("shape", leaves=2),
        Column("transform"),
        Column("found by", leaves=4),
        Column("why", words=True, leaves=3),
    )
    shown: list[Line] = [row if isinstance(row, str) else tuple(map(escaped, row)) for row in rows]
    return [escaped(f"{plan.source} -> {plan.target}"), *aligned(columns, shown, width).lines()]


def _shape(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "scalar"
