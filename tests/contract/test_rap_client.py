"""The RAP client against what a real controller answered, and against every way of answering badly."""

import socket
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest
import structlog

from jobserver.clients.rap import (
    NO_REASON,
    Created,
    CreateRequest,
    RapClient,
    RapError,
    RapNotConfigured,
    RapRefused,
    RapUnauthorised,
    RapUnavailable,
)
from jobserver.clients.transport import Deadline, Limits
from tests.contract.recorded import (
    Asked,
    Reply,
    Timed,
    html_reply,
    json_reply,
    rap_exchanges,
    recorded_reply,
    refusing_url,
    serving,
)

TOKEN = "rap-token-that-is-secret"
BASE = "/controller/v1"
EXCHANGES = rap_exchanges()

REQUEST = CreateRequest(
    rap_id="k3v7qm2xw5tz4n6a",
    backend="tpp",
    workspace="asthma-main",
    repo_url="https://github.com/demo-university/asthma-study",
    branch="main",
    commit="5f0c1b7e9a4d3c2b1a0f9e8d7c6b5a4f3e2d1c0b",
    requested_actions=("make_table",),
    codelists_ok=True,
    force_run_dependencies=False,
    created_by="researcher",
    project="asthma-in-adults",
    orgs=("demo-university",),
)
JOB = {
    "identifier": "m4p2c6r7d5x3q8h9",
    "rap_id": "k3v7qm2xw5tz4n6a",
    "backend": "tpp",
    "action": "make_table",
    "run_command": "python:v2 python analysis/make_table.py",
    "status": "running",
    "status_code": "executing",
    "status_message": "Running in the backend",
    "created_at": "2026-01-05T09:30:00Z",
    "updated_at": "2026-01-05T09:31:02Z",
    "started_at": "2026-01-05T09:30:40Z",
    "completed_at": None,
    "trace_context": None,
    "metrics": {"cpu_mean": 97.1},
    "requires_db": False,
}
BACKEND = {
    "slug": "tpp",
    "last_seen": "2026-01-05T09:30:12.482913Z",
    "paused": {"status": "off", "since": None},
    "db_maintenance": {"status": "on", "since": "2026-01-05T02:00:03.100200Z", "type": "scheduled"},
}


def client(url: str, limits: Limits | None = None) -> RapClient:
    limits = limits or Limits(connect=2, read=3)
    return RapClient(url + BASE + "/", TOKEN, create_limits=limits, limits=limits)


def call(rap: RapClient, endpoint: str) -> Any:
    match endpoint:
        case "create":
            return rap.create(REQUEST)
        case "cancel":
            return rap.cancel("k3v7qm2xw5tz4n6a", ["make_table"])
        case "status":
            return rap.status(["k3v7qm2xw5tz4n6a"])
    return rap.backend_status()


ENDPOINTS = ("create", "cancel", "status", "backend_status")


# What was recorded


def _endpoint(exchange: dict[str, Any]) -> str:
    path = exchange["request"]["path"].removeprefix(BASE).strip("/")
    return {"rap/create": "create", "rap/cancel": "cancel", "rap/status": "status"}.get(
        path, "backend_status"
    )


@pytest.mark.parametrize("exchange", EXCHANGES, ids=[each["name"] for each in EXCHANGES])
def test_every_recorded_answer_is_understood(exchange: dict[str, Any]) -> None:
    endpoint, answer = _endpoint(exchange), exchange["response"]
    body = answer["body"]
    with serving(recorded_reply(exchange)) as server:
        if answer["status"] in {200, 201}:
            _check_success(endpoint, call(client(server.url), endpoint), body)
            return
        with pytest.raises(RapError) as raised:
            call(client(server.url), endpoint)
    assert len(server.asked) == 1
    error = raised.value
    if answer["status"] == 401:
        assert isinstance(error, RapUnauthorised)
    elif (
        answer["status"] >= 500 or answer["status"] < 400 or (endpoint == "create" and isinstance(body, str))
    ):
        assert type(error) is RapUnavailable
    else:
        assert isinstance(error, RapRefused)
        assert error.status == answer["status"]
        assert error.details == (body["details"] if isinstance(body, dict) else NO_REASON)
        if isinstance(body, dict):
            assert error.error == body["error"]
            assert list(error.not_found) == body.get("not_found", [])


