"""The simulator as Airlock: its requests are Airlock's own, and it plays a whole release with the real programs."""

import json
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from jobserver.models import Base, ReleaseFile, ReleaseRequest, User, utcnow
from jobserver.scripts import demonstration
from jobserver.security import level4
from simulator.airlock import __main__ as command
from simulator.airlock import files, reactions
from simulator.airlock.client import Answer, Client, Event
from simulator.airlock.files import OutputFile
from simulator.testing import running_simulator
from tests.browser.conftest import System, free_port
from tests.conftest import ROOT
from tests.contract.airlock import Exchange, recorded
from tests.contract.recorded import Asked, Reply, html_reply, json_reply, refusing_url, serving
from tests.contract.test_simulator_process import call
from tests.unit.rap.eventually import eventually

DEMONSTRATION = ROOT / "simulator" / "demo.json"
SECRET_KEY = "a key for Airlock's tests only"
ULID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")


@dataclass
class Run:
    """What the command printed, its exit status, and the id it gave to the request."""

    status: int
    lines: list[str]

    @property
    def request_id(self) -> str:
        found = ULID.search(self.lines[0])
        assert found
        return found[0]

    def about(self, step: str) -> list[str]:
        """The lines about a step, without its name."""
        return [line for line in self.lines if line[2:].startswith(step)]


Play = Callable[..., Run]


