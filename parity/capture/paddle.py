"""Recording a Paddle layer: every operator is an attribute of `paddle._C_ops`, or a tensor method.

Replacing those attributes sees all calls that look them up there; about seventy functions import
an operator by name, so the same replacement is made, by identity, in every loaded module's namespace.
Tensor operators (`x + y`, `x[...]`, `clone`) bypass `_C_ops` and are patched on the tensor class.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import Any

import numpy as np
import paddle
from paddle import _C_ops, _legacy_C_ops
from paddle.jit.dy2static.program_translator import ProgramTranslator, StaticFunction

from convert.names import counted
from parity.capture.backward import BackwardRecorder
from parity.capture.branches import branches_of
from parity.capture.chance import seeded
from parity.capture.held import held_tensors
from parity.capture.kept import Snapshot, attributes, changed, counts
from parity.capture.named import edges_named, numbers_named
from parity.capture.options import Options
from parity.capture.places import Places, patched, throughout
from parity.capture.recomputation import none_recomputed
from parity.capture.results import called
from parity.capture.side_table import SideTable
from parity.capture.source import constructor_line, element_lines, module_arguments, module_facts, return_line
from parity.capture.switches import watched
from parity.errors import ParityError
from parity.ops import paddle as vocabulary
from parity.ops.signature import Signature
from parity.ops.table import float32_arguments
from parity.trace.trace import Op, Trace
from parity.trace.values import Array, ValueStore, Weights

_DOWNSCALED = "downscale_in_infer"
_TRAINING = {"functional.dropout": 3, "functional.alpha_dropout": 2}
"""Operators that are recorded as a whole -> where `training` stands among their arguments."""
_FLOAT_TYPES = {"float16", "bfloat16", "float32", "float64"}
_TENSOR = paddle.Tensor
# Bound before anything is patched: what the recorder itself uses must never be recorded.
_cast, _assign, _clone, _detach = _C_ops.cast, _C_ops.assign, _TENSOR.clone, _TENSOR.detach
_SHARES = hasattr(_TENSOR, "__dlpack__")  # from Paddle 3.0 on
_numpy, _register_hook = _TENSOR.numpy, _TENSOR.register_hook


class PaddleRecorder(BackwardRecorder):
    signatures = vocabulary.SIGNATURES
    aliases = vocabulary.ALIASES
    creators = vocabulary.CREATORS
    random = vocabulary.RANDOM

    def __init__(self, trace: Trace, store: ValueStore | None, options: Options) -> None:
        super().__init__(trace, store, options)
        self.inside = False
        self.marks = SideTable()
        self.corrected = 0
        self.trained = 0

    def finish(self, result: Any) -> None:
        super().finish(result)
        if self.corrected:
            self.trace.notes.append(
                f"{counted(self.corrected, 'average pool')}: going backward Paddle multiplies by float32(1/k), a constant of the "
                "framework of relative size up to 6e-8; it was taken out of Paddle's gradients for this comparison"
            )

        if self.trained:
            self.trace.notes.append(
                f"{counted(self.trained, 'recurrent layer')}: Paddle cannot go backward through one in eval mode; for the gradients "
                "they ran in train mode without dropout, which computes the same"
            )

    def is_tensor(self, value: Any) -> bool:
        return isinstance(value, _TENSOR)

    def mark(self, tensor: Any, mark: Any) -> None:
        # Before Paddle 3.0 a tensor takes no attributes.
        self.marks.put(tensor, mark)

    def mark_of(self, tensor: Any) -> Any:
        return self.marks.get(tensor)

    def describe(self, tensor: Any) -> tuple[tuple[int, ...], str]:
        return tuple(tensor.shape), str(tensor.dtype).removeprefix("paddle.")

    def to_numpy(self, tensor: Any) -> Array:
        if str(tensor.dtype) == "paddle.bfloat16":
            tensor = _cast(tensor, paddle.float32)
        if _SHARES and tensor._is_initialized() and tensor.place.is_cpu_place() and tensor.is_dense():
            # Paddle's own numpy() copies, which for activations takes as long as comparing them.
            shared: Array = np.from_dlpack(_detach(tensor))
            return shared
        return np.asarray(_numpy(tensor))

    def device_of(self, tensor: Any) -> str:
        return str(tensor.place)

    def from_numpy(self, array: Array, like: Any) -> Any:
        result = paddle.to_tensor(array, dtype=like.dtype, place=like.place)
        self.mark(result, self.mark_of(like))
        return result

    def cast(self, tensor: Any, precision: str) -> Any:
        dtype = str(tensor.dtype).removeprefix("paddle.")
        if dtype.startswith("complex"):
            precision = {"float32": "complex64", "float64": "complex128"}[precision]
        elif dtype not in _FLOAT_TYPES:
            return tensor
        # Without memory as in `copy`, which in Paddle 2.6 loses its type.
        if dtype == precision or not tensor._is_initialized():
            return tensor
        return _cast(tensor, getattr(paddle, precision))

    def as_float(self, tensor: Any, precision: str) -> Any:
        return _cast(tensor, getattr(paddle, precision))

    def copy(self, tensor: Any) -> Any:
        if not tensor._is_initialized():  # the state of a dropout that an RNN never uses
            return tensor
        return _clone(_detach(tensor))

    def overwrite(self, tensor: Any, source: Any) -> None:
        with paddle.no_grad():
            tensor.set_value(source)

    def leaf_for_gradients(self, tensor: Any) -> Any:
        result = _clone(_detach(tensor))
        result.stop_gradient = False
        return result

    def copy_with_gradient(self, tensor: Any) -> Any:
        return _clone(tensor)

    def requires_gradient(self, tensor: Any) -> bool:
        # Paddle marks the indices of a topk as differentiable, too.
        return not tensor.stop_gradient and bool(tensor.is_floating_point() or tensor.is_complex())

    def on_gradient(self, tensor: Any, hook: Callable[[Any], Any]) -> None:
        _register_hook(tensor, hook)

    def hooked(self, parameter: Any, gradient: Any) -> Any:
        return hooked(parameter, gradient)

    @contextmanager
    def unrecorded(self) -> Iterator[None]:
        before, self.inside = self.inside, True
        try:
            yield
        finally:
            self.inside = before

    def gradients_of(self, outputs: list[Any], seeds: list[Any], leaves: list[Any]) -> list[Any]:
        with _exact_arithmetic():
            return list(paddle.grad(outputs, leaves, grad_outputs=seeds or None, allow_unused=True))

    def correct_gradient(self, op: Op, tensor: Any, bound: Mapping[Any, Any]) -> None:
        """Average pools multiply by float32(1/k) going backward (phi/kernels/funcs/pooling.cc, CPU)."""
        if op.kind not in ("avg_pool", "adaptive_avg_pool") or self.options.precision != "float64":
            return
        if str(bound.get("layout", "NCHW"))[1] != "C" or self.trace.device != "cpu":
            return
        sizes = _window_sizes(op, self.trace.values[op.inputs["x"]].shape, tensor.shape, bound)
        exact = paddle.to_tensor((1.0 / sizes) / (1.0 / sizes).astype(np.float32).astype(np.float64))
        self.corrected += 1
        _register_hook(tensor, lambda gradient: gradient * exact)

    def writes_in_place(self, name: str) -> bool:
        return name != "sync_batch_norm_" and (
            super().writes_in_place(name) or name in vocabulary.IN_PLACE_METHODS
        )

    def written(self, name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[Any]:
        # `paddle.assign(x, output)`: the only operator whose target is not the first tensor.
        return [args[1]] if name == "assign_out_" else super().written(name, args, kwargs)

    def execute(self, base: str, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        if base == "set_value":
            function(args[0], self._in_precision(*args[1:], **kwargs))
            return args[0]
        if base == "grad":
            with self.differentiated():
                return function(*args, **kwargs)
        result = function(*args, **kwargs)
        # A dropout that does nothing hands its input back; its result must be a value of its own.
        given = any(result is tensor for _, tensor in self._find([args, kwargs]))
        return self.copy_with_gradient(result) if given and base.startswith("functional.") else result

    def _in_precision(self, value: Any) -> Any:
        """What a buffer is set to, which Paddle wants in the buffer's own type; an array is not widened by itself."""
        floats = isinstance(value, np.ndarray) and value.dtype.kind == "f"
        return value.astype(self.options.precision) if floats else value

    def adjust(self, base: str, signature: Signature | None, args: Any, kwargs: Any) -> tuple[Any, Any]:
        # No mask can be equal in both frameworks: every dropout makes what its masks make on average.
        if base == "dropout" and not args[3]:
            average = (args[2], True) if args[4] == _DOWNSCALED else (0.0, False)
            args = (*args[:2], *average, *args[4:])
        elif base == "rnn":
            args = (*args[:5], 0.0, *args[6:])
            if self.options.gradients and args[12]:
                # Its eval kernel keeps nothing to go backward with; without dropout the other one computes the same.
                self.trained += 1
                args = (*args[:12], False)
        elif base in _TRAINING:
            place = _TRAINING[base]
            if any(isinstance(one, str) and one == _DOWNSCALED for one in (*args, *kwargs.values())):
                kwargs = kwargs if len(args) > place else {**kwargs, "training": False}
                args = args if len(args) <= place else (*args[:place], False, *args[place + 1 :])
            elif len(args) > 1:
                args = (args[0], 0.0, *args[2:])
            else:
                kwargs = {**kwargs, "p": 0.0}
        elif base == "cast" and str(args[1]).rsplit(".", 1)[-1].lower() in _FLOAT_TYPES:
            args = (args[0], getattr(paddle, self.options.precision), *args[2:])
        elif base == "linspace" and self.options.precision == "float64":
            # Each framework rounds it in steps of its own.
            narrow = [isinstance(one, paddle.dtype) and one == paddle.float32 for one in args]
            args = tuple(
                paddle.float64 if is_narrow else one for one, is_narrow in zip(args, narrow, strict=True)
            )
        if self.options.nudge is not None and signature is not None:
            args = self._nudged_arguments(base, signature, args)
        return args, kwargs

    def _nudged_arguments(self, base: str, signature: Signature, args: Any) -> Any:
        """The numbers of a call that Paddle's kernel rounds to float32, as the next one: it would round half a step away."""
        kept = {
            signature.names.index(n) for n in float32_arguments(str(signature.kind)) if n in signature.names
        }
        kept |= set(range(len(args))) if base in vocabulary.ROUNDING else set()
        return tuple(
            float(np.nextafter(np.float32(one), np.float32(0))) if at in kept and type(one) is float else one
            for at, one in enumerate(args)
        )


