"""Structured logs: one JSON object a line, or readable lines on a terminal."""

from __future__ import annotations

import logging
import sys

import structlog


def configure(*, json_lines: bool | None = None) -> None:
    """Set up logging for the process."""
    as_json = not sys.stderr.isatty() if json_lines is None else json_lines
    # Plain tracebacks: the pretty ones print local variables, tokens and response addresses among them.
    renderer = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([structlog.processors.format_exc_info] if as_json else []),
            renderer,
        ],
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    # On a wrong signature Bolt logs the whole request body at INFO: never let that through.
    logging.getLogger("slack_bolt").setLevel(logging.WARNING)
    # httpx logs every address at INFO, with ids and tenants in it.
    logging.getLogger("httpx").setLevel(logging.WARNING)
