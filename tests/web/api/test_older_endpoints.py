"""Addresses that older programs still ask (spec: rap 10, access 4.7, 8.3.23 and 24)."""

import functools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from jobserver.models import Backend, Job, JobRequest, User, utcnow
from tests import factories as f
from tests.web import running
from tests.web.conftest import Browser
from tests.web.uploads import leaves_files

pytestmark = [leaves_files, pytest.mark.usefixtures("swept")]
JOBS = "/api/v2/jobs/"
JOB_REQUESTS = "/api/v2/job-requests/"


class Controller:
    """A backend's older controller."""

    def __init__(self, web: Browser, backend: Backend, token: str) -> None:
        self.web = web
        self.backend = backend
        self.headers = {"Authorization": token}

    def report(self, *jobs: Any, status: int = 200) -> Any:
        answer = self.web.post_json(JOBS, list(jobs), headers=self.headers, status=status)
        return answer.json

    def get(self, address: str, **options: Any) -> Any:
        return self.web.get(address, headers=self.headers, **options)


@pytest.fixture
def tpp(web: Browser, db: Session) -> Controller:
    return Controller(web, *f.backend_with_token(slug="tpp"))


def settled(backend: Backend, **values: Any) -> JobRequest:
    """A request that may still run."""
    given = {"backend": backend, "status": "pending", "settled_at": utcnow(), **values}
    made: JobRequest = f.JobRequestFactory(**given)
    return made


def report(request: JobRequest, named: str, status: str = "running", /, **values: Any) -> dict[str, Any]:
    """What an older controller says of a job."""
    times = {
        "created_at": "2026-01-05T09:30:00Z",
        "updated_at": "2026-01-05T09:31:00.5+00:00",
        "started_at": "2026-01-05T10:30:40+01:00",
        "completed_at": None,
    }
    if status in {"succeeded", "failed"}:
        times["completed_at"] = "2026-01-05T09:40:00Z"
    return {
        "job_request_id": request.identifier,
        "identifier": named,
        "action": "table",
        "status": status,
        "status_code": "executing",
        "status_message": "Running",
        "run_command": "r:v2 analysis/table.R",
        **times,
        **values,
    }


def stored(db: Session) -> dict[str, Job]:
    db.rollback()
    db.expire_all()
    return {job.identifier: job for job in db.scalars(select(Job))}


def mails(db: Session) -> list[str]:
    db.rollback()
    names = "SELECT task_name FROM procrastinate_jobs WHERE task_name LIKE 'mail%' ORDER BY id"
    return list(db.scalars(text(names)))


# POST /api/v2/jobs/


def test_jobs_are_stored_with_the_status_of_their_request(db: Session, tpp: Controller) -> None:
    request = settled(tpp.backend)
    extras = {"trace_context": {"traceparent": "00-1"}, "metrics": {"cpu_mean": 97.1}, "unknown": "key"}
    assert tpp.report(report(request, " abc ", **extras)) == {"status": "success"}
    job = stored(db)["abc"]
    assert (job.action, job.status, job.status_code, job.status_message) == (
        "table",
        "running",
        "executing",
        "Running",
    )
    assert job.run_command == "r:v2 analysis/table.R"
    assert job.created_at == datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
    assert job.updated_at == datetime(2026, 1, 5, 9, 31, 0, 500_000, tzinfo=UTC)
    assert job.started_at == datetime(2026, 1, 5, 9, 30, 40, tzinfo=UTC)
    assert (job.trace_context, job.metrics) == ({"traceparent": "00-1"}, {"cpu_mean": 97.1})
    db.refresh(request)
    assert (request.status, request.jobs_running) == ("running", 1)


def test_a_job_that_is_not_named_is_marked_as_missing_and_never_deleted(db: Session, tpp: Controller) -> None:
    request = settled(tpp.backend)
    tpp.report(report(request, "one"), report(request, "two"))
    tpp.report(report(request, "two", "succeeded"))
    found = stored(db)
    assert found["one"].missing_since is not None
    assert (found["two"].status, found["two"].missing_since) == ("succeeded", None)
    tpp.report(report(request, "one", "succeeded"), report(request, "two", "succeeded"))
    assert stored(db)["one"].missing_since is None
    db.refresh(request)
    assert request.status == "succeeded"


