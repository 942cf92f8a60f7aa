"""The settings: name, notifications, roles, display (spec: pages 7 and 30.7)."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from jobserver.models import (
    AuditableEvent,
    MailChoice,
    MailKind,
    MailPreference,
    MutedWorkspace,
    User,
    Workspace,
)
from jobserver.queries import mail_preferences
from tests import factories as f
from tests.web.conftest import Browser

TABS = ("", "notifications/", "sessions/", "access/", "level-4/", "tokens/", "display/")
HTML = "<i>Mona & 'Lisa'</i>"


@pytest.fixture
def me(web: Browser) -> User:
    user: User = f.UserFactory(username="ada", fullname="Ada Lovelace", email="ada@example.org")
    web.sign_in(user)
    return user


def reload(db: Session, user: User) -> User:
    db.rollback()
    db.expire_all()
    return db.get_one(User, user.id)


def events(db: Session) -> list[tuple[str, str, str, str, str]]:
    db.rollback()
    rows = db.scalars(select(AuditableEvent).order_by(AuditableEvent.id))
    return [(row.type, row.target_field, row.old, row.new, row.created_by) for row in rows]


def account(**changes: str) -> dict[str, str]:
    return {"fullname": "Ada Lovelace", "email": "ada@example.org", **changes}


@pytest.mark.parametrize("tab", TABS)
def test_somebody_who_is_not_signed_in_is_led_to_the_sign_in_page_and_back(web: Browser, tab: str) -> None:
    answer = web.get(f"/settings/{tab}", status=303)
    assert answer.location.endswith(f"/login/?next=%2Fsettings%2F{tab.replace('/', '%2F')}")


@pytest.mark.parametrize("tab", TABS)
def test_every_tab_is_there_for_somebody_without_any_role(web: Browser, me: User, tab: str) -> None:
    page = web.get(f"/settings/{tab}", status=200)
    assert "no-store" in page.headers["Cache-Control"]
    tabs = page.html.find("nav", attrs={"aria-label": "Settings"})
    assert [each["href"] for each in tabs.find_all("a")] == [f"/settings/{name}" for name in TABS]
    assert tabs.find("a", attrs={"aria-current": "page"})["href"] == f"/settings/{tab}"


@pytest.mark.parametrize("tab", ["", "notifications/", "level-4/", "display/"])
def test_a_form_without_its_token_changes_nothing(web: Browser, me: User, db: Session, tab: str) -> None:
    web.post(f"/settings/{tab}", account(fullname="Mallory", request_ended="never", theme="dark"), status=400)
    assert reload(db, me).fullname == "Ada Lovelace"
    assert "theme" not in web.cookies
    assert db.scalars(select(MailPreference)).all() == []


@pytest.mark.parametrize(
    "path", ["resend-email", "cancel-email", "mute", "end-session", "end-other-sessions"]
)
def test_what_changes_something_is_never_a_get_and_needs_its_token(web: Browser, me: User, path: str) -> None:
    web.get(f"/settings/{path}/", status=405)
    web.post(f"/settings/{path}/", {}, status=400)


def test_pages_that_do_not_exist_are_404(web: Browser, me: User) -> None:
    web.get("/settings/nothing/", status=404)
    web.get("/settings/sessions/1/", status=404)
    web.get("/settings/notifications/?page=2", status=404)
    web.get("/settings/sessions/?page=0", status=404)
    web.get("/settings/access/?page=x", status=404)


# The name


def test_a_new_name_is_saved_without_outer_space_and_recorded(web: Browser, me: User, db: Session) -> None:
    answer = web.submit("/settings/", account(fullname="  Ada   King "), status=303)
    assert answer.location == "http://localhost/settings/"
    assert reload(db, me).fullname == "Ada King"
    assert events(db) == [("user_updated", "fullname", "Ada Lovelace", "Ada King", "ada")]
    page = answer.follow()
    assert "Your name is saved." in page
    assert page.html.find(id="fullname")["value"] == "Ada King"
    assert "Your name is saved." not in web.get("/settings/")


def test_saving_the_same_says_that_nothing_was_changed(web: Browser, me: User, db: Session) -> None:
    page = web.submit("/settings/", account(), status=303).follow()
    assert "Nothing was changed." in page
    assert events(db) == []


@pytest.mark.parametrize("name", ["", "   ", "\u00a0\t", "\u200b", "\u3164\u2800", "Ada\x00", "x" * 256])
def test_a_name_that_cannot_be_read_is_refused_at_its_field(
    web: Browser, me: User, db: Session, name: str
) -> None:
    page = web.submit("/settings/", account(fullname=name, email="kept@example.org"), status=200)
    assert page.html.title.text.startswith("Error: Settings")
    assert page.html.find(class_="error-summary").find("a")["href"] == "#fullname"
    field = page.html.find(id="fullname")
    assert field["aria-invalid"] == "true"
    assert page.html.find(id="email")["value"] == "kept@example.org"
    assert reload(db, me).fullname == "Ada Lovelace"
    assert db.scalars(select(AuditableEvent)).all() == []


def test_a_name_of_255_characters_will_do(web: Browser, me: User, db: Session) -> None:
    web.submit("/settings/", account(fullname="x" * 255), status=303)
    assert reload(db, me).fullname == "x" * 255


def test_html_in_a_name_is_shown_as_it_was_typed(web: Browser, me: User) -> None:
    page = web.submit("/settings/", account(fullname=HTML), status=303).follow()
    assert page.html.find(id="fullname")["value"] == HTML
    assert page.html.find("i") is None


@pytest.mark.parametrize("name", ["\u200b", "\u00a0", "\u3164"])
def test_somebody_without_a_readable_name_is_asked_for_it(web: Browser, db: Session, name: str) -> None:
    web.sign_in(f.UserFactory(fullname=name))
    assert "Your account has no name that can be read." in web.get("/settings/")


def test_somebody_with_a_name_is_not_asked_for_it(web: Browser, me: User) -> None:
    assert "has no name that can be read" not in web.get("/settings/")


def test_a_form_without_fields_changes_nothing(web: Browser, me: User, db: Session) -> None:
    assert "Nothing was changed." in web.submit("/settings/", {}, status=303).follow()
    assert events(db) == []


# Notifications


def chosen(db: Session, user: User) -> dict[MailKind, MailChoice]:
    db.rollback()
    return mail_preferences.choices(db, user.id)


def test_at_first_every_mail_is_wanted(web: Browser, me: User, db: Session) -> None:
    page = web.get("/settings/notifications/")
    ticked = {each["name"]: each["value"] for each in page.html.find_all("input", checked=True)}
    assert ticked == {"request_ended": "always", "first_failure": "always"}
    assert set(chosen(db, me).values()) == {MailChoice.ALWAYS}


def test_choices_are_kept_and_can_be_changed_again(web: Browser, me: User, db: Session) -> None:
    other = f.UserFactory()
    for ended, failure in (("failures", "never"), ("never", "always")):
        fields = {"request_ended": ended, "first_failure": failure}
        page = web.submit("/settings/notifications/", fields, status=303).follow()
        assert "Your choices are saved." in page
        ticked = {each["name"]: each["value"] for each in page.html.find_all("input", checked=True)}
        assert ticked == fields
        assert chosen(db, me) == {
            MailKind.REQUEST_ENDED: MailChoice(ended),
            MailKind.FIRST_FAILURE: MailChoice(failure),
        }
    assert set(chosen(db, other).values()) == {MailChoice.ALWAYS}


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"request_ended": "always"},
        {"request_ended": "sometimes", "first_failure": "always"},
        {"request_ended": "always", "first_failure": "failures"},
        {"request_ended": "\x00", "first_failure": "never"},
    ],
)
def test_a_choice_that_is_not_offered_is_refused(
    web: Browser, me: User, db: Session, fields: dict[str, str]
) -> None:
    page = web.submit("/settings/notifications/", fields, status=200)
    assert page.html.find(class_="error-summary") is not None
    assert db.scalars(select(MailPreference)).all() == []


def names(page: Any) -> list[str]:
    table = page.html.find("table")
    return [row.find("th").find("a").text for row in table.find("tbody").find_all("tr")] if table else []


def test_the_workspaces_are_those_of_my_projects_and_those_i_ran_something_in(
    web: Browser, me: User, db: Session
) -> None:
    project = f.ProjectMembershipFactory(user=me).project
    f.WorkspaceFactory(name="of-my-project", project=project)
    f.WorkspaceFactory(name="of-my-project-but-archived", project=project, is_archived=True)
    f.JobRequestFactory(created_by=me, workspace=f.WorkspaceFactory(name="i-ran-here"))
    f.JobRequestFactory(workspace=f.WorkspaceFactory(name="others-ran-here"))
    muted = f.WorkspaceFactory(name="zz-muted", is_archived=True)
    db.add(MutedWorkspace(user_id=me.id, workspace_id=muted.id))
    db.add(MutedWorkspace(user_id=f.UserFactory().id, workspace_id=f.WorkspaceFactory(name="not-mine").id))
    db.commit()
    page = web.get("/settings/notifications/")
    assert names(page) == ["zz-muted", "i-ran-here", "of-my-project"]
    assert page.html.find("th", string="zz-muted") is None
    assert "archived" in page.html.find("table").find("tbody").find("tr").text


def test_without_workspaces_the_page_says_so(web: Browser, me: User) -> None:
    assert "No workspaces yet" in web.get("/settings/notifications/")


def is_muted(db: Session, user: User, workspace: Workspace) -> bool:
    db.rollback()
    return mail_preferences.is_muted(db, user.id, workspace.id)


def test_a_workspace_is_switched_off_and_on_in_the_list(web: Browser, me: User, db: Session) -> None:
    project = f.ProjectMembershipFactory(user=me).project
    workspaces = [f.WorkspaceFactory(project=project, name=f"w-{n:02}") for n in range(30)]
    fields = {"workspace": "w-29", "muted": "True", "page": "2"}
    answer = web.submit("/settings/mute/", fields, status=303)
    assert answer.location == "http://localhost/settings/notifications/?page=2"
    assert "You get no more emails about requests in w-29." in answer.follow()
    assert is_muted(db, me, workspaces[29])
    assert names(web.get("/settings/notifications/"))[0] == "w-29"
    answer = web.submit("/settings/mute/", {**fields, "muted": ""}, status=303)
    assert "You get emails about requests in w-29 again" in answer.follow()
    assert not is_muted(db, me, workspaces[29])


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"workspace": "w", "muted": "maybe"},
        {"workspace": "w"},
        {"workspace": "nowhere", "muted": "True"},
        {"workspace": "\x00", "muted": "True"},
    ],
)
def test_switching_that_makes_no_sense_is_refused(
    web: Browser, me: User, db: Session, fields: dict[str, str]
) -> None:
    f.WorkspaceFactory(name="w")
    web.submit("/settings/mute/", fields, status=400)
    assert db.scalars(select(MutedWorkspace)).all() == []


@pytest.mark.parametrize("page", ["", "x", "//evil.example/", "https://evil.example/", "１"])
def test_nothing_leads_away_from_the_list(web: Browser, me: User, page: str) -> None:
    f.WorkspaceFactory(name="w")
    fields = {"workspace": "w", "muted": "True", "page": page, "next": "https://evil.example/"}
    answer = web.submit("/settings/mute/", fields, status=303)
    assert answer.location == "http://localhost/settings/notifications/"


def test_the_toggle_of_a_workspace_is_explicit_and_offers_undo(web: Browser, me: User, db: Session) -> None:
    workspace = f.WorkspaceFactory()
    home = f"/{workspace.project.org.slug}/{workspace.project.slug}/{workspace.name}/"
    for _ in range(2):
        answer = web.submit(home + "mute-toggle/", {"muted": "True", "next": "//evil.example"}, status=303)
        assert answer.location == f"http://localhost{home}"
        assert is_muted(db, me, workspace)
        page = answer.follow()
    assert f"You get no more emails about requests in {workspace.name}." in page
    undo = page.click("^Undo$")
    assert undo.request.path == home + "mute-toggle/"
    assert is_muted(db, me, workspace)
    (form,) = [each for each in undo.forms.values() if each.action == home + "mute-toggle/"]
    assert form["muted"].value == ""
    form.submit(status=303)
    assert not is_muted(db, me, workspace)


def test_the_toggle_needs_an_account_a_token_and_a_target(web: Browser, db: Session) -> None:
    workspace = f.WorkspaceFactory()
    path = f"/{workspace.project.org.slug}/{workspace.project.slug}/{workspace.name}/mute-toggle/"
    web.get(path, status=303)
    web.submit(path, {"muted": "True"}, status=303)
    web.sign_in(f.UserFactory())
    web.post(path, {"muted": "True"}, status=400)
    web.submit(path, {}, status=400)
    web.submit(path, {"muted": "perhaps"}, status=400)
    web.submit(path.replace(workspace.name, "nowhere"), {"muted": "True"}, status=404)
    assert db.scalars(select(MutedWorkspace)).all() == []


# Roles and backends


def test_the_page_of_roles_says_what_each_lets_one_do(web: Browser, db: Session) -> None:
    user = f.UserFactory(roles=["OutputPublisher"])
    membership = f.ProjectMembershipFactory(user=user, roles=["ProjectDeveloper"])
    f.BackendMembershipFactory(user=user, backend=f.BackendFactory(name="TPP"))
    f.BackendMembershipFactory(user=user, backend=f.BackendFactory(name="Old", is_active=False))
    org = f.OrgMembershipFactory(user=user).org
    f.ProjectMembershipFactory()
    text = web.sign_in(user).get("/settings/access/").html.find("main").get_text(" ", strip=True)
    for words in (
        "Output Publisher Decides whether a draft becomes public. Lets you publish a draft.",
        membership.project.name,
        "Project Developer",
        "run jobs",
        "TPP",
        "Out of use.",
        org.name,
    ):
        assert words in text
    assert "you still need" not in text
    assert "release files, through a backend" not in text


def test_the_page_of_roles_says_what_is_missing_and_who_gives_it(web: Browser, me: User) -> None:
    f.ProjectMembershipFactory(user=me, roles=["ProjectCollaborator"])
    page = web.get("/settings/access/")
    assert "To run jobs you still need:" in page
    for words in ("An organisation.", "A role that runs jobs.", "A backend.", "tech@opensafely.org"):
        assert words in page
    for words in ("No backend yet", "No organisation yet", "You have no such role"):
        assert words in page


def test_somebody_who_runs_jobs_everywhere_needs_no_role_of_a_project(web: Browser, db: Session) -> None:
    web.sign_in(f.UserFactory(roles=["DeploymentAdministrator"]))
    assert "A role that runs jobs." not in web.get("/settings/access/")


def test_names_with_html_are_shown_as_they_are(web: Browser, me: User) -> None:
    project = f.ProjectFactory(name=HTML, org=f.OrgFactory(name=HTML))
    f.ProjectMembershipFactory(user=me, project=project)
    f.OrgMembershipFactory(user=me, org=project.org)
    f.BackendMembershipFactory(user=me, backend=f.BackendFactory(name=HTML))
    f.WorkspaceFactory(project=project)
    for tab in ("access/", "notifications/"):
        page = web.get(f"/settings/{tab}")
        assert HTML in page.html.find("main").text
        assert page.html.find("i") is None


# Display


def test_the_look_is_kept_in_cookies_of_this_browser(web: Browser, me: User) -> None:
    answer = web.submit("/settings/display/", {"theme": "dark", "exact_times": "y"}, status=303)
    cookies = {each.split("=")[0]: each for each in answer.headers.getall("Set-Cookie")}
    for name, value in {"theme": "dark", "times": "exact", "keys": "off"}.items():
        assert cookies[name].startswith(f"{name}={value};")
        for attribute in ("SameSite=Lax", "Max-Age=31449600", "Path=/", "HttpOnly"):
            assert attribute in cookies[name]
    page = answer.follow()
    assert "Saved for this browser." in page
    assert page.html.html["data-theme"] == "dark"
    assert page.html.html["data-keys"] == "off"
    assert page.html.find("input", checked=True, attrs={"name": "theme"})["value"] == "dark"
    assert page.html.find(id="exact_times").has_attr("checked")
    assert not page.html.find(id="single_keys").has_attr("checked")


def test_the_look_can_be_put_back(web: Browser, me: User) -> None:
    web.submit("/settings/display/", {"theme": "dark", "exact_times": "y"})
    page = web.submit("/settings/display/", {"theme": "system", "single_keys": "y"}, status=303).follow()
    assert not page.html.html.has_attr("data-theme")
    assert not page.html.html.has_attr("data-keys")
    assert not page.html.find(id="exact_times").has_attr("checked")


def test_a_look_that_is_not_offered_is_refused(web: Browser, me: User) -> None:
    page = web.submit("/settings/display/", {"theme": '"><script>'}, status=200)
    assert "Choose one of these" in page or "Not a valid choice" in page
    assert "theme" not in web.cookies


def test_a_strange_cookie_does_no_harm(web: Browser, me: User) -> None:
    web.set_cookie("theme", "purple")
    page = web.get("/settings/display/")
    assert page.html.find("input", checked=True, attrs={"name": "theme"})["value"] == "system"


# Cost


def fill(me: User, rows: int) -> None:
    for _ in range(rows):
        membership = f.ProjectMembershipFactory(user=me, roles=["ProjectDeveloper"])
        workspace = f.WorkspaceFactory(project=membership.project)
        f.JobRequestFactory(workspace=workspace, created_by=me)
        f.BackendMembershipFactory(user=me)
        f.OrgMembershipFactory(user=me)
        f.session_cookie(me)


def test_the_number_of_statements_does_not_depend_on_the_number_of_rows(
    web: Browser, me: User, count_statements: Callable[[], Any]
) -> None:
    counts: list[dict[str, int]] = []
    for rows in (2, 18):
        fill(me, rows)
        counts.append({})
        for tab in TABS:
            with count_statements() as statements:
                web.get(f"/settings/{tab}", status=200)
            assert statements.writes == []
            counts[-1][tab] = len(statements)
    assert counts[0] == counts[1]
    assert max(counts[0].values()) <= 12


def test_long_lists_come_in_pages(web: Browser, me: User, db: Session) -> None:
    fill(me, 27)
    for tab, last in (("notifications/", 2), ("access/", 2), ("sessions/", 3)):
        page = web.get(f"/settings/{tab}?page=2")
        assert "Page 2 of 2" in page
        rows = page.html.find("table").find("tbody").find_all("tr")
        assert len(rows) == last, tab
