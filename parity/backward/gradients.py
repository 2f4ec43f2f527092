"""Backward, from the loss down: which operator, alone, hands on another gradient than Paddle's.

Where gradients can flow at all is asked first (`parity.backward.flow`). Then, what flows? torch runs backward once
more with Paddle's gradient handed to the result of every aligned operator: what then differs at its inputs and weights
is that operator's own doing, so that several faults show in one run.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from parity.align.alignment import Alignment, Values
from parity.align.pipeline import Prepared
from parity.backward.blame import Blame, root
from parity.backward.claims import Claim, Doubt, Fault, Place, Remark
from parity.backward.flow import GradientJudgement
from parity.backward.loss import LossDifference, compare_loss
from parity.backward.observed import by_name_or_numbers, counterparts, covering, hold_the_same
from parity.backward.taken import one_sided
from parity.backward.telling import tell
from parity.graph.node import Node
from parity.limits import EPS64, FLOAT32_LOSS, FORWARD_SHARE, GRADIENT_CONSTANTS, MARGIN, RECOMPUTED
from parity.numbers.compare import Difference
from parity.results.finding import Finding, Shows
from parity.runs.run import Run
from parity.trace.trace import Trace
from parity.trace.values import Array, ValueStore

Again = Callable[[dict[int, str]], tuple[Trace, ValueStore]]
"""Runs torch once more; torch value -> key of Paddle's gradient to go on with."""


def judge_gradients(
    paddle: Run,
    torch: Run,
    paddle_parameters: Mapping[str, Array],
    torch_parameters: Mapping[str, Array],
    prepared: Prepared,
    *,
    again: Again,
    known: Collection[Finding] = (),
    apart: Collection[Values] = (),
) -> GradientJudgement:
    """Judge the gradients of two recorded runs; `again` is called only if some gradient differs.

    known: what going forward showed; an operator with a finding there is not blamed again for its gradient.
    apart: what it showed to be no pairs.
    """
    alignment = prepared.align(apart)
    blamed = frozenset((finding.layer, finding.operator) for finding in known)
    judging = _Gradients(paddle, torch, alignment, again, blamed, torch_parameters)
    numbers = paddle_parameters, torch_parameters
    judging.counterparts = counterparts(paddle, torch, prepared.names, judging.result.twins, numbers)
    whole = covering(judging.result.twins, torch_parameters)
    in_parts = {name for name, known_as in judging.counterparts.items() if known_as.parts}
    # What is known by its parts, and is not this weight as it is used, is compared part by part alone.
    judging.result.twins = [
        twin
        for twin in judging.result.twins
        if twin.name not in in_parts or (twin.name in whole and hold_the_same(twin, *numbers))
    ]
    judging.forward = any(finding.shows is Shows.OUTPUTS for finding in known)
    judging.result.others = by_name_or_numbers(judging.counterparts, judging.result.twins, alignment)
    return judging.run()


MOST = 4
"""So many places where gradients are cut off are tried, each alone."""

WITNESSED = frozenset({Fault.LOSS, Fault.TIE, Fault.FROZEN, Fault.NONE_ARRIVES})
"""What is a fault even where no gradient that a user sees differs."""


