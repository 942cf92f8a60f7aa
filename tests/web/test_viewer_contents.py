"""What the viewer shows of a file, whatever the file holds (spec: pages 18, 30 no. 74)."""

import io
import json
import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session
from webtest import TestResponse

from jobserver.clients.storage import ReleaseStorage
from jobserver.contents import sheet
from jobserver.contents.kept import Kept
from tests.unit.rap.eventually import eventually
from tests.web import releases
from tests.web.conftest import Browser

Show = Callable[..., TestResponse]


@pytest.fixture
def show(web: Browser, db: Session, storage: ReleaseStorage) -> Show:
    """Puts a file into a release and opens it; later calls open other pages of the same."""
    here = releases.place()
    release = releases.release(here)
    web.sign_in(here.developer)

    def shown(name: str, content: bytes = b"", query: str = "", **options: Any) -> TestResponse:
        if content:
            releases.file(release, name, content, storage=storage)
        return web.get(here.address("releases", release.id, name) + query, **options)

    shown.folder = Path(storage.root) / here.workspace.name  # type: ignore[attr-defined]
    return shown


def foot(page: TestResponse) -> str:
    return " ".join(each.get_text(" ", strip=True) for each in page.html.select(".sheet-foot"))


def body(page: TestResponse) -> list[list[str]]:
    return [
        [cell.get_text() for cell in row.find_all(["th", "td"])]
        for row in page.html.select(".sheet tbody tr")
    ]


def head(page: TestResponse) -> list[str]:
    return [cell.get_text() for cell in page.html.select(".sheet thead th")]


TABLE = b"sex,n,pct\nfemale,126210,69.6\nmale,5,30.4\nother,[REDACTED],\n"


def test_a_table_has_a_header_row_numbers_and_says_how_much_is_shown(show: Show) -> None:
    page = show("output/table.csv", TABLE)
    assert head(page) == ["sex", "n", "pct"]
    assert body(page)[1:] == [["2", "male", "5", "30.4"], ["3", "other", "[REDACTED]", ""]]
    region = page.html.select_one(".sheet")
    assert (region["role"], region["tabindex"]) == ("region", "0")
    assert [cell.get("class") for cell in page.html.select(".sheet tbody tr:nth-of-type(3) td")] == [
        None,
        ["redacted", "r"],
        ["r"],
    ]
    assert [each.get_text() for each in page.html.select(".sheet mark")] == ["5"]
    assert foot(page).startswith(
        "3 rows, 3 columns, all shown First row used as header. Show it as data 1 small count is marked"
    )
    assert "Small counts were looked for in n." in foot(page)
    assert "Small counts were looked for in no column" in foot(show("output/words.csv", b"a,b\nx,0.5\n"))
    as_data = page.click("Show it as data")
    assert body(as_data)[0] == ["1", "sex", "n", "pct"]
    assert foot(as_data).startswith("4 rows, 3 columns")
    assert head(as_data.click("Use it as header")) == ["sex", "n", "pct"]


def test_a_table_is_sorted_and_filtered_by_links_and_a_form_that_keep_each_other(show: Show) -> None:
    page = show("output/table.csv", TABLE, "?by=date")
    up = page.click("^n<")
    assert [row[1] for row in body(up)] == ["male", "female", "other"]
    down = up.click("^n<")
    assert [row[1] for row in body(down)] == ["female", "male", "other"]
    assert [cell.get("aria-sort") for cell in down.html.select(".sheet thead th")] == [
        None,
        "descending",
        None,
    ]
    form = next(form for form in down.forms.values() if "column" in form.fields)
    form["q"], form["column"] = "MALE", "1"
    found = form.submit()
    assert [row[:2] for row in body(found)] == [["1", "female"], ["2", "male"]]
    assert "by=date" in found.request.query_string
    assert foot(found).startswith("2 of 3 rows match")
    assert [row[1] for row in body(found.click("^n<").click("Show all"))] == ["female", "male", "other"]
    nothing = show("output/table.csv", query="?q=zzz")
    assert "No row has these words" in nothing
    assert body(nothing.click("Show all rows"))


@pytest.mark.parametrize(
    "query",
    [
        "?sort=9",
        "?sort=x",
        "?sort=--1",
        "?column=99&q=a",
        "?header=x",
        "?sort=%00",
        "?q=%00",
        "?q=" + "a" * 4_000,
    ],
)
def test_what_the_table_has_no_column_for_does_not_matter(show: Show, query: str) -> None:
    assert show("output/table.csv", TABLE, query).status_int == 200


@pytest.mark.parametrize("rows", ["0", "2", "x", "99999999999"])
def test_a_page_that_is_not_there_is_not_found(show: Show, rows: str) -> None:
    show("output/table.csv", TABLE)
    show("output/table.csv", query=f"?rows={rows}", status=404)


