"""The run form: who may see it, what it shows, what it refuses, and what sending it does."""

import gc
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session
from webtest import TestResponse, Upload

from jobserver import make_app
from jobserver.models import (
    AuditableEvent,
    AuditType,
    Backend,
    DataPermission,
    JobRequest,
    PermissionKind,
    Role,
    User,
    Workspace,
    utcnow,
)
from jobserver.security import tokens
from simulator.testing import RunningSimulator
from tests import factories as f
from tests.conftest import make_settings
from tests.unit.studies.world import URL, running
from tests.web.conftest import Browser

ASTHMA = "https://github.com/demo-university/asthma-study"


# WebOb keeps uploads and large bodies in files that it leaves to the garbage collector.
leaves_files = pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")


@pytest.fixture
def swept() -> Iterator[None]:
    """Such files are gone before the next test."""
    yield
    gc.collect()


@dataclass
class Asking:
    """A workspace, somebody who may run jobs in it, and two backends."""

    workspace: Workspace
    user: User
    tpp: Backend
    emis: Backend
    url: str

    @classmethod
    def make(cls, repo_url: str, branch: str = "main", *, workspace: str = "", **names: str) -> "Asking":
        user = f.UserFactory()
        org = f.OrgFactory(name=names["org_name"]) if "org_name" in names else f.OrgFactory()
        project = f.ProjectFactory(org=org, **({"name": names["project"]} if "project" in names else {}))
        made = f.WorkspaceFactory(
            project=project,
            repo=f.RepoFactory(url=repo_url),
            branch=branch,
            **({"name": workspace} if workspace else {}),
        )
        f.ProjectMembershipFactory(project=project, user=user, roles=[Role.PROJECT_DEVELOPER])
        tpp, emis = (f.BackendFactory(slug=slug, name=slug.upper()) for slug in ("tpp", "emis"))
        for backend in (tpp, emis):
            f.BackendMembershipFactory(backend=backend, user=user)
        return cls(made, user, tpp, emis, f"/{org.slug}/{project.slug}/{made.name}/run-jobs/")

    @property
    def plan_url(self) -> str:
        return self.url.replace("/run-jobs/", "/run-jobs-plan/")

    @property
    def workspace_url(self) -> str:
        return self.url.removesuffix("run-jobs/")


@pytest.fixture
def asking(world_web: Browser) -> Asking:
    made = Asking.make(ASTHMA)
    signed_in(world_web, made.user)
    return made


@pytest.fixture(scope="module")
def odd_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSimulator]:
    with running(tmp_path_factory.mktemp("odd")) as world_running:
        yield world_running


@pytest.fixture(scope="module")
def odd_app(odd_world: RunningSimulator, postgres: str, engine: Engine) -> Any:
    settings = make_settings(
        postgres,
        github_url=odd_world.github_url,
        github_api_url=odd_world.github_api_url,
        jobserver_github_token="github",
        opencodelists_url=odd_world.opencodelists_url,
    )
    return make_app(settings, engine=engine)


@pytest.fixture
def odd(odd_world: RunningSimulator, odd_app: Any, db: Session) -> Iterator[Callable[..., Any]]:
    """Somebody before the form of a workspace on one of the odd branches."""

    def open_(branch: str) -> tuple[Browser, Asking]:
        asking = Asking.make(URL, branch)
        return signed_in(Browser(odd_app), asking.user), asking

    yield open_
    odd_world.control(reset=True)


def signed_in(browser: Browser, user: User) -> Browser:
    """A browser that has seen a page, and so has the token for sending forms."""
    browser.sign_in(user).get("/404", status=404)
    return browser


def sent(db: Session) -> list[JobRequest]:
    db.expire_all()
    return list(db.scalars(select(JobRequest).order_by(JobRequest.id)))


def tasks(db: Session) -> int:
    from sqlalchemy import text

    return int(db.scalar(text("SELECT count(*) FROM procrastinate_jobs")) or 0)


def ticked(page: TestResponse) -> list[str]:
    return [box["value"] for box in page.html.select("input[name=requested_actions][checked]")]


def fields(page: TestResponse, **more: Any) -> list[tuple[str, Any]]:
    """What a browser would send of the page's form, with changes."""
    kept = {name: page.html.select_one(f"input[name={name}]")["value"] for name in ("commit", "once")}
    given: list[tuple[str, Any]] = []
    for name, value in {**kept, **more}.items():
        given += [(name, each) for each in value] if isinstance(value, list) else [(name, value)]
    return given


# Who may


def test_anonymous_people_are_sent_to_sign_in_and_back(world_web: Browser, asking: Asking) -> None:
    world_web.reset()
    answer = world_web.get(asking.url + "?ref=main", status=303)
    assert "/login/?next=" in answer.location
    assert "run-jobs" in answer.location


