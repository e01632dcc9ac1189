"""The worker of CodeForge: pulls tasks, runs an agent for each, reports by events.

For a backend of your own: `backend`, `Context`, `Result`, `Retry`, `Fatal`; for its tests: `codeforge_worker.testing`.
"""

from .sdk.checkpoint import Checkpoint
from .sdk.context import Context, Task
from .sdk.errors import Fatal, Retry
from .sdk.function import backend
from .sdk.result import Result

__version__ = "0.1.0"
__all__ = ["Checkpoint", "Context", "Fatal", "Result", "Retry", "Task", "__version__", "backend"]
