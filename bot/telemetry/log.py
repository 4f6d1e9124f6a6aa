"""Structured logs: one JSON object a line, or readable lines on a terminal.

    bot's own lines --> context (request id) --+
    libraries' lines (warnings, errors) -------+--> time, level --> secrets masked --> standard error

The last step before a line is written takes out what must not be read in it, whoever wrote it: the configured secrets
wherever they stand, response addresses, and everything else that looks like a credential.
"""

from __future__ import annotations

import base64
import logging
import re
import sys
from typing import TYPE_CHECKING, Any

import structlog

from analysis.redact import MASK, redacted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from structlog.typing import EventDict, Processor, WrappedLogger

SHORTEST = 6  # characters of a secret: a shorter one would be masked within ordinary words
_NAMES = frozenset(("authorization", "cookie", "headers", "password", "response_url", "secret", "token", "trigger_id"))
_RESPONSE_URL = re.compile(r"https?://hooks\.slack(?:-gov)?\.com/[^\s\"'<>]{0,400}", re.IGNORECASE)
# What moves a terminal's cursor or ends a line; a traceback has lines of its own.
_CONTROLS = dict.fromkeys([*range(32), *range(127, 160), 0x2028, 0x2029], " ")
_hidden: set[str] = set()


def hide(secrets: Iterable[str]) -> None:
    """Never let these texts be read in a line, neither as they are nor in base64."""
    for secret in secrets:
        if len(secret) >= SHORTEST:
            _hidden.update((secret, base64.b64encode(secret.encode()).decode()))


def masked(text: str) -> str:
    """Return a text as it may stand in a log."""
    for secret in sorted(_hidden, key=len, reverse=True):
        text = text.replace(secret, MASK)
    return redacted(_RESPONSE_URL.sub(MASK, text))


def mask(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    """Take out of a line what must not be read in it, and what would make it look like more than one line."""
    safe = {name: MASK if name in _NAMES and value else _safe(value) for name, value in line.items()}
    return {
        name: its.translate(_CONTROLS) if isinstance(its, str) and name != "exception" else its
        for name, its in safe.items()
    }


def _safe(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, dict):
        return {masked(str(name)): MASK if name in _NAMES and its else _safe(its) for name, its in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_safe(its) for its in value]
    return masked(str(value))


class _Lines(logging.Handler):
    """Writes to whatever standard error is at the time."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        try:
            sys.stderr.write(self.format(record) + "\n")
        except Exception:  # noqa: BLE001 - a line that cannot be written must not fail the request that wrote it
            self.handleError(record)


def configure(*, json_lines: bool | None = None, least: int = logging.INFO) -> None:
    """Set up logging for the process; `least`: the level below which nothing is written."""
    as_json = not sys.stderr.isatty() if json_lines is None else json_lines
    # Plain tracebacks: the pretty ones print local variables, tokens and response addresses among them.
    renderer: Processor = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    )
    first: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*first, mask, renderer],
        logger_factory=lambda *_: structlog.WriteLogger(sys.stderr),  # whatever it is by then
        wrapper_class=structlog.make_filtering_bound_logger(least),
    )
    handler = _Lines()
    handler.set_name("compare-traces")
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *first],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, mask, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [*(its for its in root.handlers if its.get_name() != handler.get_name()), handler]
    root.setLevel(logging.WARNING)
    # On a wrong signature Bolt logs the whole request body at INFO: never let that through.
    logging.getLogger("slack_bolt").setLevel(logging.WARNING)
    # httpx logs every address at INFO, with ids and tenants in it.
    logging.getLogger("httpx").setLevel(logging.WARNING)
