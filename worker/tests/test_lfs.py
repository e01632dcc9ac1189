"""Files of Git LFS: pointers, unless a task asks for them; from the repository's own server only."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from conftest import StartWorker
from harness.git_server import GitServer, git
from harness.operator import Operator

CONTENT = b"a large file\n"
DIGEST = hashlib.sha256(CONTENT).hexdigest()
needs_lfs = pytest.mark.skipif(not shutil.which("git-lfs"), reason="needs git-lfs")


def _pointer(content: bytes) -> str:
    digest = hashlib.sha256(content).hexdigest()
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {len(content)}\n"


@pytest.fixture
async def large(tmp_path: Path) -> AsyncIterator[GitServer]:
    """A repository whose file large.bin is kept by LFS."""
    server = GitServer(tmp_path)
    clone = tmp_path / "large"
    git(tmp_path, "clone", "--quiet", str(server.bare), str(clone))
    (clone / ".gitattributes").write_text("*.bin filter=lfs diff=lfs merge=lfs -text\n")
    (clone / "large.bin").write_text(_pointer(CONTENT))
    # It would send whoever clones it, and his password, elsewhere.
    (clone / ".lfsconfig").write_text("[lfs]\n\turl = http://127.0.0.1:1/elsewhere\n")
    git(clone, "add", "--all")
    git(clone, "commit", "--quiet", "--message", "Large")
    git(clone, "push", "--quiet", "origin", "HEAD:main")
    objects = server.bare.parent / "objects"
    objects.mkdir()
    (objects / DIGEST).write_bytes(CONTENT)
    await server.start(password="s3cret")
    yield server
    await server.stop()


def _credentials(tmp_path: Path, server: GitServer) -> str:
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "username").write_text("agent")
    (secret / "password").write_text("s3cret")
    return json.dumps([{"url": server.prefix, "path": str(secret)}])


def _workspace(server: GitServer, **more: Any) -> dict[str, Any]:
    return {"git": {"url": server.url} | more}


@needs_lfs
async def test_files_are_fetched_and_stored_when_asked_for(
    operator: Operator, start_worker: StartWorker, large: GitServer, tmp_path: Path
) -> None:
    credentials = _credentials(tmp_path, large)
    await start_worker("sh", "-c", "cat large.bin; echo new > new.bin", CODEFORGE_GIT_CREDENTIALS=credentials)
    uid = await operator.submit(workspace=_workspace(large, lfs=True, push={"branch": "b"}))
    last = (await operator.until(uid))[-1].body
    assert (last["event"], last["output"]) == ("completed", "a large file"), last["error"]
    assert last["files"] == ["new.bin"]
    assert large.content("b", "new.bin") == _pointer(b"new\n").strip()
    stored = large.bare.parent / "objects" / hashlib.sha256(b"new\n").hexdigest()
    assert stored.read_bytes() == b"new\n"


async def test_without_asking_they_are_pointers(
    operator: Operator, start_worker: StartWorker, large: GitServer, tmp_path: Path
) -> None:
    await start_worker("cat", "large.bin", CODEFORGE_GIT_CREDENTIALS=_credentials(tmp_path, large))
    uid = await operator.submit(workspace=_workspace(large))
    assert (await operator.until(uid))[-1].body["output"] == _pointer(CONTENT).strip()


async def test_without_git_lfs_it_says_so(
    operator: Operator, start_worker: StartWorker, large: GitServer, tmp_path: Path
) -> None:
    path = tmp_path / "bin"
    path.mkdir()
    for program in ("git", "sh", "cat"):
        (path / program).symlink_to(shutil.which(program) or "")
    # git adds its own folder of programs to the path, and where it lies itself: only a broken git-lfs hides another.
    (path / "git-lfs").write_text("#!/bin/sh\necho \"git: 'lfs' is not a git command\" >&2; exit 1\n")
    (path / "git-lfs").chmod(0o755)
    await start_worker("true", CODEFORGE_GIT_CREDENTIALS=_credentials(tmp_path, large), PATH=str(path))
    uid = await operator.submit(workspace=_workspace(large, lfs=True))
    failure = (await operator.until(uid))[-1].body["failure"]
    assert failure["type"] == "GitCloneFailed" and "git-lfs is not there: use a worker image" in failure["message"]
