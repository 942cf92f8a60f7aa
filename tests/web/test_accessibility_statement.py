"""What the service says about its accessibility, and what error pages say to those who are lost."""

from copy import copy
from typing import Any

import pytest

from tests import factories as f
from tests.web.conftest import Browser


@pytest.mark.parametrize("signed_in", [False, True])
def test_the_statement_is_public_and_says_what_it_must(web: Browser, signed_in: bool) -> None:
    if signed_in:
        web.sign_in(f.UserFactory())
    page = web.get("/accessibility/")
    text = " ".join(page.html.main.text.split())
    assert "Web Content Accessibility Guidelines, version 2.2, levels A and AA" in text
    assert "partly compliant" in text
    assert [heading.text for heading in page.html.main.select("h2")] == [
        "What we aim at",
        "How far we are",
        "What is known to be missing",
        "How it was tested",
        "Tell us, or complain",
    ]
    assert page.html.main.find("a", href="mailto:tech@opensafely.org?subject=Accessibility")
    assert page.html.main.find("a", href="https://www.equalityadvisoryservice.com/")
    assert page.html.title.text == "Accessibility statement – Job server"


def test_the_statement_asks_the_database_for_nothing(web: Browser, count_statements: Any) -> None:
    with count_statements() as sent:
        web.get("/accessibility/")
    assert len(sent) <= 1


def main(page: Any) -> str:
    """What the page says, but for the explanations of its words."""
    content = copy(page.html.main)
    for explanation in content.select("[popover]"):
        explanation.extract()
    return " ".join(content.text.split())


def test_the_title_of_an_error_carries_its_code(web: Browser) -> None:
    """Pages 30.2 no. 35."""
    for code, words in (
        (400, "Bad request"),
        (403, "Not allowed"),
        (404, "Page not found"),
        (500, "Something"),
    ):
        assert web.get(f"/{code}", status=code).html.title.text.startswith(f"{code} {words}")


def test_a_missing_page_says_how_far_its_address_is_right(web: Browser) -> None:
    workspace = f.WorkspaceFactory(name="asthma-main", project__slug="asthma", project__org__slug="uni")
    page = web.get("/uni/asthma/asthma-main/99/", status=404)
    assert "The workspace asthma-main is there; what the address says after it is not." in main(page)
    assert page.html.main.find("a", href="/uni/asthma/asthma-main/")
    assert page.html.find(id=page.html.main.select_one("button.term")["popovertarget"])
    row = f.JobRequestFactory(workspace=workspace)
    assert f"The job request {row.id} is there" in main(
        web.get(f"/uni/asthma/asthma-main/{row.id}/zzzzzzzzzzzzzzzz/", status=404)
    )
    assert "The project asthma is there" in main(web.get("/uni/asthma/x/", status=404))
    assert "The organisation uni is there" in main(web.get("/uni/x/", status=404))
    assert "is there" not in main(web.get("/x/", status=404))


def test_a_missing_page_tells_strangers_that_signing_in_may_help(web: Browser) -> None:
    page = web.get("/nowhere/?a=1", status=404)
    assert "You are not signed in" in page
    assert page.html.main.find("a", string="Sign in")["href"] == "/login/?next=/nowhere/%3Fa%3D1"
    assert "You are not signed in" not in web.sign_in(f.UserFactory()).get("/nowhere/", status=404)


def test_a_refusal_names_the_roles_and_who_gives_each_but_nothing_protected(web: Browser) -> None:
    """Pages 30.7 no. 69."""
    workspace = f.WorkspaceFactory(name="asthma-main", project__slug="asthma", project__org__slug="uni")
    f.ProjectMembershipFactory(
        project=workspace.project, user__fullname="Dev Eloper", roles=["ProjectDeveloper"]
    )
    page = web.sign_in(f.UserFactory()).get("/uni/asthma/asthma-main/run-jobs/", status=403)
    text = main(page)
    assert "Your roles do not let you run jobs here." in text
    assert "Project Developer, for this project" in text
    assert "Given by a Service Administrator or Tech Support, whom you reach at tech@opensafely.org" in text
    assert "Given by a Staff Area Administrator" in text
    assert "Dev Eloper" not in page


def test_a_wrong_method_has_a_page_too(web: Browser) -> None:
    answer = web.put("/event-log/", status=405)
    assert "Not possible this way" in answer
    assert answer.headers["Allow"] == "GET"


def test_a_form_that_could_not_be_sent_shows_what_was_typed(web: Browser) -> None:
    """Pages 30.2 no. 35: kept for copying, but only if it came from a page of ours."""
    web.sign_in(f.UserFactory())
    fields = {
        "csrfmiddlewaretoken": "a wrong one",
        "status_description": "A long <b>sentence</b> that\nsomebody typed",
        "ids": "short",
        "api_token": "a secret value",
    }
    ours = {"Sec-Fetch-Site": "same-origin"}
    page = web.post("/logout/", fields, headers=ours, status=400)
    panel = page.html.find("h2", id="typed").find_parent("section")
    assert [heading.text for heading in panel.select("h3")] == ["Status description"]
    assert "A long <b>sentence</b> that\nsomebody typed" in panel.text
    assert "cookies" in page
    for foreign in ({"Sec-Fetch-Site": "cross-site"}, {}):
        assert "somebody typed" not in web.post("/logout/", fields, headers=foreign, status=400)


def test_error_pages_give_the_address_of_support_from_the_settings(web: Browser) -> None:
    links = web.get("/404", status=404).html.main.select("a[href^='mailto:']")
    assert [link["href"] for link in links] == ["mailto:tech@opensafely.org?subject=Error%20404"]
