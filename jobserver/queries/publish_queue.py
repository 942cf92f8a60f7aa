"""The queue of those who decide what becomes public, filtered and sorted (spec: pages 30.12 no. 72)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    and_,
    any_,
    case,
    extract,
    false,
    func,
    or_,
    select,
    text,
    true,
)
from sqlalchemy.orm import Session, aliased

from jobserver.models import (
    Org,
    Project,
    PublishRequest,
    Snapshot,
    User,
    Workspace,
)
from jobserver.models.publication import IN_FORCE
from jobserver.queries.publish_requests import counted_files, state_of
from jobserver.queries.staff.listing import Filter, Option, Sort, StaffList, contains
from jobserver.templating.states import PUBLISH_REQUEST_STATES, State


@dataclass(frozen=True)
class QueueRow:
    """A wish in the queue. ``size`` is in bytes; ``decided_at`` is when it was unpublished, if it was."""

    id: int
    snapshot_id: int
    title: str
    decision: str | None
    unpublished_at: datetime | None
    asked_at: datetime
    asked_by: str
    asked_by_id: int
    decided_at: datetime | None
    decided_by: str | None
    reason: str
    files: int
    size: int
    workspace: str
    project: str
    project_slug: str
    org_slug: str

    @property
    def path(self) -> tuple[str, ...]:
        """The names that lead to the set of files."""
        return (self.org_slug, self.project_slug, self.workspace, "outputs", str(self.snapshot_id))

    @property
    def name(self) -> str:
        """What it is called."""
        return self.title or f"Outputs {self.snapshot_id}"

    @property
    def shown(self) -> State:
        """Where it stands, as pages show it."""
        return PUBLISH_REQUEST_STATES[state_of(self.decision, self.unpublished_at)]


_is_pending = PublishRequest.decision.is_(None)
_CONDITIONS: dict[str, ColumnElement[bool]] = {
    "pending": _is_pending,
    "approved": and_(true(), text(IN_FORCE)),
    "rejected": PublishRequest.decision == "rejected",
    "withdrawn": PublishRequest.decision == "withdrawn",
    "unpublished": PublishRequest.unpublished_at.is_not(None),
}


def _in_state(values: Sequence[str]) -> ColumnElement[bool]:
    return or_(false(), *[_CONDITIONS[value] for value in values])


def _states(db: Session) -> list[Option]:
    counts = db.execute(select(*[func.count().filter(each) for each in _CONDITIONS.values()])).one()
    return [
        Option(name, PUBLISH_REQUEST_STATES[name].word, number)
        for name, number in zip(_CONDITIONS, counts, strict=True)
    ]


def _in(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """Of wishes: those about sets of files of such workspaces, projects, organisations."""
    found = (
        select(Snapshot.id)
        .join(Workspace, Workspace.id == Snapshot.workspace_id)
        .join(Project, Project.id == Workspace.project_id)
        .join(Org, Org.id == Project.org_id)
        .where(*conditions)
    )
    return PublishRequest.snapshot_id.in_(found)


def _search(q: str) -> ColumnElement[bool]:
    by = select(User.id).where(contains(q, User.username, User.fullname))
    return or_(
        _in(contains(q, Snapshot.title, Workspace.name, Project.name, Project.slug)),
        PublishRequest.created_by_id == any_(by.scalar_subquery()),
    )


def _orgs(db: Session) -> list[Option]:
    rows = db.execute(
        select(Org.slug, Org.name, func.count())
        .join_from(PublishRequest, PublishRequest.snapshot)
        .join(Workspace, Workspace.id == Snapshot.workspace_id)
        .join(Project, Project.id == Workspace.project_id)
        .join(Org, Org.id == Project.org_id)
        .group_by(Org.slug, Org.name)
        .order_by(func.lower(Org.name), Org.slug)
    )
    return [Option(*row) for row in rows]


_asker, _decider = aliased(User), aliased(User)
_counted = counted_files()
# What waits, the longest first; then what was decided, the latest first.
_asked, _done = extract("epoch", PublishRequest.created_at), extract("epoch", PublishRequest.decision_at)
_TURN = (_is_pending, case((_is_pending, -_asked), else_=_done))

QUEUE: StaffList[QueueRow] = StaffList(
    noun=("request",),
    id_column=PublishRequest.id,
    columns=select(
        PublishRequest.id,
        PublishRequest.snapshot_id,
        Snapshot.title,
        PublishRequest.decision,
        PublishRequest.unpublished_at,
        PublishRequest.created_at,
        _asker.fullname,
        _asker.id,
        func.coalesce(PublishRequest.unpublished_at, PublishRequest.decision_at),
        _decider.fullname,
        case(
            (PublishRequest.unpublished_at.is_not(None), PublishRequest.unpublished_reason),
            else_=PublishRequest.decision_reason,
        ),
        _counted.c.files,
        _counted.c.size,
        Workspace.name,
        Project.name,
        Project.slug,
        Org.slug,
    )
    .join(Snapshot, Snapshot.id == PublishRequest.snapshot_id)
    .join(Workspace, Workspace.id == Snapshot.workspace_id)
    .join(Project, Project.id == Workspace.project_id)
    .join(Org, Org.id == Project.org_id)
    .join(_asker, _asker.id == PublishRequest.created_by_id)
    .outerjoin(
        _decider,
        _decider.id == func.coalesce(PublishRequest.unpublished_by_id, PublishRequest.decision_by_id),
    )
    .join(_counted, true()),
    make=QueueRow,
    sorts=(
        Sort("turn", "Waiting first", _TURN, descending=True),
        Sort("newest", "Newest first", (PublishRequest.created_at,), descending=True),
        Sort("oldest", "Oldest first", (PublishRequest.created_at,)),
    ),
    header=(
        "asked",
        "state",
        "title",
        "files",
        "bytes",
        "workspace",
        "project",
        "by",
        "decided",
        "by",
        "reason",
    ),
    cells=lambda row: (
        row.asked_at,
        row.shown.word,
        row.name,
        row.files,
        row.size,
        row.workspace,
        row.project,
        row.asked_by,
        row.decided_at,
        row.decided_by or "",
        row.reason,
    ),
    search=_search,
    search_label="Title, workspace, project or person",
    filters=(
        Filter("state", "State", _in_state, _states),
        Filter("org", "Organisation", lambda values: _in(Org.slug.in_(values)), _orgs),
        Filter(
            "project",
            "Project",
            lambda values: _in(or_(Project.slug.in_(values), Project.number.in_(values))),
            hint="Its slug or number",
        ),
    ),
)
