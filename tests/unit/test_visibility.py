"""What lists may show is what the pages would permit: SQL and access lists give the same answer.

The cases of access 7.6 stand at the end, each asked of the tree and, where it has lists, of the SQL.
"""

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pyramid.authorization import ACLHelper
from sqlalchemy import select
from sqlalchemy.orm import Session

from jobserver.models import (
    JobRequest,
    Project,
    ProjectCollaboration,
    ReleaseRequest,
    Role,
    Snapshot,
    Workspace,
    utcnow,
)
from jobserver.models.choices import GLOBAL_ROLES, PROJECT_ROLES
from jobserver.queries.path import PathRows
from jobserver.queries.visibility import (
    projects_permitting,
    release_requests_permitting,
    snapshots_permitting,
    workspaces_permitting,
)
from jobserver.resources import (
    JobRequestResource,
    JobResource,
    OrgResource,
    ProjectResource,
    Root,
    WorkspaceResource,
)
from jobserver.resources.outputs import Outputs, ReleaseRequestResource, ReleaseRequests, SnapshotResource
from jobserver.security.identity import Identity, principals
from jobserver.security.permissions import Permission
from jobserver.security.sessions import identity_of
from tests import factories as f


class Tree:
    """Resources over rows of the database, as a request would find them."""

    def __init__(self, db: Session) -> None:
        self.db = db
        self.root = Root(SimpleNamespace(method="GET", path_info="/", db=db))

    def project(self, project: Project) -> ProjectResource:
        theirs = select(ProjectCollaboration.org_id).where(ProjectCollaboration.project_id == project.id)
        org_ids = frozenset(self.db.scalars(theirs))
        rows = PathRows(org=project.org, project=project, org_ids=org_ids)
        return ProjectResource(OrgResource(self.root, project.org, rows, ()), project)

    def workspace(self, workspace: Workspace) -> WorkspaceResource:
        return WorkspaceResource(self.project(workspace.project), workspace)

    def job_request(self, row: JobRequest) -> JobRequestResource:
        return JobRequestResource(self.workspace(row.workspace), row)

    def release_request(self, row: ReleaseRequest) -> ReleaseRequestResource:
        return ReleaseRequestResource(ReleaseRequests(self.workspace(row.workspace), "release-requests"), row)

    def snapshot(self, row: Snapshot) -> SnapshotResource:
        return SnapshotResource(Outputs(self.workspace(row.workspace), "outputs"), row)

    def job(self, job: Any) -> JobResource:
        return JobResource(self.job_request(job.job_request), job)


def permits(resource: Any, identity: Identity | None, permission: Permission) -> bool:
    """What the pages ask."""
    return bool(ACLHelper().permits(resource, principals(identity), permission))


@st.composite
def worlds(draw: st.DrawFn) -> dict[str, Any]:
    """Two organisations, a few projects and people, and who holds what; all by index."""
    projects = draw(st.integers(1, 3))
    people = draw(st.integers(1, 3))
    pairs = st.tuples(st.integers(0, people - 1), st.integers(0, projects - 1))
    roles_in_project = st.lists(st.sampled_from(PROJECT_ROLES), unique=True, max_size=2)
    return {
        "leads": draw(st.lists(st.integers(0, 1), min_size=projects, max_size=projects)),
        "both_orgs": draw(st.sets(st.integers(0, projects - 1))),
        "roles": draw(
            st.lists(
                st.lists(st.sampled_from(GLOBAL_ROLES), unique=True, max_size=2),
                min_size=people,
                max_size=people,
            )
        ),
        "memberships": draw(st.dictionaries(pairs, roles_in_project, max_size=4)),
        "org_members": draw(st.sets(st.tuples(st.integers(0, people - 1), st.integers(0, 1)), max_size=3)),
        "requests": draw(st.lists(pairs, max_size=3)),
    }


def make(world: dict[str, Any]) -> tuple[list[Any], list[Any], list[Any]]:
    """The rows of the world: people, projects, workspaces."""
    orgs = f.OrgFactory.create_batch(2)
    people = [f.UserFactory(roles=[role.value for role in held]) for held in world["roles"]]
    projects = [
        f.ProjectFactory(org=orgs[lead], other_orgs=[orgs[1 - lead]] if index in world["both_orgs"] else [])
        for index, lead in enumerate(world["leads"])
    ]
    for (person, project), held in world["memberships"].items():
        f.ProjectMembershipFactory(user=people[person], project=projects[project], roles=[*held])
    for person, org in world["org_members"]:
        f.OrgMembershipFactory(user=people[person], org=orgs[org])
    return people, projects, [f.WorkspaceFactory(project=project) for project in projects]


