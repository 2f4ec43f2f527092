"""What `paddle.save` writes is read back bit by bit, in every protocol and shape, without Paddle."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import paddle
import pytest

from convert import ConvertError, open_checkpoint
from convert.checkpoint.checkpoint import TENSORS_MOST
from convert.checkpoint.pickle_machine import OPCODES_MOST, PickleMachine
from convert.checkpoint.source import SourceFile

PROTOCOLS = [2, 3, 4]


def assert_same(path: Path, expected: dict[str, Any], **options: Any) -> None:
    with open_checkpoint(path, **options) as checkpoint:
        assert list(checkpoint) == list(expected)
        for name, value in expected.items():
            array = value.numpy() if hasattr(value, "numpy") else np.asarray(value)
            assert checkpoint[name].shape == array.shape
            assert checkpoint[name].nbytes == array.nbytes
            assert checkpoint[name].dtype == array.dtype
            np.testing.assert_array_equal(checkpoint[name].numpy(), array, strict=True)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_state_dict_is_read_bit_by_bit_with_its_table_of_names(everything, save, protocol):
    path = save(everything.state_dict(), protocol=protocol)
    assert_same(path, everything.state_dict())
    with open_checkpoint(path) as checkpoint:
        assert checkpoint.protocol == protocol
        assert checkpoint.format == "pdparams"
        for name, tensor in everything.state_dict().items():
            assert checkpoint.parameter_names[name] == tensor.name


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_only_state_dict_of_a_nested_dictionary_is_found(everything, save, protocol):
    path = save({"epoch": 3, "model": everything.state_dict(), "lr": 0.5}, protocol=protocol)
    assert_same(path, everything.state_dict())
    with open_checkpoint(path) as checkpoint:
        assert checkpoint.facts.key == "model"
        assert checkpoint.extras == {"epoch": 3, "lr": 0.5}
        assert checkpoint.parameter_names["fc.weight"] == everything.fc.weight.name


def test_of_two_state_dicts_one_must_be_chosen(everything, save):
    path = save({"model": everything.state_dict(), "ema": everything.state_dict()})
    with pytest.raises(ConvertError, match=r"holds 2 state dicts; choose one with --key: model .*, ema"):
        open_checkpoint(path)
    assert_same(path, everything.state_dict(), key="ema")
    with pytest.raises(ConvertError, match=r"no state dict at key 'em' \(nearest: ema"):
        open_checkpoint(path, key="em")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_arrays_of_every_type_shape_and_order(save, protocol):
    random = np.random.default_rng(0)
    arrays = {
        "float16": random.standard_normal((2, 3)).astype("float16"),
        "float64": random.standard_normal((2, 3)),
        "int8": np.arange(-3, 3, dtype="int8"),
        "uint8": np.arange(256, dtype="uint8"),
        "int32": np.arange(7, dtype="int32"),
        "int64": np.array([-(2**60), 2**60]),
        "bool": np.array([[True, False]]),
        "complex64": random.standard_normal(4).astype("complex64"),
        "scalar": np.array(3.5, dtype="float32"),
        "empty": np.zeros((0, 4), dtype="float32"),
        "fortran": np.asfortranarray(random.standard_normal((5, 3)).astype("float32")),
        "fortran3": np.asfortranarray(random.standard_normal((2, 3, 4)).astype("float32")),
        "nan": np.array([np.nan, np.inf, -np.inf, -0.0], dtype="float32"),
        "long": random.standard_normal(300_000).astype("float32"),
    }
    path = save({name: paddle.to_tensor(array) for name, array in arrays.items()}, protocol=protocol)
    assert_same(path, arrays)
    with Path(path).open("wb") as stream:  # numpy itself keeps the column-major order that Paddle undoes
        pickle.dump(arrays, stream, protocol=protocol)
    assert_same(path, arrays)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_bfloat16_is_known_by_its_name(save, protocol):
    tensor = paddle.to_tensor([1.0, -2.5, 3.0]).astype("bfloat16")
    with open_checkpoint(save({"x": tensor}, protocol=protocol)) as checkpoint:
        assert checkpoint["x"].dtype_name == "bfloat16"
        np.testing.assert_array_equal(checkpoint["x"].numpy(), np.array([0x3F80, 0xC020, 0x4040], "uint16"))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_lists_and_single_tensors_get_numbers_for_names(save, protocol):
    assert_same(
        save([paddle.ones([2]), paddle.zeros([3])], protocol=protocol),
        {"0": np.ones(2, "f4"), "1": np.zeros(3, "f4")},
    )
    assert_same(save(paddle.ones([2]), protocol=protocol), {"tensor": np.ones(2, "f4")})


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_tied_weights_are_read_under_both_names(save, protocol):
    weight = np.arange(6, dtype="float32")
    path = save({"a": paddle.to_tensor(weight)}, protocol=protocol)
    with path.open("wb") as stream:
        pickle.dump({"encoder": weight, "decoder": weight}, stream, protocol=protocol)
    assert_same(path, {"encoder": weight, "decoder": weight})
    with open_checkpoint(path) as checkpoint:
        assert checkpoint.facts.notes == ("1 tensor with the data of another (tied weights)",)


@pytest.mark.parametrize("protocol", [2, 3])
def test_slices_of_a_large_array_are_joined(save, protocol, monkeypatch):
    from paddle.framework import io, io_utils

    def small(value: Any, protocol: int) -> Any:  # the limit is 4 GB: the real function with a small one
        source = Path(io_utils.__file__).read_text()
        start = source.index("def _unpack_saved_dict")
        body = source[start : source.index("\ndef ", start + 1)].replace("2**30 - 1", "2**6")
        scope = dict(vars(io_utils))
        exec(body, scope)
        return scope["_unpack_saved_dict"](value, protocol)

    monkeypatch.setattr(io, "_unpack_saved_dict", small)
    arrays = {"small": np.ones(3, "float32"), "big": np.arange(100, dtype="float32").reshape(10, 10)}
    path = save({name: paddle.to_tensor(array) for name, array in arrays.items()}, protocol=protocol)
    assert b"UnpackBigParamInfor@@" in path.read_bytes()
    with open_checkpoint(path) as checkpoint:
        assert set(checkpoint) == set(arrays)
        for name, array in arrays.items():
            np.testing.assert_array_equal(checkpoint[name].numpy(), array, strict=True)


def test_a_static_tensor_is_recognised_without_evaluating_anything(tmp_path):
    class Static:
        def __reduce__(self) -> Any:  # paddle/framework/io.py:453
            return eval, ("data", {"data": np.arange(3, dtype="float32")})

    path = tmp_path / "static.pdparams"
    path.write_bytes(pickle.dumps({"x": Static()}, protocol=4))
    assert_same(path, {"x": np.arange(3, dtype="float32")})


def test_safetensors_written_by_paddle_are_read(everything, tmp_path):
    path = tmp_path / "net.safetensors"
    paddle.save(everything.state_dict(), str(path), safetensors=True)
    with open_checkpoint(path) as checkpoint:
        assert checkpoint.format == "safetensors"
        for name, tensor in everything.state_dict().items():
            np.testing.assert_array_equal(checkpoint[name].numpy(), tensor.numpy(), strict=True)


def test_reading_needs_neither_framework(everything, save):
    path = save(everything.state_dict())
    code = (
        "import sys; from convert import open_checkpoint\n"
        f"checkpoint = open_checkpoint({str(path)!r})\n"
        "assert len(checkpoint) == 20, len(checkpoint)\n"
        "assert not {'torch', 'paddle', 'numpy'} & set(sys.modules)\n"
        "checkpoint['fc.weight'].numpy()\n"
        "assert not {'torch', 'paddle'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_closed_checkpoint_says_so(everything, save):
    with open_checkpoint(save(everything.state_dict())) as checkpoint:
        pass
    with pytest.raises(ConvertError, match=r"was closed"):
        checkpoint["fc.weight"].numpy()


def test_an_unknown_name_is_answered_with_the_nearest(everything, save):
    with (
        open_checkpoint(save(everything.state_dict())) as checkpoint,
        pytest.raises(KeyError, match=r"nearest: fc.weight"),
    ):
        checkpoint["fc.weigth"]


@pytest.mark.parametrize("protocol", [2, 3, 4])
@pytest.mark.parametrize("container", [lambda state: state, lambda state: {"model": state, "epoch": 1}])
def test_a_hundred_thousand_tensors_are_no_attack(save, protocol, container):
    def instructions(count):
        state = paddle.nn.ParameterList(
            [paddle.create_parameter([16], "float32") for _ in range(count)]
        ).state_dict()
        machine = PickleMachine(SourceFile(save(container(state), protocol=protocol)))
        machine.run()
        return machine.steps

    assert (instructions(220) - instructions(20)) / 200 * TENSORS_MOST < OPCODES_MOST
