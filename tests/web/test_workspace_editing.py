"""Changing a workspace: purpose, archived or not, emails."""

import re
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from jobserver.models import AuditableEvent, AuditType, User, Workspace
from tests import factories as f
from tests.web.conftest import Browser

VIEWS = ("edit", "archive-toggle", "notifications-toggle")


def path(workspace: Workspace, view: str = "") -> str:
    return f"/{workspace.project.org.slug}/{workspace.project.slug}/{workspace.name}/{view + '/' if view else ''}"


def developer(workspace: Workspace, **fields: Any) -> User:
    user: User = f.UserFactory(**fields)
    f.ProjectMembershipFactory(project=workspace.project, user=user, roles=["ProjectDeveloper"])
    return user


@pytest.fixture
def workspace(db: Session) -> Workspace:
    made: Workspace = f.WorkspaceFactory(name="asthma-main", purpose="As it was")
    return made


def now(db: Session, workspace: Workspace) -> Workspace:
    db.commit()
    db.refresh(workspace, [column.key for column in Workspace.__mapper__.column_attrs])
    return workspace


def recorded(db: Session) -> list[tuple[str, dict[str, Any], str]]:
    db.commit()
    events = db.scalars(select(AuditableEvent).order_by(AuditableEvent.id))
    return [(each.type, each.changes, each.created_by) for each in events]


def version(page: Any) -> str:
    return str(page.html.find("input", {"name": "version"})["value"])


def flashes(page: Any) -> str:
    found = page.html.find("section", {"aria-label": "Notices"})
    return " ".join(found.get_text(" ").split()) if found else ""


# Who may


@pytest.mark.parametrize("view", VIEWS)
def test_anonymous_people_are_sent_to_sign_in(web: Browser, workspace: Workspace, view: str) -> None:
    assert "/login/?next=" in web.get(path(workspace, view), status=303).location
    assert "/login/?next=" in web.submit(path(workspace, view), status=303).location


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("who", ["stranger", "member", "collaborator", "other developer", "staff"])
def test_without_the_role_the_page_names_it(
    web: Browser, db: Session, workspace: Workspace, view: str, who: str
) -> None:
    user = f.UserFactory(
        roles=["StaffAreaAdministrator", "DeploymentAdministrator"] if who == "staff" else []
    )
    if who in {"member", "collaborator"}:
        roles = ["ProjectCollaborator"] if who == "collaborator" else []
        f.ProjectMembershipFactory(project=workspace.project, user=user, roles=roles)
    if who == "other developer":
        f.ProjectMembershipFactory(user=user, roles=["ProjectDeveloper"])
    web.sign_in(user)
    fields = {"purpose": "Mine now", "is_archived": "True", "should_notify": "True"}
    for answer in (
        web.get(path(workspace, view), status=403),
        web.submit(path(workspace, view), fields, status=403),
    ):
        assert "Project Developer" in answer
        assert "Given by" in answer
    stored = now(db, workspace)
    assert (stored.purpose, stored.is_archived, stored.should_notify) == ("As it was", False, False)
    assert recorded(db) == []


@pytest.mark.parametrize("view", VIEWS)
def test_a_form_without_the_token_changes_nothing(
    web: Browser, db: Session, workspace: Workspace, view: str
) -> None:
    web.sign_in(developer(workspace))
    fields = {"purpose": "Forged", "is_archived": "True", "should_notify": "True"}
    web.post(path(workspace, view), fields, status=400)
    stored = now(db, workspace)
    assert (stored.purpose, stored.is_archived, stored.should_notify) == ("As it was", False, False)


@pytest.mark.parametrize("name", ["..", "nowhere", "a" * 10_000, "%00", "%2e%2e", "a%0db"])
def test_a_workspace_that_is_not_there_is_a_404(web: Browser, workspace: Workspace, name: str) -> None:
    web.sign_in(developer(workspace))
    for view in VIEWS:
        url = path(workspace, view).replace("asthma-main", name)
        assert web.get(url, status="*").status_code in {400, 404}
        assert web.submit(url, {"is_archived": "True"}, status="*").status_code in {400, 404}


def test_a_workspace_of_another_project_cannot_be_reached_through_ones_own(
    web: Browser, db: Session, workspace: Workspace
) -> None:
    mine = f.WorkspaceFactory()
    web.sign_in(developer(mine))
    url = path(mine, "archive-toggle").replace(mine.name, workspace.name)
    web.submit(url, {"is_archived": "True"}, status=404)
    assert not now(db, workspace).is_archived


# The purpose


