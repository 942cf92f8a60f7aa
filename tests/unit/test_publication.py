"""Asking for files to be made public, deciding, and taking it back (spec: airlock 6, 12.36 to 12.39)."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from jobserver.actions import publication
from jobserver.actions.audit import OPERATOR
from jobserver.actions.publication import AlreadyDecided
from jobserver.actions.snapshots import CannotPublish
from jobserver.models import (
    AuditableEvent,
    AuditType,
    PublishRequest,
    Release,
    ReleaseFile,
    Snapshot,
    SnapshotFile,
    User,
    Workspace,
    utcnow,
)
from jobserver.queries import releases
from tests import factories as f


@pytest.fixture
def release(db: Session) -> Release:
    made: Release = f.ReleaseFactory()
    return made


@pytest.fixture
def person(db: Session) -> User:
    made: User = f.UserFactory()
    return made


def file(release: Release, name: str = "", **values: Any) -> ReleaseFile:
    """A file that was uploaded, as far as the database knows."""
    given = {"uploaded_at": utcnow(), "uploaded_by": release.created_by, "path": "somewhere", **values}
    made: ReleaseFile = f.ReleaseFileFactory(release=release, **({"name": name} if name else {}), **given)
    return made


def redacted(release: Release, name: str = "") -> ReleaseFile:
    return file(release, name, deleted_at=utcnow(), deleted_by_id=release.created_by_id)


def place(db: Session, release: Release) -> Workspace:
    return db.get_one(Workspace, release.workspace_id)


def ask(db: Session, release: Release, by: User, *files: ReleaseFile) -> Snapshot:
    snapshot = publication.request_publication(db, place(db, release), [each.id for each in files], by)
    db.commit()
    return snapshot


def members(db: Session, snapshot: Snapshot) -> set[str]:
    chosen = select(SnapshotFile.release_file_id).where(SnapshotFile.snapshot_id == snapshot.id)
    return set(db.scalars(chosen))


def requests(db: Session, snapshot: Snapshot) -> list[PublishRequest]:
    db.expire_all()
    mine = select(PublishRequest).where(PublishRequest.snapshot_id == snapshot.id)
    return list(db.scalars(mine.order_by(PublishRequest.id)))


def events(db: Session) -> list[str]:
    return list(db.scalars(select(AuditableEvent.type).order_by(AuditableEvent.id)))


def standing(db: Session, snapshot: Snapshot) -> tuple[bool, bool]:
    """Whether it is published, whether somebody waits."""
    found = releases.publication(db, snapshot.id)
    return found.is_published, found.is_pending


# Asking


def test_a_snapshot_of_exactly_these_files_is_made_and_waits(
    db: Session, release: Release, person: User
) -> None:
    one, two = file(release), file(release)
    file(release)
    snapshot = ask(db, release, person, one, two)
    assert members(db, snapshot) == {one.id, two.id}
    assert (snapshot.workspace_id, snapshot.created_by_id) == (release.workspace_id, person.id)
    (request,) = requests(db, snapshot)
    assert (request.decision, request.created_by_id) == (None, person.id)
    assert events(db) == [AuditType.SNAPSHOT_CREATED, AuditType.PUBLISH_REQUEST_CREATED]
    event = db.scalars(select(AuditableEvent)).first()
    assert event is not None
    assert (event.created_by, event.target_id, event.parent_id, event.new) == (
        person.username,
        str(snapshot.id),
        str(release.workspace_id),
        "2 files",
    )


def test_order_and_repetitions_do_not_matter_and_a_waiting_request_is_kept(
    db: Session, release: Release, person: User
) -> None:
    one, two = file(release), file(release)
    first = ask(db, release, person, one, two)
    again = ask(db, release, f.UserFactory(), two, one, two)
    assert again.id == first.id
    assert len(requests(db, first)) == 1
    assert len(events(db)) == 2


def test_another_set_is_another_snapshot(db: Session, release: Release, person: User) -> None:
    one, two = file(release), file(release)
    assert ask(db, release, person, one).id != ask(db, release, person, one, two).id


def test_a_published_set_is_returned_as_it_is(db: Session, release: Release, person: User) -> None:
    one = file(release)
    snapshot = ask(db, release, person, one)
    publication.publish(db, snapshot, person)
    db.commit()
    before = events(db)
    assert ask(db, release, person, one).id == snapshot.id
    assert standing(db, snapshot) == (True, False)
    assert (len(requests(db, snapshot)), events(db)) == (1, before)


@pytest.mark.parametrize("answer", ["reject", "withdraw", "unpublish"])
def test_after_any_other_answer_there_is_a_new_request_and_the_old_one_stays(
    db: Session, release: Release, person: User, answer: str
) -> None:
    one = file(release)
    snapshot = ask(db, release, person, one)
    if answer == "reject":
        publication.reject(db, snapshot, person, "a cell is too small")
    elif answer == "withdraw":
        publication.withdraw(db, snapshot, person)
    else:
        publication.publish(db, snapshot, person)
        publication.unpublish(db, snapshot, person)
    db.commit()
    assert standing(db, snapshot) == (False, False)
    assert ask(db, release, person, one).id == snapshot.id
    old, new = requests(db, snapshot)
    assert (old.decision is None, new.decision) == (False, None)
    assert standing(db, snapshot) == (False, True)


def test_redacted_files_are_left_out(db: Session, release: Release, person: User) -> None:
    one = file(release)
    snapshot = ask(db, release, person, one, redacted(release))
    assert members(db, snapshot) == {one.id}


def test_what_cannot_be_asked_for_is_refused_with_its_reason(
    db: Session, release: Release, person: User
) -> None:
    workspace = place(db, release)
    fine, gone = file(release), redacted(release)
    missing = f.ReleaseFileFactory(release=release, name="output/late.csv")
    late = f.ReleaseFileFactory(release=release, name="output/later.csv")
    foreign = file(f.ReleaseFactory())
    many = [f"{number:026}" for number in range(25)]
    for ids, words in [
        ([], "Choose at least one file"),
        ([gone.id], "No file is left"),
        ([fine.id, "B", "A", "B"], r"^Unknown file IDs: B, A$"),
        ([fine.id, foreign.id], rf"^Unknown file IDs: {foreign.id}$"),
        ([foreign.id], rf"^Unknown file IDs: {foreign.id}$"),
        ([fine.id, late.id, missing.id], r"Not uploaded yet: output/late.csv, output/later.csv\."),
        (many, "0019 and 5 more$"),
        (["x" * 100_000], "Unknown file IDs: x"),
    ]:
        with pytest.raises(CannotPublish, match=words):
            publication.request_publication(db, workspace, ids, person)
        db.rollback()
    assert db.scalar(select(func.count()).select_from(Snapshot)) == 0
    assert events(db) == []


def test_any_number_of_files_takes_the_same_statements(
    db: Session, release: Release, person: User, count_statements: Callable[[], Any]
) -> None:
    sent = []
    for number in (2, 40):
        ids = [file(release).id for _ in range(number)]
        workspace = place(db, release)
        with count_statements() as statements:
            publication.request_publication(db, workspace, ids, person)
            db.flush()
        sent.append(len(statements))
        db.commit()
    assert sent[0] == sent[1] <= 9


def at_once(factory: sessionmaker[Session], *works: Callable[[Session], Any]) -> list[Any]:
    """What each gives, or why it was refused; all begin together, each in a transaction of its own."""
    outcomes: list[Any] = [None] * len(works)
    start = threading.Barrier(len(works))

    def run(place: int) -> None:
        start.wait(5)
        try:
            with factory() as session, session.begin():
                outcomes[place] = works[place](session)
        except Exception as error:
            outcomes[place] = error

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    return outcomes


def test_those_who_ask_at_once_share_one_snapshot_and_one_request(
    db: Session, session_factory: sessionmaker[Session], release: Release
) -> None:
    workspace, ids = place(db, release), [file(release).id, file(release).id]
    people = [f.UserFactory() for _ in range(8)]
    db.commit()
    asked = [
        lambda session, by=by: publication.request_publication(session, workspace, ids, by).id
        for by in people
    ]
    found = at_once(session_factory, *asked)
    assert len(set(found)) == 1, found
    assert [db.scalar(select(func.count()).select_from(each)) for each in (Snapshot, PublishRequest)] == [
        1,
        1,
    ]
    assert db.scalar(select(func.count()).select_from(SnapshotFile)) == 2


@pytest.mark.parametrize("_time", range(4))
def test_asking_while_files_are_taken_out_never_gives_the_wrong_set(
    db: Session, session_factory: sessionmaker[Session], release: Release, person: User, _time: int
) -> None:
    one, two = file(release), file(release)
    draft, workspace, name = ask(db, release, person, one, two), place(db, release), two.name
    removed, asked = at_once(
        session_factory,
        lambda session: publication.remove_files(session, draft, [name], OPERATOR),
        lambda session: publication.request_publication(session, workspace, [one.id, two.id], person).id,
    )
    db.rollback()
    assert removed == 1
    assert members(db, draft) == {one.id}
    assert asked == draft.id or members(db, db.get_one(Snapshot, asked)) == {one.id, two.id}


# Deciding


def test_approving_makes_it_public_once(db: Session, release: Release, person: User) -> None:
    snapshot = ask(db, release, person, file(release))
    publisher = f.UserFactory()
    assert publication.publish(db, snapshot, publisher)
    db.commit()
    (request,) = requests(db, snapshot)
    assert (request.decision, request.decision_by_id) == ("approved", publisher.id)
    assert request.decision_at is not None
    decided_at = request.decision_at
    assert not publication.publish(db, snapshot, f.UserFactory())
    db.commit()
    (request,) = requests(db, snapshot)
    assert (request.decision_at, request.decision_by_id) == (decided_at, publisher.id)
    assert events(db)[2:] == [AuditType.SNAPSHOT_PUBLISHED]


@pytest.mark.parametrize("first", [publication.publish, publication.withdraw])
def test_of_two_who_decide_at_once_one_decides(
    db: Session, session_factory: sessionmaker[Session], release: Release, person: User, first: Any
) -> None:
    snapshot = ask(db, release, person, file(release))
    one, other = at_once(
        session_factory,
        lambda session: first(session, snapshot, person),
        lambda session: publication.reject(session, snapshot, person, "too small"),
    )
    assert sum(isinstance(each, AlreadyDecided) for each in (one, other)) == 1, (one, other)
    (request,) = requests(db, snapshot)
    assert request.decision == ("rejected" if isinstance(one, AlreadyDecided) else request.decision)
    assert len(events(db)) == 3


def test_two_who_publish_at_once_publish_once(
    db: Session, session_factory: sessionmaker[Session], release: Release, person: User
) -> None:
    snapshot = ask(db, release, person, file(release))
    publish = [lambda session: publication.publish(session, snapshot, person)] * 4
    assert sorted(at_once(session_factory, *publish)) == [False, False, False, True]
    assert events(db).count(AuditType.SNAPSHOT_PUBLISHED) == 1


def test_decisions_are_final(db: Session, release: Release, person: User) -> None:
    snapshot = ask(db, release, person, file(release))
    publication.reject(db, snapshot, person, " a cell is too small ")
    db.commit()
    for decide in (
        lambda: publication.publish(db, snapshot, person),
        lambda: publication.reject(db, snapshot, person, "again"),
        lambda: publication.withdraw(db, snapshot, person),
        lambda: publication.unpublish(db, snapshot, person),
    ):
        with pytest.raises(AlreadyDecided):
            decide()
        db.rollback()
    (request,) = requests(db, snapshot)
    assert (request.decision, request.decision_reason) == ("rejected", "a cell is too small")
    assert events(db)[2:] == [AuditType.PUBLISH_REQUEST_REJECTED]


def test_a_snapshot_that_nobody_asked_for_cannot_be_published(db: Session, person: User) -> None:
    with pytest.raises(AlreadyDecided, match="ask for it again"):
        publication.publish(db, f.SnapshotFactory(), person)


def test_a_rejection_has_a_reason(db: Session, release: Release, person: User) -> None:
    snapshot = ask(db, release, person, file(release))
    with pytest.raises(CannotPublish, match="Say why"):
        publication.reject(db, snapshot, person, "  ")
    db.rollback()
    assert standing(db, snapshot) == (False, True)


def test_only_whoever_asked_can_withdraw(db: Session, release: Release, person: User) -> None:
    snapshot = ask(db, release, person, file(release))
    with pytest.raises(CannotPublish, match="Only whoever asked"):
        publication.withdraw(db, snapshot, f.UserFactory())
    db.rollback()
    publication.withdraw(db, snapshot, person)
    db.commit()
    (request,) = requests(db, snapshot)
    assert request.decision == "withdrawn"
    assert events(db)[2:] == [AuditType.PUBLISH_REQUEST_WITHDRAWN]


def test_what_was_public_and_is_no_longer_keeps_who_made_it_so(
    db: Session, release: Release, person: User
) -> None:
    snapshot = ask(db, release, person, file(release))
    publication.publish(db, snapshot, person)
    other = f.UserFactory()
    publication.unpublish(db, snapshot, other, "the wrong table")
    db.commit()
    (request,) = requests(db, snapshot)
    assert (request.decision, request.decision_by_id) == ("approved", person.id)
    assert (request.unpublished_by_id, request.unpublished_reason) == (other.id, "the wrong table")
    assert standing(db, snapshot) == (False, False)
    assert events(db)[3:] == [AuditType.SNAPSHOT_UNPUBLISHED]
    with pytest.raises(AlreadyDecided):
        publication.unpublish(db, snapshot, other)


def test_a_request_beside_a_published_set_waits_and_leaves_it_public(db: Session, person: User) -> None:
    snapshot = f.SnapshotFactory()
    decided = {"decision": "approved", "decision_at": utcnow(), "decision_by": person}
    f.PublishRequestFactory(snapshot=snapshot, **decided)
    f.PublishRequestFactory(snapshot=snapshot)
    assert standing(db, snapshot) == (True, True)
    assert not publication.publish(db, snapshot, person)
    publication.unpublish(db, snapshot, person)
    db.commit()
    assert standing(db, snapshot) == (False, True)


# Taking files out


def test_files_are_taken_out_of_a_draft(db: Session, release: Release, person: User) -> None:
    one, two, three = (file(release, f"output/{name}.csv") for name in ("one", "two", "three"))
    snapshot = ask(db, release, person, one, two, three)
    names = ["output/one.csv", "output/two.csv", "output/one.csv"]
    assert publication.remove_files(db, snapshot, names, OPERATOR) == 2
    db.commit()
    assert members(db, snapshot) == {three.id}
    event = db.scalars(select(AuditableEvent).order_by(AuditableEvent.id.desc())).first()
    assert event is not None
    assert (event.type, event.old) == (AuditType.SNAPSHOT_FILES_REMOVED, "output/one.csv,output/two.csv")
    assert ask(db, release, person, three).id == snapshot.id, "it is the snapshot of what is left"
    assert ask(db, release, person, one, two, three).id != snapshot.id


def test_a_name_that_two_backends_have_takes_both_out(db: Session, release: Release, person: User) -> None:
    other = f.ReleaseFactory(workspace=place(db, release))
    both, kept = [file(each, "output/a.csv") for each in (release, other)], file(release)
    snapshot = ask(db, release, person, *both, kept)
    assert publication.remove_files(db, snapshot, ["output/a.csv"], person) == 2


def test_what_cannot_be_taken_out_is_refused_and_nothing_changes(
    db: Session, release: Release, person: User
) -> None:
    one, two, three = (file(release, f"output/{name}.csv") for name in ("one", "two", "three"))
    twin, snapshot = ask(db, release, person, one), ask(db, release, person, one, two, three)
    published = ask(db, release, person, two, three)
    publication.publish(db, published, person)
    db.commit()
    for target, names, words in [
        (published, [two.name], f"Snapshot {published.id} is published"),
        (snapshot, ["b", "a", two.name], f"Snapshot {snapshot.id} has no file a, b"),
        (snapshot, [one.name, two.name, three.name], "has no other files"),
        (snapshot, [two.name, three.name], f"Snapshot {twin.id} has exactly the files"),
    ]:
        with pytest.raises(CannotPublish, match=words):
            publication.remove_files(db, target, names, OPERATOR)
        db.rollback()
    assert members(db, snapshot) == {one.id, two.id, three.id}
    assert AuditType.SNAPSHOT_FILES_REMOVED not in events(db)


def test_nothing_is_taken_out_of_what_becomes_public_meanwhile(
    db: Session, session_factory: sessionmaker[Session], release: Release, person: User
) -> None:
    one, two = file(release), file(release)
    snapshot, name = ask(db, release, person, one, two), two.name
    removed, published = at_once(
        session_factory,
        lambda session: publication.remove_files(session, snapshot, [name], OPERATOR),
        lambda session: publication.publish(session, snapshot, person),
    )
    assert published is True
    db.rollback()
    assert (removed, members(db, snapshot)) == (1, {one.id}) or isinstance(removed, CannotPublish)
