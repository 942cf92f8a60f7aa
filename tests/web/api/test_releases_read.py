"""The file index, the bytes of a file, reviews (spec: airlock 5, 7, 12)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from jobserver import models as m
from jobserver.clients.storage import ReleaseStorage
from jobserver.models import utcnow
from jobserver.queries import outputs
from jobserver.security import tokens
from tests import factories as f
from tests.web.api.releasing import Releasing, announced, body_of
from tests.web.conftest import Browser

KEYS = [
    *("name", "id", "url", "user", "date", "sha256", "size", "is_deleted", "backend", "metadata", "review"),
    *("uploaded", "mtime", "uploaded_at"),
]
LATEST = "/api/v2/releases/workspace/study-a"


@pytest.fixture
def airlock(web: Browser, db: Session, storage: ReleaseStorage) -> Releasing:
    made = Releasing(web)
    web.sign_in(made.checker)
    return made


@pytest.fixture
def release(airlock: Releasing) -> m.Release:
    made: m.Release = released(airlock)
    return made


def released(airlock: Releasing, **values: Any) -> Any:
    """A release of the airlock's workspace and backend."""
    values = {"workspace": airlock.workspace, "backend": airlock.backend, **values}
    return f.ReleaseFactory(created_by=airlock.checker, **values)


def test_an_index_has_the_keys_that_clients_know_in_their_order(
    airlock: Releasing, release: m.Release, storage: ReleaseStorage
) -> None:
    at = datetime(2026, 11, 23, 19, 42, 7, 902540, tzinfo=UTC)
    uploaded = {"release": release, "storage": storage, "created_at": at, "mtime": at, "uploaded_at": at}
    b = f.ReleaseFileFactory(name="b.csv", content=b"123", metadata_={"tool": "airlock"}, **uploaded)
    a = f.ReleaseFileFactory(release=release, name="a.csv")
    found = airlock.web.get(f"/api/v2/releases/release/{release.id}").json["files"]
    assert [list(each) for each in found] == [KEYS, KEYS]
    assert [each["id"] for each in found] == [a.id, b.id]
    moment = "2026-11-23T19:42:07.902540+00:00"
    assert found[1] == {
        "name": "b.csv",
        "id": b.id,
        "url": f"/api/v2/releases/file/{b.id}",
        "user": airlock.checker.username,
        "date": moment,
        "sha256": b.filehash,
        "size": 3,
        "is_deleted": False,
        "backend": "The tpp",
        "metadata": {"tool": "airlock"},
        "review": None,
        "uploaded": True,
        "mtime": moment,
        "uploaded_at": moment,
    }
    assert (found[0]["uploaded"], found[0]["uploaded_at"], found[0]["metadata"]) == (False, None, None)


def test_an_index_lists_redacted_files_and_may_be_empty(
    airlock: Releasing, release: m.Release, storage: ReleaseStorage
) -> None:
    address = f"/api/v2/releases/release/{release.id}"
    assert airlock.web.get(address).body == airlock.web.get(LATEST).body == b'{"files":[]}'
    redacted = {"deleted_at": utcnow(), "deleted_by_id": airlock.checker.id}
    f.ReleaseFileFactory(release=release, storage=storage, **redacted)
    for each in (address, LATEST):
        [file] = airlock.web.get(each).json["files"]
        assert (file["is_deleted"], file["uploaded"]) == (True, True)
    for name in (tokens.new_ulid(), "x" * 300, "x%27--"):
        answer = airlock.web.get(f"/api/v2/releases/release/{name}", status=404)
        assert answer.json == {"detail": "No Release matches the given query."}


