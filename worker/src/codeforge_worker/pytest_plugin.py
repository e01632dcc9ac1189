"""For pytest: the fixture `run_backend`, which is there where codeforge-worker is installed."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    # It brings the worker with it, which tests of something else have no use for.
    from .testing import Ran


@pytest.fixture
def run_backend() -> Callable[..., Ran]:
    """`codeforge_worker.testing.run_backend`; the report of a test that fails has the lines of its runs.

    `environment` is all that the pool has, beside the PATH: a test ends alike on every machine.
    """
    from .testing import run_backend

    def run(
        function: Callable[..., object], *prompt: str, environment: Mapping[str, str] | None = None, **more: Any
    ) -> Ran:
        pool = {"PATH": os.environ.get("PATH", os.defpath), **(environment or {})}
        ran = run_backend(function, *prompt, environment=pool, **more)
        for line in ran.log:
            print(line)
        return ran

    return run
