"""Applications in the staff area, and the projects that came of them (spec: staff 3.1, 8.6, 17.31)."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from jobserver.models import Application, ApplicationStatus, AuditableEvent, Project, utcnow
from jobserver.templating.states import APPLICATION_STATES
from tests import factories as f
from tests.web.conftest import Browser

LIST = "/staff/applications/"
LINK = "/staff/projects/asthma/link-application/"
UNLINK = "/staff/projects/asthma/unlink-application/"


@pytest.fixture
def staff(web: Browser, db: Session) -> Browser:
    """The browser of somebody who may link applications."""
    roles = ["ServiceAdministrator", "StaffAreaAdministrator"]
    return web.sign_in(f.UserFactory(username="staff-1", roles=roles))


@pytest.fixture
def project(db: Session) -> Project:
    """A project without an application."""
    made: Project = f.ProjectFactory(name="Asthma", slug="asthma")
    return made


def rows(page: Any) -> list[str]:
    """What is listed: public ids."""
    return [each.text.strip() for each in page.html.select("tbody th .sub")]


def offered(page: Any) -> list[int]:
    """The applications that the page offers to link."""
    return [int(each["value"]) for each in page.html.select('main input[name="application"]')]


def deleted() -> dict[str, Any]:
    return {"deleted_at": utcnow(), "deleted_by_id": f.UserFactory(fullname="Dee Leter").id}


def linked(db: Session) -> dict[int, int | None]:
    """Which project each application has."""
    db.commit()
    db.expire_all()
    return {each.id: each.project_id for each in db.scalars(select(Application))}


def events(db: Session) -> list[tuple[str, str, str, str, str, str]]:
    db.commit()
    found = db.scalars(select(AuditableEvent).order_by(AuditableEvent.id))
    return [
        (each.type, each.target_id, each.parent_label, each.old, each.new, each.created_by) for each in found
    ]


def test_all_are_listed_the_newest_first_and_deleted_ones_marked(staff: Browser, project: Project) -> None:
    older = f.ApplicationFactory(created_at=utcnow() - timedelta(1), project=project, study_name="")
    newer = f.ApplicationFactory(study_name="Stroke", status="rejected", **deleted())
    page = staff.get(LIST)
    assert rows(page) == [newer.hash, older.hash]
    first, second = page.html.select("tbody tr")
    assert "Deleted" in first.text
    assert "by Dee Leter" in first.text
    assert "Not specified" in second.text
    assert second.select_one('a[href="/staff/projects/asthma/"]')


def test_filters_and_the_search_narrow_the_list(staff: Browser, project: Project) -> None:
    ann = f.UserFactory(username="ann", fullname="Ann Alyst")
    first = f.ApplicationFactory(created_by=ann, status="submitted", study_name="Stroke")
    second = f.ApplicationFactory(status="approved_fully", project=project)
    third = f.ApplicationFactory(created_by=ann, status="ongoing")
    f.ApplicationFactory(status="deferred", **deleted())
    assert rows(staff.get(f"{LIST}?status=submitted&status=approved_fully")) == [second.hash, first.hash]
    assert rows(staff.get(f"{LIST}?user=ann")) == [third.hash, first.hash]
    assert rows(staff.get(f"{LIST}?user=ann&status=ongoing")) == [third.hash]
    assert rows(staff.get(f"{LIST}?linked=yes")) == [second.hash]
    assert rows(staff.get(f"{LIST}?linked=no")) == [third.hash, first.hash]
    assert rows(staff.get(f"{LIST}?q=alYs&status=submitted")) == [first.hash]
    assert rows(staff.get(f"{LIST}?q=trok")) == [first.hash]
    assert rows(staff.get(f"{LIST}?q={second.hash.upper()}")) == [second.hash]
    for odd in ("-001", "0x1a", "1_2a", "٣٣٣٣", "zzzz"):
        assert rows(staff.get(LIST, {"q": odd})) == []
    assert "Choose among those listed here." in staff.get(f"{LIST}?status=lost")


def test_every_status_is_said_in_words(staff: Browser) -> None:
    assert set(APPLICATION_STATES) == {status.value for status in ApplicationStatus}
    for status, state in APPLICATION_STATES.items():
        made = f.ApplicationFactory(status=status)
        assert state.word in staff.get(f"{LIST}{made.hash}/").html.find("main").text


def test_the_page_of_one_says_who_did_what(staff: Browser, project: Project) -> None:
    made = f.ApplicationFactory(
        study_name="<b>Stroke</b>",
        status_comment="See the letter",
        submitted_at=utcnow(),
        submitted_by_id=f.UserFactory(fullname="Sub Mitter").id,
        approved_at=utcnow(),
        approved_by_id=f.UserFactory(fullname="App Rover").id,
        project=project,
        **deleted(),
    )
    page = staff.get(f"{LIST}{made.hash}/")
    for words in ("Sub Mitter", "App Rover", "Dee Leter", "Asthma", "See the letter", "was deleted"):
        assert words in page
    assert "<b>Stroke</b>" not in page


@pytest.mark.parametrize("hash_", ["ffff", "0000", "-001", "0x1a", "1", "zzzz", "fffffffff", "00001"])
def test_what_is_no_application_is_a_404(staff: Browser, db: Session, hash_: str) -> None:
    f.ApplicationFactory()
    staff.get(f"{LIST}{hash_}/", status=404)


def test_only_what_can_be_linked_is_offered(staff: Browser, db: Session, project: Project) -> None:
    fine = f.ApplicationFactory(status="submitted", study_name="Fine")
    newer = f.ApplicationFactory(status="deferred", study_name="Newer")
    f.ApplicationFactory(status="ongoing")
    f.ApplicationFactory(status="rejected")
    f.ApplicationFactory(status="submitted", **deleted())
    f.ApplicationFactory(status="submitted", project=f.ProjectFactory())
    assert offered(staff.get(LINK)) == [newer.id, fine.id]
    assert offered(staff.get(f"{LINK}?q=fine")) == [fine.id]
    assert "Nothing matches" in staff.get(f"{LINK}?q=zzz")


def test_an_application_is_linked_and_unlinked_with_an_event_each(
    staff: Browser, db: Session, project: Project
) -> None:
    made = f.ApplicationFactory(status="submitted")
    before = project.updated_at
    answer = staff.submit(LINK, {"application": made.id}, status=303)
    page = answer.follow()
    assert f"Linked application {made.hash} to Asthma." in page
    assert linked(db) == {made.id: project.id}
    assert db.get_one(Project, project.id).updated_at > before
    assert f"Application {made.hash}" in staff.get(LINK)
    sent = page.html.select_one('dialog#unlink input[name="application"]')["value"]
    staff.submit(UNLINK, {"application": sent}, status=303)
    assert linked(db) == {made.id: None}
    about = (str(made.id), "Asthma")
    assert events(db) == [
        ("application_linked", *about, "", made.hash, "staff-1"),
        ("application_unlinked", *about, made.hash, "", "staff-1"),
    ]


@pytest.mark.parametrize(
    "kind", ["ongoing", "rejected", "deleted", "taken", "unknown", "", "x", "-1", "9" * 30]
)
def test_a_forged_application_is_refused_in_words(
    staff: Browser, db: Session, project: Project, kind: str
) -> None:
    made = f.ApplicationFactory(
        status=kind if kind in {"ongoing", "rejected"} else "submitted",
        project=f.ProjectFactory() if kind == "taken" else None,
        **(deleted() if kind == "deleted" else {}),
    )
    before = linked(db)
    chosen = made.id if kind in {"ongoing", "rejected", "deleted", "taken"} else kind
    page = staff.submit(LINK, {"application": chosen}, status=200)
    alert = page.html.select_one('main [role="alert"]').text
    assert "application" in alert.lower()
    assert linked(db) == before
    assert events(db) == []


def test_a_project_has_one_application(staff: Browser, db: Session, project: Project) -> None:
    held = f.ApplicationFactory(status="submitted", project=project)
    made = f.ApplicationFactory(status="submitted")
    assert offered(staff.get(LINK)) == [held.id]
    page = staff.submit(LINK, {"application": made.id}, status=200)
    assert f"The project has application {held.hash} already." in page
    assert linked(db)[made.id] is None


@pytest.mark.parametrize("forged", ["other", "", "x"])
def test_only_the_application_that_is_shown_is_unlinked(
    staff: Browser, db: Session, project: Project, forged: str
) -> None:
    held = f.ApplicationFactory(status="submitted", project=project)
    other = f.ApplicationFactory(status="submitted", project=f.ProjectFactory())
    before = linked(db)
    sent = other.id if forged == "other" else forged
    assert "Nothing was changed" in staff.submit(UNLINK, {"application": sent}, status=303).follow()
    assert linked(db) == before
    assert before[held.id] == project.id
    assert events(db) == []


def test_a_service_administrator_links_on_pages_that_they_may_open(
    web: Browser, db: Session, project: Project
) -> None:
    web.sign_in(f.UserFactory(roles=["ServiceAdministrator"]))
    made = f.ApplicationFactory(status="submitted")
    page = web.get(LINK)
    for link in page.html.find("main").find_all("a", href=True):
        web.get(link["href"], status=200)
    web.submit(LINK, {"application": made.id}, status=303).follow(status=200)
    web.submit(UNLINK, {"application": made.id}, status=303).follow(status=200)


def test_pages_take_few_statements_whatever_they_show(
    staff: Browser, project: Project, count_statements: Any
) -> None:
    made = f.ApplicationFactory(status="submitted")
    for path in (LIST, f"{LIST}{made.hash}/", LINK):
        with count_statements() as few:
            staff.get(path)
        for _ in range(3):
            f.ApplicationFactory(status="submitted")
        with count_statements() as many:
            staff.get(path)
        assert len(few) == len(many) <= 12, path
