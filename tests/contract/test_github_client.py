"""The GitHub client against answers in GitHub's shape, and against every way of answering badly."""

import base64
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

import pytest

from jobserver.clients.github import (
    Commit,
    FileMissing,
    FileUnusable,
    GitHubClient,
    GitHubError,
    GitHubUnauthorised,
    GitHubUnavailable,
    OrganisationMissing,
    RateLimited,
    RefMissing,
    RepoFacts,
    RepositoryMissing,
)
from jobserver.clients.transport import Limits
from tests.contract.recorded import (
    Asked,
    Reply,
    Server,
    Timed,
    html_reply,
    json_reply,
    refusing_url,
    serving,
)

TOKEN = "github-token-that-is-secret"
SHA = "5f0c1b7e9a4d3c2b1a0f9e8d7c6b5a4f3e2d1c0b"
OTHER = "07d5f283bb66f52a49933b016cf8dc144cfc7180"
NOT_FOUND = json_reply({"message": "Not Found", "status": "404"}, 404)
STUDY = ("demo-university", "asthma-study")


def commit_json(sha: str = SHA) -> dict[str, Any]:
    person = {"name": "Zoë Researcher", "email": "zoe@example.org", "date": "2026-01-05T09:30:00Z"}
    return {
        "sha": sha,
        "url": f"https://api.github.com/repos/demo-university/asthma-study/commits/{sha}",
        "commit": {"message": "Add table\n\nand more", "author": person, "committer": person},
        "author": None,
        "files": [],
        "parents": [],
    }


def file_json(data: bytes, path: str = "project.yaml", **more: Any) -> dict[str, Any]:
    encoded = base64.encodebytes(data).decode()
    base = {"type": "file", "encoding": "base64", "size": len(data), "name": path, "path": path}
    return {**base, "sha": OTHER, "content": encoded, **more}


REPO = {
    "name": "asthma-study",
    "full_name": "demo-university/asthma-study",
    "private": True,
    "topics": ["asthma", "research"],
    "default_branch": "main",
}


class GitHub:
    """GitHub's answers by path; what is not there is a 404."""

    def __init__(self) -> None:
        self.replies: dict[str, Reply] = {"": json_reply(REPO)}

    def __call__(self, asked: Asked) -> Reply:
        path = unquote(asked.path)
        prefix = "/api/repos/demo-university/asthma-study"
        if not path.startswith(prefix):
            return NOT_FOUND
        return self.replies.get(path.removeprefix(prefix), NOT_FOUND)


@pytest.fixture
def github() -> GitHub:
    return GitHub()


@pytest.fixture
def server(github: GitHub) -> Iterator[Server]:
    with serving(github) as running:
        yield running


def client(server: Server, limits: Limits | None = None, token: str = TOKEN) -> GitHubClient:
    return GitHubClient(
        server.url + "/api", token, limits=limits or Limits(connect=2, read=3, size=3_000_000)
    )


def paths(server: Server) -> list[str]:
    return [
        unquote(each.path).removeprefix("/api/repos/demo-university/asthma-study") for each in server.asked
    ]


# Commits


@pytest.mark.parametrize("ref", ["main", "v1.0", "feature/new-table", "5f0c1b7", SHA, "größe", "a#b", "50%"])
def test_a_ref_stands_for_a_full_commit(github: GitHub, server: Server, ref: str) -> None:
    github.replies[f"/commits/{ref}"] = json_reply(commit_json())
    commit = client(server).resolve(*STUDY, ref)
    assert commit == Commit(
        SHA, "Add table\n\nand more", "Zoë Researcher", datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
    )
    (asked,) = server.asked
    assert asked.headers["User-Agent"] == "OpenSAFELY Jobs"
    assert asked.headers["Authorization"].lower() in {f"bearer {TOKEN}", f"token {TOKEN}"}


def test_without_a_token_calls_are_anonymous(github: GitHub, server: Server) -> None:
    github.replies["/commits/main"] = json_reply(commit_json())
    client(server, token="").resolve(*STUDY, "main")
    assert "Authorization" not in server.asked[0].headers


