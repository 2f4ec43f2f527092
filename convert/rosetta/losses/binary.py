"""Losses over yes and no: binary cross entropy and the losses of labels 1 and -1."""

from __future__ import annotations

from convert.rosetta.losses.common import INPUT, LABEL, NAME, REDUCTION, Case, loss
from convert.rosetta.rows import Argument, Exactness, Example, Kind, Row, Source, Trap

SHARES = {"x": "probability 3,4", "y": "probability 3,4 constant"}
LOGITS = {"x": "float 3,4", "y": "probability 3,4 constant"}
SIGNS = {"x": "float 2,3", "y": "= [[1, -1, 1], [-1, -1, 1]]"}
PADDLE_WEIGHT, TORCH_WEIGHT = "paddle.to_tensor([0.5, 1.0, 2.0, 3.0])", "torch.tensor([0.5, 1.0, 2.0, 3.0])"
WEIGHT = Argument("weight", "weight", note="broadcast against the input in both")
MARGIN = Argument("margin", "margin", paddle_default=1.0, torch_default=1.0)

BCE = loss(
    "BCELoss",
    "BCELoss",
    "binary_cross_entropy",
    "binary_cross_entropy",
    Exactness.ALGEBRA,
    options=(WEIGHT, REDUCTION, NAME),
    cases=(
        Case(SHARES),
        Case(SHARES, "reduction='none'"),
        Case(SHARES, f"weight={PADDLE_WEIGHT}, reduction='sum'", f"weight={TORCH_WEIGHT}, reduction='sum'"),
    ),
    traps=(
        Trap("it takes probabilities, not logits", naive="F.binary_cross_entropy_with_logits(x, y)"),
        Trap(
            "integer labels: Paddle needs the input's dtype as torch does",
            naive="F.binary_cross_entropy(x, y)",
            example=Example(
                {"x": "probability 3,4", "y": "int<2 3,4"},
                "F.binary_cross_entropy(x, y.astype(x.dtype))",
                "F.binary_cross_entropy(x, y.to(x.dtype))",
            ),
        ),
    ),
    reason="both cut the logarithm at -100 and the gradient's denominator at 1e-12 (in float32 in Paddle: 4e-9 at exactly 0)",
)

BCE_WITH_LOGITS = loss(
    "BCEWithLogitsLoss",
    "BCEWithLogitsLoss",
    "binary_cross_entropy_with_logits",
    "binary_cross_entropy_with_logits",
    Exactness.ALGEBRA,
    options=(WEIGHT, REDUCTION, Argument("pos_weight", "pos_weight"), NAME),
    tensors=(Argument("logit", "input"), LABEL),
    cases=(
        Case(LOGITS),
        Case(LOGITS, "reduction='sum'"),
        Case(LOGITS, f"pos_weight={PADDLE_WEIGHT}", f"pos_weight={TORCH_WEIGHT}"),
        Case(
            LOGITS,
            f"weight={PADDLE_WEIGHT}, pos_weight={PADDLE_WEIGHT}, reduction='none'",
            f"weight={TORCH_WEIGHT}, pos_weight={TORCH_WEIGHT}, reduction='none'",
        ),
    ),
    traps=(
        Trap(
            "a sigmoid before it is a second one", naive="F.binary_cross_entropy_with_logits(x.sigmoid(), y)"
        ),
    ),
    reason="(1 - y) x + log(1 + exp(-x)), the second weighted by 1 + (pos_weight - 1) y",
)

SOFT_MARGIN = loss(
    "SoftMarginLoss",
    "SoftMarginLoss",
    "soft_margin_loss",
    "soft_margin_loss",
    Exactness.ALGEBRA,
    options=(REDUCTION, NAME),
    cases=(Case(SIGNS), Case(SIGNS, "reduction='none'")),
    reason="log(1 + exp(-y x))",
)

MULTI_LABEL_SOFT_MARGIN = loss(
    "MultiLabelSoftMarginLoss",
    "MultiLabelSoftMarginLoss",
    "multi_label_soft_margin_loss",
    "multilabel_soft_margin_loss",
    Exactness.ALGEBRA,
    options=(Argument("weight", "weight"), REDUCTION, NAME),
    cases=(
        Case(LOGITS),
        Case(LOGITS, "reduction='none'"),
        Case(LOGITS, f"weight={PADDLE_WEIGHT}", f"weight={TORCH_WEIGHT}"),
    ),
    reason="binary cross entropy of logits, mean over the classes",
)

