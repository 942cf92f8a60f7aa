"""What the simulated world remembers between two starts: one SQLite file in the data directory."""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    identifier TEXT NOT NULL UNIQUE,
    rap_id TEXT NOT NULL,
    backend TEXT NOT NULL,
    workspace TEXT NOT NULL,
    repo_url TEXT NOT NULL,
    commit_sha TEXT NOT NULL,
    action TEXT NOT NULL,
    run_command TEXT NOT NULL,
    requires_db INTEGER NOT NULL,
    wait_for TEXT NOT NULL,
    status TEXT NOT NULL,
    code TEXT NOT NULL,
    message TEXT NOT NULL,
    created_at REAL NOT NULL,
    updated_at REAL NOT NULL,
    started_at REAL,
    completed_at REAL,
    cancelled INTEGER NOT NULL DEFAULT 0,
    progress REAL NOT NULL DEFAULT 0,
    seconds REAL NOT NULL,
    outcome TEXT NOT NULL,
    outcome_message TEXT,
    metrics TEXT NOT NULL DEFAULT '{}',
    traceparent TEXT NOT NULL,
    UNIQUE (rap_id, action)
);
CREATE INDEX IF NOT EXISTS jobs_active ON jobs (backend) WHERE status IN ('pending', 'running');
CREATE TABLE IF NOT EXISTS backends (
    slug TEXT PRIMARY KEY,
    last_seen REAL,
    agent INTEGER NOT NULL DEFAULT 1,
    paused INTEGER NOT NULL DEFAULT 0,
    paused_since REAL,
    maintenance TEXT,
    maintenance_since REAL
);
CREATE TABLE IF NOT EXISTS oauth_codes (
    code TEXT PRIMARY KEY, client_id TEXT NOT NULL, login TEXT NOT NULL, redirect_uri TEXT NOT NULL,
    scope TEXT NOT NULL, challenge TEXT NOT NULL, at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS oauth_tokens (token TEXT PRIMARY KEY, login TEXT NOT NULL, scope TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS issues (
    repository TEXT NOT NULL, number INTEGER NOT NULL, title TEXT NOT NULL, body TEXT NOT NULL,
    state TEXT NOT NULL, labels TEXT NOT NULL, created_at REAL NOT NULL, updated_at REAL NOT NULL,
    PRIMARY KEY (repository, number)
);
CREATE TABLE IF NOT EXISTS comments (
    id INTEGER PRIMARY KEY, repository TEXT NOT NULL, number INTEGER NOT NULL, body TEXT NOT NULL,
    at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS posts (
    id INTEGER PRIMARY KEY, at REAL NOT NULL, channel TEXT NOT NULL, text TEXT NOT NULL, body TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS mails (
    id INTEGER PRIMARY KEY, at REAL NOT NULL, sender TEXT NOT NULL, recipients TEXT NOT NULL,
    content BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


class Store:
    """A connection that threads take turns to use."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = OFF")
        self._connection.executescript(SCHEMA)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; other threads wait. May be nested: the outermost one decides."""
        with self._lock:
            if self._connection.in_transaction:
                yield
                return
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def rows(self, statement: str, *values: object) -> list[sqlite3.Row]:
        """All rows of the answer."""
        with self._lock:
            return self._connection.execute(statement, values).fetchall()

    def row(self, statement: str, *values: object) -> sqlite3.Row | None:
        """The first row of the answer, if any."""
        rows = self.rows(statement, *values)
        return rows[0] if rows else None

    def run(self, statement: str, *values: object) -> int:
        """Carries out a change and tells the id of the row last inserted."""
        with self._lock:
            return self._connection.execute(statement, values).lastrowid or 0

    def setting(self, name: str, default: Any = None) -> Any:
        """A remembered setting."""
        row = self.row("SELECT value FROM settings WHERE name = ?", name)
        return default if row is None else json.loads(row["value"])

    def set_setting(self, name: str, value: Any) -> None:
        """Remembers a setting."""
        self.run("INSERT OR REPLACE INTO settings VALUES (?, ?)", name, json.dumps(value))

    def forget_setting(self, name: str) -> None:
        """Goes back to the setting's default."""
        self.run("DELETE FROM settings WHERE name = ?", name)

    def close(self) -> None:
        """Ends the connection; the store cannot be used afterwards."""
        with self._lock:
            self._connection.close()
