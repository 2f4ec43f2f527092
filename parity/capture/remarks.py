"""What a run has to say besides its operators: what it returned, what it took out of tensors, what it left to chance."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from parity.capture.options import Leaf, Options
from parity.capture.results import as_array, leaves_of
from parity.capture.tensors import Tensors
from parity.trace.trace import Trace
from parity.trace.values import ValueStore


class Remarks(Tensors):
    """The part of a recorder that writes results, notes and doubts into the trace."""

    def __init__(self, trace: Trace, store: ValueStore | None, options: Options) -> None:
        self.trace = trace
        self.store = store
        self.options = options
        self.leaves: dict[int, Leaf] = {}
        self.twins: dict[int, tuple[Any, Any]] = {}
        """Tensors of another float width that nobody saw being made, by identity, and what the run has in their place."""
        self.taken: list[tuple[int, Any]] = []
        """Numbers that the model took out of tensors, with the value that they come from."""
        self.asked: list[tuple[int, str]] = []
        """The values that it took them from, and where."""

    @abstractmethod
    def value_of(self, tensor: Any) -> int: ...

    @abstractmethod
    def user_line(self, *, of_module: bool = False) -> str: ...

    def note_results(self, result: Any) -> None:
        """What the model returns that is no tensor: numbers are kept like those of tensors, texts in the trace."""
        for path, leaf in leaves_of(result, self.is_tensor).items():
            if self.is_tensor(leaf):
                continue
            array = as_array(leaf)
            if array is None:
                kind = "text" if isinstance(leaf, (str, bytes)) else "other"
                self.trace.results[path] = [kind, str(leaf) if kind == "text" else type(leaf).__name__]
                if kind == "text" and self.store is not None:
                    self.store.put(
                        f"text:{path}", np.frombuffer(str(leaf).encode(errors="replace"), np.uint8)
                    )
                continue
            self.trace.results[path] = ["array" if array.ndim else "number", type(leaf).__name__]
            read = self._read_from(leaf)
            if read is not None:
                self.trace.outputs[path] = read
            if self.store is not None:
                self.store.put(f"output:{path}", array)

    def _read_from(self, leaf: Any) -> int | None:
        """The value that a number or an array was read from with `item()` or `numpy()`, if nothing was made of it since."""
        for number, taken in reversed(self.taken):
            number_again = isinstance(leaf, (int, float)) and type(taken) is type(leaf)
            if taken is leaf or (number_again and bool(taken == leaf)):
                return int(number)
        return None

    def read(self, name: str, tensor: Any, ask: Callable[[Any], Any]) -> Any:
        """Answer a question about a tensor's numbers, and remember what was asked."""
        leaf, twin = self.leaves.get(id(tensor)), self.twins.get(id(tensor))
        stand_in = twin[1] if twin is not None else None if leaf is None else leaf.shadow
        number = self.value_of(tensor)
        asked = tensor if stand_in is None else stand_in
        if number in self.trace.inputs.values():
            # In the plain model an input has no gradient that would forbid it.
            asked = self.copy(asked)
        answer = ask(asked)
        self.taken.append((number, answer))
        self.asked.append((number, self.user_line()))
        if number not in self.trace.asked:
            self.trace.asked.append(number)
        if self.options.gradients and self.requires_gradient(tensor):
            call = f"{name.strip('_')}()" if name.startswith("__") else f".{name}()"
            self.trace.reads.append((number, call, self.user_line()))
        return answer

    def note_draws(self, generators: Sequence[str]) -> None:
        """Chance that shows in no operator: what it decides may have come out alike on this run alone."""
        for generator in generators:
            self.trace.doubts.append(
                f"forward draws from {generator}, so what it computes depends on chance; equal numbers of one run prove "
                "nothing"
            )
        made = {value: op for op in self.trace.ops for value in op.outputs}
        if not any(op.kind == "random" for op in self.trace.ops):
            return
        for value, line in dict.fromkeys(self.asked):
            seen, stack = {value}, [value]
            while stack:
                op = made.get(stack.pop())
                if op is not None and op.kind == "random":
                    self.trace.doubts.append(
                        f"{self.trace.framework}: `{op.name}` at {op.line} draws a random number, and {line} takes it out of "
                        "its tensor: what forward computes depends on chance; equal numbers of one run prove nothing"
                    )
                    break
                new = set(op.inputs.values()) - seen if op is not None else set()
                seen |= new
                stack += new

    def note_switch(self, name: str, line: str) -> None:
        """A global switch that forward asks for; with gradients, the further inputs run without them."""
        if name == "is_grad_enabled" and self.options.gradients:
            return
        told = (
            f"{self.trace.framework}: {line} asks for `{name}()`, which depends on who calls the model: only what it does without "
            "was compared"
        )
        told += "; with `gradients` (`--gradients`) both are" if name == "is_grad_enabled" else ""
        if told not in self.trace.doubts:
            self.trace.doubts.append(told)

    def note_export(self, name: str, line: str) -> None:
        """A question whether the model is being exported."""
        told = f"{self.trace.framework}: {line} asks for `{name}()`: what it does while it is exported was not compared"
        if told not in self.trace.notes:
            self.trace.notes.append(told)

    def note_modes(self, flags: Sequence[tuple[str, str, bool]], mode: str) -> None:
        """Layers that were set apart by hand (path, type, training), and dropouts that do not ask for the mode."""
        whole = {path: training for path, _, training in flags}
        apart = [
            f"`{path}` ({kind})"
            for path, kind, training in flags
            if path and training != whole.get(path.rpartition(".")[0], whole[""])
        ]
        if apart:
            was, is_now = ("eval", "train") if whole[""] is False else ("train", "eval")
            shown = ", ".join(apart[:3]) + (f" and {len(apart) - 3} more" if len(apart) > 3 else "")
            self.trace.notes.append(
                f"{self.trace.framework}: {shown} was in {is_now} mode in a model that is in {was} mode; the check sets "
                f"modes itself ({mode} throughout), outside of it that layer runs otherwise"
            )
        left = [op for op in self.trace.ops if op.kind == "dropout" and op.attributes.get("training")]
        for op in left if mode == "eval" else ():
            self.trace.notes.append(
                f"{self.trace.framework}: a dropout of p={op.attributes['p']:g} at {op.line} stays on in eval mode: it is "
                "called without training=self.training"
            )
