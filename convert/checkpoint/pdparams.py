"""`.pdparams` and `.pdopt`: the three shapes of pickle that `paddle.save` writes.

A state dict with a table of parameter names; nested containers whose tensors are `(name, array)` pairs;
a static program's plain dictionary. See facts/checkpoints.md, and paddle/framework/io.py:85, 432, 529,
964 (paddlepaddle 3.3.1) for the writing side.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from convert.checkpoint.accumulators import accumulators_among, are_accumulators
from convert.checkpoint.checkpoint import NAME_MOST, Checkpoint, FileFacts, require_tensors, text_keys
from convert.checkpoint.payload import JoinedPayload
from convert.checkpoint.pickle_calls import MOST_SHARES
from convert.checkpoint.pickle_machine import HostilePickle, PickleMachine
from convert.checkpoint.pickle_values import Array, Value
from convert.checkpoint.source import SourceFile
from convert.checkpoint.tensor import TensorRef, plain_shape
from convert.errors import ConvertError
from convert.names import counted, did_you_mean, listed, shown

NAME_TABLE = "StructuredToParameterName@@"
SLICE_TABLE = "UnpackBigParamInfor@@"
MASTER_WEIGHTS = "master_weights"
SCHEDULER = "LR_Scheduler"
_BESIDE_A_STATE_DICT = (MASTER_WEIGHTS, SCHEDULER, NAME_TABLE, SLICE_TABLE)
DEPTH_MOST = 32
NODES_FREE = 1000
STATES_MOST = 10_000


@dataclass(frozen=True)
class StateDict:
    """One dictionary of the file that directly holds tensors."""

    key: str
    arrays: Mapping[str, Array]
    names: Mapping[str, str]
    slices: Mapping[str, Value]
    others: Mapping[str, Value]

    @property
    def is_scalars(self) -> bool:
        """Whether it is only a few numbers, such as a learning rate kept as a tensor."""
        return all(array.shape in ((), (1,)) for array in self.arrays.values())

    @property
    def is_optimizer(self) -> bool:
        """Whether it holds nothing but what an optimizer keeps."""
        return are_accumulators(self.arrays)

    def apart(self) -> tuple[StateDict, StateDict]:
        """The weights, and what an optimizer keeps of them, of a dictionary that has both."""
        kept = set(accumulators_among(self.arrays, {*self.names.values(), *self.arrays}))
        return (
            replace(self, arrays={name: array for name, array in self.arrays.items() if name not in kept}),
            replace(self, arrays={name: array for name, array in self.arrays.items() if name in kept}),
        )


@dataclass
class _Walk:
    """Finds the state dicts of a value; counts its steps, so that shared containers cannot explode."""

    path: Path
    most: int
    """How many values there may be: what the pickle's instructions can honestly have made."""
    found: list[StateDict] = field(default_factory=list)
    nodes: int = 0

    def visit(self, value: Value, key: str, depth: int) -> None:
        if depth > DEPTH_MOST:
            raise HostilePickle(f"{self.path}: containers nested more than {DEPTH_MOST} deep; refused")
        if len(key) > NAME_MOST:
            raise HostilePickle(f"{self.path}: a key path of more than {NAME_MOST} characters; refused")
        arrays: dict[str, Array] = {}
        names: dict[str, str] = {}
        others: dict[str, Value] = {}
        for name, item in _items(self.path, value):
            self.nodes += 1
            if self.nodes > self.most:
                raise HostilePickle(f"{self.path}: containers that share their contents many times; refused")
            array, parameter = _as_array(item)
            if array is None:
                others[name] = item
            else:
                arrays[name] = array
                if parameter is not None:
                    names[name] = parameter
        if arrays:
            table = _text_table(others.get(NAME_TABLE))
            slices = others.get(SLICE_TABLE)
            if len(self.found) == STATES_MOST:
                raise HostilePickle(f"{self.path}: more than {STATES_MOST} state dicts in one file; refused")
            self.found.append(
                StateDict(key, arrays, table or names, slices if isinstance(slices, dict) else {}, others)
            )
        for name, item in others.items():
            if isinstance(item, (dict, list, tuple)) and name not in (NAME_TABLE, SLICE_TABLE):
                self.visit(item, f"{key}.{name}" if key else name, depth + 1)