@given(world=worlds())
@hypothesis_settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_lists_and_pages_permit_the_same(world: dict[str, Any], db: Session) -> None:
    people, projects, workspaces = make(world)
    tree = Tree(db)
    for identity in [None, *(identity_of(db, person.id) for person in people)]:
        for permission in Permission:
            listed = set(db.scalars(projects_permitting(identity, permission)))
            assert listed & {row.id for row in projects} == {
                row.id for row in projects if permits(tree.project(row), identity, permission)
            }, (permission, "projects")
            listed = set(db.scalars(workspaces_permitting(identity, permission)))
            assert listed & {row.id for row in workspaces} == {
                row.id for row in workspaces if permits(tree.workspace(row), identity, permission)
            }, (permission, "workspaces")


@given(
    world=worlds(), states=st.lists(st.sampled_from(["draft", "pending", "published", "both"]), max_size=2)
)
@hypothesis_settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_release_requests_and_snapshots_are_listed_to_those_who_may_open_them(
    world: dict[str, Any], states: list[str], db: Session
) -> None:
    people, _, workspaces = make(world)
    backend, now = f.BackendFactory(), utcnow()
    asked = [
        f.ReleaseRequestFactory(author=people[person], workspace=workspaces[project], backend=backend)
        for person, project in world["requests"]
    ]
    sets = []
    for state in states:
        sets.append(f.SnapshotFactory(workspace=workspaces[0], created_by=people[0]))
        if state in {"pending", "both"}:
            f.PublishRequestFactory(snapshot=sets[-1])
        if state in {"published", "both"}:
            f.PublishRequestFactory(
                snapshot=sets[-1], decision="approved", decision_at=now, decision_by=people[0]
            )
    tree = Tree(db)
    for identity in [None, *(identity_of(db, person.id) for person in people)]:
        for permission in Permission:
            listed = set(db.scalars(release_requests_permitting(identity, permission)))
            assert listed & {row.id for row in asked} == {
                row.id for row in asked if permits(tree.release_request(row), identity, permission)
            }, (permission, "release requests")
            numbers = set(db.scalars(snapshots_permitting(identity, permission)))
            assert numbers & {row.id for row in sets} == {
                row.id for row in sets if permits(tree.snapshot(row), identity, permission)
            }, (permission, "snapshots")


P = Permission


class Case:
    """Two projects p and q with a workspace each, and a question about somebody."""

    def __init__(self, db: Session) -> None:
        self.db = db
        self.tree = Tree(db)
        self.p, self.q = f.ProjectFactory(), f.ProjectFactory()

    def member(self, *roles: Role) -> Identity:
        """Somebody who belongs to p with these roles."""
        membership = f.ProjectMembershipFactory(project=self.p, roles=[role.value for role in roles])
        return identity_of(self.db, membership.user_id)

    def holder(self, *roles: Role) -> Identity:
        """Somebody who holds these roles globally."""
        return identity_of(self.db, f.UserFactory(roles=[role.value for role in roles]).id)

    def may(self, identity: Identity | None, permission: Permission, project: Any = None) -> bool:
        """The answer for a project (p unless given), which list and page must agree on."""
        project = project or self.p
        answer = permits(self.tree.project(project), identity, permission)
        assert answer == (project.id in set(self.db.scalars(projects_permitting(identity, permission))))
        return answer

    def all_of(self, identity: Identity | None, permissions: str, project: Any = None) -> list[bool]:
        """The answers for several permissions, named by their identifiers."""
        return [self.may(identity, Permission(name), project) for name in permissions.split()]


@pytest.fixture
def case(db: Session) -> Case:
    return Case(db)


def test_case_1_an_anonymous_caller_may_only_look(case: Case) -> None:
    assert case.all_of(None, "view job_run account") == [True, False, False]


def test_case_2_being_signed_in_gives_sight_and_an_account(case: Case) -> None:
    assert case.all_of(case.holder(), "view account job_run") == [True, True, False]


def test_case_3_a_member_without_a_role_sees_the_tools_only(case: Case) -> None:
    somebody = case.member()
    assert case.all_of(somebody, "member_tools_view job_run") == [True, False]
    assert not case.may(somebody, P.MEMBER_TOOLS_VIEW, case.q)


def test_case_4_a_developer_runs_jobs_on_their_own_project(case: Case) -> None:
    developer = case.member(Role.PROJECT_DEVELOPER)
    assert case.may(developer, P.JOB_RUN)
    assert not case.may(developer, P.JOB_RUN, case.q)


def test_case_5_a_developer_sees_files_but_neither_deletes_nor_publishes(case: Case) -> None:
    developer = case.member(Role.PROJECT_DEVELOPER)
    asked = "release_file_view release_file_delete snapshot_publish"
    assert case.all_of(developer, asked) == [True, False, False]


def test_case_6_a_collaborator_sees_the_files_of_one_project(case: Case) -> None:
    somebody = case.member(Role.PROJECT_COLLABORATOR)
    assert case.all_of(somebody, "release_file_view snapshot_create") == [True, False]
    assert not case.may(somebody, P.RELEASE_FILE_VIEW, case.q)


