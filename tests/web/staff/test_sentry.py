"""Error reports: what is in them, how often, and the buttons that try them out (staff 11; operations 7.3)."""

import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import sentry_sdk
import structlog
from sentry_sdk.transport import Transport
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from jobserver import make_app, observability
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
def reporting_settings(settings: Settings) -> Settings:
    """Error reports are on."""
    return replace(
        settings,
        sentry_dsn="http://key@127.0.0.1:9/1",
        sentry_url="https://sentry.example.org/jobserver/",
        smtp_url="smtp://us:pass%2Dword@127.0.0.1:9",
        jobserver_github_token="tok-0123456789",
    )


@pytest.fixture
def sent(reporting_settings: Settings) -> Iterator[Kept]:
    """What reaches the error tracker, which is set up as it is in production."""
    observability.configure(reporting_settings)
    client = sentry_sdk.get_client()
    kept = client.transport = Kept()
    yield kept
    client.close()
    sentry_sdk.init()
    observability._done.discard("sentry")


@pytest.fixture
def reporting(reporting_settings: Settings, engine: Engine, db: Session, sent: Kept) -> Browser:
    """The same where error reports are on."""
    app = make_app(reporting_settings, engine=engine)
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


def test_an_error_is_an_error_page_and_reported_once(reporting: Browser, sent: Kept) -> None:
    page = reporting.submit(f"{SENTRY}error", status=500)
    assert "AskedForError" not in page.text
    (event,) = sent.events
    assert [value["type"] for value in event["exception"]["values"]] == ["AskedForError"]
    assert event["contexts"]["log"]["request_id"] in page.text
    assert event["request"]["method"] == "POST"
    assert event["request"]["url"] == "http://localhost/staff/sentry/error"


def test_nothing_that_proves_who_somebody_is_leaves_with_an_error(reporting: Browser, sent: Kept) -> None:
    """Operations 12.52 and 12.62: whoever reads the error tracker could act as them."""
    typed = [("note", "typed-by-somebody")]
    headers = {"Authorization": "token-of-a-backend", "Referer": "http://localhost/?code=code-before"}
    reporting.submit(f"{SENTRY}error?code=code-of-github", typed, headers=headers, status=500)
    told = json.dumps(sent.events)
    assert "AskedForError" in told
    for hidden in (
        *reporting.cookies.values(),
        "sessionid",
        "code-of-github",
        "code-before",
        "token-of-a-backend",
        "typed-by-somebody",
    ):
        assert hidden.strip('"') not in told, hidden


def fail(words: str) -> None:
    """Fail with a variable in the frame that the words do not hold."""
    in_a_variable = "-".join(["hidden", "here"])
    if in_a_variable:
        raise LookupError(words)


def test_a_line_of_level_error_is_reported_once_under_its_name_without_secrets(sent: Kept) -> None:
    """Operations 12.65: so that the tracker sees that two are the same."""
    log = structlog.get_logger("jobserver.test")
    for number in (1, 2):
        try:
            fail("smtp://us:pass-word@mail, pass%2Dword, tok-0123456789")
        except LookupError:
            log.exception("it_failed", number=number)
    log.error("labels_missing", labels=["tok-0123456789"])
    log.warning("all_is_well")
    first, second, third = sent.events
    for event, number in ((first, 1), (second, 2)):
        (value,) = event["exception"]["values"]
        assert (value["type"], value["value"]) == ("LookupError", "smtp://*****@mail, *****, *****")
        assert event["tags"]["event"] == "it_failed"
        assert event["contexts"]["log"]["number"] == number
    assert (third["message"], third["level"]) == ("labels_missing", "error")
    assert third["contexts"]["log"]["labels"] == ["*****"]
    assert "hidden-here" not in json.dumps(sent.events)


def test_a_task_that_failed_for_good_is_reported_once(sent: Kept) -> None:
    """The queue's own lines are not structured; they bring their exception all the same."""
    try:
        fail("no such user")
    except LookupError:
        logging.getLogger("procrastinate.worker").exception("Job %s ended", "tell[1]")
    (event,) = sent.events
    assert event["exception"]["values"][0]["type"] == "LookupError"
    assert event["logentry"]["message"] == "Job %s ended"


def test_a_lost_database_is_reported_once(reporting_settings: Settings, sent: Kept) -> None:
    away = replace(reporting_settings, database_url="postgresql://jobs:hunter2secret@127.0.0.1:9/x")
    web = Browser(make_app(away))
    web.get("/status/", status=503)
    (event,) = sent.events
    assert event["exception"]["values"][-1]["type"] == "OperationalError"
    assert "hunter2secret" not in json.dumps(event)


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
