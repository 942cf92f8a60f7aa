"""Codelists that are out of date, or not known to be current."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.orm import Session

from simulator.testing import RunningSimulator
from tests import factories as f
from tests.web.run_jobs.asking import fields, refused, sent, ticked


def test_current_codelists_are_told_to_the_controller(odd: Callable[..., Any], db: Session) -> None:
    browser, asking = odd("lists-current")
    page = browser.get(asking.url)
    assert not page.html.select("#codelists")
    browser.submit(asking.url, fields(page, backend="tpp", requested_actions="extract"), status=303)
    assert sent(db)[0].codelists_ok is True


@pytest.mark.parametrize("requested", ["extract", "table", "run_all"])
def test_stale_codelists_refuse_what_reads_the_database_however_it_is_reached(
    odd: Callable[..., Any], db: Session, requested: str
) -> None:
    """Rap 11: run_all and dependencies are looked at too."""
    browser, asking = odd("lists-stale")
    page = browser.get(asking.url)
    assert "opensafely codelists update" in page.html.select_one("#codelists").get_text()
    page = browser.submit(asking.url, fields(page, backend="tpp", requested_actions=requested))
    message = refused(page)
    assert "extract reads the database" in message
    assert "opensafely codelists update" in message
    assert ticked(page) == [requested]
    assert sent(db) == []
    again = next(link["href"] for link in page.html.select("#codelists a") if "Check again" in link.text)
    assert ticked(browser.get(again)) == [requested], "nothing has to be ticked again"
    assert "codelists" not in browser.get("/404", status=404).html.get_text(), "no message on the next page"


def test_with_stale_codelists_other_actions_run(odd: Callable[..., Any], db: Session) -> None:
    browser, asking = odd("lists-stale")
    browser.submit(asking.url, {"backend": "tpp", "requested_actions": "free"}, status=303)
    assert sent(db)[0].codelists_ok is False
    done = f.JobRequestFactory(workspace=asking.workspace, backend=asking.emis)
    f.JobFactory(job_request=done, action="extract", status="succeeded")
    form = {"backend": "emis", "requested_actions": "table"}
    browser.submit(asking.url, form, status=303)
    page = browser.submit(asking.url, {**form, "backend": "tpp"})
    assert "extract" in refused(page), "it has not succeeded there"


def test_without_opencodelists_what_reads_the_database_waits_and_the_rest_runs(
    odd_world: RunningSimulator, odd: Callable[..., Any], db: Session
) -> None:
    odd_world.control(fault={"service": "opencodelists", "kind": "status", "status": 503})
    browser, asking = odd("lists-current")
    page = browser.get(asking.url)
    assert "OpenCodelists could not be reached" in page.html.select_one("#codelists").get_text()
    page = browser.submit(asking.url, fields(page, backend="tpp", requested_actions="table"))
    assert "OpenCodelists did not say" in refused(page)
    assert sent(db) == []
    browser.submit(asking.url, {"backend": "tpp", "requested_actions": "free"}, status=303)
    assert sent(db)[0].codelists_ok is False
