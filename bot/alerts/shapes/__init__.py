"""The shapes that are known, in the order in which they are tried: a message that quotes another vendor's alert is
the quoting vendor's. The last one takes anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.alerts.shapes import alertmanager, datadog, generic, grafana, opsgenie, pagerduty, sentry

if TYPE_CHECKING:
    from bot.alerts.content import Content
    from bot.alerts.shapes.shape import Shape

SHAPES = (
    pagerduty.SHAPE, opsgenie.SHAPE, sentry.SHAPE, datadog.SHAPE, grafana.SHAPE, alertmanager.SHAPE, generic.SHAPE,
)  # fmt: skip


def shape_of(content: Content) -> Shape:
    """Return whose alert a message is."""
    return next(shape for shape in SHAPES if shape.recognises(content))
