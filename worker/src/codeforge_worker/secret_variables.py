"""Variables that a pool's template takes from Secrets: the operator mounts them as files, which agents cannot read."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, MutableMapping
from pathlib import Path

import msgspec

from .settings import StartupError

_TOLD = "CODEFORGE_SECRET_VARIABLES"
# As Kubernetes takes them; the others are folders that kubelet keeps in a volume.
_NAME = re.compile(r"(?!\.\.)[-._a-zA-Z][-._a-zA-Z0-9]*")


class _Variable(msgspec.Struct, frozen=True):
    """`env[].valueFrom.secretKeyRef`. `origin` is empty where it is optional."""

    name: str
    path: str
    origin: str


class _Source(msgspec.Struct, frozen=True):
    """`envFrom[]`: a file for each key."""

    prefix: str
    path: str
    origin: str


class _Told(msgspec.Struct, frozen=True):
    """In the template's order: of two with one name the last counts. `given` are the container's other variables."""

    variables: tuple[_Variable, ...] = ()
    sources: tuple[_Source, ...] = ()
    given: frozenset[str] = frozenset()


def take(environment: MutableMapping[str, str]) -> None:
    """Fills it with what the files say. Read once: a change of a Secret is for the workers that start after it."""
    text = environment.pop(_TOLD, "")
    if not text:
        return
    try:
        told = msgspec.json.decode(text, type=_Told)
    except msgspec.MsgspecError as error:
        raise StartupError(f"{_TOLD} is not what the operator writes: {error}") from error
    for source in told.sources:
        files = list(_files(Path(source.path)))
        if not files and source.origin:
            raise _missing(source.origin)
        for file in files:
            name = source.prefix + file.name
            if name not in told.given and _NAME.fullmatch(name):
                environment[name] = _value(file, name)
    for variable in told.variables:
        file = Path(variable.path)
        if file.exists():
            environment[variable.name] = _value(file, variable.name)
        elif variable.origin:
            raise _missing(variable.origin)


def _files(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield from sorted(path for path in folder.iterdir() if path.is_file())


def _value(file: Path, name: str) -> str:
    try:
        value = file.read_bytes()
    except PermissionError as error:
        raise StartupError(
            f"variable {name} cannot be read: leave runAsUser and fsGroup out of securityContext in spec.template"
        ) from error
    if b"\0" in value:
        raise StartupError(f"variable {name} has a zero byte: mount its Secret as a volume in spec.template")
    return os.fsdecode(value)


def _missing(origin: str) -> StartupError:
    return StartupError(f"there is no {origin}: create it, or set optional where spec.template of the pool names it")
