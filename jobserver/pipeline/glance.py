"""What needs what in a long `project.yaml`, without reading all of it.

A file of thousands of actions takes seconds to read as YAML, which a page cannot wait for. Nearly all such
files are written by programs, in one plain form. Only that form is understood here: a mapping of actions in
block style, and `needs` as a list of plain names. Whoever meets anything else learns nothing.
"""

import re

_NAME = r"[A-Za-z0-9_][A-Za-z0-9_.-]*"
_KEY = re.compile(rf"""(["']?)({_NAME})\1:(?:\s+(.*))?$""")
_ITEM = re.compile(rf"""(["']?)({_NAME})\1$""")
_COMMENT = re.compile(r"\s+#.*$")


class _Unclear(Exception):
    """The file is not in the one form that is understood."""


def needs_at_a_glance(text: str) -> dict[str, tuple[str, ...]]:
    """What each action needs, by name, sorted; empty if that cannot be told without reading the YAML."""
    try:
        return _Glance(text.splitlines()).actions()
    except _Unclear:
        return {}


class _Glance:
    """Reads lines by their indentation. What belongs to a key is indented deeper than the key, always."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
        self.found: dict[str, tuple[str, ...]] = {}

    def actions(self) -> dict[str, tuple[str, ...]]:
        starts = [at for at, line in enumerate(self.lines) if line.rstrip() == "actions:"]
        if len(starts) != 1 or any(line.startswith(("---", "...", "%")) for line in self.lines[1:]):
            raise _Unclear
        for action, at, end in self._keys(starts[0] + 1, self._end(starts[0] + 1, 1)):
            if action in self.found or self._value(at):
                raise _Unclear
            inner = list(self._keys(at + 1, end))
            needs = [key for key in inner if key[0] == "needs"]
            if len(needs) > 1:
                raise _Unclear
            self.found[action] = self._names(*needs[0][1:]) if needs else ()
        return self.found

    def _end(self, at: int, indent: int) -> int:
        """Where the lines that are indented so far or further end."""
        while at < len(self.lines) and _indent(self.lines[at]) >= indent:
            at += 1
        return at

    def _keys(self, at: int, end: int) -> list[tuple[str, int, int]]:
        """The keys of the block from ``at`` to ``end``: name, line, and where what belongs to it ends."""
        if at >= end:
            return []
        indent = _indent(self.lines[at])
        found: list[tuple[str, int, int]] = []
        while at < end:
            key = _KEY.match(self.lines[at].strip()) if _indent(self.lines[at]) == indent else None
            if key is None:
                raise _Unclear
            # The items of a list may stand as far left as their key.
            after = at + 1
            while after < end and (
                _indent(self.lines[after]) > indent
                or (_indent(self.lines[after]) == indent and self.lines[after].lstrip().startswith("- "))
            ):
                after += 1
            found.append((key[2], at, after))
            at = after
        return found

    def _value(self, at: int) -> str:
        key = _KEY.match(self.lines[at].strip())
        return _COMMENT.sub("", f" {(key and key[3]) or ''}").strip()

    def _names(self, at: int, end: int) -> tuple[str, ...]:
        """The names in the value of `needs`, in brackets or as items."""
        rest = [_COMMENT.sub("", line).strip() for line in self.lines[at + 1 : end]]
        joined = " ".join([self._value(at), *rest]).strip()
        if joined.startswith("[") and joined.endswith("]"):
            items = joined[1:-1].strip().removesuffix(",").split(",") if joined[1:-1].strip() else []
        elif all(line.startswith("- ") for line in rest) and not self._value(at):
            items = [line[2:] for line in rest]
        else:
            raise _Unclear
        names = [_ITEM.match(item.strip()) for item in items]
        if not all(names):
            raise _Unclear
        return tuple(sorted({name[2] for name in names if name}))


def _indent(line: str) -> int:
    if "\t" in line[: len(line) - len(line.lstrip())]:
        raise _Unclear
    return len(line) - len(line.lstrip())
