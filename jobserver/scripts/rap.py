"""Commands that ask the RAP controller: to run, to cancel, and how things are."""

import click
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from jobserver.actions import cancelling, job_requests
from jobserver.clients.rap import RapError
from jobserver.models import Backend, Cancellation, JobRequest, User, Workspace
from jobserver.queries import run_jobs
from jobserver.rap import backends, cancel, submit
from jobserver.rap.round import run_round
from jobserver.scripts.program import Program, backend_named, pass_program, user_named, workspace_named
from jobserver.security import sessions
from jobserver.security.permissions import Permission
from jobserver.security.roles import ROLES
from jobserver.studies import Place, Study, StudyReader, StudyUnreadable


class Greedy(click.Command):
    """A command whose ``-a`` takes every word up to the next option: ``-a one two``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Repeat the option before each of its words."""
        spread: list[str] = []
        taking = False
        for word in args:
            if word in {"-a", "--actions"}:
                taking = True
                continue
            taking = taking and not word.startswith("-")
            spread += ["-a", word] if taking else [word]
        return super().parse_args(ctx, spread)


@click.command("create-rap", cls=Greedy)
@click.argument("workspace")
@click.argument("user")
@click.argument("backend")
@click.option("-a", "--actions", multiple=True, required=True, help="Actions to run: -a ONE TWO.")
@click.option("--commit", help="Commit to run (the newest of the workspace's branch).")
@click.option("--force-run-dependencies", is_flag=True, help="Run what they need again, too.")
@pass_program
def create_rap(
    program: Program,
    workspace: str,
    user: str,
    backend: str,
    actions: tuple[str, ...],
    commit: str | None,
    force_run_dependencies: bool,
) -> None:
    """Ask for jobs in the name of a user, who needs the same rights as on the page.

    The exit status is 0 if the controller took the request, or will be asked again since it did not answer.
    """
    context = program.context
    with context.transaction() as db:
        place, machine, person = _named(db, workspace, backend, user)
        sqlrunner = run_jobs.may_use_sqlrunner(db, place.project_id)
    reader = StudyReader(context.clients.github, context.clients.opencodelists)
    try:
        branch = Place(place.repo.owner, place.repo.name, place.branch, sqlrunner)
        found = reader.read(branch, commit or "")
        with context.transaction() as db:
            _check(db, found, place, machine, actions, force_run_dependencies)
        with context.transaction() as db:
            request = job_requests.create(
                db,
                workspace=place,
                backend=machine,
                by=person,
                commit=found.commit.sha,
                commit_message=found.commit.message,
                branch=place.branch,
                project_definition=found.definition,
                codelists_ok=found.codelists_ok,
                requested_actions=actions,
                force_run_dependencies=force_run_dependencies,
                will_notify=False,
                creation_disabled=program.settings.disable_creating_jobs,
            )
    except (StudyUnreadable, job_requests.CannotCreate) as refusal:
        raise click.ClickException(str(refusal)) from refusal
    outcome = submit.submit(context, request.id)
    with context.transaction() as db:
        message = db.scalar(select(JobRequest.status_message).where(JobRequest.id == request.id))
    click.echo(f"{request.identifier} {outcome}{f': {message}' if message else ''}")
    if outcome is submit.Outcome.REFUSED:
        raise click.exceptions.Exit(1)


def _named(db: Session, workspace: str, backend: str, username: str) -> tuple[Workspace, Backend, User]:
    place = workspace_named(db, workspace, joinedload(Workspace.repo))
    machine, person = backend_named(db, backend), user_named(db, username)
    identity = sessions.identity_of(db, person.id)
    held = {*identity.roles, *identity.project_roles.get(place.project_id, ())}
    if person.disabled_at or not any(Permission.JOB_RUN in ROLES[role].permissions for role in held):
        raise click.ClickException(f"{person.username} may not run jobs in the project of {place.name}.")
    return place, machine, person


def _check(
    db: Session, study: Study, place: Workspace, machine: Backend, actions: tuple[str, ...], force: bool
) -> None:
    """Make sure that the study has these actions, and that they may run with its codelists."""
    known = study.pipeline.requestable()
    unknown = [name for name in actions if name not in known]
    if unknown:
        raise click.ClickException(f"There is no action {', '.join(unknown)}. There are {', '.join(known)}.")
    runs = run_jobs.known_runs(db, place.id, machine.id, study.pipeline)
    refused = study.refused(study.plan(actions, run_jobs.states_of(runs), force=force))
    if refused:
        raise click.ClickException(
            f"The codelists are not known to be up to date, so that {', '.join(refused)} cannot be run."
        )


@click.command("cancel-jobs")
@click.argument("rap_id")
@click.argument("actions", nargs=-1, required=True)
@click.option("--by", "username", help="In whose name (that of whoever asked for the jobs).")
@pass_program
def cancel_jobs(program: Program, rap_id: str, actions: tuple[str, ...], username: str | None) -> None:
    """Cancel actions of a job request. One that only the controller knows is passed on as it is."""
    context = program.context
    try:
        with context.transaction() as db:
            request = db.scalar(
                select(JobRequest)
                .where(JobRequest.identifier == rap_id)
                .options(joinedload(JobRequest.created_by))
            )
            if request is not None:
                person = user_named(db, username) if username else request.created_by
                cancellation = cancelling.ask(db, request, person, actions)
        if request is None:
            count = context.clients.rap.cancel(rap_id, actions)
            click.echo(f"{rap_id}: {count} cancelled; the request is not known here.")
            return
    except (RapError, cancelling.CannotCancel) as refusal:
        raise click.ClickException(str(refusal)) from refusal
    outcome = cancel.send(context, cancellation.id)
    with context.transaction() as db:
        reason = db.scalar(select(Cancellation.refusal).where(Cancellation.id == cancellation.id))
    click.echo(f"{rap_id} {outcome}: {reason or ' '.join(cancellation.actions)}")
    if outcome in {cancel.Outcome.REFUSED, cancel.Outcome.UNKNOWN}:
        raise click.exceptions.Exit(1)


@click.command("rap-status")
@click.argument("rap_ids", nargs=-1, required=True)
@pass_program
def rap_status(program: Program, rap_ids: tuple[str, ...]) -> None:
    """Ask the controller about these job requests once, and store what it says."""
    context = program.context
    report = run_round(context, rap_ids)
    with context.transaction() as db:
        columns = select(JobRequest.identifier, JobRequest.status)
        rows = db.execute(columns.where(JobRequest.identifier.in_(report.asked)))
        now = {row.identifier: row.status for row in rows}
    for rap_id in report.asked:
        click.echo(f"{rap_id} {now[rap_id]}")
    for rap_id in report.unknown_here:
        click.echo(f"{rap_id} is not known here", err=True)
    for fault in (*report.synced.faults, *filter(None, [report.failure])):
        click.echo(fault, err=True)
    if not report.ok:
        raise click.exceptions.Exit(1)


@click.command("rap-update-backend-status")
@pass_program
def rap_update_backend_status(program: Program) -> None:
    """Ask the controller about the backends once, and store what it says."""
    report = backends.refresh(program.context)
    for slug in report.updated:
        click.echo(f"{slug} updated")
    for slug in report.unknown:
        click.echo(f"{slug} is not known here", err=True)
    for fault in (*report.faults, *filter(None, [report.failure])):
        click.echo(fault, err=True)
    if not report.ok:
        raise click.exceptions.Exit(1)
