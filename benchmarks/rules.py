"""What is lost without each rule that brings a graph into canonical form (`parity.graph.rules.every`).

python -m benchmarks.rules --count FILE [--third K ...]     every case once, with how often each rule changes something
python -m benchmarks.rules --without FILE [--rule NAME ...]  the cases in which a rule does, without it (at most --most)

The corpus is that of tests/mutants. Needs both frameworks; minutes of CPU a third, then about ten seconds a rule.

At af466fd, third 0 (thirds 0 and 1 for rules that do something in few cases); "changes": in how many cases the rule does something;
tried: the fastest of them. Named: cases that are told otherwise without the rule (!: a correct port that raises an alarm). Six
cases are few: where a rule does the same on both sides, they lose nothing. What each rule is for where the sides
differ is in `benchmarks.rule_pairs` and tests/graph/test_rules.py. Without scale_and_shift, which loses nothing there, 15 of 18
tests of normalizations in tests/parity/test_written_out.py fail.

    rule                    changes  tried  errors  missed  misplaced  not right  alarms  notes
    turned_rows                   0      0       0       0          0          0       0      0
    normalized_axes              57      6       0       0          0          0       0      0
    scalar_arithmetic           102      6       0       0          0          2       0      2  pyramid-box-scale; vit-scale-missing
    clip_is_relu                  2      2       0       0          0          2       2      0  plain-relu-methods!; plain-relu-maximum!
    redundant_relu                0      0       0       0          0          0       0      0
    spatial_mean                113      6       0       0          0          0       0      0
    reduced_axes                113      6       0       0          0          0       0      0
    ordered_axis                  7      6       0       0          0          0       0      0
    first_of_sorted               0      0       0       0          0          0       0      0
    broadcast                    32     32       0       0          0          0       0      3
    constant_bound               13      6       0       0          0          0       0      0
    equal_constants               7      6       0       0          0          0       0      0
    table                        12      6       0       0          0          1       0     14  swin-table-not-loaded
    merged_moves                 58      6       0       0          0          1       0      0  vit-key-value-swapped
    scaled_before_moved           1      1       0       0          0          1       0      0  swin-query-key-swapped
    linear                      180      6       0       0          0          6       3      0  text-max-pair!; mlp-gate-reformulated!
    bias                        183      6       0       0          1          6       3      4  text-max-pair!; text-pooled-by-einsum!
    pointwise                     0      0       0       0          0          0       0      0
    late_bias                     0      0       0       0          0          0       0      0
    merge_affine                 18      6       0       0          1          2       0      2  norms-flatten-order; norms-slope-tiny
    matmul_scale                 45      6       0       0          0          2       0      0  vit-scale-missing; vit-scale-missing+gelu-tanh
    written_out                  23      6       0       0          0          1       0     10  index-normalize
    logistic                      0      0       0       0          0          0       0      0
    blend                         9      6       0       0          0          0       0      1
    scale_and_shift               0      0       0       0          0          0       0      0
    mean_of_sum                   1      1       0       0          0          0       0      1
    log_of_softmax                1      1       0       0          0          0       0      1
    pad_rank                     32     32       0       0          0          0       0      0
    pad_before_conv              13      6       0       0          0          0       0      0
    concats                       7      6       0       0          0          1       0      4  siamese-stack-for-concat+square-linear-untransposed
    short_dimensions             32      6       0       0          0          3       2      0  text-max-pair!; text-pooled-by-einsum!
    sorted_rows                  19      6       0       0          1          0       0     10  mha-key-projection-untransposed
    part_of_weight               14      6       0       0          0          2       0      3  mha-linear-untransposed; mha-relu-for-gelu
    packed                       45      6       0       0          0          0       0      0
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import paddle  # noqa: F401
    import torch

import parity
from parity.graph import build
from parity.graph.builder import Builder, Rewrite
from parity.graph.node import Node
from parity.graph.rules.every import REWRITES
from tests.mutants.judge import run
from tests.mutants.run import CASES


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--count", type=Path, metavar="FILE")
    parser.add_argument("--without", type=Path, metavar="FILE", action="append")
    parser.add_argument("--third", type=int, choices=[0, 1, 2], action="append")
    parser.add_argument("--only", action="append", help="cases whose name contains this (repeatable)")
    parser.add_argument("--rule", action="append", help="this rule alone (repeatable)")
    parser.add_argument("--most", type=int, default=12, help="cases that are tried without one rule")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.count:
        names = [name for i, name in enumerate(CASES) if arguments.third is None or i % 3 in arguments.third]
        if arguments.only:
            names = [name for name in names if any(part in name for part in arguments.only)]
        arguments.count.write_text(json.dumps(count(names), indent=1))
    if arguments.without:
        known: dict[str, Any] = {}
        for path in arguments.without:
            known |= json.loads(path.read_text())
        print(HEADER)
        for rule in REWRITES:
            if arguments.rule is None or rule.__name__ in arguments.rule:
                print(row(rule.__name__, known, arguments.most), flush=True)
    return 0


def count(names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Case -> its outcome, its notes, and how often each rule changed something."""
    fired: Counter[str] = Counter()
    build.REWRITES = tuple(_counted(rule, fired) for rule in REWRITES)
    found = {}
    for name in names:
        fired.clear()
        found[name] = {**_outcome(name), "fired": dict(fired)}
    build.REWRITES = REWRITES
    return found


