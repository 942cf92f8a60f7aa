"""The command that loads sample data."""

import time
from datetime import UTC, datetime

import click

from jobserver.models import utcnow
from jobserver.scripts.program import Program, pass_program
from jobserver.scripts.sampling.loading import load, tidy
from jobserver.scripts.sampling.size import Size, WrongSize

_TABLES = {
    "org": "organisations",
    "project": "projects",
    "workspace": "workspaces",
    "user": "people",
    "job_request": "job requests",
    "job": "jobs",
    "release": "releases",
    "release_file": "released files without bytes",
}


@click.command("load-sample")
@click.option("--requests", default=26_000, show_default=True, help="How many job requests.")
@click.option(
    "--jobs", default=300_000, show_default=True, help="How many jobs; a third are in one workspace."
)
@click.option("--users", default=700, show_default=True, help="How many people.")
@click.option("--projects", default=300, show_default=True, help="How many projects, of two workspaces each.")
@click.option("--active", default=40, show_default=True, help="How many of the requests have not ended.")
@click.option("--seed", default=1, show_default=True, help="Another number makes other data.")
@click.option(
    "--until",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M"]),
    help="The time at which the ten years end, in UTC.  [default: midnight, the last one]",
)
@pass_program
def load_sample(program: Program, /, until: datetime | None, **numbers: int) -> None:
    """Load about ten years of made-up data: the same ones for the same options.

    For development and measuring only, so it is refused unless debug is on. Everything is loaded, or nothing.
    """
    if not program.settings.debug:
        raise click.ClickException("Sample data are for development only: DEBUG is off.")
    began = time.monotonic()
    end = until or utcnow().replace(hour=0, minute=0, second=0, microsecond=0)
    try:
        size = Size(until=end.replace(tzinfo=UTC), **numbers)
    except WrongSize as error:
        raise click.UsageError(str(error)) from error
    with program.transaction() as db:
        loaded = load(db, size)
    tidy(program.engine)
    parts = ", ".join(f"{loaded[table]:,} {name}" for table, name in _TABLES.items())
    click.echo(f"The sample is loaded: {parts}, in {time.monotonic() - began:.0f} seconds.")