def _check_success(endpoint: str, result: Any, body: dict[str, Any]) -> None:
    match endpoint:
        case "create":
            assert result == Created(body["count"], body["details"], body["result"])
        case "cancel":
            assert result == body["count"]
        case "status":
            assert result.faults == ()
            assert list(result.unrecognised) == body["unrecognised_rap_ids"]
            assert [_as_sent(job) for job in result.jobs] == body["jobs"]
            assert all(job.given == set(sent) for job, sent in zip(result.jobs, body["jobs"], strict=True))
        case _:
            assert result.faults == ()
            assert [report.slug for report in result] == [each["slug"] for each in body["backends"]]
            for report, sent in zip(result, body["backends"], strict=True):
                assert report.paused == (sent["paused"]["status"] == "on")
                assert report.db_maintenance == (sent["db_maintenance"]["status"] == "on")
                assert report.db_maintenance_type == sent["db_maintenance"]["type"]
                assert report.last_seen == _time(sent["last_seen"])
                assert report.paused_since == _time(sent["paused"]["since"])
                assert report.db_maintenance_since == _time(sent["db_maintenance"]["since"])


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _as_sent(job: Any) -> dict[str, Any]:
    sent = {name: getattr(job, name) for name in JOB}
    for name, value in sent.items():
        if isinstance(value, datetime):
            assert value.tzinfo is UTC
            sent[name] = value.strftime("%Y-%m-%dT%H:%M:%SZ")
    return sent


