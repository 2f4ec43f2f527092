"""`python -m parity.rosetta NAME...`: prove rows of the table and print what was measured."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from convert.rosetta.rows import Row
from convert.rosetta.table import MODULES, TABLE, find
from parity.rosetta.prove import Proof, prove


def _show(row: Row, proof: Proof) -> None:
    print(
        f"{'proven' if proof else 'FAILED'}  {row.paddle} -> {row.torch or '(no twin)'}  [{row.exactness.value}]"
    )
    for example, measured in zip(row.examples, proof.examples, strict=False):
        print(f"    {example.paddle!r}  |  {example.torch!r}")
        for m in measured:
            backward = "none" if m.backward is None else f"{m.backward:.1e}"
            print(f"        {m.precision}: values {m.forward:.1e}, gradients {backward}, bits {m.bits}")
    for trap in proof.traps:
        naive = trap["raises"] or f"{trap['naive']:.1e}"
        print(f"    trap: {trap['text']}: naive {naive}, mapped {trap['mapped']:.1e}")
    for failure in proof.failures:
        print(f"    FAILURE: {failure}")


def main() -> int:
    """Prove the rows that the arguments name; 1 if one fails."""
    parser = argparse.ArgumentParser(prog="python -m parity.rosetta", description=__doc__)
    parser.add_argument("names", nargs="*", help="Paddle or torch names; all rows without any")
    parser.add_argument("--module", choices=sorted(MODULES), help="all rows of one module of the table")
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="write the measurements for the documentation"
    )
    args = parser.parse_args()
    rows = [row for name in args.names for row in find(name)] or list(
        MODULES[args.module] if args.module else TABLE
    )
    if args.names and not all(find(name) for name in args.names):
        parser.error(f"no row is called {', '.join(n for n in args.names if not find(n))}")
    proofs = []
    for row in rows:
        proofs.append(prove(row))
        _show(row, proofs[-1])
    if args.json:
        args.json.write_text(json.dumps([proof.to_json() for proof in proofs], indent=1) + "\n")
    print(f"{sum(map(bool, proofs))} of {len(proofs)} rows proven")
    return 0 if all(proofs) else 1


if __name__ == "__main__":
    sys.exit(main())
