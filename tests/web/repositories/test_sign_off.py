"""Researchers sign workspaces and then the repository off, each once (spec: pages 20.2, domain 13.58)."""

import threading
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from jobserver.actions import repos as actions
from jobserver.actions import workspaces as making
from jobserver.models import AuditableEvent, Project, Repo, User, Workspace, utcnow
from tests import factories as f
from tests.web.conftest import Browser
from tests.web.repositories.conftest import PAGE, SIGN_OFF, Study, tasks


def reloaded(db: Session, *things: Any) -> None:
    """Read them as they are now."""
    db.rollback()
    for thing in things:
        db.refresh(thing)


def signed(study: Study, *workspaces: Workspace) -> None:
    """Have these been signed off by somebody else before."""
    who = f.UserFactory(fullname="Bo Blue")
    for workspace in workspaces:
        workspace.signed_off_at, workspace.signed_off_by_id = utcnow(), who.id
    f.current().commit()


def fault(page: Any) -> str:
    """What the page says went wrong."""
    assert page.html.title.text.startswith("Error: ")
    found = page.html.find(id="fault")
    assert found["role"] == "alert"
    return " ".join(found.text.split())


# Who may


@pytest.mark.parametrize("address", [SIGN_OFF, "/repo/demo-university/nothing/sign-off/"])
def test_anonymous_people_are_sent_to_sign_in(web: Browser, study: Study, address: str) -> None:
    assert "/login/?next=" in web.get(address, status=303).location
    assert "/login/?next=" in web.submit(address, status=303).location


@pytest.mark.parametrize(
    "who", ["stranger", "member of another project", "every global role", "of the organisation", "former"]
)
def test_to_others_there_is_no_such_page(web: Browser, db: Session, study: Study, who: str) -> None:
    user = f.UserFactory(roles=["StaffAreaAdministrator", "TechSupport"] if who.startswith("every") else [])
    if who == "member of another project":
        f.ProjectMembershipFactory(user=user, roles=["ProjectDeveloper"])
    if who == "of the organisation":
        f.OrgMembershipFactory(user=user, org=study.project.org)
    if who == "former":
        user = study.ada
        moved = f.ProjectFactory()
        study.main.project_id = moved.id
        db.commit()
    web.sign_in(user)
    signed(study, study.other)
    for answer in (
        web.get(SIGN_OFF, status=404),
        web.submit(SIGN_OFF, {"name": "asthma-main"}, status=404),
        web.submit(SIGN_OFF, status=404),
    ):
        assert "asthma-main" not in answer
    reloaded(db, study.repo, study.main)
    assert study.main.signed_off_at is None
    assert "sign-off/" not in web.get(PAGE)


@pytest.mark.parametrize("address", ["demo-university/nothing", "other/asthma-study", "demo-university/.."])
def test_what_is_not_known_is_a_404_for_members_too(ada: Browser, address: str) -> None:
    ada.get(f"/repo/{address}/sign-off/", status=404)
    ada.submit(f"/repo/{address}/sign-off/", status=404)


def test_a_member_of_either_project_without_a_role_may(web: Browser, db: Session, study: Study) -> None:
    other = f.ProjectMembershipFactory(project=study.other.project)
    for user in (study.ada, other.user):
        web.sign_in(user)
        assert web.get(PAGE).html.find("a", href=SIGN_OFF)
        web.get(SIGN_OFF, status=200)
    web.submit(SIGN_OFF, {"name": "asthma-main"}, status=303)
    reloaded(db, study.main)
    assert study.main.signed_off_by_id == other.user_id


def test_a_form_without_the_token_signs_nothing(ada: Browser, db: Session, study: Study) -> None:
    signed(study, study.main, study.other)
    ada.post(SIGN_OFF, status=400)
    ada.post(SIGN_OFF, {"csrfmiddlewaretoken": "x"}, status=400)
    reloaded(db, study.repo)
    assert study.repo.researcher_signed_off_at is None
    assert tasks(db) == []


def test_reading_signs_nothing_and_other_methods_are_refused(
    ada: Browser, db: Session, study: Study, count_statements: Any
) -> None:
    signed(study, study.main, study.other)
    with count_statements() as sent:
        ada.get(f"{SIGN_OFF}?name=asthma-main&again=1")
    assert sent.writes == []
    for method in (ada.put, ada.delete, ada.patch):
        method(SIGN_OFF, headers={"X-CSRFToken": ada.cookies["csrftoken"].strip('"')}, status=405)
    reloaded(db, study.repo)
    assert study.repo.researcher_signed_off_at is None


# One workspace


