"""Shared fixtures: span builders, sample pairs, and the rule that every test says what it proves."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import forked_children
import pytest
import structlog
from proving import counted, properties, proving, summary

from analysis.model import Event, Link, Resource, Span, SpanKind, Trace
from bot.playground.trace_api import Samples

if TYPE_CHECKING:
    from collections.abc import Callable

MS = 1_000_000
START = 1_795_000_000_000_000_000


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse tests that do not state the behaviour they prove."""
    silent = [item.nodeid for item in items if isinstance(item, pytest.Function) and not item.function.__doc__]
    if silent:
        raise pytest.UsageError("tests without a docstring: " + ", ".join(silent[:5]))
    if proving():
        items[:] = properties(items)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item):
    """Count a property's examples when they are thousands."""
    if proving():
        yield from counted(item)
    else:
        yield


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many examples each property ran when they were thousands."""
    if proving():
        for line in summary(terminalreporter):
            terminalreporter.write_line(line)


@dataclass
class TraceBuilder:
    """Builds traces in a line per span; times are milliseconds after the trace's start."""

    trace_id: str = "a" * 32
    prefix: str = "1"
    spans: list[Span] = field(default_factory=list)
    resources: dict[tuple[str, str], Resource] = field(default_factory=dict)

    def span(
        self,
        name: str,
        start: float,
        end: float,
        parent: Span | None = None,
        *,
        service: str = "shop",
        kind: SpanKind = SpanKind.INTERNAL,
        error: bool = False,
        attributes: dict | None = None,
        resource: dict | None = None,
        events: tuple[Event, ...] = (),
        follows: bool = False,
        links: tuple[Span, ...] = (),
        span_id: str = "",
    ) -> Span:
        """Add a span and return it."""
        key = service, repr(sorted((resource or {}).items()))
        process = self.resources.setdefault(key, Resource(service=service, attributes=dict(resource or {})))
        made = Span(
            span_id=span_id or f"{self.prefix}{len(self.spans) + 1:015x}",
            parent_id=parent.span_id if parent else "",
            name=name,
            kind=kind,
            resource=process,
            start_ns=START + round(start * MS),
            end_ns=START + round(end * MS),
            error=error,
            status_message="",
            sent=dict(attributes or {}),
            events=events,
            follows_from=follows,
            links=tuple(Link(trace_id=self.trace_id, span_id=linked.span_id) for linked in links),
        )
        self.spans.append(made)
        return made

    def build(self) -> Trace:
        """Return the trace."""
        return Trace(trace_id=self.trace_id, spans=tuple(self.spans))


@pytest.fixture(autouse=True)
def _fresh_logging():
    """Undo what a command line under test configured: its stream ends with the test."""
    yield
    structlog.reset_defaults()


@pytest.fixture
def trace() -> Callable[..., TraceBuilder]:
    """Return a maker of trace builders, each with ids of its own."""
    made = 0

    def make() -> TraceBuilder:
        nonlocal made
        made += 1
        return TraceBuilder(trace_id=f"{made:x}" * 32, prefix=f"{made:x}")

    return make


@pytest.fixture(scope="session")
def samples() -> Samples:
    """Return the recorded pairs that the playground serves."""
    return Samples()


@pytest.fixture(scope="session")
def forked_command():
    """Return the command of an analysing child that starts at once."""
    with forked_children.stem() as command:
        yield command


@pytest.fixture
def quick_children(forked_command, monkeypatch):
    """Have bots of this process start children that are there at once."""
    monkeypatch.setattr("bot.analysing.runner.COMMAND", forked_command)
