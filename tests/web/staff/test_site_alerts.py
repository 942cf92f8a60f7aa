"""Banners for everybody who is signed in (spec: staff 12, 17.19)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from jobserver.models import AuditableEvent, SiteAlert, User, utcnow
from tests import factories as f
from tests.web.conftest import Browser

ALERTS = "/staff/site-alerts/"
ADD = f"{ALERTS}add/"


@pytest.fixture
def admin(db: Session) -> User:
    return f.UserFactory(username="staff-1", fullname="Sam Staff", roles=["StaffAreaAdministrator"])


@pytest.fixture
def staff(web: Browser, admin: User) -> Browser:
    """A Staff Area Administrator's browser."""
    return web.sign_in(admin)


def values(**changes: str) -> dict[str, str]:
    return {
        "title": "Maintenance",
        "message": "TPP is **down**.",
        "level": "info",
        "starts_at": "",
        "ends_at": "",
        **changes,
    }


def edit_form(staff: Browser, alert: SiteAlert) -> dict[str, str]:
    """What the edit page would send unchanged."""
    page = staff.get(f"{ALERTS}edit/{alert.id}/").html
    names = ("title", "level", "starts_at", "ends_at", "version")
    found = {name: page.select_one(f"#content [name={name}]") for name in names}
    level = found.pop("level").select_one("[selected]")
    sent = {name: field.get("value", "") for name, field in found.items()}
    return {**sent, "level": level["value"], "message": page.select_one("[name=message]").text.strip()}


def event(db: Session) -> AuditableEvent:
    return db.scalars(select(AuditableEvent).order_by(AuditableEvent.id.desc())).first()


def test_an_alert_is_made_shown_to_everybody_and_recorded(staff: Browser, db: Session, admin: User) -> None:
    answer = staff.submit(ADD, values(), status=303)
    alert = db.scalars(select(SiteAlert)).one()
    assert answer.location.endswith(f"{ALERTS}edit/{alert.id}/")
    assert (alert.created_by_id, alert.updated_by_id) == (admin.id, admin.id)
    assert "Everybody who is signed in sees it now." in answer.follow().text
    recorded = event(db)
    assert (recorded.type, recorded.created_by, recorded.source) == (
        "site_alert_created",
        "staff-1",
        "browser",
    )
    assert recorded.target_label == "Maintenance"
    assert recorded.changes == {
        "title": [None, "Maintenance"],
        "message": [None, "TPP is **down**."],
        "level": [None, "info"],
    }
    page = staff.sign_in(f.UserFactory()).get("/status/")
    assert "TPP is <strong>down</strong>." in page.text


def test_a_preview_shows_it_and_keeps_nothing(staff: Browser, db: Session) -> None:
    page = staff.submit(ADD, values(act="preview", starts_at="2027-07-01T09:30"), status=200)
    assert "TPP is <strong>down</strong>." in page.text
    assert "1 Jul 2027, 09:30:00 BST" in page.text
    assert page.html.select_one("[name=message]").text.strip() == "TPP is **down**."
    assert db.scalars(select(SiteAlert)).all() == []
    assert event(db) is None


def test_a_preview_of_an_edit_changes_nothing(staff: Browser, db: Session) -> None:
    alert = f.SiteAlertFactory(message="as it was")
    sent = edit_form(staff, alert) | {"message": "as it may be", "act": "preview"}
    page = staff.submit(f"{ALERTS}edit/{alert.id}/", sent, status=200)
    assert page.html.select_one("#preview").parent.parent.text.count("as it may be") == 1
    db.refresh(alert)
    assert alert.message == "as it was"
    # The version is still that of the first page, so saving from the preview works.
    sent = {**sent, "version": page.html.select_one("[name=version]")["value"]}
    del sent["act"]
    staff.submit(f"{ALERTS}edit/{alert.id}/", sent, status=303)
    db.refresh(alert)
    assert alert.message == "as it may be"


@pytest.mark.parametrize(
    ("starts", "ends", "shown"),
    [
        (None, None, True),
        (-1, None, True),
        (-1, 1, True),
        (None, 1, True),
        (1, 2, False),
        (1, None, False),
        (-2, -1, False),
        (None, -1, False),
    ],
)
def test_it_is_shown_from_its_start_to_its_end(
    web: Browser, db: Session, starts: int | None, ends: int | None, shown: bool
) -> None:
    def at(hours: int | None) -> datetime | None:
        return None if hours is None else utcnow() + timedelta(hours=hours)

    f.SiteAlertFactory(message="Look out", starts_at=at(starts), ends_at=at(ends))
    page = web.sign_in(f.UserFactory()).get("/status/")
    assert ("Look out" in page.text) == shown