def test_a_workspace_is_signed_off_with_who_and_when(ada: Browser, db: Session, study: Study) -> None:
    answer = ada.submit(SIGN_OFF, {"name": "asthma-main"}, status=303)
    assert answer.location == f"http://localhost{SIGN_OFF}"
    page = answer.follow()
    assert "You signed off the workspace asthma-main." in page
    assert "by Ada Hale" in page
    reloaded(db, study.main, study.other)
    assert study.main.signed_off_by_id == study.main.updated_by_id == study.ada.id
    assert study.main.signed_off_at == study.main.updated_at
    assert study.other.signed_off_at is None
    (event,) = db.scalars(select(AuditableEvent)).all()
    assert (event.type, event.created_by, event.target_label, event.parent_label) == (
        "workspace_signed_off",
        "ada",
        "asthma-main",
        study.project.title,
    )
    assert tasks(db) == []


def test_signing_a_workspace_again_changes_nothing(ada: Browser, db: Session, study: Study) -> None:
    signed(study, study.main)
    before = (study.main.signed_off_at, study.main.signed_off_by_id)
    page = ada.submit(SIGN_OFF, {"name": "asthma-main"}, status=409)
    assert fault(page) == "asthma-main is signed off already. Nothing was changed."
    reloaded(db, study.main)
    assert (study.main.signed_off_at, study.main.signed_off_by_id) == before
    assert db.scalars(select(AuditableEvent)).all() == []


@pytest.mark.parametrize("name", ["", "nobody", "ASTHMA-MAIN", "elsewhere", "a\0b", "x" * 5000])
@pytest.mark.parametrize("complete", [False, True])
def test_a_name_that_is_none_of_its_workspaces_is_an_error_of_the_form(
    ada: Browser, db: Session, study: Study, name: str, complete: bool
) -> None:
    """Pages 30.3 no. 37: these were answered by 500; an empty name never signs the repository."""
    f.WorkspaceFactory(name="elsewhere", project=study.project)
    if complete:
        signed(study, study.main, study.other)
    page = ada.submit(SIGN_OFF, {"name": name}, status=200)
    assert "has no workspace of that name" in fault(page)
    reloaded(db, study.repo)
    assert study.repo.researcher_signed_off_at is None
    assert db.scalars(select(AuditableEvent)).all() == []


def test_a_file_in_the_place_of_the_name_is_no_name(ada: Browser, db: Session, study: Study) -> None:
    signed(study, study.main, study.other)
    token = ada.get(SIGN_OFF).html.find("input", {"name": "csrfmiddlewaretoken"})["value"]
    page = ada.post(
        SIGN_OFF, {"csrfmiddlewaretoken": token}, upload_files=[("name", "asthma-main", b"x")], status=200
    )
    assert "has no workspace of that name" in fault(page)


# The repository


def test_while_a_workspace_is_missing_the_repository_cannot_be_signed_off(
    ada: Browser, db: Session, study: Study
) -> None:
    signed(study, study.main)
    why = "1 of its 2 workspaces is not signed off yet."
    page = ada.get(SIGN_OFF)
    button = page.html.select_one("a.primary")
    assert button["aria-disabled"] == "true"
    assert not button.get("href")
    assert page.html.find(id=button["aria-describedby"]).text == why
    assert page.html.find("dialog", id="sign-off") is None
    assert fault(ada.submit(SIGN_OFF, status=200)) == why
    reloaded(db, study.repo)
    assert study.repo.researcher_signed_off_at is None
    assert tasks(db) == []


def test_signing_the_repository_off_is_recorded_and_told(ada: Browser, db: Session, study: Study) -> None:
    signed(study, study.main, study.other)
    form = ada.get(SIGN_OFF).html.select_one("dialog form")
    assert form["action"] == SIGN_OFF
    assert [each["name"] for each in form.select("input")] == ["csrfmiddlewaretoken"]
    answer = ada.submit(SIGN_OFF, status=303)
    assert answer.location == f"http://localhost{SIGN_OFF}"
    page = answer.follow()
    assert "You signed off asthma-study." in page
    assert "Signed off by Ada Hale" in " ".join(page.html.find(id="confirmation").parent.parent.text.split())
    assert page.html.find("dialog", id="sign-off") is None
    reloaded(db, study.repo)
    assert study.repo.researcher_signed_off_by_id == study.ada.id
    assert study.repo.internal_signed_off_at is None
    (event,) = db.scalars(select(AuditableEvent)).all()
    assert (event.type, event.created_by, event.target_label) == (
        "repo_researcher_signed_off",
        "ada",
        study.repo.url,
    )
    makers = sorted({study.main.created_by_id, study.other.created_by_id})
    assert tasks(db) == [
        ("announce_repo_signed_off", {"repo_id": study.repo.id}),
        *[("mail_repo_signed_off", {"repo_id": study.repo.id, "user_id": user_id}) for user_id in makers],
    ]


