"""Every fault that can be asked for really happens, and only where it was asked for."""

import json
import smtplib
import socket
import time
from collections.abc import Iterator
from http.client import BadStatusLine, HTTPConnection, IncompleteRead, RemoteDisconnected
from typing import Any
from urllib.parse import urlencode, urlsplit
from urllib.request import Request, urlopen

import pytest

from simulator.testing import ControlRefused, RunningSimulator, running_simulator

PATHS = {
    "rap": "/controller/v1/backend/status/",
    "github": "/api/github/repos/other-institute/diabetes-study",
    "oauth": "/github/login/oauth/authorize?client_id=demo-client-id&redirect_uri=http://localhost/",
    "opencodelists": "/opencodelists/api/v1/check/",
    "slack": "/slack/api/chat.postMessage",
}
POSTED = {"opencodelists", "slack"}


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSimulator]:
    with running_simulator(tmp_path_factory.mktemp("simulator"), speed=0) as running:
        yield running


@pytest.fixture(autouse=True)
def _clean(simulator: RunningSimulator) -> None:
    simulator.control(reset=True, clear=["mail", "requests", "slack"])


def ask(
    simulator: RunningSimulator, service: str, path: str | None = None, **headers: str
) -> tuple[int, str, bytes]:
    """Status, content type and body of one request to a service."""
    connection = HTTPConnection(urlsplit(simulator.base_url).netloc, timeout=10)
    try:
        sent = {"Authorization": simulator.rap_token} if service == "rap" else {}
        method = "POST" if service in POSTED else "GET"
        connection.request(
            method, path or PATHS[service], "a=b" if service in POSTED else None, {**sent, **headers}
        )
        response = connection.getresponse()
        return response.status, response.getheader("Content-Type", ""), response.read()
    finally:
        connection.close()


def fault(simulator: RunningSimulator, service: str, kind: str, **more: Any) -> None:
    simulator.control(fault={"service": service, "kind": kind, **more})


@pytest.mark.parametrize("service", PATHS)
def test_a_service_is_slow(simulator: RunningSimulator, service: str) -> None:
    fault(simulator, service, "slow", seconds=0.3)
    before = time.monotonic()
    assert ask(simulator, service)[0] == 200
    assert time.monotonic() - before >= 0.3


@pytest.mark.parametrize("service", PATHS)
def test_a_service_closes_without_an_answer(simulator: RunningSimulator, service: str) -> None:
    fault(simulator, service, "refuse")
    with pytest.raises((RemoteDisconnected, ConnectionResetError)):
        ask(simulator, service)


@pytest.mark.parametrize("service", PATHS)
@pytest.mark.parametrize("status", [401, 403, 404, 500, 503])
def test_a_service_answers_with_an_error(simulator: RunningSimulator, service: str, status: int) -> None:
    fault(simulator, service, "status", status=status)
    assert ask(simulator, service)[0] == status


@pytest.mark.parametrize("service", PATHS)
def test_a_service_answers_with_a_page_instead_of_json(simulator: RunningSimulator, service: str) -> None:
    fault(simulator, service, "html")
    status, kind, body = ask(simulator, service)
    assert (status, kind) == (200, "text/html; charset=utf-8")
    assert body.startswith(b"<!doctype html>")


@pytest.mark.parametrize("service", ["rap", "github", "opencodelists", "slack"])
def test_an_answer_is_cut_short(simulator: RunningSimulator, service: str) -> None:
    whole = ask(simulator, service)[2]
    fault(simulator, service, "truncated")
    status, kind, body = ask(simulator, service)
    assert (status, kind.split(";")[0]) == (200, "application/json")
    assert whole.startswith(body)
    with pytest.raises(json.JSONDecodeError):
        json.loads(body)


@pytest.mark.parametrize("service", PATHS)
def test_the_connection_breaks_in_the_middle_of_an_answer(simulator: RunningSimulator, service: str) -> None:
    fault(simulator, service, "drop")
    with pytest.raises(IncompleteRead):
        ask(simulator, service)


def test_githubs_hourly_limit_is_used_up(simulator: RunningSimulator) -> None:
    fault(simulator, "github", "rate_limit")
    status, _, body = ask(simulator, "github")
    assert status == 403
    assert "rate limit exceeded" in json.loads(body)["message"]


def test_only_the_named_service_and_paths_are_hit(simulator: RunningSimulator) -> None:
    fault(simulator, "github", "status", path="/api/github/orgs/")
    assert ask(simulator, "github")[0] == 200
    assert ask(simulator, "github", "/api/github/orgs/other-institute/repos")[0] == 500
    assert ask(simulator, "rap")[0] == 200


def test_a_fault_can_be_limited_to_some_requests(simulator: RunningSimulator) -> None:
    fault(simulator, "rap", "status", count=2)
    assert [ask(simulator, "rap")[0] for _ in range(3)] == [500, 500, 200]


def test_a_request_may_take_effect_although_its_answer_is_lost(simulator: RunningSimulator) -> None:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {simulator.slack_token}"}
    request = Request(f"{simulator.slack_url}chat.postMessage", b'{"channel": "c", "text": "t"}', headers)
    for processed in (False, True):
        simulator.control(reset=True)
        fault(simulator, "slack", "refuse", processed=processed)
        with pytest.raises((ConnectionError, BadStatusLine)):
            urlopen(request, timeout=10)
        assert len(simulator.slack_posts()) == int(processed)


