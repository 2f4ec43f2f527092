"""Recording a torch module: a function mode sees every call, `torch.nn.functional` is looked through.

`TorchFunctionMode` is handed each call that touches a tensor, methods and operators included. The
Python functions of `torch.nn.functional` would be handed over whole (attention would be one operator), so
while a run lasts their own dispatch check is switched off and their bodies run.
"""

from __future__ import annotations

import itertools
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import cache
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch.overrides import TorchFunctionMode

from parity.capture.backward import BackwardRecorder
from parity.capture.branches import branches_of
from parity.capture.chance import seeded
from parity.capture.held import held_tensors
from parity.capture.kept import Snapshot, attributes, changed, counts
from parity.capture.named import edges_named, numbers_named
from parity.capture.options import MARK, Options
from parity.capture.recomputation import none_recomputed
from parity.capture.results import called
from parity.capture.source import constructor_line, element_lines, module_arguments, module_facts, return_line
from parity.capture.switches import EXPORTING, watched
from parity.capture.torch_vmap import looped
from parity.errors import ParityError
from parity.ops import torch as vocabulary
from parity.ops.attributes import TRAINS
from parity.ops.kinds import RECURRENT
from parity.ops.signature import Signature
from parity.ops.table import float32, float32_arguments
from parity.trace.trace import Trace
from parity.trace.values import Array, ValueStore

_DISPATCH_CHECKS = ("has_torch_function", "has_torch_function_unary", "has_torch_function_variadic")

# Bound before it is patched: what the recorder itself uses must never be recorded.
_from_numpy = torch.from_numpy

_WRITING_OPERATORS = {
    "__setitem__",
    "__iadd__",
    "__isub__",
    "__imul__",
    "__itruediv__",
    "__ifloordiv__",
    "__imod__",
    "__ipow__",
    "__iand__",
    "__ior__",
    "__ixor__",
    "__ilshift__",
    "__irshift__",
}


_EXACT: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    # With Paddle's literal slope.
    "hardsigmoid": lambda x: (x * float32(0.1666667) + 0.5).clamp(0.0, 1.0),
    # torch's CUDA kernel multiplies by float32(1/6), in float64 too (native/cuda/ActivationHardswishKernel.cu).
    "hardswish": lambda x: x * (x + 3.0).clamp(0.0, 6.0) / 6.0,
}
"""How a float64 run computes what a framework's kernel does with a float32 constant, so that a correct port agrees."""


