"""Uploading the files of a release (spec: airlock 4.3, 12.21 to 12.24). Over real HTTP: tests/contract."""

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from jobserver.clients.storage import ReleaseStorage
from jobserver.models import AuditableEvent, ReleaseFile
from jobserver.settings import Settings
from tests import factories as f
from tests.web.api.releasing import Releasing, announced, body_of
from tests.web.conftest import Browser
from tests.web.uploads import leaves_files

pytestmark = [leaves_files, pytest.mark.usefixtures("swept")]
CONTENT = b"group,count\na,10\n"
NAME = "output/summary.csv"


@pytest.fixture
def airlock(web: Browser, db: Session, storage: ReleaseStorage) -> Releasing:
    return Releasing(web)


@pytest.fixture
def release(airlock: Releasing) -> str:
    return airlock.release(announced(NAME, CONTENT), announced("empty.txt", b""), announced("b.csv", b"b"))


def files(db: Session) -> dict[str, ReleaseFile]:
    """The files by name, as they are by now."""
    db.rollback()
    db.expire_all()
    return {file.name: file for file in db.scalars(select(ReleaseFile))}


def leaves_nothing(db: Session, storage: ReleaseStorage) -> bool:
    """Whether neither a row nor a file says that anything was uploaded."""
    rows = [file for file in files(db).values() if file.uploaded_at or file.path]
    return (rows, list(storage.paths()), storage.incoming()) == ([], [], [])


def test_an_upload_is_stored_and_recorded(
    airlock: Releasing, release: str, db: Session, storage: ReleaseStorage
) -> None:
    other = airlock.person(["OutputChecker"])
    answer = airlock.upload(release, NAME, CONTENT, **{"OS-User": other.username})
    file = files(db)[NAME]
    assert answer.body == b""
    assert answer.headers["File-Id"] == file.id
    assert answer.headers["Location"] == f"http://localhost/api/v2/releases/file/{file.id}"
    assert answer.headers["Content-Length"] == "0"
    assert "Content-Type" not in answer.headers
    assert file.path == f"study-a/releases/{release}/{NAME}"
    assert (storage.root / file.path).read_bytes() == CONTENT
    assert (file.uploaded_by_id, file.created_by_id) == (other.id, airlock.checker.id)
    assert file.uploaded_at is not None
    assert file.uploaded_at > file.created_at
    assert storage.incoming() == []


def test_the_last_file_to_come_leaves_an_audit_event(airlock: Releasing, release: str, db: Session) -> None:
    found = []
    for name, content in ((NAME, CONTENT), ("b.csv", b"b"), ("empty.txt", b"")):
        airlock.upload(release, name, content)
        db.rollback()
        columns = select(AuditableEvent.target_id).where(AuditableEvent.type == "release_uploaded")
        found.append(list(db.scalars(columns)))
    assert found == [[], [], [release]]


def test_a_true_repeat_is_told_so_in_exactly_these_words(
    airlock: Releasing, release: str, db: Session
) -> None:
    airlock.upload(release, NAME, CONTENT)
    before = files(db)[NAME].uploaded_at
    answer = airlock.upload(release, NAME, CONTENT, 400)
    text = f"This version of '{NAME}' has already been uploaded from backend 'tpp'"
    assert answer.body == f'{{"detail":"{text}"}}'.encode()
    for other in (b"something else", b"", CONTENT + b"x"):
        detail = airlock.upload(release, NAME, other, 400).json["detail"]
        assert "This version of" not in detail
        assert NAME in detail
    assert files(db)[NAME].uploaded_at == before


def test_a_redacted_file_counts_as_uploaded(airlock: Releasing, release: str, db: Session) -> None:
    airlock.upload(release, NAME, CONTENT)
    file = files(db)[NAME]
    file.deleted_at, file.deleted_by_id = file.uploaded_at, airlock.checker.id
    db.commit()
    detail = airlock.upload(release, NAME, CONTENT, 400).json["detail"]
    assert detail == f"This version of '{NAME}' has already been uploaded from backend 'tpp'"


def test_what_was_not_announced_so_is_refused_and_leaves_nothing(
    airlock: Releasing, release: str, db: Session, storage: ReleaseStorage, settings: Settings
) -> None:
    limit = settings.release_file_size_limit
    for name, content, words in (
        (NAME, CONTENT.upper(), "SHA-256"),
        (NAME, CONTENT[:-1], "bytes"),
        (NAME, CONTENT + b"x", "bytes"),
        (NAME, b"", "No data"),
        (NAME, b"x" * (limit + 1), "too large"),
        ("summary.csv", CONTENT, "was not announced"),
        ("output/../output/summary.csv", CONTENT, "was not announced"),
        ("../../../../etc/passwd", CONTENT, "was not announced"),
        ("", CONTENT, "No file name"),
    ):
        answer = airlock.upload(release, name, content, 400)
        assert list(answer.json) == ["detail"]
        assert words in answer.json["detail"], answer.json
        assert "has already been uploaded" not in answer.json["detail"]
    assert "'summary.csv'" in airlock.upload(release, "summary.csv", b"x", 400).json["detail"]
    for header in ("attachment", "", "attachment; filename*=utf-8''%ff"):
        answer = airlock.upload(release, NAME, CONTENT, 400, **{"Content-Disposition": header})
        assert "No file name" in answer.json["detail"]
    assert leaves_nothing(db, storage)
    airlock.upload(release, NAME, CONTENT)


def test_a_file_of_the_largest_size_is_taken(airlock: Releasing, db: Session, settings: Settings) -> None:
    content = bytes(settings.release_file_size_limit)
    airlock.upload(airlock.release(announced("zeros.bin", content)), "zeros.bin", content)


