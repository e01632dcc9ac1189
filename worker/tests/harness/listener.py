"""A server of somebody else's: it notes what it is asked and with which credential, and asks for one."""

from __future__ import annotations

from aiohttp import web

from .ports import free_port


class Listener:
    """`leads_to`: where it sends whoever has given a credential."""

    def __init__(self, leads_to: str = "") -> None:
        self._leads_to = leads_to
        self._port = free_port()
        self._runner: web.AppRunner | None = None
        self.asked: list[str] = []
        self.credentials: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/demo.git"

    @property
    def prefix(self) -> str:
        return f"http://127.0.0.1:{self._port}/"

    async def start(self) -> None:
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(application)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()

    async def stop(self) -> None:
        if self._runner:
            await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        given = request.headers.get("Authorization")
        if given:
            self.credentials.append(given)
            if self._leads_to:
                return web.Response(status=302, headers={"Location": self._leads_to + request.path_qs})
        return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="elsewhere"'})
