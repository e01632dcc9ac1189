"""Where the worker finds backends that are functions, and what it says when it finds none."""

from __future__ import annotations

from pathlib import Path
from subprocess import CompletedProcess

import pytest
from test_startup import run_worker, run_worker_in

BUILT_IN = "aider, command, mini-swe-agent, opencode, openhands"
GREETER = """
from codeforge_worker import backend

@backend("greeter")
def greet(context):
    return "hello"
"""


def _install(folder: Path, package: str, source: str, entry: str) -> str:
    """A package as pip leaves it; returns the folder for PYTHONPATH."""
    metadata = folder / f"{package}-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[codeforge_worker.backends]\n{entry}\n")
    (folder / f"{package}.py").write_text(source)
    return str(folder)


def test_by_the_module_that_is_named(tmp_path: Path) -> None:
    file = tmp_path / "my_backend.py"
    file.write_text(GREETER)
    for arguments, environment in (
        (["--module", str(file)], {}),
        ([], {"CODEFORGE_MODULE": str(file)}),
        ([], {"CODEFORGE_MODULE": "my_backend", "PYTHONPATH": str(tmp_path)}),
        # The option wins.
        (["--module", str(file)], {"CODEFORGE_MODULE": "another"}),
    ):
        done = run_worker("validate", *arguments, CODEFORGE_BACKEND="greeter", **environment)
        assert done.returncode == 0, done.stderr
        first, *found = done.stdout.splitlines()
        assert first == "backend greeter can run tasks of tasks_team_pool"
        assert any(line.startswith("found greeter (module ") for line in found)
        assert "found aider (built in)" in found


def test_in_the_folder_that_it_is_started_in(tmp_path: Path) -> None:
    (tmp_path / "my_backend.py").write_text(GREETER)
    # Python's own search of it is that of `python -c`, which the installed script does not have.
    named = {"CODEFORGE_MODULE": "my_backend", "CODEFORGE_BACKEND": "greeter", "PYTHONSAFEPATH": "1"}
    assert run_worker_in(tmp_path, "validate", **named).returncode == 0
    # But not where tasks write.
    done = run_worker_in(tmp_path, "validate", CODEFORGE_WORKSPACE=str(tmp_path), **named)
    assert "module my_backend cannot be imported" in done.stderr


def test_by_the_entry_point_of_an_installed_package(tmp_path: Path) -> None:
    path = _install(tmp_path, "greeting", GREETER, "greeter = greeting:greet")
    done = run_worker("validate", CODEFORGE_BACKEND="greeter", PYTHONPATH=path)
    assert done.returncode == 0 and "found greeter (package greeting)" in done.stdout
    # Named as well, it is still one.
    done = run_worker("validate", CODEFORGE_BACKEND="greeter", PYTHONPATH=path, CODEFORGE_MODULE="greeting")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("source", "entry", "sentence"),
    [
        (GREETER, "greeter = greeting:other", "cannot be imported: AttributeError"),
        ("import nothing_like_it", "greeter = greeting:greet", "No module named 'nothing_like_it' (greeting.py:1)"),
        (GREETER, "greeter = greeting", 'is no backend: name a function with @backend, as "module:function"'),
        (GREETER.replace('"greeter"', '"other"'), "greeter = greeting:greet", "is backend 'other'"),
        (GREETER, "aider = greeting:greet", "package greeting has a backend 'aider', which the worker has itself"),
        (GREETER, "other = greeting:greet", f"it has: {BUILT_IN}, other"),
    ],
)
def test_an_entry_point_that_is_wrong(tmp_path: Path, source: str, entry: str, sentence: str) -> None:
    path = _install(tmp_path, "greeting", source, entry)
    _refused(run_worker("run", CODEFORGE_BACKEND="greeter", PYTHONPATH=path), sentence)


def test_two_of_one_name(tmp_path: Path) -> None:
    paths = [_install(tmp_path / name, name, GREETER, f"greeter = {name}:greet") for name in ("one", "two")]
    done = run_worker("run", CODEFORGE_BACKEND="greeter", PYTHONPATH=":".join(paths))
    _refused(done, "two backends 'greeter', in package one and package two")


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("", 'has no backend: put @backend("name") on a function of it'),
        (GREETER.replace('"greeter"', '"other"'), f"no backend 'greeter' (it has: {BUILT_IN}, other)"),
        (GREETER + GREETER.replace("def greet", "def again"), "two backends 'greeter', in module"),
        (GREETER.replace('"greeter"', '"aider"'), "has a backend 'aider', which the worker has itself"),
        (GREETER.replace('"greeter"', '"My.Backend"'), "backend 'My.Backend' has no usable name"),
        (GREETER.replace('("greeter")', ""), "@backend needs a name"),
        (GREETER.replace("(context)", "()"), "greet() must be callable with the context alone"),
        (
            GREETER.replace("(context)", "(context, more)"),
            "greet(context, more) must be callable with the context alone",
        ),
        (GREETER.replace("return", "yield"), "greet yields: return the result"),
        (GREETER.replace("def greet(context):", "class Greet:"), "'return' outside function (my_backend.py:6)"),
        ("from codeforge_worker import backend\nbackend('a')(object())", "backend a: object is no function"),
        ("from codeforge_worker import backend\nbackend('a', config={'b': 1})", "config must map text to text"),
        ("import nothing_like_it", "No module named 'nothing_like_it' (my_backend.py:1)"),
        ("x = 1 +", "SyntaxError: invalid syntax (my_backend.py:1)"),
        ("import sys\nsys.exit(3)", "cannot be imported: SystemExit: 3 (my_backend.py:2)"),
    ],
)
def test_a_module_that_is_wrong(tmp_path: Path, source: str, sentence: str) -> None:
    file = tmp_path / "my_backend.py"
    file.write_text(source)
    _refused(run_worker("run", "--module", str(file), CODEFORGE_BACKEND="greeter"), sentence)


def test_a_decorator_above_hides_the_function(tmp_path: Path) -> None:
    file = tmp_path / "my_backend.py"
    hiding = "import functools\n\ndef hide(f):\n    return functools.wraps(f)(lambda c: f(c))\n"
    file.write_text(hiding + GREETER.replace("@backend", "@hide\n@backend"))
    done = run_worker("run", "--module", str(file), CODEFORGE_BACKEND="greeter")
    _refused(done, "backend greeter: a decorator above @backend hides it")


def test_a_module_that_is_not_there(tmp_path: Path) -> None:
    missing = str(tmp_path / "none.py")
    _refused(run_worker("run", "--module", missing, CODEFORGE_BACKEND="greeter"), "is no file: set CODEFORGE_MODULE")
    done = run_worker("run", "--module", "none_like_it", CODEFORGE_BACKEND="greeter")
    _refused(done, "module none_like_it cannot be imported: ModuleNotFoundError")


def test_a_function_takes_no_program(tmp_path: Path) -> None:
    file = tmp_path / "my_backend.py"
    file.write_text(GREETER)
    done = run_worker("run", "--module", str(file), "--", "cat", CODEFORGE_BACKEND="greeter")
    _refused(done, "backend greeter is a function and has no use for what follows --")


def _refused(done: CompletedProcess[str], sentence: str) -> None:
    assert done.returncode == 64, done.stderr
    assert sentence in done.stderr and len(done.stderr.splitlines()) == 1, done.stderr
