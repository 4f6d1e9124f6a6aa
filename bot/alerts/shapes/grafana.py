"""Grafana Alerting: one attachment with the footer "Grafana v…", titled as Alertmanager's, linked to the rule.

Its text lists firing alerts, then resolved ones, each with value, labels, annotations and links (rule, silence,
dashboard, panel). The link to the rule holds the rule's uid, which stays when people rename it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.alerts.shapes.shape import Said, Shape, host_of, opening, silenced_labels, state_of, steady, whose

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.alerts.content import Content

_RULE = re.compile(r"/alerting/(?:grafana/)?([\w\-]{4,60})/(?:view|edit)")
_COMMON = re.compile(r"\s*\([^()]*\)\s*$")


def _recognises(content: Content) -> bool:
    if content.footer.lower().startswith("grafana v") or "grafana" in content.sender:
        return True
    return any("/alerting/silence/new" in link.url or _RULE.search(link.url) for link in content.links())


def _read(content: Content, labels: Mapping[str, str]) -> Said:
    every = silenced_labels(content) | dict(labels)
    _, rest = opening(content.title)
    rule = _RULE.search(content.title_url)
    name = rule[1] if rule else steady(_COMMON.sub("", rest) or rest)
    return Said(
        state=state_of(content, labels), title=rest, labels=every,
        identity=(host_of(content.title_url), name, *whose(every)),
    )  # fmt: skip


SHAPE = Shape(vendor="grafana", recognises=_recognises, read=_read)