def test_without_the_role_the_page_names_it(world_web: Browser, asking: Asking) -> None:
    world_web.sign_in(f.UserFactory())
    for url in (asking.url, asking.plan_url):
        answer = world_web.get(url, status=403)
        assert "Project Developer" in answer
    world_web.submit(asking.url, {"backend": "tpp"}, status=403)


def test_an_unknown_workspace_is_a_404(world_web: Browser, asking: Asking) -> None:
    """Access 8.46: not the way home without a word."""
    world_web.get(asking.url.replace(asking.workspace.name, "nowhere"), status=404)


def test_an_archived_workspace_leads_to_its_page(world_web: Browser, asking: Asking, db: Session) -> None:
    asking.workspace.is_archived = True
    db.commit()
    for answer in (
        world_web.get(asking.url, status=303),
        world_web.submit(asking.url, {"backend": "tpp", "requested_actions": "run_all"}, status=303),
    ):
        assert answer.location.removeprefix("http://localhost") == asking.workspace_url
    assert "is archived" in world_web.get("/404", status=404)
    assert sent(db) == []


def test_who_has_no_backend_is_told_whom_to_ask(
    world: Any, world_web: Browser, asking: Asking, db: Session
) -> None:
    someone = f.UserFactory()
    f.ProjectMembershipFactory(project=asking.workspace.project, user=someone, roles=[Role.PROJECT_DEVELOPER])
    world_web.sign_in(someone)
    world.control(clear=["requests"])
    for answer in (world_web.get(asking.url), world_web.submit(asking.url, {"backend": "tpp"})):
        assert "You have no backend to run jobs on" in answer
        assert "mailto:" in answer
        assert not answer.html.select("input[name=backend]")
    assert world.requests("github") == []


def test_inactive_backends_are_not_offered(world_web: Browser, asking: Asking, db: Session) -> None:
    asking.emis.is_active = False
    db.commit()
    page = world_web.get(asking.url)
    assert [each["value"] for each in page.html.select("input[name=backend]")] == ["tpp"]
    assert page.html.select("input[name=backend][checked]"), "the only one is chosen"
    asking.tpp.is_active = False
    db.commit()
    assert "None of your backends is in use" in world_web.get(asking.url)


def test_while_creating_is_switched_off_other_backends_are_offered(
    world_settings: Any, engine: Engine, world_web: Browser, asking: Asking
) -> None:
    from dataclasses import replace

    browser = Browser(make_app(replace(world_settings, disable_creating_jobs=True), engine=engine))
    browser.sign_in(asking.user)
    page = browser.get(asking.url)
    assert "switched off just now" in page
    assert "TPP" in page
    f.BackendMembershipFactory(backend=f.BackendFactory(slug="test", name="Test"), user=asking.user)
    page = browser.get(asking.url)
    assert [each["value"] for each in page.html.select("input[name=backend]")] == ["test"]
    answer = browser.submit(asking.url, fields(page, backend="tpp", requested_actions="table_one"))
    assert "cannot be chosen" in answer


# What it shows


def test_the_actions_are_offered_in_file_order_and_then_run_all(world_web: Browser, asking: Asking) -> None:
    page = world_web.get(asking.url)
    names = [box["value"] for box in page.html.select("input[name=requested_actions]")]
    assert names[:3] == ["generate_dataset", "generate_dataset_controls", "generate_measures"]
    assert names[-1] == "run_all"
    assert len(names) == 13
    assert ticked(page) == []
    assert "Match controls, model exacerbations, write the report" in page
    assert "Rosalind Hale" in page


def test_backends_are_offered_by_name_with_their_state(
    world_web: Browser, asking: Asking, db: Session
) -> None:
    """Pages 30.2, 32."""
    now = utcnow()
    asking.tpp.last_seen_at = now - timedelta(hours=2)
    asking.emis.last_seen_at = now
    asking.emis.is_in_maintenance_mode = True
    db.commit()
    f.JobFactory(job_request=f.JobRequestFactory(backend=asking.emis), status="running")
    page = world_web.get(asking.url)
    assert [each["value"] for each in page.html.select("input[name=backend]")] == ["emis", "tpp"]
    assert not page.html.select("input[name=backend][checked]"), "nobody is sent somewhere unasked"
    emis, tpp = (label.get_text(" ") for label in page.html.select("#backend label"))
    assert "Maintenance" in emis
    assert "1 running, 0 pending" in emis
    assert "No contact" in tpp
    assert "2 hours ago" in tpp
    asking.emis.is_paused = True
    db.commit()
    assert "Paused" in world_web.get(asking.url)


