"""The run form of a study that cannot be read, or only slowly."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from jobserver.models import (
    DataPermission,
    PermissionKind,
    utcnow,
)
from jobserver.security import tokens
from simulator.testing import RunningSimulator
from tests import factories as f
from tests.web.run_jobs.asking import fields, sent


@pytest.mark.parametrize(
    ("branch", "title", "advice"),
    [
        ("gone", "The branch is gone", "create a new workspace"),
        ("empty", "There is no project.yaml", "at the top of"),
        ("faulty", "Your project.yaml has", "Mend them, commit and push"),
        ("not-yaml", "Your project.yaml has 1 fault", "A tab is used for indentation"),
        ("latin-1", "cannot be read", "UTF-8"),
        ("huge", "cannot be read", "larger than 1 MB"),
        ("cohort", "uses an image that may not run", "cohortextractor is no longer supported"),
        ("sqlrunner", "uses an image that may not run", "may not use sqlrunner"),
        ("lists-missing", "Files of the codelists are missing", "opensafely codelists update"),
    ],
)
def test_each_fault_of_a_study_is_explained_and_nothing_can_be_sent(
    odd: Callable[..., Any], db: Session, branch: str, title: str, advice: str
) -> None:
    browser, asking = odd(branch)
    for page in (
        browser.get(asking.url),
        browser.submit(asking.url, {"backend": "tpp", "requested_actions": "free"}),
    ):
        assert title in page.html.select_one("#trouble h2").get_text()
        assert advice in page.html.select_one("main").get_text()
        assert not page.html.select("input[type=checkbox]"), "no form without actions"
        assert "Try again" in page
    assert sent(db) == []


def test_faults_are_listed_with_line_and_action_and_escaped(odd: Callable[..., Any]) -> None:
    browser, asking = odd("faulty")
    page = browser.get(asking.url)
    rows = [row.get_text("|") for row in page.html.select("main tbody tr")]
    assert len(rows) >= 3
    assert any("table" in row and "public" in row for row in rows)
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "project.yaml#L" in page


def test_a_repository_that_is_not_there_is_not_a_missing_branch(odd: Callable[..., Any], db: Session) -> None:
    browser, asking = odd("main")
    asking.workspace.repo.url = "https://github.com/demo-university/elsewhere"
    db.commit()
    page = browser.get(asking.url)
    assert "GitHub does not show us the repository" in page
    assert "private" in page


@pytest.mark.parametrize(
    ("fault", "title"),
    [
        ({"kind": "status", "status": 500}, "GitHub could not be reached"),
        ({"kind": "refuse"}, "GitHub could not be reached"),
        ({"kind": "html"}, "GitHub could not be reached"),
        ({"kind": "truncated"}, "GitHub could not be reached"),
        ({"kind": "rate_limit"}, "GitHub takes no more requests from us for now"),
        ({"kind": "status", "status": 401}, "GitHub does not accept our token"),
        ({"kind": "status", "status": 403}, "GitHub does not accept our token"),
    ],
)
def test_a_fault_of_github_keeps_what_was_chosen_for_another_try(
    odd_world: RunningSimulator,
    odd: Callable[..., Any],
    db: Session,
    fault: dict[str, Any],
    title: str,
) -> None:
    browser, asking = odd("main")
    form = fields(browser.get(asking.url), backend="tpp", requested_actions=["table", "free"])
    odd_world.control(fault={"service": "github", **fault})
    assert title in browser.get(asking.url).html.select_one("#trouble").get_text()
    page = browser.submit(asking.url, form)
    assert title in page.html.select_one("#trouble").get_text()
    assert "Nothing was sent" in page
    assert sent(db) == []
    odd_world.control(reset=True)
    again = page.html.select_one("main form[method=post]")
    kept = [(each["name"], each["value"]) for each in again.select("input[type=hidden]")]
    browser.post(again["action"], kept, status=303)
    assert sent(db)[0].requested_actions == ["table", "free"]


def test_a_rate_limit_says_until_when(odd_world: RunningSimulator, odd: Callable[..., Any]) -> None:
    odd_world.control(fault={"service": "github", "kind": "rate_limit"})
    browser, asking = odd("main")
    assert browser.get(asking.url).html.select("#trouble time")


def test_a_slow_github_is_given_up_on(
    odd_world: RunningSimulator, odd_app: Any, odd: Callable[..., Any]
) -> None:
    from jobserver.studies import StudyReader

    browser, asking = odd("main")
    browser.get(asking.url)
    reader = odd_app.registry["study_reader"]
    clients = odd_app.registry["clients"]
    odd_app.registry["study_reader"] = StudyReader(clients.github, clients.opencodelists, limit=0.4)
    odd_world.control(fault={"service": "github", "kind": "slow", "seconds": 1})
    try:
        assert "GitHub did not answer in time" in browser.get(asking.url)
    finally:
        odd_app.registry["study_reader"] = reader


def test_leave_to_use_sqlrunner_is_the_projects(odd: Callable[..., Any], db: Session) -> None:
    browser, asking = odd("sqlrunner")
    db.add(
        DataPermission(
            project_id=asking.workspace.project_id,
            kind=PermissionKind.TOOL,
            name="sqlrunner",
            reason="Agreed",
            granted_by_id=asking.user.id,
        )
    )
    db.commit()
    assert browser.get(asking.url).html.select("#a-free")
    permission = db.scalars(select(DataPermission)).one()
    permission.revoked_at, permission.revoked_by_id = utcnow(), asking.user.id
    db.commit()
    assert "may not use sqlrunner" in browser.get(asking.url)


def test_no_transaction_is_open_while_others_are_asked(
    odd_world: RunningSimulator, odd: Callable[..., Any], engine: Engine, db: Session
) -> None:
    from threading import Thread
    from time import sleep

    from sqlalchemy import text

    browser, asking = odd("main")
    db.commit()
    odd_world.control(fault={"service": "github", "kind": "slow", "seconds": 0.6, "count": 1})
    asked = Thread(target=browser.get, args=(asking.url,))
    asked.start()
    sleep(0.35)
    with engine.connect() as connection:
        waiting = connection.scalar(
            text(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                "AND state LIKE 'idle in transaction%'"
            )
        )
    asked.join()
    assert waiting == 0


def test_the_number_of_statements_does_not_grow_with_the_study(
    odd: Callable[..., Any], count_statements: Callable[..., Any]
) -> None:
    browser, asking = odd("main")
    numbers = []
    for branch in ("main", "many"):
        asking.workspace.branch = branch
        request = f.JobRequestFactory(workspace=asking.workspace, backend=asking.tpp)
        for number in range(20):
            f.JobFactory(job_request=request, action=f"a{number}", status="succeeded")
        browser.get(asking.url + "?backend=tpp")
        with count_statements() as statements:
            browser.get(asking.url + "?backend=tpp&preset=all")
        assert statements.writes == []
        numbers.append(len(statements))
    assert numbers[0] == numbers[1]
    assert numbers[0] <= 12


def test_identifiers_made_for_forms_are_those_that_the_form_accepts() -> None:
    from jobserver.forms.run_jobs import RunJobsForm

    for _ in range(50):
        identifier = tokens.new_identifier()
        assert RunJobsForm(data={"once": identifier}).identifier == identifier
