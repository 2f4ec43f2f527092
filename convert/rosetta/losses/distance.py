"""Losses of distances: regression, divergences, embeddings."""

from __future__ import annotations

from dataclasses import replace

from convert.rosetta.losses.common import INPUT, LABEL, NAME, REDUCTION, Case, loss
from convert.rosetta.rows import Argument, Exactness, Example, Kind, Row, Source, Trap

PAIR = {"x": "float 3,4", "y": "float 3,4"}
FAR = {"x": "distinct 3,4", "y": "float 3,4"}
TRIPLE = {"x": "float 3,4", "p": "float 3,4", "n": "float 3,4"}
MARGIN = Argument("margin", "margin", paddle_default=0.0, torch_default=0.0)
ANCHOR = (Argument("input", "anchor"), Argument("positive", "positive"), Argument("negative", "negative"))

MSE = loss(
    "MSELoss",
    "MSELoss",
    "mse_loss",
    "mse_loss",
    Exactness.ALGEBRA,
    options=(REDUCTION,),
    cases=(Case(PAIR), Case(PAIR, "reduction='sum'"), Case(PAIR, "reduction='none'")),
    reason="(x - y) ** 2",
)

L1 = loss(
    "L1Loss",
    "L1Loss",
    "l1_loss",
    "l1_loss",
    Exactness.ALGEBRA,
    options=(REDUCTION, NAME),
    cases=(Case(PAIR), Case(PAIR, "reduction='sum'"), Case(PAIR, "reduction='none'")),
    reason="|x - y|, gradient 0 at 0 in both",
)

DELTA = Argument(
    "delta",
    "delta",
    convert="f32",
    paddle_default=1.0,
    torch_default=1.0,
    note="torch's smooth_l1_loss calls it beta",
)
IS_HUBER = Argument("is_huber", None, paddle_default=True, note="False: torch's smooth_l1_loss")
SMOOTH_L1 = loss(
    "SmoothL1Loss",
    "HuberLoss",
    "smooth_l1_loss",
    "huber_loss",
    Exactness.F32,
    options=(REDUCTION, DELTA, IS_HUBER, NAME),
    cases=(
        Case(FAR),
        Case(FAR, "delta=0.3", "delta=f32(0.3)"),
        Case(FAR, "delta=0.3, reduction='none'", "delta=f32(0.3), reduction='none'"),
    ),
    traps=(
        Trap(
            "Paddle's smooth_l1 is torch's huber_loss unless delta is 1: delta times larger than torch's smooth_l1_loss",
            naive="F.smooth_l1_loss(x, y, beta=f32(0.3))",
            example=Example(FAR, "F.smooth_l1_loss(x, y, delta=0.3)", "F.huber_loss(x, y, delta=f32(0.3))"),
        ),
        Trap(
            "with is_huber=False it is torch's smooth_l1_loss",
            naive="F.huber_loss(x, y, delta=0.5)",
            example=Example(
                FAR,
                "F.smooth_l1_loss(x, y, delta=0.5, is_huber=False)",
                "F.smooth_l1_loss(x, y, beta=0.5)",
            ),
        ),
    ),
    reason="half the square below delta, delta (|d| - delta / 2) above; Paddle keeps delta in float32",
)
HUBER = Row(
    Kind.LOSS,
    "nn.HuberLoss",
    "nn.HuberLoss",
    Exactness.F32,
    arguments=(REDUCTION, DELTA, IS_HUBER, NAME),
    traps=(SMOOTH_L1[0].traps[0],),
    examples=(
        Example(FAR, "nn.HuberLoss()", "nn.HuberLoss()"),
        Example(FAR, "nn.HuberLoss(delta=0.3)", "nn.HuberLoss(delta=f32(0.3))"),
    ),
    source=Source("nn/__init__.py: HuberLoss", "nn/modules/loss.py: HuberLoss"),
    reason="another name of SmoothL1Loss",
)

LOG_PAIR = {"x": "float 3,4", "y": "probability 3,4 constant"}
KL = loss(
    "KLDivLoss",
    "KLDivLoss",
    "kl_div",
    "kl_div",
    Exactness.ALGEBRA,
    options=(REDUCTION, Argument("log_target", "log_target", paddle_default=False, torch_default=False)),
    cases=(
        Case(LOG_PAIR),
        Case(LOG_PAIR, "reduction='batchmean'"),
        Case(LOG_PAIR, "reduction='sum'"),
        Case(LOG_PAIR, "reduction='none'"),
        Case({"x": "float 3,4", "y": "float 3,4 constant"}, "log_target=True"),
        Case({"x": "float 3", "y": "zeros 3 constant"}, "reduction='sum'"),
    ),
    traps=(
        Trap("the input is a log-probability, the target a probability", naive="F.kl_div(y, x.exp())"),
        Trap(
            "'mean' divides by all elements in both; the divergence is 'batchmean'",
            naive="F.kl_div(x, y, reduction='batchmean')",
        ),
    ),
    reason="y (log y - x), 0 where y is 0",
)

