"""A backend with a program of its own: counts the files of the workspace whose name the prompt tells, such as *.py.

codeforge-worker validate --module counter.py
codeforge-worker dev --module counter.py --repository . --prompt '*.py'
pytest test_counter.py
"""

import shutil
from dataclasses import dataclass
from typing import Literal

from codeforge_worker import Context, Result, backend


@dataclass(frozen=True)
class Settings:
    kind: Literal["f", "d"] = "f"
    shown: int = 10


def look() -> None:
    """Once in each worker: one without the program takes no task."""
    if not shutil.which("find"):
        raise FileNotFoundError("this image has no find")


@backend("counter", config=Settings, start=look)
def count(context: Context) -> Result:
    settings = context.settings(Settings)
    found = context.run(["find", ".", "-type", settings.kind, "-name", context.task.prompt.strip()]).output.splitlines()
    # Shown with the task, as what a program prints is.
    print(*found[: settings.shown], sep="\n")
    return Result(summary=f"{len(found)} files")
