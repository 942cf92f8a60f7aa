"""Output paths (spec: rap 8.1) and whether two of them may name the same file."""

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePosixPath, PureWindowsPath

HIGHLY, MODERATELY, MINIMALLY = "highly_sensitive", "moderately_sensitive", "minimally_sensitive"
LEVELS = (HIGHLY, MODERATELY, MINIMALLY)
RELEASABLE_TYPES = (
    ".csv", ".jpg", ".jpeg", ".png", ".svg", ".svgz", ".html", ".txt", ".log", ".json", ".md",
)  # fmt: skip


@dataclass(frozen=True)
class Output:
    """One output of an action: a path inside the workspace, in which `*` is a wildcard."""

    level: str
    name: str
    path: str
    line: int


def broken_rules(path: str, level: str) -> Iterator[tuple[str, str]]:
    """Letter and reason of each rule of 8.1 that the path breaks, in order."""
    suffix = _suffix(path)
    if "\\" in path:
        yield "a", r"use `/`, not `\`"
    if "**" in path or "?" in path or "[" in path:
        yield "b", "only `*` may be used as a wildcard"
    if not suffix or suffix.endswith("*"):
        yield "c", "it must end in a file extension"
    elif level == MODERATELY and suffix not in RELEASABLE_TYPES:
        yield "d", f"the file type is not allowed for {MODERATELY}; use one of {', '.join(RELEASABLE_TYPES)}"
    if ".." in path.split("/"):
        # The controller lets a leading `../` pass; a path out of the workspace is refused here all the same.
        yield "e", "it must not contain `..`"
    elif posixpath.normpath(path) != path:
        yield "e", "it must be in its simplest form, without `./`, `//` or a final `/`"
    if path.split("/")[0] == "metadata":
        yield "f", "`metadata/` is reserved"
    if PurePosixPath(path).is_absolute() or PureWindowsPath(path).is_absolute():
        yield "g", "it must be relative to the study's folder"


def _suffix(path: str) -> str:
    """The file extension with its dot; nothing for `x`, `.csv` and `x.`."""
    stem, dot, extension = path.rpartition("/")[2].rpartition(".")
    return dot + extension if stem and extension else ""


def overlap(one: str, other: str) -> bool:
    """Whether some file matches both patterns (`*` does not cross `/` here)."""
    parts, others = one.split("/"), other.split("/")
    return len(parts) == len(others) and all(map(_segments_overlap, parts, others))


def _segments_overlap(one: str, other: str) -> bool:
    if "*" not in one:
        return fnmatchcase(one, other)
    if "*" not in other:
        return fnmatchcase(other, one)
    # Both have a wildcard: what stands between can be stretched to suit both, so only the ends matter.
    start, other_start = one.partition("*")[0], other.partition("*")[0]
    end, other_end = one.rpartition("*")[2], other.rpartition("*")[2]
    return (start.startswith(other_start) or other_start.startswith(start)) and (
        end.endswith(other_end) or other_end.endswith(end)
    )
