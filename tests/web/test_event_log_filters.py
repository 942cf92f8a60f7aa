"""The filters of the logs: what each finds, what it says of nonsense, and that none forgets another."""

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from webtest import TestResponse

from jobserver.forms.log_filters import read
from jobserver.queries import log_filters
from jobserver.queries.log_filters import Filters, Meant, look_up
from tests import factories as f
from tests.web.conftest import Browser
from tests.web.test_event_logs import ASKER, asked, logs_of, path, shown

URL = "/event-log/"


def counted(page: TestResponse) -> str:
    """What the page says of how much it shows."""
    return page.html.select_one(".chips [role=status]").text


def chips(page: TestResponse) -> list[str]:
    return [tag.get_text(strip=True) for tag in page.html.select(".chip")]


def fault(page: TestResponse, name: str) -> str:
    """The message beside a field."""
    tag = page.html.find(attrs={"name": name, "aria-invalid": "true"}) or page.html.find(
        "summary", {"aria-describedby": f"filter-{name}-error"}
    )
    return page.html.find(id=tag["aria-describedby"].split()[-1]).get_text(strip=True)


class TestState:
    """Rap 9: what is called cancelled is not called failed."""

    def prepared(self) -> dict[str, int]:
        made: dict[str, Any] = {
            status: f.JobRequestFactory(status=status)
            for status in ("pending", "running", "succeeded", "nothing_to_do", "unknown")
        }
        made["unsure"] = f.JobRequestFactory(status="unknown_error_creating_jobs")
        made["failed"] = f.JobRequestFactory(status="failed", jobs_failed=1, jobs_cancelled=1)
        made["refused"] = f.JobRequestFactory(status="failed")
        made["cancelled"] = f.JobRequestFactory(status="failed", jobs_cancelled=2)
        return {name: row.id for name, row in made.items()}

    def test_each_state_finds_what_is_shown_so(self, web: Browser) -> None:
        made = self.prepared()
        for status, names in {
            "pending": ["pending"],
            "running": ["running"],
            "succeeded": ["succeeded"],
            "failed": ["refused", "failed"],
            "cancelled": ["cancelled"],
            "nothing_to_do": ["nothing_to_do"],
            "unknown": ["unsure", "unknown"],
        }.items():
            assert shown(web.get(f"{URL}?status={status}")) == [made[name] for name in names], status

    def test_states_are_alternatives(self, web: Browser) -> None:
        made = self.prepared()
        page = web.get(f"{URL}?status=failed&status=cancelled")
        assert shown(page) == [made["cancelled"], made["refused"], made["failed"]]
        assert counted(page) == "3 of 9 job requests"
        assert chips(page) == ["State: Failed", "State: Cancelled"]

    def test_an_unknown_state_is_said_and_nothing_is_shown(self, web: Browser) -> None:
        self.prepared()
        page = web.get(f"{URL}?status=failed&status=exploded")
        assert shown(page) == []
        assert "Choose among those listed here" in fault(page, "status")
        assert page.html.title.text.startswith("Error: ")
        assert "Correct the filter that is marked above" in page
        assert chips(page) == ["State: Failed", "State: exploded"]


