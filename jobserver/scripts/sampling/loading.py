"""Copying the sample into the database: everything in one transaction, or nothing."""

from collections import Counter
from collections.abc import Sequence
from itertools import count
from random import Random
from typing import Any

from psycopg import sql
from sqlalchemy import Engine, func, select, text
from sqlalchemy.orm import Session

from jobserver.actions.naming import Refused
from jobserver.models import ActionName, Backend, Base, Project, User
from jobserver.scripts.sampling.people import DOMAIN, people_and_places
from jobserver.scripts.sampling.plan import plan
from jobserver.scripts.sampling.releases import TABLES as _RELEASES
from jobserver.scripts.sampling.releases import Releases
from jobserver.scripts.sampling.requests import Requests
from jobserver.scripts.sampling.size import Size
from jobserver.scripts.sampling.trail import events_of_site

BACKENDS = {"tpp": "TPP", "emis": "EMIS"}
# In an order in which each table comes after those that it refers to.
_SITE = (
    "user",
    "github_identity",
    "org",
    "org_membership",
    "backend_membership",
    "project",
    "project_collaboration",
    "project_membership",
    "data_permission",
    "repo",
    "workspace",
)
_REQUESTS = ("job_request", "job", "cancellation", "happening", "auditable_event")


class Ids:
    """The next free id of each table, and at the end the tables' own counters."""

    def __init__(self, db: Session) -> None:
        self._db = db
        self._next: dict[str, Any] = {}

    def __call__(self, table: str) -> int:
        """An id that nothing in this table has."""
        if table not in self._next:
            last = self._db.scalar(select(func.max(Base.metadata.tables[table].c.id)))
            self._next[table] = count((last or 0) + 1)
        return int(next(self._next[table]))

    def settle(self) -> None:
        """Let rows that are made from now on come after ours."""
        for table, numbers in self._next.items():
            sequence = func.pg_get_serial_sequence(f'"{table}"', "id")
            self._db.execute(select(func.setval(sequence, next(numbers), False)))


def load(db: Session, size: Size) -> Counter[str]:
    """Load the sample in the session's transaction; how many rows of which table.

    :class:`~jobserver.actions.naming.Refused` if there are sample data already.
    """
    if db.scalar(select(User.id).where(func.lower(User.email).endswith(f"@{DOMAIN}")).limit(1)):
        raise Refused("database", "Sample data are there already. Load them into an empty database.")
    db.execute(text("SET LOCAL statement_timeout = 0"))
    random = Random(size.seed)  # noqa: S311 - nothing secret is made from it
    next_id = Ids(db)
    loaded: Counter[str] = Counter()
    backends = [_backend(db, slug, name) for slug, name in BACKENDS.items()]
    requests = plan(size, random)
    site = people_and_places(size, random, next_id, backends, _first_project_number(db))
    for table in _SITE:
        loaded[table] += _copy(db, table, site.rows[table])
    loaded["auditable_event"] += _copy(db, "auditable_event", events_of_site(site))
    maker = Requests(size, site, requests, backends, next_id, random)
    for rows in maker.chunks():
        for table in _REQUESTS:
            loaded[table] += _copy(db, table, rows.get(table, ()))
    came_out = Releases(size, site, requests, backends, next_id, random).all()
    for table in _RELEASES:
        loaded[table] += _copy(db, table, came_out[table])
    known = set(db.scalars(select(ActionName.name)))
    loaded["action_name"] += _copy(
        db, "action_name", [{"name": name} for name in sorted(maker.actions - known)]
    )
    next_id.settle()
    return loaded


def tidy(engine: Engine) -> None:
    """Let the database learn what the tables hold now, so that it plans as it would after years."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SET statement_timeout = 0"))
        for table in dict.fromkeys((*_SITE, *_REQUESTS, *_RELEASES, "action_name")):
            connection.execute(text(f'VACUUM (ANALYZE) "{table}"'))


def _backend(db: Session, slug: str, name: str) -> int:
    found = db.scalar(select(Backend.id).where(Backend.slug == slug))
    if found is None:
        backend = Backend(slug=slug, name=name, is_active=True)
        db.add(backend)
        db.flush()
        found = backend.id
    return found


def _first_project_number(db: Session) -> int:
    numbers = db.scalars(select(Project.number).where(Project.number.regexp_match("^[0-9]+$")))
    return max((int(number) for number in numbers if number), default=0) + 1


def _copy(db: Session, table: str, rows: Sequence[dict[str, object]]) -> int:
    """Copy rows, all of the same columns, by PostgreSQL's COPY."""
    if not rows:
        return 0
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, rows[0]))
    )
    connection = db.connection().connection.driver_connection
    assert connection is not None  # noqa: S101
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(tuple(row.values()))
    return len(rows)
