"""What the worker does beside its tasks: a step that fails is told, and holds up nothing."""

import asyncio
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
import structlog
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, sessionmaker

from jobserver.clients import Clients
from jobserver.models import OrgMembership, UserSession, utcnow
from jobserver.rap.context import Context
from jobserver.settings import Settings
from jobserver.tasks import worker
from tests import factories as f


def test_a_step_that_fails_is_told_and_the_others_are_done(
    db: Session, settings: Settings, session_factory: sessionmaker[Session]
) -> None:
    """The folder of released files cannot be read; expired sessions and memberships go all the same."""
    unreadable = replace(settings, release_storage="/" + "x" * 300)
    context = Context(unreadable, session_factory, Clients.from_settings(unreadable))
    member = f.OrgMembershipFactory(ends_at=utcnow()).user
    for user in (member, f.UserFactory()):
        f.session_cookie(user)
    db.execute(update(UserSession).where(UserSession.user_id == member.id).values(expires_at=utcnow()))
    db.commit()
    with structlog.testing.capture_logs() as lines:
        asyncio.run(worker._each((*worker.TIDYING, *worker.SWEEPING), context))
    db.rollback()
    counts = [db.scalar(select(func.count()).select_from(each)) for each in (OrgMembership, UserSession)]
    assert counts == [0, 1]
    events = {line["event"]: line for line in lines}
    assert events["housekeeping_failed"]["step"] == worker.TIDYING[0].__name__
    assert events["housekeeping_failed"]["log_level"] == "error"
    assert (events["expired_cleared"]["sessions"], events["memberships_ended"]["number"]) == (1, 1)


def test_housekeeping_goes_on_whatever_happens_in_a_round(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "RESCUE_EVERY", 0.01)
    monkeypatch.setattr(worker, "TIDYING", ())
    asked = []

    async def fail(**_options: Any) -> None:
        asked.append(1)
        raise PermissionError("nobody thought of this")

    app: Any = SimpleNamespace(job_manager=SimpleNamespace(get_stalled_jobs=fail, delete_old_jobs=fail))

    async def some_rounds() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(worker._housekeeping(app, app), timeout=0.3)

    with structlog.testing.capture_logs() as lines:
        asyncio.run(some_rounds())
    assert [line["step"] for line in lines[:3]] == ["rescue", "forget_tasks", "rescue"]
    assert len(asked) > 3
