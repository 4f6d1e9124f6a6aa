"""Names in query languages: whatever a service or an operation is called, the query stays the one that was meant. Pure.

PromQL and LogQL share Go's string literals. Everything that could end one, or begin an escape, becomes a numeric escape
itself, which holds within either kind of quotes.
"""

from __future__ import annotations

import re

FIELDS = ("service", "service_regex", "operation", "step")
_FIELD = re.compile(r"\{([a-z_]+)\}")
_REGEX = frozenset("\\.+*?()|[]{}^$")
_QUOTES = frozenset("\"'`\\")


def check_query(template: str) -> str:
    """Return the template of a query as it is; raises `ValueError` for one with a field that does not exist."""
    fields = set(_FIELD.findall(template))
    unknown = sorted(fields - set(FIELDS))
    if unknown:
        raise ValueError(f"there is no field {{{unknown[0]}}}; there are {', '.join(FIELDS)}")
    if template and not fields & {"service", "service_regex"}:
        raise ValueError("must name the service it asks about: {service}")
    return template


def filled(template: str, *, service: str, operation: str = "", step: str = "") -> str:
    """Fill a template in; names stand for text within quotes, `{service_regex}` for a regular expression there."""
    values = {
        "service": literal(service),
        "service_regex": one_of((service,)),
        "operation": literal(operation),
        "step": step,
    }
    return _FIELD.sub(lambda match: values.get(match.group(1), match.group(0)), template)


def literal(text: str) -> str:
    """Write text for the inside of a quoted string."""
    return "".join(_escaped(char) for char in text)


def one_of(texts: tuple[str, ...]) -> str:
    """Write a regular expression that matches exactly these texts, for the inside of a quoted string."""
    return literal("|".join("".join(f"\\{char}" if char in _REGEX else char for char in text) for text in texts))


def _escaped(char: str) -> str:
    if char in _QUOTES or ord(char) < 0x20 or ord(char) == 0x7F:
        return f"\\x{ord(char):02x}"
    return "\ufffd" if 0xD800 <= ord(char) <= 0xDFFF else char