LARGER = 1024.0
"""So many times a gradient is it without rounding, and beyond what hooks clip at."""


def hooked(parameter: Any, gradient: Any) -> Any:
    """A gradient as the hooks of a parameter leave it for the optimizer.

    Paddle tells nobody which hooks there are, and runs them in `backward` alone, in the parameter's own type: so they are
    tried on the gradient in that, and where they change it, on the whole gradient in a parameter of its width.
    """
    values = _detach(parameter)
    held = None if parameter.grad is None else _clone(parameter.grad)
    try:
        narrow = _cast(gradient, parameter.dtype)
        # A bound that these do not reach shows on larger ones.
        if all(bool((_after_hooks(parameter, one) == one).all()) for one in (narrow, narrow * LARGER)):
            return gradient
        if not hasattr(parameter, "_set_impl"):
            raise ParityError(
                f"a hook on Paddle's parameter {parameter.name} changes its gradient, which Paddle {paddle.__version__} does in "
                "float32 alone: compare gradients with Paddle 3, or without the hook"
            )
        parameter._set_impl(_cast(values, gradient.dtype))
        return _after_hooks(parameter, gradient)
    finally:
        _drop_gradient(parameter)
        if hasattr(parameter, "_set_impl"):
            parameter._set_impl(values)
        if held is not None:
            parameter.grad = held


