"""The simulated GitHub: sign-in, what PyGithub asks for, issues and pages."""

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from github import Auth, Github, GithubException, UnknownObjectException

from simulator.testing import RunningSimulator, running_simulator

STUDY = "demo-university/asthma-study"
SIDE_BRANCH = "sensitivity/five-controls"
CALLBACK = "http://localhost:8000/complete/github/"


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSimulator]:
    with running_simulator(tmp_path_factory.mktemp("simulator"), speed=0) as running:
        yield running


@pytest.fixture
def github(simulator: RunningSimulator) -> Iterator[Github]:
    with _github(simulator, simulator.github_token) as client:
        yield client


def _github(simulator: RunningSimulator, token: str | None) -> Github:
    auth = Auth.Token(token) if token else None
    return Github(
        base_url=simulator.github_api_url,
        auth=auth,
        retry=None,
        seconds_between_requests=0,
        seconds_between_writes=0,
    )


def ask(
    simulator: RunningSimulator, path: str, body: str | None = None, **headers: str
) -> tuple[int, dict[str, str], str]:
    """Status, headers and text of one answer; redirects are not followed."""
    connection = HTTPConnection(urlsplit(simulator.base_url).netloc, timeout=10)
    try:
        connection.request("GET" if body is None else "POST", path, body, headers)
        response = connection.getresponse()
        return (
            response.status,
            {name.lower(): value for name, value in response.getheaders()},
            response.read().decode(),
        )
    finally:
        connection.close()


def sign_in(simulator: RunningSimulator, login: str, **query: str) -> dict[str, list[str]]:
    """What comes back to the application when the person agrees."""
    assert simulator.oauth_client is not None
    asked = {
        "client_id": simulator.oauth_client.id,
        "redirect_uri": CALLBACK,
        "state": "a-state",
        "scope": "user:email",
    }
    status, headers, _ = ask(
        simulator, f"/github/login/oauth/authorize?{urlencode({**asked, 'login': login, **query})}"
    )
    assert status == 302
    assert headers["location"].startswith(CALLBACK)
    return parse_qs(urlsplit(headers["location"]).query)


def exchange(simulator: RunningSimulator, code: str, **values: str) -> dict[str, Any]:
    """The answer to a code, asked for in JSON."""
    assert simulator.oauth_client is not None
    client = {"client_id": simulator.oauth_client.id, "client_secret": simulator.oauth_client.secret}
    body = urlencode({**client, "code": code, **values})
    form = "application/x-www-form-urlencoded"
    path = "/github/login/oauth/access_token"
    status, _, text = ask(simulator, path, body, **{"Content-Type": form, "Accept": "application/json"})
    assert status == 200
    answer: dict[str, Any] = json.loads(text)
    return answer


def test_a_person_signs_in_and_their_token_tells_who_they_are(simulator: RunningSimulator) -> None:
    back = sign_in(simulator, "researcher")
    assert back["state"] == ["a-state"]
    answer = exchange(simulator, back["code"][0], redirect_uri=CALLBACK)
    assert (answer["token_type"], answer["scope"]) == ("bearer", "user:email")
    with _github(simulator, answer["access_token"]) as github:
        user = github.get_user()
        assert [user.login, user.id, user.name] == ["researcher", 1001, "Rosalind Hale"]
        assert not user.email
        assert [entry.email for entry in user.get_emails() if entry.primary] == [
            "rosalind.hale@demo-university.example"
        ]


def test_an_account_without_a_name_has_none(simulator: RunningSimulator) -> None:
    token = exchange(simulator, sign_in(simulator, "nameless")["code"][0])["access_token"]
    with _github(simulator, token) as github:
        assert github.get_user().name is None


