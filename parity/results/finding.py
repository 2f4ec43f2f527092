"""What the check tells a person: one finding is one thing to change, with where, why and the evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from parity.reference import row_of

if TYPE_CHECKING:
    from parity.graph import Node


NO_EFFECT = "; no effect on these inputs"
"""What a cause ends in that the numbers of this run do not show."""

ONLY_IN_TRAINING = "; shows only in training"
"""What a cause ends in that no run without dropout shows."""


@dataclass(frozen=True)
class Finding:
    """One difference between the models.

    layer: the torch module path (the Paddle one if it exists only there); operator: canonical name.
    where: "file.py:83" in the torch source, the line to edit if it is known; where_paddle likewise.
    cause: one sentence. fix: code or an instruction. evidence: numbers and attributes, never empty.
    """

    layer: str
    operator: str
    where: str
    cause: str
    fix: str
    evidence: Mapping[str, Any]
    layer_paddle: str = ""
    where_paddle: str = ""
    kind: str = "difference"
    order: float = 0.0
    guide: str = ""
    """Paddle's name of the row of the Rosetta table to read on in: `paddle2torch guide NAME`."""
    also: tuple[Finding, ...] = ()
    """The same fault in further layers, for which the same line runs."""

    @property
    def layers(self) -> tuple[str, ...]:
        """Every layer that errs so."""
        return (self.layer, *(finding.layer for finding in self.also))

    def __str__(self) -> str:
        place = f"`{self.layer}`" if self.layer else "in the model's own forward"
        if self.also:
            place += f" and {len(self.also)} more layer{'s' if len(self.also) > 1 else ''}"
        at = f" ({self.where})" if self.where else ""
        return f"{self.operator} {place}{at}: {self.cause}"

    @property
    def silent(self) -> bool:
        """Whether it explains no number of this run."""
        return NO_EFFECT in self.cause or ONLY_IN_TRAINING in self.cause

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Note:
    """Something worth knowing that is no difference: written differently, a framework's own constant."""

    text: str
    layer: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


TITLES: Mapping[str, str] = {
    "blend": "gated sum",
    "cross_entropy.extra": "cross_entropy",
    "mean": "global average pooling (mean)",
    "amax": "global max pooling (amax)",
    "clip": "clip (ReLU6, Hardtanh)",
    "interpolate": "interpolate",
    "concat": "concat",
    "lstm": "LSTM",
    "gru": "GRU",
    "rnn_tanh": "RNN (tanh)",
    "rnn_relu": "RNN (ReLU)",
    **{f"{kind}.h_n": "last hidden state" for kind in ("lstm", "gru", "rnn_tanh", "rnn_relu")},
    "lstm.c_n": "last cell state",
    "sort.indices": "argsort",
    "topk.indices": "topk",
    "kthvalue.indices": "kthvalue",
    "rms_norm": "RMSNorm",
    "normalize": "normalize (unit length)",
    "var": "variance",
    "std": "standard deviation",
    "permute": "permute/transpose",
    "getitem": "slice",
    "tile": "repeat",
    "affine": "scale or shift by a number",
    "pow": "power",
}
"""How a canonical operator is called in a message where that is not the name of its layer in torch."""


def title(kind: str) -> str:
    """How a canonical kind is called in a message."""
    row = row_of(kind)
    return TITLES.get(kind) or (row.torch_class if row is not None else kind)


def label(node: Node) -> str:
    """How an operator is called in a message; a move by what it is written as."""
    return title(str(node.attributes.get("op", node.kind)))
