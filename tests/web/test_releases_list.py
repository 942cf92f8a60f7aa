"""The lists of releases: narrowed, paged, and the files of each asked for (spec: pages 16, 30.4 no. 49)."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy.orm import Session

from tests import factories as f
from tests.web import releases as r
from tests.web.conftest import Browser
from tests.web.test_releases_pages import MOST_STATEMENTS, rows, words


@pytest.fixture
def place(db: Session) -> r.Place:
    return r.place()


def project_releases(place: r.Place) -> str:
    """The address of the project's list."""
    project = place.workspace.project
    return f"/{project.org.slug}/{project.slug}/releases/"


def shown(answer: Any) -> set[str]:
    """The ids of the releases on a page."""
    return {row["id"].removeprefix("release-") for row in rows(answer)}


def chips(answer: Any) -> dict[str, str]:
    """What a list is narrowed by, with the address that removes it."""
    return {words(chip): chip.a["href"] for chip in answer.html.select(".chip")}


def uploaded(release: Any, name: str = "output/a.csv") -> Any:
    """A file that has arrived."""
    arrived = {"uploaded_at": release.created_at, "uploaded_by": release.created_by}
    return f.ReleaseFileFactory(release=release, name=name, path=f"{release.id}/{name}", **arrived)


def test_a_list_is_narrowed_by_where_who_and_when(web: Browser, place: r.Place) -> None:
    tpp, emis = f.BackendFactory(slug="tpp", name="TPP"), f.BackendFactory(slug="emis", name="EMIS")
    other = f.WorkspaceFactory(project=place.workspace.project)
    summer = datetime(2026, 6, 30, 22, 59, tzinfo=UTC)  # a minute to midnight in London
    first = r.release(place, backend=tpp, created_at=summer)
    second = r.release(place, backend=emis, created_by=place.developer)
    third = f.ReleaseFactory(workspace=other, backend=emis, created_by=place.checker)
    page = project_releases(place)
    for query, found in {
        "backend=tpp": {first},
        "backend=tpp&backend=emis": {first, second, third},
        f"by={place.developer.username}": {second},
        f"workspace={other.name}": {third},
        "to=2026-06-30": {first},
        "from=2026-06-30&to=2026-06-30": {first},
        "from=2026-07-01": {second, third},
        f"backend=emis&by={place.checker.username}": {third},
        f"backend=tpp&workspace={other.name}": set(),
    }.items():
        answer = web.get(f"{page}?{query}", status=200)
        assert shown(answer) == {each.id for each in found}, query
        assert words(answer.html.select_one(".chips [role=status]")).startswith(f"{len(found)} of 3 releases")
    assert "Nothing matches" in answer
    labels = [words(each) for each in web.get(page).html.select(".opt-row")]
    assert "EMIS (2)" in labels
    assert f"{place.workspace.name} (2)" in labels


def test_each_filter_is_a_chip_that_removes_it_and_only_it(web: Browser, place: r.Place) -> None:
    r.release(place, backend=f.BackendFactory(slug="tpp", name="TPP"))
    answer = web.get(place.address("releases") + "?backend=tpp&from=2026-01-02&utm=x", status=200)
    assert chips(answer) == {"Backend: TPP": "?from=2026-01-02", "From: 2 Jan 2026": "?backend=tpp"}
    assert shown(web.get(place.address("releases") + "?from=2026-01-02")) == shown(answer)


def test_those_who_may_see_files_find_releases_by_what_became_of_them(web: Browser, place: r.Place) -> None:
    whole, half, gone, empty = (r.release(place) for _ in range(4))
    uploaded(whole, "output/Table_1%.csv")
    uploaded(half, "output/table_2.csv")
    r.waiting(half, "output/b.csv")
    r.redacted(gone, "output/c.csv", place.checker)
    web.sign_in(place.collaborator)
    for query, found in {
        "state=arrived": {whole, gone},
        "state=waiting": {half},
        "state=redacted": {gone},
        "state=waiting&state=redacted": {half, gone},
        "q=table_": {whole, half},
        "q=TABLE_1%25": {whole},
        "q=output/": {whole, half, gone},
        "q=%25%25": set(),
        "q=%5C": set(),
        "q=b.csv&state=arrived": set(),
    }.items():
        answer = web.get(f"{place.address('releases')}?{query}", status=200)
        assert shown(answer) == {each.id for each in found}, query
    assert empty.id in shown(web.get(place.address("releases")))


def test_nobody_else_learns_anything_of_the_files_by_asking(web: Browser, place: r.Place) -> None:
    r.waiting(r.release(place), "output/secret.csv")
    for who in (None, place.stranger):
        if who:
            web.sign_in(who)
        for query in ("q=secret", "q=nothing", "state=waiting", "state=arrived"):
            answer = web.get(f"{place.address('releases')}?{query}", status=200)
            assert rows(answer) == []
            assert "Only those who may see released files can filter by them" in words(answer.html.main)
            assert not answer.html.main.select("input[name=q]")


