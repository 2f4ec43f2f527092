"""Slices, windows, strided views and sizes."""

from __future__ import annotations

from convert.rosetta.rows import Argument, Exactness, Row, Trap
from convert.rosetta.tensors.common import X_INPUT, case, function
from convert.rosetta.tensors.manipulation import AXIS, FILE

ROWS: tuple[Row, ...] = (
    function(
        "cast",
        "Tensor.to",
        FILE,
        "truncates towards zero",
        case("paddle.cast(x, 'int64')", "x.to(torch.int64)", x="float 2,3"),
        case("paddle.cast(i, 'bool')", "i.to(torch.bool)", i="int<2 2,3"),
        arguments=(Argument("dtype", "dtype"),),
        traps=(Trap("torch has no cast", naive="torch.cast(x, torch.int64)"),),
    ),
    function(
        "slice",
        "",
        "tensor/manipulation",
        "a part along some axes",
        case("paddle.slice(x, [0, 1], [1, 0], [3, 2])", "x[1:3, 0:2]", x="float 4,3"),
        case("paddle.slice(x, [1], [-2], [100])", "x[:, -2:100]", x="float 4,3"),
        exactness=Exactness.NONE,
        remedy="index: x[start:end] on the given axes",
        arguments=(Argument("axes", None), Argument("starts", None), Argument("ends", None)),
        traps=(
            Trap(
                "torch.narrow takes a length, not an end",
                naive="torch.narrow(torch.narrow(x, 0, 1, 3), 1, 0, 2)",
            ),
        ),
    ),
    function(
        "strided_slice",
        "",
        "tensor/manipulation",
        "a part along some axes",
        case("paddle.strided_slice(x, [1], [0], [5], [2])", "x[:, 0:5:2]", x="float 3,6"),
        case("paddle.strided_slice(x, [1], [4], [1], [-1])", "x[:, 2:5].flip(1)", x="float 3,6"),
        exactness=Exactness.NONE,
        remedy="index: x[start:end:step]; for a negative step slice forward and flip",
        traps=(
            Trap(
                "torch has no negative steps",
                naive="x[:, 4:1:-1]",
                example=case(
                    "paddle.strided_slice(x, [1], [4], [1], [-1])", "x[:, 2:5].flip(1)", x="float 3,6"
                ),
            ),
        ),
    ),
    function(
        "crop",
        "",
        FILE,
        "a part of given shape and offset",
        case("paddle.crop(x, [2, 2], [1, 0])", "x[1:3, 0:2]", x="float 4,3"),
        exactness=Exactness.NONE,
        remedy="index: x[offset:offset + size]; the arguments are shape, then offsets",
    ),
    function(
        "unfold",
        "Tensor.unfold",
        FILE,
        "a view of windows along one axis; Paddle's gradient does not add up where windows overlap",
        case("paddle.unfold(x, 1, 3, 3)", "x.unfold(1, 3, 3)", x="float 2,7"),
        arguments=(
            Argument("axis", "dimension"),
            Argument("size", "size"),
            Argument("step", "step"),
        ),
        traps=(
            Trap(
                "where windows overlap, Paddle 3.3's gradient keeps only one window's: torch's is the true one",
                naive="x.unfold(1, 3, 2)",
                example=case(
                    "paddle.unfold(x, 1, 3, 2)",
                    "w = x.unfold(1, 3, 2)\n"
                    "shared = torch.zeros_like(w, dtype=torch.bool)\n"
                    "shared[:, :-1, 2] = True\n"
                    "torch.where(shared, w.detach(), w)",
                    x="float 2,7",
                ),
            ),
            Trap(
                "F.unfold (im2col) is another function, in both frameworks",
                naive="F.unfold(x, 3, stride=3)",
            ),
        ),
    ),
    function(
        "as_strided",
        "as_strided",
        FILE,
        "a view of given strides; Paddle counts the offset in bytes, the strides in elements",
        case("paddle.as_strided(x, [2, 2], [3, 1])", "torch.as_strided(x, [2, 2], [3, 1])", x="float 4,3"),
        arguments=(
            X_INPUT,
            Argument("shape", "size"),
            Argument("stride", "stride"),
            Argument("offset", "storage_offset", convert="bytes / element size"),
        ),
        traps=(
            Trap(
                "Paddle's offset is in bytes, torch's in elements",
                naive="torch.as_strided(x, [2, 2], [3, 1], 8)",
                example=case(
                    "paddle.as_strided(x, [2, 2], [3, 1], 8)",
                    "torch.as_strided(x, [2, 2], [3, 1], 8 // x.element_size())",
                    x="float 5,3",
                    backward=False,
                ),
            ),
        ),
    ),
    function(
        "tensor_split",
        "tensor_split",
        FILE,
        "the parts, as even as they can be",
        case("paddle.tensor_split(x, 3)", "torch.tensor_split(x, 3)", x="float 7,2"),
        case("paddle.tensor_split(x, [1, 3], axis=1)", "torch.tensor_split(x, [1, 3], dim=1)", x="float 2,5"),
        arguments=(Argument("num_or_indices", "indices_or_sections"), AXIS),
    ),
    *(
        function(
            name,
            name,
            FILE,
            "copies",
            case(f"paddle.{name}([x, y])", f"torch.{name}([x, y])", x="float 2,3", y="float 2,3"),
            arguments=(Argument("x", "tensors"),),
        )
        for name in ("hstack", "vstack", "dstack")
    ),
    function(
        "diagonal",
        "diagonal",
        FILE,
        "a view of the diagonal",
        case("paddle.diagonal(x, 1, 0, 2)", "torch.diagonal(x, 1, 0, 2)", x="float 3,2,4"),
        arguments=(
            X_INPUT,
            Argument("offset", "offset"),
            Argument("axis1", "dim1"),
            Argument("axis2", "dim2"),
        ),
    ),
    function(
        "numel",
        "numel",
        "tensor/stat",
        "how many elements",
        case("paddle.numel(x)", "torch.numel(x)", x="float 2,3", backward=False),
        arguments=(X_INPUT,),
        traps=(
            Trap(
                "Paddle's is a tensor, torch's a Python number",
                naive="torch.numel(x).item()",
                example=case("paddle.numel(x).item()", "torch.numel(x)", x="float 2,3"),
            ),
        ),
    ),
    function(
        "shape",
        "",
        "tensor/attribute",
        "the sizes as a tensor",
        case("paddle.shape(x)", "torch.tensor(x.shape)", x="float 2,3"),
        case("paddle.shape(x)", "torch.tensor(x.shape)", x="float 2,3", compare="dtype"),
        exactness=Exactness.NONE,
        remedy="torch.tensor(x.shape)",
        traps=(Trap("torch has no function of that name", naive="torch.shape(x)"),),
    ),
)