def _evenly_spaced(function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """`linspace` in float64 where float32 is asked for: each framework rounds it in steps of its own. The ends stay float32 numbers."""
    if (kwargs.get("dtype") or torch.get_default_dtype()) is not torch.float32:
        return function(*args, **kwargs)
    ends = tuple(float32(one) if isinstance(one, float) else one for one in args[:2])
    named = {
        k: float32(v) if k in ("start", "end") and isinstance(v, float) else v for k, v in kwargs.items()
    }
    return function(*ends, *args[2:], **{**named, "dtype": torch.float64})


class TorchRecorder(BackwardRecorder):
    signatures = vocabulary.SIGNATURES
    aliases = vocabulary.ALIASES
    creators = vocabulary.CREATORS
    random = vocabulary.RANDOM

    def is_tensor(self, value: Any) -> bool:
        return isinstance(value, torch.Tensor)

    def mark(self, tensor: torch.Tensor, mark: Any) -> None:
        # An attribute outlives the Python object as long as autograd holds the tensor, which a weak reference does not.
        setattr(tensor, MARK, mark)

    def mark_of(self, tensor: torch.Tensor) -> Any:
        return getattr(tensor, MARK, None)

    def describe(self, tensor: torch.Tensor) -> tuple[tuple[int, ...], str]:
        return tuple(tensor.shape), str(tensor.dtype).removeprefix("torch.")

    def to_numpy(self, tensor: torch.Tensor) -> Array:
        tensor = tensor.detach()
        if tensor.dtype is torch.bfloat16:
            tensor = tensor.float()
        array: Array = tensor.cpu().resolve_conj().resolve_neg().numpy()
        return array

    def device_of(self, tensor: torch.Tensor) -> str:
        return str(tensor.device)

    def from_numpy(self, array: Array, like: torch.Tensor) -> torch.Tensor:
        result = _from_numpy(np.asarray(array, order="C")).to(like.device)
        result = result.to(like.dtype)
        self.mark(result, self.mark_of(like))
        return result

    def cast(self, tensor: torch.Tensor, precision: str) -> torch.Tensor:
        target = getattr(torch, precision)
        if tensor.is_complex():
            target = target.to_complex()
        elif not tensor.is_floating_point():
            return tensor
        return tensor if tensor.dtype is target else tensor.to(target)

    def as_float(self, tensor: torch.Tensor, precision: str) -> torch.Tensor:
        return tensor.to(getattr(torch, precision))

    def copy(self, tensor: torch.Tensor) -> torch.Tensor:
        return tensor.detach().clone()

    def overwrite(self, tensor: torch.Tensor, source: torch.Tensor) -> None:
        with torch.no_grad():
            tensor.copy_(source)

    def leaf_for_gradients(self, tensor: torch.Tensor) -> torch.Tensor:
        return tensor.detach().clone().requires_grad_(tensor.is_floating_point())

    def copy_with_gradient(self, tensor: torch.Tensor) -> torch.Tensor:
        return tensor.clone()

    def requires_gradient(self, tensor: torch.Tensor) -> bool:
        return tensor.requires_grad

    def on_gradient(self, tensor: torch.Tensor, hook: Callable[[Any], Any]) -> None:
        tensor.register_hook(hook)  # type: ignore[no-untyped-call]

    def hooked(self, parameter: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
        return hooked(parameter, gradient)

    def unrecorded(self) -> AbstractContextManager[Any]:
        return torch._C.DisableTorchFunction()

    def gradients_of(self, outputs: list[Any], seeds: list[Any], leaves: list[Any]) -> list[Any]:
        with exact_arithmetic(self.trace.device):
            return list(torch.autograd.grad(outputs, leaves, seeds or None, allow_unused=True))

    def as_written(self, args: Any) -> Any:
        """What a question is put to: a buffer that the run has written to stands in its twin, a counter for one."""
        if not args:
            return args
        leaf, twin = self.leaves.get(id(args[0])), self.twins.get(id(args[0]))
        if twin is not None:
            return (twin[1], *args[1:])
        return args if leaf is None or leaf.trainable or leaf.shadow is None else (leaf.shadow, *args[1:])

    def dtype_of(self, tensor: torch.Tensor, dtype: torch.dtype) -> torch.dtype:
        """A parameter's type as the run has it: torch's RNNs refuse an input of another type than their weights."""
        held = id(tensor) in self.leaves or id(tensor) in self.twins
        return getattr(torch, self.options.precision) if held and dtype.is_floating_point else dtype

    def writes_in_place(self, name: str) -> bool:
        return super().writes_in_place(name) or name in _WRITING_OPERATORS

    def adjust(self, base: str, signature: Signature | None, args: Any, kwargs: Any) -> tuple[Any, Any]:
        if signature is None:
            return args, kwargs
        names = signature.names
        changes: dict[str, Callable[[Any], Any]] = {}
        if signature.kind in ("dropout", "attention"):
            changes["p" if signature.kind == "dropout" else "dropout_p"] = lambda _: 0.0
        elif base in RECURRENT:
            # A packed sequence comes with its sizes of batches, and all else one place further.
            packed = not isinstance(args[3], bool)
            args = tuple(0.0 if i == 5 + packed else value for i, value in enumerate(args))
        if self.options.precision == "float64":
            changes.update(float32_arguments(str(signature.kind)))
        for name, change in changes.items():
            position = names.index(name) if name in names else len(args)
            if position < len(args):
                if isinstance(args[position], (int, float)):
                    args = (*args[:position], change(args[position]), *args[position + 1 :])
            elif isinstance(kwargs.get(name), (int, float)):
                kwargs = {**kwargs, name: change(kwargs[name])}
        if base in ("to", "type", "float", "double", "half", "bfloat16", "type_as"):
            return self._same_width(base, args, kwargs)
        return args, kwargs

    def _same_width(self, base: str, args: Any, kwargs: Any) -> tuple[Any, Any]:
        """A cast between float widths must not leave the precision of the run."""
        target = getattr(torch, self.options.precision)

        def widen(value: Any) -> Any:
            return target if isinstance(value, torch.dtype) and value.is_floating_point else value

        return tuple(widen(a) for a in args), {k: widen(v) for k, v in kwargs.items()}

    def execute(self, base: str, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        if base == "grad":
            with self.differentiated():
                return function(*args, **kwargs)
        wide = self.options.precision == "float64"
        if wide and base == "rms_norm" and (args[3] if len(args) > 3 else kwargs.get("eps")) is None:
            return function(*args[:3], **{**kwargs, "eps": vocabulary.FLOAT32_STEP})
        if wide and base == "linspace" and kwargs.get("out") is None:
            return _evenly_spaced(function, args, kwargs)
        if wide and base in _EXACT:
            in_place = function.__name__.endswith("_")
            # Going backward needs what was there before it was written over.
            result = _EXACT[base](args[0].clone() if in_place else args[0])
            return args[0].copy_(result) if in_place else result
        if wide and base in ("float", "half", "bfloat16"):
            return args[0].to(torch.float64)
        if base == "dropout" and not function.__name__.endswith("_"):
            # With p=0 torch hands its input back: the result must be a value of its own.
            result = function(*args, **kwargs)
            return result.view_as(result) if result is args[0] else result
        backward = self.options.backward
        if base == "batch_norm" and backward is not None and backward.plain_variance is not None:
            return self._biased_batch_norm(function, args, kwargs, backward.plain_variance)
        return function(*args, **kwargs)

    def _biased_batch_norm(
        self, function: Callable[..., Any], args: Any, kwargs: Any, plain: dict[str, Any]
    ) -> Any:
        """BatchNorm that accumulates the biased variance, as Paddle's; what torch's own would hold is kept too."""
        x, variance, training, momentum = args[0], args[4], args[5], args[6]
        layer = self.trace.modules.get(self.stack[-1], {}).get("type", "")
        if variance is None or not training or layer.startswith("BiasedBatchNorm"):
            return function(*args, **kwargs)
        before = variance.detach().clone()
        result = function(*args, **kwargs)
        n = x.numel() // x.shape[1]
        with torch.no_grad():
            kept = (1.0 - momentum) * before
            gained = variance - kept
            owner = next((leaf for leaf in self.leaves.values() if leaf.shadow is variance), None)
            if owner is not None:
                plain[owner.name] = (1.0 - momentum) * plain.get(owner.name, before) + gained
            # Through .data: backward holds on to the tensor, which training does not read again.
            variance.data.copy_(kept + gained * ((n - 1) / n))
        return result


def hooked(parameter: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
    """A gradient as the hooks of a parameter leave it for the optimizer."""
    for hook in (parameter._backward_hooks or {}).values():
        made = hook(gradient)
        gradient = gradient if made is None else made
    after = getattr(parameter, "_post_accumulate_grad_hooks", None)
    if after:
        # These write to the parameter's own `grad`: they are given a twin.
        twin = parameter.detach().to(gradient.dtype).clone().requires_grad_()
        twin.grad = gradient.clone()
        for hook in after.values():
            hook(twin)
        gradient = torch.zeros_like(twin) if twin.grad is None else twin.grad
    return gradient


class _Mode(TorchFunctionMode):
    def __init__(self, recorder: TorchRecorder) -> None:
        super().__init__()
        self.recorder = recorder

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = getattr(func, "__name__", str(func))
        if name == "__get__":
            name = getattr(getattr(func, "__self__", None), "__name__", "")
            if name == "dtype":
                return self.recorder.dtype_of(args[0], func(*args, **kwargs))
            if name not in ("T", "mT", "H", "mH", "data", "real", "imag"):
                return func(*args, **kwargs)
        elif name == "__set__" and getattr(getattr(func, "__self__", None), "__name__", "") == "data":
            # `buffer.data = x` would write to the user's own tensor; a copy in place does the same to the run's.
            return self.recorder.call("copy_", torch.Tensor.copy_, args, kwargs)
        elif name in vocabulary.READINGS and args:
            return self.recorder.read(name, args[0], lambda tensor: func(tensor, *args[1:], **kwargs))
        elif name in vocabulary.SHAPE_QUERIES:
            return func(*self.recorder.as_written(args), **kwargs)
        elif name in ("__set__", "__delete__"):
            return func(*args, **kwargs)
        if name == "register_hook":
            self.recorder.note_hook(args[0])
            # On what stands for a parameter in this run: the user's own one stays without.
            return func(self.recorder.usable(args[0], written=False), *args[1:], **kwargs)
        return self.recorder.call(name, func, args, kwargs)


def _seen(recorder: TorchRecorder, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that no mode is told of, told to the recorder."""

    def called(*args: Any, **kwargs: Any) -> Any:
        with recorder.unrecorded():
            return recorder.call(name, function, args, kwargs)

    return called


@cache
def _sees_elements() -> bool:
    """Whether a mode is told of `x[0]` and `x[1:]`; before torch 2.2 only of indices that are tensors."""
    told = []

    class Listening(TorchFunctionMode):
        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            told.append(func)
            return func(*args, **(kwargs or {}))

    x = torch.zeros(1)
    with Listening():
        _ = x[0]
    return bool(told)


@contextmanager
def _recording(recorder: TorchRecorder, paths: Mapping[int, str], *, gradients: bool) -> Iterator[None]:
    """Module calls, functional calls and tensor operators go through `recorder` while this is open."""
    original_call = torch.nn.Module.__call__

    def call(module: torch.nn.Module, *args: Any, **kwargs: Any) -> Any:
        with recorder.module(paths.get(id(module), type(module).__name__)):
            return original_call(module, *args, **kwargs)

    saved = {name: getattr(F, name) for name in _DISPATCH_CHECKS if hasattr(F, name)}
    asks = torch.are_deterministic_algorithms_enabled
    with ExitStack() as stack:
        stack.callback(setattr, torch.nn.Module, "__call__", original_call)
        torch.nn.Module.__call__ = call  # type: ignore[method-assign]
        for name, value in saved.items():
            stack.callback(setattr, F, name, value)
            setattr(F, name, lambda *_: False)
        for name in vocabulary.UNSEEN:
            function = getattr(torch, name)
            stack.callback(setattr, torch, name, function)
            setattr(torch, name, _seen(recorder, name, function))
        if not _sees_elements():
            stack.callback(delattr, torch.Tensor, "__getitem__")
            torch.Tensor.__getitem__ = _seen(recorder, "__getitem__", torch.Tensor.__getitem__)  # type: ignore[method-assign]
        # Told yes on a GPU, `interpolate` and `pad` run written-out twins of thirty operators in place of their kernels.
        stack.callback(setattr, torch, asks.__name__, asks)
        setattr(torch, asks.__name__, lambda: False)
        if "torch._dynamo" in sys.modules and hasattr(torch.compiler, "set_stance"):
            # A compiled module would hand on kernels, and compile the recorder with it.
            stack.enter_context(torch.compiler.set_stance("force_eager"))
        stack.enter_context(looped())
        stack.enter_context(torch.random.fork_rng(devices=range(torch.cuda.device_count())))
        torch.manual_seed(recorder.options.seed)
        stack.enter_context(exact_arithmetic(recorder.trace.device))
        stack.enter_context(torch.set_grad_enabled(gradients))
        stack.enter_context(watched(torch, recorder.note_switch))
        stack.enter_context(watched(torch.jit, recorder.note_export, EXPORTING))
        stack.enter_context(_Mode(recorder))
        yield


@contextmanager
def exact_arithmetic(device: str) -> Iterator[None]:
    """No TF32, no autotuned or nondeterministic kernels; whatever was set before comes back."""
    cudnn = torch.backends.cudnn
    flags = [*_narrow_products(), (cudnn, "benchmark", False), (cudnn, "deterministic", True)]
    with ExitStack() as stack:
        for owner, name, value in flags:
            stack.callback(setattr, owner, name, getattr(owner, name))
            setattr(owner, name, value)
        if device != "cpu":
            stack.callback(torch.set_deterministic_debug_mode, torch.get_deterministic_debug_mode())
            # An operator without a deterministic kernel runs all the same: float64 shows what order does to it.
            torch.set_deterministic_debug_mode("warn")
            stack.enter_context(warnings.catch_warnings())
            warnings.filterwarnings("ignore", message=".*deterministic", category=UserWarning)
        yield


def _narrow_products() -> Iterator[tuple[Any, str, Any]]:
    """(owner, attribute, value) of every switch that lets float32 products run in TF32 or bfloat16.

    From torch 2.9 on these are `fp32_precision`; the older `allow_tf32` can then not even be read if a user has set them.
    """
    backends = torch.backends
    try:
        backends.cuda.matmul.fp32_precision  # noqa: B018 - torch 2.1 asserts where others have no attribute
    except (AttributeError, AssertionError):
        yield backends.cudnn, "allow_tf32", False
        yield backends.cuda.matmul, "allow_tf32", False
        return
    yield backends.cuda.matmul, "fp32_precision", "ieee"
    for library, names in ((backends.cudnn, ("conv", "rnn")), (backends.mkldnn, ("matmul", "conv", "rnn"))):
        for name in names:
            yield getattr(library, name), "fp32_precision", "ieee"


def _unregistered(root: torch.nn.Module) -> Iterator[tuple[str, torch.nn.Module, str]]:
    """Modules that live in plain lists, tuples or dictionaries: used, but never registered."""
    known = {id(m) for m in root.modules()}
    for path, owner in list(root.named_modules()):
        for name, value in list(vars(owner).items()):
            if name.startswith("_") and name in ("_modules", "_parameters", "_buffers"):
                continue
            entries: list[tuple[str, Any]] = []
            if isinstance(value, (list, tuple)):
                entries = [(f"{name}[{i}]", v) for i, v in enumerate(value)]
            elif isinstance(value, dict):
                entries = [(f"{name}[{k!r}]", v) for k, v in value.items()]
            for label, module in entries:
                if isinstance(module, torch.nn.Module) and id(module) not in known:
                    known.update(id(m) for m in module.modules())
                    yield (f"{path}.{label}" if path else label), module, constructor_line(owner, name)


def _describe_model(model: torch.nn.Module, recorder: TorchRecorder) -> dict[int, str]:
    """Fill the trace's parameters, modules and constructor lines; return module paths by id."""
    trace, paths = recorder.trace, {id(model): ""}
    named: set[int] = set()
    edges: set[float] = set()
    hidden_tensors: list[tuple[str, torch.Tensor]] = []
    hidden = list(_unregistered(model))
    known = {id(tensor) for tensor in (*model.parameters(), *model.buffers())}
    for path, module, line in hidden:
        # A list of what is registered elsewhere, or of what holds nothing, hides nothing from the state dict.
        if any(id(tensor) not in known for tensor in (*module.parameters(), *module.buffers())):
            trace.unregistered[path] = line
    registered = set(model.state_dict(keep_vars=True))
    plainly = all(type(module).train is torch.nn.Module.train for module in model.modules())
    for prefix, root in [("", model), *((path, module) for path, module, _ in hidden)]:
        for name, module in root.named_modules():
            path = ".".join(part for part in (prefix, name) if part)
            paths.setdefault(id(module), path)
            trace.modules[path] = module_facts(module)
            trace.arguments[path] = module_arguments(module)
            if not recorder.options.outputs_only:  # only the given input's run is asked
                named |= numbers_named(module)
                edges |= edges_named(module)
            if plainly and not prefix and trace.arguments[path]:
                trace.arguments[path][TRAINS] = True
            trace.returns[path] = return_line(module)
            for child, inner in dict(module.named_children()).items():
                label = f"{path}.{child}" if path else child
                line = constructor_line(module, child) or trace.constructors.get(path, "")
                trace.constructors.setdefault(label, line)
                for place, made in element_lines(module, child, inner, inner.named_modules()).items():
                    trace.constructors.setdefault(f"{label}.{place}", made)
            for key, value in held_tensors(module, recorder.is_tensor, _is_module):
                hidden_tensors.append((f"{path}.{key}" if path else key, value))
        for tensors, trainable in (
            (root.named_parameters(remove_duplicate=False), True),
            (root.named_buffers(remove_duplicate=False), False),
        ):
            for name, tensor in tensors:
                label = f"{prefix}.{name}" if prefix else name
                recorder.add_leaf(
                    label,
                    tensor,
                    registered=not prefix and (trainable or name in registered),
                    trainable=trainable and tensor.requires_grad,
                )
    trace.named += sorted(named)
    trace.edges += sorted(edges)
    for label, tensor in hidden_tensors:
        if id(tensor) not in recorder.leaves:
            recorder.add_leaf(label, tensor, registered=False, trainable=tensor.requires_grad)
    return paths


def _is_module(value: Any) -> bool:
    return isinstance(value, torch.nn.Module)


@torch.enable_grad()
@torch.inference_mode(False)
def run(
    model: torch.nn.Module,
    inputs: Mapping[str, Array],
    *,
    mode: str,
    options: Options,
    store: ValueStore | None,
    device: str = "cpu",
) -> Trace:
    """Run `model` once and return what it did, also where the caller is in torch.no_grad() or inference_mode().

    `inputs` are numpy arrays by name; names that are numbers are passed by position, in order.
    Whatever the run touches (training flags, random state, backend flags) is restored.
    """
    trace = Trace(
        framework="torch",
        framework_version=torch.__version__,
        model=type(model).__name__,
        mode=mode,
        precision=options.precision,
        device=device,
    )
    if any(isinstance(module, torch.jit.ScriptModule) for module in model.modules()):
        raise ParityError(
            "the torch model is, or holds, a TorchScript module, which cannot be looked into: give the torch.nn.Module that "
            "it was made of"
        )
    recorder = TorchRecorder(trace, store, options)
    paths = _describe_model(model, recorder)
    compiled = sum(
        getattr(module, "_compiled_call_impl", None) is not None or hasattr(module, "_orig_mod")
        for module in model.modules()
    )
    if compiled:
        trace.notes.append(
            f"{compiled} module(s) are compiled by torch.compile; for the comparison they ran as they are written"
        )
    flags = [(module, module.training) for module in model.modules()]
    given = {}
    for name, array in inputs.items():
        tensor = recorder.cast(torch.from_numpy(np.array(array)).to(device), options.precision)
        if options.gradients and tensor.is_floating_point():
            tensor = recorder.gradient_input(tensor)
        recorder.add_input(name, tensor, array)
        given[name] = tensor
    held = [(module, dict(module._buffers)) for module in model.modules()]
    state, snapshot = attributes(model.named_modules()), Snapshot(model.named_modules(), recorder.is_tensor)
    try:
        model.train(mode == "train")
        with ExitStack() as stack:
            if options.gradients:
                stack.enter_context(none_recomputed())
            draws = stack.enter_context(seeded(options.seed, model.named_modules()))
            stack.enter_context(_recording(recorder, paths, gradients=options.gradients))
            stack.enter_context(branches_of(model.modules(), trace.branches, options))
            earlier = [
                called(
                    model,
                    {
                        name: recorder.cast(torch.from_numpy(np.array(array)).to(device), options.precision)
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
        now = attributes(model.named_modules())
        trace.kept += changed(state, now)
        trace.counts.update(counts(state, now))
        for module, buffers in held:
            for name, buffer in buffers.items():
                recorder.note_replaced(buffer, module._buffers.get(name))
        if loss is not None:
            recorder.run_backward(result, *loss)
    except Exception as error:
        recorder.stopped(error)
        raise
    finally:
        for module, flag in flags:
            module.training = flag
        snapshot.restore()
        for module, buffers in held:
            module._buffers.update(buffers)
    return trace


def plain_thread() -> bool:
    """Whether a run in another thread would be the same: torch keeps these settings by thread."""
    return (
        torch.get_default_device().type == "cpu"
        and not torch.is_autocast_enabled("cpu")
        and not torch.overrides._get_current_function_mode_stack()  # type: ignore[no-untyped-call]
        and not torch.utils._python_dispatch._get_current_dispatch_mode_stack()
    )


def _described(model: torch.nn.Module) -> TorchRecorder:
    recorder = TorchRecorder(
        Trace("torch", torch.__version__, type(model).__name__, "eval", "float32", "cpu"), None, Options()
    )
    _describe_model(model, recorder)
    return recorder


def parameters(model: torch.nn.Module) -> dict[str, Array]:
    """Every parameter and buffer of a model as numpy arrays, by the names a trace uses."""
    recorder = _described(model)
    return {leaf.name: recorder.to_numpy(leaf.tensor) for leaf in recorder.leaves.values()}


def first_names(model: torch.nn.Module) -> dict[str, str]:
    """Every name of a parameter or buffer -> the first name of the same tensor, which a trace uses."""
    recorder = _described(model)
    first = {leaf.value: leaf.name for leaf in recorder.leaves.values()}
    return {name: first[held.value] for name, held in recorder.trace.parameters.items()}


def state(model: torch.nn.Module) -> dict[str, Array]:
    """The state dict as numpy arrays."""
    return {
        name: tensor.detach().cpu().float().numpy()
        if tensor.dtype is torch.bfloat16
        else tensor.detach().cpu().numpy()
        for name, tensor in model.state_dict().items()
    }


def snapshot(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    """A copy of the state dict, for `put_back`."""
    return {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}


def put_back(model: torch.nn.Module, kept: Mapping[str, torch.Tensor]) -> None:
    """Make the state dict what `snapshot` found."""
    model.load_state_dict(dict(kept), strict=True)


def load_state(model: torch.nn.Module, arrays: Mapping[str, Array], *, strict: bool) -> None:
    """Load arrays by name; what the model has and `arrays` lacks keeps its value unless `strict`."""
    tensors = {name: torch.from_numpy(np.array(array)) for name, array in arrays.items()}
    try:
        model.load_state_dict(tensors, strict=strict)
    except RuntimeError as error:
        raise ParityError(f"the torch model does not take the converted weights: {error}") from error


def check_device(device: str) -> None:
    """ParityError unless this process can run on `device`."""
    if device == "cpu":
        return
    if not torch.cuda.is_available():
        raise ParityError(
            f"device {device}: this torch sees no CUDA device; run it on the CPU (--torch-device cpu), or in an interpreter "
            "with a CUDA build of torch (--torch-python)"
        )
    index = int(device.partition(":")[2] or 0)
    if index >= torch.cuda.device_count():
        raise ParityError(f"device {device}: torch sees {torch.cuda.device_count()} CUDA device(s)")


def check_model(model: Any, factory: str) -> None:
    """ParityError unless a factory made a torch module."""
    if not isinstance(model, torch.nn.Module):
        raise ParityError(f"{factory} made a {type(model).__name__}, which is not a torch.nn.Module")


def place(model: torch.nn.Module, device: str) -> torch.nn.Module:
    """The model on `device`."""
    return model.to(device)


def device_of(model: torch.nn.Module) -> str:
    """Where a module lies, by its first parameter or buffer: "cpu", "cuda:0", ...; "cpu" for one that has none."""
    first = next(itertools.chain(model.parameters(), model.buffers()), None)
    return "cpu" if first is None else str(first.device)


@contextmanager
def moved(model: torch.nn.Module, device: str) -> Iterator[None]:
    """A module on another device for a while; afterwards its tensors hold the very memory that they held."""
    tensors = [*model.parameters(), *model.buffers()]
    tensors += [tensor.grad for tensor in tensors if tensor.grad is not None]
    held = [(tensor, tensor.data) for tensor in tensors]
    try:
        for tensor in tensors:
            tensor.data = tensor.data.to(device)
        yield
    finally:
        for tensor, data in held:
            tensor.data = data