class TestNames:
    """Who asked, where, and on what."""

    def test_a_username_finds_what_they_asked_for_however_it_is_written(self, web: Browser) -> None:
        mine = asked()
        f.JobRequestFactory()
        page = web.get(f"{URL}?user=ANN-asker")
        assert shown(page) == [mine.id]
        assert chips(page) == ["Asked by: Ann Asker"]

    def test_a_project_and_a_workspace_find_what_is_in_them(self, web: Browser) -> None:
        here = f.JobRequestFactory()
        beside = f.JobRequestFactory(workspace=f.WorkspaceFactory(project=here.workspace.project))
        f.JobRequestFactory()
        project = here.workspace.project
        assert shown(web.get(f"{URL}?project={project.slug}")) == [beside.id, here.id]
        assert shown(web.get(f"{URL}?workspace={here.workspace.name}")) == [here.id]
        assert shown(web.get(f"{path(project)}logs/?workspace={here.workspace.name}")) == [here.id]

    def test_the_filters_of_a_log_leave_out_what_the_place_says(self, web: Browser) -> None:
        row = asked()
        fields = [
            {tag["name"] for tag in web.get(url).html.select(".filters input")}
            for url in logs_of(row.workspace)
        ]
        everything = {"q", "status", "backend", "user", "action", "project", "workspace", "identifier"}
        everything |= {"from", "to"}
        assert fields == [
            everything,
            everything,
            everything - {"project"},
            everything - {"project", "workspace"},
            everything - {"user"},
        ]
        # What has no field has no effect either.
        assert shown(web.get(f"/users/{ASKER}/logs/?user=nobody")) == [row.id]

    @pytest.mark.parametrize(
        ("name", "cure"),
        [("user", "whole username"), ("project", "address of its page"), ("workspace", "whole name")],
    )
    def test_a_name_that_nobody_has_is_said_beside_its_field(
        self, web: Browser, name: str, cure: str
    ) -> None:
        f.JobRequestFactory()
        page = web.get(f"{URL}?{name}=nothing-called-so")
        assert shown(page) == []
        assert cure in fault(page, name)
        assert page.html.find("details", class_="more").has_attr("open")

    def test_a_filter_does_not_tell_of_accounts_that_never_took_part(self, web: Browser) -> None:
        """Pages 30.1 no. 6."""
        f.JobRequestFactory()
        hidden = f.UserFactory(fullname="Hidden Person")
        page = web.get(f"{URL}?user={hidden.username}")
        assert "Hidden Person" not in page
        assert "Nobody here has this username" in fault(page, "user")

    def test_an_unknown_backend_is_said_and_nothing_is_shown(self, web: Browser) -> None:
        f.JobRequestFactory(backend__slug="tpp")
        page = web.get(f"{URL}?backend=tpp&backend=mars")
        assert shown(page) == []
        assert "Choose among those listed here" in fault(page, "backend")


class TestActions:
    def prepared(self) -> list[Any]:
        rows = f.JobRequestFactory.create_batch(3)
        f.JobFactory(job_request=rows[0], action="model_Cox")
        f.JobFactory(job_request=rows[0], action="model_linear")
        f.JobFactory(job_request=rows[1], action="describe")
        f.JobFactory(job_request=rows[2], action="model_Cox")
        return rows

    def test_a_part_of_a_name_finds_each_request_once(self, web: Browser) -> None:
        rows = self.prepared()
        assert shown(web.get(f"{URL}?action=MODEL")) == [rows[2].id, rows[0].id]
        assert shown(web.get(f"{URL}?q=linear")) == [rows[0].id]
        assert shown(web.get(f"{URL}?action=nothing")) == []

    def test_search_and_action_both_hold(self, web: Browser) -> None:
        rows = self.prepared()
        page = web.get(f"{URL}?q=cox&action=linear")
        assert shown(page) == [rows[0].id]
        assert counted(page) == "1 of 3 job requests"

    @pytest.mark.parametrize("place", range(5))
    def test_a_part_that_very_many_names_share_finds_the_same(
        self, web: Browser, monkeypatch: pytest.MonkeyPatch, place: int
    ) -> None:
        monkeypatch.setattr(log_filters, "FEW_NAMES", 1)
        row = asked()
        f.JobFactory(job_request=row, action="model_Cox")
        f.JobFactory(job_request=row, action="model_linear")
        f.JobFactory(job_request=asked(workspace=row.workspace), action="describe")
        assert shown(web.get(f"{logs_of(row.workspace)[place]}?q=model")) == [row.id]

    def test_names_are_never_sql(self, web: Browser) -> None:
        row = f.JobRequestFactory()
        for name in ("it's", 'a "b"', "50%", "back\\slash", "%(x)s", ":colon", "; DROP TABLE job; --"):
            f.JobFactory(job_request=row, action=name)
            assert shown(web.get(URL, {"action": name})) == [row.id], name


class TestIdentifiers:
    def test_the_beginning_of_a_requests_or_a_jobs_identifier_finds_it(self, web: Browser) -> None:
        one = f.JobRequestFactory(identifier="aaaabbbbccccdddd")
        other = f.JobRequestFactory(identifier="zzzzbbbbccccdddd")
        f.JobFactory(job_request=other, identifier="aaaaxxxxccccdddd")
        assert shown(web.get(f"{URL}?identifier=aaaa")) == [other.id, one.id]
        assert shown(web.get(f"{URL}?identifier=AAAAb")) == [one.id]
        assert shown(web.get(f"{URL}?identifier=bbbb")) == []
        assert shown(web.get(f"{URL}?identifier=zzzz")) == [other.id]

    @pytest.mark.parametrize("value", ["abc", "abc%", "äbcd", "ab cd", "1_34"])
    def test_what_cannot_begin_one_is_said(self, web: Browser, value: str) -> None:
        f.JobRequestFactory()
        page = web.get(URL, {"identifier": value})
        assert "at least the first 4 characters" in fault(page, "identifier")


