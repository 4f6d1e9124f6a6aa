"""Redaction: every place of a trace that can hold text, with every kind of secret, through every rendering."""

from __future__ import annotations

import base64
import json
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from proving import examples

from analysis import compare, decode, render_markdown, render_text
from analysis.evidence import evidence
from analysis.options import DEFAULTS
from analysis.picture import render_svg
from analysis.redact import Redactor, redacted
from analysis.report import table
from bot.analysing.child import Answer, Report
from bot.slack import messages
from bot.slack.messages import details

if TYPE_CHECKING:
    from collections.abc import Callable

    from analysis.options import CompareOptions

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"

# What is said -> what of it must never be seen.
SECRETS = {
    "bearer": ("Authorization: Bearer h0rse-battery.staple", "h0rse-battery"),
    "bearer alone": ("rejected Bearer h0rsebattery", "h0rsebattery"),
    "basic": ("authorization=Basic dXNlcjpob3JzZQ==", "dXNlcjpob3JzZQ"),
    "basic alone": ("Basic dXNlcjpob3JzZQ== refused", "dXNlcjpob3JzZQ"),
    "other scheme": ("Authorization: Negotiate YIIhorsebattery", "YIIhorsebattery"),
    "digest": ('Digest username="horsebob", response="6629fae49393a053"', "6629fae49393a053"),
    "cookie": ("Cookie: theme=dark; horseid=b4ttery", "b4ttery"),
    "set-cookie": ("set-cookie: sid=h0rsebattery; Path=/", "h0rsebattery"),
    "php session": ("PHPSESSID=h0rsebattery", "h0rsebattery"),
    "token in a query": ("GET /login?token=h0rsebattery&page=2", "h0rsebattery"),
    "access token": ("access_token=h0rsebattery", "h0rsebattery"),
    "token": ("token: h0rsebattery1234567", "h0rsebattery"),
    "password": ("password=h0rsebattery", "h0rsebattery"),
    "password in words": ("wrong password 'h0rse battery'", "h0rse battery"),
    "password as option": ("mysql --password h0rsebattery -u bob", "h0rsebattery"),
    "password in JSON": ('{"user": "bob", "password": "h0rse battery"}', "h0rse battery"),
    "password in JSON in JSON": ('{\\"password\\": \\"h0rse battery\\"}', "h0rse battery"),
    "password in a list": ("{'password': ['h0rsebattery']}", "h0rsebattery"),
    "password in XML": ("<ns:Password Type='x'>h0rsebattery</ns:Password>", "h0rsebattery"),
    "password in a connection string": ("Server=db;User Id=sa;Password=h0rsebattery;", "h0rsebattery"),
    "userinfo": ("postgres://app:h0rsebattery@db:5432/shop", "h0rsebattery"),
    "userinfo without a password": ("https://h0rsebattery@sentry.example/1", "h0rsebattery"),
    "api key": ("X-Api-Key: h0rsebattery", "h0rsebattery"),
    "api key in a query": ("/v1?api_key=h0rsebattery", "h0rsebattery"),
    "key in a query": ("/v1?key=h0rsebattery12345678", "h0rsebattery"),
    "email": ("no account of jane.horse@example.com", "jane.horse"),
    "email in a query": ("/find?q=jane.horse%40example.com", "jane.horse"),
    "email with an umlaut": ("jane.horse@müller.de", "jane.horse"),
    "card": ("card 4111 1111 1111 1111 declined", "1111 1111"),
    "card with dashes": ("5500-0000-0000-0004", "5500-0000-00"),
    "card alone": ("378282246310005", "378282246310005"),
    "card at the end": ("declined: 6011000990139424.", "6011000990139424"),
    "card in a path": ("/cards/4111111111111111/charge", "4111111111111111"),
    "SQL literal": ("SELECT * FROM users WHERE name = 'h0rse battery'", "h0rse battery"),
    "SQL number": ("UPDATE users SET pin = 90817 WHERE id = 4711", "90817"),
    "SQL list": ("INSERT INTO users (a, b) VALUES ('h0rse', 'battery')", "h0rse"),
    "duplicate key": ("ERROR: duplicate key. Key (name)=(h0rse battery) already exists.", "h0rse battery"),
    "duplicate entry": ("Duplicate entry 'h0rse battery' for key 'name'", "h0rse battery"),
    "JWT": (f"invalid token {JWT}", "dozjgNryP4J3jVmNHl0w5N"),
    "private key": ("-----BEGIN RSA PRIVATE KEY-----\nMIIhorse\n-----END RSA PRIVATE KEY-----", "MIIhorse"),
    "private key in one line": ("-----BEGIN OPENSSH PRIVATE KEY-----\\nb3Blhorse\\n", "b3Blhorse"),
    "AWS key": ("key AKIAIOSFODNN7EXAMPLE is disabled", "AKIAIOSFODNN7"),
    "AWS secret": ("aws_secret_access_key=h0rsebattery/staple", "h0rsebattery"),
    "Google key": ("AIzaSyA1234567890abcdefghijklmnopqrstuv", "AIzaSyA"),
    "Azure key": ("DefaultEndpointsProtocol=https;AccountKey=h0rsebattery==;", "h0rsebattery"),
    "GitHub": ("ghp_0123456789abcdefghijABCDEFGHIJ456789", "ghp_0123"),
    "GitLab": ("glpat-h0rsebatterystaple12", "h0rsebattery"),
    "Slack": ("xoxb-1234567890-h0rsebattery", "h0rsebattery"),
    "Stripe": ("sk_live_h0rsebattery12", "h0rsebattery"),
    "in base64": (base64.b64encode(b"user=bob password=h0rsebattery").decode(), "cGFzc3dvcmQ9"),
}

