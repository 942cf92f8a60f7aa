"""Uploads of released files over HTTP, beside ``cp`` and ``sha256sum`` of the same file on the same disk.

``cp`` leaves the copy to the system's cache; an upload is only answered once the disk has it. What ``cp`` takes
until the disk has its copy is printed for comparison and counts for nothing.
"""

import hashlib
import secrets
import subprocess
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from statistics import median

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from jobserver.actions import releases
from jobserver.actions.releases import Announced
from jobserver.models import Backend, User, Workspace, utcnow
from jobserver.security import tokens
from tests.benchmarks.stack import Databases, Served, served
from tests.benchmarks.table import print_line, verdict

SIZE = 16 * 1024 * 1024
AT_ONCE = 20
LEAST_SPEED, MOST_MEGABYTES = 0.5, 250
BLOCK = 256 * 1024


@dataclass(frozen=True)
class Upload:
    """A release whose files, ``0.bin`` and so on, all have the content of one file."""

    file: Path
    release: str
    headers: dict[str, str]
    server: Served

    def send(self, number: int) -> float:
        """Seconds that the file of this number took; a connection of its own for each."""
        began = time.perf_counter()
        connection = HTTPConnection("127.0.0.1", self.server.port, timeout=60, blocksize=BLOCK)
        headers = {**self.headers, "Content-Disposition": f'attachment; filename="{number}.bin"'}
        with self.file.open("rb") as content:
            connection.request("POST", f"/api/v2/releases/release/{self.release}", content, headers)
        answer = connection.getresponse()
        told = answer.read()
        connection.close()
        if answer.status != 201:
            raise RuntimeError(f"an upload was answered with {answer.status}: {told!r}")
        return time.perf_counter() - began


def measure_uploads(databases: Databases, sample: str, rounds: int) -> bool:
    """Print how fast files arrive and what the process holds meanwhile; whether all have arrived."""
    with tempfile.TemporaryDirectory(prefix="bench-uploads-") as folder, databases.copy(sample) as address:
        file, storage = Path(folder) / "file.bin", Path(folder) / "storage"
        file.write_bytes(secrets.token_bytes(SIZE))
        with served(address, str(storage)) as server:
            upload = _announce(server, file, rounds + 1 + AT_ONCE)
            _speed(upload, Path(folder), rounds)
            with ThreadPoolExecutor(AT_ONCE) as pool:
                began = time.perf_counter()
                list(pool.map(upload.send, range(rounds + 1, rounds + 1 + AT_ONCE)))
                took = time.perf_counter() - began
            print_line(verdict(f"uploads: {AT_ONCE} at once, memory", _peak(server), MOST_MEGABYTES, "MB"))
            print_line(f"uploads: {AT_ONCE} at once took {took:.1f} s, {AT_ONCE * 16 / took:.0f} MiB/s")
            return _all_have_come(server.engine, upload.release)


def _speed(upload: Upload, folder: Path, rounds: int) -> None:
    copy = folder / "copy.bin"
    upload.send(rounds)
    sums, synced, times = [], [], []
    for number in range(rounds):
        times.append(upload.send(number))
        sums.append(_seconds(lambda: _run("cp", upload.file, copy), lambda: _run("sha256sum", copy)))
        copy.unlink()
        synced.append(
            _seconds(
                lambda: _run("cp", upload.file, copy),
                lambda: _run("sync", copy),
                lambda: _run("sha256sum", copy),
            )
        )
        copy.unlink()
    ours, theirs = median(times), median(sums)
    print_line(
        f"uploads: 16 MiB in {ours * 1000:.0f} ms; cp and sha256sum {theirs * 1000:.0f} ms, "
        f"with sync {median(synced) * 1000:.0f} ms"
    )
    good = theirs / ours >= LEAST_SPEED
    print_line(f"{'uploads: speed, of cp and sha256sum':<40} {theirs / ours:>8.2f} (at least {LEAST_SPEED})  "
               f"{'ok' if good else 'OVER'}")  # fmt: skip


def _seconds(*steps: Callable[[], None]) -> float:
    began = time.perf_counter()
    for step in steps:
        step()
    return time.perf_counter() - began


def _run(*command: str | Path) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _peak(server: Served) -> float:
    """Megabytes that the process held at most since it began."""
    for line in Path(f"/proc/{server.pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("the system does not tell how much memory the process held")


def _announce(server: Served, file: Path, number: int) -> Upload:
    token = tokens.new_backend_token()
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    with Session(server.engine, expire_on_commit=False) as db:
        backend = Backend(slug="uploads", name="Uploads", is_active=True, token_digest=tokens.digest(token))
        user = User(
            username="uploads", fullname="Somebody", email="uploads@example.org", roles=["OutputChecker"]
        )
        db.add_all([backend, user])
        db.flush()
        db.execute(
            text("INSERT INTO backend_membership (backend_id, user_id, created_at) VALUES (:b, :u, now())"),
            {"b": backend.id, "u": user.id},
        )
        workspace = db.query(Workspace).first()
        assert workspace is not None
        files = [
            Announced(f"{each}.bin", f"{each}.bin", file.stat().st_size, sha256, utcnow(), {})
            for each in range(number)
        ]
        release = releases.create(db, workspace=workspace, backend_id=backend.id, files=files, by=user)
        db.commit()
    headers = {"Authorization": token, "OS-User": user.username, "Content-Length": str(file.stat().st_size)}
    return Upload(file, release, headers, server)


def _all_have_come(engine: Engine, release: str) -> bool:
    missing = text("SELECT count(*) FROM release_file WHERE release_id = :id AND uploaded_at IS NULL")
    with engine.connect() as connection:
        return connection.scalar(missing, {"id": release}) == 0
