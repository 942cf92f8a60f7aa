"""Published outputs, drafts, and the newest version of every file (spec: pages 17, 30.2 no. 12 and 13)."""

import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import unquote
from zipfile import ZipFile

import pytest
from sqlalchemy.orm import Session

from jobserver.clients.storage import ReleaseStorage
from jobserver.models import utcnow
from tests import factories as f
from tests.web import releases as r
from tests.web.conftest import Browser
from tests.web.test_releases_pages import MOST_STATEMENTS, rows, words


@pytest.fixture
def place(db: Session) -> r.Place:
    return r.place()


@pytest.fixture
def files(place: r.Place, storage: ReleaseStorage) -> list[Any]:
    """Two files of one release."""
    made = r.release(place)
    return [r.file(made, name, storage=storage) for name in ("output/a.csv", "output/b.csv")]


def publisher() -> Any:
    """Somebody who decides what becomes public."""
    return f.UserFactory(roles=["OutputPublisher"], fullname="Publisher One")


def test_everybody_sees_what_is_published_and_only_that(
    web: Browser, place: r.Place, files: list[Any]
) -> None:
    public = r.snapshot(place, files, published_by=publisher(), created_at=utcnow() - timedelta(days=30))
    draft = r.snapshot(place, files[:1])
    for who in (None, place.stranger):
        if who:
            web.sign_in(who)
        answer = web.get(place.address("outputs"), status=200)
        (row,) = rows(answer, "snapshot-")
        assert row.a["href"] == place.address("outputs", public.id)
        assert "Published 2 files" in words(row)
        assert "Publisher One just now" in words(row)
        assert str(draft.id) not in [row["id"].rpartition("-")[2] for row in rows(answer, "snapshot-")]


def test_those_who_may_see_files_see_drafts_too_and_publishers_those_that_wait(
    web: Browser, place: r.Place, files: list[Any]
) -> None:
    plain = r.snapshot(place, files[:1])
    waits = r.snapshot(place, files)
    f.PublishRequestFactory(snapshot=waits)
    answer = web.sign_in(place.collaborator).get(place.address("outputs"))
    assert [row["id"] for row in rows(answer, "snapshot-")] == [
        f"snapshot-{waits.id}",
        f"snapshot-{plain.id}",
    ]
    assert "Draft, waits for a decision" in words(rows(answer, "snapshot-")[0])
    answer = web.sign_in(publisher()).get(place.address("outputs"))
    assert [row["id"] for row in rows(answer, "snapshot-")] == [f"snapshot-{waits.id}"]
    web.get(place.address("outputs", waits.id), status=200)
    web.get(place.address("outputs", plain.id), status=403)


def test_what_was_unpublished_or_rejected_is_not_public_again(
    web: Browser, db: Session, place: r.Place, files: list[Any]
) -> None:
    now, who = utcnow(), publisher()
    gone = f.SnapshotFactory(workspace=place.workspace, files=files)
    decided = {"decision_at": now, "decision_by": who}
    f.PublishRequestFactory(
        snapshot=gone, decision="approved", unpublished_at=now, unpublished_by_id=who.id, **decided
    )
    asked = f.PublishRequestFactory(snapshot=gone, decision="rejected", **decided)
    assert "Nothing has been published yet" in web.get(place.address("outputs"))
    web.get(place.address("outputs", gone.id), status=303)
    (row,) = rows(web.sign_in(place.developer).get(place.address("outputs")), "snapshot-")
    assert "Rejected" in words(row)
    assert "not public" in words(row)
    page = place.address("outputs", gone.id)
    assert "Rejected" in words(web.get(page).html.select_one(".title"))
    for state, found in (("rejected", 1), ("draft", 0)):
        assert len(rows(web.get(f"{place.address('outputs')}?state={state}"), "snapshot-")) == found
    asked.decision = "withdrawn"
    db.commit()
    (row,) = rows(web.get(f"{place.address('outputs')}?state=draft"), "snapshot-")
    assert "Draft" in words(row)
    assert "Draft" in words(web.get(page).html.select_one(".title"))


def test_a_set_approved_twice_is_listed_once(web: Browser, place: r.Place, files: list[Any]) -> None:
    now, who = utcnow(), publisher()
    once = f.SnapshotFactory(workspace=place.workspace, files=files)
    decided = {"decision": "approved", "decision_at": now, "decision_by": who}
    f.PublishRequestFactory(snapshot=once, unpublished_at=now, unpublished_by_id=who.id, **decided)
    f.PublishRequestFactory(snapshot=once, **decided)
    f.PublishRequestFactory(snapshot=once)
    (row,) = rows(web.get(place.address("outputs")), "snapshot-")
    assert "Published 2 files" in words(row)