def test_states_are_those_of_the_chosen_backend(world_web: Browser, asking: Asking) -> None:
    on_tpp = f.JobRequestFactory(workspace=asking.workspace, backend=asking.tpp)
    on_emis = f.JobRequestFactory(workspace=asking.workspace, backend=asking.emis)
    f.JobFactory(job_request=on_tpp, action="table_one", status="failed", status_code="nonzero_exit")
    f.JobFactory(job_request=on_emis, action="table_one", status="succeeded")

    def state(page: TestResponse) -> str:
        return str(page.html.select_one("tr:has(#a-table_one)").get_text(" "))

    assert "Failed" in state(world_web.get(asking.url + "?backend=tpp"))
    assert "Succeeded" in state(world_web.get(asking.url + "?backend=emis"))
    assert "Succeeded" in state(world_web.get(asking.url)), "the one used last is chosen at first"
    assert "Failed" not in state(world_web.get(asking.url + "?backend=unknown"))


def test_the_last_success_says_how_long_an_action_takes(world_web: Browser, asking: Asking) -> None:
    now = utcnow()
    request = f.JobRequestFactory(workspace=asking.workspace, backend=asking.tpp)
    f.JobFactory(
        job_request=request,
        action="table_one",
        status="succeeded",
        created_at=now - timedelta(hours=3),
        started_at=now - timedelta(hours=3),
        completed_at=now - timedelta(hours=2, minutes=19),
    )
    f.JobFactory(job_request=request, action="table_one", status="running", started_at=now)
    row = world_web.get(asking.url + "?backend=tpp").html.select_one("tr:has(#a-table_one)").get_text(" ")
    assert "41 min" in row
    assert "Running" in row


def test_the_plan_says_what_runs_what_waits_and_what_is_reused(world_web: Browser, asking: Asking) -> None:
    request = f.JobRequestFactory(workspace=asking.workspace, backend=asking.tpp)
    for action, status in [("generate_dataset", "succeeded"), ("generate_dataset_controls", "running")]:
        f.JobFactory(job_request=request, action=action, status=status)
    page = world_web.get(asking.url + "?backend=tpp&requested_actions=table_one")
    plan = " ".join(page.html.select_one("#plan").get_text(" ").split())
    assert "2 actions run on TPP" in plan
    assert "table_one after match_controls" in plan
    assert f"1 action is under way already Under way generate_dataset_controls {request.id}" in plan
    assert f"1 result is used as it is Succeeded generate_dataset {request.id}" in plan
    forced = world_web.get(asking.url + "?backend=tpp&requested_actions=table_one&force_run_dependencies=on")
    assert "3 actions run" in " ".join(forced.html.select_one("#plan").get_text(" ").split())


def test_the_plan_says_how_long_it_took_last_along_the_longest_chain(odd: Callable[..., Any]) -> None:
    browser, asking = odd("main")
    now = utcnow()
    request = f.JobRequestFactory(workspace=asking.workspace, backend=asking.tpp)
    for action, minutes in [("extract", 30), ("table", 11), ("free", 35)]:
        f.JobFactory(
            job_request=request,
            action=action,
            status="succeeded",
            started_at=now - timedelta(minutes=minutes),
            completed_at=now,
        )
    page = browser.get(asking.url + "?backend=tpp&preset=all")
    assert "About 41 min" in page.html.select_one("#plan").get_text()
    f.JobFactory(job_request=request, action="free", status="failed", status_code="job_error")
    page = browser.get(asking.url + "?backend=tpp&requested_actions=free")
    assert "About 35 min" in page.html.select_one("#plan").get_text(), "by the last success"


def test_a_cancelled_job_is_shown_but_does_not_count(world_web: Browser, asking: Asking) -> None:
    """Rap 1.3 step 5."""
    request = f.JobRequestFactory(workspace=asking.workspace, backend=asking.tpp)
    f.JobFactory(job_request=request, action="generate_dataset", status="succeeded")
    f.JobFactory(
        job_request=request, action="generate_dataset", status="failed", status_code="cancelled_by_user"
    )
    page = world_web.get(asking.url + "?backend=tpp&requested_actions=describe_population")
    assert "Cancelled" in page.html.select_one("tr:has(#a-generate_dataset)").get_text()
    assert "1 result is used as it is" in page.html.select_one("#plan").get_text()


