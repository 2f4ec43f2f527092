"""Shapes, joining, splitting and repeating: what moves numbers and computes none."""

from __future__ import annotations

from convert.rosetta.rows import Argument, Exactness, Row, Trap
from convert.rosetta.tensors.common import X_INPUT, case, function

AXIS = Argument("axis", "dim")
FILE = "tensor/manipulation"

ROWS: tuple[Row, ...] = (
    function(
        "reshape",
        "reshape",
        FILE,
        "the same elements in the same order",
        case("paddle.reshape(x, [4, 6])", "torch.reshape(x, [4, 6])", x="float 4,3,2"),
        case("paddle.reshape(x, [0, -1])", "torch.reshape(x, [x.shape[0], -1])", x="float 4,3,2"),
        arguments=(
            X_INPUT,
            Argument("shape", "shape", note="0 copies the input's dimension; torch: its size"),
        ),
        traps=(
            Trap(
                "0 copies that dimension",
                naive="torch.reshape(x, [0, -1])",
                example=case(
                    "paddle.reshape(x, [0, 0, -1])",
                    "torch.reshape(x, [*x.shape[:2], -1])",
                    x="float 4,3,2,1",
                ),
            ),
        ),
    ),
    function(
        "transpose",
        "permute",
        FILE,
        "a view with another order of dimensions",
        case("paddle.transpose(x, [0, 2, 3, 1])", "torch.permute(x, [0, 2, 3, 1])", x="float 2,3,4,5"),
        arguments=(X_INPUT, Argument("perm", "dims")),
        traps=(
            Trap(
                "torch.transpose swaps two dimensions; the whole order is torch.permute",
                naive="torch.transpose(x, [0, 2, 3, 1])",
            ),
        ),
    ),
    function(
        "permute",
        "permute",
        FILE,
        "a view with another order of dimensions",
        case("paddle.permute(x, [2, 0, 1])", "torch.permute(x, [2, 0, 1])", x="float 2,3,4"),
        arguments=(Argument("input", "input"), Argument("dims", "dims")),
    ),
    function(
        "swapaxes",
        "swapaxes",
        FILE,
        "a view with two dimensions swapped",
        case("paddle.swapaxes(x, 0, 2)", "torch.swapaxes(x, 0, 2)", x="float 2,3,4"),
        torch_where="_torch_docs.py: swapaxes",
    ),
    function(
        "moveaxis",
        "moveaxis",
        FILE,
        "a view with another order of dimensions",
        case("paddle.moveaxis(x, 1, -1)", "torch.moveaxis(x, 1, -1)", x="float 2,3,4"),
        case("paddle.moveaxis(x, [0, 1], [2, 0])", "torch.moveaxis(x, (0, 1), (2, 0))", x="float 2,3,4"),
        arguments=(X_INPUT, Argument("source", "source"), Argument("destination", "destination")),
    ),
    function(
        "t",
        "t",
        "tensor/linalg",
        "a matrix's transpose",
        case("paddle.t(x)", "torch.t(x)", x="float 2,3"),
        arguments=(Argument("input", "input"),),
    ),
    function(
        "flatten",
        "flatten",
        FILE,
        "the same elements in the same order",
        case("paddle.flatten(x, 1)", "torch.flatten(x, 1)", x="float 2,3,4,5"),
        case("paddle.flatten(x, 1, 2)", "torch.flatten(x, 1, 2)", x="float 2,3,4,5"),
        case("paddle.flatten(x)", "torch.flatten(x)", x="float 2,3"),
        arguments=(
            X_INPUT,
            Argument("start_axis", "start_dim", paddle_default=0, torch_default=0),
            Argument("stop_axis", "end_dim", paddle_default=-1, torch_default=-1),
        ),
        traps=(
            Trap(
                "the functions start at 0 and flatten the batch too; nn.Flatten starts at 1",
                naive="torch.flatten(x)",
            ),
            Trap("the names differ", naive="torch.flatten(x, start_axis=1)"),
        ),
    ),
    function(
        "unflatten",
        "unflatten",
        FILE,
        "the same elements in the same order",
        case("paddle.unflatten(x, 1, [2, -1])", "torch.unflatten(x, 1, [2, -1])", x="float 2,6"),
        arguments=(X_INPUT, AXIS, Argument("shape", "sizes")),
    ),
    function(
        "squeeze",
        "squeeze",
        FILE,
        "drops dimensions of size 1",
        case("paddle.squeeze(x, [1, 3])", "torch.squeeze(x, (1, 3))", x="float 2,1,3,1"),
        case("paddle.squeeze(x)", "torch.squeeze(x)", x="float 2,1,3,1"),
        case("paddle.squeeze(x, 0)", "torch.squeeze(x, 0)", x="float 2,1"),
        arguments=(X_INPUT, AXIS),
    ),
    function(
        "unsqueeze",
        "unsqueeze",
        FILE,
        "adds a dimension of size 1",
        case("paddle.unsqueeze(x, 1)", "torch.unsqueeze(x, 1)", x="float 2,3"),
        case("paddle.unsqueeze(x, [0, 2])", "x.unsqueeze(0).unsqueeze(2)", x="float 2,3"),
        arguments=(
            X_INPUT,
            Argument("axis", "dim", note="a list adds several, one after the other; torch: one"),
        ),
        traps=(
            Trap(
                "torch adds one dimension at a time",
                naive="torch.unsqueeze(x, [0, 2])",
                example=case("paddle.unsqueeze(x, [0, 2])", "x[None, :, None]", x="float 2,3"),
            ),
        ),
    ),
    function(
        "concat",
        "cat",
        FILE,
        "copies",
        case("paddle.concat([x, y], axis=1)", "torch.cat([x, y], dim=1)", x="float 2,3", y="float 2,4"),
        arguments=(Argument("x", "tensors"), AXIS),
    ),
    function(
        "stack",
        "stack",
        FILE,
        "copies",
        case("paddle.stack([x, y], axis=1)", "torch.stack([x, y], dim=1)", x="float 2,3", y="float 2,3"),
        arguments=(Argument("x", "tensors"), AXIS),
    ),
    function(
        "split",
        "split",
        FILE,
        "the parts",
        case("paddle.split(x, 2)", "torch.split(x, x.shape[0] // 2)", x="float 6,3"),
        case("paddle.split(x, [1, -1], axis=1)", "torch.split(x, [1, x.shape[1] - 1], dim=1)", x="float 6,3"),
        arguments=(
            Argument("x", "tensor"),
            Argument(
                "num_or_sections",
                "split_size_or_sections",
                note="a number: how many | how long; -1: the rest",
            ),
            AXIS,
        ),
        traps=(
            Trap("a number is how many parts in Paddle, how long a part in torch", naive="torch.split(x, 2)"),
            Trap(
                "-1 among the lengths is the rest in Paddle",
                naive="torch.split(x, [2, -1])",
                example=case("paddle.split(x, [2, -1])", "torch.split(x, [2, 4])", x="float 6,3"),
            ),
        ),
    ),
    function(
        "chunk",
        "chunk",
        FILE,
        "the parts",
        case("paddle.chunk(x, 3, axis=1)", "torch.chunk(x, 3, dim=1)", x="float 2,6"),
        case("paddle.chunk(x, 2)", "torch.chunk(x, 2)", x="float 6,2"),
        arguments=(X_INPUT, Argument("chunks", "chunks"), AXIS),
    ),
    *(
        function(
            name,
            "unbind",
            FILE,
            "the slices along one dimension",
            case(f"paddle.{name}(x, axis=1)", "torch.unbind(x, dim=1)", x="float 2,3"),
            arguments=(AXIS,),
        )
        for name in ("unbind", "unstack")
    ),
    function(
        "expand",
        "Tensor.expand",
        FILE,
        "repeats dimensions of size 1",
        case("paddle.expand(x, [3, 2])", "x.expand(3, 2)", x="float 1,2"),
        case("paddle.expand(x, [4, -1, 2])", "x.expand(4, -1, 2)", x="float 3,1"),
        exactness=Exactness.ALGEBRA,
        arguments=(Argument("x", None), Argument("shape", None, note="torch: separate numbers or one list")),
        traps=(Trap("torch has the method only", naive="torch.expand(x, [3, 2])"),),
    ),
    function(
        "expand_as",
        "Tensor.expand_as",
        FILE,
        "repeats dimensions of size 1",
        case("paddle.expand_as(x, y)", "x.expand_as(y)", x="float 1,2", y="float 3,2 constant"),
    ),
    function(
        "broadcast_to",
        "broadcast_to",
        FILE,
        "repeats dimensions of size 1",
        case("paddle.broadcast_to(x, [3, 2])", "torch.broadcast_to(x, [3, 2])", x="float 1,2"),
        arguments=(X_INPUT, Argument("shape", "size")),
    ),
    function(
        "tile",
        "tile",
        FILE,
        "copies of the whole tensor side by side",
        case("paddle.tile(x, [2, 3])", "torch.tile(x, [2, 3])", x="float 2,2"),
        case("paddle.tile(x, [2])", "torch.tile(x, [2])", x="float 2,2"),
        arguments=(X_INPUT, Argument("repeat_times", "dims")),
        exactness=Exactness.ALGEBRA,
        traps=(
            Trap(
                "torch's repeat_interleave repeats single elements, which is numpy's repeat, not tile",
                naive="torch.repeat_interleave(x, 2, 0).repeat_interleave(3, 1)",
            ),
        ),
    ),
    function(
        "repeat_interleave",
        "repeat_interleave",
        FILE,
        "each element several times",
        case("paddle.repeat_interleave(x, 2, axis=1)", "torch.repeat_interleave(x, 2, dim=1)", x="float 2,3"),
        case("paddle.repeat_interleave(x, 2)", "torch.repeat_interleave(x, 2)", x="float 2,3"),
        case(
            "paddle.repeat_interleave(x, n, axis=0)",
            "torch.repeat_interleave(x, n, dim=0)",
            x="float 3,2",
            n="= [1, 0, 2]",
        ),
        arguments=(X_INPUT, Argument("repeats", "repeats"), AXIS),
        traps=(
            Trap(
                "torch's method `repeat` is tile",
                naive="x.repeat(1, 2)",
            ),
        ),
    ),
    function(
        "flip",
        "flip",
        FILE,
        "copies in the other order",
        case("paddle.flip(x, [0, 2])", "torch.flip(x, [0, 2])", x="float 2,3,4"),
        case("paddle.flip(x, 1)", "torch.flip(x, [1])", x="float 2,3,4"),
        arguments=(X_INPUT, Argument("axis", "dims")),
        traps=(
            Trap("the name differs, and the function wants a list", naive="torch.flip(x, axis=1)"),
            Trap(
                "torch has no negative steps",
                naive="x[:, ::-1]",
                example=case("x[:, ::-1]", "torch.flip(x, [1])", x="float 2,3"),
            ),
        ),
    ),
    function(
        "roll",
        "roll",
        FILE,
        "copies, wrapped around",
        case("paddle.roll(x, 2, axis=1)", "torch.roll(x, 2, dims=1)", x="float 2,5"),
        case("paddle.roll(x, [1, -1], axis=[0, 1])", "torch.roll(x, [1, -1], dims=[0, 1])", x="float 2,5"),
        case("paddle.roll(x, 3)", "torch.roll(x, 3)", x="float 2,5"),
        arguments=(X_INPUT, Argument("shifts", "shifts"), Argument("axis", "dims")),
    ),
    function(
        "rot90",
        "rot90",
        FILE,
        "copies, turned",
        case("paddle.rot90(x)", "torch.rot90(x)", x="float 2,3"),
        case("paddle.rot90(x, -1, [1, 2])", "torch.rot90(x, -1, [1, 2])", x="float 2,3,4"),
        arguments=(X_INPUT, Argument("k", "k"), Argument("axes", "dims")),
    ),
)
