"""Released files one by one: what a browser has already, parts, nginx, and attempts to get at others.

Spec: airlock 5.3, 12.2, 12.9, 12.32; pages 30.50.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from jobserver import make_app
from jobserver.clients.storage import ReleaseStorage
from jobserver.models import utcnow
from jobserver.security import tokens
from jobserver.settings import Settings
from tests import factories as f
from tests.web import releases as r
from tests.web.conftest import Browser

TEN = b"1234567890"


@pytest.fixture
def place(db: Session) -> r.Place:
    return r.place()


@pytest.fixture(scope="module")
def behind_nginx(settings: Settings, engine: Engine) -> Any:
    """The application as it is behind a proxy that sends the files."""
    return make_app(replace(settings, release_accel_redirect="/protected-releases/"), engine=engine)


@pytest.fixture
def nginx(behind_nginx: Any, db: Session) -> Browser:
    """A browser whose requests reach that one, without the proxy."""
    return Browser(behind_nginx)


def address(place: r.Place, file: Any, way: str = "raw") -> str:
    """Where a version is."""
    return place.address("releases", file.release_id, file.id, way)


def test_a_browser_that_has_the_file_gets_it_once(
    web: Browser, place: r.Place, storage: ReleaseStorage
) -> None:
    file = r.file(r.release(place), "a.csv", TEN, storage=storage)
    web.sign_in(place.collaborator)
    for way in ("raw", "download"):
        url = address(place, file, way)
        first = web.get(url)
        etag, modified = first.headers["ETag"], first.headers["Last-Modified"]
        assert etag == f'"{file.filehash}"'
        for headers in (
            {"If-None-Match": etag},
            {"If-None-Match": f'"other", W/{etag}'},
            {"If-Modified-Since": modified},
        ):
            answer = web.get(url, headers=headers, status=304)
            assert (answer.body, answer.headers["ETag"]) == (b"", etag)
            assert "sandbox" in answer.headers["Content-Security-Policy"]
        for headers in (
            {"If-None-Match": '"other"'},
            # The more exact one counts (RFC 9110, 13.1.3).
            {"If-None-Match": '"other"', "If-Modified-Since": modified},
            {"If-Modified-Since": "Sat, 01 Jan 2000 00:00:00 GMT"},
            {"If-Modified-Since": "nonsense"},
        ):
            assert web.get(url, headers=headers, status=200).body == TEN
        head = web.head(url)
        assert (head.body, head.content_length, head.headers["ETag"]) == (b"", 10, etag)


def test_parts_are_sent_of_the_version_that_is_meant(
    web: Browser, place: r.Place, storage: ReleaseStorage
) -> None:
    file = r.file(r.release(place), "a.csv", TEN, storage=storage)
    web.sign_in(place.collaborator)
    url = address(place, file)
    first = web.get(url)
    for validator in (first.headers["ETag"], first.headers["Last-Modified"]):
        part = web.get(url, headers={"Range": "bytes=2-4", "If-Range": validator}, status=206)
        assert (part.body, part.headers["Content-Range"], part.content_length) == (b"345", "bytes 2-4/10", 3)
    for validator in ('"other"', "Sat, 01 Jan 2000 00:00:00 GMT"):
        whole = web.get(url, headers={"Range": "bytes=2-4", "If-Range": validator}, status=200)
        assert whole.body == TEN
    past = web.get(url, headers={"Range": "bytes=10-"}, status=416)
    assert past.headers["Content-Range"] == "bytes */10"
    web.get(url, headers={"Range": "bytes=10-", "If-None-Match": first.headers["ETag"]}, status=304)
    assert "sandbox" not in past.headers["Content-Security-Policy"], "a page of ours"


@pytest.mark.parametrize(
    "asked",
    [
        *("bytes=5-2", "bytes=-", "bytes=a-b", "bytes=0-0,2-3", "bytes=" + ",".join(["0-9"] * 5_000)),
        *("bytes=-99999999999999999999", "bytes=0-" + "9" * 5_000, "lines=1-2", "bytes=0-1;x", "\x7f"),
    ],
)
def test_no_range_makes_more_than_the_file_of_it(
    web: Browser, place: r.Place, storage: ReleaseStorage, asked: str
) -> None:
    file = r.file(r.release(place), "a.csv", TEN, storage=storage)
    answer = web.sign_in(place.collaborator).get(address(place, file), headers={"Range": asked}, status="*")
    assert answer.status_int in {200, 206, 416}
    if answer.status_int != 416:
        assert answer.body == TEN


def test_a_file_of_a_range_that_is_not_sent_is_closed(
    web: Browser, place: r.Place, storage: ReleaseStorage
) -> None:
    file = r.file(r.release(place), "a.csv", TEN, storage=storage)
    web.sign_in(place.collaborator)
    url = address(place, file)
    etag = web.get(url).headers["ETag"]
    before = _open_files()
    web.head(url)
    web.get(url, headers={"Range": "bytes=99-"}, status=416)
    web.get(url, headers={"Range": "bytes=1-2"}, status=206)
    web.get(url, headers={"If-None-Match": etag}, status=304)
    assert _open_files() == before


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_name_adds_no_header(web: Browser, db: Session, place: r.Place, storage: ReleaseStorage) -> None:
    """Rows from before names were looked at."""
    file = r.file(r.release(place), "a.csv", TEN, storage=storage)
    web.sign_in(place.collaborator)
    for name, shown in (
        ('x"\r\nSet-Cookie: a=b\r\n\r\n<script>.html', "x_"),
        ("output/naïve 日本.csv", "na_ve __.csv"),
        ("a\\..\\b;filename=evil.exe", "a_.._b;filename=evil.exe"),
        ("é" * 2_000 + ".csv", "_" * 2_000 + ".csv"),
    ):
        file.name = name
        db.commit()
        for way, kind in (("raw", None), ("download", "attachment")):
            answer = web.get(address(place, file, way))
            header = answer.headers["Content-Disposition"]
            assert "Set-Cookie" not in answer.headers
            assert not set(header) & set("\r\n")
            assert f'filename="{shown}' in header
            assert kind is None or header.startswith(kind)
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert unquote(header.rpartition("UTF-8''")[2]) == "é" * 2_000 + ".csv"


def test_what_a_browser_shows_and_what_it_saves(
    web: Browser, place: r.Place, storage: ReleaseStorage
) -> None:
    made = r.release(place)
    web.sign_in(place.collaborator)
    for name, type_, kind in (
        ("a.pdf", "application/pdf", "inline"),
        ("a.webp", "image/webp", "inline"),
        ("a.xml", "*", "attachment"),
        ("a.docx", "*", "attachment"),
        ("a.htm", "text/html", "inline"),
    ):
        answer = web.get(address(place, r.file(made, name, TEN, storage=storage)))
        assert type_ in {answer.content_type, "*"}
        assert answer.headers["Content-Disposition"].startswith(kind)
        assert answer.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")


# Behind nginx


def test_nginx_is_told_which_file_to_send_and_with_what(
    nginx: Browser, place: r.Place, storage: ReleaseStorage, caplog: Any
) -> None:
    file = r.file(r.release(place), "output/50% naïve?#\r.csv", TEN, storage=storage)
    nginx.sign_in(place.collaborator)
    public = r.snapshot(place, [file], published_by=place.checker)
    for url in (
        address(place, file),
        place.address("outputs", public.id, file.id, "raw"),
        f"/api/v2/releases/file/{file.id}",
        place.address("published", file.id),
    ):
        caplog.clear()
        answer = nginx.get(url)
        assert (answer.body, answer.content_length) == (b"", 0)
        redirect = answer.headers["X-Accel-Redirect"]
        assert redirect.startswith("/protected-releases/")
        assert "/output/50%25%20na%C3%AFve%3F%23%0D.csv" in redirect
        assert unquote(redirect) == f"/protected-releases/{file.path}"
        assert (answer.content_type, answer.charset) == ("text/csv", "utf-8")
        assert answer.headers["Content-Disposition"].startswith("inline;")
        assert answer.headers["ETag"] == f'"{file.filehash}"'
        assert "sandbox" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Cache-Control"] == "private, no-cache"
        assert "released_file_read" in caplog.text
        unchanged = nginx.get(url, headers={"If-None-Match": answer.headers["ETag"]}, status=304)
        assert "X-Accel-Redirect" not in unchanged.headers
        # nginx has the bytes and cuts the part.
        part = nginx.get(url, headers={"Range": "bytes=1-2", "Releases-Redirect": "/etc"}, status=200)
        assert part.headers["X-Accel-Redirect"] == redirect
        assert nginx.head(url).headers["X-Accel-Redirect"] == redirect


def test_nginx_is_told_of_nothing_that_the_reader_may_not_have_or_that_is_not_there(
    nginx: Browser, db: Session, place: r.Place, storage: ReleaseStorage, tmp_path: Path
) -> None:
    made = r.release(place)
    names = ("link.csv", "linked/a.csv", "gone.csv", "cut.csv", "outside.csv", "redacted.csv")
    files = {name: r.file(made, name, TEN, storage=storage) for name in names}
    (tmp_path / "secret").write_bytes(TEN)
    (tmp_path / "a.csv").write_bytes(TEN)
    at = {name: storage.root / file.path for name, file in files.items()}
    at["link.csv"].unlink()
    at["link.csv"].symlink_to(tmp_path / "secret")
    at["linked/a.csv"].unlink()
    at["linked/a.csv"].parent.rmdir()
    at["linked/a.csv"].parent.symlink_to(tmp_path)
    at["gone.csv"].unlink()
    at["cut.csv"].write_bytes(TEN[:-1])
    files["outside.csv"].path = f"../{tmp_path.name}/secret"
    files["redacted.csv"].deleted_at = utcnow()
    files["redacted.csv"].deleted_by_id = place.checker.id
    db.commit()
    nginx.sign_in(place.collaborator)
    for file in files.values():
        for url in (address(place, file), f"/api/v2/releases/file/{file.id}"):
            assert "X-Accel-Redirect" not in nginx.get(url, status=404).headers
    fine = r.file(made, "fine.csv", TEN, storage=storage)
    nginx.sign_in(place.stranger)
    assert "X-Accel-Redirect" not in nginx.get(address(place, fine), status=403).headers
    nginx.reset()
    for url, status in ((address(place, fine), 303), (place.address("published", fine.id), 404)):
        assert "X-Accel-Redirect" not in nginx.get(url, status=status).headers


# Other people's files


def test_an_id_opens_only_in_the_place_that_it_belongs_to(
    web: Browser, place: r.Place, storage: ReleaseStorage
) -> None:
    made, other = r.release(place), r.release(place)
    file = r.file(made, "a.csv", TEN, storage=storage)
    elsewhere = r.place()
    theirs = r.file(r.release(elsewhere), "a.csv", b"secret", storage=storage)
    mine = r.snapshot(place, [file])
    web.sign_in(place.developer)
    for way in ("raw", "download", "compare"):
        for wrong in (
            place.address("releases", made.id, theirs.id, way),
            place.address("releases", theirs.release_id, theirs.id, way),
            place.address("releases", other.id, file.id, way),
            place.address("outputs", mine.id, theirs.id, way),
            place.address("releases", made.id, file.id.lower(), way),
            place.address("releases", made.id, tokens.new_ulid(), way),
        ):
            assert b"secret" not in web.get(wrong, status=404).body
        web.get(elsewhere.address("releases", theirs.release_id, theirs.id, way), status=403)


def test_a_draft_is_nobodys_but_those_who_may_see_released_files(
    web: Browser, db: Session, place: r.Place, storage: ReleaseStorage
) -> None:
    file = r.file(r.release(place), "a.csv", TEN, storage=storage)
    draft = r.snapshot(place, [file])
    waiting = r.snapshot(place, [file])
    f.PublishRequestFactory(snapshot=waiting)
    publisher = f.UserFactory(roles=["OutputPublisher"])
    addresses = {
        each.id: [
            place.address("outputs", each.id, "download"),
            place.address("outputs", each.id, file.id, "raw"),
            place.address("outputs", each.id, file.id, "download"),
        ]
        for each in (draft, waiting)
    }
    for person, status in ((None, (303, 404)), (place.stranger, (403, 404)), (place.developer, (200,))):
        web.reset() if person is None else web.sign_in(person)
        for url in [*addresses[draft.id], *addresses[waiting.id]]:
            assert web.get(url, status="*").status_int in status, (person, url)
    # A publisher reads what they are asked to publish, and nothing else.
    web.sign_in(publisher)
    for url in addresses[waiting.id]:
        web.get(url, status=200)
    for url in [*addresses[draft.id], address(place, file), address(place, file, "compare")]:
        assert web.get(url, status="*").status_int in {403, 404}