def open_pdparams(source: SourceFile, *, key: str | None = None, empty: bool = False) -> Checkpoint:
    """Read a `.pdparams` or `.pdopt`; `key` chooses among nested state dicts. `empty`: it may hold no tensors at all."""
    machine = PickleMachine(source)
    root = machine.run()
    states = find_state_dicts(source.path, root, machine.steps)
    if empty and key is None and not states and isinstance(root, dict):
        top = StateDict("", {}, {}, {}, dict(text_keys(source.path, root)))
        return _checkpoint(source, machine, root, top, empty=True)
    if not states and key is None and isinstance(root, dict) and root:
        raise ConvertError(
            f"{source.path}: holds no tensors but what a run notes of itself ({listed([shown(name) for name in root])}), so there is "
            "nothing to convert; the weights are in another file, and inspect shows this one"
        )
    chosen = choose(source.path, states, key)
    weights, kept = chosen.apart()
    other = next((state.key for state in states if state.is_optimizer), "" if kept.arrays else None)
    if kept.arrays and weights.arrays and not empty:
        chosen = weights
    opened = _checkpoint(source, machine, root, chosen)
    return replace(opened, facts=replace(opened.facts, optimizer=None if chosen.is_optimizer else other))


def open_pdopt(source: SourceFile, parameters: Collection[str] = ()) -> tuple[Checkpoint, Checkpoint | None]:
    """Read a `.pdopt`: its accumulators (SGD has none) with `LR_Scheduler` in `extras`, and its master weights.

    Of several optimizers in one file, it is that of the `parameters`.
    """
    machine = PickleMachine(source)
    root = machine.run()
    states = find_state_dicts(source.path, root, machine.steps)
    table = dict(text_keys(source.path, root)) if isinstance(root, dict) else {}
    top = _optimizer_in(source.path, states, table, parameters)
    if SCHEDULER not in top.others and SCHEDULER not in table:
        found = [item for item in (table, *table.values()) if is_schedule(item)]
        if len(found) == 1:
            top = replace(top, others={**top.others, SCHEDULER: found[0]})
    key = f"{top.key}.{MASTER_WEIGHTS}" if top.key else MASTER_WEIGHTS
    masters = next((state for state in states if state.key == key), None)
    return (
        _checkpoint(source, machine, root, top, empty=True),
        None if masters is None else _checkpoint(source, machine, root, masters),
    )


def is_schedule(value: Value) -> bool:
    """Whether it is what a learning rate schedule saves of itself."""
    return isinstance(value, dict) and {"last_epoch", "last_lr"} <= value.keys()


def _optimizer_in(
    path: Path, states: list[StateDict], table: Mapping[str, Value], parameters: Collection[str]
) -> StateDict:
    """The state dict of an optimizer: the only one, or the one that keeps something of the parameters."""
    found = [state for state in states if state.is_optimizer]
    found += [kept for state in states if not state.is_optimizer and (kept := state.apart()[1]).arrays]
    if len(found) > 1:
        found = [state for state in found if accumulators_among(state.arrays, parameters)]
    if len(found) > 1:
        raise ConvertError(
            f"{path}: holds {len(found)} optimizers that keep something of these weights: {_list(found)}; "
            "save the one that is meant in a file of its own"
        )
    top = next(
        (state for state in states if not state.key), None
    )  # what is wrong with it is told by name later
    if found or top is not None:
        return found[0] if found or top is None else top
    without = [("", table), *((name, item) for name, item in table.items() if isinstance(item, dict))]
    for name, item in without:  # plain SGD keeps nothing
        if SCHEDULER in item or MASTER_WEIGHTS in item or is_schedule(item):
            return StateDict(name, {}, {}, {}, {} if is_schedule(item) else dict(text_keys(path, item)))
    if table.keys() <= {NAME_TABLE, SLICE_TABLE}:
        return StateDict("", {}, {}, {}, table)
    raise ConvertError(f"{path}: holds neither the state of an optimizer nor a schedule; is it the .pdopt?")


