"""Under fire: whatever the RAP controller answers, or does not, every page answers and says what is known."""

import time
from collections.abc import Iterator
from threading import Thread
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session, sessionmaker
from webtest import TestResponse

from jobserver import make_app
from jobserver.models import JobRequest
from jobserver.rap import backends, cancel
from jobserver.rap.context import Context
from jobserver.rap.round import run_round
from jobserver.rap.submit import submit
from jobserver.settings import Settings
from tests import factories as f
from tests.conftest import make_settings
from tests.contract.recorded import HTML_PAGE, Reply, html_reply, json_reply
from tests.unit.rap.conftest import deferred, reload
from tests.unit.rap.controller import DOWN, TOKEN, Controller, job, make_context, running_controller
from tests.web.conftest import Browser

WAITS = 10.0


@pytest.fixture(scope="module")
def one_controller() -> Iterator[Controller]:
    with running_controller() as running:
        yield running


@pytest.fixture
def controller(one_controller: Controller) -> Controller:
    """The controller of all tests here, as new."""
    one_controller.jobs.clear()
    one_controller.asked.clear()
    one_controller.says = {"create": [], "cancel": [], "status": [], "backend": []}
    return one_controller


@pytest.fixture(scope="module")
def app(postgres: str, engine: Engine, one_controller: Controller) -> Any:
    settings = make_settings(postgres, rap_api_base_url=one_controller.url, rap_api_token=TOKEN)
    return make_app(settings, engine=engine)


@pytest.fixture
def context(settings: Settings, session_factory: sessionmaker[Session], controller: Controller) -> Context:
    return make_context(settings, session_factory, controller.url)


@pytest.fixture
def web(app: Any, db: Session) -> Browser:
    return Browser(app)


@pytest.fixture
def request_(db: Session, web: Browser) -> JobRequest:
    """A request that its creator, who is signed in, has just made."""
    membership = f.ProjectMembershipFactory(roles=["ProjectDeveloper"])
    made: JobRequest = f.JobRequestFactory(
        workspace=f.WorkspaceFactory(project=membership.project),
        created_by=membership.user,
        backend=f.BackendFactory(slug="tpp", name="TPP"),
        requested_actions=["action_0", "action_1"],
    )
    web.sign_in(made.created_by).get("/", status=200)
    return made


def address(request: JobRequest) -> str:
    workspace = request.workspace
    parts = (workspace.project.org.slug, workspace.project.slug, workspace.name, str(request.id))
    return "/" + "/".join(parts) + "/"


@pytest.fixture
def place(request_: JobRequest) -> str:
    """Where its page is."""
    return address(request_)


def every_page(web: Browser, place: str) -> TestResponse:
    """The request's page, after all others on which it is to be seen answered in time as well."""
    workspace = place.rsplit("/", 2)[0] + "/"
    others = ["/", "/status/", "/event-log/", workspace, f"{workspace}logs/", f"{place}now/"]
    began = time.process_time()
    for page in others:
        web.get(page, status=200)
    answer = web.get(place, status=200)
    assert time.process_time() - began < 5
    assert "Traceback" not in answer
    return answer


# Creating

