"""Methods of Paddle's tensors that something else has too, for code that does not say which of them it is called on.

A tensor is treated as Paddle does; whatever else it is, an array or a list, its own method is called.
"""

import torch

from torch_models.like_paddle.tensors import as_dtype, reshape, split


def astype(x, dtype, **options):
    if isinstance(x, torch.Tensor):
        return x.to(as_dtype(dtype))
    name = str(dtype).removeprefix("torch.") if isinstance(dtype, torch.dtype) else dtype
    return x.astype(name, **options)


def transposed(x, *perm, **options):
    if not isinstance(x, torch.Tensor):
        return x.transpose(*perm, **options)
    perm = options.get("perm", perm[0] if len(perm) == 1 else perm)
    return x.transpose(*perm) if len(perm) == 2 < x.ndim else x.permute(tuple(perm))


def viewed(x, *shape, **options):
    """A tensor's view of a shape or a dtype, in which a 0 is the size that it has there."""
    if not isinstance(x, torch.Tensor):
        return x.view(*shape, **options)
    shape = options.get("shape_or_dtype", shape[0] if len(shape) == 1 else shape)
    if isinstance(shape, (str, torch.dtype)):
        return x.view(as_dtype(shape))
    sizes = [shape] if isinstance(shape, int) else shape
    return x.view([x.shape[i] if size == 0 else size for i, size in enumerate(sizes)])


def reshaped(x, *shape, **options):
    """A tensor in another shape, where 0 is the size that it has there."""
    if not isinstance(x, torch.Tensor):
        return x.reshape(*shape, **options)
    shape = options.get("shape", shape[0] if len(shape) == 1 else shape)
    return reshape(x, [shape] if isinstance(shape, int) else shape)


def maximum_of(x, axis=None, keepdim=False, **options):
    """`x.max`, of tensors without the places."""
    if isinstance(x, torch.Tensor):
        return x.max() if axis is None else x.amax(axis, keepdim)
    return x.max(axis, **({"keepdims": True} if keepdim else {}), **options)


def minimum_of(x, axis=None, keepdim=False, **options):
    """`x.min`, of tensors without the places."""
    if isinstance(x, torch.Tensor):
        return x.min() if axis is None else x.amin(axis, keepdim)
    return x.min(axis, **({"keepdims": True} if keepdim else {}), **options)


def parts(x, *how, **options):
    """`x.split`: of a tensor so many parts, or parts of these lengths, along `axis`."""
    return split(x, *how, **options) if isinstance(x, torch.Tensor) else x.split(*how, **options)


def any_step(x):
    """`x`, of which slices may go backwards: of a tensor too."""
    return _AnyStep(x) if isinstance(x, torch.Tensor) else x


class _AnyStep:
    def __init__(self, x):
        self.x = x

    def __getitem__(self, index):
        index = index if isinstance(index, tuple) else (index,)
        taken = sum(i.ndim if _is_mask(i) else i is not None and i is not ... for i in index)
        x, kept, dim = self.x, [], 0
        for one in index:
            i = one
            if isinstance(i, slice) and i.step is not None and i.step < 0:
                places = range(*i.indices(x.shape[dim]))
                first, last = (places[-1], places[0] + 1) if places else (0, 0)
                x = x[(slice(None),) * dim + (slice(first, last, -i.step),)].flip(dim)
                i = slice(None)
            kept.append(i)
            if i is ...:
                dim = x.ndim - (taken - dim)
            elif i is not None:
                dim += i.ndim if _is_mask(i) else 1
        return x[tuple(kept)]


def _is_mask(index):
    return isinstance(index, torch.Tensor) and index.dtype == torch.bool