def test_the_purpose_is_saved_with_who_changed_it(web: Browser, db: Session, workspace: Workspace) -> None:
    user = developer(workspace)
    web.sign_in(user)
    page = web.get(path(workspace, "edit"))
    assert page.html.find("textarea", {"name": "purpose"}).text.strip() == "As it was"
    before = now(db, workspace).updated_at
    fields = {"purpose": "  As it is\r\nnow \x00\x07", "version": version(page)}
    answer = web.submit(path(workspace, "edit"), fields, status=303)
    assert answer.location.endswith(path(workspace))
    assert "Saved the purpose of asthma-main." in flashes(web.get(path(workspace)))
    stored = now(db, workspace)
    assert stored.purpose == "As it is\nnow"
    assert stored.updated_by_id == user.id
    assert stored.updated_at > before
    assert recorded(db) == [
        (AuditType.WORKSPACE_UPDATED, {"purpose": ["As it was", "As it is\nnow"]}, user.username)
    ]


def test_saving_the_same_again_is_harmless(web: Browser, db: Session, workspace: Workspace) -> None:
    web.sign_in(developer(workspace))
    fields = {"purpose": "New", "version": version(web.get(path(workspace, "edit")))}
    for _ in range(2):
        web.submit(path(workspace, "edit"), fields, status=303)
    assert len(recorded(db)) == 1


@pytest.mark.parametrize("purpose", ["", "   \r\n\t ", "\x00", None, "x" * 5001])
def test_a_purpose_that_will_not_do_is_refused_and_kept(
    web: Browser, db: Session, workspace: Workspace, purpose: str | None
) -> None:
    web.sign_in(developer(workspace))
    seen = version(web.get(path(workspace, "edit")))
    fields = {"version": seen} | ({"purpose": purpose} if purpose is not None else {})
    page = web.submit(path(workspace, "edit"), fields, status=200)
    assert page.html.title.text.startswith("Error: ")
    assert page.html.select_one(".error-summary a")["href"] == "#purpose"
    assert version(page) == seen
    assert now(db, workspace).purpose == "As it was"
    if purpose and len(purpose) > 5000:
        assert "Shorten this to 5,000 characters or fewer." in page
        assert purpose in page


def test_the_second_of_two_people_sees_what_the_first_changed(
    web: Browser, db: Session, workspace: Workspace
) -> None:
    first, second = developer(workspace, fullname="Ann <b>"), developer(workspace)
    web.sign_in(second)
    seen = version(web.get(path(workspace, "edit")))
    web.sign_in(first)
    fields = {"purpose": "Ann's <i>words</i>", "version": version(web.get(path(workspace, "edit")))}
    web.submit(path(workspace, "edit"), fields, status=303)
    web.sign_in(second)
    page = web.submit(path(workspace, "edit"), {"purpose": "My words", "version": seen}, status=200)
    assert "Ann &lt;b&gt; has changed the purpose since you opened this page. Nothing was saved." in page
    assert "Ann&#39;s &lt;i&gt;words&lt;/i&gt;" in page
    assert page.html.find("textarea", {"name": "purpose"}).text.strip() == "My words"
    assert now(db, workspace).purpose == "Ann's <i>words</i>"
    # Having seen it, the second may replace it.
    web.submit(path(workspace, "edit"), {"purpose": "My words", "version": version(page)}, status=303)
    assert now(db, workspace).purpose == "My words"
    assert [event[2] for event in recorded(db)] == [first.username, second.username]


def test_archiving_meanwhile_is_no_conflict(web: Browser, db: Session, workspace: Workspace) -> None:
    web.sign_in(developer(workspace))
    seen = version(web.get(path(workspace, "edit")))
    web.submit(path(workspace, "archive-toggle"), {"is_archived": "True"}, status=303)
    web.submit(path(workspace, "edit"), {"purpose": "New", "version": seen}, status=303)
    assert now(db, workspace).purpose == "New"


@pytest.mark.parametrize("seen", [None, "", "x" * 9_000, "\x00", "0" * 20])
def test_a_forged_or_missing_version_overwrites_nothing(
    web: Browser, db: Session, workspace: Workspace, seen: str | None
) -> None:
    web.sign_in(developer(workspace))
    fields = {"purpose": "New"} | ({"version": seen} if seen is not None else {})
    page = web.submit(path(workspace, "edit"), fields, status=200)
    assert "Nothing was saved." in page
    assert now(db, workspace).purpose == "As it was"


def test_html_in_the_purpose_is_shown_as_text(web: Browser, workspace: Workspace) -> None:
    web.sign_in(developer(workspace))
    evil = "</textarea><script>alert(1)</script>"
    fields = {"purpose": evil, "version": version(web.get(path(workspace, "edit")))}
    web.submit(path(workspace, "edit"), fields, status=303)
    for page in (web.get(path(workspace, "edit")), web.get(path(workspace))):
        assert "<script>alert(1)" not in page.text
        assert "&lt;script&gt;alert(1)" in page.text


# Archiving


