"""Backends in the staff area: made, looked at, edited, given new tokens (spec: staff 4, 17.7, 17.20)."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from jobserver import models as m
from jobserver.actions import backends as actions
from jobserver.models import utcnow
from jobserver.security import callers, tokens
from jobserver.security.callers import CallerRefused
from tests import factories as f
from tests.web.conftest import Browser

BACKENDS = "/staff/backends/"
TOKEN = re.compile(r"<pre>([0-9a-f]{40})</pre>")


@pytest.fixture
def staff(web: Browser, db: Session) -> Browser:
    """A Staff Area Administrator's browser."""
    return web.sign_in(
        f.UserFactory(username="staff-1", fullname="Sam Staff", roles=["StaffAreaAdministrator"])
    )


def events(db: Session, type_: str) -> list[m.AuditableEvent]:
    """What was recorded of this kind, oldest first."""
    db.expire_all()
    found = select(m.AuditableEvent).where(m.AuditableEvent.type == type_).order_by(m.AuditableEvent.id)
    return list(db.scalars(found))


def fields_of(page: Any) -> dict[str, str]:
    """The hidden fields of the page's form, without the token against forged requests."""
    found = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text))
    return {name: value for name, value in found.items() if name != "csrfmiddlewaretoken"}


def test_a_backend_is_made_and_its_token_shown_once(staff: Browser, db: Session) -> None:
    fields = {"name": " The  TPP ", "slug": "tpp", "is_active": "y", "reason": "New region"}
    page = staff.submit(f"{BACKENDS}add/", fields)
    [token] = TOKEN.findall(page.text)
    assert "no-store" in page.headers["Cache-Control"]
    backend = db.scalars(select(m.Backend)).one()
    assert (backend.slug, backend.name, backend.is_active) == ("tpp", "The TPP", True)
    assert backend.token_digest == tokens.digest(token)
    [event] = events(db, "backend_created")
    assert (event.created_by, event.target_id, event.reason) == ("staff-1", str(backend.id), "New region")
    assert event.source == "browser"
    assert token not in str(vars(event))
    for address in (BACKENDS, f"{BACKENDS}{backend.id}/", f"{BACKENDS}{backend.id}/edit/"):
        answer = staff.get(address)
        assert token not in answer.text
        assert backend.token_digest not in answer.text
    assert token not in str(staff.cookies)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"name": ""}, "Enter a name"),
        ({"name": " \x07 "}, "Enter a name"),
        ({"name": "x" * 256}, "255 characters or fewer"),
        ({"slug": ""}, "Enter a slug"),
        ({"slug": "a/b"}, "Use letters"),
        ({"slug": "é"}, "Use letters"),
        ({"slug": "x" * 256}, "255 characters or fewer"),
        ({"slug": "EMIS"}, "is taken"),
        ({"reason": "x" * 501}, "500 characters or fewer"),
    ],
)
def test_what_cannot_be_made_is_said_at_its_field(
    staff: Browser, db: Session, wrong: dict[str, str], words: str
) -> None:
    f.BackendFactory(slug="emis")
    page = staff.submit(f"{BACKENDS}add/", {"name": "TPP", "slug": "tpp", **wrong})
    assert words in page.text
    assert 'aria-invalid="true"' in page.text
    assert len(db.scalars(select(m.Backend)).all()) == 1
    assert events(db, "backend_created") == []


def test_the_list_has_counts_and_filters(staff: Browser, db: Session) -> None:
    tpp = f.BackendFactory(slug="tpp", name="TPP", last_seen_at=utcnow())
    f.BackendFactory(slug="old", name="Old one", is_active=False)
    f.BackendMembershipFactory(backend=tpp)
    f.BackendMembershipFactory(backend=tpp, ends_at=utcnow() - timedelta(days=1))
    f.JobRequestFactory(backend=tpp, status="running")
    f.JobRequestFactory(backend=tpp, status="succeeded", completed_at=utcnow())
    page = staff.get(BACKENDS)
    assert "2 backends" in page.text
    row = page.text[page.text.index("TPP</a>") :]
    assert 'data-label="Members">1<' in row
    assert 'data-label="Going on">1<' in row
    assert "Old one" not in staff.get(f"{BACKENDS}?state=in-use").text
    answer = staff.get(f"{BACKENDS}?format=csv").text.splitlines()
    assert answer[2].startswith("tpp,TPP,yes,yes,")
    assert answer[2].endswith(",1,1")


