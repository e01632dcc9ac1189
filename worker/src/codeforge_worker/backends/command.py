"""Runs the pool's own program: the prompt on its stdin, its stdout as the output, its exit code as the verdict."""

from __future__ import annotations

from ..context import RunContext
from ..outcome import Outcome, RunError
from ..process import run
from ..settings import Settings, StartupError


class Command:
    def __init__(self, settings: Settings) -> None:
        if not settings.argv:
            raise StartupError(
                "backend command has no program: set args of container worker in the pool's spec.template, "
                'such as ["run", "--", "sh", "-c", "cat"]'
            )
        self._argv = settings.argv

    async def run(self, context: RunContext) -> Outcome:
        context.config({})
        try:
            code = await run(
                self._argv,
                cwd=context.directory,
                environment=context.environment(),
                on_line=context.on_line,
                stdin=context.task.prompt,
                walls=context.walls(),
                room=context.room,
            )
        except OSError as error:
            raise RunError("CommandFailed", f"{self._argv[0]} cannot be started: {error}") from error
        if code != 0:
            how = f"was killed by signal {-code}" if code < 0 else f"exited with code {code}"
            last = context.last_line()
            raise RunError("CommandFailed", f"{self._argv[0]} {how}" + (f"; its last line: {last}" if last else ""))
        return Outcome(summary="the command exited with code 0", output=context.output())
