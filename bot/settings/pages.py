"""Pages to go on to from a next step."""

from __future__ import annotations

from string import Formatter
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

FIELDS = ("service", "trace_id", "span_id", "start", "end", "start_s", "end_s", "start_ms", "end_ms")


def check_template(url: str) -> str:
    """Return the template of a link as it is; raises `ValueError` for one that cannot be filled in."""
    try:
        pieces = list(Formatter().parse(url))
    except ValueError as error:
        raise ValueError(f"not a template ({error}); write {{{{ and }}}} for braces that are meant") from None
    for _, name, spec, conversion in pieces:
        if name is not None and (name not in FIELDS or spec or conversion):
            raise ValueError(f"there is no field {{{name}}}; there are {', '.join(FIELDS)}")
    fixed = urlsplit(pieces[0][0] if pieces else "")
    closed = len(pieces) == 1 or fixed.path or fixed.query or fixed.fragment  # the host ends before the first field
    if fixed.scheme not in ("http", "https") or not fixed.hostname or not closed:
        raise ValueError("must be an http:// or https:// address, without a field in its host")
    return url


class LinkSettings(BaseModel):
    """One page to go on to from a next step: logs, a dashboard, a runbook."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str = Field(min_length=1, max_length=40, description="what the link says: `logs`, `dashboard`, `runbook`")
    url: Annotated[str, AfterValidator(check_template)] = Field(
        description=f"address with fields: {', '.join(f'`{{{name}}}`' for name in FIELDS)}"
    )
    services: tuple[str, ...] = Field((), description="services it is about (`*` matches anything); empty: all")
