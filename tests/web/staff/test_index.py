"""The first page of the staff area: its search, and what should be looked at (spec: staff 2.1, 17.44)."""

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from jobserver.models import utcnow
from tests import factories as f
from tests.web.conftest import Browser


@pytest.fixture
def staff(web: Browser, db: Session) -> Browser:
    """A Staff Area Administrator's browser."""
    return web.sign_in(f.UserFactory(username="staff-1", fullname="Staff", roles=["StaffAreaAdministrator"]))


def hits(page: Any) -> dict[str, list[str]]:
    """The addresses that were found, by the heading above them."""
    panels = page.html.select("section.panel")
    return {each.find("h2").text.strip(): [link["href"] for link in each.select("li a")] for each in panels}


def found(staff: Browser, q: str) -> list[str]:
    """Every address that is found."""
    return [href for links in hits(staff.get("/staff/", {"q": q})).values() for href in links]


def test_every_kind_is_found_by_any_part_of_its_names(staff: Browser, db: Session) -> None:
    org = f.OrgFactory(name="Needle House", slug="house")
    project = f.ProjectFactory(org=org, name="Asthma", slug="asthma", number="POS-2026-3001")
    user = f.UserFactory(username="ann", fullname="Ann Alyst")
    repo = f.RepoFactory(url="https://github.com/opensafely/hay-study")
    workspace = f.WorkspaceFactory(name="uptake", project=project, repo=repo, created_by=user)
    backend = f.BackendFactory(slug="tpp", name="TPP")
    request = f.JobRequestFactory(workspace=workspace, backend=backend, identifier="abcdefgh234567xy")
    application = f.ApplicationFactory(created_by=user, study_name="Stroke")
    redirect = f.RedirectFactory(project=project, old_url="/old/place/")
    expected = {
        "eedle h": f"/staff/orgs/{org.slug}/",
        "STHM": "/staff/projects/asthma/",
        "2026-3001": "/staff/projects/asthma/",
        "alyst": "/staff/users/ann/",
        "ptak": "/staff/workspaces/uptake/",
        "hay-st": "/staff/workspaces/uptake/",
        "tp": f"/staff/backends/{backend.id}/",
        str(request.id): f"/staff/job-requests/{request.id}/",
        "abcd": f"/staff/job-requests/{request.id}/",
        "stroke": f"/staff/applications/{application.hash}/",
        application.hash: f"/staff/applications/{application.hash}/",
        "safely/hay": "/staff/repos/opensafely/hay-study/",
        "old/pl": f"/staff/redirects/{redirect.id}/",
    }
    for q, address in expected.items():
        assert address in found(staff, q), q


def test_people_are_found_by_their_organisations_and_projects(staff: Browser, db: Session) -> None:
    of_org = f.OrgMembershipFactory(org=f.OrgFactory(name="Needle House")).user
    project = f.ProjectFactory(name="Needle work")
    of_project = f.ProjectMembershipFactory(project=project).user
    over = {"ends_at": utcnow() - timedelta(days=1)}
    f.OrgMembershipFactory(org=f.OrgFactory(name="Needle street"), **over)
    f.ProjectMembershipFactory(project=project, **over)
    users = hits(staff.get("/staff/?q=needle"))["Users"]
    assert sorted(users) == sorted(f"/staff/users/{each.username}/" for each in (of_org, of_project))
    # So they are in the list that more of them are looked for in.
    listed = staff.get("/staff/users/?q=needle")
    assert sorted(re.findall(r'href="(/staff/users/[^/"]+/)"', listed.text)) == sorted(users)


def test_each_kind_shows_ten_and_leads_to_the_rest(staff: Browser, db: Session) -> None:
    for number in range(11):
        f.UserFactory(username=f"many-{number:02}", fullname=f"Many {number:02}")
    page = staff.get("/staff/", {"q": "Many "})
    links = hits(page)["Users"]
    assert links == [f"/staff/users/many-{number:02}/" for number in range(10)]
    more = page.html.select_one("#found-users").find_parent("header").find("a")
    assert more["href"] == "/staff/users/?q=Many"
    assert len(re.findall(r'href="/staff/users/many-', staff.get(more["href"]).text)) == 11
    assert "More" not in staff.get("/staff/?q=many-03")


@pytest.mark.parametrize(
    "q", ["nothing has this", "100%", "_", "-001", "0x1a", "999999999999", "x" * 500, "\0"]
)
def test_what_is_not_there_is_said(staff: Browser, db: Session, q: str) -> None:
    f.WorkspaceFactory()
    page = staff.get("/staff/", {"q": q})
    assert ("Nothing is found" in page) is bool(q.replace("\0", ""))