def test_a_published_set_has_a_page_for_everybody_with_its_files_and_zip(
    web: Browser, place: r.Place, files: list[Any]
) -> None:
    public = r.snapshot(place, files, published_by=publisher())
    page = place.address("outputs", public.id)
    answer = web.get(page, status=200)
    assert [words(line) for line in r.lines(answer)] == ["a.csv 8 bytes", "b.csv 8 bytes"]
    assert [line.a["href"] for line in r.lines(answer)] == [f"{page}{each.name}/" for each in files]
    shown = answer.click("a.csv")
    assert shown.click("Download$").body == b"a,b\n1,2\n"
    assert "Open" not in words(shown.html.select_one(".file-head"))
    assert answer.html.find("a", href=f"{page}download/")
    assert f"Prepared by {place.developer.fullname}" in words(answer.html.main)
    assert "Published by Publisher One" in words(answer.html.main)
    assert "what you may share" not in answer


def test_who_redacted_a_published_file_and_why_is_not_for_the_public(
    web: Browser, place: r.Place, files: list[Any]
) -> None:
    gone = r.redacted(files[0].release, "output/c.csv", place.checker, "Counts below 6")
    public = r.snapshot(place, [*files, gone], published_by=publisher())
    page = place.address("outputs", public.id)
    for who, told in ((None, "Redacted, "), (place.collaborator, "Redacted by Checker One, ")):
        if who:
            web.sign_in(who)
        (line,) = [words(each) for each in r.lines(web.get(page)) if "redacted" in words(each)]
        assert ("by Checker One" in line) is bool(who)
        for part in ("?part=tree", "?part=folder&folder=output"):
            redrawn = words(web.get(page + part, status=200).html)
            assert "c.csv" in redrawn
            assert ("by Checker One" in redrawn) is bool(who)
        details = words(web.get(f"{page}output/a.csv/").html.select_one("#file-details"))
        assert (f"by {files[0].uploaded_by.fullname}" in details.partition("Uploaded")[2]) is bool(who)
        shown = words(web.get(f"{page}output/c.csv/", status=200).html.main)
        assert "This file was redacted." in shown
        assert ("Counts below 6" in shown) is bool(who)
        assert ("/releases/" in str(web.get(f"{page}output/c.csv/").html.select_one("#file"))) is bool(who)
        zipped = ZipFile(io.BytesIO(web.get(f"{page}download/").body))
        note = zipped.read("NOT-INCLUDED.txt").decode()
        assert told in note
        assert ("Counts below 6" in note) is bool(who)


def test_a_draft_names_who_made_it_and_stays_closed(web: Browser, place: r.Place, files: list[Any]) -> None:
    draft = r.snapshot(place, files)
    page = place.address("outputs", draft.id)
    for address in (page, f"{page}output/a.csv/", f"{page}{files[0].id}/raw/", f"{page}download/"):
        web.get(address, status=303)
    answer = web.sign_in(place.developer).get(page, status=200)
    assert answer.html.h1.text == f"DraftOutputs 1 of {place.workspace.name}"
    assert f"Prepared by {place.developer.fullname}" in words(answer.html.main)
    assert [line.a["href"] for line in r.lines(answer)] == [f"{page}{each.name}/" for each in files]
    assert web.get(f"{page}{files[0].id}/raw/", status=200).body == b"a,b\n1,2\n"


def test_whether_there_is_a_draft_is_not_for_everybody(
    web: Browser, place: r.Place, files: list[Any]
) -> None:
    hidden, missing = str(r.snapshot(place, files).id), "999"
    below = ("", "approve/", "withdraw/", "download/", f"{files[0].id}/raw/", "output/a.csv/", "output/a.csv")

    def answers(number: str) -> list[Any]:
        found = []
        for method, name in [*(("GET", each) for each in below), ("PUT", ""), ("OPTIONS", "approve/")]:
            start = place.address("outputs", number)
            got = web.request(start + name, method=method, expect_errors=True)
            said = unquote(got.headers.get("Location", "")) or got.html.main.get_text()
            found.append((got.status_int, got.headers.get("Allow"), said.replace(start, "here")))
        return found

    assert answers(hidden) == answers(missing)
    assert {status for status, _, _ in answers(hidden)} == {303}
    web.sign_in(place.stranger)
    assert answers(hidden) == answers(missing)
    assert {status for status, _, _ in answers(hidden)} == {404}


