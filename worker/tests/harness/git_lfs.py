"""As much of a Git LFS server as a clone and a push need: the batch API, and the objects themselves."""

from __future__ import annotations

import json
from pathlib import Path

from aiohttp import web

_JSON = "application/vnd.git-lfs+json"


def answer(request: web.Request, body: bytes, port: int, objects: Path) -> web.Response:
    if request.path.endswith("/objects/batch"):
        asked = json.loads(body)
        action = asked["operation"]
        told = [
            {"oid": one["oid"], "size": one["size"], "authenticated": True, "actions": {
                action: {"href": f"http://127.0.0.1:{port}/objects/{one['oid']}", "header": {
                    "Authorization": request.headers["Authorization"],
                }},
            }}
            for one in asked["objects"]
        ]  # fmt: skip
        return web.json_response({"transfer": "basic", "objects": told}, content_type=_JSON)
    file = objects / Path(request.path).name
    if not request.path.startswith("/objects/"):
        return web.Response(status=404)
    if request.method == "PUT":
        objects.mkdir(exist_ok=True)
        file.write_bytes(body)
        return web.Response()
    return web.Response(body=file.read_bytes()) if file.exists() else web.Response(status=404)
