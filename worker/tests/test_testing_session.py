"""`codeforge_worker.testing` with a session."""

from __future__ import annotations

from codeforge_worker import Context, Fatal, backend
from codeforge_worker.testing import run_backend


@backend("talker")
def talker(context: Context) -> str:
    if context.session is None:
        return "no session"
    said = context.session / "said"
    before = said.read_text() if said.exists() else ""
    said.write_text(f"{before}{context.task.prompt}.")
    if context.task.prompt == "fail":
        raise Fatal("as it was asked")
    return before


def test_a_task_finds_what_the_one_before_it_left() -> None:
    first = run_backend(talker, "one", session={})
    assert (first.summary, first.session) == ("", {"said": "one."})
    second = run_backend(talker, "two", session=first.session)
    assert (second.summary, second.session) == ("one.", {"said": "one.two."})
    assert second.files == {}, "the session lies outside of the workspace"


def test_a_run_that_fails_leaves_the_session_as_it_was() -> None:
    assert run_backend(talker, "fail", session={"said": "one."}).session == {"said": "one."}


def test_without_a_session_there_is_no_folder() -> None:
    ran = run_backend(talker)
    assert (ran.summary, ran.session) == ("no session", {})
