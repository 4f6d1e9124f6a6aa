"""Settings that got another name: the old one is understood for a while, and a warning says the new one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog

if TYPE_CHECKING:
    from collections.abc import Mapping

# old -> new. A name with dots stands in a table of the file: `limits.old`, or `sources.old` for every `[[sources]]`;
# one of the top level is an environment variable as well. A line stays for one minor version at least.
RENAMED: Mapping[str, str] = {}


def with_new_names(values: dict[str, Any], file: str) -> dict[str, Any]:
    """Return what a file says, under the names of today; where it says both, the new name counts."""
    for old, new in RENAMED.items():
        *path, last = old.split(".")
        for table in _tables(values, path):
            if last in table:
                _warn(old, new, file)
                table.setdefault(new.rpartition(".")[2], table.pop(last))
    return values


def with_new_variables(variables: Mapping[str, str | None]) -> dict[str, str | None]:
    """Return environment variables under the names of today; where both are set, the new one counts."""
    found = dict(variables)
    for old, new in RENAMED.items():
        if old in found:
            _warn(old.upper(), new.upper(), "environment")
            found.setdefault(new, found.pop(old))
    return found


def _tables(values: dict[str, Any], path: list[str]) -> list[dict[str, Any]]:
    found: list[Any] = [values]
    for name in path:
        inner = [table.get(name) for table in found if isinstance(table, dict)]
        found = [table for one in inner for table in (one if isinstance(one, list) else [one])]
    return [table for table in found if isinstance(table, dict)]


def _warn(old: str, new: str, where: str) -> None:
    structlog.get_logger().warning("setting renamed", old=old, new=new, where=where)
