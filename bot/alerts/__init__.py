"""What an alert message says: traces, labels, times and state, whoever sent it. Pure: a message in, a value out.

`read_alert` takes a message as Slack delivers it and returns an `Alert`, or None for a message that has nothing
to compare. The steps, each in a file: `content` flattens the message into passages of plain text with their links,
`shapes` tells whose alert it is, `trace_ids`, `labels` and `times` read the passages, `reading` puts it together.
"""

from bot.alerts.alert import Alert, State, Vendor
from bot.alerts.reading import is_alert, read_alert

__all__ = ["Alert", "State", "Vendor", "is_alert", "read_alert"]
