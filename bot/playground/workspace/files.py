"""Files that are shared in the workspace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.playground.uploads import UploadError, Uploads
from bot.playground.workspace.base import Answer, Arguments, SlackError
from bot.playground.workspace.messages import Messages

if TYPE_CHECKING:
    from bot.playground.workspace.app import App


class Files(Messages):
    """files.*"""

    def __init__(self, app: App, channels: dict[str, str]) -> None:
        super().__init__(app, channels)
        self.uploads = Uploads()

    def do_files_getUploadURLExternal(self, arguments: Arguments) -> Answer:  # noqa: N802 - Slack's name
        """files.getUploadURLExternal"""
        try:
            return self.uploads.announce(arguments, self.base_url)
        except UploadError as error:
            raise SlackError(str(error)) from None

    def do_files_completeUploadExternal(self, arguments: Arguments) -> Answer:  # noqa: N802 - Slack's name
        """files.completeUploadExternal: one message that shares the files"""
        channel = self._channel({"channel": arguments.get("channel_id")})
        try:
            files = self.uploads.shared(arguments.get("files") or [])
        except UploadError as error:
            raise SlackError(str(error)) from None
        message = self._message(channel, {"text": arguments.get("initial_comment") or "-"})
        self._put(channel, message | {"subtype": "file_share", "files": files} | self._in_thread(channel, arguments))
        return {"files": files}
