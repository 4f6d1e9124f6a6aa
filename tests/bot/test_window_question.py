"""Two windows of time as people ask for them: what is read, what is assumed, and what is said of what cannot be read."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import UserError
from bot.requests.commands import parse_command, parse_mention
from bot.requests.request import CompareRequest
from bot.requests.windows import words
from bot.slack import forms

NOW = int(datetime(2026, 11, 27, 14, 30, 20, tzinfo=UTC).timestamp())
JUST_BEFORE = "no second window was named: A is the time just before, as long as B"
SWAPPED = "the earlier window is A, whichever was named first"
CUT = "what lies ahead was left out: it is 14:30 UTC"


def read(text: str, parse=parse_command) -> tuple[str, str]:
    """Return what is compared, and what was assumed."""
    asked = parse(text, {}, NOW)
    assert isinstance(asked, CompareRequest)
    assert asked.windows is not None
    return words(asked.windows), asked.note


@pytest.mark.parametrize(
    ("text", "a", "b", "note"),
    [
        ("from=14:00 to=14:20 vs from=13:00 to=13:30", "13:00-13:30 UTC", "14:00-14:20 UTC", ""),
        ("from=13:00 to=13:20 vs from=14:00 to=14:20", "13:00-13:20 UTC", "14:00-14:20 UTC", SWAPPED),
        ("from 14:00 to 14:20 vs from 13:00 to 13:20", "13:00-13:20 UTC", "14:00-14:20 UTC", ""),
        ("14:00-14:20 vs 13:00 – 13:20", "13:00-13:20 UTC", "14:00-14:20 UTC", ""),
        ("last 30m vs before", "13:30-14:00 UTC", "14:00-14:30 UTC", ""),
        ("last=90 minutes vs yesterday", "2026-11-26 13:00-14:30 UTC", "13:00-14:30 UTC", ""),
        ("last hour vs last week", "2026-11-20 13:30-14:30 UTC", "13:30-14:30 UTC", ""),
        ("since 14:02 vs 1d ago", "2026-11-26 14:02-14:30 UTC", "14:02-14:30 UTC", ""),
        ("last 30m vs the day before", "2026-11-26 14:00-14:30 UTC", "14:00-14:30 UTC", ""),
        ("from=-1h to=now vs -1d", "2026-11-26 13:30-14:30 UTC", "13:30-14:30 UTC", ""),
        ("from=now-2h to=now-1h", "11:30-12:30 UTC", "12:30-13:30 UTC", JUST_BEFORE),
        ("last 30m", "13:30-14:00 UTC", "14:00-14:30 UTC", JUST_BEFORE),
        ("last 30m vs", "13:30-14:00 UTC", "14:00-14:30 UTC", JUST_BEFORE),
        ("", "13:30-14:00 UTC", "14:00-14:30 UTC", f"no time was named: B is the last 30 minutes; {JUST_BEFORE}"),
        ("to=14:00", "13:00-13:30 UTC", "13:30-14:00 UTC", JUST_BEFORE),
        ("at=14:02", "13:17-13:47 UTC", "13:47-14:17 UTC", JUST_BEFORE),
        ("from=14:02 to=14:40", "13:34-14:02 UTC", "14:02-14:30 UTC", f"{CUT}; {JUST_BEFORE}"),
        ("from=2:02 PM to=2:20pm vs from=1 pm", "13:00-13:18 UTC", "14:02-14:20 UTC", ""),
        ("from=16:00+02:00 to=14:20Z", "13:40-14:00 UTC", "14:00-14:20 UTC", JUST_BEFORE),
        ("from=23:50 to=00:10 vs before", "2026-11-26 23:30-23:50 UTC", "2026-11-26 23:50-2026-11-27 00:10 UTC", ""),
        ("from=yesterday 14:02 to=15:00 vs before", "2026-11-26 13:04-14:02 UTC", "2026-11-26 14:02-15:00 UTC", ""),
        ("from=2026-11-26T14:02Z to=2026-11-26T15:00:00.5Z vs before", "2026-11-26 13:04-14:02 UTC",
         "2026-11-26 14:02-15:00 UTC", ""),
        ("from=2026-11-26 vs before", "2026-11-25 00:00-2026-11-26 00:00 UTC",
         "2026-11-26 00:00-2026-11-27 00:00 UTC", ""),
        ("window=2026-11-27T14:00Z/2026-11-27T14:20Z vs before", "13:40-14:00 UTC", "14:00-14:20 UTC", ""),
        ("from=1795786200 to=1795787400000 vs before", "13:10-13:30 UTC", "13:30-13:50 UTC", ""),
        ("from=&lt;!date^1795786200^{time}|13:30&gt; to=“yesterday at 2:00 PM” vs before", None, None, ""),
        ("from=<!date^1795786200^{time}|13:30> to=‘13:50’ vs before", "13:10-13:30 UTC", "13:30-13:50 UTC", ""),
    ],
    ids=str,
)  # fmt: skip
def test_windows_are_read_as_people_write_them(text, a, b, note) -> None:
    """Times of day are the last that passed, lengths count back from now, and what was assumed is said."""
    if a is None:
        with pytest.raises(UserError, match="before it begins"):
            read(f"service=checkout {text}")
        return
    assert read(f"service=checkout {text}") == (f"checkout, {a} (A) with {b} (B)", note)


@pytest.mark.parametrize(
    "text",
    [
        'service=checkout operation="POST /orders" last 30m vs before',
        "service=checkout operation=“POST /orders” last 30m vs before",
        "service=checkout operation=POST /orders last 30m vs before",
        "operation='POST /orders' service = checkout from=-30m vs before",
        "Service=`checkout` op=`POST /orders` past 30 min against before",
        "<https://checkout|service=checkout> operation=POST /orders 30m vs before",
    ],
)
def test_quotation_marks_and_order_do_not_matter(text) -> None:
    """Smart quotes, none, other names for a field, a link that Slack made: the same question."""
    assert read(text)[0] == "checkout POST /orders, 13:30-14:00 UTC (A) with 14:00-14:30 UTC (B)"


def test_options_go_along() -> None:
    """Source, tenant and private mean what they mean for traces; the question is the same all minute long."""
    text = "service=checkout last 30m vs before source=tempo-prod tenant=team-a private"
    asked = parse_command(text, {}, NOW)
    assert (asked.source, asked.tenant, asked.private) == ("tempo-prod", "team-a", True)
    assert parse_command(text, {}, NOW + 39) == asked


@pytest.mark.parametrize(
    "text",
    [
        "<@U1> could you please look at service=checkout operation=POST /orders last 30m vs before, thanks!",
        "<@U1> I want you to compare service=checkout op=POST /orders since 14:00 vs before",
        '<@U1|bot> what about service=checkout operation="POST /orders"?',
    ],
)  # fmt: skip
def test_a_sentence_around_it_is_passed_over(text) -> None:
    """In a message to the bot, words that mean nothing here are no mistakes."""
    assert read(text, parse_mention)[0].startswith("checkout POST /orders, 13:30-14:00 UTC (A) with 14:00-14:30 UTC")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("last 30m vs before", "Name a service: `service=checkout"),
        ("service= last 30m", "Name a service"),
        ("service=checkout from=25:00", "“25:00” is not a time I understand. Use `14:02`"),
        ("service=checkout from=14:00 CET", "the time zone “CET”. Write the time in UTC, or with its offset"),
        ("service=checkout from=14:00+99:00", "time zone “+99:00”"),
        ("service=checkout from=14:20 to=14:00", "ends (14:00 UTC) before it begins (14:20 UTC)"),
        ("service=checkout from=2026-12-01 to=2026-12-02", "begins at 2026-12-01 00:00 UTC, and it is only 14:30 UTC"),
        ("service=checkout last 10s", "too short to hold enough requests; take 60 s"),
        ("service=checkout last 30d", "longer than 7 days"),
        ("service=checkout last soon", "“soon” is not a length of time"),
        ("service=checkout last 30m vs last 20m", "overlap: 14:00-14:30 UTC, and 14:10-14:30 UTC"),
        ("service=checkout last 1h vs before vs before", "I found 3 windows of time"),
        ('service=checkout operation="POST last 30m', "The quotation mark before “POST” is not closed"),
        ("service=checkout 4bf92f3577b34da6a3ce929d0e0e4736", "windows of time and a trace (“4bf92f35"),
        ("service=checkout last 30m vs banana", "I do not understand “banana” here"),
        ("service=checkout last 30m from=14:00", "in two ways (`last`, `from`)"),
        ("service=checkout from=14:00 from=13:00", "`from` was said twice. Put `vs` between"),
        ("srvice=checkout last 30m", "I do not know the option “srvice”. I know: `service=`"),
        (f"service={'x' * 301} last 30m", "more than 300 characters"),
        ("service=checkout from=1970-01-01T00:00Z to=1970-01-01T01:00Z", "not a time I understand"),
    ],
    ids=str,
)  # fmt: skip
def test_what_cannot_be_read_is_said_with_what_to_write(text, sentence) -> None:
    """Every wrong form has its sentence."""
    with pytest.raises(UserError) as refused:
        parse_command(text, {}, NOW)
    assert sentence in str(refused.value)


def test_the_form_takes_windows_too() -> None:
    """Where the slow trace belongs; source and privacy are those of the form, and a trace beside it is a mistake."""

    def filled(**fields: dict) -> dict:
        return {"state": {"values": {block: {forms.FIELD: value} for block, value in fields.items()}}}

    windows = {"value": "service=checkout operation=POST /orders last 30m vs before"}
    asked = forms.read_form(
        filled(suspect=windows, source={"selected_option": {"value": "tempo"}}, private={"selected_options": [{}]}),
        {}, ("tempo",),
    )  # fmt: skip
    assert (asked.windows.service, asked.windows.operation) == ("checkout", "POST /orders")
    assert (asked.source, asked.private) == ("tempo", True)
    for values, sentence in (
        ({"suspect": windows, "baseline": {"value": "a" * 32}}, "windows of time and a trace"),
        ({"suspect": {"value": "service=checkout last 30m vs banana"}}, "do not understand “banana”"),
    ):
        with pytest.raises(forms.FormError) as refused:
            forms.read_form(filled(**values), {}, ())
        assert sentence in refused.value.fields["suspect"]


@given(
    st.text(max_size=80), st.sampled_from(["service=a ", "service=a from=", "last 30m vs ", "service=a last 1h vs "])
)
def test_any_text_is_read_or_refused(text, start) -> None:
    """Whatever is typed: windows that can be searched, in their order, or a sentence; never a traceback."""
    for parse in (parse_command, parse_mention):
        try:
            asked = parse(start + text, {}, NOW)
        except UserError as error:
            assert str(error)
        else:
            a, b = asked.windows.baseline, asked.windows.suspect
            assert 0 < a[0] < a[1] <= b[0] < b[1] <= NOW
