"""Commands for a backend in trouble: stop new requests, tell people, cancel what goes on."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import click

from jobserver.actions import backend_operations as actions
from jobserver.actions.backend_operations import Announcement
from jobserver.models import AlertLevel, utcnow
from jobserver.queries.staff import operations as queries
from jobserver.scripts.program import Program, backend_named, pass_program, user_named
from jobserver.templating.numbers import count

MOST_HOURS = 30 * 24


def _by(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option("--by", required=True, help="Username of whoever decided it.")(command)


def _dry_run(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option("--dry-run", is_flag=True, help="Only say what it would touch.")(command)


@click.command("pause-backend")
@click.argument("slug")
@click.option("--reason", required=True, help="Shown to people on the run form and on the status page.")
@_by
@_dry_run
@pass_program
def pause_backend(program: Program, slug: str, reason: str, by: str, dry_run: bool) -> None:
    """Let nobody ask for jobs on a backend, until resume-backend.

    Requests that were made already go on. Given again, only the reason is replaced.
    """
    with program.transaction() as db:
        backend, person = backend_named(db, slug), user_named(db, by)
        reach = queries.reach(db, backend.id)
        members = count(reach.members, "person", "people")
        touched = f"{members} with access; {count(reach.requests, 'request')} going on, not touched."
        changed = not dry_run and actions.pause(db, backend, by=person, reason=reason)
    if dry_run:
        click.echo(f"{backend.slug} would take no new requests: {touched}")
    elif changed:
        click.echo(f"{backend.slug} takes no new requests now: {touched}")
    else:
        click.echo(f"{backend.slug} was paused for this reason already.")


@click.command("resume-backend")
@click.argument("slug")
@click.option("--reason", default="", help="Kept in the audit log.")
@_by
@pass_program
def resume_backend(program: Program, slug: str, reason: str, by: str) -> None:
    """Let people ask for jobs on a backend again."""
    with program.transaction() as db:
        backend, person = backend_named(db, slug), user_named(db, by)
        changed = actions.resume(db, backend, by=person, reason=reason)
    click.echo(f"{backend.slug} {'takes new requests again' if changed else 'was not paused'}.")


@click.command("announce")
@click.argument("slug")
@click.option("--title", required=True, help="Title of the site alert, and subject of the mail.")
@click.option("--message", required=True, help="What people should know, in Markdown.")
@click.option(
    "--level",
    type=click.Choice([each.value for each in AlertLevel]),
    default=AlertLevel.WARNING.value,
    show_default=True,
    help="How loud it is.",
)
@click.option(
    "--hours", type=click.IntRange(1, MOST_HOURS), help="For how long it is shown (until somebody ends it)."
)
@click.option("--mail", is_flag=True, help="Mail it to everybody with a request going on there, too.")
@_by
@_dry_run
@pass_program
def announce(
    program: Program,
    slug: str,
    title: str,
    message: str,
    level: str,
    hours: int | None,
    mail: bool,
    by: str,
    dry_run: bool,
) -> None:
    """Make a site alert about a backend, which everybody who is signed in sees."""
    ends_at = utcnow() + timedelta(hours=hours) if hours else None
    what = Announcement(title, message, AlertLevel(level), ends_at)
    with program.transaction() as db:
        backend, person = backend_named(db, slug), user_named(db, by)
        people = queries.recipients(db, backend.id) if mail else []
        if not dry_run:
            mail_to = [each.user_id for each in people]
            actions.announce(db, backend, what, by=person, mail_to=mail_to)
    for each in people:
        click.echo(f"{each.username} {count(each.requests, 'request')}")
    mails = count(len(people), "mail")
    click.echo(f"Would be announced, with {mails}." if dry_run else f"Announced; {mails} on the way.")


@click.command("cancel-all")
@click.argument("slug")
@click.option("--reason", required=True, help="Kept in the audit log.")
@_by
@_dry_run
@pass_program
def cancel_all(program: Program, slug: str, reason: str, by: str, dry_run: bool) -> None:
    """Cancel everything that goes on at a backend, after an outage; nothing at others.

    The worker asks the controller, a batch at a time. Given again, only what goes on then is cancelled. A
    request of which the controller has not told of any job yet cannot be cancelled; it is named on stderr.
    """
    with program.transaction() as db:
        backend, person = backend_named(db, slug), user_named(db, by)
        found = queries.cancellable(db, backend.id)
        waiting = queries.not_known_yet(db, backend.id)
        jobs = sum(each.jobs for each in found)
        if not dry_run:
            ids = [each.id for each in found]
            jobs = actions.cancel_all(db, backend, ids, by=person, reason=reason).jobs
    for each in found:
        click.echo(f"{each.id} {each.identifier} {each.workspace} {each.username} {count(each.jobs, 'job')}")
    for each in waiting:
        click.echo(f"{each.id} {each.identifier} has no job yet: try again in a minute", err=True)
    will = "Would cancel" if dry_run else "Cancelling"
    click.echo(f"{will} {count(jobs, 'job')} of {count(len(found), 'request')} on {backend.slug}.")
