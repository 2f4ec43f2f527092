"""A summary in a terminal: the layers as a tree of blocks, and what they add up to."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from convert.columns import Column, Line, aligned
from paddle2torch.summary.rows import BYTES, MIB, Block, Difference, LayerRow, Summary

COLUMNS = (
    Column("layer", least=20),
    Column("kind", least=12),
    Column("output", right=True),
    Column("parameters", right=True),
    Column("MACs", right=True),
    Column("MiB", right=True, leaves=3),
    Column("sees", right=True, leaves=2),
)

TOLD = 10
"""Differences that are written out."""


@dataclass(frozen=True)
class Node:
    """A line of the tree: a layer, a block above its layers, or (`layers` are several) a block folded into one line."""

    level: int
    label: str
    kind: str
    output_shape: tuple[int, ...]
    parameters: int
    layers: range
    folded: bool = False


def nodes(summary: Summary, depth: int) -> Iterator[Node]:
    """The lines of the tree in the order of calls, blocks before what is in them; deeper ones than `depth` are folded."""
    order = sorted(enumerate(summary.blocks), key=lambda pair: (pair[1].start, -pair[1].end, -pair[0]))
    blocks = [block for _, block in order if block.name != NETWORK]
    open_blocks: list[Block] = []
    folded_until = 0
    for at, layer in enumerate(summary.layers):
        while open_blocks and open_blocks[-1].end <= at:
            open_blocks.pop()
        while blocks and blocks[0].start == at:
            block = blocks.pop(0)
            if at < folded_until:
                continue
            level = len(open_blocks)
            fold = level + 1 >= depth
            yield Node(
                level,
                _label(block.name, open_blocks),
                block.kind,
                block.output_shape,
                block.parameters if fold else block.own,
                range(block.start, block.end) if fold else range(0),
                fold,
            )
            if fold:
                folded_until = block.end
            else:
                open_blocks.append(block)
        if at >= folded_until:
            yield Node(
                len(open_blocks),
                _label(layer.name, open_blocks),
                layer.kind,
                layer.output_shape,
                layer.parameters,
                range(at, at + 1),
            )


NETWORK = "(network)"
"""The name of the whole."""


def _label(name: str, within: Sequence[Block]) -> str:
    start = f"{within[-1].name}." if within else ""
    return name.removeprefix(start)


def show(title: str, found: Mapping[str, Summary], differences: Sequence[Difference], depth: int) -> None:
    """Print the tree of the first summary, with what the other one says differently."""
    from paddle2torch.console import stdout_console, table_width

    first = next(iter(found.values()))
    console = stdout_console()
    sizes = " and ".join("x".join(map(str, shape)) for shape in first.input_shapes)
    console.print(f"{title}, input {sizes}", style="bold", markup=False)
    lines, rows = [], list(nodes(first, depth))
    other_kinds = {d.row: str(d.torch) for d in differences if d.field == "kind"}
    for node in rows:
        layers = first.layers[node.layers.start : node.layers.stop]
        lines.append(_cells(node, layers, _kinds(node, other_kinds)))
    table = aligned(COLUMNS, _with_notes(rows, lines, differences[:TOLD]), table_width())
    for line in table.lines():
        style = "red" if line.lstrip().startswith(MARK) else None
        console.print(line, style=style, markup=False, soft_wrap=True)
    if len(differences) > TOLD:
        console.print(f"... and {len(differences) - TOLD} more differences: --json has all")
    totals = {framework: _totals(summary) for framework, summary in found.items()}
    for text in dict.fromkeys(totals.values()):
        sides = " and ".join(framework for framework in totals if totals[framework] == text)
        console.print(f"{sides}: {text}", markup=False)
    if any(node.folded for node in rows):
        console.print(f"blocks below level {depth} are one line each: --depth shows more", style="dim")
    if len(found) == 2:
        count = len(differences)
        verdict = f"{count} difference{'s' if count > 1 else ''}" if count else "no difference"
        console.print(f"paddle against torch: {verdict}", style="bold red" if count else "green")


MARK = "differs: "


def _with_notes(
    rows: Sequence[Node], lines: Sequence[tuple[str, ...]], differences: Sequence[Difference]
) -> list[Line]:
    """The lines with each difference below the layer, or the folded block, that it is of; those of no layer at the end."""
    told: list[Line] = []
    rest = list(differences)
    for node, line in zip(rows, lines, strict=True):
        told.append(line)
        mine = [d for d in rest if d.row in node.layers]
        rest = [d for d in rest if d not in mine]
        told += [_note(difference) for difference in mine]
    return [*told, *map(_note, rest)]


def _note(difference: Difference) -> str:
    return f"{MARK}{difference.field.replace('_', ' ')}: paddle {difference.paddle}, torch {difference.torch}"


def _kinds(node: Node, others: Mapping[int, str]) -> str:
    """The class on both sides, once where it is one."""
    single = len(node.layers) == 1 and not node.folded and node.layers[0] in others
    return f"{node.kind} | {others[node.layers[0]]}" if single else node.kind


def _cells(node: Node, layers: Sequence[LayerRow], kind: str) -> tuple[str, ...]:
    macs = sum(layer.macs for layer in layers)
    size = sum(math.prod(layer.output_shape) for layer in layers) * BYTES / MIB
    return (
        "  " * node.level + node.label,
        kind,
        "x".join(map(str, node.output_shape)),
        f"{node.parameters:,}" if node.parameters else "",
        f"{macs:,}" if macs else "",
        f"{size:.2f}" if layers else "",
        _extent(_widest(layers)) if layers else "",
    )


def _widest(layers: Sequence[LayerRow]) -> tuple[int, int] | None:
    fields = [layer.receptive_field for layer in layers]
    return None if None in fields else max(field for field in fields if field)


def _totals(summary: Summary) -> str:
    seen = summary.receptive_field
    return (
        f"{summary.parameters:,} parameters, {summary.macs:,} multiply-adds of layers (MACs), weights "
        f"{summary.weight_mib:.1f} MiB, activations {summary.activation_mib:.1f} MiB (outputs of layers in float32, "
        "forward; twice that with backward)" + (f", receptive field {_extent(seen)}" if seen else "")
    )


def _extent(view: tuple[int, int] | None) -> str:
    if view is None:
        return "all"
    return str(view[0]) if view[0] == view[1] else f"{view[0]}x{view[1]}"