NOBODY_KNOWS = "No clear answer from TPP yet"
AFTER_CREATING = {
    "no connection": (DOWN, NOBODY_KNOWS),
    "slow": (json_reply({"count": 1}, 201, wait=WAITS), NOBODY_KNOWS),
    "slow body": (json_reply({"count": 1}, 201, drip=0.5), NOBODY_KNOWS),
    "400": (json_reply({"error": "Error creating jobs", "details": "No <b>such</b> branch"}, 400), "No &lt;b&gt;such"),
    "400 several lines": (json_reply({"details": "first line\nsecond line"}, 400), "second line"),
    "400 without details": (json_reply({"error": "x"}, 400), "without giving a reason"),
    "400 a list": (json_reply(["no"], 400), "without giving a reason"),
    "400 other details": (json_reply({"details": {"a": 1}}, 400), "without giving a reason"),
    "400 no JSON": (html_reply(400), NOBODY_KNOWS),
    "401": (json_reply({"details": "Invalid token"}, 401), NOBODY_KNOWS),
    "404": (html_reply(404), NOBODY_KNOWS),
    "405": (Reply(405), NOBODY_KNOWS),
    "500 HTML": (html_reply(500), NOBODY_KNOWS),
    "503 empty": (Reply(503), NOBODY_KNOWS),
    "redirect": (Reply(302, headers={"Location": "http://127.0.0.1:9/"}), NOBODY_KNOWS),
    "HTML where JSON should be": (html_reply(201), NOBODY_KNOWS),
    "truncated": (json_reply({"count": 1, "details": "…"}, 201, cut=9), NOBODY_KNOWS),
    "half JSON": (Reply(201, b'{"count": 1, "det'), NOBODY_KNOWS),
    "null": (json_reply(None, 201), NOBODY_KNOWS),
    "no count": (json_reply({"details": "ok"}, 201), NOBODY_KNOWS),
    "count as text": (json_reply({"count": "1"}, 201), NOBODY_KNOWS),
    "negative": (json_reply({"count": -1, "details": "ok"}, 201), NOBODY_KNOWS),
    "count 0": (json_reply({"count": 0, "details": "All actions have succeeded"}), "All actions have succeeded"),
    "count 0 without a word": (json_reply({"count": 0}), NOBODY_KNOWS),
    "new fields": (json_reply({"count": 2, "details": "ok", "queue": {"position": [1]}}, 201), "accepted"),
    "another request's id": (json_reply({"count": 2, "details": "ok", "rap_id": "zzzzzzzzzzzz2222"}, 201), "accepted"),
    "very many": (json_reply({"count": 10**30, "details": "ok"}, 201), "accepted"),
    "a very long reason": (json_reply({"details": "x" * 900_000}, 400), "xxx"),
}  # fmt: skip


@pytest.mark.parametrize(("reply", "words"), AFTER_CREATING.values(), ids=AFTER_CREATING.keys())
def test_however_the_controller_answers_to_creating_the_pages_say_what_is_known(
    web: Browser,
    context: Context,
    controller: Controller,
    request_: JobRequest,
    place: str,
    reply: Reply,
    words: str,
) -> None:
    controller.says["create"] = [reply]
    submit(context, request_.id)
    page = every_page(web, place)
    assert words in page
    assert HTML_PAGE not in page
    assert len(page.text) < 100_000


# Cancelling

STILL_ASKING = "has not confirmed"
AFTER_CANCELLING = {
    "no connection": (DOWN, STILL_ASKING),
    "slow": (json_reply({"count": 2}, wait=WAITS), STILL_ASKING),
    "400": (json_reply({"details": "not <i>today</i>"}, 400), "not &lt;i&gt;today"),
    "400 no JSON": (html_reply(400), "without giving a reason"),
    "404 unknown": (json_reply({"error": "jobs not found", "details": "No jobs", "not_found": ["action_0"]}, 404), "No jobs"),
    "401": (json_reply({"details": "Invalid token"}, 401), STILL_ASKING),
    "500 HTML": (html_reply(500), STILL_ASKING),
    "truncated": (json_reply({"count": 2}, cut=5), STILL_ASKING),
    "HTML where JSON should be": (html_reply(200), STILL_ASKING),
    "no count": (json_reply({"result": "Success"}), STILL_ASKING),
    "count 0": (json_reply({"count": 0, "details": "…"}), "has accepted it"),
    "new fields": (json_reply({"count": 2, "details": "…", "new": {}}), "has accepted it"),
}  # fmt: skip


@pytest.mark.parametrize(("reply", "words"), AFTER_CANCELLING.values(), ids=AFTER_CANCELLING.keys())
def test_however_the_controller_answers_to_cancelling_the_pages_say_what_is_known(
    web: Browser,
    db: Session,
    context: Context,
    controller: Controller,
    request_: JobRequest,
    place: str,
    reply: Reply,
    words: str,
) -> None:
    submit(context, request_.id)
    run_round(context)
    began = time.monotonic()
    web.submit(f"{place}cancel/", status=303)
    assert time.monotonic() - began < 5, "nobody waits for the controller here"
    assert controller.calls("cancel") == []
    controller.says["cancel"] = [reply]
    [(_, arguments)] = deferred(db, "send_cancellation")
    cancel.send(context, arguments["cancellation_id"])
    page = every_page(web, place)
    assert words in page
    assert "action_0" in page
    assert HTML_PAGE not in page


