"""A backend that prints lines until its run is cancelled; each begins with the time of its writing."""

from __future__ import annotations

import asyncio
import time
from uuid import UUID

from codeforge_worker import Context, backend

LINES_A_SECOND = 20
# With the time before it a line has 100 characters.
REST = "." * 80


@backend("lines")
async def lines(context: Context) -> None:
    clock = asyncio.get_running_loop().time
    # Tasks that begin together do not write together.
    due = clock() + UUID(context.task.id).int % 1000 / 1000 / LINES_A_SECOND
    while True:
        await asyncio.sleep(max(0.0, due - clock()))
        context.log(f"{time.time_ns()} {REST}")
        due += 1 / LINES_A_SECOND
