"""Under fire: forms without a token, forms sent twice, rubbish in every field of every page."""

import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session
from webob import Request, Response

from jobserver.models import Cancellation, User
from jobserver.resources import staff
from tests.web import everything, running
from tests.web.conftest import Browser
from tests.web.uploads import leaves_files, swept

__all__ = ["swept"]

FORM = "application/x-www-form-urlencoded"


class Sender:
    """Sends what no browser would, signed in and with the token that forms carry."""

    def __init__(self, web: Browser, user: User) -> None:
        web.sign_in(user).get("/", status=200)
        self._app = web.app
        self._token = web.cookies["csrftoken"].strip('"')
        self._cookies = "; ".join(f"{name}={value}" for name, value in web.cookies.items())

    def __call__(
        self, method: str, address: str, body: bytes = b"", kind: str = FORM, **more: str
    ) -> Response:
        headers = {"Cookie": self._cookies, "X-CSRFToken": self._token, **more}
        if method == "POST":
            headers["Content-Type"] = kind
        request = Request.blank(address, method=method, headers=headers)
        request.body = body
        began = time.process_time()
        answer = request.get_response(self._app)
        assert time.process_time() - began < 5, address[:200]
        assert answer.status_code < 500, (method, address[:200], kind, body[:200])
        return answer


@pytest.fixture
def world(web: Browser, db: Session) -> everything.World:
    return everything.make(db, "plain")


@pytest.fixture
def send(web: Browser, world: everything.World) -> Sender:
    return Sender(web, world.developer)


def pages_of(app: Any, world: everything.World, context: type) -> list[tuple[str, str]]:
    """Method and address of each view of this context.

    Signing out would end the test, and the gallery is large and reads no field: they are left out.
    """
    pages = [page[1:] for page in world.pages(app) if page[0] is context]
    return [page for page in pages if page[1] not in {"/logout/", "/ui-components/"}]


def names_on(web: Browser, address: str) -> set[str]:
    """The fields that this page itself has: in its forms, and in its links to itself."""
    answer = web.get(address, status="*")
    if answer.content_type != "text/html":
        return set()
    names = {field["name"] for field in answer.html.select("[name]") if field.name != "meta"}
    for link in answer.html.select("a[href*='?']"):
        parts = urlsplit(link["href"])
        if parts.path in {"", address}:
            names.update(name for name, _ in parse_qsl(parts.query))
    return names - {"csrfmiddlewaretoken"}


# Without a token


def test_no_form_does_anything_without_its_token(
    web: Browser, app: Any, world: everything.World, count_statements: Callable[[], Any]
) -> None:
    web.sign_in(world.staff).get("/", status=200)
    posts = [address for _, method, address in world.pages(app) if method == "POST"]
    assert len(posts) > 5
    for user in (world.developer, world.staff, None):
        web.sign_in(user) if user else web.reset()
        for address in posts:
            for given in ({}, {"csrfmiddlewaretoken": "x" * 32}, {"csrfmiddlewaretoken": "\0é"}):
                with count_statements() as statements:
                    answer = web.post(address, {"actions": "plain", "backend": "tpp", **given}, status="*")
                assert answer.status_code in {303, 400, 403, 404, 405}, (address, answer.status)
                if answer.status_code == 303:
                    assert "/login/" in answer.location, address
                assert statements.writes == [], address


# Sent twice


def test_a_cancellation_sent_twice_and_at_the_same_time_is_one(
    app: Any, web: Browser, db: Session, world: everything.World
) -> None:
    web.sign_in(world.developer).get("/", status=200)
    db.execute(text("TRUNCATE cancellation"))
    db.execute(text("UPDATE job_request SET cancelled_actions = '{}'"))
    db.commit()
    address = running.path(world.request) + "cancel/"

    def press(_number: int) -> int:
        browser = Browser(app)
        for name, value in web.cookies.items():
            browser.set_cookie(name, value.strip('"'))
        return int(browser.submit(address, status="*").status_code)

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(press, range(4))) == {303}
    assert len(db.scalars(select(Cancellation.id)).all()) == 1
    assert db.scalar(text("SELECT count(*) FROM procrastinate_jobs WHERE args ? 'cancellation_id'")) == 1


# Rubbish in every field of every page

