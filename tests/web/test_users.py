"""People: who is listed, and the page of one of them."""

from collections.abc import Callable
from typing import Any

import pytest

from tests import factories as f
from tests.web.conftest import Browser


def listed(page: Any) -> list[str]:
    """The names in the list."""
    return [header.a.text for header in page.html.select("#content tbody th")]


def took_part(**values: Any) -> Any:
    """Somebody who once asked for jobs."""
    user = f.UserFactory(**values)
    f.JobRequestFactory(created_by=user, workspace=f.WorkspaceFactory(created_by=user))
    return user


def test_only_people_who_took_part_are_listed(web: Browser) -> None:
    """Pages 30.1 no. 6."""
    took_part(fullname="Ran Something")
    f.ProjectMembershipFactory(user__fullname="Mem Ber")
    f.UserFactory(fullname="Newc Omer")
    f.UserFactory(fullname="Staff Person", roles=["StaffAreaAdministrator"])
    shown = listed(web.get("/users/"))
    assert "Ran Something" in shown
    assert "Mem Ber" in shown
    assert "Newc Omer" not in shown
    assert "Staff Person" not in shown


def test_people_are_sorted_by_name_then_username_whatever_the_capitals(web: Browser) -> None:
    """Pages 3.3."""
    for fullname, username in (("bea", "x"), ("Ada", "b"), ("ada", "A"), ("Cy", "c")):
        f.ProjectMembershipFactory(user__fullname=fullname, user__username=username)
    rows = [
        [cell.text for cell in row.select("th, td")] for row in web.get("/users/").html.select("tbody tr")
    ]
    assert [row[1] for row in rows] == ["A", "b", "x", "c"]
    assert rows[0] == ["ada", "A", "1"]


def test_the_list_has_pages_of_twenty_five(web: Browser) -> None:
    project = f.ProjectFactory()
    for number in range(26):
        f.ProjectMembershipFactory(project=project, user__fullname=f"Person {number:02}")
    page = web.get("/users/")
    assert len(listed(page)) == 25
    assert listed(page.click("Next")) == ["Person 25"]
    assert listed(web.get("/users/?page=last&q=person")) == ["Person 25"]


@pytest.mark.parametrize("q", ["rae", "SEARCH", "rae searcher", "sea-ra", "searcher  rae"])
def test_people_are_found_by_beginnings_of_words(web: Browser, q: str) -> None:
    f.ProjectMembershipFactory(user__fullname="Rae O'Searcher-Raine", user__username="xyz")
    f.ProjectMembershipFactory(user__fullname="Somebody Else")
    f.UserFactory(fullname="Rae Searcher")
    assert listed(web.get("/users/", {"q": q})) == ["Rae O'Searcher-Raine"]


def test_people_are_found_by_username(web: Browser) -> None:
    f.ProjectMembershipFactory(user__username="rae.searcher", user__fullname="R S")
    assert listed(web.get("/users/?q=searcher")) == ["R S"]
    assert listed(web.get("/users/?q=rae.sea")) == ["R S"]


def test_a_person_has_a_page_with_projects_and_requests(web: Browser) -> None:
    user = f.UserFactory(username="rae", fullname="Rae Searcher")
    for name in ("beta", "Alpha"):
        f.ProjectMembershipFactory(user=user, project=f.ProjectFactory(name=name), roles=["ProjectDeveloper"])
    mine, other = f.JobRequestFactory(created_by=user), f.JobRequestFactory()
    page = web.get("/users/rae/")
    assert page.html.title.text == "Rae Searcher – Job server"
    assert listed(page)[:2] == ["Alpha", "beta"]
    assert page.html.find(id=f"request-{mine.id}")
    assert not page.html.find(id=f"request-{other.id}")
    assert page.html.find("a", string="Job requests")["href"] == "/users/rae/logs/"
    # Roles are for members of the project's organisations only.
    assert "Project Developer" not in page


def test_a_page_without_projects_or_requests_says_so(web: Browser) -> None:
    user = f.UserFactory(username="rae")
    page = web.sign_in(user).get("/users/rae/")
    assert "No projects" in page
    assert "Nothing asked for yet" in page


def test_the_subject_of_a_page_never_stands_in_for_its_reader(web: Browser) -> None:
    """Pages 30.2 no. 11."""
    took_part(username="rae", fullname="Rae Searcher")
    page = web.get("/users/rae/")
    assert page.html.select("header a[href^='/login/']")
    assert not page.html.select("details.acct.only-wide")
    reader = f.UserFactory(username="reader", fullname="Some Reader")
    header = web.sign_in(reader).get("/users/rae/").html.header
    assert "Some Reader" in header.text
    assert "Rae Searcher" not in header.text


def test_somebody_who_never_took_part_is_unknown_to_the_public(web: Browser) -> None:
    f.UserFactory(username="newcomer")
    hidden = web.get("/users/newcomer/", status=404)
    nobody = web.get("/users/nobody00/", status=404)
    assert (
        hidden.text.replace("newcomer", "nobody00").split("<main")[1].split("</main")[0]
        == (nobody.text.split("<main")[1].split("</main")[0])
    )
    web.sign_in(f.UserFactory()).get("/users/newcomer/", status=404)
    web.sign_in(f.UserFactory(roles=["OutputChecker"])).get("/users/newcomer/", status=404)


def test_they_themselves_and_staff_see_their_page(web: Browser) -> None:
    user = f.UserFactory(username="newcomer", fullname="Newc Omer")
    page = web.sign_in(user).get("/users/newcomer/")
    assert "The public cannot see this page" in page
    web.sign_in(f.UserFactory(roles=["StaffAreaAdministrator"]))
    assert "Newc Omer" in web.get("/users/newcomer/")


def test_a_disabled_person_who_took_part_stays_on_the_record(web: Browser) -> None:
    from jobserver.models import utcnow

    admin = f.UserFactory()
    took_part(username="gone", disabled_at=utcnow(), disabled_by_id=admin.id)
    assert "gone" in web.get("/users/gone/")


@pytest.mark.parametrize("name", ["%00", "nobody", "%3Cb%3E", "%D9%A1", "a" * 3000])
def test_nobody_of_that_name(web: Browser, name: str) -> None:
    took_part(username="rae")
    web.get(f"/users/{name}/", status=400 if name == "%00" else 404)


def test_names_are_text_and_never_markup(web: Browser) -> None:
    user = took_part(username="rae", fullname="<b>Rae</b>")
    f.ProjectMembershipFactory(user=user, project__name="<b>p</b>", project__org__name="<b>o</b>")
    page = web.get("/users/rae/")
    assert not page.html.select("#content b")
    assert "<b>Rae</b>" not in page


def test_the_number_of_statements_does_not_grow(web: Browser, count_statements: Callable[[], Any]) -> None:
    user = f.UserFactory(username="rae")
    numbers = []
    for more in (2, 18):
        for _ in range(more):
            f.ProjectMembershipFactory(user=user)
            f.JobRequestFactory(created_by=user)
        with count_statements() as sent:
            web.get("/users/rae/")
        numbers.append(len(sent))
    assert numbers[0] == numbers[1] <= 6
