"""The errors this project raises on purpose.

Every message is one a user can act on: what was wrong, where, and what to do. The command line
prints it without a traceback and exits with 2.
"""

from convert.names import escaped

SENTENCE_MOST = 500
"""Characters of a message."""
_END = 180  # what to do stands at the end


class Paddle2TorchError(Exception):
    """Base of every deliberate error of `convert` and `parity`."""


class ConvertError(Paddle2TorchError):
    """A checkpoint cannot be read, planned, converted or written: one sentence, whatever names and paths it quotes."""

    def __init__(self, message: str) -> None:
        super().__init__(_one_sentence(message))


class PlanError(ConvertError):
    """A plan with problems: a sentence, and each problem on a line of its own."""

    def __init__(self, message: str) -> None:
        Exception.__init__(self, "\n".join(map(escaped, message.split("\n"))))


def _one_sentence(text: str) -> str:
    """`text` on one line, its middle left out where it is too long."""
    if len(text) > 2 * SENTENCE_MOST:
        text = text[:SENTENCE_MOST] + text[-SENTENCE_MOST:]
    text = escaped(text)
    return text if len(text) <= SENTENCE_MOST else f"{text[: SENTENCE_MOST - _END - 5]} ... {text[-_END:]}"
