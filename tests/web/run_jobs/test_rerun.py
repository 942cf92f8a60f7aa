"""Running a request again: what is offered, what it would do, and what sending it does."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.orm import Session

from jobserver.models import JobRequest
from tests import factories as f
from tests.web.conftest import Browser
from tests.web.run_jobs.again import commit_of, form, job, made, plan, url
from tests.web.run_jobs.asking import Asking, sent, tasks

BAD = "<script>alert(1)</script>"


# Who may


def test_anonymous_people_are_sent_to_sign_in(world_web: Browser, asking: Asking, failed: JobRequest) -> None:
    world_web.reset()
    assert "/login/?next=" in world_web.get(url(asking, failed), status=303).location


def test_without_the_role_nothing_can_be_run_again(
    world_web: Browser, asking: Asking, failed: JobRequest, db: Session
) -> None:
    world_web.sign_in(f.UserFactory())
    assert "Project Developer" in world_web.get(url(asking, failed), status=403)
    world_web.submit(url(asking, failed), {"way": "same"}, status=403)
    assert len(sent(db)) == 1


def test_a_colleague_of_the_creator_can_run_it_again(
    world_web: Browser, asking: Asking, failed: JobRequest, db: Session
) -> None:
    page = world_web.get(url(asking, failed))
    assert failed.created_by.username in page
    world_web.submit(url(asking, failed), form(page), status=303)
    assert sent(db)[-1].created_by_id == asking.user.id != failed.created_by_id


def test_a_request_of_another_workspace_is_a_404(world_web: Browser, asking: Asking, db: Session) -> None:
    other = f.JobRequestFactory()
    world_web.get(url(asking, other), status=404)
    world_web.submit(url(asking, other), {"way": "same"}, status=404)
    assert len(sent(db)) == 1


# What it would do


def test_what_failed_runs_again_with_what_depends_on_it(
    world_web: Browser, asking: Asking, failed: JobRequest
) -> None:
    page = world_web.get(url(asking, failed))
    text = plan(page)
    assert "2 actions run on TPP match_controls table_one after match_controls" in text
    assert "1 result is used as it is" in text or "2 results are used as they are" in text
    assert "describe_population" not in text, "it has succeeded, and nothing it needs runs again"
    assert "2 actions failed" in page.html.select_one("main").get_text()
    assert "Run 2 actions again on TPP" in page


def test_all_can_run_again_with_the_same_settings(
    world_web: Browser, asking: Asking, failed: JobRequest
) -> None:
    text = plan(world_web.get(url(asking, failed, "?way=same")))
    assert "3 actions run on TPP" in text
    assert "describe_population" in text


def test_settings_are_kept(world_web: Browser, asking: Asking, db: Session) -> None:
    request = made(world_web, asking, "table_one", "run_all", force_run_dependencies=True, will_notify=True)
    job(request, "table_one", "succeeded")
    page = world_web.get(url(asking, request))
    assert "Run again, even if they succeeded" in page
    world_web.submit(url(asking, request), form(page), status=303)
    again = sent(db)[-1]
    assert set(again.requested_actions) == {"table_one", "run_all"}
    assert (again.force_run_dependencies, again.will_notify) == (True, True)
    assert (again.backend_id, again.sha) == (request.backend_id, request.sha)
    assert again.rerun_of_id == request.id


def test_without_a_failure_there_is_one_way(world_web: Browser, asking: Asking, db: Session) -> None:
    request = made(world_web, asking, "table_one")
    job(request, "table_one", "succeeded")
    for query in ("", "?way=failed"):
        page = world_web.get(url(asking, request, query))
        assert "What failed" not in page
        assert form(page)["way"] == "same"
    page = world_web.submit(url(asking, request), form(page, way="failed"), status=200)
    assert "No action is left to run in this way" in page.html.select_one(".error-summary").get_text()
    assert len(sent(db)) == 1


def test_a_cancelled_action_counts_among_those_that_did_not_succeed(
    world_web: Browser, asking: Asking
) -> None:
    request = made(world_web, asking, "match_controls", "table_one")
    job(request, "match_controls", "failed", "cancelled_by_user")
    job(request, "table_one", "failed", "dependency_failed")
    page = world_web.get(url(asking, request))
    assert "1 action failed and 1 action was cancelled" in " ".join(page.html.get_text().split())
    assert "match_controls" in plan(page)


def test_an_old_creation_error_is_no_action(world_web: Browser, asking: Asking) -> None:
    request = made(world_web, asking, "table_one")
    job(request, "__error__", "failed", "internal_error")
    assert "What failed" not in world_web.get(url(asking, request))


def test_what_is_under_way_is_not_run_twice(world_web: Browser, asking: Asking, failed: JobRequest) -> None:
    other = f.JobRequestFactory(workspace=asking.workspace, backend=asking.tpp)
    job(other, "match_controls", "running")
    text = plan(world_web.get(url(asking, failed)))
    assert "1 action is under way already" in text
    assert "Run 1 action again" in text


def test_what_has_succeeded_since_is_pointed_out(
    world_web: Browser, asking: Asking, failed: JobRequest
) -> None:
    assert not world_web.get(url(asking, failed)).html.select("#since")
    later = f.JobRequestFactory(workspace=asking.workspace, backend=asking.tpp)
    job(later, "match_controls", "succeeded")
    page = world_web.get(url(asking, failed))
    assert f"See request {later.id}" in " ".join(page.html.select_one("#since").get_text().split())


def test_an_action_that_is_gone_from_the_file_is_named_and_left_out(
    world_web: Browser, asking: Asking, db: Session
) -> None:
    request = made(world_web, asking, "table_one", BAD)
    job(request, "table_one", "failed", "nonzero_exit")
    job(request, BAD, "failed", "nonzero_exit")
    for way in ("failed", "same"):
        page = world_web.get(url(asking, request, f"?way={way}"))
        assert "1 action cannot run" in plan(page)
        assert "not in project.yaml at this commit" in plan(page)
        assert "<script>alert" not in page
    world_web.submit(url(asking, request), form(page), status=303)
    assert sent(db)[-1].requested_actions == ["table_one"]


def test_with_every_action_gone_nothing_can_be_sent(world_web: Browser, asking: Asking, db: Session) -> None:
    request = made(world_web, asking, "old_one")
    page = world_web.get(url(asking, request))
    assert page.html.select_one("#run-again")["aria-disabled"] == "true"
    assert "No action is left" in page.html.select_one("#run-again-why").get_text()
    assert "No action is left" in world_web.submit(url(asking, request), form(page), status=200)
    assert len(sent(db)) == 1


# At which commit


def test_a_commit_that_is_gone_from_the_branch_leads_to_the_newest(
    odd: Callable[..., Any], db: Session
) -> None:
    browser, asking = odd("feature/with/slashes")
    old = commit_of(browser, asking)
    request = made(browser, asking, "free")
    asking.workspace.branch = "main"
    db.commit()
    page = browser.get(url(asking, request))
    assert "not on this workspace’s branch" in page.html.select_one("#trouble").get_text()
    assert "Run request" in page.html.select_one("h1").get_text()
    link = next(each["href"] for each in page.html.select("#trouble a") if "newest commit" in each.text)
    newest = browser.get(link)
    assert form(newest)["commit"] != old
    assert "What has changed since request" in newest
    browser.submit(url(asking, request), form(newest), status=303)
    again = sent(db)[-1]
    assert (again.sha, again.rerun_of_id) == (form(newest)["commit"], request.id)


def test_the_newest_commit_that_was_shown_is_the_one_that_runs(
    world_web: Browser, asking: Asking, db: Session
) -> None:
    head = commit_of(world_web, asking)
    request = made(world_web, asking, "table_one", sha="")
    page = world_web.get(url(asking, request))
    assert "The same commit" not in page, "it is not known"
    assert form(page)["commit"] == head
    for wrong in ("main", "0" * 39 + "1", "\0", head[:9]):
        answer = world_web.submit(url(asking, request), form(page, commit=wrong), status=200)
        assert "There is no such commit" in answer
    assert len(sent(db)) == 1
    world_web.submit(url(asking, request), form(page), status=303)
    assert sent(db)[-1].sha == head


# Sending


def test_sending_makes_a_linked_request_and_leads_to_it(
    world: Any, world_web: Browser, asking: Asking, failed: JobRequest, db: Session
) -> None:
    page = world_web.get(url(asking, failed))
    answer = world_web.submit(url(asking, failed), form(page), status=303)
    again = sent(db)[-1]
    assert answer.location.endswith(f"{asking.workspace_url}{again.id}/")
    assert again.rerun_of_id == failed.id
    assert again.requested_actions == ["match_controls", "table_one"]
    assert again.force_run_dependencies is False
    assert again.identifier == form(page)["once"]
    assert tasks(db) == 1
    assert f"again, as request {failed.id} did" in world_web.get("/404", status=404)


def test_a_preview_that_is_sent_twice_makes_one_request(
    world_web: Browser, asking: Asking, failed: JobRequest, db: Session
) -> None:
    page = world_web.get(url(asking, failed))
    locations = {world_web.submit(url(asking, failed), form(page), status=303).location for _ in range(2)}
    assert len(locations) == 1
    assert len(sent(db)) == 2
    assert tasks(db) == 1


@pytest.mark.parametrize("name", ["way", "at"])
@pytest.mark.parametrize("word", ["rubbish", "\0", "é" * 300])
def test_a_choice_that_is_not_offered_is_refused_by_name(
    world_web: Browser, asking: Asking, failed: JobRequest, db: Session, name: str, word: str
) -> None:
    assert name in world_web.submit(url(asking, failed), {name: word}, status=400)
    if word == "rubbish":
        world_web.get(url(asking, failed, f"?{name}={word}"), status=400)
    assert len(sent(db)) == 1


def test_a_form_without_the_token_makes_nothing(
    world_web: Browser, asking: Asking, failed: JobRequest, db: Session
) -> None:
    world_web.post(url(asking, failed), {"way": "same"}, status=400)
    assert len(sent(db)) == 1


# Cost


def test_the_number_of_statements_does_not_depend_on_the_number_of_jobs(
    world_web: Browser, asking: Asking, count_statements: Callable[[], Any]
) -> None:
    numbers = []
    for many in (2, 20):
        request = made(world_web, asking, "run_all")
        for number in range(many):
            job(request, f"a{number}", "failed", "nonzero_exit")
        world_web.get(url(asking, request))
        with count_statements() as statements:
            world_web.get(url(asking, request))
        assert statements.writes == []
        numbers.append(len(statements))
    assert numbers[0] == numbers[1] <= 12
