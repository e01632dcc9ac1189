"""A connection to NATS that outlives its credential."""

from __future__ import annotations

import re

from nats.errors import Error as NatsError

from .nats_client import NatsClient

_LOGIN = re.compile(
    r"(nats: )?'((user|account) authentication (expired|revoked)|credentials revoked|authorization violation)",
    re.IGNORECASE,
)


def is_about_the_login(error: str) -> bool:
    """Whether the server has said that it does not take a credential, or not any more."""
    return bool(_LOGIN.match(error))


class RenewingClient(NatsClient):
    """nats-py closes for good when the server ends a connection whose credential has expired.

    To the runs in hand it is an outage like any other: the client tries again, with what the file has then.
    """

    async def _process_err(self, err_msg: str) -> None:
        if is_about_the_login(err_msg):
            error = NatsError(f"nats: {err_msg}")
            await self._process_op_err(error)
            await self._error_cb(error)
        else:
            await super()._process_err(err_msg)