def test_times_are_londons(staff: Browser, db: Session) -> None:
    """In summer an hour ahead of UTC."""
    staff.submit(ADD, values(starts_at="2027-01-05T09:30", ends_at="2027-07-05T09:30"), status=303)
    alert = db.scalars(select(SiteAlert)).one()
    assert alert.starts_at == datetime(2027, 1, 5, 9, 30, tzinfo=UTC)
    assert alert.ends_at == datetime(2027, 7, 5, 8, 30, tzinfo=UTC)
    form = edit_form(staff, alert)
    assert (form["starts_at"], form["ends_at"]) == ("2027-01-05T09:30", "2027-07-05T09:30")
    assert "Nothing was changed." in staff.submit(f"{ALERTS}edit/{alert.id}/", form, status=303).follow().text


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"message": ""}, "Say what people should know."),
        ({"message": " \r\n\x00 "}, "Say what people should know."),
        ({"message": "x" * 5001}, "Shorten this to 5,000 characters or fewer."),
        ({"title": "x" * 256}, "Shorten this to 255 characters or fewer."),
        ({"title": "a\x00b"}, "Use no control characters."),
        ({"level": "emperor"}, "Choose one of those listed here."),
        ({"level": ""}, "Choose a level."),
        ({"starts_at": "tomorrow"}, "Enter a day and a time, such as 2026-11-17T09:30."),
        ({"starts_at": "2027-02-30T09:30"}, "Enter a day and a time, such as 2026-11-17T09:30."),
        ({"starts_at": "0001-01-01T00:00"}, "Enter a year from 2000 to 2100."),
        ({"ends_at": "9999-12-31T23:59"}, "Enter a year from 2000 to 2100."),
        ({"starts_at": "2027-03-28T01:30"}, "The clocks change in this hour."),
        ({"ends_at": "2027-10-31T01:30"}, "The clocks change in this hour."),
        ({"starts_at": "2027-05-02T10:00", "ends_at": "2027-05-02T10:00"}, "Choose a time after the start."),
    ],
)
def test_what_cannot_be_meant_is_said_beside_its_field_and_what_was_typed_is_kept(
    staff: Browser, db: Session, changes: dict[str, str], fault: str
) -> None:
    page = staff.submit(ADD, values(**changes), status=200)
    assert fault in page.text
    assert page.html.select_one(".field.bad .err") is not None
    assert db.scalars(select(SiteAlert)).all() == []
    for name, value in changes.items():
        field = page.html.select_one(f"#content [name={name}]")
        if name != "level" and value.isprintable():
            assert field.get("value", field.text.strip()) == value.strip()


def test_missing_fields_are_a_fault_and_not_an_error(staff: Browser, db: Session) -> None:
    assert "Say what people should know." in staff.submit(ADD, {}, status=200).text


def test_an_edit_says_what_was_and_what_became_of_it(staff: Browser, db: Session, admin: User) -> None:
    alert = f.SiteAlertFactory(title="Old", message="same", level="warning")
    sent = edit_form(staff, alert) | {"title": "New", "level": "danger"}
    staff.submit(f"{ALERTS}edit/{alert.id}/", sent, status=303)
    db.refresh(alert)
    assert (alert.title, alert.message, alert.level) == ("New", "same", "danger")
    assert alert.updated_by_id == admin.id
    recorded = event(db)
    assert recorded.type == "site_alert_updated"
    assert recorded.changes == {"title": ["Old", "New"], "level": ["warning", "danger"]}