HARMLESS = [
    "4bf92f3577b34da6a3ce929d0e0e4736",
    "550e8400-e29b-41d4-a716-446655440000",
    "catalog-7f6c5b9d8-tn5rw",
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "registry.example:5000/shop/catalog@sha256:9f86d081884c7d65",
    "react@18.2.0",
    "v1.27.4-rc.1+build.20261124",
    "order 1795487028755467",
    "order-4532015112830367",
    "invoice 20261124000123",
    "POST /auth/token",
    "GET /users/{}/api-keys",
    "auth.v1.TokenService/Refresh",
    "PasswordResetWorker.perform",
    "bearer token missing",
    "Basic authentication failed",
    "unexpected token '<' at position 0",
    "session: 3 calls in A, 24 in B",
    "cache key=user:42",
    "SELECT in catalog runs 61 times instead of 1",
    "SELECT * FROM orders WHERE id = ? in catalog takes 1.21 s instead of 61 ms (97 % of the increase)",
    "GET / is slower (100 ms -> 500 ms, 5.0x): SELECT (SELECT a FROM x WHERE id = ?) takes 420 ms, 3 -> 61 calls",
    "10.42.7.19:8080",
    "arn:aws:s3:::bucket/key",
    "eu-central-1a",
    "status 503 (3 of 61 calls, 1.30 s)",
]


@pytest.mark.parametrize("kind", SECRETS)
def test_every_kind_of_secret_is_recognised_wherever_it_stands(kind) -> None:
    """By itself, in a sentence, in brackets and quotes, on a line among others; repeating it changes nothing."""
    said, secret = SECRETS[kind]
    for text in (said, f"calling it: {said}", f"[{said}]", f"a\n{said}\nb", f"{said} in A, {said} in B"):
        out = redacted(text)
        assert secret not in out, text
        assert redacted(out) == out


@given(
    st.lists(st.sampled_from([*SECRETS.values()]), min_size=1, max_size=4),
    st.sampled_from([" ", "\n", ", ", " | ", "\t"]),
)
@examples(60)
def test_secrets_beside_each_other_are_all_recognised(several, between) -> None:
    """What one secret begins never hides the next, and repeating it changes nothing."""
    out = redacted(between.join(said for said, _ in several))
    assert not [secret for _, secret in several if secret in out]
    assert redacted(out) == out


@given(
    st.lists(st.sampled_from([*SECRETS.values(), *((text, "") for text in HARMLESS)]), max_size=4), st.text(max_size=12)
)
@examples(60)
def test_redaction_is_done_once(pieces, between) -> None:
    """Any text at all, made of what looks like secrets and of what does not: a second time changes nothing."""
    once = redacted(between.join(said for said, _ in pieces))
    assert redacted(once) == once


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_looks_like_a_secret_stays(text) -> None:
    """Operations, ids, order numbers, versions, images and our own sentences are what an answer is made of."""
    assert redacted(text) == text
    assert Redactor().value("shop.note", text) == text


