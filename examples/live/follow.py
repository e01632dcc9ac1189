#!/usr/bin/env python3
"""Prints the lines of a task as they come, and comes back after the last one when its connection ends.

    CODEFORGE_TOKEN=$(kubectl create token viewer) follow.py ws://localhost:8082 NAMESPACE TASK

It needs `pip install websockets`.
"""

import asyncio
import json
import os
import sys
from collections.abc import Callable

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, WebSocketException

SIGN_IN, TOO_MANY = 4401, 4429


async def listen(server: str, subscribe: dict[str, object], keep: Callable[[int], None]) -> None:
    async with connect(
        f"{server}/ws", additional_headers={"Authorization": f"Bearer {os.environ['CODEFORGE_TOKEN']}"}
    ) as socket:
        await socket.send(json.dumps(subscribe))
        async for frame in socket:
            for message in map(json.loads, str(frame).split("\n")):
                if message["type"] == "log":
                    print(message["line"]["line"], flush=True)
                    keep(message["sequence"])
                elif message["type"] == "error":
                    sys.exit(f"{message['reason']}: {message['message']}")


async def follow(server: str, namespace: str, task: str) -> None:
    last = 0

    def keep(sequence: int) -> None:
        nonlocal last
        last = sequence

    while True:
        try:
            await listen(
                server,
                {
                    "type": "subscribe",
                    "id": "log",
                    "namespace": namespace,
                    "task": task,
                    "topics": ["log"],
                    "afterLine": last,
                },
                keep,
            )
        except (WebSocketException, OSError) as end:
            print(f"-- {end}", file=sys.stderr)
            if isinstance(end, ConnectionClosed) and end.rcvd and end.rcvd.code in (SIGN_IN, TOO_MANY):
                sys.exit(1)
        print(f"-- connecting again, after line {last}", file=sys.stderr)
        await asyncio.sleep(1)


asyncio.run(follow(*sys.argv[1:]))
