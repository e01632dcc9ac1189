"""What git refuses: before the agent where that can be known, else in the server's own words; paid once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import StartWorker, count
from harness.git_server import GitServer, git
from harness.operator import BUCKET, Operator

from codeforge_worker.git_refusal import is_final, words

RULE = "echo 'error: RULE7: changes go by a merge request only'; echo; echo '  a secret in config.py:3'; exit 1\n"
# In the words of GitHub.
NO_LARGE_FILES = """while read -r old new ref; do
  large=$(git rev-list --objects $new --not --all | git cat-file --batch-check='%(objectsize) %(rest)' |
    awk '$1 > 100000 {print $2}')
  [ -n "$large" ] || continue
  echo "error: File $large is 143.05 MB; this exceeds GitHub's file size limit of 100.00 MB"
  echo "error: GH001: Large files detected. You may want to try Git Large File Storage - https://git-lfs.github.com."
  exit 1
done
"""
LOCKED = "touch $(git rev-parse --absolute-git-dir)/refs/heads/b.lock\n"


def _workspace(repository: GitServer, branch: str, **more: Any) -> dict[str, Any]:
    return {"git": {"url": repository.url, "push": {"branch": branch}} | more}


@pytest.mark.parametrize(
    "branch", ["my branch", "a..b", "x.lock", "team/", "@{0}", "codeforge", "codeforge/x/y", "taken"]
)
async def test_a_branch_that_cannot_be_pushed_costs_no_agent(
    operator: Operator, start_worker: StartWorker, repository: GitServer, marker: Callable[[str], Path], branch: str
) -> None:
    for there in ("codeforge/x", "taken"):
        repository.push(there, "", 0)
    ran = marker("ran")
    await start_worker("sh", "-c", f"echo ran >>{ran}; echo x >file.txt")
    last = (await operator.until(await operator.submit(workspace=_workspace(repository, branch))))[-1].body
    assert last["failure"]["type"] == "GitPushFailed" and not last["failure"]["retryable"], last
    assert branch in last["failure"]["message"] and not count(ran)


async def test_a_server_that_takes_no_push_costs_no_agent(
    operator: Operator, start_worker: StartWorker, repository: GitServer, marker: Callable[[str], Path]
) -> None:
    git(repository.bare, "config", "daemon.receivepack", "false")
    ran = marker("ran")
    await start_worker("sh", "-c", f"echo ran >>{ran}; echo x >file.txt")
    last = (await operator.until(await operator.submit(workspace=_workspace(repository, "b"))))[-1].body
    assert last["failure"]["type"] == "GitPushFailed" and not last["failure"]["retryable"], last
    assert not count(ran)


async def test_a_ref_that_is_missing_is_not_asked_for_again(
    operator: Operator, start_worker: StartWorker, repository: GitServer
) -> None:
    await start_worker("true")
    last = (await operator.until(await operator.submit(workspace=_workspace(repository, "b", ref="gone"))))[-1].body
    assert last["failure"]["type"] == "GitCloneFailed" and not last["failure"]["retryable"], last
    assert "gone" in last["failure"]["message"]


@pytest.mark.parametrize("branch", ["größe/日本語", "a'b", "refs/heads/x", "@", "1234567", "main"])
async def test_an_unusual_branch_is_pushed(
    operator: Operator, start_worker: StartWorker, repository: GitServer, branch: str
) -> None:
    await start_worker("sh", "-c", "echo x >file.txt")
    last = (await operator.until(await operator.submit(workspace=_workspace(repository, branch))))[-1].body
    assert last["event"] == "completed", last["error"]
    assert repository.commit(f"refs/heads/{branch}") == last["result"]["git"]["commit"]


async def test_a_branch_that_the_start_continues_is_pushed(
    operator: Operator, start_worker: StartWorker, repository: GitServer
) -> None:
    git(repository.bare, "branch", "behind", "v1")
    await start_worker("sh", "-c", "echo x >file.txt")
    last = (await operator.until(await operator.submit(workspace=_workspace(repository, "behind"))))[-1].body
    assert last["event"] == "completed", last["error"]


async def test_an_empty_repository_is_begun(
    operator: Operator, start_worker: StartWorker, repository: GitServer
) -> None:
    git(repository.bare, "update-ref", "-d", "refs/heads/main")
    git(repository.bare, "update-ref", "-d", "refs/tags/v1")
    await start_worker("sh", "-c", "echo first >first.txt")
    last = (await operator.until(await operator.submit(workspace=_workspace(repository, "main"))))[-1].body
    assert last["event"] == "completed", last["error"]
    assert last["files"] == ["first.txt"] and repository.content("main", "first.txt") == "first"


@pytest.mark.parametrize("hook", ["pre-receive", "update"])
async def test_a_rules_own_words_are_told_and_it_is_not_asked_again(
    operator: Operator, start_worker: StartWorker, repository: GitServer, hook: str
) -> None:
    repository.hook(hook, RULE)
    await start_worker("sh", "-c", "echo x >file.txt")
    last = (await operator.until(await operator.submit(workspace=_workspace(repository, "b"))))[-1].body
    failure = last["failure"]
    assert failure["type"] == "GitPushFailed" and not failure["retryable"], failure
    assert all(word in failure["message"] for word in ("hook declined", "RULE7", "config.py:3")), failure
    assert "changes.patch" in [artifact["name"] for artifact in last["result"]["artifacts"]]


async def test_a_protected_branch_is_told_and_paid_once(
    operator: Operator, start_worker: StartWorker, repository: GitServer, marker: Callable[[str], Path]
) -> None:
    """The server has it checked out, which only the push itself finds out."""
    git(repository.bare, "config", "core.bare", "false")
    git(repository.bare, "config", "receive.denyCurrentBranch", "refuse")
    ran, asked, before = marker("ran"), marker("asked"), repository.commit("main")
    repository.hook("pre-receive", f"echo asked >>{asked}\n")
    await start_worker("sh", "-c", f"echo ran >>{ran}; echo x >file.txt")
    last = (await operator.until(await operator.submit(workspace=_workspace(repository, "main"))))[-1].body
    failure = last["failure"]
    assert failure["type"] == "GitPushFailed" and not failure["retryable"], failure
    assert "branch is currently checked out" in failure["message"]
    assert (count(ran), count(asked)) == (1, 1) and repository.commit("main") == before
    assert b"+x" in await _patch(operator, last)


@pytest.fixture
async def by_http(tmp_path: Path) -> AsyncIterator[GitServer]:
    """It reads a push to its end before it answers; git daemon may be gone before its refusal was read."""
    server = GitServer(tmp_path)
    await server.start(password="word")
    yield server
    await server.stop()


@pytest.mark.parametrize(
    ("by", "told"),
    [
        ("git", ["pack exceeds maximum allowed size"]),
        ("rule", ["File target/large.a is 143.05 MB", "GH001: Large files"]),
    ],
)
async def test_a_file_over_the_servers_limit_is_told_and_its_work_is_kept(
    operator: Operator,
    start_worker: StartWorker,
    by_http: GitServer,
    marker: Callable[[str], Path],
    by: str,
    told: list[str],
) -> None:
    if by == "git":
        git(by_http.bare, "config", "receive.maxInputSize", "100000")
    else:
        by_http.hook("pre-receive", NO_LARGE_FILES)
    ran = marker("ran")
    script = f"echo ran >>{ran}; echo work >file.txt; mkdir target; head -c 300000 /dev/urandom >target/large.a"
    worker = await start_worker("sh", "-c", script)
    workspace = {"git": {"url": by_http.url.replace("//", "//agent:word@"), "push": {"branch": "b"}}}
    last = (await operator.until(await operator.submit(workspace=workspace)))[-1].body
    failure = last["failure"]
    assert failure["type"] == "GitPushFailed" and not failure["retryable"], failure
    assert all(words in failure["message"] for words in told), failure
    assert count(ran) == 1 and "is tried again" not in worker.log() and by_http.branches() == ["main"]
    patch = await _patch(operator, last)
    assert b"+work" in patch and b"b/target/large.a" in patch


async def _patch(operator: Operator, last: dict[str, Any]) -> bytes:
    (patch,) = [artifact for artifact in last["result"]["artifacts"] if artifact["name"] == "changes.patch"]
    return (await (await operator.js.object_store(BUCKET)).get(patch["object"])).data or b""


async def test_a_push_that_passes_a_little_later_is_not_paid_again(
    operator: Operator, start_worker: StartWorker, repository: GitServer, marker: Callable[[str], Path], tmp_path: Path
) -> None:
    ran = marker("ran")
    once = f"[ -e {tmp_path}/once ] && exit 0; touch {tmp_path}/once; echo 'try again later'; exit 1\n"
    repository.hook("pre-receive", once)
    await start_worker("sh", "-c", f"echo ran >>{ran}; echo x >file.txt")
    last = (await operator.until(await operator.submit(workspace=_workspace(repository, "b"))))[-1].body
    assert last["event"] == "completed" and count(ran) == 1, last
    assert repository.content("b", "file.txt") == "x"


@pytest.mark.parametrize("commits", [0, 1])
async def test_a_repository_of_sha_256_costs_no_agent(
    operator: Operator, start_worker: StartWorker, repository: GitServer, marker: Callable[[str], Path], commits: int
) -> None:
    other = repository.bare.with_name("other.git")
    git(repository.bare, "init", "--quiet", "--bare", "--object-format=sha256", "--initial-branch=main", str(other))
    if commits:
        commit = git(other, "commit-tree", "-m", "first", git(other, "hash-object", "-t", "tree", "-w", "/dev/null"))
        git(other, "update-ref", "refs/heads/main", commit)
    ran = marker("ran")
    await start_worker("sh", "-c", f"echo ran >>{ran}; echo x >file.txt")
    workspace = {"git": {"url": f"{repository.prefix}other.git", "push": {"branch": "b"}}}
    last = (await operator.until(await operator.submit(workspace=workspace)))[-1].body
    assert not last["failure"]["retryable"] and "SHA-1 alone" in last["failure"]["message"], last
    assert not count(ran)


async def test_a_lock_on_the_server_may_pass(
    operator: Operator, start_worker: StartWorker, repository: GitServer
) -> None:
    repository.hook("pre-receive", LOCKED)
    await start_worker("sh", "-c", "echo x >file.txt")
    last = (await operator.until(await operator.submit(workspace=_workspace(repository, "b"))))[-1].body
    assert last["failure"]["type"] == "GitPushFailed" and last["failure"]["retryable"], last


@pytest.mark.parametrize(
    ("line", "final"),
    [
        ("!\ta:refs/heads/b\t[rejected] (fetch first)", True),
        ("!\ta:refs/heads/b\t[remote rejected] (protected branch hook declined)", True),
        ("remote: fatal: pack exceeds maximum allowed size", True),
        ("error: RPC failed; HTTP 413 curl 22 The requested URL returned error: 413", True),
        ("!\ta:refs/heads/b\t[remote rejected] (TF402455: Pushes to this branch are not permitted)", True),
        ("remote: mend it and try again\n!\ta:refs/heads/b\t[remote rejected] (pre-receive hook declined)", True),
        ("fatal: mismatched algorithms: client sha1; server sha256", True),
        ("error: RPC failed; HTTP 503 curl 22 The requested URL returned error: 503", False),
        ("fatal: unable to connect to git.localhost: Connection refused", False),
        ("fatal: the remote end hung up unexpectedly", False),
    ],
)
def test_what_may_pass_is_asked_again(line: str, final: bool) -> None:
    assert is_final(["To a server", line]) is final


def test_counters_and_hints_are_no_reason() -> None:
    lines = ["remote: Counting objects: 3, done.", "remote: ", "remote:", "remote: no", "hint: pull"]
    lines.append("!\ta:b\t[rejected] (fetch first)")
    assert words(lines) == "[rejected] (fetch first); no"


async def _has_its_trailers(operator: Operator, repository: GitServer, uid: str) -> None:
    assert (await operator.until(uid))[-1].body["event"] == "completed"
    trailers = repository.show("%(trailers:only,unfold)", "b").splitlines()
    assert trailers == [f"Codeforge-Task: {uid}", "Codeforge-Attempt: 1"]


# An agent that commits with these words.
COMMITS = 'echo x >file.txt; git -c user.name=A -c user.email=a@localhost commit -qam "$MESSAGE"'
CUT = "# ------------------------ >8 ------------------------"


@pytest.mark.parametrize("title", ["---", " ", "Fixes: #12", "Fix\n\nSigned-off-by: A <a@localhost>", CUT])
async def test_the_trailers_are_last_whatever_the_title_is(
    operator: Operator, start_worker: StartWorker, repository: GitServer, title: str
) -> None:
    await start_worker("sh", "-c", "echo x >file.txt")
    uid = await operator.submit("---\ntitle: t\n---\nDo it", title=title, workspace=_workspace(repository, "b"))
    await _has_its_trailers(operator, repository, uid)


@pytest.mark.parametrize("prompt", ["# Heading\nDo it", "--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-a\n+b\n", "---", "#"])
async def test_the_trailers_are_last_whatever_the_prompt_is(
    operator: Operator, start_worker: StartWorker, repository: GitServer, prompt: str
) -> None:
    await start_worker("sh", "-c", "echo x >file.txt")
    uid = await operator.submit(prompt, title="", workspace=_workspace(repository, "b"))
    await _has_its_trailers(operator, repository, uid)


@pytest.mark.parametrize(
    "message",
    [
        "Fix\n\nSee:\n\n    code",
        "Fix\n\n---\nby an agent",
        "Fix\n\n---\n x | 2 +-\n\ndiff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b",
        "Fix\n\nReviewed-by: A\n---\nN: x",
        "# Heading\n# more",
    ],
)
async def test_the_trailers_are_last_whatever_an_agents_message_is(
    operator: Operator, start_worker: StartWorker, repository: GitServer, message: str
) -> None:
    await start_worker("sh", "-c", COMMITS, MESSAGE=message)
    await _has_its_trailers(operator, repository, await operator.submit(workspace=_workspace(repository, "b")))
    assert repository.message("b").startswith(f"{message}\n\n"), "its own words were changed"


@pytest.mark.parametrize(
    "message",
    [
        "Fix\n\n@@ -1,3 +1,3 @@\n-a\n+b\n \n context\n more",
        "mine\n\nbody\n\nCodeforge-Task: another\n  more",
        f"Fix\n\n{CUT}\nbody",
    ],
)
async def test_words_that_hide_trailers_from_git_are_changed_so_that_they_do_not(
    operator: Operator, start_worker: StartWorker, repository: GitServer, message: str
) -> None:
    await start_worker("sh", "-c", COMMITS, MESSAGE=message)
    await _has_its_trailers(operator, repository, await operator.submit(workspace=_workspace(repository, "b")))


async def test_what_ends_a_line_elsewhere_makes_no_trailer(
    operator: Operator, start_worker: StartWorker, repository: GitServer
) -> None:
    forged = "Codeforge-Task: another"
    commit = "git -c user.name=A -c user.email=a@localhost commit -qa"
    message = f"printf 'mine\\n\\nN: x\\342\\200\\250{forged}'"
    await start_worker("sh", "-c", f"echo x >file.txt; {message} | {commit} -F -")
    uid = await operator.submit(workspace=_workspace(repository, "b"))
    assert (await operator.until(uid))[-1].body["event"] == "completed"
    trailers = repository.show("%(trailers:only,unfold)", "b").split("\n")
    assert forged not in trailers and f"Codeforge-Task: {uid}" in trailers
