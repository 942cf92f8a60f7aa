"""Saying where a project stands."""

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from webob.multidict import MultiDict

from jobserver.forms.projects import LONGEST_DESCRIPTION, EditProjectForm
from jobserver.models import AuditableEvent, AuditType, Project, ProjectStatus, User
from jobserver.templating.states import PROJECT_STATES
from tests import factories as f
from tests.web.conftest import Browser

MARKDOWN = "# Where we are\n\n- *sent* to a journal\n- <script>alert(1)</script>"


def path(project: Project, view: str = "edit/") -> str:
    return f"/{project.org.slug}/{project.slug}/{view}"


def developer(project: Project, **fields: Any) -> User:
    user: User = f.UserFactory(**fields)
    f.ProjectMembershipFactory(project=project, user=user, roles=["ProjectDeveloper"])
    return user


@pytest.fixture
def project(db: Session) -> Project:
    made: Project = f.ProjectFactory(name="Asthma", status_description="As it was")
    return made


def now(db: Session, project: Project) -> Project:
    db.commit()
    db.refresh(project, [column.key for column in Project.__mapper__.column_attrs])
    return project


def recorded(db: Session) -> list[tuple[str, dict[str, Any], str]]:
    db.commit()
    events = db.scalars(select(AuditableEvent).order_by(AuditableEvent.id))
    return [(each.type, each.changes, each.created_by) for each in events]


def fields(page: Any, **more: str) -> dict[str, str]:
    """What a browser would send of the page's form, with changes."""
    form = page.html.select_one("main form")
    sent = {each["name"]: each.get("value", "") for each in form.find_all("input")}
    chosen = form.select_one("option[selected]")
    sent["status"] = chosen["value"] if chosen else ""
    sent["status_description"] = form.find("textarea").text.removeprefix("\n").removeprefix("\r\n")
    sent.pop("csrfmiddlewaretoken")
    return {**sent, **more}


def test_anonymous_people_are_sent_to_sign_in(web: Browser, project: Project) -> None:
    assert "/login/?next=" in web.get(path(project), status=303).location
    assert "/login/?next=" in web.submit(path(project), {"status": "retired"}, status=303).location


@pytest.mark.parametrize("who", ["stranger", "member", "collaborator", "other developer", "staff"])
def test_without_the_role_the_page_names_it(web: Browser, db: Session, project: Project, who: str) -> None:
    user = f.UserFactory(roles=["ServiceAdministrator", "StaffAreaAdministrator"] if who == "staff" else [])
    if who in {"member", "collaborator"}:
        roles = ["ProjectCollaborator"] if who == "collaborator" else []
        f.ProjectMembershipFactory(project=project, user=user, roles=roles)
    if who == "other developer":
        f.ProjectMembershipFactory(user=user, roles=["ProjectDeveloper"])
    web.sign_in(user)
    for answer in (
        web.get(path(project), status=403),
        web.submit(path(project), {"status": "retired"}, status=403),
    ):
        assert "Project Developer" in answer
    assert now(db, project).status == "ongoing"


def test_a_form_without_the_token_changes_nothing(web: Browser, db: Session, project: Project) -> None:
    web.sign_in(developer(project))
    web.post(path(project), {"status": "retired"}, status=400)
    assert now(db, project).status == "ongoing"


def test_the_six_statuses_are_offered_in_words(web: Browser, project: Project) -> None:
    page = web.sign_in(developer(project)).get(path(project))
    options = {each["value"]: each.text for each in page.html.select("#status option")}
    assert set(options) == {status.value for status in ProjectStatus}
    assert options["completed-and-awaiting"] == "Completed, awaiting paper or report"
    assert page.html.select_one("#status option[selected]")["value"] == "ongoing"


def test_status_and_description_are_saved_with_who_changed_them(
    web: Browser, db: Session, project: Project
) -> None:
    user = developer(project)
    web.sign_in(user)
    before = project.updated_at
    sent = fields(web.get(path(project)), status="retired", status_description=MARKDOWN)
    answer = web.submit(path(project), sent, status=303)
    assert answer.location.endswith(path(project, ""))
    page = web.get(path(project, ""))
    assert "Saved the status of Asthma." in page
    assert "<script>alert(1)" not in page.text
    stored = now(db, project)
    assert (stored.status, stored.status_description) == ("retired", MARKDOWN)
    assert stored.updated_by_id == user.id
    assert stored.updated_at > before
    assert recorded(db) == [
        (
            AuditType.PROJECT_UPDATED,
            {"status": ["ongoing", "retired"], "status_description": ["As it was", MARKDOWN]},
            user.username,
        )
    ]
    assert "<script>alert(1)" not in web.get(path(project)).text


