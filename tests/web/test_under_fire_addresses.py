"""Under fire: rubbish in every place of an address, destinations that leave the site, HTML in every field."""

import json
import re
import time
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

import pytest
from sqlalchemy import ARRAY, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session
from webob import Request

from jobserver.models import Base, User
from jobserver.resources import staff
from tests import factories as f
from tests.unit.test_next_url import ATTACKS
from tests.web import everything
from tests.web.conftest import Browser

ATTRIBUTE = re.compile(r"[a-zA-Z][-a-zA-Z:]*[0-9]*")
HTML = """<script>alert(1)</script>"'&"""


@pytest.fixture
def world(web: Browser, db: Session) -> everything.World:
    return everything.make(db, HTML)


# Columns that PostgreSQL itself, or whoever writes them, keeps to a form, or that no page ever shows.
KEPT_TO_A_FORM = {
    "application": {"status"},
    "user": {"username", "roles", "pat_token", "login_token"},
    "github_identity": {"provider"},
    "org": {"slug", "output_checking_repo"},
    "project": {"slug", "number", "category", "status"},
    "project_membership": {"roles"},
    "data_permission": {"kind", "name"},
    "repo": {"url"},
    "workspace": {"name"},
    "backend": {"slug", "token_digest", "previous_token_digest"},
    "job_request": {"identifier", "sha", "status"},
    "happening": {"kind"},
    "job": {"state"},
    "auditable_event": {"type", "source"},
    "personal_token": {"scopes"},
    "site_alert": {"level"},
    "mail_preference": {"kind", "choice"},
    "release": {"status"},
    "release_file": {"filehash"},
    "release_file_review": {"status"},
    "publish_request": {"decision"},
    "release_request": {"state"},
    "release_request_event": {"event_type"},
}


@pytest.mark.usefixtures("world")
def test_every_text_field_that_can_hold_html_holds_some(db: Session) -> None:
    """So that the next test is about all of them: a new column has to be filled or named above."""
    without = []
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            is_text = isinstance(column.type, Text | JSONB) or (
                isinstance(column.type, ARRAY) and isinstance(column.type.item_type, Text)
            )
            if not is_text or column.name in KEPT_TO_A_FORM.get(table.name, set()):
                continue
            found = text(f'SELECT count(*) FROM "{table.name}" WHERE "{column.name}"::text LIKE :some')
            if not db.scalar(found, {"some": "%<script>alert(1)</script>%"}):
                without.append(f"{table.name}.{column.name}")
    assert without == []


@pytest.mark.parametrize("who", ["anonymous", "developer", "staff"])
def test_html_in_every_text_field_is_shown_as_text(
    web: Browser, app: Any, world: everything.World, who: str
) -> None:
    if who != "anonymous":
        web.sign_in(getattr(world, who))
    starts = ["/", *[address for _, method, address in world.pages(app) if method == "GET"]]
    shown = 0
    for address, answer in everything.crawl(web, starts):
        assert answer.status_code < 500, address
        if answer.content_type != "text/html":
            continue
        assert "<script>alert" not in answer.text, address
        names = {name for element in answer.html.find_all() for name in element.attrs}
        assert [name for name in names if not ATTRIBUTE.fullmatch(name)] == [], address
        scripts = answer.html.select('script:not([type="application/ld+json"])')
        assert not [each for each in scripts if "alert(1)" in each.text], address
        for data in answer.html.select('script[type="application/ld+json"]'):
            assert "<" not in data.text, address
            json.loads(data.text)
        shown += "&lt;script&gt;alert(1)" in answer.text
    assert shown > 10


# Rubbish in every place of every address

SEGMENTS = {
    "dots": "..",
    "encoded dots": "%2e%2e",
    "slash": "%2f",
    "up and away": "..%2f..%2fetc%2fpasswd",
    "backslash": "%5c",
    "nul": "%00",
    "nul inside": "a%00b",
    "long": "x" * 10_000,
    "long number": "9" * 10_000,
    "beyond 32 bits": "4294967296",
    "other digits": "%D9%A3",
    "minus": "-1",
    "not utf-8": "%ff%fe",
    "half surrogate": "%ED%A0%80",
    "header": "a%0d%0aSet-Cookie:%20x=1",
    "markup": "%3Cscript%3Ealert(1)%3C%2Fscript%3E",
    "quotes": "%27%22%3B--",
    "percent": "%25_%5F",
    "blank": "%20",
    "empty": "",
}