def test_reset_puts_everything_in_order(simulator: RunningSimulator) -> None:
    fault(simulator, "rap", "status")
    simulator.control(backend={"slug": "tpp", "paused": True, "db_maintenance": "manual", "agent": False})
    state = simulator.control(reset=True)
    assert state["faults"] == []
    assert {"slug": "tpp", "paused": False, "db_maintenance": "off", "agent": True} in state["backends"]
    assert ask(simulator, "rap")[0] == 200


def send_mail(simulator: RunningSimulator, timeout: float = 5) -> None:
    with smtplib.SMTP("127.0.0.1", simulator.smtp_port, timeout=timeout) as server:
        server.sendmail("a@example.org", ["b@example.org"], "Subject: Hello\r\n\r\nText\r\n")


@pytest.mark.parametrize(
    ("more", "refusal"),
    [
        ({"kind": "refuse"}, smtplib.SMTPServerDisconnected),
        ({"kind": "html"}, (smtplib.SMTPException, ValueError)),
        ({"kind": "truncated"}, (smtplib.SMTPException, ValueError)),
        ({"kind": "drop"}, smtplib.SMTPServerDisconnected),
        ({"kind": "status", "status": 401}, smtplib.SMTPSenderRefused),
        ({"kind": "status", "status": 403}, smtplib.SMTPRecipientsRefused),
        ({"kind": "status", "status": 404}, smtplib.SMTPRecipientsRefused),
        ({"kind": "status", "status": 500}, smtplib.SMTPDataError),
    ],
)
def test_the_mail_server_fails(simulator: RunningSimulator, more: dict[str, Any], refusal: Any) -> None:
    simulator.control(fault={"service": "smtp", "count": 1, **more})
    with pytest.raises(refusal):
        send_mail(simulator)
    assert simulator.mails() == []
    send_mail(simulator)
    assert len(simulator.mails()) == 1


def test_the_mail_server_is_slow(simulator: RunningSimulator) -> None:
    simulator.control(fault={"service": "smtp", "kind": "slow", "seconds": 1, "count": 1})
    with pytest.raises((TimeoutError, socket.timeout, smtplib.SMTPException)):
        send_mail(simulator, timeout=0.2)


def test_the_last_requests_can_be_looked_at_without_secrets(simulator: RunningSimulator) -> None:
    ask(simulator, "rap")
    [entry] = simulator.requests("rap")
    assert (entry["method"], entry["path"], entry["status"]) == ("GET", PATHS["rap"], 200)
    assert entry["headers"]["Authorization"] == "***"
    body = urlencode({"client_id": "demo-client-id", "client_secret": "hush", "code": "hush-too"}).encode()
    with urlopen(f"{simulator.github_url}/login/oauth/access_token", body, timeout=10):
        pass
    assert simulator.requests("oauth")[-1]["body"] == "client_id=demo-client-id&client_secret=***&code=***"


def test_requests_that_met_a_fault_are_remembered_too(simulator: RunningSimulator) -> None:
    fault(simulator, "github", "status", status=503)
    ask(simulator, "github")
    assert [entry["status"] for entry in simulator.requests("github")] == [503]


@pytest.mark.parametrize(
    ("commands", "words"),
    [
        ({"fault": {"service": "fax", "kind": "slow"}}, "fault.service"),
        ({"fault": {"service": "rap", "kind": "explode"}}, "fault.kind"),
        ({"faults": [{"service": "rap", "kind": "slow", "seconds": -1}]}, "faults.0.seconds"),
        ({"backend": {"slug": "nowhere"}}, "no backend 'nowhere'; there are: tpp, emis"),
        ({"step": {"backend": "nowhere"}}, "no backend 'nowhere'"),
        ({"speed": -1}, "speed"),
        ({"colour": "blue"}, "colour"),
    ],
)
def test_a_command_that_makes_no_sense_is_refused_by_name(
    simulator: RunningSimulator, commands: dict[str, Any], words: str
) -> None:
    with pytest.raises(ControlRefused, match=words):
        simulator.control(**commands)


def test_an_unknown_service_has_no_requests(simulator: RunningSimulator) -> None:
    with pytest.raises(ControlRefused, match="no service 'fax'"):
        simulator.requests("fax")


def form(simulator: RunningSimulator, **fields: str) -> None:
    with urlopen(f"{simulator.base_url}/control/", urlencode(fields).encode(), timeout=10) as answer:
        assert "<h1>Control</h1>" in answer.read().decode()


def test_the_same_can_be_done_by_hand(simulator: RunningSimulator) -> None:
    form(simulator, what="fault", service="rap", kind="status", seconds="", status="503", path="", count="1")
    assert ask(simulator, "rap")[0] == 503
    form(simulator, what="backend", slug="tpp", paused="true", db_maintenance="", agent="")
    form(simulator, what="speed", speed="0")
    paused = {"slug": "tpp", "paused": True, "db_maintenance": "off", "agent": True}
    state = simulator.control()
    assert paused in state["backends"]
    assert state["speed"] == 0
    form(simulator, what="reset")
    assert paused not in simulator.control()["backends"]


def test_speed_can_be_changed_while_it_runs(simulator: RunningSimulator) -> None:
    simulator.control(speed=50)
    deadline = time.monotonic() + 5
    while b'"last_seen": null' in ask(simulator, "rap")[2] and time.monotonic() < deadline:
        time.sleep(0.02)
    simulator.control(speed=0)
    assert b'"last_seen": null' not in ask(simulator, "rap")[2]
