"""Losses over classes: cross entropy and its relatives, CTC, margins."""

from __future__ import annotations

from convert.rosetta.losses.common import NAME, REDUCTION, Case, loss
from convert.rosetta.rows import Argument, Exactness, Example, Kind, Row, Source, Trap

CLASSES = {"x": "float 6,4", "y": "int<4 6"}
COLUMN = {"x": "float 6,4", "y": "int<4 6,1"}
MAPS = {"x": "float 2,4,3,3", "y": "int<4 2,3,3"}
IGNORED = {"x": "float 6,4", "y": "= [0, -100, 2, -100, 3, 1]"}
FIRST_IGNORED = {"x": "float 6,4", "y": "= [0, 1, 2, 0, 3, 1]"}
SHARES = {"x": "float 6,4", "y": "probability 6,4 constant"}
NORMED = "y / y.sum(-1, keepdim=True)"
WEIGHT = "weight={}.{}([0.2, 0.5, 1.5, 1.0])"
PADDLE_WEIGHT, TORCH_WEIGHT = (
    WEIGHT.format("paddle", "to_tensor"),
    WEIGHT.format("torch", "tensor"),
)
WEIGHTS = Argument("weight", "weight", note="one number per class, of the dtype of the input")
IGNORE_INDEX = Argument(
    "ignore_index",
    "ignore_index",
    paddle_default=-100,
    torch_default=-100,
    note="a negative one is not taken off the denominator of 'mean' by cross_entropy",
)

CROSS_ENTROPY_TRAPS = (
    Trap(
        "labels of shape [N, 1] are Paddle's, torch wants [N]",
        naive="F.cross_entropy(x, y)",
        example=Example(COLUMN, "F.cross_entropy(x, y)", "F.cross_entropy(x, y.squeeze(1))"),
    ),
    Trap(
        "with such labels reduction='none' gives [N, 1]",
        naive="F.cross_entropy(x, y.squeeze(1), reduction='none')",
        example=Example(
            COLUMN,
            "F.cross_entropy(x, y, reduction='none')",
            "F.cross_entropy(x, y.squeeze(1), reduction='none').unsqueeze(1)",
        ),
    ),
    Trap(
        "'mean' with a negative ignore_index (the default -100 too) divides by all N in Paddle, by the labels that count in torch",
        naive="F.cross_entropy(x, y)",
        example=Example(
            IGNORED, "F.cross_entropy(x, y)", "F.cross_entropy(x, y, reduction='sum') / y.numel()"
        ),
    ),
    Trap(
        "the classes are the last axis in Paddle, the second in torch: NCHW logits need axis=1 in Paddle, NHWC ones moveaxis in torch",
        naive="F.cross_entropy(x, y)",
        example=Example(
            {"x": "float 2,3,3,4", "y": "int<3 2,3,3"},
            "F.cross_entropy(x, y)",
            "F.cross_entropy(x.movedim(-1, 1), y)",
        ),
    ),
    Trap(
        "a softmax before it is a second one",
        naive="F.cross_entropy(F.softmax(x, -1), y)",
    ),
    Trap(
        "after a softmax Paddle needs use_softmax=False, torch nll_loss of the logarithm",
        naive="F.cross_entropy(p, y)",
        example=Example(
            {"p": "= [[0.1, 0.2, 0.3, 0.4], [0.25, 0.25, 0.4, 0.1]]", "y": "= [0, 2]"},
            "F.cross_entropy(p, y, use_softmax=False)",
            "F.nll_loss(p.log(), y)",
        ),
    ),
    Trap(
        "soft labels need soft_label=True in Paddle; torch sees them by their shape and dtype, so integer ones must become floats",
        naive="F.cross_entropy(x, y)",
        example=Example(
            {"x": "float 3,2", "y": "= [[0, 1], [1, 0], [0, 1]]"},
            "F.cross_entropy(x, y.astype(x.dtype), soft_label=True)",
            "F.cross_entropy(x, y.to(x.dtype))",
        ),
    ),
    Trap(
        "class weights on soft labels: Paddle weighs a sample by labels @ weight and divides by the sum of those, torch weighs every term and divides by N",
        naive=f"F.cross_entropy(x, y, {TORCH_WEIGHT})",
        example=Example(
            SHARES,
            f"y = {NORMED}\nF.cross_entropy(x, y, {PADDLE_WEIGHT}, soft_label=True)",
            f"y = {NORMED}\nw = y @ torch.tensor([0.2, 0.5, 1.5, 1.0])\n"
            "(F.cross_entropy(x, y, reduction='none') * w).sum() / w.sum()",
        ),
    ),
    Trap(
        "label_smoothing with class weights is the same trap: Paddle turns the labels into soft ones first",
        naive=f"F.cross_entropy(x, y, {TORCH_WEIGHT}, label_smoothing=0.25)",
        example=Example(
            CLASSES,
            f"F.cross_entropy(x, y, {PADDLE_WEIGHT}, label_smoothing=0.25)",
            "y = F.one_hot(y, 4) * 0.75 + 0.25 / 4\n"
            "w = y @ torch.tensor([0.2, 0.5, 1.5, 1.0])\n"
            "(F.cross_entropy(x, y, reduction='none') * w).sum() / w.sum()",
        ),
    ),
    Trap(
        "label_smoothing with reduction='none' keeps the class axis as 1 in Paddle when the labels are [N, 1]",
        naive="F.cross_entropy(x, y.squeeze(1), reduction='none', label_smoothing=0.25)",
        example=Example(
            COLUMN,
            "F.cross_entropy(x, F.one_hot(y.squeeze(1), 4), reduction='none', label_smoothing=0.25)",
            "F.cross_entropy(x, y.squeeze(1), reduction='none', label_smoothing=0.25).unsqueeze(1)",
        ),
    ),
)

