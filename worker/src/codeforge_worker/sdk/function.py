"""`@backend("name")` makes a function a backend. The function itself stays what it was."""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeVar, cast

from .context import Context
from .result import Result
from .typed_config import TypedConfig, Unusable

Returned = Result | str | None
# Without parameters, async or not.
Hook = Callable[[], object]
F = TypeVar("F", bound=Callable[[Context], Returned | Awaitable[Returned]])
# As the WorkerPool's spec.backend, which becomes a token of the pool's subject.
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_MARK = "__codeforge_backend__"


class BadBackend(TypeError):
    """A function that cannot be a backend; the sentence says what to change."""


@dataclass(frozen=True)
class Function:
    """`config` holds the keys that a task may set, with their defaults; `typed` reads them, where they have a class."""

    name: str
    call: Callable[[Context], Any]
    is_async: bool
    config: Mapping[str, str]
    typed: TypedConfig | None = None
    start: Hook | None = None
    stop: Hook | None = None


def backend(
    name: str,
    *,
    config: Mapping[str, str] | type[Any] | None = None,
    start: Hook | None = None,
    stop: Hook | None = None,
) -> Callable[[F], F]:
    """Makes `def f(context: Context) -> Result | str | None`, async or not, the backend of that name.

    `name` is 1 to 63 lower-case letters, digits and '-', as in the pool's `spec.backend`. `config` has the keys that a
    task's `config` may set, with their defaults; a task with another key fails as InvalidConfig. A dataclass or a
    msgspec Struct has them as its fields, and `context.settings(…)` returns one: a task whose values do not fit fails
    as InvalidConfig too.

    `start` is called once in each worker, before its first task, and `stop` after its last one, async or not. A worker
    whose `start` raises takes no task and ends.
    """
    if callable(name):
        raise BadBackend('@backend needs a name: write @backend("my-backend")')
    if not isinstance(name, str) or not _NAME.fullmatch(name):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise BadBackend(
            f"backend {name!r} has no usable name: it becomes part of a subject and of spec.backend, "
            "so use 1 to 63 lower-case letters, digits and '-', not at either end"
        )
    for what, hook in (("start", start), ("stop", stop)):
        _check_hook(f"backend {name}: {what}", hook)
    typed = _typed(name, config)
    known = MappingProxyType(dict(typed.known if typed else cast(Mapping[str, str], config or {})))
    if not all(isinstance(text, str) for pair in known.items() for text in pair):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise BadBackend(f"backend {name}: config must map text to text, as a task's config does")

    def mark(function: F) -> F:
        _check(name, function)
        is_async = inspect.iscoroutinefunction(function)
        setattr(function, _MARK, Function(name, function, is_async, known, typed, start, stop))
        return function

    return mark


def function_of(value: object) -> Function | None:
    """The backend that a value is, if it is one."""
    # Not of an instance or a class that answers to every name.
    found = getattr(value, _MARK, None) if inspect.isfunction(value) else None
    if not isinstance(found, Function):
        return None
    if found.call is not value:
        raise BadBackend(f"backend {found.name}: a decorator above @backend hides it; put @backend on top")
    return found


def _typed(name: str, config: Mapping[str, str] | type[Any] | None) -> TypedConfig | None:
    if config is None or isinstance(config, Mapping):
        return None
    try:
        return TypedConfig(config)
    except Unusable as error:
        raise BadBackend(f"backend {name}: {error}") from error


def _check_hook(what: str, hook: object) -> None:
    if hook is None:
        return
    try:
        inspect.signature(cast(Hook, hook)).bind()
    except TypeError:
        raise BadBackend(f"{what} must be callable without an argument") from None


def _check(name: str, function: object) -> None:
    where = f"backend {name}: {getattr(function, '__qualname__', type(function).__name__)}"
    if not inspect.isfunction(function):
        raise BadBackend(f"{where} is no function: put @backend on a def or an async def")
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise BadBackend(f"{where} yields: return the result, and tell of the way there by context.progress()")
    signature = inspect.signature(function)
    try:
        signature.bind(object())
    except TypeError:
        shown = str(signature)
        raise BadBackend(f"{where}{shown} must be callable with the context alone: write (context: Context)") from None
