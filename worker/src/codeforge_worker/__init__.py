"""The worker of CodeForge: pulls tasks, runs an agent for each, reports by events.

For a backend of your own: `backend`, `Context`, `Result`, `Retry`, `Fatal`; for its tests: `codeforge_worker.testing`.
"""

from .sdk.checkpoint import Checkpoint
from .sdk.context import Context, Task
from .sdk.errors import CommandFailed, Fatal, Retry, Stopped
from .sdk.function import backend
from .sdk.programs import Finished
from .sdk.result import Result

__version__ = "0.1.0"
__all__ = [
    "Checkpoint",
    "CommandFailed",
    "Context",
    "Fatal",
    "Finished",
    "Result",
    "Retry",
    "Stopped",
    "Task",
    "__version__",
    "backend",
]
