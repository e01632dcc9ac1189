from collections.abc import Callable

from counter import count

from codeforge_worker.testing import Ran


def test_counts_the_files_that_are_named(run_backend: Callable[..., Ran]) -> None:
    ran = run_backend(count, "*.py", files={"a.py": "", "b/c.py": "", "d.txt": ""}, config={"shown": "1"})
    assert (ran.summary, len(ran.log)) == ("2 files", 3)


def test_refuses_a_kind_that_there_is_not(run_backend: Callable[..., Ran]) -> None:
    ran = run_backend(count, "*", config={"kind": "x"})
    assert ran.failure and "one of f, d" in ran.failure.message
