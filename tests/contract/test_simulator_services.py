"""The simulated OpenCodelists, Slack and mail server, and the simulator's own pages."""

import json
import smtplib
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest

from simulator.testing import RunningSimulator, running_simulator

STUDY = Path(__file__).parents[2] / "simulator" / "studies" / "asthma-study" / "codelists"


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSimulator]:
    with running_simulator(tmp_path_factory.mktemp("simulator"), speed=0) as running:
        yield running


@pytest.fixture(autouse=True)
def _clean(simulator: RunningSimulator) -> None:
    simulator.control(reset=True, clear=["mail", "slack", "requests"])


def post(url: str, body: str, **headers: str) -> dict[str, Any]:
    with urlopen(Request(url, body.encode(), headers), timeout=10) as answer:
        parsed: dict[str, Any] = json.load(answer)
        return parsed


def page(simulator: RunningSimulator, path: str) -> str:
    with urlopen(f"{simulator.base_url}{path}", timeout=10) as answer:
        return str(answer.read().decode())


def check(simulator: RunningSimulator, codelists: str, manifest: str) -> str:
    body = urlencode({"codelists": codelists, "manifest": manifest})
    return str(post(f"{simulator.opencodelists_url}/api/v1/check/", body)["status"])


def test_a_study_with_current_codelists_is_in_order(simulator: RunningSimulator) -> None:
    listed, manifest = (STUDY / "codelists.txt").read_text(), (STUDY / "codelists.json").read_text()
    assert check(simulator, listed, manifest) == "ok"


def test_a_codelist_that_was_added_but_not_fetched_is_noticed(simulator: RunningSimulator) -> None:
    listed, manifest = (STUDY / "codelists.txt").read_text(), (STUDY / "codelists.json").read_text()
    assert check(simulator, f"{listed}\nsomebody/new/2025-01-01\n", manifest) == "error"


def test_a_codelist_that_changed_since_is_noticed(simulator: RunningSimulator) -> None:
    name = f"{simulator.config.simulator.stale_codelists[0]}/2024-01-01"
    assert check(simulator, name, json.dumps({"files": {"x.csv": {"id": name}}})) == "error"


def test_a_codelist_can_go_stale_at_any_time_until_the_next_reset(simulator: RunningSimulator) -> None:
    listed, manifest = (STUDY / "codelists.txt").read_text(), (STUDY / "codelists.json").read_text()
    simulator.control(stale_codelists=["demo-university/asthma-inhalers/2024-03-04"])
    assert check(simulator, listed, manifest) == "error"
    simulator.control(reset=True)
    assert check(simulator, listed, manifest) == "ok"


@pytest.mark.parametrize("manifest", ["", "[]", "{", '{"files": []}'])
def test_a_manifest_that_is_no_manifest_is_an_error(simulator: RunningSimulator, manifest: str) -> None:
    assert check(simulator, "somebody/list/2025-01-01", manifest) == "error"


def test_comments_and_blank_lines_are_no_codelists(simulator: RunningSimulator) -> None:
    assert check(simulator, "# none yet\n\n", '{"files": {}}') == "ok"


def slack(simulator: RunningSimulator, token: str | None, **body: str) -> dict[str, Any]:
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    return post(f"{simulator.slack_url}chat.postMessage", json.dumps(body), **headers)


def test_a_message_to_slack_is_kept(simulator: RunningSimulator) -> None:
    answer = slack(simulator, simulator.slack_token, channel="co-pilot-support", text="A <b>project</b>")
    assert (answer["ok"], answer["channel"]) == (True, "co-pilot-support")
    assert [(each["channel"], each["text"]) for each in simulator.slack_posts()] == [
        ("co-pilot-support", "A <b>project</b>")
    ]
    assert "A &lt;b&gt;project&lt;/b&gt;" in page(simulator, "/slack/")


@pytest.mark.parametrize(
    ("token", "body", "error"),
    [
        (None, {"channel": "c", "text": "t"}, "not_authed"),
        ("guess", {"channel": "c", "text": "t"}, "invalid_auth"),
        ("demo-slack-token", {"text": "t"}, "channel_not_found"),
        ("demo-slack-token", {"channel": "c"}, "no_text"),
    ],
)
def test_slack_refuses_in_its_own_way(
    simulator: RunningSimulator, token: str | None, body: dict[str, str], error: str
) -> None:
    assert slack(simulator, token, **body) == {"ok": False, "error": error}
    assert simulator.slack_posts() == []


def letter() -> EmailMessage:
    message = EmailMessage()
    message["From"] = "notifications@jobs.opensafely.org"
    message["To"] = "rosalind.hale@demo-university.example"
    message["Subject"] = "failed: [os asthma-main] survival_model – ünïcode"
    message.set_content("Status: failed\n.a line that begins with a full stop\n")
    message.add_alternative("<p>Status: <b>failed</b></p>", subtype="html")
    return message


def test_mail_is_kept_with_both_parts(simulator: RunningSimulator) -> None:
    with smtplib.SMTP("127.0.0.1", simulator.smtp_port, timeout=10) as server:
        server.send_message(
            letter(), to_addrs=["rosalind.hale@demo-university.example", "hidden@example.org"]
        )
    [mail] = simulator.mails()
    assert mail["subject"] == "failed: [os asthma-main] survival_model – ünïcode"
    assert mail["recipients"] == ["rosalind.hale@demo-university.example", "hidden@example.org"]
    assert mail["text"] == "Status: failed\n.a line that begins with a full stop\n"
    assert "<b>failed</b>" in mail["html"]
    assert simulator.requests("smtp")[-1]["sender"] == "notifications@jobs.opensafely.org"


def test_mail_can_be_read_on_a_page_that_runs_nothing(simulator: RunningSimulator) -> None:
    with smtplib.SMTP("127.0.0.1", simulator.smtp_port, timeout=10) as server:
        server.send_message(letter())
    number = simulator.mails()[0]["id"]
    assert f'href="/mail/{number}/"' in page(simulator, "/mail/")
    shown = page(simulator, f"/mail/{number}/")
    assert '<iframe sandbox title="HTML part" srcdoc="&lt;p&gt;Status: &lt;b&gt;failed' in shown


def test_several_messages_can_be_sent_in_one_conversation(simulator: RunningSimulator) -> None:
    with smtplib.SMTP("127.0.0.1", simulator.smtp_port, timeout=10) as server:
        for _ in range(2):
            server.send_message(letter())
        assert server.noop()[0] == 250
        assert server.docmd("VRFY somebody")[0] == 502
        assert server.docmd("DATA")[0] == 503
    assert len(simulator.mails()) == 2


def test_a_message_that_was_never_written_has_no_page(simulator: RunningSimulator) -> None:
    with pytest.raises(HTTPError) as refusal:
        page(simulator, "/mail/99999/")
    refusal.value.close()
    assert refusal.value.code == 404


@pytest.mark.parametrize("path", ["/", "/mail/", "/slack/", "/control/", "/controller/v1/docs/"])
def test_the_simulators_own_pages_open(simulator: RunningSimulator, path: str) -> None:
    assert "<h1>" in page(simulator, path)


def test_the_controllers_own_description_lists_its_endpoints(simulator: RunningSimulator) -> None:
    spec = json.loads(page(simulator, "/controller/v1/spec.json"))
    assert set(spec["paths"]) == {"/backend/status/", "/rap/create/", "/rap/cancel/", "/rap/status/"}
