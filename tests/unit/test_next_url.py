"""Where ``next`` may lead: to a page of this site, however cleverly it is written."""

from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from webob import Request, Response

from jobserver.security.next_url import LONGEST, safe_next

ATTACKS = [
    "",
    " ",
    "evil.example",
    "https://evil.example/",
    "https:evil.example",
    "https:/evil.example",
    "HTTPS://evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "//evil.example/",
    "///evil.example",
    "////evil.example",
    "//evil.example@localhost/",
    "\\\\evil.example",
    "/\\evil.example",
    "/\\/evil.example",
    "\\/evil.example",
    "/path\\evil",
    "/\t/evil.example",
    "/\n/evil.example",
    "/\r/evil.example",
    "/\x00/evil.example",
    "/\x0b/evil.example",
    "/\x7f/evil",
    "/\x85/evil",
    "\t//evil.example",
    " //evil.example",
    " /evil.example",
    "/ /evil.example",
    "/\u2028/evil.example",
    "\u3000//evil.example",
    "/\u2215evil.example",
    "/ok\r\nSet-Cookie: a=b",
    "/.//evil.example",
    "/a/..//evil.example",
    "/%2e//evil.example",
    "/a/%2E%2e//evil.example",
    "?next=//evil.example",
    "#//evil.example",
    "@evil.example",
    ":80/",
    "./",
    "../",
    "/\ud800",
    "/" + "x" * LONGEST,
]
HONEST = [
    "/",
    "/datalab/uptake/main/1042/",
    "/event-log/?status=failed&q=a%20b&page=2",
    "/status/#tpp",
    "/repo/https%3A%2F%2Fgithub.com%2Fopensafely%2Fx/",
    "/repo/https://github.com/opensafely/x/",
    "/search/?url=https://example.org/",
    "/%09/evil.example",
    "/a/../b/",
    "/~x/(y)!*'$;,=:@+",
]


@pytest.mark.parametrize("wanted", ATTACKS)
def test_an_address_that_could_leave_the_site_becomes_the_default(wanted: str) -> None:
    assert safe_next(wanted) == "/"
    assert safe_next(wanted, "/staff/") == "/staff/"


@pytest.mark.parametrize("wanted", HONEST)
def test_a_path_of_this_site_is_kept_as_it_is(wanted: str) -> None:
    assert safe_next(wanted, "/other/") == wanted


@pytest.mark.parametrize("wanted", [None, 7, ["/x/"], b"/x/"])
def test_what_is_not_text_becomes_the_default(wanted: object) -> None:
    assert safe_next(wanted) == "/"


def browsers_host(address: str, base: str) -> str:
    """The host that a browser goes to (the parts of WHATWG's URL parser that are tried by attacks)."""
    cleaned = address.strip("".join(map(chr, range(0x21))))
    for dropped in "\t\n\r":
        cleaned = cleaned.replace(dropped, "")
    return urlsplit(urljoin(base, cleaned.replace("\\", "/"))).netloc


PIECES = ["/", "//", "\\", "evil.example", "@", ":", "https:", "http:", ".", "..", "%2e", "%2f", "?", "#"]
PIECES += ["\t", "\n", "\r", "\x00", " ", "\x85", "\u2028", "a", "[", "]", "localhost", "%09", "é"]
attempts = st.one_of(st.text(), st.lists(st.sampled_from(PIECES), max_size=8).map("".join))


@given(attempts)
@example("/[")
@example("/]//")
def test_whatever_comes_in_the_browser_stays_here(wanted: str) -> None:
    chosen = safe_next(wanted)
    for base in ("https://jobs.example/login/", "https://jobs.example//login/"):
        assert browsers_host(chosen, base) == "jobs.example"
    assert chosen in {wanted, "/"}
    assert chosen.startswith("/")
    assert not chosen.startswith("//")
    assert chosen.isascii()
    assert chosen.isprintable()


@given(attempts)
def test_whatever_comes_in_a_header_can_carry_it(wanted: str) -> None:
    answer = Response(status=303, location=safe_next(wanted))
    sent = Request.blank("/login/", base_url="https://jobs.example").send(answer)
    assert urlsplit(sent.headers["Location"]).netloc == "jobs.example"


@given(st.text(alphabet="abcXYZ019-._~!$&'()*+,;=:@%/", max_size=60))
def test_it_is_idempotent(rest: str) -> None:
    once = safe_next("/" + rest, "/default/")
    assert safe_next(once, "/default/") == once
