"""Files that are public: their bytes, for everybody, at the address of their workspace (spec: airlock 6.4)."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.orm import Session

from jobserver.actions import publication
from jobserver.clients.storage import ReleaseStorage
from jobserver.models import utcnow
from tests import factories as f
from tests.web import releases
from tests.web.api.publishing import Study, study
from tests.web.conftest import Browser


@pytest.fixture
def here(db: Session, storage: ReleaseStorage) -> Study:
    return study(storage)


def test_everybody_reads_a_published_file(web: Browser, db: Session, here: Study) -> None:
    file = here.file("output/a table.csv", b"a,b\n1,2\n")
    here.published(file)
    address = here.address("published", file.id)
    for headers in ({}, {"Authorization": "nonsense"}, {"Releases-Redirect": "/internal"}):
        answer = web.get(address, headers=headers)
        assert answer.body == b"a,b\n1,2\n"
        assert (answer.content_type, answer.content_length) == ("text/csv", 8)
        assert "sandbox" in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "X-Accel-Redirect" not in answer.headers
    for person in (here.stranger, here.developer):
        assert web.sign_in(person).get(address).body == b"a,b\n1,2\n"
    web.reset()
    assert web.get(address, headers={"If-None-Match": answer.headers["ETag"]}, status=304).body == b""
    assert web.get(address, headers={"Range": "bytes=0-2"}, status=206).body == b"a,b"
    assert web.head(address).content_length == 8
    web.get(address[:-1], status=301)
    web.post(address, status=405)


def test_released_html_is_shown_but_acts_for_nobody(web: Browser, db: Session, here: Study) -> None:
    file = here.file("report.html", b"<script>alert(1)</script>")
    here.published(file)
    answer = web.get(here.address("published", file.id))
    assert answer.content_type == "text/html"
    assert answer.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")


def test_it_is_there_only_while_a_snapshot_with_it_is_published(
    web: Browser, db: Session, here: Study
) -> None:
    file, other = here.file("a.csv"), here.file("b.csv")
    address = here.address("published", file.id)
    web.get(address, status=404)
    draft = here.draft(file)
    for person in (None, here.developer, here.publisher):
        web.reset() if person is None else web.sign_in(person)
        web.get(address, status=404)
    web.reset()
    publication.publish(db, draft, here.publisher)
    db.commit()
    web.get(address, status=200)
    # A second one keeps it public when the first is taken back, and no longer than that.
    second = here.published(file, other)
    publication.unpublish(db, draft, here.publisher)
    db.commit()
    web.get(address, status=200)
    assert here.draft(file).id == draft.id
    publication.unpublish(db, second, here.publisher)
    db.commit()
    web.get(address, status=404)
    publication.reject(db, draft, here.publisher, "too small")
    db.commit()
    web.get(address, status=404)
    web.get(here.address("published", other.id), status=404)


def test_what_cannot_be_read_is_404(web: Browser, db: Session, here: Study) -> None:
    """Redacted since, never uploaded, or lost from the disk: no 500, and nothing of it is told."""
    redacted, lost = here.file("redacted.csv"), here.file("lost.csv")
    waiting = releases.waiting(here.release, "waiting.csv")
    here.published(redacted, lost)
    everything = f.SnapshotFactory(workspace=here.workspace, files=[waiting])
    f.PublishRequestFactory(
        snapshot=everything, decision="approved", decision_at=utcnow(), decision_by=here.publisher
    )
    redacted.deleted_at, redacted.deleted_by_id = utcnow(), here.checker.id
    db.commit()
    here.storage.delete(lost.path)
    for file in (redacted, lost, waiting):
        answer = web.get(here.address("published", file.id), status=404)
        assert file.name not in answer.text


def test_every_part_of_the_address_must_fit(web: Browser, db: Session, here: Study) -> None:
    file = here.file("a.csv")
    here.published(file)
    neighbour = f.WorkspaceFactory(project=here.workspace.project)
    elsewhere = f.WorkspaceFactory()
    draft = f.ReleaseFactory(workspace=neighbour)
    theirs = here.file("a.csv", release=draft)
    for address in (
        releases.address(neighbour, "published", file.id),
        releases.address(elsewhere, "published", file.id),
        here.address("published", theirs.id),
        here.address("published", file.id.lower()),
        here.address("published", file.id + "0"),
        here.address("published", file.id, "more"),
        here.address("published", "x" * 5000),
        here.address("published"),
    ):
        web.get(address, status=404)
    web.get(here.address("published", file.id), status=200)


def test_reading_takes_few_statements(
    web: Browser, db: Session, here: Study, count_statements: Callable[[], Any]
) -> None:
    file = here.file("a.csv")
    here.published(file, *[here.file(f"{place}.csv") for place in range(20)])
    here.published(file)
    with count_statements() as statements:
        web.get(here.address("published", file.id))
    assert len(statements) <= 2
