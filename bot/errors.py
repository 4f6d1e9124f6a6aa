"""The bot's errors, as one tree, and the sentence that people read for each.

    BotError                       carries a stable code and the fields of its sentence
    ├── UserError                  what was typed cannot be done: usage, references, permissions
    ├── SourceError                a trace backend did not give the trace
    ├── AnalysisError              the comparison itself could not be made
    └── DeliveryError              Slack did not take the answer

Every sentence says what happened and what to do. They stand in one table, so that they can be read, and
tested, together; upstream status, path and answer are kept in the fields.
"""

from __future__ import annotations

from string import Formatter
from typing import ClassVar


class BotError(Exception):
    """Base of all errors that people may see. `code` names a row of the family's `sentences`."""

    sentences: ClassVar[dict[str, str]] = {}

    def __init__(self, code: str, **fields: object) -> None:
        self.code = code
        self.fields = {name: _bounded(value) for name, value in fields.items()}
        super().__init__(self.sentence)

    @property
    def sentence(self) -> str:
        """The sentence for people."""
        template = self.sentences[self.code]
        names = {name for _, name, _, _ in Formatter().parse(template) if name}
        return template.format(**{name: self.fields.get(name, "?") for name in names})


class UserError(BotError):
    """What was asked for cannot be done as it was asked."""

    sentences: ClassVar[dict[str, str]] = {
        "usage": "I need a trace, `/compare-traces <trace>`, or two, `/compare-traces <trace A> <trace B>`, A the "
        "healthy one. Ids or links both work; `/compare-traces help` shows examples.",
        "too-many": "I found {count} traces in what you typed; give me one, or two, A the healthy one: "
        "`/compare-traces <trace A> <trace B>`.",
        "one-per-field": "One trace belongs here, as an id or a link; I found {count}.",
        "nothing-in-message": "That message names neither a trace, by its id or a link to it, nor a service. Name a "
        "trace: mention me with it in the thread, or use `/compare-traces <trace>`.",
        "no-time-in-message": "That message is about {service}, but says neither which trace nor when. Name a trace: "
        "mention me with it in the thread, or use `/compare-traces <trace>`.",
        "unseen-message": "I cannot find that message any more. Name a trace: mention me with it, or use "
        "`/compare-traces <trace>`.",
        "not-a-reference": "“{text}” is not a trace id or a link to a trace. An id has up to 32 hex digits "
        "(0-9, a-f); a link is one from Jaeger, Tempo or Grafana.",
        "no-trace-in-link": "I found no trace id in that link to {host}. Open the trace itself and copy that link.",
        "unknown-host": "That link goes to {host}, which is none of the configured sources ({known}). Paste the bare "
        "trace id, or ask whoever runs me to add that host.",
        "zero-id": "That trace id is all zeros: the request was not sampled, so no trace of it exists. "
        "Take another request.",
        "unknown-option": "I do not know the option “{option}”. I know: {known}.",
        "bad-time": "“{text}” is not a time I understand. Use `at=2026-01-31T14:05Z`, "
        "`window=2026-01-31T14:00Z/2026-01-31T14:30Z`, or Unix times in seconds.",
        "bad-moment": "“{text}” is not a time I understand. Use `14:02` (UTC), `-30m`, `now`, `yesterday 14:02`, "
        "`2026-01-31T14:02Z`, `14:02+01:00` or Unix seconds.",
        "bad-duration": "“{text}” is not a length of time I understand. Use `30m`, `2h`, `1h30m` or `1d`.",
        "unknown-zone": "I do not know the time zone “{zone}”. Write the time in UTC, or with its "
        "offset: `14:02+01:00`.",
        "no-service": "Whose requests shall I compare? Name a service: `service=checkout last 30m vs before`, and with "
        '`operation="POST /orders"` one of its operations.',
        "many-windows": "I found {count} windows of time; I compare two: `service=checkout from=14:00 to=14:30 vs "
        "from=13:00 to=13:30`.",
        "windows-and-traces": "I found windows of time and a trace (“{text}”). Compare traces, "
        "`/compare-traces <trace A> <trace B>`, or windows, `/compare-traces service=checkout last 30m vs before`.",
        "open-quote": "The quotation mark before “{text}” is not closed. Close it, or leave it out.",
        "said-twice": "`{field}` was said twice. Put `vs` between the two windows: `service=checkout from=14:00 "
        "to=14:30 vs from=13:00 to=13:30`.",
        "two-ways": "One window was named in two ways ({fields}). Use `from=` with `to=`, or `last 30m`, or "
        "`at=14:02`.",
        "unknown-word": "I do not understand “{text}” here. Name windows like this: `service=checkout from=14:00 "
        "to=14:30 vs from=13:00 to=13:30`, or `service=checkout last 30m vs before`.",
        "long-name": "That {field} has more than {most} characters. Paste its name alone.",
        "windows-overlap": "The windows overlap: {a}, and {b}. Name two that do not, or `vs before`.",
        "window-ahead": "That window begins at {start}, and it is only {now}. Name one that has begun; times without a "
        "zone are UTC.",
        "window-backwards": "That window ends ({end}) before it begins ({start}). Times without a zone are UTC.",
        "window-short": "That window is too short to hold enough requests; take {seconds} s or more.",
        "window-long": "That window is longer than {days} days, which no backend searches. Take a shorter one.",
        "not-a-time": "“{text}” is not a time I understand: write it as 2026-01-31T14:05:00Z, or in Unix seconds.",
        "no-window": "No time lies between {since} and {until}: the window must begin before it ends.",
        "trace-or-service": "Name either a trace or a service: I need one of the two to know which requests are meant.",
        "bad-since": "“{text}” is not a time I understand. Use `since=7d` (also m, h, w) or `since=2026-01-31`.",
        "unknown-source": "There is no source called “{source}” here. This channel has: {known}.",
        "unknown-tenant": "I may not ask for the tenant “{tenant}” here. This channel has: {known}.",
        "no-sources": "No trace source is configured for this channel. Ask whoever runs me to add one.",
        "channel-refused": "I am not allowed to answer in this channel. Ask whoever runs me to add it.",
        "external-channel": "This channel is shared with another organisation, which would read the answer. Ask in a "
        "channel of your own, or have whoever runs me allow it (`external_channels`).",
        "cannot-check": "Slack does not tell me who reads this channel or who may ask ({reason}), so I say nothing "
        "here. Try again in a minute; if it stays so, whoever runs me finds the missing right with "
        "`compare-traces-bot check`.",
        "user-refused": "You are not on the list of people who may compare traces here. Ask whoever runs me.",
        "no-root": "The root span of trace {trace} is missing, so I cannot tell which requests to compare it with. "
        "Name a healthy one: `/compare-traces <healthy> {trace}`.",
        "no-typical": "{source} has no other trace of {operation}, within a week before or a day after, to compare "
        "{trace} with. Name a healthy one: `/compare-traces <healthy> {trace}`.",
        "nothing-found": "{source} has no trace of {what} from {when}. Requests may not be sampled there, or be past "
        "their retention.",
        "search-lags": "{source} has no trace of {what} yet: what is new is found only after about a minute. Ask again "
        "then.",
        "unknown-service": "{source} knows no service “{service}”. {hint}",
        "unknown-operation": "{service} has no operation “{operation}” in {source}. {hint}",
        "expired": "I do not have that answer any more (I keep them for {days} days). Please ask again.",
        "old-button": "That button is too old; please ask again.",
        "busy": "I am busy with other comparisons; try again in {seconds} s.",
        "busy-with-yours": "I am busy with {count} other comparisons of yours; try again in {seconds} s.",
        "busy-with-channel": "I am busy with {count} other comparisons for this channel; try again in {seconds} s.",
        "overdue": "I could not finish this comparison within {seconds} s and gave it up. Please ask again.",
    }