# Asking how it is

IN_VAIN = {
    "no connection": DOWN,
    "slow": json_reply({"jobs": []}, wait=WAITS),
    "400": json_reply({"details": "no"}, 400),
    "400 no JSON": html_reply(400),
    "401": json_reply({"details": "Invalid token"}, 401),
    "500 HTML": html_reply(500),
    "truncated": json_reply({"jobs": [], "unrecognised_rap_ids": []}, cut=9),
    "HTML where JSON should be": html_reply(200),
    "another shape": json_reply([1, 2]),
    "jobs as an object": json_reply({"jobs": {"a": 1}, "unrecognised_rap_ids": []}),
    "jobs of no shape": json_reply({"jobs": [None, 1, "x", [], {}], "unrecognised_rap_ids": [None, {}]}),
    "none of the jobs": json_reply({"jobs": [], "unrecognised_rap_ids": []}),
    "unknown here": json_reply({"jobs": [job("zzzzzzzzzzzz2222", "x")], "unrecognised_rap_ids": []}),
    "deep": Reply(200, b'{"jobs": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    "no numbers": Reply(200, b'{"jobs": [{"identifier": NaN, "rap_id": -Infinity}]}'),
}


@pytest.mark.parametrize("reply", IN_VAIN.values(), ids=IN_VAIN.keys())
def test_without_a_usable_answer_the_pages_show_what_was_known_before(
    web: Browser,
    db: Session,
    context: Context,
    controller: Controller,
    request_: JobRequest,
    place: str,
    reply: Reply,
) -> None:
    submit(context, request_.id)
    controller.move(request_.identifier, "succeeded", "running")
    run_round(context)
    for _ in range(2):
        controller.says["status"], controller.says["backend"] = [reply], [reply]
        run_round(context)
        assert not backends.refresh(context).ok
    page = every_page(web, place)
    assert "action_0" in page
    known = reload(db, request_)
    assert (known.status, known.jobs_succeeded, known.jobs_running) == ("running", 1, 1)
    run_round(context)
    controller.move(request_.identifier, "succeeded", "succeeded")
    run_round(context)
    assert reload(db, request_).status == "succeeded", "and it is followed again"


LONG = "".join(chr(0x4E00 + number * 7919 % 20000) for number in range(30_000))
ODD_JOBS = {
    "state never heard of": {"status": "hibernating", "status_code": "deep_sleep"},
    "code never heard of": {"status_code": "waiting_for_godot"},
    "no words": {"status": "", "status_code": "", "status_message": "", "run_command": ""},
    "nulls": dict.fromkeys(("status_code", "status_message", "run_command", "metrics", "trace_context")),
    "new fields": {"queue_position": 3, "labels": {"a": [1]}},
    "long words": {"status_message": LONG, "run_command": LONG, "status_code": LONG},
    "long status": {"status": LONG},
    "markup": {"action": "<b>", "status": "<b>", "status_code": "<b>", "status_message": "<b>"},
    "slashes": {"action": "../../a?b#c", "identifier": "../a?b=c#d%2f"},
    "unprintable": {"action": "a\x00\ud800\u202e\n", "status_message": "\x00\x1b[31m"},
    "other scripts": {"action": "分析 ‮", "identifier": "работа-1"},
    "odd metrics": {"metrics": {"cpu_mean": "much", "mem_mb_peak": None, "cpu_peak": [1], "mem_mb_mean": 1e300}},
    "infinite metrics": {"metrics": {"cpu_mean": float("inf"), "mem_mb_peak": float("nan"), "x": -1}},
    "metrics of another shape": {"metrics": [1, 2], "trace_context": "00-x"},
    "odd trace": {"trace_context": {"traceparent": 7, "tracestate": None}},
    "huge metrics": {"metrics": {str(number): number for number in range(50_000)}},
    "times out of order": {"started_at": "2026-01-05T09:30:00Z", "completed_at": "2020-01-05T09:30:00Z"},
    "early and late": {"created_at": "1970-01-01T00:00:00Z", "completed_at": "2199-12-31T23:59:59Z"},
    "ended without a start": {"status": "succeeded", "started_at": None, "completed_at": None},
    "another backend": {"backend": "nowhere"},
}  # fmt: skip


@pytest.mark.parametrize("odd", ODD_JOBS.values(), ids=ODD_JOBS.keys())
def test_a_job_as_nobody_has_seen_one_is_shown_on_every_page(
    web: Browser,
    db: Session,
    context: Context,
    controller: Controller,
    request_: JobRequest,
    place: str,
    odd: dict[str, Any],
) -> None:
    submit(context, request_.id)
    first = controller.jobs[request_.identifier][0]
    first.update({"status": "running", "status_code": "executing", **odd})
    for _ in range(2):
        assert run_round(context).synced.faults == []
    page = every_page(web, place)
    assert len(page.text) < 200_000
    assert reload(db, request_).jobs_total == 2
    identifier = db.scalars(text("SELECT identifier FROM job ORDER BY action <> 'action_1', id")).all()
    for each in identifier:
        answer = web.get(f"{place}{quote(each, safe='')}/", status="*")
        # A slash in an identifier, even an encoded one, is one between two pages.
        assert answer.status_code == (404 if "/" in each else 200)
        assert len(answer.text) < 200_000
    links = {link["href"] for link in page.html.select("main a[href]")}
    own = [link for link in links if link.startswith(place) and "%2F" not in link]
    for link in own[:40]:
        assert web.get(link, status="*").status_code < 500, link


UNSTORABLE = {
    "no action": {"action": ""},
    "a name beyond all bounds": {"action": LONG},
    "an identifier beyond all bounds": {"identifier": LONG},
    "no identifier": {"identifier": ""},
    "a time that is none": {"updated_at": "yesterday"},
    "the first year": {"created_at": "0001-01-01T00:00:00Z"},
    "the last year": {"completed_at": "9999-12-31T23:59:59Z"},
    "a time that does not exist": {"updated_at": "2026-02-30T00:00:00Z"},
    "another type": {"status": 7},
}


@pytest.mark.parametrize("odd", UNSTORABLE.values(), ids=UNSTORABLE.keys())
def test_a_job_that_cannot_be_stored_holds_up_no_other_request(
    web: Browser,
    db: Session,
    context: Context,
    controller: Controller,
    request_: JobRequest,
    place: str,
    odd: dict[str, Any],
) -> None:
    other: JobRequest = f.JobRequestFactory(
        workspace=request_.workspace, created_by=request_.created_by, backend=request_.backend
    )
    for each in (request_, other):
        submit(context, each.id)
    controller.jobs[request_.identifier][0].update(odd)
    controller.move(other.identifier, "succeeded")
    report = run_round(context)
    assert len(report.synced.faults) == 1
    assert len(report.synced.faults[0]) < 2000
    every_page(web, place)
    assert reload(db, other).status == "succeeded"
    assert reload(db, request_).is_active


def test_a_job_that_belongs_to_another_request_stays_there(
    web: Browser, db: Session, context: Context, controller: Controller, request_: JobRequest, place: str
) -> None:
    mine: JobRequest = f.JobRequestFactory(
        workspace=request_.workspace, created_by=request_.created_by, backend=request_.backend
    )
    elsewhere = address(mine)
    for each in (request_, mine):
        submit(context, each.id)
    run_round(context)
    stolen = controller.jobs[request_.identifier][0]
    controller.jobs[mine.identifier].append({**stolen, "rap_id": mine.identifier, "status": "failed"})
    report = run_round(context)
    assert len(report.synced.faults) == 1
    assert stolen["identifier"] in every_page(web, place)
    assert stolen["identifier"] not in every_page(web, elsewhere)
    web.get(f"{elsewhere}{stolen['identifier']}/", status=404)


# Slow


def test_no_page_waits_for_a_slow_controller(
    web: Browser, context: Context, controller: Controller, request_: JobRequest, place: str
) -> None:
    slow = json_reply({"count": 1}, 201, wait=WAITS)
    controller.says["create"] = controller.says["status"] = [slow] * 3
    asking = Thread(target=submit, args=(context, request_.id))
    asking.start()
    for _ in range(3):
        every_page(web, place)
    web.submit(f"{place}cancel/", status=303)
    asking.join()
    assert web.get(place, status=200)
