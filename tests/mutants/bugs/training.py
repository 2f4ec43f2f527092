"""Right network, right gradients, another training: optimizer, decay, clip, loss."""

from tests.mutants.bugs.row import data

OPTIMIZER = ("optimizer*", "*:.*(optim|sgd|momentum|adam|rmsprop|clip|step).*")
LOSS = ("loss*", "*:.*(loss|entropy|mse|criterion).*")


def _recipe(name, kind, recipe, cause, where=OPTIMIZER, **more):
    return data(
        name,
        kind,
        where,
        cause,
        recipe=recipe,
        mode="train",
        steps=3,
        stage="training",
        visible="steps",
        **more,
    )


BUGS = [
    _recipe("bottleneck-decay-dropped", "weight decay", "momentum-decay-dropped", "weight_?decay|decay"),
    _recipe("siamese-decay-larger", "weight decay", "momentum-decay-larger", "weight_?decay|decay"),
    _recipe("basic-momentum-dropped", "optimizer", "momentum-dropped", "momentum"),
    _recipe("pyramid-nesterov", "optimizer", "nesterov-extra", "nesterov"),
    _recipe("unet-dampening", "optimizer", "dampening", "dampening"),
    _recipe("shuffle-rate", "optimizer", "rate-larger", r"\blr\b|learning.?rate|rate"),
    _recipe("norms-adam-for-adamw", "optimizer", "adam-for-adamw", "adamw|decoupl|decay"),
    _recipe("text-adam-betas", "optimizer", "adam-betas", "beta"),
    _recipe("text-adam-eps", "optimizer", "adam-eps", "eps"),
    _recipe("mha-amsgrad", "optimizer", "amsgrad", "amsgrad"),
    _recipe("norms-clip-missing", "clip", "clip-missing", "clip"),
    _recipe(
        "siamese-head-not-trained",
        "optimizer",
        "head-not-optimized",
        "optimizer|group|not.*(train|updat)|missing",
        where=(*OPTIMIZER, "score"),
    ),
    _recipe("basic-no-decay-on-norms", "weight decay", "no-decay-on-vectors", "weight_?decay|decay"),
    _recipe("text-loss-summed", "loss", "loss-summed", "reduction|sum|loss", where=LOSS),
    _recipe("bottleneck-label-smoothing", "loss", "label-smoothing", "smooth|loss", where=LOSS),
    _recipe("inception-double-softmax", "loss", "double-softmax", "softmax|loss", where=LOSS),
    data(
        "siamese-bn-momentum-in-training",
        "momentum",
        "encoder.bn1",
        "momentum",
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
        "unit1.bn2",
        "momentum",
        recipe="adam",
        mode="train",
        steps=3,
        stage="training",
        visible="steps",
        edits=(("self.bn2 = nn.BatchNorm2d(half)", "self.bn2 = nn.BatchNorm2d(half, momentum=0.9)"),),
    ),
]