def test_presets_tick_groups_of_actions(world_web: Browser, asking: Asking) -> None:
    request = f.JobRequestFactory(workspace=asking.workspace, backend=asking.tpp)
    f.JobFactory(job_request=request, action="survival_model", status="failed", status_code="nonzero_exit")
    f.JobFactory(
        job_request=request, action="survival_plot", status="failed", status_code="dependency_failed"
    )
    page = world_web.get(asking.url + "?backend=tpp&force_run_dependencies=on&will_notify=True")
    link = page.html.find("a", string=lambda text: text and text.strip().startswith("Failed and blocked"))
    page = world_web.get(link["href"])
    assert ticked(page) == ["survival_model", "survival_plot"]
    assert page.html.select("#force_run_dependencies[checked]"), "other choices are kept"
    assert page.html.select("input[name=will_notify][value=True][checked]")
    assert len(ticked(world_web.get(asking.url + "?preset=all"))) == 12
    assert ticked(world_web.get(asking.url + "?preset=none&requested_actions=table_one")) == []
    assert ticked(world_web.get(asking.url + "?preset=rubbish&requested_actions=table_one")) == ["table_one"]


@pytest.mark.parametrize("should_notify", [True, False])
def test_mail_is_preset_from_the_workspace(
    world_web: Browser, asking: Asking, db: Session, should_notify: bool
) -> None:
    asking.workspace.should_notify = should_notify
    db.commit()
    page = world_web.get(asking.url)
    assert page.html.select_one("input[name=will_notify][checked]")["value"] == str(should_notify)


def test_a_commit_that_ran_last_is_pointed_out(world_web: Browser, asking: Asking) -> None:
    page = world_web.get(asking.url + "?backend=tpp")
    assert "has run on TPP before" not in page
    sha = page.html.select_one("input[name=commit]")["value"]
    f.JobRequestFactory(workspace=asking.workspace, backend=asking.tpp, sha=sha)
    assert "has run on TPP before" in world_web.get(asking.url + "?backend=tpp")
    assert "has run on EMIS before" not in world_web.get(asking.url + "?backend=emis")


def test_another_commit_can_be_asked_for_in_both_ways(odd: Callable[..., Any]) -> None:
    browser, asking = odd("feature/with/slashes")
    by_path = browser.get(asking.url + "feature/with/slashes/")
    by_query = browser.get(asking.url + "?ref=feature/with/slashes")
    commit = by_path.html.select_one("input[name=commit]")["value"]
    assert commit == by_query.html.select_one("input[name=commit]")["value"]
    assert "ref=feature" in by_path.html.select_one("form[method=post].cols")["action"]
    assert "Study of feature/with/slashes &lt;b&gt;" in by_path


def test_the_plan_alone_is_sent_when_the_form_changes(world: Any, world_web: Browser, asking: Asking) -> None:
    commit = world_web.get(asking.url).html.select_one("input[name=commit]")["value"]
    world.control(clear=["requests"])
    query = f"?commit={commit}&backend=tpp&requested_actions=generate_dataset"
    answer = world_web.get(asking.plan_url + query)
    assert answer.html.select_one("#plan")
    assert "1 action runs" in answer.html.get_text()
    assert answer.html.select_one("#requested_actions"), "the states are those of another backend now"
    answer = world_web.get(asking.plan_url + query + "&shown=tpp")
    assert not answer.html.select_one("#requested_actions")
    assert world.requests("github") == [], "the study was read a moment ago"


def test_the_plan_says_when_it_cannot_be_made(world: Any, world_web: Browser, asking: Asking) -> None:
    world.control(fault={"service": "github", "kind": "status", "status": 500})
    answer = world_web.get(asking.plan_url + "?backend=tpp")
    assert "The plan could not be made" in answer
    assert "There is no" not in answer
    assert "could not be made" in world_web.get(asking.plan_url + "?commit=rubbish%00")


# Sending


def test_sending_records_the_request_and_leads_to_it(
    world: Any, world_web: Browser, asking: Asking, db: Session
) -> None:
    page = world_web.get(asking.url)
    answer = world_web.submit(
        asking.url,
        fields(
            page,
            backend="tpp",
            requested_actions=["table_one", "generate_dataset", "table_one"],
            force_run_dependencies="y",
            will_notify="True",
        ),
        status=303,
    )
    (request,) = sent(db)
    assert answer.location.endswith(f"/{asking.workspace.name}/{request.id}/")
    assert request.requested_actions == ["table_one", "generate_dataset"]
    assert (request.backend_id, request.workspace_id) == (asking.tpp.id, asking.workspace.id)
    assert request.created_by_id == asking.user.id
    assert request.sha == page.html.select_one("input[name=commit]")["value"]
    assert request.identifier == page.html.select_one("input[name=once]")["value"]
    assert request.commit_message.startswith("Match controls")
    assert request.branch == "main"
    assert (request.force_run_dependencies, request.will_notify, request.codelists_ok) == (True, True, True)
    assert request.status == "unknown"
    stored = db.scalar(select(JobRequest.project_definition))
    assert stored is not None
    assert "generate_dataset_controls" in stored
    assert tasks(db) == 1, "a background task hands it to the controller"
    assert world.requests("rap") == [], "and nobody waits for the controller here"
    event = select(func.count(AuditableEvent.id)).where(AuditableEvent.type == AuditType.JOB_REQUEST_CREATED)
    assert db.scalar(event) == 1
    assert "Asked TPP to run table_one and generate_dataset." in world_web.get("/404", status=404)


