"""The lists of releases, a release, and who sees what of them (spec: pages 16, airlock 5.4 and 12.27)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from jobserver.clients.storage import ReleaseStorage
from jobserver.models import utcnow
from tests import factories as f
from tests.web import releases as r
from tests.web.conftest import Browser

MOST_STATEMENTS = 12


@pytest.fixture
def place(db: Session) -> r.Place:
    return r.place()


def rows(answer: Any, prefix: str = "release-") -> list[Any]:
    """The rows of a table, by the beginning of their ids."""
    return answer.html.select(f"tr[id^={prefix}]")


def words(element: Any) -> str:
    """The text with single spaces."""
    return " ".join(element.get_text(" ", strip=True).split())


# The lists


def test_everybody_sees_who_released_from_where_and_when_but_nothing_of_the_files(
    web: Browser, place: r.Place, storage: ReleaseStorage
) -> None:
    made = r.release(place, backend=f.BackendFactory(name="TPP"))
    r.file(made, "output/secret-name.csv", storage=storage)
    for who in (None, place.stranger):
        if who:
            web.sign_in(who)
        answer = web.get(place.address("releases"), status=200)
        (row,) = rows(answer)
        assert words(row) == "just now Checker One TPP"
        assert row.time["title"].endswith("GMT")
        assert not row.select(f"a[href*='{made.id}']")
        assert "secret-name" not in answer.text
        assert "1 file" not in answer.text
        assert "Project Collaborators of the project" in words(answer.html.main)
    assert "given by a Service Administrator or Tech Support" in words(answer.html.main)


def test_an_anonymous_reader_is_offered_to_sign_in_and_come_back(web: Browser, place: r.Place) -> None:
    answer = web.get(place.address("releases"))
    assert answer.html.main.find("a", string="sign in")["href"] == f"/login/?next={place.address('releases')}"


@pytest.mark.parametrize("who", ["collaborator", "developer", "checker"])
def test_those_who_may_see_files_get_counts_links_and_the_zip(
    web: Browser, place: r.Place, storage: ReleaseStorage, who: str
) -> None:
    made = r.release(place)
    r.file(made, "output/a.csv", b"12345678", storage=storage)
    r.waiting(made, "output/b.csv")
    (row,) = rows(web.sign_in(getattr(place, who)).get(place.address("releases")))
    assert "1 of 2 uploaded" in words(row)
    assert row.find("span", title="8 bytes")
    assert row.find("a", href=place.address("releases", made.id))
    assert row.find("a", href=place.address("releases", made.id, "download"))


def test_releases_come_newest_first_and_in_pages(web: Browser, place: r.Place) -> None:
    backend, now = f.BackendFactory(), utcnow()
    made = [
        r.release(place, backend=backend, created_at=now - timedelta(days=number)) for number in range(26)
    ]
    shown = [row["id"] for row in rows(web.get(place.address("releases")))]
    assert shown == [f"release-{each.id}" for each in made[:25]]
    second = web.get(place.address("releases") + "?page=2")
    assert [row["id"] for row in rows(second)] == [f"release-{made[25].id}"]
    assert second.html.title.text.startswith("Page 2 – Releases")
    web.get(place.address("releases") + "?page=3", status=404)
    web.get(place.address("releases") + "?page=x", status=404)


def test_a_workspace_without_releases_says_so_instead_of_404(web: Browser, place: r.Place) -> None:
    assert "Nothing has been released yet" in web.get(place.address("releases"), status=200)
    project = place.workspace.project
    assert "Nothing has been released yet" in web.get(f"/{project.org.slug}/{project.slug}/releases/")


def test_the_project_lists_the_releases_of_all_its_workspaces(web: Browser, place: r.Place) -> None:
    project = place.workspace.project
    other = f.WorkspaceFactory(project=project)
    r.release(place, created_at=utcnow() - timedelta(days=1))
    f.ReleaseFactory(workspace=other)
    f.ReleaseFactory()
    page = web.get(f"/{project.org.slug}/{project.slug}/")
    answer = page.click("Releases")
    assert [row.find("a", class_="mono").text for row in rows(answer)] == [other.name, place.workspace.name]
    assert answer.html.select_one(".tabs [aria-current]").text == "Releases 2"


def test_all_outputs_are_offered_once_one_can_be_read(
    web: Browser, place: r.Place, storage: ReleaseStorage
) -> None:
    made = r.release(place)
    r.waiting(made, "a.csv")
    web.sign_in(place.developer)
    latest = place.address("outputs", "latest")
    assert latest not in web.get(place.address("releases"))
    r.file(made, "b.csv", storage=storage)
    answer = web.get(place.address("releases"))
    assert answer.html.find("a", href=latest)
    assert answer.html.find("a", href=f"{latest}download/")
    web.reset()
    assert latest not in web.get(place.address("releases"))


def test_the_workspace_shows_what_came_out_lately_as_far_as_the_reader_may_know(
    web: Browser, place: r.Place, storage: ReleaseStorage
) -> None:
    now = utcnow()
    tpp = f.BackendFactory(name="TPP")
    made = [r.release(place, backend=tpp, created_at=now - timedelta(days=number)) for number in range(4)]
    one = r.file(made[0], "a.csv", storage=storage)
    r.waiting(made[1], "a.csv")
    asked = f.ReleaseRequestFactory(workspace=place.workspace, backend=tpp)
    r.snapshot(place, [one], published_by=place.checker)

    def shown(id_: str) -> list[str]:
        heading = web.get(place.address()).html.find(id=id_)
        panel = heading and heading.find_parent("section")
        return [words(each) for each in panel.select("li, footer")] if panel else []

    when = ("just now", "yesterday", "2 days ago")
    assert shown("released") == [
        *(f"From TPP {ago} by Checker One" for ago in when),
        "1 published set of them",
    ]
    assert shown("release-requests") == []
    web.sign_in(place.developer)
    assert shown("released")[:2] == [
        "1 file from TPP just now by Checker One",
        "1 file from TPP yesterday by Checker One 0 of 1 uploaded",
    ]
    assert shown("release-requests") == [f"just now Submitted {asked.author.fullname} on TPP"]
    assert shown("releases") == []


def test_who_released_something_has_a_page_that_the_public_may_see(web: Browser, place: r.Place) -> None:
    page = f"/users/{place.checker.username}/"
    web.get(page, status=404)
    r.release(place)
    assert page in [link["href"] for link in web.get(place.address("releases")).html.select("tr a")]
    web.get(page, status=200)
    assert page in web.get("/users/")


def test_html_in_the_name_of_the_releaser_is_shown_as_text(web: Browser, place: r.Place) -> None:
    place.checker.fullname = "<b>Bold</b>"
    r.release(place)
    answer = web.get(place.address("releases"))
    assert "&lt;b&gt;Bold" in answer.text
    assert "<b>Bold" not in answer.text


# A release


def test_a_release_shows_its_files_and_what_is_known_of_it(
    web: Browser, place: r.Place, storage: ReleaseStorage
) -> None:
    made = r.release(place, metadata_={"tool": "airlock", "used_by": {"a": 1}})
    r.file(made, "output/tables/a.csv", b"x" * 4_200, storage=storage)
    r.waiting(made, "output/b.csv")
    r.redacted(made, "output/c.csv", place.checker, "Counts below 6", size=10)
    answer = web.sign_in(place.collaborator).get(place.address("releases", made.id), status=200)
    assert [words(line) for line in r.lines(answer)] == [
        "a.csv 4 kB",
        "b.csv not here yet",
        "c.csv redacted : output/c.csv".replace("output/", "") + " by Checker One, just now",
    ]
    about = words(answer.html.select_one(".start"))
    for told in ("By Checker One", "Tool airlock", 'Used By {"a": 1}', made.id, "2 of 3 uploaded"):
        assert told in about
    assert "You see them as Project Collaborator of" in words(answer.html.select_one(".lede"))
    assert answer.html.find("span", title="4,200 bytes")
    assert answer.html.find("a", href="https://docs.opensafely.org/releasing-files/")


def test_what_has_not_come_after_an_hour_is_a_warning(web: Browser, place: r.Place) -> None:
    fresh = r.release(place, created_at=utcnow() - timedelta(minutes=59))
    old = r.release(place, created_at=utcnow() - timedelta(minutes=61))
    for made in (fresh, old):
        r.waiting(made, "a.csv")
    web.sign_in(place.checker)
    assert "has not arrived" not in web.get(place.address("releases", fresh.id))
    answer = web.get(place.address("releases", old.id))
    assert words(answer.html.select_one(".note.st-warning")).startswith("1 file has not arrived.")
    warned = web.get(place.address("releases")).html.select("tr .st-warning")
    assert [words(each) for each in warned] == ["0 of 1 uploaded"]


def test_a_release_without_files_has_a_page(web: Browser, place: r.Place) -> None:
    made = r.release(place)
    answer = web.sign_in(place.developer).get(place.address("releases", made.id), status=200)
    assert "There are no files." in answer


def test_a_release_leads_to_its_request_for_those_who_may_see_that(web: Browser, place: r.Place) -> None:
    asked = f.ReleaseRequestFactory(workspace=place.workspace)
    made = r.release(place, id=asked.id)
    link = place.address("release-requests", asked.id)
    for who, sees in ((place.developer, True), (place.checker, True), (place.collaborator, False)):
        answer = web.sign_in(who).get(place.address("releases", made.id), status=200)
        assert bool(answer.html.find("a", href=link)) is sees
    elsewhere = f.ReleaseRequestFactory()
    made = r.release(place, id=elsewhere.id)
    web.sign_in(place.checker)
    assert "release-requests/" + elsewhere.id not in web.get(place.address("releases", made.id))


def test_a_release_is_closed_to_those_who_may_not_see_files(
    web: Browser, place: r.Place, storage: ReleaseStorage
) -> None:
    made = r.release(place)
    one = r.file(made, "output/a.csv", storage=storage)
    addresses = [
        place.address("releases", made.id),
        place.address("releases", made.id, "download"),
        place.address("releases", made.id, one.name),
        place.address("releases", made.id, one.id),
        place.address("releases", made.id, one.id, "raw"),
        place.address("releases", made.id, one.id, "download"),
        place.address("outputs", "latest"),
        place.address("outputs", "latest", "download"),
    ]
    for address in addresses:
        assert web.get(address, status=303).location.startswith("http://localhost/login/?next=")
    web.sign_in(place.stranger)
    for address in addresses:
        assert "output/a.csv" not in web.get(address, status=403)
    web.sign_in(f.ProjectMembershipFactory(roles=["ProjectDeveloper"]).user)
    for address in addresses:
        web.get(address, status=403)


def test_every_part_of_the_address_has_to_fit(web: Browser, place: r.Place, storage: ReleaseStorage) -> None:
    made, other = r.release(place), r.release(place)
    one = r.file(made, "output/a.csv", storage=storage)
    another = f.WorkspaceFactory(project=place.workspace.project)
    web.sign_in(place.checker)
    for address in (
        r.address(another, "releases", made.id),
        r.address(another, "releases", made.id, "download"),
        r.address(another, "releases", made.id, one.id),
        place.address("releases", other.id, one.id),
        place.address("releases", other.id, one.id, "download"),
        place.address("releases", made.id.lower()),
        place.address("releases", "x" * 26),
        place.address("releases", made.id, "nothing"),
    ):
        web.get(address, status=404)


def test_a_file_is_shown_and_downloaded(web: Browser, place: r.Place, storage: ReleaseStorage) -> None:
    made = r.release(place)
    one = r.file(made, "output/a table.csv", b"a,b\n1,2\n", storage=storage)
    gone = r.redacted(made, "output/b.csv", place.checker)
    late = r.waiting(made, "output/c.csv")
    web.sign_in(place.collaborator)
    shown = web.get(place.address("releases", made.id, one.id, "raw"), status=200)
    assert shown.body == b"a,b\n1,2\n"
    assert shown.headers["Content-Disposition"].startswith("inline")
    loaded = web.get(place.address("releases", made.id, one.id, "download"), status=200)
    assert loaded.body == b"a,b\n1,2\n"
    assert loaded.headers["Content-Disposition"].startswith("attachment")
    assert "a table.csv" in loaded.headers["Content-Disposition"]
    for each in (gone, late):
        web.get(place.address("releases", made.id, each.id, "download"), status=404)


def test_the_pages_send_the_same_few_statements_however_much_there_is(
    web: Browser, db: Session, place: r.Place, count_statements: Callable[[], Any]
) -> None:
    backends = f.BackendFactory.create_batch(2)
    project = place.workspace.project
    asked = f.ReleaseRequestFactory(workspace=place.workspace)
    first = r.release(place, id=asked.id, backend=backends[0])

    def more(number: int) -> None:
        for _ in range(number):
            made = r.release(place, backend=backends[1], created_by=f.UserFactory())
            f.ReleaseFileFactory(release=made)
            f.ReleaseFileFactory(release=first, created_by=f.UserFactory())
            r.redacted(first, f"output/{made.id}.csv", f.UserFactory())

    pages = [
        place.address("releases"),
        f"/{project.org.slug}/{project.slug}/releases/",
        place.address("releases", first.id),
        place.address("outputs", "latest"),
        place.address(),
        place.address("logs"),
        f"/{project.org.slug}/{project.slug}/",
    ]
    web.sign_in(place.developer)
    more(2)
    sent = {}
    for page in pages:
        with count_statements() as statements:
            web.get(page, status=200)
        sent[page] = len(statements)
        assert statements.writes == []
    more(18)
    for page in pages:
        with count_statements() as statements:
            web.get(page, status=200)
        assert len(statements) == sent[page], page
        assert len(statements) <= MOST_STATEMENTS, page
