"""An alert, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.requests.request import TraceRef

State = Literal["firing", "resolved", "unknown"]
Vendor = Literal["alertmanager", "grafana", "datadog", "pagerduty", "sentry", "opsgenie", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """What one message says about what is wrong.

    `references`: the traces it names, most relevant first, each once, at most `trace_ids.MAX_REFERENCES`; `found` is
    how many different ones there were. `service`, `operation` and the like are "" where nothing says them; they are
    those of the first alert when a message groups several. `labels` holds all labels under their names in lower case
    with underscores for blanks and dashes; the first value of each wins. `window` is when the trouble was, in Unix
    seconds (`times.find_window` states the rule); `window_said` tells that the alert itself gave a time for it.
    `fingerprint` is the same for every message about the same alert (fired again, edited, resolved) and another for
    another alert.
    """

    references: tuple[TraceRef, ...]
    found: int
    service: str
    operation: str
    environment: str
    namespace: str
    severity: str
    labels: Mapping[str, str]
    window: tuple[int, int] | None
    window_said: bool
    state: State
    fingerprint: str
    vendor: Vendor
    title: str
    url: str
