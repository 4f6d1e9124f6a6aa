"""Messages as alert senders write them, about requests that the sample traces record."""

from __future__ import annotations

AT = 1_795_487_300  # unix seconds: minutes after the sample traces ran
STARTED = "2026-11-24T02:20:00Z"


def fired(
    *ids: str, service: str = "gateway", operation: str = "POST /api/checkout", name: str = "CheckoutSlow",
    state: str = "FIRING:1", ts: str = f"{AT}.000100",
) -> dict:  # fmt: skip
    """Return what Alertmanager posts: one attachment, labels in its text."""
    labels = {"alertname": name, "service": service, "span_name": operation, "started": STARTED}
    lines = [f"  • *{label}:* `{value}`" for label, value in labels.items() if value]
    lines += [f"  • *trace_id:* `{trace_id}`" for trace_id in ids]
    return {
        "type": "message", "subtype": "bot_message", "bot_id": "B0ALERT", "username": "AlertManager", "text": "",
        "ts": ts,
        "attachments": [{
            "id": 1, "color": "a30200" if state.startswith("FIRING") else "2eb886",
            "title": f"[{state}] {name}", "title_link": "https://alertmanager.example/#/alerts?receiver=slack",
            "fallback": f"[{state}] {name} | https://alertmanager.example/#/alerts?receiver=slack",
            "text": "*Details:*\n" + "\n".join(lines), "mrkdwn_in": ["fallback", "pretext", "text"],
        }],
    }  # fmt: skip
