"""Memberships end with their last day: they count no more at once, and are removed soon after."""

import threading
from collections import Counter
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from jobserver.actions import affiliations, backends, job_requests, memberships_ending, orgs, release_requests
from jobserver.actions.audit import OPERATOR
from jobserver.actions.release_requests import EventRefused, Told
from jobserver.clients import Clients
from jobserver.models import (
    AuditableEvent,
    BackendMembership,
    OrgMembership,
    ProjectMembership,
    User,
    utcnow,
)
from jobserver.models.choices import AirlockEventType
from jobserver.queries import backends as backend_queries
from jobserver.queries import home, level4, lists, people, projects
from jobserver.queries import settings as settings_queries
from jobserver.rap.context import Context
from jobserver.security import sessions
from jobserver.security.callers import BackendCaller
from jobserver.settings import Settings
from jobserver.tasks import worker
from jobserver.templating.times import end_of_day, last_day, until
from tests import factories as f
from tests.unit.rap.eventually import eventually, in_background

KINDS = (OrgMembership, BackendMembership, ProjectMembership)


@pytest.fixture
def context(settings: Settings, session_factory: sessionmaker[Session]) -> Context:
    return Context(settings, session_factory, Clients.from_settings(settings))


def members(db: Session) -> list[int]:
    """How many memberships there are of each kind."""
    db.rollback()
    return [db.scalar(select(func.count()).select_from(kind)) or 0 for kind in KINDS]


def end_all(db: Session, moment: datetime) -> int:
    """Remove what has ended; how many there were."""
    ended = 0
    while memberships_ending.end_next(db, now=moment):
        ended += 1
        db.commit()
    return ended


def make(ends_at: datetime | None) -> User:
    """Somebody with a membership of each kind."""
    user: User = f.UserFactory(username="ann")
    f.OrgMembershipFactory(user=user, ends_at=ends_at)
    f.BackendMembershipFactory(user=user, ends_at=ends_at)
    f.ProjectMembershipFactory(user=user, ends_at=ends_at, roles=["ProjectDeveloper"])
    return user


@pytest.mark.parametrize(
    ("day", "end"),
    [
        (date(2026, 12, 31), "2027-01-01T00:00:00+00:00"),
        (date(2026, 6, 30), "2026-06-30T23:00:00+00:00"),
        # The clocks change on this day.
        (date(2026, 3, 29), "2026-03-29T23:00:00+00:00"),
        (date(2026, 10, 25), "2026-10-26T00:00:00+00:00"),
    ],
)
def test_a_day_ends_at_midnight_in_london(day: date, end: str) -> None:
    assert end_of_day(day) == datetime.fromisoformat(end)
    assert last_day(datetime.fromisoformat(end)) == day
    assert until(datetime.fromisoformat(end)) == f"{day.day} {day:%b %Y}"


def test_what_has_ended_is_removed_with_its_events_and_nothing_else(db: Session) -> None:
    now = utcnow()
    make(now)
    f.OrgMembershipFactory(ends_at=now + timedelta(seconds=1))
    f.BackendMembershipFactory()
    f.ProjectMembershipFactory(ends_at=now + timedelta(days=1))
    assert end_all(db, now) == 3
    assert members(db) == [1, 1, 1]
    events = db.scalars(select(AuditableEvent).order_by(AuditableEvent.type, AuditableEvent.id)).all()
    assert [(each.type, each.target_user, each.old) for each in events] == [
        ("backend_member_removed", "ann", ""),
        ("org_member_removed", "ann", ""),
        ("project_member_removed", "ann", ""),
        ("project_member_updated_roles", "ann", "ProjectDeveloper"),
    ]
    assert {(each.created_by, each.actor_id, each.reason) for each in events} == {
        ("the service", None, "Its end date was reached.")
    }
    assert all(each.parent_label for each in events)


def test_one_that_was_prolonged_meanwhile_stays(db: Session, session_factory: sessionmaker[Session]) -> None:
    now = utcnow()
    membership = f.OrgMembershipFactory(ends_at=now)
    with session_factory() as other:
        org, user = (
            other.get_one(type(membership.org), membership.org_id),
            other.get_one(User, membership.user_id),
        )
        assert affiliations.set_end(other, affiliations.ORGS, org, user, now + timedelta(days=1), by=OPERATOR)
        # Whoever prolongs it holds its user: it is left alone, and nobody waits.
        assert not memberships_ending.end_next(db, now=now)
        db.rollback()
        other.commit()
    assert not memberships_ending.end_next(db, now=now)
    assert members(db) == [1, 0, 0]