def test_an_empty_file_is_stored_if_it_was_announced_so(
    airlock: Releasing, release: str, storage: ReleaseStorage
) -> None:
    airlock.upload(release, "empty.txt", b"")
    assert storage.digest(f"study-a/releases/{release}/empty.txt") == (hashlib.sha256(b"").hexdigest(), 0)


def test_the_bytes_are_taken_as_they_are_whatever_type_they_say(
    airlock: Releasing, storage: ReleaseStorage
) -> None:
    content = b"a=1&a=2&csrfmiddlewaretoken=\xff{"
    types = ("application/x-www-form-urlencoded", "multipart/form-data", "application/json", "x/y; charset=z")
    release = airlock.release(*[announced(str(number), content) for number in range(len(types))])
    for name, type_ in enumerate(types):
        headers = {**airlock.headers, "Content-Disposition": f"attachment; filename={name}"}
        airlock.web.request(
            f"/api/v2/releases/release/{release}",
            method="POST",
            body=content,
            headers={**headers, "Content-Type": type_},
            status=201,
        )
        with storage.open(f"study-a/releases/{release}/{name}") as stored:
            assert stored.read() == content


def test_the_release_must_be_of_the_callers_backend(
    airlock: Releasing, release: str, db: Session, storage: ReleaseStorage
) -> None:
    emis = Releasing(airlock.web, "emis", airlock.workspace)
    detail = emis.upload(release, NAME, CONTENT, 400).json["detail"]
    assert "'tpp'" in detail
    assert "'emis'" in detail
    assert leaves_nothing(db, storage)


def test_only_a_checker_of_the_backend_may_through_it(
    airlock: Releasing, release: str, db: Session, storage: ReleaseStorage
) -> None:
    developer = airlock.person([])
    f.ProjectMembershipFactory(
        project=airlock.workspace.project, user=developer, roles=["ProjectDeveloper", "ProjectCollaborator"]
    )
    stranger = f.UserFactory(roles=["OutputChecker"])
    for user in (developer, stranger):
        assert airlock.upload(release, NAME, CONTENT, 403, **{"OS-User": user.username}).json == {
            "detail": "Authentication credentials were not provided."
        }
    address = f"/api/v2/releases/release/{release}"
    disposition = {"Content-Disposition": f'attachment; filename="{NAME}"'}
    airlock.web.sign_in(airlock.checker)
    answer = airlock.web.post(address, CONTENT, headers=disposition, status=403)
    assert answer.json == {"detail": "Authorization header is missing"}
    answer = airlock.upload("01M84YW5GNHCWC70E74K0PWK9X", NAME, CONTENT, 403, Authorization="wrong")
    assert answer.json == {"detail": "Invalid token"}
    answer = airlock.upload("01M84YW5GNHCWC70E74K0PWK9X", NAME, CONTENT, 404)
    assert answer.json == {"detail": "No Release matches the given query."}
    assert leaves_nothing(db, storage)


def test_a_file_at_its_place_whose_row_does_not_know_is_put_right_by_a_repeat(
    airlock: Releasing, release: str, db: Session, storage: ReleaseStorage
) -> None:
    """As after a process died between the file and its row."""
    for content in (b"half", CONTENT):
        place = storage.root / f"study-a/releases/{release}/{NAME}"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        (storage.root / ".incoming").mkdir(exist_ok=True)
    airlock.upload(release, NAME, CONTENT)
    assert place.read_bytes() == CONTENT
    assert files(db)[NAME].uploaded_at


def test_links_and_folders_in_the_way_lead_nowhere(
    airlock: Releasing, release: str, db: Session, storage: ReleaseStorage, tmp_path: Path
) -> None:
    """Whoever can write into the storage folder cannot make us write outside it."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "summary.csv").write_bytes(b"precious")
    folder = storage.root / f"study-a/releases/{release}"
    folder.mkdir(parents=True)
    (folder / "output").symlink_to(outside)
    (folder / "b.csv").symlink_to(outside / "summary.csv")
    (folder / "empty.txt").mkdir()
    for name, content in ((NAME, CONTENT), ("b.csv", b"b"), ("empty.txt", b"")):
        assert list(airlock.upload(release, name, content, 503).json) == ["detail"]
    assert (outside / "summary.csv").read_bytes() == b"precious"
    assert [each.name for each in outside.iterdir()] == ["summary.csv"]
    assert not any(file.uploaded_at for file in files(db).values())
    assert storage.incoming() == []


def test_a_storage_folder_that_cannot_be_used_is_a_503_until_it_can(
    airlock: Releasing, release: str, db: Session, storage: ReleaseStorage
) -> None:
    shutil.rmtree(storage.root, ignore_errors=True)
    storage.root.write_text("a file and no folder")
    try:
        answer = airlock.upload(release, NAME, CONTENT, 503)
        assert list(answer.json) == ["detail"]
        assert str(storage.root) not in answer.text
    finally:
        storage.root.unlink()
    airlock.upload(release, NAME, CONTENT)


def test_an_upload_takes_the_same_few_statements_among_many_files(
    airlock: Releasing, count_statements: Callable[[], Any]
) -> None:
    numbers = []
    for number in (2, 300):
        release = airlock.release(*[announced(f"{n}.csv", b"x") for n in range(number)])
        with count_statements() as sent:
            airlock.upload(release, "0.csv", b"x")
        numbers.append(len(sent))
    assert numbers[0] == numbers[1] <= 10


def test_a_release_without_files_takes_none(airlock: Releasing) -> None:
    release = airlock.create(body_of()).json["release_id"]
    assert "was not announced" in airlock.upload(release, "x", b"", 400).json["detail"]