@pytest.mark.parametrize(
    ("given", "wants"),
    [
        ({}, False),
        ({"will_notify": "False"}, False),
        ({"will_notify": "0"}, False),
        ({"will_notify": "True"}, True),
    ],
)
def test_without_an_answer_about_mail_none_is_sent(
    world_web: Browser, asking: Asking, db: Session, given: dict[str, str], wants: bool
) -> None:
    asking.workspace.should_notify = True
    db.commit()
    world_web.submit(asking.url, {"backend": "tpp", "requested_actions": "run_all", **given}, status=303)
    (request,) = sent(db)
    assert request.will_notify is wants
    assert request.force_run_dependencies is False


def test_a_form_that_is_sent_twice_makes_one_request(world_web: Browser, asking: Asking, db: Session) -> None:
    page = world_web.get(asking.url)
    form = fields(page, backend="tpp", requested_actions="table_one")
    first = world_web.submit(asking.url, form, status=303)
    second = world_web.submit(asking.url, form, status=303)
    assert first.location == second.location
    assert len(sent(db)) == 1
    assert tasks(db) == 1


def test_two_forms_sent_at_the_same_time_make_one_request(
    world_app: Any, world_web: Browser, asking: Asking, db: Session
) -> None:
    from concurrent.futures import ThreadPoolExecutor

    page = world_web.get(asking.url)
    form = fields(page, backend="tpp", requested_actions="table_one")
    cookies = dict(world_web.cookies)

    def send(_number: int) -> Any:
        browser = Browser(world_app)
        for name, value in cookies.items():
            browser.set_cookie(name, value.strip('"'))
        return browser.submit(asking.url, form, status=303).location

    with ThreadPoolExecutor(4) as pool:
        locations = set(pool.map(send, range(4)))
    assert len(locations) == 1
    assert len(sent(db)) == 1


@pytest.mark.parametrize("once", ["", "short", "x\0", "A" * 16, "é" * 16])
def test_a_form_with_an_unusable_identifier_gets_a_new_one(
    world_web: Browser, asking: Asking, db: Session, once: str
) -> None:
    world_web.submit(
        asking.url, {"backend": "tpp", "requested_actions": "table_one", "once": once}, status=303
    )
    (request,) = sent(db)
    assert request.identifier != once


def test_an_identifier_of_somebody_elses_request_is_not_used(
    world_web: Browser, asking: Asking, db: Session
) -> None:
    theirs = f.JobRequestFactory()
    world_web.submit(
        asking.url,
        {"backend": "tpp", "requested_actions": "table_one", "once": theirs.identifier},
        status=303,
    )
    mine = sent(db)[-1]
    assert mine.id != theirs.id
    assert mine.identifier != theirs.identifier


def test_the_commit_that_the_page_showed_is_the_one_that_runs(
    world_web: Browser, asking: Asking, db: Session
) -> None:
    """Also when the branch has moved on meanwhile."""
    head = world_web.get(asking.url).html.select_one("input[name=commit]")["value"]
    asthma = [("backend", "tpp"), ("requested_actions", "run_all")]
    older = "0" * 39 + "1"
    page = world_web.submit(asking.url, [*asthma, ("commit", older)])
    assert "There is no such commit" in page
    page = world_web.submit(asking.url, [*asthma, ("commit", head[:9])])
    assert "There is no such commit" in page, "only a full hash is certain"
    page = world_web.submit(asking.url, [*asthma, ("commit", "main")])
    assert "There is no such commit" in page
    assert sent(db) == []
    world_web.submit(asking.url, [*asthma, ("commit", head)], status=303)
    assert sent(db)[0].sha == head


def test_a_commit_of_another_branch_is_refused(odd: Callable[..., Any], db: Session) -> None:
    browser, asking = odd("feature/with/slashes")
    commit = browser.get(asking.url).html.select_one("input[name=commit]")["value"]
    asking.workspace.branch = "main"
    db.commit()
    page = browser.submit(asking.url, {"backend": "tpp", "requested_actions": "free", "commit": commit})
    assert "not on this workspace’s branch" in page
    assert sent(db) == []


def test_a_form_for_another_ref_runs_the_commit_of_that_ref(odd: Callable[..., Any], db: Session) -> None:
    browser, asking = odd("main")
    browser.submit(asking.url + "v1/", {"backend": "tpp", "requested_actions": "free"}, status=303)
    (request,) = sent(db)
    assert len(request.sha) == 40, "never the ref as it was typed"


# What it refuses


