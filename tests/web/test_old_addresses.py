"""Addresses that once were (pages 4): where each leads, and that none leads in a circle."""

from typing import Any

import pytest

from jobserver import models
from tests import factories as f
from tests.web.conftest import Browser

APPLY = "https://www.opensafely.org/opensafely-is-open-for-submissions/"


@pytest.mark.parametrize(
    "path", ["/apply/", "/apply", "/apply/terms/", "/apply/sign-in", "/apply/a/b/c/?x=1"]
)
@pytest.mark.parametrize("signed_in", [False, True])
def test_applying_is_elsewhere_now(web: Browser, path: str, signed_in: bool) -> None:
    if signed_in:
        web.sign_in(f.UserFactory())
    assert web.get(path, status=301).location == APPLY


def test_what_only_begins_like_it_is_not_it(web: Browser) -> None:
    web.get("/apply-now/", status=404)


@pytest.mark.parametrize("path", ["/favicon.ico", "/robots.txt"])
def test_what_browsers_and_robots_ask_for(web: Browser, path: str) -> None:
    answer = web.get(path, status=302)
    assert answer.location == f"http://localhost/static{path}"
    answer.follow(status=200)


def test_robots_stay_out_of_what_is_not_for_them(web: Browser) -> None:
    text = web.get("/static/robots.txt").text
    wanted = "api applications complete disconnect event-log login logout settings staff ui-components"
    assert [line.split()[1] for line in text.splitlines() if line.startswith("Disallow")] == [
        f"/{word}/" for word in wanted.split()
    ]
    assert "Crawl-delay: 2" in text


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("/jobs/?page=2&q=%C3%BC", "/event-log/?page=2&q=%C3%BC"),
        ("/jobs/", "/event-log/"),
        ("/event-list/?page=2", "/event-log/"),
    ],
)
def test_the_logs_earlier_addresses(web: Browser, old: str, new: str) -> None:
    assert web.get(old, status=302).location == f"http://localhost{new}"


def test_jobs_and_requests_by_themselves(web: Browser) -> None:
    job = f.JobFactory()
    request = job.job_request
    page = web.get(f"/job-requests/{request.id}/", status=302).location
    assert page.endswith(f"/{request.workspace.name}/{request.id}/")
    assert web.get(f"/jobs/{job.identifier}/", status=302).location == f"{page}{job.identifier}/"
    assert web.get(f"/jobs/{job.identifier[:8]}/", status=404)
    # Below the request the beginning of an identifier is enough.
    assert web.get(f"{page}{job.identifier[:8]}/", status=301).location == f"{page}{job.identifier}/"


def test_an_organisations_earlier_address_is_for_everybody(web: Browser) -> None:
    f.OrgFactory(slug="uni")
    assert web.get("/orgs/uni/", status=301).location == "http://localhost/uni/"
    assert web.get("/orgs/uni/logs/?page=1", status=301).location == "http://localhost/uni/logs/?page=1"
    # While the list of one's own stays where it was.
    assert "/login/" in web.get("/orgs/", status=303).location


def stored(old_url: str, **target: Any) -> None:
    session = f.current()
    session.add(models.Redirect(old_url=old_url, created_by_id=f.UserFactory().id, **target))
    session.commit()


def ends(web: Browser, path: str) -> tuple[str, int]:
    """Where a path ends, and how."""
    for _ in range(10):
        answer = web.get(path, status="*")
        if answer.status_code not in (301, 302):
            return path, answer.status_code
        path = answer.location.removeprefix("http://localhost")
    raise AssertionError(f"{path} leads in a circle")


def test_a_rename_there_and_back_leads_nowhere_in_a_circle(web: Browser) -> None:
    """Pages 30.2 no. 29: not even below what is there again."""
    org = f.OrgFactory(slug="uni")
    stored("/uni/", org_id=org.id)
    stored("/college/", org_id=org.id)
    assert ends(web, "/college/logs/") == ("/uni/logs/", 200)
    assert ends(web, "/uni/nothing-here/") == ("/uni/nothing-here/", 404)
    assert ends(web, "/college/nothing-here/") == ("/uni/nothing-here/", 404)


def test_two_organisations_that_swapped_their_names_lead_nowhere_in_a_circle(web: Browser) -> None:
    first, second = f.OrgFactory(slug="a"), f.OrgFactory(slug="b")
    stored("/a/", org_id=second.id)
    stored("/b/", org_id=first.id)
    assert ends(web, "/a/nothing/") == ("/a/nothing/", 404)


def test_below_what_exists_a_longer_old_address_still_leads_on(web: Browser) -> None:
    org = f.OrgFactory(slug="uni")
    project = f.ProjectFactory(org=org, slug="new-name")
    workspace = f.WorkspaceFactory(project=project, name="main")
    stored("/uni/old-name/", project_id=project.id)
    stored("/uni/new-name/moved/", workspace_id=workspace.id)
    assert ends(web, "/uni/old-name/main/logs/") == ("/uni/new-name/main/logs/", 200)
    assert ends(web, "/uni/new-name/moved/") == ("/uni/new-name/main/", 200)


def test_a_project_of_its_organisations_name_does_not_grow_its_address(web: Browser) -> None:
    f.ProjectFactory(org=f.OrgFactory(slug="same"), slug="same")
    assert ends(web, "/same/nothing/") == ("/same/nothing/", 404)


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_what_is_sent_is_not_sent_on(web: Browser, method: str) -> None:
    """A form never becomes a look at a page."""
    stored("/old/", org_id=f.OrgFactory(slug="uni").id)
    if method == "post":
        web.submit("/old/", status=404)
    else:
        getattr(web, method)("/old/", status=404)


def test_a_look_without_the_page_is_sent_on(web: Browser) -> None:
    stored("/old/", org_id=f.OrgFactory(slug="uni").id)
    assert web.head("/old/?a=1", status=302).location == "http://localhost/uni/?a=1"


def test_only_the_first_part_is_replaced_and_signs_are_only_signs(web: Browser) -> None:
    stored("/o_d/", org_id=f.OrgFactory(slug="uni").id)
    assert ends(web, "/old/")[1] == 404
    assert web.get("/o_d/o_d/?q=%2F", status=302).location == "http://localhost/uni/o_d/?q=%2F"


def test_whoever_redirects_costs_nothing_where_something_is(web: Browser, count_statements: Any) -> None:
    with count_statements() as sent:
        web.get("/status/")
    assert not [each for each in sent if "redirect" in each.lower()]


def test_an_address_of_very_many_parts_costs_no_more_than_another(
    web: Browser, count_statements: Any
) -> None:
    with count_statements() as sent:
        web.get("/" + "a/" * 60_000, status=404)
    assert max(map(len, sent)) < 5_000
