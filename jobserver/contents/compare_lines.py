"""Two versions of a text: which lines differ."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from jobserver.contents import alignment
from jobserver.contents.alignment import CONTEXT, Gap, Page, Pair, Shown
from jobserver.contents.cutting import marked, shortened
from jobserver.contents.stretch import Stretch, ends_alike
from jobserver.contents.text import decoded

# JSON with longer lines, in bytes, is laid out before it is compared, unless it is too large for that.
LONG_LINE, MOST_TO_LAY_OUT = 500, 2 * 1024 * 1024
_TOKENS = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{},:]|[^\s\[\]{},:"]+', re.DOTALL)


def compare(before: Stretch, after: Stretch, page: Page, *, everything: bool) -> Shown:
    """Compare two texts by lines. How their lines end makes no difference."""
    head, tail = ends_alike(before, after, CONTEXT)
    end = before.size - tail
    _same(before.part(0, head), page, everything=everything)
    alignment.align(page, _lines(before.part(head, end)), _lines(after.part(head, after.size - tail)))
    _same(before.part(end, before.size), page, everything=everything)
    return page.end()


def _same(text: Stretch, page: Page, *, everything: bool) -> None:
    if everything:
        page.same(_lines(text))
    else:
        page.skip(text.lines())


def _lines(text: Stretch) -> Iterator[bytes]:
    for line in text.buffered():
        yield line.rstrip(b"\r\n")


class Line(NamedTuple):
    """What is shown of a line; ``lead``, ``differs`` and ``trail`` follow each other.

    ``kind`` is "same", "removed", "added", or "gap" of ``hidden`` lines.
    """

    kind: str
    before: int | None = None
    after: int | None = None
    lead: str = ""
    differs: str = ""
    trail: str = ""
    hidden: int = 0


def shown_lines(items: Iterable[Pair | Gap]) -> Iterator[Line]:
    """The lines of a page: one that has changed is two, the former before the latter."""
    for item in items:
        if isinstance(item, Gap):
            yield Line("gap", hidden=item.hidden)
            continue
        before, after = (None if each is None else decoded(each)[0] for each in (item.before, item.after))
        if item.kind == "changed":
            was, became = marked(before or "", after or "")
            yield Line("removed", item.before_number, None, *was)
            yield Line("added", None, item.after_number, *became)
        else:
            text = shortened((before if before is not None else after) or "")
            yield Line(item.kind, item.before_number, item.after_number, text)


def is_long_json(text: Stretch) -> bool:
    """Whether this is JSON that nobody wrote for people, and not too much of it."""
    if text.size > MOST_TO_LAY_OUT or max(map(len, text.buffered()), default=0) <= LONG_LINE:
        return False
    try:
        json.loads(text.piece(0, text.size))
    except (ValueError, RecursionError):
        return False
    return True


def laid_out(text: bytes) -> bytes:
    """JSON with each of its values on a line of its own, as it is written and nothing changed."""
    lines, line, depth = [], b"", 0
    for token in _TOKENS.findall(text):
        if token in b"]}":
            depth -= 1
            lines.append(line)
            line = b"  " * min(depth, 50) + token
        elif token == b",":
            lines.append(line + token)
            line = b"  " * min(depth, 50)
        elif token in b"[{":
            depth += 1
            lines.append(line + token)
            line = b"  " * min(depth, 50)
        else:
            line += b": " if token == b":" else token
    return b"\n".join([*lines, line, b""])
