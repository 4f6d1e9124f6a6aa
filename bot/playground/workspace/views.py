"""Modals of the workspace."""

from __future__ import annotations

import uuid
from typing import Any

from bot.playground.workspace.base import Answer, Arguments, Base, SlackError
from bot.slack.limits import view_problems

View = dict[str, Any]


class Views(Base):
    """views.*"""

    def __init__(self, channels: dict[str, str]) -> None:
        super().__init__(channels)
        self.views: list[View] = []  # modals that are open, the newest last

    def do_views_open(self, arguments: Arguments) -> Answer:
        """views.open: a trigger opens one view"""
        trigger, view = str(arguments.get("trigger_id") or ""), arguments.get("view")
        if not trigger:
            raise SlackError("invalid_trigger_id")
        if any(open_view["trigger_id"] == trigger for open_view in self.views):
            raise SlackError("exchanged_trigger_id")
        if not isinstance(view, dict) or view.get("type") != "modal" or view_problems(view):
            raise SlackError("invalid_arguments")
        shown = {
            **view, "id": f"V{len(self.views):08d}", "hash": uuid.uuid4().hex, "trigger_id": trigger,
            "state": {"values": {}},
        }  # fmt: skip
        self.views.append(shown)
        self._changed()
        return {"view": shown}

    def do_views_update(self, arguments: Arguments) -> Answer:
        """views.update: another content of an open view, where nobody else was quicker"""
        view = arguments.get("view")
        shown = next((open_view for open_view in self.views if open_view["id"] == arguments.get("view_id")), None)
        if shown is None:
            raise SlackError("not_found")
        if arguments.get("hash") and arguments["hash"] != shown["hash"]:
            raise SlackError("hash_conflict")
        if not isinstance(view, dict) or view_problems(view):
            raise SlackError("invalid_arguments")
        shown.update(view, hash=uuid.uuid4().hex)
        self._changed()
        return {"view": shown}
