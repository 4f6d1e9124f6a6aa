"""Modals and the Home tab: opened by a trigger, stacked, updated, published."""

from __future__ import annotations

import copy
import time
import uuid
from typing import TYPE_CHECKING, Any

from bot.playground.workspace.base import Answer, Arguments, Base, SlackError
from bot.playground.workspace.people import APP_ID, BOT_ID, TEAM, USER
from bot.slack.limits import view_problems

if TYPE_CHECKING:
    from bot.playground.workspace.app import App

View = dict[str, Any]

TRIGGER_S = 3.0  # how long an action may open a modal
MOST_STACKED = 3


class Views(Base):
    """views.*"""

    def __init__(self, app: App, channels: dict[str, str]) -> None:
        super().__init__(app, channels)
        self.views: list[View] = []  # modals that are open, the newest last
        self.home: View | None = None
        self._triggers: dict[str, float | None] = {}  # when it was given; None once it was used

    def trigger(self) -> str:
        """Give out a trigger: it opens one view, within three seconds."""
        trigger = uuid.uuid4().hex
        self._triggers[trigger] = self._clock()
        return trigger

    def do_views_open(self, arguments: Arguments) -> Answer:
        """views.open"""
        return self._open(arguments)

    def do_views_push(self, arguments: Arguments) -> Answer:
        """views.push: another one on top"""
        if not self.views:
            raise SlackError("not_found")
        if len(self.views) >= MOST_STACKED:
            raise SlackError("push_limit_reached")
        return self._open(arguments)

    def do_views_update(self, arguments: Arguments) -> Answer:
        """views.update"""
        wanted, name = str(arguments.get("view_id") or ""), arguments.get("external_id")
        known = [*self.views, *([self.home] if self.home else [])]
        view = next((v for v in known if v["id"] == wanted or (name and v.get("external_id") == name)), None)
        if view is None:
            raise SlackError("not_found")
        _same(view, arguments)
        fresh = self._shown(arguments.get("view"), view["type"])
        view.update({**fresh, "id": view["id"], "root_view_id": view["root_view_id"]})
        self._changed()
        return {"view": view}

    def do_views_publish(self, arguments: Arguments) -> Answer:
        """views.publish: a person's Home tab"""
        if not self.app.has_home and self.app.scopes is not None:
            raise SlackError("not_enabled")
        if arguments.get("user_id") != USER:
            raise SlackError("invalid_arguments")
        if self.home is not None:
            _same(self.home, arguments)
        self.home = self._shown(arguments.get("view"), "home") | ({"id": self.home["id"]} if self.home else {})
        self._changed()
        return {"view": self.home}

    def _open(self, arguments: Arguments) -> Answer:
        trigger = str(arguments.get("trigger_id") or "")
        if trigger not in self._triggers:
            raise SlackError("invalid_trigger_id")
        given = self._triggers[trigger]
        if given is None:
            raise SlackError("exchanged_trigger_id")
        if self._clock() - given > TRIGGER_S:
            raise SlackError("expired_trigger_id")
        view = self._shown(arguments.get("view"), "modal")
        self._triggers[trigger] = None
        self._stack(view)
        return {"view": view}

    def _stack(self, view: View) -> None:
        below = self.views[-1] if self.views else None
        view["previous_view_id"] = below and below["id"]
        view["root_view_id"] = below["root_view_id"] if below else view["id"]
        self.views.append(view)
        self._changed()

    def _shown(self, view: object, kind: str) -> View:
        """Return a view as Slack keeps it; raises `SlackError` for what Slack would not show."""
        if not isinstance(view, dict) or view.get("type") != kind or objections(view):
            raise SlackError("invalid_arguments")
        view = copy.deepcopy(view)
        for number, block in enumerate(view["blocks"]):
            block.setdefault("block_id", f"block-{number}")
            if "element" in block:
                block["element"].setdefault("action_id", f"action-{number}")
        view_id = f"V{uuid.uuid4().hex[:10].upper()}"
        return {
            "callback_id": "", "private_metadata": "", "external_id": "", "clear_on_close": False,
            "notify_on_close": False, **view, "id": view_id, "root_view_id": view_id, "previous_view_id": None,
            "team_id": TEAM, "app_id": APP_ID, "bot_id": BOT_ID, "state": {"values": {}},
            "hash": f"{time.time():.6f}.{uuid.uuid4().hex[:8]}",
        }  # fmt: skip

    def _clock(self) -> float:
        return time.monotonic()


def _same(view: View, arguments: Arguments) -> None:
    """Refuse an update that was made for what the view no longer is."""
    if arguments.get("hash") and arguments["hash"] != view["hash"]:
        raise SlackError("hash_conflict")


def objections(view: View) -> list[str]:
    """Say what Slack would refuse in a view; empty when it would show it."""
    found = view_problems(view)
    if view["type"] == "modal":
        if not (view.get("title") or {}).get("text"):
            found.append("no title")
        if "submit" not in view and any(block["type"] == "input" for block in view["blocks"]):
            found.append("inputs without a submit button")
    names = [block["block_id"] for block in view.get("blocks") or [] if "block_id" in block]
    if len(set(names)) < len(names):
        found.append("two blocks have one id")
    return found
