"""Which projects a repository's code runs in (spec: pages 20.1)."""

import re
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from jobserver.models import Org, Project, Repo, Workspace

# The whole address: a part of it proves nothing about whose repository it is.
_ADDRESS = re.compile(
    r"https:/{1,2}github\.com/(?P<owner>[A-Za-z0-9](?:[A-Za-z0-9-]{0,99}))/(?P<name>[A-Za-z0-9._-]{1,100})"
)


@dataclass(frozen=True)
class Address:
    """A repository on GitHub, whether or not it exists there."""

    owner: str
    name: str

    @property
    def url(self) -> str:
        """Its one spelling, but for capitals."""
        return f"https://github.com/{self.owner}/{self.name}"


def address_of(text: str) -> Address | None:
    """The repository of which this is the whole address; None if it is anything else.

    The server may have made one slash of two; a final slash and ``.git`` do not matter.
    """
    found = _ADDRESS.fullmatch(text.rstrip("/").removesuffix(".git"))
    if found is None or set(found["name"]) <= {"."}:
        return None
    return Address(found["owner"], found["name"])


@dataclass(frozen=True)
class ProjectRow:
    """A project that has a workspace on the repository."""

    slug: str
    name: str
    number: str | None
    org_slug: str
    org: str
    workspaces: int

    @property
    def path(self) -> tuple[str, str]:
        """The names that lead to its page."""
        return (self.org_slug, self.slug)


def is_of_an_organisation(db: Session, owner: str) -> bool:
    """Whether this GitHub organisation, and not merely one whose name begins so, is one of ours."""
    names = select(func.unnest(Org.github_orgs).label("name")).subquery()
    wanted = select(names.c.name).where(func.lower(names.c.name) == owner.lower())
    return bool(db.scalar(select(wanted.exists())))


@dataclass(frozen=True)
class Known:
    """A repository that a workspace was ever made of, with the projects that have one now."""

    repo: Repo
    project_ids: frozenset[int]


def known(db: Session, address: Address) -> Known | None:
    """The repository at this address, if it is known here; capitals do not matter."""
    projects = select(func.array_agg(Workspace.project_id.distinct())).where(Workspace.repo_id == Repo.id)
    row = db.execute(
        select(Repo, projects.correlate(Repo).scalar_subquery()).where(
            func.lower(Repo.url) == address.url.lower()
        )
    ).one_or_none()
    return Known(row[0], frozenset(row[1] or ())) if row else None


def projects_using(db: Session, address: Address) -> list[ProjectRow]:
    """The projects with a workspace on the repository, by name."""
    statement = (
        select(Project.slug, Project.name, Project.number, Org.slug, Org.name, func.count(Workspace.id))
        .join(Org, Org.id == Project.org_id)
        .join(Workspace, Workspace.project_id == Project.id)
        .join(Repo, Repo.id == Workspace.repo_id)
        .where(func.lower(Repo.url) == address.url.lower())
        .group_by(Project.id, Org.id)
        .order_by(func.lower(Project.name), Project.id)
    )
    return [ProjectRow(*row) for row in db.execute(statement)]
