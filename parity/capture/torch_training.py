"""Training a float64 copy of a torch module, one step at a time."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from parity.capture import torch as capture
from parity.capture.options import Backward, Options
from parity.capture.training import FURTHER, Recipe, Settings, Step, collect, line_of, users_code
from parity.errors import ParityError
from parity.ops.table import float32
from parity.trace.trace import Trace
from parity.trace.values import Array, ValueStore, scratch_directory

RULES = {"SGD": "sgd", "Adam": "adam", "AdamW": "adam"}


class TorchTrainer:
    @torch.inference_mode(False)
    def __init__(
        self,
        model: torch.nn.Module,
        *,
        mode: str,
        loss: Any,
        optimizer: Any,
        scheduler: Any,
        device: str = "cpu",
    ) -> None:
        """`optimizer` is one of the model's parameters, or takes the model; `scheduler` likewise of the optimizer."""
        self.mode, self.loss, self.device = mode, loss, device
        # A copy of a parameter has none of its hooks.
        self.originals = _tensors(model)
        self.plain: dict[str, Any] = {}
        given = isinstance(optimizer, torch.optim.Optimizer)
        self.notes: list[str] = []
        memo: dict[int, Any] = {}
        try:
            self.model = copy.deepcopy(model, memo)
        except Exception as error:
            raise ParityError(
                f"the torch model cannot be copied, which training a copy needs: {error}"
            ) from error
        # Grows the copy's own tensors in place, so that the memo still leads to them.
        self.model.double()
        self.tensors = _tensors(self.model)
        self.where = line_of(optimizer)
        with users_code("torch's optimizer factory"):
            self.optimizer = self._rebound(optimizer, memo) if given else optimizer(self.model)
        if not isinstance(self.optimizer, torch.optim.Optimizer):
            raise ParityError(
                f"torch's optimizer factory made a {type(self.optimizer).__name__}, not a torch.optim.Optimizer"
            )
        with users_code("torch's scheduler factory"):
            self.scheduler = self._schedule(scheduler, optimizer if given else None, memo)

    def _rebound(self, optimizer: torch.optim.Optimizer, memo: dict[int, Any]) -> torch.optim.Optimizer:
        """The optimizer on the copy's parameters, without the state of earlier steps."""
        strangers = [p for group in optimizer.param_groups for p in group["params"] if id(p) not in memo]
        if strangers:
            raise ParityError(
                f"torch's optimizer holds {len(strangers)} tensor(s) that are not the model's parameters; build it "
                "from this model's parameters, or give a function that takes the model"
            )
        if optimizer.state:
            self.notes.append("torch's optimizer had taken steps; the comparison starts from a fresh state")
        twin = copy.copy(optimizer)
        twin.__dict__.update({key: copy.copy(value) for key, value in vars(optimizer).items()})
        # A scheduler replaces `step` by a function that is bound to the user's own optimizer.
        twin.__dict__.pop("step", None)
        twin.state = type(optimizer.state)(dict)
        twin.param_groups = [
            {**group, "params": [memo[id(p)] for p in group["params"]]} for group in optimizer.param_groups
        ]
        return twin

    def _schedule(self, scheduler: Any, optimizer: Any, memo: dict[int, Any]) -> Any:
        if scheduler is None:
            return None
        if not isinstance(scheduler, torch.optim.lr_scheduler.LRScheduler):
            with _quiet():
                return scheduler(self.optimizer)
        if optimizer is None or scheduler.optimizer is not optimizer:
            raise ParityError(
                "torch's scheduler belongs to another optimizer; give the optimizer it was made for, or a function "
                "that takes the optimizer"
            )
        twin = copy.copy(scheduler)
        twin.__dict__.update(
            {
                k: v if callable(v) else copy.deepcopy(v)
                for k, v in vars(scheduler).items()
                if k != "optimizer"
            }
        )
        twin.optimizer = self.optimizer
        return twin

    def settings(self) -> Settings:
        names = {id(tensor): name for name, tensor in self.tensors.items()}
        name = type(self.optimizer).__name__
        own = _torchs_own(type(self.optimizer))
        rule = RULES.get(own, own.lower())
        found: dict[str, dict[str, Any]] = {}
        for group in self.optimizer.param_groups:
            for parameter in group["params"]:
                if parameter.requires_grad:
                    found[names.get(id(parameter), f"a tensor of shape {list(parameter.shape)}")] = (
                        _settings(rule, own, group) if own else _settings_by_hand(group)
                    )
        return Settings(
            name,
            rule,
            found,
            hooks=len(self._hooks()),
            where=self.where,
            custom=not type(self.optimizer).__module__.startswith("torch.optim"),
            notes=tuple(self.notes),
        )

    def _hooks(self) -> list[Any]:
        return list(self.optimizer._optimizer_step_pre_hooks.values())

    def state(self) -> dict[str, Array]:
        return {name: tensor.detach().cpu().numpy().copy() for name, tensor in self.tensors.items()}

    def load(self, arrays: Mapping[str, Array]) -> None:
        with torch.no_grad():
            for name, array in arrays.items():
                tensor = self.tensors[name]
                tensor.copy_(torch.from_numpy(np.ascontiguousarray(array)).reshape(tensor.shape))

    def backward(self, inputs: Mapping[str, Array]) -> Step:
        with scratch_directory() as scratch:
            store = ValueStore(scratch / "values")
            options = Options(outputs_only=True, backward=Backward(self.loss, plain_variance=self.plain))
            try:
                capture.run(
                    self.model, inputs, mode=self.mode, options=options, store=store, device=self.device
                )
                step = collect(store, self._hooked)
            finally:
                store.close()
        step.plain = {name: tensor.cpu().numpy() for name, tensor in self.plain.items()}
        self.load({name: array for name, array in step.buffers.items() if name in self.tensors})
        return step

    def _hooked(self, name: str, gradient: Array) -> Array:
        original = self.originals[name]
        given = torch.from_numpy(gradient.reshape(original.shape)).to(original.device)
        found: Array = capture.hooked(original, given).detach().cpu().numpy()
        return found

    def _give(self, gradients: Mapping[str, Array]) -> None:
        for name, tensor in self.tensors.items():
            array = gradients.get(name)
            tensor.grad = None
            if array is not None and tensor.requires_grad:
                tensor.grad = torch.from_numpy(np.array(array)).reshape(tensor.shape).to(tensor.device)

    def clipped(self, gradients: Mapping[str, Array]) -> dict[str, Array]:
        self._give(gradients)
        with users_code("the pre-step hook of torch's optimizer"):
            for hook in self._hooks():
                hook(self.optimizer, (), {})
        return {
            name: tensor.grad.detach().cpu().numpy().copy()
            for name, tensor in self.tensors.items()
            if tensor.grad is not None
        }

    def step(self, gradients: Mapping[str, Array], *, raw: bool = False) -> None:
        self._give(gradients)
        hooks = self.optimizer._optimizer_step_pre_hooks
        kept = dict(hooks)
        if raw:
            hooks.clear()
        try:
            with _quiet(), users_code("the step of torch's optimizer"):
                self.optimizer.step()
        finally:
            hooks.update(kept)

    def advance(self) -> None:
        if self.scheduler is not None:
            with _quiet(), users_code("the step of torch's scheduler"):
                self.scheduler.step()

    def round(self, names: tuple[str, ...]) -> None:
        for group in self.optimizer.param_groups:
            for name in names:
                if isinstance(group.get(name), float):
                    group[name] = float32(group[name])


