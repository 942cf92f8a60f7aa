"""What the viewer shows of an open file: a table, text, a tree, a picture, or why there is nothing to see.

Spec: pages 18 and 30 no. 74.
"""

from collections.abc import Callable
from dataclasses import dataclass
from io import BufferedReader
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup
from pyramid.httpexceptions import HTTPNotFound
from pyramid.request import Request

from jobserver.clients.storage import FileMissing
from jobserver.contents import lines, outline, sheet
from jobserver.contents.forms import LARGEST, Form, form_of
from jobserver.contents.kept import Kept, NotNow
from jobserver.contents.orders import Question
from jobserver.contents.outline import NotJson
from jobserver.contents.rows import LONGEST_ROW, RowTooLong
from jobserver.contents.sheet import Table
from jobserver.contents.text import decoded
from jobserver.models import ReleaseFile
from jobserver.templating.markdown import rendered
from jobserver.templating.numbers import filesize
from jobserver.templating.pager import Pager, page_number
from jobserver.views.fields import says_yes
from jobserver.views.files import note_read, opened, read_by

# Bytes of a Markdown file that is set; longer ones are shown as they are written.
LONGEST_MARKDOWN = 64_000
# Parameters of the address that links keep, not at any length: ours, and those of the tree beside.
KEPT = frozenset({"q", "column", "sort", "header", "source", "find", "by", "file"})
LONGEST_KEPT = 200
_set_before: Kept[Markup] = Kept(2_000_000, lambda html: 100 + len(html))


@dataclass(frozen=True)
class _Shown:
    """A file that is being shown, and what the address asks to see of it."""

    request: Request
    file: ReleaseFile
    stream: BufferedReader

    def asked(self, name: str) -> str:
        """A parameter of the address."""
        value: str = self.request.GET.get(name, "")
        return value.strip()[:LONGEST_KEPT]

    def kept(self, *but: str) -> list[tuple[str, str]]:
        """The parameters that links and forms keep."""
        return [(name, value) for name in sorted(KEPT - {*but}) if (value := self.asked(name))]

    def url(self, **changes: str) -> str:
        """The same page with other parameters, from its beginning."""
        given = [(name, value) for name, value in changes.items() if value]
        query = urlencode([*self.kept(*changes), *given])
        path: str = self.request.path
        return f"?{query}" if query else path

    def pager(self, total: int, size: int) -> Pager:
        """The page of rows or lines that is asked for. Raises HTTPNotFound if there is none such."""
        number = page_number(self.asked("rows"), total, size)
        if number is None:
            raise HTTPNotFound
        return Pager(number, total, size, self.kept(), name="rows")


def contents_of(request: Request, file: ReleaseFile, *, raw_url: str, download_url: str) -> dict[str, Any]:
    """What ``viewer/contents.jinja2`` shows of a file whose bytes should be here.

    The addresses are those of its bytes, to be shown by the browser and to be kept. Raises HTTPNotFound for
    a page that the file does not have. That its bytes are gone or changed is shown, and logged.
    """
    common = {"base": file.name.rpartition("/")[2], "raw_url": raw_url, "download_url": download_url}
    try:
        stream = opened(request.clients.storage, file)
    except FileMissing:
        return {**common, "form": "lost"}
    with stream:
        return {**common, **_read(_Shown(request, file, stream))}


def _read(shown: _Shown) -> dict[str, Any]:
    form = form_of(shown.file.name)
    if shown.file.size == 0:
        return {"form": "empty"}
    read = _FORMS.get(form)
    if read is None:
        return {"form": form}
    if shown.file.size > LARGEST:
        return {"form": "large", "limit": filesize(LARGEST)}
    note_read(read_by(shown.request), shown.file, "viewer")
    return read(shown)


