"""References and commands: whatever people paste is understood, or refused with what to type instead."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import UserError
from bot.requests.commands import parse_command, parse_mention
from bot.requests.references import find_references
from bot.requests.request import Asked, CompareRequest, Help, History, ListSources, Nothing

HOSTS = {"jaeger.example": "jaeger", "grafana.example": "tempo"}
A = "4bf92f3577b34da6a3ce929d0e0e4736"
B = "0af7651916cd43dd8448eb211c80319c"


def ids(text: str) -> list[str]:
    """Return the ids found in a text."""
    return [reference.trace_id for reference in find_references(text, HOSTS)]


def pane(trace_id: str, **more) -> dict:
    """Return a Grafana Explore pane."""
    return {"datasource": "T", "queries": [{"query": trace_id, "queryType": "traceql"}]} | more


@pytest.mark.parametrize(
    "text",
    [
        A,
        A.upper(),
        f"0x{A}",
        f"`{A}`",
        f"“{A}”",
        f"({A}),",
        f"\u00a0{A}\u00a0",
        "4bf92f35-77b3-4da6-a3ce-929d0e0e4736",
        f"00-{A}-00f067aa0ba902b7-01",
        f"https://jaeger.example/trace/{A}",
        f"https://jaeger.example/base/trace/{A}?uiFind=abc#x",
        f"<https://jaeger.example/trace/{A}|open>",
        f"https://jaeger.example/api/traces/{A}",
        f"https://jaeger.example/api/v3/traces/{A}",
        "https://jaeger.example/trace/S_kvNXezTaajzpKdDg5HNg==",
        f"https://grafana.example/explore?schemaVersion=1&panes={quote(json.dumps({'abc': pane(A)}))}&orgId=1",
        f"<https://grafana.example/explore?schemaVersion=1&amp;panes={quote(json.dumps({'abc': pane(A)}))}&amp;orgId=1>",
        f"https://grafana.example/explore?orgId=1&left={quote(json.dumps(pane(A)))}",
        f'https://grafana.example/explore?orgId=1&left=["now-1h","now","Tempo",{{"query":"{A}"}}]',
        "https://grafana.example/explore?orgId=1&left=" + quote(json.dumps(pane(f'{{ trace:id = "{A}" }}'))),
        f"https://grafana.example/a/grafana-exploretraces-app/explore?traceId={A}&spanId=1",
        f"https://grafana.example/api/v2/traces/{A}",
        f"tempo:{A}",
        f"https://jaeger.example:443/trace/{A}",
        f"http://jaeger.example:80/trace/{A}",
        f"jaeger.example/trace/{A}",
        f"(Jaeger.example:443/trace/{A}?uiFind=x),",
        f"https://grafana.example/d/abc/checkout?orgId=1&var-service=checkout&var-traceID={A}",
        f"https://grafana.example/d/abc/checkout?var-trace_id={A}&from=now-1h&to=now",
    ],
)
def test_one_trace_in_any_dress(text) -> None:
    """Ids, headers and links of every kind lead to the same id."""
    assert ids(text) == [A]


@pytest.mark.parametrize(
    "text",
    [
        f"{A} {B}",
        f"https://jaeger.example/trace/{A}...{B}",
        f"https://grafana.example/explore?panes={quote(json.dumps({'abc': pane(A), 'abd': pane(B)}))}",
        f"https://grafana.example/explore?left={quote(json.dumps(pane(A)))}&right={quote(json.dumps(pane(B)))}",
    ],
)
def test_two_traces_in_one_link(text) -> None:
    """Diff pages and split views hold two."""
    assert ids(text) == [A, B]


def test_short_ids_are_padded() -> None:
    """A 64-bit id is the same trace with zeros before it."""
    assert ids("a1b2c3d4e5f60718") == ["0000000000000000a1b2c3d4e5f60718"]


def test_a_link_says_where_and_when() -> None:
    """The source belongs to the host; an absolute range becomes a padded window."""
    link = pane(A, range={"from": "1795478700000", "to": "1795480000000"})
    (reference,) = find_references(f"https://grafana.example/explore?panes={quote(json.dumps({'abc': link}))}", HOSTS)
    assert reference.source == "tempo"
    assert reference.window == (1795478700 - 21600, 1795480000 + 21600)


def test_a_link_of_a_host_that_several_sources_share_names_none_of_them() -> None:
    """One Grafana shows the traces of several sources: which one has the trace is found by asking them."""
    (reference,) = find_references(f"https://grafana.example/trace/{A}", {"grafana.example": ""})
    assert (reference.trace_id, reference.source) == (A, None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hello", "not a trace id"),
        (A + "0", "not a trace id"),
        ("0" * 32, "all zeros"),
        (f"https://evil.example/trace/{A}", "evil.example"),
        ("https://jaeger.example/search?service=x", "no trace id in that link"),
        ("https://grafana.example/explore?panes=%7Bbroken", "no trace id in that link"),
        ("http://[broken", "not a trace id"),
        ("[broken/trace/1", "not a trace id"),
        (f"evil.example/trace/{A}", "not a trace id"),
        (f"https://jaeger.example:8443/trace/{A}", "jaeger.example:8443"),
        (f"http://jaeger.example:443/trace/{A}", "jaeger.example:443"),
    ],
)
def test_what_is_no_reference_is_refused_with_a_reason(text, said) -> None:
    """The sentence names what was typed and what would do."""
    with pytest.raises(UserError, match=said):
        ids(text)


@given(st.text(max_size=200))
def test_any_text_is_understood_or_refused(text) -> None:
    """Nothing that people type or write raises anything but a sentence."""
    for read in (parse_command, parse_mention):
        try:
            asked = read(text, HOSTS)
        except UserError as error:
            assert error.sentence
        else:
            assert isinstance(asked, Asked)


@given(
    st.text("0123456789abcdef", min_size=1, max_size=32).filter(lambda text: text.strip("0")),
    st.sampled_from(
        ["{}", " {} ", "`{}`", "<https://jaeger.example/trace/{}>", "0x{}", "“{}”", "trace jaeger:{}", "{},"]
    ),
)
def test_any_id_is_found_in_any_wrapping(trace_id, wrapping) -> None:
    """Wrappings are removed; the id is normalised."""
    text = wrapping.format(trace_id).removeprefix("trace ")
    assert ids(text) == [trace_id.rjust(32, "0")]


def test_options_in_any_order() -> None:
    """Options may stand anywhere."""
    asked = parse_command(f"source=tempo {A} private tenant=team-a {B} at=2026-11-24T02:00:00Z", HOSTS)
    assert isinstance(asked, CompareRequest)
    assert (asked.source, asked.tenant, asked.private) == ("tempo", "team-a", True)
    assert asked.baseline.window == asked.suspect.window
    assert asked.suspect.trace_id == B


def test_a_range_of_time_holds_for_both_traces() -> None:
    """The range is widened: people remember times, not time zones of clocks."""
    asked = parse_command(f"{A} {B} window=2026-11-24T02:00Z/2026-11-24T02:30Z", HOSTS)
    start, end = asked.baseline.window
    assert asked.suspect.window == (start, end)
    assert end - start == 30 * 60 + 2 * 6 * 3600


def test_one_trace_is_compared_with_the_typical_one() -> None:
    """A single reference is the suspect; the options hold for it."""
    asked = parse_command(f"{A} at=2026-11-24T02:00:00Z", HOSTS)
    assert isinstance(asked, CompareRequest)
    assert asked.baseline is None
    assert (asked.suspect.trace_id, asked.suspect.window is None) == (A, False)


@pytest.mark.parametrize(
    "text",
    [
        "compare {} with {}", "{} -> {}", "{} -&gt; {}", "{} => {}", "{} → {}", "{} / {}", "{} - {}", "{} & {}",
        "please compare {} with {}, thanks!", "Compare trace {} and trace {} please", "between {} and {}",
    ],
)  # fmt: skip
def test_words_between_the_traces_are_ignored(text) -> None:
    """People write sentences, and arrows."""
    asked = parse_command(text.format(A, B), HOSTS)
    assert (asked.baseline.trace_id, asked.suspect.trace_id) == (A, B)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("private", "need a trace"),
        (f"{A} {B} {A[::-1]}", "I found 3 traces"),
        (f"{A} {B} sorce=x", "did you mean `source`"),
        (f"{A} {B} --json", "do not know the option"),
        (f"{A} {B} at=yesterday", "not a time"),
        (f"{A} {B} window=2026-11-24T02:00Z", "not a time"),
        (f"{A} {B} window=2026-11-24T03:00Z/2026-11-24T02:00Z", "not a time"),
    ],
)
def test_commands_that_cannot_be_done_say_what_to_type(text, said) -> None:
    """Each mistake has its own sentence."""
    with pytest.raises(UserError, match=said):
        parse_command(text, HOSTS)


def test_help_and_sources() -> None:
    """The two questions about the bot itself."""
    assert isinstance(parse_command("help", HOSTS), Help)
    assert isinstance(parse_command("?", HOSTS), Help)
    assert isinstance(parse_command("  ", HOSTS), Nothing)
    assert isinstance(parse_command("sources", HOSTS), ListSources)
    assert isinstance(parse_command("history", HOSTS), History)