@pytest.mark.parametrize("status", [404, 422, 409])
def test_an_unknown_ref_is_told_from_an_unknown_repository(
    github: GitHub, server: Server, status: int
) -> None:
    github.replies["/commits/gone"] = json_reply({"message": "No commit found for SHA: gone"}, status)
    with pytest.raises(RefMissing, match="no branch, tag or commit “gone”"):
        client(server).resolve(*STUDY, "gone")
    del github.replies[""]
    with pytest.raises(RepositoryMissing, match="demo-university/asthma-study was not found on GitHub"):
        client(server).resolve(*STUDY, "gone")


@pytest.mark.parametrize(
    "ref",
    ["", "..", "a/../b", "../../../user", "a b", "a..b", "a~1", "a^", "a:b", "a?b", "*", "-x", "/a", "a/", "a//b",
     "a.lock", "a.", ".a", "a/.b", "@", "a@{1}", "a\\b", "a\nb", "a\x00", "a\x7f"],
)  # fmt: skip
def test_what_git_allows_in_no_name_is_not_asked_for(server: Server, ref: str) -> None:
    with pytest.raises(RefMissing):
        client(server).resolve(*STUDY, ref)
    with pytest.raises(RefMissing):
        client(server).branch_contains(*STUDY, ref, SHA)
    assert server.asked == []


@pytest.mark.parametrize(
    ("owner", "name"),
    [("..", "x"), ("x", ".."), ("x", "."), ("a/b", "c"), ("", "x"), ("x", "y?z"), ("x", "y\n")],
)
def test_a_repository_name_cannot_lead_elsewhere(server: Server, owner: str, name: str) -> None:
    with pytest.raises(RepositoryMissing):
        client(server).repo(owner, name)
    assert server.asked == []


def test_a_full_commit_is_asked_for_once_but_a_branch_every_time(github: GitHub, server: Server) -> None:
    github.replies["/commits/main"] = json_reply(commit_json())
    ours = client(server)
    ours.resolve(*STUDY, "main")
    assert ours.resolve("Demo-University", "Asthma-Study", SHA).sha == SHA
    github.replies["/commits/main"] = json_reply(commit_json(OTHER))
    assert ours.resolve(*STUDY, "main").sha == OTHER
    assert paths(server) == ["/commits/main", "/commits/main"]


@pytest.mark.parametrize(
    "answer", [commit_json(OTHER), {**commit_json(), "sha": "short"}, {}, [], "text", None, 5]
)
def test_an_answer_that_is_not_the_commit_asked_for_is_unavailable(
    github: GitHub, server: Server, answer: object
) -> None:
    github.replies[f"/commits/{SHA}"] = json_reply(answer)
    with pytest.raises(GitHubUnavailable):
        client(server).resolve(*STUDY, SHA)


@pytest.mark.parametrize(
    "change",
    [{"sha": 5}, {"commit": "x"}, {"commit": {}}, {"commit": {"message": 5}}, {"commit": None},
     {"commit": {"message": "m", "author": {"name": "n", "date": "yesterday"}}},
     {"commit": {"message": "m", "author": None}}],
)  # fmt: skip
def test_a_commit_of_another_shape_is_unavailable(
    github: GitHub, server: Server, change: dict[str, object]
) -> None:
    github.replies["/commits/main"] = json_reply({**commit_json(), **change})
    with pytest.raises(GitHubUnavailable):
        client(server).resolve(*STUDY, "main")


# Branches


def branch_json(sha: str = SHA, name: str = "main") -> dict[str, Any]:
    return {"name": name, "commit": {"sha": sha, "url": "https://api.github.com/x"}, "protected": False}


@pytest.mark.parametrize(
    ("status", "contained"), [("behind", True), ("identical", True), ("ahead", False), ("diverged", False)]
)
def test_a_branch_contains_its_ancestors(
    github: GitHub, server: Server, status: str, contained: bool
) -> None:
    github.replies["/branches/main"] = json_reply(branch_json(OTHER))
    github.replies[f"/compare/{OTHER}...{SHA}"] = json_reply({"status": status, "files": [], "commits": []})
    assert client(server).branch_contains(*STUDY, "main", SHA) is contained