def _drop_gradient(parameter: Any) -> None:
    parameter.clear_gradient(False)
    if parameter.grad is not None:  # from Paddle 3.0 on, zeros are left
        parameter.grad = None


def _after_hooks(parameter: Any, gradient: Any) -> Any:
    _drop_gradient(parameter)
    with paddle.enable_grad():
        paddle.autograd.backward([parameter * 1.0], [gradient])
    return _clone(_detach(parameter.grad))


def _window_sizes(op: Op, shape: Any, output: Any, bound: Mapping[Any, Any]) -> Array:
    """How many elements each output of an average pool is divided by, shaped to multiply the output."""
    attributes, rank = op.attributes, len(shape)
    total = np.ones((1,) * rank)
    for d, (size, count) in enumerate(zip(shape[2:], output[2:], strict=True)):
        position = np.arange(count)
        if op.kind == "adaptive_avg_pool":
            counts = -(-(position + 1) * size // count) - position * size // count
        elif bound["exclusive"]:
            start = position * attributes["stride"][d] - attributes["padding"][d][0]
            counts = np.minimum(start + attributes["kernel_size"][d], size) - np.maximum(start, 0)
        else:
            counts = np.full(count, attributes["kernel_size"][d])
        total = total * np.maximum(counts, 1).reshape([-1 if i == d + 2 else 1 for i in range(rank)])
    return total.astype(np.float64)


_OPEN: list[PaddleRecorder] = []
"""The recorders of the runs that go on; what is called is told to the last one."""


@cache
def _wrapped(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The same operator, told to the recorder that is open; a model may keep it beyond the run in which it met it."""

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        if not _OPEN or _OPEN[-1].inside or name in vocabulary.QUERIES:
            return function(*args, **kwargs)
        recorder = _OPEN[-1]
        recorder.inside = True
        try:
            return recorder.call(name, function, args, kwargs)
        finally:
            recorder.inside = False

    wrapper.__name__ = getattr(function, "__name__", name)
    wrapper.__doc__ = function.__doc__
    return wrapper


def _read(recorder: PaddleRecorder, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    def read(tensor: Any, *args: Any, **kwargs: Any) -> Any:
        if recorder.inside:
            return method(tensor, *args, **kwargs)
        with recorder.unrecorded():
            return recorder.read(name, tensor, lambda it: method(it, *args, **kwargs))

    return read


def _noting(recorder: PaddleRecorder) -> Callable[..., Any]:
    def register_hook(tensor: Any, hook: Callable[[Any], Any]) -> Any:
        recorder.note_hook(tensor)
        return _register_hook(tensor, hook)

    return register_hook


def _operators() -> dict[int, tuple[str, Callable[..., Any]]]:
    """Every public operator of `_C_ops` and its older twin (`BatchNorm(act=...)`), and `to_tensor`, by identity."""
    found = {
        id(function): (name, function)
        for namespace in (_legacy_C_ops, _C_ops)
        for name, function in vars(namespace).items()
        if callable(function) and not name.startswith("__") and not name.endswith(("_grad", "_grad_"))
    }
    found[id(paddle.grad)] = ("grad", paddle.grad)
    found[id(paddle.to_tensor)] = ("to_tensor", paddle.to_tensor)
    functional = paddle.nn.functional
    for name in ("dropout", "alpha_dropout"):
        found[id(getattr(functional, name))] = (f"functional.{name}", getattr(functional, name))
    for name in ("var", "std"):
        found[id(getattr(paddle, name))] = (name, getattr(paddle, name))
    return found


_PLACES = Places()


def _names() -> Iterator[tuple[Any, str, Callable[..., Any], Callable[..., Any]]]:
    """(owner, name, function, wrapper) wherever an operator has a name: in loaded modules and the tensor class."""
    operators = _operators()
    wrappers = {key: _wrapped(name, function) for key, (name, function) in operators.items()}
    for owner, name, key in _PLACES.of({key: function for key, (_, function) in operators.items()}):
        yield owner, name, operators[key][1], wrappers[key]
    methods = {*vocabulary.METHODS, *vocabulary.IN_PLACE_METHODS}
    for name, value in list(vars(_TENSOR).items()):
        if id(value) in operators and name not in methods:
            yield _TENSOR, name, value, wrappers[id(value)]
    for name in methods:
        method = getattr(_TENSOR, name, None)
        if method is not None:
            yield _TENSOR, name, method, _wrapped(name, method)


_SWITCHES: Mapping[str, bool] = {
    "FLAGS_cudnn_deterministic": True,
    "FLAGS_cudnn_exhaustive_search": False,
    "FLAGS_embedding_deterministic": True,
}


@contextmanager
def _exact_arithmetic() -> Iterator[None]:
    """No TF32, no autotuned or nondeterministic kernels, in a CUDA build; what was set before comes back."""
    with ExitStack() as stack:
        if paddle.device.is_compiled_with_cuda():
            core = paddle.base.core
            for library in ("cublas", "cudnn"):
                switch = getattr(core, f"set_{library}_switch")
                stack.callback(switch, getattr(core, f"get_{library}_switch")())
                switch(False)
            stack.callback(paddle.set_flags, paddle.get_flags(list(_SWITCHES)))
            paddle.set_flags(dict(_SWITCHES))
        yield


@contextmanager
def _recording(recorder: PaddleRecorder, paths: Mapping[int, str], *, gradients: bool) -> Iterator[None]:
    original_call = paddle.nn.Layer.__call__

    def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
        with recorder.module(paths.get(id(layer), type(layer).__name__)):
            return original_call(layer, *args, **kwargs)

    state = paddle.get_rng_state()
    with ExitStack() as stack:
        stack.enter_context(throughout("Paddle's operators", lambda: patched(_names())))
        stack.callback(paddle.set_rng_state, state)
        paddle.seed(recorder.options.seed)
        stack.callback(_OPEN.pop)
        _OPEN.append(recorder)
        stack.callback(setattr, paddle.nn.Layer, "__call__", original_call)
        paddle.nn.Layer.__call__ = call
        for name in vocabulary.READINGS:
            method = getattr(_TENSOR, name)
            stack.callback(setattr, _TENSOR, name, method)
            setattr(_TENSOR, name, _read(recorder, name, method))
        if gradients:
            stack.callback(setattr, _TENSOR, "register_hook", _register_hook)
            _TENSOR.register_hook = _noting(recorder)
        # A compiled layer would be one operator that nothing can be seen of.
        stack.callback(paddle.jit.enable_to_static, ProgramTranslator().enable_to_static)
        paddle.jit.enable_to_static(False)
        stack.enter_context(_exact_arithmetic())
        stack.enter_context(paddle.enable_grad() if gradients else paddle.no_grad())
        stack.enter_context(watched(paddle, recorder.note_switch))
        yield


def _unregistered(root: Any) -> Iterator[tuple[str, Any, str]]:
    """Layers that live in plain lists, tuples or dictionaries: used, but never registered."""
    known = {id(layer) for layer in root.sublayers(include_self=True)}
    for path, owner in list(root.named_sublayers(include_self=True)):
        for name, value in list(vars(owner).items()):
            if name in ("_sub_layers", "_parameters", "_buffers"):
                continue
            entries: list[tuple[str, Any]] = []
            if isinstance(value, (list, tuple)):
                entries = [(f"{name}[{i}]", v) for i, v in enumerate(value)]
            elif isinstance(value, dict):
                entries = [(f"{name}[{k!r}]", v) for k, v in value.items()]
            for label, layer in entries:
                if isinstance(layer, paddle.nn.Layer) and id(layer) not in known:
                    known.update(id(item) for item in layer.sublayers(include_self=True))
                    yield (f"{path}.{label}" if path else label), layer, constructor_line(owner, name)


def _describe_model(model: Any, recorder: PaddleRecorder) -> dict[int, str]:
    """Fill the trace's parameters, modules and constructor lines; return layer paths by id."""
    trace, paths = recorder.trace, {id(model): ""}
    named: set[int] = set()
    edges: set[float] = set()
    hidden_tensors: list[tuple[str, Any]] = []
    hidden = list(_unregistered(model))
    known = {id(tensor) for tensor in (*model.parameters(), *model.buffers())}
    for path, layer, line in hidden:
        # A list of what is registered elsewhere, or of what holds nothing, hides nothing from the state dict.
        if any(id(tensor) not in known for tensor in (*layer.parameters(), *layer.buffers())):
            trace.unregistered[path] = line
    registered = set(model.state_dict())
    for prefix, root in [("", model), *((path, layer) for path, layer, _ in hidden)]:
        for name, layer in root.named_sublayers(include_self=True):
            path = ".".join(part for part in (prefix, name) if part)
            paths.setdefault(id(layer), path)
            trace.modules[path] = module_facts(layer)
            trace.arguments[path] = module_arguments(layer)
            if not recorder.options.outputs_only:  # only the given input's run is asked
                named |= numbers_named(layer)
                edges |= edges_named(layer)
            trace.returns[path] = return_line(layer)
            for child, inner in dict(layer.named_children()).items():
                label = f"{path}.{child}" if path else child
                line = constructor_line(layer, child) or trace.constructors.get(path, "")
                trace.constructors.setdefault(label, line)
                for place, made in element_lines(layer, child, inner, inner.named_sublayers()).items():
                    trace.constructors.setdefault(f"{label}.{place}", made)
            for key, value in held_tensors(layer, recorder.is_tensor, _is_layer):
                hidden_tensors.append((f"{path}.{key}" if path else key, value))
            for key, tensor in (*layer._parameters.items(), *layer._buffers.items()):
                if tensor is not None:
                    label = f"{path}.{key}" if path else key
                    recorder.add_leaf(
                        label, tensor, registered=label in registered, trainable=not tensor.stop_gradient
                    )
    trace.named += sorted(named)
    trace.edges += sorted(edges)
    for label, tensor in hidden_tensors:
        if id(tensor) not in recorder.leaves:
            recorder.add_leaf(label, tensor, registered=False, trainable=not tensor.stop_gradient)
    return paths


def _is_layer(value: Any) -> bool:
    return isinstance(value, paddle.nn.Layer)


@paddle.enable_grad()  # type: ignore[untyped-decorator]
def run(
    model: Any,
    inputs: Mapping[str, Array],
    *,
    mode: str,
    options: Options,
    store: ValueStore | None,
    device: str = "cpu",
) -> Trace:
    """Run `model` once and return what it did; the same contract as `parity.capture.torch.run`."""
    trace = Trace(
        framework="paddle",
        framework_version=paddle.__version__,
        model=type(model).__name__,
        mode=mode,
        precision=options.precision,
        device=device,
    )
    recorder = PaddleRecorder(trace, store, options)
    paths = _describe_model(model, recorder)
    flags = [(layer, layer.training) for layer in model.sublayers(include_self=True)]
    place = place_of(device)
    given = {}
    for name, array in inputs.items():
        tensor = recorder.cast(paddle.to_tensor(array, place=place), options.precision)
        if options.gradients and tensor.dtype in (paddle.float32, paddle.float64):
            tensor = recorder.gradient_input(tensor)
        recorder.add_input(name, tensor, array)
        given[name] = tensor
    compiled = sum(isinstance(layer.forward, StaticFunction) for layer, _ in flags)
    if compiled:
        trace.notes.append(
            f"{counted(compiled, 'layer')} {'is' if compiled == 1 else 'are'} compiled by paddle.jit.to_static; for the comparison they ran in dynamic mode"
        )
    held = [(layer, dict(layer._buffers)) for layer in model.sublayers(include_self=True)]
    state, snapshot = (
        attributes(model.named_sublayers(include_self=True)),
        Snapshot(model.named_sublayers(include_self=True), recorder.is_tensor),
    )
    try:
        (model.train if mode == "train" else model.eval)()
        with ExitStack() as stack:
            if options.gradients:
                stack.enter_context(none_recomputed())
            draws = stack.enter_context(seeded(options.seed, model.named_sublayers(include_self=True)))
            stack.enter_context(_recording(recorder, paths, gradients=options.gradients))
            stack.enter_context(branches_of(model.sublayers(include_self=True), trace.branches, options))
            earlier = [
                called(
                    model,
                    {
                        name: recorder.cast(paddle.to_tensor(array, place=place), options.precision)
                        for name, array in arrays.items()
                    },
                )
                for arrays in options.before
            ]
            result = called(model, given)
            loss = recorder.take_loss(result) if options.gradients else None
            recorder.note_draws(draws())
        recorder.note_modes([(paths.get(id(one), ""), type(one).__name__, flag) for one, flag in flags], mode)
        recorder.finish(result)
        if earlier:
            recorder.note_earlier(earlier[0])
        now = attributes(model.named_sublayers(include_self=True))
        trace.kept += changed(state, now)
        trace.counts.update(counts(state, now))
        for layer, buffers in held:
            for name, tensor in buffers.items():
                recorder.note_replaced(tensor, layer._buffers.get(name))
        if loss is not None:
            recorder.run_backward(result, *loss)
    except Exception as error:
        recorder.stopped(error)
        raise
    finally:
        for layer, flag in flags:
            layer.training = flag
        snapshot.restore()
        for layer, buffers in held:
            layer._buffers.update(buffers)
    return trace


def place_of(device: str) -> Any:
    """Paddle's place for "cpu", "cuda" or "cuda:1"."""
    if device == "cpu":
        return paddle.CPUPlace()
    return paddle.CUDAPlace(int(device.partition(":")[2] or 0))


def _described(model: Any) -> PaddleRecorder:
    recorder = PaddleRecorder(
        Trace("paddle", paddle.__version__, type(model).__name__, "eval", "float32", "cpu"), None, Options()
    )
    _describe_model(model, recorder)
    return recorder


def parameters(model: Any) -> dict[str, Array]:
    """Every parameter and buffer of a model as numpy arrays, by the names a trace uses."""
    recorder = _described(model)
    return {leaf.name: recorder.to_numpy(leaf.tensor) for leaf in recorder.leaves.values()}


def first_names(model: Any) -> dict[str, str]:
    """Every name of a parameter or buffer -> the first name of the same tensor, which a trace uses."""
    recorder = _described(model)
    first = {leaf.value: leaf.name for leaf in recorder.leaves.values()}
    return {name: first[held.value] for name, held in recorder.trace.parameters.items()}


def state(model: Any) -> Weights:
    """The state dict as numpy arrays, which still tell what layers they are of."""
    arrays = {
        name: np.asarray(
            tensor.astype("float32").numpy() if tensor.dtype == paddle.bfloat16 else tensor.numpy()
        )
        for name, tensor in model.state_dict().items()
    }
    return Weights(arrays, parameter_names(model))


def parameter_names(model: Any) -> dict[str, str]:
    """State dict entry -> the automatic name of its tensor (`conv2d_0.w_0`), which an exported network goes by."""
    return {name: tensor.name for name, tensor in model.state_dict().items()}


def constants(model: Any) -> set[str]:
    """State dict entries that are no parameters (running statistics are parameters in Paddle)."""
    parameters = {id(tensor) for tensor in model.parameters()}
    return {name for name, tensor in model.state_dict().items() if id(tensor) not in parameters}


def trainable(model: Any) -> dict[str, bool]:
    """State dict entry -> whether an optimizer changes it."""
    return {name: not tensor.stop_gradient for name, tensor in model.state_dict().items()}


def snapshot(model: Any) -> dict[str, Any]:
    """A copy of the state dict, for `put_back`."""
    return {name: _clone(_detach(tensor)) for name, tensor in model.state_dict().items()}


def put_back(model: Any, kept: Mapping[str, Any]) -> None:
    """Make the state dict what `snapshot` found."""
    for name, tensor in model.state_dict().items():
        tensor.set_value(kept[name])


def load_state(model: Any, arrays: Mapping[str, Array], *, strict: bool) -> None:
    """Load arrays by name; ParityError lists what is missing, unknown or of another shape if `strict`."""
    own = model.state_dict()
    wrong = [
        f"{name} has shape {list(array.shape)}, the model's is {list(own[name].shape)}"
        for name, array in arrays.items()
        if name in own and tuple(own[name].shape) != tuple(array.shape)
    ]
    missing, unknown = (
        model.set_state_dict({n: a for n, a in arrays.items() if n in own}),
        set(arrays) - set(own),
    )
    problems = [
        *wrong,
        *(f"{n} is missing" for n in missing[0]),
        *(f"{n} is unknown to the model" for n in sorted(unknown)),
    ]
    if strict and problems:
        shown = "; ".join(problems[:5]) + (f"; and {len(problems) - 5} more" if len(problems) > 5 else "")
        raise ParityError(f"the weights do not fit the Paddle model: {shown}")


def check_device(device: str) -> None:
    """ParityError unless this process can run on `device`."""
    if device == "cpu":
        return
    if not paddle.device.is_compiled_with_cuda():
        raise ParityError(
            f"device {device}: this Paddle is a CPU build; run it on the CPU (--paddle-device cpu; in Python "
            f"device=('cpu', '{device}')), or in an interpreter with paddlepaddle-gpu (--paddle-python)"
        )
    index = int(device.partition(":")[2] or 0)
    if index >= paddle.device.cuda.device_count():
        raise ParityError(f"device {device}: Paddle sees {paddle.device.cuda.device_count()} CUDA device(s)")


def check_model(model: Any, factory: str) -> None:
    """ParityError unless a factory made a Paddle layer."""
    if not isinstance(model, paddle.nn.Layer):
        raise ParityError(f"{factory} made a {type(model).__name__}, which is not a paddle.nn.Layer")


def place(model: Any, device: str) -> Any:
    """The model on `device`."""
    return model if device == device_of(model) else model.to(device.replace("cuda", "gpu"))


def device_of(model: Any) -> str:
    """Where a layer lies, by its first parameter or buffer: "cpu" or "cuda:N"; "cpu" for one that has none."""
    first = next(itertools.chain(model.parameters(), model.buffers()), None)
    if first is None or not first.place.is_gpu_place():
        return "cpu"
    return f"cuda:{first.place.gpu_device_id()}"


@contextmanager
def moved(model: Any, device: str) -> Iterator[None]:
    """A layer on another device for a while."""
    home = device_of(model)
    place(model, device)
    try:
        yield
    finally:
        place(model, home)
