"""Projects in the staff area: the list, making one, and its page (spec: staff 8.1 to 8.4)."""

import csv
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from jobserver.models import AuditableEvent, Project, ProjectCollaboration, utcnow
from tests import factories as f
from tests.web.conftest import Browser

ALL = ["ServiceAdministrator", "StaffAreaAdministrator", "TechSupport"]
LIST, CREATE = "/staff/projects/", "/staff/projects/create/"


@pytest.fixture
def staff(web: Browser, db: Session) -> Browser:
    """The browser of somebody who may do all of this."""
    return web.sign_in(f.UserFactory(username="staff-1", fullname="Staff One", roles=ALL))


def slugs(page: Any) -> list[str]:
    """Projects in the rows of the list, in order."""
    return [each["href"].split("/")[-2] for each in page.html.select("tbody th a")]


def the(db: Session, slug: str) -> Project:
    """The project of this slug, as it is stored."""
    db.commit()
    db.expire_all()
    return db.scalars(select(Project).where(Project.slug == slug)).one()


def tasks(db: Session) -> list[tuple[str, dict[str, Any]]]:
    """What the worker has to do."""
    rows = db.execute(text("SELECT task_name, args FROM procrastinate_jobs ORDER BY id"))
    return [(row[0], row[1]) for row in rows]


def errors(page: Any) -> list[str]:
    """Where the summary of what is wrong leads."""
    return [each["href"] for each in page.html.select(".error-summary a")]


def test_the_list_stands_in_the_order_of_numbers(staff: Browser) -> None:
    numbers = ["9", None, "POS-2025-3001", "10", "POS-2026-2001", None, "POS-2026-2002"]
    names = ["nine", "b", "pos-25", "ten", "pos-26-1", "A", "pos-26-2"]
    for number, name in zip(numbers, names, strict=True):
        f.ProjectFactory(number=number, name=name, slug=name.lower())
    assert slugs(staff.get(LIST)) == ["pos-26-2", "pos-26-1", "pos-25", "ten", "nine", "a", "b"]
    assert slugs(staff.get(f"{LIST}?sort=newest"))[0] == "pos-26-2"


def test_every_page_of_the_list_follows_on_the_one_before(staff: Browser) -> None:
    for number in range(60):
        numbers = {0: str(100 + number), 1: f"POS-2026-{3000 + number}", 2: None}
        f.ProjectFactory(number=numbers[number % 3], name=f"P{number:02}", slug=f"p{number:02}")
    path, seen = LIST, []
    while path:
        page = staff.get(path)
        seen += slugs(page)
        onwards = re.search(r'href="(\?[^"]*)"[^>]*>Next<', page.text)
        path = LIST + onwards[1].replace("&amp;", "&") if onwards else ""
    assert len(seen) == len(set(seen)) == 60
    assert seen[0] == "p58"
    assert seen[20] == "p57"
    assert seen[-1] == "p59"


def test_filters_hold_at_once_and_take_several_values(staff: Browser, db: Session) -> None:
    first, second = f.OrgFactory(slug="first"), f.OrgFactory(slug="second")
    pilot = f.UserFactory(username="pilot")
    f.ProjectFactory(slug="led", org=first, copilot=pilot)
    f.ProjectFactory(slug="joined", org=second, other_orgs=[first], status="retired")
    f.ProjectFactory(slug="other", org=second, copilot=pilot, copilot_support_ends_at=utcnow() + timedelta(1))
    assert sorted(slugs(staff.get(f"{LIST}?orgs=first"))) == ["joined", "led"]
    assert len(slugs(staff.get(f"{LIST}?orgs=first&orgs=second"))) == 3
    assert slugs(staff.get(f"{LIST}?orgs=first&copilot=none")) == ["joined"]
    assert len(slugs(staff.get(f"{LIST}?copilot=none&copilot=pilot"))) == 3
    assert slugs(staff.get(f"{LIST}?status=retired&status=postponed")) == ["joined"]
    assert slugs(staff.get(f"{LIST}?support=soon")) == ["other"]
    assert slugs(staff.get(f"{LIST}?q=THE")) == ["other"]
    page = staff.get(f"{LIST}?orgs=nowhere")
    assert "Choose among those listed here." in page
    assert slugs(page) == []
    rows = list(csv.reader(staff.get(f"{LIST}?orgs=first&format=csv").text.splitlines()))
    assert len(rows) == 3