class _Gradients(Blame):
    def __init__(
        self,
        paddle: Run,
        torch: Run,
        alignment: Alignment,
        again: Again,
        known: frozenset[tuple[str, str]],
        torch_parameters: Mapping[str, Array],
    ) -> None:
        super().__init__(paddle, torch, alignment, torch_parameters, known)
        self.again = again
        self.forward = False

    def run(self) -> GradientJudgement:
        self._notes()
        kinds = [
            {path: kind for path, (kind, _) in run.trace.results.items()} for run in (self.paddle, self.torch)
        ]
        if kinds[0] != kinds[1]:
            self.said.append(Claim(Doubt.STRUCTURE))
        else:
            self._judge_flow()
            self._taken_out()
            self._numbers()
        return self._told()

    def _told(self) -> GradientJudgement:
        result, trace = self.result, self.alignment.torch.trace
        found = sorted(self.found, key=lambda claim: -claim.order)
        result.findings = [tell.finding(claim, trace) for claim in found]
        result.notes = [tell.note(claim, trace) for claim in self.said if isinstance(claim.what, Remark)]
        result.inconclusive = [tell.doubt(claim) for claim in self.said if isinstance(claim.what, Doubt)]
        return result

    def _notes(self) -> None:
        dropouts = [
            op for op in self.torch.trace.ops if op.kind == "dropout" and op.attributes.get("training")
        ]
        if any(op.attributes.get("p") for op in dropouts):
            self.said.append(Claim(Remark.DROPOUT, details=len(dropouts)))

    def _taken_out(self) -> None:
        """Numbers that only one side takes out of its tensors, if that changes a gradient."""
        names = {name: frozenset(twin.paddle) for name, twin in self.counterparts.items()}
        alone = list(one_sided(self.paddle.trace, self.torch.trace, names))
        differ = (
            {place.parameter for place, d, limit in self._observed(self.torch.store) if d.max_abs > limit}
            if alone
            else set()
        )
        for side, taken in alone:
            apart = sorted(
                name
                for name in differ & set(names)
                if (name in taken.parameters if side == "torch" else names[name] & taken.parameters)
            )
            if not apart:
                continue
            self.explained |= (
                taken.values
                if side == "torch"
                else {t for t, p in self.alignment.same.items() if p in taken.values}
            )
            self.found.append(
                Claim(
                    Fault.TAKEN,
                    attribute=apart[0],
                    values=(side == "torch", side == "Paddle"),
                    evidence={"parameters": apart},
                    details=(side, taken),
                    order=0.0,
                )
            )

    def _numbers(self) -> None:
        values = list(self._values(self.torch.store))
        weights = list(self._weights(self.torch.store))
        seen = list(self._observed(self.torch.store))
        loss = compare_loss(self.paddle, self.torch, self.torch.trace, self.torch.store)
        if loss is not None and not np.isfinite(
            loss.evidence["torch's loss"] + loss.evidence["Paddle's loss"]
        ):
            self._loss(loss)
            return
        apart = any(v[2].max_abs > v[3] for v in values) or any(w[1].max_abs > w[2] for w in weights)
        shown = any(d.max_abs > limit for _, d, limit in seen)
        if loss is not None or shown or apart:
            if shown and not self.forward:
                self._unpaired_cuts()
            given = {t: f"grad:{p}" for t, p, *_ in values}
            trace, store = self.again(given)
            try:
                self._loss(compare_loss(self.paddle, self.torch, trace, store))
                self._blame(store, given)
            finally:
                store.close()
            self._enough()
            self._with_a_witness(seen)
            # What float32 constants make of a gradient on its way through the network is no operator's own fault.
            level = max(self.result.constants, self._output_level())
            room = max(GRADIENT_CONSTANTS, FORWARD_SHARE * level)
            large = [(place, d) for place, d, limit in seen if d.max_abs > limit and d.max_rel > room]
            if not self.found and not self.known:
                for place, d in large:
                    self._unexplained(place, d)
            # What constants make of the gradients on their way shows nothing of how these are cut.
            least = room if level else RECOMPUTED
            shown = any(d.max_abs > limit and d.max_rel > least for _, d, limit in seen)
        self._not_compared()
        if not shown and all(claim.what is not Fault.LOSS for claim in self.found):
            self._without_witness()
        self._summary(values, seen)

    def _enough(self) -> None:
        """Of several places where one side cuts gradients off, the one that explains them all: the others are cut elsewhere, too."""
        cuts = [claim for what in (Fault.CUT, Fault.NO_WAY) for claim in self.found if claim.what is what]
        for claim in cuts[:MOST] if len(cuts) > 1 else ():
            if not self._left(self._cut_at(claim), hidden=False):
                self.found = [one for one in self.found if one is claim or one not in cuts]
                return

    def _cut_at(self, claim: Claim) -> set[int]:
        """torch's values from which a claim keeps gradients."""
        if claim.what is Fault.NO_WAY and claim.pair is not None:
            return {claim.pair.torch.inputs[claim.attribute]}
        ours = claim.details.side == "torch"
        graph = self.alignment.torch if ours else self.alignment.paddle
        taken = {root(graph, value) for op in claim.details.ops for value in op.inputs.values()}
        return taken if ours else {t for t, p in self.alignment.same.items() if p in taken}

    def _with_a_witness(self, seen: list[tuple[Place, Difference, float]]) -> None:
        """Leave out what hands on other gradients inside, and shows in none that a user sees once all else is repaired."""
        changed = [claim for claim in self.found if claim.what is Fault.CHANGED]
        if not changed:
            return
        if self.forward:
            # Other values have other gradients.
            self.found = [claim for claim in self.found if claim not in changed]
            return
        alone = len(changed) == len(self.found)
        left = self._witnesses(seen) if alone else self._left(self.explained, hidden=True)
        if alone and self.known:
            # What stays as it is with these repaired has its reason elsewhere, and that is known.
            left -= self._left({value for claim in changed for value in _values_of(claim)}, hidden=False)
            alone = False
        shown = [claim for claim in changed if not left.isdisjoint(self._above(_values_of(claim)))]
        if shown or not alone:
            self.found = [claim for claim in self.found if claim not in changed or claim in shown]

    def _witnesses(self, seen: Iterable[tuple[Place, Difference, float]]) -> set[Place]:
        return {place for place, d, limit in seen if d.max_abs > limit and place.parameter not in self.frozen}

    def _left(self, values: Iterable[int], *, hidden: bool) -> set[Place]:
        """What a user still sees where Paddle's gradients are handed in at the results and at some values.

        hidden: leave out what lies above a value that gets no gradient at all, where none can be handed in: nothing is known of it.
        """
        # A result that the model itself goes on with gets gradients from there, too.
        read = self.alignment.torch.consumers
        results = {torch: paddle for paddle, torch in self.alignment.outputs.values() if not read.get(torch)}
        twins = {value: self.alignment.same[value] for value in values if value in self.alignment.same}
        given = {torch: f"grad:{paddle}" for torch, paddle in {**results, **twins}.items()}
        _, store = self.again({torch: key for torch, key in given.items() if key in self.paddle.store})
        try:
            silent = {value for value in twins if hidden and f"grad:{value}" not in store}
            return self._witnesses(self._observed(store)) - self._above(silent)
        finally:
            store.close()

    def _above(self, values: Iterable[int]) -> set[Place]:
        """The parameters and inputs that gradients of some values go back to."""
        graph = self.alignment.torch
        inputs = {value: name for name, value in graph.inputs.items()}
        found: set[Place] = set()
        stack = list(values)
        seen = set(stack)
        while stack:
            value = stack.pop()
            if value in graph.parameters:
                found.add(Place(parameter=graph.parameters[value]))
            if value in inputs:
                found.add(Place(input=inputs[value]))
            maker = graph.producer.get(value)
            above = set(() if maker is None else maker.inputs.values()) - seen
            seen |= above
            stack.extend(above)
        return found

    def _loss(self, found: LossDifference | None) -> None:
        if found is not None and found.by_constant:
            self.result.constants = max(self.result.constants, FLOAT32_LOSS)
            self.said.append(Claim(Remark.LOSS_CONSTANT, details=found))
        elif found is not None:
            self.found.append(Claim(Fault.LOSS, details=found))

    def _output_level(self) -> float:
        """Relative difference of the models' results, where constants make one; 0 where they are equal to rounding."""
        level = max((self._between(*values) for values in self.alignment.outputs.values()), default=0.0)
        return level if level > MARGIN * EPS64 and not self.known else 0.0

    def _unexplained(self, place: Place, d: Difference) -> None:
        """A gradient that a user sees, and that no operator is to blame for."""
        silent = not d.actual and d.max_abs == d.scale
        self.found.append(
            Claim(
                Fault.NONE_ARRIVES if silent else Fault.UNEXPLAINED,
                next((n for n, _ in self._uses(place.parameter)), None),
                attribute="trainable" if silent else "",
                values=(True, False) if silent else None,
                evidence={
                    "relative difference": d.max_rel,
                    "torch value": d.actual,
                    "paddle value": d.expected,
                },
                details=place,
                order=0.0,
            )
        )

    def _uses(self, parameter: str) -> list[tuple[Node, str]]:
        found = self.torch.trace.parameters.get(parameter)
        return [] if found is None else self.alignment.torch.consumers.get(found.value, [])

    def _without_witness(self) -> None:
        """What differs inside although no gradient that a user sees does is another way of writing it."""
        self.said += [
            Claim(Remark.WRITTEN, details=claim) for claim in self.found if claim.what not in WITNESSED
        ]
        self.found = [claim for claim in self.found if claim.what in WITNESSED]

    def _summary(self, values: list[Any], seen: list[tuple[Place, Difference, float]]) -> None:
        # A gradient that is zero but for rounding (a bias before a BatchNorm) has no scale of its own.
        largest = max((d.scale for _, d, _ in seen), default=0.0)
        worst = max((d.max_rel for _, d, _ in seen if d.scale > RECOMPUTED * largest), default=0.0)
        if not seen:
            self.said.append(Claim(Doubt.NOTHING))
        elif not self.found and not (self.forward and self._witnesses(seen)):
            # Behind a fault in the forward, gradients that differ follow from it: they are no findings, and do not agree.
            inputs = sum(not place.parameter for place, *_ in seen)
            parameters = len({place for place, *_ in seen}) - inputs
            self.said.append(
                Claim(
                    Remark.AGREE,
                    evidence={"worst relative difference": worst},
                    details=(parameters, inputs, len(values)),
                )
            )

    def _not_compared(self) -> None:
        """Parameters that get a gradient on one side and of which nothing says what they are on the other."""
        known = {paddle for twin in self.counterparts.values() for paddle in twin.paddle}
        torch, paddle = (
            [
                n
                for n, p in run.trace.parameters.items()
                if p.trainable and _arrived(run.store, n) and n not in done
            ]
            for run, done in ((self.torch, self.counterparts.keys() | self._aliases()), (self.paddle, known))
        )
        folded = {
            self.alignment.torch.parameters.get(value, "")
            for pair in self.alignment.pairs
            if pair.folded
            for value in pair.torch.inputs.values()
        }
        if folded.intersection(torch):
            self.said.append(Claim(Doubt.FOLDED, details=[name for name in torch if name in folded]))
            return
        for side, names in (("torch", torch), ("Paddle", paddle)):
            if names:
                self.said.append(Claim(Doubt.UNPAIRED, details=(side, names)))

    def _aliases(self) -> set[str]:
        """Further names of torch parameters that have one already."""
        first = {self.torch.trace.parameters[name].value for name in self.counterparts}
        return {name for name, parameter in self.torch.trace.parameters.items() if parameter.value in first}


def _values_of(claim: Claim) -> Iterator[int]:
    """The values whose gradients an operator changes."""
    assert claim.node is not None
    yield from claim.node.inputs.values()


def _arrived(store: ValueStore, name: str) -> bool:
    """Whether a gradient that is not zero came to a parameter."""
    key = f"grad:parameter:{name}"
    return key in store and bool(store.get(key).any())
