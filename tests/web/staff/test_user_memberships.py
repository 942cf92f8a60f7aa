"""Which organisations and backends somebody has, and until when (spec: staff 13.2, 13.4, 17.26)."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from jobserver.models import AuditableEvent, Backend, BackendMembership, Org, OrgMembership, User, utcnow
from jobserver.templating.times import LONDON, end_of_day
from tests import factories as f
from tests.web.conftest import Browser
from tests.web.staff.filling import errors, filled

USERS = "/staff/users/"
ANN = f"{USERS}ann/"
ORGS = f"{ANN}set-orgs/"
TODAY = utcnow().astimezone(LONDON).date()
SOON = TODAY + timedelta(days=30)


@pytest.fixture
def staff(web: Browser, db: Session) -> Browser:
    """An administrator's browser."""
    return web.sign_in(f.UserFactory(username="boss", fullname="Bo Boss", roles=["StaffAreaAdministrator"]))


@pytest.fixture
def ann(db: Session) -> User:
    """Somebody who signs in with GitHub."""
    made: User = f.UserFactory(username="ann")
    f.GithubIdentityFactory(user=made)
    return made


def events(db: Session) -> list[tuple[str, str, dict[str, Any], str]]:
    db.commit()
    found = db.scalars(select(AuditableEvent).order_by(AuditableEvent.id))
    return [(each.type, each.parent_label, each.changes, each.reason) for each in found]


def listed(page: Any) -> list[str]:
    """The usernames in the rows of a list."""
    return [each["href"].split("/")[3] for each in page.html.select("tbody th a")]


def orgs_of(db: Session, user: User) -> dict[int, OrgMembership]:
    db.expire_all()
    found = db.scalars(select(OrgMembership).where(OrgMembership.user_id == user.id))
    return {each.org_id: each for each in found}


def backends_of(db: Session, user: User) -> dict[int, BackendMembership]:
    db.expire_all()
    found = db.scalars(select(BackendMembership).where(BackendMembership.user_id == user.id))
    return {each.backend_id: each for each in found}


def test_only_what_differs_is_written(staff: Browser, db: Session, ann: User) -> None:
    stays, goes, comes = (f.OrgFactory(name=name) for name in ("Stays", "Goes", "Comes"))
    kept = f.OrgMembershipFactory(org=stays, user=ann)
    f.OrgMembershipFactory(org=goes, user=ann)
    sent = filled(staff.get(ORGS), ORGS, orgs=[str(stays.id), str(comes.id)], reason="Moved")
    answer = staff.submit(ORGS, sent, status=303)
    assert answer.location.endswith(ANN)
    now = orgs_of(db, ann)
    assert set(now) == {stays.id, comes.id}
    assert now[stays.id].id == kept.id
    assert now[comes.id].created_by_id is not None
    assert events(db) == [
        ("org_member_added", "Comes", {}, "Moved"),
        ("org_member_removed", "Goes", {}, "Moved"),
    ]
    staff.submit(ORGS, filled(staff.get(ORGS), ORGS), status=303)
    assert len(events(db)) == 2


def test_all_can_go(staff: Browser, db: Session, ann: User) -> None:
    f.OrgMembershipFactory(user=ann)
    staff.submit(ORGS, filled(staff.get(ORGS), ORGS, orgs=None), status=303)
    assert orgs_of(db, ann) == {}


def test_a_membership_ends_with_a_day_in_london(staff: Browser, db: Session, ann: User) -> None:
    org = f.OrgFactory(name="Northmere")
    day = f"ends_{org.id}"
    sent = filled(staff.get(ORGS), ORGS, orgs=[str(org.id)], **{day: SOON.isoformat()})
    staff.submit(ORGS, sent, status=303)
    assert orgs_of(db, ann)[org.id].ends_at == end_of_day(SOON)
    page = staff.get(ORGS)
    assert page.html.find("input", {"name": f"ends-{org.id}"})["value"] == SOON.isoformat()
    assert f"{SOON.day} {SOON:%b %Y}" in staff.get(ANN).text
    later = SOON + timedelta(days=1)
    staff.submit(ORGS, filled(page, ORGS, **{day: later.isoformat()}), status=303)
    staff.submit(ORGS, filled(staff.get(ORGS), ORGS, **{day: ""}), status=303)
    assert orgs_of(db, ann)[org.id].ends_at is None
    assert events(db) == [
        ("org_member_added", "Northmere", {"last_day": [None, SOON.isoformat()]}, ""),
        ("org_member_updated", "Northmere", {"last_day": [SOON.isoformat(), later.isoformat()]}, ""),
        ("org_member_updated", "Northmere", {"last_day": [later.isoformat(), None]}, ""),
    ]