def test_archiving_stays_on_the_page_and_offers_to_undo(
    web: Browser, db: Session, workspace: Workspace
) -> None:
    user = developer(workspace)
    web.sign_in(user)
    answer = web.submit(path(workspace, "archive-toggle"), {"is_archived": "True"}, status=303)
    assert answer.location.endswith(path(workspace))
    assert now(db, workspace).is_archived
    assert workspace.updated_by_id == user.id
    page = web.get(path(workspace))
    assert "Archived asthma-main. Nothing new can be run in it" in flashes(page)
    undo = page.html.find("a", string="Undo…")["href"]
    question = web.get(undo)
    assert "Unarchive asthma-main?" in question.html.h1.text
    form = question.html.select_one("main form")
    assert form["action"] == path(workspace, "archive-toggle")
    fields = {each["name"]: each.get("value", "") for each in form.find_all("input")}
    web.post(form["action"], fields, status=303)
    assert not now(db, workspace).is_archived
    assert recorded(db) == [
        (AuditType.WORKSPACE_ARCHIVED, {"is_archived": [False, True]}, user.username),
        (AuditType.WORKSPACE_UNARCHIVED, {"is_archived": [True, False]}, user.username),
    ]


def test_archiving_twice_is_harmless(web: Browser, db: Session, workspace: Workspace) -> None:
    web.sign_in(developer(workspace))
    for _ in range(2):
        web.submit(path(workspace, "archive-toggle"), {"is_archived": "True"}, status=303)
    assert "archived already. Nothing was changed." in flashes(web.get(path(workspace)))
    assert len(recorded(db)) == 1


@pytest.mark.parametrize(
    ("value", "archived"),
    [
        ("True", True),
        ("on", True),
        ("", False),
        (None, False),
        ("False", False),
        ("false", False),
        ("0", False),
    ],
)
def test_the_field_names_the_state_that_is_wanted(
    web: Browser, db: Session, workspace: Workspace, value: str | None, archived: bool
) -> None:
    workspace.is_archived = not archived
    db.commit()
    web.sign_in(developer(workspace))
    fields = {} if value is None else {"is_archived": value}
    web.submit(path(workspace, "archive-toggle"), fields, status=303)
    assert now(db, workspace).is_archived is archived


def test_the_question_is_a_page_for_browsers_without_script(web: Browser, workspace: Workspace) -> None:
    web.sign_in(developer(workspace))
    page = web.get(path(workspace, "archive-toggle"))
    assert "Archive asthma-main?" in page.html.h1.text
    assert "Nothing new can be run in it" in page
    already = web.get(path(workspace, "archive-toggle") + "?is_archived=")
    assert "is not archived" in already
    assert already.html.select_one("main form") is None


# Emails


def test_suggesting_emails_can_be_switched_on_and_off(
    web: Browser, db: Session, workspace: Workspace
) -> None:
    user = developer(workspace)
    web.sign_in(user)
    for value, wanted in (("True", True), ("", False)):
        answer = web.submit(path(workspace, "notifications-toggle"), {"should_notify": value}, status=303)
        assert answer.location.endswith(path(workspace))
        assert now(db, workspace).should_notify is wanted
        page = web.get(path(workspace))
        assert "suggest an email when they end." in flashes(page)
        undo = web.get(page.html.find("a", string="Undo…")["href"])
        field = undo.html.select_one("main form input[name=should_notify]")
        assert field["value"] == ("" if wanted else "True")
    web.submit(path(workspace, "notifications-toggle"), {"should_notify": ""}, status=303)
    assert "Nothing was changed." in flashes(web.get(path(workspace)))
    assert [event[0] for event in recorded(db)] == [
        AuditType.WORKSPACE_NOTIFICATIONS_ON,
        AuditType.WORKSPACE_NOTIFICATIONS_OFF,
    ]


def test_a_field_that_comes_twice_is_refused(web: Browser, db: Session, workspace: Workspace) -> None:
    web.sign_in(developer(workspace))
    web.submit(path(workspace, "archive-toggle"), [("is_archived", "True"), ("is_archived", "")], status=400)
    assert not now(db, workspace).is_archived


def test_an_uploaded_file_in_the_place_of_a_field_is_no_500(web: Browser, workspace: Workspace) -> None:
    web.sign_in(developer(workspace)).get("/404", status=404)
    token = web.cookies["csrftoken"].strip('"')
    for view, name in (("edit", "purpose"), ("archive-toggle", "is_archived")):
        answer = web.post(
            path(workspace, view),
            {"csrfmiddlewaretoken": token},
            upload_files=[(name, "x.txt", b"x")],
            status="*",
        )
        assert answer.status_code in {200, 303}


@pytest.mark.parametrize("view", VIEWS)
def test_the_pages_take_few_statements(
    web: Browser, workspace: Workspace, view: str, count_statements: Any
) -> None:
    web.sign_in(developer(workspace))
    with count_statements() as sent:
        web.get(path(workspace, view))
    assert len(sent) <= 4


def test_every_change_is_refused_by_get(web: Browser, db: Session, workspace: Workspace) -> None:
    web.sign_in(developer(workspace))
    web.get(path(workspace, "archive-toggle") + "?is_archived=True")
    assert not now(db, workspace).is_archived
    assert re.search("405", web.put(path(workspace, "archive-toggle"), status="*").status)
