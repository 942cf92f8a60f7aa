"""Making a snapshot public (spec: airlock 6.3, 12.36 to 12.38; access 8.4.34 to 37)."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from jobserver.actions import publication
from jobserver.clients.storage import ReleaseStorage
from jobserver.models import AuditableEvent, AuditType, PublishRequest
from tests import factories as f
from tests.web.api.publishing import FORGED, NOT_PROVIDED, Study, csrf, send, study
from tests.web.conftest import Browser


@pytest.fixture
def here(db: Session, storage: ReleaseStorage) -> Study:
    return study(storage)


def publishing(here: Study, snapshot: Any) -> str:
    return f"{here.snapshots}/{snapshot.id}/publish"


def decisions(db: Session) -> list[str | None]:
    db.rollback()
    return list(db.scalars(select(PublishRequest.decision).order_by(PublishRequest.id)))


def test_a_publisher_makes_a_draft_public_once(web: Browser, db: Session, here: Study) -> None:
    snapshot = here.draft()
    web.sign_in(here.publisher)
    for body in (None, {"ignored": [1]}, []):
        answer = send(web, publishing(here, snapshot), body, status=200)
        assert (answer.body, answer.headers["Content-Length"]) == (b"", "0")
        assert "Content-Type" not in answer.headers
    assert decisions(db) == ["approved"]
    request = db.scalars(select(PublishRequest)).one()
    assert request.decision_by_id == here.publisher.id
    events = list(db.scalars(select(AuditableEvent.type).order_by(AuditableEvent.id)))
    assert events[2:] == [AuditType.SNAPSHOT_PUBLISHED]
    web.reset()
    web.get(f"{here.snapshots}/{snapshot.id}", status=200)


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b"x" * 100_000])
def test_the_body_is_not_looked_at(web: Browser, db: Session, here: Study, body: bytes) -> None:
    snapshot = here.draft()
    web.sign_in(here.publisher)
    options = {"headers": csrf(web), "content_type": "text/nonsense"}
    web.post(publishing(here, snapshot), body, status=200, **options)


def test_what_was_decided_is_final(web: Browser, db: Session, here: Study) -> None:
    file = here.file("output/a.csv")
    snapshot = here.draft(file)
    unasked = f.SnapshotFactory(workspace=here.workspace)
    publication.reject(db, snapshot, here.publisher, "a cell is too small")
    db.commit()
    web.sign_in(here.publisher)
    for each in (snapshot, unasked):
        answer = send(web, publishing(here, each), status=409)
        assert answer.json == {
            "detail": f"Nobody's request to publish snapshot {each.id} waits for a decision: ask for it again."
        }
    assert decisions(db) == ["rejected"]
    assert here.draft(file).id == snapshot.id
    send(web, publishing(here, snapshot), status=200)
    assert decisions(db) == ["rejected", "approved"]
    publication.unpublish(db, snapshot, here.publisher)
    db.commit()
    send(web, publishing(here, snapshot), status=409)


def test_who_may_publish(web: Browser, db: Session, here: Study) -> None:
    snapshot = here.draft()
    elsewhere = f.ProjectMembershipFactory(roles=["ProjectDeveloper"]).user
    support = f.UserFactory(roles=["TechSupport", "StaffAreaAdministrator", "ServiceAdministrator"])
    for person in (here.developer, here.collaborator, here.checker, here.stranger, elsewhere, support):
        web.sign_in(person)
        assert send(web, publishing(here, snapshot), status=403).json == NOT_PROVIDED
    assert decisions(db) == [None]


def test_without_a_session_or_from_another_site_nothing_is_told_or_done(
    web: Browser, db: Session, here: Study
) -> None:
    snapshot = here.draft()
    _, token = f.backend_with_token()
    addresses = (publishing(here, snapshot), f"{here.snapshots}/999/publish")
    for address in addresses:
        for headers in (
            {},
            {"Authorization": token, "OS-User": here.publisher.username},
            {"Authorization": f.personal_token(here.publisher)},
        ):
            assert web.post(address, headers=headers, status=403).json == NOT_PROVIDED
    web.sign_in(here.publisher)
    right = csrf(web)
    for address in addresses:
        for headers in ({}, {"X-CSRFToken": "wrong"}):
            assert web.post(address, headers=headers, status=403).json == FORGED
        headers = {**right, "Origin": "https://evil.example"}
        web.post(f"https://localhost{address}", headers=headers, status=403)
    assert decisions(db) == [None]


def test_a_snapshot_of_another_workspace_is_404(web: Browser, db: Session, here: Study) -> None:
    snapshot, neighbour = here.draft(), f.WorkspaceFactory(project=here.workspace.project)
    web.sign_in(here.publisher)
    for address, entity in (
        (publishing(here, snapshot).replace(here.workspace.name, neighbour.name), "Snapshot"),
        (publishing(here, snapshot).replace(here.workspace.name, "nowhere"), "Workspace"),
        (f"{here.snapshots}/999/publish", "Snapshot"),
    ):
        answer = send(web, address, status=404)
        assert answer.json == {"detail": f"No {entity} matches the given query."}
    assert decisions(db) == [None]


def test_other_methods_and_other_addresses(web: Browser, db: Session, here: Study) -> None:
    snapshot = here.draft()
    web.sign_in(here.publisher)
    answer = web.get(publishing(here, snapshot), status=405)
    assert answer.json == {"detail": 'Method "GET" not allowed.'}
    assert answer.headers["Allow"] == "OPTIONS, POST"
    assert web.options(publishing(here, snapshot)).json["name"] == "SnapshotPublication"
    for wrong in ("/", "/more", "x"):
        assert send(web, publishing(here, snapshot) + wrong, status=404).content_type == "text/html"
    assert decisions(db) == [None]


def test_publishing_takes_few_statements(
    web: Browser, db: Session, here: Study, count_statements: Callable[[], Any]
) -> None:
    snapshot = here.draft(*[here.file(f"output/{place}.csv") for place in range(20)])
    web.sign_in(here.publisher)
    headers = csrf(web)
    with count_statements() as statements:
        web.post(publishing(here, snapshot), headers=headers, status=200)
    assert len(statements) <= 10
