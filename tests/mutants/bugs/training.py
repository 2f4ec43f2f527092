"""Right network, right gradients, another training: optimizer, decay, clip, loss."""

from tests.mutants.bugs.row import data
from tests.mutants.cases import Expected


def _recipe(name, kind, recipe, *expected, **more):
    return data(
        name,
        kind,
        *expected,
        recipe=recipe,
        mode="train",
        steps=3,
        stage="training",
        visible="steps",
        **more,
    )


BUGS = [
    _recipe(
        "bottleneck-decay-dropped",
        "weight decay",
        "momentum-decay-dropped",
        Expected("optimizer", "SGD", "", "optimizer", "weight_decay", 0.01, 0.0),
    ),
    _recipe(
        "siamese-decay-larger",
        "weight decay",
        "momentum-decay-larger",
        Expected("optimizer", "SGD", "", "optimizer", "weight_decay", 0.01, 0.1),
    ),
    _recipe(
        "basic-momentum-dropped",
        "optimizer",
        "momentum-dropped",
        Expected("optimizer", "SGD", "", "optimizer", "momentum", 0.9, 0.0),
    ),
    _recipe(
        "pyramid-nesterov",
        "optimizer",
        "nesterov-extra",
        Expected("optimizer", "SGD", "", "optimizer", "nesterov", False, True),
    ),
    _recipe(
        "unet-dampening",
        "optimizer",
        "dampening",
        Expected("optimizer", "SGD", "", "optimizer", "dampening", 0.0, 0.1),
    ),
    _recipe(
        "shuffle-rate",
        "optimizer",
        "rate-larger",
        Expected("optimizer", "SGD", "", "optimizer", "learning rate", 0.01, 0.1),
    ),
    _recipe(
        "norms-adam-for-adamw",
        "optimizer",
        "adam-for-adamw",
        Expected(
            "optimizer",
            "Adam",
            "",
            "optimizer",
            paddle="AdamW",
            torch="Adam",
            says="torch's Adam adds the decay to the gradient (L2), Paddle's AdamW takes the decay from the weight (decoupled)",
        ),
    ),
    _recipe(
        "text-adam-betas",
        "optimizer",
        "adam-betas",
        Expected("optimizer", "Adam", "", "optimizer", "beta1 (betas[0])", 0.9, 0.5),
    ),
    _recipe(
        "text-adam-eps",
        "optimizer",
        "adam-eps",
        Expected("optimizer", "Adam", "", "optimizer", "eps", 1e-08, 0.001),
    ),
    _recipe(
        "mha-amsgrad",
        "optimizer",
        "amsgrad",
        Expected("optimizer", "Adam", "", "optimizer", "amsgrad", False, True),
    ),
    _recipe(
        "norms-clip-missing",
        "clip",
        "clip-missing",
        Expected(
            "optimizer",
            "SGD",
            "",
            "clipping",
            says="Paddle clips with ClipGradByGlobalNorm(0.01), torch steps with unclipped gradients",
        ),
    ),
    _recipe(
        "siamese-head-not-trained",
        "optimizer",
        "head-not-optimized",
        Expected(
            "optimizer",
            "SGD",
            "",
            "optimizer",
            says="2 parameter(s) are not in torch's optimizer, so they are not trained: `score.weight`, `score.bias`",
        ),
    ),
    _recipe(
        "basic-no-decay-on-norms",
        "weight decay",
        "no-decay-on-vectors",
        Expected(
            "optimizer",
            "SGD",
            "",
            "optimizer",
            "scope of weight_decay",
            0.01,
            0.0,
            says="scope of weight_decay: torch has 0, Paddle has 0.01 for 21 of 32 parameters",
        ),
    ),
    _recipe(
        "text-loss-summed",
        "loss",
        "loss-summed",
        Expected(
            "loss",
            "loss",
            'reduction="sum"',
            "loss",
            says="loss reduction: torch sums where Paddle averages: its loss is 3 times Paddle's",
        ),
    ),
    _recipe(
        "bottleneck-label-smoothing",
        "loss",
        "label-smoothing",
        Expected(
            "loss",
            "loss",
            "label_smoothing=0.1",
            "loss",
            says="label smoothing: torch's loss has 0.1, Paddle's has 0",
        ),
    ),
    _recipe(
        "inception-double-softmax",
        "loss",
        "double-softmax",
        Expected(
            "loss",
            "loss",
            "torch.softmax(output, dim=1)",
            "loss",
            says="the loss applies softmax only in torch, before a loss that expects raw scores or has its own",
        ),
    ),
    data(
        "siamese-bn-momentum-in-training",
        "momentum",
        Expected(
            "encoder.bn1",
            "BatchNorm2d",
            "self.bn1 = nn.BatchNorm2d(6, momentum=0.9)",
            "attribute",
            "momentum",
            0.9,
            0.1,
        ),
        recipe="momentum",
        mode="train",
        steps=3,
        stage="training",
        visible="steps",
        edits=(("self.bn1 = nn.BatchNorm2d(6)", "self.bn1 = nn.BatchNorm2d(6, momentum=0.9)"),),
    ),
    data(
        "shuffle-bn-momentum-in-training",
        "momentum",
        Expected(
            "unit1.bn2",
            "BatchNorm2d",
            "self.bn2 = nn.BatchNorm2d(half, momentum=0.9)",
            "attribute",
            "momentum",
            0.9,
            0.1,
            layers=2,
        ),
        recipe="adam",
        mode="train",
        steps=3,
        stage="training",
        visible="steps",
        edits=(("self.bn2 = nn.BatchNorm2d(half)", "self.bn2 = nn.BatchNorm2d(half, momentum=0.9)"),),
    ),
]
