"""Commands about making released files public (spec: operations 1.2)."""

import re
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from jobserver.actions import publication
from jobserver.models import (
    AuditableEvent,
    AuditType,
    PublishRequest,
    Release,
    ReleaseFile,
    Snapshot,
    SnapshotFile,
    User,
    utcnow,
)
from jobserver.queries import releases
from jobserver.queries.publication import path_of_snapshot
from tests import factories as f
from tests.unit.command import Run, count, ok, refused


@pytest.fixture
def release(db: Session) -> Release:
    made: Release = f.ReleaseFactory(workspace=f.WorkspaceFactory(name="study-a"))
    return made


@pytest.fixture
def ada(db: Session) -> User:
    made: User = f.UserFactory(username="ada")
    return made


def file(release: Release, name: str, **values: Any) -> ReleaseFile:
    given = {"uploaded_at": utcnow(), "uploaded_by": release.created_by, "path": "somewhere"}
    made: ReleaseFile = f.ReleaseFileFactory(release=release, name=name, **{**given, **values})
    return made


def redacted(release: Release, name: str) -> ReleaseFile:
    return file(release, name, deleted_at=utcnow(), deleted_by_id=release.created_by_id)


def announced(release: Release, name: str) -> ReleaseFile:
    return file(release, name, uploaded_at=None, uploaded_by=None, path="")


def address(db: Session, snapshot: Snapshot) -> str:
    path = "/".join(path_of_snapshot(db, snapshot))
    db.rollback()
    assert re.fullmatch(rf"organisation-\d+/project-\d+/study-a/outputs/{snapshot.id}", path)
    return f"http://localhost:8000/{path}/"


def members(db: Session) -> set[str]:
    db.rollback()
    return set(db.scalars(select(SnapshotFile.release_file_id)))


def test_files_are_asked_for_and_the_page_is_printed(
    run: Run, db: Session, release: Release, ada: User
) -> None:
    older = file(release, "output/a.csv")
    newer = f.ReleaseFactory(workspace=release.workspace, backend=release.backend)
    elsewhere = f.ReleaseFactory(workspace=release.workspace)
    wanted = [file(newer, "output/a.csv"), file(elsewhere, "output/a.csv"), file(release, "output/b.csv")]
    file(release, "output/c.csv")
    paths = ("output/a.csv", "output/b.csv", "output/a.csv")
    printed = ok(run("publish-files", "ADA", "Study-A", *paths, BASE_URL="http://localhost:8000"))
    snapshot = db.scalars(select(Snapshot)).one()
    assert printed == f"{address(db, snapshot)}\n"
    assert members(db) == {each.id for each in wanted}
    assert older.id not in members(db)
    request = db.scalars(select(PublishRequest)).one()
    assert (request.decision, request.created_by_id) == (None, ada.id)

    assert ok(run("publish_files", "ada", "study-a", *paths, BASE_URL="http://localhost:8000")) == printed
    assert (count(db, Snapshot), count(db, PublishRequest)) == (1, 1)


def test_an_older_version_that_can_be_read_steps_in(
    run: Run, db: Session, release: Release, ada: User
) -> None:
    readable = file(release, "a.csv")
    redacted(f.ReleaseFactory(workspace=release.workspace, backend=release.backend), "a.csv")
    announced(f.ReleaseFactory(workspace=release.workspace, backend=release.backend), "a.csv")
    ok(run("publish-files", "ada", "study-a", "a.csv"))
    assert members(db) == {readable.id}


