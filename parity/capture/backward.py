"""The part of recording that goes backward: the loss, and the gradient that arrives at every value."""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from parity.capture.failed import ModelError
from parity.capture.options import Options
from parity.capture.recorder import Recorder
from parity.capture.results import fixed_weights, flatten_outputs, replaced, told
from parity.errors import ParityError
from parity.trace.trace import Trace
from parity.trace.values import Array, ValueStore


class BackwardRecorder(Recorder):
    """A recorder that can go backward through what it recorded."""

    def __init__(self, trace: Trace, store: ValueStore | None, options: Options) -> None:
        super().__init__(trace, store, options)
        self.watched: set[int] = set()
        self.started: list[Any] = []
        self.differentiating = False
        """Whether the model is taking gradients of its own, which are none of the run's."""

    def gradient_input(self, tensor: Any) -> Any:
        """What stands for a model input: a copy, so that the model may write to it, of a leaf that we hold."""
        leaf = self.leaf_for_gradients(tensor)
        self.started.append(leaf)
        return self.copy_with_gradient(leaf)

    def watch(self, number: int, tensor: Any) -> None:
        """Keep the gradient that arrives at a value; in a teacher-forced run, go on with the other's."""
        if number in self.watched:
            return
        self.watched.add(number)
        backward = self.options.backward
        assert backward is not None

        def hook(gradient: Any) -> Any:
            if gradient is None or self.differentiating:
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

    @contextmanager
    def differentiated(self) -> Iterator[None]:
        """While the model takes gradients itself."""
        self.differentiating = True
        try:
            yield
        finally:
            self.differentiating = False

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
                f"the {self.trace.framework} loss gave {told(value)}; it must take the model's output and "
                "return a scalar"
            )
        return value, leaves

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
            self.mark(leaf, (self.run, self.value_of(tensor)))
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
                seen = self.hooked(leaf.tensor, gradient)
                if seen is not gradient:
                    self.trace.hooked.append(leaf.name)
                self.store.put(f"grad:parameter:{leaf.name}", self.to_numpy(seen))

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
