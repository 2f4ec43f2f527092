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
        Expected("optimizer", "SGD", "", "optimizer", "weight_decay", 0.01, 0.0, shows="weights"),
    ),
    _recipe(
        "siamese-decay-larger",
        "weight decay",
        "momentum-decay-larger",
        Expected("optimizer", "SGD", "", "optimizer", "weight_decay", 0.01, 0.1, shows="weights"),
    ),
    _recipe(
        "basic-momentum-dropped",
        "optimizer",
        "momentum-dropped",
        Expected("optimizer", "SGD", "", "optimizer", "momentum", 0.9, 0.0, shows="weights"),
    ),
    _recipe(
        "pyramid-nesterov",
        "optimizer",
        "nesterov-extra",
        Expected("optimizer", "SGD", "", "optimizer", "nesterov", False, True, shows="weights"),
    ),
    _recipe(
        "unet-dampening",
        "optimizer",
        "dampening",
        Expected("optimizer", "SGD", "", "optimizer", "dampening", 0.0, 0.1, shows="weights"),
    ),
    _recipe(
        "shuffle-rate",
        "optimizer",
        "rate-larger",
        Expected("optimizer", "SGD", "", "optimizer", "lr", 0.01, 0.1, shows="weights"),
    ),
    _recipe(
        "norms-adam-for-adamw",
        "optimizer",
        "adam-for-adamw",
        Expected("optimizer", "Adam", "", "optimizer", "decoupled", True, False, shows="weights"),
    ),
    _recipe(
        "text-adam-betas",
        "optimizer",
        "adam-betas",
        Expected("optimizer", "Adam", "", "optimizer", "beta1", 0.9, 0.5, shows="weights"),
    ),
    _recipe(
        "text-adam-eps",
        "optimizer",
        "adam-eps",
        Expected("optimizer", "Adam", "", "optimizer", "eps", 1e-08, 0.001, shows="weights"),
    ),
    _recipe(
        "mha-amsgrad",
        "optimizer",
        "amsgrad",
        Expected("optimizer", "Adam", "", "optimizer", "amsgrad", False, True, shows="weights"),
    ),
    _recipe(
        "norms-clip-missing",
        "clip",
        "clip-missing",
        Expected("optimizer", "SGD", "", "clipping", "", "ClipGradByGlobalNorm(0.01)", None, shows="weights"),
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
            "parameters",
            ("score.weight", "score.bias"),
            (),
            shows="weights",
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
            "weight_decay of 21 of 32 parameters",
            0.01,
            0.0,
            shows="weights",
        ),
    ),
    _recipe(
        "text-loss-summed",
        "loss",
        "loss-summed",
        Expected("loss", "loss", 'reduction="sum"', "loss", "reduction", "mean", "sum", shows="gradients"),
    ),
    _recipe(
        "bottleneck-label-smoothing",
        "loss",
        "label-smoothing",
        Expected("loss", "loss", "label_smoothing=0.1", "loss", "label_smoothing", 0, 0.1, shows="gradients"),
    ),
    _recipe(
        "inception-double-softmax",
        "loss",
        "double-softmax",
        Expected(
            "loss", "loss", "torch.softmax(output, dim=1)", "loss", "softmax", False, True, shows="gradients"
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
            shows="statistics",
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
            shows="statistics",
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