def test_the_proof_key_has_to_match_the_challenge(simulator: RunningSimulator) -> None:
    verifier = "a-long-and-random-verifier-of-at-least-43-characters"
    digest = hashlib.sha256(verifier.encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    asked = {"code_challenge": challenge, "code_challenge_method": "S256"}
    wrong = exchange(simulator, sign_in(simulator, "checker", **asked)["code"][0], code_verifier="x" * 43)
    assert wrong["error"] == "bad_verification_code"
    right = exchange(simulator, sign_in(simulator, "checker", **asked)["code"][0], code_verifier=verifier)
    assert right["access_token"]


def test_a_code_works_once(simulator: RunningSimulator) -> None:
    code = sign_in(simulator, "researcher")["code"][0]
    assert "access_token" in exchange(simulator, code)
    assert exchange(simulator, code)["error"] == "bad_verification_code"


def test_a_wrong_secret_is_refused(simulator: RunningSimulator) -> None:
    code = sign_in(simulator, "researcher")["code"][0]
    assert exchange(simulator, code, client_secret="guess")["error"] == "incorrect_client_credentials"


def test_without_asking_for_json_the_answer_is_a_form(simulator: RunningSimulator) -> None:
    assert simulator.oauth_client is not None
    basic = base64.b64encode(f"{simulator.oauth_client.id}:{simulator.oauth_client.secret}".encode()).decode()
    body = urlencode({"code": sign_in(simulator, "researcher")["code"][0]})
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Authorization": f"Basic {basic}"}
    _, answered, text = ask(simulator, "/github/login/oauth/access_token", body, **headers)
    assert answered["content-type"].startswith("application/x-www-form-urlencoded")
    assert parse_qs(text)["access_token"][0].startswith("gho_")


def test_everybody_can_be_chosen_and_the_request_is_passed_on(simulator: RunningSimulator) -> None:
    query = urlencode({"client_id": "demo-client-id", "redirect_uri": CALLBACK, "state": "s"})
    _, _, text = ask(simulator, f"/github/login/oauth/authorize?{query}")
    assert re.findall(r'name="login" value="([^"]+)"', text) == [
        person.login for person in simulator.config.people
    ]
    assert f'name="redirect_uri" value="{CALLBACK}"' in text


def test_a_person_can_say_no(simulator: RunningSimulator) -> None:
    query = urlencode(
        {"client_id": "demo-client-id", "redirect_uri": CALLBACK, "state": "s", "error": "access_denied"}
    )
    status, headers, _ = ask(simulator, f"/github/login/oauth/authorize?{query}")
    back = parse_qs(urlsplit(headers["location"]).query)
    assert (status, back["error"], back["state"]) == (302, ["access_denied"], ["s"])


def test_an_unknown_application_is_not_sent_anywhere(simulator: RunningSimulator) -> None:
    query = urlencode({"client_id": "nobody", "redirect_uri": CALLBACK, "login": "researcher"})
    assert ask(simulator, f"/github/login/oauth/authorize?{query}")[0] == 404


def test_a_file_is_read_at_a_commit(github: Github) -> None:
    repository = github.get_repo(STUDY)
    head = repository.get_branch("main").commit.sha
    found = repository.get_contents("project.yaml", ref=head)
    assert not isinstance(found, list)
    assert found.decoded_content.startswith(b'version: "5"')
    first = list(repository.get_commits(sha="main"))[-1]
    earlier = repository.get_contents("project.yaml", ref=first.sha)
    assert not isinstance(earlier, list)
    assert earlier.decoded_content.startswith(b'version: "4.0"')


def test_a_directory_is_listed(github: Github) -> None:
    listing = github.get_repo(STUDY).get_contents("codelists", ref="main")
    assert isinstance(listing, list)
    assert "codelists/codelists.txt" in [entry.path for entry in listing]


def test_a_file_is_given_as_it_is_to_those_who_ask_for_raw(simulator: RunningSimulator) -> None:
    headers = {"Authorization": f"bearer {simulator.github_token}", "Accept": "application/vnd.github.3.raw"}
    path = f"/api/github/repos/{STUDY}/contents/codelists%2Fcodelists.txt?ref=main"
    status, _, text = ask(simulator, path, **headers)
    assert (status, text.splitlines()[0]) == (200, "demo-university/asthma-diagnosis/2024-01-10")


def test_a_branch_name_may_contain_slashes(github: Github) -> None:
    repository = github.get_repo(STUDY)
    branch = repository.get_branch(SIDE_BRANCH)
    assert branch.name == SIDE_BRANCH
    assert repository.get_git_ref(f"heads/{SIDE_BRANCH}").object.sha == branch.commit.sha
    assert repository.get_commit(SIDE_BRANCH).sha == branch.commit.sha


def test_branches_are_listed(github: Github) -> None:
    assert [branch.name for branch in github.get_repo(STUDY).get_branches()] == ["main", SIDE_BRANCH]


def test_lists_come_in_pages(simulator: RunningSimulator) -> None:
    headers = {"Authorization": f"token {simulator.github_token}"}
    _, answered, text = ask(simulator, f"/api/github/repos/{STUDY}/branches?per_page=1", **headers)
    assert len(json.loads(text)) == 1
    assert re.search(r'<[^>]*page=2[^>]*>; rel="next"', answered["link"])


def test_a_comparison_tells_whether_a_commit_is_on_a_branch(github: Github) -> None:
    repository = github.get_repo(STUDY)
    commits = [commit.sha for commit in repository.get_commits(sha="main")]
    behind = repository.compare("main", commits[1])
    assert (behind.status, behind.behind_by, behind.ahead_by) == ("behind", 1, 0)
    ahead = repository.compare("main", SIDE_BRANCH)
    assert (ahead.status, ahead.ahead_by) == ("ahead", 1)
    assert [file.filename for file in ahead.files] == ["analysis/sensitivity.md", "project.yaml"]
    assert repository.compare("main", commits[0]).status == "identical"


def test_the_commits_are_the_same_on_every_machine(github: Github) -> None:
    shas = [commit.sha for commit in github.get_repo("other-institute/diabetes-study").get_commits()]
    dates = [
        commit.commit.author.date.isoformat()
        for commit in github.get_repo("other-institute/diabetes-study").get_commits()
    ]
    assert len(set(shas)) == 2
    assert dates == ["2024-10-01T13:15:00+00:00", "2024-09-10T08:30:00+00:00"]


def test_what_does_not_exist_is_not_found(github: Github) -> None:
    with pytest.raises(UnknownObjectException):
        github.get_repo("demo-university/nothing")
    repository = github.get_repo(STUDY)
    for missing in (
        lambda: repository.get_branch("nothing"),
        lambda: repository.get_contents("nothing.txt", ref="main"),
        lambda: repository.get_contents("project.yaml", ref="nothing"),
    ):
        with pytest.raises(GithubException) as refusal:
            missing()
        assert refusal.value.status == 404


def test_an_unknown_commit_is_unprocessable(github: Github) -> None:
    with pytest.raises(GithubException) as refusal:
        assert github.get_repo(STUDY).get_commit("0" * 40).commit.message
    assert refusal.value.status == 422


def test_a_private_repository_is_hidden_from_strangers(simulator: RunningSimulator) -> None:
    with _github(simulator, None) as stranger:
        with pytest.raises(UnknownObjectException):
            stranger.get_repo(STUDY)
        assert stranger.get_repo("other-institute/diabetes-study").private is False


def test_a_wrong_token_is_refused(simulator: RunningSimulator) -> None:
    with _github(simulator, "guess") as github, pytest.raises(GithubException) as refusal:
        github.get_repo(STUDY)
    assert refusal.value.status == 401


def test_an_organisations_repositories_are_listed(github: Github) -> None:
    names = [repository.html_url for repository in github.get_organization("demo-university").get_repos()]
    assert names == [f"https://github.com/{STUDY}"]


def test_repositories_and_branches_can_be_asked_for_in_one_query(github: Github) -> None:
    query = """
      query($org: String!, $after: String) { organization(login: $org) { login
        repositories(first: 1, after: $after, orderBy: {field: NAME, direction: ASC}) {
          pageInfo { hasNextPage endCursor }
          nodes { name private: isPrivate repositoryTopics(first: 9) { nodes { topic { name } } }
                  refs(refPrefix: "refs/heads/", first: 1) { nodes { name } pageInfo { hasNextPage } } } } } }
    """
    _, answer = github.requester.graphql_query(query, {"org": "ebmdatalab"})
    page = answer["data"]["organization"]["repositories"]
    assert [node["name"] for node in page["nodes"]] == ["opensafely-output-review"]
    variables = {"org": "ebmdatalab", "after": page["pageInfo"]["endCursor"]}
    _, answer = github.requester.graphql_query(query, variables)
    page = answer["data"]["organization"]["repositories"]
    assert ([node["name"] for node in page["nodes"]], page["pageInfo"]["hasNextPage"]) == (
        ["tech-support"],
        False,
    )
    _, answer = github.requester.graphql_query(query, {"org": "demo-university"})
    [study] = answer["data"]["organization"]["repositories"]["nodes"]
    assert study["private"] is True
    assert study["repositoryTopics"]["nodes"] == [{"topic": {"name": "research"}}]
    assert study["refs"] == {"nodes": [{"name": "main"}], "pageInfo": {"hasNextPage": True}}


@pytest.mark.parametrize(
    "query",
    [
        "{ viewer { shoe_size } }",
        "{ viewer {",
        "{ viewer }",
        "",
        '{ organization(login: "nobody") { login } }',
    ],
)
def test_a_query_that_cannot_be_answered_has_errors(github: Github, query: str) -> None:
    with pytest.raises(GithubException) as refusal:
        github.requester.graphql_query(query, {})
    assert refusal.value.data["errors"]


def test_a_query_needs_a_token(simulator: RunningSimulator) -> None:
    assert ask(simulator, "/api/github/graphql", '{"query": "{ viewer { login } }"}')[0] == 401


def test_every_answer_tells_the_rate_limit(simulator: RunningSimulator) -> None:
    _, headers, _ = ask(simulator, "/api/github/repos/nobody/nothing")
    assert (headers["x-ratelimit-limit"], headers["x-ratelimit-resource"]) == ("5000", "core")


def test_an_issue_is_opened_found_commented_and_closed(github: Github, simulator: RunningSimulator) -> None:
    repository = github.get_repo("ebmdatalab/opensafely-output-review")
    issue = repository.create_issue(
        "asthma-main 01ABC", "Please review", labels=["internal", "Pending review"]
    )
    found = list(github.search_issues("repo:ebmdatalab/opensafely-output-review in:title 01ABC is:open"))
    assert [each.number for each in found] == [issue.number]
    comment = issue.create_comment("Returned")
    assert comment.html_url.startswith(issue.html_url)
    status, _, page = ask(simulator, urlsplit(issue.html_url).path)
    assert (status, comment.body in page) == (200, True)
    issue.edit(state="closed", labels=["internal"])
    closed = repository.get_issue(issue.number)
    assert (closed.state, [label.name for label in closed.labels]) == ("closed", ["internal"])


@pytest.mark.parametrize(
    "path",
    [
        "/github/demo-university",
        f"/github/{STUDY}",
        f"/github/{STUDY}/tree/{SIDE_BRANCH}/analysis",
        f"/github/{STUDY}/blob/main/analysis/measures.py",
        f"/github/{STUDY}/compare/main..{SIDE_BRANCH}",
        f"/github/{STUDY}/compare/main...{SIDE_BRANCH}",
        f"/github/{STUDY}/commit/main",
    ],
)
def test_links_to_github_lead_somewhere(simulator: RunningSimulator, path: str) -> None:
    status, _, text = ask(simulator, path)
    assert status == 200
    assert STUDY in text


def test_a_page_that_does_not_exist_is_not_found(simulator: RunningSimulator) -> None:
    for path in (f"/github/{STUDY}/blob/main/nothing.py", f"/github/{STUDY}/tree/nothing", "/github/nobody"):
        assert ask(simulator, path)[0] == 404
