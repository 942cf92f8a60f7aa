"""The lists of published outputs and drafts, of a workspace and of a project (spec: pages 14.1, 17, 30.71)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from jobserver.actions import naming
from jobserver.models import utcnow
from tests import factories as f
from tests.web import releases as r
from tests.web.conftest import Browser
from tests.web.test_releases_list import uploaded
from tests.web.test_releases_pages import MOST_STATEMENTS, rows, words


@pytest.fixture
def place(db: Session) -> r.Place:
    return r.place()


@pytest.fixture
def publisher(db: Session) -> Any:
    """Somebody who decides what becomes public."""
    return f.UserFactory(roles=["OutputPublisher"], fullname="Publisher One")


def project(place: r.Place, *names: str) -> str:
    """A page of the project."""
    found = place.workspace.project
    return "/" + "".join(f"{name}/" for name in (found.org.slug, found.slug, *names))


def published(place: r.Place, workspace: Any, by: Any, days_ago: int = 0, **values: Any) -> Any:
    """A set of one file of 1,000 bytes that was published some days ago."""
    release = f.ReleaseFactory(workspace=workspace)
    file = uploaded(release)
    file.size = 1000
    made = f.SnapshotFactory(workspace=workspace, created_by=place.developer, files=[file], **values)
    at = utcnow() - timedelta(days=days_ago)
    f.PublishRequestFactory(snapshot=made, decision="approved", decision_at=at, decision_by=by)
    return made


def shown(answer: Any) -> list[int]:
    """The ids of the sets on a page, in their order."""
    return [int(row["id"].removeprefix("snapshot-")) for row in rows(answer, "snapshot-")]


def test_the_project_lists_what_its_workspaces_published_newest_decision_first(
    web: Browser, place: r.Place, publisher: Any
) -> None:
    other = f.WorkspaceFactory(project=place.workspace.project)
    old = published(place, place.workspace, publisher, 9, title="Asthma <by> region")
    new = published(place, other, publisher, 1, created_at=utcnow() - timedelta(days=99))
    published(place, f.WorkspaceFactory(), publisher)
    draft = f.SnapshotFactory(workspace=other, title="Secret plans")
    answer = web.get(project(place)).click("Published outputs", href=r"/outputs/$", index=0)
    assert shown(answer) == [new.id, old.id]
    first, second = rows(answer, "snapshot-")
    assert words(first).startswith(f"Outputs {new.id} {other.name} Published 1 file 1 kB")
    assert "Publisher One yesterday" in words(first)
    assert words(second).startswith(f"Asthma <by> region Outputs {old.id} {place.workspace.name}")
    assert second.a["href"] == place.address("outputs", old.id)
    assert "Secret plans" not in answer
    assert answer.html.select_one(".tabs [aria-current]").text == "Published outputs 2"
    answer = web.sign_in(place.collaborator).get(project(place, "outputs"))
    assert shown(answer) == [draft.id, new.id, old.id]
    assert "Secret plans" in answer


def test_publishers_see_drafts_of_the_project_that_wait_and_no_others(
    web: Browser, place: r.Place, publisher: Any
) -> None:
    waits, draft = (f.SnapshotFactory(workspace=place.workspace) for _ in range(2))
    f.PublishRequestFactory(snapshot=waits)
    assert shown(web.sign_in(publisher).get(project(place, "outputs"))) == [waits.id]
    assert shown(web.get(project(place, "outputs") + "?state=draft")) == []
    assert shown(web.sign_in(place.developer).get(project(place, "outputs") + "?state=draft")) == [draft.id]


def test_outputs_are_found_by_text_number_state_workspace_and_day(
    web: Browser, place: r.Place, publisher: Any
) -> None:
    other = f.WorkspaceFactory(project=place.workspace.project)
    one = published(place, place.workspace, publisher, 40, title="Asthma in 100% of adults")
    two = published(place, other, publisher, summary="On *asthma* too")
    draft = f.SnapshotFactory(workspace=other, title="Asthma, later")
    day = (utcnow() - timedelta(days=20)).date()
    everything = {
        "q=ASTHMA": {one, two, draft},
        "q=100%25": {one},
        f"q={two.id}": {two},
        "state=published": {one, two},
        "state=draft": {draft},
        "state=pending": set(),
        f"workspace={other.name}&q=asthma": {two, draft},
        f"to={day}": {one},
        f"from={day}": {two, draft},
    }
    for who, sees in ((None, {one, two}), (place.collaborator, {one, two, draft})):
        if who:
            web.sign_in(who)
        for query, found in everything.items():
            answer = web.get(f"{project(place, 'outputs')}?{query}", status=200)
            assert set(shown(answer)) == {each.id for each in found & sees}, query
            status = words(answer.html.select_one(".chips [role=status]"))
            assert status == f"{len(found & sees)} of {len(sees)} sets of files"


def test_rubbish_is_said_and_nothing_is_shown(web: Browser, place: r.Place, publisher: Any) -> None:
    published(place, place.workspace, publisher)
    for query in ("state=refused", "workspace=x", "from=1", "to=2026-13-01", f"q={'x' * 999}"):
        answer = web.get(f"{project(place, 'outputs')}?{query}", status=200)
        assert shown(answer) == []
        assert "Correct the filter that is marked above" in answer
        assert answer.html.select(".err"), query


def test_the_workspace_of_an_id_is_not_believed(web: Browser, place: r.Place, publisher: Any) -> None:
    made = published(place, place.workspace, publisher)
    other = r.place()
    for query in (f"q={made.id}", f"workspace={place.workspace.name}"):
        assert shown(web.get(f"{project(other, 'outputs')}?{query}", status=200)) == []


def test_redacted_files_do_not_count_for_the_size(web: Browser, place: r.Place, publisher: Any) -> None:
    release = r.release(place)
    gone = r.redacted(release, "output/c.csv", place.checker, size=5000)
    late = f.ReleaseFileFactory(release=release, name="output/late.csv", size=3000)
    fine, other = uploaded(release), uploaded(release, "output/b.csv")
    fine.size, other.size = 7, 8
    public = r.snapshot(place, [gone, late, fine], published_by=publisher)
    asked = r.snapshot(place, [gone, late, other])
    f.PublishRequestFactory(snapshot=asked)
    (row,) = rows(web.get(place.address("outputs")), "snapshot-")
    assert "3 files 7 bytes" in words(row)
    page = web.get(place.address("outputs", public.id)).html
    assert page.find("a", href=place.address("outputs", public.id, "download")).text.endswith("7 bytes")
    assert "Files 3 files, 7 bytes" in words(page.main)
    (row,) = rows(web.sign_in(publisher).get("/publish-requests/?state=pending"), "request-")
    assert "3 files 8 bytes" in words(row)
    assert "8 bytes in all" in words(web.get(place.address("outputs", asked.id, "approve")).html.main)
    (row,) = rows(web.sign_in(place.developer).get(place.address("releases")), "release-")
    assert "15 bytes" in words(row)


def test_the_project_shows_the_newest_of_each_workspace_and_recent_releases(
    web: Browser, place: r.Place, publisher: Any
) -> None:
    other = f.WorkspaceFactory(project=place.workspace.project)
    published(place, place.workspace, publisher, 9, title="Older")
    published(place, place.workspace, publisher, 5, title="Newer")
    published(place, other, publisher, 7, title="Elsewhere")
    f.SnapshotFactory(workspace=other, title="Secret plans")

    def panel(id_: str) -> list[str]:
        found = web.get(project(place)).html.find(id=id_).find_parent("section")
        return [words(each) for each in found.select("li")]

    assert [each.split()[0] for each in panel("published")] == ["Newer", "Elsewhere"]
    assert all(each.startswith("From ") for each in panel("released"))
    assert len(panel("released")) == 3
    web.sign_in(place.collaborator)
    assert all(each.startswith("1 file from ") for each in panel("released"))
    tabs = {words(each) for each in web.get(project(place)).html.select(".tabs a")}
    assert {"Releases 3", "Published outputs 3"} <= tabs


def test_a_project_without_outputs_shows_no_empty_panels(web: Browser, place: r.Place) -> None:
    answer = web.get(project(place))
    assert answer.html.find(id="published") is None
    assert answer.html.find(id="released") is None
    assert "Nothing has been published yet" in web.get(project(place, "outputs"), status=200)


def test_the_workspace_leads_those_who_may_to_the_latest_outputs(web: Browser, place: r.Place) -> None:
    uploaded(r.release(place))
    latest = place.address("outputs", "latest")
    assert latest not in web.get(place.address())
    assert latest not in web.sign_in(place.stranger).get(place.address())
    assert latest in web.sign_in(place.collaborator).get(place.address())


def test_the_list_leads_those_who_may_to_preparing_a_publication(web: Browser, place: r.Place) -> None:
    prepare, listed = place.address("outputs", "latest", "prepare"), place.address("outputs")
    assert prepare not in web.sign_in(place.developer).get(listed)
    uploaded(r.release(place))
    assert web.get(listed).html.find("a", href=prepare).text == "Prepare a publication…"
    assert prepare not in web.sign_in(place.collaborator).get(listed)


@pytest.mark.parametrize("name", ["outputs", "Releases", "feed.atom"])
def test_no_workspace_takes_the_place_of_a_page(web: Browser, place: r.Place, name: str) -> None:
    page = project(place, "new-workspace")
    web.sign_in(place.developer)
    fields = {"name": name, "purpose": "x", "repo": "https://github.com/x/y", "branch": "main"}
    answer = web.submit(page, fields, status="*")
    assert answer.status_int == 200
    assert name.lower() in naming.RESERVED_IN_PROJECT or "." in name
    web.get(project(place, name.lower()), status=404 if "." in name else 200)


def test_the_number_of_statements_is_the_same_however_many_there_are(
    web: Browser, place: r.Place, publisher: Any, count_statements: Callable[[], Any]
) -> None:
    pages = [
        project(place),
        project(place, "outputs"),
        project(place, "outputs") + f"?q=a&state=published&workspace={place.workspace.name}",
        place.address("outputs"),
    ]
    web.sign_in(place.developer)
    sent = []
    for number in (2, 8):
        for _ in range(number):
            workspace = f.WorkspaceFactory(project=place.workspace.project)
            for each in (place.workspace, workspace):
                published(place, each, f.UserFactory(), title="Asthma")
        for page in pages:
            with count_statements() as statements:
                web.get(page, status=200)
            sent.append(len(statements))
    assert sent[:4] == sent[4:]
    assert max(sent) <= MOST_STATEMENTS
