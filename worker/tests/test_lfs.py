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
from harness.listener import Listener
from harness.operator import Operator

CONTENT = b"a large file\n"
DIGEST = hashlib.sha256(CONTENT).hexdigest()
# The agent may do what the worker may.
OPEN = {"CODEFORGE_ISOLATION": "Off"}
needs_lfs = pytest.mark.skipif(not shutil.which("git-lfs"), reason="needs git-lfs")


def _pointer(content: bytes) -> str:
    digest = hashlib.sha256(content).hexdigest()
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {len(content)}\n"


@pytest.fixture
async def other() -> AsyncIterator[Listener]:
    """Somebody else's server, which nothing may ask."""
    other = Listener()
    await other.start()
    yield other
    await other.stop()
    assert not other.asked


@pytest.fixture
async def large(tmp_path: Path, other: Listener) -> AsyncIterator[GitServer]:
    """A repository whose file large.bin is kept by LFS."""
    server = GitServer(tmp_path)
    clone = tmp_path / "large"
    git(tmp_path, "clone", "--quiet", str(server.bare), str(clone))
    (clone / ".gitattributes").write_text("*.bin filter=lfs diff=lfs merge=lfs -text\n")
    (clone / "large.bin").write_text(_pointer(CONTENT))
    # It would send whoever clones it, and his password, elsewhere.
    (clone / ".lfsconfig").write_text(
        f"[lfs]\n\turl = {other.url}\n\tpushurl = {other.url}\n"
        f'[remote "origin"]\n\tlfsurl = {other.url}\n\tlfspushurl = {other.url}\n'
        f'[lfs "{server.prefix}"]\n\taccess = none\n'
    )
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


def _stored(server: GitServer, content: bytes) -> Path:
    return server.bare.parent / "objects" / hashlib.sha256(content).hexdigest()


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
    assert _stored(large, b"new\n").read_bytes() == b"new\n"


@needs_lfs
@pytest.mark.parametrize(
    "setting",
    [
        "git config lfs.pushurl $OTHER",
        "git config remote.origin.lfspushurl $OTHER",
        "git config remote.lfspushdefault other; git remote add other $OTHER",
        "git config lfs.standalonetransferagent own; git config lfs.customtransfer.own.path /bin/false",
        "git config url.$OTHER.insteadOf $OWN",
        "git config --global lfs.pushurl $OTHER; git config --global lfs.url $OTHER",
        "sed -i s/none/basic/ .lfsconfig; git add .lfsconfig",
    ],
)
async def test_an_agent_does_not_say_where_they_are_stored(
    operator: Operator, start_worker: StartWorker, large: GitServer, other: Listener, tmp_path: Path, setting: str
) -> None:
    await start_worker(
        "sh", "-c", f"echo new > new.bin; {setting}", CODEFORGE_GIT_CREDENTIALS=_credentials(tmp_path, large),
        CODEFORGE_AGENT_WRITES="", OTHER=other.url, OWN=large.prefix,
    )  # fmt: skip
    uid = await operator.submit(workspace=_workspace(large, lfs=True, push={"branch": "b"}))
    last = (await operator.until(uid))[-1].body
    assert last["event"] == "completed" and last["result"]["git"]["pushed"], last["error"]
    assert _stored(large, b"new\n").read_bytes() == b"new\n"


@needs_lfs
@pytest.mark.parametrize(
    ("harm", "words"),
    [
        ("echo other > $FILE", "is damaged"),
        ("true", "find source for object"),
        ("ln -s $SECRET $FILE", "find source for object"),
        ("mkfifo $FILE", "find source for object"),
        ("rm -rf .git/lfs; ln -s $PRIVATE .git/lfs", "find source for object"),
    ],
    ids=["damaged", "missing", "link", "pipe", "folder"],
)
async def test_a_commit_whose_files_cannot_be_stored_is_not_pushed(
    operator: Operator, start_worker: StartWorker, large: GitServer, tmp_path: Path, harm: str, words: str
) -> None:
    """The last three would read another run's file, or for ever."""
    name = hashlib.sha256(b"new\n").hexdigest()
    object = f"objects/{name[:2]}/{name[2:4]}/{name}"
    secret = tmp_path / "private" / object
    secret.parent.mkdir(parents=True)
    secret.write_bytes(b"new\n")
    # The agent writes the pointer itself.
    filters = "git config --unset filter.lfs.process; git config filter.lfs.clean cat"
    script = f'{filters}; printf "$POINTER" >new.bin; mkdir -p $(dirname $FILE); {harm}'
    await start_worker(
        "sh", "-c", script, CODEFORGE_GIT_CREDENTIALS=_credentials(tmp_path, large), FILE=f".git/lfs/{object}",
        SECRET=str(secret), PRIVATE=str(tmp_path / "private"), POINTER=_pointer(b"new\n"),
    )  # fmt: skip
    uid = await operator.submit(workspace=_workspace(large, lfs=True, push={"branch": "b"}))
    failure = (await operator.until(uid))[-1].body["failure"]
    assert failure["type"] == "GitPushFailed" and words in failure["message"].lower(), failure
    assert large.branches() == ["main"] and not _stored(large, b"new\n").exists()


@needs_lfs
async def test_a_refused_password_is_not_tried_for_ever(
    operator: Operator, start_worker: StartWorker, large: GitServer, tmp_path: Path
) -> None:
    script = f"echo new > new.bin; echo wrong > {tmp_path}/secret/password"
    await start_worker("sh", "-c", script, CODEFORGE_GIT_CREDENTIALS=_credentials(tmp_path, large), **OPEN)
    uid = await operator.submit(workspace=_workspace(large, lfs=True, push={"branch": "b"}))
    assert (await operator.until(uid))[-1].body["failure"]["type"] == "GitPushFailed"


@needs_lfs
async def test_what_is_on_the_server_is_not_asked_of_the_agents_repository(
    operator: Operator, start_worker: StartWorker, large: GitServer, tmp_path: Path
) -> None:
    credentials = _credentials(tmp_path, large)
    await start_worker(
        "sh", "-c", "git mv large.bin moved.bin; rm -rf .git/lfs/objects", CODEFORGE_GIT_CREDENTIALS=credentials
    )
    uid = await operator.submit(workspace=_workspace(large, lfs=True, push={"branch": "b"}))
    last = (await operator.until(uid))[-1].body
    assert last["event"] == "completed" and last["result"]["git"]["pushed"], last["error"]


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
