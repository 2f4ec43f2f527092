"""Fuzzing of every reader that a command has, and kills of what writes: what was run is in `benchmarks/robustness.md`.

    python -m tests.fuzz.run --count 1000000 --seed 1      # chance: bytes, and what a file says; prints the figures
    python -m tests.fuzz.kills --count 2000 --seed 1       # kills at random moments; prints what was found after them
    python -m tests.fuzz.guided -runs=300000 -max_len=6000 # coverage (atheris)

`make fuzz` runs the first two. Whatever the bytes, reading ends in a result or in one of our errors, which is one sentence,
within `SECONDS_MOST` and `MEMORY_MOST`; a checkpoint may declare `DECLARED_MOST` times its size. `bombs` has files that ask
for much. The tests run a slice of each.
"""
