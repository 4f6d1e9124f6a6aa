"""The playground as a person sees it: type a command, read the verdict, open the thread."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from bot.playground.page_api import windows_command

pytestmark = pytest.mark.asyncio(loop_scope="session")  # the browser's own


def command(playground, name: str) -> str:
    """Return the command for a sample."""
    pair = next(s for s in playground.samples.pairs if s.name == name)
    return f"/compare-traces {pair.baseline} {pair.suspect}"


async def type_line(page, text: str) -> None:
    """Type a line and send it."""
    await page.fill("textarea", text)
    await page.press("textarea", "Enter")


async def test_the_first_look_shows_a_finished_comparison(open_page) -> None:
    """Opening the page shows the product: a verdict with its cause, buttons and a thread."""
    page = await open_page()
    root = page.locator("main .post").last
    await expect(root).to_contain_text("slower")
    await expect(root).to_contain_text("Cause:")
    await expect(root.locator(".replies")).to_contain_text("4 replies")
    assert page.errors == []


async def test_a_typed_command_becomes_a_verdict_and_a_thread(open_page, playground, tmp_path) -> None:
    """The whole way: slash command, root message, thread with table and next steps."""
    page = await open_page()
    await type_line(page, command(playground, "retry-storm"))
    root = page.locator("main .post").last
    await expect(root).to_contain_text("tried 5 times")
    await expect(root).to_contain_text("Confidence: high")
    await root.locator(".replies").click()
    thread = page.locator("aside")
    await expect(thread).to_contain_text("Top offending spans")
    await expect(thread.locator("table tr").nth(1)).to_contain_text("payment")
    await expect(thread).to_contain_text("Suggested next steps")
    drawn = thread.locator(".file img")
    await expect(drawn).to_have_attribute("alt", re.compile("payment"))
    assert await drawn.evaluate("image => image.complete && image.naturalWidth > 1000")
    picture = await page.screenshot(path=tmp_path / "thread.png")
    assert len(picture) > 20_000
    assert page.errors == []


async def test_the_founding_case(open_page, playground) -> None:
    """The same trace twice: nothing explains a spike, seconds are seconds, a healthy trace is offered."""
    page = await open_page()
    await type_line(page, command(playground, "same-trace-twice"))
    root = page.locator("main .post").last
    await expect(root).to_contain_text("1.20 s of 1.21 s is spent in preprocess-request")
    await expect(root).to_contain_text("nothing here explains a spike")
    await expect(root).to_contain_text("healthy trace")
    await expect(root).not_to_contain_text("Cause:")


async def test_a_mistake_is_answered_for_the_typist_alone(open_page) -> None:
    """A usage error appears as a message that only this person sees."""
    page = await open_page()
    await type_line(page, "/compare-traces nonsense words")
    whisper = page.locator(".post.ephemeral")
    await expect(whisper).to_contain_text("Only visible to you")
    await expect(whisper).to_contain_text("not a trace id")


async def test_swap_answers_in_the_thread(open_page, playground) -> None:
    """The button in the message works: the reversed comparison joins the thread."""
    page = await open_page()
    root = page.locator("main .post").last
    await root.get_by_role("button", name="Swap A and B").click()
    await expect(root.locator(".replies")).to_contain_text(re.compile(r"[4-9] replies"))
    await root.locator(".replies").click()
    await expect(page.locator("aside")).to_contain_text("faster")


async def test_the_hint_list_fills_in_a_command(open_page) -> None:
    """Typing a slash offers commands with what they show."""
    page = await open_page()
    await page.fill("textarea", "/")
    await page.locator(".hints li", has_text="queue-delay").click()
    assert (await page.input_value("textarea")).startswith("/compare-traces ")


async def test_open_leads_to_the_trace(open_page, playground) -> None:
    """The link of a trace shows its spans."""
    page = await open_page()
    pair = playground.samples.pairs[0]
    await page.goto(f"{playground.url}/jaeger/trace/{pair.suspect}")
    await expect(page.locator("pre")).to_contain_text("catalog")
    await page.goto(f"{playground.url}/jaeger/trace/{pair.baseline}...{pair.suspect}")
    await expect(page.locator("pre")).to_contain_text("Next steps")


@pytest.mark.parametrize(
    ("scheme", "size"), [("light", "desk"), ("dark", "desk"), ("light", "phone"), ("dark", "phone")]
)
async def test_it_is_readable_in_every_light_and_size(open_page, scheme, size) -> None:
    """Nothing overflows the window, text has contrast, the page draws without errors."""
    page = await open_page(scheme, size)
    await page.locator("main .replies").last.click()
    await expect(page.locator("aside table")).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    back, text = await page.evaluate(
        "(() => { const s = getComputedStyle(document.body); return [s.backgroundColor, s.color]; })()"
    )
    assert abs(brightness(back) - brightness(text)) > 120
    assert page.errors == []


def brightness(color: str) -> float:
    """Return the mean of a CSS colour's channels."""
    channels = [int(part) for part in re.findall(r"\d+", color)[:3]]
    return sum(channels) / 3


async def test_two_windows_of_the_traffic_are_compared(open_page, playground) -> None:
    """The command that the page proposes: for how many requests what changed, and one of each window as a pair."""
    page = await open_page()
    await type_line(page, windows_command(playground.traffic))
    root = page.locator("main .post").last
    await expect(root).to_contain_text(re.compile(r"\d+ % of requests to gateway POST /api/checkout are slower"))
    await expect(root).to_contain_text("SELECT")
    await expect(root).to_contain_text(re.compile(r"\d+ (of|requests)"))
    await root.locator(".replies").click()
    thread = page.locator("aside")
    await expect(thread).to_contain_text("Where the time goes")
    await expect(thread).to_contain_text("Requests to open")
    await root.get_by_role("button", name="Compare these two").click()
    await expect(thread).to_contain_text(re.compile("gateway POST /api/checkout is .* slower"))
    assert page.errors == []
