"""Every rule, in the order in which it is tried."""

from __future__ import annotations

from parity.graph.builder import Rewrite
from parity.graph.formulas.norms import scale_and_shift
from parity.graph.formulas.recognize import written_out
from parity.graph.rules.arithmetic import (
    blend,
    broadcast,
    clip_is_relu,
    constant_bound,
    equal_constants,
    logistic,
    made_of_constants,
    matmul_scale,
    merge_affine,
    redundant_relu,
    scalar_arithmetic,
    scaled_dropout,
)
from parity.graph.rules.layers import (
    bias,
    late_bias,
    linear,
    packed,
    pad_before_conv,
    pad_rank,
    part_of_weight,
    pointwise,
    short_dimensions,
    table,
)
from parity.graph.rules.layout import concats, merged_moves, scaled_before_moved, sorted_rows
from parity.graph.rules.reductions import (
    first_of_sorted,
    log_of_softmax,
    mean_of_sum,
    normalized_axes,
    ordered_axis,
    reduced_axes,
    spatial_mean,
    turned_rows,
)

REWRITES: tuple[Rewrite, ...] = (
    turned_rows,
    normalized_axes,
    scalar_arithmetic,
    clip_is_relu,
    redundant_relu,
    spatial_mean,
    reduced_axes,
    ordered_axis,
    first_of_sorted,
    broadcast,
    constant_bound,
    equal_constants,
    made_of_constants,
    table,
    merged_moves,
    # A factor that belongs to a formula stays with it: formulas are read before factors are carried past moves.
    written_out,
    scaled_before_moved,
    scaled_dropout,
    linear,
    bias,
    pointwise,
    late_bias,
    merge_affine,
    matmul_scale,
    logistic,
    blend,
    scale_and_shift,
    mean_of_sum,
    log_of_softmax,
    pad_rank,
    pad_before_conv,
    concats,
    short_dimensions,
    sorted_rows,
    part_of_weight,
    packed,
)
"""Applied in turn until none changes anything."""
