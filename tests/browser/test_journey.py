"""A researcher runs a study, from sign-in to finished jobs; the public reads along; a newcomer is kept out."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.conftest import BROWSER, SPEED, System, sign_in

pytestmark = BROWSER

WORKSPACE = "/demo-university/asthma-in-adults/asthma-main/"


def ask_for(page: Any, action: str) -> str:
    """Ask TPP to run an action; returns the address of the request's page."""
    page.goto(WORKSPACE)
    page.get_by_role("link", name="Run jobs").first.click()
    page.get_by_label("TPP").check()
    page.locator(f"input[name=requested_actions][value={action}]").check()
    page.locator("button[type=submit]").filter(has_text=re.compile("^Run ")).click()
    page.wait_for_url(re.compile(r"/asthma-main/\d+/$"))
    return str(page.url)


def wait_for_end(page: Any, word: str, timeout: float = 60_000) -> None:
    """Wait, without reloading, until the page has refreshed itself to this state."""
    page.locator("h1, .h1-line").get_by_text(word, exact=True).first.wait_for(timeout=timeout)


@pytest.fixture(scope="module")
def finished(system: System, chromium: Any) -> str:
    """The address of a request that ran everything to its end, watched live."""
    context = chromium.new_context(base_url=system.base_url)
    window = context.new_page()
    sign_in(window, "researcher")
    address = ask_for(window, "run_all")
    wait_for_end(window, "Failed")
    context.close()
    return address


def test_everything_runs_and_the_failure_is_explained(page: Any, finished: str) -> None:
    page.goto(finished)
    assert "12 of 12" in page.locator("main").inner_text()
    page.get_by_role("link", name="survival_model").first.click()
    text = page.locator("main").inner_text()
    assert "Your code stopped with an error" in text
    assert "metadata/survival_model.log" in text


def test_the_public_reads_the_same_pages_but_has_no_buttons(page: Any, finished: str) -> None:
    page.goto(finished)
    assert "12 of 12" in page.locator("main").inner_text()
    assert page.get_by_text("Cancel request").count() == 0
    page.goto(WORKSPACE)
    assert page.get_by_role("link", name="Run jobs").count() == 0
    page.goto("/event-log/")
    assert "asthma-main" in page.locator("main").inner_text()


def test_a_newcomer_is_kept_out_and_told_which_role_would_do(page: Any) -> None:
    sign_in(page, "newcomer")
    answer = page.goto(WORKSPACE + "run-jobs/")
    assert answer.status == 403
    assert "Project Developer" in page.locator("main").inner_text()


def test_a_researcher_is_kept_out_of_somebody_elses_project(page: Any) -> None:
    sign_in(page, "researcher")
    assert page.goto("/other-institute/diabetes-outcomes/diabetes-main/run-jobs/").status == 403


@pytest.fixture
def slowly(system: System) -> Iterator[None]:
    """The simulated backends take their time, so that there is something to cancel."""
    system.world.control(speed=0.5)
    yield
    system.world.control(speed=SPEED)


@pytest.mark.usefixtures("slowly", "finished")
def test_a_second_run_is_cancelled(page: Any) -> None:
    sign_in(page, "researcher")
    page.goto(WORKSPACE + "run-jobs/?backend=tpp")
    page.get_by_label("TPP").check()
    page.locator("input[name=requested_actions][value=generate_dataset]").check()
    page.locator("button[type=submit]").filter(has_text=re.compile("^Run ")).click()
    page.wait_for_url(re.compile(r"/asthma-main/\d+/$"))
    page.get_by_role("link", name=re.compile("^generate_dataset")).first.wait_for(timeout=20_000)
    page.get_by_text("Cancel request").first.click()
    page.get_by_role("button", name=re.compile(r"^Cancel \d+ job")).click()
    wait_for_end(page, "Cancelled")


def test_killed_programs_lose_and_double_nothing(page: Any, system: System, finished: str) -> None:
    """Asked while the worker and the service are dead; both come back; each action has one job."""
    system.kill("worker")
    system.kill("rap-status-service")
    sign_in(page, "researcher")
    address = ask_for(page, "describe_population")
    assert "Asking TPP" in page.locator("body").inner_text()
    system.start("rap-status-service")
    wait_for_end(page, "Succeeded")
    system.start("worker")
    page.goto(address)
    assert page.get_by_role("link", name=re.compile("^describe_population")).count() >= 1
    assert "1 of 1" in page.locator("main").inner_text()


def test_it_all_works_without_script(chromium: Any, system: System, finished: str) -> None:
    context = chromium.new_context(base_url=system.base_url, java_script_enabled=False)
    window = context.new_page()
    sign_in(window, "researcher")
    window.goto(WORKSPACE + "run-jobs/?backend=tpp")
    window.locator("input[name=backend][value=tpp]").check()
    window.locator("input[name=requested_actions][value=table_one]").check()
    window.locator("button[type=submit]").filter(has_text=re.compile("^Run ")).click()
    window.wait_for_url(re.compile(r"/asthma-main/\d+/$"))
    assert "table_one" in window.locator("main").inner_text()
    context.close()


def test_a_narrow_screen_shows_the_current_tab(page: Any) -> None:
    sign_in(page, "researcher")
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto("/settings/display/")
    box = page.locator(".tabs [aria-current]").bounding_box()
    assert 0 <= box["x"] < box["x"] + box["width"] <= 390


def test_signing_out_ends_the_session(page: Any) -> None:
    sign_in(page, "researcher")
    page.locator("summary").filter(has_text="researcher").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/")
    page.goto(WORKSPACE + "run-jobs/")
    assert "/login/" in page.url