def attribute(key: str, value: Any) -> dict[str, Any]:
    """Return an OTLP attribute."""
    if isinstance(value, bytes):
        said: dict[str, Any] = {"bytesValue": base64.b64encode(value).decode()}
    elif isinstance(value, list):
        said = {"arrayValue": {"values": [attribute("", inner)["value"] for inner in value]}}
    elif isinstance(value, dict):
        said = {"kvlistValue": {"values": [attribute(name, inner) for name, inner in value.items()]}}
    else:
        said = {"stringValue": str(value)}
    return {"key": key, "value": said}


def otlp(place: str, text: str, side: int) -> bytes:
    """Return a request, the slow and failing one on side 1, that holds the text in one place."""

    def at(where: str, otherwise: str = "") -> str:
        return text if where == place else otherwise

    resource = {
        "service.name": at("service", "shop"),
        "service.version": at("version", "1"),
        "host.name": at("host", "h"),
    }
    resource |= {"deployment.environment": at("resource", "x"), "cloud.availability_zone": at("zone", "a")}
    other = {"service.name": at("other service", "stock"), "service.instance.id": at("instance", "stock")}
    if side == 0:
        resource |= {"service.version": "0", "host.name": "g", "cloud.availability_zone": "b"}
        other["service.instance.id"] = "stock-0"
    db = {
        "db.system": "postgresql",
        "db.statement": at("statement", "SELECT a FROM x"),
        "server.address": at("peer", "db"),
    }
    call = {
        "http.method": "GET",
        "http.url": f"http://{at('userinfo', 'u')}@api.example/v1?q={at('query')}",
        "peer.service": at("target", "api"),
    }
    if place == "url":
        call["http.url"] = text
    said: dict[str, Any] = {
        "feature_flag.variant": at("flag", "on") if side else "off", "app.note": at("value"), f"app.{at('key', 'k')}": "1",
        "error.type": at("error type"), "app.list": ["a", at("list")], "app.map": {"inner": {"deep": [at("map")]}},
        "app.bytes": at("bytes").encode(), "http.status_code": at("code", "500"), "app.keyed": {"note": at("nested value")},
    }  # fmt: skip
    events = [
        ("exception", {"exception.type": at("exception type", "Oops"), "exception.message": at("exception", "failed"),
                       "exception.stacktrace": at("stack")}),
        (at("event", "gave up"), {"message": at("log"), "level": at("level", "ERROR"), "app.event": at("event value")}),
    ]  # fmt: skip
    ids = "ab"[side]

    def span(number: int, name: str, start: int, end: int, parent: int, kind: int, **more: Any) -> dict[str, Any]:
        return {
            "traceId": ids * 32, "spanId": f"{ids}{number:015x}", "parentSpanId": f"{ids}{parent:015x}" if parent else "",
            "name": name, "kind": kind, "startTimeUnixNano": str(10**18 + start * 10**6),
            "endTimeUnixNano": str(10**18 + end * 10**6), "traceState": at("trace state", "a=b"),
            "attributes": [attribute(key, value) for key, value in more.pop("attributes", {}).items()], **more,
        }  # fmt: skip

    slow = 300 * side
    failing = {
        "status": {"code": 2, "message": at("status")},
        "events": [
            {"name": name, "timeUnixNano": str(10**18), "attributes": [attribute(*pair) for pair in bag.items()]}
            for name, bag in events
        ],
        "links": [{"traceId": "c" * 32, "spanId": "c" * 16, "attributes": [attribute("note", at("link"))]}],
    }  # fmt: skip
    own = [
        span(1, at("root name", "GET /"), 0, 100 + 3 * slow, 0, 2, attributes={"http.route": at("route", "/")}),
        span(2, at("operation", "work"), 5, 30 + slow, 1, 1, attributes=said, **(failing if side else {})),
        span(3, "SELECT", 35 + slow, 50 + 2 * slow, 1, 3, attributes=db),
        span(4, "GET", 55 + 2 * slow, 90 + 3 * slow, 1, 3, attributes=call),
        span(6, "send", 91 + 3 * slow, 92 + 3 * slow, 1, 4,
             attributes={"messaging.system": "kafka", "messaging.destination.name": at("topic", "orders")}),
    ]  # fmt: skip
    theirs = [span(5, "serve", 60 + 2 * slow, 85 + 3 * slow, 4, 2)]
    scope = {"name": at("scope", "lib"), "version": at("scope version", "1")}
    batches = [
        {"resource": {"attributes": [attribute(*pair) for pair in of.items()]}, "scopeSpans": [{"scope": scope, "spans": spans}]}
        for of, spans in ((resource, own), (other, theirs))
    ]  # fmt: skip
    return json.dumps(
        {"trace": {"resourceSpans": batches}, "status": "PARTIAL", "message": at("message", "cut")}
    ).encode()


