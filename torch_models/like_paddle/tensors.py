"""Functions of tensors that torch lacks, or that take something else there."""

import torch
import torch.nn.functional as F


def as_dtype(name):
    """torch's dtype of a name in Paddle's words, or of a dtype."""
    words = {"float": "float64", "half": "float16", "int": "int64"}
    name = name.removeprefix("paddle.") if isinstance(name, str) else name
    return getattr(torch, words.get(name, name)) if isinstance(name, str) else name


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


def pad(x, pad, mode="constant", value=0.0, data_format=None, pad_from_left_axis=True):
    """F.pad as Paddle reads it: a list for every dimension begins with the first one; NHWC is padded between N and C."""
    pad = [int(n) for n in pad]
    whole = mode == "constant" and len(pad) == 2 * x.ndim
    if whole and pad_from_left_axis:
        pairs = list(zip(pad[::2], pad[1::2], strict=True))
        pad = [n for pair in reversed(pairs) for n in pair]
    elif not whole and str(data_format).upper().endswith("C"):
        if mode != "constant":
            return F.pad(x.movedim(-1, 1), pad, mode=mode).movedim(1, -1)
        # Paddle asks the layout only where the list has two numbers for each dimension between N and C.
        pad = [0, 0, *pad] if len(pad) == 2 * (x.ndim - 2) else pad
    return F.pad(x, pad, mode=mode, value=value if mode == "constant" else None)


def unique(x, return_index=False, return_inverse=False, return_counts=False, axis=None, dtype=torch.int64):
    """torch.unique with the first position of each, and flat inverse indices; int64, or `dtype`."""
    x = x.flatten() if axis is None else x.movedim(axis, 0)
    values, inverse, counts = torch.unique(x, return_inverse=True, return_counts=True, dim=0)
    places = torch.arange(len(inverse), device=x.device)
    first = torch.zeros_like(counts).scatter_reduce(0, inverse, places, "amin", include_self=False)
    found = [values if axis is None else values.movedim(0, axis)]
    wanted = ((return_index, first), (return_inverse, inverse), (return_counts, counts))
    found += [each.to(as_dtype(dtype)) for asked, each in wanted if asked]
    return found[0] if len(found) == 1 else tuple(found)


def embedding(x, weight, padding_idx=None):
    """F.embedding whose result is 0 at `padding_idx`, whatever the weight holds there."""
    found = F.embedding(x, weight)
    return found if padding_idx is None else found * (x != padding_idx % len(weight)).unsqueeze(-1)


def sliced(x, axes, starts, ends, strides=None):
    """`x[start:end:stride]` on these axes; what a stride below 0 gives begins at the end."""
    for axis, start, end, step in zip(axes, starts, ends, strides or [1] * len(axes), strict=True):
        places = range(x.shape[axis])[int(start) : int(end) : int(step)]
        x = x.index_select(axis, torch.tensor(list(places), dtype=torch.int64, device=x.device))
    return x


def sequence_mask(x, maxlen=None, dtype="int64"):
    """1 at the first places, as many as `x` says, of `maxlen` (by default the longest)."""
    longest = int(x.max()) if maxlen is None else int(maxlen)
    return (torch.arange(longest, device=x.device) < x.unsqueeze(-1)).to(as_dtype(dtype))


def label_smooth(label, prior_dist=None, epsilon=0.1):
    """Labels of which `epsilon` is spread over all classes, or as `prior_dist` says."""
    prior = 1 / label.shape[-1] if prior_dist is None else prior_dist
    return label * (1 - epsilon) + epsilon * prior


def interpolate(
    x, size=None, scale_factor=None, mode="nearest", align_corners=False, align_mode=0, data_format=None
):
    """F.interpolate of any layout, and with `align_mode=1`, where a place of the result is `place * scale` of `x`."""
    if data_format in ("NHWC", "NWC", "NDHWC"):
        moved = interpolate(x.movedim(-1, 1), size, scale_factor, mode, align_corners, align_mode)
        return moved.movedim(1, -1)
    linear = mode in ("linear", "bilinear", "trilinear")
    size = size if size is None or isinstance(size, int) else [int(n) for n in size]
    if not linear or align_corners or align_mode == 0:
        corners = align_corners if linear or mode == "bicubic" else None
        return F.interpolate(x, size, scale_factor, mode, corners)
    count = x.ndim - 2
    factors = scale_factor if isinstance(scale_factor, (list, tuple)) else [scale_factor] * count
    sizes = size if isinstance(size, list) else [size] * count
    for axis, (wanted, factor) in enumerate(zip(sizes, factors, strict=True), start=2):
        length = x.shape[axis]
        count, step = (int(length * factor), 1 / factor) if factor else (wanted, length / wanted)
        places = torch.arange(count, device=x.device, dtype=x.dtype) * step
        low = places.long().clamp(max=length - 1)
        share = (places - low).reshape([-1] + [1] * (x.ndim - axis - 1))
        high = (low + 1).clamp(max=length - 1)
        x = x.index_select(axis, low) * (1 - share) + x.index_select(axis, high) * share
    return x


def matmul(x, y, transpose_x=False, transpose_y=False):
    """torch.matmul; what is transposed has its last two dimensions exchanged."""
    x = x.mT if transpose_x and x.ndim > 1 else x
    return torch.matmul(x, y.mT if transpose_y and y.ndim > 1 else y)
