"""From what an alert says to what is compared."""

from __future__ import annotations

import pytest
from alert_messages import AT, fired

from bot.alerts import read_alert
from bot.alerts.alert_request import request_about
from bot.errors import UserError

A, B, C = "4bf92f3577b34da6a3ce929d0e0e4736", "0af7651916cd43dd8448eb211c80319c", "5b8aa5a2d2c872e8321cf37308d69df2"


def asked(message: dict):
    """Return what is compared for a message."""
    return request_about(read_alert(message, {}))


def named(message: dict) -> tuple[str | None, str | None]:
    """Return the two traces that are compared for a message."""
    request = asked(message)
    return request.baseline and request.baseline.trace_id, request.suspect and request.suspect.trace_id


def written(*ids: str) -> dict:
    """Return what a person writes about some traces."""
    return {"type": "message", "user": "U0ALICE", "ts": f"{AT}.000100", "text": " ".join(f"trace_id={i}" for i in ids)}


def test_traces_that_a_person_names_are_compared() -> None:
    """One with a typical one, two with each other, of more the first two."""
    assert named(written(A)) == (None, A)
    assert named(written(A, B)) == (A, B)
    assert asked(written(A, B)).note == ""
    assert named(written(A, B, C)) == (A, B)
    assert asked(written(A, B, C)).note == "the message names 3 traces: these are the first two"


def test_of_the_traces_of_an_alert_the_first_is_compared_with_a_typical_one() -> None:
    """A grouped alert names a trace per alert: two of them are two troubles, not a healthy and a sick request."""
    assert named(fired(A)) == (None, A)
    assert named(fired(A, B)) == (None, A)
    assert asked(fired(A, B)).note == "the message names 2 traces: this is the first one"


def test_without_a_trace_the_labels_say_what_to_look_for() -> None:
    """Service, operation, and the time of the trouble: from a while before its start until the message."""
    request = asked(fired())
    assert (request.baseline, request.suspect) == (None, None)
    assert (request.clue.service, request.clue.operation) == ("gateway", "POST /api/checkout")
    assert request.clue.window[0] < AT - 300
    assert request.clue.window[1] == AT
    assert asked(fired(operation="")).clue.operation is None


def test_messages_about_the_same_alert_are_known_by_its_fingerprint() -> None:
    """Another time and another trace do not make it another alert; another rule does."""
    first = asked(fired(A))
    assert first.alert
    assert asked(fired(B, ts=f"{AT + 600}.000100")).alert == first.alert
    assert asked(fired(A, name="CheckoutErrors")).alert != first.alert


@pytest.mark.parametrize(
    ("name", "failing"),
    [
        ("CheckoutSlow", False), ("HighErrorRate", True), ("HighLatency", False), ("Http5xx", True),
        ("p99 latency of failing requests", False), ("CheckoutUnavailable", True), ("CartTrouble", False),
    ],
)  # fmt: skip
def test_an_alert_about_errors_is_told_from_one_about_time(name, failing) -> None:
    """The words of the rule decide which request shows the trouble: a failing or a slow one."""
    assert asked(fired(name=name)).clue.failing is failing


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ({"type": "message", "user": "U1", "text": "lunch?", "ts": "1.2"}, "neither a trace"),
        ({"type": "message", "subtype": "bot_message", "bot_id": "B1", "text": "[FIRING:1] DiskFull"}, "neither a trace"),
        ({k: v for k, v in fired().items() if k != "ts"}, None),
    ],
)  # fmt: skip
def test_a_message_that_says_too_little_is_refused_with_a_sentence(message, said) -> None:
    """Which trace, or at least which service and when: something has to be said."""
    if said is None:  # the alert's own time is enough
        assert asked(message).clue.window
        return
    with pytest.raises(UserError, match=said):
        asked(message)


def test_a_service_without_any_time_is_refused_with_a_sentence() -> None:
    """There would be no end to searching."""
    message = {k: v for k, v in fired().items() if k != "ts"}
    message["attachments"][0]["text"] = "*Details:*\n  • *alertname:* `X`\n  • *service:* `gateway`"
    with pytest.raises(UserError, match="neither which trace nor when"):
        asked(message)
