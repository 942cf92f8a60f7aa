"""Error reports are tried out with buttons, never by opening a page (spec: staff 11, 17.50)."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import sentry_sdk
from sentry_sdk.transport import Transport
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from jobserver import make_app
from jobserver.settings import Settings
from tests import factories as f
from tests.web.conftest import Browser

SENTRY = "/staff/sentry/"


class Kept(Transport):
    """Keeps what would be sent."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[Any] = []

    def capture_envelope(self, envelope: Any) -> None:
        """Take one."""
        self.events += [each for each in [envelope.get_event()] if each]


@pytest.fixture
def staff(web: Browser, db: Session) -> Browser:
    """A Staff Area Administrator's browser; error reports are off."""
    return web.sign_in(f.UserFactory(roles=["StaffAreaAdministrator"]))


@pytest.fixture
def sent() -> Iterator[Kept]:
    """What reaches the error tracker."""
    kept = Kept()
    sentry_sdk.init(dsn="http://key@127.0.0.1:9/1", transport=kept)
    yield kept
    sentry_sdk.get_client().close()
    sentry_sdk.init()


@pytest.fixture
def reporting(settings: Settings, engine: Engine, db: Session, sent: Kept) -> Browser:
    """The same where error reports are on."""
    own = replace(settings, sentry_url="https://sentry.example.org/jobserver/")
    app = make_app(own, engine=engine)
    app.registry["settings"] = replace(own, sentry_dsn="http://key@127.0.0.1:9/1")
    return Browser(app).sign_in(f.UserFactory(roles=["StaffAreaAdministrator"]))


def test_the_page_says_whether_reports_are_on_and_where_they_go(staff: Browser, reporting: Browser) -> None:
    assert "SENTRY_DSN is not set" in staff.get(SENTRY).text
    page = reporting.get(SENTRY).text
    assert "SENTRY_DSN" not in page
    assert 'href="https://sentry.example.org/jobserver/"' in page


def test_a_message_is_sent(reporting: Browser, sent: Kept) -> None:
    page = reporting.submit(f"{SENTRY}message").follow()
    assert "“testing” was sent" in page.text
    assert [event["message"] for event in sent.events] == ["testing"]


def test_without_reports_it_is_said_that_nothing_was_sent(staff: Browser) -> None:
    assert "Nothing was sent" in staff.submit(f"{SENTRY}message").follow().text


def test_an_error_is_an_error_page_and_reported(reporting: Browser, sent: Kept) -> None:
    page = reporting.submit(f"{SENTRY}error", status=500)
    assert "AskedForError" not in page.text
    values = [value for event in sent.events for value in event.get("exception", {}).get("values", [])]
    assert [value["type"] for value in values] == ["AskedForError"]


@pytest.mark.parametrize("name", ["error", "message"])
def test_opening_the_address_does_nothing_and_with_a_slash_there_is_nothing(
    reporting: Browser, sent: Kept, name: str
) -> None:
    reporting.get(f"{SENTRY}{name}", status=405)
    reporting.get(f"{SENTRY}{name}/", status="*")
    reporting.submit(f"{SENTRY}{name}/", status=404)
    assert sent.events == []


def test_an_auditor_may_not_try_it(web: Browser, db: Session) -> None:
    web.sign_in(f.UserFactory(roles=["Auditor"]))
    assert "Send the message" not in web.get(SENTRY).text
    web.submit(f"{SENTRY}error", status=403)
