"""The Atom feed of a workspace (spec: pages 30.6 no. 62; RFC 4287)."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from sqlalchemy.orm import Session

from jobserver.models import utcnow
from jobserver.settings import Settings
from tests import factories as f
from tests.web import releases as r
from tests.web.conftest import Browser
from tests.web.test_outputs_list import published

ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture
def place(db: Session) -> r.Place:
    return r.place()


def address(place: r.Place) -> str:
    """Where the feed is."""
    return place.address() + "feed.atom"


def text(element: Any, name: str) -> str:
    """The text of the one child of this name."""
    (found,) = element.findall(ATOM + name)
    return found.text or ""


def link(element: Any, rel: str) -> str:
    """Where the one link of this kind leads."""
    (found,) = (each for each in element.findall(f"{ATOM}link") if each.get("rel") == rel)
    return str(found.get("href"))


def read(answer: Any) -> Any:
    """The feed, which must be as RFC 4287 wants it."""
    assert answer.content_type == "application/atom+xml"
    root = ET.fromstring(answer.body)  # noqa: S314
    assert root.tag == f"{ATOM}feed"
    ids = []
    for element in (root, *root.findall(f"{ATOM}entry")):
        ids.append(text(element, "id"))
        assert ids[-1].startswith("tag:")
        assert text(element, "title").strip()
        assert datetime.fromisoformat(text(element, "updated")).tzinfo
        assert link(element, "alternate").startswith("http")
    for entry in root.findall(f"{ATOM}entry"):
        (author,) = entry.findall(f"{ATOM}author")
        assert text(author, "name")
        assert text(entry, "summary")
        assert datetime.fromisoformat(text(entry, "published")) <= datetime.fromisoformat(
            text(entry, "updated")
        )
    assert len(set(ids)) == len(ids)
    return root


def entries(root: Any) -> list[tuple[str, str]]:
    """Kind and title of each entry."""
    return [
        (each.find(f"{ATOM}category").get("term"), text(each, "title")) for each in root.iter(f"{ATOM}entry")
    ]


def ended(place: r.Place, status: str = "succeeded", minutes_ago: int = 0, **values: Any) -> Any:
    """A job request that has ended."""
    at = utcnow() - timedelta(minutes=minutes_ago)
    return f.JobRequestFactory(
        workspace=place.workspace,
        status=status,
        created_at=at - timedelta(hours=1),
        completed_at=at,
        **values,
    )


def test_the_feed_tells_what_came_out_and_what_ended_newest_first(
    web: Browser, place: r.Place, settings: Settings
) -> None:
    tpp = f.BackendFactory(name="TPP")
    failed = ended(place, "failed", 60, jobs_failed=1, backend=tpp, requested_actions=list("abcdefg"))
    cancelled = ended(place, "failed", 50, jobs_cancelled=1, backend=tpp)
    f.JobRequestFactory(workspace=place.workspace, status="running")
    release = r.release(place, backend=tpp, created_at=utcnow() - timedelta(minutes=40))
    r.waiting(release, "output/secret.csv")
    public = published(
        place, place.workspace, place.checker, title="Asthma", created_at=utcnow() - timedelta(days=9)
    )
    f.ReleaseFactory()
    f.SnapshotFactory(workspace=place.workspace, title="Secret plans")
    answer = web.get(address(place), status=200)
    root = read(answer)
    told = entries(root)
    # Releases of the one that was published are newer than all but it.
    assert [each for each in told if each[0] != "release"] == [
        ("publication", "Published: Asthma"),
        ("request", f"Request {cancelled.id} on TPP: Cancelled"),
        ("request", f"Request {failed.id} on TPP: Failed"),
    ]
    assert ("release", "Outputs released from TPP") in told
    assert len(told) == 5
    assert "secret" not in answer.text.lower()
    base = settings.base_url.rstrip("/")
    assert link(root, "self") == base + address(place)
    assert link(root, "alternate") == base + place.address()
    by_title = {text(each, "title"): each for each in root.iter(f"{ATOM}entry")}
    assert link(by_title["Published: Asthma"], "alternate") == base + place.address("outputs", public.id)
    released = by_title["Outputs released from TPP"]
    assert text(released, "summary") == "Released by Checker One from TPP."
    assert link(released, "alternate") == f"{base}{place.address('releases')}#release-{release.id}"
    request = by_title[f"Request {failed.id} on TPP: Failed"]
    assert text(request, "summary") == f"a, b, c, d, e and 2 more. Asked for by {failed.created_by.fullname}."
    assert text(root, "updated") == text(by_title["Published: Asthma"], "updated")


def test_hostile_names_make_no_hostile_feed(web: Browser, place: r.Place) -> None:
    nasty = "</title><entry/>&amp; ]]> <!-- \x01\x0b\x1f\x7f\ufffe\U0001f600 "
    place.checker.fullname = nasty
    place.workspace.project.name = nasty
    r.release(place, backend=f.BackendFactory(name=nasty))
    published(place, place.workspace, place.checker, title=nasty)
    ended(place, requested_actions=[nasty])
    root = read(web.get(address(place), status=200))
    assert len(entries(root)) == 4
    assert "</title><entry/>&amp; ]]> <!-- \x7f\U0001f600 " in text(root.find(f"{ATOM}entry"), "summary")


def test_an_empty_feed_is_a_feed(web: Browser, place: r.Place) -> None:
    root = read(web.get(address(place), status=200))
    assert entries(root) == []
    assert datetime.fromisoformat(text(root, "updated")) == place.workspace.created_at


def test_ids_stay_when_things_are_renamed_and_moved(web: Browser, place: r.Place) -> None:
    release = r.release(place)
    ended(place)

    def ids() -> list[str]:
        root = read(web.get(address(place), status=200))
        return [text(each, "id") for each in (root, *root.iter(f"{ATOM}entry"))]

    before = ids()
    place.workspace.project = f.ProjectFactory()
    place.workspace.name = "renamed"
    release.created_by.fullname = "Somebody Else"
    f.current().commit()
    assert ids() == before


def test_the_newest_fifty_are_told(web: Browser, place: r.Place) -> None:
    backend = f.BackendFactory()
    for number in range(30):
        ended(place, minutes_ago=2 * number, backend=backend)
        r.release(place, backend=backend, created_at=utcnow() - timedelta(minutes=2 * number + 1))
    root = read(web.get(address(place)))
    updated = [text(each, "updated") for each in root.iter(f"{ATOM}entry")]
    assert len(updated) == 50
    assert updated == sorted(updated, reverse=True)


def test_who_has_it_gets_a_304_until_something_happens(web: Browser, place: r.Place) -> None:
    r.release(place)
    first = web.get(address(place), status=200)
    assert first.headers["Cache-Control"] == "no-cache"
    assert "Set-Cookie" not in first.headers
    asked = {"If-None-Match": first.headers["ETag"]}
    unchanged = web.get(address(place), headers=asked, status=304)
    assert unchanged.body == b""
    # It is the same for everybody.
    web.sign_in(place.developer).get(address(place), headers=asked, status=304)
    public = published(place, place.workspace, place.checker)
    second = web.get(address(place), headers=asked, status=200)
    assert second.headers["ETag"] != first.headers["ETag"]
    assert f"outputs/{public.id}" in second.text
    assert web.head(address(place), status=200).body == b""


def test_what_was_unpublished_is_not_told(web: Browser, place: r.Place) -> None:
    made = f.SnapshotFactory(workspace=place.workspace, title="Gone")
    now = utcnow()
    f.PublishRequestFactory(
        snapshot=made,
        decision="approved",
        decision_at=now,
        decision_by=place.checker,
        unpublished_at=now,
        unpublished_by_id=place.checker.id,
    )
    assert "Gone" not in web.get(address(place))


def test_the_pages_of_a_workspace_name_its_feed(web: Browser, place: r.Place) -> None:
    request = ended(place)
    pages = [place.address(), place.address("logs"), place.address("releases"), place.address("outputs")]
    for page in [*pages, place.address(request.id)]:
        (found,) = web.get(page, status=200).html.head.select("link[type='application/atom+xml']")
        assert found["href"] == address(place)
        assert found["rel"] == ["alternate"]
    assert web.get(place.address()).html.main.find("a", href=address(place))
    elsewhere = web.get(place.address().rsplit("/", 2)[0] + "/", status=200)
    assert not elsewhere.html.head.select("link[type='application/atom+xml']")


def test_the_feed_of_an_archived_workspace_goes_on_and_says_no_more_than_its_page(
    web: Browser, place: r.Place
) -> None:
    place.workspace.is_archived = True
    ended(place)
    assert "archived" not in web.get(address(place), status=200).text.lower()


def test_an_old_address_leads_to_the_feed(web: Browser, place: r.Place, settings: Settings) -> None:
    moved = web.get(f"/{place.workspace.project.slug}/{place.workspace.name}/feed.atom", status=301)
    root = read(web.get(moved.location, status=200))
    assert link(root, "self") == settings.base_url.rstrip("/") + address(place)


def test_only_that_address_is_the_feed(web: Browser, place: r.Place) -> None:
    web.get(address(place) + "/x", status=404)
    web.get(place.address("nothing") + "feed.atom", status=404)
    web.post(address(place), status=405)


def test_the_feed_costs_the_same_few_statements_however_much_there_is(
    web: Browser, place: r.Place, count_statements: Callable[[], Any]
) -> None:
    sent = []
    for number in (1, 12):
        for _ in range(number):
            ended(place)
            published(place, place.workspace, f.UserFactory())
        with count_statements() as statements:
            web.get(address(place), status=200)
        assert statements.writes == []
        sent.append(len(statements))
    assert sent[0] == sent[1] <= 6