def test_the_requester_is_told_as_by_the_status_service(db: Session, tpp: Controller) -> None:
    request = settled(tpp.backend, will_notify=True)
    tpp.report(report(request, "one"), report(request, "two", "failed"))
    assert mails(db) == ["mail_first_failure"]
    tpp.report(report(request, "one", "succeeded"), report(request, "two", "failed"))
    assert mails(db) == ["mail_first_failure", "mail_request_ended"]
    tpp.report(report(request, "one", "succeeded"), report(request, "two", "failed"))
    assert len(mails(db)) == 2, "once"


def test_a_stale_report_does_not_bring_a_job_back(db: Session, tpp: Controller) -> None:
    request = settled(tpp.backend)
    tpp.report(report(request, "one", "succeeded"))
    tpp.report(report(request, "one", "running"))
    assert stored(db)["one"].status == "succeeded"


def test_jobs_of_other_backends_and_of_unknown_requests_are_left_alone(db: Session, tpp: Controller) -> None:
    mine, theirs = settled(tpp.backend), settled(f.BackendFactory())
    other = f.JobFactory(job_request=theirs, identifier="theirs", status="running")
    before = {name: getattr(other, name) for name in ("status", "action", "missing_since", "job_request_id")}
    unknown = f.JobRequestFactory.build(identifier="aaaaaaaaaaaaaaaa")
    answer = tpp.report(
        report(theirs, "theirs", "failed"),
        report(theirs, "new", "failed"),
        report(unknown, "unknown"),
        report(mine, "mine"),
    )
    assert answer == {"status": "success"}
    found = stored(db)
    assert set(found) == {"theirs", "mine"}
    assert {name: getattr(found["theirs"], name) for name in before} == before
    db.refresh(theirs)
    assert theirs.status == "pending"


def test_a_job_of_another_request_cannot_be_taken_over_and_spoils_no_other(
    db: Session, tpp: Controller
) -> None:
    mine, fine = settled(tpp.backend), settled(tpp.backend)
    theirs = settled(f.BackendFactory())
    f.JobFactory(job_request=theirs, identifier="theirs", status="running")
    tpp.report(report(mine, "theirs", "failed"), report(mine, "mine"), report(fine, "fine"))
    found = stored(db)
    assert set(found) == {"theirs", "fine"}
    assert (found["theirs"].job_request_id, found["theirs"].status) == (theirs.id, "running")


def test_of_a_job_that_comes_twice_the_last_report_counts(db: Session, tpp: Controller) -> None:
    request = settled(tpp.backend)
    tpp.report(report(request, "one", "pending"), report(request, "one", "running"))
    assert stored(db)["one"].status == "running"


def test_blank_and_null_texts_are_taken_where_they_may_be(db: Session, tpp: Controller) -> None:
    request = settled(tpp.backend)
    tpp.report(report(request, "one"))
    nothing = {"action": "", "status_code": "", "status_message": " ", "run_command": None}
    tpp.report(report(request, "one", updated_at=None, started_at=None, metrics=None, **nothing))
    job = stored(db)["one"]
    assert (job.action, job.status_code, job.status_message, job.run_command) == ("table", "", "", "")
    assert (job.updated_at, job.started_at, job.metrics) == (None, None, None)


def test_an_empty_list_is_taken(tpp: Controller) -> None:
    assert tpp.report() == {"status": "success"}


@pytest.mark.parametrize("body", [{}, "jobs", 1, None, True])
def test_a_body_that_is_no_list_is_refused(web: Browser, tpp: Controller, body: Any) -> None:
    answer = web.post_json(JOBS, body, headers=tpp.headers, status=400)
    assert list(answer.json) == ["non_field_errors"]


TEXT, BLANK, NULL = "Not a valid string.", "This field may not be blank.", "This field may not be null."
TIME = "Datetime has wrong format. Use YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z]."
_NAME = [(None, NULL), ("", BLANK), (" ", BLANK), (True, TEXT), ([], TEXT), ({}, TEXT)]
_WORDS = [(None, NULL), (False, TEXT), (["a"], TEXT), ({"a": 1}, TEXT)]
_MOMENT = [("", TIME), ("yesterday", TIME), (1, TIME), (True, TIME), ([], TIME)]
WRONG = {
    **dict.fromkeys(("job_request_id", "identifier", "status"), _NAME),
    **dict.fromkeys(("action", "status_code", "status_message"), _WORDS),
    "run_command": _WORDS[1:],
    "created_at": [(None, NULL), *_MOMENT],
    **dict.fromkeys(("updated_at", "started_at", "completed_at"), _MOMENT),
}


