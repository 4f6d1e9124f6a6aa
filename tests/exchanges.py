"""Recorded exchanges with real trace backends, for decoding and for replaying through a local server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from msgspec import Struct

FOLDER = Path(__file__).parent / "data" / "exchanges"


class Exchange(Struct, frozen=True):
    """One recorded answer."""

    status: int
    headers: dict[str, str]
    body: bytes
    path: str


def exchange(server: str, name: str) -> Exchange:
    """Read a recorded exchange."""
    meta: dict[str, Any] = json.loads((FOLDER / server / f"{name}.meta.json").read_text())
    response = meta["response"]
    body = (FOLDER / server / response["body_file"]).read_bytes() if response.get("body_file") else b""
    headers = {key.title(): value for key, value in response["headers"]}
    return Exchange(response["status"], headers, body, "/" + meta["request"]["url"].split("/", 3)[3])


def body(server: str, name: str) -> bytes:
    """Read the body of a recorded exchange."""
    return exchange(server, name).body