def _table(shown: _Shown) -> dict[str, Any]:
    try:
        table = sheet.table_of(shown.stream, shown.file.filehash)
    except RowTooLong as error:
        most = filesize(LONGEST_ROW)
        why = f"Row {error.number:,} has more than {most}. Perhaps a quotation mark is not closed."
        return _text(shown, title="This cannot be shown as a table.", why=why)
    except NotNow:
        return {"form": "busy"}
    if not table.rows.total:
        return {"form": "empty"}
    question = _question(shown, table)
    try:
        order, is_asked = sheet.order_of(shown.stream, shown.file.filehash, table, question), True
    except NotNow:
        question, is_asked = Question(first=question.first), False
        order = sheet.order_of(shown.stream, shown.file.filehash, table, question)
    pager = shown.pager(len(order), sheet.page_size(table))
    found = sheet.sheet_of(shown.stream, table, order, question, pager.page)
    return {
        "form": Form.TABLE,
        "sheet": found,
        "pager": pager,
        "question": question,
        "most_columns": sheet.MOST_COLUMNS,
        "may_be_asked": table.may_be_asked,
        "is_busy": not is_asked,
        "most_asked": filesize(sheet.LARGEST_ASKED),
        "most_rows": sheet.MOST_ROWS_ASKED,
        "sort_url": lambda column: shown.url(sort=_next_sort(question, column.number)),
        "header_url": shown.url(header="0" if question.first else ""),
        "all_url": shown.url(q="", column=""),
        "kept": shown.kept("q", "column"),
    }


def _question(shown: _Shown, table: Table) -> Question:
    """What the address asks of the table; what it has no column for is as if it were not there."""
    first = 0 if shown.asked("header") == "0" else 1
    if not table.may_be_asked:
        return Question(first=first)
    sort = shown.asked("sort")
    return Question(
        words=shown.asked("q"),
        column=_column(shown.asked("column"), table),
        sort=_column(sort.removeprefix("-"), table),
        descending=sort.startswith("-"),
        first=first,
    )


def _column(text: str, table: Table) -> int | None:
    """The place from 0 of the column with this number."""
    if not (text.isascii() and text.isdigit()) or len(text) > 5:
        return None
    return int(text) - 1 if 1 <= int(text) <= min(table.width, sheet.MOST_COLUMNS) else None


def _next_sort(question: Question, number: int) -> str:
    """Upwards, downwards, and as the file has it, by turns."""
    if question.sort != number - 1:
        return str(number)
    return "" if question.descending else f"-{number}"


def _text(shown: _Shown, title: str = "", why: str = "", set_url: str = "") -> dict[str, Any]:
    """Lines; ``title`` and ``why`` say why not in a better way, which is at ``set_url`` if there is one."""
    found = lines.lines_of(shown.stream, shown.file.filehash)
    pager = shown.pager(found.total, lines.PAGE)
    return {
        "form": Form.TEXT,
        "text": lines.text_of(shown.stream, found, pager.page),
        "pager": pager,
        "longest": lines.LONGEST_LINE,
        "title": title,
        "why": why,
        "set_url": set_url,
    }


def _markdown(shown: _Shown) -> dict[str, Any]:
    if shown.file.size > LONGEST_MARKDOWN:
        why = f"It has more than {filesize(LONGEST_MARKDOWN)}."
        return _text(shown, title="This is shown as it was written.", why=why)
    if says_yes(shown.asked("source")):
        return _text(shown, set_url=shown.url(source=""))
    text, is_broken = decoded(shown.stream.read())
    html = _set_before.get(shown.file.filehash, lambda: rendered(text.removeprefix("\ufeff"), tables=True))
    return {
        "form": Form.MARKDOWN,
        "html": html,
        "is_broken": is_broken,
        "source_url": shown.url(source="1"),
    }


def _json(shown: _Shown) -> dict[str, Any]:
    if shown.file.size > outline.LARGEST:
        why = f"It has more than {filesize(outline.LARGEST)}."
        return _text(shown, title="This is shown as text, not as a tree.", why=why)
    if says_yes(shown.asked("source")):
        return _text(shown, set_url=shown.url(source=""))
    try:
        found = outline.outline_of(shown.stream.read())
    except NotJson as error:
        return _text(shown, title="This JSON cannot be shown as a tree.", why=str(error))
    return {
        "form": Form.JSON,
        "outline": found,
        "most_values": outline.MOST_VALUES,
        "source_url": shown.url(source="1"),
    }


_FORMS: dict[Form, Callable[[_Shown], dict[str, Any]]] = {
    Form.TABLE: _table,
    Form.TEXT: _text,
    Form.MARKDOWN: _markdown,
    Form.JSON: _json,
}
