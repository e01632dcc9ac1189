"""An agent that has its pool's credential: `stolen.py SERVER CREDENTIAL INBOX LABEL:VERB:SUBJECT…` says what it opens.

VERB: `ask` publishes a request, `hear` subscribes. One line of JSON: by the label, `done` or the server's refusal.
"""

from __future__ import annotations

import asyncio
import json
import sys

import nats


async def outcomes(server: str, credential: str, inbox: str, attempts: list[str]) -> dict[str, str]:
    refusals: list[str] = []

    async def refused(error: Exception) -> None:
        refusals.append(str(error))

    connection = await nats.connect(
        server, user_credentials=credential, inbox_prefix=inbox, error_cb=refused, connect_timeout=30
    )
    found: dict[str, str] = {}
    for attempt in attempts:
        label, verb, subject = attempt.split(":", 2)
        refusals.clear()
        if verb == "hear":
            await connection.subscribe(subject)
        else:
            await connection.publish(subject, b"{}", reply=connection.new_inbox())
        # The server refuses before it answers the second: nats-py writes the first past what it still has to write.
        await connection.flush(timeout=30)
        await connection.flush(timeout=30)
        found[label] = refusals[0] if refusals else "done"
    await connection.close()
    return found


if __name__ == "__main__":
    print(json.dumps(asyncio.run(outcomes(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]))))