def test_a_branch_contains_its_newest_commit_without_comparing(github: GitHub, server: Server) -> None:
    github.replies["/branches/feature/x"] = json_reply(branch_json(name="feature/x"))
    assert client(server).branch_contains(*STUDY, "feature/x", SHA)
    assert paths(server) == ["/branches/feature/x"]


def test_a_commit_the_repository_does_not_have_is_on_no_branch(github: GitHub, server: Server) -> None:
    github.replies["/branches/main"] = json_reply(branch_json(OTHER))
    assert client(server).branch_contains(*STUDY, "main", SHA) is False


def test_a_missing_branch_is_told_from_a_missing_repository(github: GitHub, server: Server) -> None:
    with pytest.raises(RefMissing):
        client(server).branch_contains(*STUDY, "gone", SHA)
    del github.replies[""]
    with pytest.raises(RepositoryMissing):
        client(server).branch_contains(*STUDY, "gone", SHA)


def test_a_renamed_branch_is_missing_under_its_old_name(github: GitHub, server: Server) -> None:
    where = {"Location": f"{server.url}/api/repos/demo-university/asthma-study/branches/main"}
    github.replies["/branches/master"] = Reply(301, b"", where)
    github.replies["/branches/main"] = json_reply(branch_json())
    with pytest.raises(RefMissing):
        client(server).branch_contains(*STUDY, "master", SHA)


# Files


def test_a_file_is_read_at_the_commit(github: GitHub, server: Server) -> None:
    text = "version: '4'\r\nactions: {} # naïve 🚀\n"
    github.replies["/contents/analysis/a b#.yaml"] = json_reply(file_json(text.encode()))
    assert client(server).read_file(*STUDY, "analysis/a b#.yaml", SHA) == text
    assert server.asked[0].query == {"ref": [SHA]}


def test_a_renamed_repository_is_followed_with_the_commit_kept(github: GitHub, server: Server) -> None:
    def answer(asked: Asked) -> Reply:
        if asked.path.startswith("/api/repositories/9/contents/"):
            return json_reply(file_json(f"read at {asked.query['ref'][0]}".encode()))
        return Reply(301, b"{}", {"Location": f"/api/repositories/9/contents/project.yaml?ref={SHA}"})

    with serving(answer) as moved:
        assert client(moved).read_file(*STUDY, "project.yaml", SHA) == f"read at {SHA}"
        assert moved.asked[1].headers["Authorization"]


def test_a_redirect_to_another_place_is_not_followed(github: GitHub, server: Server) -> None:
    with serving(json_reply(commit_json())) as elsewhere:
        github.replies["/commits/main"] = Reply(301, b"{}", {"Location": elsewhere.url})
        with pytest.raises(GitHubUnavailable):
            client(server).resolve(*STUDY, "main")
        assert elsewhere.asked == []


def test_redirects_without_end_are_given_up(github: GitHub, server: Server) -> None:
    here = "/api/repos/demo-university/asthma-study/commits/main"
    github.replies["/commits/main"] = Reply(301, b"{}", {"Location": here + "?again"})
    with pytest.raises(GitHubUnavailable):
        client(server).resolve(*STUDY, "main")
    assert len(server.asked) == 4


def test_a_file_at_a_commit_is_asked_for_once(github: GitHub, server: Server) -> None:
    github.replies["/contents/project.yaml"] = json_reply(file_json(b""))
    ours = client(server)
    assert ours.read_file(*STUDY, "project.yaml", SHA) == ""
    assert ours.read_file(*STUDY, "project.yaml", SHA) == ""
    assert ours.exists(*STUDY, "project.yaml", SHA)
    assert len(server.asked) == 1
    ours.read_file(*STUDY, "project.yaml", OTHER)
    assert len(server.asked) == 2


