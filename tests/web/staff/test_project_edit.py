"""Editing a project by staff (spec: staff 8.5, 17.11, 17.30)."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from webob.multidict import MultiDict

from jobserver.forms.staff.projects import EditProjectForm
from jobserver.models import AuditableEvent, Org, Project, ProjectCollaboration, User, utcnow
from tests import factories as f
from tests.web.conftest import Browser

EDIT = "/staff/projects/asthma/edit/"


@pytest.fixture
def project(db: Session) -> Project:
    """A project of two organisations."""
    f.OrgFactory(name="Third", slug="third")
    made: Project = f.ProjectFactory(
        name="Asthma",
        slug="asthma",
        org=f.OrgFactory(name="First", slug="first"),
        other_orgs=[f.OrgFactory(name="Second", slug="second")],
    )
    return made


@pytest.fixture
def staff(web: Browser, db: Session) -> Browser:
    """A Staff Area Administrator's browser."""
    return web.sign_in(
        f.UserFactory(username="staff-1", fullname="Staff One", roles=["StaffAreaAdministrator"])
    )


def fields(page: Any, **more: Any) -> list[tuple[str, str]]:
    """What a browser would send of the page's form, with changes; a list is sent as several fields."""
    form = page.html.select_one("main form")
    sent: dict[str, Any] = {}
    for each in form.find_all("input"):
        if each.get("type") == "checkbox":
            sent.setdefault(each["name"], [])
            if each.has_attr("checked"):
                sent[each["name"]].append(each["value"])
        else:
            sent[each["name"]] = each.get("value", "")
    for each in form.find_all("select"):
        chosen = each.select_one("option[selected]")
        sent[each["name"]] = chosen["value"] if chosen else ""
    for each in form.find_all("textarea"):
        sent[each["name"]] = each.text.removeprefix("\r").removeprefix("\n")
    sent.pop("csrfmiddlewaretoken")
    return [
        (name, one)
        for name, value in {**sent, **more}.items()
        for one in (value if isinstance(value, list) else [value])
    ]


def save(staff: Browser, page: Any = None, expect: int = 303, **more: Any) -> Any:
    """Send the form as it is, with changes."""
    return staff.submit(EDIT, fields(page or staff.get(EDIT), **more), status=expect)


def now(db: Session, project: Project) -> Project:
    db.commit()
    db.expire_all()
    return db.get_one(Project, project.id)


def events(db: Session) -> list[AuditableEvent]:
    db.commit()
    return list(db.scalars(select(AuditableEvent).order_by(AuditableEvent.id)))


def orgs_of(db: Session, project: Project) -> set[str]:
    db.commit()
    found = select(Org.slug).join(ProjectCollaboration, ProjectCollaboration.org_id == Org.id)
    return set(db.scalars(found.where(ProjectCollaboration.project_id == project.id)))


def summary(page: Any) -> list[str]:
    """What the summary of faults says."""
    return [each.text for each in page.html.select(".error-summary li")]


def test_every_field_is_saved_with_one_event_of_all_that_changed(
    staff: Browser, db: Session, project: Project
) -> None:
    f.UserFactory(username="pilot", roles=["StaffAreaAdministrator"])
    before = project.updated_at
    page = save(
        staff,
        name="Asthma two",
        number="POS-2026-3001",
        org="second",
        other_orgs=["third"],
        copilot="pilot",
        copilot_support_ends_at="2027-03-31",
        copilot_notes="Call first",
        status="retired",
        status_description="**Over**",
        category="approved",
        reason="Asked for by its lead",
    ).follow()
    assert "Saved Asthma two." in page
    stored = now(db, project)
    assert (stored.name, stored.number, stored.status) == ("Asthma two", "POS-2026-3001", "retired")
    assert stored.copilot_support_ends_at == datetime(2027, 3, 31, tzinfo=UTC)
    assert (stored.category, stored.copilot_notes) == ("approved", "Call first")
    assert stored.updated_at > before
    assert stored.updated_by_id == db.scalars(select(User.id).where(User.username == "staff-1")).one()
    assert orgs_of(db, project) == {"second", "third"}
    event = next(each for each in events(db) if each.type == "project_updated")
    assert event.reason == "Asked for by its lead"
    assert (event.created_by, event.source, event.target_label) == (
        "staff-1",
        "browser",
        "POS-2026-3001 - Asthma two",
    )
    assert event.changes == {
        "name": ["Asthma", "Asthma two"],
        "number": [None, "POS-2026-3001"],
        "org_id": ["First", "Second"],
        "orgs": [["First", "Second"], ["Second", "Third"]],
        "copilot_id": ["", "pilot"],
        "copilot_support_ends_at": [None, "2027-03-31T00:00+00:00"],
        "copilot_notes": ["", "Call first"],
        "status": ["ongoing", "retired"],
        "status_description": ["", "**Over**"],
        "category": ["unknown", "approved"],
    }