def refused(page: TestResponse) -> str:
    assert page.status_code == 200
    assert page.html.title.get_text().startswith("Error: ")
    return str(page.html.select_one(".error-summary").get_text(" "))


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({}, "Choose where it should run."),
        ({"backend": "tpp"}, "Choose at least one action."),
        ({"backend": "nowhere", "requested_actions": "table_one"}, "“nowhere” cannot be chosen."),
        ({"backend": "\0", "requested_actions": "table_one"}, "cannot be chosen"),
        ({"backend": "tpp", "requested_actions": "no_such"}, "no_such is not an action"),
        ({"backend": "tpp", "requested_actions": ""}, "is not an action"),
        ({"backend": "tpp", "requested_actions": "<b>\0" + "x" * 9000}, "is not an action"),
        (
            {"backend": "tpp", "requested_actions": ["a", "b", "c", "d", "e", "f", "g"]},
            "and 2 more are no actions",
        ),
    ],
)
def test_a_form_that_asks_for_what_is_not_offered_is_shown_again(
    world_web: Browser, asking: Asking, db: Session, form: dict[str, Any], message: str
) -> None:
    page = world_web.submit(asking.url, fields(world_web.get(asking.url), **form))
    assert message in refused(page)
    assert "<b>\0" not in page
    assert len(page.text) < 80_000
    assert sent(db) == []


def test_somebody_elses_or_an_inactive_backend_cannot_be_chosen(
    world_web: Browser, asking: Asking, db: Session
) -> None:
    hidden = f.BackendFactory(slug="hidden")
    asking.emis.is_active = False
    db.commit()
    for slug in (hidden.slug, "emis"):
        page = world_web.submit(asking.url, {"backend": slug, "requested_actions": "table_one"})
        assert "cannot be chosen" in refused(page)
        assert hidden.name not in page
    assert sent(db) == []


def test_everything_is_kept_when_the_form_is_shown_again(world_web: Browser, asking: Asking) -> None:
    """Pages 30.2, 22."""
    before = world_web.get(asking.url)
    page = world_web.submit(
        asking.url,
        fields(
            before,
            requested_actions=["table_one", "run_all"],
            force_run_dependencies="on",
            will_notify="True",
        ),
    )
    assert "Choose where" in refused(page)
    assert ticked(page) == ["table_one", "run_all"]
    assert page.html.select("#force_run_dependencies[checked]")
    assert page.html.select("input[name=will_notify][value=True][checked]")
    for name in ("commit", "once"):
        assert (
            page.html.select_one(f"input[name={name}]")["value"]
            == before.html.select_one(f"input[name={name}]")["value"]
        )


def test_without_script_a_button_updates_the_plan_and_runs_nothing(
    world_web: Browser, asking: Asking, db: Session
) -> None:
    page = world_web.submit(
        asking.url, fields(world_web.get(asking.url), backend="emis", requested_actions="table_one", look="1")
    )
    assert not page.html.select(".error-summary")
    assert "on EMIS" in page.html.select_one("#plan").get_text()
    assert ticked(page) == ["table_one"]
    assert sent(db) == []


@leaves_files
@pytest.mark.usefixtures("swept")
def test_a_file_where_a_text_is_meant_counts_for_nothing(
    world_web: Browser, asking: Asking, db: Session
) -> None:
    for name in ("backend", "requested_actions", "commit", "once", "will_notify"):
        refused(world_web.submit(asking.url, [(name, Upload("a.txt", b"\xff\x00"))]))
    assert sent(db) == []


@leaves_files
@pytest.mark.usefixtures("swept")
def test_rubbish_is_never_a_500(world_web: Browser, asking: Asking, db: Session) -> None:
    world_web.submit(asking.url, [("backend", "tpp"), ("backend", "emis")], status=400)
    many = [("requested_actions", f"a{n}") for n in range(5000)]
    world_web.submit(asking.url, many, status=413)
    page = world_web.submit(asking.url, [("backend", "tpp"), *many[:3000]])
    assert "and 2,995 more" in refused(page)
    for query in (
        "ref=%00",
        "ref=" + "x" * 3000,
        "backend=%00",
        "requested_actions=%F0%9F%98%80",
        "commit=%00",
    ):
        world_web.get(asking.url + "?" + query, status=200)
        world_web.get(asking.plan_url + "?" + query, status=200)
    world_web.get(asking.url + "?ref=%ff", status=400)
    assert sent(db) == []


# Codelists


def test_current_codelists_are_told_to_the_controller(odd: Callable[..., Any], db: Session) -> None:
    browser, asking = odd("lists-current")
    page = browser.get(asking.url)
    assert not page.html.select("#codelists")
    browser.submit(asking.url, fields(page, backend="tpp", requested_actions="extract"), status=303)
    assert sent(db)[0].codelists_ok is True


