"""Which strings of a message are trace ids: decided by the words before them."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from bot.alerts import read_alert

HOSTS = {"jaeger.example": "jaeger", "grafana.example": "tempo"}
A = "4bf92f3577b34da6a3ce929d0e0e4736"
B = "0af7651916cd43dd8448eb211c80319c"
SHORT = "a3ce929d0e0e4736"
DASHED = "4bf92f35-77b3-4da6-a3ce-929d0e0e4736"
PANES = quote(json.dumps({"a": {"datasource": "T", "queries": [{"query": A}]}}))


def traces(message: dict) -> list[tuple[str, str | None]]:
    """Return the ids that a message names and the sources they are in."""
    read = read_alert({"ts": "1795000000.1", **message}, HOSTS)
    return [(reference.trace_id, reference.source) for reference in read.references] if read else []


def bot(text: str) -> list[str]:
    """Return the ids in a program's text."""
    return [trace_id for trace_id, _ in traces({"bot_id": "B1", "text": text})]


def person(text: str) -> list[str]:
    """Return the ids in a person's text."""
    return [trace_id for trace_id, _ in traces({"user": "U1", "text": text})]


@pytest.mark.parametrize(
    "text",
    [
        f"trace_id={A}", f"traceID: {A}", f"trace-id: `{A}`", f"*Trace ID:* {A}", f"*Trace*: {A}", f"trace: {A}",
        f"Trace ID\n{A}", f"*Trace ID:*\n`{A}`", f'{{"trace_id":"{A}","span_id":"00f067aa0ba902b7"}}', f"dd.trace_id={A}",
        f"trace.id={A.upper()}", f"X-B3-TraceId: {A}", f"trace_id => {A}", f"traceparent: 00-{A}-00f067aa0ba902b7-01",
        f"00-{A}-00f067aa0ba902b7-01", f"trace {A} was slow", f"Exemplar {A}", f"trace_id={DASHED}", f"tempo:{A}",
        f"see trace <https://apm.example/t/{A}>", f"<https://apm.example/x?q={A}|open trace>", f"rootTraceId={A}",
        f"<https://jaeger.example/trace/{A}>", f"<https://jaeger.example/trace/{A}|{A}>", f"- trace_id = {A}",
        f"<https://zipkin.example/zipkin/traces/{A}>", f"<https://acme.sentry.io/explore/traces/trace/{A}/?a=1&amp;b=2>",
        f"<https://apm.example/apm?traceID={A}|look>", f"<https://grafana.example/explore?schemaVersion=1&amp;panes={PANES}&amp;orgId=1|here>",
        f"<https://other-grafana.example/explore?schemaVersion=1&amp;panes={PANES}>", f"[trace](https://jaeger.example/trace/{A})",
        f"https://jaeger.example/trace/{A}, please look", f"Trace ids (1): {A}", f"order=17 trace_id={A} md5={B}",
    ],
)  # fmt: skip
def test_an_id_that_is_called_one_is_found(text) -> None:
    """Labels, links, headers and words of all kinds name a trace, in a program's text and in a person's."""
    assert bot(text) == [A]
    assert person(text) == [A]


@pytest.mark.parametrize(
    "text",
    [
        f"md5: {A}", f"fingerprint={A}", f"commit {A}", f"span_id={SHORT}", f"event id {A}", f"Event ID: {A}", f"sha256:{A}{B}",
        f"image registry.example/a@sha256:{A}{B}", f"request_id={DASHED}", f"order_id={A}", f"stack trace: {A}",
        f"stacktrace={A}", f"Stack trace hash {A}", f"trace of commit {A}", f"checksum (md5) {A}", f"trace_id={A}{B}",
        f"trace_id=file-{A}.log", f"trace_id={'0' * 32}", f"trace {'1' * 16} ago", "trace took 1795000000000000 us", f"traceback {A}",
        f"<https://github.com/a/b/commit/{A}01234567|deploy>", f"<https://ci.example/builds/{A}|build>", f"trace and <https://ci.example/x/{A}|build>", "trace_id=abc123",
        f"<https://acme.sentry.io/issues/4711/events/{A}/|event>", "<https://jaeger.example/search?service=cart>",
    ],
)  # fmt: skip
def test_a_string_that_is_called_something_else_is_not(text) -> None:
    """Sums, commits, fingerprints, events, spans and requests are not taken for traces, whoever writes."""
    assert bot(f"service=checkout\n{text}") == []
    assert person(f"service=checkout\n{text}") == []


def test_a_bare_id_counts_only_when_a_person_writes_it() -> None:
    """People paste ids as they are; a program's unlabelled hex may be anything."""
    assert person(f"compare {A} with {B} please") == [A, B]
    assert person(f"{A}\n{B}") == [A, B]
    assert person(f"why is {SHORT} slow") == []
    assert bot(f"service=checkout {A}") == []


def test_a_persons_sentence_before_a_colon_is_no_label() -> None:
    """People write "the slow one: <id>"; only words that name another kind of string rule it out."""
    assert person(f"healthy: {A}\nslow request is this one: {B}") == [A, B]
    assert person(f"since the deploy of 2fd4e1c67a2d28fced849ee1bb76e7391b93eb12: {A}") == [A]
    assert person(f"service=checkout the image digest: {A}") == []
    assert bot(f"service=checkout slow one: {A}") == []


