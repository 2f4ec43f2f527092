"""How functions, methods and attributes of tensors are written in torch."""

from __future__ import annotations

from collections.abc import Mapping

from convert.rosetta.forms.form import DTYPES, KINDS, TYPES, Form

_RESHAPE = (
    Form("x.flatten(1)", "shape == [0, -1]"),
    Form("x.reshape(sized(shape, x))", "shape has 0, x simple"),
    Form("like_reshape(x, shape)", "shape has 0"),
)


_UNSQUEEZE = (Form("like_unsqueeze(x, axis)", "axis list"),)


_SPLIT = (
    Form("torch.chunk(x, num_or_sections, dim=axis)", "num_or_sections int"),
    Form("like_split(x, num_or_sections, axis)", "num_or_sections has -1"),
    Form("torch.split(x, num_or_sections, dim=axis)", "num_or_sections display"),
    Form("like_split(x, num_or_sections, axis)"),
)


_SPLIT_METHOD = (
    Form("x.chunk(num_or_sections, dim=axis)", "num_or_sections int"),
    Form("like_split(x, num_or_sections, axis)", "num_or_sections has -1"),
    Form("x.split(num_or_sections, dim=axis)", "num_or_sections display"),
    Form("like_split(x, num_or_sections, axis)"),
)


_SCALED = (
    Form("(x + bias) * scale", "bias given, bias_after_scale == False"),
    Form("x * scale + bias", "bias given, bias_after_scale absent"),
    Form("x * scale + bias", "bias given, bias_after_scale == True"),
    Form("x * scale", "bias absent"),
)


_MATRIX = (
    Form(
        refuse="over two axes Paddle takes the norm of a matrix: write torch.linalg.matrix_norm",
        when="axis of 2",
    ),
)


_OVERHANGING = (
    Form(
        refuse="Paddle divides a window over the edge by what is in it, torch by its size: pad in front of it",
        when="ceil_mode given, ceil_mode not == False",
    ),
    Form("="),
)