def test_the_workspaces_index_has_of_each_backend_and_name_the_newest_that_can_be_read(
    airlock: Releasing, storage: ReleaseStorage, db: Session
) -> None:
    now = utcnow()
    emis = f.BackendFactory(slug="emis", name="EMIS")
    first, second, third = (released(airlock, created_at=now - timedelta(days=n)) for n in (3, 2, 1))
    other = released(airlock, backend=emis, created_at=now - timedelta(days=5))
    redacted = {"deleted_at": now, "deleted_by_id": airlock.checker.id}

    def file(release: m.Release, name: str, *, here: bool = True, **values: Any) -> str:
        more = {"storage": storage} if here else {}
        made: m.ReleaseFile = f.ReleaseFileFactory(release=release, name=name, **more, **values)
        return made.id

    wanted = {
        ("both.csv", "tpp"): file(third, "both.csv"),
        ("both.csv", "emis"): file(other, "both.csv"),
        ("older.csv", "tpp"): file(first, "older.csv"),
        ("middle.csv", "tpp"): file(second, "middle.csv"),
        ("none.csv", "tpp"): file(third, "none.csv", here=False),
        ("gone.csv", "tpp"): file(second, "gone.csv", **redacted),
    }
    file(first, "both.csv")
    newest_older = file(third, "older.csv", here=False)
    file(second, "older.csv", **redacted)
    file(first, "middle.csv")
    newest_middle = file(third, "middle.csv", **redacted)
    file(second, "none.csv", here=False)
    file(first, "gone.csv", **redacted)
    file(f.ReleaseFactory(backend=airlock.backend), "elsewhere.csv")
    found = airlock.web.get(LATEST).json["files"]
    names = [("both.csv", "tpp"), ("both.csv", "emis"), *[(n, "tpp") for n in ("gone.csv", "middle.csv", "none.csv", "older.csv")]]  # fmt: skip
    assert [each["name"] for each in found] == [f"{slug}/{name}" for name, slug in names]
    assert [each["id"] for each in found] == [wanted[key] for key in names]
    assert outputs.newer_versions(db, airlock.workspace.id) == {
        wanted["older.csv", "tpp"]: newest_older,
        wanted["middle.csv", "tpp"]: newest_middle,
    }


def test_indexes_take_the_same_few_statements_for_many_files(
    airlock: Releasing, count_statements: Callable[[], Any]
) -> None:
    numbers = []
    for size in (2, 200):
        made = airlock.release(*[announced(f"{size}/{n}.csv") for n in range(size)])
        for address in (LATEST, f"/api/v2/releases/release/{made}"):
            with count_statements() as sent:
                airlock.web.get(address)
            numbers.append(len(sent))
    assert numbers[:2] == numbers[2:]
    assert max(numbers) <= 6


# Who may read


def test_readers_are_those_who_hold_the_permission_by_a_session_or_a_personal_token(
    airlock: Releasing, release: m.Release, storage: ReleaseStorage, db: Session
) -> None:
    file = f.ReleaseFileFactory(release=release, storage=storage, content=b"x")
    addresses = [LATEST, f"/api/v2/releases/release/{release.id}", f"/api/v2/releases/file/{file.id}"]

    def bot(project: Any, *roles: str) -> tuple[m.User, dict[str, str]]:
        user = f.UserFactory()
        f.ProjectMembershipFactory(project=project, user=user, roles=list(roles))
        return user, {"Authorization": f.personal_token(user)}

    collaborator, reads = bot(airlock.workspace.project, "ProjectCollaborator")
    stranger, elsewhere = bot(f.ProjectFactory(), "ProjectDeveloper")
    for address in addresses:
        airlock.web.reset()
        for headers in ({}, {"Authorization": ""}):
            answer = airlock.web.get(address, headers=headers, status=403)
            assert answer.json == {"detail": "Invalid user or token"}
        airlock.web.get(address, headers=reads)
        detail = airlock.web.get(address, headers=elsewhere, status=403).json["detail"]
        assert detail == "You do not have permission to perform this action."
        airlock.web.sign_in(collaborator).get(address)
        airlock.web.get(address, headers={"Authorization": ""})
        airlock.web.get(address, headers={"Authorization": f"{collaborator.username}:wrong"}, status=403)
        answer = airlock.web.sign_in(stranger).get(address, status=403)
        assert "study-a" in answer.json["detail"]
        airlock.web.reset()
        airlock.web.get(address, headers=airlock.headers, status=403)


# The bytes


def stored(
    airlock: Releasing, storage: ReleaseStorage, name: str, content: bytes = b"1234567890", **values: Any
) -> str:
    """The address of a file of this name."""
    values |= {"release": released(airlock), "storage": storage, "name": name, "content": content}
    file = f.ReleaseFileFactory(**values)
    return f"/api/v2/releases/file/{file.id}"


