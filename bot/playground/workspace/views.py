"""Modals of the workspace."""

from __future__ import annotations

from typing import Any

from bot.playground.workspace.base import Answer, Arguments, Base, SlackError

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
        if not isinstance(view, dict) or view.get("type") != "modal" or not view.get("blocks"):
            raise SlackError("invalid_arguments")
        shown = {**view, "id": f"V{len(self.views):08d}", "trigger_id": trigger, "state": {"values": {}}}
        self.views.append(shown)
        self._changed()
        return {"view": shown}
