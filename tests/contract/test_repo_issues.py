"""Asking on (simulated) GitHub for a signed-off repository to be made public (spec: staff 10.3, 16)."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from jobserver import db as database
from jobserver.actions import repos as actions
from jobserver.clients import Clients
from jobserver.clients.github import GitHubClient
from jobserver.models import Repo, utcnow
from jobserver.rap.context import Context
from jobserver.settings import Settings
from jobserver.tasks import repo_issues, worker
from jobserver.tasks.retrying import GiveUp, NotYet
from simulator.testing import RunningSimulator, running_simulator
from tests import factories as f
from tests.unit.rap.eventually import eventually, in_background


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSimulator]:
    with running_simulator(tmp_path_factory.mktemp("issues"), speed=0) as world:
        yield world


@pytest.fixture
def world(running: RunningSimulator) -> Iterator[RunningSimulator]:
    yield running
    running.control(reset=True, clear=["issues"])


@pytest.fixture
def context(
    settings: Settings, session_factory: sessionmaker[Session], world: RunningSimulator
) -> Iterator[Context]:
    engine = database.create_db_engine(settings, application_name="jobserver-worker")
    github = GitHubClient(world.github_api_url, world.github_token)
    clients = replace(Clients.from_settings(settings), github=github)
    yield Context(settings, database.session_factory(engine), clients)
    eventually(lambda: engine.pool.checkedout() == 0)  # type: ignore[attr-defined]
    engine.dispose()


@pytest.fixture
def repo(db: Session) -> Repo:
    """A repository that staff have just signed off."""
    person = f.UserFactory(username="staff-1", fullname="Staff *One*")
    signed = {"researcher_signed_off_at": utcnow(), "researcher_signed_off_by_id": person.id}
    found: Repo = f.RepoFactory(url="https://github.com/opensafely/asthma", **signed)
    actions.sign_off(db, found, by=person, may_with_outputs=False)
    db.commit()
    return found


def issues(context: Context) -> list[Any]:
    """All issues of the technical team's repository."""
    found = context.clients.github.issues("ebmdatalab", "tech-support")
    return list(found._repository().get_issues(state="all"))


def test_the_worker_opens_the_issue(db: Session, context: Context, repo: Repo) -> None:
    with in_background(worker.run, context):
        eventually(lambda: len(issues(context)) == 1)
    (issue,) = issues(context)
    assert issue.title == "Switch opensafely/asthma to public"
    assert "https://github.com/opensafely/asthma/settings" in issue.body
    assert r"Staff \*One\* (`@staff-1`)" in issue.body
    assert "http://localhost/staff/repos/opensafely/asthma/" in issue.body
    assert list(issue.labels) == []


def test_while_github_is_away_it_is_tried_again(
    db: Session, context: Context, repo: Repo, world: RunningSimulator
) -> None:
    world.control(fault={"service": "github", "kind": "status", "status": 500})
    attempts = "SELECT attempts FROM procrastinate_jobs WHERE task_name = 'repo_sign_off_issue'"
    with in_background(worker.run, context):
        eventually(lambda: db.rollback() or db.scalar(text(attempts)) == 1)
        error = db.scalar(text("SELECT last_error FROM task_record WHERE failed_at IS NOT NULL"))
        assert "GitHub could not be reached" in str(error)
        world.control(reset=True)
        eventually(lambda: len(issues(context)) == 1, within=15)


def test_a_try_that_was_cut_off_leaves_one_issue(db: Session, context: Context, repo: Repo) -> None:
    for _ in range(3):
        repo_issues.ask_to_make_public(context, repo_id=repo.id)
    assert len(issues(context)) == 1


def test_what_is_not_signed_off_is_given_up(db: Session, context: Context) -> None:
    for id_ in (f.RepoFactory().id, 4711):
        with pytest.raises(GiveUp):
            repo_issues.ask_to_make_public(context, repo_id=id_)
    assert issues(context) == []


def test_settings_say_where_it_is_opened(db: Session, context: Context, repo: Repo) -> None:
    elsewhere = replace(context, settings=replace(context.settings, tech_support_repo="not-there"))
    with pytest.raises(NotYet):
        repo_issues.ask_to_make_public(elsewhere, repo_id=repo.id)
    assert issues(context) == []