VALUES = {
    "nothing": "",
    "nul": "%00",
    "nul inside": "a%00b",
    "not utf-8": "%ff%fe",
    "half surrogate": "%ED%A0%80",
    "long": "x" * 100_000,
    "long number": "9" * 5000,
    "beyond 32 bits": "4294967296",
    "beyond 64 bits": "-99999999999999999999",
    "no number": "%C2%B2",
    "other digits": "%D9%A3",
    "infinite": "1e999",
    "sql": "%27%29%20OR%201=1--",
    "like": "%25_%5C",
    "markup": "%3Cscript%3Ealert(1)%3C%2Fscript%3E",
    "no date": "2026-13-45",
    "early date": "0000-00-00",
    "late date": "9999-12-31",
    "header": "a%0d%0aX-Evil:%201",
    "json": "%7B%22a%22:%5B%5D%7D",
    "backwards": "%E2%80%AE",
}
ALONE = ("nul", "long number", "no number")
# What many pages read, whether they say so or not.
ANYWHERE = {"page", "format", "next", "live"}


def queries(names: list[str], own: list[str]) -> Iterator[str]:
    """All fields with each value, the page's own each alone with some, and all of them twice."""
    for value in VALUES.values():
        yield "&".join(f"{name}={value}" for name in names)
    for name in own:
        yield from (f"{name}={VALUES[kind]}" for kind in ALONE)
    yield "&".join(f"{name}=1&{name}=2" for name in names)
    yield "&&==&%&%zz=%zz&" + "&".join(names) + ";a=b#?"
    yield urlencode({f"{name}[]": "1" for name in names})


def bodies(names: list[str]) -> Iterator[tuple[bytes, str]]:
    """Bodies that are no form, whatever they say they are; and one with a file in every field."""
    files = (f'--x\r\nContent-Disposition: form-data; name="{name}"; filename="a"\r\n\r\na' for name in names)
    yield "\r\n".join([*files, "--x--\r\n"]).encode(), "multipart/form-data; boundary=x"
    yield b"\xff\xfe\x00=\x00", FORM
    yield b"&".join(b"f%d=1" % number for number in range(5000)), FORM
    yield b"{", "application/json"
    yield b"--", "multipart/form-data"
    yield b"garbage", "multipart/form-data; boundary=x"
    part = b'--x\r\nContent-Disposition: form-data; name="backend"; filename="\xff\x00"\r\n\r\n\xff\x00'
    yield part, "multipart/form-data; boundary=x"
    yield part + b"\r\n--x--\r\n", "multipart/form-data; boundary=x"
    yield b"a=1", f"{FORM}; charset=nonsense"
    yield b"a=1", "\xff"


@pytest.mark.parametrize("context", everything.PLACES, ids=lambda context: context.__name__)
@leaves_files
@pytest.mark.usefixtures("swept")
def test_rubbish_in_any_field_of_any_page_is_never_a_500(
    web: Browser, app: Any, world: everything.World, send: Sender, context: type
) -> None:
    if context.__module__ == staff.__name__:
        # Others learn no more than that they may not.
        send = Sender(web, world.staff)
    base = everything.PLACES[context](world)
    pages = pages_of(app, world, context)
    there = names_on(web, base) | ANYWHERE
    for number, (method, address) in enumerate(pages):
        # A page that cannot be looked at is asked for by forms of the other.
        own = names_on(web, address) if address != base and ("GET", address) in pages else there
        for turn, query in enumerate(queries(sorted(own | there), sorted(own))):
            # Forms of the staff area are read alike: each meets every second kind, each kind every second form.
            # So does what only shows a form that is sent to the same address.
            only_shows = method == "GET" and ("POST", address) in pages
            if (context.__module__ == staff.__name__ or only_shows) and (number + turn) % 2:
                continue
            if method == "POST":
                answer = send("POST", address, query.encode())
                assert b"<script>alert(1)" not in answer.body, address
            # Forms are in bodies: beside them, addresses take turns.
            if method == "POST" and (number + turn // 2) % 4:
                continue
            answer = send("GET" if method != "POST" else "POST", f"{address}?{query}")
            assert b"<script>alert(1)" not in answer.body, address
            assert not [value for value in answer.headers.values() if re.search(r"[\r\n]", value)], address
        if method == "POST":
            for body, kind in bodies(sorted(own | there)):
                send("POST", address, body, kind)
