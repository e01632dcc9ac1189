"""Which URLs a task, or a repository that it names, may have cloned: no files, and nothing that git would run."""

from __future__ import annotations

import re

_URL = re.compile(r"(https?|ssh|git)://\S+|[A-Za-z0-9._-]+@[A-Za-z0-9.-]+:\S+")


def is_cloned(url: str) -> bool:
    return _URL.fullmatch(url) is not None