@pytest.mark.parametrize(
    ("name", "type_", "disposition"),
    [
        ("output/a.csv", "text/csv; charset=utf-8", 'inline; filename="a.csv"'),
        ("a.html", "text/html; charset=utf-8", 'inline; filename="a.html"'),
        ("a.txt", "text/plain; charset=utf-8", 'inline; filename="a.txt"'),
        ("a.log", "text/plain; charset=utf-8", 'inline; filename="a.log"'),
        ("a.md", "text/markdown; charset=utf-8", 'inline; filename="a.md"'),
        ("a.SVG", "image/svg+xml", 'inline; filename="a.SVG"'),
        ("a.json", "application/json", 'inline; filename="a.json"'),
        ("a.jpeg", "image/jpeg", 'inline; filename="a.jpeg"'),
        ("a.js", "*/*", 'attachment; filename="a.js"'),
        ("a.svgz", "application/gzip", 'attachment; filename="a.svgz"'),
        ("a.csv.gz", "application/gzip", 'attachment; filename="a.csv.gz"'),
        ("a.xhtml", "*/*", 'attachment; filename="a.xhtml"'),
        ("a.unknown", "application/octet-stream", 'attachment; filename="a.unknown"'),
        ("http:a", "application/octet-stream", 'attachment; filename="http:a"'),
        (
            'naïve "x".txt',
            "text/plain; charset=utf-8",
            "inline; filename=\"na_ve _x_.txt\"; filename*=UTF-8''na%C3%AFve%20%22x%22.txt",
        ),
    ],
)
def test_a_file_is_sent_as_what_it_is_and_can_do_nothing(
    airlock: Releasing, storage: ReleaseStorage, name: str, type_: str, disposition: str
) -> None:
    answer = airlock.web.get(stored(airlock, storage, name), headers={"Accept": "image/png"})
    assert answer.body == b"1234567890"
    assert type_ in {answer.headers["Content-Type"], "*/*"}
    assert answer.headers["Content-Disposition"] == disposition
    assert answer.headers["Content-Length"] == "10"
    policy = answer.headers["Content-Security-Policy"].split("; ")
    assert {"sandbox", "default-src 'none'"} < set(policy)
    assert not [each for each in policy if "script" in each]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "private, no-cache"


def test_a_file_is_sent_again_only_if_it_must_and_in_parts_if_so_asked(
    airlock: Releasing, storage: ReleaseStorage, db: Session
) -> None:
    # It came a day after it was announced.
    address = stored(airlock, storage, "a.csv", created_at=utcnow() - timedelta(days=1))
    file = db.scalars(select(m.ReleaseFile)).one()
    get = airlock.web.get
    first = get(address)
    assert first.headers["ETag"] == f'"{file.filehash}"'
    assert first.last_modified == file.uploaded_at.replace(microsecond=0)  # type: ignore[union-attr]
    assert first.headers["Accept-Ranges"] == "bytes"
    unchanged = get(address, headers={"If-None-Match": first.headers["ETag"]}, status=304)
    assert (unchanged.body, unchanged.headers["ETag"]) == (b"", first.headers["ETag"])
    get(address, headers={"If-Modified-Since": first.headers["Last-Modified"]}, status=304)
    get(address, headers={"If-None-Match": '"other"'}, status=200)
    part = get(address, headers={"Range": "bytes=2-4"}, status=206)
    assert (part.body, part.headers["Content-Range"]) == (b"345", "bytes 2-4/10")
    assert get(address, headers={"Range": "bytes=-3"}, status=206).body == b"890"
    assert get(address, headers={"Range": "bytes=8-99"}, status=206).body == b"90"
    other = {"Range": "bytes=2-4", "If-Range": '"other"'}
    assert get(address, headers=other, status=200).body == b"1234567890"
    get(address, headers={"Range": "bytes=10-"}, status=416)
    for rubbish in ("bytes=x", "bytes=5-2", "pages=1-2", "bytes=0-1,3-4", "bytes=" + "9" * 5000 + "-"):
        assert get(address, headers={"Range": rubbish}, status="*").status_code in {200, 206, 416}, rubbish
    head = airlock.web.head(address)
    assert (head.body, head.headers["Content-Length"]) == (b"", "10")


def test_a_file_that_has_not_come_is_told_in_exactly_these_words(
    airlock: Releasing, release: m.Release
) -> None:
    file = f.ReleaseFileFactory(release=release)
    answer = airlock.web.get(f"/api/v2/releases/file/{file.id}")
    assert answer.body == b'"File not yet uploaded"'
    assert answer.headers["Content-Type"] == "application/json"


def test_a_redacted_or_unknown_file_is_404(
    airlock: Releasing, release: m.Release, storage: ReleaseStorage
) -> None:
    redacted = {"deleted_at": utcnow(), "deleted_by_id": airlock.checker.id}
    file = f.ReleaseFileFactory(release=release, storage=storage, content=b"x", **redacted)
    for name in (file.id, tokens.new_ulid(), "x" * 300):
        answer = airlock.web.get(f"/api/v2/releases/file/{name}", status=404)
        assert answer.json == {"detail": "No ReleaseFile matches the given query."}


