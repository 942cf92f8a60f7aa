"""Making a job request, and the scope of data that goes with it (spec: rap 2 and 7.4)."""

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from jobserver.actions import job_requests
from jobserver.actions.job_requests import (
    BackendNotAllowed,
    CannotCreate,
    CreationDisabled,
    NothingRequested,
    WorkspaceArchived,
)
from jobserver.models import AuditableEvent, DataPermission, JobRequest, utcnow
from jobserver.queries.analysis_scope import analysis_scope
from jobserver.security.identity import Identity
from tests import factories as f
from tests.unit.rap.conftest import deferred

SHA = "5f0c1b7e9a4d3c2b1a0f9e8d7c6b5a4f3e2d1c0b"


def create(db: Session, **changes: Any) -> JobRequest:
    values: dict[str, Any] = {
        "commit": SHA,
        "branch": "main",
        "project_definition": "version: 5",
        "codelists_ok": True,
        "requested_actions": ["make_table"],
        "force_run_dependencies": False,
        "will_notify": True,
        "creation_disabled": False,
        **changes,
    }
    if "backend" not in values:
        values["backend"] = f.BackendFactory()
    if "by" not in values:
        values["by"] = f.UserFactory()
    if "workspace" not in values:
        values["workspace"] = f.WorkspaceFactory()
    if values.pop("member", True):
        by = values["by"]
        user_id = by.user_id if isinstance(by, Identity) else by.id
        f.BackendMembershipFactory(backend=values["backend"], user=db.get(f.UserFactory._meta.model, user_id))
    return job_requests.create(db, **values)


def test_a_request_is_stored_as_asked_for_and_handed_on(db: Session) -> None:
    request = create(db, requested_actions=["b", "a", "b"], commit_message="Add a chart")
    db.commit()
    assert (request.status, request.settled_at, request.status_message) == ("unknown", None, None)
    assert request.requested_actions == ["b", "a"]
    assert (request.sha, request.branch, request.commit_message) == (SHA, "main", "Add a chart")
    assert request.analysis_scope == {}
    assert deferred(db) == [("submit_job_request", {"job_request_id": request.id})]


def test_making_a_request_is_recorded(db: Session) -> None:
    user = f.UserFactory()
    request = create(db, by=Identity(user.id, user.username, user.fullname), requested_actions=["b", "a"])
    db.commit()
    event = db.scalars(select(AuditableEvent)).one()
    assert (event.type, event.target_model, event.target_id) == (
        "job_request_created",
        "jobserver.JobRequest",
        str(request.id),
    )
    assert (event.parent_model, event.parent_id) == ("jobserver.Workspace", str(request.workspace_id))
    assert (event.new, event.created_by, event.actor_id) == ("a,b", user.username, user.id)


def test_nothing_is_handed_on_if_the_transaction_fails(db: Session) -> None:
    create(db)
    db.rollback()
    assert deferred(db) == []
    assert db.scalars(select(JobRequest)).all() == []


@pytest.mark.parametrize(
    ("changes", "refusal", "words"),
    [
        ({"requested_actions": []}, NothingRequested, "Choose at least one action"),
        ({"workspace": {"is_archived": True}}, WorkspaceArchived, "archived"),
        ({"backend": {"is_active": False}}, BackendNotAllowed, "not in use"),
        ({"member": False}, BackendNotAllowed, "You cannot run jobs"),
        ({"backend": {"slug": "tpp"}, "creation_disabled": True}, CreationDisabled, "switched off"),
        ({"backend": {"slug": "emis"}, "creation_disabled": True}, CreationDisabled, "switched off"),
    ],
)
def test_what_stands_against_a_request_is_said(
    db: Session, changes: dict[str, Any], refusal: type[CannotCreate], words: str
) -> None:
    if "workspace" in changes:
        changes = {**changes, "workspace": f.WorkspaceFactory(**changes["workspace"])}
    if "backend" in changes:
        changes = {**changes, "backend": f.BackendFactory(**changes["backend"])}
    with pytest.raises(refusal, match=words):
        create(db, **changes)
    db.rollback()
    assert db.scalars(select(JobRequest)).all() == []


def test_other_backends_can_be_used_while_creation_is_disabled(db: Session) -> None:
    assert create(db, backend=f.BackendFactory(slug="test"), creation_disabled=True).id


def permit(db: Session, project_id: int, *granted: tuple[str, str], revoked: bool = False) -> None:
    revoker = f.UserFactory().id if revoked else None
    for kind, name in granted:
        db.add(
            DataPermission(
                project_id=project_id,
                kind=kind,
                name=name,
                reason="reviewed",
                revoked_at=utcnow() if revoked else None,
                revoked_by_id=revoker,
            )
        )
    db.commit()


def test_the_scope_names_populations_in_a_fixed_order_and_datasets_sorted(db: Session) -> None:
    project = f.ProjectFactory()
    permit(
        db,
        project.id,
        ("population", "include_gp_unactivated"),
        ("population", "include_ndoo"),
        ("population", "include_t1oo"),
        ("dataset", "ukrr"),
        ("dataset", "appointments"),
        ("tool", "sqlrunner"),
    )
    assert analysis_scope(db, project.id) == {
        "population_permissions": ["include_t1oo", "include_ndoo", "include_gp_unactivated"],
        "dataset_permissions": ["appointments", "ukrr"],
    }


def test_a_key_without_permissions_is_left_out(db: Session) -> None:
    project = f.ProjectFactory()
    permit(db, project.id, ("dataset", "isaric"))
    assert analysis_scope(db, project.id) == {"dataset_permissions": ["isaric"]}


def test_permissions_of_others_and_withdrawn_ones_do_not_count(db: Session) -> None:
    project = f.ProjectFactory()
    permit(db, f.ProjectFactory().id, ("dataset", "isaric"))
    permit(db, project.id, ("population", "include_t1oo"), revoked=True)
    assert analysis_scope(db, project.id) == {}


def test_the_scope_is_kept_as_it_was_when_the_request_was_made(db: Session) -> None:
    workspace = f.WorkspaceFactory()
    permit(db, workspace.project_id, ("population", "include_ndoo"))
    request = create(db, workspace=workspace)
    db.commit()
    db.expire_all()
    stored = db.get_one(JobRequest, request.id)
    assert stored.analysis_scope == {"population_permissions": ["include_ndoo"]}
