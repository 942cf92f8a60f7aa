"""Zips of released files: what is in them, and that they are made while they are sent (spec: airlock 12.31)."""

import io
import os
import tracemalloc
from datetime import timedelta
from pathlib import Path, PurePosixPath
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session
from webob import Request

from jobserver.clients.storage import ReleaseStorage
from jobserver.models import utcnow
from jobserver.views import zips
from tests import factories as f
from tests.web import releases as r
from tests.web.conftest import Browser

CSV = b"age,count\n" + b"30,7\n" * 2_000


@pytest.fixture
def place(db: Session) -> r.Place:
    return r.place()


def opened(answer: Any) -> ZipFile:
    """The zip, found whole and sound."""
    assert answer.content_type == "application/zip"
    found = ZipFile(io.BytesIO(answer.body))
    assert found.testzip() is None
    return found


def test_a_release_comes_as_a_zip_text_compressed_and_pictures_as_they_are(
    web: Browser, place: r.Place, storage: ReleaseStorage
) -> None:
    made = r.release(place)
    picture = os.urandom(5_000)
    r.file(made, "output/tables/a “b” é.csv", CSV, storage=storage)
    r.file(made, "output/figure.PNG", picture, storage=storage)
    r.file(made, "empty.txt", b"", storage=storage)
    answer = web.sign_in(place.collaborator).get(place.address("releases", made.id, "download"))
    assert answer.headers["Content-Disposition"] == f'attachment; filename="release-{made.id}.zip"'
    assert answer.headers["Cache-Control"] == "no-store"
    found = opened(answer)
    assert {name: found.read(name) for name in found.namelist()} == {
        "empty.txt": b"",
        "output/figure.PNG": picture,
        "output/tables/a “b” é.csv": CSV,
    }
    kinds = {each.filename: each.compress_type for each in found.infolist()}
    assert kinds["output/figure.PNG"] == ZIP_STORED
    assert kinds["output/tables/a “b” é.csv"] == ZIP_DEFLATED
    assert len(answer.body) < len(picture) + len(CSV)


def test_what_is_left_out_is_named_with_the_reason(
    web: Browser, place: r.Place, storage: ReleaseStorage
) -> None:
    made = r.release(place)
    r.file(made, "a.csv", storage=storage)
    r.file(made, "NOT-INCLUDED.txt", b"of the study", storage=storage)
    r.waiting(made, "b.csv")
    r.redacted(made, "c.csv", place.checker, "Counts below 6")
    lost = r.file(made, "d.csv", storage=storage)
    storage.delete(lost.path)
    found = opened(web.sign_in(place.checker).get(place.address("releases", made.id, "download")))
    assert set(found.namelist()) == {"a.csv", "NOT-INCLUDED.txt", "_NOT-INCLUDED.txt"}
    assert found.read("NOT-INCLUDED.txt") == b"of the study"
    told = found.read("_NOT-INCLUDED.txt").decode()
    page = f"http://localhost{place.address('releases', made.id)}"
    assert f"b.csv\n  Not uploaded yet.\n  {page}\n" in told
    assert "c.csv\n  Redacted by Checker One, " in told
    assert "GMT: Counts below 6\n" in told or "BST: Counts below 6\n" in told
    assert "d.csv\n  It should be here and is not." in told


def test_what_is_not_on_the_disk_as_it_came_is_left_out_and_named(
    web: Browser, place: r.Place, storage: ReleaseStorage, tmp_path: Path
) -> None:
    """A link that somebody planted, a file that was cut or grew: never another file's bytes."""
    made = r.release(place)
    names = ("cut.csv", "folder.csv", "grown.csv", "link.csv")
    places = {name: storage.root / r.file(made, name, CSV, storage=storage).path for name in names}
    r.file(made, "whole.csv", CSV, storage=storage)
    (tmp_path / "secret").write_bytes(CSV)
    places["link.csv"].unlink()
    places["link.csv"].symlink_to(tmp_path / "secret")
    places["cut.csv"].write_bytes(CSV[:-1])
    places["grown.csv"].write_bytes(CSV + b"1")
    places["folder.csv"].unlink()
    places["folder.csv"].mkdir()
    found = opened(web.sign_in(place.checker).get(place.address("releases", made.id, "download")))
    assert set(found.namelist()) == {"whole.csv", "NOT-INCLUDED.txt"}
    told = found.read("NOT-INCLUDED.txt").decode()
    assert [name for name in names if f"{name}\n  It should be here and is not." in told] == list(names)