class TestDays:
    """London days, both included."""

    def prepared(self) -> list[int]:
        moments = [
            datetime(2026, 6, 9, 22, 59, tzinfo=UTC),
            # Midnight in London's summer.
            datetime(2026, 6, 9, 23, 0, tzinfo=UTC),
            datetime(2026, 6, 11, 22, 59, tzinfo=UTC),
            datetime(2026, 6, 11, 23, 0, tzinfo=UTC),
        ]
        return [f.JobRequestFactory(created_at=moment).id for moment in moments]

    def test_days_begin_and_end_in_london(self, web: Browser) -> None:
        ids = self.prepared()
        page = web.get(f"{URL}?from=2026-06-10&to=2026-06-11")
        assert shown(page) == [ids[2], ids[1]]
        assert chips(page) == ["From: 10 Jun 2026", "To: 11 Jun 2026"]
        assert shown(web.get(f"{URL}?from=2026-06-12")) == [ids[3]]
        assert shown(web.get(f"{URL}?to=2026-06-09")) == [ids[0]]

    @pytest.mark.parametrize(
        "value",
        [
            "17.11.2026",
            "2026-02-30",
            "20261117",
            "2026-W01-1",
            "0001-01-01",
            "9999-12-31",
            "x",
            "２０２６-06-10",
        ],
    )
    def test_what_is_no_day_is_said(self, web: Browser, value: str) -> None:
        self.prepared()
        page = web.get(URL, {"from": value, "to": value})
        assert shown(page) == []
        for name in ("from", "to"):
            assert "as year-month-day: 2026-11-17" in fault(page, name)
            # A date field could not show what was typed.
            assert page.html.find(attrs={"name": name})["value"] == value

    def test_an_end_before_the_beginning_is_said(self, web: Browser) -> None:
        self.prepared()
        page = web.get(f"{URL}?from=2026-06-11&to=2026-06-10&page=3")
        assert "not before 11 Jun 2026" in fault(page, "to")


class TestTheForm:
    def narrowed(self, requests: int = 1) -> str:
        backend = f.BackendFactory(slug="tpp", name="TPP")
        for _ in range(requests):
            f.JobFactory(job_request=asked(backend=backend, status="failed"), action="model")
        return f"q=model&status=failed&backend=tpp&user={ASKER}"

    def test_it_shows_what_is_filtered_by(self, web: Browser) -> None:
        page = web.get(f"{URL}?{self.narrowed()}")
        form = page.html.select_one("form.filters")
        assert form["method"] == "get"
        assert form["action"] == URL
        assert form.find(attrs={"name": "user"})["value"] == ASKER
        assert [tag["value"] for tag in form.select("[checked]")] == ["failed", "tpp"]

    def test_each_filter_can_be_removed_and_keeps_the_others(self, web: Browser) -> None:
        page = web.get(f"{URL}?{self.narrowed()}&page=1")
        removals = [tag["href"] for tag in page.html.select(".chip a")]
        assert removals == [
            f"?status=failed&backend=tpp&user={ASKER}",
            f"?q=model&backend=tpp&user={ASKER}",
            f"?q=model&status=failed&user={ASKER}",
            "?q=model&status=failed&backend=tpp",
        ]
        assert page.html.find("a", string="Clear all")["href"] == URL

    def test_pages_keep_every_filter(self, web: Browser) -> None:
        query = self.narrowed(26)
        page = web.get(f"{URL}?{query}&page=last")
        assert len(shown(page)) == 1
        assert page.html.find("a", string="First")["href"] == f"?{query}"
        assert web.get(f"{URL}?{query}").html.find("a", rel="next")["href"] == f"?{query}&page=2"

    def test_empty_fields_narrow_nothing(self, web: Browser) -> None:
        row = f.JobRequestFactory()
        page = web.get(f"{URL}?q=&user=&from=&status=&workspace=+")
        assert shown(page) == [row.id]
        assert chips(page) == []

    def test_nothing_found_can_be_cleared(self, web: Browser) -> None:
        f.JobRequestFactory()
        page = web.get(f"{URL}?q=zzz")
        assert "No request matches" in page
        assert counted(page) == "0 of 1 job request"
        assert page.html.find("a", string="Clear all filters")["href"] == URL

    @pytest.mark.parametrize("value", ["%00", "a%00b", "x" * 10_000, "<script>x", "'\"\\%_", "%F0%9F%92%A9"])
    def test_rubbish_in_any_field_is_no_error(self, web: Browser, value: str) -> None:
        workspace = asked().workspace
        fields = read([], {}).fields
        for name in fields:
            assert "<script>x" not in web.get(f"{URL}?{name}={value}", status=200)
        everything = "&".join(f"{name}={value[:900]}" for name in fields)
        for url in logs_of(workspace):
            assert "<script>x" not in web.get(f"{url}?{everything}", status=200)

    def test_a_value_that_is_too_long_is_said(self, web: Browser) -> None:
        f.JobRequestFactory()
        assert "200 characters or fewer" in fault(web.get(f"{URL}?q={'x' * 201}"), "q")

    def test_a_thousand_filters_are_twenty(self) -> None:
        form = read([("status", f"s{n}") for n in range(1000)], {})
        assert len(form.values["status"]) == 20


