"""Every bound that decides or excuses, each with its reason; no other module holds one.

*Measured* bounds come from the run at hand: how far each framework's own float32 is from its float64.
*Derived* bounds come from the spacing of float32 and float64 and from the size of what is summed.
*Chosen* bounds cannot be derived; each says what it decides. None of them makes a difference of outputs equal.
"""

from __future__ import annotations

import math

import numpy as np

EPS64 = 2.0**-52
"""Spacing of float64 at 1."""

ROUND32 = 2.0**-24
"""Largest relative change of a number that is rounded to float32."""

FEW_DIGITS = 2.0**12
"""A number of at most twelve binary digits (0.5, 3, 1000) was not rounded when it was written down in float32."""

CONSTANTS = 4.0
"""How many times as far outputs may be apart as they move when the models' float32 constants are rounded otherwise.

Each constant is moved by the most that rounding it once can; a framework that makes a table in float32 rounds each number a few times.
"""

SLIGHT = 1e-4
"""Outputs that are further apart than this are not looked at in this way: no constant of float32 makes as much. Chosen; saves the runs."""

SHRINK = 2.0**-29
"""Unit round-off of float64 over that of float32: by so much rounding shrinks, and a difference of algebra does not."""

MARGIN = 1024.0
"""How many times the scaled-down float32 rounding a float64 difference may be and still be rounding.

Rounding in two different summation orders is random within a factor of a few; 2**10 leaves room for
that and is still six orders of magnitude below what a difference of the same size in both precisions gives.
"""

# -- measured ----------------------------------------------------------------------------------------


def rounding_limit(noise_paddle: float, noise_torch: float) -> float:
    """The largest relative float64 difference that rounding explains.

    noise_*: each side's relative distance between its float32 and float64 value of the same tensor.
    """
    noise = sum(n for n in (noise_paddle, noise_torch) if np.isfinite(n))
    return MARGIN * max(EPS64, SHRINK * noise)


NO_DIGIT = 0.1
"""A float32 value this far from its float64 value, relative to its own size, has no digit left: it measures nothing."""

RESOLVED = 2.0**-10
"""Numbers of one size whose float32 rounding is below this share of that size were not made by cancelling larger ones:
they are compared at their own size, whatever stands beside them in the tensor."""


def gross(noise_paddle: float, noise_torch: float, count: int) -> bool:
    """Whether one side alone loses digits in float32 that the other keeps: half precision inside, a branch on the dtype.

    Two orders of summation differ by a factor of a few; MARGIN times the other's rounding, and as many roundings of
    float32 at the least, are something else. Of fewer than eight numbers (`count`) some may be right to the last digit by
    chance, which takes another factor for each that is missing.
    """
    few, many = sorted((noise_paddle, noise_torch))
    return many > MARGIN * 4.0 ** max(0, 8 - count) * max(few, ROUND32)


SOFTMAX_CUT = 64.0
"""Paddle's CPU softmax raises scores to 64 below the largest one (ValueClip in phi/kernels/funcs/softmax_impl.h)."""

SOFTMAX_FLOOR = math.exp(-SOFTMAX_CUT)
"""So a probability that is 0 in torch is up to 1.6e-28 in Paddle: differences this small say nothing of a port."""

# -- derived from float32's spacing ------------------------------------------------------------------

FLOAT32_FACTOR = ROUND32
"""A result changes by so much where a factor of it is rounded to float32."""

FLOAT32_EPSILON = ROUND32 / 2
"""A normalization changes by at most so much where its eps is: eps stands beside the variance under a square root."""

FLOAT32_TABLE = 2 * ROUND32
"""Two tables of constants are apart by so much where both were rounded, or one was and was multiplied once."""

FLOAT32_LOSS = 2 * ROUND32
"""A loss that rounds one of its numbers, which may enter squared."""

FLOAT32_PLACE = 2 * ROUND32
"""How far, for each pixel of the input's sides, a place that is rounded to float32 may change what is read there:
the place and the scale that it is computed with are rounded."""

FLOAT32_MOMENTUM = 16 * ROUND32
"""A running statistic that is updated with 1 - m where m is rounded: ROUND32 / (1 - m) of the new share, for m up to 0.94."""

FLOAT32_STEPS = 8 * ROUND32
"""A few float32 operations in a row on numbers of one size: eps, sum, root, quotient, product (a folded BatchNorm)."""

# -- derived from float64's spacing ------------------------------------------------------------------

RECOMPUTED = 2.0**12 * MARGIN * EPS64
"""What numpy computes again in float64 from recorded numbers, by another formula: 1e-9 of the size of what is summed.

Beside the order of summation (MARGIN) the formula itself loses digits: a variance as a difference of squares, a quotient of
two differences. 2**12 is room for three to four of them.
"""

QUICK = 4 * MARGIN * EPS64
"""Outputs on a further input, of which no float32 run exists, are equal below this; above it the whole comparison decides.

It is four times the least that `rounding_limit` allows.
"""

SAME_FUNCTION = 2.0**12 * MARGIN * EPS64
"""Two formulas are one function if they agree to this on the numbers on which they are tried: people write constants with
ten digits."""

SAME_NORM = 2.0**5 * MARGIN * EPS64
"""The same for a normalization, which is arithmetic without such constants."""

NO_EPSILON = 4 * MARGIN * EPS64
"""An epsilon that a fit finds where none is written: what is left of a difference of numbers around 1."""

# -- chosen ------------------------------------------------------------------------------------------

AMPLIFIED = 1e-6
"""Outputs may differ by so much and be rounding, where every operator alone, every weight and every connection agrees.

Chosen: float64 rounding (2e-16) grown by ten orders of magnitude. Such a network has no digit left in float32.
"""

GRADIENT_CONSTANTS = 1e-6
"""Up to so much the float32 constants of the frameworks' backward kernels add up in a gradient (relative).

Chosen: ten times what the worst correct port that was measured had (a DenseNet's pools, 1/k in float32).
"""

FORWARD_SHARE = 100.0
"""How many times the relative difference of the forward values a gradient may differ because of it.

Chosen: a gradient is a product of such values; more than a hundred of them are not in one operator.
"""

UPDATE_CONSTANT = 32 * ROUND32
"""A parameter's update may differ by so much because a hyper-parameter is kept in float32.

Chosen: one rounding, enlarged where 1 - beta is small (up to beta = 0.97; the table knows the settings where it is more).
"""

DRIFT = 1e-6
"""Trainings that run freely and stay this close are called equal in a note. Chosen; single steps from equal weights decide."""

READ = 1e-6
"""A number that is read off two gradients by division (a size, a weight, a share) is the one that it is compared with.

Chosen; it picks the words of a finding that exists without it.
"""

KNOWN_NUMBERS = 1e-7
"""Two values are the same numbers, and a result comes right, where a fault is looked for that is there beyond doubt. Chosen: what
float32 constants make; it picks the place of a finding that exists without it."""

SLIGHTLY = 1e-2
"""A weight this close to Paddle's was perturbed, not never loaded. Chosen; it picks the words."""

GUARD = 1e-6
"""A clip from below by at most this keeps a divisor from zero and is no activation. Chosen: the largest eps in use for it."""

NEGLIGIBLE = 1e-10
"""An epsilon beside a norm, so small that it only keeps the zero vector from NaN. Chosen: torch's own defaults are 1e-12."""
