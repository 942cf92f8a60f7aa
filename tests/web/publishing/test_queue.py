"""What waits for publishers: ``/publish-requests/`` (spec: pages 30.12 no. 72, airlock 12.39)."""

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from jobserver.actions import publication
from jobserver.models import utcnow
from tests import factories as f
from tests.web import releases as r
from tests.web.conftest import Browser
from tests.web.publishing.conftest import Here
from tests.web.test_releases_pages import rows, words

QUEUE = "/publish-requests/"


def names(answer: Any) -> list[str]:
    """What the rows are called, in their order."""
    return [next(row.th.stripped_strings) for row in rows(answer, "request-")]


def wish(here: Here, title: str, days: int, **values: Any) -> Any:
    """A wish of so many days ago."""
    snapshot = r.snapshot(here, values.pop("files", []), title=title)
    asked = {"created_at": utcnow() - timedelta(days=days), "snapshot": snapshot}
    return f.PublishRequestFactory(**asked, **values)


def decided(here: Here, decision: str, days: int) -> dict[str, Any]:
    """What was decided so many days ago."""
    at = utcnow() - timedelta(days=days)
    return {"decision": decision, "decision_at": at, "decision_by": here.publisher}


def test_what_waits_comes_first_the_longest_on_top_then_the_latest_decisions(
    web: Browser, here: Here
) -> None:
    wish(here, "new", 1)
    wish(here, "old", 40)
    wish(here, "public", 90, **decided(here, "approved", 10))
    wish(here, "refused", 80, **decided(here, "rejected", 5), decision_reason="Two small cells")
    answer = web.sign_in(here.publisher).get(QUEUE, status=200)
    assert names(answer) == ["old", "new", "refused", "public"]
    assert names(web.get(f"{QUEUE}?sort=newest")) == ["new", "old", "refused", "public"]
    assert names(web.get(f"{QUEUE}?sort=oldest")) == ["public", "refused", "old", "new"]
    refused = words(rows(answer, "request-")[2])
    assert "Rejected Publisher One, 5 days ago : Two small cells" in refused


def test_a_row_says_who_wants_what_from_where_since_when(web: Browser, here: Here) -> None:
    wish(here, "Uptake", 3, files=here.files)
    wish(here, "", 2)
    answer = web.sign_in(here.publisher).get(QUEUE)
    row, untitled = rows(answer, "request-")
    workspace, project = here.workspace, here.workspace.project
    assert words(row) == (
        f"Uptake {workspace.name} {project.name} Waits for a decision 2 files 16 bytes "
        f"{here.developer.fullname} 3 days ago"
    )
    assert next(untitled.th.stripped_strings).startswith("Outputs ")
    web.get(row.th.a["href"], status=200)


def test_only_what_the_reader_may_see_is_a_link(web: Browser, here: Here) -> None:
    for name in ("waits", "approved", "rejected", "withdrawn"):
        wish(here, name, 5, **({} if name == "waits" else decided(here, name, 1)))
    answer = web.sign_in(here.publisher).get(QUEUE)
    titles = [row.th for row in rows(answer, "request-")]
    assert {words(title) for title in titles if title.a} == {"waits", "approved"}
    for title in titles:
        if title.a:
            web.get(title.a["href"], status=200)


def test_the_list_is_filtered_by_state_organisation_project_and_words(web: Browser, here: Here) -> None:
    gone = {"unpublished_at": utcnow(), "unpublished_by_id": here.publisher.id}
    wish(here, "waiting", 1)
    wish(here, "public", 2, **decided(here, "approved", 1))
    wish(here, "refused", 3, **decided(here, "rejected", 1))
    wish(here, "dropped", 4, **decided(here, "withdrawn", 1))
    wish(here, "was public", 5, **decided(here, "approved", 2), **gone)
    other = f.SnapshotFactory(title="elsewhere")
    f.PublishRequestFactory(snapshot=other, created_by=f.UserFactory(fullname="Zoë Other"))
    project = here.workspace.project
    web.sign_in(here.publisher)
    for query, expected in (
        ("state=pending", {"waiting", "elsewhere"}),
        ("state=approved", {"public"}),
        ("state=rejected", {"refused"}),
        ("state=withdrawn", {"dropped"}),
        ("state=unpublished", {"was public"}),
        ("state=rejected&state=withdrawn", {"refused", "dropped"}),
        (f"org={project.org.slug}&state=pending", {"waiting"}),
        (f"project={project.slug}&state=pending", {"waiting"}),
        ("q=zo%C3%AB", {"elsewhere"}),
        ("q=WAS", {"was public"}),
        (f"q={here.workspace.name}&state=approved", {"public"}),
        ("q=%25", set()),
    ):
        assert set(names(web.get(f"{QUEUE}?{query}"))) == expected, query
    assert "Choose among those listed here." in web.get(f"{QUEUE}?state=rubbish")
    assert "Waits for a decision (2)" in words(web.get(QUEUE).html.main)


def test_many_are_paged_and_exported(web: Browser, here: Here, count_statements: Callable[[], Any]) -> None:
    wish(here, "first", 100)
    web.sign_in(here.publisher)
    with count_statements() as few:
        web.get(QUEUE)
    for number in range(30):
        wish(here, f"n{number}", number)
    with count_statements() as many:
        answer = web.get(QUEUE)
    assert len(few) == len(many) <= 12
    assert len(rows(answer, "request-")) == 25
    following = web.get(f"{QUEUE}{answer.html.find('a', rel='next')['href']}")
    assert names(following) == [f"n{number}" for number in (5, 4, 3, 2, 1, 0)]
    web.get(f"{QUEUE}?page=99", status=404)
    sheet = list(csv.reader(io.StringIO(web.get(f"{QUEUE}?format=csv").text.lstrip("\ufeff"))))
    assert len(sheet) == 32
    assert sheet[1][1:4] == ["Waits for a decision", "first", "0"]


def test_the_queue_is_for_publishers_alone_and_they_find_it(web: Browser, here: Here) -> None:
    here.draft()
    assert "/login/" in web.get(QUEUE, status=303).location
    for person in (here.developer, here.checker, here.stranger):
        web.sign_in(person).get(QUEUE, status=403)
        assert QUEUE not in web.get("/", status=200)
    home = web.sign_in(here.publisher).get("/")
    assert home.html.select_one(f"header a[href='{QUEUE}']")
    assert "1 publish request waits for output publishers" in words(home.html.main)
    publication.reject(here.db, here.draft(), here.publisher, "no")
    here.db.commit()
    assert "output publishers" not in words(web.get("/").html.main)
