"""Known functions that a model may write out: activations, softmax, normalizations; recognised by what they compute.

A piece of arithmetic (`parity.graph.formulas.pieces`) that computes one of them becomes that operator, with its constants (an
epsilon, a slope, the axes) read off the numbers, right or wrong. So a normalization by hand is aligned
with the framework's own, and what is wrong inside it is a difference of attributes with a line of its own.
"""

from __future__ import annotations

from dataclasses import replace

from parity.graph.builder import Builder
from parity.graph.formulas.activations import activation
from parity.graph.formulas.known import Known
from parity.graph.formulas.norms import frozen_batch_norm, normalization, scale_and_shift
from parity.graph.formulas.pieces import OF_ONE, OF_TWO, Piece, pieces
from parity.graph.formulas.rows import softmax, unit_length
from parity.graph.node import Node, joined

__all__ = ["scale_and_shift", "written_out"]


def written_out(b: Builder, top: Node) -> bool:
    """The rewrite: arithmetic that computes a known function becomes that one operator."""
    if top.kind not in OF_ONE and top.kind not in OF_TWO and top.kind != "where":
        return False
    found = [
        (piece, known)
        for piece in pieces(b, top)
        if piece.stands() and (known := _recognised(b, piece)) is not None and not _holds(piece, known)
    ]
    if not found:
        return False
    # The largest: a softmax may begin with taking the maximum away, which changes nothing.
    _become(b, *found[-1])
    return True


def _holds(piece: Piece, known: Known) -> bool:
    """Whether a piece is an operator of its own with something around it, not one that is written out.

    A framework's Hardswish and a factor behind it are two operators, as is a dropout that scales in eval; and so is one that is
    written out and right without the factor.
    """
    wrong = "formula" in known.attributes
    return any(
        node.spelling.called == "dropout"
        or (
            node.kind == known.kind
            and (not node.spelling.by_hand or (wrong and "formula" not in node.attributes))
        )
        for node in piece.nodes
    )


def _recognised(b: Builder, piece: Piece) -> Known | None:
    if not piece.statistics:
        return activation(piece) if not piece.owned else frozen_batch_norm(piece)
    if piece.owned:
        return normalization(b, piece)
    return softmax(piece) or unit_length(piece) or normalization(b, piece)


def _become(b: Builder, piece: Piece, known: Known) -> None:
    """Make the piece's last operator the known one, and take the rest out."""
    top = piece.top
    raw = sorted({number for node in piece.nodes for number in node.raw})
    takes = {"x": joined([node.takes[slot] for node, slot in piece.entered])}
    for part, value in known.parts.items():
        node, slot = piece.owned[value]
        takes[part] = node.takes[slot]
    top.kind, top.takes, top.raw = known.kind, takes, tuple(raw)
    top.attributes, top.spelling = dict(known.attributes), replace(known.spelling, by_hand=True)
    top.decided = {name: node.raw[-1] for name, node in known.decided.items()}
    for node in piece.nodes:
        if node is not top:
            b.drop(node)
