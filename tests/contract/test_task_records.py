"""A task is asked for once for each cause, and what went wrong with it is kept (spec: operations 4.1)."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session, sessionmaker

from jobserver import db as database
from jobserver import queue
from jobserver.actions import tasks as actions
from jobserver.clients import Clients
from jobserver.clients.github import GitHubUnavailable
from jobserver.clients.slack import SlackClient
from jobserver.models import AuditableEvent, TaskRecord, User, utcnow
from jobserver.queue import Task
from jobserver.rap.context import Context
from jobserver.settings import Settings
from jobserver.tasks import worker
from jobserver.tasks.failing import LONGEST, words_of
from jobserver.tasks.retrying import GiveUp, NotYet
from tests import factories as f
from tests.unit.rap.eventually import eventually, in_background


@pytest.fixture
def context(settings: Settings, session_factory: sessionmaker[Session]) -> Iterator[Context]:
    engine = database.create_db_engine(settings, application_name="jobserver-worker")
    yield Context(settings, database.session_factory(engine), Clients.from_settings(settings))
    eventually(lambda: engine.pool.checkedout() == 0)  # type: ignore[attr-defined]
    engine.dispose()


def unreachable(context: Context) -> Context:
    """The same, with a Slack that nobody answers at."""
    slack = SlackClient("http://127.0.0.1:9", "xoxb-very-secret")
    return replace(context, clients=replace(context.clients, slack=slack))


def jobs(db: Session) -> list[tuple[str, str, int]]:
    """Name, state and attempts of each task."""
    db.rollback()
    rows = db.execute(
        text(
            "SELECT task_name, CAST(status AS text), attempts FROM procrastinate_jobs"
            # The worker asks for this one by itself.
            " WHERE task_name <> 'announce_support_ends' ORDER BY id"
        )
    )
    return [tuple(row) for row in rows]  # type: ignore[misc]


def errors(db: Session) -> list[str]:
    """What went wrong with the tasks that failed at least once."""
    failed = select(TaskRecord.last_error).where(TaskRecord.failed_at.is_not(None))
    return list(db.scalars(failed.order_by(TaskRecord.id)))


def announce(db: Session, user: User) -> bool:
    return queue.defer(db, Task.ANNOUNCE_NEW_USER, key=str(user.id), user_id=user.id)


def test_a_cause_is_told_of_once(db: Session) -> None:
    one, other = f.UserFactory(), f.UserFactory()
    assert announce(db, one)
    assert announce(db, other)
    db.commit()
    assert not announce(db, one)
    assert queue.defer(db, Task.MAIL_FIRST_FAILURE, key=str(one.id), job_request_id=1)
    db.commit()
    assert [name for name, _, _ in jobs(db)] == ["announce_new_user"] * 2 + ["mail_first_failure"]
    kept = db.scalars(select(TaskRecord).order_by(TaskRecord.id)).all()
    assert kept[0].key == f"announce_new_user:{one.id}"
    assert [each.job_id for each in kept] == list(
        db.scalars(text("SELECT id FROM procrastinate_jobs ORDER BY id"))
    )


def test_a_cause_that_was_undone_can_be_told_of_later(db: Session) -> None:
    user = f.UserFactory()
    assert announce(db, user)
    db.rollback()
    assert announce(db, user)
    db.commit()
    assert len(jobs(db)) == 1


def test_without_a_key_every_wish_counts(db: Session) -> None:
    for _ in range(2):
        assert queue.defer(db, Task.CHECK_REPOSITORY, repo_id=1)
    db.commit()
    assert len(jobs(db)) == 2
    assert db.scalars(select(TaskRecord)).all() == []


def test_of_two_at_the_same_time_one_asks(db: Session, session_factory: sessionmaker[Session]) -> None:
    user = f.UserFactory()
    asked: list[bool] = []
    with session_factory() as first:
        asked.append(announce(first, user))

        def second() -> None:
            with session_factory() as session, session.begin():
                asked.append(announce(session, user))

        thread = threading.Thread(target=second)
        thread.start()
        thread.join(0.3)
        assert thread.is_alive()
        first.commit()
        thread.join()
    assert asked == [True, False]
    assert len(jobs(db)) == 1


def test_what_went_wrong_is_kept_and_replaced_by_what_goes_wrong_next(db: Session, context: Context) -> None:
    announce(db, f.UserFactory())
    db.commit()
    before = utcnow()
    with in_background(worker.run, unreachable(context)):
        eventually(lambda: jobs(db)[0][2] == 1)
    (kept,) = db.scalars(select(TaskRecord).where(TaskRecord.failed_at.is_not(None))).all()
    assert kept.last_error.startswith("Slack did not take the message")
    assert "xoxb" not in kept.last_error
    assert kept.failed_at is not None
    assert kept.failed_at >= before
    assert kept.job_id is not None
    actions.note_failure(db, kept.job_id, "Something else.")
    db.commit()
    db.refresh(kept)
    assert kept.last_error == "Something else."


def test_a_task_without_a_cause_has_its_error_kept_too(db: Session, context: Context) -> None:
    queue.defer(db, Task.ANNOUNCE_NEW_USER, user_id=4711)
    db.commit()
    with in_background(worker.run, context):
        eventually(lambda: jobs(db) == [("announce_new_user", "failed", 1)])
    assert errors(db) == ["There is no user 4711"]


def test_a_failed_task_is_tried_again_by_a_real_worker(db: Session, context: Context) -> None:
    user = f.UserFactory(id=4711)
    db.execute(text('DELETE FROM "user" WHERE id = 4711'))
    queue.defer(db, Task.ANNOUNCE_NEW_USER, user_id=user.id)
    db.commit()
    with in_background(worker.run, context):
        eventually(lambda: jobs(db)[0][1] == "failed")
        by = f.UserFactory(id=4711, username="late")
        job_id = db.scalar(text("SELECT min(id) FROM procrastinate_jobs")) or 0
        assert actions.retry(db, job_id, by=by)
        assert not actions.retry(db, job_id, by=by)
        db.commit()
        eventually(lambda: jobs(db)[0] == ("announce_new_user", "succeeded", 1))
    assert not actions.retry(db, job_id, by=by)
    (event,) = db.scalars(select(AuditableEvent)).all()
    assert (event.type, event.created_by, event.target_label) == ("task_retried", "late", "announce_new_user")
    assert event.changes == {"state": ["failed", "pending"]}
    # Still there to be read, beside the task that went well in the end.
    assert errors(db) == ["There is no user 4711"]


def test_records_go_with_their_tasks(db: Session) -> None:
    queue.defer(db, Task.ANNOUNCE_NEW_USER, key="1", user_id=1)
    queue.defer(db, Task.ANNOUNCE_NEW_USER, key="2", user_id=2)
    db.execute(text("DELETE FROM procrastinate_jobs WHERE args ->> 'user_id' = '1'"))
    db.commit()
    assert actions.forget_old(db, utcnow() - timedelta(hours=1)) == 0
    assert actions.forget_old(db, utcnow() + timedelta(hours=1)) == 1
    assert db.scalars(select(TaskRecord.key)).all() == ["announce_new_user:2"]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (GiveUp("there is\nno user 7"), "There is no user 7"),
        (NotYet("the token tok-0123456789 is not taken"), "The token ***** is not taken"),
        (
            NotYet("Mail to http://me:mine@smtp.example/ failed"),
            "Mail to http://*****@smtp.example/ failed",
        ),
        (KeyError("what somebody typed"), "Something unexpected went wrong (KeyError). The log has more."),
        (
            GitHubUnavailable("connection refused"),
            "GitHub could not be reached. Try again in a few minutes. (connection refused)",
        ),
    ],
)
def test_errors_are_said_in_words_without_secrets(settings: Settings, error: Exception, said: str) -> None:
    own = replace(settings, jobserver_github_token="tok-0123456789")
    assert words_of(error, own) == said


def test_errors_are_short(settings: Settings) -> None:
    assert len(words_of(GiveUp("x" * 5000), settings)) == LONGEST
