"""The form: opened by the global shortcut (and by the slash command without a word), and sent off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from bot.errors import UserError
from bot.inquiry import audit
from bot.requests.request import Origin
from bot.slack import forms

if TYPE_CHECKING:
    from slack_bolt.async_app import AsyncAck, AsyncApp

    from bot.listeners.desk import Desk

SHORTCUT = "compare_traces"


class Form:
    """Opens the form from anywhere, and reads it."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def register(self, app: AsyncApp) -> None:
        """Listen."""
        app.global_shortcut(SHORTCUT)(self.on_shortcut)
        app.view(forms.FORM)(self.on_sent)

    async def on_shortcut(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """The shortcut that works anywhere in Slack: it names no channel, so the form asks for one."""
        await ack()
        origin = _by(body, Origin(team=(body.get("team") or {}).get("id") or "", channel="", user="", user_name=""))
        self._desk.work(origin, self._desk.open_form(body.get("trigger_id") or "", origin))

    async def on_sent(self, ack: AsyncAck, body: dict[str, Any], view: dict[str, Any]) -> None:
        """Read the form; what is wrong is said at its field, and the form stays open."""
        try:
            origin = _by(body, forms.read_origin(view))
        except msgspec.DecodeError:  # opened before an update
            await ack(response_action="errors", errors={forms.SUSPECT: "This form is too old; please open it again."})
            return
        for answer_to in body.get("response_urls") or ():
            if answer_to.get("channel_id") == origin.channel:
                origin = msgspec.structs.replace(origin, response_url=answer_to.get("response_url"))
        try:
            request = forms.read_form(view, self._desk.sources.hosts, self._desk.source_names(origin.channel))
            self._desk.take(request, origin)
        except forms.FormError as error:
            await ack(response_action="errors", errors=error.fields)
        except UserError as error:
            audit.ended(origin, "refused", error.code)
            await ack(response_action="errors", errors={forms.SUSPECT: str(error)})
        else:
            await ack()


def _by(body: dict[str, Any], origin: Origin) -> Origin:
    """Return where a request comes from, with the person who acted."""
    user = body["user"]
    name = user.get("username") or user.get("name") or user["id"]
    return msgspec.structs.replace(origin, user=user["id"], user_name=name)
