"""PagerDuty: an incident with its number and title as a link, and lines for service, urgency and who is assigned.

The same message is edited when the incident is acknowledged or resolved. Each time a problem comes back it is
another incident, so the fingerprint is made of the title and the service, not of the incident's id. What the
monitoring tool sent (trace ids, links) stands in the details, as that tool wrote it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.alerts.shapes.shape import Said, Shape, on_host, opening, state_of, steady, whose

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.alerts.alert import State
    from bot.alerts.content import Content

_NUMBER = re.compile(r"^\W*(?:\[?#\d{1,12}\]?)[\s:\-]*")
_STATUS = re.compile(r"^\W*(?:status:?\W*)?(triggered|acknowledged|resolved)\b", re.IGNORECASE | re.MULTILINE)
_NOT_A_TITLE = re.compile(r"#?\d*|view.*|open.*|details", re.IGNORECASE)


def _incident(url: str) -> bool:
    return on_host(url, "pagerduty.com") and "/incidents/" in url


def _recognises(content: Content) -> bool:
    return "pagerduty" in content.sender.replace(" ", "") or _incident(content.title_url)


def _read(content: Content, labels: Mapping[str, str]) -> Said:
    links = [link for link in content.links() if _incident(link.url)]
    named = next((link for link in links if not _NOT_A_TITLE.fullmatch(link.label.strip())), None)
    name = opening(_NUMBER.sub("", opening(named.label if named else content.title)[1]))[1] or content.title
    return Said(
        state=_state(content, labels), title=name[:300], url=links[0].url if links else content.title_url,
        identity=(steady(name), *whose(labels)),
    )  # fmt: skip


def _state(content: Content, labels: Mapping[str, str]) -> State:
    """An edited message says what became of the incident in a line of its own; an acknowledged one still fires."""
    said = {status.lower() for passage in content.passages for status in _STATUS.findall(passage.text)}
    if "resolved" in said:
        return "resolved"
    return "firing" if said else state_of(content, labels)


SHAPE = Shape(vendor="pagerduty", recognises=_recognises, read=_read)
