"""Runs aider like its own program, but without the repository's settings. For aider's own Python only.

aider looks for `.env`, `.aider.conf.yml` and files on models in the repository, and no argument prevents it: they could
name another server, a key and programs to run.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable
from typing import Any


def _given_alone(default_file: str, git_root: str | None, command_line_file: str | None) -> list[str]:
    """Replaces `generate_search_path_list`."""
    return [command_line_file] if command_line_file else []


def _without_files(parser: Callable[[list[str], str | None], Any]) -> Callable[[list[str], str | None], Any]:
    """Replaces `get_parser`: `--config` names the only settings file."""

    def made(default_config_files: list[str], git_root: str | None) -> Any:
        return parser([], git_root)

    return made


def main() -> None:
    # By its name: beside this file is another `aider`.
    aider = importlib.import_module("aider.main")
    for name in ("generate_search_path_list", "get_parser"):
        if not hasattr(aider, name):
            sys.exit(f"this aider has no aider.main.{name}: install the version that requirements-aider.lock names")
    aider.generate_search_path_list = _given_alone  # type: ignore[attr-defined]
    aider.get_parser = _without_files(aider.get_parser)  # type: ignore[attr-defined]
    # A cache of pickles: the repository's could run a program, and ours would be pushed.
    repomap = importlib.import_module("aider.repomap")
    if not hasattr(repomap.RepoMap, "TAGS_CACHE_DIR"):
        sys.exit("this aider has no RepoMap.TAGS_CACHE_DIR: install the version that requirements-aider.lock names")
    repomap.RepoMap.TAGS_CACHE_DIR = os.environ["CODEFORGE_AIDER_CACHE"]
    sys.exit(aider.main())


if __name__ == "__main__":
    main()
