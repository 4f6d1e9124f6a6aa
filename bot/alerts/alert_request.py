"""From what an alert says to what is to be compared. Pure.

two traces or more:    in a person's words the first two, A before B; in a program's alert the first one: the others
                       are of other alerts in the same message, or further examples
one:                   that one with a typical one
none, but a service:   one of its requests in the time of the alert, slow or failing, with a typical one
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.errors import UserError
from bot.requests.request import Clue, CompareRequest

if TYPE_CHECKING:
    from bot.alerts import Alert

_ERRORS = re.compile(
    r"error|fail|5xx|\b5\d\d\b|exception|crash|panic|fatal|unavailab|availability|success.?rate|reject", re.IGNORECASE
)
_TIME = re.compile(r"latenc|slow|duration|response.?time|\bp\d\d\d?\b|apdex|percentile|seconds\b", re.IGNORECASE)
_NAMES = ("alertname", "rule", "rule_name", "monitor", "monitor_name", "summary", "description")


def request_about(alert: Alert | None) -> CompareRequest:
    """Return what to compare for an alert; raises `UserError` where there is nothing to go by."""
    if alert is None or not (alert.references or alert.service):
        raise UserError("nothing-in-message")
    if alert.references:
        together = 2 if alert.vendor == "unknown" else 1
        *before, suspect = alert.references[:together]
        which = "these are the first two" if before else "this is the first one"
        note = f"the message names {alert.found} traces: {which}" if alert.found > together else ""
        return CompareRequest(
            baseline=before[0] if before else None, suspect=suspect, alert=alert.fingerprint, note=note
        )
    if alert.window is None:
        raise UserError("no-time-in-message", service=alert.service)
    clue = Clue(
        service=alert.service, operation=alert.operation or None, window=alert.window, failing=_is_about_errors(alert)
    )
    return CompareRequest(baseline=None, suspect=None, clue=clue, alert=alert.fingerprint)


def _is_about_errors(alert: Alert) -> bool:
    """Tell whether an alert is about failing requests rather than slow ones, by the words of its rule."""
    words = " ".join([alert.title, *(alert.labels.get(name, "") for name in _NAMES)])
    return alert.vendor == "sentry" or (bool(_ERRORS.search(words)) and not _TIME.search(words))
