"""A workspace with released files, its developer, and two people who decide."""

from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from jobserver.actions import publication
from jobserver.clients.storage import ReleaseStorage
from jobserver.models import AuditableEvent, PublishRequest, Snapshot, SnapshotFile
from jobserver.queue import JOBS
from tests import factories as f
from tests.web import releases as r
from tests.web.uploads import swept

__all__ = ["Here", "here", "swept"]


class Here(r.Place):
    """The place, with what a test asks of the database."""

    db: Session
    publisher: Any
    other_publisher: Any
    files: list[Any]
    start: str

    def address(self, *names: Any) -> str:
        """A page below the workspace, whatever the session has forgotten."""
        return self.start + "".join(f"{name}/" for name in names)

    @property
    def prepare(self) -> str:
        """Where files are chosen."""
        return self.address("outputs", "latest", "prepare")

    def draft(self, *files: Any, **words: Any) -> Any:
        """A set of files that the developer has asked to be made public."""
        ids = [each.id for each in files or self.files]
        asked = publication.prepare(
            self.db, self.workspace, ids, self.developer, **{"title": "Uptake", **words}
        )
        self.db.commit()
        return asked.snapshot

    def published(self, *files: Any, **words: Any) -> Any:
        """One that is public."""
        snapshot = self.draft(*files, **words)
        publication.publish(self.db, snapshot, self.publisher)
        self.db.commit()
        return snapshot

    def page(self, snapshot: Any, *names: Any) -> str:
        """The page of a set, or one below it."""
        return self.address("outputs", snapshot.id, *names)

    def decisions(self) -> list[str | None]:
        """What was decided of every request so far."""
        self.db.rollback()
        return list(self.db.scalars(select(PublishRequest.decision).order_by(PublishRequest.id)))

    def made(self) -> list[int]:
        """How many snapshots, members of them and requests there are."""
        self.db.rollback()
        tables = (Snapshot, SnapshotFile, PublishRequest)
        return [self.db.scalar(select(func.count()).select_from(each)) or 0 for each in tables]

    def mails(self) -> list[tuple[str, int, str | None]]:
        """The mails about publishing that were asked for: task, recipient, outcome."""
        self.db.rollback()
        found = select(JOBS.c.task_name, JOBS.c.args).order_by(JOBS.c.id)
        rows = self.db.execute(found.where(JOBS.c.task_name.like("mail_publish%")))
        return [(row[0], row[1]["user_id"], row[1].get("outcome")) for row in rows]

    def events(self) -> list[tuple[str, str, str]]:
        """Every audit event: type, by whom, why."""
        self.db.rollback()
        columns = (AuditableEvent.type, AuditableEvent.created_by, AuditableEvent.reason)
        return [tuple(row) for row in self.db.execute(select(*columns).order_by(AuditableEvent.id))]


@pytest.fixture
def here(db: Session, storage: ReleaseStorage) -> Here:
    """Two files of one release, which both have arrived."""
    made = Here(**vars(r.place()))
    made.db, made.start = db, r.address(made.workspace)
    made.publisher = f.UserFactory(roles=["OutputPublisher"], fullname="Publisher One")
    made.other_publisher = f.UserFactory(roles=["OutputPublisher"], fullname="Publisher Two")
    release = r.release(made)
    made.files = [r.file(release, name, storage=storage) for name in ("output/a.csv", "output/b.csv")]
    return made
