"""How a program of this package is started: by its own Python, before anything that takes long is imported."""

from __future__ import annotations

import sys
from pathlib import Path

_PACKAGE = Path(__file__).parents[1]
# Without the package's own __init__, which imports the SDK: that takes longer than all else.
_START = """
import sys
package = type(sys)("codeforge_worker")
package.__path__ = [sys.argv[1]]
sys.modules["codeforge_worker"] = package
from codeforge_worker.confinement.{module} import main
main(*sys.argv[2:])
"""


def started(module: str) -> tuple[str, ...]:
    """The command that calls `main` of a module of this folder with the arguments that follow."""
    # Not of the environment, which is the agent's, and without site-packages.
    return (sys.executable, "-I", "-S", "-c", _START.format(module=module), str(_PACKAGE))
