"""Commands about the database as a whole."""

import code
import os
import sys
from pathlib import Path
from typing import Any

import click
from alembic.util import CommandError
from sqlalchemy import func, inspect, literal_column, select, table

from jobserver import db as database
from jobserver import migrations, models
from jobserver.clients.storage import ReleaseStorage
from jobserver.scripts import demonstration, demonstration_releases
from jobserver.scripts.program import Program, pass_program
from jobserver.security import sessions


@click.command("migrate")
@click.option("--revision", default="head", show_default=True, help="Revision of the schema to go up to.")
@pass_program
def migrate(program: Program, revision: str) -> None:
    """Bring the database's schema up to date. Two runs at once wait for each other."""
    location = _script_location(program)
    try:
        migrations.upgrade(program.engine, location, revision)
    except CommandError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"The schema is at {revision}.")


@click.command("make-migration")
@click.argument("message")
@pass_program
def make_migration(program: Program, message: str) -> None:
    """Write a migration of what the models say and a database at head does not have; read it before use."""
    location = _script_location(program)
    try:
        written = migrations.write(program.engine, location, message)
    except CommandError as error:
        raise click.ClickException(str(error)) from error
    click.echo(str(written) if written else "Models and database agree: nothing was written.")


def _script_location(program: Program) -> Path:
    location = program.section("alembic").get("script_location")
    if not location:
        raise click.ClickException(f"{program.ini} has no script_location in its section [alembic].")
    return Path(location)


@click.command("count-rows")
@pass_program
def count_rows(program: Program) -> None:
    """Print the number of rows of every table."""
    names = {mapper.local_table.name: mapper.class_.__name__ for mapper in models.Base.registry.mappers}  # type: ignore[attr-defined]
    with program.transaction() as db:
        counts = {
            names.get(name, name): db.scalar(select(func.count(literal_column("*"))).select_from(table(name)))
            for name in inspect(db.connection()).get_table_names()
        }
    width = max(map(len, counts), default=0)
    for name, count in sorted(counts.items(), key=lambda pair: pair[0].lower()):
        click.echo(f"{name:<{width}} | {count}")


@click.command("clear-sessions")
@pass_program
def clear_sessions(program: Program) -> None:
    """Delete the sessions of browsers that have expired, as the worker does every hour."""
    with program.transaction() as db:
        number = sessions.clear_expired(db)
    click.echo(f"{number} expired session{'' if number == 1 else 's'} deleted.")


@click.command("load-demonstration")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--tokens",
    metavar="FOLDER",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the tokens of its backends, in files that nobody else can read.",
)
@click.option(
    "--releases",
    metavar="FOLDER",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of released files: workspace, backend and a number, then the files of one release.",
)
@pass_program
def load_demonstration(program: Program, file: Path, tokens: Path | None, releases: Path | None) -> None:
    """Load the demonstration's organisations, people and studies. What is there already stays as it is.

    Its people are known by made-up GitHub ids, so it is refused unless debug is on.
    """
    if not program.settings.debug:
        raise click.ClickException("The demonstration is for development only: DEBUG is off.")
    content = demonstration.read(file)
    with program.transaction() as db:
        demonstration.load(db, content)
        if tokens:
            demonstration.hand_out_tokens(db, content, tokens)
        if releases:
            storage = ReleaseStorage.from_settings(program.settings)
            demonstration_releases.load(db, storage, releases, content)
    click.echo(
        f"The demonstration is loaded: {len(content.people)} people, {len(content.projects)} projects."
    )


@click.command("shell")
@pass_program
def shell(program: Program) -> None:
    """Python with the models, a session `db` and the `settings`; runs a script given on stdin.

    Nothing is kept without db.commit().
    """
    # What is typed here by mistake is nobody else's business.
    os.environ.pop("SENTRY_DSN", None)
    with database.session_factory(program.engine)() as db:
        names: dict[str, Any] = {name: getattr(models, name) for name in models.__all__}
        names |= {"__name__": "__main__", "db": db, "settings": program.settings, "select": select}
        if sys.stdin.isatty():
            code.interact(banner="Job Server: models, db, settings, select", local=names, exitmsg="")
        else:
            exec(compile(sys.stdin.read(), "<stdin>", "exec"), names)  # noqa: S102
