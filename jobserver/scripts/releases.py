"""Commands about released files."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import click
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from jobserver.actions import releases as actions
from jobserver.actions.releases import Announced
from jobserver.clients.storage import INCOMING, FileMissing, Received, ReleaseStorage, StorageError
from jobserver.forms.api.releases import problem_of_name
from jobserver.models import Project, ReleaseFile, Workspace
from jobserver.scripts.program import (
    Program,
    backend_named,
    find_backend,
    find_user,
    find_workspace,
    pass_program,
    user_named,
    workspace_named,
)
from jobserver.settings import Settings
from jobserver.tasks import redactions
from jobserver.tasks.links import link

BATCH = 500
SURPLUS, REDACTED = "surplus", "redacted"


@click.group("releases")
def releases() -> None:
    """Look after the files that were released."""


@releases.command("verify")
@click.option("--workspace", help="Only files of this workspace.")
@pass_program
def verify(program: Program, workspace: str | None) -> None:
    """Compare what is stored with what the database says, file by file; exit status 1 if they differ.

    Every file is read again and its SHA-256 made anew. Redacted and abandoned files that are still there are
    removed by sweep.
    """
    storage = ReleaseStorage.from_settings(program.settings)
    with program.transaction() as db:
        only = workspace_named(db, workspace) if workspace else None
    faults, wanted, checked = 0, set[str](), 0
    for path, sha256, size in _rows(program, only):
        checked += 1
        wanted.add(path)
        if fault := _fault(storage, path, sha256, size):
            faults += 1
            click.echo(fault)
    found = (each for each in storage.paths() if only is None or each.startswith(f"{only.name}/"))
    leftovers = 0
    for each in found:
        what = "" if each in wanted else _unwanted(program, each)
        if what:
            click.echo(f"{what}: {_printable(each)}")
        faults += what == SURPLUS
        leftovers += what == REDACTED
    for place in redactions.abandoned(storage) if only is None else ():
        leftovers += 1
        click.echo(f"abandoned: {INCOMING}/{_printable(place.name)}")
    if leftovers:
        click.echo(f"jobserver releases sweep removes what is {REDACTED} or abandoned.", err=True)
    if faults + leftovers:
        raise click.ClickException(f"{checked} files checked, {faults + leftovers} differences.")
    click.echo(f"{checked} files checked, no differences.")


def _rows(program: Program, only: Workspace | None) -> Iterator[tuple[str, str, int]]:
    """Path, hash and size of the files that should be there, a few at a time: reading them takes long."""
    last = ""
    while True:
        statement = (
            select(ReleaseFile.path, ReleaseFile.filehash, ReleaseFile.size, ReleaseFile.id)
            .where(
                ReleaseFile.uploaded_at.is_not(None),
                ReleaseFile.deleted_at.is_(None),
                ReleaseFile.id > last,
            )
            .order_by(ReleaseFile.id)
            .limit(BATCH)
        )
        if only is not None:
            statement = statement.where(ReleaseFile.workspace_id == only.id)
        with program.transaction() as db:
            rows = db.execute(statement).all()
        for path, sha256, size, id_ in rows:
            last = id_
            yield path, sha256, size
        if len(rows) < BATCH:
            return


def _fault(storage: ReleaseStorage, path: str, sha256: str, size: int) -> str:
    try:
        found = storage.digest(path)
    except FileMissing:
        return f"missing: {path}"
    return "" if found == (sha256, size) else f"changed: {path}"


def _unwanted(program: Program, path: str) -> str:
    """What a file is that was not looked for; empty for one that came while we were looking."""
    if not path.isprintable():
        return SURPLUS
    columns = select(ReleaseFile.deleted_at).where(ReleaseFile.path == path)
    with program.transaction() as db:
        found = db.scalars(columns).all()
    if None in found:
        return ""
    return REDACTED if found else SURPLUS


def _printable(path: str) -> str:
    """The path in one line of characters that every terminal takes, whatever was put into the folder."""
    return path if path.isprintable() else ascii(path)


@releases.command("sweep")
@click.option("--dry-run", is_flag=True, help="Only say what there is.")
@pass_program
def sweep(program: Program, dry_run: bool) -> None:
    """Remove files that were redacted, and those that broke off on their way more than a day ago.

    The worker does so every hour. Files that are being uploaded are left alone; exit status 1 if something
    could not be removed.
    """
    removed = failed = 0
    for each in redactions.sweep(program.context, dry_run=dry_run):
        if each.problem:
            failed += 1
            click.echo(f"not removed: {_printable(each.path)}: {_printable(each.problem)}")
        else:
            removed += 1
            click.echo(f"{'to remove' if dry_run else 'removed'}: {_printable(each.path)}")
    click.echo(f"{removed} {'to remove' if dry_run else 'removed'}.")
    if failed:
        raise click.ClickException(f"{failed} not removed.")


@click.command("release")
@click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("-w", "--workspace", default="test-workspace", show_default=True, help="Workspace.")
@click.option("-b", "--backend", default="test-backend", show_default=True, help="Backend, by slug.")
@click.option("-u", "--user", default="test-user", show_default=True, help="Who releases, by username.")
@click.option("-c", "--create", is_flag=True, help="Make user, workspace and backend if they are not there.")
@pass_program
def release(program: Program, directory: Path, workspace: str, backend: str, user: str, create: bool) -> None:
    """Release all files below a directory, under their paths in it: all of them, or none.

    No permission is asked for; of files that are links nothing is followed.
    """
    settings = program.settings
    storage = ReleaseStorage.from_settings(settings)
    files = list(_files_below(directory))
    _refuse_unfit(directory, files, settings)
    if create:
        _make_missing(program, workspace, backend, user)
    received: dict[str, Received] = {}
    kept: list[str] = []
    try:
        with program.transaction() as db:
            with_path = joinedload(Workspace.project).joinedload(Project.org)
            place, person = workspace_named(db, workspace, with_path), user_named(db, user)
            names = place.path
            backend_id = backend_named(db, backend).id
            for file in files:
                with file.open("rb") as stream:
                    received[_name(directory, file)] = storage.receive(
                        stream.read, settings.release_file_size_limit
                    )
            announced = [_announced(file, _name(directory, file), received) for file in files]
            release_id = actions.create(
                db, workspace=place, backend_id=backend_id, files=announced, by=person, metadata={}
            )
            rows = select(ReleaseFile.id, ReleaseFile.name).where(ReleaseFile.release_id == release_id)
            for file_id, name in db.execute(rows).all():
                kept.append(actions.keep(db, storage, received[name], file_id, person).path)
    except BaseException as error:
        for path in kept:
            storage.delete(path)
        if isinstance(error, StorageError | OSError):
            raise click.ClickException(f"Nothing was released: {error}") from error
        raise
    finally:
        for each in received.values():
            storage.discard(each.place)
    click.echo("Released:")
    click.echo(link(settings.base_url, *names, "releases", release_id))
    click.echo(link(settings.base_url, *names))


def _files_below(directory: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(directory):
        folders.sort()
        for name in sorted(names):
            file = Path(folder) / name
            if file.is_file() and not file.is_symlink():
                yield file


def _name(directory: Path, file: Path) -> str:
    return file.relative_to(directory).as_posix()


def _refuse_unfit(directory: Path, files: list[Path], settings: Settings) -> None:
    if not files:
        raise click.ClickException(f"There are no files below {directory}.")
    for file in files:
        if problem := problem_of_name(_name(directory, file)):
            raise click.ClickException(f"{_name(directory, file)!r} cannot be released: {problem}")
        if file.stat().st_size > settings.release_file_size_limit:
            most = settings.release_file_size_limit
            raise click.ClickException(
                f"{_name(directory, file)} has more than {most:,} bytes, see RELEASE_FILE_SIZE_LIMIT."
            )


def _announced(file: Path, name: str, received: dict[str, Received]) -> Announced:
    modified = datetime.fromtimestamp(file.stat().st_mtime, UTC)
    arrived = received[name]
    return Announced(name, name, arrived.size, arrived.sha256, modified, {"tool": "jobserver release"})


def _make_missing(program: Program, workspace: str, backend: str, user: str) -> None:
    """By the commands that make them: what is there already is left as it is."""
    from jobserver.scripts.people import create_user
    from jobserver.scripts.studies import create_backend, create_workspace

    context = click.get_current_context()
    with program.transaction() as db:
        has_user, has_backend = find_user(db, user), find_backend(db, backend)
        has_workspace = find_workspace(db, workspace)
    if not has_user:
        context.invoke(create_user, username=user)
    if not has_backend:
        context.invoke(create_backend, slug=backend)
    if not has_workspace:
        context.invoke(
            create_workspace,
            workspace=workspace,
            username=user,
            project_slug="test-project",
            repo="https://github.com/opensafely/test-repo",
        )