def _counted(rule: Rewrite, fired: Counter[str]) -> Rewrite:
    def counting(b: Builder, node: Node) -> bool:
        changed = rule(b, node)
        fired[rule.__name__] += changed
        return changed

    return counting


def _outcome(name: str) -> dict[str, Any]:
    """A case's outcome, and the notes of its report."""
    check, reports = parity.check, []

    def keeping(*args: Any, **options: Any) -> Any:
        reports.append(check(*args, **options))
        return reports[-1]

    parity.check = keeping
    try:
        outcome = run(CASES[name])
    finally:
        parity.check = check
    notes = [note.text for report in reports for case in report.cases for note in case.judgement.notes]
    return {**asdict(outcome), "right": outcome.right, "notes": notes}


def chosen(known: Mapping[str, Mapping[str, Any]], names: Iterable[str], most: int) -> list[str]:
    """Half of them correct ports, half mistakes, as far as there are; those that run fastest."""
    found = sorted(names, key=lambda name: known[name]["seconds"])
    ports = [name for name in found if known[name]["group"] == "style"]
    mistakes = [name for name in found if known[name]["group"] != "style"]
    few = min(len(ports), max(most // 2, most - len(mistakes)))
    return ports[:few] + mistakes[: most - few]


HEADER = (
    f"{'rule':22}{'changes':>9}{'tried':>7}{'errors':>8}{'missed':>8}{'misplaced':>11}{'not right':>11}{'alarms':>8}"
    f"{'notes':>7}"
)


def row(rule: str, known: Mapping[str, Mapping[str, Any]], most: int) -> str:
    """What the cases in which a rule changes something become without it."""
    fires = [name for name, before in known.items() if before["fired"].get(rule)]
    tried = chosen(known, fires, most)
    build.REWRITES = tuple(other for other in REWRITES if other.__name__ != rule)
    lost: Counter[str] = Counter()
    names = []
    for name in tried:
        before, after = known[name], _outcome(name)
        now = {
            "errors": bool(after["error"]) > bool(before["error"]),
            "missed": before["caught"] is True and after["caught"] is False,
            "misplaced": before["place"] is True and after["place"] is False,
            "not right": before["right"] and not after["right"],
            "alarms": bool(after["alarm"]) > bool(before["alarm"]),
        }
        lost.update(key for key, is_lost in now.items() if is_lost)
        lost["notes"] += len(after["notes"]) - len(before["notes"])
        if any(now.values()):
            names.append(f"{name} ({', '.join(key for key, is_lost in now.items() if is_lost)})")
    build.REWRITES = REWRITES
    widths = (("errors", 8), ("missed", 8), ("misplaced", 11), ("not right", 11), ("alarms", 8), ("notes", 7))
    counts = "".join(f"{lost[key]:>{width}}" for key, width in widths)
    return f"{rule:22}{len(fires):>9}{len(tried):>7}{counts}  {'; '.join(names[:4])}"


if __name__ == "__main__":
    sys.exit(main())