def _checkpoint(
    source: SourceFile, machine: PickleMachine, root: Value, chosen: StateDict, *, empty: bool = False
) -> Checkpoint:
    tensors = _tensors(source.path, chosen)
    if tensors or not empty:
        require_tensors(source.path, tensors)
    notes = []
    if machine.end != source.size:
        notes.append(f"{source.size - machine.end} bytes follow the end of the pickle")
    if chosen.slices:
        notes.append(f"stored in slices: {counted(len(chosen.slices), 'large array')}")
    shared = len(tensors) - len({id(array) for array in chosen.arrays.values()})
    if shared > 0 and not chosen.slices:
        notes.append(f"{counted(shared, 'tensor')} with the data of another (tied weights)")
    facts = FileFacts(
        "pdparams", source.size, machine.protocol, _shape_of(root, chosen), chosen.key, tuple(notes)
    )
    return Checkpoint(
        source.path,
        MappingProxyType(tensors),
        facts,
        MappingProxyType({name: chosen.names[name] for name in tensors if name in chosen.names}),
        MappingProxyType(_extras(source.path, root, chosen)),
        (source.close,),
        (source.check_unchanged,),
    )


def find_state_dicts(path: Path, root: Value, steps: int) -> list[StateDict]:
    """Every dictionary (or list) in the value that directly holds tensors, outermost first.

    `steps` is how many instructions made the value.
    """
    walk = _Walk(path, NODES_FREE + steps)
    array, _ = _as_array(root)
    walk.visit({"tensor": root} if array is not None else root, "", 0)
    return walk.found


def choose(path: Path, states: list[StateDict], key: str | None) -> StateDict:
    """The state dict to convert: the one at `key`, or the only one there is."""
    if not states:
        raise ConvertError(f"{path}: holds no tensors, so there is nothing to convert")
    if key is not None:
        chosen = [state for state in states if state.key == key]
        if len(chosen) == 1:
            return chosen[0]
        if chosen:
            raise ConvertError(f"{path}: {len(chosen)} state dicts are at key {shown(key)!r}; refused")
        keys = [state.key for state in states]
        raise ConvertError(
            f"{path}: no state dict at key {shown(key)!r}{did_you_mean(key, keys)}; there are: {_list(states)}"
        )
    candidates = [state for state in states if state.key.rpartition(".")[2] not in _BESIDE_A_STATE_DICT]
    candidates = [state for state in candidates if not state.is_scalars] or candidates or states
    candidates = [state for state in candidates if not state.is_optimizer] or candidates
    if len(candidates) > 1:
        raise ConvertError(
            f"{path}: holds {len(candidates)} state dicts; choose one with --key: {_list(candidates)}"
        )
    return candidates[0]


def _list(states: list[StateDict]) -> str:
    return ", ".join(
        f"{shown(state.key) or '(top level)'} ({counted(len(state.arrays), 'tensor')})"
        for state in states[:20]
    )


def _items(path: Path, value: Value) -> Iterable[tuple[str, Value]]:
    if isinstance(value, dict):
        return text_keys(path, value)
    if isinstance(value, (list, tuple)):
        return ((str(index), item) for index, item in enumerate(value))
    return ()


def _as_array(value: Value) -> tuple[Array | None, str | None]:
    """An array, or the `(parameter name, array)` pair that containers hold."""
    name = None
    if type(value) is tuple and len(value) == 2 and type(value[0]) is str:
        name, value = value
    return (value, name) if type(value) is Array and value.kind is not None else (None, None)


def _text_table(value: Value) -> dict[str, str]:
    if not isinstance(value, dict):
        return {}
    return {name: text for name, text in value.items() if isinstance(name, str) and isinstance(text, str)}


def _tensors(path: Path, state: StateDict) -> dict[str, TensorRef]:
    owners: dict[str, str] = {}
    slices: dict[str, tuple[tuple[int, ...], list[str]]] = {}
    for key, info in state.slices.items():
        name = str(key)
        slices[name] = _slices(path, name, info)
        if name in state.arrays or name in owners:
            raise ConvertError(f"{path}: holds {shown(name)!r} both whole and in slices; the file is damaged")
        for part in slices[name][1]:
            if owners.setdefault(part, name) != name or part in state.slices:
                raise ConvertError(f"{path}: {shown(part)!r} is a slice of two arrays; the file is damaged")
    tensors: dict[str, TensorRef] = {}
    for name, array in state.arrays.items():
        owner = owners.get(name)
        if owner is None:
            tensors[name] = _ref(path, name, array)
        elif owner not in tensors:
            tensors[owner] = _join(path, owner, state, *slices[owner])
    for name, (shape, parts) in slices.items():
        if name not in tensors:  # none of its slices is there
            tensors[name] = _join(path, name, state, shape, parts)
    return tensors


