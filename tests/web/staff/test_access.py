"""Who may do what, and which entry of which access list says so: read from the tree itself."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from pyramid.interfaces import ISecurityPolicy
from pyramid.request import Request
from sqlalchemy.orm import Session

from jobserver.models import Project, ProjectCollaboration, ProjectMembership, User, utcnow
from jobserver.resources import walking
from jobserver.security import identity, sessions
from jobserver.security.permissions import Permission
from jobserver.security.policy import Policy
from jobserver.templating import environment
from tests import factories as f
from tests.web.conftest import Browser

ACCESS = "/staff/access/"


@pytest.fixture
def staff(web: Browser, db: Session) -> Browser:
    """An auditor's browser: explaining is reading."""
    return web.sign_in(f.UserFactory(username="auditor-1", roles=["Auditor"]))


@pytest.fixture
def project(db: Session) -> Project:
    """A project with somebody in it."""
    project: Project = f.ProjectFactory(
        name="Winter", slug="winter", org=f.OrgFactory(name="Institute", slug="institute")
    )
    ann = f.UserFactory(username="ann")
    f.ProjectMembershipFactory(project=project, user=ann, roles=["ProjectDeveloper"])
    return project


def rows(page: Any, panel: str) -> dict[str, str]:
    """What a panel's table says, by permission."""
    part = re.search(rf'aria-labelledby="{panel}">(.*?)</section>', page.text, re.DOTALL)
    found = {}
    for row in re.findall(r'<tr role="row">(.*?)</tr>', part[1] if part else "", re.DOTALL)[1:]:
        said = " ".join(re.sub(r"<[^>]+>", " ", row).split())
        name = re.search(r'<span class="sub">(\w+)', row)
        found[name[1] if name else ""] = said
    return found


def test_what_a_person_may_do_and_the_entry_that_says_so(staff: Browser, project: Project) -> None:
    page = staff.get(f"{ACCESS}?user=ann&at=/institute/winter/")
    may, may_not = rows(page, "may"), rows(page, "may-not")
    assert "Signed in: role Project Developer in Winter entry of /institute/winter/" in may["job_run"]
    assert "Signed in: everybody who is signed in entry of /" in may["account"]
    assert "With a personal token: role Project Developer in Winter" in may["release_file_view"]
    assert "global role Staff Area Administrator entry of /" in may_not["staff_area_access"]
    assert "job_run" not in may_not


def test_the_answer_is_the_one_that_the_policy_gives_everywhere(
    staff: Browser, db: Session, app: Any, project: Project
) -> None:
    workspace = f.WorkspaceFactory(name="space", project=project)
    job_request = f.JobRequestFactory(workspace=workspace)
    places = ["/", "/staff/", "/institute/winter/", "/institute/winter/space/"]
    places.append(f"/institute/winter/space/{job_request.id}/")
    people = [
        db.query(User).filter_by(username="ann").one(),
        job_request.created_by,
        f.UserFactory(username="checker", roles=["OutputChecker"]),
        f.UserFactory(username="nobody"),
    ]
    for at in places:
        for person in people:
            page = staff.get(f"{ACCESS}?user={person.username}&at={at}")
            told = {name for name, said in rows(page, "may").items() if "Signed in: " in said}
            allowed = _allowed(app, db, person, at)
            assert told == allowed, (at, person.username)


def _allowed(app: Any, db: Session, person: User, at: str) -> set[str]:
    """What the site's own policy allows the person there."""
    request = Request.blank("/")
    request.registry, request.db = app.registry, db
    place = walking.find(request, at)
    policy = app.registry.getUtility(ISecurityPolicy)
    assert isinstance(policy, Policy)
    stands_for = identity.principals(sessions.identity_of(db, person.id))
    return {each.value for each in Permission if policy.acl.permits(place.resource, stands_for, each)}


def test_one_question_has_one_answer_with_what_would_change_it(staff: Browser, project: Project) -> None:
    f.UserFactory(username="bob")
    page = staff.get(f"{ACCESS}?user=bob&at=/institute/winter/&permission=job_run")
    assert "<b>No.</b> bob may not run jobs" in page.text
    assert "role Project Developer in Winter" in page.text
    assert "global role Deployment Administrator" in page.text
    assert "there is access to none" in page.text
    page = staff.get(f"{ACCESS}?user=ann&at=/institute/winter/&permission=job_run")
    assert "<b>Yes.</b> ann may run jobs" in page.text


def test_a_role_counts_until_its_end_and_a_closed_account_for_nothing(
    staff: Browser, db: Session, project: Project
) -> None:
    question = f"{ACCESS}?user=ann&at=/institute/winter/&permission=job_run"
    membership = db.query(ProjectMembership).one()
    membership.ends_at = utcnow() - timedelta(minutes=1)
    db.commit()
    assert "<b>No.</b>" in staff.get(question).text
    membership.ends_at = utcnow() + timedelta(days=1)
    db.commit()
    assert "<b>Yes.</b>" in staff.get(question).text
    ann = db.query(User).filter_by(username="ann").one()
    ann.disabled_at, ann.disabled_by_id = utcnow(), ann.id
    db.commit()
    page = staff.get(question)
    assert "<b>No.</b>" in page.text
    assert "is disabled" in page.text


