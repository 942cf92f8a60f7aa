"""The built front end: which files an entry stands for."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Asset:
    """One entry of the build: its module script and its style sheets, as paths on this site."""

    script: str
    styles: tuple[str, ...]


class Manifest:
    """What Vite wrote into `.vite/manifest.json`."""

    def __init__(self, entries: dict[str, Any], base: str = "/static/dist/") -> None:
        self._entries = entries
        self._base = base

    @classmethod
    def load(cls, dist: Path) -> "Manifest":
        """Read the manifest. Raises FileNotFoundError with the remedy when the build never ran."""
        path = dist / ".vite" / "manifest.json"
        if not path.exists():
            raise FileNotFoundError(f"{path} is missing: build the front end (npm ci && npm run build)")
        return cls(json.loads(path.read_text(encoding="utf-8")))

    def asset(self, source: str) -> Asset:
        """The built files of a source. One that is not in the manifest raises LookupError."""
        if source not in self._entries:
            raise LookupError(f"the front end has no entry {source!r}; it has {', '.join(self._entries)}")
        entry = self._entries[source]
        return Asset(self._base + entry["file"], tuple(self._base + css for css in entry.get("css", ())))
