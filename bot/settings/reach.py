"""What one channel, or one program, may ask: the part of the settings that says it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

PROGRAM = "program:"  # begins what stands for the channel where a program asks; no channel's id does
API = "api"  # what the program is called whose token is API_TOKEN


class Reach(BaseModel):
    """What one channel, or one program, may ask."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sources: tuple[str, ...] = Field((), description="sources that may be asked; empty: all")
    tenant: str | None = Field(
        None, description="tenant to ask for when none is given; default: the first of `tenants`"
    )
    tenants: tuple[str, ...] = Field((), description="tenants that may be asked for; empty: any")
    logs: tuple[str, ...] = Field((), description="`[[logs]]` that its answers may draw on; empty: all")
    metrics: tuple[str, ...] = Field((), description="`[[metrics]]` that its answers may draw on; empty: all")


class ChannelSettings(Reach):
    """What one channel may use."""


class TokenSettings(Reach):
    """One program that may ask over HTTP or MCP, and what it may use."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$", description="what the log calls it")
    token_env: str = Field(
        min_length=1,
        description="environment variable that holds its bearer token; with `_FILE` added, one that names a file",
    )
