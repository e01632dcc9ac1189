"""The cache of repositories: it saves fetching, and whatever happens to it costs no run."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from conftest import StartWorker
from harness.git_server import GitServer, git
from harness.operator import Operator
from harness.worker_process import WorkerProcess

from codeforge_worker.git import REMOTE, GitRepository
from codeforge_worker.repository_cache import Mirror, is_there, make_room, mirrored

ENVIRONMENT = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
SHORT = "from codeforge_worker import repository_cache; repository_cache.REFRESH_SECONDS = 1.0"


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    folder = tmp_path / "cache"
    folder.mkdir()
    return folder


async def _run(operator: Operator, url: str, branch: str = "") -> dict[str, Any]:
    push = {"push": {"branch": branch}} if branch else {}
    uid = await operator.submit("edited", workspace={"git": {"url": url} | push})
    return (await operator.until(uid))[-1].body


def _mirror(cache: Path) -> Path:
    (mirror,) = cache.glob("*.git")
    return mirror


async def test_a_second_run_fetches_what_is_new_only(
    operator: Operator, start_worker: StartWorker, repository: GitServer, cache: Path
) -> None:
    script = "cat file.txt; git fsck --no-dangling 1>&2 && test ! -e .git/objects/info/alternates"
    worker = await start_worker("sh", "-c", script, CODEFORGE_REPOSITORY_CACHE=str(cache))
    assert (await _run(operator, repository.url))["output"] == "two"
    mirror = _mirror(cache)
    assert git(mirror, "rev-parse", "main") == repository.commit("main")
    commit = repository.push("main", "", 1)
    assert (await _run(operator, repository.url))["output"] == "theirs"
    assert git(mirror, "rev-parse", "main") == commit and "without the cache" not in worker.log()


async def test_the_clone_is_made_from_it(
    operator: Operator, start_worker: StartWorker, repository: GitServer, cache: Path, tmp_path: Path
) -> None:
    """What the mirror has is not fetched again: a server that sends nothing more of it is good enough."""
    big = tmp_path / "big"
    git(tmp_path, "clone", "--quiet", str(repository.bare), str(big))
    (big / "noise").write_bytes(os.urandom(2_000_000))
    git(big, "add", "noise")
    git(big, "commit", "--quiet", "--message", "noise")
    git(big, "push", "--quiet", "origin", "HEAD:main")
    async with mirrored(cache, repository.url, ENVIRONMENT, 60) as mirror:
        assert mirror
        received: dict[bool, int] = {}
        for lent in (False, True):
            clone = tmp_path / f"clone-{lent}"
            clone.mkdir()
            inside = GitRepository(clone, ENVIRONMENT, protocols=REMOTE)
            await inside.git("init", "--quiet")
            if lent:
                mirror.lend(inside)
            await inside.git("fetch", "--quiet", "--depth", "1", repository.url, "main")
            received[lent] = sum(file.stat().st_size for file in (clone / ".git/objects").rglob("*") if file.is_file())
            await inside.git("checkout", "--quiet", "--detach", "FETCH_HEAD")
            if lent:
                await mirror.take_back(inside)
            await inside.git("fsck")
        assert received[False] > 2_000_000 and received[True] < 100_000


def _break_pack(mirror: Path) -> None:
    for file in mirror.glob("objects/pack/*"):
        file.chmod(0o600)
        file.write_bytes(b"broken")
    for file in mirror.glob("objects/??/*"):
        file.chmod(0o600)
        file.write_bytes(b"broken")


def _lose_objects(mirror: Path) -> None:
    for file in (*mirror.glob("objects/pack/*"), *mirror.glob("objects/??/*")):
        file.unlink()


def _break_refs(mirror: Path) -> None:
    (mirror / "packed-refs").write_text("no refs\n")


def _have_git_run_things(mirror: Path) -> None:
    mark = f"touch {mirror.parent}/executed"
    (mirror / "config").write_text(
        f"[core]\n\tbare = true\n\tfsmonitor = {mark}\n\tsshCommand = {mark}\n\talternateRefsCommand = {mark}; true\n"
        f'[url "ext::{mark} "]\n\tinsteadOf = git://\n[credential]\n\thelper = "!{mark}"\n'
    )
    hook = mirror / "hooks" / "reference-transaction"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\n{mark}\n")
    hook.chmod(0o755)


def _condemn(mirror: Path) -> None:
    (mirror / "condemned").touch()


def _be_a_link(mirror: Path) -> None:
    elsewhere = mirror.parent.parent / "elsewhere"
    shutil.move(mirror, elsewhere)
    mirror.symlink_to(elsewhere)


def _be_a_file(mirror: Path) -> None:
    shutil.rmtree(mirror)
    mirror.write_text("no folder")


@pytest.mark.parametrize(
    "harm",
    [_break_pack, _lose_objects, _break_refs, _have_git_run_things, _condemn, _be_a_link, _be_a_file, shutil.rmtree],
)
async def test_a_broken_cache_costs_no_run_and_is_made_anew(
    operator: Operator, start_worker: StartWorker, repository: GitServer, cache: Path, harm: Callable[[Path], None]
) -> None:
    worker = await start_worker("sh", "-c", "cat file.txt; cat > file.txt", CODEFORGE_REPOSITORY_CACHE=str(cache))
    assert (await _run(operator, repository.url))["event"] == "completed"
    harm(_mirror(cache))
    for branch in ("one", "two"):
        last = await _run(operator, repository.url, branch)
        assert (last["event"], last["output"]) == ("completed", "two"), last["error"]
        assert repository.content(branch, "file.txt") == "edited"
    # The run after it has a sound one.
    assert git(_mirror(cache), "fsck", "--full") == "" and not _mirror(cache).is_symlink()
    assert git(_mirror(cache), "rev-parse", "main") == repository.commit("main")
    assert not (cache / "executed").exists()
    # What is only lost is fetched again.
    if harm in (_break_pack, _break_refs, _condemn):
        assert "made anew" in worker.log()


async def test_a_locked_cache_is_not_waited_for_for_long(
    operator: Operator, start_worker: StartWorker, repository: GitServer, cache: Path
) -> None:
    worker = await start_worker("cat", "file.txt", CODEFORGE_REPOSITORY_CACHE=str(cache), change=SHORT)
    await _run(operator, repository.url)
    with next(cache.glob("*.lock")).open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert (await _run(operator, repository.url))["output"] == "two"
    assert "is cloned without the cache: it is in use" in worker.log()


async def test_a_cache_that_cannot_be_written_costs_no_run(
    operator: Operator, start_worker: StartWorker, repository: GitServer, cache: Path
) -> None:
    worker = await start_worker("cat", "file.txt", CODEFORGE_REPOSITORY_CACHE="/proc/self")
    assert (await _run(operator, repository.url))["output"] == "two"
    assert "is cloned without the cache" in worker.log()


async def test_workers_share_it(
    operator: Operator, start_worker: StartWorker, repository: GitServer, cache: Path
) -> None:
    workers: list[WorkerProcess] = []
    for number in (1, 2):
        name = f"worker-{number}"
        workers.append(
            await start_worker(
                "cat", "file.txt", name=name, CODEFORGE_REPOSITORY_CACHE=str(cache), CODEFORGE_CONCURRENCY="3"
            )
        )
    ended = await asyncio.gather(*(_run(operator, repository.url) for _ in range(6)))
    assert [last["output"] for last in ended] == ["two"] * 6
    assert git(_mirror(cache), "fsck", "--full") == ""
    # On a machine that is busy one may wait for it too long.
    assert all(worker.log().count("without the cache") < 3 for worker in workers)


@pytest.mark.parametrize("inside", [False, True], ids=["mounted", "in the URL"])
async def test_no_credential_is_written_and_nobody_sees_what_he_could_not_clone(
    operator: Operator, start_worker: StartWorker, tmp_path: Path, cache: Path, inside: bool
) -> None:
    guarded = GitServer(tmp_path)
    await guarded.start(password="s3cretword")
    url = guarded.url.replace("//", "//agent:s3cretword@") if inside else guarded.url
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "username").write_text("agent")
    (secret / "password").write_text("s3cretword")
    credentials = "[]" if inside else json.dumps([{"url": guarded.prefix, "path": str(secret)}])
    first = await start_worker(
        "cat", "file.txt", CODEFORGE_REPOSITORY_CACHE=str(cache), CODEFORGE_GIT_CREDENTIALS=credentials
    )
    assert (await _run(operator, url))["output"] == "two"
    assert git(_mirror(cache), "rev-parse", "main") == guarded.commit("main")
    for file in cache.rglob("*"):
        assert not file.is_file() or b"s3cretword" not in file.read_bytes(), file
    await first.kill()
    stranger = await start_worker("cat", "file.txt", name="worker-2", CODEFORGE_REPOSITORY_CACHE=str(cache))
    last = await _run(operator, guarded.url)
    assert last["event"] == "failed" and "two" not in str(last["output"])
    # Its failure is no reason to throw away what serves others.
    assert "made anew" not in stranger.log() and _mirror(cache).is_dir()
    await guarded.stop()


async def test_nothing_of_the_volume_is_touched_on_the_event_loop(
    repository: GitServer, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A volume that answers late would stop the heartbeats of all runs."""
    loop, touched = threading.get_ident(), list[str]()

    def watch(module: object, name: str) -> None:
        call = getattr(module, name)

        def watched(what: Any, *arguments: Any, **named: Any) -> Any:
            known = isinstance(what, (str, Path)) and Path(what).is_relative_to(cache)
            if threading.get_ident() == loop and (known or not isinstance(what, (str, Path))):
                touched.append(name)
            return call(what, *arguments, **named)

        monkeypatch.setattr(module, name, watched)

    for name in ("stat", "open", "mkdir", "utime", "unlink"):
        watch(os, name)
    watch(fcntl, "flock")
    assert await is_there(cache, 60)
    for _ in range(2):
        async with mirrored(cache, repository.url, ENVIRONMENT, 60) as mirror:
            assert mirror
            await mirror.condemn()
    assert touched == []


