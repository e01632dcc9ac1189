"""How this worker confines its agents, from the pool's setting and the kernel's features."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..settings import Settings, StartupError
from .probe import Kernel
from .reach import Isolation, Reach


@dataclass(frozen=True)
class Isolated:
    """`reach` is None if agents have all rights of the worker. `lacks` says what they can reach, a sentence each."""

    reach: Reach | None
    lacks: tuple[str, ...]


def isolated(settings: Settings, kernel: Kernel, *, in_worker: bool) -> Isolated:
    """`in_worker`: the backend is a function of this process. `StartupError` if a required wall is missing."""
    reach = None
    if settings.isolation is not Isolation.OFF:
        secrets = [Path(credential.path) for credential in settings.git_credentials]
        if settings.nats_credentials:
            secrets.append(settings.nats_credentials.parent)
        reach = Reach.of(
            kernel,
            settings.granted,
            (settings.workspace, settings.cache, *secrets),
            open_network=settings.egress is None
            or (bool(settings.also_reached) and settings.isolation is Isolation.PREFERRED),
            is_alone=settings.concurrency == 1,
            in_worker=in_worker,
        )
    lacks = tuple(_lacks(settings, kernel, in_worker))
    if lacks and settings.isolation is Isolation.REQUIRED:
        raise StartupError(
            f"isolation.agent of the pool is Required, but {'; '.join(lacks)}. Mend what is named, let "
            "nodeSelector of spec.template name nodes that have all walls (Linux 6.12 with Landlock), or set "
            "isolation.agent: Preferred"
        )
    return Isolated(reach, lacks)


def _lacks(settings: Settings, kernel: Kernel, in_worker: bool) -> Iterator[str]:
    if settings.isolation is Isolation.OFF:
        yield "agents can do all that the worker can: isolation.agent of the pool is Off"
        return
    if in_worker:
        yield f"backend {settings.backend} is a function, which can do all that the worker can"
    yield from kernel.lacks()
    if settings.also_reached:
        yield (
            f"agents can connect to any server: {settings.also_reached} opens a model that is not reached by the run's "
            "proxy"
        )