def test_only_the_latest_files_are_remembered(github: GitHub, server: Server) -> None:
    ours = client(server)
    for number in range(65):
        github.replies[f"/contents/{number}"] = json_reply(file_json(b"x"))
        ours.read_file(*STUDY, str(number), SHA)
    ours.read_file(*STUDY, "64", SHA)
    assert len(server.asked) == 65
    ours.read_file(*STUDY, "0", SHA)
    assert len(server.asked) == 66


def test_a_missing_file_is_told_from_a_missing_commit_and_repository(github: GitHub, server: Server) -> None:
    with pytest.raises(RefMissing):
        client(server).read_file(*STUDY, "project.yaml", SHA)
    github.replies[f"/commits/{SHA}"] = json_reply(commit_json())
    with pytest.raises(FileMissing, match=r"no file project\.yaml at commit 5f0c1b7"):
        client(server).read_file(*STUDY, "project.yaml", SHA)
    del github.replies[""]
    with pytest.raises(RepositoryMissing):
        client(server).read_file("demo-university", "other", "project.yaml", SHA)


def test_a_missing_file_is_looked_for_again(github: GitHub, server: Server) -> None:
    github.replies[f"/commits/{SHA}"] = json_reply(commit_json())
    ours = client(server)
    assert not ours.exists(*STUDY, "codelists", SHA)
    github.replies["/contents/codelists"] = json_reply([{"type": "file", "name": "codelists.txt"}])
    assert ours.exists(*STUDY, "codelists", SHA)
    asked = len(server.asked)
    assert ours.exists(*STUDY, "codelists", SHA)
    assert len(server.asked) == asked


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (file_json(b"caf\xe9"), "not UTF-8"),
        (file_json(b"x" * 1_000_001), "larger than 1 MB"),
        (file_json(b"", size=1_200_000, encoding="none", content=""), "larger than 1 MB"),
        ([{"type": "file", "name": "a"}], "not a file"),
        (file_json(b"", type="submodule"), "not a file"),
        (file_json(b"", type="symlink"), "not a file"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(
    github: GitHub, server: Server, answer: object, fault: str
) -> None:
    github.replies["/contents/project.yaml"] = json_reply(answer)
    with pytest.raises(FileUnusable, match=fault):
        client(server).read_file(*STUDY, "project.yaml", SHA)


def test_a_file_of_exactly_the_limit_is_read(github: GitHub, server: Server) -> None:
    github.replies["/contents/project.yaml"] = json_reply(file_json(b"x" * 1_000_000))
    assert len(client(server).read_file(*STUDY, "project.yaml", SHA)) == 1_000_000


@pytest.mark.parametrize(
    "answer",
    [{}, {"type": "file"}, "text", 5, file_json(b"", content=None), file_json(b"", size=None),
     file_json(b"x", content="!"), file_json(b"", content=5), [{}], [5]],
)  # fmt: skip
def test_a_file_of_another_shape_is_an_error_of_ours(github: GitHub, server: Server, answer: object) -> None:
    github.replies["/contents/project.yaml"] = json_reply(answer)
    with pytest.raises(GitHubError):
        client(server).read_file(*STUDY, "project.yaml", SHA)


@pytest.mark.parametrize("path", ["", "/", "../x", "a/../../b", "a//b", "./a", "/etc"])
def test_a_path_cannot_lead_elsewhere(server: Server, path: str) -> None:
    with pytest.raises(FileMissing):
        client(server).read_file(*STUDY, path, SHA)
    assert server.asked == []


@pytest.mark.parametrize("sha", ["main", "5f0c1b7", SHA.upper(), SHA + "\n", ""])
def test_contents_are_only_read_at_a_full_commit(server: Server, sha: str) -> None:
    for ask in (client(server).read_file, client(server).exists):
        with pytest.raises(ValueError, match="resolve it first"):
            ask(*STUDY, "project.yaml", sha)


# Repositories


def test_the_facts_about_a_repository(server: Server) -> None:
    assert client(server).repo(*STUDY) == RepoFacts(True, ("asthma", "research"), "main")


def test_a_repository_we_cannot_see_is_missing(server: Server) -> None:
    with pytest.raises(RepositoryMissing, match="private, renamed or deleted"):
        client(server).repo("demo-university", "secret")


@pytest.mark.parametrize("answer", [{}, {"private": "no"}, {**REPO, "default_branch": None}, [], "x"])
def test_facts_of_another_shape_are_unavailable(github: GitHub, server: Server, answer: object) -> None:
    github.replies[""] = json_reply(answer)
    with pytest.raises(GitHubUnavailable):
        client(server).repo(*STUDY)


def _page(nodes: list[Any], after: str | None = None) -> dict[str, Any]:
    return {"nodes": nodes, "pageInfo": {"hasNextPage": after is not None, "endCursor": after}}


def _node(name: str, refs: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": name,
        "url": f"https://github.com/demo-university/{name}",
        "isPrivate": False,
        "createdAt": "2026-01-05T09:30:00Z",
        "repositoryTopics": {"nodes": [{"topic": {"name": "asthma"}}]},
        "refs": refs,
    }


def test_all_pages_of_repositories_and_branches_are_read() -> None:
    def answer(asked: Asked) -> Reply:
        assert (asked.method, asked.path) == ("POST", "/api/graphql")
        match asked.json()["variables"]:
            case {"org": "demo-university", "name": "b-study", "after": "r1"}:
                return json_reply({"data": {"repository": {"refs": _page([{"name": "y"}])}}})
            case {"org": "demo-university", "after": "p1"}:
                page = _page([_node("b-study", _page([{"name": "x"}], "r1"))])
            case _:
                page = _page([_node("a-study", _page([{"name": "main"}])), _node("empty", None)], "p1")  # type: ignore[arg-type]
        return json_reply({"data": {"organization": {"repositories": page}}})

    with serving(answer) as server:
        found = client(server).repositories("demo-university")
    assert [(each.name, each.branches) for each in found] == [
        ("a-study", ("main",)), ("empty", ()), ("b-study", ("x", "y")),
    ]  # fmt: skip
    assert found[0].created_at == datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
    assert found[0].topics == ("asthma",)


def test_all_pages_of_branches_are_read_with_the_name_that_the_repository_has_now() -> None:
    def answer(asked: Asked) -> Reply:
        match asked.json()["variables"]:
            case {"org": "demo-university", "name": "asthma-study", "after": "b1"}:
                page = _page([{"name": "y"}])
            case {"org": "demo-university", "name": "asthma-study"}:
                page = _page([{"name": f"b{number}"} for number in range(100)], "b1")
        return json_reply({"data": {"repository": {"nameWithOwner": "lab/asthma", "refs": page}}})

    with serving(answer) as server:
        found = client(server).branches(*STUDY)
    assert found.full_name == "lab/asthma"
    assert (len(found.names), found.names[-1]) == (101, "y")


def test_a_repository_without_a_commit_has_no_branch() -> None:
    empty = {"nameWithOwner": "demo-university/asthma-study", "refs": None}
    with serving(json_reply({"data": {"repository": empty}})) as server:
        assert client(server).branches(*STUDY).names == ()


@pytest.mark.parametrize(
    ("found", "error"),
    [
        (None, RepositoryMissing),
        ({"nameWithOwner": None, "refs": _page([])}, GitHubUnavailable),
        ({"nameWithOwner": "a/b", "refs": _page([{"name": 5}])}, GitHubUnavailable),
        ({"nameWithOwner": "a/b", "refs": _page([{}])}, GitHubUnavailable),
        ({"nameWithOwner": "a/b", "refs": _page([], "again")}, GitHubUnavailable),
        ({"refs": _page([])}, GitHubUnavailable),
        ("text", GitHubUnavailable),
    ],
)
def test_branches_that_github_does_not_list_are_errors_of_ours(found: Any, error: type[GitHubError]) -> None:
    body = {"data": {"repository": found}}
    if found is None:
        body["errors"] = [{"type": "NOT_FOUND", "message": "Could not resolve to a Repository"}]  # type: ignore[assignment]
    with serving(json_reply(body)) as server, pytest.raises(error):
        client(server).branches(*STUDY)


def test_pages_without_end_are_given_up() -> None:
    body = {"data": {"organization": {"repositories": _page([], "again")}}}
    with serving(json_reply(body)) as server, pytest.raises(GitHubUnavailable):
        client(server).repositories("demo-university")


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (
            {"data": {"organization": None}, "errors": [{"type": "NOT_FOUND", "message": "x"}]},
            OrganisationMissing,
        ),
        ({"errors": [{"type": "RATE_LIMITED", "message": "API rate limit exceeded"}]}, RateLimited),
        ({"errors": [{"message": "Something went wrong"}], "data": None}, GitHubUnavailable),
        ({"errors": [{"message": "a"}, {"message": "b"}]}, GitHubUnavailable),
        ({"errors": "odd"}, GitHubUnavailable),
        ({"errors": []}, GitHubUnavailable),
        ({"data": None}, GitHubUnavailable),
        ({"data": {"organization": None}}, GitHubUnavailable),
        ({}, GitHubUnavailable),
        ([], GitHubUnavailable),
    ],
)
def test_graphql_faults_are_errors_of_ours(body: object, error: type[GitHubError]) -> None:
    with serving(json_reply(body)) as server, pytest.raises(error):
        client(server).repositories("demo-university")


