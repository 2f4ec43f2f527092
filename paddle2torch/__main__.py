"""`python -m paddle2torch` is the same as the `paddle2torch` command."""

from paddle2torch.cli import console_script

console_script()
