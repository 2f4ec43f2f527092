"""From two recorded runs to rows, findings and notes: what differs, where, and why.

The order of thought: pair the operators; compare every pair of values; audit every pair's configuration and
weights; and, only if some number differs, run torch once more with Paddle's numbers handed to every
operator, so that each one answers for itself alone (`Evidence`). Then every explainer is asked in turn, in `ORDER`.

To write an explainer:
1. It is a function `explain(evidence, claims)` that yields `Claim`s, and stands in `ORDER` where it may rely on what came before.
2. `Evidence` is read, never written: `row(pair)` (free runs, and the operator alone), `differs_alone`, `edge_numbers`,
   `edge_differs`, `outputs_agree`, `attributes`, `slots`, `weights`. What is missing there is added there, as a fact.
3. What is explained already is asked of `Claims`: `explains(operator, slot)`, `status(pair)`, `of_segment(side, op)`. A claim
   counts as soon as it is yielded. One that explains more than its own pair says so in `entails`.
4. A claim is data: a `Subject` (a fault), a `Remark` (a note) or a `Doubt` (nothing can be claimed), the pair or edge that it is
   about, the attribute, (Paddle's, torch's) values, where it shows, and the status of the pair's row.
5. Sentence, fix and line are made in `telling/`: one function a subject, entered in a table of `telling/tell.py`. Explainers hold
   no text, and nothing reads one.
6. A known mistake is no explainer but a row of a table in `hypotheses/`: what torch would have, computed from Paddle's numbers.
7. What an operator's numbers and configuration come to is a row of `decisions.DECISIONS`, or an excuse in `operators.EXCUSES`.
8. What follows from another claim is left to `consequences`, which puts together what was said.
9. Claims that are not needed to explain the outputs are no faults: `repairs` tries that on torch, and all is asked once more.
10. Where what is left is vague, `front` looks for the one line at which the numbers part, and tries that on torch, too.
11. Its tests build evidence by hand (`tests/explain/evidence.py`) and look at the claims; they take milliseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from parity.align.alignment import Values
from parity.align.pipeline import Prepared
from parity.explain import (
    attention,
    buffers,
    front,
    fused,
    operators,
    repairs,
    returned,
    roundings,
    statistics,
    unmeasured,
    unread,
    wiring,
)
from parity.explain.alternatives import Trial, best
from parity.explain.claims import Claim, Claims, Doubt
from parity.explain.consequences import gathered
from parity.explain.constants import softmax_is_cut
from parity.explain.evidence import Evidence
from parity.explain.telling import tell
from parity.limits import KNOWN_NUMBERS, SLIGHT
from parity.results.finding import Finding, Shows, Subject
from parity.results.grouping import by_line
from parity.results.judgement import Judgement, Row
from parity.results.seen import seen
from parity.runs.run import Measure, Nudged, Replay, Run
from parity.trace.values import Array

__all__ = ["ORDER", "Judgement", "Row", "Run", "judge"]

ORDER: tuple[Callable[[Evidence, Claims], Iterator[Claim]], ...] = (
    unmeasured.remarked,  # what the runs have to say for themselves
    unmeasured.unknown,  # values of which nothing can be claimed
    front.explain,  # the one line that makes all of it, where that is proven
    attention.explain,  # roles of an attention that are exchanged: its moves are not to be blamed
    operators.explain,  # every aligned operator: its numbers alone, its configuration, its weights
    wiring.explain,  # what stands between: missing, superfluous, exchanged, computed otherwise
    unmeasured.silent,  # what is switched off in this run
    unmeasured.registration,  # what the state dict does not know
    unmeasured.tied,  # what is one parameter in torch alone
    statistics.explain,  # what BatchNorms keep
    buffers.explain,  # what a training forward leaves in other buffers, and whether it is kept at all
    returned.explain,  # results: what one side lacks, shapes, kinds of numbers, what is no tensor
    returned.inputs,  # what it leaves in the tensors that it was given
    unread.explain,  # weights that this run does not use
    unmeasured.behind_zeros,  # what reaches no result, because it is multiplied by zeros
    unmeasured.amplified,  # outputs that differ although nothing was found
)


def judge(
    paddle: Run,
    torch: Run,
    paddle_parameters: Mapping[str, Array],
    torch_parameters: Mapping[str, Array],
    prepared: Prepared,
    *,
    replay: Replay,
    numbers: Measure | None = None,
    nudged: Nudged | None = None,
) -> Judgement:
    """Judge one case, whose runs are `prepared`. `replay` runs torch again, teacher-forced; it is called only if numbers differ.

    numbers: measures pairs of values where the runs do not hold them. nudged: what both models return where their float32 constants are rounded
    otherwise; it is called only if the outputs differ slightly.
    """
    moved: Mapping[str, Sequence[tuple[Array, Array]]] = {}
    constants = 0.0

    def tried(apart: frozenset[Values], boldly: bool) -> Trial:
        alignment = prepared.align(apart, boldly=boldly)
        evidence = Evidence(
            paddle,
            torch,
            paddle_parameters,
            torch_parameters,
            alignment,
            replay,
            numbers,
            prepared.names,
            moved,
            constants,
        )
        claims = explained(evidence)
        return Trial(evidence, claims, [tell.finding(claim, evidence) for claim in claims.faults])

    found = best(tried)
    if nudged is not None and _differs_slightly(found.evidence):
        moved = roundings.moved(found.evidence, nudged)
        again = best(tried) if moved else found
        if again.evidence.outputs_agree and not any(_is_slight_fault(found, c) for c in found.claims.faults):
            return _told(again)
        moved = {}
    told = _at_the_front(_without_spellings(found))
    certain = _certain(told)
    if _lines(told) > 1 and not _said(told) <= certain:
        # A table that one of them rounds is not a second fault: there is one beyond doubt, and it is far larger.
        constants = KNOWN_NUMBERS
        again = _at_the_front(_without_spellings(best(tried)))
        told = again if 0 < _lines(again) < _lines(told) and certain <= _said(again) else told
    return _told(told)


def _is_slight_fault(trial: Trial, claim: Claim) -> bool:
    """Whether an operator is configured otherwise, or holds another weight, and that makes as little as constants do: nothing makes up for it."""
    local = None if claim.pair is None else trial.evidence.row(claim.pair).local
    made = claim.pair is not None and claim.pair.torch.kind == "constant"
    return (
        not made
        and repairs.is_certain(trial.evidence, claim)
        and local is not None
        and local.max_rel <= SLIGHT
    )


def _said(trial: Trial) -> set[tuple[str, str, Shows]]:
    return {(finding.where, finding.attribute, finding.shows) for finding in trial.findings}


def _certain(trial: Trial) -> set[tuple[str, str, Shows]]:
    """Where an operator is configured otherwise and errs, and what shows elsewhere than in the outputs: findings that no constant explains."""
    claims = zip(trial.findings, trial.claims.faults, strict=True)
    return {
        (finding.where, finding.attribute, finding.shows)
        for finding, claim in claims
        if finding.shows is not Shows.OUTPUTS or repairs.is_certain(trial.evidence, claim)
    }


def _lines(trial: Trial) -> int:
    """How many lines are told because of what the outputs show."""
    return len(by_line([finding for finding in trial.findings if finding.shows is Shows.OUTPUTS]))


def _differs_slightly(evidence: Evidence) -> bool:
    """Whether all outputs are there, and those that differ do so by no more than float32 constants may make."""
    gaps = evidence.outputs.values()
    same = set(evidence.observed) == set(evidence.paddle.trace.results) == set(evidence.torch.trace.results)
    return same and not evidence.outputs_agree and all(d.comparable and d.max_rel <= SLIGHT for d in gaps)


def _without_spellings(trial: Trial) -> Trial:
    """What is left of a judgement once those claims are known that are enough to explain the outputs."""
    blamed = repairs.blamed(trial.evidence, trial.claims, trial.findings)
    if blamed is None:
        return trial
    evidence = trial.evidence.blaming(blamed)
    claims = explained(evidence)
    found = [tell.finding(claim, evidence) for claim in claims.faults]
    shown = any(finding.shows is Shows.OUTPUTS for finding in found)
    return Trial(evidence, claims, found) if shown and len(found) < len(trial.findings) else trial


def _at_the_front(trial: Trial) -> Trial:
    """The claims of the one line that is proven to be the fault, where claims are uncertain or there are none; or that line itself."""
    claim_of = {id(f): claim for f, claim in zip(trial.findings, trial.claims.faults, strict=True)}
    shown = [finding for finding in trial.findings if finding.shows is Shows.OUTPUTS]
    claims = [claim_of[id(finding)] for finding in shown]
    faults = by_line(shown)

    def is_certain(claim: Claim) -> bool:
        return repairs.is_certain(trial.evidence, claim)

    open_ = {
        f.where
        for group in faults
        for f in group[:1]
        if not all(is_certain(claim_of[id(one)]) for one in group)
    }
    nothing = not shown and any(claim.what is Doubt.OUTPUTS for claim in trial.claims.doubts)
    vague = any(finding.subject in front.VAGUE for finding in shown)
    nowhere = any(claim.what is Subject.WRITTEN_OUT and not claim.details.line for claim in claims)
    if not nothing and not nowhere and (not open_ or (len(open_) < 2 and not vague)):
        return trial
    if nothing and _does_the_same(trial.evidence):
        return trial
    found = front.parting(trial.evidence, [finding.where for finding in shown])
    if found is None or any(
        front.hides(found, claim) or (is_certain(claim) and front.is_of_a_layer(claim, found))
        for claim in claims
    ):
        return trial

    def is_there(finding: Finding) -> bool:
        claim = claim_of[id(finding)]
        at = finding.where == found.torch[0].line or front.is_about(claim, found)
        return at and not front.says_more(found) and front.tells(claim, found, trial.evidence.alignment)

    there = [claim_of[id(f)] for group in faults if any(map(is_there, group)) for f in group]
    blamed = frozenset(map(repairs.about, there))
    evidence = (
        trial.evidence.blaming(blamed, located=found.torch[0])
        if there
        else trial.evidence.blaming(blamed, front=found)
    )
    told = explained(evidence)
    findings = [tell.finding(claim, evidence) for claim in told.faults]
    left = by_line([finding for finding in findings if finding.shows is Shows.OUTPUTS])
    return Trial(evidence, told, findings) if left and (nothing or len(left) <= len(faults)) else trial


def _does_the_same(evidence: Evidence) -> bool:
    """Whether torch runs Paddle's operators one by one, each right by itself: then rounding has grown on the way, and none is to blame."""
    if not evidence.alignment.whole or evidence.attributes or evidence.slots or evidence.weights:
        return False
    pairs = (pair for pair in evidence.alignment.pairs if pair.torch.kind != "output")
    return not any(map(evidence.differs_alone, pairs))


