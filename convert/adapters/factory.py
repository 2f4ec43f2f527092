"""Find a factory that a user names: `package.module:name`, `path/to/file.py:name` or `notebook.ipynb:name`."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from types import ModuleType
from typing import Any

from convert.adapters.notebook import NOTEBOOK, code_of
from convert.adapters.reference import built_already, lacks_arguments, not_installed
from convert.adapters.watch import watched
from convert.errors import ConvertError
from convert.names import did_you_mean, listed
from convert.namesakes import NAMES, ROOT, namesake, users_imports


@contextmanager
def users_code(what: str, hint: str = "") -> Iterator[None]:
    """Around a user's code: what it prints goes to stderr, and what it raises becomes `what: error` and `hint`.

    The hint is for a call that does not fit.
    """
    try:
        with redirect_stdout(sys.stderr):
            yield
    except ConvertError:
        raise
    except (Exception, SystemExit) as error:
        said = " ".join(str(error).split())
        advice = f"; {hint}" if hint and isinstance(error, TypeError) else ""
        if "operator torchvision::" in said:
            advice = (
                "; the torchvision here was built for another torch: install both together, from one index"
            )
        raise ConvertError(f"{what}: {type(error).__name__}: {said}{advice}") from error


def load_factory(reference: str, notes: list[str] | None = None, *, registered: bool = False) -> Any:
    """The class or function; ConvertError says what is wrong with the reference.

    The networks of a package with a module `models` need not name that: `timm:mobilenetv3_small_100`. What the import does
    beside defining it is added to `notes`, or else told on stderr. registered: of a network of ours
    (`convert.models.registry`), whatever modules a user has under the names of our folders.
    """
    place, colon, name = reference.rpartition(":")
    if not colon or not place or not name:
        raise ConvertError(f"{reference!r}: write package.module:factory or path/to/file.py:factory")
    told: list[str] = []
    is_file = place.endswith((".py", NOTEBOOK))
    folder = Path(place).parent if is_file else Path()
    if registered:
        module = _load_ours(place)
    else:
        with watched(reference, folder, told):
            module = _load_file(Path(place)) if is_file else _load_module(place)
    if notes is None:
        print(*(f"note: {line}" for line in told), sep="\n", end="\n" * bool(told), file=sys.stderr)
    else:
        notes += told
    factory = module
    if not registered and not hasattr(module, name.partition(".")[0]):
        factory = _networks_of(module)
    for part in name.split("."):
        if not hasattr(factory, part):
            raise ConvertError(f"{place} has no {part!r}{did_you_mean(part, dir(factory))}")
        factory = getattr(factory, part)
    if not isinstance(factory, type) and hasattr(factory, "state_dict"):
        raise ConvertError(built_already(reference, type(factory).__name__))
    if not callable(factory):
        raise ConvertError(f"{reference} is not a class or function")
    return factory


def check_call(reference: str, factory: Any, arguments: Mapping[str, Any], option: str) -> None:
    """ConvertError that says which option gives the arguments a factory lacks, if it lacks some."""
    try:
        asked = inspect.signature(factory).parameters.values()
    except (TypeError, ValueError):  # no Python function: calling it will tell
        return
    missing = [
        one.name
        for one in asked
        if one.default is one.empty
        and one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)
        and one.name not in arguments
    ]
    if missing:
        raise ConvertError(lacks_arguments(reference, missing, option))


def _load_module(name: str) -> ModuleType:
    if "" not in sys.path:
        sys.path.insert(0, "")  # a console script does not have the current directory there
    with users_code(f"{name} cannot be imported"), users_imports():
        return _import(name)


def _networks_of(package: ModuleType) -> ModuleType:
    """Where a package such as timm, torchvision or paddle.vision keeps its networks: its `models`, else itself."""
    if not hasattr(package, "__path__"):
        return package
    try:
        return importlib.import_module(f"{package.__name__}.models")
    except ImportError:
        return package


def _load_ours(name: str) -> ModuleType:
    sys.path.insert(0, ROOT)
    try:
        return _import(name)
    finally:
        sys.path.remove(ROOT)


def _import(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name in ("torch", "paddle"):
            raise ConvertError(f"{name}: {not_installed(error.name)}") from error
        raise ConvertError(f"there is no module {error.name!r} (asked for {name}){_hidden(name)}") from error


def _hidden(name: str) -> str:
    """Where a user's folder is in the way of a network of ours."""
    package = name.partition(".")[0]
    place = namesake(package) if package in NAMES else ""
    return (
        f"; `{package}` is your {place} here: name a network of ours as `paddle2torch models` does"
        if place
        else ""
    )


def _load_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise ConvertError(f"{path}: no such file")
    sys.path.insert(0, str(path.parent.resolve()))
    with users_code(f"{path}: cannot be imported"), users_imports():
        if path.suffix == NOTEBOOK:
            return _load_notebook(path)
        # Among the loaded modules in any case: recorders look there for operators to watch, and `inspect` for sources.
        name = str(path.resolve()) if path.stem in sys.modules else path.stem
        spec = importlib.util.spec_from_file_location(name, path)
        if spec is None or spec.loader is None:
            raise ConvertError(f"{path}: is not a Python file")
        module = sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return module


def _load_notebook(path: Path) -> ModuleType:
    name = str(path.resolve())
    module = sys.modules[name] = ModuleType(name)
    lacking: dict[str, None] = {}
    for code in code_of(path):
        try:
            exec(code, module.__dict__)  # noqa: S102 - what importing a .py does, of its definitions alone
        except ImportError as error:  # of a cell that draws or trains, which does not run here
            lacking[str(error)] = None
        except NameError as error:
            lacking[f"{error} (no definition, import or constant of the notebook makes it)"] = None
    if lacking:
        print(f"note: {path}: left out what needs more: {listed(list(lacking))}", file=sys.stderr)
    return module
