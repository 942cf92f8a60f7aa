"""Who may see the run form, and what the others are told."""

from typing import Any

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from jobserver import make_app
from jobserver.models import (
    Role,
)
from tests import factories as f
from tests.web.conftest import Browser
from tests.web.run_jobs.asking import Asking, fields, sent


def test_anonymous_people_are_sent_to_sign_in_and_back(world_web: Browser, asking: Asking) -> None:
    world_web.reset()
    answer = world_web.get(asking.url + "?ref=main", status=303)
    assert "/login/?next=" in answer.location
    assert "run-jobs" in answer.location


def test_without_the_role_the_page_names_it(world_web: Browser, asking: Asking) -> None:
    world_web.sign_in(f.UserFactory())
    for url in (asking.url, asking.plan_url):
        answer = world_web.get(url, status=403)
        assert "Project Developer" in answer
    world_web.submit(asking.url, {"backend": "tpp"}, status=403)


def test_an_unknown_workspace_is_a_404(world_web: Browser, asking: Asking) -> None:
    """Access 8.46: not the way home without a word."""
    world_web.get(asking.url.replace(asking.workspace.name, "nowhere"), status=404)


def test_an_archived_workspace_leads_to_its_page(world_web: Browser, asking: Asking, db: Session) -> None:
    asking.workspace.is_archived = True
    db.commit()
    for answer in (
        world_web.get(asking.url, status=303),
        world_web.submit(asking.url, {"backend": "tpp", "requested_actions": "run_all"}, status=303),
    ):
        assert answer.location.removeprefix("http://localhost") == asking.workspace_url
    assert "is archived" in world_web.get("/404", status=404)
    assert sent(db) == []


def test_who_has_no_backend_is_told_whom_to_ask(
    world: Any, world_web: Browser, asking: Asking, db: Session
) -> None:
    someone = f.UserFactory()
    f.ProjectMembershipFactory(project=asking.workspace.project, user=someone, roles=[Role.PROJECT_DEVELOPER])
    world_web.sign_in(someone)
    world.control(clear=["requests"])
    for answer in (world_web.get(asking.url), world_web.submit(asking.url, {"backend": "tpp"})):
        assert "You have no backend to run jobs on" in answer
        assert "mailto:" in answer
        assert not answer.html.select("input[name=backend]")
    assert world.requests("github") == []


def test_inactive_backends_are_not_offered(world_web: Browser, asking: Asking, db: Session) -> None:
    asking.emis.is_active = False
    db.commit()
    page = world_web.get(asking.url)
    assert [each["value"] for each in page.html.select("input[name=backend]")] == ["tpp"]
    assert page.html.select("input[name=backend][checked]"), "the only one is chosen"
    asking.tpp.is_active = False
    db.commit()
    assert "None of your backends is in use" in world_web.get(asking.url)


def test_while_creating_is_switched_off_other_backends_are_offered(
    world_settings: Any, engine: Engine, world_web: Browser, asking: Asking
) -> None:
    from dataclasses import replace

    browser = Browser(make_app(replace(world_settings, disable_creating_jobs=True), engine=engine))
    browser.sign_in(asking.user)
    page = browser.get(asking.url)
    assert "switched off just now" in page
    assert "TPP" in page
    f.BackendMembershipFactory(backend=f.BackendFactory(slug="test", name="Test"), user=asking.user)
    page = browser.get(asking.url)
    assert [each["value"] for each in page.html.select("input[name=backend]")] == ["test"]
    answer = browser.submit(asking.url, fields(page, backend="tpp", requested_actions="table_one"))
    assert "cannot be chosen" in answer