FORMS: Mapping[str, tuple[Form, ...]] = {
    "expand": (Form("x.expand(shape)"),),
    "Tensor.expand": (Form("x.expand(shape)"),),
    **dict.fromkeys(
        ("nn.LPPool1D", "nn.LPPool2D", "nn.functional.lp_pool1d", "nn.functional.lp_pool2d"), _OVERHANGING
    ),
    "diag_embed": (Form("torch.diag_embed(input.detach(), offset=offset, dim1=dim1, dim2=dim2)"),),
    "flip": (
        Form("torch.flip(x, [axis])", "axis int"),
        Form("="),
    ),
    "scatter": (
        Form("x.index_copy(0, index, updates)", "overwrite absent"),
        Form("x.index_copy(0, index, updates)", "overwrite == True"),
    ),
    "Tensor.scatter_": (Form("x.index_copy_(0, index, updates)", "overwrite absent"),),
    "scatter_nd_add": (Form("x.index_put(tuple(index.movedim(-1, 0)), updates, accumulate=True)"),),
    "index_sample": (Form("torch.gather(x, 1, index)"),),
    "logcumsumexp": (
        Form("=", "axis given, axis not none"),
        Form("torch.logcumsumexp(x.flatten(), 0)", "dtype absent"),
    ),
    "linalg.svd": (Form("torch.linalg.svd(x, full_matrices=full_matrices)"),),
    "index_fill": (Form("torch.index_fill(x, axis, index, value)"),),
    "unique_consecutive": (
        Form("=", "axis given, axis not none"),
        Form(
            refuse="Paddle's inverse indices are flat, torch's have the shape of x: reshape them to [-1]",
            when="return_inverse given, return_inverse not == False",
        ),
        Form("torch.unique_consecutive(x.flatten(), return_counts=return_counts)", "return_counts given"),
        Form("torch.unique_consecutive(x.flatten())"),
    ),
    "broadcast_tensors": (Form("torch.broadcast_tensors(*input)"),),
    "is_empty": (Form("x.numel() == 0"),),
    "rank": (Form("input.ndim"),),
    "increment": (Form("x.add_(value)"),),
    "scatter_nd": (
        Form(
            "torch.zeros(shape, dtype=updates.dtype).index_put(tuple(index.movedim(-1, 0)), updates, accumulate=True)",
            "updates simple",
        ),
    ),
    "gather_nd": (Form("x[tuple(index.movedim(-1, 0))]"),),
    "index_put": (Form("torch.index_put(x, tuple(indices), value, accumulate=accumulate)"),),
    "slice": (Form("like_sliced(input, axes, starts, ends)"),),
    "strided_slice": (Form("like_sliced(x, axes, starts, ends, strides)"),),
    "dot": (Form("(x * y).sum(-1)"),),
    "cross": (
        Form("torch.linalg.cross(x, y, dim=axis)", "axis given, axis not none"),
        Form("torch.cross(x, y)"),
    ),
    "unique": (
        Form(
            "like_unique(x, return_index, return_inverse, return_counts, axis, dtype)", "return_index given"
        ),
        Form("like_unique(x, return_index, return_inverse, return_counts, axis, dtype)", "dtype given"),
        Form("=", "axis given, axis not none"),
        Form("like_unique(x, return_index, return_inverse, return_counts)", "return_inverse given"),
        Form("="),
    ),
    "full": (
        Form(
            "torch.full(shape, float(fill_value), dtype=dtype)", "fill_value str, shape not int, dtype given"
        ),
        Form("torch.full((shape,), fill_value, dtype=dtype)", "shape int, dtype given"),
        Form("torch.full((shape,), float(fill_value))", "shape int, fill_value not bool"),
        Form("=", "dtype given, dtype not none"),
        Form("=", "fill_value float"),
        Form("=", "fill_value bool"),
        Form("torch.full(shape, float(fill_value))", "shape not int"),
    ),
    "histogram": (Form("torch.histc(input, bins, min, max).long()", "weight absent, density absent"),),
    "randint": (
        Form("torch.randint(low, [1])", "high absent, shape absent"),
        Form("torch.randint(low, high, [1])", "shape absent"),
        Form("="),
    ),
    "prod": (
        Form(refuse="torch's takes one axis: write one prod behind the other", when="axis list"),
        Form("="),
    ),
    "quantile": (
        Form(refuse="torch's takes one axis: flatten the axes", when="axis list"),
        Form(
            "torch.quantile(x, torch.tensor(q, dtype=x.dtype), dim=axis, keepdim=keepdim)", "q list, x simple"
        ),
        Form("="),
    ),
    **{
        name: (
            Form("=", "axis given, axis not none"),
            Form(f"torch.{name}(x.flatten(), 0)", "dtype absent"),
        )
        for name in ("cummax", "cummin")
    },
    "cumprod": (
        Form("=", "dim given, dim not none"),
        Form("torch.cumprod(x.flatten(), 0, dtype=dtype)"),
    ),
    "assign": (
        Form("torch.tensor(x)", "x list|tuple|array|number|int|float|bool, output absent"),
        Form("="),
    ),
    "tile": (Form("torch.tile(x, (repeat_times,))", "repeat_times int"), Form("=")),
    "arange": (
        Form("torch.arange(start, end, step, dtype=dtype)", "dtype given, step given, end given"),
        Form("torch.arange(start, end, dtype=dtype)", "dtype given, end given"),
        Form("="),
    ),
    "cumsum": (
        Form("=", "axis given, axis not none"),
        Form("torch.cumsum(x.flatten(), 0)"),
    ),
    "logsumexp": (
        Form("=", "axis given, axis not none"),
        Form("torch.logsumexp(x.flatten(), 0)"),
    ),
    "Tensor.type_as": (Form("x.type_as(other)"),),
    "Tensor.view_as": (Form("x.view_as(other)"),),
    "Tensor.repeat": (Form("x.repeat(repeats)"),),
    **{
        f"Tensor.new_{name}": (Form(f"x.new_{name}(size, dtype=dtype)"),)
        for name in ("ones", "zeros", "empty")
    },
    "Tensor.new_full": (Form("x.new_full(size, fill_value, dtype=dtype)"),),
    "finfo": (Form("torch.finfo(dtype)"),),
    "iinfo": (Form("torch.iinfo(dtype)"),),
    "Tensor.to": (
        Form(
            refuse="write x.to(torch.float32) for a dtype, x.to of torch's device for a place", when="* str"
        ),
        Form("="),
    ),
    "Tensor.scale_": (Form("x.mul_(scale)", "bias absent"),),
    "Tensor.retain_grads": (Form("x.retain_grad()"),),
    "mm": (Form("torch.matmul(input, mat2)"),),
    "Tensor.view": (Form("x.view(shape_or_dtype)"),),
    "Tensor.multiply_": (Form("x.mul_(y)"),),
    "Tensor.floor_": (Form("x.floor_()"),),
    "Tensor.cuda": (Form("x.cuda()", "device_id absent"),),
    "get_default_dtype": (Form("="),),
    "outer": (Form("torch.outer(x, y)"),),
    "swapaxes": (
        Form("torch.swapaxes(x, perm, name)", "perm int, name int"),
        Form("torch.swapaxes(x, axis0, axis1)", "axis0 given"),
        Form("="),
    ),
    "split": _SPLIT,
    "Tensor.split": _SPLIT_METHOD,
    "reshape": (
        *_RESHAPE,
        Form("="),
    ),
    "Tensor.reshape": (*_RESHAPE, Form("x.reshape(shape)")),
    "Tensor.reshape_": (
        Form(refuse="a view leaves the tensor itself as it is: write x = x.view(...)", when="result unused"),
        *_RESHAPE,
        Form("x.view(shape)"),
    ),
    **dict.fromkeys(
        ("transpose", "Tensor.transpose"),
        (Form("x.transpose(perm, name)", "perm int, name given"), Form("=")),
    ),
    "Tensor.tile": (Form("x.tile(repeat_times)"),),
    "unsqueeze": (*_UNSQUEEZE, Form("=")),
    "Tensor.unsqueeze": (*_UNSQUEEZE, Form("x.unsqueeze(axis)")),
    "gather": (
        Form("torch.index_select(x, axis, index)", "axis given"),
        Form("torch.index_select(x, 0, index)"),
    ),
    "Tensor.gather": (Form("x.index_select(axis, index)", "axis given"), Form("x.index_select(0, index)")),
    "take_along_axis": (Form("torch.take_along_dim(arr, indices, axis)"),),
    "put_along_axis": (
        Form("arr.scatter(axis, indices, values)", "reduce absent"),
        Form("arr.scatter(axis, indices, values)", "reduce == 'assign'"),
        Form("arr.scatter_add(axis, indices, values)", "reduce == 'add'"),
    ),
    "sort": (Form("torch.sort(x, dim=axis, descending=descending, stable=stable).values"),),
    "Tensor.sort": (Form("x.sort(dim=axis, descending=descending).values"),),
    "argmax": (Form("torch.argmax(x, dim=axis, keepdim=keepdim).to(dtype)", "dtype given"), Form("=")),
    **{
        f"Tensor.{name}": (
            Form(f"x.{name}(dim=axis, keepdim=keepdim).to(dtype)", "dtype given"),
            Form("="),
        )
        for name in ("argmax", "argmin")
    },
    "argmin": (Form("torch.argmin(x, dim=axis, keepdim=keepdim).to(dtype)", "dtype given"), Form("=")),
    "matmul": (
        Form("torch.matmul(x.mT, y.mT)", "transpose_x == True, transpose_y == True"),
        Form("torch.matmul(x, y.mT)", "transpose_y == True"),
        Form("torch.matmul(x.mT, y)", "transpose_x == True"),
        *(
            Form("like_matmul(x, y, transpose_x, transpose_y)", f"{name} given, {name} not == False")
            for name in ("transpose_x", "transpose_y")
        ),
        Form("="),
    ),
    "scale": _SCALED,
    "Tensor.scale": _SCALED,
    "add_n": (Form("sum(inputs)", "inputs list"), Form("inputs", "inputs tensor"), Form("sum(inputs)")),
    "stanh": (Form("scale_b * torch.tanh(scale_a * x)"),),
    "shape": (Form("input.shape"),),
    "uniform": (Form("torch.empty(shape, dtype=dtype).uniform_(min, max)"),),
    "to_tensor": (Form(refuse="say the device as torch does", when="place given, place not none"), Form("=")),
    "median": (
        Form("torch.median(x, dim=axis, keepdim=keepdim)", "mode == 'min', axis given, axis not none"),
        Form("torch.median(x)", "mode == 'min'"),
        Form("torch.quantile(x, 0.5, dim=axis, keepdim=keepdim)"),
    ),
    "norm": (
        *_MATRIX,
        Form("torch.linalg.vector_norm(x, p, dim=axis, keepdim=keepdim)", "p number"),
        Form("torch.linalg.vector_norm(x, dim=axis, keepdim=keepdim)", "p absent"),
        Form("torch.linalg.vector_norm(x, dim=axis, keepdim=keepdim)", "p == 'fro'"),
    ),
    "Tensor.norm": (
        *_MATRIX,
        Form("x.norm(p=p, dim=axis, keepdim=keepdim)", "p number"),
        Form("x.norm(dim=axis, keepdim=keepdim)", "p absent"),
    ),
    "meshgrid": (Form("torch.meshgrid(rest, indexing='ij')"),),
    "equal_all": (Form("torch.tensor(torch.equal(x, y))"),),
    "Tensor.equal_all": (Form("torch.tensor(x.equal(y))"),),
    "clone": (Form("="),),
    **{f"Tensor.{name}": (Form(f"x.{name}()"),) for name in KINDS},
    "Tensor.softmax": (
        Form("x.softmax(dim)", "dim given, dim not none"),
        Form("x.softmax(axis)", "axis given"),
        Form(refuse="without a dim it depends on how many there are: write x.softmax(dim)"),
    ),
    "Tensor.astype": (Form("x.to(dtype)"),),
    "Tensor.cast": (Form("x.to(dtype)"),),
    "cast": (Form("x.to(dtype)"),),
    "Tensor.numpy": (Form("x.detach().cpu().numpy()"),),
    "Tensor.stop_gradient": (Form("x.requires_grad = not value", "written"), Form("not x.requires_grad")),
    "Tensor.size": (
        Form("x.size(rest)", "* given"),
        Form("x.size()", "called given"),
        Form("x.numel()"),
    ),
    "Tensor.place": (Form("x.device"),),
    "Tensor.item": (Form("x.flatten()[args].item()", "args given"), Form("x.item()")),
    "Tensor.shape": (Form("="),),
    "Tensor.set_value": (Form("x.data.copy_(torch.as_tensor(value))"),),
    "Tensor.clear_grad": (Form("x.grad.zero_()"),),
    "Tensor.clear_gradient": (Form("x.grad.zero_()"),),
    "Tensor.backward": (
        Form("x.backward(grad_tensor, retain_graph=retain_graph)", "grad_tensor given"),
        Form("x.backward(retain_graph=retain_graph)"),
    ),
    "is_tensor": (Form("="),),
    "Tensor": (Form("="),),
    **{name: (Form("="),) for name in DTYPES},
    **{name: (Form("="),) for name in TYPES},
}
