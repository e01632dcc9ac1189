"""A program that puts itself within walls and executes another one: for programs that git starts."""

from __future__ import annotations

import os
import sys

from .confined import confine
from .order import read_order


def main(order: str, *arguments: str) -> None:
    """`order` is the file with the program and its walls; the arguments are appended to the program's own."""
    told = read_order(os.open(order, os.O_RDONLY))
    try:
        if told.walls:
            confine(told.walls)
        os.execvpe(told.argv[0], [*told.argv, *arguments], told.environment)  # noqa: S606
    except OSError as error:
        sys.exit(f"{told.argv[0]} was not begun within its walls: {error}")