def test_what_cannot_be_meant_is_said_and_nothing_is_shown(web: Browser, place: r.Place) -> None:
    uploaded(r.release(place))
    web.sign_in(place.developer)
    for query, cure in {
        "backend=rubbish": "Choose among those listed here",
        "by=%00nobody": "Choose among those listed here",
        "workspace=%3Cscript%3E": "Choose among those listed here",
        "state=1": "Choose among those listed here",
        "from=yesterday": "Enter a day from 2000 to 2100",
        "from=2026-02-30": "Enter a day from 2000 to 2100",
        "to=9999-12-31": "Enter a day from 2000 to 2100",
        "from=2026-02-02&to=2026-02-01&page=7": "Choose a day that is not before 2 Feb 2026",
        f"q={'x' * 201}": "Shorten this to 200 characters",
        "q=a&backend=rubbish&state=x": "Choose among those listed here",
    }.items():
        answer = web.get(f"{project_releases(place)}?{query}", status=200)
        assert cure in words(answer.html.main), query
        assert rows(answer) == []
        assert answer.html.title.text.startswith("Error: ")
    web.get(f"{project_releases(place)}?q=%ff", status=400)


def test_filters_stay_when_a_page_is_turned(web: Browser, place: r.Place) -> None:
    backend = f.BackendFactory(slug="tpp")
    for _ in range(26):
        r.release(place, backend=backend)
    answer = web.get(place.address("releases") + "?backend=tpp&rubbish=1")
    assert answer.html.select_one("a[rel=next]")["href"] == "?backend=tpp&page=2"
    assert len(shown(web.get(place.address("releases") + "?backend=tpp&page=2"))) == 1
    web.get(place.address("releases") + "?backend=tpp&page=3", status=404)


def test_the_files_of_a_release_come_when_they_are_asked_for(web: Browser, place: r.Place) -> None:
    made = r.release(place)
    live = uploaded(made, "output/tables/a <b>.csv")
    r.waiting(made, "output/b.csv")
    gone = r.redacted(made, "output/c.csv", place.checker, "Counts below 6")
    answer = web.sign_in(place.collaborator).get(place.address("releases"))
    assert "a &lt;b&gt;.csv" not in answer.text
    details = answer.html.select_one("details.names")
    assert words(details.summary).startswith("3 files")
    # Without scripts the same place leads to the page that has them.
    assert details.div.a["href"] == place.address("releases", made.id)
    part = web.get(details["hx-get"], status=200)
    assert not part.html.find("header")
    told = [words(each) for each in part.html.select("li")]
    assert told == [
        "output/ b.csv not uploaded yet",
        "output/ c.csv redacted by Checker One, just now : Counts below 6",
        "output/tables/ a <b>.csv 0 bytes",
    ]
    assert [link["href"] for link in part.html.select("a")] == [place.address("releases", made.id, live.id)]
    assert gone.id not in [link["href"] for link in part.html.select("a")]


def test_those_who_may_delete_are_led_to_it_for_each_file_that_is_there(web: Browser, place: r.Place) -> None:
    made = r.release(place)
    live = uploaded(made)
    r.waiting(made, "output/b.csv")
    r.redacted(made, "output/c.csv", place.checker)
    names = place.address("releases", made.id) + "?names=1"
    part = web.sign_in(place.checker).get(names)
    links = [link["href"] for link in part.html.select("a") if "Redact" in link.text]
    assert links == [place.address("releases", made.id, live.id, "delete")]
    assert "Redact…" not in web.sign_in(place.developer).get(names)


def test_of_many_files_the_first_are_named(web: Browser, place: r.Place) -> None:
    made = r.release(place)
    f.ReleaseFileFactory.create_batch(52, release=made)
    part = web.sign_in(place.developer).get(place.address("releases", made.id) + "?names=1")
    assert len(part.html.select("li")) == 50
    assert part.html.select_one("p a").text == "All 52 files"


def test_file_names_are_closed_to_everybody_else_and_to_other_places(web: Browser, place: r.Place) -> None:
    made = r.release(place)
    uploaded(made, "output/secret.csv")
    names = place.address("releases", made.id) + "?names=1"
    assert "secret" not in web.get(names, status=303)
    assert "secret" not in web.sign_in(place.stranger).get(names, status=403)
    other = r.place()
    web.sign_in(other.developer)
    web.get(names, status=403)
    web.get(other.address("releases", made.id) + "?names=1", status=404)


def test_the_number_of_statements_is_the_same_however_narrow_or_long(
    web: Browser, place: r.Place, count_statements: Callable[[], Any]
) -> None:
    backend = f.BackendFactory(slug="tpp")
    first = r.release(place, backend=backend)

    def more(number: int) -> None:
        for _ in range(number):
            made = r.release(place, backend=backend, created_by=f.UserFactory())
            uploaded(made)
            uploaded(first, f"output/{made.id}.csv")

    query = "?q=a&state=arrived&backend=tpp&from=2020-01-01&to=2099-01-01"
    pages = [
        place.address("releases") + query,
        project_releases(place) + f"{query}&workspace={place.workspace.name}",
        place.address("releases", first.id) + "?names=1",
    ]
    web.sign_in(place.checker)
    more(2)
    sent = []
    for _ in range(2):
        for page in pages:
            with count_statements() as statements:
                assert "Nothing" not in web.get(page, status=200)
            assert statements.writes == []
            sent.append(len(statements))
        more(10)
    assert sent[:3] == sent[3:]
    assert max(sent) <= MOST_STATEMENTS