async def test_a_volume_that_does_not_answer_costs_no_run(
    repository: GitServer, cache: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    answers = threading.Event()
    flock = fcntl.flock

    def hang(*arguments: Any) -> None:
        answers.wait()
        flock(*arguments)

    monkeypatch.setattr(fcntl, "flock", hang)
    try:
        async with asyncio.timeout(10), mirrored(cache, repository.url, ENVIRONMENT, 0.3) as mirror:
            assert mirror is None
    finally:
        answers.set()
    assert "is cloned without the cache" in caplog.text


def test_the_least_recently_used_make_room(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["a", "b", "c", "d"]
    for age, name in enumerate(names):
        (cache / f"{name}.git").mkdir()
        (cache / f"{name}.lock").touch()
        os.utime(cache / f"{name}.lock", (1000 - age, 1000 - age))

    def disk(_: Path) -> object:
        left = len(list(cache.glob("*.git")))
        return SimpleNamespace(total=100, free=4 * (4 - left))

    monkeypatch.setattr(shutil, "disk_usage", disk)
    with (cache / "c.lock").open() as held:
        fcntl.flock(held, fcntl.LOCK_SH)
        # d is the oldest, c is in use, b is what is about to be used.
        make_room(cache, "b.lock")
    assert sorted(path.stem for path in cache.glob("*.git")) == ["b", "c"]


def test_one_repository_has_one_mirror_whoever_asks(cache: Path) -> None:
    def name(url: str) -> str:
        return Mirror(cache, url, {}).directory.name

    assert name("https://h/a.git") == name("https://u:p%40w@h/a.git") != name("https://h/b.git")
    assert name("https://h/a.git") != name("https://h/a")
