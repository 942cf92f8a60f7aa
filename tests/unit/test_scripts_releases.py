"""Commands about released files."""

import csv
import io
import json
import os
import time
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from jobserver.clients.storage import ReleaseStorage
from jobserver.models import Backend, Release, ReleaseFile
from jobserver.settings import Settings
from tests import factories as f
from tests.unit.command import Run, count, ok, refused


@pytest.fixture
def here(run: Run, settings: Settings) -> Run:
    """The command on the test's storage folder."""
    where = {"RELEASE_STORAGE": settings.release_storage, "BASE_URL": "http://jobs.example"}
    return lambda *arguments, **given: run(*arguments, **where, **given)


def test_verify_finds_what_is_missing_surplus_changed_and_abandoned(
    here: Run, db: Session, storage: ReleaseStorage
) -> None:
    release = f.ReleaseFactory(workspace=f.WorkspaceFactory(name="study-a"))
    files = [
        f.ReleaseFileFactory(release=release, name=name, content=b"x", storage=storage)
        for name in ("good", "gone", "odd")
    ]
    f.ReleaseFileFactory(release=release, name="announced")
    assert ok(here("releases", "verify")) == "3 files checked, no differences.\n"
    (storage.root / files[1].path).unlink()
    (storage.root / files[2].path).write_bytes(b"y")
    (storage.root / "study-b").mkdir()
    (storage.root / "study-b" / "stray").write_bytes(b"")
    (storage.root / ".incoming" / "old").write_bytes(b"")
    (storage.root / ".incoming" / "young").write_bytes(b"")
    os.utime(storage.root / ".incoming" / "old", (0, time.time() - 100_000))
    result = here("releases", "verify")
    assert result.exit_code == 1
    assert sorted(result.stdout.splitlines()) == [
        "abandoned: .incoming/old",
        f"changed: {files[2].path}",
        f"missing: {files[1].path}",
        "surplus: study-b/stray",
    ]
    assert "3 files checked, 4 differences." in result.stderr
    only = here("releases", "verify", "--workspace", "study-a")
    assert (only.exit_code, len(only.stdout.splitlines())) == (1, 2)
    refused(here("releases", "verify", "--workspace", "nowhere"), "no workspace “nowhere”")


def test_sweep_removes_what_was_redacted_or_abandoned_and_nothing_else(
    here: Run, db: Session, storage: ReleaseStorage
) -> None:
    release = f.ReleaseFactory(workspace=f.WorkspaceFactory(name="study-a"))
    names = ("good", "redacted", "odd", "twin", "announced")
    good, redacted, odd, twin, announced = (
        f.ReleaseFileFactory(release=release, name=name, content=b"x", storage=storage) for name in names
    )
    for each in (redacted, odd, twin):
        each.deleted_at, each.deleted_by_id = each.uploaded_at, release.created_by_id
    # One that is on its way: its bytes have their place, and nothing says so yet.
    announced.path, announced.uploaded_at, announced.uploaded_by_id = "", None, None
    on_its_way = f"study-a/releases/{release.id}/announced"
    # Somebody has put a row in order by hand, and now two files share their bytes.
    twin.path = good.path
    db.commit()
    (storage.root / odd.path).unlink()
    (storage.root / odd.path).symlink_to("/etc/passwd")
    for name, age in (("old", 100_000), ("young", 0)):
        (storage.root / ".incoming" / name).write_bytes(b"x")
        os.utime(storage.root / ".incoming" / name, (0, time.time() - age))
    before = sorted(storage.paths())
    checked = here("releases", "verify")
    assert sorted(checked.stdout.splitlines()) == [
        "abandoned: .incoming/old",
        f"redacted: {odd.path}",
        f"redacted: {redacted.path}",
        f"surplus: {on_its_way}",
        f"surplus: study-a/releases/{release.id}/twin",
    ]
    assert "jobserver releases sweep removes what is redacted or abandoned." in checked.stderr
    tried = here("releases", "sweep", "--dry-run")
    assert sorted(tried.stdout.splitlines()) == [
        "2 to remove.",
        f"not removed: {good.path}: another file that is not redacted is at the same path",
        f"not removed: {odd.path}: {odd.path} is no file",
        "to remove: .incoming/old",
        f"to remove: {redacted.path}",
    ]
    assert sorted(storage.paths()) == before
    assert len(storage.incoming()) == 2
    swept = here("releases", "sweep")
    assert (swept.exit_code, swept.stdout) == (1, tried.stdout.replace("to remove", "removed"))
    assert set(before) - set(storage.paths()) == {redacted.path}
    assert (storage.root / good.path).read_bytes() == b"x"
    assert [each.name for each in storage.incoming()] == ["young"]
    (storage.root / odd.path).unlink()
    twin.path = on_its_way.replace("announced", "gone")
    db.commit()
    assert ok(here("releases", "sweep")) == "0 removed.\n"


