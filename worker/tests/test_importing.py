"""What a backend's module imports: not all of a worker."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src"
COUNTER = SOURCE.parents[1] / "examples" / "own-backend" / "counter.py"


@pytest.mark.parametrize("what", ["import codeforge_worker", f"import runpy; runpy.run_path({str(COUNTER)!r})"])
def test_a_backend_is_imported_without_a_client_of_nats(what: str) -> None:
    asked = "print(sorted({name.partition('.')[0] for name in sys.modules} & {'nats', 'aiohttp', 'prometheus_client'}))"
    program = f"import sys; sys.path.insert(0, {str(SOURCE)!r}); {what}; {asked}"
    told = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert told.stdout == "[]\n"
