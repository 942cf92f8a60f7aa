"""The demonstration: a small world of organisations, people and studies, which the simulator plays too."""

import json
from pathlib import Path

import click
from pydantic import BaseModel, ConfigDict, ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from jobserver.actions import backends, data_permissions, memberships, orgs, projects, users, workspaces
from jobserver.actions.audit import OPERATOR
from jobserver.models import Backend, Org, PermissionKind, Project, Role, User, Workspace, utcnow
from jobserver.security import tokens

REASON = "Part of the demonstration"


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Organisation(_Part):
    """An organisation that takes part."""

    slug: str
    name: str
    description: str = ""
    github_orgs: list[str] = []


class Member(_Part):
    """A person on a project."""

    username: str
    roles: list[Role] = []


class Study(_Part):
    """A project with its members and what data it may use."""

    slug: str
    name: str
    number: str | None = None
    lead: str
    organisations: list[str] = []
    members: list[Member] = []
    population_permissions: list[str] = []
    dataset_permissions: list[str] = []
    tool_permissions: list[str] = []


class Place(_Part):
    """A workspace."""

    name: str
    project: str
    repo: str
    branch: str
    purpose: str = ""


class Environment(_Part):
    """A backend."""

    slug: str
    name: str
    is_active: bool = True


class Publication(_Part):
    """Released files of a workspace, by name, that somebody wants to be public."""

    workspace: str
    title: str
    summary: str = ""
    files: list[str]
    approved: bool = False


class Person(_Part):
    """Somebody with a GitHub account; who is not registered has no account here yet."""

    github_id: int
    login: str
    name: str | None
    email: str
    roles: list[Role] = []
    backends: list[str] = []
    organisations: list[str] = []
    registered: bool = True


class Demonstration(_Part):
    """The part of the file that is loaded into the database."""

    organisations: list[Organisation]
    projects: list[Study]
    workspaces: list[Place]
    backends: list[Environment]
    publications: list[Publication] = []
    people: list[Person]


def read(file: Path) -> Demonstration:
    """The file's content; a refusal that says what is wrong with it."""
    try:
        return Demonstration.model_validate(json.loads(file.read_text()))
    except (ValidationError, ValueError) as error:
        raise click.ClickException(f"{file} cannot be read: {error}") from error


def load(db: Session, content: Demonstration) -> None:
    """Add what is missing; what is there stays as it is."""
    all_orgs = {each.slug: _org(db, each) for each in content.organisations}
    all_backends = {each.slug: _backend(db, each) for each in content.backends}
    people = {
        each.login: _person(db, each, all_orgs, all_backends) for each in content.people if each.registered
    }
    boss = next(user for user in people.values() if Role.STAFF_AREA_ADMINISTRATOR in user.roles)
    all_projects = {each.slug: _project(db, each, all_orgs, people, boss) for each in content.projects}
    for each in content.workspaces:
        if db.scalar(select(Workspace.id).where(Workspace.name == each.name)) is None:
            project = all_projects[each.project]
            workspaces.create(
                db,
                by=boss,
                project=project,
                name=each.name,
                repo_url=each.repo,
                branch=each.branch,
                purpose=each.purpose,
            )


def holder(db: Session, content: Demonstration, role: Role) -> User:
    """The first of its people who has this role everywhere."""
    return _named(db, next(each.login for each in content.people if role in each.roles))


def developer(db: Session, content: Demonstration, workspace: str) -> User:
    """The first of its people who may run jobs in the workspace."""
    place = next(each for each in content.workspaces if each.name == workspace)
    study = next(each for each in content.projects if each.slug == place.project)
    return _named(db, next(each.username for each in study.members if Role.PROJECT_DEVELOPER in each.roles))


def _named(db: Session, username: str) -> User:
    return db.scalars(select(User).where(User.username == username)).one()


def hand_out_tokens(db: Session, content: Demonstration, folder: Path) -> None:
    """See that every backend's token is in a file of the folder, which only its owner can read.

    Where it is missing, or no longer valid, the backend gets a new one, and the people of the demonstration
    their access to it: a database from before has neither.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for each in content.backends:
        file = folder / f"{each.slug}-token"
        backend = _backend(db, each)
        if file.exists() and _is_token_of(backend, file.read_text()):
            continue
        file.touch(mode=0o600)
        file.chmod(0o600)
        file.write_text(backends.rotate_token(db, backend, by=OPERATOR))
        logins = [person.login for person in content.people if each.slug in person.backends]
        for user in db.scalars(select(User).where(User.username.in_(logins)).order_by(User.id)):
            backends.add_member(db, backend, user, by=OPERATOR)


def _is_token_of(backend: Backend, token: str) -> bool:
    digest, overlap_ends = tokens.digest(token.strip()), backend.previous_token_expires_at
    if overlap_ends and overlap_ends > utcnow() and digest == backend.previous_token_digest:
        return True
    return digest == backend.token_digest


def _org(db: Session, wanted: Organisation) -> Org:
    return db.scalar(select(Org).where(Org.slug == wanted.slug)) or orgs.create(
        db,
        by=OPERATOR,
        name=wanted.name,
        slug=wanted.slug,
        description=wanted.description,
        github_orgs=wanted.github_orgs,
    )


def _backend(db: Session, wanted: Environment) -> Backend:
    found = db.scalar(select(Backend).where(Backend.slug == wanted.slug))
    if found is None:
        found, _token = backends.create(
            db, by=OPERATOR, slug=wanted.slug, name=wanted.name, is_active=wanted.is_active
        )
    return found


def _person(db: Session, wanted: Person, all_orgs: dict[str, Org], all_backends: dict[str, Backend]) -> User:
    user = db.scalar(select(User).where(User.username == wanted.login))
    if user is not None:
        return user
    user = users.create(
        db, username=wanted.login, email=wanted.email, fullname=wanted.name or wanted.login, by=OPERATOR
    )
    users.link_github(db, user, uid=str(wanted.github_id), login=wanted.login)
    users.add_global_roles(db, user, wanted.roles, by=OPERATOR)
    for slug in wanted.organisations:
        orgs.add_member(db, all_orgs[slug], user, by=OPERATOR)
    for slug in wanted.backends:
        backends.add_member(db, all_backends[slug], user, by=OPERATOR)
    return user


def _project(
    db: Session, wanted: Study, all_orgs: dict[str, Org], people: dict[str, User], boss: User
) -> Project:
    project = db.scalar(select(Project).where(Project.slug == wanted.slug))
    if project is not None:
        return project
    project = projects.create(
        db,
        by=boss,
        name=wanted.name,
        org=all_orgs[wanted.lead],
        other_orgs=[all_orgs[slug] for slug in wanted.organisations],
        slug=wanted.slug,
        number=wanted.number,
    )
    for member in wanted.members:
        memberships.add(db, project, people[member.username], roles=member.roles, by=boss)
    granted = {
        PermissionKind.POPULATION: wanted.population_permissions,
        PermissionKind.DATASET: wanted.dataset_permissions,
        PermissionKind.TOOL: wanted.tool_permissions,
    }
    for kind, names in granted.items():
        for name in names:
            data_permissions.grant(db, project, kind=kind, name=name, reason=REASON, by=boss)
    return project