def test_a_project_is_made_with_its_organisations_and_one_event(staff: Browser, db: Session) -> None:
    lead, other = f.OrgFactory(slug="lead"), f.OrgFactory(slug="other")
    pilot = f.UserFactory(username="pilot", fullname="Pia Lot", roles=["StaffAreaAdministrator"])
    page = staff.get(f"{CREATE}?org-slug=lead")
    assert page.html.select_one("#org option[selected]")["value"] == "lead"
    fields = [
        ("name", "  Asthma:  a  study "),
        ("number", "POS-2026-3001"),
        ("org", "lead"),
        ("other_orgs", "other"),
        ("other_orgs", "lead"),
        ("copilot", "pilot"),
    ]
    answer = staff.submit(CREATE, fields, status=303)
    assert answer.location.endswith("/staff/projects/asthma-a-study/created/")
    project = the(db, "asthma-a-study")
    assert (project.name, project.number, project.status) == ("Asthma: a study", "POS-2026-3001", "ongoing")
    assert (project.org_id, project.copilot_id) == (lead.id, pilot.id)
    orgs = db.scalars(
        select(ProjectCollaboration.org_id).where(ProjectCollaboration.project_id == project.id)
    )
    assert set(orgs) == {lead.id, other.id}
    (event,) = db.scalars(select(AuditableEvent))
    assert (event.type, event.created_by, event.target_id) == (
        "project_created",
        "staff-1",
        str(project.id),
    )
    assert (event.source, event.created_at) == ("browser", project.created_at)
    assert tasks(db) == [("announce_project", {"project_id": project.id})]
    created = answer.follow()
    assert "The channel co-pilot-support is told" in created
    assert "Pia Lot" in created


def test_without_a_copilot_nobody_is_told(staff: Browser, db: Session) -> None:
    f.OrgFactory(slug="lead")
    page = staff.submit(CREATE, {"name": "Asthma", "org": "lead"}, status=303).follow()
    assert tasks(db) == []
    assert "is told" not in page
    project = the(db, "asthma")
    assert project.number is None
    # Nor is the channel told of who comes later.
    project.copilot_id = f.UserFactory(roles=["StaffAreaAdministrator"]).id
    db.commit()
    assert "is told" not in staff.get("/staff/projects/asthma/created/")


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({}, {"#name", "#org"}),
        ({"name": "x" * 256}, {"#name"}),
        ({"name": "!!!"}, {"#name"}),
        ({"name": "a\0b"}, {"#name"}),
        ({"name": "STAFF"}, {"#name"}),
        ({"name": "Logs"}, {"#name"}),
        ({"name": "Create"}, {"#name"}),
        ({"name": "known project"}, {"#name"}),
        ({"name": "Known: project!"}, {"#name"}),
        ({"number": "007"}, {"#number"}),
        ({"number": "0"}, {"#number"}),
        ({"number": "-1"}, {"#number"}),
        ({"number": "٣"}, {"#number"}),
        ({"number": "pos-2026-3001"}, {"#number"}),
        ({"number": "1" * 21}, {"#number"}),
        ({"number": "POS-2026-3001"}, {"#copilot"}),
        ({"org": "nowhere"}, {"#org"}),
        ({"org": "1"}, {"#org"}),
        ({"other_orgs": "nowhere"}, {"#other_orgs"}),
        ({"copilot": "nobody"}, {"#copilot"}),
        ({"copilot": "ordinary"}, {"#copilot"}),
        ({"copilot": "closed"}, {"#copilot"}),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_is_made(
    staff: Browser, db: Session, fields: dict[str, str], wrong: set[str]
) -> None:
    f.OrgFactory(slug="lead")
    f.ProjectFactory(name="Known project", slug="known-project")
    f.UserFactory(username="ordinary")
    someone = f.UserFactory()
    f.UserFactory(username="closed", roles=ALL, disabled_at=utcnow(), disabled_by_id=someone.id)
    sent = {"name": "New", "org": "lead", **fields} if fields else {}
    page = staff.submit(CREATE, sent, status=200)
    assert set(errors(page)) == wrong
    assert page.html.title.text.startswith("Error: ")
    assert db.scalar(select(func.count()).select_from(Project)) == 1
    assert db.scalar(select(func.count()).select_from(AuditableEvent)) == 0
    if "\0" not in sent.get("name", ""):
        assert page.html.select_one("#name")["value"] == sent.get("name", "")


def test_a_number_that_was_taken_meanwhile_is_told_with_the_next(staff: Browser, db: Session) -> None:
    f.OrgFactory(slug="lead")
    f.ProjectFactory(number="41")
    assert "The next plain number is 42." in staff.get(CREATE)
    for name in ("First", "Second"):
        page = staff.submit(CREATE, {"name": name, "org": "lead", "number": "42"}, status="*")
    assert errors(page) == ["#number", "#number"]
    assert "taken by another project" in page
    assert "The next plain number is 43." in page
    assert page.html.select_one("#name")["value"] == "Second"


