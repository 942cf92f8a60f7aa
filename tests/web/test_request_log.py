"""The line of the log about each request, its id, and the address it came from (operations 3.4, 7.1, 12.64-70)."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from pyramid.config import Configurator
from pyramid.request import Request
from sqlalchemy import Engine
from sqlalchemy.orm import Session
from structlog.testing import capture_logs
from webtest import TestApp

from jobserver import make_app
from jobserver.http.tweens import client_address
from jobserver.settings import Settings
from tests import factories as f
from tests.web.conftest import Browser

PROXY = {"REMOTE_ADDR": "127.0.0.1"}
STRANGER = {"REMOTE_ADDR": "203.0.113.9"}
UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


@pytest.fixture
def proxied(settings: Settings, engine: Engine, db: Session) -> Browser:
    """The application behind the proxy of deploy/nginx.conf."""
    return Browser(make_app(replace(settings, trusted_proxies="127.0.0.1"), engine=engine))


@pytest.fixture
def lines() -> Iterator[list[Any]]:
    """What is logged."""
    with capture_logs() as logged:
        yield logged


def test_each_request_is_one_line_with_all_that_is_asked_about_it_later(
    proxied: Browser, lines: list[Any]
) -> None:
    user = f.UserFactory()
    proxied.sign_in(user)
    for path, code, level, route in (
        ("/status/", 200, "info", "Status"),
        ("/settings/confirm-email/?token=secret", 200, "info", "SettingsResource.confirm-email"),
        ("/nowhere/at-all/", 404, "warning", "Root"),
        ("/static/robots.txt", 200, None, None),
    ):
        lines.clear()
        proxied.get(path, status=code, headers={"User-Agent": "curl/8"}, extra_environ=PROXY)
        told = [line for line in lines if line["event"].startswith("request_")]
        if level is None:
            assert told == []
            continue
        (line,) = told
        assert 0 <= line.pop("duration_ms") < 60_000
        assert line == {
            "event": "request_finished",
            "log_level": level,
            "code": code,
            "request": f"GET {path.partition('?')[0]}",
            "route": route,
            "user_agent": "curl/8",
            "user_id": user.id,
        }


def test_a_request_for_which_there_is_not_even_an_error_page_is_told_all_the_same(
    settings: Settings, lines: list[Any]
) -> None:
    def fail(request: Request) -> None:
        request.environ["jobserver.user_id"] = 7
        raise LookupError("nobody thought of this")

    with Configurator() as config:
        config.registry["settings"] = settings
        config.include("jobserver.http.tweens")
        config.add_view(fail, name="page")
        app = config.make_wsgi_app()
    with pytest.raises(LookupError):
        TestApp(app, {"HTTP_HOST": "localhost"}).get("/page")
    (line,) = lines
    assert line.pop("duration_ms") >= 0
    assert line == {
        "event": "request_failed",
        "log_level": "error",
        "exc_info": True,
        "code": 500,
        "request": "GET /page",
        "route": "DefaultRootFactory.page",
        "user_agent": None,
        "user_id": 7,
    }


@pytest.mark.parametrize(
    "path", ["/health-check/", "/nowhere/", "/%ff/", "/static/robots.txt", "/api/v2/nowhere"]
)
def test_every_answer_tells_its_id_and_takes_that_of_the_proxy(proxied: Browser, path: str) -> None:
    asked = {"X-Request-Id": "b2ab3c6a1fd64a63fd7d9ac3e9d0ea5f"}
    by_proxy = proxied.get(path, headers=asked, extra_environ=PROXY, status="*")
    assert by_proxy.headers["X-Request-Id"] == asked["X-Request-Id"]
    by_stranger = proxied.get(path, headers=asked, extra_environ=STRANGER, status="*")
    assert re.fullmatch(UUID, by_stranger.headers["X-Request-Id"])


@pytest.mark.parametrize("odd", ["", "a b", "x" * 65, "a\\nb", "é"])
def test_an_id_that_could_confuse_a_log_is_not_taken(proxied: Browser, odd: str) -> None:
    answer = proxied.get("/health-check/", headers={"X-Request-Id": odd}, extra_environ=PROXY)
    assert re.fullmatch(UUID, answer.headers["X-Request-Id"])


def test_the_id_and_the_address_are_on_every_line_of_a_request(
    proxied: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    behind = {"X-Request-Id": "of-the-proxy", "X-Forwarded-For": "6.6.6.6, 198.51.100.7"}
    proxied.get("/health-check/", headers=behind, extra_environ=PROXY)
    line: Any = caplog.records[-1].msg
    assert (line["request_id"], line["ip"]) == ("of-the-proxy", "198.51.100.7")


@pytest.mark.parametrize(
    ("peer", "forwarded", "found"),
    [
        ("203.0.113.9", "", "203.0.113.9"),
        ("203.0.113.9", "6.6.6.6", "203.0.113.9"),  # nobody's proxy: what it says is worth nothing
        ("127.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("127.0.0.1", "6.6.6.6, 198.51.100.7", "198.51.100.7"),  # the left one is what the client said
        ("127.0.0.1", "198.51.100.7, 10.0.0.4 ,10.0.0.5", "198.51.100.7"),
        ("127.0.0.1", "10.0.0.4, 10.0.0.5", "10.0.0.4"),  # all trusted
        ("127.0.0.1", " , ", "127.0.0.1"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("fd00::1", "2001:db8::7", "2001:db8::7"),
        ("2001:db8::7", "6.6.6.6", "2001:db8::7"),
        ("", "6.6.6.6", ""),
    ],
)
def test_the_address_is_the_last_that_is_no_proxys(peer: str, forwarded: str, found: str) -> None:
    assert client_address(peer, forwarded, ("127.0.0.1", "10.0.0.", "fd00:")) == found


def test_without_proxies_the_peer_is_the_client() -> None:
    assert client_address("203.0.113.9", "6.6.6.6", ()) == "203.0.113.9"
