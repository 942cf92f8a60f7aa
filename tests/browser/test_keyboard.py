"""The main job with the keyboard alone, and the single keys."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.conftest import BROWSER, SPEED, System, sign_in
from tests.browser.test_journey import WORKSPACE, ask_for, wait_for_end

pytestmark = BROWSER

MOST_TABS = 120
FOCUSED = """() => {
  const it = document.activeElement;
  const words = it.getAttribute("aria-label") || it.labels?.[0]?.innerText || it.innerText || it.value || "";
  return `${it.tagName.toLowerCase()} ${it.name ?? ""} ${it.value ?? ""} ${words}`.replace(/\\s+/g, " ");
}"""
VISIBLE = """() => {
  const box = document.activeElement.getBoundingClientRect();
  return box.width > 0 && box.bottom > 0 && box.top < window.innerHeight;
}"""


def tab_to(page: Any, pattern: str, key: str = "Tab") -> None:
    """Press Tab until what has the focus matches; it must be in sight then."""
    seen = []
    for _ in range(MOST_TABS):
        page.keyboard.press(key)
        seen.append(page.evaluate(FOCUSED))
        if re.search(pattern, seen[-1]):
            assert page.evaluate(VISIBLE), f"{seen[-1]} has the focus but is out of sight"
            return
    raise AssertionError(f"Tab never reaches {pattern}: {seen}")


@pytest.fixture
def slowly(system: System) -> Iterator[None]:
    """The simulated backends take their time, so that there is something to cancel."""
    system.world.control(speed=0.5)
    yield
    system.world.control(speed=SPEED)


@pytest.mark.usefixtures("slowly")
def test_the_main_job_is_done_with_the_keyboard_alone(page: Any) -> None:
    sign_in(page, "researcher")
    page.goto(WORKSPACE)
    tab_to(page, r"Skip to main content")
    page.keyboard.press("Enter")
    tab_to(page, r"^a .*Run jobs")
    page.keyboard.press("Enter")
    page.wait_for_url("**/run-jobs/**")
    tab_to(page, r"^input backend")
    while page.evaluate("document.activeElement.value") != "tpp":
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    tab_to(page, r"^input requested_actions generate_dataset ")
    page.keyboard.press("Space")
    tab_to(page, r"^button .*Run 1 action")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/asthma-main/\d+/$"))
    page.get_by_role("link", name=re.compile("^generate_dataset")).first.wait_for(timeout=20_000)
    tab_to(page, r"^a .*Cancel request")
    page.keyboard.press("Enter")
    # The safe button has the focus; the other one is next to it.
    assert "Keep it running" in page.evaluate(FOCUSED)
    tab_to(page, r"^button .*Cancel 1 job")
    page.keyboard.press("Enter")
    page.locator("h1, .h1-line").get_by_text("Cancelled", exact=True).first.wait_for(timeout=30_000)


def test_escape_closes_the_question_and_gives_the_focus_back(page: Any) -> None:
    page.goto("/event-log/")
    page.keyboard.press("?")
    assert page.locator("dialog#keys").is_visible()
    page.keyboard.press("Escape")
    assert not page.locator("dialog#keys").is_visible()


def test_single_keys_go_to_the_search_to_rows_and_to_pages(page: Any) -> None:
    sign_in(page, "researcher")
    ask_for(page, "generate_dataset")
    wait_for_end(page, "Succeeded")
    page.goto("/event-log/")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.type") == "search"
    page.keyboard.type("j?gh")
    assert page.url.endswith("/event-log/"), "keys are off while typing"
    page.keyboard.press("Escape")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("j")
    first = page.evaluate("document.activeElement.closest('tr, li')?.id ?? ''")
    assert first
    page.keyboard.press("j")
    page.keyboard.press("k")
    assert page.evaluate("document.activeElement.closest('tr, li')?.id ?? ''") == first
    page.keyboard.press("g")
    page.keyboard.press("s")
    page.wait_for_url("**/status/")