def test_one_label_may_name_several() -> None:
    """What a label or a heading says holds for the list after it, until another label comes."""
    assert bot(f"Traces: {A}, {B}") == [A, B]
    assert bot(f"*Traces*\n• {A}\n• {B}") == [A, B]
    assert bot(f"trace_id={A} commit={B}") == [A]


def test_short_and_decimal_ids() -> None:
    """64-bit ids are padded; Datadog's decimal numbers are read as numbers, hex ids that hold digits only as hex."""
    assert bot(f"trace_id={SHORT}") == [SHORT.rjust(32, "0")]
    assert bot("dd.trace_id=7311386240184827190") == [f"{7311386240184827190:x}".rjust(32, "0")]
    assert bot("trace_id=1234567890123456") == ["1234567890123456".rjust(32, "0")]
    assert bot("service=a dd.trace_id=99999999999999999999") == []
    assert bot("trace_id=<tel:7311386240184827190|7311386240184827190>") == [f"{7311386240184827190:032x}"]
    assert bot("<https://app.datadoghq.com/apm/trace/7311386240184827190>") == [
        f"{7311386240184827190:x}".rjust(32, "0")
    ]


def test_certain_ids_come_first_in_a_programs_message() -> None:
    """A labelled id is more certain than one behind a foreign link or in running text."""
    assert bot(f"trace {B} and more\ntrace_id={A}") == [A, B]
    assert person(f"trace {B} and more\ntrace_id={A}") == [B, A]


def test_the_same_id_twice_is_one_trace() -> None:
    """As text and as link, in the text and in its unfurled link, it is one trace, in the source the link names."""
    message = {
        "user": "U1",
        "text": f"trace {A}: <https://jaeger.example/trace/{A}>",
        "attachments": [
            {
                "title": f"Trace {A}",
                "title_link": f"https://jaeger.example/trace/{A}",
                "from_url": f"https://jaeger.example/trace/{A}",
            }
        ],
    }
    assert traces(message) == [(A, "jaeger")]


PLACES = {
    "attachment text": {"attachments": [{"text": f"trace_id={A}"}]},
    "pretext": {"attachments": [{"pretext": f"trace_id={A}"}]},
    "title link": {"attachments": [{"title": "slow", "title_link": f"https://jaeger.example/trace/{A}"}]},
    "field": {"attachments": [{"fields": [{"title": "Trace ID", "value": A, "short": True}]}]},
    "legacy button": {"attachments": [{"actions": [{"type": "button", "text": "Trace", "url": f"https://jaeger.example/trace/{A}"}]}]},
    "fallback": {"attachments": [{"fallback": f"slow | trace_id={A}"}]},
    "footer": {"attachments": [{"footer": f"trace {A}"}]},
    "blocks in an attachment": {"attachments": [{"blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": f"*Trace:* `{A}`"}}]}]},
    "section field": {"blocks": [{"type": "section", "fields": [{"type": "mrkdwn", "text": f"*Trace ID*\n{A}"}]}]},
    "context": {"blocks": [{"type": "context", "elements": [{"type": "mrkdwn", "text": f"trace {A}"}]}]},
    "button": {"blocks": [{"type": "actions", "elements": [{"type": "button", "text": {"type": "plain_text", "text": "View trace"}, "url": f"https://apm.example/redirect/{A}"}]}]},
    "accessory": {"blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "x"}, "accessory": {"type": "button", "text": {"type": "plain_text", "text": "Go"}, "url": f"https://jaeger.example/trace/{A}"}}]},
    "rich text": {"blocks": [{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "Trace: "}, {"type": "text", "text": A, "style": {"code": True}}]}]}]},
    "rich text link": {"blocks": [{"type": "rich_text", "elements": [{"type": "rich_text_list", "elements": [{"type": "rich_text_section", "elements": [{"type": "link", "url": f"https://jaeger.example/trace/{A}", "text": "this"}]}]}]}]},
    "rich text list": {"blocks": [{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "Traces:"}]}, {"type": "rich_text_list", "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": A}]}]}]}]},
    "table": {"blocks": [{"type": "table", "rows": [[{"type": "raw_text", "text": "service"}, {"type": "raw_text", "text": "trace_id"}], [{"type": "raw_text", "text": "cart"}, {"type": "raw_text", "text": A}]]}]},
    "markdown": {"blocks": [{"type": "markdown", "text": f"**Trace:** [open](https://jaeger.example/trace/{A})"}]},
    "metadata": {"metadata": {"event_type": "alert", "event_payload": {"details": {"trace_id": A}}}},
    "file title": {"files": [{"title": f"trace {A} as JSON", "name": "t.json"}]},
    "forwarded message": {"attachments": [{"is_share": True, "message_blocks": [{"message": {"blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": f"trace_id={A}"}}]}}]}]},
}  # fmt: skip


@pytest.mark.parametrize("place", sorted(PLACES))
def test_an_id_is_found_wherever_it_stands(place) -> None:
    """Every part of a message that people can see, or programs fill, is read."""
    assert [trace_id for trace_id, _ in traces({"bot_id": "B1", "text": "", **PLACES[place]})] == [A]


def test_many_ids_are_counted_and_the_first_ones_kept() -> None:
    """A message with a hundred traces names the first twenty and says that there were a hundred."""
    text = "\n".join(f"trace_id={number:032x}" for number in range(1, 101))
    read = read_alert({"bot_id": "B1", "text": text}, HOSTS)
    assert read is not None
    assert (len(read.references), read.found) == (20, 100)
    assert read.references[0].trace_id.endswith("1")
