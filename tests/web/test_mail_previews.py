"""Every mail with invented data, to be looked at in development."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from jobserver import make_app
from jobserver.settings import Settings
from jobserver.tasks import letters
from jobserver.tasks.mail_samples import NAME, SAMPLES
from tests.web.conftest import Browser

MAILS = "/ui-components/mails/"


@pytest.fixture(scope="module")
def development(settings: Settings, engine: Engine) -> Any:
    return make_app(replace(settings, debug=True), engine=engine)


@pytest.fixture
def dev(development: Any, db: Session) -> Browser:
    return Browser(development)


def test_every_template_has_a_preview_and_both_its_parts() -> None:
    files = {path.name for path in letters.TEMPLATES.iterdir()}
    assert files == {
        f"{name}.{part}.jinja2" for name in {*letters.names(), *letters.FRAMES} for part in ("html", "txt")
    }
    assert set(SAMPLES) == set(letters.names())


def test_the_list_leads_to_every_mail(dev: Browser) -> None:
    page = dev.get(MAILS, status=200)
    links = {each["href"] for each in page.html.find("main").find_all("a")}
    assert links == {f"{MAILS}{name}/" for name in SAMPLES}
    for link in links:
        dev.get(link, status=200)


@pytest.mark.parametrize("name", list(SAMPLES))
def test_a_mail_is_shown_with_both_parts(dev: Browser, name: str) -> None:
    page = dev.get(f"{MAILS}{name}/", status=200)
    message = SAMPLES[name].make("http://localhost")
    frame = page.html.find("iframe")
    assert frame["src"] == f"{MAILS}{name}/?part=html"
    assert not frame["sandbox"]  # no exception from the sandbox
    assert page.html.find("pre").text.strip() == message.text.strip()
    assert message.subject in page.html.find("h1").text
    html = dev.get(f"{MAILS}{name}/?part=html")
    assert html.content_type == "text/html"
    assert html.text == message.html
    text = dev.get(f"{MAILS}{name}/?part=text")
    assert text.content_type == "text/plain"
    assert text.text == message.text


@pytest.mark.parametrize("name", list(SAMPLES))
def test_only_html_is_escaped_in_mails(name: str) -> None:
    """Operations 12.11."""
    message = SAMPLES[name].make("http://localhost")
    assert NAME in message.text
    assert "Zoë O’Hara &amp; &lt;b&gt;Co&lt;/b&gt;" in message.html
    assert "<b>Co" not in message.html
    assert "&amp;" not in message.text
    assert "\n" not in message.subject


def test_the_html_part_may_not_run_or_fetch_anything(dev: Browser) -> None:
    policy = dev.get(f"{MAILS}request_ended/?part=html").headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline';")
    assert policy.endswith("sandbox")
    assert "script" not in policy
    assert "unsafe-inline" not in dev.get(f"{MAILS}request_ended/").headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "path", ["nothing/", "layout/", "a%2fb/", "request_ended/more/", "request_ended/?part=x"]
)
def test_what_is_not_there_is_a_404(dev: Browser, path: str) -> None:
    dev.get(MAILS + path, status=404)


@pytest.mark.parametrize("path", ["", "request_ended/", "request_ended/?part=html"])
def test_outside_development_there_are_none(web: Browser, path: str) -> None:
    web.get(MAILS + path, status=404)
    web.get("/ui-components/", status=200)
