"""A Git server on the loopback: `git daemon` for everybody, or an HTTP server that wants a password."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from .ports import free_port, listening

_ENVIRONMENT = {
    "PATH": os.environ["PATH"], "GIT_CONFIG_NOSYSTEM": "1", "HOME": "/nonexistent",
    "GIT_AUTHOR_NAME": "Seed", "GIT_AUTHOR_EMAIL": "seed@localhost",
    "GIT_COMMITTER_NAME": "Seed", "GIT_COMMITTER_EMAIL": "seed@localhost",
}  # fmt: skip


def git(directory: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", *arguments], cwd=directory, env=_ENVIRONMENT, check=True, capture_output=True, text=True
    ).stdout.strip()


class GitServer:
    """Serves one bare repository `demo.git` whose branch `main` has two commits, the first with the tag `v1`."""

    def __init__(self, directory: Path) -> None:
        self._root = directory / "git"
        self.bare = self._root / "demo.git"
        seed = directory / "seed"
        seed.mkdir()
        git(seed, "init", "--quiet", "--initial-branch", "main")
        for number in ("one", "two"):
            (seed / "file.txt").write_text(f"{number}\n")
            git(seed, "add", "--all")
            git(seed, "commit", "--quiet", "--message", number)
            if number == "one":
                git(seed, "tag", "v1")
        self._root.mkdir()
        git(directory, "clone", "--quiet", "--bare", str(seed), str(self.bare))
        git(self.bare, "config", "http.receivepack", "true")
        self._port = free_port()
        self._scheme = "git"
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self._port}/demo.git"

    @property
    def prefix(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self._port}/"

    async def start(self, password: str = "") -> None:
        """With a password: over HTTP, for the user `agent`."""
        if password:
            self._scheme = "http"
            program = [sys.executable, "-P", str(Path(__file__).with_name("git_http.py"))]
            arguments = [str(self._port), str(self._root), password]
        else:
            program = ["git", "daemon"]
            arguments = [
                "--export-all", "--enable=receive-pack", "--reuseaddr", "--listen=127.0.0.1",
                f"--port={self._port}", f"--base-path={self._root}",
            ]  # fmt: skip
        self._process = await asyncio.create_subprocess_exec(
            *program, *arguments, env=_ENVIRONMENT, start_new_session=True
        )
        await listening(self._port)

    async def stop(self) -> None:
        if self._process and self._process.returncode is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            await self._process.wait()

    def pause(self) -> None:
        """It takes connections and answers none."""
        if self._process:
            os.kill(self._process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        if self._process:
            os.kill(self._process.pid, signal.SIGCONT)

    def push(self, branch: str, task: str, attempt: int, *more: str) -> str:
        """A commit over main as an earlier run of the task left it, or a stranger (no task); returns it."""
        clone = Path(tempfile.mkdtemp(dir=self._root.parent))
        git(clone, "clone", "--quiet", str(self.bare), ".")
        (clone / "file.txt").write_text("earlier\n" if task else "theirs\n")
        trailers = ["--trailer", f"Codeforge-Task: {task}", "--trailer", f"Codeforge-Attempt: {attempt}"]
        trailers += [argument for trailer in more for argument in ("--trailer", trailer)]
        git(clone, "commit", "--quiet", "--all", "--message", "Earlier", *(trailers if task else ()))
        git(clone, "push", "--quiet", "--force", "origin", f"HEAD:refs/heads/{branch}")
        return self.commit(branch)

    def hook(self, name: str, script: str) -> None:
        """A shell script that the server runs."""
        file = self.bare / "hooks" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"#!/bin/sh\n{script}")
        file.chmod(0o755)

    def after_each_push(self) -> Path:
        """Each push hangs when its commit has been taken; the file that exists then."""
        taken = self._root / "taken"
        self.hook("post-receive", f"echo > {taken}\nwhile ! [ -e {taken}-end ]; do sleep 0.1; done\n")
        return taken

    def let_pushes_end(self) -> None:
        (self._root / "taken-end").touch()

    def message(self, ref: str) -> str:
        return git(self.bare, "log", "-1", "--format=%B", ref)

    def commit(self, ref: str) -> str:
        return git(self.bare, "rev-parse", ref)

    def show(self, format: str, ref: str) -> str:
        return git(self.bare, "log", "-1", f"--format={format}", ref)

    def content(self, ref: str, file: str) -> str:
        return git(self.bare, "show", f"{ref}:{file}")

    def branches(self) -> list[str]:
        return git(self.bare, "branch", "--format", "%(refname:short)").splitlines()