def test_each_wrong_field_is_told_by_the_position_of_its_job(db: Session, tpp: Controller) -> None:
    request = settled(tpp.backend)
    fine = report(request, "fine")
    for field, faults in WRONG.items():
        for value, words in faults:
            answer = tpp.report(fine, report(request, "one", **{field: value}), status=400)
            assert answer == {"1": {field: [words]}}, (field, value)
        without = {key: value for key, value in report(request, "one").items() if key != field}
        assert tpp.report(without, fine, status=400) == {"0": {field: ["This field is required."]}}
    for field in ("trace_context", "metrics"):
        assert list(tpp.report(report(request, "one", **{field: {"a": ["\0"]}}), status=400)["0"]) == [field]
        deep = functools.reduce(lambda inner, _: [inner], range(200), 1)
        told = tpp.report(report(request, "one", **{field: deep}), status=400)
        assert told == {"detail": "JSON parse error - nested too deeply"}
    assert stored(db) == {}, "nothing of a report with a fault is stored"


def test_several_wrong_jobs_are_told_at_once(tpp: Controller) -> None:
    answer = tpp.report(None, "job", {"identifier": "x" * 5}, status=400)
    assert answer["0"] == [NULL]
    assert list(answer["1"]) == ["non_field_errors"]
    assert "identifier" not in answer["2"]
    assert answer["2"]["job_request_id"] == ["This field is required."]
    assert list(tpp.report(*[None] * 5000, status=400)) == [str(place) for place in range(100)]


def test_odd_but_well_formed_reports_are_never_a_500(db: Session, tpp: Controller) -> None:
    request = settled(tpp.backend)
    for odd in (
        {"identifier": "x" * 10_000},
        {"job_request_id": "x" * 10_000},
        {"action": "x" * 10_000},
        {"action": ""},
        {"status": "x" * 10_000, "status_code": "x" * 10_000, "status_message": "x" * 100_000},
        {"created_at": "1900-01-01T00:00:00Z"},
        {"completed_at": "2199-12-31T23:59:59Z"},
        {"metrics": ["a list"], "trace_context": 5},
        {"metrics": {"large": "x" * 100_000}},
        {"identifier": 7, "action": 1.5},
        {"identifier": "<script>'\"%_\\"},
    ):
        assert tpp.report(report(request, "odd", **odd)) == {"status": "success"}
    assert tpp.report(report(request, "fine", "succeeded")) == {"status": "success"}
    assert stored(db)["fine"].status == "succeeded"


def test_any_number_of_jobs_takes_the_same_statements(
    db: Session, tpp: Controller, count_statements: Callable[[], Any]
) -> None:
    sent = []
    for number in (2, 20):
        requests = [settled(tpp.backend) for _ in range(number)]
        reports = [report(each, f"{each.id}-{job}") for each in requests for job in range(3)]
        with count_statements() as statements:
            tpp.report(*reports)
        sent.append(len(statements))
    assert sent[0] == sent[1] <= 12


@pytest.mark.parametrize("address", [JOBS, "/api/v2/users/somebody/"])
def test_only_a_backend_may_and_its_token_is_looked_at_first(web: Browser, db: Session, address: str) -> None:
    _, inactive = f.backend_with_token(is_active=False)
    person = f.UserFactory(username="somebody", roles=["OutputChecker", "StaffAreaAdministrator"])
    for headers, detail in [
        ({}, "Authorization header is missing"),
        ({"Authorization": ""}, "Authorization header is empty"),
        ({"Authorization": inactive}, "Invalid token"),
        ({"Authorization": f"Bearer {inactive}"}, "Invalid token"),
    ]:
        for method in ("GET", "POST", "PUT"):
            answer = web.request(address, method=method, headers=headers, status=403)
            assert answer.json == {"detail": detail}
        web.sign_in(person)
        assert web.get(address, headers=headers, status=403).json == {"detail": detail}
        web.reset()


