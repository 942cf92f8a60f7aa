"""Organisations, projects, backends, workspaces and data permissions."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from jobserver.actions import backends, data_permissions, orgs, projects, workspaces
from jobserver.actions.audit import OPERATOR
from jobserver.actions.naming import Malformed, Taken
from jobserver.models import (
    AuditableEvent,
    AuditType,
    BackendMembership,
    OrgMembership,
    PermissionKind,
    Project,
    ProjectCollaboration,
    Repo,
)
from jobserver.security import tokens
from tests import factories


def recorded(db: Session) -> list[AuditableEvent]:
    return list(db.scalars(select(AuditableEvent).order_by(AuditableEvent.id)))


def test_an_organisation_is_made_with_its_slug(db: Session) -> None:
    admin = factories.UserFactory()
    org = orgs.create(db, by=admin, name=" Data  Lab ", github_orgs=["a", "b", "a"])
    db.commit()
    assert (org.name, org.slug, org.github_orgs) == ("Data Lab", "data-lab", ["a", "b"])
    assert (org.created_by_id, org.updated_by_id) == (admin.id, admin.id)
    [event] = recorded(db)
    assert (event.type, event.target_model, event.target_id) == (
        AuditType.ORG_CREATED,
        "jobserver.Org",
        str(org.id),
    )


def test_an_organisations_name_and_slug_are_taken_once(db: Session) -> None:
    orgs.create(db, by=OPERATOR, name="Data Lab")
    with pytest.raises(Taken) as name_refused:
        orgs.create(db, by=OPERATOR, name="DATA LAB", slug="other")
    assert name_refused.value.field == "name"
    with pytest.raises(Taken) as slug_refused:
        orgs.create(db, by=OPERATOR, name="Another", slug="data-lab")
    assert slug_refused.value.field == "slug"


def test_joining_an_organisation_twice_is_recorded_once(db: Session) -> None:
    org, user = factories.OrgFactory(), factories.UserFactory()
    assert orgs.add_member(db, org, user, by=OPERATOR)
    assert not orgs.add_member(db, org, user, by=OPERATOR)
    db.commit()
    assert db.scalar(select(func.count(OrgMembership.id))) == 1
    assert [(event.type, event.target_user) for event in recorded(db)] == [
        (AuditType.ORG_MEMBER_ADDED, user.username)
    ]


def test_a_project_is_made_with_all_its_organisations_and_one_event(db: Session) -> None:
    admin, lead, other = factories.UserFactory(), factories.OrgFactory(), factories.OrgFactory()
    copilot = factories.UserFactory()
    project = projects.create(
        db,
        by=admin,
        name="Vaccine uptake",
        org=lead,
        other_orgs=[other, lead],
        number="POS-2026-3001",
        copilot=copilot,
    )
    db.commit()
    assert (project.slug, project.number, project.org_id) == ("vaccine-uptake", "POS-2026-3001", lead.id)
    assert (project.created_by_id, project.updated_by_id, project.copilot_id) == (
        admin.id,
        admin.id,
        copilot.id,
    )
    assert project.created_at == project.updated_at
    assert set(db.scalars(select(ProjectCollaboration.org_id))) == {lead.id, other.id}
    [event] = recorded(db)
    assert (event.type, event.parent_id, event.target_user) == (
        AuditType.PROJECT_CREATED,
        str(project.id),
        admin.username,
    )
    assert event.created_at == project.created_at


@pytest.mark.parametrize("number", ["0", "007", "pos-2026-3001", "POS-2001-0000", "1234567890", "1\n2"])
def test_a_malformed_project_number_is_refused(db: Session, number: str) -> None:
    with pytest.raises(Malformed) as refused:
        projects.create(
            db, by=factories.UserFactory(), name="Study", org=factories.OrgFactory(), number=number
        )
    assert refused.value.field == "number"


def test_name_slug_and_number_of_a_project_are_taken_once(db: Session) -> None:
    admin, org = factories.UserFactory(), factories.OrgFactory(slug="lab")
    projects.create(db, by=admin, name="Study", org=org, number="7")
    for field, given in {
        "name": {"name": "STUDY", "slug": "other"},
        "number": {"name": "Other", "number": " 7 "},
        "slug": {"name": "Lab"},
    }.items():
        with pytest.raises(Taken) as refused:
            projects.create(db, by=admin, org=org, **given)
        assert refused.value.field == field


def test_a_project_takes_no_word_that_organisations_have(db: Session) -> None:
    with pytest.raises(Taken, match="“logs” is taken by a page"):
        projects.create(db, by=factories.UserFactory(), name="Logs", org=factories.OrgFactory())


def test_a_backends_token_is_given_once_and_kept_as_a_digest(db: Session) -> None:
    backend, token = backends.create(db, by=OPERATOR, slug="tpp", name="TPP")
    db.commit()
    assert (len(token), backend.is_active) == (40, False)
    assert backend.token_digest == tokens.digest(token)
    with pytest.raises(Taken):
        backends.create(db, by=OPERATOR, slug="TPP")


def test_a_replaced_token_is_valid_for_a_day_more(db: Session) -> None:
    backend, old = backends.create(db, by=OPERATOR, slug="tpp")
    db.commit()
    now = backend.created_at + timedelta(days=1)
    new = backends.rotate_token(db, backend, by=OPERATOR, now=now)
    db.commit()
    assert new != old
    assert backend.token_digest == tokens.digest(new)
    assert backend.previous_token_digest == tokens.digest(old)
    assert backend.previous_token_expires_at == now + timedelta(hours=24)
    assert [event.type for event in recorded(db)] == [
        AuditType.BACKEND_CREATED,
        AuditType.BACKEND_TOKEN_ROTATED,
    ]


def test_access_to_a_backend_is_given_once(db: Session) -> None:
    backend, user, admin = (
        factories.BackendFactory(),
        factories.UserFactory(),
        factories.UserFactory(),
    )
    assert backends.add_member(db, backend, user, by=admin)
    assert not backends.add_member(db, backend, user, by=OPERATOR)
    db.commit()
    assert db.scalars(select(BackendMembership.created_by_id)).one() == admin.id
    assert [event.type for event in recorded(db)] == [AuditType.BACKEND_MEMBER_ADDED]


def new_workspace(db: Session, **given: Any):
    values = {
        "by": factories.UserFactory(),
        "project": factories.ProjectFactory(),
        "name": "Uptake-2026",
        "repo_url": "https://github.com/datalab/uptake",
        "branch": " main ",
        **given,
    }
    return workspaces.create(db, **values)


def test_a_workspace_is_made_in_lower_case_and_its_repository_recorded_once(db: Session) -> None:
    first = new_workspace(db)
    second = new_workspace(db, name="second", repo_url="git@github.com:DataLab/Uptake.git")
    db.commit()
    assert (first.name, first.branch) == ("uptake-2026", "main")
    assert first.created_by_id == first.updated_by_id
    assert first.created_at == first.updated_at
    assert first.repo_id == second.repo_id
    assert db.scalars(select(Repo.url)).one() == "https://github.com/datalab/uptake"
    assert [event.type for event in recorded(db)] == [AuditType.WORKSPACE_CREATED] * 2
    assert recorded(db)[0].parent_id == str(first.project_id)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "with space"),
        ("name", "with/slash"),
        ("name", ""),
        ("name", "x" * 256),
        ("branch", " "),
        ("repo_url", "https://gitlab.com/a/b"),
        ("repo_url", "https://github.com/a"),
        ("repo_url", "https://github.com/a/b/tree/main"),
        ("repo_url", "https://github.com/a/.."),
        ("repo_url", "javascript:alert(1)"),
        ("repo_url", ""),
    ],
)
def test_a_malformed_workspace_is_refused(db: Session, field: str, value: str) -> None:
    with pytest.raises(Malformed) as refused:
        new_workspace(db, **{field: value})
    assert refused.value.field == {"repo_url": "repository"}.get(field, field)


@pytest.mark.parametrize(
    "written",
    [
        "https://github.com/data-lab/my.study",
        "http://github.com/data-lab/my.study/",
        "https://www.GitHub.com/data-lab/my.study.git",
        "github.com/data-lab/my.study",
        "git@github.com:data-lab/my.study.git",
        "ssh://git@github.com/data-lab/my.study",
        " data-lab/my.study ",
    ],
)
def test_a_repositorys_address_has_one_spelling(written: str) -> None:
    assert workspaces.normal_repo_url(written) == "https://github.com/data-lab/my.study"


def test_a_workspace_takes_no_reserved_or_used_name(db: Session) -> None:
    new_workspace(db)
    for name in ("UPTAKE-2026", "releases"):
        with pytest.raises(Taken):
            new_workspace(db, name=name)


def grant(db: Session, project: Project, **given: Any):
    values = {
        "kind": PermissionKind.DATASET,
        "name": "ukrr",
        "reason": "Agreed on 3 March",
        "by": factories.UserFactory(),
        **given,
    }
    return data_permissions.grant(db, project, **values)


def test_leave_to_use_data_is_granted_once_and_can_be_withdrawn_and_granted_again(db: Session) -> None:
    project, admin = factories.ProjectFactory(), factories.UserFactory()
    first = grant(db, project, by=admin)
    assert grant(db, project, reason="Again") is first
    assert data_permissions.revoke(db, first, by=admin)
    assert not data_permissions.revoke(db, first, by=admin)
    second = grant(db, project, by=admin)
    db.commit()
    assert second.id != first.id
    assert (first.granted_by_id, first.revoked_by_id, first.reason) == (
        admin.id,
        admin.id,
        "Agreed on 3 March",
    )
    assert [(event.type, event.old, event.new) for event in recorded(db)] == [
        (AuditType.DATA_PERMISSION_GRANTED, "", "ukrr"),
        (AuditType.DATA_PERMISSION_REVOKED, "ukrr", ""),
        (AuditType.DATA_PERMISSION_GRANTED, "", "ukrr"),
    ]


def test_unknown_data_or_a_missing_reason_is_refused(db: Session) -> None:
    project = factories.ProjectFactory()
    with pytest.raises(Malformed, match="must be one of appointments"):
        grant(db, project, name="include_t1oo")
    with pytest.raises(Malformed, match="reason is missing"):
        grant(db, project, reason=" ")
