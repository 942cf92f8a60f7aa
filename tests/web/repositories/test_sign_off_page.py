"""What researchers see before they sign, GitHub reached or not (spec: pages 20.2, 30.2 no. 27)."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from jobserver.clients.github import GitHubClient
from jobserver.models import utcnow
from jobserver.studies.branches import BranchLists
from tests import factories as f
from tests.contract.recorded import Timed, json_reply, serving
from tests.unit.rap.eventually import eventually
from tests.web.conftest import Browser
from tests.web.repositories.conftest import SIGN_OFF, Study
from tests.web.repositories.test_sign_off import signed

GITHUB = "/demo-university/asthma-study"


def panel(page: Any, id_: str) -> Any:
    """The section under the heading with this id."""
    return page.html.find(id=id_).find_parent("section")


def words(element: Any) -> str:
    """Its text in one line."""
    return " ".join(element.text.split())


def row(page: Any, workspace: str) -> Any:
    """The row of a workspace."""
    return panel(page, "workspaces").find("a", string=workspace).find_parent("tr")


def test_workspaces_are_shown_with_all_that_is_to_be_checked(
    online: Browser, world: Any, study: Study
) -> None:
    signed(study, study.other)
    page = online.get(SIGN_OFF)
    main, old = row(page, "asthma-main"), row(page, "asthma-old")
    assert "Active" in main.text
    assert "Archived" in old.text
    assert "All" in main.text
    assert main.find("a", string="asthma-main")["href"] == "/uni/asthma/asthma-main/"
    assert main.find("a", string="Asthma")["href"] == "/uni/asthma/"
    hrefs = [link["href"] for link in main.find_all("a")]
    assert f"{world.github_url}{GITHUB}/tree/main" in hrefs
    assert f"{world.github_url}{GITHUB}/blob/main/README.md" in hrefs
    assert "No longer on GitHub" in old.text
    assert "No longer on GitHub" not in main.text
    assert "README" not in old.text
    assert main.find("button")["aria-label"] == "Sign off asthma-main"
    assert main.find("input", {"name": "name"})["value"] == "asthma-main"
    assert old.find("button") is None
    assert "by Bo Blue" in old.text
    assert panel(page, "workspaces").select_one(".count").text == "2"


def test_branches_without_a_workspace_are_listed(online: Browser, world: Any, study: Study) -> None:
    page = online.get(SIGN_OFF)
    links = panel(page, "other-branches").select("li a")
    assert [link.text for link in links] == ["sensitivity/five-controls"]
    assert links[0]["href"] == f"{world.github_url}{GITHUB}/tree/sensitivity/five-controls"
    f.WorkspaceFactory(repo=study.repo, branch="sensitivity/five-controls", project=study.project)
    assert "Every branch on GitHub has a workspace" in online.get(SIGN_OFF)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"is_private": True}, "Private"),
        ({"is_private": False}, "Public"),
        ({"is_private": None}, "Not known yet"),
        ({"is_private": None, "check_failure": "GitHub could not be reached."}, "could not be reached"),
        ({"is_private": None, "check_failure": "GitHub knows no such repository."}, "Not found"),
    ],
)
def test_visibility_has_three_states_and_says_why_it_is_not_known(
    ada: Browser, db: Session, study: Study, values: dict[str, Any], said: str
) -> None:
    for name, value in {**values, "checked_at": utcnow()}.items():
        setattr(study.repo, name, value)
    db.commit()
    assert said in words(panel(ada.get(SIGN_OFF), "on-github"))


@pytest.mark.parametrize("roles", [[], ["ProjectDeveloper"]])
def test_only_what_is_permitted_is_offered(web: Browser, db: Session, study: Study, roles: list[str]) -> None:
    """Pages 30.2 no. 25. The status of a project is its members' to see."""
    member = f.ProjectMembershipFactory(project=study.project, roles=roles)
    page = web.sign_in(member.user).get(SIGN_OFF)
    edits = [link["href"] for link in page.html.select("a[href*='/edit/']")]
    review = "/uni/asthma/edit/?next=%2Frepo%2Fdemo-university%2Fasthma-study%2Fsign-off%2F"
    assert edits == (["/uni/asthma/asthma-main/edit/", review] if roles else [])
    assert len(panel(page, "projects").select(".state, [class*=st-]")) == 1
    if roles:
        assert web.get(review).html.find("a", string="Cancel")["href"] == SIGN_OFF


def test_the_dialog_names_all_that_is_signed(online: Browser, study: Study) -> None:
    signed(study, study.main, study.other)
    page = online.get(SIGN_OFF)
    assert page.html.select_one("a.primary")["href"] == "#sign-off"
    dialog = page.html.find("dialog", id="sign-off")
    items = [words(each) for each in dialog.select("li")]
    assert items == [
        "asthma-main, signed off by Bo Blue",
        "asthma-old, signed off by Bo Blue",
        "sensitivity/five-controls",
    ]
    assert dialog.find("a", string="Not yet")
    assert dialog.find("button", type="submit").text == "Sign off the repository"


# GitHub


def test_github_is_asked_once_for_several_readings(online: Browser, world: Any) -> None:
    for _ in range(3):
        online.get(SIGN_OFF)
    assert len(world.requests("github")) == 1


