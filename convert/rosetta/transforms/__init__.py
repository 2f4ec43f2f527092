"""Image transforms, on Pillow images unless a row says otherwise.

Paddle chooses by the input: Pillow's code for Pillow images, its own for tensors, OpenCV's for arrays. OpenCV's is
not proven here (unverified): its interpolation differs from Pillow's, which filters when it shrinks.
"""

from __future__ import annotations

from convert.rosetta.rows import Row
from convert.rosetta.transforms import arrays, color, geometry, warp

ROWS: tuple[Row, ...] = (*geometry.ROWS, *warp.ROWS, *color.ROWS, *arrays.ROWS)
