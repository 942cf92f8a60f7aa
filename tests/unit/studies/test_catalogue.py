"""The repositories that can be chosen: remembered for a while, asked for side by side, never waited for long."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from jobserver.clients.github import GitHubClient
from jobserver.clients.transport import Limits
from jobserver.studies.catalogue import Catalogue, Listed, owner_in
from jobserver.studies.remembered import FRESH, JUST_NOW, OLDEST
from tests.contract.recorded import Asked, Reply, Server, Timed, html_reply, json_reply, serving
from tests.unit.rap.eventually import eventually


def repository(
    org: str, name: str, *branches: str, topics: tuple[str, ...] = (), **more: Any
) -> dict[str, Any]:
    end = {"hasNextPage": False, "endCursor": None}
    return {
        "name": name,
        "url": f"https://github.com/{org}/{name}",
        "isPrivate": False,
        "createdAt": "2025-01-14T09:00:00Z",
        "repositoryTopics": {"nodes": [{"topic": {"name": topic}} for topic in topics]},
        "refs": {"nodes": [{"name": branch} for branch in branches or ("main",)], "pageInfo": end},
        **more,
    }


class GitHub:
    """GraphQL: the repositories of organisations, or whatever reply is set for one."""

    def __init__(self) -> None:
        self.has: dict[str, list[dict[str, Any]]] = {}
        self.instead: dict[str, Reply] = {}
        self.wait = 0.0

    def __call__(self, asked: Asked) -> Reply:
        org = asked.json()["variables"]["org"]
        if org in self.instead:
            return self.instead[org]
        if org not in self.has:
            missing = {"type": "NOT_FOUND", "message": f"Could not resolve to an Organization {org}"}
            return json_reply({"data": {"organization": None}, "errors": [missing]})
        end = {"hasNextPage": False, "endCursor": None}
        found = {"repositories": {"pageInfo": end, "nodes": self.has[org]}}
        return json_reply({"data": {"organization": found}}, wait=self.wait)


class Clock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def github() -> GitHub:
    return GitHub()


@pytest.fixture
def server(github: GitHub) -> Iterator[Server]:
    with serving(github) as running:
        yield running


@pytest.fixture
def clock() -> Clock:
    return Clock()


def catalogue(server: Server, clock: Clock, limit: float = 3) -> Catalogue:
    client = GitHubClient(server.url, "token", limits=Limits(connect=2, read=3, size=3_000_000))
    return Catalogue(client, limit=limit, clock=clock)


def names(catalogue: Catalogue, *organisations: str, anew: bool = False) -> list[str]:
    return [each.name for each in catalogue.offer(organisations, anew=anew).repositories]


def test_the_repositories_of_all_organisations_are_given_by_name(
    github: GitHub, server: Server, clock: Clock
) -> None:
    github.has = {
        "lab": [repository("lab", "Zeta"), repository("lab", "alpha")],
        "uni": [repository("uni", "Beta")],
    }
    offer = catalogue(server, clock).offer(["lab", "uni"])
    assert [each.name for each in offer.repositories] == ["alpha", "Beta", "Zeta"]
    assert offer.failures == {}
    assert offer.find("https://github.com/LAB/zeta") == Listed(
        "https://github.com/lab/Zeta", "lab", "Zeta", ("main",)
    )
    assert offer.has("https://github.com/uni/Beta", "main")
    assert not offer.has("https://github.com/uni/Beta", "other")
    assert not offer.has("https://github.com/uni/Gamma", "main")


def test_what_is_not_for_research_is_left_out(github: GitHub, server: Server, clock: Clock) -> None:
    github.has["lab"] = [
        repository("lab", "tools", topics=("python", "non-research")),
        repository("lab", "study", topics=("research",)),
    ]
    assert names(catalogue(server, clock), "lab") == ["study"]


@pytest.mark.parametrize(
    ("branches", "usual"),
    [(("dev", "main", "master"), "main"), (("dev", "master"), "master"), (("dev",), "dev"), (("a", "b"), "")],
)
def test_the_usual_branch_is_main_or_master_or_the_only_one(branches: tuple[str, ...], usual: str) -> None:
    assert Listed("https://github.com/lab/study", "lab", "study", branches).usual_branch == usual


def test_odd_addresses_and_branches_are_left_out(github: GitHub, server: Server, clock: Clock) -> None:
    github.has["lab"] = [
        repository("lab", "a", url="https://elsewhere.example/lab/a"),
        repository("lab", "b", url="https://github.com/lab/b/c"),
        repository("lab", "c", url=None),
        repository("lab", "d", "main", "bad\nname", " ", "Alpha"),
    ]
    (found,) = catalogue(server, clock).offer(["lab"]).repositories
    assert (found.name, found.branches) == ("d", ("Alpha", "main"))


def test_an_organisation_named_twice_is_asked_about_once(
    github: GitHub, server: Server, clock: Clock
) -> None:
    github.has = {"lab": [repository("lab", "study")], "Lab": [repository("lab", "study")]}
    assert names(catalogue(server, clock), "lab", "Lab") == ["study"]
    assert len(server.asked) == 1


def test_no_organisation_is_no_question(server: Server, clock: Clock) -> None:
    assert names(catalogue(server, clock)) == []
    assert server.asked == []


# Remembering


def test_an_answer_is_remembered_for_some_minutes(github: GitHub, server: Server, clock: Clock) -> None:
    github.has["lab"] = [repository("lab", "study")]
    asking = catalogue(server, clock)
    names(asking, "lab")
    clock.seconds += FRESH - 1
    assert names(asking, "lab") == ["study"]
    assert len(server.asked) == 1


def test_an_older_answer_is_given_at_once_while_a_new_one_is_fetched(
    github: GitHub, server: Server, clock: Clock
) -> None:
    github.has["lab"] = [repository("lab", "study")]
    asking = catalogue(server, clock)
    names(asking, "lab")
    github.has["lab"] = [repository("lab", "study"), repository("lab", "newer")]
    github.wait = 2
    clock.seconds += FRESH
    with Timed() as timed:
        assert names(asking, "lab") == ["study"]
    assert timed.seconds < 1.5
    eventually(lambda: names(asking, "lab") == ["newer", "study"])
    assert len(server.asked) == 2


def test_an_answer_of_an_hour_ago_is_not_given(github: GitHub, server: Server, clock: Clock) -> None:
    github.has["lab"] = [repository("lab", "study")]
    asking = catalogue(server, clock)
    names(asking, "lab")
    github.has["lab"] = [repository("lab", "other")]
    clock.seconds += OLDEST
    assert names(asking, "lab") == ["other"]


def test_somebody_who_misses_something_gets_a_new_answer_unless_it_is_seconds_old(
    github: GitHub, server: Server, clock: Clock
) -> None:
    github.has["lab"] = [repository("lab", "study")]
    asking = catalogue(server, clock)
    names(asking, "lab")
    github.has["lab"] = [repository("lab", "study", "main", "new-branch")]
    assert not asking.offer(["lab"], anew=True).has("https://github.com/lab/study", "new-branch")
    clock.seconds += JUST_NOW
    assert asking.offer(["lab"], anew=True).has("https://github.com/lab/study", "new-branch")
    assert len(server.asked) == 2


# Threads and time


def test_threads_share_one_question(github: GitHub, server: Server, clock: Clock) -> None:
    github.has["lab"] = [repository("lab", "study")]
    github.wait = 0.3
    asking = catalogue(server, clock)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: names(asking, "lab"), range(8)))
    assert found == [["study"]] * 8
    assert len(server.asked) == 1


def test_organisations_are_asked_side_by_side(github: GitHub, server: Server, clock: Clock) -> None:
    organisations = [f"lab-{number}" for number in range(6)]
    github.has = {org: [repository(org, f"study-of-{org}")] for org in organisations}
    github.wait = 1
    with Timed() as timed:
        assert len(names(catalogue(server, clock), *organisations)) == 6
    assert timed.seconds < 4


def test_one_organisation_that_fails_does_not_hide_the_others(
    github: GitHub, server: Server, clock: Clock
) -> None:
    github.has["lab"] = [repository("lab", "study")]
    github.instead["uni"] = html_reply(502)
    offer = catalogue(server, clock).offer(["lab", "uni", "nobody"])
    assert [each.name for each in offer.repositories] == ["study"]
    assert set(offer.failures) == {"uni", "nobody"}
    assert "could not be reached" in offer.failures["uni"]
    assert "no organisation nobody" in offer.failures["nobody"]


def test_a_slow_github_is_not_waited_for_and_its_answer_is_there_next_time(
    github: GitHub, server: Server, clock: Clock
) -> None:
    github.has = {"slow": [repository("slow", "late")]}
    github.wait = 3
    asking = catalogue(server, clock, limit=0.2)
    with Timed() as timed:
        offer = asking.offer(["slow"])
    assert timed.seconds < 2
    assert offer.repositories == []
    assert "did not answer in time" in offer.failures["slow"]
    eventually(lambda: names(asking, "slow") == ["late"])
    assert len(server.asked) == 1


def test_a_failure_is_not_remembered(github: GitHub, server: Server, clock: Clock) -> None:
    github.instead["lab"] = Reply(hang_up=True)
    asking = catalogue(server, clock)
    assert asking.offer(["lab"]).failures
    del github.instead["lab"]
    github.has["lab"] = [repository("lab", "study")]
    assert names(asking, "lab") == ["study"]


def test_while_github_fails_an_older_answer_is_given_and_said_to_be_old(
    github: GitHub, server: Server, clock: Clock
) -> None:
    github.has["lab"] = [repository("lab", "study")]
    asking = catalogue(server, clock)
    names(asking, "lab")
    clock.seconds += FRESH
    github.instead["lab"] = html_reply(500)
    offer = asking.offer(["lab"], anew=True)
    assert [each.name for each in offer.repositories] == ["study"]
    assert "lab" in offer.failures


@pytest.mark.parametrize(
    ("url", "owner"),
    [
        ("https://github.com/Lab/study", "lab"),
        ("https://github.com/lab", ""),
        ("https://evil.example/lab/study", ""),
        ("None", ""),
        ("", ""),
    ],
)
def test_the_organisation_in_an_address(url: str, owner: str) -> None:
    assert owner_in(url) == owner