def test_a_backends_page_says_how_it_is(staff: Browser, db: Session, count_statements: Any) -> None:
    backend = f.BackendFactory(
        slug="tpp",
        name="TPP",
        alert_timeout=timedelta(minutes=7),
        is_in_maintenance_mode=True,
        last_seen_maintenance_mode=utcnow(),
        rap_api_state={"slug": "tpp", "<b>": {"x": "</code>"}},
        token_digest=tokens.digest("a"),
    )
    with count_statements() as sent:
        page = staff.get(f"{BACKENDS}{backend.id}/")
    assert len(sent) <= 12
    for words in ("7 min", "Not heard from yet", "Database maintenance", "&lt;b&gt;", "One is set", "Never"):
        assert words in page.text
    for nonsense in ("x", "0", "-1", "999999", "9" * 30):
        staff.get(f"{BACKENDS}{nonsense}/", status=404)


def test_an_auditor_sees_it_without_buttons(web: Browser, db: Session) -> None:
    backend = f.BackendFactory(creation_paused_at=utcnow(), creation_paused_by_id=f.UserFactory().id)
    web.sign_in(f.UserFactory(roles=["Auditor"]))
    page = web.get(f"{BACKENDS}{backend.id}/").text
    for word in ("edit/", "resume/", "rotate-token/", "cancel-all/"):
        assert f"{backend.id}/{word}" not in page
    assert "backends/add/" not in web.get(BACKENDS).text


def test_editing_records_each_field_before_and_after_and_why(staff: Browser, db: Session) -> None:
    backend = f.BackendFactory(slug="tpp", name="TPP")
    address = f"{BACKENDS}{backend.id}/edit/"
    version = fields_of(staff.get(address))["version"]
    fields = {"name": "TPP 2", "alert_timeout": "10", "reason": "Moved", "version": version}
    answer = staff.submit(address, fields, status=303)
    assert answer.location.endswith(f"{BACKENDS}{backend.id}/")
    db.refresh(backend)
    assert (backend.name, backend.is_active, backend.alert_timeout) == ("TPP 2", False, timedelta(minutes=10))
    [event] = events(db, "backend_updated")
    assert event.changes == {
        "name": ["TPP", "TPP 2"],
        "is_active": [True, False],
        "alert_timeout": ["0:05:00", "0:10:00"],
    }
    assert (event.created_by, event.reason, event.target_label) == ("staff-1", "Moved", "TPP 2")
    same = {**fields, "version": fields_of(staff.get(address))["version"]}
    assert "Nothing was changed" in staff.submit(address, same).follow().text
    assert len(events(db, "backend_updated")) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": " "},
        {"name": "x" * 300},
        {"alert_timeout": ""},
        {"alert_timeout": "0"},
        {"alert_timeout": "-5"},
        {"alert_timeout": "five"},
        {"alert_timeout": "9" * 5000},
        {"alert_timeout": "10081"},
        {"reason": "x" * 501},
    ],
)
def test_a_faulty_edit_changes_nothing(staff: Browser, db: Session, wrong: dict[str, str]) -> None:
    backend = f.BackendFactory(name="TPP")
    address = f"{BACKENDS}{backend.id}/edit/"
    fields = {"name": "B", "alert_timeout": "6", "version": fields_of(staff.get(address))["version"], **wrong}
    page = staff.submit(address, fields)
    assert "There is a problem" in page.text
    db.refresh(backend)
    assert backend.name == "TPP"
    assert events(db, "backend_updated") == []


def test_the_second_of_two_editors_is_told_and_shown_both(staff: Browser, db: Session) -> None:
    backend = f.BackendFactory(name="TPP")
    address = f"{BACKENDS}{backend.id}/edit/"
    old = fields_of(staff.get(address))["version"]
    staff.submit(
        address, {"name": "First", "alert_timeout": "5", "is_active": "y", "version": old}, status=303
    )
    page = staff.submit(address, {"name": "Second", "alert_timeout": "5", "version": old})
    assert "Sam Staff has changed this" in page.text
    rows = page.html.select('[aria-labelledby="conflict"] tbody tr')
    assert [row.get_text(" ", strip=True) for row in rows] == ["Name First Second", "In use Yes No"]
    db.refresh(backend)
    assert backend.name == "First"
    newer = fields_of(page)["version"]
    staff.submit(
        address, {"name": "Second", "alert_timeout": "5", "is_active": "y", "version": newer}, status=303
    )
    db.refresh(backend)
    assert backend.name == "Second"


def rotated(staff: Browser, backend: m.Backend, **fields: str) -> Any:
    """The answer to the form that replaces the token."""
    address = f"{BACKENDS}{backend.id}/rotate-token/"
    return staff.submit(address, {"overlap": "24", **fields_of(staff.get(address)), **fields})