def test_what_did_not_change_is_not_recorded(web: Browser, db: Session, project: Project) -> None:
    web.sign_in(developer(project))
    web.submit(path(project), fields(web.get(path(project))), status=303)
    assert recorded(db) == []
    sent = fields(web.get(path(project)), status="postponed")
    for _ in range(2):
        web.submit(path(project), sent, status=303)
    assert [event[1] for event in recorded(db)] == [{"status": ["ongoing", "postponed"]}]


def test_the_description_may_be_empty(web: Browser, db: Session, project: Project) -> None:
    web.sign_in(developer(project))
    web.submit(path(project), fields(web.get(path(project)), status_description=" \r\n"), status=303)
    assert now(db, project).status_description == ""


def test_the_description_may_be_long_but_not_endless() -> None:
    for length, fits in ((LONGEST_DESCRIPTION, True), (LONGEST_DESCRIPTION + 1, False)):
        form = EditProjectForm(MultiDict(status="ongoing", status_description="x" * length))
        assert form.validate() is fits
    assert form.status_description.errors == ["Shorten this to 20,000 characters or fewer."]


@pytest.mark.parametrize("status", ["", "finished", "ONGOING", "\x00", "x" * 9_000, None])
def test_an_unknown_status_is_an_error_at_the_field(
    web: Browser, db: Session, project: Project, status: str | None
) -> None:
    web.sign_in(developer(project))
    sent = fields(web.get(path(project)), status_description="Kept")
    sent.pop("status") if status is None else sent.update(status=status)
    page = web.submit(path(project), sent, status=200)
    assert page.html.title.text.startswith("Error: ")
    assert page.html.select_one(".error-summary a")["href"] == "#status"
    assert page.html.find("textarea").text.strip() == "Kept"
    assert now(db, project).status == "ongoing"


@pytest.mark.parametrize(
    ("wanted", "lands"),
    [
        ("/somewhere/?a=1", "/somewhere/?a=1"),
        ("", None),
        ("https://evil.example/", None),
        ("//evil.example/", None),
        ("///evil.example/", None),
        ("/\\evil.example/", None),
        ("javascript:alert(1)", None),
        ("/a\r\nSet-Cookie: x=1", None),
    ],
)
def test_next_leads_to_pages_of_this_site_only(
    web: Browser, project: Project, wanted: str, lands: str | None
) -> None:
    web.sign_in(developer(project))
    page = web.get(path(project), params={"next": wanted})
    sent = fields(page, status="retired")
    assert sent["next"] == (lands or "")
    answer = web.submit(path(project), {**sent, "next": wanted}, status=303)
    assert answer.location.removeprefix("http://localhost") == (lands or path(project, ""))


def test_the_second_of_two_people_sees_what_the_first_changed(
    web: Browser, db: Session, project: Project
) -> None:
    first, second = developer(project, fullname="Ann Alyst"), developer(project)
    web.sign_in(second)
    opened = fields(web.get(path(project)))
    web.sign_in(first)
    sent = fields(web.get(path(project)), status="postponed", status_description="Ann's <b>words</b>")
    web.submit(path(project), sent, status=303)
    web.sign_in(second)
    page = web.submit(path(project), {**opened, "status": "retired"}, status=200)
    assert "Ann Alyst has changed this since you opened this page. Nothing was saved." in page
    theirs = page.html.find("h2", id="theirs").find_parent("section").text
    assert "Postponed" in theirs
    assert "Ann's <b>words</b>" in theirs
    assert "Ann&#39;s &lt;b&gt;" in page
    assert page.html.select_one("#status option[selected]")["value"] == "retired"
    assert now(db, project).status == "postponed"
    web.submit(path(project), fields(page), status=303)
    assert now(db, project).status == "retired"


@pytest.mark.parametrize("slug", ["..", "nowhere", "a" * 10_000, "%00", "%2e%2e"])
def test_a_project_that_is_not_there_is_a_404(web: Browser, project: Project, slug: str) -> None:
    web.sign_in(developer(project))
    url = path(project).replace(project.slug, slug)
    assert web.get(url, status="*").status_code in {400, 404}
    assert web.submit(url, {"status": "retired"}, status="*").status_code in {400, 404}


def test_the_page_takes_few_statements(web: Browser, project: Project, count_statements: Any) -> None:
    web.sign_in(developer(project))
    with count_statements() as sent:
        web.get(path(project))
    assert len(sent) <= 4


def test_every_status_is_shown_to_members_in_words(web: Browser, db: Session) -> None:
    assert set(PROJECT_STATES) == {status.value for status in ProjectStatus}
    for status, state in PROJECT_STATES.items():
        project = f.ProjectFactory(status=status)
        page = web.sign_in(f.ProjectMembershipFactory(project=project).user).get(path(project, ""))
        about = page.html.find("h2", id="about").find_parent("section")
        assert about.select_one(".st").text.strip() == state.word