def test_an_end_between_two_days_stays_as_it_is_unless_changed(
    staff: Browser, db: Session, ann: User
) -> None:
    moment = utcnow() + timedelta(days=3, seconds=7)
    org = f.OrgMembershipFactory(user=ann, ends_at=moment).org
    staff.submit(ORGS, filled(staff.get(ORGS), ORGS), status=303)
    assert orgs_of(db, ann)[org.id].ends_at == moment
    assert events(db) == []


@pytest.mark.parametrize(
    "typed", ["31.12.2030", "2030-02-30", "9999-12-31", "\x00", "x" * 5000, "-1", "2020-01-01"]
)
def test_a_day_that_cannot_be_meant_is_an_error_at_its_field(
    staff: Browser, db: Session, ann: User, typed: str
) -> None:
    org, other = f.OrgFactory(name="Northmere"), f.OrgFactory()
    sent = filled(
        staff.get(ORGS), ORGS, orgs=[str(org.id), str(other.id)], **{f"ends_{org.id}": typed}, reason="Kept"
    )
    page = staff.submit(ORGS, sent, status=200)
    [error] = errors(page)
    assert error.startswith("Last day at Northmere: Enter")
    assert page.html.find("textarea", {"name": "reason"}).text.strip() == "Kept"
    assert orgs_of(db, ann) == {}
    assert events(db) == []


def test_today_is_a_last_day_and_that_of_an_unticked_box_is_ignored(
    staff: Browser, db: Session, ann: User
) -> None:
    org, other = f.OrgFactory(), f.OrgFactory()
    days = {f"ends_{org.id}": TODAY.isoformat(), f"ends_{other.id}": "rubbish"}
    staff.submit(ORGS, filled(staff.get(ORGS), ORGS, orgs=[str(org.id)], **days), status=303)
    assert set(orgs_of(db, ann)) == {org.id}


@pytest.mark.parametrize("value", ["999999", "x", "-1", "", "\x00", "9" * 40])
def test_an_organisation_that_is_not_offered_is_an_error_that_is_shown(
    staff: Browser, db: Session, ann: User, value: str
) -> None:
    org = f.OrgFactory()
    page = staff.submit(ORGS, filled(staff.get(ORGS), ORGS, orgs=[str(org.id), value]), status=200)
    assert errors(page) == ["Organisations: Choose among those listed here."]
    assert orgs_of(db, ann) == {}


def test_the_second_of_two_who_edit_is_told_and_shown_both(staff: Browser, db: Session, ann: User) -> None:
    here, there = f.OrgFactory(name="Here"), f.OrgFactory(name="There")
    mine = filled(staff.get(ORGS), ORGS, orgs=[str(here.id)])
    staff.submit(ORGS, filled(staff.get(ORGS), ORGS, orgs=[str(there.id)]), status=303)
    page = staff.submit(ORGS, mine, status=200)
    assert "Bo Boss has changed this" in errors(page)[0]
    rows = page.html.select('[aria-labelledby="conflict"] tbody tr')
    assert [row.get_text(" ", strip=True) for row in rows] == ["Here No Yes", "There Yes No"]
    assert set(orgs_of(db, ann)) == {there.id}
    staff.submit(ORGS, filled(page, ORGS), status=303)
    assert set(orgs_of(db, ann)) == {here.id}


def test_backends_are_given_and_taken_with_a_last_day(staff: Browser, db: Session, ann: User) -> None:
    tpp, emis, test = (f.BackendFactory(slug=slug) for slug in ("tpp", "emis", "test"))
    f.BackendMembershipFactory(backend=test, user=ann)
    kept = f.BackendMembershipFactory(backend=emis, user=ann)
    sent = filled(
        staff.get(ANN), ANN, backends=["tpp", "emis"], ends_tpp=SOON.isoformat(), reason="New study"
    )
    staff.submit(ANN, sent, status=303)
    now = backends_of(db, ann)
    assert set(now) == {tpp.id, emis.id}
    assert now[tpp.id].ends_at == end_of_day(SOON)
    assert now[emis.id].id == kept.id
    assert events(db) == [
        ("backend_member_removed", "TEST", {}, "New study"),
        ("backend_member_added", "TPP", {"last_day": [None, SOON.isoformat()]}, "New study"),
    ]


