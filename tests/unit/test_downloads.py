"""CSV downloads."""

import csv
import io
from datetime import UTC, datetime

from jobserver.http.downloads import csv_download


def test_times_gaps_and_commas_come_through() -> None:
    at = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
    response = csv_download("log.csv", ["When", "What", "Who"], [(at, 'a "b", c', None)])

    assert response.headers["Content-Disposition"] == 'attachment; filename="log.csv"'
    assert list(csv.reader(io.StringIO(response.text))) == [
        ["When", "What", "Who"],
        ["2026-01-05T09:30:00+00:00", 'a "b", c', ""],
    ]


def test_no_cell_is_a_formula() -> None:
    response = csv_download("log.csv", ["What"], [["=HYPERLINK(1)"], ["+1"], ["-1"], ["@x"], [-1], ["a=b"]])

    cells = [row[0] for row in csv.reader(io.StringIO(response.text))]
    assert cells == ["What", "'=HYPERLINK(1)", "'+1", "'-1", "'@x", "-1", "a=b"]


def test_a_long_list_comes_whole() -> None:
    rows = [(number,) for number in range(1234)]
    lines = csv_download("log.csv", ["n"], rows).text.splitlines()
    assert lines == ["n", *map(str, range(1234))]