# Whatever GitHub answers, for every call


CALLS: dict[str, Callable[[GitHubClient], object]] = {
    "resolve": lambda ours: ours.resolve(*STUDY, "main"),
    "branch_contains": lambda ours: ours.branch_contains(*STUDY, "main", SHA),
    "read_file": lambda ours: ours.read_file(*STUDY, "project.yaml", SHA),
    "exists": lambda ours: ours.exists(*STUDY, "codelists", SHA),
    "repo": lambda ours: ours.repo(*STUDY),
    "repositories": lambda ours: ours.repositories("demo-university"),
    "branches": lambda ours: ours.branches(*STUDY),
}
every_call = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())


@every_call
@pytest.mark.parametrize(
    "reply",
    [
        html_reply(500),
        html_reply(502),
        Reply(503),
        json_reply({"message": "Server Error"}, 500),
        html_reply(200),
        Reply(200),
        Reply(200, b'{"sha": "5f0c'),
        json_reply({"sha": SHA, "message": "x" * 100}, cut=40),
        Reply(hang_up=True),
        Reply(200, b"[" * 100_000),
        Reply(202, b"{}"),
        Reply(304),
        Reply(307, b"{}", {"Location": ""}),
        Reply(302, b"{}", {"Location": "https://login.example.org/"}),
        json_reply(["not", "an", "object"], 400),
        json_reply("text", 500),
    ],
    ids=lambda reply: f"{reply.status}-{len(reply.body)}-{reply.cut}",
)
def test_an_unusable_answer_is_unavailable(call: Callable[[GitHubClient], object], reply: Reply) -> None:
    with serving(reply) as server, Timed() as timed, pytest.raises(GitHubUnavailable) as raised:
        call(client(server))
    assert timed.seconds < 2
    assert "could not be reached" in str(raised.value)
    assert raised.value.reason


