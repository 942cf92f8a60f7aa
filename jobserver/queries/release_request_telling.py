"""What there is to tell of an event of a release request, and where (spec: airlock 8.3, 8.4)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session, aliased

from jobserver.models import (
    Org,
    OrgMembership,
    Project,
    ProjectCollaboration,
    Release,
    ReleaseRequest,
    ReleaseRequestEvent,
    Repo,
    User,
    Workspace,
)
from jobserver.models.choices import AirlockEventType
from jobserver.queries.release_requests import STEPS, Step, update_line
from jobserver.security.sessions import goes_on
from jobserver.settings import Settings


@dataclass(frozen=True)
class Author:
    """Who made the request. ``is_internal``: a member of an organisation that runs the service."""

    username: str
    fullname: str
    email: str | None
    is_disabled: bool
    is_internal: bool


@dataclass(frozen=True)
class Place:
    """Where the checkers of an organisation's projects look; empty for the site's own."""

    slug: str
    repo: str
    channel: str
    is_lead: bool


@dataclass(frozen=True)
class Event:
    """An event with all that is told of it, and what was told already."""

    id: int
    type: AirlockEventType
    at: datetime
    username: str
    updates: tuple[str, ...]
    issue_at: datetime | None
    comment_asked_at: datetime | None
    comment_url: str
    slack_at: datetime | None
    mail_at: datetime | None
    is_first: bool

    request_id: str
    issue_repo: str
    issue_number: int | None
    issue_asked_at: datetime | None
    path: tuple[str, str, str]
    repo_url: str
    author: Author
    has_release: bool
    checking_repo: str
    channel: str

    @property
    def step(self) -> Step:
        """What the event means."""
        return STEPS[self.type]

    @property
    def workspace(self) -> str:
        """The workspace's name."""
        return self.path[-1]


def event(db: Session, event_id: int, settings: Settings) -> Event | None:
    """The event; two statements."""
    author = aliased(User)
    earlier = aliased(ReleaseRequestEvent)
    is_internal = exists().where(
        OrgMembership.user_id == author.id,
        OrgMembership.org_id == Org.id,
        goes_on(OrgMembership),
        Org.is_internal,
    )
    first = select(func.min(earlier.id)).where(earlier.release_request_id == ReleaseRequest.id)
    row = db.execute(
        select(
            ReleaseRequestEvent,
            User.username,
            ReleaseRequest,
            author,
            is_internal,
            Workspace.name,
            Workspace.project_id,
            Project.slug,
            Repo.url,
            exists().where(Release.id == ReleaseRequest.id, Release.workspace_id == Workspace.id),
            first.scalar_subquery(),
        )
        .join(User, User.id == ReleaseRequestEvent.created_by_id)
        .join(ReleaseRequest, ReleaseRequest.id == ReleaseRequestEvent.release_request_id)
        .join(author, author.id == ReleaseRequest.author_id)
        .join(Workspace, Workspace.id == ReleaseRequest.workspace_id)
        .join(Project, Project.id == Workspace.project_id)
        .join(Repo, Repo.id == Workspace.repo_id)
        .where(ReleaseRequestEvent.id == event_id)
    ).one_or_none()
    if row is None:
        return None
    found, username, request, writer, internal, workspace, project_id, project, repo, released, first_id = row
    places = _places(db, project_id)
    lead = next((each.slug for each in places if each.is_lead), "")
    return Event(
        id=found.id,
        type=AirlockEventType(found.event_type),
        at=found.created_at,
        username=username,
        updates=tuple(update_line(each) for each in found.updates),
        issue_at=found.issue_at,
        comment_asked_at=found.comment_asked_at,
        comment_url=found.comment_url,
        slack_at=found.slack_at,
        mail_at=found.mail_at,
        is_first=found.id == first_id,
        request_id=request.id,
        issue_repo=request.issue_repo,
        issue_number=request.issue_number,
        issue_asked_at=request.issue_asked_at,
        path=(lead, project, workspace),
        repo_url=repo,
        author=Author(
            writer.username, writer.fullname, writer.email, writer.disabled_at is not None, internal
        ),
        has_release=released,
        checking_repo=request.issue_repo or request.checking_repo or _repo(places, settings),
        channel=_chosen([(each.is_lead, each.channel) for each in places])
        or settings.default_output_checking_slack_channel,
    )


def _places(db: Session, project_id: int) -> list[Place]:
    """The organisations of the project, by slug."""
    rows = db.execute(
        select(Org.slug, Org.output_checking_repo, Org.output_checking_channel, Org.id == Project.org_id)
        .join(Project, Project.id == project_id)
        .where(
            (Org.id == Project.org_id)
            | Org.id.in_(
                select(ProjectCollaboration.org_id).where(ProjectCollaboration.project_id == project_id)
            )
        )
        .order_by(Org.slug)
    )
    return [Place(*row) for row in rows]


def _repo(places: list[Place], settings: Settings) -> str:
    own = _chosen([(each.is_lead, each.repo) for each in places])
    return own or f"{settings.default_output_checking_github_org}/{settings.default_output_checking_repo}"


def _chosen(values: Iterable[tuple[bool, str]]) -> str:
    """The lead organisation's value if it has one, else the last one's by slug (spec: airlock 8.4)."""
    filled = [(is_lead, value) for is_lead, value in values if value]
    lead = [value for is_lead, value in filled if is_lead]
    return lead[0] if lead else (filled[-1][1] if filled else "")
