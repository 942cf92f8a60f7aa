"""The state of the backends, and of our contact with the controller (spec: rap 1.2, 6.1 and 11)."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from jobserver.models import Backend, Stats, utcnow
from jobserver.queries.backends import controller_contact
from jobserver.rap import backends
from jobserver.rap.context import Context
from tests import factories as f
from tests.contract.recorded import json_reply
from tests.unit.rap.controller import DOWN, PAGE, Controller


def entry(slug: str, **changes: Any) -> dict[str, Any]:
    return {
        "slug": slug,
        "last_seen": "2026-01-05T09:30:12.482913Z",
        "paused": {"status": "off", "since": None},
        "db_maintenance": {"status": "off", "since": None, "type": None},
        **changes,
    }


def stored(db: Session, backend: Backend) -> Backend:
    db.rollback()
    db.expire_all()
    return db.get_one(Backend, backend.id)


def test_every_field_is_stored(db: Session, context: Context, controller: Controller) -> None:
    backend = f.BackendFactory(slug="tpp")
    said = entry(
        "tpp",
        paused={"status": "on", "since": "2026-01-05T08:00:00Z"},
        db_maintenance={"status": "on", "since": "2026-01-05T02:00:03.100200Z", "type": "scheduled"},
    )
    controller.backends = [said]
    assert backends.refresh(context).ok
    backend = stored(db, backend)
    assert backend.last_seen_at == datetime(2026, 1, 5, 9, 30, 12, 482913, tzinfo=UTC)
    assert backend.last_seen_maintenance_mode == datetime(2026, 1, 5, 2, 0, 3, 100200, tzinfo=UTC)
    assert (backend.is_in_maintenance_mode, backend.is_paused) == (True, True)
    assert backend.rap_api_state == said
    (seen,) = db.scalars(select(Stats))
    assert (seen.backend_id, seen.url, seen.api_last_seen) == (
        backend.id,
        controller.url,
        backend.last_seen_at,
    )


def test_switches_go_off_again_and_a_backend_may_never_have_been_seen(
    db: Session, context: Context, controller: Controller
) -> None:
    backend = f.BackendFactory(slug="tpp", is_paused=True, is_in_maintenance_mode=True, last_seen_at=utcnow())
    controller.backends = [entry("tpp", last_seen=None)]
    backends.refresh(context)
    backend = stored(db, backend)
    assert (backend.is_paused, backend.is_in_maintenance_mode, backend.last_seen_at) == (False, False, None)
    assert db.scalars(select(Stats)).all() == []


def test_one_row_of_contact_for_each_backend_and_controller(
    db: Session, context: Context, controller: Controller
) -> None:
    f.BackendFactory(slug="tpp")
    controller.backends = [entry("tpp")]
    backends.refresh(context)
    controller.backends = [entry("tpp", last_seen="2026-01-05T10:00:00Z")]
    backends.refresh(context)
    (seen,) = db.scalars(select(Stats))
    assert seen.api_last_seen == datetime(2026, 1, 5, 10, tzinfo=UTC)


def test_an_unknown_or_ill_formed_backend_does_not_hold_up_the_others(
    db: Session, context: Context, controller: Controller
) -> None:
    known = f.BackendFactory(slug="tpp")
    controller.backends = [entry("strange"), entry("emis", paused="perhaps"), entry("tpp")]
    report = backends.refresh(context)
    assert report.updated == ["tpp"]
    assert report.unknown == ["strange"]
    assert len(report.faults) == 1
    assert not report.ok
    assert stored(db, known).last_seen_at is not None


def test_our_contact_with_the_controller_is_kept(
    db: Session, context: Context, controller: Controller
) -> None:
    assert controller_contact(db) is None
    before = utcnow()
    backends.refresh(context)
    controller.says["backend"] = [DOWN]
    report = backends.refresh(context)
    assert report.failure
    db.rollback()
    contact = controller_contact(db)
    assert contact is not None
    assert contact.reached_at is not None
    assert contact.failed_at is not None
    assert before <= contact.reached_at <= contact.failed_at
    assert contact.failure == report.failure


@pytest.mark.parametrize("reply", [PAGE, json_reply({}), json_reply({"details": "Invalid token"}, 401)])
def test_an_odd_answer_changes_no_backend(
    db: Session, context: Context, controller: Controller, reply: Any
) -> None:
    backend = f.BackendFactory(slug="tpp", is_paused=True)
    controller.says["backend"] = [reply]
    assert not backends.refresh(context).ok
    assert stored(db, backend).is_paused
