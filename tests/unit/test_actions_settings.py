"""Changing one's own account when several do so at once."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session, sessionmaker

from jobserver.actions import mail_preferences, settings
from jobserver.actions.settings import TooSoon
from jobserver.models import (
    AuditableEvent,
    MailChoice,
    MailKind,
    MailPreference,
    MutedWorkspace,
    User,
    utcnow,
)
from jobserver.queries.settings import LinkState
from tests import factories as f


def at_once(session_factory: sessionmaker[Session], acts: list[Callable[[Session], Any]]) -> list[Any]:
    """What each act gave, or raised, with all of them begun at the same moment in their own transactions."""
    gate = threading.Barrier(len(acts))
    results: list[Any] = [None] * len(acts)

    def run(place: int) -> None:
        with session_factory() as db:
            gate.wait()
            try:
                results[place] = acts[place](db)
                db.commit()
            except Exception as fault:
                results[place] = fault

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def wish(db: Session, email: str) -> tuple[User, str]:
    """Somebody who wants this address, and the token of the link."""
    user = f.UserFactory()
    now = utcnow()
    settings.save(db, user.id, fullname=user.fullname, email=email, now=now)
    invitation = settings.new_link(db, user.id, now)
    assert invitation is not None
    db.commit()
    return user, invitation.token


def test_of_two_people_who_confirm_one_address_one_gets_it(
    db: Session, session_factory: sessionmaker[Session]
) -> None:
    wishes = [wish(db, "wanted@example.org") for _ in range(4)]
    acts = [
        lambda db, user=user, token=token: settings.confirm(db, user.id, token).state
        for user, token in wishes
    ]
    states = at_once(session_factory, acts)
    assert sorted(states) == [LinkState.TAKEN] * 3 + [LinkState.USABLE]
    db.rollback()
    assert db.scalars(select(User).where(User.email == "wanted@example.org")).one()


def test_a_link_followed_twice_at_once_changes_the_address_once(
    db: Session, session_factory: sessionmaker[Session]
) -> None:
    user, token = wish(db, "wanted@example.org")
    states = at_once(session_factory, [lambda db: settings.confirm(db, user.id, token).state] * 3)
    assert sorted(states) == [LinkState.UNKNOWN] * 2 + [LinkState.USABLE]
    db.rollback()
    events = db.scalars(select(AuditableEvent).where(AuditableEvent.target_field == "email")).all()
    assert len(events) == 1


def test_links_asked_for_at_once_are_mailed_once(db: Session, session_factory: sessionmaker[Session]) -> None:
    user = f.UserFactory()
    acts = [
        lambda db, n=n: settings.save(db, user.id, fullname=user.fullname, email=f"{n}@example.org")
        for n in range(4)
    ]
    results = at_once(session_factory, acts)
    assert sum(isinstance(each, TooSoon) for each in results) == 3
    db.rollback()
    tasks = db.scalars(text("SELECT task_name FROM procrastinate_jobs ORDER BY task_name")).all()
    assert tasks == ["mail_email_change", "mail_email_change_notice"]


def test_the_pause_is_said_in_seconds(db: Session) -> None:
    user, _ = wish(db, "wanted@example.org")
    later = utcnow() + timedelta(seconds=20)
    with pytest.raises(TooSoon, match=r"less than a minute ago\. Try again in 3\d seconds\."):
        settings.ask_again(db, user.id, now=later)


def test_choosing_and_muting_at_once_leaves_one_row(
    db: Session, session_factory: sessionmaker[Session]
) -> None:
    user, workspace = f.UserFactory(), f.WorkspaceFactory()
    wanted = {MailKind.REQUEST_ENDED: MailChoice.NEVER}
    acts: list[Callable[[Session], Any]] = [
        lambda db: mail_preferences.choose(db, user.id, wanted),
        lambda db: mail_preferences.mute(db, user.id, workspace.id),
    ] * 3
    assert at_once(session_factory, acts) == [None] * 6
    db.rollback()
    assert len(db.scalars(select(MailPreference)).all()) == 1
    assert len(db.scalars(select(MutedWorkspace)).all()) == 1
