"""Links: only to configured hosts, whatever a trace calls its services."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.links import Place, service_links
from bot.settings import LinkSettings

START = 1_795_528_931 * 10**9
PLACE = Place(service="checkout", trace_id="ab", span_id="cd", start_ns=START, end_ns=START + 10**9)


def link(url: str, *services: str) -> LinkSettings:
    """Return one configured page."""
    return LinkSettings(title="logs", url=url, services=services)


def test_every_field_is_filled_in() -> None:
    """Names, ids, and the time of the request with five minutes around it, in the three ways that tools want it."""
    url = "https://logs.example/x?q={{a}}&s={service}&t={trace_id}&i={span_id}&from={start_ms}&to={end_s}&at={start}"
    assert service_links([link(url)], PLACE) == [
        ("logs", ("https://logs.example/x?q={a}&s=checkout&t=ab&i=cd&from=1795528631000&to=1795529232"
         "&at=2026-11-24T13%3A57%3A11Z")),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("services", "shown"), [((), True), (("checkout",), True), (("check*", "x"), True), (("payment",), False)]
)
def test_a_page_can_be_about_some_services_alone(services, shown) -> None:
    """A runbook is shown where it applies; without a list it applies everywhere."""
    assert bool(service_links([link("https://wiki.example/", *services)], PLACE)) is shown


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://a.example/{span_id}", Place(service="a", trace_id="ab")),
        ("https://a.example/{service}", Place(service="", trace_id="ab")),
        ("https://a.example/{start}", Place(service="a", trace_id="ab")),
        ("https://a.example/{end_ms}", Place(service="a", trace_id="ab", start_ns=2**63, end_ns=2**63)),
        ("https://a.example/{start_s}", Place(service="a", trace_id="ab", start_ns=5, end_ns=6)),
    ],
)
def test_a_page_that_needs_what_is_not_known_is_left_out(url, place) -> None:
    """No link leads to a search for nothing."""
    assert service_links([link(url)], place) == []


@given(st.text(st.characters(exclude_categories=()), max_size=60))
@example("../..//evil.example/\ud800")
def test_no_name_of_a_service_leads_elsewhere(service) -> None:
    """Slashes, hosts, queries, fragments and half characters in a name are text like any other."""
    for _, url in service_links(
        [link("https://wiki.example/runbooks/{service}?x=1#y")], Place(service=service, trace_id="ab")
    ):
        parts = urlsplit(url)
        assert (parts.netloc, parts.query, parts.fragment) == ("wiki.example", "x=1", "y")
        assert parts.path.count("/") == 2
        assert url.isascii()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("ftp://a.example/", "must be an http"),
        ("wiki.example/{service}", "must be an http"),
        ("https://{service}.example/", "without a field in its host"),
        ("https://wiki.example{service}/", "without a field in its host"),
        ("{service}", "must be an http"),
        ("", "must be an http"),
        ("https://a.example/{operation}", "there is no field {operation}; there are service"),
        ("https://a.example/{service.__class__}", "there is no field"),
        ("https://a.example/{service!r}", "there is no field"),
        ("https://a.example/{0}", "there is no field"),
        ("https://a.example/{service", "write {{ and }}"),
    ],
)
def test_a_template_that_cannot_work_is_refused_at_start(url, said) -> None:
    """What is wrong with it is said with the settings, not in the middle of an incident."""
    with pytest.raises(ValidationError) as refused:
        link(url)
    assert said in str(refused.value)
