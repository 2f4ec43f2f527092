"""The part of recording that is the same in both frameworks.

One interposer sits between the model and its framework and does three things to every operator call:
it reads the call into the shared vocabulary, it decides in which precision the call runs, and, for a
teacher-forced run, it hands in the other framework's numbers. Parameters are never touched: a float64
run casts each weight when an operator asks for it, buffers that an operator writes to are copies.
"""

from __future__ import annotations

import copy
import os
import sys
import traceback
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from parity.errors import ModelError, ParityError
from parity.ops.kinds import IDENTITY_KINDS, kind_of
from parity.ops.signature import Call, Signature, bind
from parity.store import Array, Stored, ValueStore
from parity.trace import Op, Parameter, Trace, Value

MARK = "_paddle2torch_value"
STOPPED = "_paddle2torch_trace"
"""Attribute of an exception that ended a run: the trace as far as it came."""

OWN = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


@dataclass
class Leaf:
    """A tensor the model owns: `value` is its number, `shadow` what the run uses in its place."""

    value: int
    name: str
    tensor: Any
    trainable: bool
    shadow: Any = None


@dataclass
class Forcing:
    """What a teacher-forced run hands in, and what it measured.

    `inputs[op][slot]` and `outputs[op]` are value numbers of the other framework's trace; `read` finds an
    array of its store by key, `has` tells whether there is one. `measure` receives (op, slot or None for the result, actual, expected) and
    tells whether they are the same, number by number; the model's own outputs come as op -1 with their path as slot. any_size: hand in arrays of another size too, so
    that behind a mistake of shape the run goes on with the other framework's shapes.
    """

    inputs: Mapping[int, Mapping[str, int]]
    outputs: Mapping[int, int]
    read: Callable[[str], Stored]
    has: Callable[[str], bool]
    measure: Callable[[int, str | None, Array, Stored], bool]
    any_size: bool = True


@dataclass
class Backward:
    """How a run with gradients goes backward.

    loss: takes the model's result and gives a scalar; None: a fixed weighting of the float outputs.
    given: value number -> key in the other framework's store of the gradient to go on with; with `read`,
    the loss is taken of the other framework's outputs, and its gradients there start the backward run.
    plain_variance: if given, torch's BatchNorms accumulate the biased variance, as Paddle's do; what they would hold
    otherwise is kept here, by name, from one run to the next.
    """

    loss: Callable[[Any], Any] | None = None
    given: Mapping[int, str] = field(default_factory=dict)
    read: Callable[[str], Array] | None = None
    plain_variance: dict[str, Any] | None = None


@dataclass
class Options:
    """How a run is made: `precision` is "float32" or "float64"; with `backward`, gradients are kept too."""

    precision: str = "float64"
    forcing: Forcing | None = None
    seed: int = 0
    outputs_only: bool = False
    backward: Backward | None = None

    @property
    def gradients(self) -> bool:
        return self.backward is not None