def test_other_methods_are_405_and_a_missing_slash_is_led_right(web: Browser, tpp: Controller) -> None:
    answer = tpp.get(JOBS, status=405)
    assert answer.json == {"detail": 'Method "GET" not allowed.'}
    assert answer.headers["Allow"] == "OPTIONS, POST"
    for address in (JOB_REQUESTS, "/api/v2/users/somebody/"):
        refused = web.post(address, headers=tpp.headers, status=405)
        assert refused.headers["Allow"] == "GET, HEAD, OPTIONS"
        led = tpp.get(address[:-1] + "?limit=1", status=301)
        assert urlsplit(led.headers["Location"]).path == address
    web.post(JOBS[:-1], headers=tpp.headers, status=308)


def test_a_session_beside_a_backends_token_does_no_harm(web: Browser, db: Session, tpp: Controller) -> None:
    web.sign_in(f.UserFactory())
    assert tpp.report() == {"status": "success"}, "no forgery token is asked for"


# GET /api/v2/job-requests/


def test_a_request_is_told_whole(web: Browser, db: Session, tpp: Controller) -> None:
    lead, zeta, alpha = f.OrgFactory(slug="lead"), f.OrgFactory(name="Zeta"), f.OrgFactory(name="alpha")
    project = f.ProjectFactory(org=lead, other_orgs=[zeta, alpha], slug="the-project")
    workspace = f.WorkspaceFactory(
        project=project,
        name="study-a",
        branch="study-branch",
        created_at=datetime(2025, 2, 3, 4, 5, 6, tzinfo=UTC),
    )
    request = settled(
        tpp.backend,
        workspace=workspace,
        branch="another",
        created_at=utcnow().replace(microsecond=0),
        requested_actions=["one", "two"],
        cancelled_actions=["two"],
        force_run_dependencies=True,
        codelists_ok=False,
    )
    answer = tpp.get(JOB_REQUESTS).json
    assert (answer["count"], answer["next"], answer["previous"]) == (1, None, None)
    (found,) = answer["results"]
    assert list(found.items()) == [
        ("backend", "tpp"),
        ("sha", request.sha),
        ("identifier", request.identifier),
        ("force_run_dependencies", True),
        ("requested_actions", ["one", "two"]),
        ("cancelled_actions", ["two"]),
        ("created_by", request.created_by.username),
        ("created_at", f"{request.created_at:%Y-%m-%dT%H:%M:%S}.000000Z"),
        (
            "workspace",
            {
                "name": "study-a",
                "repo": workspace.repo.url,
                "branch": "study-branch",
                "created_by": workspace.created_by.username,
                "created_at": "2025-02-03T04:05:06.000000Z",
            },
        ),
        ("database_name", "default"),
        ("project", "the-project"),
        ("orgs", ["lead", alpha.slug, zeta.slug]),
        ("codelists_ok", False),
    ]


def test_what_may_still_run_is_told_newest_first_to_a_backend_its_own(
    web: Browser, db: Session, tpp: Controller
) -> None:
    now = utcnow()
    other = f.BackendFactory()
    old = now - timedelta(days=400)
    running_ = [
        settled(tpp.backend, status=status, created_at=now - timedelta(minutes=place))
        for place, status in enumerate(["running", "pending", "unknown", "unknown_error_creating_jobs"])
    ]
    for status in ("succeeded", "failed", "nothing_to_do"):
        settled(tpp.backend, status=status)
    settled(tpp.backend, status="pending", created_at=old)
    with_job = settled(tpp.backend, status="failed", created_at=old - timedelta(days=1))
    f.JobFactory(job_request=with_job, status="running")
    theirs = settled(other, created_at=now + timedelta(minutes=1))
    mine = [each.identifier for each in [*running_, with_job]]
    told = tpp.get(JOB_REQUESTS).json
    assert [each["identifier"] for each in told["results"]] == mine
    assert told["count"] == 5

    web.sign_in(f.UserFactory())
    told = web.get(JOB_REQUESTS).json
    assert [each["identifier"] for each in told["results"]] == [theirs.identifier, *mine]
    assert web.get(JOB_REQUESTS, headers={"Authorization": ""}).json["count"] == 6, "empty counts as none"


