"""Fuzzing of the readers: whatever the bytes, one of our errors or a checkpoint, quickly and in little memory.

    python -m tests.fuzz.run --count 1000000      # minutes on one core; prints the figures

The tests run a small slice of the same.
"""
