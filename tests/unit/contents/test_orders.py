"""Filters and sorts of a table give what a reader of the whole file would give."""

import csv
import io
import sqlite3

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobserver.contents.kept import NotNow
from jobserver.contents.numbers import number_of, sort_key
from jobserver.contents.orders import Question, answer
from jobserver.contents.rows import find_rows

CELLS = st.one_of(
    st.sampled_from(
        [
            "",
            "NA",
            "[REDACTED]",
            "10",
            "9",
            "1,000",
            "-2.5",
            "Ä",
            "ä",
            "Zebra",
            "apple",
            "1e3",
            "inf",
            "a\nb",
            'say "ß"',
        ]
    ),
    st.text(max_size=4),
)
TABLES = st.lists(st.lists(CELLS, min_size=1, max_size=3), max_size=12)


def written(table: list[list[str]]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows(table)
    return out.getvalue().encode("utf-8", "replace")


@settings(deadline=None)
@given(
    TABLES,
    st.builds(
        Question,
        words=st.one_of(st.just(""), CELLS),
        column=st.one_of(st.none(), st.integers(0, 3)),
        sort=st.one_of(st.none(), st.integers(0, 3)),
        descending=st.booleans(),
        first=st.integers(0, 1),
    ),
)
def test_the_answer_is_that_of_a_plain_search_and_a_stable_sort(
    table: list[list[str]], question: Question
) -> None:
    file = io.BytesIO(written(table))
    rows = find_rows(file)
    table = list(csv.reader(io.StringIO(file.getvalue().decode().removeprefix("\ufeff"), newline="")))

    def has(row: list[str]) -> bool:
        cells = row if question.column is None else row[question.column : question.column + 1]
        return question.words.casefold() in "\x1f".join(cells).casefold()

    expected = [number for number in range(question.first, len(table)) if has(table[number])]
    if question.sort is not None:
        at = question.sort
        keys = {
            number: sort_key(table[number][at]) if at < len(table[number]) else None for number in expected
        }
        full = [number for number in expected if keys[number] is not None]
        full.sort(
            key=lambda number: (isinstance(keys[number], str), keys[number]), reverse=question.descending
        )
        expected = full + [number for number in expected if keys[number] is None]
    assert list(answer(file, rows, question)) == expected


def test_numbers_stand_before_words_and_nothing_last_either_way() -> None:
    cells = ["b", "10", "", "9", "A", "NA", "1,000", "12%", "[REDACTED]", "-3"]
    file = io.BytesIO(("x,y\n" + "".join(f'"{cell}",z\n' for cell in cells)).encode())
    rows = find_rows(file)
    upwards = [cells[number - 1] for number in answer(file, rows, Question(sort=0))]
    assert upwards == ["-3", "9", "10", "12%", "1,000", "A", "b", "", "NA", "[REDACTED]"]
    downwards = [cells[number - 1] for number in answer(file, rows, Question(sort=0, descending=True))]
    assert downwards == ["b", "A", "1,000", "12%", "10", "9", "-3", "", "NA", "[REDACTED]"]


@pytest.mark.parametrize(
    ("cell", "number"),
    [("5", 5), (" 5 ", 5), ("-1.50", -1.5), ("181,236", 181236), ("1e3", 1000), (".5", 0.5), ("12.5%", 12.5), ("5.", 5),
     ("", None), ("-", None), (".", None), ("1,23", None), ("2024-01-01", None), ("<5", None), ("٣", None), ("1_000", None), ("1,000%", 1000), ("nan", None), ("inf", None), ("1e999", None), ("65–69", None)],
)  # fmt: skip
def test_what_counts_as_a_number(cell: str, number: float | None) -> None:
    assert number_of(cell) == number


def test_without_room_on_the_disk_the_question_has_no_answer_now(monkeypatch: pytest.MonkeyPatch) -> None:
    table = io.BytesIO(b"n\n2\n1\n")

    def full(*_: object, **__: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(sqlite3, "connect", full)
    with pytest.raises(NotNow):
        answer(table, find_rows(table), Question(sort=0))
