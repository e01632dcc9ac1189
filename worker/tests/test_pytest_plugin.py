"""The fixture `run_backend`, in a pytest of its own."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
TESTS = """
import os

from codeforge_worker import Context, backend


@backend("shower")
def shower(context: Context) -> str:
    context.log("a line of the run")
    return " ".join(f"{name}={os.environ.get(name)}/{context.environment.get(name)}" for name in ("SECRET", "GIVEN"))


def test_what_the_pool_has(run_backend):
    ran = run_backend(shower, "a prompt", environment={"GIVEN": "1"}, files={"a.txt": "b"})
    assert (ran.output, ran.files) == ("SECRET=here/None GIVEN=None/1", {"a.txt": "b"})


def test_one_that_fails(run_backend):
    assert run_backend(shower).status == "failed"
"""


def _pytest(folder: Path, *more: str, **environment: str) -> str:
    plugin = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]["pytest11"]["codeforge"]
    ran = subprocess.run(
        [sys.executable, "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", plugin, *more],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT / "src"), **environment},
        capture_output=True,
        text=True,
    )
    return ran.stdout + ran.stderr


def test_it_runs_a_backend_and_shows_the_lines_of_a_test_that_fails(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(TESTS)
    told = _pytest(tmp_path, SECRET="here")
    assert "1 failed, 1 passed" in told and "FAILED test_it.py::test_one_that_fails" in told, told
    assert "\na line of the run\n" in told


def test_the_example_passes() -> None:
    told = _pytest(ROOT.parent / "examples" / "own-backend", "--rootdir", ".", "test_counter.py")
    assert "2 passed" in told, told
