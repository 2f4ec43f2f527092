"""The same property under atheris, which looks for bytes that reach new lines: coverage instead of chance.

    python -m pip install atheris                      # where it has a wheel; it is no part of the dev extra
    python -m tests.fuzz.guided -runs=200000           # libFuzzer's options; a crash is kept as crash-*

The first byte chooses the format, the rest is the file. Starts from the seeds of `tests.fuzz.seeds`.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["convert"]):
    import convert.checkpoint.latin1
    import convert.checkpoint.pdiparams
    import convert.checkpoint.pdparams
    import convert.checkpoint.program
    import convert.checkpoint.reader
    import convert.checkpoint.safetensors_file
    import convert.checkpoint.torch_file  # noqa: F401 - imported to be instrumented

from tests.fuzz.run import Figures, examine
from tests.fuzz.seeds import PROGRAMS, seeds


def main() -> None:
    """Fuzz until libFuzzer's options say stop; an exception is a crash."""
    contents = seeds()
    names = [name for name in contents if name not in PROGRAMS.values()]
    programs = {program: weights for weights, program in PROGRAMS.items()}
    targets = [*names, *programs]
    figures = Figures()
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as name:
        folder, corpus = Path(name) / "files", Path(name) / "corpus"
        for made in (folder, corpus):
            made.mkdir()
        for index, target in enumerate(targets):
            (corpus / target).write_bytes(bytes((index,)) + contents[target])

        def one_input(data: bytes) -> None:
            target = targets[data[0] % len(targets)] if data else targets[0]
            weights = programs.get(target, target)
            for beside in {weights, PROGRAMS.get(weights, weights)} - {target}:
                (folder / beside).write_bytes(contents[beside])
            (folder / target).write_bytes(data[1:])
            examine(folder / weights, figures)

        atheris.Setup([sys.argv[0], *sys.argv[1:], str(corpus)], one_input)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
