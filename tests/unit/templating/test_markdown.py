"""Markdown becomes HTML that can do no harm, whatever was written (spec: staff 17.19)."""

import time
from urllib.parse import urlsplit

import pytest
from bs4 import BeautifulSoup

from jobserver.templating.markdown import ATTRIBUTES, TAGS, markdown, rendered


def tags(text: str) -> list[str]:
    return [tag.name for tag in BeautifulSoup(markdown(text), "html.parser").find_all(True)]


def test_what_people_write_is_shown_as_they_meant_it() -> None:
    html = markdown("**TPP** is *down*.\n\n- one\n- two\n\n`run` [status](/status/)\n\n> said\n\n3. third")
    assert "<strong>TPP</strong> is <em>down</em>." in html
    assert html.count("<li>") == 3
    assert "<code>run</code>" in html
    assert '<a href="/status/" rel="nofollow noopener">status</a>' in html
    assert "<blockquote>" in html
    assert '<ol start="3">' in html


def test_a_line_break_stays_one() -> None:
    assert markdown("one\ntwo").startswith("<p>one<br")


@pytest.mark.parametrize(
    ("marks", "levels"),
    [
        ("#", ["h3"]),
        ("####", ["h3"]),
        ("# ## ### #### ##### ######", ["h3", "h4", "h5", "h6", "h6", "h6"]),
        ("# ### #", ["h3", "h4", "h3"]),
    ],
)
def test_headings_begin_below_those_of_the_page_and_leave_none_out(marks: str, levels: list[str]) -> None:
    assert tags("\n\n".join(f"{each} Title" for each in marks.split())) == levels


@pytest.mark.parametrize(
    "evil",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "a <b onmouseover=alert(1)>b</b>",
        "<svg/onload=alert(1)>",
        "<iframe src=//evil.example></iframe>",
        "<a href=javascript:alert(1)>x</a>",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](java\tscript:alert(1))",
        "[x](&#106;avascript:alert(1))",
        "[x](&#x6A&#x61&#x76script:alert(1))",
        "[x](vbscript:x)",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "[x](file:///etc/passwd)",
        "<javascript:alert(1)>",
        "[x]: javascript:alert(1)\n\n[x]",
        '[x](https://a.example "onmouseover=alert(1)")',
        '[x](https://a.example/"onmouseover="alert(1))',
        "![x](https://tracker.example/p.png)",
        "![x](javascript:alert(1))",
        "![a][b]\n\n[b]: https://tracker.example/p.png",
        "```html\n<script>alert(1)</script>\n```",
        '``` x" onload=alert(1)\ncode\n```',
        "<!-- --><script>alert(1)</script>",
        "<![CDATA[<script>alert(1)</script>]]>",
        "<style>*{display:none}</style>",
        "<form action=//evil.example><input name=csrfmiddlewaretoken>",
        "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
        "\x00<script>\x00alert(1)</script>",
    ],
)
def test_nothing_that_acts_comes_through(evil: str) -> None:
    found = BeautifulSoup(markdown(evil), "html.parser").find_all(True)
    for tag in found:
        assert tag.name in TAGS
        assert set(tag.attrs) <= ATTRIBUTES.get(tag.name, set()) | {"rel"}
        assert urlsplit(tag.get("href", "")).scheme in {"", "http", "https", "mailto"}


def test_tables_are_set_where_they_are_wanted_and_nothing_in_them_acts() -> None:
    written = "|age|n|\n|:--|--:|\n|<b>18|[3](javascript:x)|\n\n`<table>`"
    html = rendered(written, tables=True)
    assert html.count("<div") == html.count("<table>") == 1
    found = BeautifulSoup(html, "html.parser")
    assert [each.text for each in found.select("thead th")] == ["age", "n"]
    assert [(each.text, each.attrs) for each in found.select("td")] == [
        ("<b>18", {}),
        ("[3](javascript:x)", {"class": ["r"]}),
    ]
    assert "<table" not in markdown(written)


def test_a_table_that_is_wide_and_long_does_not_take_long() -> None:
    text = "|a" * 10_000 + "|\n" + "|-" * 10_000 + "|\n" + "|\n" * 10_000
    began = time.thread_time()
    assert len(rendered(text, tables=True)) < 2_000_000
    assert time.thread_time() - began < 3


def test_html_is_shown_as_what_was_typed() -> None:
    assert "&lt;b&gt;now&lt;/b&gt;" in markdown("<b>now</b>")


@pytest.mark.parametrize(
    "unit", ["[", "*a", "_a", "> ", "`", "![", "<a ", "&", "\\", "1. ", "[a](", "#", "~", "- "]
)
def test_no_text_of_the_longest_kind_takes_long(unit: str) -> None:
    text = (unit * 20_000)[:20_000]
    began = time.process_time()
    markdown(text)
    assert time.process_time() - began < 3


def test_nothing_is_nothing() -> None:
    assert markdown("") == ""
    assert tags("   \n") == []
