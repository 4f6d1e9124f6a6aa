"""What the generated proofs once found: each in the smallest pair that shows it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from analysis import compare
from analysis.comparison import VerdictKind
from analysis.model import SpanKind
from analysis.options import DEFAULTS
from analysis.repair import repair

ROOT = Path(__file__).parents[2]
SERVER, CLIENT, CONSUMER = SpanKind.SERVER, SpanKind.CLIENT, SpanKind.CONSUMER

EVERY_PAIR = """
import hashlib, sys
sys.path.insert(0, "tests")
from exchanges import FOLDER
from analysis import DecodeError, compare, decode_many, render_markdown, render_text
traces = []
for file in sorted(FOLDER.rglob("*.*")):
    if file.suffix in (".json", ".pb") and not file.name.endswith(".meta.json"):
        try:
            traces += [trace for trace in decode_many(file.read_bytes()) if len(trace.spans) > 2]
        except DecodeError:
            pass
digest = hashlib.sha256()
for a in traces[::4]:
    for b in traces[::5]:
        result = compare(a, b)
        digest.update(result.to_json() + render_text(result).encode() + render_markdown(result).encode())
print(len(traces), digest.hexdigest())
"""


def test_two_processes_give_the_same_bytes() -> None:
    """Nothing depends on the order of sets, which differs from process to process."""
    said = set()
    for seed in ("0", "4711"):
        environment = os.environ | {"PYTHONHASHSEED": seed}
        run = subprocess.run(
            [sys.executable, "-c", EVERY_PAIR], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
        )
        said.add(run.stdout)
    assert len(said) == 1
    assert int(said.pop().split()[0]) > 20


@pytest.mark.parametrize("change", ["error", "child", "statement"])
def test_an_edited_copy_of_a_trace_is_not_identical(trace, change) -> None:
    """The same ids and response time prove nothing: a child that fails, takes longer or does another thing is told."""
    t = trace()
    root = t.span("GET /", 0, 100, kind=SERVER)
    query = t.span("SELECT", 10, 20, root, kind=CLIENT, attributes={"db.statement": "SELECT a FROM x"})
    changed = {
        "error": {"error": True},
        "child": {"end_ns": query.end_ns + 50_000_000},
        "statement": {"sent": {"db.statement": "SELECT b FROM y"}},
    }[change]
    a = t.build()
    b = replace(a, spans=(root, replace(query, **changed)))
    assert compare(a, b).verdict.kind is not VerdictKind.IDENTICAL
    assert compare(a, replace(a, spans=(root, replace(query)))).verdict.kind is VerdictKind.IDENTICAL


def test_a_trace_fetched_twice_is_identical_whatever_its_numbers_are(trace) -> None:
    """A number that is none does not equal itself, but the trace that holds it does."""
    t = trace()
    t.span("GET /", 0, 100, attributes={"ratio": float("nan")})
    a = t.build()
    b = replace(a, spans=(replace(a.spans[0], sent={"ratio": float("nan")}),))
    assert compare(a, b).verdict.kind is VerdictKind.IDENTICAL


def test_of_copies_that_differ_the_same_is_kept_in_any_order(trace) -> None:
    """A span delivered twice, once with other attributes: which one counts does not depend on who came first."""
    t = trace()
    root = t.span("GET /", 0, 100)
    one = t.span("work", 10, 20, root, attributes={"try": 1})
    two = replace(one, sent={"try": 2})
    a = replace(t.build(), spans=(root, one, two))
    b = replace(a, spans=(two, one, root))
    assert repair(a, DEFAULTS).spans == repair(b, DEFAULTS).spans


def test_a_modest_change_has_its_verdict_whatever_else_changed(trace) -> None:
    """5 ms instead of 1 ms, all in one query, are not "about the same time" because a call is new besides."""
    sides = []
    for query, extra in ((1, False), (5, True)):
        t = trace()
        root = t.span("GET /", 0, 1 + query, kind=SERVER)
        t.span("SELECT", 0.5, 0.5 + query, root, kind=CLIENT, attributes={"db.statement": "SELECT a FROM x"})
        if extra:
            t.span("audit", 0.1, 0.2, root, kind=CLIENT, service="shop")
        sides.append(t.build())
    assert compare(*sides).verdict.kind is VerdictKind.SLOWER
    assert compare(*sides[::-1]).verdict.kind is VerdictKind.FASTER


def test_more_work_after_the_response_is_not_slower_work(trace) -> None:
    """Three mails of 400 ms each instead of one: no mail takes longer than before."""
    sides = []
    for mails in (1, 3):
        t = trace()
        root = t.span("POST /", 0, 30, kind=SERVER)
        for number in range(mails):
            send = t.span("send", 5 + number, 6 + number, root, kind=SpanKind.PRODUCER)
            t.span("mail", 40, 440, send, kind=CONSUMER, service="mailer")
        sides.append(t.build())
    assert "operation-slower" not in {finding.finding for finding in compare(*sides).findings}


def test_waiting_for_a_message_claims_no_more_than_the_response_lost(trace) -> None:
    """A consumer whose end the response waits for explains what its callers grew by, and nothing beyond."""
    sides = []
    for wait in (1, 300):
        t = trace()
        root = t.span("POST /", 0, 60 + wait, kind=SERVER)
        ask = t.span("ask", 10, 55 + wait, root)
        t.span("reply", 20 + wait, 50 + wait, ask, kind=CONSUMER, service="pricer")
        sides.append(t.build())
    result = compare(*sides)
    delay = next(finding for finding in result.findings if finding.finding == "messaging-delay")
    assert (delay.affects, delay.delta_ns) == ("response", 299_000_000)
    assert sum(cause.delta_ns for cause in result.causes) == result.response_time.delta_ns
    assert result.causes[0].finding == "messaging-delay"