def jaeger(place: str, text: str, side: int) -> bytes:
    """Return the same in short in Jaeger's words."""

    def at(where: str, otherwise: str = "") -> str:
        return text if where == place else otherwise

    ids = "ab"[side]
    tags = [
        {"key": at("tag key", "k"), "value": "1"},
        {"key": "feature_flag.variant", "value": at("tag") if side else "off"},
    ]
    tags += [{"key": "error", "value": bool(side)}, {"key": "otel.status_description", "value": at("description")}]
    logs = [
        {
            "timestamp": 1,
            "fields": [{"key": "event", "value": at("log event", "x")}, {"key": "message", "value": at("log field")}],
        }
    ]
    spans = [
        {"traceID": ids * 32, "spanID": ids * 16, "operationName": at("operation name", "GET /"), "startTime": 10**15,
         "duration": 10_000 + side * 300_000, "processID": "p1", "tags": tags, "logs": logs if side else [],
         "warnings": [f"showing first: {at('warning')}"]},
    ]  # fmt: skip
    process = {
        "serviceName": at("process", "shop"),
        "tags": [{"key": "service.version", "value": at("process tag", "2") if side else "1"}],
    }
    return json.dumps({"data": [{"traceID": ids * 32, "spans": spans, "processes": {"p1": process}}]}).encode()


OTLP = (
    *("service", "other service", "version", "host", "zone", "resource", "instance", "statement", "peer", "target"),
    *("userinfo", "query", "url", "flag", "value", "key", "list", "map", "nested value", "bytes", "error type", "code"),
    *(
        "exception type",
        "exception",
        "stack",
        "event",
        "log",
        "level",
        "event value",
        "status",
        "root name",
        "operation",
    ),
    *("route", "topic", "scope", "scope version", "message", "trace state", "link"),
)
JAEGER = (
    "tag key",
    "tag",
    "description",
    "log event",
    "log field",
    "operation name",
    "warning",
    "process",
    "process tag",
)
PLACES: dict[str, Callable[[str, str, int], bytes]] = dict.fromkeys(OTLP, otlp) | dict.fromkeys(JAEGER, jaeger)
# Not read at all, cut off, or shown in base64.
NEVER_SHOWN = {"trace state", "link", "query", "userinfo", "bytes"}


def rendered(place: str, text: str, options: CompareOptions = DEFAULTS) -> str:
    """Return everything that anybody can see of a comparison of two requests with the text in one place."""
    a, b = (decode(PLACES[place](place, text, side)) for side in (0, 1))
    result = compare(a, b, options=options)
    shown = [*all_texts(result.to_dict()), result.to_json().decode(), render_text(result), render_markdown(result)]
    asked = messages.Asked(baseline_id=a.trace_id, suspect_id=b.trace_id, user_name="alice")
    answer = Answer(
        comparison=result, table=table(result), evidence=evidence(result, a, b, options),
        report=Report(markdown=b"", json=b"", whole=True),
    )  # fmt: skip
    for message in (messages.verdict(result, asked), *messages.thread(result, answer.table, asked)):
        shown += [message.text, *all_texts([message.blocks, message.plain_blocks])]
    page = 0
    while True:
        view = details.view("key", answer, asked, page)
        shown += all_texts(view)
        page += 1
        if f"Page {page} of {page}" in str(view) or " of " not in str(view["blocks"][-1:]) or page > 20:
            break
    return "\n".join(shown)


def all_texts(node: Any) -> list[str]:
    """Return every text of some JSON, as it reads."""
    if isinstance(node, str):
        return [node]
    inner = [*node, *node.values()] if isinstance(node, dict) else node if isinstance(node, (list, tuple)) else ()
    return [text for part in inner for text in all_texts(part)]


@cache
def flat(text: str) -> str:
    """Return the text as nothing in a rendering can hide it: without escapes and line breaks."""
    return "".join(text.replace("\\", "").split())