@every_call
def test_github_being_down_is_unavailable(call: Callable[[GitHubClient], object]) -> None:
    with Timed() as timed, pytest.raises(GitHubUnavailable, match="could not be reached"):
        call(GitHubClient(refusing_url(), TOKEN))
    assert timed.seconds < 2


@every_call
@pytest.mark.parametrize(
    "reply",
    [
        json_reply({}, wait=30),
        json_reply({"a": "b" * 50}, drip=0.1),
        json_reply({}, drip=0.1, drip_headers=True),
    ],
    ids=["silent", "slow body", "slow headers"],
)
def test_a_slow_github_is_given_up_in_time(call: Callable[[GitHubClient], object], reply: Reply) -> None:
    with serving(reply) as server, Timed() as timed, pytest.raises(GitHubUnavailable) as raised:
        call(client(server, Limits(connect=0.1, read=0.4)))
    assert timed.seconds < 2
    assert "time limit" in raised.value.reason
    assert len(server.asked) == 1


def _soon() -> int:
    return int(time.time()) + 600


LIMITED = "API rate limit exceeded for user ID 1."


@every_call
@pytest.mark.parametrize(
    ("status", "message", "headers", "seconds"),
    [
        (403, LIMITED, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "soon"}, 600),
        (429, "Too many", {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "soon"}, 600),
        (403, "Forbidden", {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "soon"}, 600),
        (403, "You have exceeded a secondary rate limit.", {"Retry-After": "120"}, 120),
        (403, "You have exceeded a secondary rate limit.", {}, 60),
        (403, LIMITED, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "odd"}, 60),
        (429, "", {"Retry-After": "Mon, 05 Jan 2026 09:30:00 GMT"}, 60),
        (429, "", {"Retry-After": "9" * 30}, 60),
    ],
)
def test_a_rate_limit_says_when_it_ends(
    call: Callable[[GitHubClient], object], status: int, message: str, headers: dict[str, str], seconds: int
) -> None:
    sent = {name: str(_soon()) if value == "soon" else value for name, value in headers.items()}
    with serving(json_reply({"message": message}, status, headers=sent)) as server:
        with Timed() as timed, pytest.raises(RateLimited, match=r"answers again at \d\d:\d\d\.$") as raised:
            call(client(server))
        assert len(server.asked) == 1
    assert timed.seconds < 2
    wait = raised.value.reset_at - datetime.now(UTC)
    assert timedelta(seconds=seconds - 10) < wait <= timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "headers", [{"X-RateLimit-Limit": "odd", "X-RateLimit-Remaining": "odd"}, {"X-RateLimit-Reset": "odd"}]
)
def test_odd_rate_limit_headers_are_no_crash(github: GitHub, server: Server, headers: dict[str, str]) -> None:
    github.replies[""] = json_reply(REPO, headers=headers)
    assert client(server).repo(*STUDY).private


