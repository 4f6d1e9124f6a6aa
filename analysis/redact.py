"""Redaction: secrets and personal data never leave the engine.

Everything that a comparison says passes through here before anything is rendered, posted, stored or logged; what is
sensitive in a text is known by `analysis.sensitive`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from analysis.comparison import Comparison
from analysis.sensitive import CARD, EMAIL, MASK, Redactor, redacted

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["CARD", "EMAIL", "MASK", "Redactor", "redact", "redacted"]


def redact(comparison: Comparison, redactor: Redactor) -> Comparison:
    """Return the comparison with every text redacted; the same one when there is nothing to hide."""
    if all(redactor.text(text) == text for text in _texts(comparison)):
        return comparison
    return msgspec.convert(_walk(msgspec.to_builtins(comparison), redactor), type=Comparison)


def _texts(comparison: Comparison) -> set[str]:
    """Collect every distinct text; a caller in a path is a contribution of its own, so the last step will do."""
    texts = {text for c in comparison.contributions for text in (c.operation, c.detail, *c.path[-1])}
    texts.update(_said(msgspec.to_builtins(msgspec.structs.replace(comparison, contributions=()))))
    return texts


def _said(node: Any) -> Iterator[str]:
    stack = [node]
    while stack:
        node = stack.pop()
        if isinstance(node, str):
            yield node
        elif isinstance(node, dict):
            stack.extend(value for key, value in node.items() if key not in _LITERAL and key not in _BY_NAME)
            for key in _BY_NAME & node.keys():
                stack.extend((*node[key], *node[key].values()))
        elif isinstance(node, (list, tuple)):
            stack.extend(node)


_BY_NAME = frozenset(("versions",))  # maps whose keys are names from the trace; all others are fields of ours
_LITERAL = frozenset(  # ours: ids, codes and numbers
    (
        *("trace_id", "root_span_id", "baseline_span_id", "suspect_span_id", "span_id", "baseline_span_ids"),
        *(
            "suspect_span_ids",
            "started_at",
            "finding",
            "fingerprint",
            "kind",
            "code",
            "severity",
            "confidence",
            "affects",
            "side",
            "parts",
        ),
    )
)


def _walk(node: Any, redactor: Redactor) -> Any:
    if isinstance(node, str):
        return redactor.text(node)
    if isinstance(node, dict):
        return {key: _field(key, value, redactor) for key, value in node.items()}
    if isinstance(node, (list, tuple)):
        return [_walk(item, redactor) for item in node]
    return node


def _field(key: str, value: Any, redactor: Redactor) -> Any:
    if key in _LITERAL:
        return value
    if key in _BY_NAME:
        return {redactor.text(name): redactor.text(text) for name, text in value.items()}
    return _walk(value, redactor)