class TestExport:
    def rows(self, page: TestResponse) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(page.text)))

    def test_all_that_is_filtered_is_in_the_file(self, web: Browser) -> None:
        for _ in range(26):
            asked(status="failed", jobs_cancelled=1)
        last = asked(status="failed", jobs_failed=2, requested_actions=["a", "b"], started_at=None)
        f.JobRequestFactory()
        page = web.get(f"{URL}?status=failed&status=cancelled&user={ASKER}")
        file = web.get(URL + page.html.select_one("a[href*='format=csv']")["href"])
        assert file.content_type == "text/csv"
        assert file.content_disposition == 'attachment; filename="job-requests.csv"'
        rows = self.rows(file)
        assert len(rows) == 27
        assert rows[0] == {
            "request": str(last.id),
            "identifier": last.identifier,
            "state": "failed",
            "organisation": last.workspace.project.org.slug,
            "project": last.workspace.project.slug,
            "workspace": last.workspace.name,
            "actions": "a b",
            "jobs succeeded": "0",
            "jobs failed": "2",
            "jobs cancelled": "0",
            "jobs not finished": "0",
            "asked by": ASKER,
            "backend": last.backend.slug,
            "asked at": last.created_at.isoformat(timespec="seconds"),
            "started at": "",
            "ended at": "",
            "commit": last.sha,
        }
        assert {row["state"] for row in rows[1:]} == {"cancelled"}

    @pytest.mark.parametrize("index", range(5))
    def test_every_log_has_one(self, web: Browser, index: int) -> None:
        row = asked()
        rows = self.rows(web.get(logs_of(row.workspace)[index] + "?format=csv"))
        assert [each["request"] for each in rows] == [str(row.id)]

    def test_a_faulty_filter_is_refused(self, web: Browser) -> None:
        f.JobRequestFactory()
        assert "From: Enter a day" in web.get(f"{URL}?format=csv&from=x", status=400)

    def test_an_empty_log_offers_none(self, web: Browser) -> None:
        assert "Export" not in web.get(URL)


def test_every_filter_at_once_takes_no_more_statements_for_more_rows(
    web: Browser, count_statements: Callable[[], Any]
) -> None:
    workspace = f.WorkspaceFactory()
    backend = f.BackendFactory(slug="tpp")
    query = (
        f"?q=model&action=model&status=pending&status=unknown&backend=tpp&user={ASKER}"
        f"&project={workspace.project.slug}&workspace={workspace.name}&from=2020-01-01&to=2099-01-01"
    )
    web.sign_in(f.UserFactory())
    numbers = []
    for more in (2, 18):
        for _ in range(more):
            f.JobFactory(job_request=asked(workspace=workspace, backend=backend), action="model")
        with count_statements() as sent:
            page = web.get(URL + query)
        numbers.append(len(sent))
    assert len(shown(page)) == 20
    assert numbers[0] == numbers[1] <= 12


def test_names_are_looked_up_only_where_there_are_any(db: Any, count_statements: Callable[[], Any]) -> None:
    with count_statements() as sent:
        assert look_up(db, Filters(statuses=["failed"])) == Meant()
    assert sent == []


@pytest.mark.parametrize(("field", "given"), [("q", "ab"), ("action", "a")])
def test_a_part_of_a_name_that_is_too_short_is_told_so(web: Browser, field: str, given: str) -> None:
    f.JobFactory(action="abc")
    page = web.get(f"/event-log/?{field}={given}")
    assert "Enter at least 3 characters" in page
    assert page.html.select("tbody tr") == []


def test_the_number_of_a_request_may_be_short(web: Browser) -> None:
    job = f.JobFactory()
    page = web.get(f"/event-log/?q={job.job_request.id}")
    assert "Enter at least" not in page
    assert page.html.find(id=f"request-{job.job_request.id}")
