"""How migrations run: one run at a time, with time limits that a running site can bear.

Spec: operations 9.5. A statement that cannot get its lock within four seconds fails and
nothing is changed; the operator repeats it. Models are never imported into a migration.
"""

from alembic import context
from sqlalchemy import Connection, text

from jobserver.models import Base

MIGRATION_LOCK = 7_301_215


def run(connection: Connection) -> None:
    """Bring the database of the connection to the wanted revision."""
    # A run before this one may take long.
    connection.execute(text("SET lock_timeout = 0"))
    connection.execute(text("SET statement_timeout = 0"))
    connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": MIGRATION_LOCK})
    connection.execute(text("SET lock_timeout = '4s'"))
    connection.execute(text("SET statement_timeout = '60s'"))
    connection.commit()
    try:
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            compare_type=True,
            transaction_per_migration=True,
            include_name=lambda name, kind, _parents: (
                not (kind == "table" and (name or "").startswith("procrastinate_"))
            ),
        )
        with context.begin_transaction():
            context.run_migrations()
    finally:
        connection.rollback()
        connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": MIGRATION_LOCK})
        connection.commit()


run(context.config.attributes["connection"])