@pytest.mark.parametrize("value", ["nowhere", "1", "", "\x00", "x" * 5000])
def test_a_backend_that_is_not_offered_is_an_error_that_is_shown(
    staff: Browser, db: Session, ann: User, value: str
) -> None:
    f.BackendFactory(slug="tpp")
    page = staff.submit(ANN, filled(staff.get(ANN), ANN, backends=["tpp", value]), status=200)
    assert errors(page) == ["Backends: Choose among those listed here."]
    assert backends_of(db, ann) == {}


def test_who_does_not_sign_in_with_github_is_given_no_backend(staff: Browser, db: Session) -> None:
    f.BackendFactory(slug="tpp")
    bot = f.UserFactory(username="bot", email=None)
    assert not staff.get("/staff/users/bot/").html.find("input", {"name": "backends"})
    staff.submit("/staff/users/bot/", {"backends": "tpp"}, status=404)
    assert backends_of(db, bot) == {}


def test_what_is_missing_is_said_with_what_it_prevents(staff: Browser, db: Session, ann: User) -> None:
    assert "No backend, no organisation, no project." in staff.get(ANN)
    f.BackendMembershipFactory(user=ann)
    f.ProjectMembershipFactory(user=ann)
    page = staff.get(ANN)
    assert "No organisation." in page
    assert "cannot create workspaces" in page
    f.OrgMembershipFactory(user=ann)
    assert "cannot" not in staff.get(ANN).html.select_one(".cols .stack").get_text()


def test_what_has_ended_is_no_more_and_can_begin_anew(staff: Browser, db: Session, ann: User) -> None:
    past = utcnow() - timedelta(days=1)
    org = f.OrgMembershipFactory(user=ann, ends_at=past).org
    f.BackendMembershipFactory(user=ann, ends_at=past)
    f.ProjectMembershipFactory(user=ann, ends_at=past)
    assert "No backend, no organisation, no project." in staff.get(ANN)
    page = staff.get(ORGS)
    assert not page.html.find("input", {"name": "orgs"}).has_attr("checked")
    staff.submit(ORGS, filled(page, ORGS, orgs=[str(org.id)], **{f"ends_{org.id}": ""}), status=303)
    assert orgs_of(db, ann)[org.id].ends_at is None
    assert [each[0] for each in events(db)] == ["org_member_removed", "org_member_added"]


def test_names_are_shown_as_text(staff: Browser, db: Session, ann: User) -> None:
    org: Org = f.OrgFactory(name="<b>Org</b>")
    backend: Backend = f.BackendFactory(name="<b>Backend</b>")
    f.OrgMembershipFactory(user=ann, org=org)
    f.BackendMembershipFactory(user=ann, backend=backend)
    for address in (ANN, ORGS):
        assert "<b>Org</b>" not in staff.get(address).text.replace("<b>&lt;b&gt;", "")


def test_the_list_knows_kinds_and_what_goes_on(staff: Browser, db: Session, ann: User) -> None:
    f.UserFactory(username="bot", email=None)
    org = f.OrgMembershipFactory(user=ann).org
    kinds = f"{USERS}?kind=github"
    assert listed(staff.get(kinds)) == ["ann"]
    assert listed(staff.get(f"{USERS}?kind=other")) == ["boss", "bot"]
    assert "Sign in with GitHub (1)" in staff.get(kinds)
    assert listed(staff.get(f"{USERS}?org={org.slug}")) == ["ann"]
    assert listed(staff.get(f"{USERS}?missing=org")) == []
    membership = orgs_of(db, ann)[org.id]
    membership.ends_at = utcnow()
    db.commit()
    assert listed(staff.get(f"{USERS}?org={org.slug}")) == []
    assert listed(staff.get(f"{USERS}?missing=org")) == ["ann"]
    assert f"{org.name} (0)" in staff.get(USERS)
