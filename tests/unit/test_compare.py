"""What differs between two versions of a file: right for small ones, bounded for all."""

import io
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from jobserver.contents.alignment import Gap, Pair
from jobserver.contents.compare import Compared, Wanted, compare, is_comparable
from jobserver.contents.compare_lines import laid_out, shown_lines
from jobserver.contents.cutting import cut, marked

MB = 1024 * 1024


def compared(name: str, before: bytes, after: bytes, **wanted: Any) -> Compared:
    """The comparison of two contents."""
    return compare(name, io.BytesIO(before), io.BytesIO(after), Wanted(**wanted))


def counts(found: Compared) -> tuple[int, int, int, int]:
    """How many are the same, changed, were added and removed."""
    shown = found.shown
    assert shown is not None
    return shown.same, shown.changed, shown.added, shown.removed


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (b"a,b\n1,2\n", b"a,b\r\n1,2", (1, 0, 0, 0)),
        (b"a,b\n1,2\n", b'\xef\xbb\xbfa,b\n"1",2\n', (1, 0, 0, 0)),
        (b"a,b\n1,2\n", b"a,b\n1,3\n", (0, 1, 0, 0)),
        (b"a,b\nx,1\ny,2\n", b"a,b\nw,5\nx,1\ny,3\n", (1, 1, 1, 0)),
        (b"a,b\nx,1\ny,2\n", b"a,b\ny,2\nx,1\n", (2, 0, 0, 0)),
        # Nothing tells the rows apart: what is equal belongs together.
        (b"a,b\nx,1\nx,1\nx,2\n", b"a,b\nx,1\nx,2\n", (2, 0, 0, 1)),
        (b"n\n1\n2\n3\n", b"n\n1\n3\n", (2, 0, 0, 1)),
        (b"", b"a\n1\n", (0, 0, 1, 0)),
        (b"a\n1\n", b"", (0, 0, 0, 1)),
        (b'a,b\n"x\ny",1\n', b'a,b\n"x\ny",2\n', (0, 1, 0, 0)),
        (b"a,b\n1,2,3\n", b"a,b\n1,2,4\n", (0, 1, 0, 0)),
        (b"a,b\n\xff,2\n", b"a,b\n\xfe,2\n", (1, 0, 0, 0)),
    ],
)
def test_rows_are_matched(before: bytes, after: bytes, expected: tuple[int, ...]) -> None:
    found = compared("a.csv", before, after)
    assert found.table
    assert counts(found) == expected


table = st.lists(st.tuples(st.sampled_from('ab"\n,'), st.sampled_from("12")), max_size=12)


@hypothesis(max_examples=50)
@given(table, table, st.booleans())
def test_a_comparison_loses_no_row(before: Any, after: Any, everything: bool) -> None:
    """Whatever is shown, all rows of both sides are accounted for, and shown ones have their places."""

    def text(rows: Any) -> bytes:
        quoted = ['"' + key.replace('"', '""') + f'",{value}' for key, value in rows]
        return "\n".join(["key,value", *quoted]).encode()

    found = compared("a.csv", text(before), text(after), everything=everything)
    same, changed, added, removed = counts(found)
    assert same + changed + removed == len(before)
    assert same + changed + added == len(after)
    assert found.shown
    assert sum(each.hidden for each in found.shown.items if isinstance(each, Gap)) <= same
    for each in found.shown.items:
        if isinstance(each, Pair) and each.before_number:
            assert list(each.before) == list(before[each.before_number - 1])
        if isinstance(each, Pair) and each.after_number:
            assert list(each.after) == list(after[each.after_number - 1])
    if everything:
        assert len(found.shown.items) == same + changed + added + removed


@hypothesis(max_examples=50)
@given(*[st.lists(st.sampled_from(["a", "b", "", "c"]), max_size=12)] * 2)
def test_a_comparison_loses_no_line(before: list[str], after: list[str]) -> None:
    texts = ["".join(f"{line}\n" for line in lines).encode() for lines in (before, after)]
    found = compared("a.txt", *texts, everything=True)
    assert found.shown
    lines = list(shown_lines(found.shown.items))
    assert [line.lead + line.differs + line.trail for line in lines if line.before] == before
    assert [line.lead + line.differs + line.trail for line in lines if line.after] == after
    shortened = compared("a.txt", *texts)
    assert counts(shortened) == counts(found)


def test_pages_follow_each_other_without_a_gap() -> None:
    before = b"".join(b"%d,a\n" % n for n in range(300))
    after = b"".join(b"%d,%s\n" % (n, b"b" if n % 7 == 0 else b"a") for n in range(300))
    whole = compared("a.txt", before, after)
    assert whole.shown
    pieces = [compared("a.txt", before, after, offset=at, limit=50).shown for at in range(0, 200, 50)]
    joined = [each for piece in pieces if piece for each in piece.items if isinstance(each, Pair)]
    assert joined == [each for each in whole.shown.items if isinstance(each, Pair)][:200]
    assert {piece.total for piece in pieces if piece} == {whole.shown.total}