def test_nothing_different_changes_and_records_nothing(staff: Browser, db: Session, project: Project) -> None:
    kept = db.scalars(select(ProjectCollaboration.id).order_by(ProjectCollaboration.id)).all()
    assert "Nothing was changed." in save(staff).follow()
    assert events(db) == []
    save(staff, status="retired")
    assert [each.changes for each in events(db)] == [{"status": ["ongoing", "retired"]}]
    assert db.scalars(select(ProjectCollaboration.id).order_by(ProjectCollaboration.id)).all() == kept


def test_old_links_lead_on_and_never_in_a_circle(staff: Browser, db: Session, project: Project) -> None:
    def rename(slug: str, here: str) -> None:
        page = staff.get(f"/staff/projects/{here}/edit/")
        staff.submit(f"/staff/projects/{here}/edit/", fields(page, slug=slug), status=303)

    rename("lungs", "asthma")
    assert staff.get("/first/asthma/", status=302).location.endswith("/first/lungs/")
    assert staff.get("/asthma/logs/", status=302).location.endswith("/first/lungs/logs/")
    rename("air", "lungs")
    assert staff.get("/first/asthma/", status=302).location.endswith("/first/air/")
    rename("asthma", "air")
    staff.get("/first/asthma/", status=200)
    assert staff.get("/first/air/", status=302).location.endswith("/first/asthma/")
    assert [each.type for each in events(db)] == [
        *("project_updated", "redirect_created", "redirect_created"),
        *("project_updated", "redirect_created", "redirect_created"),
        *("project_updated", "redirect_deleted", "redirect_deleted", "redirect_created", "redirect_created"),
    ]


def test_another_lead_leaves_the_old_address_behind(staff: Browser, db: Session, project: Project) -> None:
    redirect = f.RedirectFactory(project=f.ProjectFactory(name="Other"), old_url="/third/asthma/")
    page = save(staff, expect=200, org="third", other_orgs=[])
    assert any("still lead to “Other”" in each for each in summary(page))
    save(staff, page, take_over="y")
    db.refresh(redirect)
    assert redirect.deleted_at is not None
    assert orgs_of(db, project) == {"third"}
    assert staff.get("/first/asthma/", status=302).location.endswith("/third/asthma/")


def test_only_the_letters_of_the_address_may_change(staff: Browser, db: Session, project: Project) -> None:
    save(staff, slug="Asthma")
    assert now(db, project).slug == "Asthma"