class Recorder(ABC):
    """Records one run into `trace` and `store`. Subclasses supply the framework."""

    signatures: Mapping[str, Signature]
    aliases: Mapping[str, str]
    creators: frozenset[str]
    random: frozenset[str]

    def __init__(self, trace: Trace, store: ValueStore | None, options: Options) -> None:
        self.trace = trace
        self.store = store
        self.options = options
        self.leaves: dict[int, Leaf] = {}
        self.stack: list[str] = [""]
        self.run = object()
        self.watched: set[int] = set()
        self.started: list[Any] = []
        self.last_module = ""

    # -- what a framework supplies ----------------------------------------------------------------

    @abstractmethod
    def is_tensor(self, value: Any) -> bool: ...

    @abstractmethod
    def describe(self, tensor: Any) -> tuple[tuple[int, ...], str]:
        """Shape and numpy dtype name of a tensor."""

    @abstractmethod
    def to_numpy(self, tensor: Any) -> Array:
        """The numbers of a tensor; in the CPU's memory they are the tensor's own, so use them at once."""

    @abstractmethod
    def from_numpy(self, array: Array, like: Any) -> Any:
        """`array` as a tensor of the device (and, for floats, the dtype) of `like`."""

    @abstractmethod
    def device_of(self, tensor: Any) -> str:
        """Where a tensor lies, as the framework writes it."""

    @abstractmethod
    def cast(self, tensor: Any, precision: str) -> Any:
        """`tensor` in another float width, outside of any recording."""

    @abstractmethod
    def copy(self, tensor: Any) -> Any: ...

    @abstractmethod
    def overwrite(self, tensor: Any, source: Any) -> None:
        """Write `source` into `tensor` in place."""

    @abstractmethod
    def leaf_for_gradients(self, tensor: Any) -> Any:
        """A detached twin of `tensor` that collects gradients of its own."""

    @abstractmethod
    def requires_gradient(self, tensor: Any) -> bool:
        """Whether gradients flow through `tensor` as it is now."""

    @abstractmethod
    def on_gradient(self, tensor: Any, hook: Callable[[Any], Any]) -> None:
        """Call `hook` with the gradient that arrives at `tensor`; what it returns (not None) goes on."""

    @abstractmethod
    def gradients_of(self, outputs: list[Any], seeds: list[Any], leaves: list[Any]) -> list[Any]:
        """Gradients of `leaves` (None where nothing arrives), accumulated nowhere."""

    # -- values -----------------------------------------------------------------------------------

    def new_value(self, tensor: Any, origin: str, name: str = "") -> int:
        """Give `tensor` a number of its own and remember it on the tensor."""
        shape, dtype = self.describe(tensor)
        self.trace.values.append(Value(shape, dtype, origin, name))
        number = len(self.trace.values) - 1
        setattr(tensor, MARK, (self.run, number))
        return number

    def add_leaf(self, name: str, tensor: Any, *, registered: bool, trainable: bool) -> None:
        """Announce a tensor that the model owns before the run starts; tied tensors share a number."""
        known = self.leaves.get(id(tensor))
        if known is None:
            shape, dtype = self.describe(tensor)
            self.trace.values.append(Value(shape, dtype, "parameter", name))
            known = Leaf(len(self.trace.values) - 1, name, tensor, trainable)
            self.leaves[id(tensor)] = known
        self.trace.parameters[name] = Parameter(known.value, registered, trainable)

    def value_of(self, tensor: Any) -> int:
        """The number of a tensor, or a new "unknown" one for a tensor nobody saw being made."""
        leaf = self.leaves.get(id(tensor))
        if leaf is not None:
            return leaf.value
        mark = getattr(tensor, MARK, None)
        if mark is not None and mark[0] is self.run:
            return int(mark[1])
        return self.new_value(tensor, "unknown")

    def usable(self, tensor: Any, *, written: bool) -> Any:
        """What the operator really gets for `tensor`: in this run's precision, never the model's own copy."""
        leaf = self.leaves.get(id(tensor))
        precision = self.options.precision
        if leaf is None:
            number = self.value_of(tensor)
            result = self.cast(tensor, precision)
            if result is not tensor:
                setattr(result, MARK, (self.run, number))
            return result
        if leaf.shadow is not None:
            return leaf.shadow
        result = self.cast(leaf.tensor, precision)
        if not leaf.trainable or written:
            leaf.shadow = result = self.copy(result) if result is leaf.tensor else result
        elif self.options.gradients:
            leaf.shadow = result = self.leaf_for_gradients(result)
        return result

    # -- one call ---------------------------------------------------------------------------------

    def call(
        self, name: str, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> Any:
        """Run `function` in this run's precision and record it."""
        base = name if name in self.signatures or name.startswith("__") else name.rstrip("_")
        signature = self.signatures.get(base)
        bound, rest = (
            bind(signature, args, kwargs, self.aliases) if signature else (dict(enumerate(args)), ())
        )
        in_place = self.writes_in_place(name)
        numbers: dict[str, int] = {}
        used: dict[int, Any] = {}
        flows: list[str] = []
        index = len(self.trace.ops)
        for slot, tensor in self._tensors(bound, rest, kwargs):
            numbers[slot] = self.value_of(tensor)
            if id(tensor) not in used:
                used[id(tensor)] = self.usable(tensor, written=in_place and not used)
            used[id(tensor)] = self._forced_input(index, slot, used[id(tensor)])
            if self.options.gradients and self.requires_gradient(used[id(tensor)]):
                flows.append(slot)
                if id(tensor) not in self.leaves:
                    self.watch(numbers[slot], tensor)
        new_args, new_kwargs = self._replace(args, used), self._replace(dict(kwargs), used)
        new_args, new_kwargs = self.adjust(base, signature, new_args, new_kwargs)
        if self.store is not None and (in_place or signature is None or kwargs.get("out") is not None):
            self.store.settle()
        try:
            result = self.execute(base, function, new_args, new_kwargs)
        except Exception:
            devices = {slot: self.device_of(tensor) for slot, tensor in self._tensors(bound, rest, kwargs)}
            self._note_raising(signature, base, bound, numbers, devices)
            raise
        target = result
        if in_place and used:
            target = self._written_back(args, kwargs, used, result)
        target = self._record(index, name, base, signature, bound, rest, numbers, target)
        if self.options.gradients and len(self.trace.ops) > index:
            self._note_flows(index, flows, target, bound)
        return target

    def _note_raising(
        self,
        signature: Signature | None,
        base: str,
        bound: Mapping[Any, Any],
        numbers: Mapping[str, int],
        devices: Mapping[str, str],
    ) -> None:
        """Remember the operator that raised, unless the model goes on after all."""
        kind = base
        if signature is not None:
            kind = signature.kind if isinstance(signature.kind, str) else base
        self.trace.raised = {
            "kind": kind,
            "inputs": dict(numbers),
            "module": self.stack[-1],
            "line": self.user_line(),
            "at": len(self.trace.ops),
            "devices": dict(devices),
        }

    def stopped(self, error: Exception) -> None:
        """The run ends here: the trace says how, and goes with the error."""
        trace = self.trace
        if trace.raised.get("at") != len(trace.ops):
            # An operator that raised was caught by the model: what ended the run is something else.
            trace.raised = {"module": self.last_module}
        trace.raised["error"] = (
            f"{type(error).__name__}: {(str(error).strip() or 'no message').splitlines()[0]}"
        )
        setattr(error, STOPPED, trace)

    def _note_flows(self, index: int, flows: list[str], result: Any, bound: Mapping[Any, Any]) -> None:
        """Remember through which slots gradients can flow, and keep the gradient of each result."""
        for number, (_, tensor) in zip(self.trace.ops[index].outputs, self._find(result), strict=False):
            if self.requires_gradient(tensor):
                flows.append("")
                self.watch(number, tensor)
                self.correct_gradient(self.trace.ops[index], tensor, bound)
        self.trace.flows[str(index)] = sorted(set(flows))

    def correct_gradient(self, op: Op, tensor: Any, bound: Mapping[Any, Any]) -> None:  # noqa: B027
        """Take a framework's float32 constant out of its backward, where it has one."""

    def note_hook(self, tensor: Any) -> None:
        """The model registers a hook of its own on a gradient."""
        self.trace.hooks.append((self.value_of(tensor), self.user_line()))

    def execute(self, base: str, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """Run the operator itself; a framework may need to run it differently."""
        return function(*args, **kwargs)

    def writes_in_place(self, name: str) -> bool:
        return name.endswith("_") and not name.endswith("__")

    def adjust(self, base: str, signature: Signature | None, args: Any, kwargs: Any) -> tuple[Any, Any]:
        """Last changes to the arguments: switched-off dropout, float32 constants."""
        return args, kwargs

    def _tensors(
        self, bound: Mapping[Any, Any], rest: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> Iterator[tuple[str, Any]]:
        """Slot names and tensors of a call, in argument order."""
        named = {**bound, **{f"rest{i}": value for i, value in enumerate(rest)}}
        if all(isinstance(key, int) for key in bound):
            named.update(kwargs)
        position = 0
        for key, value in named.items():
            for path, tensor in self._find(value):
                slot = (
                    f"{key}{path}"
                    if isinstance(key, str)
                    else ("x", "y", "z")[min(position, 2)] + "'" * max(position - 2, 0)
                )
                position += 1
                yield slot, tensor

    def _find(self, value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
        if self.is_tensor(value):
            yield path, value
        elif isinstance(value, (list, tuple)):
            for i, item in enumerate(value):
                yield from self._find(item, f"{path}[{i}]")
        elif isinstance(value, dict):
            for key, item in value.items():
                yield from self._find(item, f"{path}[{key!r}]")

    def _replace(self, value: Any, used: Mapping[int, Any]) -> Any:
        if self.is_tensor(value):
            return used.get(id(value), value)
        if type(value) in (list, tuple):
            return type(value)(self._replace(item, used) for item in value)
        if type(value) is dict:
            return {key: self._replace(item, used) for key, item in value.items()}
        return value

    def _forced_input(self, index: int, slot: str, tensor: Any) -> Any:
        forcing = self.options.forcing
        if forcing is None or slot not in forcing.inputs.get(index, {}):
            return tensor
        expected = forcing.read(str(forcing.inputs[index][slot]))
        actual = self.to_numpy(tensor)
        same = forcing.measure(index, slot, actual, expected)
        return tensor if same else self._stand_in(expected, actual, tensor)

    def _stand_in(self, expected: Stored, actual: Array, tensor: Any) -> Any:
        """The other framework's numbers, in the shape of `tensor` where they fit it; `tensor` if they cannot stand in."""
        forcing = self.options.forcing
        if expected.size == actual.size:
            return self.from_numpy(expected.reshape(actual.shape).load(), tensor)
        if forcing is not None and forcing.any_size and len(expected.shape) == actual.ndim:
            return self.from_numpy(expected.load(), tensor)
        return tensor

    def _forced_output(self, index: int, tensor: Any, *, in_place: bool) -> Any:
        """The other framework's result in place of `tensor`; an in-place operator's target is overwritten."""
        forcing = self.options.forcing
        if forcing is None or index not in forcing.outputs:
            return tensor
        expected = forcing.read(str(forcing.outputs[index]))
        actual = self.to_numpy(tensor)
        if forcing.measure(index, None, actual, expected):
            return tensor
        replacement = self._stand_in(expected, actual, tensor)
        if not in_place or expected.size != actual.size:
            return replacement
        self.overwrite(tensor, replacement)
        return tensor

    def _written_back(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], used: Mapping[int, Any], result: Any
    ) -> Any:
        """An in-place call on a stand-in: the tensor the model holds must show the result too."""
        original = next(iter(self._find([*args, kwargs])))[1]
        leaf = self.leaves.get(id(original))
        if leaf is not None:
            return result
        if used[id(original)] is not original and self.is_tensor(result):
            shape, dtype = self.describe(original)
            if dtype == self.describe(result)[1] and shape == self.describe(result)[0]:
                self.overwrite(original, result)
                return original
        return result if self.is_tensor(result) else original

    def _record(
        self,
        index: int,
        name: str,
        base: str,
        signature: Signature | None,
        bound: dict[Any, Any],
        rest: tuple[Any, ...],
        numbers: dict[str, int],
        result: Any,
    ) -> Any:
        outputs = [tensor for _, tensor in self._find(result)]
        if not outputs:
            return result
        origin = "random" if base in self.random or name in self.random else "operator"
        out_shape = self.describe(outputs[0])[0]
        shapes = {slot: self.trace.values[number].shape for slot, number in numbers.items()}
        kind, attributes = base, {}
        if signature is not None:
            plain = {key: value for key, value in bound.items() if isinstance(key, str)}
            attributes_given = {
                k: self._plain(v) for k, v in plain.items() if not list(self._find(v)) or k == "item"
            }
            call = Call(attributes_given, shapes, out_shape, tuple(self._plain(r) for r in rest))
            kind = signature.kind if isinstance(signature.kind, str) else signature.kind(call)
            attributes = signature.canonical(call)
            attributes.update(self._scalars(kind, plain))
        elif base in self.creators:
            kind = "constant"
        else:
            attributes = {"arguments": self._readable(bound, rest)}
        if origin == "random":
            kind = "random"
        elif not numbers:
            kind = "constant"
        forced = self._forced_output(index, outputs[0], in_place=self.writes_in_place(name))
        if forced is not outputs[0]:
            result = self._replace(result, {id(outputs[0]): forced})
            outputs[0] = forced
        values = tuple(self.new_value(tensor, origin) for tensor in outputs)
        original = self.leaves.get(id(outputs[0]))
        if original is not None:
            original.value = values[0]
        written = name.endswith("_") or self.writes_in_place(name)
        for leaf in self.leaves.values() if written else ():
            if leaf.shadow is outputs[0]:
                leaf.value = values[0]
        self.trace.ops.append(
            Op(index, kind, name, self.stack[-1], self.user_line(), numbers, values, attributes)
        )
        if self.store is not None and not self.options.outputs_only and kind not in IDENTITY_KINDS:
            for number, tensor in zip(values, outputs, strict=True):
                self.store.put(str(number), self.to_numpy(tensor))
        return result

    def _scalars(self, kind: str, plain: Mapping[str, Any]) -> dict[str, float]:
        """Plain numbers in tensor slots: `x * 0.5` has a scalar where a tensor could stand."""
        slots = kind_of(kind).slots
        return {
            f"scalar_{slot}": float(plain[slot])
            for slot in slots
            if isinstance(plain.get(slot), (int, float, np.integer, np.floating))
        }

    def _plain(self, value: Any) -> Any:
        if isinstance(value, (list, tuple)):
            return type(value)(self._plain(v) for v in value) if type(value) in (list, tuple) else list(value)
        return value

    def _readable(self, bound: Mapping[Any, Any], rest: Sequence[Any]) -> str:
        values = [v for v in (*bound.values(), *rest) if not list(self._find(v))]
        return repr(values)[:200]

    def finish(self, result: Any) -> None:
        """Note the model's outputs, and the buffers as the run left them."""
        forcing = self.options.forcing
        for path, tensor in flatten_outputs(result, self.is_tensor).items():
            self.trace.outputs[path] = self.value_of(tensor)
            array = self.to_numpy(self.cast(tensor, self.options.precision))
            if forcing is not None and forcing.has(f"output:{path}"):
                forcing.measure(-1, path, array, forcing.read(f"output:{path}"))
            if self.store is not None:
                self.store.put(f"output:{path}", array)
        for leaf in self.leaves.values():
            if self.store is not None and not leaf.trainable and leaf.shadow is not None:
                self.store.put(f"after:{leaf.name}", self.to_numpy(leaf.shadow))

    def note_replaced(self, tensor: Any, now: Any) -> None:
        """A buffer that the model holds another tensor in since the run: its new numbers are kept."""
        leaf = self.leaves.get(id(tensor)) if tensor is not None else None
        if leaf is not None and self.store is not None and now is not None and now is not tensor:
            self.store.put(f"after:{leaf.name}", self.to_numpy(now))

    def add_input(self, name: str, tensor: Any) -> None:
        """Announce a model input; its numbers are kept for the other side's teacher-forced run."""
        self.trace.inputs[name] = self.new_value(tensor, "input", name)
        if self.store is not None:
            self.store.put(str(self.trace.inputs[name]), self.to_numpy(tensor))

    # -- backward ---------------------------------------------------------------------------------

    def gradient_input(self, tensor: Any) -> Any:
        """What stands for a model input: a copy, so that the model may write to it, of a leaf that we hold."""
        leaf = self.leaf_for_gradients(tensor)
        self.started.append(leaf)
        return self.copy_with_gradient(leaf)

    @abstractmethod
    def copy_with_gradient(self, tensor: Any) -> Any: ...

    def watch(self, number: int, tensor: Any) -> None:
        """Keep the gradient that arrives at a value; in a teacher-forced run, go on with the other's."""
        if number in self.watched:
            return
        self.watched.add(number)
        backward = self.options.backward
        assert backward is not None

        def hook(gradient: Any) -> Any:
            if gradient is None:
                return None
            if self.store is not None and not self.options.outputs_only:
                self.store.put(f"grad:{number}", self.to_numpy(gradient))
            if backward.read is None or number not in backward.given:
                return None
            expected, shape = backward.read(backward.given[number]), self.describe(gradient)[0]
            if expected.size != int(np.prod(shape)):
                return None
            return self.from_numpy(expected.reshape(shape), gradient)

        self.on_gradient(tensor, hook)

    def take_loss(self, result: Any) -> tuple[Any, dict[int, Any]]:
        """The loss of the outputs, cut off from the model: the scalar, and the leaf that stands for each output.

        Runs while recording, so that the loss's own operators are seen (they come after `trace.loss_at`).
        """
        backward = self.options.backward
        assert backward is not None
        with self.unrecorded():
            leaves = self._loss_leaves(result)
        self.trace.loss_at = len(self.trace.ops)
        if backward.loss is None:
            return None, leaves
        with self.module("loss"):
            try:
                value = backward.loss(replaced(result, leaves))
            except Exception as error:
                first = (str(error).strip() or type(error).__name__).splitlines()[0]
                raise ModelError(
                    f"the {self.trace.framework} loss raised {type(error).__name__} on the model's output: {first}",
                    "".join(traceback.format_exception(error)),
                ) from error
        if not self.is_tensor(value) or int(np.prod(self.describe(value)[0], dtype=np.int64)) != 1:
            raise ParityError(
                f"the {self.trace.framework} loss gave {_told(value)}; it must take the model's output and "
                "return a scalar"
            )
        return value, leaves

    @abstractmethod
    def unrecorded(self) -> AbstractContextManager[Any]:
        """While open, the recorder's own calls are not seen."""

    def _loss_leaves(self, result: Any) -> dict[int, Any]:
        backward = self.options.backward
        assert backward is not None
        leaves: dict[int, Any] = {}
        for path, tensor in self._float_outputs(result).items():
            if id(tensor) in leaves:
                continue
            source = self.cast(tensor, self.options.precision)
            if backward.read is not None:
                expected = backward.read(f"output:{path}")
                shape = self.describe(source)[0]
                if expected.size == int(np.prod(shape, dtype=np.int64)):
                    source = self.from_numpy(expected.reshape(shape), source)
            leaf = self.leaf_for_gradients(source)
            setattr(leaf, MARK, (self.run, self.value_of(tensor)))
            leaves[id(tensor)] = leaf
        return leaves

    def _float_outputs(self, result: Any) -> dict[str, Any]:
        return {
            path: tensor
            for path, tensor in flatten_outputs(result, self.is_tensor).items()
            if self.describe(tensor)[1] in ("float16", "bfloat16", "float32", "float64")
        }

    def run_backward(self, result: Any, value: Any, leaves: Mapping[int, Any]) -> None:
        """Gradients of everything recorded, by `grad:<number>` and `grad:parameter:<name>` in the store.

        `total`, `loss` (the same, of a given one) and `seed:<output path>` hold the loss and its gradients at the outputs.
        """
        backward = self.options.backward
        assert backward is not None
        outputs = self._float_outputs(result)
        total, seeds = self._seeds(outputs, value, leaves)
        if self.store is not None:
            self.store.put("total", np.asarray(total, dtype=np.float64))
            if backward.loss is not None:
                self.store.put("loss", np.asarray(total, dtype=np.float64))
            for path, seed in seeds.items():
                self.store.put(f"seed:{path}", seed)
        roots: dict[int, tuple[Any, Array]] = {}
        for path, tensor in outputs.items():
            if not self.requires_gradient(tensor):
                continue
            seed = seeds[path]
            if backward.read is not None:
                given = backward.read(f"seed:{path}")
                seed = given.reshape(seed.shape) if given.size == seed.size else seed
            # One tensor returned twice has one gradient from the loss, but a weighting for each path.
            both = id(tensor) in roots and backward.loss is None
            roots[id(tensor)] = (tensor, roots[id(tensor)][1] + seed if both else seed)
        owned = [leaf for leaf in self.leaves.values() if leaf.trainable and leaf.shadow is not None]
        if not roots or not (owned or self.started):
            return
        tensors = [tensor for tensor, _ in roots.values()]
        starts = [self.from_numpy(seed, tensor) for tensor, seed in roots.values()]
        found = self.gradients_of(tensors, starts, [*self.started, *(leaf.shadow for leaf in owned)])
        for leaf, gradient in zip(owned, found[len(self.started) :], strict=True):
            if gradient is not None and self.store is not None:
                self.store.put(f"grad:parameter:{leaf.name}", self.to_numpy(gradient))

    def _seeds(
        self, outputs: Mapping[str, Any], value: Any, leaves: Mapping[int, Any]
    ) -> tuple[float, dict[str, Array]]:
        if value is None:
            weights = {path: fixed_weights(path, self.describe(t)[0]) for path, t in outputs.items()}
            total = sum(float((weights[path] * self.to_numpy(t)).sum()) for path, t in outputs.items())
            return total, weights
        found: list[Any] = [None] * len(leaves)
        if self.requires_gradient(value):
            found = self.gradients_of([value], [], list(leaves.values()))
        by_output = dict(zip(leaves, found, strict=True))
        return float(self.to_numpy(value).reshape(())), {
            path: np.zeros(self.describe(tensor)[0])
            if by_output[id(tensor)] is None
            else self.to_numpy(by_output[id(tensor)])
            for path, tensor in outputs.items()
        }

    # -- where we are -----------------------------------------------------------------------------

    @contextmanager
    def module(self, path: str) -> Iterator[None]:
        self.trace.calls.setdefault(path, []).append((len(self.trace.ops), self.user_line(of_module=True)))
        self.stack.append(path)
        try:
            yield
        except Exception:
            self.last_module = self.last_module or path
            raise
        finally:
            self.stack.pop()

    def user_line(self, *, of_module: bool = False) -> str:
        """ "file:line" of the innermost caller that is neither ours nor the framework's.

        of_module: of a module's call, which is none of the user's for the model itself.
        """
        if of_module and len(self.stack) == 1:
            return ""
        frame = sys._getframe(2)
        while frame is not None:
            filename = frame.f_code.co_filename
            if not _is_machinery(filename):
                return f"{filename}:{frame.f_lineno}"
            if frame.f_back is None:
                break
            frame = frame.f_back
        return ""


@lru_cache(maxsize=4096)
def _is_machinery(filename: str) -> bool:
    """Frames of the frameworks and of this package; the frameworks' own model zoos are user code."""
    if filename.startswith(("<", OWN)):
        return True
    path = filename.replace(os.sep, "/")
    if "/paddle/vision/models/" in path or "/torchvision/models/" in path:
        return False
    return any(f"/{package}/" in path for package in ("site-packages/torch", "site-packages/paddle")) or (
        f"{os.sep}python3." in filename and "site-packages" not in filename
    )


def fixed_weights(path: str, shape: tuple[int, ...]) -> Array:
    """Standard normal numbers for the output called `path`: the loss of a check that is given none."""
    rng = np.random.default_rng(zlib.crc32(path.encode()))
    return rng.standard_normal(int(np.prod(shape, dtype=np.int64))).reshape(shape)


def replaced(value: Any, tensors: Mapping[int, Any]) -> Any:
    """A model's result with some of its tensors (by id) exchanged; what holds no tensor is kept as it is."""
    if id(value) in tensors:
        return tensors[id(value)]
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(replaced(item, tensors) for item in value))
    if isinstance(value, (list, tuple)):
        return type(value)(replaced(item, tensors) for item in value)
    if isinstance(value, dict):
        twin = copy.copy(value)
        twin.update({key: replaced(item, tensors) for key, item in value.items()})
        return twin
    if hasattr(value, "__dataclass_fields__"):
        twin = copy.copy(value)
        for key in value.__dataclass_fields__:
            object.__setattr__(twin, key, replaced(getattr(value, key), tensors))
        return twin
    return value


def _told(value: Any) -> str:
    shape = getattr(value, "shape", None)
    return f"a {type(value).__name__}" + (f" of shape {list(shape)}" if shape is not None else "")


def flatten_outputs(result: Any, is_tensor: Callable[[Any], bool]) -> dict[str, Any]:
    """Every tensor of a model's result by a readable path; other leaves (None, numbers) are left out.

    A single tensor is "output"; a tuple gives "output[0]", a dictionary "output['logits']".
    """
    found: dict[str, Any] = {}

    def visit(value: Any, path: str) -> None:
        if is_tensor(value):
            found[path] = value
        elif isinstance(value, Mapping):
            for key in value:
                visit(value[key], f"{path}[{key!r}]")
        elif isinstance(value, (list, tuple)):
            for i, item in enumerate(value):
                visit(item, f"{path}[{i}]")
        elif hasattr(value, "__dataclass_fields__"):
            for key in value.__dataclass_fields__:
                visit(getattr(value, key), f"{path}.{key}")

    visit(result, "output")
    return found
