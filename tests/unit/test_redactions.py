"""What follows when a released file was redacted: its bytes go, its project's developers are told."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
import structlog
from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from jobserver.actions import redaction
from jobserver.actions.naming import Malformed
from jobserver.actions.redaction import AlreadyRedacted, NeverUploaded, redact
from jobserver.clients.storage import ReleaseStorage
from jobserver.models import ReleaseFile
from jobserver.rap.context import Context
from jobserver.settings import Settings
from jobserver.tasks import redactions, worker
from jobserver.tasks.deliveries import DELIVERIES
from jobserver.tasks.retrying import GiveUp, NotYet
from tests.outbox import Outbox
from tests.unit.rap.eventually import eventually, in_background
from tests.web import releases as r

DELIVER: dict[str, Callable[..., None]] = {task.value: function for task, function in DELIVERIES.items()}


@pytest.fixture
def outbox() -> Outbox:
    return Outbox()


@pytest.fixture
def context(
    settings: Settings, session_factory: sessionmaker[Session], storage: ReleaseStorage, outbox: Outbox
) -> Context:
    return outbox.context(settings, session_factory)


@pytest.fixture
def place(db: Session) -> r.Place:
    return r.place()


@pytest.fixture
def file(place: r.Place, storage: ReleaseStorage) -> Any:
    return r.file(r.release(place), "output/a <b>.csv", storage=storage)


def asked_for(db: Session) -> list[tuple[str, Any]]:
    db.rollback()
    return [
        tuple(row) for row in db.execute(text("SELECT task_name, args FROM procrastinate_jobs ORDER BY id"))
    ]


def test_nothing_is_done_if_the_transaction_does_not_end_well(
    db: Session, place: r.Place, file: ReleaseFile, storage: ReleaseStorage
) -> None:
    redact(db, file, place.checker, "Small counts")
    db.rollback()
    assert asked_for(db) == []
    assert storage.has(file.path)


def test_a_reason_has_to_say_something(db: Session, place: r.Place, file: ReleaseFile) -> None:
    for reason in ("", " \n", "\0", "x" * (redaction.LONGEST_REASON + 1)):
        with pytest.raises(Malformed):
            redact(db, file, place.checker, reason)
    assert asked_for(db) == []


def test_only_what_was_uploaded_and_once(db: Session, place: r.Place, file: ReleaseFile) -> None:
    with pytest.raises(NeverUploaded):
        redact(db, r.waiting(file.release, "b.csv"), place.checker, "Small counts")
    redact(db, file, place.checker, "Small counts")
    with pytest.raises(AlreadyRedacted):
        redact(db, file, place.checker, "Another reason")
    assert file.deleted_reason == "Small counts"


def test_the_bytes_are_removed_by_a_task_that_may_be_repeated(
    db: Session, place: r.Place, file: ReleaseFile, storage: ReleaseStorage, context: Context
) -> None:
    other = r.file(file.release, "b.csv", storage=storage)
    redact(db, file, place.checker, "Small counts")
    db.commit()
    ((name, arguments), _mail) = asked_for(db)
    for _ in range(2):
        DELIVER[name](context, **arguments)
        assert list(storage.paths()) == [other.path]


def test_no_task_removes_what_is_not_redacted(
    db: Session, place: r.Place, file: ReleaseFile, storage: ReleaseStorage, context: Context
) -> None:
    gone = r.redacted(file.release, "gone.csv", place.checker)
    gone.path = file.path
    db.commit()
    for id_ in (file.id, gone.id, r.waiting(file.release, "b.csv").id, "no such file"):
        with pytest.raises(GiveUp):
            DELIVER["remove_redacted_file"](context, file_id=id_)
    assert storage.has(file.path)


def test_what_cannot_be_removed_is_tried_again_and_staff_can_read_why(
    db: Session, place: r.Place, file: ReleaseFile, storage: ReleaseStorage, context: Context
) -> None:
    redact(db, file, place.checker, "Small counts")
    db.commit()
    (storage.root / file.path).unlink()
    (storage.root / file.path).symlink_to("/etc/passwd")
    with pytest.raises(NotYet, match=r"a <b>\.csv is no file"):
        DELIVER["remove_redacted_file"](context, file_id=file.id)
    (storage.root / file.path).unlink()
    DELIVER["remove_redacted_file"](context, file_id=file.id)


def test_the_mail_says_who_redacted_what_and_why(
    db: Session, place: r.Place, file: ReleaseFile, context: Context, outbox: Outbox
) -> None:
    redact(db, file, place.checker, "Counts < 8 & names")
    db.commit()
    arguments = {"user_id": place.developer.id, "file_id": file.id}
    assert asked_for(db)[1:] == [("mail_file_redacted", arguments)]
    DELIVER["mail_file_redacted"](context, **arguments)
    (mail,) = outbox.messages
    assert mail.to == place.developer.email
    assert mail.subject == f"A released file was redacted: {place.workspace.name}"
    for words in ("Checker One redacted", "output/a <b>.csv", "The reason given: Counts < 8 & names"):
        assert words in mail.text
    assert "output/a &lt;b&gt;.csv" in mail.html
    assert "Counts &lt; 8 &amp; names" in mail.html
    assert f"http://localhost{place.address('releases', file.release_id)}" in mail.text


def test_nobody_is_told_who_is_no_developer_any_more(
    db: Session, place: r.Place, file: ReleaseFile, context: Context, outbox: Outbox
) -> None:
    redact(db, file, place.checker, "Small counts")
    db.execute(text("UPDATE project_membership SET roles = '{ProjectCollaborator}'"))
    db.commit()
    DELIVER["mail_file_redacted"](context, user_id=place.developer.id, file_id=file.id)
    assert outbox.messages == []
    for wrong in ({"user_id": 0, "file_id": file.id}, {"user_id": place.developer.id, "file_id": "0"}):
        with pytest.raises(GiveUp):
            DELIVER["mail_file_redacted"](context, **wrong)


def test_a_worker_removes_the_bytes_and_those_that_a_lost_task_left(
    db: Session, place: r.Place, file: ReleaseFile, storage: ReleaseStorage, context: Context
) -> None:
    forgotten = r.file(file.release, "forgotten.csv", storage=storage)
    forgotten.deleted_at, forgotten.deleted_by_id = forgotten.uploaded_at, place.checker.id
    kept = r.file(file.release, "kept.csv", storage=storage)
    redact(db, file, place.checker, "Small counts")
    db.commit()
    with in_background(worker.run, context):
        eventually(lambda: list(storage.paths()) == [kept.path])


def test_the_hourly_sweep_says_in_the_log_what_it_could_not_remove(
    db: Session, place: r.Place, file: ReleaseFile, storage: ReleaseStorage, context: Context
) -> None:
    redact(db, file, place.checker, "Small counts")
    db.commit()
    (storage.root / file.path).unlink()
    (storage.root / file.path).mkdir()
    with structlog.testing.capture_logs() as logs:
        redactions.tidy(context)
    (line,) = [each for each in logs if each["event"] == "leftover_not_removed"]
    assert (line["path"], line["reason"]) == (file.path, f"{file.path} is no file")


def test_sweeps_beside_uploads_and_each_other_take_nothing_that_is_needed(
    db: Session, place: r.Place, storage: ReleaseStorage, context: Context
) -> None:
    release = r.release(place)
    stop = threading.Event()

    def sweep() -> None:
        while not stop.is_set():
            redactions.tidy(context)

    threads = [threading.Thread(target=sweep) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        kept = [r.file(release, f"{number}.csv", b"x" * 1000, storage=storage) for number in range(20)]
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert all(storage.has(each.path) for each in kept)
