"""Tables as pages show them, lines and trees: bounded, and nothing of the file got wrong."""

import io
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobserver.contents import lines, sheet
from jobserver.contents.forms import Form, form_of
from jobserver.contents.kept import Kept
from jobserver.contents.orders import Question
from jobserver.contents.outline import outline_of
from jobserver.contents.rows import RowTooLong
from jobserver.contents.sheet import Sheet


def sheet_of(text: str, page: int = 1) -> Sheet:
    file = io.BytesIO(text.encode())
    table, question = sheet.table_of(file, text), Question()
    return sheet.sheet_of(file, table, sheet.order_of(file, text, table, question), question, page)


def marked(found: Sheet) -> list[str]:
    return [
        f"{found.columns[at].name} {cell.text}"
        for _, row in found.rows
        for at, cell in enumerate(row)
        if cell.is_small
    ]


def test_small_counts_are_whole_numbers_up_to_seven_in_columns_that_have_whole_numbers() -> None:
    found = sheet_of(
        ",age,n,n_float,mean,share,suppressed,word\n"
        "1,65–69,7,3.0,7.5,5%,<8,a\n"
        "2,70–74,8,NA,6.5,6%,120,b\n"
        "3,75–79,0,12.0,0.5,7%,N/A,c\n"
        "4,80–84,[REDACTED],,4.1,1%,3,d\n"
        '5,85+,"1,006",-3,,2%,,e\n'
    )  # fmt: skip
    assert marked(found) == ["n 7", "n_float 3.0", "suppressed 3"]
    assert found.small == 3
    assert [each.name for each in found.columns if each.is_number] == ["", "n", "n_float", "mean", "share"]
    assert [each.name for each in found.columns if each.has_counts] == ["n", "n_float", "suppressed"]
    assert [cell.is_right for _, row in found.rows for cell in row[6:7]] == [False] * 5


def test_counts_and_means_in_one_column_are_looked_at_one_by_one() -> None:
    found = sheet_of("statistic,value\nmean age,54.25\ncount,3\ncount,120\n")
    assert marked(found) == ["value 3"]


def test_a_column_is_judged_alike_on_every_page() -> None:
    text = "n\n" + "".join(f"{number}\n" for number in range(3, 1004)) + "x\n5\n"
    found = sheet_of(text, page=2)
    assert [row for _, row in found.rows][-1][0].text == "5"
    assert (found.columns[0].is_number, marked(found), found.rows[0][0]) == (True, ["n 5"], 1001)


def test_very_wide_tables_have_fewer_rows_on_a_page() -> None:
    row = ",".join(["1"] * 400) + "\n"
    found = sheet_of(row * 600)
    assert (len(found.rows), len(found.columns), found.total) == (125, 400, 599)


def test_a_page_has_a_limit_however_long_the_cells_are() -> None:
    text = "a,b\n" + f"{'x' * 5_000},{'y' * 900}\n" * 1_000
    found = sheet_of(text)
    assert found.is_cut
    assert found.rows[0][1][0].text == "x" * 1_000 + "…"
    assert sum(len(cell.text) for _, row in found.rows for cell in row) < 1_100_000


@given(st.lists(st.binary(max_size=30), max_size=8), st.integers(1, 4))
def test_lines_are_those_of_the_file(parts: list[bytes], size: int) -> None:
    data = b"\n".join(parts)
    file = io.BytesIO(data)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(lines, "CHUNK", size)
        patched.setattr(lines, "PAGE", 3)
        found = lines.find_lines(file)
        expected = data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
        expected = expected[:-1] if expected[-1] == b"" else expected
        assert found.total == len(expected)
        for page in range(1, 2 + found.total // 3):
            text = lines.text_of(file, found, page)
            assert (text.first, len(text.lines)) == (page * 3 - 2, len(expected[page * 3 - 3 : page * 3]))
            assert all(
                a.isascii() is False or a == b.decode()
                for a, b in zip(text.lines, expected[page * 3 - 3 :], strict=False)
                if b.isalnum()
            )


def test_a_very_long_line_is_cut_and_those_after_it_are_found() -> None:
    file = io.BytesIO(b"first\n" + "é".encode() * 500_000 + b"\nlast\n")
    text = lines.text_of(file, lines.find_lines(file), 1)
    assert text.lines == ["first", "é" * 2_000 + "…", "last"]
    assert not text.is_broken


def test_one_line_of_100_mb_is_read_a_piece_at_a_time(tmp_path: Path) -> None:
    place = tmp_path / "line.csv"
    with place.open("wb") as file:
        file.truncate(100_000_000)
    with place.open("rb") as file:
        tracemalloc.start()
        with pytest.raises(RowTooLong):
            sheet.table_of(file, "a line")
        text = lines.text_of(file, lines.lines_of(file, "a line"), 1)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert (text.total, text.lines) == (1, ["␀" * 2_000 + "…"])
    assert most < 5_000_000


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(st.text(max_size=3), inside, max_size=4),
    max_leaves=20,
)


@given(JSON)
def test_what_opens_in_an_outline_closes_and_every_value_is_in_it(value: Any) -> None:
    def count(value: Any) -> int:
        inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        return 1 + sum(map(count, inside))

    found = outline_of(json.dumps(value).encode())
    depth = 0
    for entry in found.entries:
        depth += {"open": 1, "close": -1}.get(entry.what, 0)
        assert depth >= 0
    assert depth == 0
    assert sum(entry.what != "close" for entry in found.entries) == count(value)
    assert not found.is_cut


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("a/b.CSV", Form.TABLE),
        ("x.csv.gz", Form.NONE),
        ("f.svgz", Form.NONE),
        ("f.SVG", Form.PICTURE),
        ("log", Form.NONE),
        ("a.log", Form.TEXT),
        (".csv", Form.NONE),
        ("a.csv.", Form.NONE),
    ],
)
def test_the_last_suffix_says_the_form(name: str, form: Form) -> None:
    assert form_of(name) is form


def test_what_is_kept_is_made_once_and_forgotten_when_it_weighs_too_much() -> None:
    kept: Kept[str] = Kept(5, len)
    made: list[str] = []

    def get(key: str, value: str) -> str:
        return kept.get(key, lambda: made.append(key) or value)

    assert [get("a", "11"), get("b", "22"), get("a", "other")] == ["11", "22", "11"]
    get("c", "33")
    assert (get("a", "11"), get("b", "22"), made) == ("11", "22", ["a", "b", "c", "b"])
    assert get("d", "too heavy") == "too heavy"