def unseen(place: str, kind: str) -> None:
    """Check that nothing shows a secret, nor most of it, cut off."""
    said, secret = SECRETS[kind]
    assert flat(secret[: len(secret) - 2]) not in flat(rendered(place, said)), (place, kind)


@pytest.mark.parametrize("place", PLACES)
def test_no_secret_in_any_place_is_seen_in_any_rendering(place) -> None:
    """JSON, text, Markdown, Slack messages, the details: nothing shows the secret, whatever holds it."""
    turn = list(PLACES).index(place)
    for kind in [*SECRETS][turn % 6 :: 6]:  # every kind in many places; all pairs are tried by the next test
        unseen(place, kind)


@given(st.sampled_from([*PLACES]), st.sampled_from([*SECRETS]))
@examples(20)
def test_every_pair_of_place_and_secret(place, kind) -> None:
    """When proving, there are as many examples as pairs, and each is tried once."""
    unseen(place, kind)


@pytest.mark.parametrize("place", [place for place in PLACES if place not in NEVER_SHOWN])
def test_every_place_would_be_seen_without_redaction(place) -> None:
    """The proof above is one: each place is shown somewhere when it holds something harmless."""
    assert "zebramango" in flat(rendered(place, "zebra mango"))


def test_the_picture_shows_names_redacted() -> None:
    """What the picture draws are the names that the comparison holds after redaction."""
    result = compare(*(decode(otlp("operation", "password=h0rsebattery", side)) for side in (0, 1)))
    assert not any("h0rse" in row.label for row in result.timeline)
    assert b"h0rse" not in render_svg(result)


def test_a_secret_that_a_cut_would_halve_is_gone_before_the_cut() -> None:
    """Values are shortened for people; half a card number or half a password is not recognised any more."""
    for said, secret in SECRETS.values():
        for before in (20, 31, 38, 44, 52, 58):
            sides = (decode(otlp("flag", "x" * before + " " + said, side)) for side in (0, 1))
            assert flat(secret)[:8] not in flat(render_text(compare(*sides))), (before, said)


@pytest.mark.parametrize(
    "name",
    ["http.request.header.authorization", "db.password", "http.request.header.x-api-key", "app.session_token", "aws.secret",
     "http.response.header.set-cookie", "enduser.credential", "app.config.passwd", "Token", "user-auth", "private_key"],
)  # fmt: skip
def test_an_attribute_named_like_a_secret_shows_nothing(name) -> None:
    """Whatever its value looks like: text, list or map; as evidence and as a setting that changed."""
    for value in ("plain", ["plain"], {"x": {"y": "plain"}}, 4711):
        assert "plain" not in Redactor().value(name, value)
        assert "4711" not in Redactor().value(name, value)
        assert "plain" not in Redactor().value("app.note", {name: value})


def test_a_setting_named_like_a_secret_shows_neither_value(trace) -> None:
    """A changed password is told as changed, on both sides without the word."""
    sides = []
    for value in ("horse", "battery"):
        t = trace()
        t.span(
            "GET /",
            0,
            100 if value == "horse" else 400,
            attributes={"app.config.password": value, "app.config.mode": value},
        )
        sides.append(t.build())
    result = compare(*sides)
    assert "app.config.mode: horse in A, battery in B" in render_text(result)
    told = [line for line in all_texts(result.to_dict()) if "password" in line]
    assert not any("horse" in line or "battery" in line for line in told)


def test_what_else_is_secret_can_be_configured() -> None:
    """Further names hide values, further patterns hide texts, in every rendering."""
    options = structs.replace(DEFAULTS, secret_names=("note", "Matricule"), secret_patterns=(r"\bKD-\d{6}\b",))
    assert "zebramango" not in flat(rendered("value", "zebra mango", options))
    for place in ("operation", "exception", "flag", "service", "log", "status", "root name"):
        assert "KD-471100" not in rendered(place, "customer KD-471100", options)
        assert "zebra" not in rendered(place, "matricule: zebra", options)
        assert "KD-471100" in rendered(place, "customer KD-471100")


def test_a_service_named_like_a_field_of_ours_hides_nothing_less(trace) -> None:
    """Versions are kept by service; a service called "kind" is no reason to trust what it says."""
    sides = []
    for version in ("1", "password=h0rsebattery"):
        t = trace()
        t.span("GET /", 0, 10, service="kind", resource={"service.version": version})
        sides.append(t.build())
    assert "h0rse" not in compare(*sides).to_json().decode()
