"""Commands about making released files public."""

import click
from sqlalchemy.orm import Session

from jobserver.actions import publication as actions
from jobserver.actions.audit import OPERATOR
from jobserver.actions.snapshots import CannotPublish
from jobserver.models import Snapshot
from jobserver.queries import publication, releases
from jobserver.queries.path import MAX_ID
from jobserver.scripts.program import Program, pass_program, user_named, workspace_named
from jobserver.tasks.links import link

NUMBER = click.IntRange(1, MAX_ID)


@click.command("publish-files")
@click.argument("username")
@click.argument("workspace")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@pass_program
def publish_files(program: Program, username: str, workspace: str, paths: tuple[str, ...]) -> None:
    """Ask that files of a workspace become public: of each PATH the newest version from each backend.

    Somebody has to approve it. Asking again for the same files changes nothing.
    """
    with program.transaction() as db:
        person = user_named(db, username)
        place = workspace_named(db, workspace)
        if person.disabled_at:
            raise click.ClickException(f"The account of {person.username} is closed.")
        files = publication.latest_named(db, place.id, paths)
        unknown = [each for each in dict.fromkeys(paths) if each not in files]
        if unknown:
            raise click.ClickException(f"{place.name} has no released file {', '.join(unknown)}.")
        try:
            ids = [id_ for of_name in files.values() for id_ in of_name]
            snapshot = actions.request_publication(db, place, ids, person)
        except CannotPublish as refusal:
            raise click.ClickException(str(refusal)) from refusal
        address = _address(program, db, snapshot)
    click.echo(address)


@click.command("remove-files-from-publish-request")
@click.argument("snapshot", type=NUMBER)
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@pass_program
def remove_files_from_publish_request(program: Program, snapshot: int, paths: tuple[str, ...]) -> None:
    """Take files out of a snapshot that is not published."""
    with program.transaction() as db:
        draft = _snapshot(db, snapshot)
        try:
            number = actions.remove_files(db, draft, paths, OPERATOR)
        except CannotPublish as refusal:
            raise click.ClickException(str(refusal)) from refusal
        address = _address(program, db, draft)
    click.echo(f"{number} file{'' if number == 1 else 's'} removed.\n{address}")


@click.command("unpublish-snapshot")
@click.argument("snapshot", type=NUMBER)
@click.argument("username")
@click.option("--reason", default="", help="Why, for those who look it up later.")
@pass_program
def unpublish_snapshot(program: Program, snapshot: int, username: str, reason: str) -> None:
    """Have a published snapshot be public no longer, in the name of a user."""
    with program.transaction() as db:
        published = _snapshot(db, snapshot)
        person = user_named(db, username)
        try:
            actions.unpublish(db, published, person, reason)
        except CannotPublish as refusal:
            raise click.ClickException(str(refusal)) from refusal
        address = _address(program, db, published)
    click.echo(f"Was published: {address}\nUnpublished by {person.username}: it is a draft again.")


def _snapshot(db: Session, id_: int) -> Snapshot:
    found = releases.snapshot(db, id_)
    if found is None:
        raise click.ClickException(f"There is no snapshot {id_}.")
    return found


def _address(program: Program, db: Session, snapshot: Snapshot) -> str:
    return link(program.settings.base_url, *publication.path_of_snapshot(db, snapshot))
