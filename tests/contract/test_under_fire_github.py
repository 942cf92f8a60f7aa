"""Under fire: whatever GitHub and OpenCodelists answer, the run form answers, says why, and sends nothing."""

import base64
import json
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from jobserver import make_app
from jobserver.clients.github import FileUnusable, GitHubClient
from jobserver.clients.opencodelists import OpenCodelistsClient
from jobserver.clients.transport import MEGABYTE, Limits
from jobserver.models import JobRequest
from jobserver.pipeline import PipelineInvalid, parse
from jobserver.studies import StudyReader
from tests import factories as f
from tests.conftest import make_settings
from tests.contract.recorded import Asked, Reply, html_reply, json_reply, serving
from tests.unit.studies.world import PLAIN
from tests.web.conftest import Browser

SHA = "5f0c1b7e9a4d3c2b1a0f9e8d7c6b5a4f3e2d1c0b"
HTML = """<script>alert(1)</script>"'&"""
MISSING = json_reply({"message": "Not Found", "status": "404"}, 404)


def file_reply(data: bytes, **more: Any) -> Reply:
    content = base64.encodebytes(data).decode()
    entry = {"type": "file", "encoding": "base64", "size": len(data), "content": content}
    return json_reply({**entry, "name": "x", "path": "x", "sha": SHA, **more})


def commit_reply(sha: str = SHA, words: str = "Add a table") -> Reply:
    person = {"name": words, "email": words, "date": "2026-01-05T09:30:00Z"}
    commit = {"message": words, "author": person, "committer": person}
    return json_reply({"sha": sha, "commit": commit, "files": [], "parents": []})


@dataclass
class World:
    """GitHub and OpenCodelists in one: what it answers by the end of the path."""

    url: str = ""
    replies: dict[str, Reply] = field(default_factory=dict)
    commits: int = 0
    sha: str = ""

    def reset(self) -> None:
        """A study with codelists, all of it in order."""
        # Always another commit: what was read at one is remembered.
        self.commits += 1
        self.sha = f"{self.commits:040x}"
        branch = {"name": "main", "commit": {"sha": self.sha, "commit": {}}, "protected": False}
        self.replies = {
            "/commits/heads/main": commit_reply(self.sha),
            "/branches/main": json_reply(branch),
            "/contents/project.yaml": file_reply(PLAIN.encode()),
            "/contents/codelists/codelists.txt": file_reply(b"org/list/1"),
            "/contents/codelists/codelists.json": file_reply(b"{}"),
            "/api/v1/check/": json_reply({"status": "ok"}),
            "": json_reply({"name": "x", "private": True, "topics": [], "default_branch": "main"}),
        }

    def answer(self, asked: Asked) -> Reply:
        """What it says."""
        path = unquote(asked.path)
        if path.startswith("/api/repos/"):
            path = "".join(f"/{part}" for part in path.split("/")[5:])
        return self.replies.get(path, MISSING)


@pytest.fixture(scope="module")
def running() -> Iterator[World]:
    world = World()
    with serving(world.answer) as server:
        world.url = server.url
        yield world


@pytest.fixture(scope="module")
def app(running: World, postgres: str, engine: Engine) -> Any:
    made = make_app(make_settings(postgres), engine=engine)
    limits = Limits(connect=1, read=1, size=16 * MEGABYTE)
    github = GitHubClient(f"{running.url}/api", "token", limits=limits)
    codelists = OpenCodelistsClient(running.url, limits=limits)
    made.registry["study_reader"] = StudyReader(github, codelists, limit=4)
    return made


@pytest.fixture
def github(running: World) -> World:
    running.reset()
    return running


@pytest.fixture
def form(app: Any, db: Session) -> "Form":
    """The run form of somebody who may run jobs."""
    membership = f.ProjectMembershipFactory(roles=["ProjectDeveloper"])
    workspace = f.WorkspaceFactory(project=membership.project)
    backend = f.BackendFactory(slug="tpp", name="TPP")
    f.BackendMembershipFactory(backend=backend, user=membership.user)
    web = Browser(app)
    web.sign_in(membership.user).get("/", status=200)
    project = membership.project
    return Form(web, db, f"/{project.org.slug}/{project.slug}/{workspace.name}/run-jobs/")


@dataclass
class Form:
    """Asks for the form, and sends it."""

    web: Browser
    db: Session
    url: str

    def get(self, clock: Callable[[], float] = time.monotonic) -> Any:
        """The page, which came in time: by the wall, or by the processor if that is what is to be spared."""
        began = clock()
        page = self.web.get(self.url, status=200)
        assert clock() - began < 20
        return page

    def send(self, **fields: str) -> Any:
        """What comes of sending it."""
        given = {"backend": "tpp", "requested_actions": "free", **fields}
        return self.web.submit(self.url, given, status="*")

    @property
    def sent(self) -> int:
        """How many requests were made."""
        return int(self.db.scalar(select(func.count(JobRequest.id))) or 0)


