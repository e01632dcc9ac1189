"""What all agents have in common: a repository, a program to run, and files that must have changed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..context import RunContext
from ..git import GitRepository
from ..lines import Stream
from ..outcome import Outcome, RunError
from ..process import run
from .hidden import hidden
from .records import NoRecord


@dataclass(frozen=True)
class Ending:
    """The end according to the agent's records: why it did not finish (empty if it did), and its last message."""

    failure: str = ""
    last_words: str = ""


@dataclass(frozen=True)
class Agent:
    """`name` is for people. `ending` reads the agent's records, and counts what they tell of usage, in a thread.

    `hidden` names what it would take for its own settings at the root of the repository.
    `terminals`: its commands need one. `on_line` takes its lines where they are not for people as they come, and
    those of stdout as records of at most `record_bytes`.
    """

    name: str
    arguments: Sequence[str]
    directory: Path
    environment: Mapping[str, str]
    ending: Callable[[], Ending]
    terminals: bool = False
    hidden: Sequence[str] = ()
    stdin: str = ""
    on_line: Callable[[str, Stream], None] | None = None
    record_bytes: int = 0


def within(directory: Path, file: Path) -> bool:
    """Whether a file is in the folder, wherever links lead."""
    return file.resolve().is_relative_to(directory.resolve())


def refuse_session(context: RunContext, name: str) -> None:
    """For an agent that cannot continue a conversation: a run that starts a new one would cost money for nothing."""
    if context.session:
        raise RunError(
            "InvalidConfig",
            f"{name} cannot continue a conversation: leave session out, or use a pool of aider or openhands",
        )


def _ending(agent: Agent) -> Ending:
    try:
        return agent.ending()
    except NoRecord as error:
        return Ending(f"its record {error}")
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError) as error:
        # Whatever stands there, it is the agent's.
        return Ending(f"its record is not what it writes: {type(error).__name__}: {error}")


async def edit(context: RunContext, agent: Agent) -> Outcome:
    """Runs the agent. Neither its exit code nor its own report decides: files must have changed."""
    repository = GitRepository(context.directory, context.environment(), context.walls_of_git())
    await repository.ensure()
    await repository.name_author()
    before = await repository.fingerprint()
    try:
        async with hidden(repository, agent.hidden, context.scratch / "hidden"):
            await run(
                agent.arguments,
                cwd=agent.directory,
                environment=agent.environment,
                on_line=agent.on_line or context.on_line,
                stdin=agent.stdin,
                walls=context.walls(terminals=agent.terminals),
                record_bytes=agent.record_bytes,
                room=context.room,
            )
    except OSError as error:
        raise RunError("AgentFailed", f"{agent.arguments[0]} cannot be started: {error}") from error
    finally:
        # Also for a run that was stopped: its usage so far counts.
        ending = await asyncio.to_thread(_ending, agent)
    if ending.failure:
        raise RunError("AgentFailed", f"{agent.name} did not finish: {ending.failure}")
    if before == await repository.fingerprint():
        words = ending.last_words or "none"
        reason = "its edits did not fit, or none was due"
        raise RunError("NoChanges", f"{agent.name} changed no file: {reason}; its last words: {words}")
    return Outcome(summary=ending.last_words or f"{agent.name} has finished", output=context.output())
