"""Asking for jobs: the request is recorded; a background task hands it to the controller."""

from collections.abc import Iterable

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from jobserver import queue
from jobserver.actions.audit import Actor, listed, record
from jobserver.models import (
    AuditType,
    Backend,
    BackendMembership,
    JobRequest,
    JobRequestStatus,
    User,
    Workspace,
    utcnow,
)
from jobserver.queries.analysis_scope import analysis_scope
from jobserver.security import sessions, tokens
from jobserver.security.identity import Identity

# These cannot be chosen while DISABLE_CREATING_JOBS is on (spec: rap 7.1).
SWITCHED_OFF_TOGETHER = frozenset({"emis", "tpp"})


class CannotCreate(Exception):
    """The job request was not made; the text is a sentence for the person who asked."""


class WorkspaceArchived(CannotCreate):
    """The workspace is archived."""


class BackendNotAllowed(CannotCreate):
    """The backend is not in use, or the person has no leave to run jobs there."""


class CreationDisabled(CannotCreate):
    """Operators have switched off new job requests for this backend."""


class CreationPaused(CannotCreate):
    """Operators let nobody ask for jobs on this backend for now; the text says why."""


class NothingRequested(CannotCreate):
    """No action was named."""


class NotARerun(CannotCreate):
    """The request that should be run again is not one of this workspace."""


def create(
    db: Session,
    *,
    workspace: Workspace,
    backend: Backend,
    by: Identity | User,
    commit: str,
    commit_message: str = "",
    branch: str,
    project_definition: str,
    codelists_ok: bool,
    requested_actions: Iterable[str],
    force_run_dependencies: bool,
    will_notify: bool,
    creation_disabled: bool,
    identifier: str | None = None,
    rerun_of_id: int | None = None,
) -> JobRequest:
    """Record what somebody wants to be run and have it handed to the controller (spec: rap 7.4 and 11).

    ``commit`` is the full hash; ``branch`` the one it was found on; ``creation_disabled`` the setting of
    that name. The scope of data that the project may use is stored as it is now. Whether the person may
    run jobs in this project is the caller's to check; what else stands against it is raised as a
    :class:`CannotCreate`.

    With an ``identifier`` chosen beforehand a form that is sent twice makes one request: the one that has it
    already is returned. One that somebody else's request has is not used. ``rerun_of_id`` is the request of
    this workspace that this one repeats.
    """
    actor = Actor.of(by)
    if identifier is not None:
        # The second sender waits here for the first one's transaction.
        db.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(identifier, 0))))
        found = db.scalar(select(JobRequest).where(JobRequest.identifier == identifier))
        if found is not None and (found.created_by_id, found.workspace_id) == (actor.user_id, workspace.id):
            return found
        identifier = identifier if found is None else None
    actions = list(dict.fromkeys(requested_actions))
    if not actions:
        raise NothingRequested("Choose at least one action to run.")
    refusal = why_not(db, workspace, backend, actor.user_id, creation_disabled=creation_disabled, lock=True)
    if refusal is not None:
        raise refusal
    _check_rerun(db, workspace, rerun_of_id)
    job_request = JobRequest(
        identifier=identifier or tokens.new_identifier(),
        backend_id=backend.id,
        workspace_id=workspace.id,
        created_at=utcnow(),
        created_by_id=actor.user_id,
        requested_actions=actions,
        force_run_dependencies=force_run_dependencies,
        sha=commit,
        commit_message=commit_message,
        branch=branch,
        project_definition=project_definition,
        codelists_ok=codelists_ok,
        will_notify=will_notify,
        analysis_scope=analysis_scope(db, workspace.project_id),
        status=JobRequestStatus.UNKNOWN,
        rerun_of_id=rerun_of_id,
    )
    db.add(job_request)
    db.flush()
    record(
        db,
        AuditType.JOB_REQUEST_CREATED,
        by=by,
        target=job_request,
        parent=workspace,
        new=listed(actions),
        at=job_request.created_at,
    )
    queue.defer(db, queue.Task.SUBMIT_JOB_REQUEST, job_request_id=job_request.id)
    queue.wake_status_service(db)
    return job_request


def why_not(
    db: Session,
    workspace: Workspace,
    backend: Backend,
    user_id: int | None,
    *,
    creation_disabled: bool,
    lock: bool = False,
) -> CannotCreate | None:
    """What stands against this person's running jobs in the workspace on the backend; None if nothing does.

    ``lock``: keep the workspace and the backend as they are until the transaction ends.
    """
    statement = select(Workspace.is_archived).where(Workspace.id == workspace.id)
    # Archiving waits for us, or we see that it has happened.
    if db.scalar(statement.with_for_update(read=True) if lock else statement):
        return WorkspaceArchived(
            f"The workspace {workspace.name} is archived. Unarchive it to run jobs in it."
        )
    if not backend.is_active:
        return BackendNotAllowed(f"{backend.name} is not in use. Choose another backend.")
    membership = select(BackendMembership.id).where(
        BackendMembership.backend_id == backend.id,
        BackendMembership.user_id == user_id,
        sessions.goes_on(BackendMembership),
    )
    if db.scalar(membership) is None:
        return BackendNotAllowed(f"You cannot run jobs on {backend.name}. Staff can give you access to it.")
    if creation_disabled and backend.slug in SWITCHED_OFF_TOGETHER:
        return CreationDisabled(f"New job requests on {backend.name} are switched off just now.")
    # As it is stored: the object may have been read before somebody paused it.
    state = select(Backend.creation_paused_at, Backend.creation_pause_reason).where(Backend.id == backend.id)
    paused_at, reason = db.execute(state.with_for_update(read=True) if lock else state).one()
    if paused_at is not None:
        return CreationPaused(f"{backend.name} takes no new job requests for now: {reason}")
    return None


def _check_rerun(db: Session, workspace: Workspace, rerun_of_id: int | None) -> None:
    if rerun_of_id is None:
        return
    found = select(JobRequest.id).where(JobRequest.id == rerun_of_id, JobRequest.workspace_id == workspace.id)
    if db.scalar(found) is None:
        raise NotARerun(f"Request {rerun_of_id} is not one of the workspace {workspace.name}.")
