"""The part of recording that is the same in both frameworks.

One interposer sits between the model and its framework and does three things to every operator call:
it reads the call into the shared vocabulary, it decides in which precision the call runs, and, for a
teacher-forced run, it hands in the other framework's numbers. Parameters are never touched: a float64
run casts each weight when an operator asks for it, buffers that an operator writes to are copies.
"""

from __future__ import annotations

import sys
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from parity.capture.options import STOPPED, Leaf, Options
from parity.capture.remarks import Remarks
from parity.capture.results import flatten_outputs
from parity.capture.source import is_machinery
from parity.ops.kinds import IDENTITY_KINDS, TARGET, kind_of
from parity.ops.signature import Call, Signature, bind
from parity.trace.trace import Op, Parameter, Trace, Value
from parity.trace.values import Array, Stored, ValueStore


class Recorder(Remarks):
    """Records one run into `trace` and `store`. Subclasses supply the framework."""

    signatures: Mapping[str, Signature]
    aliases: Mapping[str, str]
    creators: frozenset[str]
    random: frozenset[str]

    def __init__(self, trace: Trace, store: ValueStore | None, options: Options) -> None:
        super().__init__(trace, store, options)
        self.stack: list[str] = [""]
        self.run = object()
        self.last_module = ""
        self.given: dict[str, tuple[Any, Array]] = {}
        """The model's inputs, and the numbers that they came with."""

    # -- values -----------------------------------------------------------------------------------

    def new_value(self, tensor: Any, origin: str, name: str = "") -> int:
        """Give `tensor` a number of its own and remember it on the tensor."""
        shape, dtype = self.describe(tensor)
        self.trace.values.append(Value(shape, dtype, origin, name))
        number = len(self.trace.values) - 1
        self.mark(tensor, (self.run, number))
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
        twin = self.twins.get(id(tensor))
        mark = self.mark_of(tensor if twin is None else twin[1])
        if mark is not None and mark[0] is self.run:
            return int(mark[1])
        return self.new_value(tensor, "unknown")

    def usable(self, tensor: Any, *, written: bool) -> Any:
        """What the operator really gets for `tensor`: in this run's precision, never the model's own copy.

        A tensor has one stand-in for the whole run, so that what is written into it stays.
        """
        leaf = self.leaves.get(id(tensor))
        precision = self.options.precision
        if leaf is None:
            if id(tensor) in self.twins:
                return self.twins[id(tensor)][1]
            number = self.value_of(tensor)
            result = self.cast(tensor, precision)
            if result is not tensor:
                result = self._nudged(result)
                self.mark(result, (self.run, number))
                self.twins[id(tensor)] = (tensor, result)
            return result
        if leaf.shadow is not None:
            return leaf.shadow
        result = self.cast(leaf.tensor, precision)
        if result is not leaf.tensor and not leaf.trainable and not self._is_kept(leaf.name):
            result = self._nudged(result)
        if not leaf.trainable or written:
            result = self.copy(result) if result is leaf.tensor else result
        if leaf.trainable and self.options.gradients:
            result = self.leaf_for_gradients(result)
        elif leaf.trainable and not written:
            return result
        leaf.shadow = result
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
        written = self.written(name, args, kwargs)
        numbers: dict[str, int] = {}
        used: dict[int, Any] = {}
        flows: list[str] = []
        index = len(self.trace.ops)
        for slot, tensor in self._tensors(bound, rest, kwargs):
            if id(tensor) not in used:
                used[id(tensor)] = self.usable(tensor, written=any(tensor is one for one in written))
            if slot.startswith(TARGET) or (slot.startswith("out") and "out" in kwargs):
                continue
            numbers[slot] = self.value_of(tensor)
            used[id(tensor)] = self._forced_input(index, slot, used[id(tensor)])
            if self.options.gradients and self.requires_gradient(used[id(tensor)]):
                flows.append(slot)
                if id(tensor) not in self.leaves:
                    self.watch(numbers[slot], tensor)
        new_args, new_kwargs = self._replace(args, used), self._replace(dict(kwargs), used)
        new_args, new_kwargs = self.adjust(base, signature, new_args, new_kwargs)
        if self.store is not None and (written or signature is None):
            self.store.settle()
        try:
            result = self.execute(base, function, new_args, new_kwargs)
        except Exception:
            devices = {slot: self.device_of(tensor) for slot, tensor in self._tensors(bound, rest, kwargs)}
            self._note_raising(signature, base, bound, numbers, devices)
            raise
        if written and kwargs.get("out") is None:
            target = result if self.is_tensor(result) else used[id(written[0])]
        else:
            target = self._in_width(
                base, self._of_whole_numbers(base, function, new_args, new_kwargs, result)
            )
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

    def correct_gradient(self, op: Op, tensor: Any, bound: Mapping[Any, Any]) -> None:
        """Take a framework's float32 constant out of its backward, where it has one."""

    @abstractmethod
    def watch(self, number: int, tensor: Any) -> None:
        """Keep the gradient that arrives at a value."""

    def note_hook(self, tensor: Any) -> None:
        """The model registers a hook of its own on a gradient."""
        self.trace.hooks.append((self.value_of(tensor), self.user_line()))

    def execute(self, base: str, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """Run the operator itself; a framework may need to run it differently."""
        return function(*args, **kwargs)

    def writes_in_place(self, name: str) -> bool:
        return name.endswith("_") and not name.endswith("__")

    def written(self, name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[Any]:
        """The tensors that a call writes into: those of `out=`, or the first one of an operator that works in place."""
        if kwargs.get("out") is not None:
            return [tensor for _, tensor in self._find(kwargs["out"])]
        if not self.writes_in_place(name):
            return []
        return [tensor for _, tensor in self._find([*args, dict(kwargs)])][:1]

    def _of_whole_numbers(
        self, base: str, function: Callable[..., Any], args: Any, kwargs: Any, result: Any
    ) -> Any:
        """What an operator makes of integers alone (`positions * 0.1`): in the run's precision, where the framework takes float32."""
        narrow = any(self.cast(one, self.options.precision) is not one for _, one in self._find(result))
        given = {id(one): one for _, one in self._find([args, kwargs])}
        whole = all("int" in self.describe(one)[1] for one in given.values())
        if not narrow or not given or not whole or base in self.creators or base in self.random:
            return result
        try:
            wide = {key: self.as_float(one, self.options.precision) for key, one in given.items()}
            return self.execute(base, function, self._replace(args, wide), self._replace(kwargs, wide))
        except (
            Exception
        ):  # an operator that takes integers alone (`one_hot`) makes numbers that float32 holds
            return result

    def _in_width(self, base: str, result: Any) -> Any:
        """What an operator made, in the run's precision from here on, whatever width was asked for.

        A tensor that was made in another one would have a stand-in wherever it is used, and what is written into that
        would be lost.
        """
        made = {}
        for _, tensor in self._find(result):
            wide = self.cast(tensor, self.options.precision)
            if wide is not tensor or base == "linspace":
                made[id(tensor)] = self._nudged(wide)
        return self._replace(result, made) if made else result

    def _is_kept(self, name: str) -> bool:
        return self.options.nudge is None or name in self.options.nudge.kept

    def _nudged(self, tensor: Any) -> Any:
        """Numbers that were float32 before this run widened them, as `Options.nudge` rounds them."""
        nudge = self.options.nudge
        if nudge is None or "float64" not in self.describe(tensor)[1]:
            return tensor
        return self.from_numpy(nudge.applied(self.to_numpy(tensor)), tensor)

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
        if type(value) in (list, tuple) or hasattr(type(value), "n_fields"):  # torch.return_types
            return type(value)([self._replace(item, used) for item in value])
        if type(value) is dict:
            return {key: self._replace(item, used) for key, item in value.items()}
        return value

    def _forced_input(self, index: int, slot: str, tensor: Any) -> Any:
        forcing = self.options.forcing
        if forcing is None:
            return tensor
        given = forcing.inputs.get(index, {}).get(slot)
        value = forcing.looks.get(index, {}).get(slot) if given is None else given
        if value is None:
            return tensor
        expected, actual = forcing.read(str(value)), self.to_numpy(tensor)
        same = forcing.measure(index, slot, actual, expected)
        return tensor if same or given is None else self._stand_in(expected, actual, tensor)

    def _stand_in(self, expected: Stored, actual: Array, tensor: Any) -> Any:
        """The other framework's numbers, in the shape of `tensor` where they fit it; `tensor` if they cannot stand in."""
        forcing = self.options.forcing
        if expected.size == actual.size:
            given = self.from_numpy(expected.reshape(actual.shape).load(), tensor)
            # A model that takes gradients itself must find the way back.
            return given + (tensor - self.copy(tensor)) if self.requires_gradient(tensor) else given
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
            self.trace.results[path] = ["tensor", ""]
        self.note_results(result)
        self.note_written()
        for leaf in self.leaves.values():
            if self.store is not None and not leaf.trainable and leaf.shadow is not None:
                after = self.to_numpy(leaf.shadow)
                self.store.put(f"after:{leaf.name}", after)
                if not np.array_equal(after, self.to_numpy(leaf.tensor), equal_nan=after.dtype.kind == "f"):
                    self.trace.updated.append(leaf.name)

    def note_written(self) -> None:
        """The inputs that the model has written into: the caller's tensors hold other numbers since, which are kept."""
        for name, (tensor, array) in self.given.items():
            now = self.to_numpy(tensor)
            if not np.array_equal(now, array.astype(now.dtype), equal_nan=now.dtype.kind == "f"):
                self.trace.written.append(name)
                if self.store is not None:
                    self.store.put(f"input:{name}", now)

    def note_earlier(self, result: Any) -> None:
        """What the result of an earlier call holds now: a model may have written into it since."""
        for path, tensor in flatten_outputs(result, self.is_tensor).items():
            if self.store is not None:
                self.store.put(f"earlier:{path}", self.to_numpy(self.cast(tensor, self.options.precision)))

    def note_replaced(self, tensor: Any, now: Any) -> None:
        """A buffer that the model holds another tensor in since the run: its new numbers are kept."""
        leaf = self.leaves.get(id(tensor)) if tensor is not None else None
        if leaf is not None and self.store is not None and now is not None and now is not tensor:
            self.store.put(f"after:{leaf.name}", self.to_numpy(now))
            self.trace.updated.append(leaf.name)

    def add_input(self, name: str, tensor: Any, array: Array) -> None:
        """Announce a model input; its numbers are kept for the other side's teacher-forced run."""
        self.given[name] = tensor, array
        self.trace.inputs[name] = self.new_value(tensor, "input", name)
        if self.store is not None:
            self.store.put(str(self.trace.inputs[name]), self.to_numpy(tensor))

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
            if not is_machinery(filename):
                return f"{filename}:{frame.f_lineno}"
            if frame.f_back is None:
                break
            frame = frame.f_back
        return ""
