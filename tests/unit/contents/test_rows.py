"""Rows are found where the csv module of the standard library ends them, whatever the file holds."""

import csv
import io

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from jobserver.contents import rows as module
from jobserver.contents.rows import RowTooLong, find_rows, read_rows

PIECES = st.sampled_from(
    [
        '"',
        '""',
        ",",
        "\n",
        "\r\n",
        "\r",
        "a",
        "5",
        " ",
        "é",
        "\0",
        "=1+1",
        '"a,b"',
        '"a\nb"',
        "\ufeff",
        "abc,def\n",
    ]
)
TEXTS = st.lists(PIECES, max_size=60).map("".join)


def expected(text: str) -> list[list[str]]:
    text = text.removeprefix("\ufeff").rstrip("\r\n")
    return list(csv.reader(io.StringIO(text, newline=""))) if text else []


def found(data: bytes) -> list[list[str]]:
    file = io.BytesIO(data)
    rows = find_rows(file)
    by_number, _ = read_rows(file, rows, range(rows.total), list)
    assert sorted(by_number) == list(range(rows.total))
    return [by_number[number] for number in sorted(by_number)]


@pytest.fixture(params=[(1, 1), (3, 5), (8, 8), (4096, 1 << 18)], ids=str)
def sizes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks and pieces so small that everything falls on a border of them once."""
    block, chunk = request.param
    monkeypatch.setattr(module, "BLOCK", block)
    monkeypatch.setattr(module, "CHUNK", chunk)


@pytest.mark.usefixtures("sizes")
def test_rows_are_those_of_the_csv_module() -> None:
    @settings(max_examples=150, deadline=None)
    @given(TEXTS)
    @example('a"b,"c\n",d"\n"e\n')
    @example('"a""\n",b\n')
    @example("a\r\rb\r\n\r\nc")
    @example('x"y,",\n"z\n')
    @example('"never closed\na,b\n')
    def check(text: str) -> None:
        assert found(text.encode()) == expected(text)

    check()


@given(st.binary(max_size=60), st.lists(st.integers(0, 12), max_size=5))
def test_any_bytes_are_rows_and_each_can_be_read_alone(data: bytes, wanted: list[int]) -> None:
    file = io.BytesIO(data)
    rows = find_rows(file)
    every, _ = read_rows(file, rows, range(rows.total), list)
    some, _ = read_rows(file, rows, [each for each in wanted if each < rows.total], list)
    assert some == {number: every[number] for number in wanted if number < rows.total}


@pytest.mark.parametrize("data", [b"", b"\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\r\n\r\n"])
def test_nothing_is_no_row(data: bytes) -> None:
    assert found(data) == []


def test_empty_rows_count_unless_they_are_the_last() -> None:
    assert found(b"a\n\nb\n\n\n") == [["a"], [], ["b"]]


def test_what_is_no_utf_8_is_said() -> None:
    file = io.BytesIO("a,�\n".encode() + b"caf\xe9,b\n")
    rows = find_rows(file)
    assert read_rows(file, rows, [0, 1], list) == ({0: ["a", "�"], 1: ["caf�", "b"]}, True)
    assert read_rows(io.BytesIO("a,�".encode()), find_rows(io.BytesIO("a,�".encode())), [0], list)[1] is False


@pytest.mark.parametrize(
    "data", [b"a,b\n" + b"x" * 3_000_000, b'a\n"' + b"b\n" * 1_500_000, b"a\n" + b"," * 3_000_000 + b"\nb\n"]
)
def test_a_row_without_end_is_refused_by_its_number_before_all_of_it_is_read(data: bytes) -> None:
    file = io.BytesIO(data)
    with pytest.raises(RowTooLong) as refused:
        find_rows(file)
    assert refused.value.number == 2
    assert file.tell() < 2_000_000
