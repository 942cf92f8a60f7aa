"""What of somebody's work needs them now: the things to do on the front page (spec: pages 30.7 no. 66)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import ScalarSelect, Subquery, exists, func, literal, select
from sqlalchemy.dialects.postgresql import aggregate_order_by, distinct_on
from sqlalchemy.orm import Session

from jobserver.models import (
    Backend,
    EmailChange,
    JobRequest,
    Org,
    Project,
    PublishDecision,
    PublishRequest,
    Release,
    ReleaseRequest,
    ReleaseRequestState,
    Role,
    Snapshot,
    Workspace,
)
from jobserver.queries import publish_requests
from jobserver.queries.backends import BackendRow
from jobserver.queries.event_logs import RequestRow
from jobserver.queries.failures import WITHIN, Failure, failures
from jobserver.queries.home import MyWorkspace
from jobserver.queries.output_pages import is_rejected, visible
from jobserver.queries.private_repos import PrivateRepo, private_repos
from jobserver.queries.release_request_lists import WAITING_FOR_CHECKERS
from jobserver.security.identity import Identity

MOST, FEW, MANY = 5, 3, 100
Row = TypeVar("Row")


@dataclass(frozen=True)
class Held:
    """A backend from which nothing is heard, or whose database is under maintenance, while mine wait."""

    backend: BackendRow
    requests: Sequence[RequestRow]


@dataclass(frozen=True)
class Returned:
    """A release request of mine that the output checkers gave back."""

    id: str
    workspace: str
    project_slug: str
    org_slug: str
    backend: str
    since: datetime

    @property
    def path(self) -> tuple[str, ...]:
        """The names that lead to its page."""
        return (self.org_slug, self.project_slug, self.workspace, "release-requests", self.id)


@dataclass(frozen=True)
class Refused:
    """A set of files of which I asked in vain that they become public, and nobody has asked again."""

    id: int
    title: str
    workspace: str
    project_slug: str
    org_slug: str
    since: datetime

    @property
    def path(self) -> tuple[str, ...]:
        """The names that lead to its page, which says why."""
        return (self.org_slug, self.project_slug, self.workspace, "outputs", str(self.id))


@dataclass(frozen=True)
class Attention:
    """Everything that needs me now."""

    failures: Sequence[Failure] = ()
    held: Sequence[Held] = ()
    workspaces: Sequence[MyWorkspace] = ()
    repos: Sequence[PrivateRepo] = ()
    returned: Sequence[Returned] = ()
    refused: Sequence[Refused] = ()
    to_check: int = 0
    to_publish: int = 0
    new_email: str | None = None
    has_no_name: bool = False
    more_failures: bool = False

    @property
    def count(self) -> int:
        """How many things there are to do."""
        lists = (self.failures, self.held, self.workspaces, self.repos, self.returned, self.refused)
        others = (self.new_email is not None, self.has_no_name, self.to_check > 0, self.to_publish > 0)
        return sum(map(len, lists)) + sum(others)


@dataclass(frozen=True)
class Facts:
    """What one statement says of a person.

    ``requests``: how many they ever made; ``has_succeeded``: whether one of their newest hundred did;
    ``has_output``: whether something was released from a workspace of those;
    ``new_email``: an address that waits to be confirmed; ``returned``: release requests that were given back,
    the latest first, and ``refused``: requests to publish; ``to_check``: how many wait for output checkers,
    if the person is one; ``to_publish``: how many sets of outputs wait for them to decide whether they become
    public.
    """

    requests: int
    has_succeeded: bool
    has_output: bool
    new_email: str | None
    returned: Sequence[Returned]
    refused: Sequence[Refused]
    to_check: int
    to_publish: int

    @property
    def is_newcomer(self) -> bool:
        """Whether nothing of theirs succeeded yet; whoever asked a hundred times is none."""
        return not self.has_succeeded and self.requests < MANY


def facts(db: Session, identity: Identity) -> Facts:
    """What is counted for the front page."""
    mine = JobRequest.created_by_id == identity.user_id
    newest = select(JobRequest.id).where(mine).order_by(JobRequest.id.desc()).limit(MANY)
    pending = select(EmailChange.email).where(
        EmailChange.user_id == identity.user_id, EmailChange.expires_at > func.now()
    )
    statement = select(
        select(func.count()).select_from(JobRequest).where(mine).scalar_subquery(),
        exists().where(JobRequest.id.in_(newest), JobRequest.status == "succeeded"),
        exists().where(JobRequest.id.in_(newest), Release.workspace_id == JobRequest.workspace_id),
        pending.scalar_subquery(),
        _returned(identity),
        _refused(identity),
        _to_check(identity),
        publish_requests.waiting(identity),
    )
    *others, returned, refused, to_check, to_publish = db.execute(statement).one()
    made = _made(Returned, returned), _made(Refused, refused)
    return Facts(*[*others, *made, to_check, to_publish])


def _made(kind: Callable[..., Row], rows: Sequence[Any] | None) -> list[Row]:
    return [kind(*each[:-1], datetime.fromisoformat(each[-1])) for each in rows or ()]


def _returned(identity: Identity) -> ScalarSelect[Any]:
    """The columns of :class:`Returned` for the latest few, as JSON."""
    found = (
        select(
            ReleaseRequest.id,
            Workspace.name.label("workspace"),
            Project.slug.label("project"),
            Org.slug.label("org"),
            Backend.name.label("backend"),
            ReleaseRequest.state_since.label("since"),
        )
        .join(Workspace, Workspace.id == ReleaseRequest.workspace_id)
        .join(Project, Project.id == Workspace.project_id)
        .join(Org, Org.id == Project.org_id)
        .join(Backend, Backend.id == ReleaseRequest.backend_id)
        .where(
            ReleaseRequest.author_id == identity.user_id, ReleaseRequest.state == ReleaseRequestState.RETURNED
        )
        .order_by(ReleaseRequest.state_since.desc(), ReleaseRequest.id)
        .limit(FEW)
        .subquery("returned")
    )
    return _as_json(found)


def _refused(identity: Identity) -> ScalarSelect[Any]:
    """The columns of :class:`Refused` for the latest few that the person may still see, as JSON."""
    found = (
        select(
            Snapshot.id,
            Snapshot.title,
            Workspace.name.label("workspace"),
            Project.slug.label("project"),
            Org.slug.label("org"),
            PublishRequest.decision_at.label("since"),
        )
        .join(Snapshot, Snapshot.id == PublishRequest.snapshot_id)
        .join(Workspace, Workspace.id == Snapshot.workspace_id)
        .join(Project, Project.id == Workspace.project_id)
        .join(Org, Org.id == Project.org_id)
        .where(
            PublishRequest.created_by_id == identity.user_id,
            PublishRequest.decision == PublishDecision.REJECTED,
            PublishRequest.decision_at > func.now() - WITHIN,
            is_rejected(),
            visible(identity),
        )
        .ext(distinct_on(Snapshot.id))
        .order_by(Snapshot.id, PublishRequest.id.desc())
        .subquery("each")
    )
    latest = select(found).order_by(found.c.since.desc(), found.c.id).limit(FEW).subquery("refused")
    return _as_json(latest)


def _as_json(found: Subquery) -> ScalarSelect[Any]:
    row = func.jsonb_build_array(*found.c)
    return select(func.jsonb_agg(aggregate_order_by(row, found.c.since.desc(), found.c.id))).scalar_subquery()


def _to_check(identity: Identity) -> Any:
    if Role.OUTPUT_CHECKER not in identity.roles:
        return literal(0)
    waiting = ReleaseRequest.state.in_(WAITING_FOR_CHECKERS)
    return select(func.count()).select_from(ReleaseRequest).where(waiting).scalar_subquery()


def attention(
    db: Session,
    identity: Identity,
    facts: Facts,
    *,
    running: Sequence[RequestRow],
    workspaces: Sequence[MyWorkspace],
    backends: Sequence[BackendRow],
    now: datetime,
) -> Attention:
    """What needs somebody now, from what the page has read already and two statements more."""
    found = failures(db, identity, now, limit=MOST + 1)
    mine = {failure.workspace for failure in found}
    return Attention(
        failures=found[:MOST],
        more_failures=len(found) > MOST,
        held=held(running, backends, now),
        workspaces=[
            row
            for row in workspaces
            if row.name not in mine and row.has_failed and now - row.active_at <= WITHIN
        ][:FEW],
        repos=private_repos(db, identity, now)[:FEW],
        returned=facts.returned,
        refused=facts.refused,
        to_check=facts.to_check,
        to_publish=facts.to_publish,
        new_email=facts.new_email,
        has_no_name=identity.fullname.lower() == identity.username.lower(),
    )


def held(running: Sequence[RequestRow], backends: Sequence[BackendRow], now: datetime) -> list[Held]:
    """The backends that are silent or in maintenance and on which requests of mine go on."""
    found = []
    for row in backends:
        waiting = [request for request in running if request.backend == row.backend.name]
        if waiting and (row.is_missing(now) or row.backend.is_in_maintenance_mode):
            found.append(Held(row, waiting))
    return found
