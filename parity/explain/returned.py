"""What the models return, apart from the size of its numbers: structure, shapes, kinds of numbers, and what is no tensor."""

from __future__ import annotations

from parity.explain.evidence import Evidence
from parity.explain.lines import at_end
from parity.results.finding import Finding, Subject
from parity.trace.trace import Trace
from parity.trace.values import Stored

_CLASSES = {"b": "boolean", "i": "integer", "u": "integer", "f": "float", "c": "complex"}
_TOLD = {"number": "a Python number", "array": "a numpy array", "tensor": "a tensor", "text": "a text"}


class Returned(Evidence):
    """Findings and doubts about the models' results."""

    def _returned(self) -> None:
        paddle, torch = self.paddle.trace.results, self.torch.trace.results
        for path in sorted({*paddle, *torch}):
            if path not in paddle or path not in torch:
                side = "Paddle" if path in paddle else "torch"
                self._result_differs(
                    path,
                    f"the model's result has `{path}` only in {side}",
                    "return the same structure on both sides",
                    {"paddle": sorted(paddle), "torch": sorted(torch)},
                )
            else:
                self._one_result(path, paddle[path], torch[path])
        if not any(kind in ("tensor", "number", "array", "text") for kind, _ in paddle.values()):
            self.result.inconclusive.append("the models return nothing that can be compared")

    def _one_result(self, path: str, paddle: list[str], torch: list[str]) -> None:
        if "other" in (paddle[0], torch[0]):
            told = " and ".join(sorted({text for kind, text in (paddle, torch) if kind == "other"}))
            self.result.inconclusive.append(
                f"`{path}` is of a type that is not compared ({told}): return tensors, numbers or texts"
            )
        elif paddle[0] != torch[0]:
            self._result_differs(
                path,
                f"`{path}` is {_TOLD[torch[0]]} in torch, {_TOLD[paddle[0]]} in Paddle",
                f"return {_TOLD[paddle[0]]}"
                + (" (no .item(), no .numpy())" if paddle[0] == "tensor" else ""),
                {"paddle": paddle[0], "torch": torch[0]},
            )
        elif paddle[0] == "text":
            if paddle[1] != torch[1]:
                self._result_differs(
                    path,
                    f"`{path}` is {torch[1][:80]!r} in torch, {paddle[1][:80]!r} in Paddle",
                    "make the text what Paddle's is",
                    {"paddle": paddle[1][:200], "torch": torch[1][:200]},
                )
        else:
            self._numbers_returned(path)

    def _numbers_returned(self, path: str) -> None:
        """Shape and kind of an output whose numbers agree: where they do not, that is told where they part."""
        key = f"output:{path}"
        if key not in self.paddle.store or key not in self.torch.store:
            return
        expected, actual = self.paddle.store.stored(key), self.torch.store.stored(key)
        found = self.result.outputs.get(path)
        kinds = [_CLASSES.get(one.dtype.kind, one.dtype.name) for one in (expected, actual)]
        if kinds[0] != kinds[1]:
            self._result_differs(
                path,
                f"`{path}` holds {kinds[1]} numbers in torch, {kinds[0]} numbers in Paddle",
                f"return {kinds[0]} numbers",
                {"paddle": expected.dtype.name, "torch": actual.dtype.name},
            )
        elif expected.shape != actual.shape and self._only_shaped(path, expected, actual):
            self._result_differs(
                path,
                f"`{path}` has the shape {list(actual.shape)} in torch, {list(expected.shape)} in Paddle",
                f"return it in Paddle's shape, {list(expected.shape)}",
                {"paddle": list(expected.shape), "torch": list(actual.shape)},
            )
        elif expected.size and path not in self.torch.trace.outputs and found is not None:
            self._made_outside(path)
        if expected.size == actual.size == 0:
            self.result.inconclusive.append(
                f"`{path}` is empty on this input, so nothing was compared of it: give an input on which it is not"
            )

    def _only_shaped(self, path: str, expected: Stored, actual: Stored) -> bool:
        found = self.result.outputs.get(path)
        return expected.size == actual.size and (
            found is None or found.max_rel <= self._output_limit(path) or not self.result.findings
        )

    def _made_outside(self, path: str) -> None:
        """Numbers that Python or numpy computed of what they took out of tensors."""
        found = self.result.outputs[path]
        if found.max_rel > self._output_limit(path) and not self.result.findings:
            self._result_differs(
                path,
                f"`{path}` is {found.actual:.6g} in torch, {found.expected:.6g} in Paddle, and no operator of either "
                "framework makes it: Python or numpy does",
                "compare what both models compute outside of the framework",
                {"paddle": found.expected, "torch": found.actual},
            )

    def _result_differs(self, path: str, cause: str, fix: str, evidence: dict[str, object]) -> None:
        self.result.findings.append(
            Finding(
                layer="",
                operator="output",
                where=_made_at(self.torch.trace, path) or at_end(self.alignment) or self.torch.trace.model,
                cause=cause,
                fix=fix,
                evidence=evidence,
                subject=Subject.OUTPUT,
                attribute=path,
                values=evidence,
                order=float("inf"),
            )
        )


def _made_at(trace: Trace, path: str) -> str:
    """The line that made an output."""
    value = trace.outputs.get(path)
    return next((op.line for op in reversed(trace.ops) if value in op.outputs), "")