def test_a_set_is_found_below_its_own_workspace_only(web: Browser, place: r.Place, files: list[Any]) -> None:
    public = r.snapshot(place, files, published_by=publisher())
    other = f.WorkspaceFactory(project=place.workspace.project)
    web.sign_in(place.developer)
    for address in (
        r.address(other, "outputs", public.id),
        r.address(other, "outputs", public.id, "download"),
        place.address("outputs", 999),
        place.address("outputs", "01"),
        place.address("outputs", "9" * 30),
        place.address("outputs", public.id, "output", "more.csv"),
    ):
        web.get(address, status=404)


def test_the_newest_version_that_can_be_read_is_the_latest(
    web: Browser, place: r.Place, storage: ReleaseStorage
) -> None:
    now = utcnow()
    tpp, emis = f.BackendFactory(name="TPP"), f.BackendFactory(name="EMIS")
    oldest = r.release(place, backend=tpp, created_at=now - timedelta(days=3))
    middle = r.release(place, backend=tpp, created_at=now - timedelta(days=2))
    newest = r.release(place, backend=tpp, created_at=now - timedelta(days=1))
    elsewhere = r.release(place, backend=emis, created_at=now - timedelta(days=9))
    wanted = [
        r.file(middle, "a.csv", storage=storage),
        r.file(elsewhere, "a.csv", storage=storage),
        r.file(oldest, "b.csv", storage=storage),
        r.file(newest, "c.csv", storage=storage),
    ]
    r.file(oldest, "a.csv", storage=storage)
    r.waiting(newest, "a.csv")
    r.redacted(middle, "b.csv", place.checker)
    r.file(middle, "c.csv", storage=storage)
    wanted.append(r.waiting(newest, "d.csv"))
    r.file(f.ReleaseFactory(backend=tpp), "e.csv", storage=storage)
    answer = web.sign_in(place.developer).get(place.address("outputs", "latest"), status=200)
    assert {line["id"] for line in r.lines(answer)} == {f"file-{each.id}" for each in wanted}
    assert [words(line) for line in r.lines(answer)] == [
        "a.csv 8 bytes a newer version has not arrived",
        "b.csv 8 bytes a newer version was redacted",
        "c.csv 8 bytes",
        "d.csv not here yet",
        "a.csv 8 bytes",
    ]
    assert [words(each) for each in answer.html.select("#tree summary")] == ["TPP 4 files", "EMIS 1 file"]
    shown = web.get(place.address("outputs", "latest", tpp.slug, "b.csv"), status=200)
    assert shown.html.select_one(".file-note a")["href"] == place.address("releases", middle.id)
    assert words(answer.html.select_one(".tabs [aria-current]")) == "Releases 4"
    assert "5 files" in words(answer.html.select_one("#tree-count")).lower()


def test_without_any_file_there_is_a_page_and_no_zip(web: Browser, place: r.Place) -> None:
    answer = web.sign_in(place.developer).get(place.address("outputs", "latest"), status=200)
    assert "There is no file that can be read yet" in answer
    assert "Download all" not in answer
    web.get(place.address("outputs", "latest", "download"), status=404)


def test_the_pages_send_the_same_few_statements_however_much_there_is(
    web: Browser, place: r.Place, count_statements: Callable[[], Any]
) -> None:
    made, who = r.release(place), publisher()
    first = [f.ReleaseFileFactory(release=made)]
    public = r.snapshot(place, first, published_by=who)

    def more(number: int) -> None:
        for _ in range(number):
            each = f.ReleaseFileFactory(release=made, created_by=f.UserFactory())
            r.snapshot(place, [each], published_by=f.UserFactory(), created_by=f.UserFactory())

    web.sign_in(place.developer)
    sent: list[int] = []
    for number in (2, 18):
        more(number)
        for page in (place.address("outputs"), place.address("outputs", public.id)):
            with count_statements() as statements:
                web.get(page, status=200)
            sent.append(len(statements))
            assert statements.writes == []
    assert sent[:2] == sent[2:]
    assert max(sent) <= MOST_STATEMENTS