@contextmanager
def crowded(kept: Kept[Any], value: Any) -> Iterator[None]:
    """As many threads as may make or wait for such a value, which takes long."""
    go_on = threading.Event()

    def slow() -> Any:
        go_on.wait(10)
        return value

    with ThreadPoolExecutor(sheet._AT_ONCE) as pool:
        for number in range(sheet._AT_ONCE):
            pool.submit(kept.get, ("slow", number), slow)
        try:
            eventually(lambda: kept._room._value == 0)
            yield
        finally:
            go_on.set()


def test_many_who_open_odd_tables_leave_the_server_to_others(show: Show) -> None:
    show("output/table.csv", TABLE)
    known = sheet.table_of(io.BytesIO(TABLE), "known")
    with crowded(sheet._tables, known):
        assert body(show("output/table.csv"))
        page = show("output/new.csv", b"never,read,before\n1,2,3\n", "?rows=1")
        assert "Too many tables are being read just now" in page.html.main.get_text()
    assert body(page.click("Try again")) == [["1", "1", "2", "3"]]


def test_many_who_sort_at_once_leave_the_server_to_others(show: Show) -> None:
    """A table that the public may sort takes a processor for seconds: who comes too late is told so."""
    show("output/table.csv", TABLE)
    with crowded(sheet._orders, range(1)):
        page = show("output/table.csv", query="?sort=2&q=male")
    assert "Try again in a moment" in page.html.main.get_text()
    assert [row[1] for row in body(page)] == ["female", "male", "other"]
    assert [row[1] for row in body(page.click("^n<"))] == ["male", "female"]


def test_a_table_of_very_many_rows_is_neither_sorted_nor_filtered(
    show: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sheet, "MOST_ROWS_ASKED", 4)
    assert show("output/table.csv", TABLE, "?sort=2").html.select(".sheet thead a")
    page = show("output/longer.csv", TABLE + b"x,1,1\n", "?sort=2")
    assert [row[1] for row in body(page)] == ["female", "male", "other", "x"]
    assert not page.html.select(".sheet thead a")
    assert "or 4 rows are not sorted or filtered here" in foot(page)


def test_a_long_table_comes_a_thousand_rows_at_a_time(show: Show) -> None:
    content = b"id,n\n" + b"".join(b"p%d,%d\n" % (number, number) for number in range(1, 1102))
    page = show("output/long.csv", content)
    assert len(body(page)) == 1000
    assert foot(page).startswith("Rows 1 to 1,000 of 1,101, 2 columns")
    last = page.click("Next")
    assert (body(last)[0], len(body(last))) == (["1,001", "p1001", "1001"], 101)
    downwards = show("output/long.csv", query="?sort=-2&rows=2")
    assert body(downwards)[0] == ["101", "p101", "101"]


def test_formulas_tags_nuls_and_broken_text_are_plain_text(show: Show) -> None:
    page = show(
        "output/bad.csv",
        b"\xef\xbb\xbfa,<b>\r\n=cmd|' /C calc'!A0,<script>alert(1)</script>\r\n\"two\nlines\",x\0y\r\ncaf\xe9,1,2,3\r\n\r\n",
    )
    assert head(page) == ["a", "<b>", "Column 3", "Column 4"]
    assert body(page)[0] == ["1", "=cmd|' /C calc'!A0", "<script>alert(1)</script>", "", ""]
    assert body(page)[1][1:3] == ["two\nlines", "x␀y"]
    assert body(page)[2][1:] == ["caf�", "1", "2", "3"]
    assert "<script>alert" not in page.text
    assert "not UTF-8" in foot(page)
    assert foot(page).startswith("3 rows, 4 columns")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"a\n" + b"x" * 3_000_000, "Row 2 has more than 1 MB"),
        (b'a\n"never closed\n' + b"b,c\n" * 400_000, "Row 2 has more than 1 MB"),
        (b",".join(b"c%d" % at for at in range(50_000)) + b"\n" + b"1," * 49_999 + b"1\n", "Only the first 500 columns are shown"),
        (b"a,b\n" + (b"y" * 9_000 + b",1\n") * 1_000, "Long cells end with"),
        (b"a,b\n1,2\n" + b"x" * 1_150_000 + b",3\n4,5\n", "Long cells end with"),
        (b"\n\n\n", "There is nothing in this file"),
        (b"only a header\n", "No rows, 1 column"),
    ],
    ids=["one row", "a quote", "columns", "cells", "a cell", "line ends", "a header"],
)  # fmt: skip
def test_tables_that_nobody_would_read_are_shown_as_far_as_a_page_goes(
    show: Show, content: bytes, says: str
) -> None:
    page = show("output/odd.csv", content)
    assert says in page.html.get_text(" ")
    assert len(page.body) < 3_000_000


