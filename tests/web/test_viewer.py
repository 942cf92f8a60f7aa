"""The viewer of released files: the tree, the file beside it, and their addresses (spec: pages 18)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import insert
from sqlalchemy.orm import Session

from jobserver.clients.storage import ReleaseStorage
from jobserver.models import ReleaseFile, utcnow
from jobserver.security import tokens
from tests import factories as f
from tests.web import releases as r
from tests.web.conftest import Browser
from tests.web.test_releases_pages import MOST_STATEMENTS, words

# What an address is made of, and what it could be taken for.
ODD_NAMES = [
    "a b.csv",
    "100%.csv",
    "25%25.csv",
    "a#b.csv",
    "what?.csv",
    'it\'s "odd".csv',
    "a&b=c;d+e.csv",
    "café/né.csv",
    "<b>.csv",
    "{{ 7 * 7 }}.csv",
    "...csv",
]
TAKEN_NAMES = ["download/a.csv", "@@download", "@@raw.csv", "folder/@@raw/a.csv"]


@pytest.fixture
def place(db: Session, web: Browser) -> r.Place:
    made = r.place()
    web.sign_in(made.developer)
    return made


def many(db: Session, release: Any, names: list[str]) -> None:
    """Files of these names that have arrived, as far as the rows say."""
    common = {
        "release_id": release.id,
        "workspace_id": release.workspace_id,
        "filehash": "0" * 64,
        "size": 1000,
        "mtime": utcnow(),
        "uploaded_at": utcnow(),
        "uploaded_by_id": release.created_by_id,
        "created_at": utcnow(),
        "created_by_id": release.created_by_id,
    }
    rows = [
        {**common, "id": tokens.new_ulid(), "name": name, "path": f"{release.id}/{name}"} for name in names
    ]
    db.execute(insert(ReleaseFile), rows)
    db.commit()


def names(answer: Any) -> list[str]:
    """The names of the files in the tree."""
    return [words(line.select_one(".truncate")) for line in r.lines(answer)]


# Addresses


def test_the_link_to_a_file_of_any_name_leads_to_it_and_its_version_there(
    web: Browser, place: r.Place, storage: ReleaseStorage
) -> None:
    made = r.release(place)
    every = [*ODD_NAMES, *TAKEN_NAMES, "é" * 120 + "/" + "ÿ" * 127 + "/x"]
    files = {name: r.file(made, name, b"%d" % number, storage=storage) for number, name in enumerate(every)}
    start = web.get(place.address("releases", made.id))
    for number, (name, one) in enumerate(files.items()):
        link = start.html.select_one(f"#file-{one.id} a")["href"]
        answer = web.get(link, status=200)
        assert answer.html.select_one("#file-h").text == name
        assert answer.html.select_one("#tree a[aria-current]").parent["id"] == f"file-{one.id}"
        assert answer.click("Download$", index=0).body == b"%d" % number
        version = web.get(place.address("releases", made.id, one.id), status=302)
        assert version.location == f"http://localhost{link}"
        # The form of the search leads back to the same file.
        form = next(form for form in answer.forms.values() if "find" in form.fields)
        form["find"] = "100"
        assert form.submit().html.select_one("#file-h").text == name


def test_what_a_set_does_not_have_is_not_found(web: Browser, place: r.Place, storage: ReleaseStorage) -> None:
    made, other = r.release(place), r.release(place)
    one = r.file(made, "output/a.csv", storage=storage)
    elsewhere = r.file(other, "output/b.csv", storage=storage)
    page = place.address("releases", made.id)
    for path in (
        *("output/b.csv/", "output/a.csv/more/", "a.csv/", "out/", "utput/a.csv/", "output/A.csv/"),
        *("output/a.csv/?piece=2&file=x&by=rubbish&part=", f"?file={elsewhere.id}", "?file=%00"),
        *("output/../output/x/", f"{elsewhere.id}/", "?part=tree&file=rubbish"),
    ):
        web.get(page + path, status=404 if "piece" not in path else 200)
    assert web.get(f"{page}output/a.csv").location.endswith(f"{page}output/a.csv/")
    web.get(page.replace(made.id, other.id) + f"{one.id}/", status=404)


def test_a_folder_has_an_address_too(web: Browser, place: r.Place, db: Session) -> None:
    made = r.release(place)
    many(db, made, ["output/a/one.csv", "output/b/two.csv", "output/b/c/three.csv"])
    for folder in ("output", "output/b", "output/b/c"):
        answer = web.get(place.address("releases", made.id, folder), status=200)
        assert "About this release" in answer
    assert [words(each) for each in answer.html.select("#tree [aria-current]")] == ["c 1 file"]


# The tree


def test_folders_come_first_and_what_all_names_begin_with_is_said_once(
    web: Browser, place: r.Place, db: Session
) -> None:
    made = r.release(place)
    shown = ["d.log", "c.png", "a.csv", "B.csv", "t_9.csv", "t_10.csv"]
    many(db, made, [*(f"out/x/{name}" for name in sorted(shown[2:])), "out/x/z/c.png", "out/x/Y/d.log"])
    answer = web.get(place.address("releases", made.id))
    assert words(answer.html.select_one("#tree .root")) == "out / x"
    assert names(answer) == shown
    glyphs = [line.select_one("use")["href"] for line in r.lines(answer)]
    assert glyphs == ["#i-document-text", "#i-photo", *["#i-table-cells"] * 4]
    web.get(place.address("releases", made.id, "out"), status=200)


def test_a_search_finds_parts_of_names_and_keeps_what_is_open(
    web: Browser, place: r.Place, storage: ReleaseStorage, db: Session
) -> None:
    made = r.release(place)
    r.file(made, "tables/open.csv", storage=storage)
    many(db, made, [f"{'odd' if number % 2 else 'even'}/{number:03}.csv" for number in range(1, 11)])
    page = place.address("releases", made.id)
    answer = web.get(f"{page}tables/open.csv/?find=ODD/00")
    assert names(answer) == ["001.csv", "003.csv", "005.csv", "007.csv", "009.csv"]
    assert words(answer.html.select_one("#tree-count")) == "5 of 11 files"
    assert answer.html.select_one("#file-h").text == "tables/open.csv"
    assert r.lines(answer)[0].a["href"] == f"{page}odd/001.csv/?find=ODD%2F00"
    for rubbish in ("%25", "_", "%00", "%5C", "<script>", "%F0%9F%98%80"):
        shown = web.get(f"{page}?find={rubbish}", status=200)
        assert "No file has" in words(shown.html.select_one("#tree"))
        assert "<script>" not in str(shown.html.select_one("#tree"))
    part = web.get(f"{page}tables/open.csv/?find=odd&part=tree", status=200)
    assert "<html" not in part
    assert part.headers["HX-Replace-Url"] == f"{page}tables/open.csv/?find=odd"
    assert 'hx-swap-oob="innerHTML">5 of 11 files' in part


def test_previous_and_next_follow_the_tree_as_it_is_shown(
    web: Browser, place: r.Place, storage: ReleaseStorage
) -> None:
    now = utcnow()
    older, newer = (r.release(place, created_at=now - timedelta(days=days)) for days in (2, 1))
    newer.backend_id = older.backend_id
    for name, made in (("a.csv", older), ("b.csv", newer), ("c/d.csv", older)):
        r.file(made, name, storage=storage)
    r.redacted(older, "a2.csv", place.checker)
    latest = place.address("outputs", "latest", older.backend.slug)

    def walk(query: str = "") -> list[str]:
        answer = web.get(place.address("outputs", "latest") + query)
        shown = []
        while link := answer.html.find("a", rel="next"):
            answer = web.get(link["href"], status=200)
            shown.append(answer.html.select_one("#file-h").text)
        assert answer.html.find("a", rel="prev") or len(shown) < 2
        return shown

    assert walk() == ["c/d.csv", "a.csv", "b.csv"]
    assert walk("?by=date") == ["c/d.csv", "b.csv", "a.csv"]
    assert walk("?find=a.csv") == ["a.csv"]
    answer = web.get(f"{latest}b.csv/")
    assert answer.html.find("a", rel="prev")["href"] == f"{latest}a.csv/"
    assert answer.click("Sort by date").click("Sort by name").request.path == f"{latest}b.csv/"


def test_of_very_many_files_only_what_is_open_is_on_the_page(
    web: Browser, place: r.Place, db: Session
) -> None:
    made = r.release(place)
    every = [f"{folder}/{number:03}.csv" for folder in "ab" for number in range(250)]
    many(db, made, [*every, "c.csv"])
    page = place.address("releases", made.id)
    assert names(web.get(page)) == ["c.csv"]
    opened = web.get(f"{page}a/")
    assert len(names(opened)) == 201
    assert words(opened.html.select_one("#tree .piece")) == "More part 2 of 2"
    assert names(opened.click("More"))[:50] == [f"{number:03}.csv" for number in range(200, 250)]
    part = web.get(f"{page}b/?part=folder")
    assert part.text.count("<li id=") == 200
    found = web.get(f"{page}?find=.csv")
    assert len(names(found)) == 200
    assert words(found.html.select_one("#tree-count")) == "501 of 501 files, the first 200 listed"
    web.get(f"{page}a/?piece=3", status=404)
    web.get(f"{page}a/?piece=x", status=404)


def test_names_as_deep_as_they_can_be_are_shown(web: Browser, place: r.Place, db: Session) -> None:
    made = r.release(place)
    deep = [f"{'a/' * depth}b{depth}.csv" for depth in (0, 1, 20, 400, 1200)]
    many(db, made, deep)
    answer = web.get(place.address("releases", made.id), status=200)
    assert len(r.lines(answer)) == 5
    shown = web.get(f"{place.address('releases', made.id)}{'a/' * 400}?find=b4", status=404)
    assert shown


# The file


def test_the_head_of_a_file_says_what_is_known_of_it(
    web: Browser, db: Session, place: r.Place, storage: ReleaseStorage
) -> None:
    made = r.release(place, backend=f.BackendFactory(name="TPP"))
    one = r.file(made, "output/a.csv", b"x" * 4118, storage=storage)
    one.metadata_ = {"group": "tables", "odd": [1, "<b>"]}
    db.commit()
    answer = web.get(place.address("releases", made.id, one.name))
    head = words(answer.html.select_one("#file"))
    for told in (
        *("CSV file, 4 kB", "from TPP", "by Checker One", one.filehash, "4,118 bytes", "Group tables"),
        *('Odd [1, "<b>"]', f"http://localhost{place.address('releases', made.id, one.id)}"),
    ):
        assert told in head
    copied = [each["data-copy"] for each in answer.html.select("#file [data-copy]")]
    assert one.filehash in copied
    assert f"http://localhost{place.address('releases', made.id, one.id)}" in copied
    assert answer.click("Download$").headers["Content-Disposition"].startswith("attachment")
    assert answer.html.title.text.startswith("a.csv – Release of ")
    assert "Redact" not in words(answer.html.select_one(".file-head"))


def test_those_who_may_redact_are_led_to_it(web: Browser, place: r.Place, storage: ReleaseStorage) -> None:
    made = r.release(place)
    one = r.file(made, "a.csv", storage=storage)
    gone = r.redacted(made, "b.csv", place.checker, "Counts below 6")
    web.sign_in(place.checker)
    link = web.get(place.address("releases", made.id, "a.csv")).html.find("a", string="Redact…")
    assert link["href"] == place.address("releases", made.id, one.id, "delete")
    shown = web.get(place.address("releases", made.id, gone.name))
    assert not shown.html.find("a", string="Redact…")
    assert "Checker One did so just now , for this reason: “Counts below 6”." in words(shown.html.main)
    assert "Download" not in words(shown.html.select_one(".file-head"))


def test_a_version_that_was_replaced_stays_where_its_release_is(
    web: Browser, place: r.Place, storage: ReleaseStorage
) -> None:
    now, backend = utcnow(), f.BackendFactory()
    made = [r.release(place, backend=backend, created_at=now - timedelta(days=days)) for days in (3, 2, 1)]
    files = [r.file(each, "a.csv", b"%d" % number, storage=storage) for number, each in enumerate(made)]
    answer = web.get(place.address("outputs", "latest", backend.slug, "a.csv"))
    versions = answer.html.select(".file-head .menu-pop a")
    assert words(answer.html.select_one(".file-head summary")) == "3 versions"
    assert [each["href"] for each in versions] == [
        *(place.address("releases", each.release_id, each.id) for each in reversed(files)),
        place.address("releases", made[2].id, files[2].id, "compare"),
    ]
    oldest = web.get(versions[2]["href"], status=302).follow()
    assert oldest.request.path == place.address("releases", made[0].id, "a.csv")
    assert oldest.click("Download$").body == b"0"


def test_the_public_sees_no_versions_and_no_releases(
    web: Browser, place: r.Place, storage: ReleaseStorage
) -> None:
    backend = f.BackendFactory()
    made = [r.release(place, backend=backend) for _ in range(2)]
    files = [r.file(each, "a b/é.csv", storage=storage) for each in made]
    public = r.snapshot(place, files[:1], published_by=place.checker)
    page = place.address("outputs", public.id)
    web.reset()
    answer = web.get(page).click("é.csv")
    assert answer.request.path == quote(f"{page}a b/é.csv/")
    shown = answer.html.select_one("#file")
    assert "version" not in words(shown.select_one(".file-head"))
    assert "/releases/" not in str(shown)
    assert f"http://localhost{quote(f'{page}a b/é.csv/')}" in str(shown)
    assert web.get(f"{page}{files[0].id}/raw/", status=200)
    web.get(f"{page}{files[1].id}/raw/", status=404)


def test_files_of_one_name_in_a_set_are_told_apart(
    web: Browser, place: r.Place, storage: ReleaseStorage
) -> None:
    first, second = r.release(place), r.release(place)
    files = [
        r.file(made, "a.csv", b"%d" % number, storage=storage) for number, made in enumerate((first, second))
    ]
    again = r.file(r.release(place, backend=first.backend), "a.csv", b"2", storage=storage)
    for chosen in ([*files], [files[0], again]):
        answer = web.get(place.address("outputs", r.snapshot(place, chosen).id))
        found = [web.get(line.a["href"]) for line in r.lines(answer)]
        again_found = [web.get(f"{answer.request.path}{file.id}/", status=302).follow() for file in chosen]
        assert {each.request.path for each in again_found} == {each.request.path for each in found}
        assert sorted(each.click("Download$").body for each in found) == [
            b"%d" % number for number in (0, 1 if chosen == files else 2)
        ]


def test_the_viewer_sends_the_same_few_statements_however_much_there_is(
    web: Browser, db: Session, place: r.Place, storage: ReleaseStorage, count_statements: Callable[[], Any]
) -> None:
    backend = f.BackendFactory()
    made = [r.release(place, backend=backend) for _ in range(2)]
    files = [r.file(each, "a.csv", storage=storage) for each in made]
    public = r.snapshot(place, files[:1])
    pages = [
        place.address("releases", made[0].id, "a.csv"),
        place.address("outputs", "latest", backend.slug, "a.csv"),
        place.address("outputs", public.id, "a.csv"),
    ]
    sent: dict[str, int] = {}
    for more in (450, 0):
        for page in pages:
            with count_statements() as statements:
                web.get(page, status=200)
            assert statements.writes == []
            assert len(statements) <= MOST_STATEMENTS
            assert sent.setdefault(page, len(statements)) == len(statements), page
        if more:
            many(db, made[0], [f"more/{number}.csv" for number in range(more)])
            r.redacted(made[0], "b.csv", f.UserFactory())