def test_with_outputs_on_github_the_publications_team_is_told_instead(
    ada: Browser, db: Session, study: Study
) -> None:
    study.repo.has_github_outputs = True
    study.other.created_by_id = study.main.created_by_id
    signed(study, study.main, study.other)
    assert "It holds outputs that were released to GitHub" in ada.get(SIGN_OFF)
    ada.submit(SIGN_OFF, status=303)
    assert [name for name, _ in tasks(db)] == ["mail_repo_signed_off", "mail_repo_with_outputs"]


def test_nobody_signs_it_off_twice(ada: Browser, db: Session, study: Study) -> None:
    """Pages 30.3 no. 43."""
    signed(study, study.main, study.other)
    ada.submit(SIGN_OFF, status=303)
    reloaded(db, study.repo)
    before = (study.repo.researcher_signed_off_at, tasks(db))
    page = ada.submit(SIGN_OFF, status=409)
    assert fault(page) == "asthma-study is signed off already. Nothing was changed."
    reloaded(db, study.repo)
    assert (study.repo.researcher_signed_off_at, tasks(db)) == before


def test_the_way_to_the_end(web: Browser, db: Session, study: Study) -> None:
    """Workspaces, researcher, staff: no step before the one that comes before it."""
    staff = f.UserFactory(roles=["StaffAreaAdministrator"])
    internal = "/staff/repos/demo-university/asthma-study/sign-off/"
    for name in ("asthma-main", "asthma-old"):
        web.sign_in(staff).submit(internal, status=303)
        web.sign_in(study.ada).submit(SIGN_OFF, status=200)
        web.submit(SIGN_OFF, {"name": name}, status=303)
    web.sign_in(staff).submit(internal, status=303)
    web.sign_in(study.ada).submit(SIGN_OFF, status=303)
    reloaded(db, study.repo)
    assert study.repo.internal_signed_off_at is None
    web.sign_in(staff).submit(internal, status=303)
    reloaded(db, study.repo)
    assert study.repo.internal_signed_off_at is not None
    web.sign_in(study.ada).submit(SIGN_OFF, status=409)
    assert "The OpenSAFELY team signed it off on" in web.get(SIGN_OFF)


# At the same time


def blocked(factory: sessionmaker[Session], first: Any, second: Any) -> list[BaseException]:
    """Do ``second`` while ``first`` is not committed; what it raised, once it has waited for it."""
    raised: list[BaseException] = []

    def late() -> None:
        with factory() as other, other.begin():
            try:
                second(other)
            except actions.SignOffRefused as error:
                raised.append(error)

    with factory() as session:
        first(session)
        thread = threading.Thread(target=late)
        thread.start()
        thread.join(0.2)
        assert thread.is_alive()
        session.commit()
        thread.join()
    return raised


@pytest.mark.parametrize("what", ["workspace", "repository"])
def test_of_two_at_the_same_time_one_signs(
    db: Session, session_factory: sessionmaker[Session], study: Study, what: str
) -> None:
    if what == "repository":
        signed(study, study.main, study.other)

    def sign(session: Session, by: User) -> None:
        repo = session.get_one(Repo, study.repo.id)
        if what == "repository":
            actions.sign_off_as_researcher(session, repo, by=by)
        else:
            actions.sign_off_workspace(session, repo, "asthma-main", by=by)

    second = f.UserFactory()
    refused = blocked(session_factory, lambda db: sign(db, study.ada), lambda db: sign(db, second))
    assert [type(each) for each in refused] == [actions.SignedOffBefore]
    reloaded(db, study.repo, study.main)
    signer = study.repo.researcher_signed_off_by_id if what == "repository" else study.main.signed_off_by_id
    assert signer == study.ada.id


def test_a_workspace_made_at_the_same_moment_waits_until_the_repository_is_signed_off(
    db: Session, session_factory: sessionmaker[Session], study: Study
) -> None:
    signed(study, study.main, study.other)

    def make(session: Session) -> None:
        project = session.get_one(Project, study.project.id)
        where = {"repo_url": study.repo.url, "branch": "new"}
        making.create(session, by=study.ada, project=project, name="asthma-new", **where)

    def sign(session: Session) -> None:
        actions.sign_off_as_researcher(session, session.get_one(Repo, study.repo.id), by=study.ada)

    assert blocked(session_factory, sign, make) == []
    assert db.scalar(select(Workspace.name).where(Workspace.name == "asthma-new"))
