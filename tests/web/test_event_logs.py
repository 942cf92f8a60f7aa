"""The logs: what each holds, in which order, page by page."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from jobserver.models import User, utcnow
from tests import factories as f
from tests.web.conftest import Browser

ASKER = "ann-asker"


def path(thing: Any) -> str:
    """The address of a project or workspace."""
    if hasattr(thing, "branch"):
        return f"{path(thing.project)}{thing.name}/"
    return f"/{thing.org.slug}/{thing.slug}/"


def shown(page: Any) -> list[int]:
    """The numbers of the requests on the page, in their order."""
    return [int(tag["id"].split("-")[1]) for tag in page.html.select("tr[id^=request-]")]


def logs_of(workspace: Any) -> list[str]:
    project = workspace.project
    return [
        "/event-log/",
        f"/{project.org.slug}/logs/",
        f"{path(project)}logs/",
        f"{path(workspace)}logs/",
        f"/users/{ASKER}/logs/",
    ]


def asked(**fields: Any) -> Any:
    """A request of the person whose log is looked at."""
    asker = f.current().scalar(select(User).where(User.username == ASKER))
    return f.JobRequestFactory(
        created_by=asker or f.UserFactory(username=ASKER, fullname="Ann Asker"), **fields
    )


def test_each_log_holds_what_lies_below_its_place(web: Browser) -> None:
    workspace = f.WorkspaceFactory()
    here = asked(workspace=workspace)
    sibling = f.JobRequestFactory(workspace=f.WorkspaceFactory(project=workspace.project))
    cousin_project = f.ProjectFactory(org=workspace.project.org)
    cousin = f.JobRequestFactory(workspace=f.WorkspaceFactory(project=cousin_project))
    stranger = asked()
    held = [shown(web.get(url)) for url in logs_of(workspace)]
    assert held == [
        [stranger.id, cousin.id, sibling.id, here.id],
        [cousin.id, sibling.id, here.id],
        [sibling.id, here.id],
        [here.id],
        [stranger.id, here.id],
    ]


def test_an_organisations_log_holds_projects_that_others_lead(web: Browser) -> None:
    """Pages 9: lead or not."""
    partner = f.OrgFactory()
    project = f.ProjectFactory(other_orgs=[partner])
    row = f.JobRequestFactory(workspace=f.WorkspaceFactory(project=project))
    page = web.get(f"/{partner.slug}/logs/")
    assert shown(page) == [row.id]
    assert page.html.find("a", string=str(row.id))["href"] == f"{path(row.workspace)}{row.id}/"


def test_requests_on_backends_out_of_use_stay_on_record(web: Browser) -> None:
    row = f.JobRequestFactory(backend=f.BackendFactory(is_active=False))
    assert shown(web.get("/event-log/")) == [row.id]


@pytest.mark.parametrize("index", range(5))
def test_logs_are_paged_by_25_newest_first(web: Browser, index: int) -> None:
    workspace = f.WorkspaceFactory()
    rows = [asked(workspace=workspace).id for _ in range(26)][::-1]
    url = logs_of(workspace)[index]
    assert shown(web.get(url)) == rows[:25]
    assert shown(web.get(url + "?page=2")) == rows[25:]
    assert shown(web.get(url + "?page=last")) == rows[25:]
    assert "Page 1 of 2" in web.get(url)


@pytest.mark.parametrize("page", ["0", "2", "-1", "x", "1.0", "%D9%A3", "9" * 30, "%00"])
def test_a_page_that_does_not_exist_is_a_404(web: Browser, page: str) -> None:
    workspace = asked().workspace
    for url in logs_of(workspace):
        web.get(f"{url}?page={page}", status=404)


def test_empty_logs_say_so(web: Browser) -> None:
    web.sign_in(f.UserFactory(username=ASKER))
    for url in logs_of(f.WorkspaceFactory()):
        page = web.get(url + "?page=1")
        assert "Nothing has run" in page
        assert not page.html.select(".filters")


class TestTheLogOfAPerson:
    """Pages 9 and 21."""

    def test_it_is_headed_by_their_name_and_says_nothing_of_who_asked(self, web: Browser) -> None:
        row = asked()
        page = web.get(f"/users/{ASKER}/logs/")
        assert page.html.h1.get_text(" ", strip=True) == "Job requests Ann Asker"
        assert page.html.title.text == "Job requests – Ann Asker – Job server"
        headers = [tag.text for tag in page.html.select("th[scope=col]")]
        assert "Asked by" not in headers
        assert "Project" in headers
        assert shown(page) == [row.id]
        crumbs = page.html.find("nav", {"aria-label": "Breadcrumb"})
        assert crumbs.find("a", string="Ann Asker")["href"] == f"/users/{ASKER}/"

    def test_the_subject_of_the_page_is_not_its_reader(self, web: Browser) -> None:
        """Pages 30.1 no. 11."""
        asked()
        assert "Sign in" in web.get(f"/users/{ASKER}/logs/").html.header.text

    def test_who_never_took_part_is_known_to_themselves_only(self, web: Browser) -> None:
        hidden = f.UserFactory()
        url = f"/users/{hidden.username}/logs/"
        web.get(url, status=404)
        web.sign_in(f.UserFactory()).get(url, status=404)
        assert "Nothing has run here yet" in web.sign_in(hidden).get(url)

    def test_nobody_of_the_name_is_a_404(self, web: Browser) -> None:
        web.get("/users/nobody/logs/", status=404)


def test_who_asked_leads_to_their_page(web: Browser) -> None:
    row = asked()
    for url in logs_of(row.workspace)[:4]:
        link = web.get(url).html.find(id=f"request-{row.id}").find("a", string="Ann Asker")
        assert link["href"] == f"/users/{ASKER}/"


def test_a_row_says_who_asked_for_what_and_what_became_of_it(web: Browser) -> None:
    row = f.JobRequestFactory(
        status="failed",
        jobs_succeeded=1,
        jobs_cancelled=1,
        created_by__fullname="Ann Alyst",
        backend__name="TPP",
        requested_actions=["a", "b", "c", "d", "e"],
    )
    text = " ".join(web.get("/event-log/").html.find(id=f"request-{row.id}").get_text(" ").split())
    for part in ("Cancelled", row.workspace.name, row.workspace.project.name, "2/2", "Ann Alyst", "TPP"):
        assert part in text
    page = web.get(f"{path(row.workspace)}logs/")
    assert "a, b, c and 2 more" in " ".join(page.html.find(id=f"request-{row.id}").get_text(" ").split())


def test_a_request_that_failed_and_was_cancelled_has_failed(web: Browser) -> None:
    row = f.JobRequestFactory(status="failed", jobs_failed=1, jobs_cancelled=1)
    assert "Failed" in web.get("/event-log/").html.find(id=f"request-{row.id}").text


class TestSearchingTheLogOfAWorkspace:
    """Pages 9: q and backend."""

    def prepared(self) -> tuple[str, Any, Any]:
        workspace = f.WorkspaceFactory()
        tpp, emis = f.BackendFactory(slug="tpp"), f.BackendFactory(slug="emis")
        one = f.JobRequestFactory(workspace=workspace, backend=tpp)
        other = f.JobRequestFactory(workspace=workspace, backend=emis)
        f.JobFactory(job_request=one, action="model_Cox", identifier="abcdefghijklmnop")
        f.JobFactory(job_request=one, action="model_100%", identifier="qqqqqqqqqqqqqqqq")
        f.JobFactory(job_request=other, action="report", identifier="wwwwwwwwwwwwwwww")
        return f"{path(workspace)}logs/", one, other

    def test_a_part_of_an_action_finds_its_request_once(self, web: Browser) -> None:
        url, one, other = self.prepared()
        assert shown(web.get(url + "?q=MODEL")) == [one.id]
        assert shown(web.get(url + "?q=report")) == [other.id]

    def test_the_beginning_of_an_identifier_finds_its_request(self, web: Browser) -> None:
        url, one, other = self.prepared()
        assert shown(web.get(url + "?q=abcd")) == [one.id]
        assert shown(web.get(url + "?q=ABCDEFGH")) == [one.id]
        assert shown(web.get(f"{url}?q={other.identifier[:8]}")) == [other.id]
        assert shown(web.get(url + "?q=bcdefgh")) == []
        assert shown(web.get(url + "?q=abc")) == []

    def test_the_number_of_a_request_or_of_a_job_finds_it(self, web: Browser) -> None:
        url, one, other = self.prepared()
        stranger = f.JobRequestFactory.create_batch(4)[-1]
        third = f.JobFactory(job_request=other, action="a", identifier="eeeeeeeeeeeeeeee")
        assert other.id in shown(web.get(f"{url}?q={other.id}"))
        assert third.id not in (one.id, other.id)
        assert shown(web.get(f"{url}?q={third.id}")) == [other.id]
        assert shown(web.get(f"{url}?q={stranger.id}")) == []

    def test_wildcards_are_plain_characters(self, web: Browser) -> None:
        url, one, _ = self.prepared()
        assert shown(web.get(url + "?q=100%25")) == [one.id]
        assert shown(web.get(url + "?q=r%25t")) == []
        assert shown(web.get(url + "?q=l%5C")) == []

    def test_backends_are_alternatives_and_add_to_the_search(self, web: Browser) -> None:
        url, one, other = self.prepared()
        assert shown(web.get(url + "?backend=tpp")) == [one.id]
        assert shown(web.get(url + "?backend=tpp&backend=emis")) == [other.id, one.id]
        assert shown(web.get(url + "?backend=emis&q=model")) == []
        assert shown(web.get(url + "?backend=nowhere")) == []

    def test_only_backends_that_were_used_are_offered(self, web: Browser) -> None:
        url, *_ = self.prepared()
        f.BackendFactory(slug="unused")
        offered = [tag["value"] for tag in web.get(url).html.select("input[name=backend]")]
        assert offered == ["emis", "tpp"]
        assert not web.get(f"{path(f.WorkspaceFactory())}logs/").html.select("input[name=backend]")

    def test_what_is_searched_for_stays_in_the_form_and_each_part_can_be_removed(self, web: Browser) -> None:
        url, *_ = self.prepared()
        page = web.get(url + "?q=model&backend=tpp")
        assert page.html.find(id="search-q")["value"] == "model"
        assert page.html.find("input", {"name": "backend", "value": "tpp"}).has_attr("checked")
        removals = [tag["href"] for tag in page.html.select(".chip a")]
        assert removals == ["?backend=tpp", "?q=model"]

    def test_pages_keep_the_search(self, web: Browser) -> None:
        workspace = f.WorkspaceFactory()
        backend = f.BackendFactory(slug="tpp")
        for _ in range(26):
            f.JobFactory(job_request=f.JobRequestFactory(workspace=workspace, backend=backend), action="make")
        page = web.get(f"{path(workspace)}logs/?q=make&backend=tpp")
        assert page.html.find("a", rel="next")["href"] == "?q=make&backend=tpp&page=2"

    def test_nothing_found_is_not_nothing_there(self, web: Browser) -> None:
        url, *_ = self.prepared()
        page = web.get(url + "?q=zzz")
        assert "No request matches" in page
        assert "Nothing has run" not in page

    @pytest.mark.parametrize(
        "query", ["q=%00", "backend=%00", "q=" + "9" * 40, "q=%20", "q[]=1", "q=%F0%9F%92%A9"]
    )
    def test_rubbish_is_no_error(self, web: Browser, query: str) -> None:
        url, *_ = self.prepared()
        web.get(f"{url}?{query}", status=200)

    def test_markup_in_a_search_is_text(self, web: Browser) -> None:
        url, *_ = self.prepared()
        assert "<script>x" not in web.get(url + "?q=<script>x")


def test_archived_and_maintenance_are_said_on_a_workspaces_log_to_those_who_may_know(web: Browser) -> None:
    """Access 3."""
    workspace = f.WorkspaceFactory(is_archived=True)
    f.BackendFactory(slug="tpp", is_in_maintenance_mode=True)
    url = f"{path(workspace)}logs/"
    anonymous = web.get(url)
    assert "archived" not in anonymous
    assert "maintenance" not in anonymous.html.text
    nobody = web.sign_in(f.UserFactory()).get(url)
    assert "archived" not in nobody
    assert "TPP is in database maintenance" in nobody
    somebody = web.sign_in(f.UserFactory(roles=["TechSupport"])).get(url)
    assert "This workspace is archived." in somebody


@pytest.mark.parametrize("index", range(5))
def test_the_number_of_statements_does_not_grow(
    web: Browser, count_statements: Callable[[], Any], index: int
) -> None:
    workspace = f.WorkspaceFactory()
    web.sign_in(f.UserFactory())
    numbers = []
    for more in (2, 18):
        for _ in range(more):
            f.JobFactory(job_request=asked(workspace=workspace))
        with count_statements() as sent:
            web.get(logs_of(workspace)[index])
        numbers.append(len(sent))
    assert numbers[0] == numbers[1] <= 12


class TestRefreshing:
    """UI 9: the first page of a log with an active row."""

    def region(self, page: Any) -> Any:
        return page.html.find(id="rows")

    def test_only_a_first_page_with_something_under_way_refreshes_itself(self, web: Browser) -> None:
        workspace = f.WorkspaceFactory()
        for _ in range(25):
            f.JobRequestFactory(workspace=workspace, status="running")
        done = f.JobRequestFactory(workspace=workspace, status="succeeded", completed_at=utcnow())
        url = f"{path(workspace)}logs/"
        assert self.region(web.get(url))["hx-get"] == f"?live={done.id}"
        assert "hx-get" not in self.region(web.get(url + "?page=2")).attrs
        quiet = f.JobRequestFactory(status="succeeded", completed_at=utcnow())
        assert "hx-get" not in self.region(web.get(f"{path(quiet.workspace)}logs/")).attrs

    def test_new_requests_are_a_link_and_do_not_push_the_list_down(self, web: Browser) -> None:
        one = f.JobRequestFactory(status="running")
        url = f"{path(one.workspace)}logs/?status=running"
        live = self.region(web.get(url))["hx-get"]
        assert live == f"?status=running&live={one.id}"
        f.JobRequestFactory.create_batch(3, workspace=one.workspace, status="running")
        f.JobRequestFactory(workspace=one.workspace, status="succeeded")
        part = web.get(f"{path(one.workspace)}logs/{live}", headers={"HX-Request": "true"})
        assert shown(part) == [one.id]
        link = part.html.find("a", string="3 new requests")
        assert link["href"] == url
        assert part.html.h1 is None
        assert self.region(part)["hx-get"] == live

    def test_a_row_that_changed_is_sent_and_nothing_when_nothing_did(
        self, web: Browser, db: Session, count_statements: Callable[[], Any]
    ) -> None:
        row = f.JobRequestFactory(status="running")
        url = f"/event-log/?live={row.id}"
        tag = web.get(url).headers["ETag"]
        with count_statements() as sent:
            web.get(url, headers={"If-None-Match": tag}, status=304)
        assert len(sent) <= 2
        row.status, row.version, row.completed_at = "failed", 2, utcnow()
        db.commit()
        part = web.get(url, headers={"If-None-Match": tag}, status=200)
        assert "Failed" in part
        assert "hx-get" not in self.region(part).attrs

    @pytest.mark.parametrize("query", ["live=x", "live=", "live=%00", "live=0", "live=1&from=x"])
    def test_rubbish_is_a_404(self, web: Browser, query: str) -> None:
        f.JobRequestFactory(status="running")
        web.get(f"/event-log/?{query}", status=404)