def test_a_token_is_replaced_with_an_overlap_and_shown_once(staff: Browser, db: Session) -> None:
    backend, old = f.backend_with_token(slug="tpp")
    page = rotated(staff, backend, overlap="2", reason="Laptop lost")
    [new] = TOKEN.findall(page.text)
    assert "no-store" in page.headers["Cache-Control"]
    for token in (old, new):
        assert callers.backend(db, token).slug == "tpp"
    db.refresh(backend)
    left = backend.previous_token_expires_at - utcnow()
    assert timedelta(minutes=119) < left <= timedelta(hours=2)
    [event] = events(db, "backend_token_rotated")
    assert (event.created_by, event.reason) == ("staff-1", "Laptop lost")
    until = backend.previous_token_expires_at.isoformat(timespec="minutes")
    assert event.changes == {"previous_token_expires_at": [None, until]}
    detail = staff.get(f"{BACKENDS}{backend.id}/").text
    assert "by staff-1" in detail
    assert "Works until" in detail
    assert new not in detail


def test_when_each_token_was_used_last_is_kept_every_five_minutes(
    staff: Browser, db: Session, count_statements: Callable[[], Any]
) -> None:
    """So that the old one is not ended while somebody still has it (spec: access 8.3.22)."""
    backend, old = f.backend_with_token(token_used_at=None)
    checker = f.UserFactory(username="checker", roles=["OutputChecker"])
    f.BackendMembershipFactory(backend=backend, user=checker)
    f.WorkspaceFactory(name="study-a")

    def used() -> tuple[datetime | None, datetime | None]:
        db.rollback()
        db.refresh(backend)
        return backend.token_used_at, backend.previous_token_used_at

    def forget(*values: datetime | None) -> None:
        used()
        backend.token_used_at, backend.previous_token_used_at = values
        db.commit()

    def writes(token: str, method: str, path: str, status: int) -> int:
        headers = {"Authorization": token, "OS-User": "checker", "Content-Type": "application/json"}
        with count_statements() as sent:
            staff.request(f"/api/v2/{path}", method=method, headers=headers, body=b"{", status=status)
        return len(sent.writes)

    def asks(token: str, status: int = 200) -> int:
        return writes(token, "GET", "job-requests/", status)

    assert [asks(old), asks(old)] == [1, 0]
    for minutes, number in ((4, 0), (6, 1)):
        forget(utcnow() - timedelta(minutes=minutes), None)
        assert asks(old) == number
    for path in ("releases/authorise", "releases/workspace/study-a"):
        forget(None, None)
        assert writes(old, "POST", path, 400) == 1
    assert asks("0" * 40, 403) == 0
    first, _ = used()
    assert first is not None
    assert utcnow() - first < timedelta(minutes=1)
    [new] = TOKEN.findall(rotated(staff, backend).text)
    assert asks(new) == 1
    newest, before = used()
    assert newest is not None
    assert (newest > first, before) == (True, first)
    forget(newest, first - timedelta(minutes=6))
    assert [asks(old), asks(old)] == [1, 0]
    newest_now, before = used()
    assert before is not None
    assert (newest_now, before > newest) == (newest, True)
    panel = staff.get(f"{BACKENDS}{backend.id}/").html.select_one("#token").find_parent("section")
    assert ", last used" in panel.text
    # What cannot be kept spoils no answer.
    db.execute(text("ALTER TABLE backend ADD CONSTRAINT never CHECK (token_used_at IS NULL) NOT VALID"))
    db.execute(text("UPDATE backend SET token_used_at = NULL"))
    db.commit()
    try:
        asks(new)
    finally:
        db.execute(text("ALTER TABLE backend DROP CONSTRAINT never"))
        db.commit()


def test_no_overlap_ends_the_old_token_at_once(staff: Browser, db: Session) -> None:
    backend, old = f.backend_with_token()
    [new] = TOKEN.findall(rotated(staff, backend, overlap="0").text)
    assert callers.backend(db, new)
    with pytest.raises(CallerRefused):
        callers.backend(db, old)


def test_a_form_that_is_sent_twice_does_not_end_the_token_in_use(staff: Browser, db: Session) -> None:
    backend, old = f.backend_with_token()
    address = f"{BACKENDS}{backend.id}/rotate-token/"
    fields = {**fields_of(staff.get(address)), "overlap": "24"}
    assert TOKEN.search(staff.submit(address, fields).text)
    again = staff.submit(address, fields)
    assert not TOKEN.search(again.text)
    assert "was replaced since you opened this page" in again.text
    assert callers.backend(db, old)
    assert len(events(db, "backend_token_rotated")) == 1


@pytest.mark.parametrize("overlap", ["", "-1", "169", "x", "1.5", "9" * 30])
def test_a_wrong_overlap_changes_nothing(staff: Browser, db: Session, overlap: str) -> None:
    backend, old = f.backend_with_token()
    page = rotated(staff, backend, overlap=overlap)
    assert not TOKEN.search(page.text)
    assert "There is a problem" in page.text
    db.refresh(backend)
    assert backend.token_digest == tokens.digest(old)


def test_staff_and_commands_replace_tokens_alike(db: Session) -> None:
    backend, _ = f.backend_with_token()
    actions.rotate_token(db, backend, by=f.UserFactory())
    assert backend.previous_token_expires_at > utcnow() + timedelta(hours=23)
