"""What one run hands to another while both are going: a store that is read before it is complete."""

from __future__ import annotations

import threading
from pathlib import Path

from parity.trace.values import Array, Stored, ValueStore


class Relay(ValueStore):
    """Written by one thread and read by another, which waits for what is not there yet.

    patience: seconds that the reader waits for the next array, whichever it is; then it takes the store as it is.
    """

    def __init__(self, path: Path, patience: float) -> None:
        super().__init__(path)
        self._patience = patience
        self._complete = False
        self._changed = threading.Condition()

    def put(self, key: str, array: Array) -> None:
        super().put(key, array)
        with self._changed:
            self._changed.notify_all()

    def complete(self) -> None:
        """Nothing more comes."""
        with self._changed:
            self._complete = True
            self._changed.notify_all()

    def __contains__(self, key: str) -> bool:
        """Whether there is such an array; known once it has come, or at the end."""
        with self._changed:
            while key not in self.index and not self._complete:
                if not self._changed.wait(self._patience):
                    self._complete = True
        return key in self.index

    def stored(self, key: str) -> Stored:
        """The array under `key` as soon as it has come; KeyError if it never does."""
        if key not in self:
            raise KeyError(key)
        return super().stored(key)
