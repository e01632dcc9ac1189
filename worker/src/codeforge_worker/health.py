"""`/livez`, `/readyz` and `/metrics` on one port."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web
from prometheus_client import generate_latest

from .metrics import Metrics
from .settings import StartupError


async def serve(port: int, ready: Callable[[], bool], problem: Callable[[], str], metrics: Metrics) -> web.AppRunner:
    """An answer proves life: it comes from the event loop that also sends the heartbeats.

    `problem` says what a person has to repair, also while a run keeps the worker ready; empty for nothing.
    """

    async def livez(_: web.Request) -> web.Response:
        return web.Response(text="alive\n")

    async def readyz(_: web.Request) -> web.Response:
        if ready():
            return web.Response(text="\n".join(filter(None, ("ready", problem()))) + "\n")
        return web.Response(status=503, text=(problem() or "not connected to NATS, draining, or spent") + "\n")

    async def scrape(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(metrics.registry), content_type="text/plain")

    application = web.Application()
    application.add_routes([web.get("/livez", livez), web.get("/readyz", readyz), web.get("/metrics", scrape)])
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, port=port).start()
    except OSError as error:
        raise StartupError(f"port {port} cannot be opened, set CODEFORGE_HTTP_PORT to another: {error}") from error
    return runner