HINGE_EMBEDDING = loss(
    "HingeEmbeddingLoss",
    "HingeEmbeddingLoss",
    "hinge_embedding_loss",
    "hinge_embedding_loss",
    Exactness.ALGEBRA,
    options=(MARGIN, REDUCTION, NAME),
    cases=(Case({"x": "float 2,3", "y": "= [[1, -1, 1], [-1, -1, 1]]"}, "margin=0.5"),),
    more_of_function=(
        Example(SIGNS, "F.hinge_embedding_loss(x, y.astype(x.dtype))", "F.hinge_embedding_loss(x, y)"),
    ),
    traps=(
        Trap(
            "a label that is neither 1 nor -1 counts nothing in Paddle, torch adds both terms",
            naive="F.hinge_embedding_loss(x, y)",
            example=Example(
                {"x": "float 4", "y": "= [1, 0, 0, -1]"},
                "F.hinge_embedding_loss(x, y)",
                "(torch.where(y == 1, x, 0) + torch.where(y == -1, (1 - x).clamp(min=0), 0)).mean()",
            ),
        ),
    ),
    reason="x where the label is 1, max(0, margin - x) where it is -1",
)

FOCAL = Row(
    Kind.LOSS,
    "nn.functional.sigmoid_focal_loss",
    "",
    Exactness.NONE,
    remedy="torchvision.ops.sigmoid_focal_loss with reduction='sum', divided by the normalizer; or these lines",
    arguments=(
        Argument("logit", None),
        Argument("label", None),
        Argument("normalizer", None, paddle_default=None),
        Argument("alpha", None, paddle_default=0.25),
        Argument("gamma", None, paddle_default=2.0),
        Argument("reduction", None, paddle_default="sum", note="torchvision's default is 'none'"),
        NAME,
    ),
    traps=(
        Trap(
            "the default reduction is 'sum' (torchvision's 'none')",
            naive="b = F.binary_cross_entropy_with_logits(x, y, reduction='none')\n"
            "p = x.sigmoid()\n"
            "b * (0.25 * y + 0.75 * (1 - y)) * (p * (1 - y) + (1 - p) * y) ** 2",
        ),
    ),
    examples=(
        Example(
            {"x": "float 3,4", "y": "int<2 3,4"},
            "F.sigmoid_focal_loss(x, y.astype(x.dtype), alpha=0.25, gamma=2.0)",
            "y = y.to(x.dtype)\n"
            "b = F.binary_cross_entropy_with_logits(x, y, reduction='none')\n"
            "p = x.sigmoid()\n"
            "(b * (0.25 * y + 0.75 * (1 - y)) * (p * (1 - y) + (1 - p) * y) ** 2).sum()",
        ),
    ),
    source=Source(
        "nn/functional/loss.py: sigmoid_focal_loss", "nn/functional.py: binary_cross_entropy_with_logits"
    ),
    reason="binary cross entropy times alpha_t (1 - p_t) ** gamma",
)

LOG_LOSS = Row(
    Kind.LOSS,
    "nn.functional.log_loss",
    "",
    Exactness.NONE,
    within=1e-6,
    remedy="write it out, in float32 as Paddle (it has no other kernel): torch's binary_cross_entropy has no epsilon, and takes the mean",
    arguments=(INPUT, LABEL, Argument("epsilon", None, paddle_default=1e-4), NAME),
    traps=(
        Trap(
            "the epsilon inside the logarithms is 1e-4: it is seen",
            naive="F.binary_cross_entropy(x, y, reduction='none')",
        ),
    ),
    examples=(
        Example(
            {"x": "probability 5,1", "y": "probability 5,1 constant"},
            "F.log_loss(x.astype('float32'), y.astype('float32'))",
            "x, y, e = x.float(), y.float(), 1e-4\n-y * (x + e).log() - (1 - y) * (1 - x + e).log()",
        ),
    ),
    source=Source("nn/functional/loss.py: log_loss", "nn/functional.py: binary_cross_entropy"),
    reason="-y log(x + e) - (1 - y) log(1 - x + e)",
)

ROWS = (
    *BCE,
    *BCE_WITH_LOGITS,
    *SOFT_MARGIN,
    *MULTI_LABEL_SOFT_MARGIN,
    *HINGE_EMBEDDING,
    FOCAL,
    LOG_LOSS,
)
