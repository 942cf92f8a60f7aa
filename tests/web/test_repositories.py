"""From the address of a repository to the project that runs its code."""

from typing import Any
from urllib.parse import quote

import pytest

from tests import factories as f
from tests.web.conftest import Browser

URL = "https://github.com/Opensafely/asthma-study"


def once(url: str) -> str:
    return quote(url, safe="")


def twice(url: str) -> str:
    return quote(quote(url, safe=""), safe="")


@pytest.fixture
def org(db: Any) -> Any:
    return f.OrgFactory(slug="uni", github_orgs=["opensafely", "uni-research"])


def project(org: Any, name: str, url: str = URL) -> Any:
    """A project with a workspace on the repository."""
    found = f.ProjectFactory(org=org, slug=name, name=name.title())
    repos = f.models.Repo
    session = f.current()
    repo = next((r for r in session.query(repos) if r.url == url), None) or f.RepoFactory(url=url)
    f.WorkspaceFactory(project=found, repo=repo)
    return found


@pytest.mark.parametrize("quoted", [twice, once, str])
def test_the_one_project_is_where_it_leads(web: Browser, org: Any, quoted: Any) -> None:
    """Pages 20.1: old links are quoted twice; a proxy may have undone one or both."""
    project(org, "asthma")
    answer = web.get(f"/repo/{quoted(URL)}/", status=302)
    assert answer.location == "http://localhost/uni/asthma/"


@pytest.mark.parametrize(
    "url",
    [
        URL.lower(),
        URL.upper().replace("HTTPS://GITHUB.COM", "https://github.com"),
        URL + "/",
        URL + ".git",
        URL.replace("//", "/"),
    ],
)
def test_spellings_of_the_same_repository(web: Browser, org: Any, url: str) -> None:
    project(org, "asthma")
    assert web.get(f"/repo/{twice(url)}/", status=302).location.endswith("/uni/asthma/")


def test_several_projects_are_listed_by_name(web: Browser, org: Any) -> None:
    project(org, "stroke")
    asthma = project(org, "asthma")
    f.WorkspaceFactory(project=asthma, repo=f.current().get(f.models.Repo, 1))
    page = web.get(f"/repo/{twice(URL)}/", status=302).follow()
    assert page.request.path == "/repo/Opensafely/asthma-study/"
    rows = [[cell.text for cell in row.select("th, td")] for row in page.html.select("tbody tr")]
    assert [row[0] for row in rows] == ["Asthma", "Stroke"]
    assert [row[3] for row in rows] == ["2", "1"]
    assert page.html.find("a", string="Asthma")["href"] == "/uni/asthma/"
    assert page.html.title.text == "Repository asthma-study – Job server"


@pytest.mark.parametrize("address", ["/repo/opensafely/ASTHMA-study", "/repo/Opensafely/asthma-study.git"])
def test_a_repository_has_an_address_of_its_own(web: Browser, org: Any, address: str) -> None:
    """One project or several; whatever the capitals, and even if its owner is no organisation's any more."""
    project(org, "asthma")
    org.github_orgs = []
    f.current().commit()
    assert web.get(address, status=301).location.endswith(f"{address}/")
    page = web.get(f"{address}/")
    assert [each.text for each in page.html.select("tbody th")] == ["Asthma"]
    assert "GitHub has not been asked whether it is private" in page
    assert "sign-off" not in page


@pytest.mark.parametrize(
    "address",
    ["opensafely", "nobodys/study", "opensafely-evil/study", "opensafely/.", "opensafely/a%3Fb", "-/study"],
)
def test_other_addresses_of_that_form_are_a_404(web: Browser, org: Any, address: str) -> None:
    web.get(f"/repo/{address}/", status=404)


@pytest.mark.parametrize("quoted", [twice, once, str])
def test_the_old_address_of_the_sign_off_leads_to_the_new_one(web: Browser, org: Any, quoted: Any) -> None:
    answer = web.get(f"/publish-repo/{quoted(URL)}/", status=301)
    assert answer.location == "http://localhost/repo/Opensafely/asthma-study/sign-off/"


@pytest.mark.parametrize("known", [True, False])
def test_a_repository_that_nothing_uses_has_not_run_yet(web: Browser, org: Any, known: bool) -> None:
    if known:
        f.RepoFactory(url=URL)
    page = web.get(f"/repo/{twice(URL)}/", status=302).follow()
    assert "Nothing of it has run here yet" in page
    assert page.html.find("a", string="On GitHub")["href"] == URL


@pytest.mark.parametrize(
    "url",
    [
        # Pages 30.1 no. 4: a beginning proves nothing.
        "https://github.com/opensafely-evil/study",
        "https://github.com/opensafel/study",
        "https://github.com.evil.example/opensafely/study",
        "https://github.community/opensafely/study",
        "https://evil.example/opensafely/study",
        "https://evil.example/https://github.com/opensafely/study",
        "https://user@github.com/opensafely/study",
        "https://github.com:443/opensafely/study",
        "https://github.com@evil.example/opensafely/study",
        "http://github.com/opensafely/study",
        "//github.com/opensafely/study",
        "javascript://github.com/opensafely/study",
        "https://github.com/opensafely",
        "https://github.com/opensafely/",
        "https://github.com/opensafely/study/tree/main",
        "https://github.com/opensafely/..",
        "https://github.com/opensafely/.",
        "https://github.com/opensafely/a?b",
        "https://github.com/opensafely/a#b",
        "https://github.com/opensafely/<b>",
        "https://github.com/opensafely/a\nb",
        "https://github.com/opensafely/a\0",
        "https://github.com/opensafely/" + "a" * 200,
        "https://github.com/-/study",
        "https://github.com/opensafely/ü",
        "https://github.com/opensafely" + "/a" * 50,
        "",
    ],
)
@pytest.mark.parametrize("quoted", [twice, once])
def test_anything_else_is_a_404_and_never_leads_elsewhere(
    web: Browser, org: Any, url: str, quoted: Any
) -> None:
    for entry in ("repo", "publish-repo"):
        answer = web.get(f"/{entry}/{quoted(url)}/", status="*")
        # Who may sign what off is not asked before the page that leads to it.
        if entry == "publish-repo" and answer.status_code == 301:
            assert answer.location.startswith("http://localhost/repo/opensaf")
            continue
        assert answer.status_code in (400, 404), answer.location


def test_what_is_left_encoded_after_both_is_not_decoded_again(web: Browser, org: Any) -> None:
    project(org, "asthma")
    web.get(f"/repo/{quote(twice(URL), safe='')}/", status=404)


def test_the_final_slash_is_added_without_leaving_the_site(web: Browser, org: Any) -> None:
    answer = web.get(f"/repo/{twice(URL)}", status=301)
    assert answer.location == f"http://localhost/repo/{twice(URL)}/"


def test_without_an_address_there_is_nothing(web: Browser, org: Any) -> None:
    web.get("/repo/", status=404)
    web.get("/publish-repo/", status=404)


def test_names_are_text_and_never_markup(web: Browser, org: Any) -> None:
    for name in ("one", "two"):
        project(org, name).name = f"<b>{name}</b>"
    f.current().commit()
    assert not web.get(f"/repo/{twice(URL)}/").follow().html.select("#content b")


def test_the_number_of_statements_does_not_grow(web: Browser, org: Any, count_statements: Any) -> None:
    numbers = []
    for first, last in ((0, 2), (2, 20)):
        for number in range(first, last):
            project(org, f"study-{number}")
        with count_statements() as sent:
            web.get(f"/repo/{twice(URL)}/").follow()
        numbers.append(len(sent))
    assert numbers[0] == numbers[1] <= 6