def from_recipe(recipe: Recipe) -> Callable[[torch.nn.Module], torch.optim.Optimizer]:
    """What makes the recipe's optimizer for a model; clipping is a pre-step hook."""

    def make(model: torch.nn.Module) -> torch.optim.Optimizer:
        options: dict[str, Any] = {"lr": recipe.lr, "weight_decay": recipe.weight_decay}
        if recipe.kind == "momentum":
            options.update(momentum=recipe.momentum, nesterov=recipe.nesterov)
        elif recipe.kind in ("adam", "adamw"):
            options.update(betas=recipe.betas, eps=recipe.eps)
        kinds = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}
        optimizer: torch.optim.Optimizer = kinds.get(recipe.kind, torch.optim.SGD)(
            model.parameters(), **options
        )

        def clip(*_: Any) -> None:
            torch.nn.utils.clip_grad_norm_(model.parameters(), recipe.clip or 0.0)

        if recipe.clip is not None:
            optimizer.register_step_pre_hook(clip)
        return optimizer

    return make


def _tensors(model: torch.nn.Module) -> dict[str, Any]:
    """Parameters and buffers of the copy by the names that a trace uses."""
    recorder = capture.TorchRecorder(
        Trace("torch", torch.__version__, type(model).__name__, "train", "float64", "cpu"), None, Options()
    )
    capture._describe_model(model, recorder)
    return {leaf.name: leaf.tensor for leaf in recorder.leaves.values()}


def _torchs_own(kind: type) -> str:
    """The name of the class of torch.optim that an optimizer is or descends from; "" for one that is written by hand."""
    own = (c.__name__ for c in kind.__mro__ if c.__module__.startswith("torch.optim"))
    found = next(own, "")
    return "" if found == "Optimizer" else found


def _settings_by_hand(group: Mapping[str, Any]) -> dict[str, Any]:
    """What means the same in every rule, as far as a class that is written by hand has it."""
    return {
        name: float(group[name])
        for name in ("lr", "weight_decay")
        if isinstance(group.get(name), int | float)
    }


def _settings(rule: str, kind: str, group: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "lr": float(group["lr"]),
        "weight_decay": float(group.get("weight_decay", 0.0)),
        "decoupled": kind == "AdamW" or bool(group.get("decoupled_weight_decay", False)),
    }
    if rule == "sgd":
        found.update({name: float(group[name]) for name in ("momentum", "dampening")})
        found["nesterov"] = bool(group["nesterov"])
    if rule == "adam":
        found["beta1"], found["beta2"] = (float(beta) for beta in group["betas"])
        found.update(eps=float(group["eps"]), amsgrad=bool(group["amsgrad"]))
    for name in FURTHER.get(rule, {}):
        value = group["betas"][int(name[-1]) - 1] if name in ("beta1", "beta2") else group.get(name, 0.0)
        found[name] = value if isinstance(value, bool) else float(value)
    if group.get("maximize"):
        found["maximize"] = True
    return found


@contextmanager
def _quiet() -> Iterator[None]:
    """Schedulers warn about an order of calls that is right here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
