"""Training a float64 copy of a Paddle layer, one step at a time.

A Paddle optimizer does not survive the conversion of its parameters to float64, so it is built anew: by the user's
function, or from the class and settings of the user's object.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import paddle

from parity.capture import paddle as capture
from parity.capture.options import Backward, Options
from parity.capture.training import FURTHER, Recipe, Settings, Step, collect, line_of, users_code
from parity.errors import ParityError
from parity.trace.trace import Trace
from parity.trace.values import Array, ValueStore, scratch_directory

RULES = {"SGD": "sgd", "Momentum": "sgd", "Adam": "adam", "AdamW": "adam"}
CLIPS = {"ClipGradByGlobalNorm": "clip_norm", "ClipGradByNorm": "clip_norm", "ClipGradByValue": "max"}


class PaddleTrainer:
    def __init__(
        self, model: Any, *, mode: str, loss: Any, optimizer: Any, scheduler: Any, device: str = "cpu"
    ) -> None:
        """`optimizer` is one of the model's parameters, or takes the model; `scheduler` likewise of the optimizer."""
        self.mode, self.loss, self.device = mode, loss, device
        self.notes: list[str] = []
        try:
            self.model = copy.deepcopy(model)
        except Exception as error:
            raise ParityError(
                f"the Paddle model cannot be copied, which training a copy needs: {error}"
            ) from error
        self.tensors = _tensors(self.model)
        # A copy of a parameter has none of its hooks.
        self.originals = _tensors(model)
        # Rules like apply_decay_param_fun go by name: the copy's parameters keep theirs.
        for name, original in self.originals.items():
            self.tensors[name].name = original.name
        # Paddle's `to` makes floats of them, and in 2.6 fails at those that have no memory yet (a recurrent layer's).
        whole = _left_alone(self.model)
        for layer, name, _ in whole:
            layer._buffers[name] = None
        self.model.to(dtype="float64")
        for layer, name, buffer in whole:
            layer._buffers[name] = buffer
        self.tensors = _tensors(self.model)
        given = isinstance(optimizer, paddle.optimizer.Optimizer)
        self.where = line_of(optimizer)
        with users_code("Paddle's optimizer factory"):
            self.optimizer = self._rebuilt(model, optimizer) if given else optimizer(self.model)
        if not isinstance(self.optimizer, paddle.optimizer.Optimizer):
            raise ParityError(
                f"Paddle's optimizer factory made a {type(self.optimizer).__name__}, not a paddle.optimizer.Optimizer"
            )
        with users_code("Paddle's scheduler factory"):
            self.scheduler = self._schedule(scheduler, optimizer if given else None)

    def _rebuilt(self, model: Any, optimizer: Any) -> Any:
        kind = type(optimizer)
        settings = _constructed_with(optimizer)
        if settings is None:
            raise ParityError(
                f"Paddle's {kind.__name__} cannot be rebuilt for the float64 copy; give a function that takes the "
                "model and makes the optimizer"
            )
        if any(accumulators for accumulators in optimizer._accumulators.values()):
            self.notes.append("Paddle's optimizer had taken steps; the comparison starts from a fresh state")
        twins = {id(tensor): self.tensors[name] for name, tensor in _tensors(model).items()}

        def moved(parameters: Any) -> list[Any]:
            strangers = [p for p in parameters if id(p) not in twins]
            if strangers:
                raise ParityError(
                    f"Paddle's optimizer holds {len(strangers)} tensor(s) that are not the model's parameters; build "
                    "it from this model's parameters, or give a function that takes the model"
                )
            return [twins[id(p)] for p in parameters]

        groups = optimizer._parameter_list
        parameters: list[Any] = (
            [
                {key: moved(value) if key == "params" else value for key, value in group.items()}
                for group in groups
            ]
            if groups and isinstance(groups[0], dict)
            else moved(groups)
        )
        return kind(**{**settings, "parameters": parameters})

    def _schedule(self, scheduler: Any, optimizer: Any) -> Any:
        own = self.optimizer._learning_rate
        own = own if isinstance(own, paddle.optimizer.lr.LRScheduler) else None
        if scheduler is None:
            if own is not None:
                self.notes.append(
                    "Paddle's optimizer has a learning rate schedule, which is not stepped: give schedulers=(...)"
                )
            return None
        if not isinstance(scheduler, paddle.optimizer.lr.LRScheduler):
            return scheduler(self.optimizer)
        if optimizer is None or optimizer._learning_rate is not scheduler:
            raise ParityError(
                "Paddle's scheduler is not the optimizer's learning rate; give the optimizer that was made with it, or "
                "a function that takes the optimizer"
            )
        return own

    def settings(self) -> Settings:
        names = {id(tensor): name for name, tensor in self.tensors.items()}
        kind = type(self.optimizer).__name__
        rule = RULES.get(kind, kind.lower())
        found = {}
        for group, parameters in self._groups():
            for parameter in parameters:
                if not parameter.stop_gradient:
                    name = names.get(id(parameter), f"a tensor of shape {list(parameter.shape)}")
                    found[name] = self._settings(rule, kind, group, parameter)
        clips = {_clip(group.get("grad_clip")) for group, _ in self._groups()} - {""}
        return Settings(
            kind,
            rule,
            found,
            clip=", ".join(sorted(clips)),
            where=self.where,
            custom=not type(self.optimizer).__module__.startswith("paddle."),
            notes=tuple(self.notes),
        )

    def _groups(self) -> list[tuple[dict[str, Any], list[Any]]]:
        groups = self.optimizer._param_groups
        if groups and isinstance(groups[0], dict):
            return [(group, group["params"]) for group in groups]
        return [({"grad_clip": self.optimizer._grad_clip}, groups)]

    def _settings(self, rule: str, kind: str, group: Mapping[str, Any], parameter: Any) -> dict[str, Any]:
        optimizer = self.optimizer
        share = getattr(parameter, "optimize_attr", {}).get("learning_rate", 1.0)
        coupled = getattr(parameter, "regularizer", None) or (
            _coupled_decay(optimizer, group) if kind != "AdamW" else None
        )
        found: dict[str, Any] = {
            "lr": float(optimizer.get_lr()) * float(share),
            "weight_decay": float(getattr(coupled, "_coeff", 0.0) or 0.0),
            "decoupled": kind == "AdamW",
        }
        if coupled is not None and type(coupled).__name__ != "L2Decay":
            found["decay kind"] = type(coupled).__name__
        if kind == "AdamW":
            chosen = optimizer._apply_decay_param_fun
            decay = group.get("weight_decay", optimizer._default_dict["weight_decay"])
            found["weight_decay"] = float(decay) if chosen is None or chosen(parameter.name) else 0.0
            if coupled is not None:
                found["added decay"] = float(getattr(coupled, "_coeff", 0.0))
            if optimizer._lr_ratio is not None:
                found["lr"] *= float(optimizer._lr_ratio(parameter))
        if kind == "Lamb":
            excluded = optimizer._exclude_from_weight_decay_fn
            found["weight_decay"] = (
                0.0 if excluded is not None and excluded(parameter) else _number(optimizer._lamb_weight_decay)
            )
            found.update(beta1=_number(optimizer._beta1), beta2=_number(optimizer._beta2))
        if rule == "sgd":
            found.update(
                momentum=float(getattr(optimizer, "_momentum", 0.0)),
                dampening=0.0,
                nesterov=bool(getattr(optimizer, "_use_nesterov", False)),
            )
        if rule == "adam":
            found.update(
                beta1=_number(group.get("beta1", optimizer._beta1)),
                beta2=_number(group.get("beta2", optimizer._beta2)),
                eps=_number(group.get("epsilon", optimizer._epsilon)),
                amsgrad=bool(getattr(optimizer, "_amsgrad", False)),  # Paddle 2 has none
            )
        for name, attribute in FURTHER.get(rule, {}).items():
            value = getattr(optimizer, attribute)
            found[name] = value if isinstance(value, bool) else _number(value)
        return found

    def state(self) -> dict[str, Array]:
        return {name: np.array(tensor.numpy()) for name, tensor in self.tensors.items()}

    def load(self, arrays: Mapping[str, Array]) -> None:
        for name, array in arrays.items():
            tensor = self.tensors[name]
            kind = str(tensor.dtype).removeprefix("paddle.")
            tensor.set_value(np.ascontiguousarray(array, dtype=kind).reshape(tensor.shape))

    def backward(self, inputs: Mapping[str, Array]) -> Step:
        with scratch_directory() as scratch:
            store = ValueStore(scratch / "values")
            options = Options(outputs_only=True, backward=Backward(self.loss))
            try:
                capture.run(
                    self.model, inputs, mode=self.mode, options=options, store=store, device=self.device
                )
                step = collect(store, self._hooked)
            finally:
                store.close()
        self.load({name: array for name, array in step.buffers.items() if name in self.tensors})
        return step

    def _hooked(self, name: str, gradient: Array) -> Array:
        original = self.originals[name]
        given = paddle.to_tensor(gradient.reshape(original.shape), place=original.place)
        return np.array(capture.hooked(original, given).numpy())

    def _give(self, gradients: Mapping[str, Array]) -> None:
        for name, tensor in self.tensors.items():
            array = gradients.get(name)
            tensor.clear_gradient(set_to_zero=False)
            if array is not None and not tensor.stop_gradient:
                tensor.grad = paddle.to_tensor(np.array(array).reshape(tensor.shape), place=tensor.place)

    def clipped(self, gradients: Mapping[str, Array]) -> dict[str, Array]:
        names = {id(tensor): name for name, tensor in self.tensors.items()}
        found = {}
        for group, parameters in self._groups():
            pairs = [
                (p, paddle.to_tensor(np.array(gradients[names[id(p)]]).reshape(p.shape)))
                for p in parameters
                if not p.stop_gradient and names.get(id(p)) in gradients
            ]
            clip = group.get("grad_clip")
            if clip is not None and pairs:
                with paddle.no_grad(), users_code("the grad_clip of Paddle's optimizer"):
                    pairs = _clipped_by_norm(clip, pairs) if _is_by_norm(clip) else clip(pairs)
            found.update({names[id(p)]: np.array(g.numpy()) for p, g in pairs if g is not None})
        return found

    def step(self, gradients: Mapping[str, Array], *, raw: bool = False) -> None:
        self._give(gradients if raw else self.clipped(gradients))
        with self._unclipping(), users_code("the step of Paddle's optimizer"):
            self.optimizer.step()

    @contextmanager
    def _unclipping(self) -> Iterator[None]:
        """While open, the optimizer's own clipping is off: Paddle's by norm has no float64 kernel."""
        groups = [group for group, _ in self._groups()]
        kept = self.optimizer._grad_clip, [group.get("grad_clip") for group in groups]
        self.optimizer._grad_clip = None
        for group in groups:
            group["grad_clip"] = None
        try:
            yield
        finally:
            self.optimizer._grad_clip = kept[0]
            for group, clip in zip(groups, kept[1], strict=True):
                group["grad_clip"] = clip

    def advance(self) -> None:
        if self.scheduler is not None:
            with users_code("the step of Paddle's scheduler"):
                self.scheduler.step()

    def round(self, names: tuple[str, ...]) -> None:
        """Paddle rounds by itself."""


