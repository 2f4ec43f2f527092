"""Builds the pair of a case: edited sources become real files, so that line numbers mean something."""

from __future__ import annotations

import atexit
import difflib
import hashlib
import importlib.util
import shutil
import sys
import tempfile
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np
import torch

from tests.mutants.cases import Case, Edit, Network
from tests.mutants.networks import NETWORKS
from tests.mutants.weights import OPERATIONS, converted, fill_paddle, fold_batchnorm

HERE = Path(__file__).parent / "networks"


@dataclass(frozen=True)
class Pair:
    paddle: object
    torch: torch.nn.Module
    inputs: tuple[np.ndarray, ...]


def build(case: Case) -> Pair:
    """Both models with the weights of the network's seed; the case's mistakes are in place."""
    network = NETWORKS[case.network]
    paddle_model = load("paddle_side", network.name, case.paddle).build()
    fill_paddle(paddle_model, network.seed)
    for verb, *arguments in case.weights:
        if verb in PADDLE_OPERATIONS:
            PADDLE_OPERATIONS[verb](paddle_model, *arguments)
    torch.manual_seed(network.seed)
    torch_model = load("torch_side", case.source or network.name, case.edits).build()
    state = converted(paddle_model, torch_model, case.pairs, case.unloaded)
    for verb, *arguments in case.weights:
        if verb in OPERATIONS:
            OPERATIONS[verb](state, *arguments)
    for verb, *arguments in case.weights:
        if verb == "fold":
            arrays = {name: tensor.numpy() for name, tensor in paddle_model.state_dict().items()}
            fold_batchnorm(state, arrays, *arguments)
    tensors = {key: torch.from_numpy(np.ascontiguousarray(array)) for key, array in state.items()}
    unexpected = torch_model.load_state_dict(tensors, strict=False).unexpected_keys
    if unexpected:
        raise ValueError(f"{case.name}: torch has no {unexpected}")
    for verb, *arguments in case.weights:
        if verb == "into":
            _load_into(paddle_model, torch_model, *arguments)
    return Pair(paddle_model, torch_model, make_inputs(network))


def make_inputs(network: Network) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(network.seed)
    return tuple(
        rng.normal(size=spec.shape).astype(np.float32)
        if spec.below is None
        else rng.integers(0, spec.below, spec.shape)
        for spec in network.inputs
    )


def _fill_row(paddle_model, name: str, row: int, value: float) -> None:
    tensor = paddle_model.state_dict()[name]
    array = tensor.numpy()
    array[row] = np.linspace(-value, value, array.shape[1])
    tensor.set_value(array)


def _make_positive(paddle_model, name: str) -> None:
    tensor = paddle_model.state_dict()[name]
    tensor.set_value(np.abs(tensor.numpy()) + np.float32(0.1))


PADDLE_OPERATIONS = {"paddle_row": _fill_row, "paddle_positive": _make_positive}


def _load_into(paddle_model, torch_model, attribute: str, index: int, paddle_path: str) -> None:
    """Right values for a layer that hides in a plain list of the torch model."""
    hidden = getattr(torch_model, attribute)[index]
    state = converted(dict(paddle_model.named_sublayers())[paddle_path], hidden, {}, ())
    hidden.load_state_dict(
        {key: torch.from_numpy(array.copy()) for key, array in state.items()}, strict=False
    )


def edited(source: str, edits: tuple[Edit, ...], name: str = "source") -> str:
    for old, new in edits:
        if source.count(old) != 1:
            raise ValueError(f"{name}: {old!r} occurs {source.count(old)} times, must be once")
        source = source.replace(old, new)
    return source


def torch_source(case: Case) -> str:
    """The torch source with the case's edits."""
    path = HERE / "torch_side" / f"{case.source or case.network}.py"
    return edited(path.read_text(), case.edits, case.name)


def edited_lines(case: Case) -> set[int]:
    """Line numbers of the torch source that the case's edits wrote (1-based, in the edited file)."""
    before = torch_source(replace(case, edits=())).splitlines()
    after = torch_source(case).splitlines()
    changed = set()
    for tag, _, _, first, last in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag != "equal":
            changed |= set(range(first + 1, max(last, first + 1) + 1))
    return changed


@cache
def load(side: str, name: str, edits: tuple[Edit, ...] = ()) -> ModuleType:
    """The module of a source file with edits applied, written under its own name and imported from there."""
    path = HERE / side / f"{name}.py"
    module_name = f"tests.mutants.networks.{side}.{name}"
    if edits:
        text = edited(path.read_text(), edits, f"{side}/{name}")
        digest = hashlib.sha256(repr((side, name, edits)).encode()).hexdigest()[:12]
        path = _scratch() / digest / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        module_name = f"mutant_{digest}_{name}"
    spec = importlib.util.spec_from_file_location(module_name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module  # where `inspect` looks a class's source up
    spec.loader.exec_module(module)
    return module


@cache
def _scratch() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="mutants-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
