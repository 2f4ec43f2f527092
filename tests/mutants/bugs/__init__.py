"""The planted mistakes, by name. One module per class of mistake; every row is data."""

from tests.mutants.bugs import (
    activations,
    aspp,
    axes,
    branches,
    conversion,
    convolution,
    fusion,
    gradients,
    layers,
    layouts,
    normalization,
    pools,
    residuals,
    strangers,
    swin,
    tiny,
    training,
    tutorial,
)

GROUPS = (
    normalization,
    convolution,
    layers,
    pools,
    activations,
    branches,
    residuals,
    axes,
    conversion,
    tiny,
    tutorial,
    gradients,
    training,
    swin,
    aspp,
    strangers,
    layouts,
    fusion,
)
ALL = [bug for group in GROUPS for bug in group.BUGS]
BUGS = {bug.name: bug for bug in ALL}
if len(BUGS) != len(ALL):
    raise ValueError("two bugs have one name")
