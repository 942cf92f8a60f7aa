"""Rubbish for every address of the JSON API: the answer says what is wrong, and is one that is described."""

from typing import Any

import pytest
from sqlalchemy.orm import Session

from jobserver.clients.storage import ReleaseStorage
from jobserver.openapi import reading
from jobserver.settings import Settings
from tests.contract.test_api_fuzz import World
from tests.web.conftest import Browser

JSON = "application/json"
DEEP = b"[" * 100_000 + b"]" * 100_000
BODIES: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", ""),
    "nothing as JSON": (b"", JSON),
    "a list": (b"[]", JSON),
    "a list of lists": (b"[[[]]]", JSON),
    "a text": (b'"files"', JSON),
    "a number": (b"1e999", JSON),
    "null": (b"null", JSON),
    "not a number": (b"NaN", JSON),
    "half": (b'{"user": "a', JSON),
    "a key twice": (b'{"user": "a", "user": "b"}', JSON),
    "deep lists": (DEEP, JSON),
    "deep objects": (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, JSON),
    "a huge number": (b'{"files": [{"size": 1' + b"0" * 5_000 + b"}]}", JSON),
    "NUL": (
        b'{"user": "\\u0000", "token": "\\u0000", "event_type": "\\u0000", "file_ids": ["\\u0000"]}',
        JSON,
    ),
    "a surrogate": (
        b'{"user": "\\ud800", "token": "\\ud800", "event_type": "\\udfff", "request": "\\ud800"}',
        JSON,
    ),
    "lists in place of texts": (
        b'{"user": [], "token": {}, "event_type": true, "file_ids": "a", "files": {}}',
        JSON,
    ),
    "no UTF-8": (b'{"user": "\xff\xfe"}', JSON),
    "UTF-16": ('{"user": "a"}'.encode("utf-16"), JSON),
    "plain text": (b"user=a", "text/plain"),
    "XML": (b"<user/>", "application/xml"),
    "a form": (b"user=a&token=%00%ff&files=1", "application/x-www-form-urlencoded"),
    "a form in parts without a boundary": (b"--x\r\n", "multipart/form-data"),
    "a form in half a part": (
        b'--x\r\nContent-Disposition: form-data; name="user"\r\n',
        "multipart/form-data; boundary=x",
    ),
    "an odd type": (b"{}", "application/json; charset=klingon"),
    "no type at all": (b"{}", "/"),
}
HEADERS: list[dict[str, str]] = [
    {"Authorization": "x" * 60_000},
    {"Authorization": ":"},
    {"Authorization": "a:b:c"},
    {"Authorization": "token, token"},
    {"Authorization": "Bearer token"},
    {"Authorization": "\xff\xfe"},
    {"OS-User": "\xff"},
    {"OS-User": "checker-2, checker-2"},
    {"OS-User": "x" * 60_000},
    {"Cookie": "sessionid=\xff; csrftoken=a; csrftoken=b; sessionid=c"},
    {"X-CSRFToken": "\xff"},
    {"Content-Disposition": "attachment; filename*=UTF-8''%ff%00"},
    {"Content-Disposition": 'attachment; filename="../../x"; filename="y"'},
    {"Accept": "image/png"},
    {"Accept": ";;;,"},
    {"Range": "bytes=9-1"},
    {"If-None-Match": '"a", W/"', "If-Modified-Since": "yesterday"},
    {"Host": "evil.example"},
    {"X-Forwarded-For": "x, " * 500},
]
QUERIES = ["limit=-1&offset=x", "limit=1e9&offset=%00", "%ff=%ff", "backend=%00", "limit=1&limit=2"]


@pytest.fixture
def world(web: Browser, db: Session, storage: ReleaseStorage, settings: Settings) -> World:
    """One of everything, and a caller of each kind."""
    return World(db, storage, settings.secret_key)


def addresses(world: World) -> list[tuple[str, str, dict[str, str]]]:
    """Method, address and right credentials of every operation."""
    found = []
    for method, path, described in reading.operations():
        proof = world.prove(list(next((way for way in described["security"] if way), [])))
        cookies = "; ".join(f"{name}={value}" for name, value in proof["cookies"].items())
        headers = {**proof["headers"], **({"Cookie": cookies} if cookies else {})}
        found.append((method.upper(), "/api/v2" + path.format(**world.names), headers))
    return found


def ask(web: Browser, method: str, address: str, headers: dict[str, str], body: bytes = b"") -> Any:
    """What comes of it. The browser itself holds the answer against the description."""
    environ = {"REQUEST_METHOD": method}
    if method == "GET":
        return web.get(address, headers=headers, status="*")
    return web.post(address, body, headers=headers, extra_environ=environ, status="*")


def test_no_body_is_more_than_an_address_can_bear(web: Browser, world: World) -> None:
    for method, address, headers in addresses(world):
        if method == "POST":
            for name, (body, kind) in BODIES.items():
                typed = {**headers, "Content-Type": kind}
                answer = ask(web, method, address, typed, body)
                assert answer.status_int < 500, (address, name, answer.body)


def test_no_header_and_no_query_is_either(web: Browser, world: World) -> None:
    for method, address, headers in addresses(world):
        for odd in HEADERS:
            answer = ask(web, method, address, {**headers, "Content-Type": JSON, **odd}, b"{}")
            assert answer.status_int < 500, (address, odd, answer.body)
        for query in QUERIES:
            answer = ask(web, method, f"{address}?{query}", {**headers, "Content-Type": JSON}, b"{}")
            assert answer.status_int < 500, (address, query, answer.body)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "OPTIONS", "HEAD"])
def test_every_other_method_is_answered_too(web: Browser, world: World, method: str) -> None:
    for _, address, headers in addresses(world):
        for proof in ({}, headers):
            answer = web.request(address, method=method, headers=proof, status="*")
            assert answer.status_int < 500, (address, answer.body)