def test_what_was_deleted_is_marked_or_left_out(staff: Browser, db: Session) -> None:
    someone = f.UserFactory()
    gone = {"deleted_at": utcnow(), "deleted_by_id": someone.id}
    application = f.ApplicationFactory(study_name="Needle", **gone)
    f.RedirectFactory(org=f.OrgFactory(), old_url="/needle/", **gone)
    assert found(staff, "needle") == [f"/staff/applications/{application.hash}/"]


def test_what_needs_attention_is_counted_and_leads_to_its_list(staff: Browser, db: Session) -> None:
    f.GithubIdentityFactory(user=f.UserFactory(username="ann"))
    f.ApplicationFactory(status="submitted")
    helped = f.ProjectFactory(
        name="Helped", copilot=f.UserFactory(), copilot_support_ends_at=utcnow() + timedelta(days=3)
    )
    f.ProjectFactory(name="Alone", slug="alone")
    f.ProjectFactory(name="Over", status="retired")
    silent = f.BackendFactory(name="Silent", last_seen_at=utcnow() - timedelta(hours=1))
    f.BackendFactory(name="Well", last_seen_at=utcnow())
    db.execute(
        text(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, args, status)"
            " VALUES ('default', 'announce_new_user', '{}', 'failed')"
        )
    )
    db.commit()
    page = staff.get("/staff/")
    text_ = page.html.select_one("#attention").find_parent("section").text
    assert "1 person lacks" in text_
    assert "1 delivery has failed" in text_
    assert "1 application was submitted" in text_
    assert "1 ongoing project has no co-pilot" in text_
    assert "1 project’s support ends soon" in text_
    assert "No news from Silent" in text_
    assert "Well" not in text_
    links = hits(page)["To look at"]
    assert f"/staff/backends/{silent.id}/" in links
    lists = {each.split("?")[0]: each for each in links if "?copilot" in each or "?support" not in each}
    assert "/staff/projects/alone/" in staff.get(lists["/staff/projects/"])
    assert "Over" not in staff.get(lists["/staff/projects/"]).html.select_one("tbody").text
    assert "/staff/users/ann/" in staff.get(lists["/staff/users/"])
    (ending,) = [each for each in links if "support=soon" in each]
    assert f"/staff/projects/{helped.slug}/" in staff.get(ending)


def test_releases_whose_files_do_not_come_are_found(staff: Browser, db: Session) -> None:
    """Spec: airlock 12.27."""
    checker = f.UserFactory(fullname="Cara Checker")
    here = {"uploaded_at": utcnow(), "path": "x", "uploaded_by": checker}
    for name, minutes, arrived in (("late", 61, 1), ("fresh", 59, 1), ("whole", 61, 3)):
        made = {"created_by": checker, "created_at": utcnow() - timedelta(minutes=minutes)}
        release = f.ReleaseFactory(workspace=f.WorkspaceFactory(name=f"{name}-study"), **made)
        for number in range(3):
            f.ReleaseFileFactory(release=release, **(here if number < arrived else {}))
    page = staff.get("/staff/")
    assert "1 workspace waits for released files" in page
    (address,) = [each for each in hits(page)["To look at"] if "files=late" in each]
    page = staff.get(address)
    found = [link["href"] for link in page.html.select("tbody th a")]
    assert found == ["/staff/workspaces/late-study/"]
    told = staff.get(found[0]).html.select_one("#late").find_parent("section").text
    assert "1 of 3 uploaded" in told
    assert "Cara Checker" in told
    for name in ("fresh", "whole"):
        assert staff.get(f"/staff/workspaces/{name}-study/").html.select_one("#late") is None


def test_nothing_to_look_at_is_said_and_so_is_a_silent_worker(staff: Browser, db: Session) -> None:
    def attention() -> str:
        return " ".join(
            staff.get("/staff/").html.select_one("#attention").find_parent("section").text.split()
        )

    assert "No worker has been heard from: what is to be sent waits" in attention()
    for ago in (120, 60, 0):
        statement = (
            "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - make_interval(mins => :ago))"
        )
        db.execute(text(statement), {"ago": ago})
        db.commit()
        assert ("No worker has been heard from since 1 hour ago" in attention()) is (ago == 60)
    assert "Nothing needs attention now" in attention()


def test_the_page_takes_few_statements(staff: Browser, db: Session, count_statements: Any) -> None:
    for path in ("/staff/", "/staff/?q=a", "/staff/?q=abcd"):
        with count_statements() as few:
            staff.get(path)
        for _ in range(3):
            f.ApplicationFactory(study_name="abcd", status="submitted")
            f.JobRequestFactory()
        with count_statements() as many:
            staff.get(path)
        assert len(few) == len(many) <= 12
        assert many.writes == []


def test_an_auditor_reads_it_and_others_do_not(web: Browser, db: Session) -> None:
    web.sign_in(f.UserFactory(roles=["Auditor"])).get("/staff/?q=a", status=200)
    web.sign_in(f.UserFactory(roles=["TechSupport"])).get("/staff/", status=403)
