"""The documentation: what it shows is what happens."""

from __future__ import annotations

import re

from documented import PAGES, ROOT, blocks, pages

NOT_RUN_HERE = {  # commands of ```sh blocks: why, or where instead
    "make demo": "serves until it is stopped; tests/browser opens what it starts",
    "make test": "runs this",
    "compare-traces-bot run": "serves until it is stopped; tests/bot/test_process.py starts and stops it",
    """curl -s localhost:3001/v1/compare -H "Authorization: Bearer $API_TOKEN" --json """
    """'{"suspect": "208c7bdb5c98aa39122d2eea5aab730c"}'""": "tests/bot/machines/test_http_api.py asks so",
    "OPERATIONS.md": "tests/bot/test_operations.py runs each of them against a running bot",
}


async def test_what_the_pages_say_commands_print_is_what_they_print() -> None:
    """Every console session is played again; `make docs` writes down what is different."""
    shown = 0
    async for page, today in pages():
        assert page.read_text() == today, f"{page.name}: run `make docs`"
        shown += today.count("\n$ ")
    assert shown >= 6


def test_every_other_command_is_run_elsewhere_or_says_why_not() -> None:
    """A command without output in the documentation is in the list above; the list has no others."""
    commands = {
        page if page in NOT_RUN_HERE else line.partition("#")[0].strip()
        for page, block in blocks("(?:sh|bash|shell)")
        for line in block.splitlines()
        if line.strip()
    }
    assert commands == set(NOT_RUN_HERE)


def test_links_between_pages_lead_somewhere() -> None:
    """Files, headings and pictures that a page links to exist."""
    for page in PAGES:
        text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
        for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", text):
            name, _, anchor = target.partition("#")
            found = page if not name else (page.parent / name).resolve()
            assert found.exists(), (page.name, target)
            if anchor:
                titles = re.findall(r"^#+ (.*)$", found.read_text(), re.MULTILINE)
                assert anchor in {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}, target


def test_every_page_can_be_found() -> None:
    """Each page of docs/ is linked from the README."""
    readme = (ROOT / "README.md").read_text()
    for page in (ROOT / "docs").glob("*.md"):
        assert f"](docs/{page.name})" in readme, page.name


def test_rights_in_the_table_are_those_that_the_app_asks_for() -> None:
    """docs/SLACK.md has a row for every right of the manifest, and no other."""
    from bot.slack.rights import OPTIONAL_SCOPES, SCOPES

    table = (ROOT / "docs" / "SLACK.md").read_text().partition("## Socket Mode")[0]
    rows = [line for line in table.splitlines() if line.startswith("| `")]
    named = {right for row in rows for right in re.findall(r"`([a-z:_]+)`", row.split("|")[1])}
    optional = {
        right for row in rows if "(optional)" in row for right in re.findall(r"`([a-z:_]+)`", row.split("|")[1])
    }
    assert named == {*SCOPES, *OPTIONAL_SCOPES}
    assert optional == set(OPTIONAL_SCOPES)
