"""Commands about people and organisations."""

import click
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from jobserver.actions import closing, orgs, users
from jobserver.actions.audit import OPERATOR
from jobserver.actions.naming import Malformed, Taken
from jobserver.models import GithubIdentity, Org, Role, User
from jobserver.scripts.program import Program, find_user, pass_program, user_named


@click.command("create-user")
@click.argument("username")
@click.option("--email", help="Email address of a new user (USERNAME@example.com).")
@click.option("--name", help="Full name of a new user (the username).")
@click.option("-o", "--output-checker", is_flag=True, help="Give the role OutputChecker.")
@click.option("-s", "--staff-area-administrator", is_flag=True, help="Give the role StaffAreaAdministrator.")
@click.option("--github-id", help="GitHub's number of the person, who may then sign in as this user.")
@pass_program
def create_user(
    program: Program,
    username: str,
    email: str | None,
    name: str | None,
    output_checker: bool,
    staff_area_administrator: bool,
    github_id: str | None,
) -> None:
    """Create a user, or give an existing one roles.

    Email and name of an existing user stay as they are; roles are never taken away. People sign in with
    GitHub and are known by GitHub's number of them: without --github-id nobody can sign in as this user.
    """
    wanted = [Role.OUTPUT_CHECKER] * output_checker + [
        Role.STAFF_AREA_ADMINISTRATOR
    ] * staff_area_administrator
    with program.transaction() as db:
        spelled = users.normal_username(username)
        user = find_user(db, spelled)
        if user is None:
            user = users.create(
                db,
                username=spelled,
                email=email or f"{spelled}@example.com",
                fullname=name or spelled,
                by=OPERATOR,
            )
            lines = [f"User {user.username} created."]
        else:
            lines = [f"User {user.username} updated."]
        added = users.add_global_roles(db, user, wanted, by=OPERATOR)
        lines += [f"Role {role} {'added' if role in added else 'was there already'}." for role in wanted]
        if github_id:
            lines.append(_link(db, user, github_id))
    click.echo("\n".join(lines))


def _link(db: Session, user: User, github_id: str) -> str:
    if not github_id.isdecimal():
        raise Malformed("GitHub id", "is a number; https://api.github.com/users/NAME shows it as “id”")
    known = db.scalar(select(GithubIdentity).where(GithubIdentity.uid == github_id))
    if known is None:
        users.link_github(db, user, uid=github_id, login=user.username, by=OPERATOR)
        return f"GitHub account {github_id} linked."
    if known.user_id != user.id:
        raise Taken("GitHub id", github_id, "another user")
    return f"GitHub account {github_id} was linked already."


@click.command("disable-user")
@click.argument("username")
@click.option("--by", required=True, help="Username of whoever decided it.")
@pass_program
def disable_user(program: Program, username: str, by: str) -> None:
    """Close an account: its owner is signed out everywhere and its tokens end."""
    with program.transaction() as db:
        user = user_named(db, username)
        changed = closing.disable(db, user, by=user_named(db, by))
    click.echo(f"User {user.username} {'disabled' if changed else 'was disabled already'}.")


@click.command("enable-user")
@click.argument("username")
@pass_program
def enable_user(program: Program, username: str) -> None:
    """Open a closed account again."""
    with program.transaction() as db:
        user = user_named(db, username)
        changed = closing.enable(db, user, by=OPERATOR)
    click.echo(f"User {user.username} {'enabled' if changed else 'was not disabled'}.")


@click.command("create-org")
@click.argument("name")
@click.option("--slug", help="Part of its address (made from the name).")
@click.option("--github-org", "github_orgs", multiple=True, help="GitHub organisation of its repositories.")
@click.option("--member", "members", multiple=True, help="Username of somebody who belongs to it.")
@pass_program
def create_org(
    program: Program, name: str, slug: str | None, github_orgs: tuple[str, ...], members: tuple[str, ...]
) -> None:
    """Create an organisation, or add members to an existing one of this name."""
    with program.transaction() as db:
        org = db.scalar(select(Org).where(func.lower(Org.name) == name.strip().lower()))
        lines = [f"Organisation {name} is there already."]
        if org is None:
            org = orgs.create(db, by=OPERATOR, name=name, slug=slug, github_orgs=github_orgs)
            lines = [f"Organisation {org.name} created at /{org.slug}/."]
        for member in members:
            added = orgs.add_member(db, org, user_named(db, member), by=OPERATOR)
            lines.append(f"Member {member} {'added' if added else 'was there already'}.")
    click.echo("\n".join(lines))