def test_through_a_backend_only_what_is_meant_for_programs(staff: Browser, project: Project) -> None:
    checker = f.UserFactory(username="checker", roles=["OutputChecker"])
    at = "at=/institute/winter/"
    assert "release_file_upload" in rows(staff.get(f"{ACCESS}?user=checker&{at}"), "may-not")
    f.BackendMembershipFactory(user=checker, backend=f.BackendFactory(slug="tpp"))
    said = rows(staff.get(f"{ACCESS}?user=checker&{at}"), "may")["release_file_upload"]
    assert "Through a backend: global role Output Checker, through a backend" in said
    assert "Signed in" not in said


def test_who_may_do_each_thing_there(staff: Browser, db: Session, project: Project) -> None:
    f.UserFactory(username="zed", roles=["DeploymentAdministrator"])
    f.UserFactory(username="gone", roles=["DeploymentAdministrator"], disabled_at=utcnow(), disabled_by_id=1)
    f.OrgMembershipFactory(org=project.org, user=f.UserFactory(username="member-of-org"))
    page = staff.get(f"{ACCESS}?at=/institute/winter/")
    told = rows(page, "things")
    assert "role Project Developer in Winter 1 person entry of /institute/winter/" in told["job_run"]
    assert "global role Deployment Administrator 1 person entry of /" in told["job_run"]
    assert "members of Institute 1 person" in told["project_roles_view"]
    assert "everybody entry of /" in told["view"]
    people = page.text[page.text.index('id="people"') :]
    for name in ("ann", "zed", "member-of-org"):
        assert f">{name}</a>" in people
    assert ">gone</a>" not in people
    assert "user=ann&amp;at=%2Finstitute%2Fwinter%2F" in people


def test_the_pages_own_demand_is_marked(staff: Browser, project: Project) -> None:
    page = staff.get(f"{ACCESS}?user=ann&at=/institute/winter/new-workspace/")
    assert "which this page asks for" in rows(page, "may")["workspace_create"]
    page = staff.get(f"{ACCESS}?user=ann&at=/staff/users/")
    assert "which this page asks for" in rows(page, "may-not")["staff_area_view"]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("user=nobody-of-this-name", "Nobody has this username."),
        ("user=%00", "Nobody has this username."),
        ("user=" + "x" * 300, "Shorten this to 255"),
        ("at=/nowhere/", "There is no such page."),
        ("at=/institute/winter/nonsense/", "The nearest is /institute/winter/"),
        ("at=/staff/users/nobody/", "There is no such page."),
        ("at=/staff/job-requests/abc/", "There is no such page."),
        ("at=/%00/", "There is no such page."),
        ("at=/%2500/", "There is no such page."),
        ("at=/staff/users/%2500/", "There is no such page."),
        ("at=/%25ff/", "There is no such page."),
        ("at=/%C3%A9/", "There is no such page."),
        ("at=/api/v2/releases/workspace/x", "Programs prove who they are there."),
        ("at=/api/v2/jobs/", "Programs prove who they are there."),
        ("at=" + "/x" * 1500, "Shorten this to 2,000"),
        ("permission=fly", "Choose one of the things"),
    ],
)
def test_what_is_unknown_is_said_beside_its_field(
    staff: Browser, project: Project, query: str, words: str
) -> None:
    page = staff.get(f"{ACCESS}?{query}")
    assert words in page.text
    assert 'class="error-summary"' in page.text
    assert rows(page, "may") == rows(page, "things") == {}


def test_an_address_may_be_a_whole_one_and_an_old_one(staff: Browser, project: Project) -> None:
    at = "http://localhost/institute/winter/?tab=1%23part"
    page = staff.get(f"{ACCESS}?user=ann", {"at": at, "user": "ann"})
    assert "job_run" in rows(page, "may")
    other = f.OrgFactory(slug="partner")
    f.current().add(_collaboration(project, other))
    f.current().commit()
    assert "job_run" in rows(staff.get(f"{ACCESS}?user=ann&at=/partner/winter/"), "may")


def _collaboration(project: Project, org: Any) -> Any:
    author = project.created_by_id
    return ProjectCollaboration(
        project_id=project.id, org_id=org.id, created_by_id=author, updated_by_id=author
    )


@pytest.mark.parametrize("number", [1, 40])
def test_statements_do_not_depend_on_the_number_of_people(
    staff: Browser, project: Project, count_statements: Callable[[], Any], number: int
) -> None:
    for _ in range(number):
        user = f.UserFactory(roles=["TechSupport"])
        f.ProjectMembershipFactory(project=project, user=user, roles=["ProjectCollaborator"])
        f.OrgMembershipFactory(org=project.org, user=user)
    with count_statements() as sent:
        page = staff.get(f"{ACCESS}?at=/institute/winter/")
    assert len(sent) <= 10
    assert f"{number} {'person' if number == 1 else 'people'}" in page.text


def test_of_many_people_fifty_are_named(staff: Browser, project: Project) -> None:
    for number in range(60):
        f.UserFactory(username=f"support-{number:02}", roles=["TechSupport"])
    page = staff.get(f"{ACCESS}?at=/")
    assert ">support-49</a>" in page.text
    assert ">support-50</a>" not in page.text
    assert "and 10 more" in page.text


def test_what_a_persons_page_offers_to_ask_can_be_asked(staff: Browser, app: Any) -> None:
    macros: Any = environment(app.registry).get_template("staff/access/ask.jinja2").module
    for value, _ in macros.ASKED_OFTEN:
        assert "Choose one" not in staff.get(f"{ACCESS}?user=auditor-1&permission={value}").text