SHARES_OF_ANY_SUM = Trap(
    "where soft labels do not sum to 1 Paddle's gradient is softmax - label all the same, torch's sum(label) * softmax - label",
    naive="F.cross_entropy(x, y)",
    example=Example(
        SHARES,
        "F.cross_entropy(x, y, soft_label=True)",
        "p = F.log_softmax(x, -1)\n"
        "loss = -(y * p).sum(-1).mean()\n"
        "slope = (p.exp() - y).detach() / len(x)\n"
        "loss.detach() + (slope * x).sum() - (slope * x).sum().detach()",
    ),
)

CROSS_ENTROPY = loss(
    "CrossEntropyLoss",
    "CrossEntropyLoss",
    "cross_entropy",
    "cross_entropy",
    Exactness.ALGEBRA,
    options=(
        WEIGHTS,
        IGNORE_INDEX,
        REDUCTION,
        Argument(
            "soft_label", None, paddle_default=False, note="torch: a floating target of the input's shape"
        ),
        Argument("axis", None, values={1: None}, paddle_default=-1, note="torch: always 1"),
        Argument(
            "use_softmax", None, values={True: None}, paddle_default=True, note="False: nll_loss of the log"
        ),
        Argument("label_smoothing", "label_smoothing", paddle_default=0.0, torch_default=0.0),
        NAME,
    ),
    cases=(
        Case(CLASSES),
        Case(CLASSES, "reduction='sum'"),
        Case(CLASSES, "reduction='none'"),
        Case(CLASSES, PADDLE_WEIGHT, TORCH_WEIGHT),
        Case(FIRST_IGNORED, "ignore_index=0"),
        Case(FIRST_IGNORED, f"{PADDLE_WEIGHT}, ignore_index=0", f"{TORCH_WEIGHT}, ignore_index=0"),
        Case(CLASSES, "label_smoothing=0.25"),
        Case(MAPS, "axis=1", ""),
    ),
    more_of_function=(
        Example(
            SHARES,
            f"F.cross_entropy(x, {NORMED}, soft_label=True)",
            f"F.cross_entropy(x, {NORMED})",
        ),
    ),
    traps=(*CROSS_ENTROPY_TRAPS, SHARES_OF_ANY_SUM),
    reason="log-softmax and the negative logarithm of the label's share",
)

NLL = loss(
    "NLLLoss",
    "NLLLoss",
    "nll_loss",
    "nll_loss",
    Exactness.ALGEBRA,
    options=(
        WEIGHTS,
        Argument(
            "ignore_index",
            "ignore_index",
            paddle_default=-100,
            torch_default=-100,
            note="taken off the denominator of 'mean' in both, unlike in cross_entropy; not run here: where a label is "
            "ignored, Paddle 3.3.1 alone corrupts the heap in float64 on the CPU: the process aborts or hangs",
        ),
        REDUCTION,
        NAME,
    ),
    cases=(
        Case(CLASSES),
        Case(MAPS),
        Case({"x": "float 2,4,5", "y": "int<4 2,5"}, "reduction='none'"),
        Case(CLASSES, f"{PADDLE_WEIGHT}, reduction='sum'", f"{TORCH_WEIGHT}, reduction='sum'"),
    ),
    traps=(
        Trap(
            "it takes log-probabilities; the classes are axis 1 in both, unlike cross_entropy's",
            naive="F.cross_entropy(x, y)",
        ),
    ),
    reason="the negative entry of the label, weighted mean",
)

