"""A broker as a worker of the tests' pool has it, without the rest of the worker."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from codeforge_worker.broker import Broker
from codeforge_worker.settings import Settings

from .operator import NAMESPACE, POOL, STREAM

B = TypeVar("B", bound=Broker)


@asynccontextmanager
async def connected(kind: type[B], url: str) -> AsyncGenerator[B]:
    settings = Settings(
        nats_servers=(url,), nats_user="worker", nats_password="worker-pw", namespace=NAMESPACE, pool=POOL,
        backend="command", stream=STREAM, consumer="workers", concurrency=1, pod_name="worker-1",
        ack_wait_seconds=60, grace_seconds=1, workspace=Path("/nonexistent"), http_port=0,
    )  # fmt: skip
    broker = kind(settings)
    await broker.connection.open()
    yield broker
    await broker.connection.close()
