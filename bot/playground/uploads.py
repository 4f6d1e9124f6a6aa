"""Files of the playground's workspace: an address to send each to, then shared together, as Slack does it."""

from __future__ import annotations

import uuid
from typing import Any

from aiohttp import web
from msgspec import Struct

KINDS = {".png": "image/png", ".json": "application/json", ".md": "text/markdown"}
MAX_FILE_BYTES = 8 * 1024 * 1024


class UploadError(Exception):
    """An error that Slack would answer."""


class Upload(Struct, kw_only=True):
    """One file: announced, then received."""

    name: str
    length: int
    alt_text: str
    body: bytes | None = None


class Uploads:
    """The files, by id."""

    def __init__(self) -> None:
        self.files: dict[str, Upload] = {}

    def routes(self) -> list[web.RouteDef]:
        """Return where files are sent to, and where the page shows them from."""
        return [web.post("/upload/{id}", self._receive), web.get("/file/{id}", self._show)]

    def announce(self, arguments: dict[str, Any], base_url: str) -> dict[str, Any]:
        """files.getUploadURLExternal"""
        name, length = str(arguments.get("filename") or ""), int(arguments.get("length") or 0)
        if not name or length <= 0:
            raise UploadError("invalid_arguments")
        file_id = f"F{uuid.uuid4().hex[:10].upper()}"
        self.files[file_id] = Upload(name=name, length=length, alt_text=str(arguments.get("alt_txt") or ""))
        return {"upload_url": f"{base_url}/upload/{file_id}", "file_id": file_id}

    def shared(self, wanted: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return the file objects of a message; raises `UploadError` for a file that was not received."""
        found = []
        for its in wanted:
            upload = self.files.get(str(its.get("id")))
            if upload is None or upload.body is None:
                raise UploadError("file_not_found")
            kind = next((kind for end, kind in KINDS.items() if upload.name.endswith(end)), "text/plain")
            found.append({
                "id": its["id"], "name": upload.name, "title": its.get("title") or upload.name, "mimetype": kind,
                "alt_txt": upload.alt_text, "size": upload.length, "url_private": f"/file/{its['id']}",
            })  # fmt: skip
        return found

    async def _receive(self, request: web.Request) -> web.Response:
        upload = self.files.get(request.match_info["id"])
        body = await request.read()
        if upload is None or len(body) != upload.length or len(body) > MAX_FILE_BYTES:
            return web.Response(status=400, text="not what was announced")
        upload.body = body
        return web.Response(text=f"OK - {len(body)}")

    async def _show(self, request: web.Request) -> web.Response:
        upload = self.files.get(request.match_info["id"])
        if upload is None or upload.body is None:
            raise web.HTTPNotFound
        kind = "image/png" if upload.name.endswith(".png") else "text/plain"
        return web.Response(body=upload.body, content_type=kind, headers={"X-Content-Type-Options": "nosniff"})
