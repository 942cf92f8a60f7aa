"""Job requests in the staff area (spec: staff 6, 17.38, 17.40, 17.43)."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from jobserver import models as m
from jobserver.models import utcnow
from jobserver.queries.staff.job_requests import JOB_REQUESTS
from jobserver.queries.staff.listing import Asked
from tests import factories as f
from tests.web.conftest import Browser

REQUESTS = "/staff/job-requests/"


@pytest.fixture
def staff(web: Browser, db: Session) -> Browser:
    """A Staff Area Administrator's browser."""
    return web.sign_in(
        f.UserFactory(username="staff-1", fullname="Sam Staff", roles=["StaffAreaAdministrator"])
    )


def ids(page: Any) -> list[int]:
    """Ids in the rows of a page."""
    return [int(each) for each in re.findall(rf'href="{REQUESTS}(\d+)/"', page.text)]


def active(**values: Any) -> m.JobRequest:
    """A request with one job running and one pending."""
    request: m.JobRequest = f.JobRequestFactory(
        status="running", jobs_running=1, jobs_pending=1, started_at=utcnow(), **values
    )
    f.JobFactory(job_request=request, action="first", status="running")
    f.JobFactory(job_request=request, action="second", status="pending")
    return request


def test_requests_are_found_by_the_beginnings_of_what_is_at_hand(staff: Browser, db: Session) -> None:
    org = f.OrgFactory(name="Bennett Institute", slug="bennett")
    project = f.ProjectFactory(name="Asthma in adults", slug="asthma", number="POS-2026-3001", org=org)
    workspace = f.WorkspaceFactory(name="uptake-main", project=project)
    ann = f.UserFactory(username="ann-smith", fullname="Ann Smith")
    wanted = f.JobRequestFactory(
        id=12345, identifier="abcd234567abcd23", workspace=workspace, created_by=ann, status="succeeded"
    )
    f.JobFactory(job_request=wanted, identifier="wxyz234567abcd23")
    other = f.JobRequestFactory(id=99, identifier="mmmm234567abcd23", status="failed")
    assert ids(staff.get(REQUESTS)) == [12345, 99]
    for q in (
        "12345",
        "123",
        "abcd2",
        "ABCD2",
        "wxyz",
        "ann",
        "smith ann",
        "uptake",
        "asthma adu",
        "bennett",
    ):
        assert ids(staff.get(REQUESTS, {"q": q})) == [12345], q
    for q in ("2345", "bcd2345", "nothing", "%", "_", "0"):
        assert ids(staff.get(REQUESTS, {"q": q})) == [], q
    for name, value in (
        ("user", "ANN-smith"),
        ("workspace", "uptake-main"),
        ("project", "asthma"),
        ("project", "pos-2026-3001"),
        ("backends", wanted.backend.slug),
        ("orgs", "bennett"),
        ("status", "succeeded"),
    ):
        assert ids(staff.get(REQUESTS, {name: value})) == [12345], name
    both = f"{REQUESTS}?backends={wanted.backend.slug}&backends={other.backend.slug}&sort=oldest"
    assert ids(staff.get(both)) == [99, 12345]
    assert ids(staff.get(f"{REQUESTS}?user=ann-smith&status=failed")) == []
    for name in ("user", "workspace", "project"):
        assert "Nothing matches" in staff.get(REQUESTS, {name: "nobody"}).text
    assert "listed here" in staff.get(REQUESTS, {"backends": "mars"}).text
    assert staff.get(f"{REQUESTS}?q=ann&format=csv").text.splitlines()[1].startswith("12345,Succeeded,")


def test_no_page_costs_more_for_more_rows(
    staff: Browser, db: Session, count_statements: Callable[[], Any]
) -> None:
    numbers = []
    for more in (2, 24):
        for _ in range(more):
            f.JobRequestFactory()
        with count_statements() as sent:
            staff.get(f"{REQUESTS}?q=request&status=active")
        numbers.append(len(sent))
    assert numbers[0] == numbers[1] <= 12


