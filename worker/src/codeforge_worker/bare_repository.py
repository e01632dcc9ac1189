"""A repository without files, made without starting git: it has no template, no hook, and no setting but its own."""

from __future__ import annotations

from pathlib import Path

_CONFIG = "[core]\n\trepositoryformatversion = 0\n\tbare = true\n"


def make_bare(directory: Path) -> None:
    """Its HEAD leads nowhere: git-lfs would read settings from the commit there."""
    for folder in ("objects/info", "refs"):
        (directory / folder).mkdir(parents=True, exist_ok=True)
    (directory / "HEAD").write_text("ref: refs/heads/nothing\n")
    (directory / "config").write_text(_CONFIG)