def test_nobody_else_is_told(web: Browser, db: Session) -> None:
    answer = web.get(JOB_REQUESTS, status=403)
    assert answer.json == {"detail": "Authentication credentials were not provided."}
    web.sign_in(f.UserFactory())
    wrong = web.get(JOB_REQUESTS, headers={"Authorization": "wrong"}, status=403)
    assert wrong.json == {"detail": "Invalid token"}, "a session does not rescue a wrong token"


def test_a_long_list_comes_in_pages_with_absolute_addresses(db: Session, tpp: Controller) -> None:
    made = [settled(tpp.backend, created_at=running.ago(minutes)).identifier for minutes in range(5)]
    base = f"http://localhost{JOB_REQUESTS}"
    for query, expected, following, before in [
        ("?limit=2", made[:2], "?limit=2&offset=2", None),
        ("?limit=2&offset=2", made[2:4], "?limit=2&offset=4", "?limit=2"),
        ("?limit=2&offset=4", made[4:], None, "?limit=2&offset=2"),
        ("?limit=2&offset=1", made[1:3], "?limit=2&offset=3", "?limit=2"),
        ("?offset=3", made[3:], None, "?limit=100"),
        ("?limit=5", made, None, None),
        ("?limit=2&offset=900", [], None, "?limit=2&offset=898"),
    ]:
        told = tpp.get(JOB_REQUESTS + query).json
        assert [each["identifier"] for each in told["results"]] == expected, query
        assert told["count"] == 5
        assert told["next"] == (following and base + following), query
        assert told["previous"] == (before and base + before), query


@pytest.mark.parametrize(
    "rubbish", ["", "-1", "0", "x", "1.5", "9" * 50, "%D9%A3", "%00", "1e3", "limit=", "%20", "+1", "%C2%B2"]
)
def test_rubbish_in_limit_or_offset_counts_as_none(db: Session, tpp: Controller, rubbish: str) -> None:
    settled(tpp.backend)
    told = tpp.get(f"{JOB_REQUESTS}?limit={rubbish}&offset={rubbish}").json
    assert (told["count"], len(told["results"]), told["next"], told["previous"]) == (1, 1, None, None)


def test_a_query_that_is_not_utf_8_is_refused(db: Session, tpp: Controller) -> None:
    tpp.get(f"{JOB_REQUESTS}?limit=%ff", status=400)
    f.WorkspaceFactory(name="study-a")
    tpp.get("/api/v2/workspaces/study-a/statuses/?backend=%ff", status=400)


def test_a_page_has_at_most_a_thousand(db: Session, tpp: Controller) -> None:
    settled(tpp.backend)
    told = tpp.get(f"{JOB_REQUESTS}?limit=100000&offset=2000").json
    assert told["previous"] == f"http://localhost{JOB_REQUESTS}?limit=1000&offset=1000"


def test_any_number_of_requests_takes_the_same_statements(
    db: Session, tpp: Controller, count_statements: Callable[[], Any]
) -> None:
    sent = []
    for number in (2, 18):
        for _ in range(number):
            settled(tpp.backend)
        with count_statements() as statements:
            tpp.get(JOB_REQUESTS)
        sent.append(len(statements))
    assert sent[0] == sent[1] <= 3


# GET /api/v2/users/<username>/


def with_access(backend: Backend, **values: Any) -> User:
    user: User = f.UserFactory(**values)
    f.BackendMembershipFactory(backend=backend, user=user)
    return user


def test_somebodys_roles_and_what_they_allow_are_told(db: Session, tpp: Controller) -> None:
    person = with_access(tpp.backend, username="ada", roles=["TechSupport", "OutputPublisher"])
    for slug, roles in (("zeta", ["ProjectDeveloper", "ProjectCollaborator"]), ("alpha", [])):
        f.ProjectMembershipFactory(project=f.ProjectFactory(slug=slug), user=person, roles=roles)
    answer = tpp.get("/api/v2/users/ada/")
    developer = [
        *("job_cancel", "job_run", "project_manage", "release_file_view", "snapshot_create"),
        *("unreleased_outputs_view", "workspace_archive", "workspace_create"),
        "workspace_toggle_notifications",
    ]
    everywhere = ["project_create", "release_file_view", "snapshot_publish", "user_edit_project_roles"]
    assert answer.json == {
        "permissions": {
            "global": everywhere,
            "projects": [{"slug": "alpha", "permissions": []}, {"slug": "zeta", "permissions": developer}],
        },
        "roles": {
            "global": ["OutputPublisher", "TechSupport"],
            "projects": [
                {"slug": "alpha", "roles": []},
                {"slug": "zeta", "roles": ["ProjectCollaborator", "ProjectDeveloper"]},
            ],
        },
    }