def test_a_field_that_comes_twice_is_refused(staff: Browser, db: Session) -> None:
    f.OrgFactory(slug="lead")
    staff.submit(CREATE, [("name", "A"), ("name", "B"), ("org", "lead")], status=400)


def test_an_old_address_of_another_is_taken_only_if_that_is_meant(staff: Browser, db: Session) -> None:
    lead = f.OrgFactory(slug="lead")
    other = f.ProjectFactory(name="Other", org=lead)
    redirect = f.RedirectFactory(project=other, old_url="/lead/asthma/")
    sent = {"name": "Asthma", "org": "lead"}
    page = staff.submit(CREATE, sent, status=200)
    assert errors(page) == ["#name"]
    assert "still lead to “Other”" in page
    assert page.html.select_one("#take_over")
    staff.submit(CREATE, {**sent, "take_over": "y"}, status=303)
    db.refresh(redirect)
    assert redirect.deleted_at is not None
    types = db.scalars(select(AuditableEvent.type).order_by(AuditableEvent.id)).all()
    assert types == ["project_created", "redirect_deleted"]


@pytest.mark.parametrize("role", ["TechSupport", "ServiceAdministrator"])
def test_who_only_makes_projects_is_led_to_pages_that_they_may_open(
    web: Browser, db: Session, role: str
) -> None:
    web.sign_in(f.UserFactory(roles=[role]))
    f.OrgFactory(slug="lead")
    page = web.submit(CREATE, {"name": "Asthma", "org": "lead"}, status=303).follow()
    main = page.html.find("main")
    links = {each["href"] for each in [*main.find_all("a", href=True), *page.html.select(".crumbs a")]}
    assert "/staff/projects/asthma/add-member/" in links
    for href in links:
        if href.startswith("/"):
            web.get(href, status=200)


def test_the_page_says_all_that_is_known(staff: Browser, db: Session) -> None:
    project = f.ProjectFactory(
        slug="asthma",
        name="Asthma",
        number="7",
        other_orgs=[f.OrgFactory(name="Second Org")],
        copilot=f.UserFactory(fullname="Pia Lot"),
        copilot_support_ends_at=datetime(2027, 3, 31, tzinfo=UTC),
        copilot_notes="Call\nfirst",
        status="completed-and-linked",
        status_description="**Done** <script>alert(1)</script>",
        category="approved",
    )
    f.ProjectMembershipFactory(
        project=project,
        user=f.UserFactory(username="ann", fullname="Ann"),
        roles=["ProjectDeveloper"],
        ends_at=datetime(2036, 12, 31, tzinfo=UTC),
    )
    f.ProjectMembershipFactory(
        project=project, user=f.UserFactory(username="gone"), ends_at=utcnow() - timedelta(1)
    )
    f.WorkspaceFactory(project=project, name="uptake")
    f.RedirectFactory(project=project, old_url="/old/asthma/")
    application = f.ApplicationFactory(project=project)
    page = staff.get("/staff/projects/asthma/")
    for words in (
        *("Second Org", "Pia Lot", "31 Mar 2027", "Completed, paper or report linked", "Ann"),
        *("<strong>Done</strong>", "30 Dec 2036", "uptake", "/old/asthma/", application.hash),
        *("Approved non-COVID research", "Project Developer", "Recent changes"),
    ):
        assert words in page, words
    assert "<script>alert(1)" not in page
    assert "gone" not in page.html.find("main").text.split("Old addresses")[0]
    for link in ("edit/", "add-member/", "audit-log/"):
        assert f'href="/staff/projects/asthma/{link}"' in page


def test_an_auditor_sees_the_page_without_buttons_that_change(web: Browser, db: Session) -> None:
    project = f.ProjectFactory(slug="asthma")
    f.ProjectMembershipFactory(project=project)
    page = web.sign_in(f.UserFactory(roles=["Auditor"])).get("/staff/projects/asthma/")
    main = page.html.find("main")
    assert main.find("form") is None
    for word in ("edit/", "add-member", "remove", "link-application"):
        assert not main.select(f'a[href*="{word}"]'), word


def test_pages_take_few_statements_whatever_they_show(
    staff: Browser, db: Session, count_statements: Any
) -> None:
    project = f.ProjectFactory(slug="asthma")
    for path in (LIST, CREATE, "/staff/projects/asthma/", "/staff/projects/asthma/created/"):
        with count_statements() as few:
            staff.get(path)
        for _ in range(3):
            f.ProjectMembershipFactory(project=project, roles=["ProjectDeveloper"])
            f.WorkspaceFactory(project=project)
            f.ProjectFactory(copilot=f.UserFactory())
        with count_statements() as many:
            staff.get(path)
        assert len(few) == len(many) <= 12, path
        assert many.writes == []