def _constructed_with(optimizer: Any) -> dict[str, Any] | None:
    """What an optimizer of Paddle's own was made with, as it keeps it, but for its parameters; None if it does not keep all of it."""
    kind, found = type(optimizer), {}
    if kind.__module__.split(".")[0] != "paddle":
        return None
    for name in inspect.signature(kind).parameters:
        if name == "weight_decay":
            own = optimizer._default_dict if kind.__name__ == "AdamW" else {}
            value = own.get(name, _coupled_decay(optimizer, {}))
        elif name in ("parameters", "name"):
            continue
        elif hasattr(optimizer, f"_{name}") or hasattr(optimizer, name):
            value = getattr(optimizer, f"_{name}" if hasattr(optimizer, f"_{name}") else name)
            value = value[0] if isinstance(value, list) and len(value) == 1 else value  # Rprop's ranges
        else:
            return None
        found[name] = value if callable(value) and name != "learning_rate" else copy.deepcopy(value)
    return found


def from_recipe(recipe: Recipe) -> Callable[[Any], Any]:
    """What makes the recipe's optimizer for a model."""

    def make(model: Any) -> Any:
        clip = paddle.nn.ClipGradByGlobalNorm(recipe.clip) if recipe.clip is not None else None
        common = {
            "learning_rate": recipe.lr,
            "parameters": model.parameters(),
            "grad_clip": clip,
            "weight_decay": recipe.weight_decay,
        }
        adam = {"beta1": recipe.betas[0], "beta2": recipe.betas[1], "epsilon": recipe.eps}
        if recipe.kind == "sgd":
            return paddle.optimizer.SGD(**common)
        if recipe.kind == "momentum":
            return paddle.optimizer.Momentum(momentum=recipe.momentum, use_nesterov=recipe.nesterov, **common)
        if recipe.kind == "adam":
            return paddle.optimizer.Adam(**adam, **common)
        return paddle.optimizer.AdamW(**adam, **common)

    return make


