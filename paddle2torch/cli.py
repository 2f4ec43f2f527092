"""The command line.

A command is one module of `paddle2torch.commands` with `configure(parser)` and `run(args) -> int`.
Only the chosen command's module is imported, so that `--help` stays instant and works without
torch, Paddle or even numpy being importable.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import re
import signal
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from paddle2torch.packages import take

TYPE_CHECKING = False  # not typing's, which costs more to import than the rest
if TYPE_CHECKING:
    from typing import NoReturn

COMMANDS = {
    "inspect": "show what a Paddle checkpoint holds, without executing any of it",
    "convert": "convert a Paddle checkpoint to PyTorch (.safetensors or .pth)",
    "parity": "prove layer by layer that a Paddle and a PyTorch model compute the same",
    "parity capture": "record one side in one file, where the two frameworks do not meet",
    "parity compare": "compare a recorded Paddle side with a recorded or a live torch side",
    "train": "train or fine-tune a network in either framework, with the same images and numbers",
    "evaluate": "show the loss and accuracy of a checkpoint: one window, ten, several scales, or dense",
    "predict": "name what pictures show, in either framework or both side by side",
    "port": "translate Paddle source to PyTorch source, and prove the result",
    "agree": "run a whole data set through both networks, and write what a team signs",
    "models": "list the networks that exist in both frameworks",
    "guide": "look up what a Paddle or torch name is in the other framework",
    "summary": "show a network's layers, shapes, parameters, memory and receptive field",
}

COLLECT_FROM = 100_000
"""New containers between two looks for garbage: importing numpy makes some 50,000, none of them garbage."""

EXIT_CODES = "exit codes: 0 done / equivalent, 1 different, 2 wrong input, 3 inconclusive, 4 a fault of paddle2torch's own"
FAULT = 4


class _Once(argparse.Action):
    """Stores a value, and refuses a second one: which of them counts is for the user to say."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option: str | None = None,
    ) -> None:
        given: set[str] = namespace.__dict__.setdefault("_given", set())
        if option is not None and self.dest in given:
            parser.error(f"{option} is given twice; give it once")
        given.add(self.dest)
        setattr(namespace, self.dest, values)


class _Parser(argparse.ArgumentParser):
    """Answers a wrong command line in one sentence instead of the whole usage."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name in (None, "store"):
            self.register("action", name, _Once)

    def error(self, message: str) -> NoReturn:
        from paddle2torch.console import fitted

        self.exit(2, fitted(f"{self.prog}: {message}; see `{self.prog} --help`", errors=True) + "\n")

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Refuse here, where the options are known, what argparse leaves to the parser above, which knows none of them."""
        words = list(args or ())
        command = next((i for i, word in enumerate(words) if not word.startswith("-")), len(words))
        if self._subparsers is None:
            words = _joined(words)
            for word in words:
                self._check_option(word)
        elif command < len(words) and words[command] not in COMMANDS:
            self.error(f"there is no command {words[command]}{_nearest(words[command], COMMANDS)}")
        else:
            for word in words[:command]:
                self._check_option(word)
        found, rest = super().parse_known_args(words, namespace)
        if rest and self._subparsers is None:
            self.error(f"{' '.join(rest)}: not expected here")
        return found, rest

    def _check_option(self, word: str) -> None:
        name = word.partition("=")[0]
        known = [option for option in self._option_string_actions if option.startswith("--")]
        if len(name) > 2 and name.startswith("--") and not any(option.startswith(name) for option in known):
            self.error(f"there is no option {name}{_nearest(name, known)}")


PATTERNS = ("--include", "--exclude")
FURTHER_SHAPE = re.compile(r"(\w+:)?\d+([,x]\d+)*(:\w+)*")


def _joined(words: list[str]) -> list[str]:
    """`--shape` with the shapes of all inputs as one word, so that a model or a file may stand behind it; an option for each of
    several patterns."""
    joined: list[str] = []
    for word in words:
        if len(joined) > 1 and joined[-2] == "--shape" and FURTHER_SHAPE.fullmatch(word):
            joined[-1] += f" {word}"
        elif len(joined) > 1 and joined[-2] in PATTERNS and "*" in word:
            joined += [joined[-2], word]
        else:
            joined.append(word)
    return joined


def _nearest(word: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(word, list(known), n=1)
    return f"; the nearest is {near[0]}" if near else ""


def _add_version(parser: argparse.ArgumentParser) -> None:
    from paddle2torch.version import __version__

    parser.add_argument("--version", action="version", version=f"paddle2torch {__version__}")


def _build_parser(chosen: str | None) -> argparse.ArgumentParser:
    parser = _Parser(
        prog="paddle2torch",
        description="Move a PaddlePaddle vision model to PyTorch and prove that nothing changed.",
        epilog=EXIT_CODES,
    )
    _add_version(parser)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, summary in COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=summary, epilog=EXIT_CODES)
        if name == chosen:
            _module(name).configure(command)
    return parser


def _module(command: str) -> Any:
    return importlib.import_module(f"paddle2torch.commands.{command.replace(' ', '_')}")


def command(words: Sequence[str]) -> int:
    """Run one command from another; its exit code."""
    args = _build_parser(words[0]).parse_args(list(words))
    result: int = _module(words[0]).run(args)
    return result


@contextmanager
def _unwinding() -> Iterator[None]:
    """SIGTERM of a CI system and SIGHUP of a closed terminal clean up like Ctrl-C: no temporary file and no worker stays."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, _: object) -> None:
        raise SystemExit(128 + number)

    # What is ignored stays ignored: `nohup` asks for that.
    ends = [n for n in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(n) != signal.SIG_IGN]
    before = {number: signal.signal(number, stop) for number in ends}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code (0 done, 1 different, 2 wrong input, 3 inconclusive, 4 our own fault)."""
    try:
        take()
    except ImportError as error:
        print(f"paddle2torch: {error}", file=sys.stderr)
        return 2
    from convert.errors import Paddle2TorchError

    arguments = list(sys.argv[1:] if argv is None else argv)
    if " ".join(arguments[:2]) in COMMANDS:
        arguments[:2] = [" ".join(arguments[:2])]
    command = next((word for word in arguments if not word.startswith("-")), None)
    try:
        args = _build_parser(command).parse_args(arguments)
        from paddle2torch.outputs import streams

        with streams(), _unwinding():
            result: int = _module(args.command).run(args)
    except Paddle2TorchError as error:
        sys.stderr.write(getattr(error, "detail", ""))  # a user's model that raised: its own traceback first
        from paddle2torch.console import fitted

        with suppress(BrokenPipeError):
            print(fitted(f"paddle2torch {command}: {error}", errors=True), file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        return 0  # the reader of our output went away (`| head`): not an error of the command
    except Exception as error:
        from paddle2torch.fault import told

        print(told(error, arguments), file=sys.stderr)
        return FAULT
    return result


def console_script() -> NoReturn:
    """The installed command: `main` in a process of its own, where looking for garbage costs more than garbage does."""
    gc.set_threshold(COLLECT_FROM)
    code = main()
    gc.freeze()  # or the interpreter looks through everything once more before it ends
    sys.exit(code)


if __name__ == "__main__":
    console_script()
