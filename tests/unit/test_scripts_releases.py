"""Commands about released files."""

import os
import time
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from jobserver.clients.storage import ReleaseStorage
from jobserver.models import Release, ReleaseFile
from jobserver.settings import Settings
from tests import factories as f
from tests.unit.command import Run, count, ok, refused


@pytest.fixture
def here(run: Run, settings: Settings) -> Run:
    """The command on the test's storage folder."""
    return lambda *arguments: run(*arguments, RELEASE_STORAGE=settings.release_storage)


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
    cleaned = here("releases", "verify", "--clean")
    assert "removed: .incoming/old" in cleaned.stdout
    assert [each.name for each in storage.incoming()] == ["young"]


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
        f"http://localhost:8000/local/test-project/test-workspace/releases/{release}/",
    ]
    assert set(db.scalars(select(ReleaseFile.name))) == {"output/a.csv", "empty.txt"}
    assert storage.open(f"test-workspace/releases/{release}/output/a.csv").read() == b"a"
    assert ok(here("releases", "verify")) == "2 files checked, no differences.\n"
    ok(here("release", str(tmp_path), "-c"))
    assert count(db, Release) == 2
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
    assert here("release", str(tmp_path)).exit_code == 1
    assert count(db, Release) == 1
    assert storage.incoming() == []
