"""Fuzzing of the readers: whatever the bytes, one of our errors or a checkpoint, quickly and in little memory.

    python -m tests.fuzz.run --count 1000000 --seed 1      # chance: 12 minutes on one core; prints the figures
    python -m tests.fuzz.guided -runs=300000 -max_len=6000 # coverage (atheris): 11 minutes on one core

Run so far (Linux, Python 3.11, two busy cores), each file read whole, nothing but ConvertError, no hang:

| what | files | still checkpoints | slowest | memory above the start |
|---|---|---|---|---|
| run, seed 1, 15 kinds of file | 1,000,000 | 129,491 | 0.65 s | 2 MB |
| run, seed 2, 19 kinds (the old program format and static weights too) | 500,000 | 65,706 | 0.81 s | 2 MB |
| guided, the same 19 kinds and their programs | 300,000 | | | |

A file may declare 40 times its size at most (`DECLARED_MOST`), and none may take 5 s (`SECONDS_MOST`). The tests run a
slice of the same.
"""
