"""Pieces that every device of a tensor-parallel run saved are one checkpoint."""

from __future__ import annotations

import numpy as np
import paddle
import pytest
import torch

from convert import ConvertError, open_checkpoint

HIDDEN, PIECES = 6, 3


def whole() -> dict[str, np.ndarray]:
    """A layer as PaddleNLP calls it: two cut projections, a norm, an embedding, and a head whose name tells nothing."""
    random = np.random.default_rng(0)
    shapes = {
        "embed_tokens.weight": (9, HIDDEN),
        "layer.q_proj.weight": (HIDDEN, 12),
        "layer.q_proj.bias": (12,),
        "layer.o_proj.weight": (12, HIDDEN),
        "layer.o_proj.bias": (HIDDEN,),
        "norm.weight": (HIDDEN,),
        "head.weight": (HIDDEN, 9),
    }
    return {name: random.standard_normal(shape).astype("float32") for name, shape in shapes.items()}


CUT = {
    "embed_tokens.weight": 0,
    "layer.q_proj.weight": 1,
    "layer.q_proj.bias": 0,
    "layer.o_proj.weight": 0,
    "head.weight": 1,
}


@pytest.fixture
def pieces(tmp_path):
    state = whole()
    for number in range(PIECES):
        piece = {
            name: np.split(value, PIECES, CUT[name])[number] if name in CUT else value
            for name, value in state.items()
        }
        paddle.save(piece, str(tmp_path / f"model_state.tp{number:02}.pdparams"))
    return tmp_path


@pytest.mark.parametrize("named", ["", "model_state.tp01.pdparams", "model_state"])
def test_pieces_are_joined_by_what_their_names_tell(pieces, named):
    with open_checkpoint(pieces / named if named else pieces, join=["head.weight=1"]) as checkpoint:
        for name, value in whole().items():
            np.testing.assert_array_equal(checkpoint[name].numpy(), value)
        assert "3 pieces of tensor-parallel shards: 5 tensors joined, 2 whole" in checkpoint.facts.notes


def test_the_command_converts_pieces_and_says_what_it_needs(in_process, pieces):
    words = ("convert", ".", "--model", "none", "-o", "out.pth")
    done = in_process(*words, cwd=pieces)
    assert done.returncode == 2
    assert "do not tell how the pieces are joined: head.weight; say it with --join" in done.stderr
    done = in_process(*words, "--join", "head.*=1", cwd=pieces)
    assert done.returncode == 0, done.stderr
    saved = torch.load(pieces / "out.pth", weights_only=True)
    done = in_process(*words, "--join", "head.*=1", "--sha256", "--force", cwd=pieces)
    assert done.returncode == 2
    assert "--sha256 is for one file" in done.stderr
    assert {name: tuple(value.shape) for name, value in saved.items()}["head.weight"] in ((9, 6), (6, 9))


def test_a_fused_projection_is_never_guessed_and_its_parts_are_joined_each(tmp_path):
    q, k = (np.arange(8, dtype="float32").reshape(2, 4) + start for start in (0, 100))
    for number in range(2):
        cut = [np.split(part, 2, 1)[number] for part in (q, k)]
        paddle.save({"qk_proj.weight": np.concatenate(cut, 1)}, str(tmp_path / f"m.tp{number:02}.pdparams"))
    with pytest.raises(ConvertError, match=r"do not tell how the pieces are joined: qk_proj.weight"):
        open_checkpoint(tmp_path)
    with open_checkpoint(tmp_path, join=["*qk_proj.weight=1:2"]) as checkpoint:
        np.testing.assert_array_equal(checkpoint["qk_proj.weight"].numpy(), np.concatenate([q, k], 1))


@pytest.mark.parametrize(
    ("join", "message"),
    [
        (["head"], "write --join 'PATTERN=AXIS'"),
        (["tail.*=0"], "no tensor has such a name"),
        (["head.weight=2"], "cannot be joined along axis 2"),
        (["head.weight=0:4"], "along axis 0 of 4 parts"),
    ],
)
def test_a_wrong_join_is_answered(pieces, join, message):
    with pytest.raises(ConvertError, match=message):
        open_checkpoint(pieces, join=join)


def test_pieces_that_do_not_belong_together_are_refused(pieces):
    (pieces / "model_state.tp01.pdparams").unlink()
    with pytest.raises(ConvertError, match=r"number 01 is not there, and the last one is number 02"):
        open_checkpoint(pieces)
    paddle.save({"other": np.zeros(3, "float32")}, str(pieces / "model_state.tp01.pdparams"))
    with pytest.raises(ConvertError, match=r"is not in every piece"):
        open_checkpoint(pieces, join=["head.weight=1"])
    with pytest.raises(ConvertError, match=r"--join is for the pieces"):
        open_checkpoint(pieces / "missing.pdparams", join=["head.weight=1"])


def test_a_later_piece_without_the_first_is_no_checkpoint(pieces):
    for number in (0, 1):
        (pieces / f"model_state.tp0{number}.pdparams").unlink()
    for path in (pieces, pieces / "model_state.tp02.pdparams"):
        with pytest.raises(ConvertError, match=r"number 00 is not there, and the last one is number 02"):
            open_checkpoint(path)
