"""The rights (scopes) that the app asks Slack for; the manifests declare the same."""

from __future__ import annotations

SCOPES = (
    "commands", "chat:write", "app_mentions:read", "reactions:read", "channels:history", "groups:history",
    "channels:read", "groups:read",
)  # fmt: skip
OPTIONAL_SCOPES = ("files:write", "usergroups:read")  # answers are complete without them
