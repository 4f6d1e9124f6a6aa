"""Every way in, and every button, as a person uses them: in a real browser, through the real bot, to the answer."""

from __future__ import annotations

import re

import pytest
from person import Person
from playwright.async_api import expect

pytestmark = pytest.mark.asyncio(loop_scope="session")  # the browser's own


async def test_the_command_with_one_trace_and_its_words(open_page, playground) -> None:
    """One id finds the typical trace; help, history and sources answer the typist alone; a repeat points back."""
    me = Person(playground, await open_page("dark"))
    a, b = me.traces("slow-network")
    await me.type(f"/compare-traces {b}")
    answer = me.post("slower")
    await expect(answer).to_contain_text("between gateway and catalog")
    await expect(answer).to_contain_text(re.compile(r"A is typical of \d traces"))
    await me.type(f"/compare-traces {b}")
    await expect(me.last()).to_contain_text("This was asked a moment ago: see the answer")
    await playground.bot.jobs.idle()  # history lists what was answered to the end
    for word, said in (("help", "as a reaction to any message"), ("history", f"a typical request (A) with {b[:8]}")):
        await me.type(f"/compare-traces {word}")
        await expect(me.last()).to_contain_text("Only visible to you")
        await expect(me.last()).to_contain_text(said)
    await me.type("/compare-traces sources")
    await expect(me.last()).to_contain_text("jaeger-demo ok")
    await expect(me.last()).to_contain_text("tempo-demo ok")
    await me.go("payments")  # a channel with one source: the other does not exist there
    await me.type("/compare-traces sources")
    await expect(me.last()).to_contain_text("tempo-demo ok")
    await expect(me.last()).not_to_contain_text("jaeger-demo")
    await me.type(f"/compare-traces {a} {b} source=jaeger-demo")
    await expect(me.last()).to_contain_text("no source called")
    await me.type(f"/compare-traces {a} {b}")
    await expect(me.post("slower")).to_contain_text("from tempo-demo, asked by alice")
    await me.go("random")  # where the app is no member
    await me.type(f"/compare-traces {a} {b}")
    await expect(me.last()).to_contain_text("/invite")
    assert me.page.errors == []


async def test_the_form_by_command_and_by_shortcut(open_page, playground) -> None:
    """No word opens the form, which says at the field what is wrong; from anywhere it asks where to answer too."""
    me = Person(playground, await open_page())
    await me.type("/compare-traces")
    form = me.page.get_by_role("dialog")
    await expect(form.get_by_label("Slow or failing trace (B)")).to_be_focused()
    await form.get_by_label("Slow or failing trace (B)").fill("rubbish")
    await me.press("Compare", form)
    await expect(form.get_by_role("alert")).to_contain_text("“rubbish” is not a trace id")
    await form.get_by_label("Slow or failing trace (B)").fill(me.traces("slow-query")[1])
    await form.get_by_label("Healthy trace (A)").fill(me.traces("slow-query")[0])
    await me.press("Compare", form)
    await expect(form).to_have_count(0)
    await expect(me.last()).to_contain_text("SELECT in catalog")
    await me.page.get_by_role("button", name="Shortcuts").click()
    await me.page.get_by_role("menuitem", name=re.compile("Compare traces")).click()
    await form.get_by_label("Answer in").select_option(label="# payments")
    await form.get_by_label("Slow or failing trace (B)").fill(me.traces("swallowed-error")[1])
    await me.press("Compare", form)
    await me.go("payments")
    await expect(me.last()).to_contain_text("from tempo-demo, asked by alice")
    await me.go("Compare Traces")
    home = me.page.locator(".home")
    await expect(home).to_contain_text("jaeger-demo ok")
    await expect(home).to_contain_text(f"a typical request (A) with {me.traces('swallowed-error')[1][:8]}")
    await expect(home).to_contain_text("Without a command")
    assert me.page.errors == []