def test_what_cannot_be_asked_for_is_one_line(run: Run, db: Session, release: Release, ada: User) -> None:
    file(release, "a.csv")
    announced(release, "late.csv")
    redacted(release, "gone.csv")
    file(f.ReleaseFactory(), "foreign.csv")
    f.UserFactory(username="closed", disabled_at=utcnow(), disabled_by_id=ada.id)
    for arguments, words in [
        (("nobody", "study-a", "a.csv"), "no user “nobody”"),
        (("closed", "study-a", "a.csv"), "account of closed is closed"),
        (("ada", "nowhere", "a.csv"), "no workspace “nowhere”"),
        (("ada", "study-a", "z", "a.csv", "y", "z"), r"study-a has no released file z, y\."),
        (("ada", "study-a", "foreign.csv"), "no released file foreign.csv"),
        (("ada", "study-a", "a.csv", "late.csv"), r"Not uploaded yet: late.csv\."),
        (("ada", "study-a", "gone.csv"), "No file is left"),
    ]:
        refused(run("publish-files", *arguments), words)
    assert count(db, Snapshot) == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("publish-files", "ada", "study-a"),
        ("remove-files-from-publish-request", "1"),
        ("remove-files-from-publish-request", "one", "a.csv"),
        ("remove-files-from-publish-request", "0", "a.csv"),
        ("unpublish-snapshot", "1"),
        ("unpublish-snapshot", "one", "ada"),
        ("unpublish-snapshot", "9" * 40, "ada"),
    ],
)
def test_wrong_arguments_end_with_usage(run: Run, db: Session, arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Usage:" in result.stderr


@pytest.fixture
def draft(db: Session, release: Release, ada: User) -> Snapshot:
    ids = [file(release, f"output/{name}.csv").id for name in "abc"]
    made = publication.request_publication(db, release.workspace, ids, ada)
    db.commit()
    return made


def test_files_are_taken_out_of_a_draft(run: Run, db: Session, draft: Snapshot) -> None:
    paths = ("output/a.csv", "output/b.csv", "output/a.csv")
    removing = ("remove-files-from-publish-request", str(draft.id))
    printed = ok(run(*removing, *paths, BASE_URL="http://localhost:8000"))
    assert printed == f"2 files removed.\n{address(db, draft)}\n"
    assert len(members(db)) == 1
    event = db.scalars(select(AuditableEvent).order_by(AuditableEvent.id.desc())).first()
    assert event is not None
    assert (event.type, event.created_by) == (AuditType.SNAPSHOT_FILES_REMOVED, "operator's command")
    refused(run(*removing, "output/a.csv"), f"Snapshot {draft.id} has no file output/a.csv")
    refused(run(*removing, "output/c.csv"), "has no other files")
    refused(run("remove-files-from-publish-request", "999", "x"), "There is no snapshot 999")
    assert len(members(db)) == 1


def test_nothing_is_taken_out_of_a_published_snapshot(
    run: Run, db: Session, draft: Snapshot, ada: User
) -> None:
    publication.publish(db, draft, ada)
    db.commit()
    refused(run("remove-files-from-publish-request", str(draft.id), "output/a.csv"), "is published")
    assert len(members(db)) == 3


def test_a_snapshot_is_unpublished_in_somebodys_name(
    run: Run, db: Session, draft: Snapshot, ada: User
) -> None:
    refused(run("unpublish-snapshot", str(draft.id), "ada"), f"Snapshot {draft.id} is not published")
    publication.publish(db, draft, f.UserFactory())
    db.commit()
    refused(run("unpublish-snapshot", str(draft.id), "nobody"), "no user “nobody”")
    refused(run("unpublish-snapshot", "999", "ada"), "There is no snapshot 999")
    assert releases.publication(db, draft.id).is_published
    db.rollback()
    taking_back = ("unpublish_snapshot", str(draft.id), "ada", "--reason", "the wrong table")
    printed = ok(run(*taking_back, BASE_URL="http://localhost:8000"))
    assert printed.splitlines() == [
        f"Was published: {address(db, draft)}",
        "Unpublished by ada: it is a draft again.",
    ]
    db.expire_all()
    assert not releases.publication(db, draft.id).is_published
    request = db.scalars(select(PublishRequest)).one()
    assert (request.decision, request.unpublished_by_id, request.unpublished_reason) == (
        "approved",
        ada.id,
        "the wrong table",
    )
    db.rollback()
    refused(run(*taking_back), "is not published")
