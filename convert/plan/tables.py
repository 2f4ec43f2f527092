"""Plans and checkpoints as rich tables; the only module of `convert` that knows rich."""

from __future__ import annotations

from rich.console import Group
from rich.table import Table
from rich.text import Text

from convert.plan.plan import ConversionPlan


def plan_table(plan: ConversionPlan) -> Table:
    """One line per torch key, then what is dropped."""
    table = Table(title=Text(f"{plan.source} -> {plan.target}"), title_justify="left")
    for column in (*plan.sides, "shape", "transform", "found by", "why"):
        table.add_column(column, overflow="fold")
    moves = plan.by_target()
    fills = {fill.name: fill for fill in plan.generated}
    for name in plan.order:
        if name in moves:
            for move in moves[name]:
                words = (move.source, name, _shape(move.shape), move.transform, move.found_by)
                table.add_row(*map(Text, words), Text(move.why))
        elif name in fills:
            fill = fills[name]
            table.add_row(
                "",
                Text(name),
                _shape(fill.shape),
                f"= {fill.value} ({fill.dtype})",
                "generated",
                Text(fill.why),
            )
        elif name in plan.left:
            table.add_row("", Text(name), "", "left as it is", "", "partial load")
    for drop in plan.dropped:
        table.add_row(Text(drop.name), "", "", "dropped", "", Text(drop.why))
    return table


def plan_report(plan: ConversionPlan) -> Group:
    """The table, then every problem on a line of its own."""
    table = [plan_table(plan)] if plan.moves or plan.dropped else []
    return Group(*table, *(Text(f"problem: {problem}", "red") for problem in plan.problems))


def _shape(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "scalar"
