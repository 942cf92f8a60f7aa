"""JSON as a tree that folds: a list of what opens, stands and closes, so that no depth is too much."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from jobserver.contents.text import visible

# Bytes of a file; values on a page; levels that fold; characters of one value.
LARGEST = 500_000
MOST_VALUES = 5_000
DEEPEST = 50
LONGEST = 1_000
# Beneath the first level, what has at most so many values is open from the start.
FEW = 20


class NotJson(Exception):
    """The text is no JSON, or cannot be shown as such. The message is a sentence for people."""


class Entry(NamedTuple):
    """A line of the tree.

    ``open`` begins a folder, which ``close`` ends; ``value`` stands alone. ``key`` is the name or, in a list,
    the place from 0; ``type`` object, array, string, number or literal; ``size`` counts what is in a folder.
    """

    what: Literal["open", "value", "close"]
    key: str | None = None
    type: str = ""
    text: str = ""
    size: int = 0
    is_open: bool = False


@dataclass(frozen=True)
class Outline:
    """The tree, and whether something of it was left out."""

    entries: list[Entry]
    is_cut: bool


class _Number(str):
    """A number as it was written: no digit gets lost."""

    __slots__ = ()


class _Members(list[tuple[str, Any]]):
    """The members of an object; a name may come twice."""

    __slots__ = ()


def outline_of(data: bytes) -> Outline:
    """The tree of a JSON text. Raises NotJson."""
    try:
        value = json.loads(
            data.decode("utf-8-sig"),
            parse_int=_Number,
            parse_float=_Number,
            parse_constant=_Number,
            object_pairs_hook=_Members,
        )
    except UnicodeDecodeError as error:
        raise NotJson(f"It is not UTF-8 from byte {error.start + 1:,} on.") from error
    except json.JSONDecodeError as error:
        raise NotJson(f"Line {error.lineno:,}, column {error.colno:,}: {error.msg}.") from error
    except RecursionError as error:
        raise NotJson("Its lists and objects are nested too deeply.") from error
    return _outline(value)


def _outline(value: Any) -> Outline:
    entries: list[Entry] = []
    folders: list[Iterator[tuple[str | None, Any]]] = [iter([(None, value)])]
    count, is_cut = 0, False
    while folders:
        key, value = next(folders[-1], (None, folders))
        if value is folders:
            folders.pop()
            if folders:
                entries.append(Entry("close"))
            continue
        if count >= MOST_VALUES:
            is_cut = True
            folders[-1] = iter(())
            continue
        count += 1
        if isinstance(value, list) and value and len(folders) <= DEEPEST:
            is_open = len(folders) == 1 or (len(folders) == 2 and len(value) <= FEW)
            entries.append(Entry("open", key, _type(value), size=len(value), is_open=is_open))
            folders.append(_inside(value))
        else:
            is_cut = is_cut or (isinstance(value, list) and bool(value))
            entries.append(Entry("value", key, _type(value), _text(value)))
    return Outline(entries, is_cut)


def _inside(value: list[Any]) -> Iterator[tuple[str | None, Any]]:
    if isinstance(value, _Members):
        return ((_shortened(key), member) for key, member in value)
    return ((str(at), member) for at, member in enumerate(value))


def _type(value: Any) -> str:
    if isinstance(value, list):
        return "object" if isinstance(value, _Members) else "array"
    if isinstance(value, _Number):
        return "number"
    return "string" if isinstance(value, str) else "literal"


def _text(value: Any) -> str:
    if isinstance(value, list):
        inside = "…" if value else ""
        return f"{{{inside}}}" if isinstance(value, _Members) else f"[{inside}]"
    if isinstance(value, _Number):
        return _shortened(value)
    if isinstance(value, str):
        return f"“{_shortened(value)}”"
    return {True: "true", False: "false", None: "null"}[value]


def _shortened(text: str) -> str:
    # A half of a pair, which JSON may spell, is no character.
    text = text[:LONGEST].encode("utf-8", "replace").decode() + ("…" if len(text) > LONGEST else "")
    return visible(text)
