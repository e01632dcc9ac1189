"""The format of the worker's log: a line for people, or a JSON object per line, like the operator's.

`CODEFORGE_LOG_FORMAT` is `Plain` or `JSON`, `CODEFORGE_LOG_LEVEL` one of `DEBUG`, `INFO`, `WARNING` and `ERROR`.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Mapping
from contextvars import ContextVar
from types import MappingProxyType

import msgspec

from . import wire
from .lines import Stream
from .settings import StartupError

_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
# The run that the current asyncio task is about.
_run: ContextVar[Mapping[str, str]] = ContextVar("run", default=MappingProxyType({}))
# Of the pod, in each line.
_pod: dict[str, str] = {}
_json = False


def begin(environment: Mapping[str, str], stream: object) -> None:
    """Begins to log on a stream; the environment says how."""
    global _json, _pod
    form = environment.get("CODEFORGE_LOG_FORMAT", "Plain")
    level = environment.get("CODEFORGE_LOG_LEVEL", "INFO")
    if form not in ("Plain", "JSON"):
        raise StartupError(f"CODEFORGE_LOG_FORMAT is {form!r}: set Plain or JSON")
    if level not in _LEVELS:
        raise StartupError(f"CODEFORGE_LOG_LEVEL is {level!r}: set one of {', '.join(_LEVELS)}")
    _json = form == "JSON"
    named = {"namespace": "CODEFORGE_NAMESPACE", "pool": "CODEFORGE_POOL", "worker": "CODEFORGE_POD_NAME"}
    _pod = {field: environment[name] for field, name in named.items() if environment.get(name)}
    handler = logging.StreamHandler(stream)  # type: ignore[arg-type]
    handler.setFormatter(Json() if _json else Plain())
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(level)


def about(task: wire.Task) -> None:
    """From here on log lines of the current asyncio task have this run's fields."""
    _run.set(_fields(task))


def line(task: wire.Task, text: str, stream: Stream) -> str:
    """A line of an agent, as it goes to the pod's log."""
    if not _json:
        return f"[{task.task_id}] {text}\n"
    return _object({"time": _time(time.time()), "level": "INFO", "stream": stream, "message": text}, _fields(task))


def _fields(task: wire.Task) -> dict[str, str]:
    fields = {"task_id": task.task_id, "attempt": str(task.attempt)}
    if _UUID.fullmatch(task.task_id):
        fields["trace_id"] = task.task_id.replace("-", "")
    return fields


def _object(said: Mapping[str, str], of_run: Mapping[str, str]) -> str:
    return msgspec.json.encode({**said, **_pod, **of_run}).decode() + "\n"


def _time(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{int(seconds * 1000) % 1000:03d}Z"


class Plain(logging.Formatter):
    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(message)s")

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        return _time(record.created)


class Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        said = {
            "time": _time(record.created),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            said["stack_trace"] = self.formatException(record.exc_info)
        return _object(said, _run.get()).rstrip("\n")
