"""Typed settings of a function: the text that a task's `config` has, as the fields of a dataclass or a Struct."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, cast, get_args, get_origin, get_type_hints

import msgspec

from ..outcome import RunError

_PLAIN = (str, int, float, bool)
_TRUE, _FALSE = ("true", "1", "yes", "on"), ("false", "0", "no", "off")


class Unusable(TypeError):
    """A class that cannot have a task's settings; the sentence says what to change."""


@dataclasses.dataclass(frozen=True)
class _Field:
    name: str
    type: Any
    required: bool
    default: str


class TypedConfig:
    """`kind` is a dataclass or a msgspec Struct, whose fields are the keys of `config`."""

    def __init__(self, kind: type[Any]) -> None:
        self.kind = kind
        self._fields = {field.name: field for field in _fields(kind)}
        for field in self._fields.values():
            if not _is_usable(field.type):
                raise Unusable(
                    f"{kind.__name__}.{field.name} has a type that text cannot become: use str, int, float, bool, a "
                    "Literal or Enum of text, or one of these with None; Annotated with msgspec.Meta limits it"
                )

    @property
    def known(self) -> Mapping[str, str]:
        """The keys, with their defaults as text."""
        return {name: field.default for name, field in self._fields.items()}

    def read(self, backend: str, given: Mapping[str, str]) -> Any:
        """An instance with what is given; `RunError` with the field's name and what it takes."""
        values: dict[str, object] = {}
        for name, field in self._fields.items():
            if name in given:
                values[name] = _value(backend, field, given[name])
            elif field.required:
                raise RunError("InvalidConfig", f"backend {backend} needs config {name}: give {_words(field.type)}")
        try:
            return self.kind(**values)
        except (ValueError, TypeError) as error:
            # Of __post_init__, where a class looks at several fields at once.
            raise RunError("InvalidConfig", f"backend {backend} refuses its config: {error}") from error


def _fields(kind: Any) -> list[_Field]:
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        fields, missing = [field for field in dataclasses.fields(kind) if field.init], dataclasses.MISSING
    elif isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        fields, missing = msgspec.structs.fields(kind), msgspec.NODEFAULT
    else:
        raise Unusable("config must be a mapping of text to text, a dataclass, or a msgspec Struct")
    try:
        hints = get_type_hints(kind, include_extras=True)
    except NameError as error:
        raise Unusable(f"{kind.__name__}: {error}: define its types at the top of the module") from error
    return [_field(field.name, hints[field.name], field.default, field.default_factory, missing) for field in fields]


def _field(name: str, type: Any, default: object, factory: Any, missing: object) -> _Field:
    if default is not missing:
        return _Field(name, type, False, _shown(default))
    if factory is not missing:
        return _Field(name, type, False, _shown(factory()))
    return _Field(name, type, True, "")


def _value(backend: str, field: _Field, text: str) -> object:
    try:
        return msgspec.convert(_prepared(_bare(field.type), text), field.type, strict=False)
    except (msgspec.ValidationError, ValueError) as error:
        raise RunError(
            "InvalidConfig",
            f"config {field.name} of backend {backend} is {text[:100]!r}: give {_words(field.type)} ({error})",
        ) from error


def _prepared(kind: Any, text: str) -> object:
    if kind is bool:
        lowered = text.strip().lower()
        if lowered not in (*_TRUE, *_FALSE):
            raise ValueError("it is neither true nor false")
        return lowered in _TRUE
    return text.strip() if kind in (int, float) else text


def _parts(type: Any) -> tuple[Any, list[msgspec.Meta], bool]:
    """The type without None and Annotated, its limits, and whether it may be None."""
    metas: list[msgspec.Meta] = []
    optional = False
    while True:
        origin = get_origin(type)
        if origin is Annotated:
            type, *more = get_args(type)
            metas += [one for one in more if isinstance(one, msgspec.Meta)]
        elif origin in (Union, UnionType):
            others = [one for one in get_args(type) if one is not NoneType]
            optional = len(others) < len(get_args(type))
            if len(others) != 1:
                return type, metas, optional
            type = others[0]
        else:
            return type, metas, optional


def _bare(type: Any) -> Any:
    return _parts(type)[0]


def _choices(kind: Any) -> list[str] | None:
    if get_origin(kind) is Literal:
        found: list[Any] = list(get_args(kind))
    elif isinstance(kind, type) and issubclass(kind, Enum):
        found = [member.value for member in kind]
    else:
        return None
    return cast(list[str], found) if all(isinstance(one, str) for one in found) else []


def _is_usable(type: Any) -> bool:
    kind = _bare(type)
    return kind in _PLAIN or bool(_choices(kind))


def _words(type: Any) -> str:
    """What a field takes, for people."""
    kind, metas, _ = _parts(type)
    choices = _choices(kind)
    if choices is not None:
        return f"one of {', '.join(choices)}"
    words = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}[kind]
    limits = [
        f"{word} {getattr(meta, name)}"
        for meta in metas
        for name, word in _LIMITS.items()
        if getattr(meta, name) is not None
    ]
    return " ".join([words, *limits])


_LIMITS = {
    "ge": "of at least", "gt": "above", "le": "of at most", "lt": "below", "multiple_of": "that is a multiple of",
    "min_length": "with a length of at least", "max_length": "with a length of at most", "pattern": "that matches",
}  # fmt: skip


def _shown(default: object) -> str:
    match default:
        case bool():
            return str(default).lower()
        case Enum():
            return str(default.value)
        case None:
            return ""
        case _:
            return str(default)
