"""A command for developers: something to look at where released files have no bytes."""

import csv
import html
import io
import json
from collections.abc import Callable

import click
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from jobserver.clients.storage import FileMissing, ReleaseStorage, StorageError
from jobserver.models import Release, ReleaseFile
from jobserver.scripts.program import Program, pass_program

ROWS = 100


@click.command("inflate-release-files")
@pass_program
def inflate_release_files(program: Program) -> None:
    """Write made-up files in place of released ones that are not on the disk, for developers.

    So is every file after the database was restored from a copy. The database then has hash and size of the
    made-up file, so this needs DEBUG. Files that are there stay as they are.
    """
    if not program.settings.debug:
        raise click.ClickException("This is for development only: DEBUG is not set.")
    storage = ReleaseStorage.from_settings(program.settings)
    written = 0
    with program.transaction() as db:
        ids = db.scalars(
            select(ReleaseFile.id)
            .where(ReleaseFile.uploaded_at.is_not(None), ReleaseFile.deleted_at.is_(None))
            .order_by(ReleaseFile.path)
        ).all()
    for id_ in ids:
        with program.transaction() as db:
            written += _inflate(db, storage, id_)
    click.echo(f"{written} files written.")


def _inflate(db: Session, storage: ReleaseStorage, id_: str) -> bool:
    """Whether a file was written."""
    file = db.get_one(
        ReleaseFile, id_, options=[joinedload(ReleaseFile.release).joinedload(Release.workspace)]
    )
    try:
        storage.open(file.path).close()
    except FileMissing:
        pass
    else:
        return False
    ending = file.name.rpartition("/")[2].rpartition(".")[2].lower()
    if ending not in CONTENTS:
        click.echo(f"{file.path} is skipped: there is nothing made up for .{ending}.", err=True)
        return False
    content = CONTENTS[ending](_rows(file)).encode()
    try:
        received = storage.receive(io.BytesIO(content).read, len(content))
        storage.keep(received, file.path)
    except StorageError as error:
        raise click.ClickException(f"{file.path}: {error}") from error
    file.filehash, file.size = received.sha256, received.size
    return True


Row = dict[str, str]


def _rows(file: ReleaseFile) -> list[Row]:
    return [
        {
            "id": f"{file.id}-{number}",
            "created_at": file.created_at.isoformat(),
            "workspace": file.release.workspace.name,
            "release": file.release_id,
        }
        for number in range(ROWS)
    ]


def _csv(rows: list[Row]) -> str:
    stream = io.StringIO()
    writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def _html(rows: list[Row]) -> str:
    lines = [
        "".join(f"<{tag}>{html.escape(each)}</{tag}>" for each in cells)
        for tag, cells in [("th", list(rows[0])), *[("td", list(row.values())) for row in rows]]
    ]
    return "<table>\n" + "".join(f"<tr>{line}</tr>\n" for line in lines) + "</table>\n"


def _json(rows: list[Row]) -> str:
    return json.dumps(rows, indent=1)


def _svg(_: list[Row]) -> str:
    return '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><circle cx="4" cy="4" r="4"/></svg>\n'


def _txt(rows: list[Row]) -> str:
    return f"Made up for {rows[0]['workspace']}, release {rows[0]['release']}.\n"


CONTENTS: dict[str, Callable[[list[Row]], str]] = {
    "csv": _csv,
    "html": _html,
    "json": _json,
    "svg": _svg,
    "txt": _txt,
}
