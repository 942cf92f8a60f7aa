"""Every page passes axe (WCAG 2.0 to 2.2 A and AA, best practice) and never scrolls sideways."""

from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from jobserver.models import Backend, User, Workspace, utcnow
from tests import factories
from tests.browser.conftest import BROWSER, System, sign_in
from tests.browser.test_journey import WORKSPACE, ask_for, wait_for_end
from tests.conftest import ROOT

pytestmark = BROWSER

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PROJECT = "/demo-university/asthma-in-adults/"
PUBLIC = [
    "/",
    "/login/",
    "/status/",
    "/event-log/",
    "/event-log/?status=failed&backend=tpp&q=model&from=2026-01-01",
    "/event-log/?user=nobody-of-this-name&from=rubbish",
    "/search/?q=asthma",
    "/search/",
    "/organisations/",
    "/users/",
    "/users/researcher/",
    "/users/researcher/logs/",
    "/accessibility/",
    "/api/v2/docs/",
    "/ui-components/",
    "/ui-components/mails/",
    "/nowhere/",
    "/repo/https%253A%252F%252Fgithub.com%252Fdemo-university%252Fasthma-study/",
    "/demo-university/",
    "/demo-university/logs/",
    PROJECT,
    PROJECT + "logs/",
    WORKSPACE,
    WORKSPACE + "logs/",
]
MINE = [
    "/",
    "/orgs/",
    "/projects/",
    "/workspaces/",
    "/settings/",
    "/settings/notifications/",
    "/settings/sessions/",
    "/settings/display/",
    "/settings/access/",
    "/settings/level-4/",
    "/settings/tokens/",
    PROJECT,
    PROJECT + "edit/",
    PROJECT + "new-workspace/",
    WORKSPACE,
    WORKSPACE + "edit/",
    WORKSPACE + "run-jobs/?backend=tpp",
]
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
BELOW_A_REQUEST = ["", "compare/?with={earlier}", "events/"]
# Sizes change the layout and schemes the colours: each of both is seen once.
LOOKS = ((1280, "light"), (390, "dark"))


@pytest.fixture(scope="module")
def pages(system: System, chromium: Any) -> list[str]:
    """Addresses of pages that exist only once something ran: two requests, and a job that failed."""
    context = chromium.new_context(base_url=system.base_url)
    window = context.new_page()
    sign_in(window, "researcher")
    earlier = ask_for(window, "generate_dataset").rstrip("/").rsplit("/", 1)[1]
    wait_for_end(window, "Succeeded")
    address = ask_for(window, "run_all")
    wait_for_end(window, "Failed")
    window.goto(address)
    window.get_by_role("link", name="survival_model").first.click()
    window.wait_for_load_state()
    job = str(window.url)
    context.close()
    return [*(address + below.format(earlier=earlier) for below in BELOW_A_REQUEST), job, job + "history/"]


@pytest.fixture(scope="module")
def outputs(system: System, engine: Engine) -> dict[str, list[str]]:
    """What came out of the workspace, as rows: addresses for everybody, and for its developer."""
    with Session(engine) as db:
        factories.use(db)
        workspace = db.scalars(select(Workspace).where(Workspace.name == "asthma-main")).one()
        checker = db.scalars(select(User).where(User.username == "checker")).one()
        author = db.scalars(select(User).where(User.username == "researcher")).one()
        backend = db.scalars(select(Backend).where(Backend.slug == "tpp")).one()
        here = {"workspace": workspace, "backend": backend}
        asked = factories.ReleaseRequestFactory(**here, author=author, state="returned", turn=2)
        for turn, kind in enumerate(("request_submitted", "request_returned", "request_resubmitted"), 1):
            updates = [{"update": "See the comments"}]
            factories.ReleaseRequestEventFactory(
                release_request=asked, event_type=kind, turn=turn, updates=updates, created_by=checker
            )
        release = factories.ReleaseFactory(
            **here, id=asked.id, created_by=checker, metadata_={"tool": "airlock"}
        )
        arrived = {"uploaded_at": utcnow(), "uploaded_by": checker}
        gone = {"deleted_at": utcnow(), "deleted_by_id": checker.id, "deleted_reason": "Counts below six"}
        files = [
            factories.ReleaseFileFactory(release=release, path="a", **arrived),
            factories.ReleaseFileFactory(release=release, path="b", **arrived, **gone),
            *factories.ReleaseFileFactory.create_batch(12, release=release),
        ]
        decided = {"decision": "approved", "decision_at": utcnow(), "decision_by": checker}
        public = factories.SnapshotFactory(workspace=workspace, created_by=author, files=files)
        factories.PublishRequestFactory(snapshot=public, **decided)
        factories.SnapshotFactory(workspace=workspace, created_by=author, files=files[:1])
        factories.use(None)
        everybody = [f"{PROJECT}releases/", f"{WORKSPACE}releases/", f"{WORKSPACE}outputs/"]
        everybody.append(f"{WORKSPACE}outputs/{public.id}/")
        mine = [f"{WORKSPACE}releases/{release.id}/", f"{WORKSPACE}release-requests/{asked.id}/"]
    mine += [f"{mine[0]}?q=nothing", f"{WORKSPACE}outputs/latest/", f"{WORKSPACE}release-requests/"]
    return {
        "anonymous": everybody,
        "researcher": [everybody[1], *mine, "/release-requests/?state=returned&turn=author"],
        "newcomer": ["/release-requests/"],
    }


def findings(window: Any) -> list[str]:
    """What axe finds on the page in the window."""
    window.evaluate(AXE.read_text())
    found = window.evaluate("tags => axe.run({runOnly: tags})", TAGS)
    return [
        f"{each['id']}: {each['help']} {[node['target'] for node in each['nodes'][:3]]}"
        for each in found["violations"]
    ]


@pytest.mark.parametrize("who", ["anonymous", "researcher", "newcomer", "admin"])
def test_every_page_is_accessible_and_fits(
    chromium: Any, system: System, pages: list[str], outputs: dict[str, list[str]], who: str
) -> None:
    # The policy forbids what axe is injected with; it is tested elsewhere.
    context = chromium.new_context(base_url=system.base_url, bypass_csp=True, reduced_motion="reduce")
    window = context.new_page()
    addresses = [*PUBLIC, *pages]
    if who != "anonymous":
        sign_in(window, who)
        again = pages[0] + "run-again/"
        theirs = {"newcomer": ["/", WORKSPACE + "run-jobs/"], "admin": STAFF}
        addresses = theirs.get(who, [*MINE, *pages, again])
    faults = {}
    for address in [*addresses, *outputs.get(who, [])]:
        window.goto(address)
        for width, scheme in LOOKS:
            window.set_viewport_size({"width": width, "height": 900})
            window.emulate_media(color_scheme=scheme)
            found = findings(window)
            if window.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
                found.append("the page scrolls sideways")
            if found:
                faults[f"{address} at {width} px, {scheme}"] = found
    context.close()
    assert faults == {}, "\n".join(f"{page}: {found}" for page, found in faults.items())
