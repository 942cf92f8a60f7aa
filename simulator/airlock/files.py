"""Files that somebody asks to have released: a made-up set, or those of a folder."""

import hashlib
import io
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

# What Airlock lets out; nothing that begins with a dot.
RELEASABLE = (
    ".csv",
    ".html",
    ".jpeg",
    ".jpg",
    ".json",
    ".log",
    ".md",
    ".png",
    ".svg",
    ".svgz",
    ".txt",
)


@dataclass(frozen=True)
class OutputFile:
    """A file with its path inside the workspace; ``source`` is its place on disk or its bytes."""

    name: str
    size: int
    sha256: str
    date: str
    source: Path | bytes

    @classmethod
    def made(cls, name: str, content: bytes, at: datetime) -> "OutputFile":
        """A file that exists only here."""
        return cls(name, len(content), hashlib.sha256(content).hexdigest(), at.isoformat(), content)

    @classmethod
    def stored(cls, name: str, place: Path) -> "OutputFile":
        """A file on disk. Raises OSError."""
        with place.open("rb") as content:
            sha256 = hashlib.file_digest(content, "sha256").hexdigest()
        about = place.stat()
        date = datetime.fromtimestamp(about.st_mtime, UTC).isoformat()
        return cls(name, about.st_size, sha256, date, place)

    def open(self) -> IO[bytes]:
        """Its bytes, for reading once."""
        return io.BytesIO(self.source) if isinstance(self.source, bytes) else self.source.open("rb")


def made_up(request_id: str) -> list[OutputFile]:
    """A table, a drawing, a report and three difficult ones: empty, and with names that need care."""
    now = datetime.now(UTC)
    contents = {
        "output/table_one.csv": "group,patients\n18 to 39,1210\n40 to 64,2340\n65 and over,1980\n",
        "output/figures/exacerbations.svg": _DRAWING,
        "output/report.html": "<!doctype html><title>Asthma in adults</title><p>5,530 patients.\n",
        "output/notes with space.txt": f"For the release request {request_id}.\n",
        "output/empty.log": "",
        "output/naïve.txt": "A name outside ASCII.\n",
        'output/the "best" model.json': '{"rate_ratio": 1.32, "interval": [1.11, 1.57]}\n',
    }
    return [OutputFile.made(name, text.encode(), now) for name, text in contents.items()]


def in_folder(folder: Path) -> tuple[list[OutputFile], list[str]]:
    """The files below a folder by name, and the names of those that Airlock would not let out.

    Raises OSError.
    """
    taken, left = [], []
    for place in sorted(each for each in folder.rglob("*") if each.is_file()):
        name = place.relative_to(folder).as_posix()
        if place.name.startswith(".") or place.suffix.lower() not in RELEASABLE:
            left.append(name)
        else:
            taken.append(OutputFile.stored(name, place))
    return taken, left


_DRAWING = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 60" width="480" height="240">
<title>Exacerbations by age group</title>
<rect x="10" y="30" width="20" height="25" fill="#3a6ea5"/>
<rect x="50" y="18" width="20" height="37" fill="#3a6ea5"/>
<rect x="90" y="8" width="20" height="47" fill="#3a6ea5"/>
</svg>
"""