def _slices(path: Path, name: str, info: Value) -> tuple[tuple[int, ...], list[str]]:
    """The shape and the slices of a large array, as the file's table says them."""
    match info:
        case {"OriginShape": list() | tuple() as sizes, "slices": list() | tuple() as pieces}:
            shape = plain_shape(sizes)
            parts = [piece for piece in pieces if isinstance(piece, str)]
            if shape is not None and len(parts) == len(pieces):
                return shape, parts
    raise ConvertError(f"{path}: what it says of the slices of {shown(name)!r} is wrong; the file is damaged")


def _ref(path: Path, name: str, array: Array) -> TensorRef:
    if array.kind is None or array.payload is None:
        raise ConvertError(f"{path}: the array {shown(name)!r} has no data; the file is damaged")
    array.uses += 1
    if array.uses > MOST_SHARES and array.payload.nbytes > 16:
        raise HostilePickle(
            f"{path}: one array under more than {MOST_SHARES} names (such as {shown(name)!r}); refused"
        )
    return TensorRef(array.shape, array.kind, array.payload, array.fortran)


def _join(path: Path, name: str, state: StateDict, shape: tuple[int, ...], pieces: list[str]) -> TensorRef:
    """A large array that protocols 2 and 3 keep in flat slices (paddle/framework/io_utils.py:238)."""
    missing = next((piece for piece in pieces if piece not in state.arrays), None)
    if missing is not None:
        raise ConvertError(
            f"{path}: the slice {shown(missing)!r} of {shown(name)!r} is missing; the file is damaged"
        )
    parts = [_ref(path, piece, state.arrays[piece]) for piece in pieces]
    joined = (
        TensorRef(shape, parts[0].kind, JoinedPayload([part.payload for part in parts])) if parts else None
    )
    if (
        joined is None
        or len({part.kind.name for part in parts}) != 1
        or joined.nbytes != joined.payload.nbytes
    ):
        raise ConvertError(
            f"{path}: the slices of {shown(name)!r} do not make up its shape {shown(shape)}; the file is damaged"
        )
    return joined


def _shape_of(root: Value, chosen: StateDict) -> str:
    if NAME_TABLE in chosen.others:
        return "state dict with a table of parameter names"
    if chosen.names:
        return "container of named tensors"
    return "dictionary of arrays without a table of names" if isinstance(root, dict) else "arrays"


def _extras(path: Path, root: Value, chosen: StateDict) -> dict[str, object]:
    """What is beside the tensors: plain numbers, texts and small containers of them."""
    tables = (NAME_TABLE, SLICE_TABLE)
    at_top = () if chosen.key else chosen.arrays
    return beside(root, {*tables, *at_top}) | beside(chosen.others, tables)


def beside(root: Value | Mapping[str, Value], tables: Collection[str] = ()) -> dict[str, object]:
    """What a dictionary holds that is no tensor and none of `tables`, as Python literals."""
    budget = [100_000]
    top = root if isinstance(root, Mapping) else {}
    found = {str(name): plain(value, budget) for name, value in top.items() if name not in tables}
    return {name: value for name, value in found.items() if value is not _TENSORS}


class _Tensors:
    """Stands for tensors inside `extras`, where they do not belong."""

    def __repr__(self) -> str:
        return "<tensors>"


_TENSORS = _Tensors()


def plain(value: Value, budget: list[int], depth: int = 0) -> object:
    """A copy of a value with nothing but Python literals in it; tensors and excess become `<tensors>`."""
    budget[0] -= 1
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if budget[0] < 0 or depth > DEPTH_MOST:
        return _TENSORS
    if isinstance(value, Array) and value.shape == () and value.kind and value.payload:  # a number of numpy's
        number: object = TensorRef((), value.kind, value.payload).numpy().item()
        return number
    if isinstance(value, dict):
        items = {str(name): plain(item, budget, depth + 1) for name, item in value.items()}
        kept = {name: item for name, item in items.items() if item is not _TENSORS}
        return kept if kept or not items else _TENSORS
    if isinstance(value, (list, tuple)) and _as_array(value)[0] is None:
        return [plain(item, budget, depth + 1) for item in value]
    return _TENSORS