def test_text_has_numbered_lines_a_few_thousand_at_a_time(show: Show) -> None:
    content = (
        b"\x1b[32mok\x1b[0m <b>\n"
        + b"".join(b"line %d\r\n" % number for number in range(2, 4002))
        + b"z" * 5_000
    )
    page = show("output/run.LOG", content)
    lines = page.html.select("ol.lines li")
    assert (len(lines), lines[0].get_text(), lines[1].get_text()) == (2000, "ok <b>", "line 2")
    assert "Lines 1 to 2,000 of 4,002" in foot(page)
    last = page.click("Last")
    assert last.html.select_one("ol.lines")["start"] == "4001"
    assert last.html.select("ol.lines li")[-1].get_text() == "z" * 2000 + "…"
    assert "Long lines end with" in foot(last)


def test_json_folds_and_keeps_every_digit(show: Show) -> None:
    page = show(
        "output/a.json",
        b'{"n": 12345678901234567890.10, "n": NaN, "list": [true, null, "</ul><script>"], "none": {}}',
    )
    text = page.html.select_one("ul.outline").get_text(" ", strip=True)
    assert (
        text
        == "4 members n 12345678901234567890.10 n NaN list 3 items 0 true 1 null 2 “</ul><script>” none {}"
    )
    assert len(page.html.select("ul.outline details[open]")) == 2
    source = page.click("Show the source")
    assert source.html.select_one("ol.lines li").get_text().startswith('{"n": 12345678901234567890.10')
    assert source.click("Show it in its form").html.select_one("ul.outline")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b'{"a": 1,\n "b" 2}', "Line 2, column 6: Expecting ':' delimiter."),
        (b"[" * 200_000, "nested too deeply"),
        (b'{"a": "caf\xe9"}', "not UTF-8 from byte 11 on"),
        (json.dumps(["x" * 100] * 6_000).encode(), "more than 500 kB"),
    ],
)
def test_what_is_no_json_is_shown_as_text_with_the_reason(show: Show, content: bytes, says: str) -> None:
    page = show("output/a.json", content)
    assert says in page.html.select_one(".contents-note").get_text(" ")
    assert page.html.select("ol.lines li")


def test_json_that_is_deep_or_long_is_cut(show: Show) -> None:
    deep = show("output/deep.json", b"[" * 400 + b"]" * 400)
    assert "Not all of it is shown" in foot(deep)
    long = show("output/long.json", json.dumps(list(range(9_000))).encode())
    assert len(long.html.select("ul.outline li")) == 5_000
    assert "no more than 5,000 values" in foot(long)


def test_markdown_is_set_without_what_could_do_harm(show: Show) -> None:
    page = show(
        "output/README.md",
        b"# Title\n\n**bold** <script>alert(1)</script> [x](javascript:alert(1)) ![i](http://e/i.png)\n\n"
        b"|sex|n|\n|---|--:|\n|f|120|\n",
    )
    text = page.html.select_one(".md")
    assert (text.find("h3").get_text(), text.find("strong").get_text()) == ("Title", "bold")
    assert not text.select("script, img, a[href^=javascript]")
    assert [cell.get_text() for cell in text.select("table tbody td")] == ["f", "120"]
    assert page.click("Show the source").html.select_one("ol.lines li").get_text() == "# Title"
    assert "more than 64 kB" in show("output/long.md", b"# Title\n\n" * 8_000)


def test_what_the_browser_shows_comes_from_its_own_address_and_acts_for_nobody(show: Show) -> None:
    script = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
    for name in ("figure.svg", "FIGURE.PNG", "photo.jpeg", "plot.webp"):
        image = show(f"output/{name}", script).html.select_one(".picture img")
        assert (image["alt"], image["src"].rsplit("/", 2)[1]) == (name, "raw")
    page = show("output/report.html", b"<script>top.location='http://e'</script>")
    frame = page.html.select_one("iframe.framed")
    assert (frame["sandbox"], frame["title"]) == ([], "report.html")
    assert "top.location" not in page
    assert page.click("Open$").request.path == frame["src"]
    answer = page.goto(frame["src"])
    assert "sandbox;" in answer.headers["Content-Security-Policy"]
    assert show("output/paper.pdf", b"%PDF-1.4").html.select_one("iframe.framed").get("sandbox") is None


@pytest.mark.parametrize("name", ["a.docx", "figure.svgz", "table.csv.gz", "noending", ".csv"])
def test_anything_else_is_offered_as_a_download(show: Show, name: str) -> None:
    page = show(f"output/{name}", b"bytes")
    assert "This kind of file is not shown here" in page
    assert page.html.select_one(".empty a.btn")["href"].endswith("/download/")


@pytest.mark.parametrize(
    "change", [lambda path: path.unlink(), lambda path: path.write_bytes(b"other")], ids=["gone", "changed"]
)
@pytest.mark.parametrize("name", ["output/a.csv", "output/a.png"])
def test_a_file_whose_bytes_are_gone_or_changed_is_said_to_be_lost(
    show: Show, name: str, change: Callable[[Path], Any]
) -> None:
    show(name, b"a,b\n1,2\n")
    [path] = show.folder.rglob(Path(name).name)  # type: ignore[attr-defined]
    change(path)
    page = show(name)
    assert "The content of this file cannot be read." in page
    assert not re.search("<img|<iframe|class=.sheet", page.text)
