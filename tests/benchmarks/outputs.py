"""The viewer over a release of 10,000 files, and over one with a CSV of 1,000,000 rows.

Each page is asked for once before it is measured. Memory is the most that the process held during a page, above
what it held before the first.
"""

import hashlib
import tempfile
from pathlib import Path
from urllib.parse import urlencode

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from jobserver.actions import releases
from jobserver.actions.releases import Announced
from jobserver.models import Backend, ReleaseFile, User, Workspace, utcnow
from tests.benchmarks.measuring import Figures, Visitor
from tests.benchmarks.pages import STATEMENTS, Page
from tests.benchmarks.sights import Sights, sights
from tests.benchmarks.stack import Databases, Served, served
from tests.benchmarks.table import print_line, verdict

FILES, ROWS = 10_000, 1_000_000
OPENS_MS, MOST_MEGABYTES = 300.0, 50.0
# What was asked for on top of opening: reading every row of the file, sorting or comparing them.
SORTS_MS = 3_000.0
LONG = "output/long.csv"


def measure_outputs(databases: Databases, sample: str, rounds: int) -> bool:
    """Print what each page takes and holds; whether they all answered as they should."""
    with tempfile.TemporaryDirectory(prefix="bench-outputs-") as folder, databases.copy(sample) as address:
        with served(address, folder) as server:
            seen = sights(server.engine)
            many, long, later = _fill(server.engine, seen, Path(folder))
        answered = [_measure(address, folder, page, rounds) for page in _pages(seen, many, long, later)]
        return all(answered)


def _pages(seen: Sights, many: str, long: str, later: str) -> list[Page]:
    releases_, csv = f"{seen.workspace}releases/", f"{seen.workspace}releases/{long}/{LONG}/"

    def page(name: str, path: str, most: float = OPENS_MS, **query: str) -> Page:
        return Page(name, f"{path}?{urlencode(query)}" if query else path, "checker", most)

    return [
        page("10,000 files", f"{releases_}{many}/"),
        page("10,000 files, one open", f"{releases_}{many}/output/part_17/table_7777.csv/"),
        page("10,000 files, a search", f"{releases_}{many}/", find="table_77"),
        page("10,000 files, by date", f"{releases_}{many}/", by="date"),
        page("10,000 files, latest outputs", f"{seen.workspace}outputs/latest/"),
        page("10,000 files, list of releases", releases_, 50.0),
        page("1,000,000 rows", csv),
        page("1,000,000 rows, in the middle", csv, rows="500"),
        page("1,000,000 rows, the last", csv, rows="1000"),
        page("1,000,000 rows, sorted", csv, SORTS_MS, sort="-2"),
        page("1,000,000 rows, filtered", csv, SORTS_MS, q="99999"),
        page("1,000,000 rows, compared", f"{releases_}{later}/compare/", SORTS_MS),
    ]


def _measure(address: str, folder: str, page: Page, rounds: int) -> bool:
    """One page in a process of its own, so that nobody else's memory is counted."""
    with served(address, folder) as server:
        seen = sights(server.engine)
        visitor, figures = Visitor(server, seen), Figures()
        # An answer of a few kilobytes, for what the first request of any kind brings with it.
        visitor.warm(Page("idle", "/settings/", "checker"))
        visitor.warm(Page("idle", seen.workspace, "checker"))
        idle = server.memory
        _forget_peak(server)
        visitor.warm(page)
        for _ in range(rounds):
            visitor.note(page, figures)
        held = _peak(server) - idle
    if figures.status != page.expected:
        print_line(f"{page.name:<40} answered {figures.status}: {page.path}")
        return False
    print_line(verdict(f"{page.name} ({figures.statements} SQL)", figures.ms, page.most_ms, "ms"))
    print_line(verdict(f"{page.name}, above idle", held, MOST_MEGABYTES, "MB"))
    return figures.statements <= STATEMENTS


def _forget_peak(server: Served) -> None:
    Path(f"/proc/{server.pid}/clear_refs").write_text("5")


def _peak(server: Served) -> float:
    """Megabytes that the process held at most since the peak was forgotten."""
    for line in Path(f"/proc/{server.pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("the system does not tell how much memory the process held")


def _fill(engine: Engine, seen: Sights, storage: Path) -> tuple[str, str, str]:
    """A release of many files and one with a long one, in the busiest workspace: their ids.

    And where a later version of the long one is, in which a row near each end has changed.
    """
    name = seen.workspace.strip("/").rpartition("/")[2]
    with Session(engine) as db:
        workspace = db.query(Workspace).filter_by(name=name).one()
        backend, user = db.query(Backend).first(), db.query(User).first()
        assert backend is not None
        assert user is not None
        small = b"variable,count\n" + b"age,120\nsex,7\n" * 20
        files = {f"output/part_{n % 20}/table_{n}.csv": small for n in range(FILES)}
        long = b"id,value,text\n" + b"".join(b"%d,%d,%d\n" % (n, n * 7919 % ROWS, n % 7) for n in range(ROWS))
        other = long.replace(b"\n7,", b"\n7,1").replace(b"\n999990,", b"\n999990,1")
        many, one, later = [
            _release(db, storage, workspace, backend.id, user, contents)
            for contents in (files, {LONG: long, "output/small.csv": small}, {LONG: other})
        ]
        file = db.query(ReleaseFile.id).filter_by(release_id=later).scalar()
        db.commit()
    return many, one, f"{later}/{file}"


def _release(
    db: Session, storage: Path, workspace: Workspace, backend_id: int, user: User, contents: dict[str, bytes]
) -> str:
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    files = [
        Announced(name, name, len(content), digests[name], utcnow(), {"tool": "airlock"})
        for name, content in contents.items()
    ]
    id_ = releases.create(db, workspace=workspace, backend_id=backend_id, files=files, by=user)
    for file in db.query(ReleaseFile).filter_by(release_id=id_):
        file.path = releases.place_of(workspace.name, id_, file.name)
        file.uploaded_at, file.uploaded_by_id = utcnow(), user.id
        place = storage / file.path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(contents[file.name])
    return id_
