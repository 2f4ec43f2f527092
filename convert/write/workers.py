"""Two threads that share the work of filling a file, each with buffers of its own that it uses again and again.

What takes the time (copies by the kernel, reads, writes, numpy, checksums) lets go of the interpreter's lock.
`concurrent.futures` would do, but importing it takes longer than converting a small checkpoint.
"""

from __future__ import annotations

import mmap
import threading
from collections import deque
from collections.abc import Callable, Sequence

THREADS = 2
"""More were not faster on any machine tried, and each has its buffers."""


class Workspace:
    """One thread's buffers, by name. Their pages are taken when they are first written to."""

    def __init__(self) -> None:
        self._held: dict[str, memoryview] = {}

    def buffer(self, name: str, nbytes: int) -> memoryview:
        """`nbytes` of memory whose contents are left over from the last use."""
        held = self._held.get(name)
        if held is None or held.nbytes < nbytes:
            self._held.pop(name, None)
            held = self._held[name] = memoryview(_memory(max(1, nbytes)))
        return held[:nbytes]


def _memory(nbytes: int) -> mmap.mmap:
    """Huge pages where there are any: fewer faults, and fewer misses when rows become columns."""
    if not hasattr(mmap, "MADV_HUGEPAGE"):
        return mmap.mmap(-1, nbytes)
    memory = mmap.mmap(-1, nbytes, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)  # shared memory has none by default
    memory.madvise(mmap.MADV_HUGEPAGE)
    return memory


Job = Callable[[Workspace], None]


class Workers:
    """Runs lists of jobs, one list after the other, the jobs of a list on `threads` threads."""

    def __init__(self, threads: int) -> None:
        self._spaces = [Workspace() for _ in range(threads)]

    def run(self, jobs: Sequence[Job]) -> None:
        """Return when all are done; the first error stops the rest and is raised here."""
        queue = deque(jobs)
        failed: list[BaseException] = []

        def work(space: Workspace) -> None:
            try:
                while not failed and (job := _next(queue)) is not None:
                    job(space)
            except BaseException as error:
                failed.append(error)

        others = [threading.Thread(target=work, args=(space,)) for space in self._spaces[1 : len(jobs)]]
        for thread in others:
            thread.start()
        work(self._spaces[0])
        try:
            for thread in others:
                thread.join()
        except BaseException as error:  # Ctrl-C while waiting: the file must not be closed under a thread
            failed.append(error)
            for thread in others:
                thread.join()
        if failed:
            raise failed[0]


def _next(queue: deque[Job]) -> Job | None:
    try:
        return queue.popleft()
    except IndexError:  # another thread may take the last one between a look and a grab
        return None
