"""Every way in, acknowledged while large traces are compared: by kind of request, how long Slack waits.

    driver: signed requests --> bot (one process) <-- Slack API, trace API (driver)

    one process:  four comparisons of 2 x 10,000 spans under way, all the time
                  command, form, mention, reaction, alert, shortcut, button, ... one after the other, again and again

Run it as: python bench/ways.py [--rounds 20] [--spans 10000]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

sys.path.insert(0, str(Path(__file__).parents[1]))

import aiohttp
from aiohttp import web

from bench.deployment import Commands, Deployment, percentile
from bench.load import Large, Watched
from bot.playground.trace_api import routes
from bot.requests.request import Origin
from bot.slack import forms

if TYPE_CHECKING:
    from collections.abc import Iterator

UNDER_WAY = 4
BUSY, WATCHED = "C0BUSY", "C0WATCHED"
JSON = "application/json"


def requests(number: int, url: str, thread: str) -> Iterator[tuple[str, str, str]]:
    """Yield each way's name, and what Slack sends: the body and its type. Each asks about traces of its own."""
    a, b = (f"{side}{1_000 + number:031x}" for side in "ab")
    asked = {
        "command": "/compare-traces", "team_id": "T1", "channel_id": WATCHED, "user_id": "U1", "user_name": "alice",
        "response_url": f"{url}/response/{WATCHED}/x", "trigger_id": f"t{number}",
    }  # fmt: skip
    yield "command", urlencode({**asked, "text": f"{a} {b}"}), ""
    yield "command: help", urlencode({**asked, "text": "help"}), ""
    yield "command: history", urlencode({**asked, "text": "history"}), ""
    yield "command: form", urlencode({**asked, "text": ""}), ""

    def event(what: dict[str, Any]) -> str:
        envelope = {
            "type": "event_callback",
            "team_id": "T1",
            "api_app_id": "A1",
            "event_id": f"Ev{what['type']}{number}",
        }
        return json.dumps({**envelope, "event": {"channel": WATCHED, "user": "U1", **what}})

    ts = f"1700000000.{number:06}"
    yield "mention", event({"type": "app_mention", "text": f"<@U0BOT> {a} {b}", "ts": ts}), JSON
    item = {"type": "message", "channel": WATCHED, "ts": thread}
    yield "reaction", event({"type": "reaction_added", "reaction": "mag", "item": item}), JSON
    alert = {"type": "message", "bot_id": "B0ALERT", "subtype": "bot_message", "text": f"slow: trace_id={b}", "ts": ts}
    yield "watched alert", event(alert), JSON
    yield "home tab", event({"type": "app_home_opened", "tab": "home", "channel": "D1"}), JSON

    def interaction(what: dict[str, Any]) -> str:
        who = {"team": {"id": "T1"}, "user": {"id": "U1", "username": "alice"}, "trigger_id": f"u{number}"}
        return urlencode({"payload": json.dumps({**who, "channel": {"id": WATCHED, "name": "watched"}, **what})})

    response_url = f"{url}/response/{WATCHED}/x"
    shortcut = {"callback_id": "compare_traces_message", "message": {**alert, "ts": ts}, "message_ts": ts}
    yield "message shortcut", interaction({"type": "message_action", "response_url": response_url, **shortcut}), ""
    yield "global shortcut", interaction({"type": "shortcut", "callback_id": "compare_traces"}), ""
    view = forms.form(Origin(team="T1", channel=WATCHED, user="U1", user_name="alice"), ["jaeger"])
    values = {"suspect": {"value": {"type": "plain_text_input", "value": b}}}
    sent = {"type": "view_submission", "view": {**view, "id": "V1", "state": {"values": values}}}
    yield "form sent off", interaction(sent), ""
    for action in ("details", "useful", "swap"):
        pressed = {
            "type": "block_actions", "actions": [{"type": "button", "action_id": action, "value": "gone"}],
            "response_url": response_url, "container": {"type": "message", "message_ts": thread},
        }  # fmt: skip
        yield f"button: {action}", interaction(pressed), ""


async def measure(rounds: int, spans: int) -> None:
    """Send everything while the process compares, and print a line per way in."""
    slack = Watched({BUSY: "busy", WATCHED: "watched"})
    app = web.Application()
    app.add_routes([*slack.routes(), *routes(Large(spans))])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = slack.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    waits: dict[str, list[float]] = {}
    compared = 0
    with tempfile.TemporaryDirectory() as folder:
        limits = json.dumps({"concurrent": UNDER_WAY, "waiting": 5_000, "per_person": 5_000, "per_channel": 5_000})
        bot = Deployment(Path(folder), url, 0, LIMITS=limits, WATCHED_CHANNELS=json.dumps([WATCHED]))
        try:
            await bot.start()
            async with aiohttp.ClientSession() as session:
                commands = Commands(session, bot.web_port, url)
                for number in range(1, 401):  # more than are answered while the rest is measured
                    await commands.send(number, BUSY, f"a{number:031x} b{number:031x}")
                await slack.began.wait()
                thread = next(its["ts"] for its in slack.messages[BUSY])
                before = len(slack.answered)
                for number in range(rounds):
                    for name, body, kind in requests(number, url, thread):
                        await commands.post(body, kind or "application/x-www-form-urlencoded")
                        waits.setdefault(name, []).append(commands.acks_ms[-1])
                compared = len(slack.answered) - before
        finally:
            await bot.stop()
            await runner.cleanup()
            await slack.aclose()
    print("| way in | acknowledged p50 | p99 | longest |")
    print("|---|---:|---:|---:|")
    for name, its in waits.items():
        print(f"| {name} | {percentile(its, 0.5):.0f} ms | {percentile(its, 0.99):.0f} ms | {max(its):.0f} ms |")
    print(f"{compared} comparisons of 2 x {spans:,} spans were answered meanwhile")


def main() -> int:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--spans", type=int, default=10_000)
    options = parser.parse_args()
    asyncio.run(measure(options.rounds, options.spans))
    return 0


if __name__ == "__main__":
    sys.exit(main())
