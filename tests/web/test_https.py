"""What a deployment sends that development does not: cookies for HTTPS alone, more headers; and keys that change."""

import gzip
from dataclasses import replace
from typing import Any

import pytest
from pyramid.request import Request
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from jobserver import make_app
from jobserver.security.policy import Policy
from jobserver.settings import Settings
from jobserver.templating import DIST
from jobserver.templating.assets import Manifest
from tests import factories as f
from tests.web.conftest import Browser

ADDRESS = {"HTTP_HOST": "jobs.example.org", "wsgi.url_scheme": "https"}
ATTRIBUTES = {"secure": "", "httponly": "", "path": "/", "samesite": "Lax"}


@pytest.fixture
def deployed(settings: Settings) -> Settings:
    """Settings of a site with an address of its own."""
    return replace(
        settings, base_url="https://jobs.example.org", csp_report_uri="https://reports.example.org/csp"
    )


@pytest.fixture
def site(deployed: Settings, engine: Engine, db: Session) -> Browser:
    """A browser on that site."""
    return Browser(make_app(deployed, engine=engine), ADDRESS)


def read(cookie: str) -> tuple[str, str, dict[str, str]]:
    """Name, value and attributes of a Set-Cookie header."""
    (name, value), *more = [part.strip().partition("=")[::2] for part in cookie.split(";")]
    return name, value, {each.lower(): said for each, said in more}


def test_browsers_are_told_to_use_https_and_where_breaches_go(site: Browser) -> None:
    for path in ("/health-check/", "/static/robots.txt", "/404"):
        headers = site.get(path, status="*").headers
        assert headers["Strict-Transport-Security"] == "max-age=31536000"
        assert headers["Content-Security-Policy"].endswith("; report-uri https://reports.example.org/csp")


def test_every_cookie_is_for_this_host_and_https_alone(
    site: Browser, deployed: Settings, db: Session
) -> None:
    """Access 6.1: ``__Host-`` keeps neighbour hosts from setting them."""
    asked = f.UserFactory(roles=["StaffAreaAdministrator"])
    request = Request.blank("/")
    request.registry = site.app.registry
    ((_, session_cookie),) = Policy(deployed).remember(request, f.session_cookie(asked)["sessionid"])
    name, value, attributes = read(session_cookie)
    assert (name, {each: attributes[each] for each in ATTRIBUTES}) == ("__Host-sessionid", ATTRIBUTES)
    assert "domain" not in attributes
    site.set_cookie("sessionid", value)
    site.get("/staff/", status=303)
    site.set_cookie(name, value)
    page = site.get("/staff/sentry/")
    form = {"csrfmiddlewaretoken": page.html.find("input", attrs={"name": "csrfmiddlewaretoken"})["value"]}
    done = site.post("/staff/sentry/message", form, status=303)
    cookies = [read(each) for answer in (page, done) for each in answer.headers.getall("Set-Cookie")]
    assert {name for name, _, _ in cookies} == {"__Host-csrftoken", "__Host-carry"}
    for name, _, attributes in cookies:
        assert {each: attributes.get(each) for each in ATTRIBUTES} == ATTRIBUTES, name
        assert "domain" not in attributes, name


def test_what_the_previous_key_signed_counts_during_a_rotation_and_no_longer(
    web: Browser, settings: Settings, engine: Engine
) -> None:
    web.sign_in(f.UserFactory(roles=["StaffAreaAdministrator"]))
    web.submit("/staff/sentry/message", status=303)
    carried = dict(web.cookies)
    new = replace(settings, secret_key="a new key for tests, long enough")

    def page(own: Settings) -> Any:
        browser = Browser(make_app(own, engine=engine))
        for name, value in carried.items():
            browser.set_cookie(name, value.strip('"'))
        return browser.get("/staff/sentry/")

    assert "Nothing was sent" in page(replace(new, old_secret_key=settings.secret_key))
    assert "Nothing was sent" not in page(new)


def test_built_files_are_kept_for_a_year_and_sent_compressed(app: Any) -> None:
    """Operations 8.4 and 12.71: their names change with what is in them."""
    asset = Manifest.load(DIST).asset("main.ts")
    for path in (asset.script, *asset.styles):
        plain, packed = (
            Request.blank(path, headers={"Accept-Encoding": encoding}).get_response(app)
            for encoding in ("identity", "gzip")
        )
        assert plain.headers["Cache-Control"] == packed.headers["Cache-Control"] == "max-age=31536000"
        assert packed.headers["Content-Encoding"] == "gzip"
        assert "Accept-Encoding" in packed.headers["Vary"]
        assert gzip.decompress(packed.body) == plain.body
    named = Request.blank("/static/robots.txt").get_response(app)
    assert (named.headers["Cache-Control"], bool(named.body)) == ("max-age=60", True)