def test_a_file_that_is_not_on_the_disk_as_it_came_is_404_and_an_error_of_ours(
    airlock: Releasing, storage: ReleaseStorage, db: Session, tmp_path: Path, caplog: Any
) -> None:
    address = stored(airlock, storage, "a.csv")
    place = storage.root / db.scalars(select(m.ReleaseFile.path)).one()
    (tmp_path / "secret").write_bytes(b"1234567890")

    def link() -> None:
        place.unlink()
        place.symlink_to(tmp_path / "secret")

    for change, event in (
        (lambda: place.write_bytes(b"123456789"), "released_file_changed"),
        (link, "released_file_missing"),
        (place.unlink, "released_file_missing"),
        (place.mkdir, "released_file_missing"),
    ):
        change()
        caplog.clear()
        answer = airlock.web.get(address, status=404)
        assert answer.json == {"detail": "No ReleaseFile matches the given query."}
        assert [r for r in caplog.records if r.levelname == "ERROR" and event in str(r.msg)], event


# Reviews


def reviewed(name: str, content: bytes, status: str = "APPROVED") -> dict[str, Any]:
    """A file with what somebody thought of it."""
    return announced(name, content, review={"status": status, "comments": {"why": "fine"}})


def test_reviews_are_kept_beside_earlier_ones(airlock: Releasing, db: Session) -> None:
    release = airlock.release(announced("a", b"a"), announced("b", b"b"))
    body = body_of(reviewed("a", b"a"), reviewed("b", b"b", "REJECTED"), review={"of": "all"})
    answer = airlock.review(release, body)
    assert (answer.body, answer.headers["Content-Length"]) == (b"", "0")
    assert db.scalars(select(m.Release.review)).one() == {"of": "all"}
    db.rollback()
    airlock.review(release, body_of(reviewed("a", b"a", "REJECTED")))
    airlock.review(release, body_of())
    rows = db.scalars(select(m.ReleaseFileReview).order_by(m.ReleaseFileReview.id)).all()
    assert [row.status for row in rows] == ["APPROVED", "REJECTED", "REJECTED"]
    assert rows[0].created_at == rows[1].created_at < rows[2].created_at
    assert {row.created_by_id for row in rows} == {airlock.checker.id}
    assert rows[0].comments == {"why": "fine"}
    assert db.scalars(select(m.Release.review)).one() is None, "replaced by the last call"
    kinds = db.scalars(select(m.AuditableEvent.type).order_by(m.AuditableEvent.id)).all()
    assert kinds == ["release_created", *["release_reviewed"] * 3]


def test_wrong_reviews_are_named_by_file_and_field(airlock: Releasing, db: Session) -> None:
    release = airlock.release(announced("a", b"a"), announced("b", b"b"))
    good = reviewed("a", b"a")
    for wrong, field in (
        (reviewed("c", b"a"), "name"),
        (reviewed("a", b"b"), "sha256"),
        (announced("a", b"a"), "review"),
        ({**good, "review": {"status": "approved", "comments": {}}}, "review"),
        ({**good, "name": "../x"}, "name"),
    ):
        answer = airlock.review(release, body_of(good, wrong), 400)
        assert list(answer.json) == ["files"]
        assert list(answer.json["files"]) == ["1"]
        assert list(answer.json["files"]["1"]) == [field]
    both = airlock.review(release, body_of(reviewed("c", b"a"), reviewed("a", b"b")), 400)
    assert list(both.json["files"]) == ["0"]
    assert airlock.review(release, [], 400).json.keys() == {"non_field_errors"}
    assert db.scalars(select(m.ReleaseFileReview)).all() == []


def test_only_a_checker_may_review_and_only_through_a_backend(airlock: Releasing) -> None:
    release = airlock.release(announced("a", b"a"))
    address = f"/api/v2/releases/release/{release}/reviews"
    answer = airlock.web.post_json(address, body_of(), status=403)
    assert answer.json == {"detail": "Authorization header is missing"}
    airlock.review(release, body_of(), 403, **{"OS-User": airlock.person([]).username})
    airlock.review(tokens.new_ulid(), body_of(), 404)
    assert airlock.web.get(address, status=405).headers["Allow"] == "OPTIONS, POST"