POISSON = loss(
    "PoissonNLLLoss",
    "PoissonNLLLoss",
    "poisson_nll_loss",
    "poisson_nll_loss",
    Exactness.ALGEBRA,
    options=(
        Argument("log_input", "log_input", paddle_default=True, torch_default=True),
        Argument("full", "full", paddle_default=False, torch_default=False),
        Argument("epsilon", "eps", paddle_default=1e-8, torch_default=1e-8),
        REDUCTION,
        NAME,
    ),
    cases=(
        Case({"x": "float 3,4", "y": "positive 3,4 constant"}),
        Case({"x": "positive 3,4", "y": "positive 3,4 constant"}, "log_input=False"),
        Case({"x": "float 3,4", "y": "positive 3,4 constant"}, "full=True, reduction='none'"),
    ),
    reason="exp(x) - y x; Stirling's terms where y > 1",
)

GAUSSIAN = loss(
    "GaussianNLLLoss",
    "GaussianNLLLoss",
    "gaussian_nll_loss",
    "gaussian_nll_loss",
    Exactness.ALGEBRA,
    options=(
        Argument("full", "full", paddle_default=False, torch_default=False),
        Argument("epsilon", "eps", paddle_default=1e-6, torch_default=1e-6),
        REDUCTION,
        NAME,
    ),
    tensors=(INPUT, LABEL, Argument("variance", "var")),
    cases=(
        Case({"x": "float 3,4", "y": "float 3,4", "v": "positive 3,4 constant"}),
        Case(
            {"x": "float 3,4", "y": "float 3,4", "v": "positive 3,1 constant"}, "full=True, reduction='sum'"
        ),
    ),
    traps=(
        Trap(
            "Paddle 3.3.1 lets no gradient through to the variance (it clips it under no_grad): a head that predicts it learns nothing",
            naive="F.gaussian_nll_loss(x, y, v)",
            example=Example(
                {"x": "float 3,4", "y": "float 3,4", "v": "positive 3,4"},
                "F.gaussian_nll_loss(x, y, v)",
                "F.gaussian_nll_loss(x, y, v.detach())",
            ),
        ),
    ),
    reason="half of log v + (x - y) ** 2 / v",
)

RANKING = loss(
    "MarginRankingLoss",
    "MarginRankingLoss",
    "margin_ranking_loss",
    "margin_ranking_loss",
    Exactness.ALGEBRA,
    options=(MARGIN, REDUCTION, NAME),
    tensors=(Argument("input", "input1"), Argument("other", "input2"), LABEL),
    cases=(Case({"x": "float 6", "y": "float 6", "t": "ones 6 constant"}, "margin=0.3"),),
    more_of_function=(
        Example(
            {"x": "float 6", "y": "float 6", "t": "= [1, -1, 1, 1, -1, -1]"},
            "F.margin_ranking_loss(x, y, t.astype(x.dtype), reduction='none')",
            "F.margin_ranking_loss(x, y, t, reduction='none')",
        ),
    ),
    reason="max(0, -t (x - y) + margin)",
)

COSINE = loss(
    "CosineEmbeddingLoss",
    "CosineEmbeddingLoss",
    "cosine_embedding_loss",
    "cosine_embedding_loss",
    Exactness.NEAR,
    within=1e-10,
    options=(MARGIN, REDUCTION, NAME),
    tensors=(Argument("input1", "input1"), Argument("input2", "input2"), LABEL),
    cases=(
        Case({"x": "float 4,5", "y": "float 4,5", "t": "= [1, -1, 1, -1]"}),
        Case({"x": "float 4,5", "y": "float 4,5", "t": "= [1, -1, 1, -1]"}, "margin=0.1, reduction='none'"),
    ),
    reason="1 - cos, or max(0, cos - margin); Paddle adds 1e-11 to the squared norms, torch 1e-12",
)

TRIPLET = loss(
    "TripletMarginLoss",
    "TripletMarginLoss",
    "triplet_margin_loss",
    "triplet_margin_loss",
    Exactness.ALGEBRA,
    options=(
        Argument("margin", "margin", paddle_default=1.0, torch_default=1.0),
        Argument("p", "p", paddle_default=2.0, torch_default=2.0),
        Argument("epsilon", "eps", paddle_default=1e-6, torch_default=1e-6),
        Argument("swap", "swap", paddle_default=False, torch_default=False),
        REDUCTION,
        NAME,
    ),
    tensors=ANCHOR,
    cases=(Case(TRIPLE), Case(TRIPLE, "swap=True, margin=2.0"), Case(TRIPLE, "p=1, reduction='none'")),
    reason="max(0, d(x, p) - d(x, n) + margin)",
)

