"""What sending the run form does."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from jobserver.models import (
    AuditableEvent,
    AuditType,
    JobRequest,
)
from tests import factories as f
from tests.web.conftest import Browser
from tests.web.run_jobs.asking import Asking, fields, sent, tasks


def test_sending_records_the_request_and_leads_to_it(
    world: Any, world_web: Browser, asking: Asking, db: Session
) -> None:
    page = world_web.get(asking.url)
    answer = world_web.submit(
        asking.url,
        fields(
            page,
            backend="tpp",
            requested_actions=["table_one", "generate_dataset", "table_one"],
            force_run_dependencies="y",
            will_notify="True",
        ),
        status=303,
    )
    (request,) = sent(db)
    assert answer.location.endswith(f"/{asking.workspace.name}/{request.id}/")
    assert request.requested_actions == ["table_one", "generate_dataset"]
    assert (request.backend_id, request.workspace_id) == (asking.tpp.id, asking.workspace.id)
    assert request.created_by_id == asking.user.id
    assert request.sha == page.html.select_one("input[name=commit]")["value"]
    assert request.identifier == page.html.select_one("input[name=once]")["value"]
    assert request.commit_message.startswith("Match controls")
    assert request.branch == "main"
    assert (request.force_run_dependencies, request.will_notify, request.codelists_ok) == (True, True, True)
    assert request.status == "unknown"
    stored = db.scalar(select(JobRequest.project_definition))
    assert stored is not None
    assert "generate_dataset_controls" in stored
    assert tasks(db) == 1, "a background task hands it to the controller"
    assert world.requests("rap") == [], "and nobody waits for the controller here"
    event = select(func.count(AuditableEvent.id)).where(AuditableEvent.type == AuditType.JOB_REQUEST_CREATED)
    assert db.scalar(event) == 1
    assert "Asked TPP to run table_one and generate_dataset." in world_web.get("/404", status=404)


@pytest.mark.parametrize(
    ("given", "wants"),
    [
        ({}, False),
        ({"will_notify": "False"}, False),
        ({"will_notify": "0"}, False),
        ({"will_notify": "True"}, True),
    ],
)
def test_without_an_answer_about_mail_none_is_sent(
    world_web: Browser, asking: Asking, db: Session, given: dict[str, str], wants: bool
) -> None:
    asking.workspace.should_notify = True
    db.commit()
    world_web.submit(asking.url, {"backend": "tpp", "requested_actions": "run_all", **given}, status=303)
    (request,) = sent(db)
    assert request.will_notify is wants
    assert request.force_run_dependencies is False


def test_a_form_that_is_sent_twice_makes_one_request(world_web: Browser, asking: Asking, db: Session) -> None:
    page = world_web.get(asking.url)
    form = fields(page, backend="tpp", requested_actions="table_one")
    first = world_web.submit(asking.url, form, status=303)
    second = world_web.submit(asking.url, form, status=303)
    assert first.location == second.location
    assert len(sent(db)) == 1
    assert tasks(db) == 1


def test_two_forms_sent_at_the_same_time_make_one_request(
    world_app: Any, world_web: Browser, asking: Asking, db: Session
) -> None:
    from concurrent.futures import ThreadPoolExecutor

    page = world_web.get(asking.url)
    form = fields(page, backend="tpp", requested_actions="table_one")
    cookies = dict(world_web.cookies)

    def send(_number: int) -> Any:
        browser = Browser(world_app)
        for name, value in cookies.items():
            browser.set_cookie(name, value.strip('"'))
        return browser.submit(asking.url, form, status=303).location

    with ThreadPoolExecutor(4) as pool:
        locations = set(pool.map(send, range(4)))
    assert len(locations) == 1
    assert len(sent(db)) == 1


@pytest.mark.parametrize("once", ["", "short", "x\0", "A" * 16, "é" * 16])
def test_a_form_with_an_unusable_identifier_gets_a_new_one(
    world_web: Browser, asking: Asking, db: Session, once: str
) -> None:
    world_web.submit(
        asking.url, {"backend": "tpp", "requested_actions": "table_one", "once": once}, status=303
    )
    (request,) = sent(db)
    assert request.identifier != once


def test_an_identifier_of_somebody_elses_request_is_not_used(
    world_web: Browser, asking: Asking, db: Session
) -> None:
    theirs = f.JobRequestFactory()
    world_web.submit(
        asking.url,
        {"backend": "tpp", "requested_actions": "table_one", "once": theirs.identifier},
        status=303,
    )
    mine = sent(db)[-1]
    assert mine.id != theirs.id
    assert mine.identifier != theirs.identifier


def test_the_commit_that_the_page_showed_is_the_one_that_runs(
    world_web: Browser, asking: Asking, db: Session
) -> None:
    """Also when the branch has moved on meanwhile."""
    head = world_web.get(asking.url).html.select_one("input[name=commit]")["value"]
    asthma = [("backend", "tpp"), ("requested_actions", "run_all")]
    older = "0" * 39 + "1"
    page = world_web.submit(asking.url, [*asthma, ("commit", older)])
    assert "There is no such commit" in page
    page = world_web.submit(asking.url, [*asthma, ("commit", head[:9])])
    assert "There is no such commit" in page, "only a full hash is certain"
    page = world_web.submit(asking.url, [*asthma, ("commit", "main")])
    assert "There is no such commit" in page
    assert sent(db) == []
    world_web.submit(asking.url, [*asthma, ("commit", head)], status=303)
    assert sent(db)[0].sha == head


def test_a_commit_of_another_branch_is_refused(odd: Callable[..., Any], db: Session) -> None:
    browser, asking = odd("feature/with/slashes")
    commit = browser.get(asking.url).html.select_one("input[name=commit]")["value"]
    asking.workspace.branch = "main"
    db.commit()
    page = browser.submit(asking.url, {"backend": "tpp", "requested_actions": "free", "commit": commit})
    assert "not on this workspace’s branch" in page
    assert sent(db) == []


def test_a_form_for_another_ref_runs_the_commit_of_that_ref(odd: Callable[..., Any], db: Session) -> None:
    browser, asking = odd("main")
    browser.submit(asking.url + "v1/", {"backend": "tpp", "requested_actions": "free"}, status=303)
    (request,) = sent(db)
    assert len(request.sha) == 40, "never the ref as it was typed"
