"""Every page passes axe and never scrolls sideways; those of the staff area are in test_staff.py."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from jobserver.clients.storage import ReleaseStorage
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
    "/repo/demo-university/asthma-study/",
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
    "/repo/demo-university/asthma-study/sign-off/",
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
        storage = ReleaseStorage(Path(system.environment["RELEASE_STORAGE"]))
        arrived = {"uploaded_at": utcnow(), "uploaded_by": checker}
        gone = {"deleted_at": utcnow(), "deleted_by_id": checker.id, "deleted_reason": "Counts below six"}
        files = [
            factories.ReleaseFileFactory(
                release=release, name="output/a.csv", content=b"a,b\n1,2\n", storage=storage
            ),
            factories.ReleaseFileFactory(release=release, path="b", **arrived, **gone),
            *factories.ReleaseFileFactory.create_batch(12, release=release),
        ]
        decided = {"decision": "approved", "decision_at": utcnow(), "decision_by": checker}
        public = factories.SnapshotFactory(workspace=workspace, created_by=author, files=files)
        factories.PublishRequestFactory(snapshot=public, **decided)
        refused = factories.SnapshotFactory(workspace=workspace, created_by=author, files=files[:2])
        rejected = {**decided, "decision": "rejected", "decision_reason": "Counts below six"}
        factories.PublishRequestFactory(snapshot=refused, **rejected)
        waits = factories.SnapshotFactory(workspace=workspace, created_by=author, files=files[:1])
        factories.PublishRequestFactory(snapshot=waits)
        later = factories.ReleaseFileFactory(
            release=factories.ReleaseFactory(**here, created_by=checker),
            name="output/a.csv",
            content=b"a,b,c\n1,3,\n4,5,6\n",
            storage=storage,
        )
        compare = f"{WORKSPACE}releases/{later.release_id}/{later.id}/compare/"
        delete = [f"{WORKSPACE}releases/{release.id}/{file.id}/delete/" for file in files[:2]]
        sets = {each: f"{WORKSPACE}outputs/{each.id}/" for each in (public, refused, waits)}
        publishing = [sets[refused] + "ask-again/", sets[waits] + "withdraw/", sets[waits]]
        publishing += [f"{WORKSPACE}outputs/latest/prepare/", f"{WORKSPACE}outputs/latest/prepare/?find=zzz"]
        deciding = [sets[waits] + "approve/", sets[waits] + "reject/", sets[public] + "unpublish/"]
        deciding += [sets[waits], "/publish-requests/", "/publish-requests/?state=rubbish&q=x"]
        factories.use(None)
        everybody = [f"{PROJECT}releases/", f"{WORKSPACE}releases/", f"{WORKSPACE}outputs/"]
        everybody += [
            f"{PROJECT}outputs/?q=outputs&from=2026-01-01",
            f"{PROJECT}releases/?q=x&backend=rubbish",
        ]
        everybody += [f"{WORKSPACE}outputs/{public.id}/", f"{WORKSPACE}outputs/{public.id}/output/a.csv/"]
        mine = [f"{WORKSPACE}releases/{release.id}/", f"{WORKSPACE}release-requests/{asked.id}/"]
    mine += [
        f"{mine[0]}?find=nothing",
        f"{mine[0]}output/a.csv/",
        compare,
        f"{WORKSPACE}outputs/latest/",
        f"{WORKSPACE}release-requests/",
    ]
    return {
        "anonymous": everybody,
        "researcher": [
            everybody[1],
            *mine,
            *publishing,
            f"{PROJECT}releases/?state=redacted&to=x",
            f"{PROJECT}outputs/",
            "/release-requests/?state=returned&turn=author",
        ],
        "newcomer": ["/release-requests/"],
        "checker": delete,
        "admin": deciding,
    }


@pytest.mark.parametrize("who", ["anonymous", "researcher", "newcomer", "checker", "admin"])
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
        its_own = {"newcomer": ["/", WORKSPACE + "run-jobs/"], "checker": [], "admin": ["/"]}
        addresses = its_own.get(who, [*MINE, *pages, again])
    faults = faults_of(window, [*addresses, *outputs[who]], by_turns=True)
    if who == "anonymous":
        # Every component is there, so it is looked at in both ways.
        faults |= faults_of(window, [GALLERY])
    context.close()
    assert faults == {}, "\n".join(f"{page}: {found}" for page, found in faults.items())
