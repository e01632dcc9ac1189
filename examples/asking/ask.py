"""Asks a pool for a task and tells what happens, with the file client.creds of this folder's README.

    python3 ask.py nats://127.0.0.1:4222 client.creds default shell 'What is six and six?'

Needs `pip install codeforge-worker`, which has the client.
"""

import asyncio
import sys

from codeforge_worker.client import Client, News


async def ask(url: str, credentials: str, namespace: str, pool: str, prompt: str) -> None:
    async with Client(url, credentials=credentials) as client:
        async for told in client.pool(namespace, pool).progress(prompt):
            if isinstance(told, News):
                print(told.kind)
            else:
                print(told.phase, told.result.get("output", ""), told.error or "")


asyncio.run(ask(*sys.argv[1:]))
