"""What administrators do most often, each as they do it; every page on the way passes axe."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.axe import faults_of, findings
from tests.browser.conftest import BROWSER, System, sign_in
from tests.browser.test_journey import WORKSPACE, ask_for

pytestmark = BROWSER

STAFF = [
    "/staff/",
    "/staff/?q=a",
    "/staff/?q=nothing-has-this",
    "/staff/projects/",
    "/staff/projects/?orgs=nowhere",
    "/staff/projects/create/",
    *(
        f"/staff/projects/asthma-in-adults/{page}"
        for page in (
            *("", "edit/", "created/", "add-member/", "link-application/"),
            *("members/1/edit/", "members/1/remove/"),
        )
    ),
    "/staff/applications/",
    "/staff/audit/",
    "/staff/audit/?types=user_created&from=yesterday",
    "/staff/users/researcher/audit-log/",
    "/staff/access/",
    "/staff/access/?user=researcher&at=/",
    "/staff/access/?user=researcher&permission=job_run",
    "/staff/access/?at=/",
    "/staff/users/",
    "/staff/users/?q=nobody-of-this-name&role=Emperor",
    "/staff/users/researcher/",
    "/staff/users/researcher/account/",
    "/staff/users/researcher/roles/",
    "/staff/users/admin/roles/clear/",
    "/staff/users/researcher/set-orgs/",
    "/staff/users/researcher/disable/",
    "/staff/orgs/",
    "/staff/orgs/?kind=rubbish",
    "/staff/orgs/add/?next=/staff/projects/create/",
    "/staff/orgs/demo-university/",
    "/staff/orgs/demo-university/edit/",
    "/staff/orgs/demo-university/add-github-org/",
    "/staff/workspaces/",
    "/staff/workspaces/?projects=nowhere",
    f"/staff/workspaces/{WORKSPACE.split('/')[-2]}/",
    f"/staff/workspaces/{WORKSPACE.split('/')[-2]}/edit/",
    "/staff/redirects/",
    "/staff/redirects/add/",
    "/staff/site-alerts/",
    "/staff/site-alerts/add/",
    "/staff/backends/",
    "/staff/backends/add/",
    "/staff/backends/1/",
    "/staff/backends/1/edit/",
    "/staff/backends/1/rotate-token/",
    "/staff/backends/1/pause/",
    "/staff/backends/1/announce/",
    "/staff/backends/1/cancel-all/",
    "/staff/job-requests/",
    "/staff/job-requests/?q=1&status=failed&user=nobody",
    "/staff/job-requests/1/",
    "/staff/job-requests/1/cancel/",
    "/staff/tasks/",
    "/staff/tasks/?state=failed&kind=rubbish",
    "/staff/repos/",
    "/staff/repos/demo-university/asthma-study/",
    "/staff/repos/demo-university/asthma-study/sign-off/",
    "/staff/dashboards/",
    "/staff/dashboards/copiloting/",
    "/staff/dashboards/project/",
    "/staff/dashboards/repos/",
    "/staff/dashboards/repos-with-multiple-projects/",
    "/staff/sentry/",
]


@pytest.fixture
def staff(chromium: Any, system: System) -> Iterator[Any]:
    """An administrator's window; what axe finds on a page that they come to fails the test."""
    # The policy forbids what axe is injected with; it is tested elsewhere.
    context = chromium.new_context(base_url=system.base_url, bypass_csp=True, reduced_motion="reduce")
    context.set_default_timeout(15_000)
    window = context.new_page()
    sign_in(window, "admin")
    yield window
    context.close()


def is_told(window: Any, words: str) -> None:
    """The page says so, and can be read by everybody."""
    window.locator("main, .frame-alerts").get_by_text(re.compile(words)).first.wait_for()
    assert findings(window) == []


def save(window: Any, button: str) -> None:
    """Send the form."""
    window.get_by_role("button", name=button).first.click()


def test_somebody_new_is_let_in(staff: Any) -> None:
    staff.goto("/staff/users/?missing=backend")
    staff.get_by_role("link", name="Nina Okoro").click()
    is_told(staff, "newcomer")
    staff.get_by_label("TPP", exact=True).check()
    save(staff, "Save backends")
    is_told(staff, "Saved|saved")
    assert staff.get_by_label("TPP", exact=True).is_checked()
    staff.get_by_role("link", name="Set organisations").first.click()
    staff.get_by_role("checkbox", name="Demo University").check()
    save(staff, "Save organisations")
    is_told(staff, "Saved|saved")
    assert "Demo University" in staff.locator("main").inner_text()


def test_somebody_gets_a_role_on_a_project_and_can_use_it_at_once(
    staff: Any, chromium: Any, system: System
) -> None:
    staff.goto("/staff/projects/")
    staff.get_by_role("link", name="Asthma in adults").click()
    staff.get_by_role("link", name="Add members").click()
    staff.get_by_label("Usernames").fill("newcomer")
    staff.get_by_label("Project Developer").check()
    save(staff, "Add members")
    is_told(staff, "Nina Okoro")
    theirs = chromium.new_context(base_url=system.base_url)
    window = theirs.new_page()
    sign_in(window, "newcomer")
    assert window.goto(WORKSPACE).status == 200
    assert window.get_by_role("link", name="Run jobs").count() > 0
    theirs.close()


def test_an_organisation_and_a_project_in_it_are_made(staff: Any) -> None:
    staff.goto("/staff/projects/create/")
    staff.get_by_role("link", name="Add an organisation").click()
    staff.get_by_label("Name").fill("Harbour Institute")
    save(staff, "Add")
    staff.get_by_label("Name").wait_for()
    staff.get_by_label("Name").fill("Tides and tears")
    chosen = staff.get_by_label("Lead organisation")
    assert chosen.locator("option:checked").inner_text() == "Harbour Institute"
    save(staff, "Create project")
    is_told(staff, "Tides and tears")
    assert staff.goto("/harbour-institute/tides-and-tears/").status == 200


def test_a_role_on_every_project_is_given_and_the_log_says_by_whom_and_why(staff: Any) -> None:
    staff.goto("/staff/users/researcher/roles/")
    staff.get_by_label("Output Publisher").check()
    staff.get_by_label("Reason").fill("Stands in for Dilys in December")
    save(staff, "Save roles")
    is_told(staff, "Saved|saved")
    staff.goto("/staff/audit/?person=researcher")
    is_told(staff, "Stands in for Dilys in December")
    assert "Output Publisher" in staff.locator("main").inner_text()


def test_a_backends_token_is_replaced_and_shown_once(staff: Any) -> None:
    staff.goto("/staff/backends/")
    staff.get_by_role("link", name="EMIS").first.click()
    staff.goto(staff.url + "rotate-token/")
    save(staff, "Replace the token")
    is_told(staff, "shown only now")
    token = staff.locator("main .code pre").inner_text().strip()
    assert re.fullmatch(r"\S{20,}", token)
    staff.get_by_role("link", name="To EMIS").click()
    assert token not in staff.content()


def test_every_page_is_accessible_and_fits(staff: Any, chromium: Any, system: System) -> None:
    theirs = chromium.new_context(base_url=system.base_url)
    window = theirs.new_page()
    sign_in(window, "researcher")
    ask_for(window, "generate_dataset")
    theirs.close()
    faults = faults_of(staff, STAFF, by_turns=True)
    assert faults == {}, "\n".join(f"{page}: {found}" for page, found in faults.items())
