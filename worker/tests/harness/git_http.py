"""Git's own HTTP backend behind a password: `git_http.py PORT ROOT PASSWORD`."""

from __future__ import annotations

import asyncio
import base64
import os
import sys
from pathlib import Path

# As a program of its own it sees nothing but what it is told to.
sys.path.insert(0, str(Path(__file__).parent))

import git_lfs
from aiohttp import web

PORT, ROOT, PASSWORD = int(sys.argv[1]), sys.argv[2], sys.argv[3]
_EXPECTED = "Basic " + base64.b64encode(f"agent:{PASSWORD}".encode()).decode()


async def handle(request: web.Request) -> web.Response:
    if request.headers.get("Authorization") != _EXPECTED:
        return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="git"'})
    body = await request.read()
    if "/info/lfs/" in request.path or request.path.startswith("/objects/"):
        return git_lfs.answer(request, body, PORT, Path(ROOT) / "objects")
    backend = await asyncio.create_subprocess_exec(
        "git", "http-backend",
        env={
            "PATH": os.environ["PATH"], "GIT_PROJECT_ROOT": ROOT, "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": request.path, "QUERY_STRING": request.query_string, "REQUEST_METHOD": request.method,
            "CONTENT_TYPE": request.headers.get("Content-Type", ""), "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""), "REMOTE_USER": "agent",
        },
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    answer, _ = await backend.communicate(body)
    head, _, content = answer.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
    status = int(headers.pop("Status", "200").split()[0])
    return web.Response(status=status, headers=headers, body=content)


application = web.Application(client_max_size=2**24)
application.router.add_route("*", "/{path:.*}", handle)
web.run_app(application, host="127.0.0.1", port=PORT, print=None)