def test_the_recordings_cover_every_endpoint_and_outcome() -> None:
    counted = Counter((_endpoint(each), each["response"]["status"] // 100) for each in EXCHANGES)
    wanted = {("create", 2), ("create", 3), ("create", 4), ("create", 5), ("cancel", 2), ("cancel", 4)}
    wanted |= {("status", 2), ("status", 4), ("status", 5)}
    wanted |= {("backend_status", 2), ("backend_status", 4), ("backend_status", 5)}
    assert wanted <= set(counted)


# What is sent


def test_create_sends_the_recorded_shape_with_the_bare_token() -> None:
    sent = next(each for each in EXCHANGES if each["name"].startswith("create ok: with an analysis scope"))[
        "request"
    ]
    body = sent["body"]
    fields: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in body.items()
        if name != "database_name"
    }
    request = CreateRequest(**fields)
    with serving(json_reply({"result": "Success", "details": "", "count": 1}, 201)) as server:
        client(server.url).create(request)
    (asked,) = server.asked
    assert (asked.method, asked.path) == (sent["method"], sent["path"])
    assert asked.headers["Authorization"] == TOKEN
    assert asked.headers["Content-Type"] == sent["headers"]["Content-Type"]
    assert asked.json() == body


def test_without_extra_permissions_the_scope_is_an_empty_object() -> None:
    assert REQUEST.body()["analysis_scope"] == {}


def test_cancel_and_status_send_what_the_contract_says() -> None:
    def answer(asked: Asked) -> Reply:
        return json_reply({"jobs": [], "unrecognised_rap_ids": [], "count": 2, "details": "", "backends": []})

    with serving(answer) as server:
        rap = client(server.url)
        rap.cancel("k3v7qm2xw5tz4n6a", ["a", "b"])
        rap.status(["k3v7qm2xw5tz4n6a"])
        rap.backend_status()
    assert [(each.method, each.path) for each in server.asked] == [
        ("POST", f"{BASE}/rap/cancel/"),
        ("POST", f"{BASE}/rap/status/"),
        ("GET", f"{BASE}/backend/status/"),
    ]
    assert server.asked[0].json() == {"rap_id": "k3v7qm2xw5tz4n6a", "actions": ["a", "b"]}
    assert server.asked[1].json() == {"rap_ids": ["k3v7qm2xw5tz4n6a"]}
    assert server.asked[2].body == b""


def test_a_status_call_without_ids_asks_nothing() -> None:
    report = RapClient(refusing_url(), TOKEN).status([])
    assert report.jobs == ()
    assert report.unrecognised == ()


@pytest.mark.parametrize("ending", ["", "/", "//"])
def test_the_base_url_may_lack_its_final_slash(ending: str) -> None:
    with serving(json_reply({"backends": []})) as server:
        RapClient(server.url + BASE + ending, TOKEN).backend_status()
    assert server.asked[0].path == f"{BASE}/backend/status/"


# Every row of the outcomes of creation (spec: rap 3.2, with 11)


@pytest.mark.parametrize(
    ("reply", "count"),
    [
        (json_reply({"result": "Success", "details": "made", "count": 3}, 201), 3),
        (json_reply({"result": "No change", "details": "made before", "count": 3}, 200), 3),
        (json_reply({"result": "Nothing to do", "details": "all done", "count": 0}, 200), 0),
        (json_reply({"count": 2.0, "details": "made"}, 201), 2),
    ],
)
def test_an_accepted_request_has_its_number_of_jobs_and_the_controllers_words(
    reply: Reply, count: int
) -> None:
    with serving(reply) as server:
        created = client(server.url).create(REQUEST)
    assert created.count == count
    assert created.details


@pytest.mark.parametrize("status", [400, 404, 409, 422, 429])
def test_a_refused_request_carries_the_controllers_reason(status: int) -> None:
    reply = json_reply({"error": "Error creating jobs", "details": "Could not find branch 'x'"}, status)
    with serving(reply) as server, pytest.raises(RapRefused) as raised:
        client(server.url).create(REQUEST)
    assert raised.value.details == "Could not find branch 'x'"
    assert raised.value.error == "Error creating jobs"
    assert raised.value.status == status


@pytest.mark.parametrize(
    "body", [{}, {"error": "x"}, {"details": None}, {"details": ["a"]}, {"details": ""}, [], "no", 3, None]
)
def test_a_refusal_in_json_of_any_shape_is_a_refusal_without_reason(body: object) -> None:
    with serving(json_reply(body, 400)) as server, pytest.raises(RapRefused) as raised:
        client(server.url).create(REQUEST)
    assert raised.value.details == NO_REASON


UNUSABLE = {
    "html 400": html_reply(400),
    "html 404": html_reply(404),
    "empty 405": Reply(405, b"", {"Allow": "POST", "Content-Type": "text/html"}),
    "html 500": html_reply(500),
    "json 500": json_reply({"error": "x", "details": "looks like a refusal"}, 500),
    "html 502": html_reply(502),
    "empty 503": Reply(503),
    "html 200": html_reply(200),
    "empty 200": Reply(200),
    "empty 204": Reply(204),
    "json 202": json_reply({"count": 1, "details": ""}, 202),
    "half of the json": Reply(200, b'{"result": "Success", "count'),
    "json list": json_reply([1], 201),
    "no count": json_reply({"result": "Success", "details": "made"}, 201),
    "count is text": json_reply({"details": "made", "count": "3"}, 201),
    "count is true": json_reply({"details": "made", "count": True}, 201),
    "count is negative": json_reply({"details": "made", "count": -1}, 201),
    "count is a fraction": json_reply({"details": "made", "count": 1.5}, 201),
    "count is null": json_reply({"details": "made", "count": None}, 201),
    "count 0 without details": json_reply({"result": "Nothing to do", "count": 0}, 200),
    "connection lost": Reply(hang_up=True),
    "body cut short": json_reply({"result": "Success", "details": "made", "count": 3}, 201, cut=20),
    "not utf-8": Reply(200, b'{"details": "\xff", "count": 1}'),
    "nested too deep": Reply(200, b"[" * 100_000),
    "a huge number": Reply(200, b'{"count": ' + b"9" * 5000 + b"}"),
    "redirect": Reply(301, b"", {"Location": "/controller/v1/rap/create/"}),
}


@pytest.mark.parametrize("reply", UNUSABLE.values(), ids=UNUSABLE.keys())
def test_an_unusable_answer_to_create_leaves_the_request_unsettled(reply: Reply) -> None:
    with serving(reply) as server, pytest.raises(RapUnavailable) as raised:
        client(server.url).create(REQUEST)
    assert len(server.asked) == 1
    assert raised.value.reason


def test_a_token_that_is_not_accepted_is_told_apart_but_settles_nothing() -> None:
    reply = json_reply({"error": "Unauthorized", "details": "Invalid token"}, 401)
    for each in (reply, html_reply(401)):
        with serving(each) as server, pytest.raises(RapUnauthorised) as raised:
            client(server.url).create(REQUEST)
        assert isinstance(raised.value, RapUnavailable)


@pytest.mark.parametrize(("url", "token"), [("", TOKEN), ("http://127.0.0.1:9/", ""), ("", "")])
@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_without_address_or_token_nothing_is_sent(url: str, token: str, endpoint: str) -> None:
    with pytest.raises(RapNotConfigured):
        call(RapClient(url, token), endpoint)


@pytest.mark.parametrize("token", ["with blank", "line\nbreak", "ünicode"])
def test_a_token_no_header_can_carry_is_refused_without_showing_it(token: str) -> None:
    with serving(json_reply({"backends": []})) as server, pytest.raises(RapNotConfigured) as raised:
        RapClient(server.url, token).backend_status()
    assert server.asked == []
    assert token not in str(raised.value)


# Faults on the way, the same for every endpoint


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_a_controller_that_is_down_is_unavailable(endpoint: str) -> None:
    with pytest.raises(RapUnavailable, match="no connection"):
        call(client(refusing_url()), endpoint)


def test_an_unknown_host_is_unavailable() -> None:
    with pytest.raises(RapUnavailable, match="no connection"):
        RapClient("http://controller.invalid/", TOKEN).backend_status()


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize(
    "reply",
    [
        json_reply({"count": 1, "jobs": [], "backends": []}, wait=30),
        json_reply({"count": 1, "jobs": [], "backends": []}, drip=0.1),
        json_reply({"count": 1, "jobs": [], "backends": []}, drip=0.1, drip_headers=True),
        Reply(200, b"9" * 100, {"Content-Length": "", "Connection": "close"}, drip=0.1),
    ],
    ids=["silent", "slow body", "slow headers", "slow body without length"],
)
def test_a_slow_controller_is_given_up_in_time(endpoint: str, reply: Reply) -> None:
    limits = Limits(connect=0.2, read=0.5)
    with serving(reply) as server, Timed() as timed, pytest.raises(RapUnavailable, match="time limit"):
        call(client(server.url, limits), endpoint)
    assert timed.seconds < 2


def test_a_silence_is_not_borne_until_the_whole_time_is_over() -> None:
    reply = json_reply({"backends": []}, wait=30)
    with serving(reply) as server, Timed() as timed, pytest.raises(RapUnavailable, match="time limit"):
        client(server.url, Limits(connect=10, read=0.3)).backend_status()
    assert timed.seconds < 3


def test_a_deadline_leaves_a_connection_alone_once_its_exchange_is_over() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        with Deadline(30) as deadline:
            deadline.attach(ours)
        # The timer may have gone off in the moment before it was stopped.
        deadline._expire()
        ours.sendall(b"next")
        assert theirs.recv(4) == b"next"


def test_a_controller_that_takes_its_time_but_within_the_limits_is_waited_for() -> None:
    with serving(json_reply({"backends": [BACKEND]}, wait=0.3)) as server:
        assert len(client(server.url, Limits(connect=0.5, read=2)).backend_status()) == 1


def test_an_answer_beyond_the_size_limit_is_not_read_to_its_end() -> None:
    with serving(json_reply({"backends": ["x" * 5000]})) as server:
        with pytest.raises(RapUnavailable, match="more than 1000 bytes"):
            client(server.url, Limits(connect=2, read=2, size=1000)).backend_status()
        assert len(client(server.url, Limits(connect=2, read=2, size=6000)).backend_status().faults) == 1


@pytest.mark.parametrize("endpoint", ["cancel", "status", "backend_status"])
@pytest.mark.parametrize(
    "reply", [html_reply(500), html_reply(200), Reply(200), json_reply({}), json_reply([])]
)
def test_an_unusable_answer_is_unavailable(endpoint: str, reply: Reply) -> None:
    with serving(reply) as server, pytest.raises(RapUnavailable):
        call(client(server.url), endpoint)


@pytest.mark.parametrize("endpoint", ["cancel", "status", "backend_status"])
def test_an_error_page_is_a_refusal_without_reason(endpoint: str) -> None:
    with serving(html_reply(404)) as server, pytest.raises(RapRefused) as raised:
        call(client(server.url), endpoint)
    assert raised.value.details == NO_REASON
    assert raised.value.status == 404


def test_connections_are_used_again_after_a_timeout() -> None:
    replies = iter([json_reply({}, drip=0.1), json_reply({"backends": []}), json_reply({"backends": []})])
    with serving(lambda asked: next(replies)) as server:
        rap = client(server.url, Limits(connect=0.1, read=0.4))
        with pytest.raises(RapUnavailable):
            rap.backend_status()
        assert rap.backend_status() == []
        assert rap.backend_status() == []


def test_the_token_is_in_no_representation_and_no_error() -> None:
    rap = client(refusing_url())
    with pytest.raises(RapUnavailable) as raised:
        rap.create(REQUEST)
    shown = [repr(rap), str(rap), repr(raised.value), str(raised.value)]
    chained: BaseException | None = raised.value
    while chained is not None:
        shown.append(repr(chained))
        chained = chained.__cause__ or chained.__context__
    assert not [each for each in shown if TOKEN in each]


def test_log_lines_during_a_call_carry_method_and_path() -> None:
    # What other tests in this process have left there is no matter.
    structlog.contextvars.clear_contextvars()
    seen: list[dict[str, Any]] = []

    def answer(asked: Asked) -> Reply:
        return json_reply({"backends": []})

    with serving(answer) as server:
        rap = client(server.url)
        original = rap._session.request

        def request(*args: Any, **kwargs: Any) -> Any:
            bound = structlog.contextvars.get_contextvars()
            seen.append({name: bound.get(name) for name in ("request_method", "endpoint_path")})
            return original(*args, **kwargs)

        rap._session.request = request  # type: ignore[method-assign]
        rap.backend_status()
    assert seen == [{"request_method": "GET", "endpoint_path": f"{BASE}/backend/status/"}]
    assert structlog.contextvars.get_contextvars() == {}


# Ill-formed entries stay alone


def _status(*jobs: object, **more: object) -> Any:
    with serving(json_reply({"jobs": list(jobs), "unrecognised_rap_ids": [], **more})) as server:
        return client(server.url).status(["k3v7qm2xw5tz4n6a"])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("identifier", None),
        ("identifier", 5),
        ("rap_id", ["x"]),
        ("status", 3),
        ("status_message", {}),
        ("requires_db", "true"),
        ("requires_db", 1),
        ("created_at", "yesterday"),
        ("created_at", 1767605400),
        ("updated_at", "2026-01-05 09:31:02"),
        ("updated_at", "2026-01-05T09:31:02"),
        ("started_at", "2026-01-05T09:31:02+01:00"),
        ("completed_at", "2026-13-05T09:31:02Z"),
        ("completed_at", "٢٠٢٦-01-05T09:31:02Z"),
        ("completed_at", "2026-01-05T09:31:02Z\n"),
    ],
)
def test_one_bad_job_does_not_spoil_the_others(name: str, value: object) -> None:
    report = _status({**JOB, "identifier": "before"}, {**JOB, name: value}, {**JOB, "identifier": "after"})
    assert [job.identifier for job in report.jobs] == ["before", "after"]
    (fault,) = report.faults
    assert name in fault.reason