def test_every_range_of_a_beginning_of_an_id_is_meant(db: Session) -> None:
    # Names are searched too, and those of the factories have numbers.
    user = f.UserFactory(username="ada", fullname="Ada")
    org = f.OrgFactory(name="Institute", slug="institute")
    project = f.ProjectFactory(name="Study", slug="study", org=org)
    place = {"workspace": f.WorkspaceFactory(name="main", project=project), "created_by": user}
    for letter, id_ in zip("abcdefg", (7, 70, 79, 799, 80, 17, 2_147_483_647), strict=True):
        f.JobRequestFactory(id=id_, identifier=letter * 16, **place)
    assert sorted(row.id for row in JOB_REQUESTS.all_rows(db, Asked(q="7"))) == [7, 70, 79, 799]
    assert [row.id for row in JOB_REQUESTS.all_rows(db, Asked(q="2147483647"))] == [2_147_483_647]
    assert JOB_REQUESTS.all_rows(db, Asked(q="9" * 40)) == []


def test_a_request_is_shown_with_where_it_belongs_and_who_cancelled_what(
    staff: Browser, db: Session, count_statements: Callable[[], Any]
) -> None:
    request = active(sha="a" * 40)
    staff.submit(f"{REQUESTS}{request.id}/cancel/")
    with count_statements() as sent:
        page = staff.get(f"{REQUESTS}{request.id}/").text
    assert len(sent) <= 12
    workspace = request.workspace
    project = workspace.project
    for link in (
        f"/staff/users/{request.created_by.username}/",
        f"/staff/orgs/{project.org.slug}/",
        f"/staff/projects/{project.slug}/",
        f"/staff/workspaces/{workspace.name}/",
        f"/staff/backends/{request.backend.id}/",
        f"/{project.org.slug}/{project.slug}/{workspace.name}/{request.id}/",
        f"/tree/{'a' * 40}",
        "/staff/users/staff-1/",
    ):
        assert f'{link}"' in page, link
    assert "aaaaaaa<" in page
    for nonsense in ("x", "0", "-1", "999999", "9" * 30):
        staff.get(f"{REQUESTS}{nonsense}/", status=404)


def test_cancelling_asks_first_and_records_who_did_it_once(staff: Browser, db: Session) -> None:
    request = active()
    address = f"{REQUESTS}{request.id}/cancel/"
    question = staff.get(address).text
    assert "2 jobs will stop" in question
    assert db.scalar(select(func.count()).select_from(m.Cancellation)) == 0
    answer = staff.submit(address, status=303).follow()
    assert "to cancel 2 jobs" in answer.text
    assert "asked for already" in staff.submit(address).follow().text
    db.refresh(request)
    assert request.cancelled_actions == ["first", "second"]
    [cancellation] = db.scalars(select(m.Cancellation))
    assert cancellation.actions == ["first", "second"]
    [event] = db.scalars(select(m.AuditableEvent).where(m.AuditableEvent.type == "job_request_cancelled"))
    assert (event.created_by, event.target_id, event.new) == ("staff-1", str(request.id), "first,second")
    assert "There is nothing to cancel" in staff.get(address).text


def test_what_cannot_be_cancelled_is_said(staff: Browser, db: Session) -> None:
    ended = f.JobRequestFactory(status="succeeded", completed_at=utcnow())
    f.JobFactory(job_request=ended, status="succeeded", completed_at=utcnow())
    new = f.JobRequestFactory(status="pending")
    for request, words in ((ended, "the jobs have ended"), (new, "has not reported any job yet")):
        answer = staff.submit(f"{REQUESTS}{request.id}/cancel/").follow()
        assert words in answer.text
    assert "The request has ended." in staff.get(f"{REQUESTS}{ended.id}/").text
    assert db.scalars(select(m.Cancellation)).all() == []
    assert db.scalars(select(m.AuditableEvent)).all() == []


def test_an_auditor_cannot_cancel(web: Browser, db: Session) -> None:
    request = active()
    web.sign_in(f.UserFactory(roles=["Auditor"]))
    assert "cancel/" not in web.get(f"{REQUESTS}{request.id}/").text
    web.get(f"{REQUESTS}{request.id}/cancel/", status=403)
    web.submit(f"{REQUESTS}{request.id}/cancel/", status=403)
