"""The proxy's own answers, in OpenAI's format, which clients show. No client retries a 400 or 401."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from .. import wire
from .allowed import SENTENCE


def refused(status: int, code: str, message: str, *, kind: str = "invalid_request_error") -> web.Response:
    return web.json_response({"error": {"message": message, "type": kind, "param": None, "code": code}}, status=status)


def over_budget(why: wire.Failure) -> web.Response:
    code = "budget_exceeded" if why.type == "BudgetExceeded" else "budget_not_kept"
    return refused(400, code, f"{why.type}: {why.message}")


def not_passed_on(request: web.Request, methods: Sequence[str]) -> web.Response:
    """`methods` are those that the path is passed on with."""
    said = f"{request.method} {request.path} is no call of a model: {SENTENCE}"
    if not methods:
        return refused(404, "unknown_path", said)
    answer = refused(405, "unknown_method", said)
    answer.headers["Allow"] = ", ".join(methods)
    return answer