@pytest.mark.parametrize("missing", ["identifier", "rap_id"])
def test_a_job_that_cannot_be_attributed_is_a_fault(missing: str) -> None:
    report = _status({name: value for name, value in JOB.items() if name != missing}, JOB)
    assert len(report.jobs) == 1
    assert missing in report.faults[0].reason


def test_entries_that_are_no_objects_are_faults() -> None:
    report = _status(None, "job", [JOB], JOB)
    assert len(report.jobs) == 1
    assert len(report.faults) == 3


def test_unknown_fields_are_ignored_and_unknown_words_kept() -> None:
    (job,) = _status({**JOB, "shiny": {"new": 1}, "status": "hibernating", "status_code": "deep"}).jobs
    assert (job.status, job.status_code) == ("hibernating", "deep")
    assert not hasattr(job, "shiny")


def test_a_field_left_out_is_told_from_one_that_is_null() -> None:
    (job,) = _status({"identifier": "a", "rap_id": "b", "started_at": None}).jobs
    assert job.started_at is None
    assert job.status is None
    assert "started_at" in job.given
    assert "status" not in job.given


@pytest.mark.parametrize("value", [None, {}, {"a": 1}, "text", [1, 2], 7])
def test_metrics_and_trace_context_may_be_anything(value: object) -> None:
    (job,) = _status({**JOB, "metrics": value, "trace_context": value}).jobs
    assert job.metrics == value
    assert job.trace_context == value


