"""Staff sign repositories off: once, after a researcher, and asking GitHub later (spec: staff 10.3, 17.37)."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session, sessionmaker

from jobserver.actions import repos as actions
from jobserver.models import AuditableEvent, Repo, User, utcnow
from tests import factories as f
from tests.web.conftest import Browser


@pytest.fixture
def staff(web: Browser, db: Session) -> Browser:
    """A Staff Area Administrator's browser."""
    return web.sign_in(f.UserFactory(username="staff-1", fullname="Staff", roles=["StaffAreaAdministrator"]))


@pytest.fixture
def researcher(db: Session) -> User:
    """Who works with the repositories."""
    user: User = f.UserFactory(username="ada", fullname="Ada Hale")
    return user


def page_of(repo: Repo) -> str:
    """The address of its page."""
    return f"/staff/repos/{repo.owner}/{repo.name}/"


def ready(researcher: User, **values: Any) -> Repo:
    """A repository that a researcher has signed off."""
    signed = {"researcher_signed_off_at": utcnow(), "researcher_signed_off_by_id": researcher.id}
    repo: Repo = f.RepoFactory(url="https://github.com/opensafely/asthma", **signed, **values)
    return repo


def reloaded(db: Session, repo: Repo) -> Repo:
    """As it is now."""
    db.rollback()
    db.refresh(repo)
    return repo


def test_signing_off_asks_github_later_and_is_recorded(staff: Browser, db: Session, researcher: User) -> None:
    repo = ready(researcher)
    f.WorkspaceFactory(repo=repo)
    asked = staff.get(f"{page_of(repo)}sign-off/")
    assert "An issue in <code>ebmdatalab/tech-support</code>" in asked.text
    page = staff.submit(f"{page_of(repo)}sign-off/", status=303).follow()
    assert "asthma is signed off." in page.text
    assert "github" in page.text
    stored = reloaded(db, repo)
    assert stored.internal_signed_off_at is not None
    assert stored.internal_signed_off_by_id == db.scalar(select(User.id).where(User.username == "staff-1"))
    (event,) = db.scalars(select(AuditableEvent)).all()
    assert (event.type, event.created_by, event.target_label, event.source) == (
        "repo_signed_off",
        "staff-1",
        repo.url,
        "browser",
    )
    assert event.changes["internal_signed_off_at"][0] is None
    tasks = db.execute(text("SELECT task_name, args FROM procrastinate_jobs")).all()
    assert [tuple(row) for row in tasks] == [("repo_sign_off_issue", {"repo_id": repo.id})]
    assert "Sign off</a>" not in page.text


def refused(staff: Browser, db: Session, repo: Repo, why: str) -> None:
    """The page says why not, and neither the form nor a forged POST gets past it."""
    before = (repo.internal_signed_off_at, repo.internal_signed_off_by_id)
    assert why in staff.get(f"{page_of(repo)}sign-off/").text
    assert "was not signed off" in staff.submit(f"{page_of(repo)}sign-off/", status=303).follow().text
    stored = reloaded(db, repo)
    assert (stored.internal_signed_off_at, stored.internal_signed_off_by_id) == before
    assert db.scalars(select(AuditableEvent)).all() == []
    assert db.execute(text("SELECT id FROM procrastinate_jobs")).all() == []


def test_a_researcher_comes_first(staff: Browser, db: Session) -> None:
    repo = f.RepoFactory()
    assert "No researcher has signed it off yet." in staff.get(page_of(repo)).text
    refused(staff, db, repo, "No researcher has signed it off yet.")


def test_nobody_signs_off_twice(staff: Browser, db: Session, researcher: User) -> None:
    repo = ready(
        researcher,
        internal_signed_off_at=utcnow() - timedelta(days=1),
        internal_signed_off_by_id=researcher.id,
    )
    refused(staff, db, repo, "It is signed off already.")


def test_outputs_on_github_need_a_role_of_their_own(web: Browser, db: Session, researcher: User) -> None:
    repo = ready(researcher, has_github_outputs=True)
    web.sign_in(f.UserFactory(roles=["StaffAreaAdministrator"]))
    refused(web, db, repo, "It has outputs on GitHub")
    web.sign_in(f.UserFactory(roles=["StaffAreaAdministrator", "SignOffRepoWithOutputs"]))
    web.submit(f"{page_of(repo)}sign-off/", status=303)
    assert reloaded(db, repo).internal_signed_off_at is not None


def test_that_role_alone_does_not_open_the_staff_area(web: Browser, db: Session, researcher: User) -> None:
    repo = ready(researcher, has_github_outputs=True)
    web.sign_in(f.UserFactory(roles=["SignOffRepoWithOutputs"]))
    web.submit(f"{page_of(repo)}sign-off/", status=403)
    web.get(f"{page_of(repo)}sign-off/", status=403)


def test_an_auditor_sees_no_button(web: Browser, db: Session, researcher: User) -> None:
    repo = ready(researcher)
    web.sign_in(f.UserFactory(roles=["Auditor"]))
    assert "sign-off/" not in web.get(page_of(repo)).text
    web.submit(f"{page_of(repo)}sign-off/", status=403)


def test_of_two_at_the_same_time_one_signs(
    db: Session, session_factory: sessionmaker[Session], researcher: User
) -> None:
    repo = ready(researcher)
    first, second = f.UserFactory(), f.UserFactory()
    said: list[str] = []
    with session_factory() as session:
        actions.sign_off(session, session.get_one(Repo, repo.id), by=first, may_with_outputs=False)

        def late() -> None:
            with session_factory() as other, other.begin():
                try:
                    actions.sign_off(other, other.get_one(Repo, repo.id), by=second, may_with_outputs=False)
                except actions.SignOffRefused as error:
                    said.append(str(error))

        thread = threading.Thread(target=late)
        thread.start()
        thread.join(0.3)
        assert thread.is_alive()
        session.commit()
        thread.join()
    assert said == ["It is signed off already."]
    assert reloaded(db, repo).internal_signed_off_by_id == first.id


def test_it_is_not_done_by_opening_the_page(staff: Browser, db: Session, researcher: User) -> None:
    repo = ready(researcher)
    staff.get(f"{page_of(repo)}sign-off/")
    assert reloaded(db, repo).internal_signed_off_at is None
    staff.post(f"{page_of(repo)}sign-off/", status=400)
    assert reloaded(db, repo).internal_signed_off_at is None