def test_all_is_well_when_nothing_is_wrong(github: World, form: Form) -> None:
    """Otherwise the tests below would find trouble whatever they do."""
    page = form.get()
    assert not page.html.select("#trouble")
    assert form.send().status_code == 303
    assert form.sent == 1


PLACES = (
    "/commits/heads/main",
    "/branches/main",
    "/contents/project.yaml",
    "/contents/codelists/codelists.txt",
)
LIMIT = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "4000000000"}
IN_VAIN = {
    "down": Reply(hang_up=True),
    "slow": json_reply({}, wait=3),
    "400": json_reply({"message": "Bad"}, 400),
    "401": json_reply({"message": "Bad credentials"}, 401),
    "403 no JSON": html_reply(403),
    "rate limit": json_reply({"message": "API rate limit exceeded"}, 403, headers=LIMIT),
    "429": json_reply({"message": "slow down"}, 429, headers={"Retry-After": "60"}),
    "500 HTML": html_reply(500),
    "502 empty": Reply(502),
    "HTML where JSON should be": html_reply(200),
    "truncated": json_reply({"sha": SHA, "name": "main"}, cut=9),
    "half JSON": Reply(200, b'{"sha": "5f0c'),
    "null": json_reply(None),
    "a list": json_reply([1, "x", None]),
    "a text": json_reply("main"),
    "an empty object": json_reply({}),
    "other types": json_reply({"sha": 7, "name": ["main"], "commit": "x", "type": 1, "content": {}, "size": "x"}),
    "deep": Reply(200, b"[" * 200_000, {"Content-Type": "application/json"}),
    "elsewhere": Reply(302, headers={"Location": "http://127.0.0.1:9/"}),
    "for ever": Reply(302, headers={"Location": "/api/repos/x/y/commits/heads/main"}),
    "not ready": json_reply({}, 202),
}  # fmt: skip


@pytest.mark.parametrize("reply", IN_VAIN.values(), ids=IN_VAIN.keys())
def test_however_github_answers_the_form_says_why_and_sends_nothing(
    app: Any, github: World, form: Form, reply: Reply
) -> None:
    for place in PLACES:
        github.reset()
        github.replies[place] = reply
        page = form.get()
        title = page.html.select_one("#trouble h2").get_text()
        assert "GitHub" in title, (place, title)
        assert "Try again" in page, place
        assert not page.html.select("input[type=checkbox]"), place
        if reply.wait == 0:
            assert form.send().status_code == 200, place
    assert form.sent == 0


def test_a_repository_that_vanished_after_the_form_was_shown_is_said_to_be_gone(
    github: World, form: Form
) -> None:
    form.get()
    github.replies.clear()
    answer = form.send()
    assert answer.status_code == 200
    assert "does not show us the repository" in answer
    assert form.sent == 0


ODD_CODELISTS = {name: reply for name, reply in IN_VAIN.items() if name not in {"slow", "for ever"}} | {
    "slow": json_reply({"status": "ok"}, wait=3),
    "404": html_reply(404),
    "no status": json_reply({"data": {}}),
    "status of another type": json_reply({"status": True}),
}


@pytest.mark.parametrize("reply", ODD_CODELISTS.values(), ids=ODD_CODELISTS.keys())
def test_however_opencodelists_answers_what_does_not_need_it_can_be_run(
    github: World, form: Form, reply: Reply
) -> None:
    github.replies["/api/v1/check/"] = reply
    page = form.get()
    assert "OpenCodelists could not be reached" in page.html.select_one("#codelists").get_text()
    if reply.wait == 0:
        assert form.send(requested_actions="extract").status_code == 200
        assert form.sent == 0
        assert form.send(requested_actions="free").status_code == 303
        assert form.sent == 1


@pytest.mark.parametrize(
    ("reply", "size"),
    [
        (file_reply(b"# " + b"x" * 9_999_998), "10.0 MB"),
        # What GitHub itself says of files above its own limits.
        (file_reply(b"", size=10_400_000, encoding="none", content=""), "10.4 MB"),
        (json_reply({"message": "too big", "errors": [{"code": "too_large"}]}, 403), "100 MB"),
    ],
)
def test_a_project_yaml_of_10_mb_is_refused_with_its_size(
    github: World, form: Form, reply: Reply, size: str
) -> None:
    github.replies["/contents/project.yaml"] = reply
    page = form.get()
    assert "project.yaml" in page.html.select_one("#trouble").get_text()
    assert size in page.html.select_one("#trouble").get_text()
    assert form.send().status_code == 200
    assert form.sent == 0


