"""Dropouts that both frameworks have, one of which is switched off in this run: what is configured otherwise in them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from parity.explain.claims import Claim
from parity.explain.evidence import Evidence
from parity.graph.node import Node, Silent
from parity.ops.attributes import same_value
from parity.results.finding import Shows, Subject


@dataclass(frozen=True)
class Twins:
    """One dropout on both sides; `node`: that of the side on which it is an operator, `off`: that which is none."""

    paddle: Silent
    torch: Silent
    node: Node
    off: Silent

    @property
    def active(self) -> bool:
        """Whether it drops in this run, and does not only scale."""
        return self.node.kind == "dropout"


def half_off(evidence: Evidence) -> Iterator[Twins]:
    """Every dropout that changes numbers on one side alone, because it is active there or scales in eval."""
    alignment = evidence.alignment
    torch_value = {paddle: torch for torch, paddle in alignment.same.items()}
    for node in alignment.only_torch:
        if _drops(node):
            off = _silent(alignment.paddle.silent, alignment.same.get(node.inputs["x"]))
            if off is not None:
                yield Twins(off, _as_silent(node), node, off)
    for node in alignment.only_paddle:
        if _drops(node):
            off = _silent(alignment.torch.silent, torch_value.get(node.inputs["x"]))
            if off is not None:
                yield Twins(_as_silent(node), off, node, off)


def differing(paddle: Silent, torch: Silent, shows: Shows) -> Iterator[Claim]:
    """Each argument of a dropout that is another one; rates do not matter where nothing is dropped."""
    ours, theirs = torch.attributes, paddle.attributes
    for name in ("training", "p", "mode", "channels"):
        if not same_value(theirs.get(name), ours.get(name)) and not (ours["p"] == 0 == theirs["p"]):
            yield Claim(
                Subject.ATTRIBUTE,
                attribute=name,
                values=(theirs[name], ours[name]),
                shows=shows,
                details=(paddle, torch),
            )


def _drops(node: Node) -> bool:
    return "x" in node.inputs and "dropout" in (node.kind, node.spelling.called)


def _silent(items: list[Silent], value: int | None) -> Silent | None:
    return next((item for item in items if item.kind == "dropout" and item.value == value), None)


def _as_silent(node: Node) -> Silent:
    """A dropout as it was called; in eval it is a factor where Paddle's mode makes it one."""
    attributes = node.attributes
    if node.kind != "dropout":
        rate = round(1.0 - attributes["scale"], 12)  # as it was given: 1 - 0.9 is not quite 0.1
        attributes = {"p": rate, "training": False, "mode": "downscale_in_infer", "channels": False}
    return Silent("dropout", node.inputs["x"], attributes, node.module, node.line)
