"""The search in the header: what it finds, what it never finds, and what nonsense does to it."""

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from webtest import TestResponse

from tests import factories as f
from tests.web.conftest import Browser
from tests.web.test_event_logs import path


def find(web: Browser, q: str, **more: Any) -> TestResponse:
    return web.get("/search/", {"q": q, **more}, status=200)


def names(page: TestResponse, kind: str) -> list[str]:
    """What was found of a kind, in its order."""
    heading = page.html.find(id=kind)
    return [tag.a.text for tag in heading.find_parent("section").select("li")] if heading else []


def kinds(page: TestResponse) -> list[str]:
    return [tag["id"] for tag in page.html.select("section.panel h2")]


class TestNames:
    def prepared(self) -> Any:
        org = f.OrgFactory(name="Demo University", slug="demo-university")
        project = f.ProjectFactory(
            name="Asthma in adults", slug="asthma-adults", number="POS-2026-2001", org=org
        )
        return f.WorkspaceFactory(name="asthma-main", project=project)

    @pytest.mark.parametrize("q", ["asthma", "ASTH", "main asth", "asthma-main", "  main  "])
    def test_the_beginnings_of_words_find_a_workspace(self, web: Browser, q: str) -> None:
        workspace = self.prepared()
        page = find(web, q)
        assert names(page, "workspaces") == ["asthma-main"]
        row = page.html.find(id="workspaces").find_parent("section")
        assert row.find("a", string="asthma-main")["href"] == path(workspace)
        assert "Demo University / Asthma in adults" in row.text

    @pytest.mark.parametrize("q", ["adults asthma", "asthma-adults", "pos-2026-2001", "POS-2026-2001"])
    def test_name_slug_and_number_find_a_project(self, web: Browser, q: str) -> None:
        workspace = self.prepared()
        page = find(web, q)
        assert names(page, "projects") == ["Asthma in adults"]
        link = page.html.find("a", string="Asthma in adults")
        assert link["href"] == path(workspace.project)

    def test_an_organisation_is_found_by_name_and_slug(self, web: Browser) -> None:
        self.prepared()
        for q in ("university", "demo"):
            page = find(web, q)
            assert names(page, "organisations") == ["Demo University"]
            assert page.html.find("a", string="Demo University")["href"] == "/demo-university/"

    def test_all_words_must_be_there_and_the_middle_of_a_word_is_none(self, web: Browser) -> None:
        self.prepared()
        for q in ("asthma children", "sthma"):
            assert kinds(find(web, q)) == ["what"]

    def test_what_is_called_just_so_comes_first_then_what_begins_so(self, web: Browser) -> None:
        for name in ("a-study", "study-b", "study", "study-a"):
            f.WorkspaceFactory(name=name)
        assert names(find(web, "Study"), "workspaces") == ["study", "study-a", "study-b", "a-study"]

    def test_an_archived_workspace_is_found_and_says_so(self, web: Browser) -> None:
        f.WorkspaceFactory(name="old-one", is_archived=True)
        page = find(web, "old")
        assert "Archived" in page.html.find(id="workspaces").find_parent("section").text

    def test_many_of_a_kind_are_ten_and_a_link_to_the_rest(self, web: Browser) -> None:
        for number in range(12):
            f.WorkspaceFactory(name=f"study-{number:02}")
        page = find(web, "study")
        assert len(names(page, "workspaces")) == 10
        more = page.html.find("a", string="All 12 workspaces")["href"]
        every = web.get(more)
        assert len(names(every, "workspaces")) == 12
        assert every.html.find("a", string="Everything found")["href"] == "/search/?q=study"

    def test_an_unknown_kind_is_a_404(self, web: Browser) -> None:
        web.get("/search/?q=a&kind=secrets", status=404)


class TestPeople:
    def test_who_took_part_is_found_by_username_and_name(self, web: Browser) -> None:
        asker = f.JobRequestFactory(
            created_by=f.UserFactory(username="ann-x", fullname="Ann O'Hara")
        ).created_by
        member = f.ProjectMembershipFactory(user=f.UserFactory(username="bea", fullname="Bea Ohara")).user
        for q, found in {"ann": asker, "O'Hara": asker, "bea": member}.items():
            page = find(web, q)
            assert names(page, "people") == [found.fullname]
            assert page.html.find("a", string=found.fullname)["href"] == f"/users/{found.username}/"

    def test_who_never_took_part_stays_hidden(self, web: Browser) -> None:
        """Pages 30.1 no. 6: from everybody, whatever is typed."""
        f.UserFactory(username="quiet", fullname="Quiet Person", email="quiet@example.com")
        web.sign_in(f.UserFactory())
        for q in ("quiet", "Quiet Person", "quiet@example.com"):
            assert names(find(web, q), "people") == []

    def test_nobody_is_found_by_an_email_address(self, web: Browser) -> None:
        f.JobRequestFactory(created_by=f.UserFactory(username="ann", email="secret@example.com"))
        assert kinds(find(web, "secret@example.com")) == ["what"]


