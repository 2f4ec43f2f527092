"""The planted mistakes, by name. One module per class of mistake; every row is data."""

from tests.mutants.bugs import (
    activations,
    conversion,
    dataflow,
    fusion,
    gradients,
    layers,
    layouts,
    pools,
    strangers,
    tiny,
    training,
    tutorial,
)

GROUPS = (
    layers,
    pools,
    activations,
    dataflow,
    conversion,
    tiny,
    tutorial,
    gradients,
    training,
    strangers,
    layouts,
    fusion,
)
ALL = [bug for group in GROUPS for bug in group.BUGS]
BUGS = {bug.name: bug for bug in ALL}
if len(BUGS) != len(ALL):
    raise ValueError("two bugs have one name")