@pytest.mark.parametrize(
    ("changed", "wrong"),
    [
        ({"name": ""}, "#name"),
        ({"name": "x" * 256}, "#name"),
        ({"name": "other"}, "#name"),
        ({"slug": ""}, "#slug"),
        ({"slug": "a b"}, "#slug"),
        ({"slug": "x" * 256}, "#slug"),
        ({"slug": "OTHER"}, "#slug"),
        ({"slug": "first"}, "#slug"),
        ({"slug": "status"}, "#slug"),
        ({"slug": "logs"}, "#slug"),
        ({"slug": "create"}, "#slug"),
        ({"number": "7"}, "#number"),
        ({"number": "x"}, "#number"),
        ({"number": "POS-2026-3001"}, "#copilot"),
        ({"org": ""}, "#org"),
        ({"org": "nowhere"}, "#org"),
        ({"other_orgs": ["second", "999999"]}, "#other_orgs"),
        ({"copilot": "ordinary"}, "#copilot"),
        ({"copilot_support_ends_at": "31.3.2027"}, "#copilot_support_ends_at"),
        ({"copilot_support_ends_at": "9999-12-31"}, "#copilot_support_ends_at"),
        ({"copilot_support_ends_at": "2027-02-30"}, "#copilot_support_ends_at"),
        ({"status": "finished"}, "#status"),
        ({"status": ""}, "#status"),
        ({"category": "secret"}, "#category"),
        ({"reason": "x" * 501}, "#reason"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_is_saved(
    staff: Browser, db: Session, project: Project, changed: dict[str, Any], wrong: str
) -> None:
    f.ProjectFactory(name="Other", slug="other", number="7")
    f.UserFactory(username="ordinary")
    page = save(staff, expect=200, status_description="Kept", **changed)
    links = [each["href"] for each in page.html.select(".error-summary a")]
    assert set(links) == {wrong}
    assert page.html.title.text.startswith("Error: ")
    assert page.html.select_one("#status_description").text.strip() == "Kept"
    assert now(db, project).status_description == ""
    assert events(db) == []


def test_texts_may_be_long_but_not_endless() -> None:
    for length, wrong in ((20_000, set()), (20_001, {"copilot_notes", "status_description"})):
        form = EditProjectForm(MultiDict(copilot_notes="x" * length, status_description="x" * length))
        form.offer([], [])
        form.validate()
        assert {"copilot_notes", "status_description"} & set(form.errors) == wrong


def test_a_form_without_its_fields_is_told_so(staff: Browser, db: Session, project: Project) -> None:
    page = staff.submit(EDIT, {}, status=200)
    assert len(summary(page)) >= 5
    assert events(db) == []


def test_a_taken_number_is_told_with_the_next(staff: Browser, db: Session, project: Project) -> None:
    f.ProjectFactory(number="41")
    assert "The next plain number is 42." in save(staff, expect=200, number="41")


def test_who_is_co_pilot_may_stay_one_without_the_role(staff: Browser, db: Session, project: Project) -> None:
    project.copilot_id = f.UserFactory(username="once").id
    db.commit()
    assert "once" in staff.get(EDIT)
    save(staff, status="retired")
    assert now(db, project).copilot_id is not None


def test_an_old_address_of_another_is_taken_only_if_that_is_meant(
    staff: Browser, db: Session, project: Project
) -> None:
    other = f.ProjectFactory(name="Other", org=project.org)
    redirect = f.RedirectFactory(project=other, old_url="/first/lungs/")
    page = save(staff, expect=200, slug="lungs")
    assert any("still lead to “Other”" in each for each in summary(page))
    save(staff, page, slug="lungs", take_over="y")
    db.refresh(redirect)
    assert redirect.deleted_at is not None
    staff.get("/first/lungs/", status=200)


def test_ones_own_old_address_can_be_had_again(staff: Browser, db: Session, project: Project) -> None:
    f.RedirectFactory(project=project, old_url="/first/lungs/")
    f.RedirectFactory(project=f.ProjectFactory(), old_url="/first/air/", expires_at=utcnow())
    save(staff, slug="lungs")


def test_the_second_editor_is_told_and_sees_both_versions(
    web: Browser, db: Session, project: Project
) -> None:
    first = f.UserFactory(username="a1", fullname="Ann Alyst", roles=["StaffAreaAdministrator"])
    second = f.UserFactory(username="b2", roles=["StaffAreaAdministrator"])
    opened = web.sign_in(second).get(EDIT)
    web.sign_in(first)
    save(web, name="Ann's <b>name</b>", other_orgs=["third"])
    web.sign_in(second)
    page = save(web, opened, expect=200, name="Bob's name", reason="Mine")
    assert "Ann Alyst has changed this since you opened this page. Nothing was saved." in page
    rows = {
        row.find("th").text.strip(): [cell.text.strip() for cell in row.find_all("td")]
        for row in page.html.select_one("#conflict").find_parent("section").select("tbody tr")
    }
    assert rows == {
        "Name": ["Ann's <b>name</b>", "Bob's name"],
        "Other organisations that take part": ["Third", "Second"],
    }
    assert page.html.select_one("#name")["value"] == "Bob's name"
    assert now(db, project).name == "Ann's <b>name</b>"
    save(web, page)
    assert now(db, project).name == "Bob's name"
    assert orgs_of(db, project) == {"first", "second"}


def test_organisations_that_another_has_changed_are_not_overwritten(
    staff: Browser, db: Session, project: Project
) -> None:
    opened = staff.get(EDIT)
    save(staff, other_orgs=["third"])
    assert "Nothing was saved." in save(staff, opened, expect=200, name="Another")
    assert orgs_of(db, project) == {"first", "third"}
    assert now(db, project).name == "Asthma"


def test_the_page_takes_few_statements(staff: Browser, project: Project, count_statements: Any) -> None:
    with count_statements() as few:
        staff.get(EDIT)
    for _ in range(3):
        f.UserFactory(roles=["StaffAreaAdministrator"])
        f.OrgFactory()
    with count_statements() as many:
        staff.get(EDIT)
    assert len(few) == len(many) <= 12
