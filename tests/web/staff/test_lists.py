"""Lists of the staff area, by the example of its people (spec: staff 1.3, 17.40, 17.41)."""

import csv
import re

import pytest
from sqlalchemy.orm import Session

from tests import factories as f
from tests.web.conftest import Browser

USERS = "/staff/users/"


@pytest.fixture
def staff(web: Browser, db: Session) -> Browser:
    """A Staff Area Administrator's browser."""
    return web.sign_in(f.UserFactory(username="staff-1", fullname="Staff", roles=["StaffAreaAdministrator"]))


def names(page: object) -> list[str]:
    """Usernames in the rows of a page."""
    return re.findall(r'href="/staff/users/([^/"]+)/"', page.text)  # type: ignore[attr-defined]


def link(page: object, word: str) -> str:
    """Where the link to another page leads."""
    found = re.search(rf'href="(\?[^"]*)"[^>]*>{word}<', page.text)  # type: ignore[attr-defined]
    return USERS + found[1].replace("&amp;", "&") if found else ""


def test_every_row_is_met_once_forwards_and_backwards(staff: Browser) -> None:
    for number in range(60):
        f.UserFactory(username=f"p{number:02}", fullname=f"Person {number // 7}")
    page, forwards = staff.get(USERS), []
    while True:
        forwards.append(names(page))
        if not link(page, "Next"):
            break
        page = staff.get(link(page, "Next"))
    assert [len(each) for each in forwards] == [25, 25, 11]
    assert len({name for each in forwards for name in each}) == 61
    assert staff.get(link(staff.get(USERS), "Last")).text.count('role="rowheader"') == 11
    backwards = [names(page)]
    while link(page, "Previous"):
        page = staff.get(link(page, "Previous"))
        backwards.append(names(page))
    assert backwards[0] == forwards[2]
    assert [name for each in reversed(backwards) for name in each][-61:] == [
        name for each in forwards for name in each
    ]


def test_old_bookmarks_of_pages_still_lead_there_and_pages_that_are_not_are_404(staff: Browser) -> None:
    for number in range(30):
        f.UserFactory(username=f"p{number:02}", fullname=f"Person {number:02}")
    assert len(names(staff.get(f"{USERS}?page=2"))) == 6
    assert names(staff.get(f"{USERS}?page=last")) == names(staff.get(f"{USERS}?page=2"))
    for nonsense in ("page=3", "page=0", "page=x", "after=x", "before=-1", "after=999999999"):
        staff.get(f"{USERS}?{nonsense}", status=404)


def test_filters_search_and_order_hold_at_once_and_each_can_be_removed(staff: Browser) -> None:
    both = f.UserFactory(username="both", fullname="Ann Both", roles=["OutputChecker"])
    f.UserFactory(username="role", fullname="Bob Role", roles=["OutputChecker"])
    f.UserFactory(username="ann", fullname="Ann Only")
    page = staff.get(f"{USERS}?q=ann&role=OutputChecker&sort=newest")
    assert names(page) == [both.username]
    assert "1 person of 4" in page.text
    assert "Search: ann" in page.text
    assert "Global role: Output Checker" in page.text
    assert 'href="?role=OutputChecker&amp;sort=newest"' in page.text
    assert 'href="?q=ann&amp;sort=newest"' in page.text
    assert len(names(staff.get(f"{USERS}?role=OutputChecker&role=TechSupport"))) == 2


@pytest.mark.parametrize("odd", ["role=Emperor", "missing=tail", "backend=7", "any_roles=perhaps", "sort=x"])
def test_a_value_that_is_not_offered_is_said_and_shows_nothing(staff: Browser, odd: str) -> None:
    page = staff.get(f"{USERS}?{odd}")
    assert "listed here" in page.text or odd == "sort=x"
    assert names(page) == []


def test_a_list_can_be_taken_away_as_a_file_with_its_filters(staff: Browser) -> None:
    f.UserFactory(username="ann", fullname="=Ann", email="ann@example.com")
    answer = staff.get(f"{USERS}?q=ann&format=csv")
    assert answer.content_type == "text/csv"
    rows = list(csv.reader(answer.text.splitlines()))
    assert rows[0][0] == "username"
    assert [row[:3] for row in rows[1:]] == [["ann", "'=Ann", "ann@example.com"]]
    staff.get(f"{USERS}?role=Emperor&format=csv", status=400)


def test_nothing_typed_is_taken_for_a_pattern(staff: Browser) -> None:
    f.UserFactory(username="a_b", fullname="100% Ann")
    f.UserFactory(username="axb", fullname="1000 Anns")
    assert names(staff.get(f"{USERS}?q=a_b")) == ["a_b"]
    assert names(staff.get(f"{USERS}?q=0%25")) == ["a_b"]
    staff.get(f"{USERS}?q=%00")
    assert "Shorten" in staff.get(f"{USERS}?q={'x' * 300}").text


def test_people_stand_by_name_in_whatever_case_and_then_by_username(staff: Browser) -> None:
    for username, fullname in (
        ("zoe", "Eva"),
        ("Bob", "ann"),
        ("amy", "ann"),
        ("Cem", "Dan"),
        ("Yan", "eva"),
    ):
        f.UserFactory(username=username, fullname=fullname)
    assert names(staff.get(USERS)) == ["amy", "Bob", "Cem", "Yan", "zoe", "staff-1"]


def test_bookmarks_that_name_a_backend_by_its_id_still_lead_there(staff: Browser, db: Session) -> None:
    tpp = f.BackendFactory(slug="tpp")
    f.BackendFactory(slug=str(tpp.id + 1))
    moved = staff.get(f"{USERS}?q=an&backend={tpp.id}&missing=org", status=302).location
    assert moved == f"http://localhost{USERS}?q=an&backend=tpp&missing=org"
    staff.get(f"{USERS}?backend={tpp.id + 1}", status=200)
    assert "Choose among those listed here." in staff.get(f"{USERS}?backend=999", status=200)
