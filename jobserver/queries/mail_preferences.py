"""Which mails a person wants, and about which workspaces (spec: pages 30.6)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, exists, func, select, union
from sqlalchemy.orm import Session

from jobserver.models import (
    ACTIVE_STATUSES,
    Happening,
    HappeningKind,
    JobRequest,
    JobRequestStatus,
    MailChoice,
    MailKind,
    MailPreference,
    MutedWorkspace,
    Org,
    Project,
    User,
    Workspace,
)
from jobserver.security.identity import Identity

PAGE = 25
# Workspaces of others count as mine if one of my last so many requests was made there.
LAST_REQUESTS = 300


def is_muted(db: Session, user_id: int, workspace_id: int) -> bool:
    """Whether the person wants no mail about requests in the workspace."""
    return bool(db.scalar(select(_muted(user_id, workspace_id))))


def _muted(user_id: Any, workspace_id: Any) -> ColumnElement[bool]:
    return exists().where(MutedWorkspace.user_id == user_id, MutedWorkspace.workspace_id == workspace_id)


def choices(db: Session, user_id: int) -> dict[MailKind, MailChoice]:
    """When the person wants each kind of mail."""
    rows = db.execute(
        select(MailPreference.kind, MailPreference.choice).where(MailPreference.user_id == user_id)
    )
    return _all({row.kind: row.choice for row in rows})


def _all(stored: Mapping[str, str]) -> dict[MailKind, MailChoice]:
    return {kind: MailChoice(stored.get(kind, MailChoice.ALWAYS)) for kind in MailKind}


class NotMailed(StrEnum):
    """Why a mail about a request was not sent: the ``status_code`` of what happened instead."""

    NOT_WANTED = "not_wanted"
    ONLY_FAILURES = "only_failures"
    MUTED = "muted"
    HAS_ENDED = "has_ended"
    NOTHING_FAILED = "nothing_failed"
    NO_ADDRESS = "no_address"
    ACCOUNT_CLOSED = "account_closed"
    REFUSED = "refused"


@dataclass(frozen=True)
class Wanted:
    """Whether the requester is to get one kind of mail about one request, as things are now.

    ``is_settled``: that mail has been sent, or it was decided not to.
    """

    kind: MailKind
    user_id: int
    email: str | None
    is_closed: bool
    is_muted: bool
    choices: Mapping[MailKind, MailChoice]
    is_settled: bool
    has_ended: bool
    went_wrong: bool

    @property
    def digest_follows(self) -> bool:
        """Whether the mail about the end will go out, if the request ends with what failed so far."""
        return self.choices[MailKind.REQUEST_ENDED] is not MailChoice.NEVER

    @property
    def why_not(self) -> NotMailed | None:
        """Why the mail is not to be sent; None if it is."""
        choice = self.choices[self.kind]
        reasons = {
            NotMailed.ACCOUNT_CLOSED: self.is_closed,
            NotMailed.NO_ADDRESS: not self.email,
            NotMailed.MUTED: self.is_muted,
            NotMailed.NOT_WANTED: choice is MailChoice.NEVER,
        }
        if self.kind is MailKind.FIRST_FAILURE:
            # Late, because mail could not leave: the mail about the end says all of it.
            reasons[NotMailed.HAS_ENDED] = self.has_ended and self.digest_follows
        else:
            reasons[NotMailed.ONLY_FAILURES] = choice is MailChoice.FAILURES and not self.went_wrong
        return next((reason for reason, holds in reasons.items() if holds), None)


def wanted(db: Session, job_request_id: int, kind: MailKind) -> Wanted | None:
    """Whether the mail is to be sent to the requester; None if there is no such request."""
    request = JobRequest
    settled = exists().where(
        Happening.job_request_id == request.id,
        Happening.kind.in_((HappeningKind.MAILED, HappeningKind.NOT_MAILED)),
        Happening.note == kind,
    )
    chosen = (
        select(func.jsonb_object_agg(MailPreference.kind, MailPreference.choice))
        .where(MailPreference.user_id == User.id)
        .scalar_subquery()
    )
    row = db.execute(
        select(
            User.id,
            User.email,
            User.disabled_at,
            _muted(request.created_by_id, request.workspace_id).label("muted"),
            chosen.label("choices"),
            settled.label("settled"),
            request.status,
            request.only_cancelled.label("only_cancelled"),
        )
        .join(User, User.id == request.created_by_id)
        .where(request.id == job_request_id)
    ).one_or_none()
    if row is None:
        return None
    # Cancelling is what somebody wanted, not a failure.
    fine = row.status in {JobRequestStatus.SUCCEEDED, JobRequestStatus.NOTHING_TO_DO}
    only_cancelled = row.status == JobRequestStatus.FAILED and row.only_cancelled
    return Wanted(
        kind=kind,
        user_id=row.id,
        email=row.email,
        is_closed=row.disabled_at is not None,
        is_muted=row.muted,
        choices=_all(row.choices or {}),
        is_settled=row.settled,
        has_ended=row.status not in ACTIVE_STATUSES,
        went_wrong=not (fine or only_cancelled),
    )


@dataclass(frozen=True)
class MutableWorkspace:
    """A workspace about which somebody might get mail."""

    name: str
    project_slug: str
    project: str
    org_slug: str
    is_archived: bool
    is_muted: bool

    @property
    def path(self) -> tuple[str, str, str]:
        """The names that lead to its page."""
        return (self.org_slug, self.project_slug, self.name)


def _mine(identity: Identity) -> ColumnElement[bool]:
    muted = select(MutedWorkspace.workspace_id).where(MutedWorkspace.user_id == identity.user_id)
    in_my_projects = select(Workspace.id).where(
        Workspace.project_id.in_(list(identity.project_roles)), ~Workspace.is_archived
    )
    lately = (
        select(JobRequest.workspace_id)
        .where(JobRequest.created_by_id == identity.user_id)
        .order_by(JobRequest.id.desc())
        .limit(LAST_REQUESTS)
        .subquery()
    )
    ran_in = select(Workspace.id).where(
        Workspace.id.in_(select(lately.c.workspace_id)), ~Workspace.is_archived
    )
    # One list of ids, each part of it by its own index: a condition with "or" would read every workspace.
    return Workspace.id.in_(union(muted, in_my_projects, ran_in))


def number_of_workspaces(db: Session, identity: Identity) -> int:
    """How many rows :func:`workspaces` has in all."""
    return db.scalar(select(func.count()).select_from(Workspace).where(_mine(identity))) or 0


def workspaces(
    db: Session, identity: Identity, *, limit: int = PAGE, offset: int = 0
) -> list[MutableWorkspace]:
    """The muted workspaces, then those in use of my projects and those that I ran something in lately."""
    muted = _muted(identity.user_id, Workspace.id)
    statement = (
        select(Workspace.name, Project.slug, Project.name, Org.slug, Workspace.is_archived, muted)
        .join(Project, Project.id == Workspace.project_id)
        .join(Org, Org.id == Project.org_id)
        .where(_mine(identity))
        .order_by(muted.desc(), func.lower(Workspace.name))
        .limit(limit)
        .offset(offset)
    )
    return [MutableWorkspace(*row) for row in db.execute(statement)]


def workspace_named(db: Session, name: str) -> Workspace | None:
    """The workspace of this name."""
    if "\0" in name:
        return None
    return db.scalar(select(Workspace).where(Workspace.name == name))