def test_who_downloaded_which_files_is_in_the_log(
    web: Browser, db: Session, place: r.Place, storage: ReleaseStorage, caplog: Any, count_statements: Any
) -> None:
    made = r.release(place)
    files = [r.file(made, name, storage=storage) for name in ("a.csv", "b.csv")]
    public = r.snapshot(place, files[:1], published_by=place.checker)
    address = place.address("releases", made.id)
    web.sign_in(place.collaborator)
    reads = [
        (f"{address}download/", [(each.id, place.collaborator.username, "zip") for each in files]),
        (f"{address}{files[0].id}/raw/", [(files[0].id, place.collaborator.username, "raw")]),
        (f"{address}{files[0].id}/download/", [(files[0].id, place.collaborator.username, "download")]),
        (place.address("outputs", public.id, "download"), [(files[0].id, None, "zip")]),
        (place.address("published", files[0].id), [(files[0].id, None, "raw")]),
    ]
    for url, expected in reads:
        if expected[0][1] is None:
            web.reset()
        caplog.clear()
        web.head(url)
        assert not _told(caplog), "nothing was sent"
        with count_statements() as sent:
            etag = web.get(url).headers.get("ETag")
        assert not sent.writes
        told = _told(caplog)
        assert [(each["file"], each["user"], each["way"]) for each in told] == expected
        assert {each["release"] for each in told} == {made.id}
        if etag:
            caplog.clear()
            web.get(url, headers={"If-None-Match": etag}, status=304)
            assert not _told(caplog)


def _told(caplog: Any) -> list[Any]:
    return [each.msg for each in caplog.records if "released_file_read" in str(each.msg)]


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("output/tables/a “b” é.csv", "output/tables/a “b” é.csv"),
        ("ab: c.csv", "ab: c.csv"),
        ("../../etc/passwd", "etc/passwd"),
        ("/etc/passwd", "etc/passwd"),
        ("a/./../b//c.csv", "a/b/c.csv"),
        ("..\\..\\windows\\x.dll", ".._.._windows_x.dll"),
        ("C:\\x", "C__x"),
        ("c:/x/y.csv", "c_/x/y.csv"),
        ("a\0b\n\x7f.csv", "a_b__.csv"),
        ("..", "unnamed"),
        ("/", "unnamed"),
        (f"{'é' * 300}.csv", f"{'é' * 125}.csv"),
        (f"{'a' * 250}/" * 16 + "b.csv", "b.csv"),
    ],
)
def test_a_name_in_a_zip_leads_nowhere_else(name: str, safe: str) -> None:
    assert zips.safe_name(name) == safe
    assert max(len(part.encode()) for part in safe.split("/")) <= 255


def test_names_that_would_fall_together_in_a_zip_do_not(
    web: Browser, db: Session, place: r.Place, storage: ReleaseStorage
) -> None:
    """Rows from before names were looked at: whoever unpacks them gets every file, below one folder."""
    made = r.release(place)
    names = ["x.csv", "../x.csv", "/x.csv", "a\\b", "a_b", "C:/y", "z", "../z/w", f"{'n' * 4_000}.csv"]
    files = [r.file(made, f"{n}.csv", b"%d" % n, storage=storage) for n in range(len(names))]
    for file, name in zip(files, names, strict=True):
        file.name = name
    db.commit()
    found = opened(web.sign_in(place.checker).get(place.address("releases", made.id, "download")))
    assert sorted(found.read(name) for name in found.namelist()) == [b"%d" % n for n in range(len(names))]
    assert len(set(found.namelist())) == len(names)
    folders = {str(parent) for name in found.namelist() for parent in PurePosixPath(name).parents}
    for name in found.namelist():
        assert not name.startswith("/")
        assert not set(name.split("/")) & {"", ".", ".."}
        assert "\\" not in name
        assert name not in folders
    assert f"{files[0].id}/x.csv" in found.namelist()


def test_without_anything_to_read_there_is_no_zip(web: Browser, place: r.Place) -> None:
    made = r.release(place)
    r.waiting(made, "a.csv")
    r.redacted(made, "b.csv", place.checker)
    web.sign_in(place.checker)
    web.get(place.address("releases", made.id, "download"), status=404)
    assert "Download all" not in web.get(place.address("releases", made.id))