def test_names_that_no_terminal_takes_are_told_in_other_letters(
    here: Run, db: Session, storage: ReleaseStorage
) -> None:
    storage.root.mkdir(parents=True)
    for name in (b"\xff\xfe", b"a\nmissing: b", "\x1b[31m‮".encode()):
        (storage.root / os.fsdecode(name)).write_bytes(b"")
    (storage.root / "linked").symlink_to("/etc")
    assert sorted(here("releases", "verify").stdout.splitlines()) == [
        "surplus: '\\udcff\\udcfe'",
        "surplus: '\\x1b[31m\\u202e'",
        "surplus: 'a\\nmissing: b'",
        "surplus: linked",
    ]


def test_a_directory_is_released_under_its_paths_and_twice_makes_two_releases(
    here: Run, db: Session, storage: ReleaseStorage, tmp_path: Path
) -> None:
    (tmp_path / "output").mkdir()
    (tmp_path / "output" / "a.csv").write_bytes(b"a")
    (tmp_path / "empty.txt").write_bytes(b"")
    (tmp_path / "link").symlink_to("/etc/passwd")
    refused(here("release", str(tmp_path)), "no workspace “test-workspace”")
    assert here("release", str(tmp_path / "none")).exit_code == 2
    lines = ok(here("release", str(tmp_path), "-c")).splitlines()
    release = db.scalars(select(Release.id)).one()
    assert lines[-3:-1] == [
        "Released:",
        f"http://jobs.example/local/test-project/test-workspace/releases/{release}/",
    ]
    assert set(db.scalars(select(ReleaseFile.name))) == {"output/a.csv", "empty.txt"}
    assert (storage.root / f"test-workspace/releases/{release}/output/a.csv").read_bytes() == b"a"
    assert ok(here("releases", "verify")) == "2 files checked, no differences.\n"
    digest = db.scalars(select(Backend.token_digest)).one()
    spelled_otherwise = ("-b", "TEST-backend ", "-w", " Test-Workspace", "-u", "Test-User")
    ok(here("release", str(tmp_path), "-c", *spelled_otherwise))
    assert count(db, Release) == 2
    assert db.scalars(select(Backend.token_digest)).one() == digest
    assert storage.incoming() == []


def test_a_directory_with_one_file_that_cannot_be_released_is_not_released(
    here: Run, db: Session, storage: ReleaseStorage, tmp_path: Path
) -> None:
    refused(here("release", str(tmp_path)), "no files below")
    (tmp_path / "a.csv").write_bytes(b"a")
    (tmp_path / "b–c.csv").write_bytes(b"a")
    refused(here("release", str(tmp_path), "-c"), "Latin-1")
    (tmp_path / "b–c.csv").unlink()
    (tmp_path / "large").write_bytes(bytes(16 * 1024 * 1024 + 1))
    refused(here("release", str(tmp_path), "-c"), "RELEASE_FILE_SIZE_LIMIT")
    (tmp_path / "large").unlink()
    ok(here("release", str(tmp_path), "-c"))
    # The last file of all cannot be given its place.
    workspace = storage.root / "test-workspace"
    workspace.rename(storage.root / "aside")
    workspace.write_bytes(b"a file in the way")
    refused(here("release", str(tmp_path)), "Nothing was released: the file cannot be given its place")
    assert count(db, Release) == 1
    assert storage.incoming() == []


def test_files_without_bytes_get_made_up_ones_that_can_be_looked_at(
    here: Run, db: Session, storage: ReleaseStorage
) -> None:
    release = f.ReleaseFactory(workspace=f.WorkspaceFactory(name="study-a"))
    names = ("a.csv", "b.html", "c.json", "d/e.svg", "f.txt", "g.png")
    lost = [f.ReleaseFileFactory(release=release, name=each, content=b"x", storage=storage) for each in names]
    kept = f.ReleaseFileFactory(release=release, name="kept.csv", content=b"mine", storage=storage)
    redacted = f.ReleaseFileFactory(release=release, name="old.csv", content=b"x", storage=storage)
    redacted.deleted_at, redacted.deleted_by_id = redacted.uploaded_at, release.created_by_id
    db.commit()
    f.ReleaseFileFactory(release=release, name="announced.csv")
    for file in (*lost, redacted):
        storage.delete(file.path)
    refused(here("inflate-release-files", DEBUG="false"), "DEBUG")
    assert list(storage.paths()) == [kept.path]
    result = here("inflate-release-files")
    assert (result.exit_code, result.stdout) == (0, "5 files written.\n")
    assert result.stderr.splitlines() == [f"{lost[-1].path} is skipped: there is nothing made up for .png."]
    assert set(storage.paths()) == {file.path for file in (*lost[:-1], kept)}
    rows = [(storage.root / file.path).read_text() for file in lost[:-1]]
    assert len(list(csv.DictReader(io.StringIO(rows[0])))) == len(json.loads(rows[2])) == 100
    assert rows[1].count("<tr>") == 101
    assert json.loads(rows[2])[7].keys() == {"id", "created_at", "workspace", "release"}
    assert rows[3].startswith("<svg")
    assert "study-a" in rows[4]
    checked = here("releases", "verify")
    assert checked.stdout == f"missing: {lost[-1].path}\n"
    assert ok(here("inflate-release-files")) == "0 files written.\n"
    assert (storage.root / kept.path).read_bytes() == b"mine"
