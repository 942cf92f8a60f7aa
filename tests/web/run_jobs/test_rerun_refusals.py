"""What stands against running a request again."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from jobserver import make_app
from jobserver.models import JobRequest, Role
from simulator.testing import RunningSimulator
from tests import factories as f
from tests.web.conftest import Browser
from tests.web.run_jobs.again import form, job, made, plan, url
from tests.web.run_jobs.asking import Asking, sent


def refused(browser: Browser, asking: Asking, request: JobRequest, reason: str, db: Session) -> None:
    page = browser.get(url(asking, request))
    assert reason in page.html.select_one("#refusal").get_text()
    assert reason in page.html.select_one("#run-again-why").get_text(), "a refused button says why"
    answer = browser.submit(url(asking, request), form(page), status=200)
    assert reason in answer.html.select_one(".error-summary").get_text()
    assert len(sent(db)) == 1


def test_an_archived_workspace_says_so(
    world_web: Browser, asking: Asking, failed: JobRequest, db: Session
) -> None:
    asking.workspace.is_archived = True
    db.commit()
    refused(world_web, asking, failed, "is archived", db)


def test_a_backend_that_is_not_in_use_says_so(
    world_web: Browser, asking: Asking, failed: JobRequest, db: Session
) -> None:
    asking.tpp.is_active = False
    db.commit()
    refused(world_web, asking, failed, "TPP is not in use", db)


def test_a_backend_of_others_says_so(
    world_web: Browser, asking: Asking, failed: JobRequest, db: Session
) -> None:
    someone = f.UserFactory()
    f.ProjectMembershipFactory(project=asking.workspace.project, user=someone, roles=[Role.PROJECT_DEVELOPER])
    world_web.sign_in(someone)
    refused(world_web, asking, failed, "You cannot run jobs on TPP", db)


def test_creating_that_is_switched_off_says_so(
    world_settings: Any, engine: Engine, world_web: Browser, asking: Asking, failed: JobRequest, db: Session
) -> None:
    browser = Browser(make_app(replace(world_settings, disable_creating_jobs=True), engine=engine))
    browser.sign_in(asking.user)
    refused(browser, asking, failed, "are switched off just now", db)


def test_stale_codelists_refuse_what_reads_the_database(odd: Callable[..., Any], db: Session) -> None:
    browser, asking = odd("lists-stale")
    request = made(browser, asking, "extract", "free")
    job(request, "extract", "failed", "stale_codelists")
    job(request, "free", "failed", "nonzero_exit")
    page = browser.get(url(asking, request))
    assert "opensafely codelists update" in page.html.select_one("#codelists").get_text()
    assert "1 action would be refused extract" in plan(page)
    assert page.html.select_one("#run-again")["aria-disabled"] == "true"
    answer = browser.submit(url(asking, request), form(page), status=200)
    assert "extract reads the database" in answer.html.select_one(".error-summary").get_text()
    assert len(sent(db)) == 1
    other = next(a["href"] for a in page.html.select("main a") if "Choose actions" in a.text)
    assert len(browser.get(other).html.select("input[name=requested_actions][checked]")) == 2


def test_without_github_nothing_is_lost(
    odd_world: RunningSimulator, odd: Callable[..., Any], db: Session
) -> None:
    browser, asking = odd("main")
    request = made(browser, asking, "free")
    page = browser.get(url(asking, request))
    odd_world.control(fault={"service": "github", "kind": "status", "status": 500})
    assert "GitHub could not be reached" in browser.get(url(asking, request))
    answer = browser.submit(url(asking, request), form(page), status=200)
    assert "Nothing was sent" in answer
    assert len(sent(db)) == 1
    odd_world.control(reset=True)
    retry = answer.html.select_one("main form[method=post]")
    kept = [(each["name"], each["value"]) for each in retry.select("input[type=hidden]")]
    browser.post(retry["action"], kept, status=303)
    assert sent(db)[-1].rerun_of_id == request.id
    assert sent(db)[-1].identifier == form(page)["once"]