def _tensors(model: Any) -> dict[str, Any]:
    """Parameters and buffers by the names that a trace uses."""
    recorder = capture.PaddleRecorder(
        Trace("paddle", paddle.__version__, type(model).__name__, "train", "float64", "cpu"), None, Options()
    )
    capture._describe_model(model, recorder)
    return {leaf.name: leaf.tensor for leaf in recorder.leaves.values()}


def _left_alone(model: Any) -> list[tuple[Any, str, Any]]:
    """Tables of indices, masks, counters, and what has no memory yet: (layer, name, buffer)."""
    return [
        (layer, name, buffer)
        for layer in model.sublayers(include_self=True)
        for name, buffer in layer.named_buffers(include_sublayers=False)
        if buffer is not None
        and not (buffer._is_initialized() and (buffer.is_floating_point() or buffer.is_complex()))
    ]


def _coupled_decay(optimizer: Any, group: Mapping[str, Any]) -> Any:
    """The regularizer of every parameter without one of its own; Momentum keeps its L2 coefficient apart, and those of its groups."""
    own = getattr(optimizer, "_regularization_method", ""), getattr(optimizer, "_regularization_coeff", 0.0)
    method = group.get("regularization_method", own[0])
    if method == "l2_decay":
        return paddle.regularizer.L2Decay(group.get("regularization_coeff", own[1]))
    return optimizer.regularization


def _clip(clip: Any) -> str:
    if clip is None:
        return ""
    kind = type(clip).__name__
    value = getattr(clip, CLIPS.get(kind, ""), None)
    return f"{kind}({value:g})" if isinstance(value, (int, float)) else kind


def _is_by_norm(clip: Any) -> bool:
    return type(clip) is paddle.nn.ClipGradByNorm


def _clipped_by_norm(clip: Any, pairs: list[Any]) -> list[Any]:
    """What ClipGradByNorm does (phi/kernels/funcs, ClipByNorm), in float64: it has a float32 kernel only."""

    def shortened(gradient: Any) -> Any:
        norm = paddle.sqrt((gradient * gradient).sum())
        return gradient * (clip.clip_norm / norm) if float(norm) > clip.clip_norm else gradient

    return [(p, shortened(g) if getattr(p, "need_clip", True) else g) for p, g in pairs]


def _number(value: Any) -> float:
    return float(value.numpy()) if hasattr(value, "numpy") else float(value)
