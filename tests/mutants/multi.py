"""Several bugs in one port at once: a checker must report all of them in one run."""

from __future__ import annotations

from dataclasses import replace

from tests.mutants.bugs import BUGS
from tests.mutants.cases import Bug, Case, Expected, Multi


def _multi(*bugs: str) -> Multi:
    network = bugs[0].split("-")[0]
    return Multi("+".join([bugs[0], *(name.removeprefix(f"{network}-") for name in bugs[1:])]), bugs)


MULTIS = [
    _multi("plain-bn-eps", "plain-square-linear-untransposed"),
    _multi("plain-relu-missing", "plain-relu-extra", "plain-weight-scaled-2e-7"),
    _multi("plain-ceil-on-even-size", "plain-conv-bias-missing", "plain-dropout-p"),
    _multi("plain-channels-reversed", "plain-pool-kernel", "plain-flatten-order"),
    _multi("plain-eps-one-percent", "plain-bn-momentum-copied", "plain-biases-swapped"),
    _multi("bottleneck-ceil", "bottleneck-stride-in-first-convolution"),
    _multi("bottleneck-convolutions-keep-bias", "bottleneck-extra-batchnorm1d"),
    _multi("bottleneck-pool-padding", "bottleneck-adaptive-pool-kind", "bottleneck-bias-not-loaded"),
    _multi("basic-relu6", "basic-residual-subtracted"),
    _multi("basic-bn-missing-in-shortcut", "basic-variance-one-ulp"),
    _multi("inception-average-pool-default", "inception-concat-order"),
    _multi("inception-ceil-forgotten", "inception-branches-swapped", "inception-padding-mode"),
    _multi("mobile-bn-eps-default", "mobile-gate-added"),
    _multi("mobile-depthwise-padding", "mobile-relu-for-relu6", "mobile-activation-missing"),
    _multi("unet-align-corners", "unet-crop-off-by-one"),
    _multi("unet-concat-order", "unet-transposed-conv-axes", "unet-sigmoid-missing"),
    _multi("vit-scale-missing", "vit-gelu-tanh"),
    _multi("vit-softmax-axis", "vit-ln-eps-default", "vit-last-token"),
    _multi("vit-qkv-order", "vit-projection-untransposed"),
    _multi("mha-heads", "mha-relu-for-gelu"),
    _multi("norms-gn-groups", "norms-leaky-slope-default", "norms-average-pool-default"),
    _multi("norms-dilation", "norms-softmax-axis", "norms-elu-alpha-default"),
    _multi("siamese-stack-for-concat", "siamese-square-linear-untransposed"),
    _multi("pyramid-box-scale", "pyramid-bilinear-for-nearest", "pyramid-relu-missing-in-head"),
    _multi("mlp-gate-swapped", "mlp-deviation-for-variance", "mlp-dropout-p"),
    _multi("text-padding-mode", "text-softmax-axis", "text-eps-bert"),
    _multi("shuffle-shuffle-groups", "shuffle-leaky-slope-default"),
    _multi("shuffle-relu-extra", "shuffle-ceil", "shuffle-weights-swapped"),
]


def parts(multi: Multi) -> list[Bug]:
    return [BUGS[name] for name in multi.bugs]


def expected(multi: Multi) -> list[Expected]:
    """Of all of them; no further input is asked for what the given one does not show, as something shows on it already."""
    return [
        replace(one, shows="nothing")
        if bug.visible == "nowhere" and one.shows in ("outputs", "error")
        else one
        for bug in parts(multi)
        for one in bug.expected
    ]


def combined(multi: Multi) -> Case:
    """One case with the edits and operations of all."""
    first, *others = parts(multi)
    case = Case(multi.name, first.network)
    for bug in (first, *others):
        case = replace(
            case,
            edits=case.edits + bug.edits,
            paddle=case.paddle + bug.paddle,
            weights=case.weights + bug.weights,
            unloaded=case.unloaded + bug.unloaded,
        )
    return case