SOFTMAX_WITH_CROSS_ENTROPY = Row(
    Kind.LOSS,
    "nn.functional.softmax_with_cross_entropy",
    "nn.functional.cross_entropy",
    Exactness.ALGEBRA,
    arguments=(
        Argument("logits", "input"),
        Argument("label", "target", note="[N, 1] in Paddle, [N] in torch"),
        Argument("soft_label", None, paddle_default=False),
        IGNORE_INDEX,
        Argument("numeric_stable_mode", None, paddle_default=True, note="torch subtracts the maximum always"),
        Argument("return_softmax", None, values={False: None}, paddle_default=False),
        Argument("axis", None, paddle_default=-1),
    ),
    traps=(
        Trap(
            "it has no reduction and returns [N, 1]",
            naive="F.cross_entropy(x, y.squeeze(1))",
        ),
    ),
    examples=(
        Example(
            COLUMN,
            "F.softmax_with_cross_entropy(x, y)",
            "F.cross_entropy(x, y.squeeze(1), reduction='none').unsqueeze(1)",
        ),
        Example(
            SHARES,
            f"F.softmax_with_cross_entropy(x, {NORMED}, soft_label=True)",
            f"F.cross_entropy(x, {NORMED}, reduction='none').unsqueeze(1)",
        ),
        Example(
            COLUMN,
            "loss, p = F.softmax_with_cross_entropy(x, y, return_softmax=True)\n(loss, p.detach())",
            "(F.cross_entropy(x, y.squeeze(1), reduction='none').unsqueeze(1), F.softmax(x, -1).detach())",
        ),
    ),
    source=Source("nn/functional/loss.py: softmax_with_cross_entropy", "nn/functional.py: cross_entropy"),
    reason="the old name of cross entropy without reduction",
)

SEQUENCES = {
    "x": "float 6,2,4",
    "y": "= [[1, 2, 2], [3, 1, 1]]",
    "lengths": "= [6, 5]",
    "sizes": "= [3, 2]",
}
CTC = Row(
    Kind.LOSS,
    "nn.functional.ctc_loss",
    "nn.functional.ctc_loss",
    Exactness.ALGEBRA,
    arguments=(
        Argument(
            "log_probs", "log_probs", note="Paddle: logits in spite of the name; torch: log-softmax of them"
        ),
        Argument("labels", "targets"),
        Argument("input_lengths", "input_lengths"),
        Argument("label_lengths", "target_lengths"),
        Argument("blank", "blank", paddle_default=0, torch_default=0),
        REDUCTION,
        Argument("norm_by_times", None, values={False: None}, paddle_default=False),
        Argument("zero_infinity", "zero_infinity", paddle_default=False, torch_default=False),
    ),
    traps=(
        Trap(
            "Paddle applies the softmax itself, torch expects log-probabilities",
            naive="F.ctc_loss(x, y, lengths, sizes)",
        ),
    ),
    examples=(
        Example(
            SEQUENCES,
            "F.ctc_loss(x, y.astype('int32'), lengths, sizes)",
            "F.ctc_loss(F.log_softmax(x, -1), y, lengths, sizes)",
        ),
        Example(
            SEQUENCES,
            "F.ctc_loss(x, y.astype('int32'), lengths, sizes, reduction='sum')",
            "F.ctc_loss(F.log_softmax(x, -1), y, lengths, sizes, reduction='sum')",
        ),
    ),
    source=Source("nn/functional/loss.py: ctc_loss", "nn/functional.py: ctc_loss"),
    reason="the sum over all alignments; 'mean' divides by the labels' lengths first in both",
)
CTC_LAYER = Row(
    Kind.LOSS,
    "nn.CTCLoss",
    "nn.CTCLoss",
    Exactness.ALGEBRA,
    arguments=CTC.arguments[4:6],
    traps=(
        Trap(
            "Paddle applies the softmax itself, torch expects log-probabilities",
            naive="nn.CTCLoss()(x, y, lengths, sizes)",
        ),
    ),
    examples=(
        Example(
            SEQUENCES,
            "nn.CTCLoss()(x, y.astype('int32'), lengths, sizes)",
            "nn.CTCLoss()(F.log_softmax(x, -1), y, lengths, sizes)",
        ),
    ),
    source=Source("nn/layer/loss.py: CTCLoss", "nn/modules/loss.py: CTCLoss"),
    reason=CTC.reason,
)

