"""Programs that hack/tools/install puts into the cache. HOME names no cache: each test run has a home of its own."""

from __future__ import annotations

import os
import shutil
from pathlib import Path


def program(name: str) -> str:
    cache = (
        os.environ.get("CODEFORGE_CACHE") or f"{os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache'}/codeforge"
    )
    built = Path(cache) / "bin" / name
    found = str(built) if built.exists() else shutil.which(name)
    if not found:
        raise RuntimeError(f"{name} is missing: run hack/tools/install {name}")
    return found