def test_the_largest_of_all_files_is_no_fault_of_our_token(github: World, running: World) -> None:
    github.replies["/contents/project.yaml"] = json_reply({"errors": [{"code": "too_large"}]}, 403)
    client = GitHubClient(f"{running.url}/api", "token")
    with pytest.raises(FileUnusable, match="larger than 100 MB"):
        client.read_file("a", "b", "project.yaml", SHA)


def actions(number: int, *, needs: int = 0) -> str:
    """A valid file with so many actions, each of which needs the ones before it."""
    lines = ["version: '5'", "actions:"]
    for each in range(number):
        before = ", ".join(f"a{other}" for other in range(max(0, each - needs), each))
        lines += [f"  a{each}:", f"    run: r:v2 {each}", f"    needs: [{before}]"]
        lines += [f"    outputs: {{moderately_sensitive: {{x: o/{each}.csv}}}}"]
    return "\n".join(lines)


def laughs(first: str, many: str) -> str:
    """Each line stands for ten times the one before it."""
    lines = [f"a: &a {first}"]
    lines += [f"{chr(98 + n)}: &{chr(98 + n)} " + many % ",".join([f"*{chr(97 + n)}"] * 10) for n in range(9)]
    return "\n".join(lines)


BOMBS = {
    "billion laughs": laughs("[x,x,x,x,x,x,x,x,x,x]", "[%s]"),
    "billion merges": laughs("{x: 1, y: 2}", "{<<: [%s]}"),
    "itself": "a: &a [*a]",
    "deep lists": "a: " + "[" * 900_000,
    "deep mappings": "{a: " * 200_000,
    "deep dashes": "- " * 450_000,
    "deep questions": "? " * 450_000,
    "very many values": "[" + "a," * 450_000 + "]",
    "very many keys": "".join(f"k{number}: v\n" for number in range(90_000)),
    "very many tags": "!a " * 300_000,
    "very many documents": "---\n" * 200_000,
    "a huge key": "? " + "k" * 900_000 + "\n: v\n",
    "a huge plain key": "k" * 900_000 + ": v\n",
    "huge keys": "".join(f"? {number}{'k' * 9_900}\n: v\n" for number in range(90)),
    "a huge number": "version: " + "9" * 900_000,
    "a huge sexagesimal": "version: " + ":".join(["59"] * 300_000),
    "an open quotation": '"' + "a\n" * 450_000,
    "a huge text": "a: |\n" + " x\n" * 300_000,
    "a huge command": "version: '5'\nactions:\n  a:\n    run: r:v2 " + "x " * 400_000 + "\n    outputs: {}\n",
    "a huge path": actions(1).replace("o/0.csv", "o/" * 400_000 + "0.csv"),
    "very many actions": actions(3_000),
    "a tangle": actions(500, needs=60),
}


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS.keys())
def test_a_yaml_bomb_costs_seconds_at_most(text: str) -> None:
    assert len(text) < 1_000_000, "else it is refused for its size"
    began = time.process_time()
    with suppress(PipelineInvalid):
        parse(text)
    assert time.process_time() - began < 10


@pytest.mark.parametrize(
    "name", ["billion laughs", "billion merges", "deep lists", "a huge key", "huge keys"]
)
def test_a_yaml_bomb_in_a_study_is_explained_on_the_page(github: World, form: Form, name: str) -> None:
    github.replies["/contents/project.yaml"] = file_reply(BOMBS[name].encode())
    page = form.get(time.process_time)
    assert "Your project.yaml has" in page.html.select_one("#trouble h2").get_text()
    assert len(page.text) < 200_000
    assert form.send().status_code == 200
    assert form.sent == 0


def test_html_in_everything_that_github_gives_is_shown_as_text(github: World, form: Form) -> None:
    name = json.dumps(HTML)
    action = f"  {name}:\n    run: {json.dumps('python:v2 ' + HTML[:25])}\n"
    outputs = f"    outputs: {{moderately_sensitive: {{{name}: {name}}}}}\n    needs: [{name}]\n    {name}: {name}\n"
    for text in (PLAIN + action + outputs, f"{name}: {name}\n{PLAIN}", PLAIN.replace("free:", f"{name}:")):
        github.reset()
        github.replies["/contents/project.yaml"] = file_reply(text.encode())
        github.replies["/commits/heads/main"] = commit_reply(github.sha, HTML)
        for page in (form.get(), form.send(requested_actions=f"no{HTML}"), form.send(backend=HTML)):
            assert "alert(1)" in page
            assert "<script>alert" not in page
            names = {name for element in page.html.find_all() for name in element.attrs}
            assert not [name for name in names if set(name) & set("<>\"'&")]