@every_call
@pytest.mark.parametrize(("status", "message"), [(401, "Bad credentials"), (403, "Resource not accessible")])
def test_a_token_that_is_not_accepted_is_the_operators_fault(
    call: Callable[[GitHubClient], object], status: int, message: str
) -> None:
    with serving(json_reply({"message": message}, status)) as server, pytest.raises(GitHubUnauthorised):
        call(client(server))


@every_call
def test_a_token_no_header_can_carry_is_not_sent_and_not_shown(
    call: Callable[[GitHubClient], object],
) -> None:
    with serving(json_reply({})) as server, pytest.raises(GitHubUnauthorised) as raised:
        call(client(server, token="sec ret\n"))
    assert server.asked == []
    assert "sec ret" not in repr(raised.value)


def test_the_token_is_in_no_representation_and_no_error() -> None:
    ours = GitHubClient(refusing_url(), TOKEN)
    with pytest.raises(GitHubUnavailable) as raised:
        ours.repo(*STUDY)
    shown = [repr(ours)]
    chained: BaseException | None = raised.value
    while chained is not None:
        shown.append(repr(chained))
        chained = chained.__cause__ or chained.__context__
    assert not [each for each in shown if TOKEN in each]


def test_threads_get_their_own_answers() -> None:
    def answer(asked: Asked) -> Reply:
        number = asked.path.rsplit("/", 1)[1]
        return json_reply(commit_json(f"{int(number):040x}"), wait=0.001 * (int(number) % 7))

    with serving(answer) as server, ThreadPoolExecutor(8) as pool:
        ours = client(server)
        found = list(pool.map(lambda number: ours.resolve(*STUDY, str(number)).sha, range(200)))
    assert found == [f"{number:040x}" for number in range(200)]


def test_times_are_told_in_london() -> None:
    summer = RateLimited(datetime(2026, 7, 1, 12, 0, tzinfo=UTC))
    assert str(summer) == "GitHub has had too many requests from us. It answers again at 13:00."
