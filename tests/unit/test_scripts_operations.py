"""``pause-backend``, ``resume-backend``, ``announce``, ``cancel-all`` (issue 5)."""

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from jobserver.models import AuditableEvent, Backend, JobRequest, SiteAlert, utcnow
from tests import factories as f
from tests.unit.command import Run, count, ok, refused


@pytest.fixture(autouse=True)
def tpp(db: Session) -> Backend:
    """The backend in trouble, with a request that goes on; and an operator."""
    f.UserFactory(username="op")
    backend: Backend = f.BackendFactory(slug="tpp", name="TPP")
    f.BackendMembershipFactory(backend=backend)
    for each in (backend, f.BackendFactory(slug="emis")):
        f.JobFactory(
            job_request=f.JobRequestFactory(backend=each, status="running", started_at=utcnow()),
            status="running",
            action="one",
        )
    return backend


def tasks(db: Session) -> list[tuple[str, dict[str, object]]]:
    """The tasks that were asked for."""
    db.rollback()
    return [
        tuple(row) for row in db.execute(text("SELECT task_name, args FROM procrastinate_jobs ORDER BY id"))
    ]


def events(db: Session) -> list[tuple[str, str, str, str]]:
    """What was recorded: what, by whom, why, by what."""
    db.rollback()
    found = db.scalars(select(AuditableEvent).order_by(AuditableEvent.id))
    return [(each.type, each.created_by, each.reason, each.source) for each in found]


def test_a_backend_is_paused_and_resumed(run: Run, db: Session, tpp: Backend) -> None:
    pause = ("pause-backend", "TPP", "--reason", "Disk is full", "--by", "op")
    told = "1 person with access; 1 request going on, not touched."
    assert ok(run(*pause, "--dry-run")) == f"tpp would take no new requests: {told}\n"
    assert events(db) == []
    assert ok(run(*pause)) == f"tpp takes no new requests now: {told}\n"
    assert "already" in ok(run(*pause))
    db.refresh(tpp)
    assert tpp.creation_pause_reason == "Disk is full"
    assert (
        ok(run("resume-backend", "tpp", "--by", "op", "--reason", "New disk"))
        == "tpp takes new requests again.\n"
    )
    assert "was not paused" in ok(run("resume-backend", "tpp", "--by", "op"))
    assert events(db) == [
        ("backend_paused", "op", "Disk is full", "command"),
        ("backend_resumed", "op", "New disk", "command"),
    ]


def test_an_announcement_is_made_and_mailed(run: Run, db: Session, tpp: Backend) -> None:
    words = (
        "announce",
        "tpp",
        "--title",
        "Down",
        "--message",
        "Wait.",
        "--hours",
        "3",
        "--by",
        "op",
        "--mail",
    )
    asker = db.scalars(select(JobRequest).where(JobRequest.backend_id == tpp.id)).one().created_by_id
    assert "Would be announced, with 1 mail." in ok(run(*words, "--dry-run"))
    assert count(db, SiteAlert) == 0
    assert ok(run(*words)).endswith("1 request\nAnnounced; 1 mail on the way.\n")
    [(name, arguments)] = tasks(db)
    assert (name, arguments["user_id"]) == ("mail_announcement", asker)
    assert [each[0] for each in events(db)] == ["site_alert_created", "announcement_mailed"]
    assert run(*words, "--level", "loud").exit_code == 2


def test_everything_on_one_backend_is_cancelled(run: Run, db: Session, tpp: Backend) -> None:
    here = db.scalars(select(JobRequest).where(JobRequest.backend_id == tpp.id)).one()
    new = f.JobRequestFactory(backend=tpp, status="pending")
    cancel = ("cancel-all", "tpp", "--reason", "Power cut", "--by", "op")
    dry = run(*cancel, "--dry-run")
    assert ok(dry).endswith("Would cancel 1 job of 1 request on tpp.\n")
    assert dry.stdout.startswith(f"{here.id} {here.identifier} ")
    assert f"{new.id} {new.identifier} has no job yet" in dry.stderr
    assert tasks(db) == []
    assert ok(run(*cancel)).endswith("Cancelling 1 job of 1 request on tpp.\n")
    [(name, arguments)] = tasks(db)
    assert (name, arguments["request_ids"]) == ("cancel_requests", [here.id])
    assert events(db) == [("backend_cancelled_all", "op", "Power cut", "command")]


def test_what_is_not_there_is_refused_in_one_line(run: Run) -> None:
    refused(run("pause-backend", "mars", "--reason", "x", "--by", "op"), "no backend “mars”")
    refused(run("resume-backend", "tpp", "--by", "nobody"), "no user “nobody”")
    refused(run("pause-backend", "tpp", "--reason", " ", "--by", "op"), "visible character")
    refused(run("pause-backend", "tpp", "--reason", "x" * 501, "--by", "op"), "at most 500")
    refused(run("announce", "tpp", "--title", "x", "--message", " ", "--by", "op"), "needs 1 to")
    assert run("cancel-all", "tpp", "--by", "op").exit_code == 2
