"""Sentry: an issue (an error, a slow query) or a metric alert (`Critical: ...`, `Resolved: ...`).

An issue's message has the linked title, the culprit, the error's text, chosen tags (`environment: prod`), buttons and
a footer `Project: …    Alert: …    Short ID: …`; the issue's number stays, so it makes the fingerprint. The project
is taken for the service when no tag names one, a culprit that is a route for the operation. Event ids are no trace
ids; a `trace` tag and a link to the trace are.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.alerts.labels import ENVIRONMENT, OPERATION, SERVICE, pick
from bot.alerts.shapes.shape import Said, Shape, host_of, on_host, opening, parameters, state_of, steady, whose

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.alerts.alert import State
    from bot.alerts.content import Content

_ISSUE = re.compile(r"/issues/(\d{1,20})|/alerts/rules/details/(\d{1,20})")
_ROUTE = re.compile(r"(?:(?:GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS) )?/[^\s()]{0,200}")
_DONE = re.compile(r"\b(?:marked (?:this issue )?as resolved|issue resolved|resolved by|resolved in)\b", re.IGNORECASE)


def _recognises(content: Content) -> bool:
    return "sentry" in content.sender.split() or on_host(content.title_url, "sentry.io")


def _read(content: Content, labels: Mapping[str, str]) -> Said:
    link = next((link for link in content.links() if _ISSUE.search(link.url)), None)
    url = link.url if link else content.title_url
    _, name = opening(link.label.strip(" *") if link and link.label else content.title)
    every = dict(labels)
    project = every.get("project", "")
    if project and not pick(every, SERVICE):
        every["service"] = project
    if not pick(every, ENVIRONMENT) and parameters(url).get("environment"):
        every["environment"] = parameters(url)["environment"]
    culprit = next((passage.text for passage in content.passages if _ROUTE.fullmatch(passage.text)), "")
    if culprit and not pick(every, OPERATION):
        every["transaction"] = culprit
    number = _ISSUE.search(url)
    return Said(
        state=_state(content, labels, link.label if link else ""), title=name, url=url, labels=every,
        identity=(host_of(url), number[0]) if number else (steady(name), project, *whose(every)),
    )  # fmt: skip


def _state(content: Content, labels: Mapping[str, str], title: str) -> State:
    """An issue's message fires unless it says that somebody resolved it; a metric alert's title says which."""
    state, _ = opening(title.strip(" *"))
    if state != "unknown":
        return state
    if any(_DONE.search(passage.text) for passage in content.passages):
        return "resolved"
    named = {"state", "first_seen", "short_id"} & set(labels)
    return "firing" if named else state_of(content, labels)


SHAPE = Shape(vendor="sentry", recognises=_recognises, read=_read)
