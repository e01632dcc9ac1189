"""What the worker's log looks like, for people and for a log pipeline."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from codeforge_worker import log_format, wire
from codeforge_worker.settings import StartupError

UID = "6cf61d27-a5d0-434a-851f-2c8b9e987cca"
POD = {"CODEFORGE_NAMESPACE": "team", "CODEFORGE_POOL": "pool", "CODEFORGE_POD_NAME": "pool-workers-1"}


@dataclass
class Log:
    """The root logger of one test, with what it wrote."""

    stream: io.StringIO = field(default_factory=io.StringIO)

    def begin(self, **environment: str) -> None:
        log_format.begin({**POD, **environment}, self.stream)

    def objects(self) -> list[dict[str, str]]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]


@pytest.fixture
def log() -> Iterator[Log]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield Log()
    log_format.begin({}, io.StringIO())
    for handler in set(root.handlers) - set(before):
        root.removeHandler(handler)
    root.setLevel(level)


def _task(task_id: str = UID) -> wire.Task:
    return wire.Task(task_id=task_id, prompt="p", attempt=2)


def test_a_plain_line_has_its_time_and_level(log: Log) -> None:
    log.begin()
    logging.getLogger("any").warning("NATS is %s", "away")
    time, level, text = log.stream.getvalue().split(maxsplit=2)
    assert (level, text) == ("WARNING", "NATS is away\n") and time.endswith("Z") and len(time) == 24


def test_a_line_is_an_object_that_says_which_run_it_is_about(log: Log) -> None:
    log.begin(CODEFORGE_LOG_FORMAT="JSON")
    log_format.about(_task())
    logging.getLogger("any").info("it has begun")
    (one,) = log.objects()
    assert one.pop("time").endswith("Z")
    assert one == {
        "level": "INFO",
        "logger": "any",
        "message": "it has begun",
        "namespace": "team",
        "pool": "pool",
        "worker": "pool-workers-1",
        "task_id": UID,
        "attempt": "2",
        "trace_id": UID.replace("-", ""),
    }


def test_an_agents_line_is_an_object_too(log: Log) -> None:
    log.begin(CODEFORGE_LOG_FORMAT="JSON")
    one = json.loads(log_format.line(_task("any-id"), 'says "yes"\u2028', "stderr"))
    assert (one["message"], one["stream"], one["task_id"]) == ('says "yes"\u2028', "stderr", "any-id")
    assert "trace_id" not in one


def test_an_agents_line_for_people_names_its_task(log: Log) -> None:
    log.begin()
    assert log_format.line(_task(), "text", "stdout") == f"[{UID}] text\n"


def test_an_error_is_one_line_with_its_stack(log: Log) -> None:
    log.begin(CODEFORGE_LOG_FORMAT="JSON")
    try:
        raise ValueError("no")
    except ValueError:
        logging.getLogger("any").exception("it failed")
    (one,) = log.objects()
    assert "ValueError: no" in one["stack_trace"]


def test_the_level_is_the_environments(log: Log) -> None:
    log.begin(CODEFORGE_LOG_LEVEL="ERROR")
    logging.getLogger("any").warning("unsaid")
    assert not log.stream.getvalue()


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"CODEFORGE_LOG_FORMAT": "json"}, "CODEFORGE_LOG_FORMAT is 'json': set Plain or JSON"),
        ({"CODEFORGE_LOG_LEVEL": "LOUD"}, "CODEFORGE_LOG_LEVEL is 'LOUD': set one of DEBUG, INFO, WARNING, ERROR"),
    ],
)
def test_a_setting_that_is_none_says_what_to_set(log: Log, environment: dict[str, str], sentence: str) -> None:
    with pytest.raises(StartupError, match=sentence):
        log.begin(**environment)
