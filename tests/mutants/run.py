"""Judge the checker by the corpus and print the table.

python -m tests.mutants.run [--only NAME] [--group bug] [--threads N] [--device DEVICE] [--json FILE] [--third K] [--verbose]
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import paddle  # noqa: F401
    import torch

from tests.mutants.bugs import ALL as BUGS
from tests.mutants.cases import Bug, Multi
from tests.mutants.judge import Outcome, run
from tests.mutants.known import GAPS
from tests.mutants.multi import MULTIS, parts
from tests.mutants.styles import ALL as STYLES

CASES = {case.name: case for case in (*BUGS, *STYLES, *MULTIS)}
if len(CASES) != len(BUGS) + len(STYLES) + len(MULTIS):
    raise ValueError("two cases have one name")


def main() -> int:
    arguments = _arguments()
    torch.set_num_threads(arguments.threads)
    cases = [case for i, case in enumerate(CASES.values()) if arguments.third in (None, i % 3)]
    if arguments.only:
        cases = [case for case in cases if any(part in case.name for part in arguments.only)]
    if arguments.training:
        cases = [case for case in cases if getattr(case, "recipe", "")]
    outcomes = []
    for case in cases:
        outcome = run(case, arguments.device)
        if arguments.group in (None, outcome.group):
            outcomes.append(outcome)
            if arguments.verbose or trouble(outcome):
                print(line(outcome), *(f"    {text}" for text in outcome.findings), sep="\n", flush=True)
    print(table(outcomes))
    if arguments.report:
        arguments.report.write_text(report(outcomes))
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(outcome) for outcome in outcomes], indent=1))
    return 1 if failures(outcomes) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--only", action="append", help="cases whose name contains this (repeatable)")
    parser.add_argument("--group", choices=["bug", "style", "multi"])
    parser.add_argument("--training", action="store_true", help="only cases with optimizer steps")
    parser.add_argument("--third", type=int, choices=[0, 1, 2], help="a fixed third of the corpus")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu", help="where the torch model runs; Paddle runs on the CPU")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--report", type=Path, help="every wrong answer with its findings")
    parser.add_argument("--verbose", action="store_true", help="print every case, not only trouble")
    return parser.parse_args()


def trouble(outcome: Outcome) -> str:
    """What is wrong with the answer, in a few words; empty if nothing is."""
    if outcome.unsupported:
        return ""
    checks = {
        outcome.error: bool(outcome.error),
        f"MISSED ({outcome.verdict})": outcome.group == "bug" and not outcome.caught,
        "wrong place": outcome.group == "bug" and outcome.caught and not outcome.first,
        "wrong cause": outcome.group == "bug" and outcome.first and not outcome.cause,
        f"FALSE ALARM ({outcome.verdict})": bool(outcome.alarm) and outcome.group == "style",
        "note missing": outcome.noted is False,
        f"not reported: {', '.join(outcome.missing)}": bool(outcome.missing),
        f"left changed: {outcome.tampered[:200]}": bool(outcome.tampered),
    }
    return "; ".join(text for text, wrong in checks.items() if wrong)


def report(outcomes: list[Outcome]) -> str:
    """The table, then a paragraph for every answer with something wrong: what was planted, what was said."""
    paragraphs = [table(outcomes)]
    for outcome in outcomes:
        if trouble(outcome):
            told = outcome.findings[:6] or ("(no findings)",)
            left_out = len(outcome.findings) - len(told)
            paragraphs.append("\n".join([line(outcome), planted(outcome.name), *told]))
            if left_out > 0:
                paragraphs[-1] += f"\n... and {left_out} more findings"
    return "\n\n".join(paragraphs) + "\n"


def planted(name: str) -> str:
    """What the case did to the correct pair, and where the blame belongs."""
    case = CASES[name]
    bugs = parts(case) if isinstance(case, Multi) else [case]
    texts = []
    for bug in bugs:
        changes = [f"torch {old.strip()!r} -> {new.strip()!r}" for old, new in bug.edits]
        changes += [f"paddle {old.strip()!r} -> {new.strip()!r}" for old, new in bug.paddle]
        changes += [f"weights {operation}" for operation in bug.weights]
        changes += [f"recipe {bug.recipe}"] if bug.recipe else []
        wanted = f"; wanted at {bug.where} saying {bug.cause}" if isinstance(bug, Bug) else ""
        texts.append(f"planted [{bug.mode}]: {'; '.join(changes) or bug.source or 'nothing'}{wanted}")
    return "\n".join(texts)


def line(outcome: Outcome) -> str:
    return (
        f"{outcome.group} {outcome.name} [{outcome.kind}] {outcome.seconds:.1f} s: {trouble(outcome) or 'ok'}"
    )


def table(outcomes: list[Outcome]) -> str:
    rows = ["", f"{'':34}{'bugs':>6}{'caught':>8}{'first':>7}{'cause':>7}{'line':>7}{'extra':>7}"]
    rows[1] += f"{'ports':>7}{'alarms':>8}{'s/case':>8}"
    tried = _tried(outcomes)
    rows += ["by network", *_rows(tried, "network"), "by class", *_rows(tried, "kind")]
    rows += ["by stage", *_rows([o for o in tried if o.group == "bug"], "stage"), _row("all", tried)]
    multis = [outcome for outcome in tried if outcome.group == "multi"]
    if multis:
        complete = sum(bool(outcome.caught) for outcome in multis)
        extra = sum(outcome.extra for outcome in multis)
        rows.append(f"combinations: {complete} of {len(multis)} reported completely, {extra} extra findings")
    skipped = [outcome.name for outcome in outcomes if outcome.unsupported]
    if skipped:
        rows.append(f"not run, options missing in parity.check: {len(skipped)} cases")
    return "\n".join([*rows, *(f"FAILED: {text}" for text in failures(outcomes))])


def _tried(outcomes: list[Outcome]) -> list[Outcome]:
    """Those that the table and the promises count: known gaps have a test of their own."""
    return [outcome for outcome in outcomes if not outcome.unsupported and outcome.name not in GAPS]


def _rows(outcomes: list[Outcome], attribute: str) -> Iterable[str]:
    groups = defaultdict(list)
    for outcome in outcomes:
        groups[getattr(outcome, attribute)].append(outcome)
    return [_row(f"  {name}", groups[name]) for name in sorted(groups)]


def _row(name: str, outcomes: list[Outcome]) -> str:
    bugs = [outcome for outcome in outcomes if outcome.group == "bug"]
    styles = [outcome for outcome in outcomes if outcome.group == "style"]
    lines = [outcome for outcome in bugs if outcome.line is not None]
    counts = [
        len(bugs),
        *(sum(bool(getattr(bug, key)) for bug in bugs) for key in ("caught", "first", "cause")),
    ]
    text = "".join(f"{count:>{width}}" for count, width in zip(counts, (6, 8, 7, 7), strict=True))
    text += f"{f'{sum(bool(o.line) for o in lines)}/{len(lines)}':>7}{sum(o.extra for o in bugs):>7}"
    seconds = sum(outcome.seconds for outcome in outcomes) / max(len(outcomes), 1)
    return f"{name:34}{text}{len(styles):>7}{sum(bool(o.alarm) for o in styles):>8}{seconds:>8.2f}"


def failures(outcomes: list[Outcome]) -> list[str]:
    """The promises of the issue that these outcomes break."""
    tried = _tried(outcomes)
    bugs = [outcome for outcome in tried if outcome.group == "bug"]
    first = sum(bool(bug.first) for bug in bugs)
    cause = sum(bool(bug.cause) for bug in bugs)
    promises = {
        "a bug was not caught": all(bug.caught for bug in bugs),
        f"only {first} of {len(bugs)} blamed on the right operator first": first >= 0.98 * len(bugs),
        f"only {cause} of {len(bugs)} with the right cause": cause >= 0.95 * len(bugs),
        "an alarm on a correct port": not any(o.alarm for o in tried if o.group == "style"),
        "a combination was not reported completely": all(o.caught for o in tried if o.group == "multi"),
        "a check left something changed": not any(outcome.tampered for outcome in tried),
    }
    return [text for text, kept in promises.items() if not kept]


if __name__ == "__main__":
    sys.exit(main())
