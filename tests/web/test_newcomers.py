"""Somebody new: the way to a first output, whom to ask on it, and the words in place."""

from typing import Any

import pytest
from sqlalchemy.orm import Session

from jobserver.models import utcnow
from tests import factories as f
from tests.web.conftest import Browser


def steps(page: Any) -> list[Any]:
    """The items of the checklist."""
    heading = page.html.find("h2", id="first-run")
    return heading.find_parent("section").find_all("li") if heading else []


def missing(page: Any) -> list[str]:
    """The names of the steps that are missing."""
    return [item.b.text for item in steps(page) if item.select_one(".vh").text == "missing"]


def developer(**project: Any) -> Any:
    """A Project Developer with an organisation and a backend, but without a workspace."""
    user = f.UserFactory()
    membership = f.ProjectMembershipFactory(
        user=user, project=f.ProjectFactory(**project), roles=["ProjectDeveloper"]
    )
    f.OrgMembershipFactory(user=user, org=membership.project.org)
    f.BackendMembershipFactory(user=user)
    return user


def test_somebody_with_nothing_learns_what_is_missing_and_whom_to_ask(web: Browser) -> None:
    page = web.sign_in(f.UserFactory()).get("/")
    assert missing(page) == [
        "Belong to an organisation",
        "Be a Project Developer of a project",
        "Have a backend",
        "Have a workspace",
        "Make your first job request",
    ]
    text = " ".join(page.html.find("h2", id="first-run").find_parent("section").text.split())
    assert "tech@opensafely.org" in text
    assert "Given by a Service Administrator or Tech Support" in text
    assert "Given by a Staff Area Administrator" in text
    assert "1 of 7 done" in text


def test_the_first_output_comes_later(web: Browser) -> None:
    last = steps(web.sign_in(f.UserFactory()).get("/"))[-1]
    assert last.b.text == "Get your first output released"
    assert last.select_one(".vh").text == "later"
    assert "This comes later" in last.text


def test_the_first_output_is_there_once_something_of_ones_workspace_was_released(web: Browser) -> None:
    user = f.UserFactory()
    request = f.JobRequestFactory(created_by=user, status="failed")
    f.ReleaseFactory()
    web.sign_in(user)
    assert steps(web.get("/"))[-1].select_one(".vh").text == "later"
    f.ReleaseFactory(workspace=request.workspace)
    assert steps(web.get("/"))[-1].select_one(".vh").text == "done"


def test_a_developer_without_a_workspace_can_make_one(web: Browser) -> None:
    page = web.sign_in(developer(slug="asthma", org__slug="uni")).get("/")
    assert missing(page) == ["Have a workspace", "Make your first job request"]
    assert page.html.find("a", string="New workspace")["href"] == "/uni/asthma/new-workspace/"


def test_somebody_with_everything_is_led_to_the_run_form(web: Browser) -> None:
    user = developer(slug="asthma", org__slug="uni")
    f.WorkspaceFactory(project=f.current().get(f.models.Project, 1), name="asthma-main")
    page = web.sign_in(user).get("/")
    assert missing(page) == ["Make your first job request"]
    link = steps(page)[5].find("a", string="Run jobs")
    assert link["href"] == "/uni/asthma/asthma-main/run-jobs/"


def test_a_member_without_the_role_is_told_so(web: Browser) -> None:
    user = f.ProjectMembershipFactory().user
    page = web.sign_in(user).get("/")
    assert "no role of yours there lets you run jobs" in page
    assert not page.html.find("a", string="New workspace")
    assert "Given by a Project Developer of the project" in " ".join(steps(page)[4].text.split())


@pytest.mark.parametrize("status", ["pending", "failed", "nothing_to_do"])
def test_the_checklist_stays_until_something_succeeded(web: Browser, status: str) -> None:
    user = developer()
    row = f.JobRequestFactory(created_by=user, status=status)
    page = web.sign_in(user).get("/")
    assert "Make your first job request" not in missing(page)
    assert steps(page)
    row.status, row.completed_at = "succeeded", utcnow()
    f.current().commit()
    assert not steps(web.get("/"))


def test_the_checklist_is_not_for_those_who_have_a_role_everywhere(web: Browser) -> None:
    assert not steps(web.sign_in(f.UserFactory(roles=["OutputChecker"])).get("/"))


def test_words_are_explained_in_place_by_a_press_and_without_script(web: Browser) -> None:
    """Pages 30.7 no. 67: a button reaches its sentence by keyboard and by touch."""
    page = web.sign_in(f.UserFactory()).get("/")
    buttons = page.html.select("#content button.term")
    assert [button.text for button in buttons] == [
        "organisation",
        "project",
        "backend",
        "workspace",
        "job request",
        "release",
    ]
    for button in buttons:
        assert button["type"] == "button"
        explained = page.html.find(id=button["popovertarget"])
        assert explained.has_attr("popover")
        assert len(explained.text) > 60
    ids = [tag["id"] for tag in page.html.select("[id]")]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("signed_in", [False, True])
def test_getting_started_explains_every_word_and_names_whom_to_ask(web: Browser, signed_in: bool) -> None:
    if signed_in:
        web.sign_in(f.UserFactory(username="newcomer"))
    page = web.get("/getting-started/")
    terms = {tag.text for tag in page.html.select("#content dt")}
    assert {
        "Workspace",
        "Backend",
        "Action",
        "Job request",
        "Level 4",
        "Snapshot",
        "Draft",
        "Job",
        "Release",
    } <= terms
    for link in page.html.select("#content .steps a[href^='#']"):
        assert page.html.find(id=link["href"][1:]), link["href"]
    assert "Given by a Service Administrator or Tech Support" in page
    assert ("You are signed in as newcomer" in page) is signed_in


def test_the_first_project_yaml_is_one_that_can_run(web: Browser) -> None:
    from jobserver.pipeline import parse

    text = web.get("/getting-started/").html.select_one(".code.hl pre").text
    assert list(parse(text).actions) == ["make_dataset", "describe"]


def test_newcomers_cost_no_statement_more(web: Browser, db: Session, count_statements: Any) -> None:
    web.sign_in(developer())
    with count_statements() as sent:
        web.get("/")
    assert len(sent) <= 12
