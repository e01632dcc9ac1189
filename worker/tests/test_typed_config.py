"""`@backend("x", config=Settings)`: a task's config as a dataclass or a Struct."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Annotated, Any, Literal

import msgspec
import pytest

from codeforge_worker import Context, backend
from codeforge_worker.testing import Ran, run_backend


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True)
class Settings:
    tries: Annotated[int, msgspec.Meta(ge=1, le=9)] = 3
    share: float = 0.5
    deep: bool = False
    mode: Literal["fast", "thorough"] = "fast"
    colour: Colour = Colour.RED
    limit: int | None = None
    folder: str = "src"


class Struct(msgspec.Struct):
    name: Annotated[str, msgspec.Meta(pattern="^[a-z]+$")]
    tries: int = 3


@dataclass
class Both:
    low: int = 1
    high: int = 2

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise ValueError("low is above high")


@backend("typed", config=Settings)
def typed(context: Context) -> str:
    return repr(context.settings(Settings))


@backend("struct", config=Struct)
def struct(context: Context) -> str:
    return f"{context.settings(Struct).name} {context.settings(Struct).tries} {context.task.config['name']}"


@backend("both", config=Both)
def both(context: Context) -> None:
    context.settings(Both)


def _refusal(ran: Ran) -> str:
    assert ran.failure and (ran.failure.type, ran.failure.retryable) == ("InvalidConfig", False), ran
    return ran.failure.message


def test_the_fields_have_their_types() -> None:
    given = {
        "tries": "7", "share": "0.25", "deep": "true", "mode": "thorough", "colour": "blue", "limit": "5",
        "folder": "7",
    }  # fmt: skip
    assert run_backend(typed).output == repr(Settings())
    expected = Settings(7, 0.25, True, "thorough", Colour.BLUE, 5, "7")
    assert run_backend(typed, config=given).output == repr(expected)
    assert run_backend(struct, config={"name": "ada"}).output == "ada 3 ada"


@pytest.mark.parametrize(
    ("key", "text", "words"),
    [
        ("tries", "x", "a whole number of at least 1 of at most 9"),
        ("tries", "", "a whole number of at least 1 of at most 9"),
        ("tries", "0", "a whole number of at least 1 of at most 9"),
        ("tries", "10", "a whole number of at least 1 of at most 9"),
        ("tries", "1.5", "a whole number"),
        ("share", "half", "a number"),
        ("deep", "maybe", "true or false"),
        ("mode", "slow", "one of fast, thorough"),
        ("colour", "green", "one of red, blue"),
        ("limit", "much", "a whole number"),
    ],
)
def test_a_value_that_does_not_fit_is_named_with_what_is_allowed(key: str, text: str, words: str) -> None:
    message = _refusal(run_backend(typed, config={key: text}))
    assert f"config {key} of backend typed is {text!r}: give {words}" in message


def test_what_is_unknown_or_missing_is_named() -> None:
    message = _refusal(run_backend(typed, config={"color": "red"}))
    assert "does not know config color; it knows: colour, deep, folder, limit, mode, share, tries" in message
    assert _refusal(run_backend(struct)) == "backend struct needs config name: give text that matches ^[a-z]+$"
    assert "give text that matches" in _refusal(run_backend(struct, config={"name": "Ada"}))
    assert _refusal(run_backend(both, config={"low": "3"})) == "backend both refuses its config: low is above high"


def test_settings_of_another_class_are_none() -> None:
    @backend("confused", config={"a": "1"})
    def confused(context: Context) -> None:
        with pytest.raises(TypeError, match=r"config=Settings"):
            context.settings(Settings)

    assert run_backend(confused).failure is None


@dataclass
class WithList:
    names: list[str] = field(default_factory=list[str])


@dataclass
class WithNumbers:
    level: Literal[1, 2] = 1


@dataclass
class WithTwo:
    either: int | str = 1


@pytest.mark.parametrize("kind", [WithList, WithNumbers, WithTwo])
def test_a_field_that_no_text_can_become_is_refused_at_once(kind: type[Any]) -> None:
    with pytest.raises(TypeError, match=rf"backend odd: {kind.__name__}\.\w+ has a type that text cannot become"):
        backend("odd", config=kind)


@pytest.mark.parametrize("kind", [int, 7, Colour, Settings()])
def test_what_has_no_fields_is_refused_at_once(kind: Any) -> None:
    with pytest.raises(TypeError, match="a mapping of text to text, a dataclass, or a msgspec Struct"):
        backend("odd", config=kind)
