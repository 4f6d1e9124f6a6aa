"""What people do in modals and on the Home tab: fill in, send off, close, click."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from bot.playground.workspace.acting import Acting
from bot.playground.workspace.app import AppError
from bot.playground.workspace.base import SlackError
from bot.playground.workspace.people import USER

if TYPE_CHECKING:
    from bot.playground.workspace.views import View

TROUBLE = "We had some trouble connecting. Try again?"  # what Slack says when the app does not take a form
HOME_CHANNEL = "D0HOME"


class Filling(Acting):
    """The person at the page, in front of a view of the app."""

    async def submit(self, view_id: str, values: dict[str, Any]) -> dict[str, str]:
        """Send off a modal; returns what is wrong by block id ("" for the whole), {} when it was taken."""
        view = self._view(view_id)
        view["state"] = {"values": values}
        payload = self._payload("view_submission", view=view, response_urls=self._response_urls(view, values))
        try:
            answer = await self.app.interact(payload)
        except AppError:
            return {"": TROUBLE}
        match answer.get("response_action"):
            case "errors":
                return dict(answer.get("errors") or {})
            case "update":
                fresh = self._shown(answer.get("view"), "modal")
                view.update({**fresh, "id": view["id"], "root_view_id": view["root_view_id"]})
            case "push":
                self._stack(self._shown(answer.get("view"), "modal"))
            case "clear":
                self.views.clear()
            case _ if view in self.views:  # the app may have closed it meanwhile
                self.views.remove(view)
        self._changed()
        return {}

    async def close(self, view_id: str, *, everything: bool = False) -> None:
        """Close a modal, or all of them; the app hears of it where it asked to."""
        view = self._view(view_id)
        closed = self.views[:] if everything or view.get("clear_on_close") else [view]
        self.views = [other for other in self.views if other not in closed]
        self._changed()
        for one in closed:
            if one.get("notify_on_close"):
                with suppress(AppError):
                    await self.app.interact(self._payload("view_closed", view=one, is_cleared=len(closed) > 1))

    async def click_in_view(self, view_id: str, element: dict[str, Any], block_id: str, values: dict[str, Any]) -> None:
        """Click a button of a modal or of the Home tab; raises `AppError`."""
        view = self._view(view_id)
        view["state"] = {"values": values}
        await self.app.interact(self._payload(
            "block_actions", container={"type": "view", "view_id": view_id}, view=view,
            actions=[{**element, "block_id": block_id, "action_ts": self._ts("")}],
        ))  # fmt: skip

    def open_home(self) -> None:
        """Look at the app's Home tab: the app is told, and publishes it."""
        shown = {"view": self.home} if self.home else {}
        self.app.notify({
            "type": "app_home_opened", "user": USER, "channel": HOME_CHANNEL, "tab": "home",
            "event_ts": self._ts(""), **shown,
        })  # fmt: skip

    def _view(self, view_id: str) -> View:
        known = [*self.views, *([self.home] if self.home else [])]
        for view in known:
            if view["id"] == view_id:
                return view
        raise SlackError("not_found")

    def _response_urls(self, view: View, values: dict[str, Any]) -> list[dict[str, str]]:
        """Return an address for each channel that was chosen where the app asked for one."""
        found = []
        for block in view["blocks"]:
            element = block.get("element") or {}
            if not element.get("response_url_enabled"):
                continue
            chosen = values.get(block["block_id"], {}).get(element["action_id"], {}).get("selected_conversation")
            if chosen:
                found.append({
                    "block_id": block["block_id"], "action_id": element["action_id"], "channel_id": chosen,
                    "response_url": self.response_url(chosen),
                })  # fmt: skip
        return found