@pytest.fixture
def play(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Play:
    """The command with these arguments, against a server."""
    monkeypatch.setenv(command.TOKEN_VARIABLE, "backend-token")

    def run(site: str, *arguments: str) -> Run:
        status = command.main(["--server", f"{site}/api/v2", *arguments])
        return Run(status, capsys.readouterr().out.splitlines())

    return run


@contextmanager
def noting() -> Iterator[tuple[str, list[bytes]]]:
    """A server that notes what arrives byte for byte, and says 201 to all of it."""
    arrived: list[bytes] = []
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as stream:
                request = b""
                while not request.endswith(b"\r\n\r\n"):
                    request += stream.readline()
                length = re.search(rb"(?i)\ncontent-length: (\d+)", request)
                request += stream.read(int(length[1])) if length else stream.readline() + stream.readline()
                arrived.append(request)
                connection.sendall(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", arrived
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(5)


def send_as_recorded(client: Client, exchange: Exchange) -> Answer:
    """Have the client make the call that was recorded."""
    user, last = exchange.headers.get("OS-User", ""), exchange.path.rpartition("/")[2]
    if "/release/" in exchange.path:
        name = exchange.headers["Content-Disposition"].removeprefix('attachment; filename="')[:-1]
        content = exchange.body.encode()
        return client.upload(last, OutputFile(name, len(content), "", "", content), user)
    body = json.loads(exchange.body)
    if "/workspace/" in exchange.path:
        keys = ("name", "size", "sha256", "date")
        outputs = [OutputFile(*(each[key] for key in keys), b"") for each in body["files"]]
        return client.create_release(last, body["metadata"]["airlock_id"], outputs, user)
    if last == "authenticate":
        return client.authenticate(body["user"], body["token"])
    if last == "authorise":
        return client.authorise(body["user"])
    checking = (body.pop("org"), body.pop("repo")) if "org" in body else None
    return client.tell(Event(**body, checking=checking))


def test_its_requests_are_those_that_a_real_airlock_sent() -> None:
    exchanges = recorded()
    with noting() as (site, arrived):
        client = Client(f"{site}/api/v2", "backend-token")
        for exchange in exchanges:
            assert send_as_recorded(client, exchange).status == 201, exchange.name
    assert len(arrived) == len(exchanges) > 30
    for exchange, request in zip(exchanges, arrived, strict=True):
        head, _, body = request.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        assert first == f"{exchange.method} {exchange.path} HTTP/1.1"
        sent = dict(line.split(": ", 1) for line in lines)
        assert sent.items() >= exchange.headers.items(), exchange.name
        chunked = "Transfer-Encoding" in exchange.headers
        assert ("Content-Length" not in sent) == chunked, exchange.name
        assert body == (b"0\r\n\r\n" if chunked else exchange.body.encode()), exchange.name


def test_a_name_that_no_header_can_carry_is_never_sent() -> None:
    with noting() as (site, arrived):
        content = OutputFile("output/名.txt", 1, "", "", b"x")
        answer = Client(f"{site}/api/v2", "token").upload("release", content, "checker")
    assert (answer.status, arrived) == (None, [])
    assert "tried again every minute" in reactions.upload(answer, content.name).words


NOT_JSON, LIST = Answer(201, "<h1>Hello</h1>"), Answer(400, '["too large"]')
ALREADY = Answer(
    400, "{\"detail\": \"This version of 'a.csv' has already been uploaded from backend 'tpp'\"}"
)


@pytest.mark.parametrize(
    ("reaction", "fine", "words"),
    [
        (reactions.authenticate(Answer(200, '{"username": "ada"}')), True, "signed in"),
        (reactions.authenticate(Answer(200, "{}")), False, "500 page"),
        (reactions.authenticate(Answer(500, "<p>")), False, "invalid user or token"),
        (
            reactions.authorise(Answer(200, '{"username": "ada", "workspaces": {"a": {}}}')),
            True,
            "1 workspace",
        ),
        (reactions.authorise(Answer(404, '{"detail": "No"}')), False, "old permissions stay.*No$"),
        (reactions.create(Answer(201, "", {"Release-Id": "A"})), True, "^release A$"),
        (reactions.create(Answer(200, "", {"Release-Id": "A"})), True, "an error is logged"),
        (reactions.create(Answer(201, "{}")), False, "500 page"),
        (reactions.create(Answer(403, "{}")), False, "permission denied"),
        (reactions.create(Answer(409, "{}")), False, "contact tech-support"),
        (reactions.create(Answer(None, "cannot connect")), False, "500 page: cannot connect"),
        (reactions.upload(Answer(201), "a.csv"), True, "^uploaded$"),
        (reactions.upload(ALREADY, "a.csv"), True, "counts as uploaded"),
        (reactions.upload(ALREADY, "b.csv"), False, "the log shows: This version of 'a.csv'"),
        (reactions.upload(Answer(200, ALREADY.text), "a.csv"), False, "tried again"),
        (reactions.upload(LIST, "a.csv"), False, "the log does not show the answer"),
        (reactions.event(Answer(201, '{"status": "ok"}')), True, "^logged$"),
        (reactions.event(Answer(201, '{"status": "error", "message": "why"}')), False, "never repeated: why"),
        (reactions.event(Answer(403, '{"detail": "Invalid token"}')), False, "never repeated: Invalid token"),
        (reactions.event(NOT_JSON), False, "500 page, though the state has changed"),
        (reactions.event(Answer(None, "cannot connect")), False, "500 page, though"),
    ],
)
def test_it_makes_of_an_answer_what_airlock_does(
    reaction: reactions.Reaction, fine: bool, words: str
) -> None:
    assert reaction.fine is fine
    assert re.search(words, reaction.words), reaction.words


WORKSPACE = {"project_details": {"name": "A", "ongoing": True, "orgs": []}, "archived": False}
PERMISSIONS = {"username": "anybody", "workspaces": {"asthma-main": WORKSPACE}, "output_checker": True}


def stub(**replies: Reply | list[Reply]) -> Callable[[Asked], Reply]:
    """A server that does well but for some addresses, by a word in them; of a list, one reply after the other."""
    good = {
        "authorise": json_reply(PERMISSIONS),
        "events": json_reply({"status": "ok"}, 201),
        "workspace": json_reply(
            {"release_url": "http://site/o/p/w/releases/A/"}, 201, headers={"Release-Id": "A"}
        ),
        "release/": Reply(201),
    }

    def answer(asked: Asked) -> Reply:
        for word, reply in {**replies, **good}.items():
            if word in asked.path:
                wanted = replies.get(word, reply)
                if isinstance(wanted, list):
                    return wanted.pop(0) if len(wanted) > 1 else wanted[0]
                return wanted
        return Reply(404)

    return answer


@pytest.mark.parametrize(
    ("replies", "status", "words"),
    [
        ({}, 0, "Nothing would have failed"),
        (
            {"authorise": json_reply({"detail": "Invalid token"}, 403)},
            1,
            "old permissions stay.*Invalid token",
        ),
        ({"authorise": json_reply({**PERMISSIONS, "workspaces": {}})}, 1, "researcher cannot make a release"),
        ({"authorise": json_reply({**PERMISSIONS, "output_checker": False})}, 1, "checker cannot review"),
        ({"events": html_reply()}, 1, "logged as an error and never repeated"),
        ({"workspace": html_reply(500)}, 1, "contact tech-support.*\n! Airlock ends here"),
        ({"release/": html_reply(503)}, 1, "the request never becomes released: 1 of 1 file"),
        ({"release/": Reply(hang_up=True)}, 1, "tried again every minute, without end: cannot connect"),
    ],
)
def test_an_answer_that_fails_in_airlock_is_named_and_ends_the_command_with_1(
    replies: dict[str, Any], status: int, words: str, play: Play, tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_text("a,b\n")
    (tmp_path / ".hidden.csv").touch()
    with serving(stub(**replies)) as server:
        run = play(server.url, "--files", str(tmp_path))
    assert run.status == status
    assert re.search(words, "\n".join(run.lines)), run.lines
    assert "Left out, for Airlock releases no such file: .hidden.csv" in run.lines[0]


def test_what_is_missing_is_uploaded_until_it_is_there(play: Play, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n")
    answers = [html_reply(503), json_reply({"detail": "full"}, 507), Reply(201)]
    with serving(stub(**{"release/": answers})) as server:
        run = play(server.url, "--files", str(tmp_path), "--keep-uploading", "--retry-delay", "0")
    assert [re.findall(r" (\d{3})  ", line)[0] for line in run.about("upload")] == [
        "503",
        "507",
        "201",
        "201",
    ]
    assert run.status == 0


def test_a_server_that_is_not_there_and_wrong_arguments_are_named(
    play: Play, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    run = play(refusing_url())
    assert (run.status, "Connection refused" in "\n".join(run.lines)) == (1, True)
    monkeypatch.delenv(command.TOKEN_VARIABLE)
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    for arguments, words in (
        ([], "no backend token: .*tpp-token cannot be read"),
        (["--org", "a"], "--org and --repo go together"),
        (["--reject", "--withdraw"], "not both"),
        (["--token", "x", "--files", str(tmp_path)], "nothing below"),
    ):
        with pytest.raises(SystemExit) as ended:
            command.main(arguments)
        assert ended.value.code == 2
        assert re.search(words, capsys.readouterr().err)


def test_playing_airlock_imports_nothing_of_the_application() -> None:
    script = "import sys, simulator.airlock.__main__; print([name for name in sys.modules if name.split('.')[0] == 'jobserver'])"
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert ended.stdout == "[]\n"


@pytest.fixture(scope="module")
def system(postgres: str, engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Web server and worker on the demonstration, beside the simulated world."""
    folder, port = tmp_path_factory.mktemp("system"), free_port()
    content = demonstration.read(DEMONSTRATION)
    with Session(engine) as db:
        demonstration.load(db, content)
        demonstration.hand_out_tokens(db, content, folder / "airlock")
        db.execute(text("DELETE FROM procrastinate_jobs"))
        db.commit()
    with running_simulator(folder / "world", speed=0) as world:
        environment = {
            **os.environ,
            "JOBSERVER_INI": str(ROOT / "development.ini"),
            "BASE_URL": f"http://127.0.0.1:{port}",
            "DATABASE_URL": postgres,
            "SECRET_KEY": SECRET_KEY,
            "RELEASE_STORAGE": str(folder / "releases"),
            "GITHUB_URL": world.github_url,
            "GITHUB_API_URL": world.github_api_url,
            "JOBSERVER_GITHUB_TOKEN": world.github_token,
            "OPENCODELISTS_URL": world.opencodelists_url,
            "RAP_API_BASE_URL": world.rap_url,
            "SLACK_API_URL": world.slack_url,
            "SLACK_BOT_TOKEN": world.slack_token,
            "SMTP_URL": world.smtp_url,
        }
        running = System(f"http://127.0.0.1:{port}", world, environment, folder / "programs.log")
        running.start("web", "--host", "127.0.0.1", "--port", str(port))
        running.start("worker")
        try:
            running.wait_until_ready()
            yield running
        finally:
            running.stop()
    with engine.begin() as connection:
        tables = ", ".join(f'"{table.name}"' for table in Base.metadata.sorted_tables)
        connection.execute(text(f"TRUNCATE {tables}, procrastinate_jobs RESTART IDENTITY CASCADE"))


def issues_of(world: Any, request_id: str) -> list[tuple[str, list[str]]]:
    """The issues made of a request: their states and labels."""
    path = "/api/github/repos/ebmdatalab/opensafely-output-review/issues?state=all"
    found = call(f"{world.base_url}{path}", token=f"token {world.github_token}")
    return [
        (each["state"], [label["name"] for label in each["labels"]])
        for each in found
        if request_id in each["title"]
    ]


def test_whole_requests_go_through_and_people_are_told(
    system: System, engine: Engine, play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(command.TOKEN_VARIABLE)
    monkeypatch.setenv("DATA_DIR", str(system.log.parent))
    words = level4.new_token()
    with Session(engine) as db:
        researcher = db.scalars(select(User).where(User.username == "researcher")).one()
        researcher.login_token = level4.hashed(words, SECRET_KEY)
        researcher.login_token_expires_at = utcnow() + timedelta(hours=1)
        db.commit()
    site, world = system.base_url, system.world
    released = play(site, "--return", "--login-token", words)
    assert (released.status, [line for line in released.lines if line.startswith("!")]) == (0, [])
    assert len(released.about("upload")) == len(files.made_up("")) + 1
    assert "counts as uploaded" in released.about("upload")[-1]
    assert "signed in" in released.about("authenticate")[0]
    address = f"/demo-university/asthma-in-adults/asthma-main/releases/{released.request_id}/"
    assert any(line.endswith(site + address) for line in released.lines)
    runs = {
        "released": released,
        "rejected": play(site, "--reject"),
        "withdrawn": play(site, "--withdraw"),
        "withdrawn after": play(site, "--return", "--withdraw"),
    }
    assert {name: run.status for name, run in runs.items()} == dict.fromkeys(runs, 0)
    with Session(engine) as db:
        for name, run in runs.items():
            assert db.get_one(ReleaseRequest, run.request_id).state == name.split()[0]
        uploaded = db.scalars(select(ReleaseFile.name).where(ReleaseFile.uploaded_at.is_not(None))).all()
    assert set(uploaded) == {each.name for each in files.made_up("")}
    for name, run in runs.items():
        wanted = [] if name == "withdrawn" else [("closed", ["external"])]
        eventually(lambda run=run, wanted=wanted: issues_of(world, run.request_id) == wanted)
    subjects = sorted(each["subject"].split(":")[0] for each in world.mails())
    assert "Files released" in subjects
    assert len([each for each in subjects if each == "Release request returned"]) == 2
    refused = play(site, "--author", "other-researcher")
    assert (refused.status, "asthma-main is not among their workspaces" in refused.lines[-3]) == (1, True)
