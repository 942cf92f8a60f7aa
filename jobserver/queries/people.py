"""People as others see them (spec: pages 21)."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, exists, func, or_, select
from sqlalchemy.orm import Session

from jobserver.models import JobRequest, Org, Project, ProjectMembership, Release, User
from jobserver.security.sessions import goes_on

MOST_PROJECTS = 100


def user_by_username(db: Session, username: str) -> User | None:
    """The person of this username, however it is written."""
    if "\0" in username:
        return None
    return db.scalar(select(User).where(func.lower(User.username) == username.lower()))


def has_taken_part() -> ColumnElement[bool]:
    """Of people: those who ever asked for jobs or released outputs, or belong to a project.

    Nobody else is shown to the public.
    """
    return or_(
        exists().where(JobRequest.created_by_id == User.id),
        exists().where(ProjectMembership.user_id == User.id, goes_on(ProjectMembership)),
        exists().where(Release.created_by_id == User.id),
    )


def everybody_who_took_part() -> ColumnElement[bool]:
    """The same for a list of everybody.

    The index is asked for the next person each time, so that it costs as much as there are people who asked
    for jobs, however much they asked for.
    """
    person = select(func.min(JobRequest.created_by_id).label("id")).cte("person", recursive=True)
    after = select(func.min(JobRequest.created_by_id)).where(JobRequest.created_by_id > person.c.id)
    person = person.union_all(select(after.scalar_subquery()).where(person.c.id.is_not(None)))
    asked = select(person.c.id).where(person.c.id.is_not(None))
    members = select(ProjectMembership.user_id).where(goes_on(ProjectMembership))
    others = (members, select(Release.created_by_id))
    return User.id.in_(asked.union(*others))


def is_public(db: Session, user_id: int) -> bool:
    """Whether the public may know of this person."""
    return bool(db.scalar(select(exists().where(User.id == user_id, has_taken_part()))))


@dataclass(frozen=True)
class ProjectOf:
    """A project that somebody belongs to, and how many there are."""

    slug: str
    name: str
    number: str | None
    org_slug: str
    org: str
    total: int

    @property
    def path(self) -> tuple[str, str]:
        """The names that lead to its page."""
        return (self.org_slug, self.slug)


def projects_of(db: Session, user_id: int) -> list[ProjectOf]:
    """The projects that somebody belongs to, by name; the first of very many."""
    statement = (
        select(Project.slug, Project.name, Project.number, Org.slug, Org.name, func.count().over())
        .join(ProjectMembership, ProjectMembership.project_id == Project.id)
        .join(Org, Org.id == Project.org_id)
        .where(ProjectMembership.user_id == user_id, goes_on(ProjectMembership))
        .order_by(func.lower(Project.name), Project.id)
        .limit(MOST_PROJECTS)
    )
    return [ProjectOf(*row) for row in db.execute(statement)]
