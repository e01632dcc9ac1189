"""Where functions are found: in the module that is named, and among the entry points of installed packages."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import traceback
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType

from ..settings import Settings, StartupError
from .function import BadBackend, Function, function_of

GROUP = "codeforge_worker.backends"


@dataclass(frozen=True)
class Found:
    """`where` is the module or the package that a backend comes from. An entry point is imported only when chosen."""

    name: str
    where: str
    source: Function | EntryPoint

    def function(self) -> Function:
        if isinstance(self.source, Function):
            return self.source
        what = f"entry point {self.name} = {self.source.value} of {self.where}"
        try:
            function = function_of(self.source.load())
        except (Exception, SystemExit) as error:
            raise StartupError(f"{what} cannot be imported: {_cause(error)}") from error
        if function is None:
            raise StartupError(f'{what} is no backend: name a function with @backend, as "module:function"')
        if function.name != self.name:
            raise StartupError(f"{what} is backend {function.name!r}: give the entry point that name too")
        return function


def find(settings: Settings, built_in: Iterable[str]) -> tuple[Found, ...]:
    """All backends that are functions, by name; raises `StartupError`."""
    named = in_module(settings.module, settings.workspace) if settings.module else []
    installed = [Found(point.name, _package(point), point) for point in entry_points(group=GROUP)]
    reserved, found = frozenset(built_in), dict[str, Found]()
    for one in [*named, *installed]:
        if one.name in reserved:
            raise StartupError(f"{one.where} has a backend {one.name!r}, which the worker has itself: rename yours")
        earlier = found.get(one.name)
        if earlier is None:
            found[one.name] = one
        elif not _same(earlier, one):
            places = earlier.where if earlier.where == one.where else f"{earlier.where} and {one.where}"
            raise StartupError(f"there are two backends {one.name!r}, in {places}: rename one")
    return tuple(found[name] for name in sorted(found))


def _same(earlier: Found, later: Found) -> bool:
    """A module that is named may be one that is installed as well."""
    if not isinstance(earlier.source, Function) or isinstance(later.source, Function):
        return False
    function = earlier.source.call
    return later.source.value == f"{function.__module__}:{getattr(function, '__name__', '')}"


def in_module(name: str, workspace: Path) -> list[Found]:
    """All backends of a module or file; raises `StartupError`."""
    module = _file(name) if name.endswith(".py") or "/" in name else _import(name, workspace)
    found: dict[int, Found] = {}
    for value in list(vars(module).values()):
        try:
            function = function_of(value)
        except BadBackend as error:
            raise StartupError(f"module {name}: {error}") from error
        if function:
            # The same function may have two names in its module.
            found[id(function)] = Found(function.name, f"module {name}", function)
    if not found:
        raise StartupError(f'module {name} has no backend: put @backend("name") on a function of it')
    return list(found.values())


def _import(name: str, workspace: Path) -> ModuleType:
    here = Path.cwd()
    # Last, and never the folder that tasks write to.
    if str(here) not in sys.path and not here.is_relative_to(workspace.absolute()):
        sys.path.append(str(here))
    try:
        return importlib.import_module(name)
    except (Exception, SystemExit) as error:
        raise StartupError(
            f"module {name} cannot be imported: {_cause(error)}; CODEFORGE_MODULE or --module names an installed "
            "module, one on PYTHONPATH, or a file such as /app/my_backend.py"
        ) from error


def _file(path: str) -> ModuleType:
    file = Path(path).absolute()
    if not file.is_file():
        raise StartupError(f"module {path} is no file: set CODEFORGE_MODULE or --module to a .py file that is there")
    # What lies beside it can be imported, as in a script.
    sys.path.append(str(file.parent))
    spec = importlib.util.spec_from_file_location(file.stem, file)
    if spec is None or spec.loader is None:
        raise StartupError(f"module {path} is no Python source: name a .py file")
    module = importlib.util.module_from_spec(spec)
    # Dataclasses and pickle look a module up by its name. One of the worker's own must stay what it is.
    sys.modules.setdefault(file.stem, module)
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise StartupError(f"module {path} cannot be imported: {_cause(error)}") from error
    return module


def _cause(error: BaseException) -> str:
    """In one line, with the place in the user's code, so far as it came there."""
    if isinstance(error, BadBackend):
        return str(error)
    if isinstance(error, SyntaxError) and error.filename:
        return f"SyntaxError: {error.msg} ({Path(error.filename).name}:{error.lineno})"
    frames = [(frame.filename, frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    theirs = [(file, line) for file, line in frames if "importlib" not in file and file != __file__]
    place = f" ({Path(theirs[-1][0]).name}:{theirs[-1][1]})" if theirs else ""
    return f"{type(error).__name__}: {' '.join(str(error).split())}{place}"


def _package(point: EntryPoint) -> str:
    return f"package {point.dist.name}" if point.dist else f"entry point {point.value}"