@pytest.mark.parametrize("requested", ["extract", "table", "run_all"])
def test_stale_codelists_refuse_what_reads_the_database_however_it_is_reached(
    odd: Callable[..., Any], db: Session, requested: str
) -> None:
    """Rap 11: run_all and dependencies are looked at too."""
    browser, asking = odd("lists-stale")
    page = browser.get(asking.url)
    assert "opensafely codelists update" in page.html.select_one("#codelists").get_text()
    page = browser.submit(asking.url, fields(page, backend="tpp", requested_actions=requested))
    message = refused(page)
    assert "extract reads the database" in message
    assert "opensafely codelists update" in message
    assert ticked(page) == [requested]
    assert sent(db) == []
    again = next(link["href"] for link in page.html.select("#codelists a") if "Check again" in link.text)
    assert ticked(browser.get(again)) == [requested], "nothing has to be ticked again"
    assert "codelists" not in browser.get("/404", status=404).html.get_text(), "no message on the next page"


def test_with_stale_codelists_other_actions_run(odd: Callable[..., Any], db: Session) -> None:
    browser, asking = odd("lists-stale")
    browser.submit(asking.url, {"backend": "tpp", "requested_actions": "free"}, status=303)
    assert sent(db)[0].codelists_ok is False
    done = f.JobRequestFactory(workspace=asking.workspace, backend=asking.emis)
    f.JobFactory(job_request=done, action="extract", status="succeeded")
    form = {"backend": "emis", "requested_actions": "table"}
    browser.submit(asking.url, form, status=303)
    page = browser.submit(asking.url, {**form, "backend": "tpp"})
    assert "extract" in refused(page), "it has not succeeded there"


def test_without_opencodelists_what_reads_the_database_waits_and_the_rest_runs(
    odd_world: RunningSimulator, odd: Callable[..., Any], db: Session
) -> None:
    odd_world.control(fault={"service": "opencodelists", "kind": "status", "status": 503})
    browser, asking = odd("lists-current")
    page = browser.get(asking.url)
    assert "OpenCodelists could not be reached" in page.html.select_one("#codelists").get_text()
    page = browser.submit(asking.url, fields(page, backend="tpp", requested_actions="table"))
    assert "OpenCodelists did not say" in refused(page)
    assert sent(db) == []
    browser.submit(asking.url, {"backend": "tpp", "requested_actions": "free"}, status=303)
    assert sent(db)[0].codelists_ok is False


# When the study cannot be read


@pytest.mark.parametrize(
    ("branch", "title", "advice"),
    [
        ("gone", "The branch is gone", "create a new workspace"),
        ("empty", "There is no project.yaml", "at the top of"),
        ("faulty", "Your project.yaml has", "Mend them, commit and push"),
        ("not-yaml", "Your project.yaml has 1 fault", "A tab is used for indentation"),
        ("latin-1", "cannot be read", "UTF-8"),
        ("huge", "cannot be read", "larger than 1 MB"),
        ("cohort", "uses an image that may not run", "cohortextractor is no longer supported"),
        ("sqlrunner", "uses an image that may not run", "may not use sqlrunner"),
        ("lists-missing", "Files of the codelists are missing", "opensafely codelists update"),
    ],
)
def test_each_fault_of_a_study_is_explained_and_nothing_can_be_sent(
    odd: Callable[..., Any], db: Session, branch: str, title: str, advice: str
) -> None:
    browser, asking = odd(branch)
    for page in (
        browser.get(asking.url),
        browser.submit(asking.url, {"backend": "tpp", "requested_actions": "free"}),
    ):
        assert title in page.html.select_one("#trouble h2").get_text()
        assert advice in page.html.select_one("main").get_text()
        assert not page.html.select("input[type=checkbox]"), "no form without actions"
        assert "Try again" in page
    assert sent(db) == []


def test_faults_are_listed_with_line_and_action_and_escaped(odd: Callable[..., Any]) -> None:
    browser, asking = odd("faulty")
    page = browser.get(asking.url)
    rows = [row.get_text("|") for row in page.html.select("main tbody tr")]
    assert len(rows) >= 3
    assert any("table" in row and "public" in row for row in rows)
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "project.yaml#L" in page


def test_a_repository_that_is_not_there_is_not_a_missing_branch(odd: Callable[..., Any], db: Session) -> None:
    browser, asking = odd("main")
    asking.workspace.repo.url = "https://github.com/demo-university/elsewhere"
    db.commit()
    page = browser.get(asking.url)
    assert "GitHub does not show us the repository" in page
    assert "private" in page


