"""Redaction: secrets planted anywhere in a trace never come out, and what is no secret stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from proving import examples

from analysis import compare, render_markdown, render_text
from analysis.model import Event, SpanKind
from analysis.options import CompareOptions
from analysis.redact import MASK, Redactor, redacted

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("Authorization: Bearer abcdef123456", "abcdef123456"),
        ('"authorization": "Basic dXNlcjpwYXNz"', "dXNlcjpwYXNz"),
        ("GET /login?token=9f8b3c2a&page=2", "9f8b3c2a"),
        ("connect postgres://app:hunter2@db/shop failed", "hunter2"),
        ("password = 'hunter two'", "hunter two"),
        ("client_secret=abc.def.ghi", "abc.def.ghi"),
        ('{"session": "s3ss10n-value", "x": 1}', "s3ss10n-value"),
        ("Cookie: sid=abcdef; theme=dark", "abcdef"),
        (f"invalid token {JWT}", JWT),
        ("key AKIAIOSFODNN7EXAMPLE is disabled", "AKIAIOSFODNN7EXAMPLE"),
        ("ghp_0123456789abcdefghijABCDEFGHIJ456789", "ghp_0123"),
        ("xoxb-1234567890-abcdefghij", "xoxb-1234567890"),
        ("sk_live_abcdefghijkl", "abcdefghijkl"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAK\n-----END RSA PRIVATE KEY-----", "MIIEpAIBAAK"),
        ("no account of jane.doe@example.com", "jane.doe"),
        ("card 4111 1111 1111 1111 declined", "4111"),
        ("token: 9f8b3c2a1d4e5f607182", "9f8b3c2a1d4e5f607182"),
    ],
)
def test_secrets_are_masked(text, secret) -> None:
    """Each shape of secret is gone, and the text around it says what was there."""
    out = redacted(text)
    assert secret not in out
    assert "[redacted" in out
    assert redacted(out) == out


@pytest.mark.parametrize(
    "text",
    [
        "4bf92f3577b34da6a3ce929d0e0e4736",
        "550e8400-e29b-41d4-a716-446655440000",
        "catalog-7f6c5b9d8-tn5rw",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "POST in auth fails: status 503",
        "session: 3 calls in A, 24 in B",
        "SELECT * FROM tokens WHERE password = ?",
        "shipping: 1 call",
        "started at 1795487028755467 in node-a",
        "GET /users/{}/api-keys",
    ],
)
def test_what_is_no_secret_stays(text) -> None:
    """Ids, pod names, digests, templates and our own sentences are what an answer is made of."""
    assert redacted(text) == text


def test_a_secret_name_hides_any_value() -> None:
    """An attribute called like a secret is not shown, whatever it holds."""
    redactor = Redactor()
    assert redactor.value("http.request.header.authorization", "x") == MASK
    assert redactor.value("db.password", "x") == MASK
    assert redactor.value("http.route", "/x") == "/x"


SECRETS = ["password=hunter2secret", f"Bearer {JWT}", "postgres://u:hunter2secret@db/x", "jane.doe@example.com"]
LEAKS = ["hunter2secret", JWT, "jane.doe"]


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("place", ["name", "service", "statement", "url", "exception", "status", "version", "peer"])
def test_a_secret_in_any_place_of_a_trace_never_comes_out(trace, place, secret) -> None:
    """Names, services, statements, URLs, exceptions, versions, addresses: nothing rendered holds the secret."""
    sides = []
    for slow in (1, 90):
        t = trace()
        resource = {"service.version": f"{secret} {slow}"} if place == "version" else {}
        root = t.span("GET /", 0, 20 + slow, kind=SpanKind.SERVER, service="front", resource=resource)
        attributes = {"db.system": "x", "db.statement": f"SELECT {secret}" if place == "statement" else "SELECT 1"}
        if place == "url":
            attributes = {"http.method": "GET", "http.url": f"http://h/{secret}?{secret}"}
        if place == "peer":
            attributes["server.address"] = secret
        said = secret if place in ("exception", "status") else "no"
        event = Event("exception", 0, {"exception.type": said, "exception.message": said})
        t.span(
            secret if place == "name" else "SELECT", 5, 10 + slow, root, kind=SpanKind.CLIENT,
            service=secret if place == "service" else "front", attributes=attributes, error=slow > 1,
            events=(event,) if slow > 1 else (),
        )  # fmt: skip
        sides.append(t.build())
    result = compare(*sides)
    for rendered in (result.to_json().decode(), render_text(result), render_markdown(result)):
        assert not [leak for leak in LEAKS if leak in rendered.replace("\\", "")]


def test_redaction_can_be_switched_off(trace) -> None:
    """Whoever compares files on their own machine may see everything."""
    t = trace()
    t.span("password=hunter2secret", 0, 10)
    u = trace()
    u.span("password=hunter2secret", 0, 90)
    result = compare(t.build(), u.build(), options=CompareOptions(redact=False))
    assert "hunter2secret" in result.verdict.headline


@given(st.text(max_size=300))
@examples(80)
def test_any_text_is_redacted_once_and_for_all(text) -> None:
    """Redaction never fails and repeating it changes nothing."""
    once = redacted(text)
    assert redacted(once) == once


def test_hostile_texts_take_no_time() -> None:
    """A megabyte of what looks like the beginning of a secret is cut, not pondered."""
    pieces = (
        "password=",
        "eyJa.",
        "a@",
        "Bearer ",
        "4111 ",
        "://a:",
        "-----BEGIN PRIVATE KEY-----",
        "token:'",
        "cookie: ",
        "-",
    )
    pieces += (
        "Key (a)=(",
        "--password ",
        "<password",
        "select a from t where b = 'c",
        "select ",
        "cGFzc3dvcmQ9",
        "a.b@c.",
        "((",
    )
    for piece in pieces:
        assert len(redacted(piece * 100_000)) < 300_000
