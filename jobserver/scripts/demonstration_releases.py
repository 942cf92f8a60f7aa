"""The demonstration's released files: a folder by workspace, backend and number, one release each."""

import hashlib
from pathlib import Path

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from jobserver.actions import publication, releases
from jobserver.actions.releases import Announced
from jobserver.clients.storage import ReleaseStorage
from jobserver.models import Backend, Release, ReleaseFile, Role, User, Workspace, utcnow
from jobserver.queries.publication import latest_named
from jobserver.scripts.demonstration import Demonstration, developer, holder

METADATA = {"tool": "demonstration"}


def load(db: Session, storage: ReleaseStorage, folder: Path, content: Demonstration) -> None:
    """Release what the folder holds and publish of it what is wanted.

    A workspace that has releases is left alone.
    """
    checker = holder(db, content, Role.OUTPUT_CHECKER)
    for place in sorted(folder.iterdir()):
        workspace = db.scalar(select(Workspace).where(Workspace.name == place.name))
        if workspace is None or db.scalar(select(exists().where(Release.workspace_id == workspace.id))):
            continue
        for below in sorted(place.glob("*/*")):
            backend = db.scalar(select(Backend).where(Backend.slug == below.parent.name))
            if backend is not None:
                _release(db, storage, workspace, backend, below, checker)
        _publish(db, workspace, content)


def _publish(db: Session, workspace: Workspace, content: Demonstration) -> None:
    publisher = holder(db, content, Role.OUTPUT_PUBLISHER)
    for each in content.publications:
        if each.workspace != workspace.name:
            continue
        ids = [id_ for found in latest_named(db, workspace.id, each.files).values() for id_ in found]
        author = developer(db, content, workspace.name)
        wish = publication.prepare(db, workspace, ids, author, title=each.title, summary=each.summary)
        if each.approved:
            publication.publish(db, wish.snapshot, publisher)


def _release(
    db: Session, storage: ReleaseStorage, workspace: Workspace, backend: Backend, folder: Path, checker: User
) -> None:
    found = {each.relative_to(folder).as_posix(): each for each in folder.rglob("*") if each.is_file()}
    files = [_announced(name, file.read_bytes()) for name, file in sorted(found.items())]
    id_ = releases.create(
        db, workspace=workspace, backend_id=backend.id, files=files, by=checker, metadata=METADATA
    )
    rows = select(ReleaseFile.id, ReleaseFile.name, ReleaseFile.size).where(ReleaseFile.release_id == id_)
    for file_id, name, size in db.execute(rows).all():
        with found[name].open("rb") as content:
            received = storage.receive(content.read, size)
        releases.keep(db, storage, received, file_id, checker)


def _announced(name: str, content: bytes) -> Announced:
    return Announced(name, name, len(content), hashlib.sha256(content).hexdigest(), utcnow(), METADATA)
