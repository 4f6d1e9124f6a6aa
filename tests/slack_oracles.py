"""Two judges of Slack messages that know nothing of this project: slack_sdk's models and `slackblocks`.

Each has gaps (the SDK does not look into table cells, neither counts characters over a whole message), so a message
has to please both, and `bot.slack.limits` besides.
"""

from __future__ import annotations

import slackblocks as sb
from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View
from slackblocks.errors import InvalidUsageError

STYLES = ("bold", "italic", "strike", "code")


def objections(message: dict) -> list[str]:
    """Say what the judges have against a message (its `text` and `blocks`); empty when they would take it."""
    found = []
    blocks = message.get("blocks") or []
    for block in blocks:
        parsed = Block.parse(block)
        if parsed is None:
            found.append(f"slack_sdk does not know {block.get('type')}")
            continue
        try:
            parsed.validate_json()
        except SlackObjectFormationError as error:
            found.append(f"slack_sdk: {error}")
    try:
        sb.Message("C1", text=message.get("text") or "", blocks=[_block(block) for block in blocks]).to_dict()
    except (InvalidUsageError, KeyError) as error:
        found.append(f"slackblocks: {error!r}")
    return found


def view_objections(view: dict) -> list[str]:
    """Say what the judges have against a modal or a home tab; empty when they would show it."""
    found = []
    try:
        View(**view).validate_json()
        for block in view["blocks"]:
            Block.parse(block).validate_json()
    except SlackObjectFormationError as error:
        found.append(f"slack_sdk: {error}")
    try:
        blocks = [_block(block) for block in view["blocks"]]
        if view["type"] == "home":
            sb.HomeTabView(blocks=blocks).to_dict()
        else:
            sb.ModalView(
                title=_plain(view["title"]), blocks=blocks, close=_plain(view["close"]),
                submit=_plain(view["submit"]) if "submit" in view else None,
                private_metadata=view.get("private_metadata"), callback_id=view.get("callback_id"),
            ).to_dict()  # fmt: skip
    except (InvalidUsageError, KeyError) as error:
        found.append(f"slackblocks: {error!r}")
    return found


def _block(block: dict) -> sb.Block:
    """Build slackblocks' own object from a block; a shape it has no word for is a `KeyError`."""
    match block["type"]:
        case "rich_text":
            return sb.RichTextBlock([_rich(part) for part in block["elements"]])
        case "context":
            return sb.ContextBlock([_plain(element) for element in block["elements"]])
        case "actions":
            return sb.ActionsBlock([_button(element) for element in block["elements"]])
        case "divider":
            return sb.DividerBlock()
        case "input":
            hint = _plain(block["hint"]) if "hint" in block else None
            return sb.InputBlock(
                _plain(block["label"]), _input(block["element"]), block_id=block["block_id"], hint=hint,
                optional=block["optional"],
            )  # fmt: skip
        case "table":
            settings = [sb.ColumnSettings(**column) for column in block.get("column_settings", [])]
            return sb.TableBlock([[_cell(cell) for cell in row] for row in block["rows"]], settings)
    raise KeyError(block["type"])


def _rich(part: dict) -> object:
    match part["type"]:
        case "rich_text_section":
            return sb.RichTextSection([_inline(element) for element in part["elements"]])
        case "rich_text_preformatted":
            return sb.RichTextCodeBlock([_inline(element) for element in part["elements"]])
        case "rich_text_list":
            return sb.RichTextList(part["style"], [_rich(element) for element in part["elements"]])
    raise KeyError(part["type"])


def _inline(element: dict) -> object:
    """Only literal text, links, emoji and channels are allowed: nothing that calls anybody."""
    style = {name: True for name in STYLES if element.get("style", {}).get(name)}
    match element["type"]:
        case "text":
            return sb.RichText(_present(element["text"]), **style)
        case "link":
            return sb.RichTextLink(element["url"], _present(element["text"]), **style)
        case "emoji":
            return sb.RichTextEmoji(element["name"])
        case "channel":
            return sb.RichTextChannel(element["channel_id"])
    raise KeyError(element["type"])


def _present(text: str) -> str:
    if not text:
        raise InvalidUsageError("empty text in rich text")
    return text


def _input(element: dict) -> object:
    rest = {name: value for name, value in element.items() if name not in ("type", "options", "placeholder")}
    if "placeholder" in element:
        rest["placeholder"] = _plain(element["placeholder"])
    if "options" in element:
        rest["options"] = [sb.Option(_plain(option["text"]), option["value"]) for option in element["options"]]
    kinds = {
        "plain_text_input": sb.PlainTextInput, "static_select": sb.StaticSelectMenu, "checkboxes": sb.CheckboxGroup,
        "datetimepicker": sb.DateTimePicker, "conversations_select": sb.ConversationSelectMenu,
    }  # fmt: skip
    return kinds[element["type"]](**rest)


def _plain(element: dict) -> sb.Text:
    if element["type"] != "plain_text":
        raise KeyError(element["type"])
    return sb.Text(element["text"], type_=sb.TextType.PLAINTEXT)


def _button(element: dict) -> sb.Button:
    return sb.Button(
        _plain(element["text"]), element["action_id"], url=element.get("url"), value=element.get("value"),
        style=element.get("style"),
    )  # fmt: skip


def _cell(cell: dict) -> object:
    if cell["type"] == "raw_text":
        return sb.RawText(_present(cell["text"]))
    (section,) = cell["elements"]
    return _rich(section)
