"""Ray, for those who ask for it with `--ray`: a cluster that is there already, or one that is started here for the command."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from convert.errors import ConvertError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future

RETRIES = 3
"""How often a task is given to another worker when one dies; a task that kills them all must come to an end."""


def add_ray_option(group: Any) -> None:
    """`--ray`, the same wherever work is handed out."""
    group.add_argument(
        "--ray",
        nargs="?",
        const="local",
        metavar="ADDRESS",
        help="hand the work to the Ray cluster there, or to one that is started here",
    )


@contextmanager
def connected(address: str, workers: int) -> Iterator[Any]:
    """The module `ray`, connected; "local": to a cluster of so many workers that ends with the block."""
    import logging

    try:
        import ray
    except ModuleNotFoundError:
        raise ConvertError("--ray needs Ray: run `pip install ray`") from None
    options: dict[str, Any] = {"num_cpus": workers} if address == "local" else {"address": address}
    try:
        ray.init(logging_level=logging.ERROR, log_to_driver=False, include_dashboard=False, **options)
    except (ConnectionError, ValueError) as error:
        raise ConvertError(
            f"--ray {address}: there is no Ray cluster ({' '.join(str(error).split())})"
        ) from None
    try:
        yield ray
    finally:
        ray.shutdown()


class RayPool:
    """What `submit`s functions to Ray, and gives futures, as the executors of Python do."""

    def __init__(self, ray: Any) -> None:
        self._ray = ray

    def submit(self, work: Callable[..., Any], /, *arguments: Any) -> Future[Any]:
        """The future result of work(*arguments) on one core somewhere; it is done again where a worker dies."""
        task = self._ray.remote(num_cpus=1, max_retries=RETRIES)(work)
        found: Future[Any] = task.remote(*arguments).future()
        return found
