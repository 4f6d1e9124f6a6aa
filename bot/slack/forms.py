"""The form in which a comparison is asked for field by field (a modal), and how it is read. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from bot.errors import UserError
from bot.requests.commands import around, parse_command
from bot.requests.references import find_references
from bot.requests.request import CompareRequest, Origin, TraceRef
from bot.requests.windows import asks_for_windows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.slack.elements import Block, Element

FORM = "compare_form"
FIELD = "value"  # the one input of every block
CHANNEL, BASELINE, SUSPECT, SOURCE, AT, PRIVATE = "channel", "baseline", "suspect", "source", "at", "private"
WINDOWS = "service=checkout last 30m vs before"
LONGEST = 3_000  # characters of an input, and of what a form carries along
MOST_OPTIONS = 100

View = dict[str, Any]


class FormError(Exception):
    """What was filled in cannot be done: `fields` holds a sentence per block."""

    def __init__(self, fields: dict[str, str]) -> None:
        super().__init__(*fields.values())
        self.fields = fields


def form(origin: Origin, sources: Sequence[str]) -> View:
    """Return the form; where `origin` names no channel it asks for one too."""
    blocks = [
        _line(SUSPECT, "Slow or failing trace (B)", "id or link", hint=f"Or two windows of time: {WINDOWS}"),
        _line(BASELINE, "Healthy trace (A)", "id or link", optional=True, hint="Without one I find a typical one."),
    ]
    if not origin.channel:
        blocks.insert(0, _field(CHANNEL, "Answer in", {
            "type": "conversations_select", "default_to_current_conversation": True, "response_url_enabled": True,
        }))  # fmt: skip
    if len(sources) > 1:
        options = [{"text": _plain(name), "value": name} for name in sources[:MOST_OPTIONS]]
        element = {"type": "static_select", "placeholder": _plain("whichever has them"), "options": options}
        blocks.append(_field(SOURCE, "Source", element, optional=True))
    blocks.append(
        _field(AT, "When they ran, about", {"type": "datetimepicker"}, optional=True, hint="Makes searching quicker.")
    )
    private = {"text": _plain("Show the answer to me alone"), "value": PRIVATE}
    blocks.append(_field(PRIVATE, "Privacy", {"type": "checkboxes", "options": [private]}, optional=True))
    carried = msgspec.json.encode(origin).decode()
    if len(carried) > LONGEST:
        carried = msgspec.json.encode(msgspec.structs.replace(origin, response_url=None)).decode()
    return {
        "type": "modal", "callback_id": FORM, "title": _plain("Compare traces"), "submit": _plain("Compare"),
        "close": _plain("Cancel"), "private_metadata": carried, "blocks": blocks,
    }  # fmt: skip


def read_origin(view: Mapping[str, Any]) -> Origin:
    """Return where the form was opened, with the channel that was chosen in it."""
    origin = msgspec.json.decode(view.get("private_metadata") or "", type=Origin)
    chosen = _values(view).get(CHANNEL, {}).get("selected_conversation")
    return msgspec.structs.replace(origin, channel=chosen) if chosen else origin


def read_form(view: Mapping[str, Any], hosts: Mapping[str, str], sources: Sequence[str]) -> CompareRequest:
    """Return what was asked for; raises `FormError`. `sources`: those that the channel may ask."""
    values = _values(view)
    errors: dict[str, str] = {}
    sides: dict[str, TraceRef | None] = {}
    windows: CompareRequest | None = None
    for block in (BASELINE, SUSPECT):
        text = (values.get(block, {}).get("value") or "").strip()
        try:
            if block == SUSPECT and asks_for_windows(text):
                windows = _windows(text, hosts, sides.get(BASELINE))
            else:
                sides[block] = _one_trace(text, hosts) if text or block == SUSPECT else None
        except UserError as error:
            errors[block] = str(error)
    source = (values.get(SOURCE, {}).get("selected_option") or {}).get("value")
    if source is not None and source not in sources:
        errors[SOURCE] = str(UserError("unknown-source", source=source, known=", ".join(sources) or "none"))
    private = bool(values.get(PRIVATE, {}).get("selected_options"))
    if windows is not None and not errors:
        return msgspec.structs.replace(windows, source=source or windows.source, private=private or windows.private)
    suspect = sides.get(SUSPECT)
    if errors or suspect is None:
        raise FormError(errors)
    baseline = sides[BASELINE]
    at = values.get(AT, {}).get("selected_date_time")
    if at:
        suspect = msgspec.structs.replace(suspect, window=around(int(at)))
        baseline = baseline and msgspec.structs.replace(baseline, window=suspect.window)
    return CompareRequest(baseline=baseline, suspect=suspect, source=source, private=private)


def _windows(text: str, hosts: Mapping[str, str], baseline: TraceRef | None) -> CompareRequest | None:
    if baseline is not None:
        raise UserError("windows-and-traces", text=baseline.trace_id)
    asked = parse_command(text, hosts)
    return asked if isinstance(asked, CompareRequest) else None


def _one_trace(text: str, hosts: Mapping[str, str]) -> TraceRef:
    found = find_references(text, hosts)
    if len(found) != 1:
        raise UserError("one-per-field", count=len(found))
    return found[0]


def _values(view: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return what each block holds."""
    blocks = (view.get("state") or {}).get("values") or {}
    return {block: its.get(FIELD) or {} for block, its in blocks.items()}


def _line(block: str, label: str, placeholder: str, *, optional: bool = False, hint: str = "") -> Block:
    element = {"type": "plain_text_input", "placeholder": _plain(placeholder), "max_length": LONGEST}
    return _field(block, label, element, optional=optional, hint=hint)


def _field(block: str, label: str, element: Element, *, optional: bool = False, hint: str = "") -> Block:
    field: Block = {
        "type": "input", "block_id": block, "label": _plain(label), "element": {**element, "action_id": FIELD},
        "optional": optional,
    }  # fmt: skip
    return {**field, "hint": _plain(hint)} if hint else field


def _plain(text: str) -> Element:
    return {"type": "plain_text", "text": text, "emoji": False}