@pytest.mark.parametrize(
    ("fault", "title"),
    [
        ({"kind": "status", "status": 500}, "GitHub could not be reached"),
        ({"kind": "refuse"}, "GitHub could not be reached"),
        ({"kind": "html"}, "GitHub could not be reached"),
        ({"kind": "truncated"}, "GitHub could not be reached"),
        ({"kind": "rate_limit"}, "GitHub takes no more requests from us for now"),
        ({"kind": "status", "status": 401}, "GitHub does not accept our token"),
        ({"kind": "status", "status": 403}, "GitHub does not accept our token"),
    ],
)
def test_a_fault_of_github_keeps_what_was_chosen_for_another_try(
    odd_world: RunningSimulator,
    odd: Callable[..., Any],
    db: Session,
    fault: dict[str, Any],
    title: str,
) -> None:
    browser, asking = odd("main")
    form = fields(browser.get(asking.url), backend="tpp", requested_actions=["table", "free"])
    odd_world.control(fault={"service": "github", **fault})
    assert title in browser.get(asking.url).html.select_one("#trouble").get_text()
    page = browser.submit(asking.url, form)
    assert title in page.html.select_one("#trouble").get_text()
    assert "Nothing was sent" in page
    assert sent(db) == []
    odd_world.control(reset=True)
    again = page.html.select_one("main form[method=post]")
    kept = [(each["name"], each["value"]) for each in again.select("input[type=hidden]")]
    browser.post(again["action"], kept, status=303)
    assert sent(db)[0].requested_actions == ["table", "free"]


def test_a_rate_limit_says_until_when(odd_world: RunningSimulator, odd: Callable[..., Any]) -> None:
    odd_world.control(fault={"service": "github", "kind": "rate_limit"})
    browser, asking = odd("main")
    assert browser.get(asking.url).html.select("#trouble time")


def test_a_slow_github_is_given_up_on(
    odd_world: RunningSimulator, odd_app: Any, odd: Callable[..., Any]
) -> None:
    from jobserver.studies import StudyReader

    browser, asking = odd("main")
    browser.get(asking.url)
    reader = odd_app.registry["study_reader"]
    clients = odd_app.registry["clients"]
    odd_app.registry["study_reader"] = StudyReader(clients.github, clients.opencodelists, limit=0.4)
    odd_world.control(fault={"service": "github", "kind": "slow", "seconds": 1})
    try:
        assert "GitHub did not answer in time" in browser.get(asking.url)
    finally:
        odd_app.registry["study_reader"] = reader


def test_leave_to_use_sqlrunner_is_the_projects(odd: Callable[..., Any], db: Session) -> None:
    browser, asking = odd("sqlrunner")
    db.add(
        DataPermission(
            project_id=asking.workspace.project_id,
            kind=PermissionKind.TOOL,
            name="sqlrunner",
            reason="Agreed",
            granted_by_id=asking.user.id,
        )
    )
    db.commit()
    assert browser.get(asking.url).html.select("#a-free")
    permission = db.scalars(select(DataPermission)).one()
    permission.revoked_at, permission.revoked_by_id = utcnow(), asking.user.id
    db.commit()
    assert "may not use sqlrunner" in browser.get(asking.url)


# Cost


def test_no_transaction_is_open_while_others_are_asked(
    odd_world: RunningSimulator, odd: Callable[..., Any], engine: Engine, db: Session
) -> None:
    from threading import Thread
    from time import sleep

    from sqlalchemy import text

    browser, asking = odd("main")
    db.commit()
    odd_world.control(fault={"service": "github", "kind": "slow", "seconds": 0.6, "count": 1})
    asked = Thread(target=browser.get, args=(asking.url,))
    asked.start()
    sleep(0.35)
    with engine.connect() as connection:
        waiting = connection.scalar(
            text(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                "AND state LIKE 'idle in transaction%'"
            )
        )
    asked.join()
    assert waiting == 0


def test_the_number_of_statements_does_not_grow_with_the_study(
    odd: Callable[..., Any], count_statements: Callable[..., Any]
) -> None:
    browser, asking = odd("main")
    numbers = []
    for branch in ("main", "many"):
        asking.workspace.branch = branch
        request = f.JobRequestFactory(workspace=asking.workspace, backend=asking.tpp)
        for number in range(20):
            f.JobFactory(job_request=request, action=f"a{number}", status="succeeded")
        browser.get(asking.url + "?backend=tpp")
        with count_statements() as statements:
            browser.get(asking.url + "?backend=tpp&preset=all")
        assert statements.writes == []
        numbers.append(len(statements))
    assert numbers[0] == numbers[1]
    assert numbers[0] <= 12


def test_identifiers_made_for_forms_are_those_that_the_form_accepts() -> None:
    from jobserver.forms.run_jobs import RunJobsForm

    for _ in range(50):
        identifier = tokens.new_identifier()
        assert RunJobsForm(data={"once": identifier}).identifier == identifier
