"""What follows when a released file was redacted: its bytes go, people are told (spec: airlock 12.34)."""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

from jobserver.clients.mail import Message
from jobserver.clients.storage import INCOMING, ReleaseStorage, StorageError
from jobserver.models import ReleaseFile, User, utcnow
from jobserver.queries import redactions as queries
from jobserver.rap.context import Context
from jobserver.tasks import letters, sending
from jobserver.tasks.links import link
from jobserver.tasks.retrying import GiveUp, NotYet
from jobserver.templating.times import clock, day

# A file that has been on its way for a day will not arrive any more.
ABANDONED = timedelta(days=1)
BATCH = 500

log = structlog.get_logger(__name__)


def remove_redacted_file(context: Context, *, file_id: str) -> None:
    """Remove the bytes of a redacted file, if they are still there; of no other file."""
    with context.transaction() as db:
        file = queries.redacted_file(db, file_id)
        if file is None or queries.is_needed(db, file.path):
            raise GiveUp(f"the file {file_id} is not redacted, or another has its path")
    try:
        removed = context.clients.storage.delete(file.path)
    except StorageError as error:
        raise NotYet(str(error)) from error
    log.info("redacted_file_removed", file=file_id, path=file.path, was_there=removed)


@dataclass(frozen=True)
class Leftover:
    """Bytes that should be gone, by path, and why they are still there if they could not be removed."""

    path: str
    problem: str = ""


def sweep(context: Context, *, dry_run: bool = False) -> Iterator[Leftover]:
    """Remove the bytes of redacted files and what was abandoned on its way, or only say what there is.

    Files on their way are left alone, and so is whatever the database does not say to be redacted.
    """
    storage = context.clients.storage
    last = ""
    while True:
        with context.transaction() as db:
            rows = queries.gone(db, after=last, limit=BATCH)
        for row in rows:
            last = row.id
            found = _removed(context, row.path, dry_run=dry_run)
            if found is not None:
                yield found
        if len(rows) < BATCH:
            break
    for place in abandoned(storage):
        if not dry_run:
            storage.discard(place)
        stays = not dry_run and os.path.lexists(place)
        yield Leftover(f"{INCOMING}/{place.name}", "it cannot be removed" if stays else "")


def _removed(context: Context, path: str, *, dry_run: bool) -> Leftover | None:
    storage = context.clients.storage
    try:
        if not storage.has(path):
            return None
        with context.transaction() as db:
            if queries.is_needed(db, path):
                return Leftover(path, "another file that is not redacted is at the same path")
        if not dry_run:
            storage.delete(path)
    except StorageError as error:
        return Leftover(path, str(error))
    return Leftover(path)


def abandoned(storage: ReleaseStorage) -> list[Path]:
    """Files that have been on their way for more than a day."""
    old = []
    for place in storage.incoming():
        with suppress(OSError):
            if datetime.fromtimestamp(place.lstat().st_mtime, UTC) < utcnow() - ABANDONED:
                old.append(place)
    return old


def tidy(context: Context) -> None:
    """Sweep, and leave word of it in the log."""
    for each in sweep(context):
        if each.problem:
            log.warning("leftover_not_removed", path=each.path, reason=each.problem)
        else:
            log.info("leftover_removed", path=each.path)


def mail_file_redacted(context: Context, *, user_id: int, file_id: str) -> None:
    """Tell a developer of the project that the file is gone, and why; nobody who is none any more."""
    with context.transaction() as db:
        user, file = db.get(User, user_id), queries.redacted_file(db, file_id)
        if user is None or file is None:
            raise GiveUp(f"there is no user {user_id}, or the file {file_id} is not redacted")
        if user_id not in queries.developers(db, file.release.workspace.project_id):
            log.info("user_not_notified", user_id=user_id, reason="no developer any more, or no address")
            return
        by = queries.redacted_by(db, file)
    sending.mail(context, file_redacted(user, file, by, context.settings.base_url))
    log.info("file_redacted_told", user_id=user_id, file=file_id)


def file_redacted(user: User, file: ReleaseFile, by: str, base_url: str) -> Message:
    """The mail about a file that was redacted."""
    release, workspace = file.release, file.release.workspace
    if file.deleted_at is None:
        raise ValueError("the file is not redacted")
    return letters.write(
        "file_redacted",
        to=user.email or "",
        subject=f"A released file was redacted: {workspace.name}",
        fullname=user.fullname,
        by=by,
        at=letters.moment_in_words(file.deleted_at),
        file_name=file.name,
        reason=file.deleted_reason,
        workspace=workspace.name,
        released=f"{day(release.created_at)}, {clock(release.created_at)}",
        url=link(base_url, *workspace.path, "releases", release.id),
    )