@pytest.mark.parametrize("complete", [False, True])
def test_without_github_the_page_says_so_and_signing_is_still_possible(
    ada: Browser, db: Session, study: Study, complete: bool
) -> None:
    if complete:
        signed(study, study.main, study.other)
    page = ada.get(SIGN_OFF)
    note = page.html.find(id="github-failed")
    assert "GitHub could not be reached" in note.text
    assert "Which other branches there are is not known here" in note.text
    assert note.find("a", string="Try again")["href"] == f"{SIGN_OFF}?again=1"
    assert "No longer on GitHub" not in page
    assert "Every branch" not in page
    assert not page.html.find(id="other-branches").select(".count")
    if complete:
        assert "GitHub could not be reached" in page.html.find("dialog", id="sign-off").text
        ada.submit(SIGN_OFF, status=303)
    else:
        ada.submit(SIGN_OFF, {"name": "asthma-main"}, status=303)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ({"kind": "status", "status": 404}, "was not found on GitHub"),
        ({"kind": "status", "status": 502}, "could not be reached"),
        ({"kind": "html"}, "could not be reached"),
        ({"kind": "drop"}, "could not be reached"),
        ({"kind": "rate_limit"}, "too many requests"),
    ],
    ids=lambda value: str(value.get("status", value["kind"])) if isinstance(value, dict) else "",
)
def test_every_failure_of_github_is_said_in_words(
    online: Browser, world: Any, kind: dict[str, Any], said: str
) -> None:
    world.control(fault={"service": "github", "count": 1, **kind})
    page = online.get(SIGN_OFF)
    assert said in page.html.find(id="github-failed").text
    # It is not remembered: the next reading asks again.
    assert online.get(f"{SIGN_OFF}?again=1").html.find(id="github-failed") is None


def test_what_github_said_earlier_is_shown_while_it_is_away(
    online: Browser, world: Any, world_app: Any, study: Study
) -> None:
    now = [1000.0]
    world_app.registry["branch_lists"] = BranchLists(
        world_app.registry["clients"].github, clock=lambda: now[0]
    )
    online.get(SIGN_OFF)
    world.control(fault={"service": "github", "kind": "status", "status": 500})
    now[0] += 60
    assert online.get(SIGN_OFF).html.find(id="github-failed") is None
    page = online.get(f"{SIGN_OFF}?again=1")
    assert "What is listed is what it said earlier" in page.html.find(id="github-failed").text
    assert [link.text for link in panel(page, "other-branches").select("li a")] == [
        "sensitivity/five-controls"
    ]


@pytest.mark.parametrize("name", ["lab/asthma", "Demo-University/Asthma-Study"])
def test_a_repository_that_was_renamed_is_said_to_be(ada: Browser, app: Any, study: Study, name: str) -> None:
    end = {"hasNextPage": False, "endCursor": None}
    names = [{"name": each} for each in ("main", *(f"b{number}" for number in range(30)), "<b>")]
    found = {"nameWithOwner": name, "refs": {"nodes": names, "pageInfo": end}}
    with serving(json_reply({"data": {"repository": found}})) as server:
        app.registry["branch_lists"] = BranchLists(GitHubClient(server.url, "token"))
        page = ada.get(SIGN_OFF)
        app.registry.pop("branch_lists")
    note = page.html.find(id="renamed")
    assert note is None if name.startswith("Demo") else "GitHub now calls it lab/asthma." in note.text
    section = panel(page, "other-branches")
    assert [len(each.select("li")) for each in section.select("ul")] == [20, 11]
    assert section.select("li")[-1].text == "<b>"


def test_a_slow_github_is_not_waited_for_and_no_transaction_is_open_meanwhile(
    online: Browser, world: Any, world_app: Any, db: Session, study: Study
) -> None:
    """Not even where the form was refused, for which the repository's row was held."""
    signed(study, study.main)
    lists = BranchLists(world_app.registry["clients"].github, limit=0.5)
    world_app.registry["branch_lists"] = lists
    world.control(fault={"service": "github", "kind": "slow", "seconds": 1, "count": 1})
    others = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND state LIKE 'idle in transaction%' AND pid <> pg_backend_pid()"
    )
    with ThreadPoolExecutor(1) as pool, Timed() as timed:
        answer = pool.submit(online.submit, SIGN_OFF, status=200)
        eventually(lambda: lists._remembered._asking)
        db.rollback()
        assert db.scalar(others) == 0
        assert lists._remembered._asking, "GitHub was still being asked"
        page = answer.result()
    assert timed.seconds < 0.95
    assert "did not answer in time" in page.html.find(id="github-failed").text
    assert page.html.find(id="fault")
    eventually(lambda: not lists._remembered._asking)
    assert online.get(SIGN_OFF).html.find(id="github-failed") is None


# Links to it, and cost


def test_pages_of_members_lead_there(web: Browser, study: Study) -> None:
    pages = ("/uni/asthma/", "/uni/asthma/asthma-main/")
    for page in pages:
        assert web.get(page).html.find("a", href=SIGN_OFF) is None
    web.sign_in(study.ada)
    for page in pages:
        assert web.get(page).html.find("a", href=SIGN_OFF)


def test_the_number_of_statements_does_not_grow(ada: Browser, study: Study, count_statements: Any) -> None:
    numbers = []
    for more in (0, 20):
        for _ in range(more):
            f.WorkspaceFactory(repo=study.repo)
        with count_statements() as sent:
            ada.get(SIGN_OFF)
        numbers.append(len(sent))
    assert numbers[0] == numbers[1] <= 6
