"""What differs between two versions of a file: of a table its cells, of a text its lines.

Nothing is read whole that is longer than what can be aligned; what is found is never more than a page of it.
"""

import io
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import BinaryIO

from jobserver.contents import compare_lines, compare_rows
from jobserver.contents.alignment import ALIGNED, Page, Shown
from jobserver.contents.compare_rows import NoTable, Table
from jobserver.contents.forms import Form, form_of
from jobserver.contents.stretch import Stretch

MOST_BYTES = 32 * 1024 * 1024
TABLES = {".csv": ",", ".tsv": "\t"}
_LINES = {Form.TABLE, Form.PAGE, Form.JSON, Form.MARKDOWN, Form.TEXT}
BEGINNING = 8192


@dataclass(frozen=True)
class Wanted:
    """Which part of a comparison is wanted, in lines of it; ``header``: the first row has names."""

    offset: int = 0
    limit: int = 500
    everything: bool = False
    header: bool = True

    def page(self) -> Page:
        """Where it is collected."""
        return Page(offset=self.offset, limit=self.limit, everything=self.everything)


@dataclass(frozen=True)
class Compared:
    """What differs. Without ``shown`` the files cannot be compared: ``why`` is a sentence for that.

    ``table`` is there if both are tables; ``no_table`` says that they should be and are not.
    ``laid_out``: lines are those of JSON that has been laid out. ``short``: everything can be shown.
    """

    shown: Shown | None = None
    table: Table | None = None
    no_table: bool = False
    laid_out: bool = False
    short: bool = False
    why: str = ""


def is_comparable(name: str, sizes: Iterable[int]) -> bool:
    """Whether files of this name and these sizes, in bytes, are compared by what is in them."""
    return form_of(name) in _LINES and max(sizes) <= MOST_BYTES


def compare(name: str, before: BinaryIO, after: BinaryIO, wanted: Wanted) -> Compared:
    """Compare two versions of a file of this name, for which :func:`is_comparable` holds."""
    texts = Stretch(before), Stretch(after)
    if any(b"\0" in each.piece(0, BEGINNING) for each in texts):
        return Compared(why="It is no text, whatever its name says.")
    short = max(each.lines() for each in texts) < ALIGNED
    wanted = replace(wanted, everything=wanted.everything and short)
    delimiter = TABLES.get(PurePosixPath(name).suffix.lower())
    if delimiter:
        try:
            table = compare_rows.compare(
                *texts, wanted.page(), delimiter, header=wanted.header, everything=wanted.everything
            )
        except NoTable:
            shown = compare_lines.compare(*texts, wanted.page(), everything=wanted.everything)
            return Compared(shown, no_table=True, short=short)
        return Compared(table.shown, table, short=short)
    lay_out = form_of(name) is Form.JSON and any(map(compare_lines.is_long_json, texts))
    if lay_out and max(each.size for each in texts) <= compare_lines.MOST_TO_LAY_OUT:
        texts = _laid_out(texts[0]), _laid_out(texts[1])
    else:
        lay_out = False
    shown = compare_lines.compare(*texts, wanted.page(), everything=wanted.everything)
    return Compared(shown, laid_out=lay_out, short=short)


def _laid_out(text: Stretch) -> Stretch:
    return Stretch(io.BytesIO(compare_lines.laid_out(text.piece(0, text.size))))
