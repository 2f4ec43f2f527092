"""The errors this project raises on purpose.

Every message is one a user can act on: what was wrong, where, and what to do. The command line
prints it without a traceback and exits with 2.
"""


class Paddle2TorchError(Exception):
    """Base of every deliberate error of `convert` and `parity`."""


class ConvertError(Paddle2TorchError):
    """A checkpoint cannot be read, planned, converted or written."""
