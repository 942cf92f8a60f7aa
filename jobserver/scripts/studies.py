"""Commands that make what a study needs: backends, projects, workspaces."""

import click
from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from jobserver.actions import backends, deleting_projects, memberships, orgs, projects, workspaces
from jobserver.actions.audit import OPERATOR
from jobserver.actions.naming import slugify
from jobserver.models import Org, OrgMembership, Project, Role, User, Workspace
from jobserver.scripts.program import Program, find_backend, find_workspace, pass_program, user_named
from jobserver.security.sessions import goes_on

LOCAL = "local"


@click.command("create-backend")
@click.argument("slug")
@click.option("--name", help="Name that people see (the slug); changes that of an existing backend.")
@click.option("--user", "username", help="Username of somebody who may run jobs on it.")
@click.option("--quiet", is_flag=True, help="Print nothing but the token.")
@pass_program
def create_backend(program: Program, slug: str, name: str | None, username: str | None, quiet: bool) -> None:
    """Create a backend, or update one, and print its token as the last line.

    Only a digest of a token is kept, so that a stolen database opens nothing. For a backend that is there
    already a NEW token is made and printed; the one before it stays valid for 24 hours.
    """
    lines = []
    with program.transaction() as db:
        backend = find_backend(db, slug)
        if backend is None:
            backend, token = backends.create(db, by=OPERATOR, slug=slug, name=name)
            lines.append(f"Backend {backend.slug} created.")
        else:
            token = backends.rotate_token(db, backend, by=OPERATOR)
            renamed = name is not None and backends.rename(db, backend, name, by=OPERATOR)
            lines.append(f"Backend {backend.slug} {'renamed' if renamed else 'is there already'}.")
            lines.append("It has a new token; the one before it is valid for another 24 hours.")
        if username:
            added = backends.add_member(db, backend, user_named(db, username), by=OPERATOR)
            lines.append(f"User {username} {'may now' if added else 'could already'} run jobs on it.")
    if not quiet:
        click.echo("\n".join(lines))
    click.echo(token)


@click.command("create-workspace")
@click.argument("workspace")
@click.argument("username")
@click.option("--project", "project_slug", help="Slug of its project (the workspace's name).")
@click.option("--repo", help="Repository (https://github.com/ORGANISATION/WORKSPACE).")
@click.option("--branch", default="main", show_default=True, help="Branch of the repository.")
@click.option("--org", "org_slug", help="Organisation of a new project (the user's first, else “local”).")
@pass_program
def create_workspace(
    program: Program,
    workspace: str,
    username: str,
    project_slug: str | None,
    repo: str | None,
    branch: str,
    org_slug: str | None,
) -> None:
    """Create a workspace in the name of a user, with its project if need be, and make the user a member.

    What is there already stays as it is, creators included; a workspace is never moved to another project or
    repository.
    """
    with program.transaction() as db:
        user = user_named(db, username)
        found = find_workspace(db, workspace, joinedload(Workspace.project), joinedload(Workspace.repo))
        project = found.project if found else _project(db, project_slug or workspace)
        if found:
            _same(found, project_slug, repo)
        lines = [f"Project {project.slug} is there already."] if project else []
        if project is None:
            org = _org(db, user, org_slug)
            name = project_slug or workspace
            project = projects.create(db, by=user, name=name, org=org, slug=name.lower())
            lines.append(f"Project {project.slug} created below {org.slug}.")
        if found is None:
            owner = _github_org(db, project)
            found = workspaces.create(
                db,
                by=user,
                project=project,
                name=workspace,
                repo_url=repo or f"https://github.com/{owner}/{slugify(workspace)}",
                branch=branch,
            )
            lines.append(f"Workspace {found.name} created.")
        else:
            lines.append(f"Workspace {found.name} is there already.")
        lines.append(_membership(db, project, user))
    click.echo("\n".join(lines))


def _project(db: Session, slug: str) -> Project | None:
    return db.scalar(select(Project).where(func.lower(Project.slug) == slug.strip().lower()))


def _same(workspace: Workspace, project_slug: str | None, repo: str | None) -> None:
    if project_slug and workspace.project.slug.lower() != project_slug.strip().lower():
        raise click.ClickException(
            f"The workspace {workspace.name} is in the project {workspace.project.slug}; it is not moved."
        )
    if repo and workspaces.normal_repo_url(repo).lower() != workspace.repo.url.lower():
        raise click.ClickException(
            f"The workspace {workspace.name} is tied to {workspace.repo.url}; that is not changed."
        )


def _org(db: Session, user: User, slug: str | None) -> Org:
    if slug:
        org = db.scalar(select(Org).where(Org.slug == slug))
        if org is None:
            raise click.ClickException(
                f"There is no organisation “{slug}”. Create one with: jobserver create-org"
            )
        return org
    mine = select(Org).join(OrgMembership, OrgMembership.org_id == Org.id)
    mine = mine.where(OrgMembership.user_id == user.id, goes_on(OrgMembership))
    org = db.scalar(mine.order_by(Org.id).limit(1))
    if org is None:
        org = db.scalar(select(Org).where(Org.slug == LOCAL))
        org = org or orgs.create(db, by=OPERATOR, name="Local", slug=LOCAL, github_orgs=["opensafely"])
        orgs.add_member(db, org, user, by=OPERATOR)
    return org


def _github_org(db: Session, project: Project) -> str:
    names = db.scalar(select(Org.github_orgs).where(Org.id == project.org_id))
    return names[0] if names else "opensafely"


def _membership(db: Session, project: Project, user: User) -> str:
    if memberships.find(db, project, user):
        return f"User {user.username} is a member already."
    memberships.add(db, project, user, roles=(Role.PROJECT_COLLABORATOR, Role.PROJECT_DEVELOPER), by=user)
    return f"User {user.username} added to the project as ProjectCollaborator and ProjectDeveloper."


@click.command("delete-project")
@click.argument("name")
@click.option("--reason", default="", help="Kept in the audit log.")
@click.option("--i-am-sure", is_flag=True, help="Do it; otherwise it is only said what would be done.")
@pass_program
def delete_project(program: Program, name: str, reason: str, i_am_sure: bool) -> None:
    """Delete the project of exactly this NAME for good, if nothing was done in it.

    One with workspaces, members or a linked application is refused; the last two can be taken away in the
    staff area. Its entries in the audit log stay.
    """
    with program.transaction() as db:
        project = db.scalar(select(Project).where(Project.name == name))
        if project is None:
            raise click.ClickException(f"There is no project “{name}”.")
        if i_am_sure:
            deleting_projects.remove(db, project, by=OPERATOR, reason=reason)
        else:
            deleting_projects.check_empty(db, project)
    click.echo(f"Project {name} {'deleted' if i_am_sure else 'would be deleted, with --i-am-sure'}.")
