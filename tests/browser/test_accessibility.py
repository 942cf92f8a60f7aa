"""Every page passes axe and never scrolls sideways; those of the staff area are in test_staff.py."""

from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from jobserver.models import Backend, User, Workspace, utcnow
from tests import factories
from tests.browser.axe import faults_of
from tests.browser.conftest import BROWSER, System, sign_in
from tests.browser.test_journey import WORKSPACE, ask_for, wait_for_end

pytestmark = BROWSER

PROJECT = "/demo-university/asthma-in-adults/"
GALLERY = "/ui-components/"
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
BELOW_A_REQUEST = ["", "compare/?with={earlier}", "events/"]


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


@pytest.mark.parametrize("who", ["anonymous", "researcher", "newcomer"])
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
        addresses = ["/", WORKSPACE + "run-jobs/"] if who == "newcomer" else [*MINE, *pages, again]
    faults = faults_of(window, [*addresses, *outputs[who]], by_turns=True)
    if who == "anonymous":
        # Every component is there, so it is looked at in both ways.
        faults |= faults_of(window, [GALLERY])
    context.close()
    assert faults == {}, "\n".join(f"{page}: {found}" for page, found in faults.items())