def test_two_workers_end_each_once(db: Session, session_factory: sessionmaker[Session]) -> None:
    now = utcnow()
    for _ in range(4):
        f.OrgMembershipFactory(ends_at=now)
        f.ProjectMembershipFactory(ends_at=now)
    done: Counter[str] = Counter()
    barrier = threading.Barrier(2)

    def work() -> None:
        barrier.wait()
        with session_factory() as own:
            done["ended"] += end_all(own, now)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    end_all(db, now)
    assert members(db) == [0, 0, 0]
    assert db.scalar(select(func.count()).select_from(AuditableEvent)) == 8


def test_the_worker_does_it(db: Session, context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "RESCUE_EVERY", 0.1)
    monkeypatch.setattr(worker, "ROUNDS_PER_SWEEP", 1)
    make(utcnow())
    with in_background(worker.run, context):
        eventually(lambda: members(db) == [0, 0, 0])
    assert worker.end_memberships(context) == 0


def test_what_has_ended_grants_nothing_though_the_row_is_still_there(db: Session) -> None:
    """The worker comes within minutes; access ends with the second."""
    now = utcnow()
    for ends_at, counts in ((now + timedelta(hours=1), True), (now - timedelta(seconds=1), False)):
        user = f.UserFactory()
        f.GithubIdentityFactory(user=user)
        backend = f.BackendMembershipFactory(user=user, ends_at=ends_at).backend
        org = f.OrgMembershipFactory(user=user, ends_at=ends_at).org
        member = f.ProjectMembershipFactory(user=user, ends_at=ends_at, roles=["ProjectDeveloper"])
        workspace = f.WorkspaceFactory(project=member.project)
        identity = sessions.identity_of(db, user.id)
        assert bool(identity.backends) is bool(identity.org_ids) is bool(identity.project_roles) is counts
        refusal = job_requests.why_not(db, workspace, backend, user.id, creation_disabled=False)
        assert (refusal is None) is counts
        assert bool(backend_queries.active_backends(db, for_user_id=user.id)) is counts
        seen = level4.person_named(db, user.username, backend.id)
        assert seen is not None
        assert seen.has_access is counts
        attempt = level4.attempt(db, user.username, backend.id, now).person
        assert attempt is not None
        assert attempt.has_access is counts
        assert (workspace.name in level4.permissions(db, user)["workspaces"]) is counts
        assert people.is_public(db, user.id) is counts
        assert bool(people.projects_of(db, user.id)) is counts
        assert bool(home.my_projects(db, identity)) is counts
        assert bool(settings_queries.projects(db, user.id)) is counts
        assert bool(settings_queries.backends(db, user.id)) is counts
        assert bool(settings_queries.orgs(db, user.id)) is counts
        assert bool(projects.members_of(db, member.project_id)) is counts
        assert projects.facts(db, member.project_id).members == int(counts)
        assert lists.projects_of(user.id).count(db) == int(counts)
        assert lists.organisations(of=identity).count(db) == int(counts)
        told = Told(
            AirlockEventType.SUBMITTED, workspace.name, f"request-{user.id}", user.username, user.username
        )
        caller = BackendCaller(backend.id, backend.slug, backend.name)
        if counts:
            assert release_requests.keep_event(db, caller, told)
        else:
            with pytest.raises(EventRefused):
                release_requests.keep_event(db, caller, told)
        db.commit()
        assert org.id is not None


def test_a_member_is_added_once_and_anew_after_the_end(db: Session) -> None:
    org, user, now = f.OrgFactory(), f.UserFactory(), utcnow()
    assert orgs.add_member(db, org, user, by=OPERATOR, ends_at=now + timedelta(days=1))
    assert not orgs.add_member(db, org, user, by=OPERATOR)
    assert affiliations.set_end(db, affiliations.ORGS, org, user, now - timedelta(days=1), by=OPERATOR)
    assert orgs.add_member(db, org, user, by=OPERATOR)
    assert affiliations.ends(db, affiliations.ORGS, user) == {org.id: None}
    assert orgs.remove_member(db, org, user, by=OPERATOR)
    assert not orgs.remove_member(db, org, user, by=OPERATOR)
    assert not affiliations.set_end(db, affiliations.ORGS, org, user, None, by=OPERATOR)
    backend = f.BackendFactory()
    assert backends.add_member(db, backend, user, by=OPERATOR)
    assert not affiliations.set_end(db, affiliations.BACKENDS, backend, user, None, by=OPERATOR)
    assert affiliations.remove(db, affiliations.BACKENDS, backend, user, by=OPERATOR)
    db.commit()


def test_two_people_can_add_the_same_member_at_the_same_moment(
    db: Session, session_factory: sessionmaker[Session]
) -> None:
    org, user = f.OrgFactory(), f.UserFactory()
    barrier, done = threading.Barrier(2), Counter[bool]()

    def add() -> None:
        with session_factory() as own:
            barrier.wait()
            theirs = own.get_one(type(org), org.id), own.get_one(User, user.id)
            done[orgs.add_member(own, *theirs, by=OPERATOR)] += 1
            own.commit()

    threads = [threading.Thread(target=add) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done == {True: 1, False: 1}
