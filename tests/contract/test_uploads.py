"""Uploads of released files to the real web server, whatever happens on the way (spec: airlock 4.3, 12.21 to 12.24).

Each test leaves the server, which they share, as able as it was.
"""

import json
import os
import re
import resource
import socket
import struct
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPMessage, HTTPResponse
from pathlib import Path
from typing import Any, Self

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from jobserver import models as m
from jobserver.clients.storage import ReleaseStorage
from tests import factories as f
from tests.browser.conftest import System, free_port
from tests.conftest import ROOT
from tests.unit.rap.eventually import eventually

LIMIT = 16 * 1024 * 1024
CONTENT = b"group,count\na,10\n"
NAME = "output/summary.csv"


@pytest.fixture(scope="module")
def server(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """The web server as a program of its own."""
    folder, port = tmp_path_factory.mktemp("uploads"), free_port()
    environment = {
        **os.environ,
        "JOBSERVER_INI": str(ROOT / "development.ini"),
        "BASE_URL": f"http://127.0.0.1:{port}",
        "DATABASE_URL": postgres,
        "SECRET_KEY": "a key for uploads only",
        "DEBUG": "false",
        "RELEASE_STORAGE": str(folder / "releases"),
        "TMPDIR": str(folder),
    }
    running = System(f"http://127.0.0.1:{port}", None, environment, folder / "web.log")
    start(running)
    try:
        yield running
    finally:
        running.stop()


def start(server: System) -> None:
    server.start("web", "--host", "127.0.0.1", "--port", server.base_url.rsplit(":", 1)[1])
    server.wait_until_ready()


@dataclass(frozen=True)
class Answer:
    status: int
    headers: HTTPMessage
    body: bytes

    @property
    def detail(self) -> str:
        """What was said, which has to be the only thing in JSON."""
        assert self.headers["Content-Type"] == "application/json", (self.status, self.body)
        told = json.loads(self.body)
        assert list(told) == ["detail"]
        return str(told["detail"])


class Line:
    """A connection over which anything can be sent."""

    def __init__(self, server: System) -> None:
        host, port = server.base_url.removeprefix("http://").split(":")
        self.socket = socket.create_connection((host, int(port)), timeout=20)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, *parts: bytes) -> None:
        """The bytes, as far as the other side takes them."""
        with suppress(BrokenPipeError, ConnectionResetError):
            for part in parts:
                self.socket.sendall(part)

    def answer(self) -> Answer:
        with closing(HTTPResponse(self.socket)) as answer:
            answer.begin()
            return Answer(answer.status, answer.headers, answer.read())

    def rest(self) -> bytes:
        """All that still comes."""
        found = b""
        with suppress(ConnectionResetError):
            while part := self.socket.recv(65536):
                found += part
        return found

    def cut(self) -> None:
        """As if a cable was pulled and put back: the other side hears of a reset."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


class Airlock:
    """A checker in a backend, and a release whose files have not come yet."""

    def __init__(self, server: System, db: Session) -> None:
        self.server, self.db = server, db
        self.backend, self.token = f.backend_with_token(slug="tpp")
        self.checker = f.UserFactory(username="checker", roles=["OutputChecker"])
        f.BackendMembershipFactory(backend=self.backend, user=self.checker)
        workspace = f.WorkspaceFactory(name="study-a")
        self.release = f.ReleaseFactory(workspace=workspace, backend=self.backend)
        self.path = f"/api/v2/releases/release/{self.release.id}"
        self.storage = ReleaseStorage(Path(server.environment["RELEASE_STORAGE"]))

    def announce(self, name: str = NAME, content: bytes = CONTENT) -> m.ReleaseFile:
        file: m.ReleaseFile = f.ReleaseFileFactory(release=self.release, name=name, content=content)
        return file

    def place(self, name: str = NAME) -> str:
        """Where the file is to be, below the storage folder."""
        return f"study-a/releases/{self.release.id}/{name}"

    def head(self, *more: str, name: str = NAME) -> bytes:
        """The beginning of an upload, with these headers besides."""
        lines = [
            f"POST {self.path} HTTP/1.1",
            "Host: 127.0.0.1",
            f"Authorization: {self.token}",
            f"OS-User: {self.checker.username}",
            "Accept: application/json",
            f'Content-Disposition: attachment; filename="{name}"',
            *more,
        ]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    def upload(self, content: bytes = CONTENT, name: str = NAME) -> Answer:
        with Line(self.server) as line:
            line.send(self.head(f"Content-Length: {len(content)}", name=name), content)
            return line.answer()

    def upload_in_chunks(self, *chunks: bytes, name: str = NAME) -> Answer:
        with Line(self.server) as line:
            line.send(self.head("Transfer-Encoding: chunked", name=name), *map(chunk, chunks), chunk(b""))
            return line.answer()

    def has_come(self) -> dict[str, bool]:
        """The files of the release, and whether their rows say that they have come."""
        self.db.rollback()
        rows = self.db.execute(text("SELECT name, path <> '', uploaded_at IS NOT NULL FROM release_file"))
        found = {name: (has_path, has_time) for name, has_path, has_time in rows}
        assert all(has_path == has_time for has_path, has_time in found.values())
        return {name: has_time for name, (_, has_time) in found.items()}

    def assert_nothing_kept(self) -> None:
        """Neither a row nor the folder knows of an upload."""
        assert not any(self.has_come().values())
        assert (list(self.storage.paths()), self.storage.incoming()) == ([], [])

    def assert_kept(self, content: bytes = CONTENT) -> None:
        """The one file has come whole, and nothing else lies about."""
        assert self.has_come() == {NAME: True}
        assert list(self.storage.paths()) == [self.place()]
        assert (self.storage.root / self.place()).read_bytes() == content
        assert self.storage.incoming() == []


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


@pytest.fixture
def airlock(server: System, db: Session) -> Iterator[Airlock]:
    made = Airlock(server, db)
    yield made
    for path in made.storage.root.rglob("*"):
        if path.is_file() or path.is_symlink():
            path.unlink()


def wait_for_locks(engine: Engine, number: int) -> None:
    """Until so many requests wait for a lock."""
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND wait_event_type = 'Lock' AND application_name = 'jobserver-web'"
    )

    def count() -> Any:
        with engine.connect() as watcher:
            return watcher.scalar(waiting)

    eventually(lambda: count() == number, within=20)


def test_a_file_comes_in_chunks_or_whole_and_may_be_empty(airlock: Airlock) -> None:
    for name, content in ((NAME, CONTENT), ("empty.txt", b""), ("none.txt", b""), ("naïve.txt", CONTENT)):
        airlock.announce(name, content)
    assert airlock.upload_in_chunks(CONTENT[:1], CONTENT[1:]).status == 201
    assert airlock.upload_in_chunks(name="empty.txt").status == 201
    assert airlock.upload(b"", name="none.txt").status == 201
    answer = airlock.upload(name="naïve.txt")
    assert (answer.status, answer.body, answer.headers["Content-Length"]) == (201, b"", "0")
    assert answer.headers["Location"].endswith(f"/api/v2/releases/file/{answer.headers['File-Id']}")
    assert set(airlock.has_come().values()) == {True}
    assert airlock.storage.digest(airlock.place("empty.txt"))[1] == 0
    with airlock.storage.open(airlock.place("naïve.txt")) as file:
        assert file.read() == CONTENT


def test_a_connection_that_is_cut_leaves_nothing_and_the_repeat_works(airlock: Airlock) -> None:
    content = CONTENT * 100_000
    airlock.announce(content=content)
    half = content[: len(content) // 2]
    for header, begun in (
        (f"Content-Length: {len(content)}", half),
        ("Transfer-Encoding: chunked", chunk(half)),
        ("Transfer-Encoding: chunked", b"%x\r\n" % len(content) + half),
        (f"Content-Length: {len(content)}", b""),
    ):
        with Line(airlock.server) as line:
            line.send(airlock.head(header), begun)
            time.sleep(0.1)
            line.cut()
    # One who sends less than announced and then waits for what comes of it.
    with Line(airlock.server) as line:
        line.send(airlock.head(f"Content-Length: {len(content)}"), half)
        line.socket.shutdown(socket.SHUT_WR)
        assert not line.socket.recv(100).startswith(b"HTTP/1.1 2")
    airlock.assert_nothing_kept()
    assert airlock.upload(content).status == 201
    airlock.assert_kept(content)


def test_more_than_the_length_that_was_announced_is_no_part_of_the_file(airlock: Airlock) -> None:
    airlock.announce()
    with Line(airlock.server) as line:
        line.send(airlock.head(f"Content-Length: {len(CONTENT) - 1}"), CONTENT + b"\r\n\r\n")
        assert "bytes" in line.answer().detail
    airlock.assert_nothing_kept()
    with Line(airlock.server) as line:
        line.send(airlock.head(f"Content-Length: {len(CONTENT)}"), CONTENT + b"more\r\n\r\n")
        # What is left over is taken for another request, and is none.
        assert re.findall(rb"^HTTP/1\.\d (\d+)", line.rest(), re.MULTILINE) == [b"201", b"400"]
    airlock.assert_kept()


def test_bytes_are_counted_while_they_come(airlock: Airlock) -> None:
    airlock.announce(content=bytes(LIMIT))
    piece = bytes(1024 * 1024)
    answer = airlock.upload_in_chunks(*[piece] * 16, b"x")
    assert (answer.status, "too large" in answer.detail) == (400, True)
    answer = airlock.upload(bytes(LIMIT + 1))
    assert (answer.status, "too large" in answer.detail) == (400, True)
    # One who never ends is interrupted.
    with Line(airlock.server) as line:
        line.send(airlock.head("Transfer-Encoding: chunked"), *[chunk(piece)] * 40)
        answer = line.answer()
        assert (answer.status, "Large" in answer.detail) == (413, True)
    airlock.assert_nothing_kept()
    assert airlock.upload_in_chunks(*[piece] * 16).status == 201
    airlock.assert_kept(bytes(LIMIT))


def test_of_two_uploads_of_a_file_at_the_same_time_one_is_told_that_it_is_there(
    airlock: Airlock, engine: Engine
) -> None:
    airlock.announce()
    with ThreadPoolExecutor(2) as pool:
        with engine.connect() as holder:
            holder.execute(text("SELECT 1 FROM release_file FOR UPDATE"))
            both = [pool.submit(airlock.upload) for _ in range(2)]
            wait_for_locks(engine, 2)
            assert len(airlock.storage.incoming()) == 2
        answers = {each.result(20).status: each.result(20) for each in both}
    assert sorted(answers) == [201, 400]
    assert answers[400].detail == f"This version of '{NAME}' has already been uploaded from backend 'tpp'"
    airlock.assert_kept()


def test_of_the_last_two_files_at_the_same_time_one_makes_the_release_whole(
    airlock: Airlock, engine: Engine
) -> None:
    """Neither may miss the other (spec: airlock 12.28)."""
    names = [airlock.announce(name).name for name in ("a.csv", "b.csv")]
    with ThreadPoolExecutor(2) as pool:
        with engine.connect() as holder:
            holder.execute(text("SELECT 1 FROM release FOR UPDATE"))
            both = [pool.submit(airlock.upload, name=name) for name in names]
            wait_for_locks(engine, 2)
        assert [each.result(20).status for each in both] == [201, 201]
    airlock.db.rollback()
    kinds = airlock.db.scalars(text("SELECT type FROM auditable_event")).all()
    assert kinds == ["release_uploaded"]


@pytest.mark.parametrize(
    ("lock", "placed", "incoming"),
    [
        ("LOCK TABLE auditable_event IN SHARE MODE", True, 0),
        ("SELECT 1 FROM release_file FOR UPDATE", False, 1),
    ],
    ids=["file in its place and row not committed", "file received"],
)
def test_the_repeat_repairs_what_a_killed_server_left(
    airlock: Airlock, server: System, engine: Engine, lock: str, placed: bool, incoming: int
) -> None:
    airlock.announce()
    with ThreadPoolExecutor(1) as pool, engine.connect() as holder:
        holder.execute(text(lock))
        sending = pool.submit(airlock.upload)
        wait_for_locks(engine, 1)
        server.kill("web")
        with pytest.raises(ConnectionError):
            sending.result(20)
    wait_for_locks(engine, 0)
    assert airlock.has_come() == {NAME: False}
    assert (list(airlock.storage.paths()) == [airlock.place()]) == placed
    left = airlock.storage.incoming()
    assert len(left) == incoming
    start(server)
    assert airlock.upload().status == 201
    # What was left on its way is nobody's any more; `releases verify --clean` removes it.
    for each in left:
        each.unlink()
    airlock.assert_kept()


@contextmanager
def little_room(server: System, size: int) -> Iterator[None]:
    """The server cannot make a file larger than this, as if the disk was full then."""
    pid = server.processes["web"].pid
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("size", [400_000, 3_000_000], ids=["in its place", "where larger bodies wait"])
def test_a_full_disk_is_said_and_later_there_is_room_again(airlock: Airlock, size: int) -> None:
    content = bytes(size)
    airlock.announce(content=content)
    with little_room(airlock.server, 300_000):
        for _ in range(2):
            answer = airlock.upload(content)
            assert (answer.status, "already" in answer.detail) == (507, False)
        assert airlock.upload_in_chunks(content).status == 507
        airlock.assert_nothing_kept()
    assert airlock.upload(content).status == 201
    airlock.assert_kept(content)


def test_a_link_in_the_folder_leads_nowhere(airlock: Airlock, tmp_path: Path) -> None:
    airlock.announce()
    place = airlock.storage.root / airlock.place()
    place.parent.parent.mkdir(parents=True)
    place.parent.symlink_to(tmp_path)
    answer = airlock.upload()
    assert (answer.status, str(tmp_path) in answer.detail) == (503, False)
    assert list(tmp_path.iterdir()) == []
    airlock.db.rollback()
    assert airlock.has_come() == {NAME: False}
    place.parent.unlink()
    assert airlock.upload().status == 201
    airlock.assert_kept()


def test_headers_that_come_twice_or_too_large_are_refused_as_json(airlock: Airlock) -> None:
    airlock.announce()
    length = f"Content-Length: {len(CONTENT)}"
    for doubled, status in (
        (f"Authorization: {airlock.token}", 403),
        (f"OS-User: {airlock.checker.username}", 403),
        (f'Content-Disposition: attachment; filename="{NAME}"', 400),
        ("Content-Length: 3", 400),
        ("Transfer-Encoding: gzip", 501),
        ("X-Odd: \0", 400),
        (f'Content-Disposition: attachment; filename="{"x" * 20_000}"', 400),
        (f"X-Filler: {'x' * 300_000}", 431),
    ):
        with Line(airlock.server) as line:
            line.send(airlock.head(length, doubled), CONTENT)
            answer = line.answer()
            assert (answer.status, bool(answer.detail)) == (status, True), doubled[:60]
    with Line(airlock.server) as line:
        line.send(airlock.head("Transfer-Encoding: chunked"), b"zz\r\n")
        assert "chunk" in line.answer().detail
    airlock.assert_nothing_kept()
    assert airlock.upload().status == 201


def test_fifty_megabytes_of_json_are_refused_before_they_are_read(airlock: Airlock) -> None:
    body = b'{"user":"' + b"x" * 50_000_000
    for path in ("/api/v2/releases/authenticate", "/api/v2/releases/workspace/study-a", "/api/v2/jobs/"):
        for length, sent in ((len(body), body), (9_000_000, body[:9_000_000])):
            with Line(airlock.server) as line:
                head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {airlock.token}\r\nOS-User: checker"
                head += f"\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
                line.send(head.encode(), sent)
                answer = line.answer()
                assert (answer.status, bool(answer.detail)) == (413, True), (path, length)


def test_twenty_large_files_at_once_are_not_held_in_memory(airlock: Airlock) -> None:
    content = os.urandom(LIMIT)
    for number in range(20):
        airlock.announce(str(number), content)
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda number: airlock.upload(content, str(number)), range(20)))
    assert {answer.status for answer in answers} == {201}
    status = Path(f"/proc/{airlock.server.processes['web'].pid}/status").read_text()
    peak = int(status.partition("VmHWM:")[2].split()[0]) / 1024
    assert peak < 250