def test_the_second_of_two_editors_is_told_and_sees_both(staff: Browser, db: Session) -> None:
    alert = f.SiteAlertFactory(title="First", message="one")
    mine, theirs = edit_form(staff, alert), edit_form(staff, alert)
    staff.submit(f"{ALERTS}edit/{alert.id}/", theirs | {"message": "theirs"}, status=303)
    changed = {"message": "mine", "level": "danger", "ends_at": "2090-07-01T12:00"}
    page = staff.submit(f"{ALERTS}edit/{alert.id}/", mine | changed, status=200)
    assert "Sam Staff has changed this since you opened this page. Nothing was saved." in page.text
    rows = page.html.select('[aria-labelledby="conflict"] tbody tr')
    assert [row.get_text(" ", strip=True) for row in rows] == [
        "Message theirs mine",
        "Level Warning Danger",
        "Ends – 2090-07-01 12:00",
    ]
    db.refresh(alert)
    assert alert.message == "theirs"
    again = mine | {"message": "both", "version": page.html.select_one("[name=version]")["value"]}
    staff.submit(f"{ALERTS}edit/{alert.id}/", again, status=303)
    db.refresh(alert)
    assert alert.message == "both"


def test_deleting_asks_first_and_keeps_what_it_said_in_the_log(staff: Browser, db: Session) -> None:
    """17.2: the address can be opened."""
    alert = f.SiteAlertFactory(title="Gone soon", message="body")
    page = staff.get(f"{ALERTS}delete/{alert.id}/", status=200)
    assert "Delete this site alert?" in page.text
    assert db.scalars(select(SiteAlert)).all() != []
    address = f"{ALERTS}delete/{alert.id}/"
    answer = staff.submit(address, status=303)
    assert answer.location.endswith(ALERTS)
    db.expire_all()
    assert db.scalars(select(SiteAlert)).all() == []
    recorded = event(db)
    assert (recorded.type, recorded.target_label) == ("site_alert_deleted", "Gone soon")
    assert recorded.changes["message"] == ["body", None]
    staff.submit(address, status=404)
    staff.get(address.replace("delete", "edit"), status=404)


def test_the_list_tells_what_is_shown_what_is_to_come_and_what_is_over(staff: Browser, db: Session) -> None:
    hour = timedelta(hours=1)
    f.SiteAlertFactory(title="Alpha", level="info")
    f.SiteAlertFactory(title="Beta", starts_at=utcnow() + hour)
    f.SiteAlertFactory(title="Gamma", ends_at=utcnow() - hour)
    for state, title in (("shown", "Alpha"), ("coming", "Beta"), ("over", "Gamma")):
        page = staff.get(f"{ALERTS}?state={state}").html
        assert [row.a.text for row in page.select("#content tbody th")] == [title]
    page = staff.get(f"{ALERTS}?state=shown&state=over").html
    assert [row.a.text for row in page.select("#content tbody th")] == ["Gamma", "Alpha"]
    assert [row.a.text for row in staff.get(f"{ALERTS}?level=info").html.select("#content tbody th")] == [
        "Alpha"
    ]
    assert "Alpha" in staff.get(f"{ALERTS}?format=csv").text


def test_an_auditor_reads_the_list_and_is_offered_nothing_to_change(web: Browser, db: Session) -> None:
    alert = f.SiteAlertFactory(title="Alpha")
    page = web.sign_in(f.UserFactory(roles=["Auditor"])).get(ALERTS)
    assert "Alpha" in page.html.select_one("#content table").text
    assert "/edit/" not in page.text
    assert "Add an alert" not in page.text
    web.get(f"{ALERTS}edit/{alert.id}/", status=403)


def test_nobodys_html_gets_into_the_pages(staff: Browser, db: Session) -> None:
    evil = "<script>alert(1)</script><img src=x onerror=alert(1)>[x](javascript:alert(1))"
    for act in ("preview", "save"):
        staff.submit(ADD, values(title=evil, message=evil, act=act))
    alert = db.scalars(select(SiteAlert)).one()
    for page in (ALERTS, f"{ALERTS}edit/{alert.id}/", f"{ALERTS}delete/{alert.id}/", "/status/"):
        html = staff.get(page).html
        assert not [tag for tag in html.find_all("script") if "alert(1)" in tag.text], page
        assert not html.select("main [onerror], .note img, [href^=javascript]"), page


def test_the_list_costs_the_same_however_long_it_is(
    staff: Browser, db: Session, count_statements: Callable[[], Any]
) -> None:
    def cost() -> int:
        with count_statements() as statements:
            staff.get(ALERTS)
        return len(statements)

    few = cost()
    for _ in range(30):
        f.SiteAlertFactory()
    assert cost() <= min(few + 2, 12)
