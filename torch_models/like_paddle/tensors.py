"""Functions of tensors that torch lacks, or that take something else there."""

import torch
import torch.nn.functional as F


def as_dtype(name):
    """torch's dtype of a name, or of a dtype."""
    return getattr(torch, name.removeprefix("paddle.")) if isinstance(name, str) else name


def reshape(x, shape):
    """`x` in another shape, where 0 is the size that it has there."""
    return x.reshape([x.shape[i] if size == 0 else size for i, size in enumerate(shape)])


def unsqueeze(x, axis):
    """`x` with dimensions of size 1 at all of `axis`, one after the other."""
    for each in [axis] if isinstance(axis, int) else axis:
        x = x.unsqueeze(each)
    return x


def squeeze(x, axis=None):
    """`x` without the dimensions of size 1 at `axis`; those of other sizes stay."""
    if axis is None:
        return x.squeeze()
    return x.squeeze(axis) if isinstance(axis, int) else x.squeeze(tuple(axis))


def split(x, num_or_sections, axis=0):
    """`x` in so many parts, or in parts of these lengths, of which -1 is the rest."""
    if isinstance(num_or_sections, int):
        return torch.split(x, x.shape[axis] // num_or_sections, dim=axis)
    sizes = list(num_or_sections)
    if -1 in sizes:
        rest = sizes.index(-1)
        sizes[rest] = x.shape[axis] - sum(sizes) - 1
    return torch.split(x, sizes, dim=axis)


def downscaled_dropout(x, p=0.5, training=True):
    """See DownscaledDropout."""
    if not training:
        return x * (1 - p)
    return F.dropout(x, p) * (1 - p)


def adaptive_avg_pool2d(x, output_size, data_format="NCHW"):
    """F.adaptive_avg_pool2d of NCHW or NHWC."""
    if data_format != "NHWC":
        return F.adaptive_avg_pool2d(x, output_size)
    return F.adaptive_avg_pool2d(x.permute(0, 3, 1, 2), output_size).permute(0, 2, 3, 1)
