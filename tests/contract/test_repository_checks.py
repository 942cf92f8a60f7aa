"""Whether repositories are private: asked of (simulated) GitHub behind the pages, stored, and kept fresh."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session, sessionmaker

from jobserver import db as database
from jobserver import queue
from jobserver.actions import workspaces as actions
from jobserver.clients import Clients
from jobserver.clients.github import GitHubClient
from jobserver.clients.transport import Limits
from jobserver.models import Repo, utcnow
from jobserver.queries import repo_checks
from jobserver.queue import Task
from jobserver.rap.context import Context
from jobserver.settings import Settings
from jobserver.tasks import repositories, worker
from jobserver.tasks.deliveries import DELIVERIES
from jobserver.tasks.retrying import GiveUp
from simulator.testing import RunningSimulator, running_simulator
from tests import factories as f
from tests.unit.rap.eventually import eventually, in_background

PRIVATE = "https://github.com/demo-university/asthma-study"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSimulator]:
    with running_simulator(tmp_path_factory.mktemp("repos"), speed=0) as world:
        yield world


@pytest.fixture
def world(running: RunningSimulator) -> Iterator[RunningSimulator]:
    running.control(clear=["requests"])
    yield running
    running.control(reset=True)


@pytest.fixture
def context(
    settings: Settings, session_factory: sessionmaker[Session], world: RunningSimulator
) -> Iterator[Context]:
    engine = database.create_db_engine(settings, application_name="jobserver-worker")
    limits = Limits(connect=1, read=1, size=1_000_000)
    github = GitHubClient(world.github_api_url, world.github_token, limits=limits)
    clients = replace(Clients.from_settings(settings), github=github)
    yield Context(settings, database.session_factory(engine), clients)
    # A stopped worker does not wait for what its threads are at.
    eventually(lambda: engine.pool.checkedout() == 0)  # type: ignore[attr-defined]
    engine.dispose()


def now(db: Session, repo: Repo) -> Repo:
    db.rollback()
    db.refresh(repo)
    return repo


def waiting(db: Session) -> list[int]:
    db.rollback()
    rows = db.execute(text("SELECT args FROM procrastinate_jobs WHERE task_name = 'check_repository'"))
    return sorted(args["repo_id"] for (args,) in rows)


def long_ago(hours: float = 2) -> Any:
    return utcnow() - timedelta(hours=hours)


def test_what_github_says_is_stored_with_the_time(db: Session, context: Context) -> None:
    repo = f.RepoFactory(url=PRIVATE, check_failure="GitHub could not be reached.")
    before = utcnow()
    repositories.check_repository(context, repo_id=repo.id)
    stored = now(db, repo)
    assert (stored.is_private, stored.check_failure) == (True, "")
    assert (stored.topics, stored.has_github_outputs) == (["research"], False)
    assert stored.made_on_github_at == datetime(2025, 1, 14, 9, tzinfo=UTC)
    assert stored.checked_at is not None
    assert before <= stored.checked_at <= utcnow()


def test_a_public_repository_is_stored_as_such(
    db: Session, context: Context, world: RunningSimulator
) -> None:
    public = next(plan for plan in world.config.simulator.repositories if not plan.private)
    repo = f.RepoFactory(url=f"https://github.com/{public.name}", is_private=True)
    repositories.check_repository(context, repo_id=repo.id)
    assert now(db, repo).is_private is False


def test_a_topic_says_that_there_are_outputs(
    db: Session, context: Context, world: RunningSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = f.RepoFactory(url=PRIVATE)
    monkeypatch.setattr(repositories, "HAS_OUTPUTS", "research")
    repositories.check_repository(context, repo_id=repo.id)
    assert now(db, repo).has_github_outputs is True
    monkeypatch.undo()
    world.control(fault={"service": "github", "kind": "status", "status": 500})
    repositories.check_repository(context, repo_id=repo.id)
    assert (now(db, repo).has_github_outputs, repo.topics) == (True, ["research"])
    world.control(reset=True)
    repositories.check_repository(context, repo_id=repo.id)
    assert now(db, repo).has_github_outputs is False


def test_a_repository_that_is_gone_is_neither_public_nor_private(db: Session, context: Context) -> None:
    repo = f.RepoFactory(
        url="https://github.com/demo-university/gone",
        is_private=True,
        has_github_outputs=True,
        checked_at=long_ago(),
    )
    repositories.check_repository(context, repo_id=repo.id)
    stored = now(db, repo)
    assert (stored.is_private, stored.check_failure) == (None, repositories.MISSING)
    # Who may sign it off is not decided by an answer that says nothing.
    assert stored.has_github_outputs is True
    assert stored.checked_at is not None
    assert utcnow() - stored.checked_at < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"kind": "status", "status": 500}, "could not be reached"),
        ({"kind": "slow", "seconds": 3}, "could not be reached"),
        ({"kind": "refuse"}, "could not be reached"),
        ({"kind": "html"}, "could not be reached"),
        ({"kind": "truncated"}, "could not be reached"),
        ({"kind": "rate_limit"}, "too many requests"),
        ({"kind": "status", "status": 401}, "does not let us read"),
    ],
)
def test_while_github_cannot_be_asked_what_was_known_stays_known(
    db: Session, context: Context, world: RunningSimulator, fault: dict[str, Any], said: str
) -> None:
    repo = f.RepoFactory(url=PRIVATE, is_private=True, checked_at=long_ago())
    world.control(fault={"service": "github", **fault})
    repositories.check_repository(context, repo_id=repo.id)
    stored = now(db, repo)
    assert stored.is_private is True
    assert said in stored.check_failure
    assert stored.checked_at is not None
    assert utcnow() - stored.checked_at < timedelta(minutes=1)


def test_no_transaction_is_open_while_github_is_asked(
    db: Session, context: Context, world: RunningSimulator
) -> None:
    repo = f.RepoFactory(url=PRIVATE)
    world.control(fault={"service": "github", "kind": "slow", "seconds": 0.6})
    thread = threading.Thread(
        target=repositories.check_repository, args=(context,), kwargs={"repo_id": repo.id}
    )
    thread.start()
    eventually(lambda: context.engine.pool.checkedin() == 1)  # type: ignore[attr-defined]
    db.rollback()
    open_ones = db.scalar(
        text(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'jobserver-worker'"
            " AND datname = current_database() AND state LIKE 'idle in transaction%'"
        )
    )
    assert open_ones == 0
    thread.join()
    assert now(db, repo).is_private is True


def test_a_repository_that_we_do_not_have_is_given_up(context: Context) -> None:
    with pytest.raises(GiveUp):
        repositories.check_repository(context, repo_id=99)


def test_a_new_workspace_has_its_repository_checked(
    db: Session, context: Context, world: RunningSimulator
) -> None:
    author, project = f.UserFactory(), f.ProjectFactory()
    actions.create(db, by=author, project=project, name="main", repo_url=PRIVATE, branch="main")
    db.commit()
    repo = db.query(Repo).one()
    assert waiting(db) == [repo.id]
    with in_background(worker.run, context):
        eventually(lambda: now(db, repo).is_private is True)


def test_checks_take_only_one_of_a_workers_hands(
    db: Session, context: Context, world: RunningSimulator
) -> None:
    """However slow GitHub is, mails and requests are not held up."""
    repos = [f.RepoFactory(url=PRIVATE), *f.RepoFactory.create_batch(5)]
    for repo in repos:
        queue.defer(db, Task.CHECK_REPOSITORY, repo_id=repo.id)
    db.commit()
    world.control(fault={"service": "github", "kind": "slow", "seconds": 0.7})

    def doing() -> int:
        db.rollback()
        checks = "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'check_repository'"
        return int(db.scalar(text(f"{checks} AND status = 'doing'")) or 0)

    with in_background(worker.run, context):
        eventually(lambda: doing() == 1)
        for _ in range(10):
            assert doing() <= 1


# The sweep


def test_the_sweep_asks_about_those_not_asked_about_for_an_hour_oldest_first(
    db: Session, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = f.RepoFactory(checked_at=utcnow() - repo_checks.OLD + timedelta(minutes=1))
    old = f.RepoFactory(checked_at=long_ago(2))
    older = f.RepoFactory(checked_at=long_ago(3), check_failure=repositories.MISSING)
    never = f.RepoFactory(checked_at=None)
    with context.transaction() as session:
        assert repo_checks.due(session, utcnow(), 10) == [never.id, older.id, old.id]
        assert repo_checks.due(session, utcnow(), 2) == [never.id, older.id]
    monkeypatch.setattr(repositories, "MOST_AT_ONCE", 2)
    assert repositories.sweep(context) == 2
    assert waiting(db) == sorted([never.id, older.id])
    assert fresh.id not in waiting(db)


def test_a_repository_that_is_about_to_be_asked_about_is_left_alone(db: Session, context: Context) -> None:
    f.RepoFactory.create_batch(3)
    assert repositories.sweep(context) == 3
    assert repositories.sweep(context) == 0
    db.execute(text("UPDATE procrastinate_jobs SET status = 'doing' WHERE id = 1"))
    db.execute(text("UPDATE procrastinate_jobs SET status = 'succeeded' WHERE id = 2"))
    db.commit()
    assert repositories.sweep(context) == 1
    assert len(waiting(db)) == 4


def test_however_many_workers_sweep_each_repository_is_asked_about_once(
    db: Session, context: Context
) -> None:
    repos = f.RepoFactory.create_batch(20)
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda _: repositories.sweep(context), range(6)))
    assert sum(found) == 20
    assert waiting(db) == sorted(repo.id for repo in repos)


def test_a_worker_sweeps_by_itself(
    db: Session, context: Context, monkeypatch: pytest.MonkeyPatch, world: RunningSimulator
) -> None:
    monkeypatch.setattr(worker, "RESCUE_EVERY", 0.05)
    monkeypatch.setattr(worker, "ROUNDS_PER_SWEEP", 3)
    repo = f.RepoFactory(url=PRIVATE)
    with in_background(worker.run, context):
        eventually(lambda: now(db, repo).is_private is True)
    assert waiting(db) == [repo.id]


def test_a_sweep_survives_the_database_being_away(
    db: Session, context: Context, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection that the sweep would use is cut; the next sweep works."""
    monkeypatch.setattr(worker, "RESCUE_EVERY", 0.05)
    monkeypatch.setattr(worker, "ROUNDS_PER_SWEEP", 2)
    repo = f.RepoFactory(url=PRIVATE)
    repositories.sweep(context)
    db.execute(text("DELETE FROM procrastinate_jobs"))
    db.execute(
        text(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'jobserver-worker' AND datname = current_database()"
        )
    )
    db.commit()
    with in_background(worker.run, context):
        eventually(lambda: now(db, repo).is_private is True)


def test_the_task_is_known_to_the_worker() -> None:
    assert DELIVERIES[Task.CHECK_REPOSITORY] is repositories.check_repository
