"""Two people who make or edit projects at the same moment (spec: staff 17.36)."""

import threading
from collections import Counter
from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from jobserver.actions import memberships, projects
from jobserver.actions.naming import Taken
from jobserver.models import Org, Project, ProjectMembership, User
from jobserver.queries.staff.project_page import next_number
from tests import factories as f


def both(session_factory: sessionmaker[Session], act: Callable[[Session, int], None]) -> Counter[str]:
    """What comes of it when two do so at once."""
    barrier = threading.Barrier(2)
    outcomes: list[str] = []

    def run(number: int) -> None:
        with session_factory() as session:
            barrier.wait()
            try:
                act(session, number)
                session.commit()
                outcomes.append("done")
            except Taken as taken:
                outcomes.append(taken.field)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Counter(outcomes)


def test_one_of_two_gets_the_number_and_the_other_is_told(
    session_factory: sessionmaker[Session], db: Session
) -> None:
    f.ProjectFactory(number="41")
    f.ProjectFactory(number="POS-2026-3001")
    assert next_number(db) == 42
    author, org = f.UserFactory().id, f.OrgFactory().id

    def create(session: Session, number: int) -> None:
        projects.create(
            session,
            by=session.get_one(User, author),
            name=f"Project of {number}",
            number="42",
            org=session.get_one(Org, org),
        )

    assert both(session_factory, create) == {"done": 1, "number": 1}
    db.commit()
    assert next_number(db) == 43


def test_one_of_two_adds_the_member(session_factory: sessionmaker[Session], db: Session) -> None:
    author, user, project = f.UserFactory().id, f.UserFactory().id, f.ProjectFactory().id

    def add(session: Session, _number: int) -> None:
        memberships.add_all(
            session,
            session.get_one(Project, project),
            [session.get_one(User, user)],
            by=session.get_one(User, author),
        )

    assert both(session_factory, add) == {"done": 1, "users": 1}
    assert len(db.scalars(select(ProjectMembership)).all()) == 1


def test_the_first_number_is_one(db: Session) -> None:
    assert next_number(db) == 1
