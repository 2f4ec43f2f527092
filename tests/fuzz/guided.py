"""The same property under atheris, which looks for bytes that reach new lines: coverage instead of chance.

    python -m pip install atheris                      # where it has a wheel; it is no part of the dev extra
    python -m tests.fuzz.guided -runs=200000           # libFuzzer's options; a crash is kept as crash-*

The first byte chooses which file of which kind, the rest is its content. Starts from the seeds of `tests.fuzz.seeds`.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["convert"]):
    import convert.checkpoint.bounded_json
    import convert.checkpoint.latin1
    import convert.checkpoint.pdiparams
    import convert.checkpoint.pdparams
    import convert.checkpoint.program
    import convert.checkpoint.reader
    import convert.checkpoint.safetensors_file
    import convert.checkpoint.shards
    import convert.checkpoint.torch_file
    import convert.plan.rules  # noqa: F401 - imported to be instrumented

from tests.fuzz.kinds import kinds
from tests.fuzz.run import Figures, examine
from tests.fuzz.seeds import seeds


def main() -> None:
    """Fuzz until libFuzzer's options say stop; an exception is a crash."""
    targets = [(kind, name) for kind in kinds(seeds()) for name in kind.files]
    figures = Figures()
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as name:
        folder, corpus = Path(name) / "files", Path(name) / "corpus"
        for made in (folder, corpus):
            made.mkdir()
        for index, (kind, file) in enumerate(targets):
            (corpus / f"{kind.name}-{file}").write_bytes(bytes((index,)) + kind.files[file])

        def one_input(data: bytes) -> None:
            kind, file = targets[data[0] % len(targets)] if data else targets[0]
            for beside, content in kind.files.items():
                (folder / beside).write_bytes(content)
            (folder / file).write_bytes(data[1:])
            examine(kind, folder, figures)

        atheris.Setup([sys.argv[0], *sys.argv[1:], str(corpus)], one_input)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