@pytest.mark.parametrize("missing", ["unrecognised_rap_ids"])
def test_a_missing_list_of_unrecognised_ids_is_a_fault_beside_the_jobs(missing: str) -> None:
    report = _status(JOB, **{missing: None})
    assert len(report.jobs) == 1
    assert report.unrecognised == ()
    assert report.faults[0].subject == missing


def test_odd_unrecognised_ids_are_a_fault_beside_the_others() -> None:
    report = _status(unrecognised_rap_ids=["zzzzzzzzzzzz2222", 5])
    assert report.unrecognised == ("zzzzzzzzzzzz2222",)
    assert len(report.faults) == 1


@pytest.mark.parametrize("body", [{"unrecognised_rap_ids": []}, {"jobs": {}}, {"jobs": None}])
def test_an_answer_without_a_list_of_jobs_is_unavailable(body: object) -> None:
    with serving(json_reply(body)) as server, pytest.raises(RapUnavailable):
        client(server.url).status(["k3v7qm2xw5tz4n6a"])


def test_what_postgresql_cannot_store_is_replaced() -> None:
    raw = (
        b'{"jobs": [{"identifier": "a", "rap_id": "b", "status_message": "x\\u0000y\\ud800z",'
        b' "metrics": {"cpu_mean": NaN, "mem": Infinity, "big": 1e999, "n\\u0000": [1]}}],'
        b' "unrecognised_rap_ids": []}'
    )
    with serving(Reply(200, raw)) as server:
        (job,) = client(server.url).status(["b"]).jobs
    assert job.status_message == "x\ufffdy?z"
    assert job.metrics == {"cpu_mean": None, "mem": None, "big": None, "n\ufffd": [1]}


