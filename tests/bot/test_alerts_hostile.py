"""Hostile messages: anything may stand anywhere, of any size and depth, and reading it ends, soon, without an error."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from proving import examples

from bot.alerts import is_alert, read_alert

DATA = Path(__file__).parents[1] / "data" / "alerts"
HOSTS = {"jaeger.example": "jaeger", "grafana.example": "tempo"}
A = "4bf92f3577b34da6a3ce929d0e0e4736"
SAMPLES = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(DATA.glob("*.json"))]

WORDS = st.sampled_from(
    [
        A, f"trace_id={A}", f"<https://jaeger.example/trace/{A}|x>", "<https://[bad|", "https://jaeger.example:99999/trace/1",
        "<!date^99999999999^x {date}|y>", "*Service:*\n", "[FIRING:1] a (b)", "startsAt=9999-99-99T99:99:99Z", "&amp;&lt;",
        "<https://grafana.example/explore?panes=%7B%22a%22%3A[1e999%2Cnull]%7D>", "\ud800", "\u0000", "service=", "٣" * 16,
        "https://grafana.example/explore?left=[%22999999999999999999999%22,%22-1%22]", "[a](https://x", "99999999999999999999",
    ]
)  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40) | WORDS,
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.sampled_from(
            ["type", "text", "elements", "fields", "title", "title_link", "url", "value", "rows", "blocks", "attachments",
             "actions", "message", "accessory", "footer", "ts", "color", "subtype", "bot_id", "event_payload"]
        ), inner, max_size=5,
    ),
    max_leaves=20,
)  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every value inside a message."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path] + [deeper for key, item in inner for deeper in places(item, (*path, key))]


def put(value: Any, path: tuple[Any, ...], other: Any) -> Any:
    """Return a copy of a message with another value in one place."""
    if not path:
        return other
    if isinstance(value, dict):
        return {key: put(item, path[1:], other) if key == path[0] else item for key, item in value.items()}
    return [put(item, path[1:], other) if number == path[0] else item for number, item in enumerate(value)]


@given(st.data())
@examples(40)
def test_anything_may_stand_in_the_place_of_anything(data) -> None:
    """Whatever replaces any one value of a real alert, reading it gives an alert or None."""
    message = data.draw(st.sampled_from(SAMPLES))
    path = data.draw(st.sampled_from([path for path in places(message) if path]))
    read_alert(put(message, path, data.draw(JSON)), HOSTS)
    is_alert(put(message, path, data.draw(JSON)), own={"B1"})


@given(
    st.dictionaries(
        st.text(max_size=12) | st.sampled_from(["text", "blocks", "attachments", "message", "files", "metadata", "ts"]),
        JSON,
    )
)
@examples(40)
def test_any_object_may_come_as_a_message(message) -> None:
    """No object makes reading fail, and what is returned is text where text is promised."""
    alert = read_alert(message, HOSTS)
    if alert is not None:
        assert len(alert.fingerprint) == 32
        assert all(isinstance(text, str) for text in (alert.title, alert.url, alert.service, *alert.labels.values()))
        assert alert.url == "" or alert.url.startswith("http")
        assert all(len(reference.trace_id) == 32 for reference in alert.references)


@given(st.lists(WORDS | st.text(max_size=30), max_size=12).map("\n".join))
@examples(40)
def test_any_text_may_be_said(text) -> None:
    """Pieces of markup, ids, labels and times in any order are read without an error."""
    for message in ({"user": "U1", "text": text}, {"bot_id": "B1", "attachments": [{"title": text, "text": text}]}):
        read_alert({"ts": "1795000000.1", **message}, HOSTS)


def nested(depth: int, kind: str) -> Any:
    """Return a value nested into itself."""
    value: Any = {"type": "section", "text": {"type": "mrkdwn", "text": f"trace_id={A}"}}
    for _ in range(depth):
        value = (
            {"attachments": [value]}
            if kind == "attachments"
            else {"elements": [value]}
            if kind == "blocks"
            else [value]
        )
    return value


MEGABYTES = {
    "hex": "0123456789abcdef " * 200_000,
    "ids": f"trace_id={A} " * 60_000,
    "angle brackets": "<" * 3_000_000,
    "open links": "<https://a" * 300_000,
    "links": "<https://jaeger.example/trace/1|a> " * 60_000,
    "brackets": "[" * 2_000_000,
    "equals": "a=" * 1_500_000,
    "colons": "a:" * 1_500_000,
    "names": "a" * 3_000_000,
    "dots": "a." * 1_500_000,
    "blanks": "service" + " " * 3_000_000 + ":",
    "stars": "*" * 3_000_000,
    "lines": "\n" * 3_000_000,
    "labels": "".join(f"k{number}=v\n" for number in range(200_000)),
    "digits": "9" * 3_000_000,
    "dashed": "4bf92f35-77b3-" * 200_000,
    "backslashes": "\\" * 3_000_000,
    "quotes": 'a="' * 1_000_000,
    "parentheses": "[FIRING:1] a " + "(" * 1_000_000,
    "colon words": ":a" * 1_000_000,
}  # fmt: skip


@pytest.mark.parametrize("kind", sorted(MEGABYTES))
def test_megabytes_take_no_longer_than_what_is_read_of_them(kind) -> None:
    """Work is bounded by what is read, whatever the text is made of, in every part of a message."""
    text = MEGABYTES[kind]
    messages = [
        {"bot_id": "B1", "text": text, "ts": "1795000000.1"},
        {"bot_id": "B1", "attachments": [{"title": text, "title_link": f"https://a.example/{text[:5_000_000]}", "text": text, "fallback": text, "fields": [{"title": text, "value": text}] * 50}] * 50},
        {"user": "U1", "blocks": [{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": text}] * 20}]}] * 20},
    ]  # fmt: skip
    started = time.process_time()
    for message in messages:
        read_alert(message, HOSTS)
    assert time.process_time() - started < 6.0


@pytest.mark.parametrize("kind", ["attachments", "blocks", "lists"])
def test_depth_and_breadth_are_bounded(kind) -> None:
    """Nesting beyond what Slack knows is not followed, and a million parts are not all looked into."""
    deep = nested(900, kind)
    message = {"bot_id": "B1", "attachments": [deep], "blocks": [deep], "metadata": {"event_payload": deep}}
    assert read_alert(message, HOSTS) is None
    many = [{"type": "section", "text": {"type": "mrkdwn", "text": f"part {number}"}} for number in range(300_000)]
    started = time.process_time()
    read_alert({"bot_id": "B1", "blocks": many, "attachments": [{"blocks": many}] * 1_000, "files": many}, HOSTS)
    assert time.process_time() - started < 3.0


def test_numbers_beyond_all_sense_are_passed_over() -> None:
    """Times and values of thousands of digits, infinite or not numbers, are no times and no values."""
    for number in (10**5000, -(10**5000), float("inf"), float("nan"), True, 1e300):
        message = {
            "bot_id": "B1", "ts": number, "text": "service=checkout", "metadata": {"event_payload": {"n": number}},
            "attachments": [{"ts": number, "is_share": True, "fields": [{"title": "n", "value": number}]}],
        }  # fmt: skip
        alert = read_alert(message, HOSTS)
        assert alert is not None
        assert alert.window is None


def test_labels_that_matter_find_room_among_any_number() -> None:
    """A flood of labels is cut at a hundred, but which service it was about is still read."""
    text = "".join(f"k{number}=v\n" for number in range(500)) + "service=checkout\n"
    alert = read_alert({"bot_id": "B1", "text": text}, HOSTS)
    assert alert is not None
    assert alert.service == "checkout"
    assert len(alert.labels) == 101
