"""Commands that make backends, projects and workspaces."""

import re

from sqlalchemy import select
from sqlalchemy.orm import Session

from jobserver.actions import data_permissions, projects
from jobserver.models import (
    AuditableEvent,
    Backend,
    BackendMembership,
    Org,
    OrgMembership,
    PermissionKind,
    Project,
    ProjectCollaboration,
    ProjectMembership,
    Redirect,
    Repo,
    Workspace,
)
from jobserver.security import tokens
from tests import factories
from tests.unit.command import Run, count, ok, refused


def test_a_backends_token_is_the_last_line_or_the_only_one(run: Run, db: Session) -> None:
    factories.UserFactory(username="ada")
    first = ok(run("create-backend", "tpp", "--name", "TPP", "--user", "ada")).splitlines()
    assert first[:-1] == ["Backend tpp created.", "User ada may now run jobs on it."]
    quiet = ok(run("create-backend", "tpp", "--user", "ada", "--quiet"))
    assert re.fullmatch(r"[0-9a-f]{40}\n", quiet)
    backend = db.scalars(select(Backend)).one()
    assert (backend.name, backend.is_active) == ("TPP", False)
    assert backend.token_digest == tokens.digest(quiet.strip())
    assert backend.previous_token_digest == tokens.digest(first[-1])
    assert count(db, BackendMembership) == 1


def test_a_backend_for_an_unknown_user_is_not_made(run: Run, db: Session) -> None:
    refused(run("create-backend", "tpp", "--user", "nobody"), "no user “nobody”")
    assert count(db, Backend) == 0


def test_a_workspace_is_made_with_project_organisation_and_membership(run: Run, db: Session) -> None:
    user = factories.UserFactory(username="ada")
    lines = ok(run("create-workspace", "Uptake", "ada")).splitlines()
    assert lines == [
        "Project uptake created below local.",
        "Workspace uptake created.",
        "User ada added to the project as ProjectCollaborator and ProjectDeveloper.",
    ]
    again = ok(run("create_workspace", "Uptake", "ada")).splitlines()
    assert again == [
        "Project uptake is there already.",
        "Workspace uptake is there already.",
        "User ada is a member already.",
    ]
    workspace = db.scalars(select(Workspace)).one()
    assert (workspace.created_by_id, workspace.branch) == (user.id, "main")
    assert db.scalars(select(Repo.url)).one() == "https://github.com/opensafely/uptake"
    assert db.scalars(select(ProjectMembership.roles)).one() == ["ProjectCollaborator", "ProjectDeveloper"]
    assert (count(db, Project), count(db, Org), count(db, OrgMembership)) == (1, 1, 1)


def test_a_second_user_joins_and_never_becomes_the_creator(run: Run, db: Session) -> None:
    first = factories.UserFactory(username="ada")
    factories.UserFactory(username="bob")
    org = factories.OrgMembershipFactory(user=first).org
    ok(run("create-workspace", "one", "ada", "--project", "study"))
    ok(run("create-workspace", "two", "bob", "--project", "study", "--repo", "https://github.com/a/b"))
    ok(run("create-workspace", "one", "bob"))
    project = db.scalars(select(Project)).one()
    assert (project.slug, project.org_id, project.created_by_id) == ("study", org.id, first.id)
    one = db.scalars(select(Workspace).where(Workspace.name == "one")).one()
    assert (one.created_by_id, one.updated_by_id) == (first.id, first.id)
    assert count(db, ProjectMembership) == 2


def test_what_would_move_a_workspace_or_take_a_word_is_refused(run: Run, db: Session) -> None:
    factories.UserFactory(username="ada")
    ok(run("create-workspace", "one", "ada"))
    refused(run("create-workspace", "one", "ada", "--project", "other"), "it is not moved")
    refused(run("create-workspace", "one", "ada", "--repo", "a/b"), "that is not changed")
    refused(run("create-workspace", "local", "ada"), "“local” is taken by an organisation")
    refused(run("create-workspace", "edit", "ada", "--project", "p"), "“edit” is taken by a page of its")
    refused(run("create-workspace", "two", "ada", "--org", "nowhere"), "no organisation “nowhere”")
    refused(run("create-workspace", "two", "nobody"), "jobserver create-user nobody")
    assert (count(db, Workspace), count(db, Project)) == (1, 1)


def test_a_project_that_holds_something_is_not_deleted(run: Run, db: Session) -> None:
    project = factories.ProjectFactory(name="Asthma")
    refused(run("delete-project", "asthma", "--i-am-sure"), "no project “asthma”")
    factories.ProjectMembershipFactory(project=project)
    for _ in range(2):
        factories.WorkspaceFactory(project=project)
    factories.ApplicationFactory(project=project)
    for option in ([], ["--i-am-sure"]):
        refused(
            run("delete-project", "Asthma", *option),
            "“Asthma” cannot be deleted: it has 2 workspaces, 1 member, 1 linked application.",
        )
    assert count(db, Project) == 1


def test_an_empty_project_is_deleted_with_its_links_and_its_events_stay(run: Run, db: Session) -> None:
    person = factories.UserFactory()
    project = projects.create(db, by=person, name="Asthma", org=factories.OrgFactory())
    data_permissions.grant(
        db, project, kind=PermissionKind.DATASET, name="icnarc", reason="Needed", by=person
    )
    factories.RedirectFactory(project=project, old_url="/old/")
    db.commit()
    before = count(db, AuditableEvent)
    tried = ok(run("delete-project", "Asthma"))
    assert tried == "Project Asthma would be deleted, with --i-am-sure.\n"
    assert (count(db, Project), count(db, AuditableEvent)) == (1, before)
    assert (
        ok(run("delete-project", "Asthma", "--i-am-sure", "--reason", "Twice")) == "Project Asthma deleted.\n"
    )
    assert [count(db, each) for each in (Project, ProjectCollaboration, Redirect)] == [0, 0, 0]
    events = db.scalars(select(AuditableEvent).order_by(AuditableEvent.id)).all()
    assert len(events) == before + 1
    last = events[-1]
    assert (last.target_label, last.changes, last.reason) == ("Asthma", {"deleted": [False, True]}, "Twice")
