"""The names of a set's files as a tree of folders: what of it is shown, and which file follows which."""

import re
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import takewhile
from typing import Any, Literal

from jobserver.queries.viewer import SetFile

Order = Literal["name", "date"]
# What is deeper is shown as a part of the name.
DEEPEST = 16
_DIGITS = re.compile("([0-9]+)")
BEGINNING = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class Leaf:
    """One file in its folder; ``path`` is its name in the set."""

    name: str
    path: str
    file: SetFile


@dataclass(slots=True)
class Folder:
    """One folder. ``count`` is of the files in it and below it, ``newest`` when the last of them came out."""

    name: str
    path: str
    folders: dict[str, "Folder"] = field(default_factory=dict)
    files: list[Leaf] = field(default_factory=list)
    count: int = 0
    newest: datetime = BEGINNING

    def entries(self, order: Order) -> "list[Folder | Leaf]":
        """What it holds: folders first, each by name, or with the newest first."""
        folders = sorted(self.folders.values(), key=lambda each: _as_read(each.name))
        files = sorted(self.files, key=lambda each: _as_read(each.name))
        if order == "date":
            folders.sort(key=lambda each: each.newest, reverse=True)
            files.sort(key=lambda each: each.file.released_at, reverse=True)
        return [*folders, *files]

    def leaves(self, order: Order) -> Iterator[Leaf]:
        """Every file in it and below it, in the order in which they are shown."""
        for entry in self.entries(order):
            if isinstance(entry, Leaf):
                yield entry
            else:
                yield from entry.leaves(order)


def _as_read(name: str) -> tuple[list[Any], str]:
    """What names are sorted by: capitals do not count, and table_9 comes before table_10."""
    parts: list[Any] = _DIGITS.split(name.casefold())
    parts[1::2] = [int(digits) for digits in parts[1::2]]
    return parts, name


def tree(files: Mapping[str, SetFile]) -> Folder:
    """The folder that all files have in common, with everything in it; its path is empty if there is none."""
    common = _common({path.rpartition("/")[0] for path in files})
    root = Folder("/".join(common), "/".join(common))
    known = {root.path: root}
    for path, file in files.items():
        folder, _, name = path.rpartition("/")
        within = known.get(folder)
        if within is None:
            within = _folder(root, len(common), folder, known)
        if within.path != folder:
            name = path[len(within.path) :].lstrip("/")
        within.files.append(Leaf(name, path, file))
    _count(root)
    return root


def _common(folders: Set[str]) -> list[str]:
    """The folders that all paths begin with: those that the first and the last of them share."""
    parts = [folder.split("/") if folder else [] for folder in folders]
    if not parts:
        return []
    pairs = takewhile(lambda pair: pair[0] == pair[1], zip(min(parts), max(parts), strict=False))
    return [name for name, _ in pairs][:DEEPEST]


def _folder(root: Folder, skipped: int, path: str, known: dict[str, Folder]) -> Folder:
    """The folder of this path, made with those above it; the deepest there may be if it is too deep."""
    at = root
    for name in path.split("/")[skipped : skipped + DEEPEST]:
        if name not in at.folders:
            at.folders[name] = Folder(name, f"{at.path}/{name}" if at.path else name)
        at = at.folders[name]
    known[path] = at
    return at


def _count(folder: Folder) -> None:
    for each in folder.folders.values():
        _count(each)
    dates = [each.file.released_at for each in folder.files]
    dates += [each.newest for each in folder.folders.values()]
    folder.count = len(folder.files) + sum(each.count for each in folder.folders.values())
    folder.newest = max(dates, default=BEGINNING)


def folder_at(root: Folder, path: str) -> Folder | None:
    """The folder of this path; of one above the folder that all files have in common that one."""
    if path and f"{root.path}/".startswith(f"{path}/"):
        return root
    at: Folder | None = root
    for name in path[len(root.path) :].strip("/").split("/"):
        at = at and at.folders.get(name)
    return at if at and at.path == path else None


def neighbours(leaves: Iterable[Leaf], path: str) -> tuple[Leaf | None, Leaf | None]:
    """The files before and after the one of this path."""
    before = None
    following = iter(leaves)
    for leaf in following:
        if leaf.path == path:
            return before, next(following, None)
        before = leaf
    return None, None


def matching(files: Mapping[str, SetFile], find: str) -> dict[str, SetFile]:
    """The files that have this text in their name in the set, folders included, in whatever case."""
    wanted = find.casefold()
    return {path: file for path, file in files.items() if wanted in path.casefold()}
