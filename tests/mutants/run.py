"""Judge the checker by the corpus and print the table.

python -m tests.mutants.run [--only NAME] [--group bug] [--threads N] [--jobs N] [--device DEVICE] [--json FILE] [--third K] [--verbose]
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import warnings
from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import paddle  # noqa: F401
    import torch

from tests.mutants.bugs import ALL as BUGS
from tests.mutants.cases import Bug, Multi
from tests.mutants.judge import Outcome, run
from tests.mutants.known import REASONS
from tests.mutants.multi import MULTIS, parts
from tests.mutants.styles import ALL as STYLES

CASES = {case.name: case for case in (*BUGS, *STYLES, *MULTIS)}
if len(CASES) != len(BUGS) + len(STYLES) + len(MULTIS):
    raise ValueError("two cases have one name")
if REASONS.keys() - CASES.keys():
    raise ValueError(f"known, but not there: {REASONS.keys() - CASES.keys()}")


def main() -> int:
    arguments = _arguments()
    cases = [case for i, case in enumerate(CASES.values()) if arguments.third in (None, i % 3)]
    if arguments.only:
        cases = [case for case in cases if any(part in case.name for part in arguments.only)]
    if arguments.training:
        cases = [case for case in cases if getattr(case, "recipe", "")]
    outcomes = []
    for outcome in _outcomes([case.name for case in cases], arguments):
        if arguments.group in (None, outcome.group):
            outcomes.append(outcome)
            if arguments.verbose or unexpected(outcome):
                print(line(outcome), *(f"    {text}" for text in outcome.findings), sep="\n", flush=True)
    print(table(outcomes))
    if arguments.report:
        arguments.report.write_text(report(outcomes))
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(outcome) for outcome in outcomes], indent=1))
    return 1 if failures(outcomes) else 0


def _outcomes(names: list[str], arguments: argparse.Namespace) -> Iterable[Outcome]:
    """What is said of each case, in order, by `--jobs` processes."""
    if arguments.jobs == 1:
        torch.set_num_threads(arguments.threads)
        yield from (_outcome(name, arguments.device) for name in names)
        return
    spawn = multiprocessing.get_context("spawn")  # CUDA does not survive a fork
    with ProcessPoolExecutor(arguments.jobs, spawn, torch.set_num_threads, (arguments.threads,)) as pool:
        yield from pool.map(_outcome, names, [arguments.device] * len(names))


def _outcome(name: str, device: str) -> Outcome:
    return run(CASES[name], device)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--only", action="append", help="cases whose name contains this (repeatable)")
    parser.add_argument("--group", choices=["bug", "style", "multi"])
    parser.add_argument("--training", action="store_true", help="only cases with optimizer steps")
    parser.add_argument("--third", type=int, choices=[0, 1, 2], help="a fixed third of the corpus")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1, help="processes that run cases side by side")
    parser.add_argument("--device", default="cpu", help="where the torch model runs; Paddle runs on the CPU")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--report", type=Path, help="every wrong answer with its findings")
    parser.add_argument("--verbose", action="store_true", help="print every case, not only trouble")
    return parser.parse_args()


def trouble(outcome: Outcome) -> str:
    """What is wrong with the answer, in a few words; empty if nothing is."""
    checks = {
        outcome.error: bool(outcome.error),
        f"MISSED ({outcome.verdict})": outcome.caught is False,
        "not the first finding": outcome.first is False and bool(outcome.caught),
        f"not told: {'; '.join(outcome.missing)}": bool(outcome.missing),
        f"stray findings: {outcome.stray}": outcome.stray > 0,
        f"FALSE ALARM ({outcome.verdict})": bool(outcome.alarm),
        "another note": outcome.noted is False,
        f"left changed: {outcome.tampered[:200]}": bool(outcome.tampered),
    }
    return "; ".join(text for text, wrong in checks.items() if wrong)


def unexpected(outcome: Outcome) -> str:
    """What is wrong with the answer and not known, or what is right and known to be wrong."""
    if outcome.name not in REASONS:
        return trouble(outcome)
    if outcome.right:
        return f"right, but known: {REASONS[outcome.name]}"
    return trouble(outcome) if outcome.error or outcome.tampered or outcome.caught is False else ""


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
        wanted = "".join(f"\n    wanted {one}" for one in bug.expected) if isinstance(bug, Bug) else ""
        texts.append(f"planted [{bug.mode}]: {'; '.join(changes) or bug.source or 'nothing'}{wanted}")
    return "\n".join(texts)


def line(outcome: Outcome) -> str:
    return (
        f"{outcome.group} {outcome.name} [{outcome.kind}] {outcome.seconds:.1f} s: {trouble(outcome) or 'ok'}"
    )


def table(outcomes: list[Outcome]) -> str:
    rows = ["", f"{'':34}{'bugs':>6}{'caught':>8}{'first':>7}{'right':>7}{'stray':>7}{'ports':>7}"]
    rows[1] += f"{'alarms':>8}{'s/case':>8}"
    rows += ["by network", *_rows(outcomes, "network"), "by class", *_rows(outcomes, "kind")]
    rows += ["by stage", *_rows([o for o in outcomes if o.group == "bug"], "stage"), _row("all", outcomes)]
    return "\n".join([*rows, summary(outcomes), *(f"FAILED: {text}" for text in failures(outcomes))])


def summary(outcomes: list[Outcome]) -> str:
    """The figures of a run, as the README prints them."""
    bugs, styles, multis = (
        [outcome for outcome in outcomes if outcome.group == group] for group in ("bug", "style", "multi")
    )
    return (
        f"{sum(bool(bug.caught) for bug in bugs)} of {len(bugs)} mistakes noticed, "
        f"{sum(bool(bug.first) for bug in bugs)} with a first finding that is right in everything; "
        f"{sum(bug.stray for bug in bugs)} stray findings; {sum(multi.right for multi in multis)} of {len(multis)} "
        f"combinations told exactly; {sum(bool(style.alarm) for style in styles)} alarms on {len(styles)} correct ports"
    )


def _rows(outcomes: list[Outcome], attribute: str) -> Iterable[str]:
    groups = defaultdict(list)
    for outcome in outcomes:
        groups[getattr(outcome, attribute)].append(outcome)
    return [_row(f"  {name}", groups[name]) for name in sorted(groups)]


def _row(name: str, outcomes: list[Outcome]) -> str:
    bugs = [outcome for outcome in outcomes if outcome.group == "bug"]
    styles = [outcome for outcome in outcomes if outcome.group == "style"]
    counts = [sum(bool(getattr(bug, key)) for bug in bugs) for key in ("caught", "first", "right")]
    counts = [len(bugs), *counts, sum(bug.stray for bug in bugs), len(styles)]
    text = "".join(f"{count:>{width}}" for count, width in zip(counts, (6, 8, 7, 7, 7, 7), strict=True))
    seconds = sum(outcome.seconds for outcome in outcomes) / max(len(outcomes), 1)
    return f"{name:34}{text}{sum(bool(style.alarm) for style in styles):>8}{seconds:>8.2f}"


def failures(outcomes: list[Outcome]) -> list[str]:
    """What is wrong and not known, or known and right."""
    return [f"{outcome.name}: {text}" for outcome in outcomes if (text := unexpected(outcome))]


if __name__ == "__main__":
    sys.exit(main())