def _cookies(user: User) -> str:
    return "; ".join(f"{name}={value}" for name, value in f.session_cookie(user).items())


@pytest.mark.parametrize("rubbish", SEGMENTS.values(), ids=SEGMENTS.keys())
def test_rubbish_in_any_place_of_an_address_is_answered_soon_and_never_a_500(
    web: Browser, app: Any, world: everything.World, rubbish: str
) -> None:
    asked = {}
    turn = list(SEGMENTS.values()).index(rubbish)
    for number, (context, method, address) in enumerate(world.pages(app)):
        runs_it = context.__module__ == staff.__name__
        segments = everything.PLACES[context](world).strip("/").split("/")
        # Where a thing of this kind is found by what it is called: every kind of rubbish.
        asked["/".join(["", *segments[:-1], rubbish, ""])] = "GET", runs_it
        # On the way there, and beyond it, pages find their things alike: each meets every fourth kind, each kind
        # every fourth page; in the staff area, where one piece of code finds all of them, every eighth.
        if (number + turn) % (8 if runs_it else 4):
            continue
        segments = address.strip("/").split("/")
        for place in range(len(segments)):
            asked["/".join(["", *segments[:place], rubbish, *segments[place + 1 :], ""])] = method, runs_it
        asked[f"{address}{rubbish}/"] = method, runs_it
        asked[f"{address}{rubbish}"] = method, runs_it
    cookies = {runs_it: _cookies(world.staff if runs_it else world.developer) for runs_it in (True, False)}
    for address, (method, runs_it) in sorted(asked.items()):
        began = time.process_time()
        request = Request.blank(address, method=method, headers={"Cookie": cookies[runs_it]})
        answer = request.get_response(web.app)
        assert time.process_time() - began < 2, address[:200]
        assert answer.status_code < 500, (method, address[:200])
        assert not [value for value in answer.headers.values() if re.search(r"[\r\n\0]", value)], address
        assert len(answer.body) < 300_000
        assert b"<script>alert(1)" not in answer.body


# Destinations

LEAVING = [
    *(each for each in ATTACKS if each.isprintable() or each.isascii()),
    "https://evil.example/",
    "//evil.example",
    "/\\evil.example",
    "/\t/evil.example",
]


def leads_away(address: str) -> bool:
    """Whether a browser would leave the site: it drops white space and takes one slash for the other."""
    seen = re.sub(r"[\t\r\n]", "", address.strip(" \x00\x1f")).replace("\\", "/")
    target = urlsplit(urljoin("http://localhost/somewhere/", seen))
    return (target.scheme, target.netloc) != ("http", "localhost")


@pytest.mark.parametrize("signed_in", [False, True])
def test_no_page_leads_to_a_destination_that_leaves_the_site(
    web: Browser, app: Any, world: everything.World, signed_in: bool
) -> None:
    """Whatever page it is given to: those that take a destination meet every attack, the others a few."""
    if signed_in:
        web.sign_in(world.developer)
    asked = 0
    for _, method, address in sorted(world.pages(app), key=lambda page: "logout" in page[2]):
        takes_it = address in {"/login/", "/logout/", "/login/github/", "/complete/"}
        for wanted in LEAVING if takes_it else LEAVING[-4:]:
            asked += 1
            query = urlencode({"next": wanted, "came_from": wanted, "return_to": wanted})
            if method == "GET":
                answer = web.get(f"{address}?{query}", status="*")
            else:
                answer = web.submit(f"{address}?{query}", {"next": wanted}, status="*")
            assert answer.status_code < 500, address
            location = answer.headers.get("Location", "/")
            assert not ("evil" in location and leads_away(location)), (address, wanted)
            # What has no trace of it need not be taken apart.
            if answer.content_type != "text/html" or "evil" not in answer.text:
                continue
            for element in answer.html.select("[href*=evil], [action*=evil], [action^='/log'] [value*=evil]"):
                goes_on = element.get("href") or element.get("action") or element["value"]
                assert not leads_away(goes_on), (address, wanted)
    assert asked > 200