def test_somebody_with_no_roles_and_no_projects_is_told_so(db: Session, tpp: Controller) -> None:
    with_access(tpp.backend, username="ada")
    nothing: dict[str, list[Any]] = {"global": [], "projects": []}
    assert tpp.get("/api/v2/users/ada/").json == {"permissions": nothing, "roles": nothing}


def test_only_people_with_access_to_the_calling_backend_are_known(db: Session, tpp: Controller) -> None:
    with_access(f.BackendFactory(), username="elsewhere", email="elsewhere@example.com")
    closed = with_access(tpp.backend, username="closed")
    closed.disabled_at, closed.disabled_by_id = utcnow(), closed.id
    db.commit()
    for name in ("elsewhere", "closed", "nobody", "CLOSED", "x" * 1000, "elsewhere@example.com"):
        answer = tpp.get(f"/api/v2/users/{name}/", status=404)
        assert answer.json == {"detail": "No User matches the given query."}, name


def test_any_number_of_projects_takes_the_same_statements(
    db: Session, tpp: Controller, count_statements: Callable[[], Any]
) -> None:
    person = with_access(tpp.backend, username="ada")
    sent = []
    for number in (2, 18):
        for _ in range(number):
            f.ProjectMembershipFactory(user=person, roles=["ProjectDeveloper"])
        with count_statements() as statements:
            tpp.get("/api/v2/users/ada/")
        sent.append(len(statements))
    assert sent[0] == sent[1] <= 3


# GET /api/v2/workspaces/<name>/statuses/


def test_the_newest_job_of_each_action_is_told_to_everybody(
    web: Browser, db: Session, count_statements: Callable[[], Any]
) -> None:
    workspace = f.WorkspaceFactory(name="study-a")
    tpp, emis = f.BackendFactory(slug="tpp"), f.BackendFactory(slug="emis")
    here, there = (settled(each, workspace=workspace) for each in (tpp, emis))
    same = running.ago(3)
    for request, action, status, at in [
        (here, "two", "failed", running.ago(9)),
        (here, "two", "succeeded", running.ago(5)),
        (there, "one", "running", running.ago(2)),
        (here, "one", "succeeded", running.ago(4)),
        (here, "tie", "failed", same),
        (here, "tie", "pending", same),
    ]:
        f.JobFactory(job_request=request, action=action, status=status, created_at=at)
    f.JobFactory(action="elsewhere")
    address = "/api/v2/workspaces/study-a/statuses/"
    with count_statements() as statements:
        answer = web.get(address)
    assert answer.json == {"one": "running", "tie": "pending", "two": "succeeded"}
    assert len(statements) <= 2
    assert web.get(f"{address}?backend=tpp").json == {
        "one": "succeeded",
        "tie": "pending",
        "two": "succeeded",
    }
    assert web.get(f"{address}?backend=emis").json == {"one": "running"}
    assert web.get(f"{address}?backend=").json == answer.json
    for unknown in ("nowhere", "%00", "%27", "x" * 1000):
        assert web.get(f"{address}?backend={unknown}").json == {}


def test_a_workspace_without_jobs_and_one_that_is_not_there(web: Browser, db: Session) -> None:
    f.WorkspaceFactory(name="study-a")
    address = "/api/v2/workspaces/study-a/statuses/"
    assert web.get(address).body == b"{}"
    unknown = web.get(address.replace("study-a", "nowhere"), status=404)
    assert (unknown.body, unknown.headers.get("Content-Type")) == (b"", None)
    assert urlsplit(web.get(address[:-1], status=301).headers["Location"]).path == address
    assert web.post(address, status=405).json == {"detail": 'Method "POST" not allowed.'}
