"""Applications for projects, as staff look for them (spec: staff 3.1, 8.6)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, true
from sqlalchemy.orm import Session, aliased

from jobserver.models import Application, ApplicationStatus, Project, User
from jobserver.queries.staff.listing import Filter, Option, Sort, StaffList, contains
from jobserver.queries.staff.things import number_of_hash
from jobserver.templating.states import APPLICATION_STATES

# Whoever is looked for among more than so many is found by a search.
MOST_OFFERED = 50
CANNOT_BE_LINKED = (ApplicationStatus.ONGOING, ApplicationStatus.REJECTED)


@dataclass(frozen=True)
class ApplicationRow:
    """An application in the list."""

    id: int
    status: str
    study_name: str
    created_at: datetime
    author: str
    author_username: str
    deleted_at: datetime | None
    deleter: str | None
    project: str | None
    project_slug: str | None

    @property
    def hash(self) -> str:
        """Its public id."""
        return f"{self.id:04x}"

    @property
    def title(self) -> str:
        """What it is called."""
        return self.study_name or "Not specified"


@dataclass(frozen=True)
class ApplicationFacts:
    """An application with whom it names, and its project."""

    application: Application
    author: User
    submitter: User | None
    approver: User | None
    deleter: User | None
    project: Project | None


_deleter = aliased(User)


def _search(q: str) -> ColumnElement[bool]:
    by_author = Application.created_by_id.in_(
        select(User.id).where(contains(q, User.fullname, User.username))
    )
    number = number_of_hash(q.lower())
    found = [contains(q, Application.study_name), by_author]
    return or_(*found, Application.id == number) if number else or_(*found)


def _by_author(values: Sequence[str]) -> ColumnElement[bool]:
    return Application.created_by_id.in_(select(User.id).where(User.username.in_(values)))


def _statuses(db: Session) -> list[Option]:
    counted = db.execute(select(Application.status, func.count()).group_by(Application.status))
    found: dict[str, int] = {row[0]: row[1] for row in counted}
    return [Option(value, state.word, found.get(value, 0)) for value, state in APPLICATION_STATES.items()]


_LINKED = {
    "yes": Application.project_id.is_not(None),
    "no": and_(Application.project_id.is_(None), Application.deleted_at.is_(None)),
}


def _by_link(values: Sequence[str]) -> ColumnElement[bool]:
    return or_(*[_LINKED[value] for value in values if value in _LINKED])


APPLICATIONS: StaffList[ApplicationRow] = StaffList(
    noun=("application",),
    id_column=Application.id,
    columns=select(
        Application.id,
        Application.status,
        Application.study_name,
        Application.created_at,
        User.fullname,
        User.username,
        Application.deleted_at,
        _deleter.fullname,
        Project.name,
        Project.slug,
    )
    .join(User, User.id == Application.created_by_id)
    .outerjoin(_deleter, _deleter.id == Application.deleted_by_id)
    .outerjoin(Project, Project.id == Application.project_id),
    make=ApplicationRow,
    sorts=(
        Sort("newest", "Newest first", (Application.created_at,), descending=True),
        Sort("oldest", "Oldest first", (Application.created_at,)),
    ),
    header=("hash", "study", "status", "author", "created", "deleted", "project"),
    cells=lambda row: (
        row.hash,
        row.study_name,
        row.status,
        row.author_username,
        row.created_at,
        row.deleted_at or "",
        row.project_slug or "",
    ),
    search=_search,
    search_label="Author, study or number",
    filters=(
        Filter("status", "Status", lambda values: Application.status.in_(values), _statuses),
        Filter(
            "linked",
            "Has a project",
            _by_link,
            lambda _: [Option("yes", "Yes"), Option("no", "No, to be linked")],
        ),
        Filter("user", "Author", _by_author, hint="A whole username"),
    ),
)


def facts(db: Session, application: Application) -> ApplicationFacts:
    """Whom the application names, and its project."""
    submitter, approver, deleter = aliased(User), aliased(User), aliased(User)
    row = db.execute(
        select(User, submitter, approver, deleter, Project)
        .select_from(Application)
        .join(User, User.id == Application.created_by_id)
        .outerjoin(submitter, submitter.id == Application.submitted_by_id)
        .outerjoin(approver, approver.id == Application.approved_by_id)
        .outerjoin(deleter, deleter.id == Application.deleted_by_id)
        .outerjoin(Project, Project.id == Application.project_id)
        .where(Application.id == application.id)
    ).one()
    return ApplicationFacts(application, *row)


def _linkable() -> Select[int]:
    return select(Application.id).where(
        Application.project_id.is_(None),
        Application.deleted_at.is_(None),
        Application.status.not_in(CANNOT_BE_LINKED),
    )


def to_link(db: Session, q: str = "") -> list[ApplicationRow]:
    """The newest applications that can be linked to a project."""
    found = _linkable().where(_search(q) if q else true())
    newest = found.order_by(Application.created_at.desc(), Application.id.desc()).limit(MOST_OFFERED)
    return APPLICATIONS.rows(db, db.scalars(newest).all())


def of_project(db: Session, project_id: int) -> ApplicationRow | None:
    """The application that the project has, if it has one."""
    ids = db.scalars(select(Application.id).where(Application.project_id == project_id)).all()
    rows = APPLICATIONS.rows(db, ids)
    return rows[0] if rows else None