class SourceError(BotError):
    """A trace backend did not give what was asked for. `source` names it, `detail` is its own answer."""

    def __init__(self, code: str, *, source: str, **fields: object) -> None:
        self.source = source
        super().__init__(code, source=source, **fields)

    sentences: ClassVar[dict[str, str]] = {
        "trace-not-found": "There is no trace {trace} in {source}. Check the id; it may be past its retention, not "
        "sampled, or so new that it has not arrived: then ask again in a minute.",
        "timeout": "{source} did not answer within {seconds} s. Ask again; if it stays slow, check the backend.",
        "unreachable": "I cannot reach {source} ({detail}). Check that it is up and that I may connect to it.",
        "resting": "{source} failed {count} times in a row ({detail}), so I leave it alone for a moment. Ask again in "
        "{seconds} s; meanwhile check the backend.",
        "unauthorised": "{source} refused my credentials (status {status}: {detail}). Whoever runs me must check the "
        "token for this source.",
        "no-tenant": "{source} wants a tenant ({detail}). Say `tenant=<name>`, or have one set for this source.",
        "wrong-path": "{source} does not know the path {path}. Whoever runs me must check its url and base path.",
        "too-large": "That is more than {source} or my limit allows ({detail}). Compare a smaller request "
        "of the same operation.",
        "rate-limited": "{source} asks me to slow down (status 429). Ask again in a minute.",
        "broken": "{source} answered with an error (status {status} for {path}: {detail}). Ask again; if it stays, "
        "check the backend.",
        "cut-off": "The answer of {source} for trace {trace} broke off in the middle ({detail}). Ask again.",
        "unreadable": "{source} answered with something that is not a trace ({detail}). Whoever runs me must "
        "check its kind and url; a page of a proxy in between looks like this too.",
        "redirected": "{source} sends me on to another host ({host}), which I do not follow. Whoever runs me must "
        "correct its url; a login page in between looks like this too.",
        "search-unsupported": "{source} cannot search for traces ({detail}). Name both traces by their ids: "
        "`/compare-traces <healthy> <slow>`.",
        "no-metrics": "{source} does not compute how requests went over time ({detail}).",
        "unreadable-search": "{source} answered my search with something that I cannot read ({detail}). "
        "Name both traces by their ids: `/compare-traces <healthy> <slow>`. Whoever runs me must check its kind and "
        "url.",
        "rejected": "{source} rejected the request (status {status}: {detail}). Check the id, time and tenant that "
        "you gave; if it stays, whoever runs me must check its settings.",
    }


