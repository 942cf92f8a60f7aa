"""The header Content-Disposition, read and written (spec: airlock 4.3, 12.32; RFC 6266, RFC 5987)."""

import json

import pytest
from webob.headers import ResponseHeaders

from jobserver.http.disposition import LONGEST, disposition, file_name
from tests.contract.airlock import RECORDINGS


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ('attachment; filename="output/summary.csv"', "output/summary.csv"),
        ("attachment; filename=output/summary.csv", "output/summary.csv"),
        ("attachment;filename=a.csv;size=3", "a.csv"),
        ('ATTACHMENT ; FileName = "a b.csv" ', "a b.csv"),
        ('filename="a.csv"', "a.csv"),
        ('attachment; filename=" a.csv "', " a.csv "),
        ('attachment; filename="naïve.txt"', "naïve.txt"),
        # Airlock does not escape quotes; others do.
        ('attachment; filename="a"b".csv"', 'a"b".csv'),
        (r'attachment; filename="a\"b.csv"', 'a"b.csv'),
        (r'attachment; filename="a\b.csv"', r"a\b.csv"),
        ('attachment; filename="a;filename=b.csv"', "a;filename=b.csv"),
        ("attachment; filename=\"a;filename*=utf-8''b\"", "a;filename*=utf-8''b"),
        ("attachment; filename*=UTF-8''output%2Fna%C3%AFve%20%22.csv", 'output/naïve ".csv'),
        ("attachment; filename*=iso-8859-1'de'na%EFve.csv", "naïve.csv"),
        ("attachment; filename=\"plain\"; filename*=utf-8''better", "better"),
        ("attachment; filename*=utf-8''better; filename=\"plain\"", "better"),
        ("attachment; filename*=utf-8''%ff; filename=\"plain\"", "plain"),
        ("attachment; filename*=utf-7''+AGE-; filename=\"plain\"", "plain"),
        # Two headers, which the server joins, name no file that was announced.
        ('attachment; filename="a", attachment; filename="a"', 'a", attachment; filename="a'),
    ],
)
def test_the_name_is_read_as_it_was_sent(header: str, name: str) -> None:
    assert file_name(header) == name


@pytest.mark.parametrize(
    "header",
    ["", "attachment", "inline; name=a", 'attachment; filename=""', "attachment; filename=",
     "attachment; filename*=utf-8''", "attachment; filename*=utf-8''%ff", "xfilename=a",
     f'attachment; filename="{"x" * LONGEST}"'],
)  # fmt: skip
def test_no_name_is_no_name(header: str) -> None:
    assert file_name(header) is None


def test_the_names_that_airlock_sent_are_those_that_it_announced() -> None:
    sent, announced = set(), set()
    for each in json.loads(RECORDINGS.read_text(encoding="utf-8")):
        if header := each["request"]["headers"].get("Content-Disposition"):
            sent.add(file_name(header))
        if "/releases/workspace/" in each["request"]["path"]:
            announced |= {file["name"] for file in json.loads(each["request"]["body"])["files"]}
    assert sent <= announced
    assert {"output/figures/plot.svg", "output/naïve.txt"} <= sent


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("a b.csv", 'inline; filename="a b.csv"'),
        ("naïve.csv", "inline; filename=\"na_ve.csv\"; filename*=UTF-8''na%C3%AFve.csv"),
        ('a"\\%b.csv', "inline; filename=\"a___b.csv\"; filename*=UTF-8''a%22%5C%25b.csv"),
        ("a\r\nSet-Cookie: b", "inline; filename=\"a__Set-Cookie: b\"; filename*=UTF-8''a__Set-Cookie%3A%20b"),
    ],
)  # fmt: skip
def test_what_browsers_read_differently_is_written_twice(name: str, header: str) -> None:
    assert disposition("inline", name) == header
    ResponseHeaders([("Content-Disposition", header)])
    header.encode("ascii")


@pytest.mark.parametrize(
    "name", ["a.csv", "sum mary.csv", "naïve.csv", 'say "yes".csv', "100%.csv", "日本.csv"]
)
def test_a_name_that_is_written_is_read_again(name: str) -> None:
    assert file_name(disposition("attachment", name)) == name