def test_the_latest_of_several_backends_are_in_a_folder_each(
    web: Browser, place: r.Place, storage: ReleaseStorage
) -> None:
    now = utcnow()
    tpp, emis = f.BackendFactory(slug="tpp"), f.BackendFactory(slug="emis")
    old = r.release(place, backend=tpp, created_at=now - timedelta(days=2))
    new = r.release(place, backend=tpp, created_at=now - timedelta(days=1))
    other = r.release(place, backend=emis)
    r.file(old, "a.csv", b"old", storage=storage)
    r.file(new, "a.csv", b"new", storage=storage)
    r.file(other, "a.csv", b"other", storage=storage)
    r.file(old, "b.csv", b"still here", storage=storage)
    r.redacted(new, "b.csv", place.checker, "A mistake")
    answer = web.sign_in(place.developer).get(place.address("outputs", "latest", "download"))
    assert f'filename="workspace-{place.workspace.name}.zip"' in answer.headers["Content-Disposition"]
    found = opened(answer)
    assert {name: found.read(name) for name in found.namelist() if name != "NOT-INCLUDED.txt"} == {
        "tpp/a.csv": b"new",
        "emis/a.csv": b"other",
        "tpp/b.csv": b"still here",
    }
    told = found.read("NOT-INCLUDED.txt").decode()
    assert told.count("b.csv") == 1
    assert place.address("releases", new.id) in told
    assert "a.csv" not in told


def test_a_published_set_is_everybodys_and_equal_names_do_not_collide(
    web: Browser, place: r.Place, storage: ReleaseStorage
) -> None:
    backend = f.BackendFactory()
    first, second = r.release(place, backend=backend), r.release(place, backend=backend)
    files = [
        r.file(first, "a.csv", b"1", storage=storage),
        r.file(second, "a.csv", b"2", storage=storage),
        r.file(first, "b", b"3", storage=storage),
        r.file(second, "b/c.csv", b"4", storage=storage),
    ]
    public = r.snapshot(place, files, published_by=place.checker)
    answer = web.get(place.address("outputs", public.id, "download"), status=200)
    assert f'filename="release-{public.id}.zip"' in answer.headers["Content-Disposition"]
    found = opened(answer)
    assert {name: found.read(name) for name in found.namelist()} == {
        f"{first.id}/a.csv": b"1",
        f"{second.id}/a.csv": b"2",
        f"{first.id}/b": b"3",
        "b/c.csv": b"4",
    }


def test_head_says_what_it_is_and_sends_nothing(
    web: Browser, place: r.Place, storage: ReleaseStorage
) -> None:
    made = r.release(place)
    r.file(made, "a.csv", storage=storage)
    answer = web.sign_in(place.checker).head(place.address("releases", made.id, "download"), status=200)
    assert answer.body == b""
    assert answer.content_type == "application/zip"


def test_a_zip_is_made_piece_by_piece_without_a_connection_of_the_database(
    web: Browser, db: Session, place: r.Place, storage: ReleaseStorage, engine: Engine
) -> None:
    """300 MB that take no room on the disk; nothing but a piece of them is ever held."""
    size = 300 * 1024 * 1024
    made = r.release(place)
    large = r.file(made, "large.png", b"", storage=storage)
    os.truncate(storage.root / large.path, size)
    large.size = size
    db.commit()
    cookies = "; ".join(f"{name}={value}" for name, value in f.session_cookie(place.checker).items())
    request = Request.blank(place.address("releases", made.id, "download"), headers={"Cookie": cookies})
    held = engine.pool.checkedout()  # type: ignore[attr-defined]
    answer = request.get_response(web.app)
    assert answer.status_code == 200
    pieces = iter(answer.app_iter)
    first = next(pieces)
    assert engine.pool.checkedout() == held  # type: ignore[attr-defined]
    tracemalloc.start()
    total, largest = len(first), 0
    for piece in pieces:
        total += len(piece)
        largest = max(largest, len(piece))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size < total < size + 1_000
    assert largest <= 1024 * 1024
    assert peak < 4 * 1024 * 1024
    answer.app_iter.close()


def test_a_reader_who_leaves_half_way_leaves_no_file_open(
    web: Browser, place: r.Place, storage: ReleaseStorage
) -> None:
    made = r.release(place)
    r.file(made, "a.png", os.urandom(2_000_000), storage=storage)
    cookies = "; ".join(f"{name}={value}" for name, value in f.session_cookie(place.checker).items())
    request = Request.blank(place.address("releases", made.id, "download"), headers={"Cookie": cookies})
    answer = request.get_response(web.app)
    pieces = iter(answer.app_iter)
    next(pieces)
    next(pieces)
    opened_files = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    answer.app_iter.close()
    assert len(os.listdir("/proc/self/fd")) == opened_files - 1  # noqa: PTH208