class TestNumbersAndIdentifiers:
    def test_the_number_of_a_request_leads_to_it(self, web: Browser) -> None:
        row = f.JobRequestFactory()
        answer = web.get(f"/search/?q=+{row.id}+", status=303)
        assert answer.location == f"http://localhost{path(row.workspace)}{row.id}/"
        assert kinds(find(web, "987654321")) == ["what"]

    def test_a_whole_identifier_leads_to_its_page(self, web: Browser) -> None:
        job = f.JobFactory(identifier="abcdefghijklmnop")
        row = job.job_request
        to_job = web.get("/search/?q=ABCDEFGHIJKLMNOP", status=303)
        assert to_job.location == f"http://localhost{path(row.workspace)}{row.id}/{job.identifier}/"
        to_request = web.get(f"/search/?q={row.identifier}", status=303)
        assert to_request.location == f"http://localhost{path(row.workspace)}{row.id}/"

    def test_the_beginning_of_an_identifier_lists_what_begins_so(self, web: Browser) -> None:
        row = f.JobRequestFactory(identifier="abcd000000000000")
        job = f.JobFactory(job_request=row, identifier="abcd111111111111", action="model")
        page = find(web, "abcd")
        assert names(page, "requests") == [str(row.id)]
        assert names(page, "jobs") == ["model"]
        link = page.html.find("a", string="model")["href"]
        assert link == f"{path(row.workspace)}{row.id}/{job.identifier}/"
        assert kinds(find(web, "abc")) == ["what"]

    def test_a_commit_from_seven_characters_lists_the_requests_that_ran_it(self, web: Browser) -> None:
        sha = "abcdef1234567890abcdef1234567890abcdef12"
        one, other = f.JobRequestFactory(sha=sha), f.JobRequestFactory(sha=sha)
        f.JobRequestFactory()
        for q in (sha[:7], sha.upper(), sha):
            assert names(find(web, q), "commits") == [str(other.id), str(one.id)]
        assert names(find(web, sha[:6]), "commits") == []


class TestRubbish:
    @pytest.mark.parametrize(
        "q",
        [
            "&", "|", "!", "(", ")", ":*", "<->", "a & !b", "a:*B", "'", "''", '"', "\\", "\\'", "%", "_",
            "a\0b", "\0", "x" * 10_000, "word " * 3000, "💩", "ß ﬁ İ", "½ ² ४", "'; DROP TABLE job; --",
            "9" * 40, "0", "00012", "-1", "__", "a'b:*|c", "e\u0301", "\u202e",
        ],
    )  # fmt: skip
    def test_nothing_that_is_typed_is_an_error(self, web: Browser, q: str) -> None:
        f.WorkspaceFactory(name="a-b-c")
        find(web, q)
        for kind in ("workspaces", "people"):
            find(web, q[:100], kind=kind)

    def test_markup_is_text(self, web: Browser) -> None:
        f.JobRequestFactory(
            created_by=f.UserFactory(username="marked", fullname="<b>Marked</b>"),
            workspace__project__name="<i>marked</i>",
            workspace__project__org__name="<u>marked</u>",
        )
        page = find(web, "marked")
        assert {"projects", "organisations", "people"} <= set(kinds(page))
        assert not page.html.main.select("b, i, u")
        assert "<script>x" not in find(web, "<script>x")

    def test_without_anything_it_says_what_can_be_found(self, web: Browser) -> None:
        page = web.get("/search/")
        assert "its first 4 characters" in page
        assert "Nothing is found" not in page
        assert "Nothing is found for “zzz”" in find(web, "zzz")


class TestTheHeader:
    def test_every_page_has_the_search_without_script(self, web: Browser) -> None:
        for url in ("/", "/event-log/", "/nowhere/"):
            page = web.get(url, expect_errors=True)
            form = page.html.header.find("form", role="search")
            assert (form["action"], form["method"]) == ("/search/", "get")
            assert page.html.find("label", {"for": form.find("input")["id"]})
            assert page.html.header.find("a", {"aria-label": "Search"})["href"] == "/search/"

    def test_its_own_page_has_one_search_that_shows_what_was_typed(self, web: Browser) -> None:
        page = find(web, "zzz")
        (field,) = page.html.find_all("input", {"type": "search"})
        assert field["value"] == "zzz"


@pytest.mark.parametrize("q", ["study", "study 1", "abcd", "abcdefabcdefabcd", "abcdef1"])
def test_a_search_takes_the_same_few_statements_for_more_rows(
    web: Browser, count_statements: Callable[[], Any], q: str
) -> None:
    web.sign_in(f.UserFactory())
    numbers, serial = [], count(1)
    for more in (2, 18):
        for _ in range(more):
            workspace = f.WorkspaceFactory(name=f"study-{next(serial)}")
            f.JobFactory(job_request=f.JobRequestFactory(workspace=workspace, sha="abcdef1" + "0" * 33))
        with count_statements() as sent:
            find(web, q)
        numbers.append(len(sent))
    assert numbers[0] == numbers[1] <= 12