def explained(evidence: Evidence) -> Claims:
    """What every explainer says, in order."""
    claims = Claims()
    for explain in ORDER:
        for claim in explain(evidence, claims):
            claims.add(claim)
    faults = gathered(evidence, claims.faults)
    if apart := fused.rounded(evidence, faults):
        claims.add(Claim(Doubt.FUSED, details=apart))
        faults = []
    claims.settle(faults)
    return claims


def _told(trial: Trial) -> Judgement:
    evidence, claims = trial.evidence, trial.claims
    rows = zip(evidence.alignment.pairs, evidence.rows, strict=True)
    apart = bool(trial.findings) or any(not found.agrees for found in evidence.observed.values())
    return Judgement(
        rows=[replace(row, status=claims.status(pair, row.status)) for pair, row in rows],
        # Whoever asks why the outputs differ must not read first what does not show in them.
        findings=sorted(trial.findings, key=lambda finding: (finding.silent, finding.order)),
        notes=[tell.note(claim, evidence) for claim in claims.remarks],
        inconclusive=[tell.doubt(claim) for claim in claims.doubts],
        outputs=evidence.outputs,
        outputs32=evidence.outputs32(),
        observed=evidence.observed,
        replayed=evidence.replayed,
        only=evidence.only,
        apart=evidence.alignment.apart,
        seen=replace(
            seen(evidence.paddle.trace, evidence.torch.trace),
            cut=apart and softmax_is_cut(evidence.paddle),
        ),
    )