MULTI_MARGIN = loss(
    "MultiMarginLoss",
    "MultiMarginLoss",
    "multi_margin_loss",
    "multi_margin_loss",
    Exactness.ALGEBRA,
    options=(
        Argument("p", "p", paddle_default=1, torch_default=1),
        Argument("margin", "margin", paddle_default=1.0, torch_default=1.0),
        Argument("weight", "weight"),
        REDUCTION,
        NAME,
    ),
    cases=(
        Case(CLASSES),
        Case(CLASSES, "p=2, margin=0.5, reduction='none'"),
        Case(CLASSES, f"p=2, {PADDLE_WEIGHT}", f"p=2, {TORCH_WEIGHT}"),
    ),
    reason="mean over the classes of max(0, margin - x[label] + x) ** p, without the label's",
)

MULTI_LABEL_MARGIN = loss(
    "MultiLabelMarginLoss",
    "MultiLabelMarginLoss",
    "multi_label_margin_loss",
    "multilabel_margin_loss",
    Exactness.ALGEBRA,
    options=(REDUCTION, NAME),
    cases=(
        Case({"x": "float 2,4", "y": "= [[1, 3, -1, 0], [2, -1, -1, -1]]"}),
        Case({"x": "float 2,4", "y": "= [[1, 3, -1, 0], [2, -1, -1, -1]]"}, "reduction='none'"),
    ),
    reason="labels up to the first -1",
)

MAKE = "m = nn.AdaptiveLogSoftmaxWithLoss(8, 6, [2, 4], div_value=2.0)\n"
ADAPTIVE = Row(
    Kind.LOSS,
    "nn.AdaptiveLogSoftmaxWithLoss",
    "nn.AdaptiveLogSoftmaxWithLoss",
    Exactness.ALGEBRA,
    arguments=(
        Argument("in_features", "in_features"),
        Argument("n_classes", "n_classes"),
        Argument("cutoffs", "cutoffs"),
        Argument("weight_attr", None),
        Argument("bias_attr", None),
        Argument("div_value", "div_value", paddle_default=4.0, torch_default=4.0),
        Argument("head_bias", "head_bias", paddle_default=False, torch_default=False),
        NAME,
    ),
    traps=(
        Trap(
            "Paddle 3.3.1 keeps the tails in a plain list: they are in neither parameters() nor state_dict(), so never "
            "trained or saved; torch registers them",
            naive=MAKE + "len(m.state_dict())",
            example=Example({}, MAKE + "len(m.state_dict())", MAKE + "len([m.head.weight])"),
        ),
    ),
    examples=(
        Example(
            {"x": "float 5,8", "y": "= [0, 1, 3, 5, 4]"},
            MAKE + "for p in [m.head_weight, *sum(m.tail_weights, [])]:\n"
            "    i, j = p.shape\n"
            "    p.set_value((paddle.arange(i)[:, None] / 4 - paddle.arange(j) / 2).astype(p.dtype))\n"
            "list(m(x, y))",
            MAKE + "for p in m.parameters():\n"
            "    j, i = p.shape\n"
            "    p.data.copy_(torch.arange(i) / 4 - torch.arange(j)[:, None] / 2)\n"
            "list(m(x, y))",
        ),
    ),
    source=Source(
        "nn/layer/loss.py: AdaptiveLogSoftmaxWithLoss", "nn/modules/adaptive.py: AdaptiveLogSoftmaxWithLoss"
    ),
    reason="clusters of classes; the head's and the tails' weights are transposed, as Linear's",
)

ROWS = (
    *CROSS_ENTROPY,
    SOFTMAX_WITH_CROSS_ENTROPY,
    *NLL,
    CTC_LAYER,
    CTC,
    *MULTI_MARGIN,
    *MULTI_LABEL_MARGIN,
    ADAPTIVE,
)