TRIPLET_WITH_DISTANCE = loss(
    "TripletMarginWithDistanceLoss",
    "TripletMarginWithDistanceLoss",
    "triplet_margin_with_distance_loss",
    "triplet_margin_with_distance_loss",
    Exactness.ALGEBRA,
    options=(
        Argument("distance_function", "distance_function"),
        Argument("margin", "margin", paddle_default=1.0, torch_default=1.0),
        Argument("swap", "swap", paddle_default=False, torch_default=False),
        REDUCTION,
        NAME,
    ),
    tensors=ANCHOR,
    cases=(Case(TRIPLE), Case(TRIPLE, "swap=True, margin=0.5")),
    more_of_function=(
        Case(TRIPLE, "distance_function=lambda a, b: ((a - b) ** 2).sum(-1), margin=0.5").of_function(
            "triplet_margin_with_distance_loss", "triplet_margin_with_distance_loss"
        ),
    ),
    reason="the default distance is PairwiseDistance(2) in both",
)

IGNORED_DISTANCE = Trap(
    "Paddle 3.3.1's layer keeps distance_function and never passes it on: it measures with PairwiseDistance(2); use the function",
    naive="nn.TripletMarginWithDistanceLoss(distance_function=lambda a, b: (a - b).abs().sum(-1))",
    example=Example(
        TRIPLE,
        "nn.TripletMarginWithDistanceLoss(distance_function=lambda a, b: (a - b).abs().sum(-1))",
        "nn.TripletMarginWithDistanceLoss()",
        modes=("train",),
    ),
)

SQUARE = Row(
    Kind.LOSS,
    "nn.functional.square_error_cost",
    "nn.functional.mse_loss",
    Exactness.ALGEBRA,
    arguments=(INPUT, LABEL),
    traps=(Trap("it has no reduction: torch's default is the mean", naive="F.mse_loss(x, y)"),),
    examples=(Example(PAIR, "F.square_error_cost(x, y)", "F.mse_loss(x, y, reduction='none')"),),
    source=Source("nn/functional/loss.py: square_error_cost", "nn/functional.py: mse_loss"),
    reason="(x - y) ** 2",
)

DICE = Row(
    Kind.LOSS,
    "nn.functional.dice_loss",
    "",
    Exactness.NONE,
    remedy="write it out",
    arguments=(INPUT, LABEL, Argument("epsilon", None, paddle_default=1e-5), NAME),
    traps=(
        Trap(
            "Paddle's epsilon is in the denominator only",
            naive="h = F.one_hot(y.squeeze(-1), 3)\n"
            "(1 - (2 * (x * h).sum((1, 2)) + 1e-5) / (x.sum((1, 2)) + h.sum((1, 2)) + 1e-5)).mean()",
        ),
    ),
    examples=(
        Example(
            {"x": "probability 2,4,3", "y": "int<3 2,4,1"},
            "F.dice_loss(x, y)",
            "h = F.one_hot(y.squeeze(-1), 3)\n"
            "(1 - 2 * (x * h).sum((1, 2)) / (x.sum((1, 2)) + h.sum((1, 2)) + 1e-5)).mean()",
        ),
    ),
    source=Source("nn/functional/loss.py: dice_loss", "nn/functional.py: one_hot"),
    reason="1 - 2 |x y| / (|x| + |y| + epsilon), mean over the batch",
)

NPAIR = Row(
    Kind.LOSS,
    "nn.functional.npair_loss",
    "",
    Exactness.NONE,
    within=1e-6,
    remedy="write it out",
    arguments=(
        Argument("anchor", None),
        Argument("positive", None),
        Argument("labels", None),
        Argument("l2_reg", None, paddle_default=0.002),
    ),
    traps=(
        Trap(
            "the l2 term carries a factor 0.25",
            naive="t = (y[:, None] == y).to(a.dtype)\nt = t / t.sum(1, keepdim=True)\n"
            "F.cross_entropy(a @ p.T, t) + 0.002 * (a.square().sum(1).mean() + p.square().sum(1).mean())",
        ),
    ),
    examples=(
        Example(
            {"a": "float 4,3", "p": "float 4,3", "y": "= [0, 1, 0, 2]"},
            "F.npair_loss(a.astype('float32'), p.astype('float32'), y)",
            "a, p = a.float(), p.float()\nt = (y[:, None] == y).to(a.dtype)\nt = t / t.sum(1, keepdim=True)\n"
            "c = F.cross_entropy(a @ p.T, t, reduction='none')[:, None]\n"
            "(t * c).sum(0).mean() + 0.0005 * (a.square().sum(1).mean() + p.square().sum(1).mean())",
        ),
    ),
    source=Source("nn/functional/loss.py: npair_loss", "nn/functional.py: cross_entropy"),
    reason="soft labels from equal classes; Paddle keeps them in float32, so the inputs must be float32",
)

ROWS = (
    *MSE,
    *L1,
    *SMOOTH_L1,
    HUBER,
    *KL,
    *POISSON,
    *GAUSSIAN,
    *RANKING,
    *COSINE,
    *TRIPLET,
    replace(TRIPLET_WITH_DISTANCE[0], traps=(IGNORED_DISTANCE,)),
    TRIPLET_WITH_DISTANCE[1],
    SQUARE,
    DICE,
    NPAIR,
)