async def test_alerts_watched_reacted_to_and_pointed_at(open_page, playground) -> None:
    """A watched alert is answered in its thread without being asked, once; elsewhere when somebody points at it."""
    me = Person(playground, await open_page("light"))
    await me.go("alerts")
    alert = await me.alert("Alertmanager")
    await expect(alert.locator(".replies")).to_contain_text("5 replies")
    thread = await me.open_thread(alert)
    await expect(thread).to_contain_text("GROUP BY product_id) takes 74.1 ms instead of 3.77 ms")
    await me.close_thread()
    await me.choose("resolved")
    await expect(alert).to_contain_text("[RESOLVED]")
    await me.go("incidents")
    alert = await me.alert("Grafana")  # names a service and an operation, no trace
    await me.react(alert)
    await expect(alert.locator(".replies")).to_contain_text("5 replies")
    thread = await me.open_thread(alert)
    await expect(thread).to_contain_text(re.compile(r"B is slowest of \d traces of gateway GET /api/cart"))
    await me.close_thread()
    alert = await me.alert("Sentry")
    await me.shortcut(alert)
    await expect(alert.locator(".replies")).to_contain_text("5 replies")
    thread = await me.open_thread(alert)
    await expect(thread).to_contain_text("httpx.ReadTimeout after 1.00 s")
    await me.close_thread()
    chat = me.page.locator("main .post", has_text="anyone looking at traces?")
    await me.react(chat)
    await expect(me.last()).to_contain_text("That message names neither a trace")
    await me.go("alerts")
    await expect(me.page.locator("main .replies")).to_contain_text(
        "5 replies"
    )  # the edited alert was not answered again
    assert me.page.errors == []


async def test_mentions_and_reactions_inside_threads(open_page, playground) -> None:
    """Where commands cannot go: the app's name alone asks about the alert, with ids about those; a reply counts too."""
    me = Person(playground, await open_page())
    await me.type("@Compare Traces")
    await expect(me.last()).to_contain_text("compare two traces: A the healthy one")
    a, b = me.traces("retry-storm")
    await me.type(f"@Compare Traces why is {b} so much slower than usual, compared to {a}?")
    asked = me.post("why is")
    await expect(asked.locator(".replies")).to_contain_text(re.compile("[45] replies"))
    alert = await me.alert("PagerDuty")
    thread = await me.open_thread(alert)
    await me.type("@Compare Traces", "aside")
    await expect(thread).to_contain_text("tried 5 times instead of 1")
    await expect(thread).to_contain_text("Suggested next steps")
    a, b = me.traces("payment-timeout")
    await me.type(f"or this one? {a} {b}", "aside")
    await me.react(me.post("or this one?", "aside"))
    await expect(thread).to_contain_text("POST in payment fails: httpx.ReadTimeout")
    assert me.page.errors == []


async def test_private_answers_are_posted_or_let_go(open_page, playground) -> None:
    """An answer for one person is one message with everything in it; then it is everybody's, or gone."""
    me = Person(playground, await open_page("dark", "phone"))
    a, b = me.traces("missing-spans")
    await me.type(f"/compare-traces {a} {b} private")
    whisper = me.page.locator(".post.ephemeral")
    await expect(whisper).to_contain_text("Only visible to you")
    for part in ("Confidence:", "Top offending spans", "Suggested next steps"):
        await expect(whisper).to_contain_text(part)
    await me.press("Post to channel", whisper)
    await expect(whisper).to_have_count(0)
    await expect(me.last()).to_contain_text("asked by alice")
    await expect(me.last().locator(".replies")).to_contain_text(re.compile("[345] replies"))
    a, b = me.traces("new-version")
    await me.type(f"/compare-traces {a} {b} private")
    await expect(whisper).to_contain_text("slower")
    await me.press("Dismiss", whisper)
    await expect(whisper).to_have_count(0)
    assert await me.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert me.page.errors == []


async def test_the_buttons_under_an_answer(open_page, playground) -> None:
    """Details page by page, compare with typical, votes that are counted, and the full report as files."""
    me = Person(playground, await open_page("dark"))
    root = me.last()
    await me.press("Details", root)
    details = me.page.get_by_role("dialog")
    await expect(details).to_contain_text("db.statement = SELECT id, name")
    await expect(details.get_by_role("button", name="Close", exact=True).last).to_be_in_viewport()
    await me.press("Close", details)
    await expect(details).to_have_count(0)
    thread = await me.open_thread(root)
    await me.press("Useful", thread)
    await expect(thread.get_by_role("button", name="Useful (1)")).to_be_visible()
    await me.press("Full report", thread)
    report = thread.locator(".file a", has_text="report as JSON")
    await expect(report).to_be_visible()
    found = await me.page.request.get(await report.evaluate("link => link.href"))
    assert (await found.json())["verdict"]["kind"] == "slower"
    await me.press("Compare with typical", root)
    await expect(thread).to_contain_text("A is the only other trace of gateway GET /api/cart/{user_id}")
    await me.close_thread()
    await playground.bot.jobs.idle()
    await me.type("/compare-traces history")
    await expect(me.last()).to_contain_text("useful to 1 of 1")
    assert me.page.errors == []