@pytest.mark.parametrize(
    "bad",
    [
        {"slug": None},
        {"slug": 3},
        {"paused": None},
        {"paused": {}},
        {"paused": {"status": "maybe", "since": None}},
        {"paused": {"status": True}},
        {"last_seen": {"since": "2026-01-05T09:30:12Z"}},
        {"db_maintenance": {"status": "on", "since": "soon", "type": "manual"}},
    ],
)
def test_one_bad_backend_does_not_spoil_the_others(bad: dict[str, object]) -> None:
    with serving(json_reply({"backends": [{**BACKEND, **bad}, {**BACKEND, "slug": "emis"}, 5]})) as server:
        reports = client(server.url).backend_status()
    assert [each.slug for each in reports] == ["emis"]
    assert len(reports.faults) == 2


def test_a_backend_report_is_read_whole() -> None:
    with serving(json_reply({"backends": [{**BACKEND, "new": 1}]})) as server:
        (report,) = client(server.url).backend_status()
    assert report.last_seen == datetime(2026, 1, 5, 9, 30, 12, 482913, tzinfo=UTC)
    assert (report.paused, report.paused_since) == (False, None)
    assert report.db_maintenance
    assert report.db_maintenance_since == datetime(2026, 1, 5, 2, 0, 3, 100200, tzinfo=UTC)
    assert report.db_maintenance_type == "scheduled"