def test_case_7_a_global_collaborator_sees_the_files_of_all(case: Case) -> None:
    somebody = case.holder(Role.PROJECT_COLLABORATOR)
    for project in (case.p, case.q):
        assert case.all_of(somebody, "release_file_view snapshot_view", project) == [True, True]


def test_case_8_a_global_collaborator_is_no_member(case: Case) -> None:
    assert not case.may(case.holder(Role.PROJECT_COLLABORATOR), P.MEMBER_TOOLS_VIEW)


def test_case_9_an_output_checker_deletes_but_a_session_never_uploads(case: Case) -> None:
    checker = case.holder(Role.OUTPUT_CHECKER)
    assert case.all_of(checker, "release_file_delete release_file_upload") == [True, False]


def test_case_12_an_output_publisher_publishes_and_does_not_look(case: Case) -> None:
    publisher = case.holder(Role.OUTPUT_PUBLISHER)
    assert case.all_of(publisher, "snapshot_publish snapshot_view") == [True, False]


def test_cases_13_and_14_what_a_staff_area_administrator_may_and_may_not(case: Case) -> None:
    admin = case.holder(Role.STAFF_AREA_ADMINISTRATOR)
    assert all(case.all_of(admin, "staff_area_access user_manage backend_manage org_create"))
    assert not any(
        case.all_of(admin, "project_create user_edit_project_roles release_file_view job_cancel job_run")
    )


def test_case_15_an_administrator_is_asked_for_staff_area_access_on_any_job_request(case: Case) -> None:
    admin = case.holder(Role.STAFF_AREA_ADMINISTRATOR)
    row = f.JobRequestFactory(workspace__project=case.p)
    assert permits(case.tree.job_request(row), admin, P.STAFF_AREA_ACCESS)


def test_case_16_tech_support_adds_members_and_sees_files_but_no_staff_area(case: Case) -> None:
    support = case.holder(Role.TECH_SUPPORT)
    asked = "staff_area_access user_edit_project_roles release_file_view"
    assert case.all_of(support, asked) == [False, True, True]


def test_case_17_a_service_administrator_links_and_adds_but_has_no_staff_area(case: Case) -> None:
    somebody = case.holder(Role.SERVICE_ADMINISTRATOR)
    asked = "project_link_to_application org_create staff_area_access"
    assert case.all_of(somebody, asked) == [True, True, False]


def test_case_18_a_deployment_administrator_runs_and_cancels_everywhere(case: Case) -> None:
    somebody = case.holder(Role.DEPLOYMENT_ADMINISTRATOR)
    for project in (case.p, case.q):
        assert case.all_of(somebody, "job_run job_cancel workspace_archive", project) == [True, True, False]


def test_case_19_a_creator_may_cancel_their_request_after_leaving(case: Case) -> None:
    user = f.UserFactory()
    creator = identity_of(case.db, user.id)
    mine = f.JobFactory(job_request__workspace__project=case.p, job_request__created_by=user)
    other = f.JobRequestFactory(workspace=mine.job_request.workspace)
    assert permits(case.tree.job_request(mine.job_request), creator, P.JOB_CANCEL)
    assert permits(case.tree.job(mine), creator, P.JOB_CANCEL)
    assert not permits(case.tree.job_request(other), creator, P.JOB_CANCEL)


def test_case_21_a_member_of_any_of_the_projects_organisations_sees_roles(case: Case) -> None:
    partner = f.OrgFactory()
    shared = f.ProjectFactory(other_orgs=[partner])
    somebody = identity_of(case.db, f.OrgMembershipFactory(org=partner).user_id)
    assert case.may(somebody, P.PROJECT_ROLES_VIEW, shared)
    assert not case.may(somebody, P.PROJECT_ROLES_VIEW, case.p)


@pytest.mark.parametrize("where", ["project", "global"])
def test_case_22_a_role_anywhere_shows_states_and_metrics_everywhere(case: Case, where: str) -> None:
    somebody = (
        case.member(Role.PROJECT_COLLABORATOR) if where == "project" else case.holder(Role.OUTPUT_PUBLISHER)
    )
    assert case.all_of(somebody, "workspace_status_view job_metrics_view", case.q) == [True, True]
    assert case.all_of(case.member(), "workspace_status_view job_metrics_view") == [False, False]


@pytest.mark.parametrize("role", [None, *Role])
def test_cases_26_and_27_no_session_holds_what_a_backend_holds(case: Case, role: Role | None) -> None:
    if role is None:
        somebody = case.holder()
    else:
        somebody = case.holder(role) if role in GLOBAL_ROLES else case.member(role)
    assert not any(case.all_of(somebody, "job_update level4_login user_roles_read airlock_notify"))