def test_what_differs_far_into_a_long_file_is_found_with_its_place() -> None:
    rows = [b"%d,%d" % (n, n % 9) for n in range(200_000)]
    before = b"\n".join([b"id,n", *rows])
    rows[150_000] = b"150000,x"
    found = compared("a.csv", before, b"\n".join([b"id,n", *rows]))
    assert counts(found) == (199_999, 1, 0, 0)
    [changed] = [each for each in found.shown.items if each.kind == "changed"]  # type: ignore[union-attr]
    assert isinstance(changed, Pair)
    assert changed.after_number == 150_001
    rows[10] = b"10,x"
    far = compared("a.csv", before, b"\n".join([b"id,n", *rows]))
    assert far.shown
    assert far.shown.by_position
    assert counts(far) == (199_998, 2, 0, 0)


def test_of_a_wide_table_the_columns_that_differ_are_shown() -> None:
    names = ",".join(f"c{n}" for n in range(300))
    cells = [str(n) for n in range(300)]
    before = f"{names}\n{','.join(cells)}\n".encode()
    cells[250] = "x"
    found = compared("a.csv", before, f"{names}\n{','.join(cells)}\n".encode())
    assert found.table
    assert len(found.table.columns) == 40
    assert found.table.hidden == 260
    assert "c250" in [each.name for each in found.table.columns]
    [pair] = found.table.shown.items
    assert isinstance(pair, Pair)
    assert [each for each in found.table.cells(pair) if each.kind == "changed"] == [("250", "x", "changed")]


def in_another_order() -> tuple[bytes, bytes]:
    """The same lines, in two orders."""
    lines = [b"%d\n" % n for n in range(10_000)]
    return b"".join(lines), b"".join(sorted(lines, key=lambda line: line[::-1]))


# Pairs of files made to take time or room.
HOSTILE: dict[str, tuple[str, Callable[[], tuple[bytes, bytes]]]] = {
    "lines of nothing": ("a.txt", lambda: (b"\n" * (4 * MB), b"a\n" * (2 * MB))),
    "no line the same": ("a.txt", lambda: (b"a\n" * (2 * MB), b"b\n" * (2 * MB))),
    "one line": ("a.log", lambda: (b"a" * (4 * MB), b"a" * (4 * MB - 1) + b"b")),
    "one row": ("a.csv", lambda: (b"," * (4 * MB), b"," * (4 * MB - 1) + b"b")),
    "an open quote": ("a.csv", lambda: (b'"' + b"a\n" * (2 * MB), b'"' + b"b\n" * (2 * MB))),
    "wide rows": ("a.csv", lambda: ((b"," * 900_000 + b"\n") * 4, (b"," * 900_000 + b"1\n") * 4)),
    "equal lines": ("a.txt", lambda: (b"x\ny\n" * 9_000, b"x\ny\nx\n" * 6_000)),
    "another order": ("a.txt", in_another_order),
    "nested": ("a.json", lambda: (b"[" * MB + b"]" * MB, b"[" * MB + b"1" + b"]" * MB)),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_takes_long_or_much_room(name: str) -> None:
    """On an idle machine each takes well below a second of the processor's time."""
    ending, made = HOSTILE[name]
    before, after = made()
    begun = time.process_time()
    found = compared(ending, before, after)
    assert time.process_time() - begun < 10
    assert found.shown
    assert found.shown.differing
    assert len(found.shown.items) <= 1_000
    assert max(len(line.lead + line.differs + line.trail) for line in shown_lines(found.shown.items)) < 1_000


def test_memory_is_bounded_by_the_files() -> None:
    before = b"".join(b"%d,%d\n" % (n, n % 7) for n in range(30_000))
    after = before.replace(b",", b",1")
    files = io.BytesIO(before), io.BytesIO(after)
    tracemalloc.start()
    compare("a.csv", *files, Wanted())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * (len(before) + len(after)) + 20 * MB


def test_files_that_are_no_text_or_too_large_are_not_compared() -> None:
    assert not is_comparable("a.png", (1, 1))
    assert not is_comparable("a.csv", (1, 33 * MB))
    assert not is_comparable("a", (1, 1))
    assert is_comparable("a.TSV", (1, 1))
    assert compared("a.csv", b"a\0b", b"a").shown is None
    assert compared("a.tsv", b"a\tb\n1\t2\n", b"a\tb\n1\t3\n").table


def test_json_is_laid_out_and_nothing_of_it_is_lost() -> None:
    text = rb'{"a": [1.00, 1e400, {"b\"],": null}], "a": "\u00e9, [", "c": []}'
    found = laid_out(text)
    assert b"".join(each.strip() for each in found.split(b"\n")).replace(b": ", b":") == text.replace(
        b", ", b","
    ).replace(b": ", b":").replace(b"e9,[", b"e9, [").replace(b"\\u00e9,", b"\\u00e9,")


def test_what_differs_is_shown_of_long_cells_and_lines() -> None:
    before, after = "x" * 5_000 + "1" + "y" * 5_000, "x" * 5_000 + "2" + "y" * 5_000
    cells = cut(before, after)
    assert all(each and len(each) < 200 for each in cells)
    assert cells[0] != cells[1]
    was, became = marked("n = 1234, mean 5.6", "n = 1299, mean 5.6")
    assert (was.lead, was.differs, became.differs, became.trail) == ("n = ", "1234", "1299", ", mean 5.6")
    assert marked("aa", "aaa")[1].differs
    assert cut("a\0b", None) == ("a\N{SYMBOL FOR NULL}b", None)