class AnalysisError(BotError):
    """The traces were fetched but could not be compared."""

    sentences: ClassVar[dict[str, str]] = {
        "took-too-long": "The comparison took longer than {seconds} s and was stopped. Compare smaller traces of the "
        "same operation.",
        "crashed": "The comparison failed on these traces; nothing else was harmed. Please report the two trace ids.",
        "unreadable": "{detail}",
    }


class DeliveryError(BotError):
    """Slack did not take a message."""

    sentences: ClassVar[dict[str, str]] = {
        "not-in-channel": "I can only answer in channels that I am a member of: type `/invite` with my name here, "
        "and ask again.",
        "slack-refused": "Slack refused my answer ({detail}). Ask in another channel; if it is the same there, whoever "
        "runs me finds what is wrong with `compare-traces-bot check`.",
        "too-late": "I could not open this within the three seconds that Slack gives me. Please try again.",
        "slack-limits": "Slack takes no more from me for {seconds} s (its rate limit). Ask again then.",
        "slack-unreachable": "Slack could not be reached ({detail}). Ask again in a minute.",
        "message-gone": "The message I was working on is not there any more ({detail}). Please ask again.",
        "incomplete": "Slack refused a part of my answer ({detail}); its first message stands. Ask again for the rest.",
        "interrupted": "I was restarted before this comparison was done. Please ask again.",
    }


MY_FAULT = "Something went wrong on my side; it is in my log. Please ask again."  # what nobody foresaw

FAMILIES: tuple[type[BotError], ...] = (UserError, SourceError, AnalysisError, DeliveryError)


def _bounded(value: object) -> object:
    return " ".join(value.split())[:200] if isinstance(value, str) else value
